"""E-invoices: what is noteworthy in one that is taken all the same."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

SENTENCES: dict[str, str] = {
    "overpaid": _("More was prepaid than the invoice is about; it is taken as settled."),
    "payee_differs": _("Somebody other than the seller is to be paid: “%(value)s”. Check whether the receivable was assigned."),
    "payable_differs": _("The amount payable, %(value)s, is not what total, prepayment and rounding give; the amount payable is taken."),
}
