"""When the insurer cuts a limit: what stays covered, until when goods run off under it, what to report and what to do.

Amounts are minor units of the limit currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from insureflow.domain.cover.events import Reasons
from insureflow.domain.cover.history import History
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.periods import add_days
from insureflow.domain.policies.terms import LimitCancellationNotice
from insureflow.domain.policies.vocabulary import NoticeAppliesTo
from insureflow.domain.trace import Step, Trace


class CutKind(StrEnum):
    """How a limit was cut; ``cancellation`` is by the policyholder."""

    REDUCTION = "reduction"
    WITHDRAWAL = "withdrawal"
    CANCELLATION = "cancellation"


class CutAction(StrEnum):
    """What can be done about a cut, the most urgent first."""

    REPORT_BINDING_ORDERS = "report_binding_orders"
    PREPAYMENT = "prepayment"
    DEPOSIT = "deposit"
    PAYMENT_PLAN = "payment_plan"
    TOP_UP = "top_up"
    LETTER_TO_BUYER = "letter_to_buyer"


class CutReason(StrEnum):
    """Why an action is proposed."""

    ORDERS_CANNOT_BE_RELEASED = "orders_cannot_be_released"
    DELIVERIES_NOT_COVERED = "deliveries_not_covered"
    OPEN_ITEMS_NOT_COVERED = "open_items_not_covered"
    OVERDUE_ITEMS_NOT_COVERED = "overdue_items_not_covered"
    CAPACITY_MISSING = "capacity_missing"
    LIMIT_LOWER = "limit_lower"


@dataclass(frozen=True, slots=True)
class Cut:
    """A reduction, withdrawal or cancellation: ``told_on`` is the day of the notice, ``effective_from`` what it names, if anything."""

    kind: CutKind
    told_on: date
    effective_from: date | None = None


@dataclass(frozen=True, slots=True)
class BindingOrder:
    """An order the policyholder cannot be released from, and the day on which it will be delivered."""

    id: str
    amount: int
    deliver_on: date


@dataclass(frozen=True, slots=True)
class ItemAfterCut:
    """An open item and what of it stays covered."""

    id: str
    due_on: date | None
    open: int
    covered: int
    uncovered: int
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class OrderAfterCut:
    """A binding order: ``in_run_off`` if it is delivered while the limit still runs, and what there is room for."""

    order: BindingOrder
    in_run_off: bool
    covered: int
    uncovered: int


@dataclass(frozen=True, slots=True)
class ProposedAction:
    """Something to do, why, by when where there is a day for it, and about how much."""

    action: CutAction
    reason: CutReason
    amount: Money
    by: date | None = None


@dataclass(frozen=True, slots=True)
class CutKit:
    """Everything a cut asks for.

    ``run_off_until`` is the last day on which goods shipped still fall under the old limit, None where there is no such day.
    ``missing`` is by how much what is owed and ordered exceeds the new limit.
    """

    cut: Cut
    limit_before: Money
    limit_after: Money
    effective_on: date
    run_off_until: date | None
    items: tuple[ItemAfterCut, ...]
    covered: Money
    uncovered: Money
    orders: tuple[OrderAfterCut, ...]
    report_orders_by: date | None
    missing: Money
    actions: tuple[ProposedAction, ...]
    trace: Trace = field(default_factory=Trace, compare=False)


def effective_day_of(cut: Cut, notice: LimitCancellationNotice) -> date:
    """The day on which a cut takes effect: what it names, but not before the insurer's notice has run.

    *Source:* limit cancellation notice of the policy, which may hold for withdrawals alone. An own cancellation needs none.
    """
    needs_notice = cut.kind is CutKind.WITHDRAWAL or (
        cut.kind is CutKind.REDUCTION and notice.applies_to is NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION
    )
    earliest = add_days(cut.told_on, notice.days) if needs_notice else cut.told_on
    return max(earliest, cut.effective_from or earliest)


def prepare_cut_kit(
    history: History,
    cut: Cut,
    notice: LimitCancellationNotice,
    *,
    due_on: Iterable[tuple[str, date]] = (),
    orders: Iterable[BindingOrder] = (),
    report_orders_days: int | None = None,
    limit_before: int | None = None,
) -> CutKit:
    """What a cut means and asks for, from the account's cover with the cut in it, and without what was decided after it.

    ``limit_before`` is what would count from the effective day on but for the cut; None for what counted on the day before the notice. ``due_on`` names the due dates of open items, so that overdue ones can be told apart; ``report_orders_days`` is the time the
    policy gives for reporting binding orders, None where it gives none. *Source:* nothing covered is taken away; goods shipped
    before the effective day still run off under the old limit. Errors: ``cut_not_known`` where there was no limit to cut.
    """
    currency = history.limit_currency
    effective_on = effective_day_of(cut, notice)
    if limit_before is None:
        before = history.on(cut.told_on - timedelta(days=1)).account
        limit_before = before.limit_primary + before.limit_top_up
    if not limit_before:
        raise Refusal("cut_not_known", told_on=cut.told_on)
    told, after = history.on(cut.told_on), history.on(effective_on).account
    limit_after = after.limit_primary + after.limit_top_up
    run_off_until = effective_on - timedelta(days=1) if effective_on > cut.told_on else None
    due = dict(due_on)
    items = tuple(
        ItemAfterCut(name, due.get(name), segment.open, segment.covered, segment.uncovered, segment.reasons)
        for name, segment in sorted(told.invoices.items())
        if segment.open
    )
    judged = _judge_orders(orders, effective_on, told.account.headroom_primary + told.account.headroom_top_up, limit_after, items)
    owed, ordered = sum(item.open for item in items), sum(each.order.amount for each in judged)
    missing = max(0, owed + ordered - limit_after)
    report_by = add_days(cut.told_on, report_orders_days) if judged and report_orders_days is not None else None
    actions = _propose(currency, cut, items, judged, missing, report_by, effective_on, limit_before - limit_after)
    covered, uncovered = Money(told.account.covered, currency), Money(told.account.uncovered, currency)
    trace = _trace(cut, effective_on, run_off_until, Money(limit_before, currency), Money(limit_after, currency), covered, uncovered)
    return CutKit(
        cut=cut,
        limit_before=Money(limit_before, currency),
        limit_after=Money(limit_after, currency),
        effective_on=effective_on,
        run_off_until=run_off_until,
        items=items,
        covered=covered,
        uncovered=uncovered,
        orders=judged,
        report_orders_by=report_by,
        missing=Money(missing, currency),
        actions=actions,
        trace=trace,
    )


def _judge_orders(
    orders: Iterable[BindingOrder], effective_on: date, headroom: int, limit_after: int, items: tuple[ItemAfterCut, ...]
) -> tuple[OrderAfterCut, ...]:
    """Orders in the order of delivery: up to the effective day there is the old headroom, then what the new limit leaves.

    Money still to come in is not counted on.
    """
    in_use = sum(item.covered for item in items)
    judged = []
    for order in sorted(orders, key=lambda each: (each.deliver_on, each.id)):
        in_run_off = order.deliver_on < effective_on
        free = headroom if in_run_off else max(0, limit_after - in_use)
        covered = min(order.amount, free)
        headroom -= covered
        in_use += covered
        judged.append(OrderAfterCut(order, in_run_off, covered, order.amount - covered))
    return tuple(judged)


def _propose(
    currency: str,
    cut: Cut,
    items: tuple[ItemAfterCut, ...],
    orders: tuple[OrderAfterCut, ...],
    missing: int,
    report_by: date | None,
    effective_on: date,
    lower_by: int,
) -> tuple[ProposedAction, ...]:
    """The actions whose amount is above 0, in the order of their urgency."""
    overdue = sum(item.uncovered for item in items if item.due_on is not None and item.due_on < cut.told_on)
    uncovered = sum(item.uncovered for item in items)
    wanted = (
        (
            CutAction.REPORT_BINDING_ORDERS,
            CutReason.ORDERS_CANNOT_BE_RELEASED,
            sum(each.order.amount for each in orders) if report_by is not None else 0,
            report_by,
        ),
        (CutAction.PREPAYMENT, CutReason.DELIVERIES_NOT_COVERED, sum(each.uncovered for each in orders), _first_uncovered(orders)),
        (CutAction.DEPOSIT, CutReason.OPEN_ITEMS_NOT_COVERED, uncovered - overdue, None),
        (CutAction.PAYMENT_PLAN, CutReason.OVERDUE_ITEMS_NOT_COVERED, overdue, None),
        (CutAction.TOP_UP, CutReason.CAPACITY_MISSING, missing, None),
        (CutAction.LETTER_TO_BUYER, CutReason.LIMIT_LOWER, lower_by, effective_on),
    )
    return tuple(ProposedAction(action, reason, Money(amount, currency), by) for action, reason, amount, by in wanted if amount > 0)


def _first_uncovered(orders: tuple[OrderAfterCut, ...]) -> date | None:
    return next((each.order.deliver_on for each in orders if each.uncovered), None)


def _trace(
    cut: Cut, effective_on: date, run_off_until: date | None, limit_before: Money, limit_after: Money, covered: Money, uncovered: Money
) -> Trace:
    return Trace(
        (
            Step(
                name="cut_effect",
                formula="cut.effect",
                inputs=(("cut_kind", cut.kind), ("told_on", cut.told_on), ("cut_effective_from", cut.effective_from)),
                result=effective_on,
                basis="limit_notice_of_policy",
                on=cut.told_on,
            ),
            Step(
                name="cut_run_off",
                formula="cut.run_off",
                inputs=(("limit_before", limit_before), ("limit_after", limit_after)),
                result=run_off_until,
                basis="limit_notice_of_policy",
                on=cut.told_on,
            ),
            Step(
                name="cut_open_items",
                formula="cut.nothing_taken_away",
                inputs=(("cut_covered", covered), ("cut_uncovered", uncovered)),
                result=covered,
                basis="cover.reason",
                on=cut.told_on,
            ),
        )
    )
