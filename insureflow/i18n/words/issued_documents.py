"""The words of issued documents."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "DocumentKind.reminder": _("reminder"),
    "DocumentKind.statement": _("statement of account"),
    "DocumentKind.interest_notice": _("notice of interest"),
    "DocumentKind.payment_plan": _("payment plan"),
    "DocumentKind.non_payment": _("notification of non-payment"),
    "DocumentKind.extension": _("request for a later due date"),
    "DocumentKind.rescheduling": _("request for a payment plan"),
    "DocumentKind.adverse_information": _("report of adverse information"),
    "DocumentKind.insolvency": _("notice of insolvency"),
    "DocumentKind.proof_of_debt": _("proof of debt"),
}

SENTENCES: dict[str, str] = {
    "document_unknown": _("There is no document %(document)s here. Look for it in the list of documents."),
}
