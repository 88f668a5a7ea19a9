"""Discretionary limits: credit reports, assessments, what can be wrong with them."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "credit_report": _("credit report"),
    "payment_experience": _("payment experience"),
    "paid_purchases": _("paid purchases"),
    "Action.credit_report.added": _("credit report put on file"),
    "Action.discretionary.assessed": _("discretionary limit worked out"),
    "Subject.discretionary_assessment": _("discretionary limit"),
    "Change.agency": _("Agency"),
    "Change.reported_on": _("Day of the report"),
    "Change.is_approved_agency": _("Agency accepted by the policy"),
    "Change.is_unfavourable": _("Speaks against the buyer"),
    "Change.assessed_on": _("Worked out for"),
    "Change.method": _("Method"),
    "discretionary.remind": _("look for evidence that runs out"),
}

SENTENCES: dict[str, str] = {
    "agency_needed": _("Say whose report it is."),
    "no_discretionary_clause": _("Policy %(policy)s has no clause on discretionary limits. Ask the insurer for a limit instead."),
    "assessment_unknown": _("There is no assessment %(assessment)s here."),
    "assessment_not_usable": _("No discretionary limit can be set for %(buyer)s. Look at the reason, or ask the insurer for a limit."),
    "assessment_outdated": _(
        "This was worked out for %(assessed_on)s and something has changed since. Work it out anew, then set the limit."
    ),
    "insurer_limit_in_force": _(
        "The insurer's own limit for %(buyer)s under %(policy)s is in force; a discretionary limit would replace it."
    ),
}
