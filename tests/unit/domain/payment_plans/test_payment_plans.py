"""Payment plans: instalments that add up, what needs consent at the boundary days, and whether they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.payment_plans import (
    MOST_INSTALMENTS,
    Freedom,
    InstalmentState,
    PlanAction,
    PlannedInstalment,
    PlannedInvoice,
    PlanOutcome,
    PlanState,
    PlanVerdict,
    Received,
    Remainder,
    Rhythm,
    check_instalments,
    design_plan,
    equal_instalments,
    find_break,
    judge_day,
    judge_keeping,
    money_beyond,
    next_days,
    next_plan_state,
    possible_plan_actions,
)

DUE = date(2026, 5, 31)
END = date(2026, 7, 30)
OLD = PlannedInvoice("A-1", DUE, 60_000, last_free_on=END)
NEW = PlannedInvoice("A-2", date(2026, 6, 30), 40_001, last_free_on=date(2026, 8, 29))
FIRST = date(2026, 6, 30)


def test_a_plan_changes_as_its_life_allows() -> None:
    assert next_plan_state(PlanState.DRAFT, PlanAction.ASK_CONSENT) is PlanState.AWAITING_CONSENT
    with pytest.raises(Refusal, match="plan_cannot"):
        next_plan_state(PlanState.KEPT, PlanAction.BREAK)
    assert possible_plan_actions(PlanState.BROKEN) == {PlanAction.FULFIL}


@pytest.mark.parametrize(
    ("rhythm", "days"),
    [
        (Rhythm.WEEKLY, [date(2026, 1, 31), date(2026, 2, 7), date(2026, 2, 14)]),
        (Rhythm.FORTNIGHTLY, [date(2026, 1, 31), date(2026, 2, 14), date(2026, 2, 28)]),
        (Rhythm.MONTHLY, [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]),
        (Rhythm.QUARTERLY, [date(2026, 1, 31), date(2026, 4, 30), date(2026, 7, 31)]),
    ],
)
def test_days_of_a_rhythm_are_counted_from_the_first(rhythm: Rhythm, days: list[date]) -> None:
    assert list(next_days(date(2026, 1, 31), 3, rhythm)) == days


def test_the_remainder_goes_to_the_first_or_the_last() -> None:
    assert [each.amount_minor for each in equal_instalments(100, 3, FIRST)] == [33, 33, 34]
    assert [each.amount_minor for each in equal_instalments(100, 3, FIRST, remainder=Remainder.FIRST)] == [34, 33, 33]
    with pytest.raises(Refusal, match="plan_count_out_of_bounds"):
        equal_instalments(100, 0, FIRST)
    with pytest.raises(Refusal, match="plan_instalment_not_positive"):
        equal_instalments(2, 3, FIRST)


@given(
    total=st.integers(MOST_INSTALMENTS, 10**12),
    count=st.integers(1, MOST_INSTALMENTS),
    rhythm=st.sampled_from(Rhythm),
    remainder=st.sampled_from(Remainder),
)
def test_equal_instalments_always_add_up_and_can_be_agreed(total: int, count: int, rhythm: Rhythm, remainder: Remainder) -> None:
    made = equal_instalments(total, count, FIRST, rhythm, remainder)
    check_instalments(made, Money(total, "EUR"), FIRST)
    assert max(each.amount_minor for each in made) - min(each.amount_minor for each in made) < count


def test_instalments_that_cannot_be_agreed() -> None:
    good, total = equal_instalments(100, 2, FIRST), Money(100, "EUR")
    later = PlannedInstalment(good[1].due_on + timedelta(days=1), 0)
    for wrong, code in [
        ((), "plan_count_out_of_bounds"),
        ((good[1], good[0]), "plan_days_not_rising"),
        ((*good, later), "plan_instalment_not_positive"),
        ((good[0],), "plan_sum_differs"),
    ]:
        with pytest.raises(Refusal, match=code):
            check_instalments(wrong, total, FIRST)
    with pytest.raises(Refusal, match="plan_day_over"):
        check_instalments(good, total, FIRST + timedelta(days=1))


def test_the_last_day_of_the_period_is_free_and_the_next_needs_consent() -> None:
    assert judge_day(OLD, DUE) is Freedom.FREE
    assert judge_day(OLD, END) is Freedom.FREE
    assert judge_day(OLD, END + timedelta(days=1)) is Freedom.CONSENT_NEEDED
    without = replace(OLD, last_free_on=None)
    assert judge_day(without, DUE) is Freedom.FREE
    assert judge_day(without, DUE + timedelta(days=1)) is Freedom.NO_PERIOD
    assert judge_day(replace(OLD, is_insured=False), date(2030, 1, 1)) is Freedom.NOT_INSURED


def test_instalments_pay_the_oldest_invoice_first() -> None:
    plan = design_plan([NEW, OLD], equal_instalments(100_001, 3, FIRST), "EUR")
    assert [(each.instalment, each.invoice, each.amount_minor, each.freedom) for each in plan.portions] == [
        (1, "A-1", 33_333, Freedom.FREE),
        (2, "A-1", 26_667, Freedom.FREE),
        (2, "A-2", 6_666, Freedom.FREE),
        (3, "A-2", 33_335, Freedom.CONSENT_NEEDED),
    ]
    assert (plan.verdict, plan.needs_consent, plan.beyond, plan.total_minor) == (PlanVerdict.MIXED, True, ("A-2",), 100_001)
    assert plan.paid_by("A-1") == date(2026, 7, 30)
    assert (plan.freedom_of("A-1"), plan.freedom_of("A-2")) == (Freedom.FREE, Freedom.CONSENT_NEEDED)
    assert len(plan.of_instalment(2)) == 2
    assert [step.result for step in plan.trace] == ["free", "free", "free", "consent_needed"]


def test_the_verdict_of_a_deferral() -> None:
    free = design_plan([OLD], [PlannedInstalment(END, 60_000)], "EUR")
    assert (free.verdict, free.needs_consent, free.beyond) == (PlanVerdict.FREE, False, ())
    beyond = design_plan([OLD], [PlannedInstalment(END + timedelta(days=1), 60_000)], "EUR")
    assert (beyond.verdict, beyond.beyond) == (PlanVerdict.CONSENT_NEEDED, ("A-1",))
    own_risk = design_plan([replace(OLD, is_insured=False)], [PlannedInstalment(date(2030, 1, 1), 60_000)], "EUR")
    assert (own_risk.verdict, own_risk.needs_consent) == (PlanVerdict.NOT_INSURED, False)
    assert design_plan([], [PlannedInstalment(END, 1)], "EUR").portions == ()


@given(
    amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=12),
    count=st.integers(1, 24),
    lag=st.integers(0, 200),
)
def test_what_is_paid_of_invoices_and_by_instalments_is_the_same_money(amounts: list[int], count: int, lag: int) -> None:
    invoices = [
        PlannedInvoice(f"I-{place}", DUE + timedelta(days=7 * (place % 5)), amount, last_free_on=END)
        for place, amount in enumerate(amounts)
    ]
    total = sum(amounts)
    if total < count:
        return
    plan = design_plan(invoices, equal_instalments(total, count, DUE + timedelta(days=lag)), "EUR")
    for invoice in plan.invoices:
        assert sum(each.amount_minor for each in plan.portions if each.invoice == invoice.number) == invoice.amount_minor
    for number, instalment in enumerate(plan.instalments, start=1):
        assert sum(each.amount_minor for each in plan.of_instalment(number)) == instalment.amount_minor
    # Later days never make a plan freer.
    worse = design_plan(invoices, equal_instalments(total, count, DUE + timedelta(days=lag + 30)), "EUR")
    assert set(plan.beyond) <= set(worse.beyond)


TWO = (PlannedInstalment(date(2026, 7, 1), 100), PlannedInstalment(date(2026, 8, 1), 50))


def test_an_instalment_is_missed_the_day_after_its_grace() -> None:
    def state(on: date) -> InstalmentState:
        return judge_keeping(TWO, [Received(date(2026, 6, 20), 99)], 3, on, "EUR").instalments[0].state

    assert [state(date(2026, 7, day)) for day in (1, 2, 4, 5)] == [
        InstalmentState.OPEN,
        InstalmentState.IN_GRACE,
        InstalmentState.IN_GRACE,
        InstalmentState.MISSED,
    ]
    broken = judge_keeping(TWO, [Received(date(2026, 6, 20), 99)], 3, date(2026, 9, 9), "EUR")
    assert (broken.outcome, broken.broken_on, broken.paid_minor, broken.open_minor) == (PlanOutcome.BROKEN, date(2026, 7, 5), 99, 51)
    assert broken.missed is broken.next is broken.instalments[0]
    assert broken.instalments[0].open_minor == 1
    assert [step.result for step in broken.trace] == ["missed", "missed"]


def test_money_pays_the_oldest_instalment_and_says_when() -> None:
    came = [Received(date(2026, 7, 1), 60), Received(date(2026, 6, 30), 45), Received(date(2026, 8, 2), 100)]
    on_time = judge_keeping(TWO, came, 0, date(2026, 7, 15), "EUR")
    assert (on_time.outcome, on_time.broken_on, on_time.missed) == (PlanOutcome.RUNNING, None, None)
    assert [(each.paid_minor, each.paid_on, each.state) for each in on_time.instalments] == [
        (100, date(2026, 7, 1), InstalmentState.PAID),
        (5, None, InstalmentState.OPEN),
    ]
    late = judge_keeping(TWO, came, 5, date(2026, 8, 3), "EUR")
    assert (late.outcome, late.broken_on, late.next) == (PlanOutcome.KEPT_LATE, None, None)
    too_late = judge_keeping(TWO, came, 0, date(2026, 8, 3), "EUR")
    assert (too_late.outcome, too_late.broken_on) == (PlanOutcome.KEPT_LATE, date(2026, 8, 2))
    assert judge_keeping(TWO, [Received(date(2026, 6, 1), 150)], 0, date(2026, 9, 1), "EUR").outcome is PlanOutcome.KEPT


@given(
    came=st.lists(st.tuples(st.integers(0, 120), st.integers(1, 10_000)), max_size=20),
    count=st.integers(1, 8),
    grace=st.integers(0, 15),
    day=st.integers(0, 150),
)
def test_money_is_neither_lost_nor_counted_twice(came: list[tuple[int, int]], count: int, grace: int, day: int) -> None:
    plan = equal_instalments(20_000, count, DUE, Rhythm.FORTNIGHTLY)
    received = [Received(DUE + timedelta(days=lag - 20), amount) for lag, amount in came]
    on = DUE + timedelta(days=day)
    standing = judge_keeping(plan, received, grace, on, "EUR")
    arrived = sum(each.amount_minor for each in received if each.on <= on)
    assert standing.paid_minor == min(20_000, arrived)
    assert standing.paid_minor + standing.open_minor == 20_000
    # A plan that is broken stays so: what came later does not move the day.
    later = judge_keeping(plan, received, grace, on + timedelta(days=30), "EUR")
    assert standing.broken_on is None or later.broken_on == standing.broken_on


def test_what_was_settled_before_the_plan_counts_for_nothing() -> None:
    settled = [(date(2026, 7, 2), 30), (date(2026, 5, 1), 100), (date(2026, 6, 1), 50), (date(2026, 7, 9), 5)]
    assert money_beyond(settled, 120) == [
        Received(date(2026, 6, 1), 30),
        Received(date(2026, 7, 2), 30),
        Received(date(2026, 7, 9), 5),
    ]


def test_goods_that_left_get_no_new_terms_where_the_policy_forbids_it() -> None:
    shipped = replace(OLD, new_terms_forbidden=True)
    assert judge_day(shipped, DUE) is Freedom.FREE
    assert judge_day(shipped, DUE + timedelta(days=1)) is Freedom.AFTER_SHIPMENT
    assert judge_day(replace(shipped, is_insured=False), END) is Freedom.NOT_INSURED
    assert (OLD.free_until, shipped.free_until) == (END, DUE)
    plan = design_plan([shipped, NEW], equal_instalments(100_001, 2, FIRST), "EUR")
    assert (plan.forbidden, plan.beyond, plan.needs_consent, plan.verdict) == (("A-1",), ("A-1",), True, PlanVerdict.MIXED)
    assert next(iter(plan.trace)).basis == "policy.no_new_terms_after_shipment"
    assert plan.portions[0].last_free_on == DUE


def test_a_broken_plan_keeps_goods_back_until_it_is_paid_or_the_insurer_consents() -> None:
    """TWO: 100 on the first of July, 50 on the first of August, here with three days of grace."""
    nothing = judge_keeping(TWO, [], 3, date(2026, 8, 5), "EUR")
    assert find_break(nothing) == date(2026, 7, 5)
    # Consent that came before the break has nothing to do with it; later consent ends what was missing until then, not what is missed next.
    assert find_break(nothing, date(2026, 7, 4)) == date(2026, 7, 5)
    assert find_break(nothing, date(2026, 7, 5)) == date(2026, 8, 5)
    assert find_break(nothing, date(2026, 8, 5)) is None
    # What is missing is paid, late or not: goods may go, although the plan counts as broken for good.
    paid = judge_keeping(TWO, [Received(date(2026, 7, 20), 100)], 3, date(2026, 7, 25), "EUR")
    assert (paid.broken_on, find_break(paid)) == (date(2026, 7, 5), None)


@given(
    came=st.lists(st.tuples(st.integers(0, 120), st.integers(1, 10_000)), max_size=10),
    count=st.integers(1, 6),
    grace=st.integers(0, 15),
    day=st.integers(0, 150),
    consent=st.none() | st.integers(0, 160),
)
def test_goods_are_kept_back_only_by_what_is_missing(
    came: list[tuple[int, int]], count: int, grace: int, day: int, consent: int | None
) -> None:
    plan, on = equal_instalments(20_000, count, DUE, Rhythm.FORTNIGHTLY), DUE + timedelta(days=day)
    standing = judge_keeping(plan, [Received(DUE + timedelta(days=lag), amount) for lag, amount in came], grace, on, "EUR")
    consented_on = None if consent is None else DUE + timedelta(days=consent)
    since = find_break(standing, consented_on)
    if since is None:
        assert consented_on is not None or not any(each.state is InstalmentState.MISSED for each in standing.instalments)
    else:
        assert standing.broken_on is not None
        assert standing.broken_on <= since <= on
        assert standing.open_minor > 0
        assert consented_on is None or since > consented_on
