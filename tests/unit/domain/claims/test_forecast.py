"""The forecast of claims: assumed days, losses in the order of their days, and the months in which money is expected."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.claims import AccountAtRisk, ExpectedDates, cash_calendar, expect_dates, forecast_year
from insureflow.domain.cover import Reason
from insureflow.domain.loss import DebtLine, Effect, FrozenRate, YearUse
from insureflow.domain.obligations import Facts, UnpaidInvoice
from insureflow.domain.periods import Period, PeriodUnit, StartingDay
from insureflow.domain.policies import (
    AggregateFirstLoss,
    Cause,
    ClaimFiling,
    InsuredPercentage,
    MaximumExtensionPeriod,
    MaximumLiability,
    OverdueNotification,
    PolicyTerms,
)

DUE = date(2026, 3, 1)
INVOICE = UnpaidInvoice("A", date(2026, 1, 30), date(2026, 1, 30), DUE)


def days(length: int, start: StartingDay) -> Period:
    return Period(PeriodUnit.DAYS, length, start)


#: Extension 60 days (30 April), notification 30 days after it (30 May), loss six months after the due date (1 September).
TERMS = PolicyTerms(
    currency="EUR",
    insured_percentage=InsuredPercentage(Decimal(90)),
    maximum_extension_period=MaximumExtensionPeriod(days=60),
    overdue_notification=OverdueNotification(days(30, StartingDay.MAXIMUM_EXTENSION_PERIOD_END)),
    waiting_period={Cause.PROTRACTED_DEFAULT: Period(PeriodUnit.MONTHS, 6, StartingDay.DUE_DATE)},
    claim_filing=ClaimFiling(days(180, StartingDay.DATE_OF_LOSS), days(0, StartingDay.DATE_OF_LOSS)),
    examination=days(30, StartingDay.DOCUMENTS_COMPLETE),
    payment=days(10, StartingDay.DECISION),
)


class TestDates:
    def test_everything_is_assumed_as_early_as_it_may_be(self):
        found = expect_dates(TERMS, INVOICE, date(2026, 4, 1))
        assert (found.cause, found.date_of_loss, found.filed_on) == (Cause.PROTRACTED_DEFAULT, date(2026, 9, 1), date(2026, 9, 1))
        assert (found.claim_earliest, found.claim_latest) == (date(2026, 9, 1), date(2027, 2, 28))
        assert (found.decision_on, found.payment_on, found.is_late) == (date(2026, 10, 1), date(2026, 10, 11), False)
        steps = {step.name: step for step in found.trace}
        assert steps["assumed_notification"].result == date(2026, 5, 30)
        assert steps["expected_payment"].formula == "forecast.payment"

    def test_nothing_is_expected_before_the_day_asked_for(self):
        found = expect_dates(TERMS, INVOICE, date(2026, 11, 15))
        assert (found.filed_on, found.decision_on) == (date(2026, 11, 15), date(2026, 12, 15))
        late = expect_dates(TERMS, INVOICE, date(2027, 3, 1))
        assert (late.is_late, late.filed_on) == (True, date(2027, 3, 1))

    def test_an_insolvency_comes_first_and_what_is_recorded_is_not_assumed(self):
        facts = Facts(
            notified_on=date(2026, 4, 2),
            claim_filed_on=date(2026, 4, 20),
            documents_complete_on=date(2026, 5, 1),
            events={Cause.INSOLVENCY: date(2026, 4, 10)},
        )
        found = expect_dates(TERMS, INVOICE, date(2026, 4, 25), facts=facts)
        assert (found.cause, found.date_of_loss, found.filed_on) == (Cause.INSOLVENCY, date(2026, 4, 10), date(2026, 4, 20))
        assert found.decision_on == date(2026, 5, 31)
        assert [step.formula for step in found.trace if step.name.startswith("assumed")] == ["forecast.recorded", "forecast.recorded"]

    def test_a_waiting_period_that_starts_with_the_claim_is_found_from_the_assumed_filing(self):
        from_claim = {Cause.PROTRACTED_DEFAULT: days(100, StartingDay.CLAIM_FILING)}
        terms = replace(TERMS, waiting_period=from_claim, claim_filing=None, payment=None)
        found = expect_dates(terms, INVOICE, date(2026, 4, 1))
        assert (found.filed_on, found.date_of_loss) == (date(2026, 4, 1), date(2026, 7, 10))
        # documents complete on 1 April, decision on 1 May, but no decision before the loss; paid with it
        assert (found.decision_on, found.payment_on) == (date(2026, 7, 10), date(2026, 7, 10))

    def test_a_claim_that_has_to_be_filed_before_the_loss_is_filed_on_its_last_day(self):
        terms = replace(TERMS, claim_filing=ClaimFiling(days(90, StartingDay.MAXIMUM_EXTENSION_PERIOD_END)))
        found = expect_dates(terms, INVOICE, date(2026, 4, 1))
        assert (found.filed_on, found.claim_latest, found.is_late) == (date(2026, 7, 29), date(2026, 7, 29), False)

    def test_a_recorded_date_of_loss_holds_and_what_the_policy_leaves_open_is_not_known(self):
        bare = PolicyTerms(currency="EUR")
        found = expect_dates(bare, INVOICE, date(2026, 4, 1), loss_on=date(2026, 6, 1))
        assert (found.date_of_loss, found.filed_on) == (date(2026, 6, 1), date(2026, 6, 1))
        assert (found.decision_on, found.payment_on, found.claim_latest) == (None, None, None)
        undecided = expect_dates(replace(TERMS, examination=None), INVOICE, date(2026, 4, 1))
        assert (undecided.decision_on, undecided.payment_on) == (None, None)


def dates(loss_on: date | None) -> ExpectedDates:
    return replace(expect_dates(TERMS, INVOICE, date(2026, 4, 1)), date_of_loss=loss_on)


def account(key: int, covered: int, loss_on: date | None) -> AccountAtRisk:
    line = DebtLine("0", covered, 0, ((Reason.OVER_LIMIT, 50_00),), Decimal(90), "policy")
    return AccountAtRisk(key, (line,), FrozenRate("EUR"), dates(loss_on))


def test_losses_use_up_the_year_in_the_order_of_their_days():
    terms = replace(TERMS, aggregate_first_loss=AggregateFirstLoss(100_00), maximum_liability=MaximumLiability(amount=300_00))
    accounts = [account(1, 200_00, None), account(2, 200_00, date(2026, 9, 2)), account(3, 200_00, date(2026, 9, 1))]
    found = forecast_year(terms, accounts, YearUse(aggregate_first_loss_used=20_00))
    assert [(each.account.key, each.place, each.loss.indemnity) for each in found] == [(3, 1, 100_00), (2, 2, 180_00), (1, 3, 20_00)]
    assert found[0].own_retention == 250_00 - 100_00
    assert found[2].loss.effects[-1] == (Effect.MAXIMUM_LIABILITY, 160_00)
    assert found[0].dates is found[0].account.dates
    assert next(step.name for step in found[0].trace) == "covered_debt"
    assert [step.name for step in found[0].trace][-1] == "expected_payment"


class TestCash:
    def test_months_stand_without_gaps_and_what_has_no_day_comes_last(self):
        on = date(2026, 4, 15)
        payments = [
            (date(2026, 6, 3), "EUR", 100),
            (date(2026, 6, 30), "EUR", 50),
            (date(2026, 1, 1), "EUR", 7),
            (None, "EUR", 5),
            (date(2026, 5, 1), "EUR", 0),
            (date(2029, 1, 1), "SEK", 9),
        ]
        rows = [(row.month, row.currency, row.minor, row.claims, row.is_later) for row in cash_calendar(payments, on)]
        assert rows == [
            (date(2026, 4, 1), "EUR", 7, 1, False),
            (date(2026, 5, 1), "EUR", 0, 0, False),
            (date(2026, 6, 1), "EUR", 150, 2, False),
            (None, "EUR", 5, 1, False),
            *((date(2026 + (3 + each) // 12, (3 + each) % 12 + 1, 1), "SEK", 0, 0, False) for each in range(18)),
            (date(2027, 10, 1), "SEK", 9, 1, True),
        ]

    @given(
        st.lists(
            st.tuples(st.none() | st.dates(date(2025, 1, 1), date(2031, 1, 1)), st.sampled_from(["EUR", "USD"]), st.integers(0, 10**9))
        )
    )
    def test_nothing_is_lost_between_the_months(self, payments: list[tuple[date | None, str, int]]):
        rows = cash_calendar(payments, date(2026, 4, 15))
        assert sum(row.minor for row in rows) == sum(minor for _day, _currency, minor in payments)
        assert sum(row.claims for row in rows) == sum(minor > 0 for _day, _currency, minor in payments)
