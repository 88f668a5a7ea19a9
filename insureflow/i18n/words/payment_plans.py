"""Payment plans."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "PlanState.draft": _("draft"),
    "PlanState.awaiting_consent": _("waits for the insurer's consent"),
    "PlanState.active": _("agreed"),
    "PlanState.kept": _("kept"),
    "PlanState.broken": _("broken"),
    "PlanState.refused": _("refused by the insurer"),
    "PlanState.cancelled": _("cancelled"),
    "PlanAction.change": _("change"),
    "PlanAction.ask_consent": _("ask for consent"),
    "PlanAction.grant": _("consent given"),
    "PlanAction.refuse": _("consent refused"),
    "PlanAction.agree": _("agree"),
    "PlanAction.fulfil": _("fulfilled"),
    "PlanAction.break": _("broken"),
    "PlanAction.cancel": _("cancel"),
}

SENTENCES: dict[str, str] = {
    "plan_cannot": _("The plan is %(state)s; “%(action)s” is not possible now. Look at the plan for what is."),
}
