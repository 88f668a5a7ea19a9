"""Cover: what the rules promise for any account, the history, the terms' versions, and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_accounts import D, account, day, invoice, limit

from insureflow.domain.cover import (
    Account,
    Consent,
    CreditNote,
    DateOfLoss,
    Dispute,
    DisputeResolved,
    Event,
    Extension,
    ExtensionWithdrawn,
    Layer,
    LimitWithdrawal,
    OverdueNotification,
    Payment,
    Purpose,
    Reason,
    TemporaryLimit,
    replay,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.periods import BusinessCalendar, Period, PeriodUnit, StartingDay
from insureflow.domain.policies import (
    Allocation,
    AllocationOrder,
    DatedTerms,
    InsuredPercentage,
    Layers,
    LimitConditions,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    NotificationFailure,
    PolicyPeriod,
    PolicyTerms,
    Relief,
    ReliefClause,
    TopUp,
)
from insureflow.domain.policies import (
    OverdueNotification as NotificationRule,
)


@settings(max_examples=200, deadline=None)
@given(
    amount=st.integers(1, 30_000),
    invoices=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9_000), st.sampled_from([0, 0, 500])), min_size=1, max_size=8),
    payments=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9_000)), max_size=6),
    allocation=st.builds(Allocation, order=st.sampled_from(AllocationOrder)),
)
def test_under_one_limit_covered_is_the_smaller_of_coverable_and_limit(
    amount: int, invoices: list[tuple[int, int, int]], payments: list[tuple[int, int]], allocation: Allocation
) -> None:
    terms = PolicyTerms(currency="EUR", limit_currency="EUR", allocation=allocation)
    events: list[Event] = [limit(0, amount)]
    events += [invoice(str(number), shipped, net, vat=vat) for number, (shipped, net, vat) in enumerate(invoices)]
    events += [Payment(day(on), paid, "EUR") for on, paid in payments]
    history = replay(account(terms), events)
    for number in range(75):
        state = history.on(day(number))
        coverable = sum(segment.open_net for segment in state.invoices.values())
        assert state.account.covered == min(coverable, amount)
        for segment in state.invoices.values():
            assert segment.covered <= segment.open_net


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=8), st.lists(st.integers(0, 20_000), min_size=1, max_size=5))
def test_a_lower_limit_takes_nothing_away(nets: list[int], amounts: list[int]) -> None:
    falling = [max(0, amount) for amount in accumulate(amounts, lambda before, fall: before - fall)]
    events: list[Event] = [invoice(str(number), 1, net) for number, net in enumerate(nets)]
    events += [limit(2 * number, amount) for number, amount in enumerate(falling)]
    history = replay(account(), events)
    covered = [history.on(day(number)).account.covered for number in range(1, 14)]
    assert covered == [min(sum(nets), amounts[0])] * 13


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10_000), st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=10_000))
def test_a_payment_of_its_price_in_another_currency_closes_an_invoice(net: int, rate: Fraction) -> None:
    price = (2 * net * rate.numerator + rate.denominator) // (2 * rate.denominator)
    events: list[Event] = [limit(0, 10**9), invoice("A", 1, net, currency="USD", rate=rate), Payment(day(2), price, "EUR")]
    history = replay(account(), events)
    if price:
        assert history.on(day(2)).invoices["A"].open == 0
        assert history.on(day(2)).account.unallocated == 0
    assert history.on(day(1)).invoices["A"].covered == price


# ------------------------------------------------------------------ the history


def test_an_account_without_events_is_empty() -> None:
    history = replay(account(), [])
    assert history.account_segments == ()
    state = history.on(D)
    assert state.invoices == {}
    assert (state.account.limit(Layer.PRIMARY), state.account.open, state.account.uncovered, state.account.stopped) == (0, 0, 0, False)


def test_the_history_goes_on_into_the_future_over_what_time_alone_brings() -> None:
    terms = PolicyTerms(
        currency="EUR",
        limit_currency="EUR",
        maximum_extension_period=MaximumExtensionPeriod(days=10),
        overdue_notification=NotificationRule(
            Period(PeriodUnit.DAYS, 5, StartingDay.MAXIMUM_EXTENSION_PERIOD_END), NotificationFailure.INVOICE_NOT_COVERED
        ),
    )
    history = replay(account(terms), [limit(0, 1000, valid_to=day(50)), invoice("A", 1, 400, due=30)])
    assert [(span.valid_from, span.covered, span.reasons) for span in history.invoice_segments["A"]] == [
        (day(1), 400, ()),
        (day(47), 0, ((Reason.NOTIFIED_LATE, 400),)),
    ]
    spans = [(span.valid_from, span.valid_to, span.limit_primary, span.headroom_primary, span.stopped) for span in history.account_segments]
    assert spans == [
        (day(0), day(1), 1000, 1000, False),
        (day(1), day(42), 1000, 600, False),
        (day(42), day(47), 1000, 600, True),
        (day(47), day(51), 1000, 1000, True),
        (day(51), None, 0, 0, True),
    ]


def test_a_relief_puts_the_loss_of_cover_off_even_when_written_into_a_later_version() -> None:
    terms = PolicyTerms(
        currency="EUR",
        limit_currency="EUR",
        maximum_extension_period=MaximumExtensionPeriod(days=10),
        overdue_notification=NotificationRule(
            Period(PeriodUnit.DAYS, 5, StartingDay.MAXIMUM_EXTENSION_PERIOD_END), NotificationFailure.INVOICE_NOT_COVERED
        ),
    )
    relief = Relief(ReliefClause.OVERDUE_NOTIFICATION, day(40), day(60), PeriodUnit.DAYS, 25)
    other = Relief(ReliefClause.OVERDUE_NOTIFICATION, day(90), day(99), PeriodUnit.DAYS, 25)
    later = DatedTerms(day(35), replace(terms, reliefs=(relief, other)))
    history = replay(Account((DatedTerms(date.min, terms), later), "EUR"), [limit(0, 1000), invoice("A", 1, 400, due=30)])
    assert [(span.valid_from, span.covered) for span in history.invoice_segments["A"]] == [(day(1), 400), (day(67), 0)]
    assert [span.valid_from for span in history.account_segments if span.stopped] == [day(42), day(67)]


def test_a_limit_without_end_may_be_written_with_the_last_day_there_is() -> None:
    events: list[Event] = [
        limit(0, 1000, valid_to=date.max),
        TemporaryLimit(day(1), 2000, "EUR", date.max),
        invoice("A", 3, 1500),
    ]
    assert replay(account(), events).on(day(9)).invoices["A"].covered == 1500


def test_a_decision_that_was_over_before_it_was_made_gives_no_limit() -> None:
    events: list[Event] = [
        limit(0, 1000),
        limit(10, 3000, effective_from=day(-9), valid_to=day(8)),
        TemporaryLimit(day(12), 5000, "EUR", day(11)),
        invoice("A", 13, 100),
    ]
    history = replay(account(), events)
    assert [span.limit_primary for span in history.account_segments] == [1000, 0, 0]
    assert history.on(day(13)).invoices["A"].reasons == ((Reason.AFTER_LIMIT_END, 100),)


def test_until_leaves_out_what_came_later() -> None:
    events: list[Event] = [limit(0, 1000), invoice("A", 1, 400), Payment(day(5), 400, "EUR"), Dispute(day(3), "B", 1), invoice("B", 6, 100)]
    history = replay(account(), events, until=day(4))
    assert set(history.invoice_segments) == {"A"}
    assert history.on(day(9)).account.open == 400


# ------------------------------------------------------------------ versions of the terms


def test_a_shipment_is_judged_by_the_terms_of_its_day_and_the_account_by_those_of_today() -> None:
    first = PolicyTerms(
        currency="EUR",
        limit_currency="EUR",
        period=PolicyPeriod(D, day(99)),
        insured_percentage=InsuredPercentage(Decimal(90)),
        maximum_credit_terms=MaximumCreditTerms(30),
        allocation=Allocation(order=AllocationOrder.DUE_DATE),
    )
    second = replace(
        first,
        period=PolicyPeriod(day(100), day(199)),
        insured_percentage=InsuredPercentage(Decimal("72.555")),
        maximum_credit_terms=MaximumCreditTerms(60),
        allocation=Allocation(order=AllocationOrder.INVOICE_DATE, respect_designation=True),
    )
    both = Account((DatedTerms(day(100), second), DatedTerms(D, first)), "EUR")
    events: list[Event] = [
        limit(0, 10_000),
        invoice("long", 20, 1000, due=60),
        invoice("old", 90, 9000, due=30),
        invoice("slow", 95, 1000, due=29),
        invoice("new", 100, 2000, due=60),
        Payment(day(99), 500, "EUR"),
        Payment(day(101), 8000, "EUR"),
        Payment(day(101), 100, "EUR", designated=("new",)),
    ]
    history = replay(both, events)
    before, after = history.on(day(99)), history.on(day(101))
    assert before.invoices["long"].reasons == ((Reason.TERMS_EXCEED_MAXIMUM, 500),)
    assert {name: segment.open for name, segment in after.invoices.items()} == {"long": 0, "old": 1500, "slow": 1000, "new": 1900}
    assert {name: segment.insured_percentage for name, segment in after.invoices.items()} == {
        "long": Decimal(90),
        "old": Decimal(90),
        "slow": Decimal(90),
        "new": Decimal("72.555"),
    }
    assert after.account.covered == 4400
    assert after.account.insurer_liability == 3629  # 90 % of 2500, 72.555 % of 1900 = 1378.545


def test_a_version_from_a_later_day_can_bring_or_lift_a_stop_by_itself() -> None:
    without = PolicyTerms(currency="EUR", limit_currency="EUR", maximum_extension_period=MaximumExtensionPeriod(days=5))
    without = replace(without, stop_cover=replace(without.stop_cover, automatic=False))
    with_stop = replace(without, stop_cover=replace(without.stop_cover, automatic=True))
    history = replay(
        Account((DatedTerms(D, without), DatedTerms(day(60), with_stop), DatedTerms(day(70), without)), "EUR"),
        [limit(0, 1000), invoice("A", 1, 100, due=10)],
    )
    stopped = [(span.valid_from, span.stopped) for span in history.account_segments]
    assert stopped == [(day(0), False), (day(1), False), (day(60), True), (day(70), False)]


def test_after_the_date_of_loss_a_new_version_still_judges_new_shipments() -> None:
    first = PolicyTerms(currency="EUR", limit_currency="EUR")
    second = replace(first, countries_covered=frozenset({"DE"}))
    history = replay(
        Account((DatedTerms(D, first), DatedTerms(day(20), second)), "EUR", "FR"),
        [limit(0, 1000), DateOfLoss(day(10)), invoice("A", 15, 100), invoice("B", 25, 100)],
    )
    state = history.on(day(30))
    assert state.invoices["A"].reasons == ((Reason.SHIPPED_AFTER_DATE_OF_LOSS, 100),)
    assert state.invoices["B"].reasons == ((Reason.COUNTRY_NOT_COVERED, 100),)


# ------------------------------------------------------------------ postponements

_OVERDUE = PolicyTerms(currency="EUR", limit_currency="EUR", maximum_extension_period=MaximumExtensionPeriod(days=10))


@settings(max_examples=80, deadline=None)
@given(granted=st.integers(2, 60), later=st.integers(1, 60), withdrawn=st.integers(3, 90))
def test_a_postponement_taken_back_leaves_the_stop_where_it_was_without_it(granted: int, later: int, withdrawn: int) -> None:
    bare: list[Event] = [limit(0, 1000), invoice("A", 1, 100, due=10)]
    extension = Extension(day(granted), "A", day(granted + later), consent=True)
    taken_back = day(max(withdrawn, granted))
    without = replay(account(_OVERDUE), bare)
    with_it = replay(account(_OVERDUE), [*bare, extension])
    history = replay(account(_OVERDUE), [*bare, extension, ExtensionWithdrawn(taken_back, "A")])
    for number in range(160):
        on = day(number)
        same = without if on >= taken_back else with_it
        assert history.on(on).account.stopped is same.on(on).account.stopped
        assert history.on(on).account.covered == 100 * (number > 0)


def test_an_earlier_postponement_goes_on_when_a_later_one_is_taken_back() -> None:
    history = replay(
        account(_OVERDUE),
        [
            limit(0, 1000),
            invoice("A", 1, 100, due=10),
            Extension(day(5), "A", day(30), consent=True),
            Extension(day(6), "A", day(60), consent=True),
            ExtensionWithdrawn(day(40), "A", consented_to=day(30)),
        ],
    )
    assert [(span.valid_from, span.stopped) for span in history.account_segments] == [(day(0), False), (day(1), False), (day(40), True)]


def test_where_new_terms_are_forbidden_after_shipment_every_later_day_costs_cover() -> None:
    forbidding = replace(_OVERDUE, no_new_terms_after_shipment=True)
    for terms, days, expected in [(_OVERDUE, 21, 100), (_OVERDUE, 22, 0), (forbidding, 12, 0), (forbidding, 11, 100)]:
        history = replay(account(terms), [limit(0, 1000), invoice("A", 1, 100, due=10), Extension(day(4), "A", day(days))])
        state = history.on(day(5))
        assert state.account.covered == expected
        assert state.invoices["A"].reasons == (() if expected else ((Reason.EXTENDED_WITHOUT_CONSENT, 100),))
    agreed = [limit(0, 1000), invoice("A", 1, 100, due=10), Extension(day(4), "A", day(30), consent=True)]
    assert replay(account(forbidding), agreed).on(day(25)).account.covered == 100
    no_period = replace(forbidding, maximum_extension_period=None)
    assert replay(account(no_period), [*agreed[:2], Extension(day(4), "A", day(12))]).on(day(5)).account.covered == 0


# ------------------------------------------------------------------ refusals

TOP_UP_TERMS = PolicyTerms(currency="EUR", limit_currency="EUR", layers=Layers(TopUp()))
A = invoice("A", 5, 100)


@pytest.mark.parametrize(
    ("terms", "events", "code"),
    [
        (None, [A, A], "duplicate_invoice"),
        (None, [Payment(D, 1, "EUR", designated=("A",))], "unknown_invoice"),
        (None, [CreditNote(D, 1, invoice="A")], "unknown_invoice"),
        (None, [Consent(D, ("A",))], "unknown_invoice"),
        (None, [OverdueNotification(D, ("A",))], "unknown_invoice"),
        (None, [Extension(D, "A", D)], "unknown_invoice"),
        (None, [Dispute(D, "A", 1)], "unknown_invoice"),
        (None, [DisputeResolved(D, "A", 1)], "unknown_invoice"),
        (None, [A, Extension(day(5), "A", D)], "invoice_not_in_account"),
        (None, [A, Consent(day(5), ("A",))], "invoice_not_in_account"),
        (None, [A, OverdueNotification(day(5), ("A",))], "invoice_not_in_account"),
        (None, [A, DisputeResolved(day(5), "A", 1)], "invoice_not_in_account"),
        (None, [DateOfLoss(D), DateOfLoss(day(1))], "several_dates_of_loss"),
        (None, [limit(0, 1, layer=Layer.TOP_UP)], "top_up_layer_unknown"),
        (None, [TemporaryLimit(D, 1, "EUR", day(1), layer=Layer.TOP_UP)], "top_up_layer_unknown"),
        (None, [LimitWithdrawal(D, Layer.TOP_UP)], "top_up_layer_unknown"),
        (TOP_UP_TERMS, [limit(0, 1, layer=Layer.TOP_UP, conditions=LimitConditions())], "conditions_need_primary_layer"),
    ],
)
def test_events_that_cannot_be_are_refused(terms: PolicyTerms | None, events: list[Event], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        replay(account(terms), events)
    assert refused.value.code == code


def test_an_account_needs_terms() -> None:
    with pytest.raises(Refusal) as refused:
        replay(Account((), "EUR"), [])
    assert refused.value.code == "no_terms"


def test_business_days_are_those_of_the_named_calendar() -> None:
    rule = NotificationRule(Period(PeriodUnit.BUSINESS_DAYS, 2, StartingDay.DUE_DATE), NotificationFailure.INVOICE_NOT_COVERED)
    terms = PolicyTerms(currency="EUR", limit_currency="EUR", overdue_notification=rule, business_day_calendar="Dubai")
    events = [limit(0, 1000), invoice("A", 1, 100, due=1)]  # due on Friday 3 January 2025
    dubai = BusinessCalendar(frozenset({4, 5}), frozenset({date(2025, 1, 6)}))
    history = replay(account(terms, calendars={"Dubai": dubai}), events)
    assert history.invoice_segments["A"][1].valid_from == date(2025, 1, 8)  # Sunday 5 and Tuesday 7 January are the two days
    with pytest.raises(Refusal) as refused:
        replay(account(terms), events)
    assert refused.value.code == "calendar_unknown"


def test_prepayments_for_no_named_supply_wait_for_the_next_one() -> None:
    terms = PolicyTerms(currency="EUR", limit_currency="EUR", allocation=Allocation(prepayments_reduce_old_debt=False))
    prepaid = Payment(day(2), 70, "EUR", purpose=Purpose.CASH_OR_PREPAID_SUPPLY)
    history = replay(account(terms), [limit(0, 1000), invoice("A", 1, 100), prepaid, invoice("B", 3, 50), invoice("C", 4, 50)])
    state = history.on(day(4))
    assert {name: segment.open for name, segment in state.invoices.items()} == {"A": 100, "B": 0, "C": 30}
    assert state.account.unallocated == 0


def test_an_invoice_found_not_owed_at_all_is_closed() -> None:
    events: list[Event] = [
        limit(0, 1000),
        invoice("A", 1, 400),
        Dispute(day(2), "A", 400),
        DisputeResolved(day(3), "A", 0),
        DisputeResolved(day(4), "A", 0),
        Payment(day(5), 30, "EUR"),
    ]
    state = replay(account(), events).on(day(5))
    assert state.invoices["A"].open == 0
    assert (state.account.unallocated, state.account.headroom_primary) == (30, 1000)


def test_several_invoices_roll_into_the_top_up_layer_in_order() -> None:
    terms = PolicyTerms(currency="EUR", limit_currency="EUR", layers=Layers(TopUp(follows_primary=False)))
    events: list[Event] = [
        *[invoice(name, 1, 100, due=due) for name, due in (("A", 10), ("B", 20), ("C", 30))],
        limit(5, 250, layer=Layer.TOP_UP, effective_from=D),
    ]
    state = replay(account(terms), events).on(day(5))
    assert [segment.covered_top_up for segment in state.invoices.values()] == [100, 100, 50]
    assert state.account.headroom_top_up == 0


def test_liability_is_exact_for_any_percentage_that_can_be_written() -> None:
    fine = Decimal("33.33333333333333333333")
    terms = PolicyTerms(currency="EUR", limit_currency="EUR", insured_percentage=InsuredPercentage(fine))
    state = replay(account(terms), [limit(0, 10**9), invoice("A", 1, 300_000_000)]).on(day(1))
    assert state.account.insurer_liability == 100_000_000
    finer = replace(terms, insured_percentage=InsuredPercentage(Decimal("0.000000000000000000001")))
    with pytest.raises(Refusal) as refused:
        replay(account(finer), [limit(0, 1), invoice("A", 1, 1)])
    assert (refused.value.code, refused.value.parameters["decimals"]) == ("too_many_decimals", 20)
