"""The addresses of payment plans, and what their pages share."""

from __future__ import annotations

from flask import Blueprint, abort, g

from insureflow.domain.payment_plans import InstalmentState, PlanState, PlanVerdict
from insureflow.queries.payment_plans import PlanView, find_plan

blueprint = Blueprint("payment_plans", __name__)

STATE_TONES = {
    PlanState.DRAFT: "undecided",
    PlanState.AWAITING_CONSENT: "undecided",
    PlanState.ACTIVE: "covered",
    PlanState.KEPT: "covered",
    PlanState.BROKEN: "stopped",
    PlanState.REFUSED: "stopped",
    PlanState.CANCELLED: "undecided",
}
VERDICT_TONES = {
    PlanVerdict.FREE: "covered",
    PlanVerdict.CONSENT_NEEDED: "stopped",
    PlanVerdict.MIXED: "uncovered",
    PlanVerdict.NOT_INSURED: "undecided",
}
FREEDOM_TONES = {
    "free": "covered",
    "consent_needed": "stopped",
    "no_period": "stopped",
    "after_shipment": "stopped",
    "not_insured": "undecided",
}
INSTALMENT_TONES = {
    InstalmentState.OPEN: "undecided",
    InstalmentState.PAID: "covered",
    InstalmentState.PAID_LATE: "uncovered",
    InstalmentState.IN_GRACE: "uncovered",
    InstalmentState.MISSED: "stopped",
}


def get_plan_or_404(plan_id: int) -> PlanView:
    """A plan of this organisation as it stands on the day that is looked at."""
    view = find_plan(plan_id, g.on)
    if view is None:
        abort(404)
    return view
