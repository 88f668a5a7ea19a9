"""Payment plans and deferrals: drafted, agreed freely or with the insurer's consent, confirmed to the buyer, watched until paid."""

from __future__ import annotations

from insureflow.services.payment_plans.agreeing import MESSAGE_KIND, agree, confirm
from insureflow.services.payment_plans.asking import ask_consent
from insureflow.services.payment_plans.drafting import NewPlan, change, propose
from insureflow.services.payment_plans.giving_up import cancel
from insureflow.services.payment_plans.watching import ACTOR, watch

__all__ = ["ACTOR", "MESSAGE_KIND", "NewPlan", "agree", "ask_consent", "cancel", "change", "confirm", "propose", "watch"]
