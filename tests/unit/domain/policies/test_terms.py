"""The terms of a policy: reading them, writing them, and random ones that survive both."""

import json
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.policy_terms import FULL

from insureflow.domain.periods import EarlierOf, LaterOf, Period, PeriodUnit, StartingDay
from insureflow.domain.policies import (
    Attachment,
    Cause,
    ClaimFiling,
    CreditTermsStart,
    Cycle,
    DiscretionaryMethod,
    ExtensionStart,
    GradeRow,
    InsuredPercentage,
    LimitKind,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    NotificationFailure,
    PolicyPeriod,
    PolicyTerms,
    StopBasis,
    StopCover,
    TopUp,
    parse_terms,
    rule_to_data,
    terms_to_data,
)


def test_every_field_is_read():
    terms = parse_terms(FULL)
    default = PolicyTerms()
    unread = [field.name for field in fields(PolicyTerms) if getattr(terms, field.name) == getattr(default, field.name)]
    assert unread == ["vat_covered"]  # false in both, so that the country schedule has something to change


def test_what_is_read():
    terms = parse_terms(FULL)
    assert terms.period == PolicyPeriod(date(2026, 1, 1), date(2026, 12, 31))
    assert terms.attachment is Attachment.LOSSES_OCCURRING
    assert terms.countries_covered == {"SE", "DE", "NO", "XK"}
    assert terms.insured_percentage.by_cause == {Cause.INSOLVENCY: Decimal("92.5"), Cause.POLITICAL: Decimal(95)}
    assert terms.grade_cover == (GradeRow((1, 2, "A"), Decimal(90), 25_000_000), GradeRow(("ungraded",), Decimal(60)))
    assert terms.maximum_credit_terms == MaximumCreditTerms(90, CreditTermsStart.END_OF_INVOICE_MONTH)
    assert terms.maximum_extension_period == MaximumExtensionPeriod(months=2, start=ExtensionStart.INVOICE_DATE)
    assert terms.overdue_notification is not None
    assert terms.overdue_notification.period == Period(PeriodUnit.BUSINESS_DAYS, 5, StartingDay.MAXIMUM_EXTENSION_PERIOD_BREACH)
    assert terms.overdue_notification.failure is NotificationFailure.INVOICE_NOT_COVERED
    assert terms.waiting_period[Cause.INSOLVENCY] == EarlierOf(
        (Period(PeriodUnit.MONTHS, 1, StartingDay.DEBT_ADMISSION), LaterOf((Period(PeriodUnit.DAYS, 5, StartingDay.EVENT),)))
    )
    assert terms.claim_filing == ClaimFiling(
        Period(PeriodUnit.DAYS, 240, StartingDay.DUE_DATE), Period(PeriodUnit.MONTHS, 3, StartingDay.DUE_DATE)
    )
    assert terms.stop_cover == StopCover(
        minimum_overdue_amount=50_000,
        basis=StopBasis.TOTAL,
        invoices_counted=terms.stop_cover.invoices_counted,
        disputed_amounts_count=False,
        blocks_roll_in=False,
    )
    assert terms.layers.top_up == TopUp(Decimal(85), follows_primary=False)
    assert terms.minimum_retention is not None
    assert terms.minimum_retention.amount == 250_050
    assert terms.premium is not None
    assert [row.loss_ratio_up_to for row in terms.premium.bonus_malus] == [Decimal(20), Decimal("50.5"), None]
    assert terms.premium.cycle is Cycle.QUARTERLY
    assert terms.discretionary_limit is not None
    assert terms.discretionary_limit.maximum == 1_000_000
    assert [method.factor for method in terms.discretionary_limit.methods][2:4] == [Decimal("1.25"), Decimal(1)]
    assert terms.discretionary_limit.methods[4].method is DiscretionaryMethod.PAID_PURCHASES
    assert terms.insured_percentage_by_limit_kind == {LimitKind.START_COVER: Decimal(75), LimitKind.DISCRETIONARY: Decimal(80)}


def test_nothing_written_means_no_clause():
    assert parse_terms({}) == PolicyTerms()
    assert parse_terms({"layers": {}, "insured_percentage": {}}) == PolicyTerms()


def test_the_limit_currency_is_the_policy_currency_unless_said():
    assert parse_terms({"currency": "SEK"}).limit_currency == "SEK"
    assert parse_terms({"currency": "SEK", "limit_currency": "EUR"}).limit_currency == "EUR"


def test_a_bare_percentage_is_the_general_one():
    assert parse_terms({"insured_percentage": "85.5"}).insured_percentage == InsuredPercentage(Decimal("85.5"))
    assert parse_terms({"insured_percentage": 0}).insured_percentage == InsuredPercentage(Decimal(0))


def test_terms_survive_writing_and_reading():
    terms = parse_terms(FULL)
    data = json.loads(json.dumps(terms_to_data(terms)))
    assert parse_terms(data) == terms
    assert terms_to_data(parse_terms(data)) == data


def test_the_canonical_form_is_exact_and_leaves_absent_clauses_out():
    data = terms_to_data(
        parse_terms(
            {"currency": "KWD", "minimum_retention": {"amount": "2.5"}, "insured_percentage": "90.0", "maximum_liability": {"amount": 7}}
        )
    )
    assert data["minimum_retention"] == {"amount": "2.500"}
    assert data["maximum_liability"] == {"amount": "7.000"}
    assert data["insured_percentage"] == {"default": "90"}
    assert "premium" not in data
    assert "claim_filing" not in data


