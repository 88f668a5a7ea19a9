"""The need of one account, worked out by the rules from its turnover and from its balance day by day; and what limits cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    String,
    and_,
    cast,
    or_,
    select,
)

from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import (
    KIND_IN_TERMS,
    CapacityWaterfall,
    FitJudgement,
    LimitKind,
    LimitUse,
    Need,
    UnusedLimit,
    calculate_need,
    calculate_seasonality,
    calculate_waterfall,
    find_unused,
    higher_need,
    judge_fit,
    observed_need,
)
from insureflow.domain.money import Money
from insureflow.domain.periods import add_months
from insureflow.models.buyers import Buyer
from insureflow.models.connections import LimitFee
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.queries.cover.limits import limit_stacks
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.limit_needs.listing import MONTHS, policies_with_tax, turnover_of


@dataclass(frozen=True, slots=True)
class AccountNeed:
    """What one buyer needs under a policy, what carries it, and whether the limit fits; amounts in limit currency.

    ``owed`` is open on the day, ``highest`` the most that was open at once and ``used`` the most that limits carried in the months
    looked back.
    """

    buyer: Buyer
    policy: Policy
    turnover: Money
    terms_days: int
    need: Need
    limit: Money
    top_up: Money
    fit: FitJudgement
    unused: UnusedLimit | None
    waterfall: CapacityWaterfall
    owed: Money
    highest: Money
    used: Money


def find_need(policy_id: int, buyer_id: int, on: date, *, own_limit: Money | None = None) -> AccountNeed:
    """The need of one account, worked out by the rules from its turnover and from its balance day by day.

    Errors: ``buyer_unknown``, ``policy_unknown``, ``currencies_differ`` for an own limit in another currency.
    """
    buyer = db.session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    policy = db.session.scalar(select(Policy).where(Policy.id == policy_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    if policy is None:
        raise Refusal("policy_unknown", policy=str(policy_id))
    currency = policy.limit_currency
    turnover = turnover_of(on, policies_with_tax(on), (policy_id, buyer_id))
    row = db.session.execute(select(turnover)).mappings().first()
    since = [0] * (MONTHS + 1) if row is None else [0, *(int(row[f"since_{month}"]) for month in range(MONTHS - 1)), int(row["turnover"])]
    months = [since[month + 1] - since[month] for month in reversed(range(MONTHS))]
    sold, terms = (Money(0, currency), 0) if row is None else (Money(int(row["turnover"]), currency), int(row["terms"]))
    from_turnover = calculate_need(sold, terms, seasonality=calculate_seasonality(months, terms))
    balances, used = _daily(policy_id, buyer_id, on)
    need = higher_need(from_turnover, observed_need(balances, currency, on)) or from_turnover
    stack = next(iter(limit_stacks(buyer_id, on, policy_id=policy_id)), None)
    layers = {layer.layer: layer.limit for layer in stack.layers} if stack is not None else {}
    primary, top_up = (Money(layers.get(layer, 0), currency) for layer in (Layer.PRIMARY, Layer.TOP_UP))
    granted = [each.decided_on for each in stack.decisions if each.layer is Layer.PRIMARY] if stack is not None else []
    unused = find_unused(
        [LimitUse(str(buyer_id), primary, Money(used, currency), min(granted))] if granted else [], on, fee=_fee(policy_id, buyer_id, on)
    )
    return AccountNeed(
        buyer,
        policy,
        sold,
        terms,
        need,
        primary,
        top_up,
        judge_fit(primary, need.amount),
        unused[0] if unused else None,
        calculate_waterfall(need.amount, primary=primary, top_up=top_up, own_limit=own_limit),
        Money(balances[-1][1] if balances else 0, currency),
        Money(max((balance for _day, balance in balances), default=0), currency),
        Money(used, currency),
    )


def _daily(policy_id: int, buyer_id: int, on: date) -> tuple[Sequence[tuple[date, int]], int]:
    """The balance on each day on which it changed in the months looked back, and the most that was used of the limits."""
    begin, position = add_months(on, -MONTHS), InvoicePosition
    changes: dict[date, tuple[int, int]] = {}
    statement = select(position.valid_from, position.valid_to, position.open_minor, position.primary_minor + position.top_up_minor).where(
        position.policy_id == policy_id,
        position.buyer_id == buyer_id,
        position.valid_to > begin,
        position.valid_from <= on,
        or_(position.open_minor > 0, position.primary_minor > 0),
    )
    for valid_from, valid_to, owed, covered in db.session.execute(statement):
        for day, sign in ((max(valid_from, begin), 1), (valid_to, -1)):
            before = changes.get(day, (0, 0))
            changes[day] = before[0] + sign * owed, before[1] + sign * covered
    balances, balance, used, most = [], 0, 0, 0
    for day in sorted(day for day in changes if day <= on):
        balance, used = balance + changes[day][0], used + changes[day][1]
        most = max(most, used)
        balances.append((day, balance))
    return balances, most


def _fee(policy_id: int, buyer_id: int, on: date) -> Money | None:
    """What the limit of an account costs a year: by the terms of the policy, else as it was entered."""
    policy = PolicyBook.load().policies[policy_id]
    kind = db.session.scalar(
        select(LimitDecision.kind)
        .where(LimitDecision.policy_id == policy_id, LimitDecision.buyer_id == buyer_id, LimitDecision.decided_on <= on)
        .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
        .limit(1)
    )
    fees = policy.terms_on(on).limit_fees if policy.history else {}
    if kind is not None and KIND_IN_TERMS[kind] in fees:
        return Money(fees[KIND_IN_TERMS[kind]], policy.currency)
    row = db.session.execute(
        select(LimitFee.fee_minor, LimitFee.currency)
        .join(LimitDecision, and_(LimitDecision.policy_id == LimitFee.policy_id, cast(LimitDecision.kind, String) == LimitFee.kind))
        .where(LimitFee.policy_id == policy_id, LimitDecision.buyer_id == buyer_id, LimitDecision.decided_on <= on)
        .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
        .limit(1)
    ).first()
    return None if row is None else Money(int(row.fee_minor), row.currency)


def fees_by_terms(on: date) -> list[tuple[InsurancePolicy, LimitKind, Money]]:
    """What limits cost a year by the terms of the policies, by policy and kind."""
    return [
        (policy, kind, Money(policy.terms_on(on).limit_fees[word], policy.currency))
        for policy in sorted(PolicyBook.load().policies.values(), key=lambda policy: policy.order)
        if policy.history
        for kind, word in KIND_IN_TERMS.items()
        if word in policy.terms_on(on).limit_fees
    ]


def list_fees() -> list[tuple[LimitFee, Policy]]:
    """What limits cost a year, by policy and kind."""
    statement = (
        select(LimitFee, Policy).join(Policy, Policy.id == LimitFee.policy_id).order_by(Policy.priority, Policy.number, LimitFee.kind)
    )
    return [(fee, policy) for fee, policy in db.session.execute(statement)]
