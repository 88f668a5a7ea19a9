"""The limit of one layer over time: decisions, temporary limits, withdrawals, notice, and the limit intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from insureflow.domain.periods import add_days
from insureflow.domain.policies.terms import LimitCancellationNotice, LimitConditions
from insureflow.domain.policies.vocabulary import NoticeAppliesTo

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class LimitInterval:
    """An unbroken run of days with a limit above 0 in force; ``end`` is the first day without, None while it runs.

    ``start`` is the day from which shipments count, which a decision may put before its own date.
    """

    start: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class DecisionInEffect:
    """A decision above 0 that took effect, and the shipment date from which its conditions apply."""

    applies_from: date
    conditions: LimitConditions | None


@dataclass(frozen=True, slots=True)
class OrdinaryChange:
    """A decision (``amount`` in limit currency) or, with ``amount`` None, a withdrawal, and the day of its effect."""

    effective_on: date
    amount: int | None
    valid_to: date | None = None
    applies_from: date | None = None
    conditions: LimitConditions | None = None


@dataclass(frozen=True, slots=True)
class TemporaryAmount:
    """A temporary limit and its first and last day."""

    amount: int
    first_day: date
    last_day: date


class LimitBook:
    """What the insurer has said about one layer, worked through day by day.

    Amounts are in limit currency. ``in_force`` is the limit that counts today, ``used`` the capacity in use: what the layer
    covers and what it keeps reserved for disputes.
    """

    __slots__ = (
        "_announced",
        "_backdated_to",
        "_ordinary",
        "_ordinary_valid_to",
        "_temporary",
        "decisions",
        "in_force",
        "intervals",
        "is_reduced",
        "is_running",
        "last_in_force",
        "used",
    )

    def __init__(self) -> None:
        self._ordinary = 0
        self._ordinary_valid_to: date | None = None
        self._announced: OrdinaryChange | None = None
        self._temporary: list[TemporaryAmount] = []
        self._backdated_to: date | None = None
        self.intervals: list[LimitInterval] = []
        self.is_running = False
        self.decisions: list[DecisionInEffect] = []
        self.in_force = 0
        self.last_in_force = 0
        self.is_reduced = False
        self.used = 0

    @property
    def headroom(self) -> int:
        """What new receivables could still use."""
        return max(0, self.in_force - self.used)

    def begin_day(self, day: date) -> None:
        """What time alone brings: limits lapse after their last day, an announced change takes effect on its day."""
        if self._ordinary_valid_to is not None and self._ordinary_valid_to < day:
            self._set_ordinary(0, None)
        if self._temporary:
            self._temporary = [limit for limit in self._temporary if limit.last_day >= day]
        if self._announced is not None and self._announced.effective_on <= day:
            change, self._announced = self._announced, None
            self._take_effect(change, day)

    def decide(
        self,
        decided_on: date,
        amount: int,
        notice: LimitCancellationNotice,
        effective_from: date | None,
        valid_to: date | None,
        conditions: LimitConditions | None,
    ) -> tuple[date, ...]:
        """A new ordinary limit; gives the later days on which it changes something by itself.

        A decision below the ordinary limit in force is a reduction and may need notice. It replaces announced changes.
        """
        effective_on = max(decided_on, effective_from) if effective_from is not None else decided_on
        if amount < self._ordinary and notice.applies_to is NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION:
            effective_on = max(effective_on, add_days(decided_on, notice.days))
        applies_from = effective_on
        if effective_on == decided_on and effective_from is not None:
            applies_from = effective_from
        change = OrdinaryChange(effective_on, amount, valid_to, applies_from, conditions)
        days = self._announce(change, decided_on)
        return days if valid_to is None or valid_to == date.max else (*days, valid_to + ONE_DAY)

    def withdraw(self, received_on: date, notice: LimitCancellationNotice, effective_from: date | None) -> tuple[date, ...]:
        """The end of the limit, not before the notice has run; gives the later day of its effect, if any."""
        effective_on = add_days(received_on, notice.days)
        if effective_from is not None and effective_from > effective_on:
            effective_on = effective_from
        return self._announce(OrdinaryChange(effective_on, None), received_on)

    def grant_temporary(self, decided_on: date, amount: int, effective_from: date | None, valid_to: date) -> tuple[date, ...]:
        """A temporary limit; gives the later days on which it changes something by itself."""
        first_day = max(decided_on, effective_from) if effective_from is not None else decided_on
        if valid_to < first_day:
            return ()
        self._temporary.append(TemporaryAmount(amount, first_day, valid_to))
        if effective_from is not None and amount > 0:
            self._backdate(effective_from)
        starts = (first_day,) if first_day > decided_on else ()
        return starts if valid_to == date.max else (*starts, valid_to + ONE_DAY)

    def finish_day(self, day: date, *, is_supported: bool = True) -> date | None:
        """The limit in force after all limit events of a day.

        ``is_supported`` is False for a layer that follows another one without a limit: it then counts for nothing, but its
        own interval runs on. Gives the shipment date from which receivables may have come into the running interval, None if
        no interval has begun or was extended backwards.
        """
        own = self._ordinary
        for limit in self._temporary:
            if limit.first_day <= day and limit.amount > own:
                own = limit.amount
        reached_from = self._update_intervals(day, own)
        self._backdated_to = None
        in_force = own if is_supported else 0
        if in_force > self.in_force:
            self.is_reduced = False
        elif 0 < in_force < self.in_force:
            self.is_reduced = True
        self.in_force = in_force
        if in_force > 0:
            self.last_in_force = in_force
        return reached_from

    def conditions_for(self, shipment_on: date) -> LimitConditions | None:
        """The conditions of the decision that was the last to take effect among those that apply to a shipment."""
        for decision in reversed(self.decisions):
            if decision.applies_from <= shipment_on:
                return decision.conditions
        return None

    @property
    def has_ended(self) -> bool:
        """True if some interval is over."""
        return bool(self.intervals) and self.intervals[0].end is not None

    def has_begun_after(self, day: date) -> bool:
        """True if an interval that has begun by now begins after a day."""
        return any(interval.start > day for interval in self.intervals)

    def _announce(self, change: OrdinaryChange, today: date) -> tuple[date, ...]:
        if change.effective_on > today:
            self._announced = change
            return (change.effective_on,)
        self._announced = None
        self._take_effect(change, today)
        if change.amount and change.applies_from is not None:
            self._backdate(change.applies_from)
        return ()

    def _take_effect(self, change: OrdinaryChange, day: date) -> None:
        if change.amount is None:
            self._set_ordinary(0, None)
            self._temporary = []
            return
        is_over = change.valid_to is not None and change.valid_to < day
        self._set_ordinary(0 if is_over else change.amount, None if is_over else change.valid_to)
        if change.amount > 0 and change.applies_from is not None:
            self.decisions.append(DecisionInEffect(change.applies_from, change.conditions))

    def _set_ordinary(self, amount: int, valid_to: date | None) -> None:
        self._ordinary = amount
        self._ordinary_valid_to = valid_to

    def _backdate(self, day: date) -> None:
        if self._backdated_to is None or day < self._backdated_to:
            self._backdated_to = day

    def _update_intervals(self, day: date, own: int) -> date | None:
        if own == 0:
            if self.is_running:
                self.intervals[-1].end = day
                self.is_running = False
            return None
        start = day if self._backdated_to is None else min(day, self._backdated_to)
        if not self.is_running:
            self.intervals.append(LimitInterval(start))
            self.is_running = True
            return start
        running = self.intervals[-1]
        if start < running.start:
            running.start = start
            return start
        return None
