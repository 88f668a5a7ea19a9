"""The end of a period together with how it was found: unit, clause and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from insureflow.domain.periods import BusinessCalendar, EarlierOf, Period, PeriodRule, PeriodUnit, StartingDay
from insureflow.domain.trace import Step, Trace

#: The starting days that are known; one left out or None is unknown.
Starts = dict[StartingDay, date | None]


@dataclass(frozen=True, slots=True)
class End:
    """The last day of a period, or None while it cannot be determined.

    ``unit`` is that of the alternative that decided, ``basis`` the clause, ``trace`` the steps.
    """

    on: date | None
    unit: PeriodUnit
    basis: str
    trace: Trace


def find_end(
    name: str,
    rule: PeriodRule | None,
    starts: Mapping[StartingDay, date | None],
    calendar: BusinessCalendar,
    basis: str,
) -> End:
    """The end of a period rule with its steps; without a rule there is neither an end nor a step."""
    if rule is None:
        return End(None, PeriodUnit.DAYS, basis, Trace())
    if isinstance(rule, Period):
        day = starts.get(rule.start) if rule.start is not None else None
        on = None if day is None else rule.end_from(day, calendar)
        inputs = (("start", day), ("from", str(rule.start)), (str(rule.unit), rule.length))
        return End(on, rule.unit, basis, Trace((Step(name, f"start_plus_{rule.unit}", inputs, on, basis),)))
    is_earlier = isinstance(rule, EarlierOf)
    word = "earlier_of" if is_earlier else "later_of"
    ends = [
        find_end(f"{name}.{word}", alternative, starts, calendar, f"{basis}.{word}[{position}]")
        for position, alternative in enumerate(rule.alternatives)
    ]
    known = [(end.on, end.unit) for end in ends if end.on is not None]
    on, unit = None, PeriodUnit.DAYS
    if known and (is_earlier or len(known) == len(ends)):
        on, unit = (min if is_earlier else max)(known, key=lambda pair: pair[0])
    trace = Trace()
    for end in ends:
        trace += end.trace
    inputs_of_all = tuple((f"{word}[{position}]", end.on) for position, end in enumerate(ends))
    return End(
        on, unit, basis, trace + Trace((Step(name, "earliest_known_of" if is_earlier else "latest_of_all", inputs_of_all, on, basis),))
    )
