"""Four eyes: from which amount on a second person must agree to a limit request, and who that may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.trace import Step, Trace

#: Up to which amount each role may decide alone: None is any amount, a role that is not named never decides alone.
Thresholds = Mapping[Role, Money | None]


@dataclass(frozen=True, slots=True)
class ApprovalNeed:
    """Whether a request needs a second person, up to what the asking role decides alone, and which roles could agree."""

    is_needed: bool
    alone_up_to: Money | None
    approving_roles: tuple[Role, ...]
    trace: Trace


def needs_approval(role: Role, amount: Money, thresholds: Thresholds) -> bool:
    """True if someone in this role may not send a request of this amount alone.

    *Formula:* amount > threshold of the role; a role without threshold always needs a second person. Errors:
    ``currencies_differ`` where the amount is not in the currency of the thresholds.
    """
    if role not in thresholds:
        return True
    threshold = thresholds[role]
    return threshold is not None and amount > threshold


def assess_approval(role: Role, amount: Money, thresholds: Thresholds) -> ApprovalNeed:
    """``needs_approval`` with the threshold it rests on and the roles that could agree."""
    is_needed = needs_approval(role, amount, thresholds)
    alone_up_to = thresholds.get(role)
    roles = tuple(other for other in Role if not needs_approval(other, amount, thresholds))
    step = Step(
        name="approval_needed",
        formula="approval.above_threshold",
        inputs=(("role", role.value), ("limit_requested", amount), ("alone_up_to", alone_up_to)),
        result=is_needed,
        basis="organisation.approval_thresholds",
    )
    return ApprovalNeed(is_needed, alone_up_to, roles, Trace((step,)))


def check_approval(requester_id: int | None, approver_id: int | None, approver_role: Role, amount: Money, thresholds: Thresholds) -> None:
    """Nothing, if this person may agree to the request.

    Errors: ``approval_needs_a_person`` for someone who is not known, ``approval_of_own_request``, ``approval_above_authority``.
    """
    if approver_id is None:
        raise Refusal("approval_needs_a_person")
    if approver_id == requester_id:
        raise Refusal("approval_of_own_request")
    if needs_approval(approver_role, amount, thresholds):
        raise Refusal("approval_above_authority", role=approver_role, amount=amount)


def may_approve(requester_id: int | None, approver_id: int | None, approver_role: Role, amount: Money, thresholds: Thresholds) -> bool:
    """True if this person may agree: not the one who asks, and in a role that could send the request alone."""
    try:
        check_approval(requester_id, approver_id, approver_role, amount, thresholds)
    except Refusal as refusal:
        if refusal.code == "currencies_differ":
            raise
        return False
    return True
