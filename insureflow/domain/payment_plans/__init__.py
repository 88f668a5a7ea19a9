"""Payment plans and deferrals: what a buyer may be granted freely, what needs the insurer's consent, and whether it is kept."""

from __future__ import annotations

from insureflow.domain.payment_plans.designing import (
    MOST_INSTALMENTS,
    WITHOUT_ASKING,
    Freedom,
    PlanDesign,
    PlannedInstalment,
    PlannedInvoice,
    PlanVerdict,
    Portion,
    Remainder,
    Rhythm,
    check_instalments,
    design_plan,
    equal_instalments,
    judge_day,
    next_days,
)
from insureflow.domain.payment_plans.keeping import (
    InstalmentStanding,
    InstalmentState,
    PlanOutcome,
    PlanStanding,
    Received,
    find_break,
    judge_keeping,
    money_beyond,
)
from insureflow.domain.payment_plans.life import PlanAction, PlanState, next_plan_state, possible_plan_actions

__all__ = [
    "MOST_INSTALMENTS",
    "WITHOUT_ASKING",
    "Freedom",
    "InstalmentStanding",
    "InstalmentState",
    "PlanAction",
    "PlanDesign",
    "PlanOutcome",
    "PlanStanding",
    "PlanState",
    "PlanVerdict",
    "PlannedInstalment",
    "PlannedInvoice",
    "Portion",
    "Received",
    "Remainder",
    "Rhythm",
    "check_instalments",
    "design_plan",
    "equal_instalments",
    "find_break",
    "judge_day",
    "judge_keeping",
    "money_beyond",
    "next_days",
    "next_plan_state",
    "possible_plan_actions",
]