def test_terms_without_currency_hold_amounts_at_two_decimals_where_that_is_allowed():
    data = {
        "minimum_retention": {"amount": "12.34"},
        "discretionary_limit": {"maximum": 5, "methods": [{"method": "credit_report", "valid_for": {"months": 1}}]},
    }
    terms = parse_terms(data, currency_required=False)
    assert terms.minimum_retention is not None
    assert terms.minimum_retention.amount == 1234
    assert terms.discretionary_limit is not None
    assert terms.discretionary_limit.currency == "EUR"
    assert parse_terms(terms_to_data(terms), currency_required=False) == terms


# --- random terms -------------------------------------------------------------------------------------------------------

AMOUNTS = st.one_of(st.integers(0, 10**9), st.integers(0, 10**9).map(str))
PERCENTAGES = st.one_of(st.integers(0, 100), st.decimals(0, 100, places=3).map(lambda value: format(value, "f")))
LENGTHS = st.integers(0, 400)
COUNTRIES = st.sampled_from(["DE", "NO", "BR", "XK", "HK"])
PERIODS: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda unit, length, start: {unit: length, "from": start},
    st.sampled_from([*map(str, PeriodUnit)]),
    LENGTHS,
    st.sampled_from([*map(str, StartingDay)]),
)
RULES = st.recursive(
    PERIODS,
    lambda inner: st.builds(
        lambda name, rules: {name: rules}, st.sampled_from(["earlier_of", "later_of"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)
CAUSES = st.sampled_from([*map(str, Cause)])
EXTENSION_PERIODS = st.builds(
    lambda unit, length, start: {unit: length, **start},
    st.sampled_from(["days", "months"]),
    LENGTHS,
    st.sampled_from([{}, {"from": "original_due_date"}, {"from": "invoice_date"}]),
)
NOTIFICATIONS = st.builds(
    lambda unit, length, more: {unit: length, **more},
    st.sampled_from([*map(str, PeriodUnit)]),
    LENGTHS,
    st.sampled_from([{}, {"from": "due_date"}, {"failure": "invoice_not_covered"}, {"from": "invoice_date", "failure": "no_effect"}]),
)
TERMS = st.fixed_dictionaries(
    {"currency": st.sampled_from(["EUR", "JPY", "KWD"])},
    optional={
        "limit_currency": st.sampled_from(["EUR", "JPY", "KWD"]),
        "countries_covered": st.lists(COUNTRIES, unique=True),
        "insured_percentage": st.one_of(
            PERCENTAGES,
            st.fixed_dictionaries(
                {},
                optional={
                    "default": PERCENTAGES,
                    "by_cause": st.dictionaries(CAUSES, PERCENTAGES),
                    "by_country": st.dictionaries(COUNTRIES, PERCENTAGES),
                },
            ),
        ),
        "maximum_extension_period": EXTENSION_PERIODS,
        "overdue_notification": NOTIFICATIONS,
        "waiting_period": st.dictionaries(CAUSES, RULES),
        "claim_filing": st.one_of(PERIODS, RULES.map(lambda rule: {"not_before": rule}), st.just({})),
        "examination": RULES,
        "country_schedule": st.dictionaries(
            COUNTRIES,
            st.fixed_dictionaries(
                {},
                optional={
                    "maximum_extension_period": EXTENSION_PERIODS,
                    "waiting_period": st.dictionaries(CAUSES, RULES),
                    "vat_covered": st.booleans(),
                },
            ),
        ),
        "stop_cover": st.fixed_dictionaries(
            {}, optional={"automatic": st.booleans(), "minimum_overdue_amount": AMOUNTS, "basis": st.sampled_from(["total", "per_invoice"])}
        ),
        "allocation": st.fixed_dictionaries(
            {}, optional={"order": st.sampled_from(["due_date", "invoice_date"]), "respect_designation": st.booleans()}
        ),
        "aggregate_first_loss": st.fixed_dictionaries(
            {"amount": AMOUNTS}, optional={"erosion": st.sampled_from(["after_percentage", "before_percentage"])}
        ),
        "maximum_liability": st.one_of(
            AMOUNTS.map(lambda amount: {"amount": amount}), AMOUNTS.map(lambda number: {"premium_multiple": number})
        ),
        "premium": st.fixed_dictionaries(
            {"basis": st.sampled_from(["fixed", "limit"])},
            optional={"amount": AMOUNTS, "minimum": AMOUNTS.map(lambda amount: {"amount": amount})},
        ),
    },
)


@given(TERMS)
def test_any_terms_survive_writing_and_reading(data: dict[str, Any]):
    terms = parse_terms(data)
    written = json.loads(json.dumps(terms_to_data(terms)))
    assert parse_terms(written) == terms
    assert terms_to_data(parse_terms(written)) == written


@given(RULES)
def test_any_rule_is_written_as_it_was_read(rule: dict[str, Any]):
    read = parse_terms({"payment": rule}).payment
    assert read is not None
    assert rule_to_data(read) == rule
