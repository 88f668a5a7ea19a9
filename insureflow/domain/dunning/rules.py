"""Rules of dunning: who is reminded when, of how much, and what is asked for beside the debt.

A rule belongs to the organisation, to a country, or to a buyer, from a day on; the narrowest holds. All days are counted from the
original due date, whatever was granted later.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from insureflow.domain.dunning.vocabulary import DunningLevel, LetterChannel
from insureflow.domain.errors import InvalidValue, InvalidValues
from insureflow.domain.money import round_half_up, to_minor
from insureflow.domain.trace import Step, Trace

#: Levels from the mildest to the firmest.
ORDER: tuple[DunningLevel, ...] = tuple(DunningLevel)
MOST_DAYS = 3650


def rank_of(level: DunningLevel | None) -> int:
    """How firm a level is: 0 for the note before the due date, −1 for none."""
    return -1 if level is None else ORDER.index(level)


@dataclass(frozen=True, slots=True)
class LevelRule:
    """A level and the day it is reached: so many days after the original due date, before it where negative."""

    level: DunningLevel
    days: int
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class InterestRule:
    """Interest on late payment from a level on: per hundred and year, from the day after the due date, on a year of so many days."""

    annual_rate: Decimal
    basis: str
    day_count: int
    from_level: DunningLevel


@dataclass(frozen=True, slots=True)
class CompensationRule:
    """A fixed amount for the costs of recovery, per invoice, from a level on; minor units by currency."""

    amounts: Mapping[str, int]
    from_level: DunningLevel


@dataclass(frozen=True, slots=True)
class DunningRules:
    """A whole rule. ``days_between`` is the least time between two letters to a buyer.

    With ``may_skip_levels`` a letter is as firm as the days say, whatever was sent before, and a firmer one need not wait.
    """

    levels: tuple[LevelRule, ...]
    minimums: Mapping[str, int] = field(default_factory=dict)
    grace_days: int = 0
    pay_within_days: int = 10
    days_between: int = 7
    channel: LetterChannel = LetterChannel.EMAIL
    holds_for_disputes: bool = True
    holds_for_promises: bool = True
    holds_for_plans: bool = True
    may_skip_levels: bool = False
    interest: InterestRule | None = None
    compensation: CompensationRule | None = None

    def find_level(self, level: DunningLevel) -> LevelRule | None:
        """What the rule says about a level, or None where it has no such level."""
        return next((each for each in self.levels if each.level is level), None)

    def last_due_on(self, level: LevelRule, on: date) -> date:
        """The last original due date of invoices that have reached a level on a day.

        *Formula:* day − days of the level − days of grace, the grace after the due date only.
        """
        return on - timedelta(days=level.days + (self.grace_days if level.days >= 0 else 0))


#: The rule of an organisation that has made none: friendly, without interest, every letter approved by a person.
DEFAULT_DATA: Mapping[str, Any] = {
    "levels": [
        {"level": "reminder_1", "days": 7},
        {"level": "reminder_2", "days": 21},
        {"level": "reminder_3", "days": 35},
        {"level": "final_demand", "days": 50},
    ],
    "minimum": {},
    "grace_days": 0,
    "pay_within_days": 10,
    "days_between": 7,
    "channel": "email",
    "holds": {"disputes": True, "promises": True, "plans": True},
    "may_skip_levels": False,
    "interest": None,
    "compensation": None,
}


def read_rules(data: Mapping[str, Any]) -> DunningRules:
    """A rule as it is stored or typed. Errors: ``InvalidValues`` with every problem at once."""
    reader = _Reader()
    levels = reader.levels(data.get("levels"))
    holds = reader.part(data, "holds")
    rules = DunningRules(
        levels=levels,
        minimums=reader.amounts(data.get("minimum") or {}, "minimum"),
        grace_days=reader.days(data.get("grace_days", 0), "grace_days", 0, 365),
        pay_within_days=reader.days(data.get("pay_within_days", 10), "pay_within_days", 1, 365),
        days_between=reader.days(data.get("days_between", 7), "days_between", 0, 365),
        channel=reader.channel(data.get("channel", LetterChannel.EMAIL.value)),
        holds_for_disputes=bool(holds.get("disputes", True)),
        holds_for_promises=bool(holds.get("promises", True)),
        holds_for_plans=bool(holds.get("plans", True)),
        may_skip_levels=reader.flag(data.get("may_skip_levels", False), "may_skip_levels"),
        interest=reader.interest(reader.part(data, "interest")),
        compensation=reader.compensation(reader.part(data, "compensation")),
    )
    if reader.problems:
        raise InvalidValues(tuple(reader.problems))
    return rules


class _Reader:
    """Reads the parts of a rule and keeps what is wrong."""

    def __init__(self) -> None:
        self.problems: list[InvalidValue] = []

    def part(self, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """A part of the rule that has parts of its own; empty where it is absent."""
        value = data.get(name) or {}
        if isinstance(value, Mapping):
            return value
        self.problems.append(InvalidValue("dunning_part_wrong", name, str(value)[:40]))
        return {}

    def days(self, value: Any, path: str, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.problems.append(InvalidValue("dunning_days_wrong", path, str(value)[:40], least=least, most=most))
            return least
        return value

    def flag(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            self.problems.append(InvalidValue("dunning_part_wrong", path, str(value)[:40]))
        return value is True

    def levels(self, given: Any) -> tuple[LevelRule, ...]:
        found: list[LevelRule] = []
        for listed in given if isinstance(given, list) else ():
            entry = listed if isinstance(listed, Mapping) else {"level": listed}
            level = self.level(entry.get("level"), "levels")
            if level is None:
                continue
            path = f"levels.{level}"
            is_before = level is DunningLevel.BEFORE_DUE
            days = self.days(entry.get("days"), path, -90 if is_before else 0, -1 if is_before else MOST_DAYS)
            found.append(LevelRule(level, days, bool(entry.get("automatic", False))))
        if not found:
            self.problems.append(InvalidValue("dunning_no_level", "levels", ""))
        found.sort(key=lambda each: rank_of(each.level))
        for before, after in itertools.pairwise(found):
            if after.days <= before.days or after.level is before.level:
                self.problems.append(
                    InvalidValue("dunning_levels_out_of_order", f"levels.{after.level}", str(after.days), before=before.days)
                )
        return tuple(found)

    def level(self, value: Any, path: str) -> DunningLevel | None:
        try:
            return DunningLevel(str(value))
        except ValueError:
            self.problems.append(InvalidValue("dunning_level_unknown", path, str(value)[:40]))
            return None

    def channel(self, value: Any) -> LetterChannel:
        try:
            return LetterChannel(str(value))
        except ValueError:
            self.problems.append(InvalidValue("dunning_channel_unknown", "channel", str(value)[:40]))
            return LetterChannel.EMAIL

    def amounts(self, given: Any, path: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for currency, amount in given.items() if isinstance(given, Mapping) else ():
            where = f"{path}.{currency}"
            try:
                minor = to_minor(str(amount), str(currency), path=where)
            except InvalidValue as problem:
                self.problems.append(problem)
                continue
            if minor < 0 or len(str(currency)) != 3 or not str(currency).isupper():
                self.problems.append(InvalidValue("dunning_amount_wrong", where, str(amount)[:40]))
                continue
            found[str(currency)] = minor
        return found

    def interest(self, given: Mapping[str, Any]) -> InterestRule | None:
        if not given:
            return None
        level = self.level(given.get("from_level", DunningLevel.REMINDER_1.value), "interest.from_level")
        day_count = given.get("day_count", 365)
        if day_count not in (360, 365):
            self.problems.append(InvalidValue("dunning_day_count_wrong", "interest.day_count", str(day_count)[:40]))
        try:
            rate = Decimal(str(given.get("annual_rate")))
        except InvalidOperation:
            rate = Decimal(-1)
        if not rate.is_finite() or not 0 < rate <= 100:
            self.problems.append(InvalidValue("dunning_rate_wrong", "interest.annual_rate", str(given.get("annual_rate"))[:40]))
        return None if level is None else InterestRule(rate, str(given.get("basis", ""))[:300], day_count, level)

    def compensation(self, given: Mapping[str, Any]) -> CompensationRule | None:
        if not given:
            return None
        level = self.level(given.get("from_level", DunningLevel.REMINDER_1.value), "compensation.from_level")
        amounts = self.amounts(given.get("amounts") or {}, "compensation.amounts")
        return None if level is None else CompensationRule(amounts, level)


def level_reached(rules: DunningRules, due_on: date, on: date) -> DunningLevel | None:
    """The firmest level that an invoice has reached on a day; None before the first.

    The note before the due date is for invoices that are not yet due: one that was missed is not made up for.
    """
    for level in reversed(rules.levels):
        if due_on <= rules.last_due_on(level, on) and (level.level is not DunningLevel.BEFORE_DUE or due_on >= on):
            return level.level
    return None


def next_level(rules: DunningRules, taken: DunningLevel | None) -> DunningLevel:
    """The firmest level that may follow a letter; the mildest after the due date where none was sent, the firmest where nothing follows."""
    after_due = (each.level for each in rules.levels if each.level is not DunningLevel.BEFORE_DUE)
    return next((level for level in after_due if rank_of(level) > rank_of(taken)), rules.levels[-1].level)


def level_due(rules: DunningRules, due_on: date, on: date, *, taken: DunningLevel | None) -> DunningLevel | None:
    """The level of an invoice on a day: the one it has reached, but one step at most above the firmest letter that was sent about it.

    ``taken`` is the firmest letter sent at least ``days_between`` before the day. *Source:* a final demand threatens; a debtor who
    was never reminded may say so, and the costs of what follows are then disputed.
    """
    reached = level_reached(rules, due_on, on)
    if reached is None or rules.may_skip_levels:
        return reached
    return min(reached, next_level(rules, taken), key=rank_of)


@dataclass(frozen=True, slots=True)
class ScopedRule:
    """A stored rule: for one buyer, one country, or (neither) the organisation, from a day on. ``key`` orders rules of the same day."""

    key: int
    effective_on: date
    country: str | None
    buyer_id: int | None
    rules: DunningRules


def rule_for(candidates: Sequence[ScopedRule], *, buyer_id: int, country: str, on: date) -> ScopedRule | None:
    """The rule that holds for a buyer on a day: its own, else its country's, else the organisation's; of several the latest."""
    in_force = [each for each in candidates if each.effective_on <= on]
    for fits in (
        [each for each in in_force if each.buyer_id == buyer_id],
        [each for each in in_force if each.buyer_id is None and each.country == country],
        [each for each in in_force if each.buyer_id is None and each.country is None],
    ):
        if fits:
            return max(fits, key=lambda each: (each.effective_on, each.key))
    return None


def calculate_interest(open_minor: int, due_on: date, on: date, rule: InterestRule) -> int:
    """Interest on an open amount from the day after its due date up to and with a day, in minor units.

    *Formula:* open × rate ÷ 100 × days ÷ days of the year, rounded half-up once. *Source:* simple interest, as statutes on late
    payment and contracts of sale have it.
    """
    days = max(0, (on - due_on).days)
    return round_half_up(Fraction(open_minor) * Fraction(rule.annual_rate) * days / (100 * rule.day_count))


def explain_level(rules: DunningRules, *, due_on: date, on: date, reminded: DunningLevel | None) -> Trace:
    """Why an invoice is at its level on a day: each level with the day it is reached, what was sent before, and what may follow it."""
    steps = [
        Step(
            name="dunning.level",
            formula="dunning.level.formula",
            inputs=(("dunning_level", each.level), ("due_on", due_on), ("days_after_due", each.days), ("grace_days", rules.grace_days)),
            result=due_on + (on - rules.last_due_on(each, on)),
            basis=f"dunning.{each.level}",
            on=on,
        )
        for each in rules.levels
    ]
    steps.append(
        Step(
            name="dunning.reached",
            formula="dunning.reached.formula",
            inputs=(("days_overdue", (on - due_on).days), ("dunning_reminded", reminded)),
            result=level_reached(rules, due_on, on),
            basis="dunning.reached",
            on=on,
        )
    )
    if not rules.may_skip_levels:
        steps.append(
            Step(
                name="dunning.step",
                formula="dunning.step.formula",
                inputs=(("dunning_reminded", reminded), ("days_between", rules.days_between)),
                result=level_due(rules, due_on, on, taken=reminded),
                basis="dunning.reached",
                on=on,
            )
        )
    return Trace(tuple(steps))
