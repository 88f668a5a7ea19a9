"""What a limit costs a year: set per policy and kind of limit, for the list of limits that nobody uses."""

from __future__ import annotations

from sqlalchemy import select

from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.limits import LimitKind
from insureflow.domain.money import Money
from insureflow.models.connections import LimitFee
from insureflow.models.policies import Policy
from insureflow.services import journal
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction


def set_fee(actor: Actor, organisation_id: int, policy_id: int, kind: LimitKind, fee: Money | None) -> None:
    """Set what a limit of a kind costs a year under a policy; None takes the fee away.

    Errors: ``InvalidValue`` ``amount_negative``, ``currency_unknown``; ``Refusal`` ``policy_unknown``.
    """
    if fee is not None and fee.minor < 0:
        raise InvalidValue("amount_negative", "fee", str(fee.amount))
    if fee is not None and not is_currency(fee.currency):
        raise InvalidValue("currency_unknown", "currency", fee.currency)
    with transaction(organisation_id) as session:
        policy = session.scalar(select(Policy).where(Policy.id == policy_id))
        if policy is None:
            raise Refusal("policy_unknown", policy=str(policy_id))
        row = session.scalar(select(LimitFee).where(LimitFee.policy_id == policy_id, LimitFee.kind == kind.value))
        before = None if row is None else Money(row.fee_minor, row.currency)
        if before == fee:
            return
        if fee is None:
            session.delete(row)
        elif row is None:
            session.add(
                LimitFee(organisation_id=organisation_id, policy_id=policy_id, kind=kind.value, fee_minor=fee.minor, currency=fee.currency)
            )
        else:
            row.fee_minor, row.currency = fee.minor, fee.currency
        session.flush()
        subject = Subject("policy", policy.id, policy.number)
        journal.record(session, actor, "limit_fee.set", subject, before={"kind": kind, "fee": before}, after={"kind": kind, "fee": fee})
