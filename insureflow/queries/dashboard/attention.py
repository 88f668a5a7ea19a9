"""What calls for attention on a day: buyers over their limit, limits cut of late, accounts with cover stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import func, or_, select

from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.money import convert_minor
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.queries.exposure import Portfolio, Reporting, account_sums

#: How long a cut of a limit is news.
NEWS = timedelta(days=30)

_APART = (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT)


@dataclass(frozen=True, slots=True)
class AccountOverLimit:
    """A buyer under a policy with receivables beyond the limit, in the limit currency; ``reporting_minor`` for comparison."""

    buyer_id: int
    buyer: str
    country: str
    policy_id: int
    policy: str
    currency: str
    limit_minor: int
    open_minor: int
    over_limit_minor: int
    reporting_minor: int
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class LimitCut:
    """A decision that left less than there was before, in its own currency."""

    decision_id: int
    buyer_id: int
    buyer: str
    country: str
    policy_id: int
    policy: str
    decided_on: date
    effective_on: date
    status: LimitStatus
    layer: str
    before_minor: int
    before_currency: str
    after_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoppedAccount:
    """A buyer under a policy for whom new shipments are not covered, with what is open in the limit currency."""

    buyer_id: int
    buyer: str
    country: str
    policy_id: int
    policy: str
    since: date
    currency: str
    open_minor: int
    covered_minor: int


Account = TypeVar("Account")


@dataclass(frozen=True, slots=True)
class Worst(Generic[Account]):
    """The accounts that matter most, and how many buyers there are of the kind."""

    accounts: Sequence[Account]
    buyers: int


def over_limit(portfolio: Portfolio, reporting: Reporting, shown: int) -> Worst[AccountOverLimit]:
    """The accounts with receivables beyond their limit, the largest excess first."""
    over = account_sums(portfolio)
    standing = [AccountState.valid_from <= portfolio.on, AccountState.valid_to > portfolio.on, over.c.over_limit > 0]
    is_its = (over.c.buyer_id == AccountState.buyer_id) & (over.c.policy_id == AccountState.policy_id)
    currencies = set(db.session.scalars(select(Policy.limit_currency).distinct()))
    there = func.coalesce(reporting.expression(over.c.over_limit, AccountState.limit_currency, currencies), 0)
    statement = (
        select(
            Buyer.id,
            Buyer.legal_name,
            Buyer.country,
            Policy.id.label("policy_id"),
            Policy.name.label("policy"),
            AccountState.limit_currency,
            (AccountState.limit_primary_minor + AccountState.limit_top_up_minor).label("limit"),
            AccountState.stopped,
            over.c.open,
            over.c.over_limit,
        )
        .select_from(AccountState)
        .join(over, is_its)
        .join(Buyer, Buyer.id == AccountState.buyer_id)
        .join(Policy, Policy.id == AccountState.policy_id)
        .where(*standing)
        .order_by(there.desc(), Buyer.legal_name, Buyer.id)
        .limit(shown)
    )
    rows = db.session.execute(statement).all()
    count = int(
        db.session.scalar(
            select(func.count(AccountState.buyer_id.distinct())).select_from(AccountState).join(over, is_its).where(*standing)
        )
        or 0
    )
    accounts = [
        AccountOverLimit(
            buyer_id=row.id,
            buyer=row.legal_name,
            country=row.country,
            policy_id=row.policy_id,
            policy=row.policy,
            currency=row.limit_currency,
            limit_minor=int(row.limit),
            open_minor=int(row.open),
            over_limit_minor=int(row.over_limit),
            reporting_minor=reporting.converted(int(row.over_limit), row.limit_currency) or 0,
            is_stopped=bool(row.stopped),
        )
        for row in rows
    ]
    return Worst(accounts, count)


def _is_less(decision: LimitDecision, last: LimitDecision, limit_currency: str) -> bool:
    """True if a decision leaves less than the one before it."""
    had, left = (
        convert_minor(each.decided_minor, each.currency, limit_currency, each.rate) if each.decided_minor else 0
        for each in (last, decision)
    )
    return left < had


def limits_cut(portfolio: Portfolio) -> list[LimitCut]:
    """The decisions of the last 30 days that reduced, withdrew or refused a limit that was there before, the latest first.

    Temporary limits and those for goods not yet shipped stand apart. Decisions are compared in limit currency at their frozen rates.
    """
    on = portfolio.on
    statement = (
        select(LimitDecision, Buyer.legal_name, Buyer.country, Policy.name, Policy.limit_currency)
        .join(Buyer, Buyer.id == LimitDecision.buyer_id)
        .join(Policy, Policy.id == LimitDecision.policy_id)
        .where(
            LimitDecision.decided_on <= on,
            LimitDecision.status != LimitStatus.REQUESTED,
            or_(LimitDecision.kind.not_in(_APART), LimitDecision.status == LimitStatus.WITHDRAWN),
        )
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    recent = select(LimitDecision.buyer_id).where(LimitDecision.decided_on <= on, LimitDecision.decided_on > on - NEWS)
    statement = statement.where(LimitDecision.buyer_id.in_(recent))
    if portfolio.policy_id is not None:
        statement = statement.where(LimitDecision.policy_id == portfolio.policy_id)
    before: dict[tuple[Any, ...], LimitDecision] = {}
    cuts: list[LimitCut] = []
    for decision, buyer, country, policy, limit_currency in db.session.execute(statement):
        place = (decision.policy_id, decision.buyer_id, decision.layer)
        last = before.get(place)
        before[place] = decision
        if last is None or decision.decided_on <= on - NEWS or not _is_less(decision, last, limit_currency):
            continue
        cuts.append(
            LimitCut(
                decision_id=decision.id,
                buyer_id=decision.buyer_id,
                buyer=buyer,
                country=country,
                policy_id=decision.policy_id,
                policy=policy,
                decided_on=decision.decided_on,
                effective_on=decision.effective_on,
                status=decision.status,
                layer=decision.layer.value,
                before_minor=last.decided_minor or 0,
                before_currency=last.currency,
                after_minor=decision.decided_minor or 0,
                currency=decision.currency,
                reason=decision.reason,
            )
        )
    return cuts[::-1]


def stopped_accounts(portfolio: Portfolio, shown: int) -> Worst[StoppedAccount]:
    """The accounts with cover stopped on the day, the largest amount open first, with the day the stop began."""
    standing = [AccountState.valid_from <= portfolio.on, AccountState.valid_to > portfolio.on, AccountState.stopped.is_(True)]
    if portfolio.policy_id is not None:
        standing.append(AccountState.policy_id == portfolio.policy_id)
    count = int(db.session.scalar(select(func.count(AccountState.buyer_id.distinct())).where(*standing)) or 0)
    if not count:
        return Worst([], 0)
    sums = account_sums(portfolio)
    open_minor = func.coalesce(sums.c.open, 0).label("open")
    statement = (
        select(
            Buyer.id,
            Buyer.legal_name,
            Buyer.country,
            Policy.id.label("policy_id"),
            Policy.name.label("policy"),
            AccountState.limit_currency,
            AccountState.valid_from,
            open_minor,
            func.coalesce(sums.c.covered, 0).label("covered"),
        )
        .select_from(AccountState)
        .outerjoin(sums, (sums.c.buyer_id == AccountState.buyer_id) & (sums.c.policy_id == AccountState.policy_id))
        .join(Buyer, Buyer.id == AccountState.buyer_id)
        .join(Policy, Policy.id == AccountState.policy_id)
        .where(*standing)
        .order_by(open_minor.desc(), Buyer.legal_name, Buyer.id)
        .limit(shown)
    )
    rows = db.session.execute(statement).all()
    since = _stopped_since([(row.id, row.policy_id) for row in rows], portfolio.on)
    accounts = [
        StoppedAccount(
            buyer_id=row.id,
            buyer=row.legal_name,
            country=row.country,
            policy_id=row.policy_id,
            policy=row.policy,
            since=since.get((row.id, row.policy_id), row.valid_from),
            currency=row.limit_currency,
            open_minor=int(row.open),
            covered_minor=int(row.covered),
        )
        for row in rows
    ]
    return Worst(accounts, count)


def _stopped_since(accounts: Sequence[tuple[int, int]], on: date) -> dict[tuple[int, int], date]:
    """The day on which each stop began: the states before it that join on without a gap are part of it."""
    if not accounts:
        return {}
    statement = (
        select(AccountState.buyer_id, AccountState.policy_id, AccountState.valid_from, AccountState.valid_to)
        .where(
            AccountState.buyer_id.in_({buyer_id for buyer_id, _policy_id in accounts}),
            AccountState.stopped.is_(True),
            AccountState.valid_from <= on,
        )
        .order_by(AccountState.valid_from.desc())
    )
    since: dict[tuple[int, int], date] = {}
    for row in db.session.execute(statement):
        account = (row.buyer_id, row.policy_id)
        if (account not in since and row.valid_to > on) or since.get(account) == row.valid_to:
            since[account] = row.valid_from
    return since
