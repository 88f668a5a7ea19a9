"""Who is reminded when: levels, scopes, interest, promises, and rules that make no sense."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.dunning import (
    DEFAULT_DATA,
    DunningLevel,
    InterestRule,
    LetterAction,
    LetterChannel,
    LetterState,
    PromiseState,
    ScopedRule,
    calculate_interest,
    explain_level,
    level_due,
    level_reached,
    next_letter_state,
    promise_state,
    rank_of,
    read_rules,
    rule_for,
)
from insureflow.domain.errors import InvalidValues, Refusal

DUE = date(2026, 6, 1)
FULL: dict[str, Any] = {
    "levels": [
        {"level": "final_demand", "days": 45, "automatic": True},
        {"level": "before_due", "days": -3},
        {"level": "reminder_1", "days": 7},
        {"level": "reminder_2", "days": 21},
    ],
    "minimum": {"EUR": "50", "JPY": "5000"},
    "grace_days": 2,
    "channel": "post",
    "holds": {"disputes": False},
    "interest": {"annual_rate": "8.15", "basis": "§ 288 BGB", "from_level": "reminder_2"},
    "compensation": {"amounts": {"EUR": "40.00"}, "from_level": "final_demand"},
}


def test_a_rule_is_read_whole() -> None:
    rules = read_rules(FULL)
    assert [each.level.value for each in rules.levels] == ["before_due", "reminder_1", "reminder_2", "final_demand"]
    assert dict(rules.minimums) == {"EUR": 5000, "JPY": 5000}
    assert (rules.channel, rules.holds_for_disputes, rules.holds_for_plans) == (LetterChannel.POST, False, True)
    assert rules.interest == InterestRule(Decimal("8.15"), "§ 288 BGB", 365, DunningLevel.REMINDER_2)
    assert rules.compensation is not None
    assert dict(rules.compensation.amounts) == {"EUR": 4000}
    final = rules.find_level(DunningLevel.FINAL_DEMAND)
    assert final is not None
    assert final.is_automatic
    assert rules.find_level(DunningLevel.REMINDER_3) is None
    assert read_rules(DEFAULT_DATA).interest is None


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"levels": []}, {"dunning_no_level"}),
        ({"levels": "x"}, {"dunning_no_level"}),
        ({"levels": ["x"]}, {"dunning_level_unknown", "dunning_no_level"}),
        ({"levels": ["reminder_1"]}, {"dunning_days_wrong"}),
        ({"holds": "yes"}, {"dunning_part_wrong"}),
        ({"interest": "8 %", "compensation": [40]}, {"dunning_part_wrong"}),
        ({"levels": [{"level": "before_due", "days": 3}]}, {"dunning_days_wrong"}),
        ({"levels": [{"level": "reminder_1", "days": True}]}, {"dunning_days_wrong"}),
        ({"levels": [{"level": "reminder_1", "days": 9}, {"level": "reminder_2", "days": 9}]}, {"dunning_levels_out_of_order"}),
        ({"levels": [{"level": "reminder_1", "days": 8}, {"level": "reminder_1", "days": 9}]}, {"dunning_levels_out_of_order"}),
        ({"minimum": {"EUR": "-1"}}, {"dunning_amount_wrong"}),
        ({"minimum": {"eur": "1"}}, {"dunning_amount_wrong"}),
        ({"minimum": {"EUR": "x"}}, {"not_an_amount"}),
        ({"may_skip_levels": "yes"}, {"dunning_part_wrong"}),
        ({"channel": "pigeon"}, {"dunning_channel_unknown"}),
        ({"grace_days": -1}, {"dunning_days_wrong"}),
        ({"interest": {"annual_rate": "x"}}, {"dunning_rate_wrong"}),
        ({"interest": {"annual_rate": "0", "day_count": 1, "from_level": "x"}}, {"dunning_rate_wrong", "dunning_day_count_wrong", "dunning_level_unknown"}),
        ({"compensation": {"from_level": "x"}}, {"dunning_level_unknown"}),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(changed: dict[str, Any], codes: set[str]) -> None:
    with pytest.raises(InvalidValues) as refused:
        read_rules({**FULL, **changed})
    assert {problem.code for problem in refused.value.problems} == codes


@pytest.mark.parametrize(
    ("days", "level"),
    [
        (-4, None), (-3, "before_due"), (0, "before_due"), (1, None), (8, None), (9, "reminder_1"), (22, "reminder_1"), (23, "reminder_2"),
        (46, "reminder_2"), (47, "final_demand"), (4000, "final_demand"),
    ],
)  # fmt: skip
def test_a_level_is_reached_on_its_day(days: int, level: str | None) -> None:
    reached = level_reached(read_rules(FULL), DUE, DUE + timedelta(days=days))
    assert (None if reached is None else reached.value) == level


def test_why_a_level() -> None:
    trace = explain_level(read_rules(FULL), due_on=DUE, on=date(2026, 6, 10), reminded=None)
    assert [step.result for step in trace] == [
        date(2026, 5, 29), date(2026, 6, 10), date(2026, 6, 24), date(2026, 7, 18), DunningLevel.REMINDER_1, DunningLevel.REMINDER_1,
    ]  # fmt: skip
    assert len(explain_level(read_rules({**FULL, "may_skip_levels": True}), due_on=DUE, on=date(2026, 6, 10), reminded=None).steps) == 5


@pytest.mark.parametrize(
    ("days", "taken", "due"),
    [
        (6, None, None),
        (-3, None, DunningLevel.BEFORE_DUE),
        (90, None, DunningLevel.REMINDER_1),
        (90, DunningLevel.BEFORE_DUE, DunningLevel.REMINDER_1),
        (90, DunningLevel.REMINDER_1, DunningLevel.REMINDER_2),
        (10, DunningLevel.REMINDER_2, DunningLevel.REMINDER_1),
        (90, DunningLevel.REMINDER_3, DunningLevel.FINAL_DEMAND),
        (90, DunningLevel.FINAL_DEMAND, DunningLevel.FINAL_DEMAND),
    ],
)
def test_a_letter_is_one_step_above_the_one_before(days: int, taken: DunningLevel | None, due: DunningLevel | None) -> None:
    on = DUE + timedelta(days=days)
    assert level_due(read_rules(FULL), DUE, on, taken=taken) is due
    jumping = read_rules({**FULL, "may_skip_levels": True})
    assert level_due(jumping, DUE, on, taken=taken) is level_reached(jumping, DUE, on)


def test_the_narrowest_rule_in_force_holds() -> None:
    rules = read_rules(DEFAULT_DATA)

    def rule(key: int, on: date, country: str | None = None, buyer: int | None = None) -> ScopedRule:
        return ScopedRule(key, on, country, buyer, rules)

    known = [rule(1, DUE), rule(2, DUE), rule(3, DUE, "DE"), rule(4, DUE, None, 7), rule(5, DUE + timedelta(days=1), "DE")]
    assert rule_for(known, buyer_id=7, country="DE", on=DUE) == known[3]
    assert rule_for(known, buyer_id=8, country="DE", on=DUE) == known[2]
    assert rule_for(known, buyer_id=8, country="DE", on=DUE + timedelta(days=1)) == known[4]
    assert rule_for(known, buyer_id=8, country="FR", on=DUE) == known[1]
    assert rule_for(known, buyer_id=8, country="FR", on=DUE - timedelta(days=1)) is None


def test_interest_runs_from_the_day_after_the_due_date() -> None:
    rule = InterestRule(Decimal("8.15"), "", 365, DunningLevel.REMINDER_1)
    assert calculate_interest(1_000_000, DUE, DUE + timedelta(days=30), rule) == 6699  # 10,000.00 × 8.15 % × 30 / 365 = 66.986…
    assert calculate_interest(1_000_000, DUE, DUE, rule) == 0
    assert calculate_interest(1_000_000, DUE, DUE - timedelta(days=3), rule) == 0


@given(st.integers(0, 10**12), st.integers(0, 2000), st.integers(0, 2000), st.decimals("0.01", "100", places=2))
def test_interest_grows_with_time_and_is_the_sum_of_its_parts(open_minor: int, days: int, more: int, rate: Decimal) -> None:
    rule = InterestRule(rate, "", 360, DunningLevel.REMINDER_1)
    shorter, longer = (calculate_interest(open_minor, DUE, DUE + timedelta(days=count), rule) for count in (days, days + more))
    rest = calculate_interest(open_minor, DUE, DUE + timedelta(days=more), rule)
    assert shorter <= longer
    assert abs(shorter + rest - longer) <= 1


@given(st.integers(-200, 400), st.integers(0, 60))
def test_a_level_never_falls_after_the_due_date(days: int, more: int) -> None:
    rules = read_rules({**FULL, "levels": FULL["levels"][2:] + FULL["levels"][:1]})
    now_level, later = (level_reached(rules, DUE, DUE + timedelta(days=count)) for count in (days, days + more))
    assert rank_of(now_level) <= rank_of(later)


@pytest.mark.parametrize(
    ("receipts", "on", "cancelled", "state"),
    [
        ([], 5, None, PromiseState.OPEN),
        ([], 10, None, PromiseState.OPEN),
        ([], 11, None, PromiseState.BROKEN),
        ([(3, 60), (10, 40)], 11, None, PromiseState.KEPT),
        ([(3, 60), (12, 40)], 11, None, PromiseState.BROKEN),
        ([(3, 60), (12, 40)], 12, None, PromiseState.KEPT_LATE),
        ([(3, 100)], 4, 4, PromiseState.CANCELLED),
        ([(3, 100)], 4, 5, PromiseState.KEPT),
    ],
)
def test_a_promise_stands_as_the_money_says(receipts: list[tuple[int, int]], on: int, cancelled: int | None, state: PromiseState) -> None:
    def day(number: int) -> date:
        return DUE + timedelta(days=number)

    money = [(day(number), minor) for number, minor in receipts]
    assert promise_state(100, day(10), day(on), receipts=money, cancelled_on=None if cancelled is None else day(cancelled)) is state


def test_a_letter_goes_one_way() -> None:
    state = LetterState.PROPOSED
    for action in (LetterAction.APPROVE, LetterAction.SEND, LetterAction.FAIL, LetterAction.REPEAT, LetterAction.SEND):
        state = next_letter_state(state, action)
    assert state is LetterState.SENT
    with pytest.raises(Refusal) as refused:
        next_letter_state(LetterState.SKIPPED, LetterAction.SEND)
    assert refused.value.code == "letter_cannot"
