"""Payment plans and deferrals: what a buyer may be granted freely, what needs the insurer's consent, and whether it is kept."""

from __future__ import annotations

from insureflow.domain.payment_plans.life import PlanAction, PlanState, next_plan_state

__all__ = ["PlanAction", "PlanState", "next_plan_state"]
