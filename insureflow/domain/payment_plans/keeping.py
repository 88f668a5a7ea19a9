"""Whether a payment plan is kept: worked out from the money received, for any day, without anything stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from insureflow.domain.money import Money
from insureflow.domain.payment_plans.designing import PlannedInstalment
from insureflow.domain.periods import add_days
from insureflow.domain.trace import Step, Trace


class InstalmentState(StrEnum):
    """How an instalment stands on a day. ``in_grace``: its day is over, but it can still be paid without breaking the plan."""

    OPEN = "open"
    PAID = "paid"
    PAID_LATE = "paid_late"
    IN_GRACE = "in_grace"
    MISSED = "missed"


class PlanOutcome(StrEnum):
    """How a plan was kept until a day."""

    RUNNING = "running"
    KEPT = "kept"
    KEPT_LATE = "kept_late"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Received:
    """Money that settled something of the invoices of a plan on a day."""

    on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class InstalmentStanding:
    """An instalment on a day. ``paid_on``: the day on which the last of it came."""

    number: int
    due_on: date
    last_on: date
    amount_minor: int
    paid_minor: int
    paid_on: date | None
    state: InstalmentState

    @property
    def open_minor(self) -> int:
        """What is missing of it."""
        return self.amount_minor - self.paid_minor


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """A plan on a day. ``broken_on``: the first day on which an instalment was missing beyond its grace, whatever came later."""

    instalments: tuple[InstalmentStanding, ...]
    outcome: PlanOutcome
    broken_on: date | None
    paid_minor: int
    open_minor: int
    trace: Trace

    @property
    def next(self) -> InstalmentStanding | None:
        """The first instalment that is not paid in full."""
        return next((each for each in self.instalments if each.open_minor), None)

    @property
    def missed(self) -> InstalmentStanding | None:
        """The first instalment that was missing beyond its grace, paid later or not."""
        return next((each for each in self.instalments if is_missed(each)), None)


def find_break(standing: PlanStanding, consented_on: date | None = None) -> date | None:
    """Since when a broken plan keeps goods back; None where it does not, or not any more.

    *Formula:* the first day on which an instalment that is still open was missing beyond its grace, of those that were missing after the
    insurer's last consent to further supplies. Paying what is missing, or that consent, ends it; a new agreement takes the plan's place.
    """
    missing = [add_days(each.last_on, 1) for each in standing.instalments if each.state is InstalmentState.MISSED]
    return min((day for day in missing if consented_on is None or day > consented_on), default=None)


def is_missed(each: InstalmentStanding) -> bool:
    """Whether an instalment was not paid in full by the last day of its grace."""
    return each.state is InstalmentState.MISSED or (each.paid_on is not None and each.paid_on > each.last_on)


def judge_keeping(
    instalments: Sequence[PlannedInstalment], received: Iterable[Received], grace_days: int, on: date, currency: str
) -> PlanStanding:
    """How a plan stands on a day.

    *Formula:* money goes to the oldest instalment first; an instalment is missed on the day after its due date + grace days. More
    than the plan asks for counts for nothing here.
    """
    money = sorted((each for each in received if each.on <= on), key=lambda each: each.on)
    standings: list[InstalmentStanding] = []
    steps: list[Step] = []
    place, used = 0, 0
    for number, planned in enumerate(sorted(instalments, key=lambda each: each.due_on), start=1):
        paid, paid_on = 0, None
        while paid < planned.amount_minor and place < len(money):
            taken = min(planned.amount_minor - paid, money[place].amount_minor - used)
            paid, used = paid + taken, used + taken
            if paid == planned.amount_minor:
                paid_on = money[place].on
            if used == money[place].amount_minor:
                place, used = place + 1, 0
        last_on = add_days(planned.due_on, grace_days)
        state = _state(planned.due_on, last_on, paid_on, on)
        standings.append(InstalmentStanding(number, planned.due_on, last_on, planned.amount_minor, paid, paid_on, state))
        inputs = (
            ("instalment", number),
            ("amount", Money(planned.amount_minor, currency)),
            ("paid", Money(paid, currency)),
            ("deadline", last_on),
            ("day", paid_on or on),
        )
        steps.append(Step("plan_instalment", "oldest_instalment_first", inputs, state.value, "plan.grace_days", planned.due_on))
    paid_in_all = sum(each.paid_minor for each in standings)
    broken_on = next((add_days(each.last_on, 1) for each in standings if is_missed(each)), None)
    open_minor = sum(each.open_minor for each in standings)
    return PlanStanding(
        tuple(standings), _outcome(standings, broken_on, open_minor), broken_on, paid_in_all, open_minor, Trace(tuple(steps))
    )


def _state(due_on: date, last_on: date, paid_on: date | None, on: date) -> InstalmentState:
    if paid_on is not None:
        return InstalmentState.PAID if paid_on <= due_on else InstalmentState.PAID_LATE
    if on <= due_on:
        return InstalmentState.OPEN
    return InstalmentState.IN_GRACE if on <= last_on else InstalmentState.MISSED


def _outcome(standings: Sequence[InstalmentStanding], broken_on: date | None, open_minor: int) -> PlanOutcome:
    if not open_minor:
        has_late = any(each.state is InstalmentState.PAID_LATE for each in standings)
        return PlanOutcome.KEPT_LATE if has_late else PlanOutcome.KEPT
    return PlanOutcome.RUNNING if broken_on is None else PlanOutcome.BROKEN


def money_beyond(settled: Iterable[tuple[date, int]], before_minor: int) -> list[Received]:
    """What was settled beyond what was settled when a plan was drawn up, by day.

    *Formula:* of the settlements in order of their days, the part above what stood before.
    """
    found: list[Received] = []
    reached = 0
    for on, amount_minor in sorted(settled):
        above = max(0, reached + amount_minor - before_minor) - max(0, reached - before_minor)
        reached += amount_minor
        if above > 0:
            found.append(Received(on, above))
    return found
