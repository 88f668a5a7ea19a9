"""The terms of a policy: reading, writing, precedence, versions and the choice of the policy."""

import json
from dataclasses import fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.periods import WEEKDAYS, EarlierOf, LaterOf, Period, PeriodUnit, StartingDay
from insureflow.domain.policies import (
    Allocation,
    Attachment,
    Cause,
    ClaimFiling,
    CreditTermsStart,
    Cycle,
    DatedTerms,
    DiscretionaryMethod,
    ExtensionStart,
    GradeRow,
    InsuredPercentage,
    LimitConditions,
    LimitKind,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    NotificationFailure,
    PolicyCandidate,
    PolicyPeriod,
    PolicyTerms,
    Reader,
    StopBasis,
    StopCover,
    TopUp,
    basis_of,
    choose_policy,
    conditions_for_limit_kind,
    conditions_to_data,
    grade_percentage_for,
    grade_row_for,
    insured_percentage_for,
    is_country_covered,
    is_within_period,
    maximum_credit_terms_for,
    maximum_extension_period_for,
    overdue_notification_for,
    parse_calendars,
    parse_conditions,
    parse_terms,
    rule_to_data,
    terms_on,
    terms_to_data,
    vat_covered_for,
    waiting_period_for,
)
from insureflow.domain.policies.parsing import read_terms

FULL: dict[str, Any] = {
    "currency": "EUR",
    "limit_currency": "JPY",
    "period": {"from": "2026-01-01", "to": date(2026, 12, 31)},
    "attachment": "losses_occurring",
    "countries_covered": ["SE", "DE", "NO", "XK"],
    "insured_percentage": {"default": "90", "by_cause": {"political": 95, "insolvency": "92.5"}, "by_country": {"BR": 80}},
    "grade_cover": [
        {"grades": [1, 2, "A"], "insured_percentage": 90, "maximum_indemnity_per_buyer": 250000},
        {"grades": ["ungraded"], "insured_percentage": 60},
    ],
    "maximum_credit_terms": {"days": 90, "from": "end_of_invoice_month"},
    "maximum_invoicing_period": {"days": 30},
    "maximum_extension_period": {"months": 2, "from": "invoice_date"},
    "overdue_notification": {"business_days": 5, "from": "maximum_extension_period_breach", "failure": "invoice_not_covered"},
    "adverse_information": {"business_days": 2},
    "waiting_period": {
        "insolvency": {"earlier_of": [{"months": 1, "from": "debt_admission"}, {"later_of": [{"days": 5, "from": "event"}]}]},
        "protracted_default": {"months": 6, "from": "due_date"},
    },
    "claim_filing": {"days": 240, "from": "due_date", "not_before": {"months": 3, "from": "due_date"}},
    "examination": {"days": 30, "from": "documents_complete"},
    "payment": {"business_days": 5, "from": "decision"},
    "business_day_calendar": "Sweden",
    "country_schedule": {
        "BR": {
            "maximum_credit_terms": {"days": 30},
            "maximum_extension_period": {"days": 30},
            "overdue_notification": {"days": 10},
            "waiting_period": {"political": {"months": 8, "from": "event"}},
            "vat_covered": True,
        }
    },
    "vat_covered": False,
    "allocation": {
        "order": "shipment_date",
        "respect_designation": True,
        "partial_payment_reduces": "pro_rata",
        "part_payment_applies_to": "vat_first",
    },
    "limit_cancellation_notice": {"days": 30, "applies_to": "withdrawal"},
    "stop_cover": {
        "minimum_overdue_amount": 50000,
        "basis": "total",
        "invoices_counted": "all",
        "disputed_amounts_count": False,
        "blocks_roll_in": False,
    },
    "layers": {"top_up": {"insured_percentage": "85", "follows_primary": False}},
    "claims_threshold": {"amount": "500.00", "inclusive": False, "erodes_aggregate_first_loss": True},
    "each_loss_deductible": {"amount": 1000, "order": "after_percentage"},
    "minimum_retention": {"amount": "2500.5"},
    "aggregate_first_loss": {"amount": 50000, "erosion": "loss_without_percentage"},
    "maximum_liability": {"premium_multiple": "30", "premium": 20000, "of": "estimated_premium"},
    "maximum_indemnity_per_buyer": {"amount": 750000},
    "collection_costs_in_loss": True,
    "provisional_payment": {"percentage": 50},
    "claim_rate": "lower",
    "recovery": {"split": "first_in_first_out", "costs_first": False},
    "premium": {
        "basis": "turnover",
        "rate": "0.22",
        "minimum": {"percentage_of_estimated": 80},
        "advance_instalments": 4,
        "excluded_turnover": ["cash", "affiliates"],
        "balances_capped_at_limit": True,
        "limit_measure": "month_end",
        "bonus_malus": [
            {"loss_ratio_up_to": 20, "adjustment_percentage": -10},
            {"loss_ratio_up_to": "50.5", "adjustment_percentage": 0},
            {"loss_ratio_up_to": None, "adjustment_percentage": "12.5"},
        ],
        "cycle": "quarterly",
    },
    "discretionary_limit": {
        "maximum": 10000,
        "currency": "GBP",
        "countries": ["GB", "FR"],
        "methods": [
            {"method": "credit_report", "valid_for": {"months": 12}, "percentage_of_report_amount": 80},
            {"method": "credit_report", "maximum_age": {"months": 6}},
            {"method": "payment_experience", "look_back": {"months": 12}, "factor": "1.25"},
            {"method": "payment_experience", "look_back": {"months": 12}},
            {"method": "paid_purchases", "look_back": {"months": 12}, "minimum_purchases": 2},
        ],
        "insurer_decision": "zero_ends",
        "rebuild_after_zero_decision": {"months": 12},
        "adverse_information_blocks": False,
        "default_loss_blocks": {"months": 24},
        "overdue_blocks": {"more_than_days": 90, "above_amount": 2000},
        "need_above_maximum": "named_limit_required",
    },
    "turnover_declaration": {"cycle": "monthly", "days": 15},
    "overdue_notification_threshold": {"amount": 250},
    "insured_percentage_by_limit_kind": {"discretionary": 80, "start_cover": "75"},
    "notice_of_non_renewal": {"months": 2},
    "temporary_limit_renewal": {"days": 45},
}
EXTENSIONS = (
    "turnover_declaration",
    "overdue_notification_threshold",
    "insured_percentage_by_limit_kind",
    "notice_of_non_renewal",
    "temporary_limit_renewal",
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


# --- problems -----------------------------------------------------------------------------------------------------------


def problems_of(data: object, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidValues) as invalid:
        parse_terms(data, **options)  # type: ignore[arg-type]
    return [(problem.path, problem.code) for problem in invalid.value.problems]


def rule_in_rules(depth: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"days": 1, "from": "event"}
    for _ in range(depth):
        rule = {"earlier_of": [rule]}
    return rule


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({"currency": "EURO"}, "policy.currency", "not_a_currency"),
        ({"limit_currency": 5}, "policy.limit_currency", "not_a_currency"),
        ({"curency": "EUR"}, "policy.curency", "unknown_field"),
        ({"currency": None}, "policy.currency", "empty"),
        ({"period": {"from": "2026-01-01"}}, "policy.period.to", "required"),
        ({"period": {"from": "2026-01-01", "to": "2025-12-31"}}, "policy.period.to", "ends_before_it_begins"),
        ({"period": {"from": "2026-02-30", "to": "2026-12-31"}}, "policy.period.from", "not_a_date"),
        ({"period": {"from": "20260101", "to": "2026-12-31"}}, "policy.period.from", "not_a_date"),
        ({"period": {"from": datetime(2026, 1, 1), "to": "2026-12-31"}}, "policy.period.from", "not_a_date"),
        ({"period": "2026"}, "policy.period", "not_a_map"),
        ({"attachment": "both"}, "policy.attachment", "not_a_choice"),
        ({"attachment": ["risks_attaching"]}, "policy.attachment", "not_a_choice"),
        ({"countries_covered": ["SE", False]}, "policy.countries_covered[1]", "not_a_country"),
        ({"countries_covered": "SE"}, "policy.countries_covered", "not_a_list"),
        ({"insured_percentage": 101}, "policy.insured_percentage", "out_of_range"),
        ({"insured_percentage": -1}, "policy.insured_percentage", "out_of_range"),
        ({"insured_percentage": 90.5}, "policy.insured_percentage", "not_a_percentage"),
        ({"insured_percentage": "90%"}, "policy.insured_percentage", "not_a_percentage"),
        ({"insured_percentage": True}, "policy.insured_percentage", "not_a_percentage"),
        ({"insured_percentage": {"by_cause": {"fire": 90}}}, "policy.insured_percentage.by_cause.fire", "unknown_field"),
        ({"insured_percentage": {"by_cause": {"political": "x"}}}, "policy.insured_percentage.by_cause.political", "not_a_percentage"),
        ({"insured_percentage": {"by_country": {"ZZ": 90}}}, "policy.insured_percentage.by_country.ZZ", "not_a_country"),
        ({"insured_percentage": {"by_country": {"SE": None}}}, "policy.insured_percentage.by_country.SE", "empty"),
        ({"insured_percentage": {"by_country": 5}}, "policy.insured_percentage.by_country", "not_a_map"),
        ({"grade_cover": []}, "policy.grade_cover", "too_few"),
        ({"grade_cover": [{"insured_percentage": 90}]}, "policy.grade_cover[0].grades", "required"),
        ({"grade_cover": [{"grades": [1]}]}, "policy.grade_cover[0].insured_percentage", "required"),
        ({"grade_cover": [{"grades": [1.5], "insured_percentage": 90}]}, "policy.grade_cover[0].grades[0]", "not_a_grade"),
        ({"grade_cover": [{"grades": [1, 1], "insured_percentage": 90}]}, "policy.grade_cover[0].grades[1]", "grade_in_two_rows"),
        ({"grade_cover": ["A"]}, "policy.grade_cover[0]", "not_a_map"),
        ({"maximum_credit_terms": {"from": "invoice_date"}}, "policy.maximum_credit_terms.days", "required"),
        ({"maximum_credit_terms": {"days": "60"}}, "policy.maximum_credit_terms.days", "not_a_whole_number"),
        ({"maximum_credit_terms": {"days": True}}, "policy.maximum_credit_terms.days", "not_a_whole_number"),
        ({"maximum_credit_terms": {"days": -1}}, "policy.maximum_credit_terms.days", "out_of_range"),
        ({"maximum_credit_terms": {"days": 10**7}}, "policy.maximum_credit_terms.days", "out_of_range"),
        ({"maximum_invoicing_period": {}}, "policy.maximum_invoicing_period.days", "required"),
        ({"maximum_extension_period": {}}, "policy.maximum_extension_period", "exactly_one_of"),
        ({"maximum_extension_period": {"days": 1, "months": 1}}, "policy.maximum_extension_period", "exactly_one_of"),
        ({"maximum_extension_period": {"business_days": 5}}, "policy.maximum_extension_period.business_days", "unknown_field"),
        ({"overdue_notification": {"days": 5, "from": "event"}}, "policy.overdue_notification.from", "not_a_choice"),
        ({"overdue_notification": {}}, "policy.overdue_notification", "exactly_one_of"),
        ({"adverse_information": {"months": 1}}, "policy.adverse_information", "exactly_one_of"),
        ({"waiting_period": {"insolvency": {"days": 5}}}, "policy.waiting_period.insolvency.from", "required"),
        ({"waiting_period": {"insolvency": {"days": 5, "from": "noon"}}}, "policy.waiting_period.insolvency.from", "not_a_choice"),
        ({"waiting_period": {"insolvency": 5}}, "policy.waiting_period.insolvency", "not_a_map"),
        ({"waiting_period": {"theft": {"days": 5, "from": "event"}}}, "policy.waiting_period.theft", "unknown_field"),
        ({"payment": {"earlier_of": []}}, "policy.payment.earlier_of", "too_few"),
        ({"payment": {"later_of": [{"days": 5}]}}, "policy.payment.later_of[0].from", "required"),
        ({"payment": {"later_of": [{"days": 5, "from": "event"}], "days": 3}}, "policy.payment.days", "unknown_field"),
        ({"payment": rule_in_rules(17)}, "policy.payment" + ".earlier_of[0]" * 16 + ".earlier_of", "nested_too_deeply"),
        ({"claim_filing": {"days": 5}}, "policy.claim_filing.from", "required"),
        ({"claim_filing": {"from": "event"}}, "policy.claim_filing", "exactly_one_of"),
        ({"business_day_calendar": "  "}, "policy.business_day_calendar", "not_a_text"),
        ({"country_schedule": {"XX": {}}}, "policy.country_schedule.XX", "not_a_country"),
        ({"country_schedule": {"SE": {"payment": {}}}}, "policy.country_schedule.SE.payment", "unknown_field"),
        ({"country_schedule": {"SE": []}}, "policy.country_schedule.SE", "not_a_map"),
        ({"vat_covered": "yes"}, "policy.vat_covered", "not_true_or_false"),
        ({"limit_cancellation_notice": {"applies_to": "withdrawal"}}, "policy.limit_cancellation_notice.days", "required"),
        ({"minimum_retention": {"amount": 5}}, "policy.minimum_retention.amount", "currency_required"),
        ({"currency": "JPY", "minimum_retention": {"amount": "0.5"}}, "policy.minimum_retention.amount", "too_many_decimals"),
        (
            {"currency": "EUR", "limit_currency": "JPY", "stop_cover": {"minimum_overdue_amount": "1.5"}},
            "policy.stop_cover.minimum_overdue_amount",
            "too_many_decimals",
        ),
        ({"currency": "EUR", "minimum_retention": {"amount": -5}}, "policy.minimum_retention.amount", "not_an_amount"),
        ({"currency": "EUR", "minimum_retention": {"amount": Decimal("NaN")}}, "policy.minimum_retention.amount", "not_an_amount"),
        ({"currency": "EUR", "minimum_retention": {}}, "policy.minimum_retention.amount", "required"),
        ({"currency": "EUR", "claims_threshold": {}}, "policy.claims_threshold.amount", "required"),
        ({"currency": "EUR", "each_loss_deductible": {}}, "policy.each_loss_deductible.amount", "required"),
        ({"currency": "EUR", "aggregate_first_loss": {}}, "policy.aggregate_first_loss.amount", "required"),
        ({"maximum_liability": {}}, "policy.maximum_liability.premium_multiple", "required"),
        ({"maximum_liability": {"premium_multiple": "-1"}}, "policy.maximum_liability.premium_multiple", "out_of_range"),
        ({"maximum_liability": {"premium_multiple": "x"}}, "policy.maximum_liability.premium_multiple", "not_a_number"),
        (
            {"currency": "EUR", "maximum_liability": {"amount": 5, "premium_multiple": 3}},
            "policy.maximum_liability.premium_multiple",
            "unknown_field",
        ),
        ({"provisional_payment": {}}, "policy.provisional_payment.percentage", "required"),
        ({"premium": {}}, "policy.premium.basis", "required"),
        ({"premium": {"basis": "fixed", "minimum": {}}}, "policy.premium.minimum.percentage_of_estimated", "required"),
        ({"premium": {"basis": "turnover", "excluded_turnover": [1]}}, "policy.premium.excluded_turnover[0]", "not_a_text"),
        ({"premium": {"basis": "turnover", "advance_instalments": 0}}, "policy.premium.advance_instalments", "out_of_range"),
        (
            {"premium": {"basis": "limit", "bonus_malus": [{"loss_ratio_up_to": 5, "adjustment_percentage": 1}]}},
            "policy.premium.bonus_malus[0].loss_ratio_up_to",
            "last_row_must_be_open",
        ),
        (
            {
                "premium": {
                    "basis": "limit",
                    "bonus_malus": [{"loss_ratio_up_to": 5, "adjustment_percentage": 1}] * 2
                    + [{"loss_ratio_up_to": None, "adjustment_percentage": 1}],
                }
            },
            "policy.premium.bonus_malus[1].loss_ratio_up_to",
            "not_ascending",
        ),
        (
            {"premium": {"basis": "limit", "bonus_malus": [{"loss_ratio_up_to": None}]}},
            "policy.premium.bonus_malus[0].adjustment_percentage",
            "required",
        ),
        ({"discretionary_limit": {"methods": []}}, "policy.discretionary_limit.methods", "too_few"),
        ({"discretionary_limit": {"methods": [{}]}}, "policy.discretionary_limit.methods[0].method", "required"),
        ({"discretionary_limit": {"methods": [{"method": "credit_report"}]}}, "policy.discretionary_limit.methods[0]", "exactly_one_of"),
        (
            {"discretionary_limit": {"methods": [{"method": "payment_experience"}]}},
            "policy.discretionary_limit.methods[0].look_back",
            "required",
        ),
        (
            {"discretionary_limit": {"methods": [{"method": "paid_purchases", "look_back": {}}]}},
            "policy.discretionary_limit.methods[0].look_back.months",
            "required",
        ),
        ({"discretionary_limit": {"overdue_blocks": {}}}, "policy.discretionary_limit.overdue_blocks.more_than_days", "required"),
        (
            {"discretionary_limit": {"rebuild_after_zero_decision": "soon"}},
            "policy.discretionary_limit.rebuild_after_zero_decision",
            "not_a_map",
        ),
        ({"turnover_declaration": {}}, "policy.turnover_declaration.cycle", "required"),
    ],
)
def test_a_problem_is_found_where_it_stands(data: dict[str, Any], path: str, code: str):
    assert (path, code) in problems_of(data)


def test_the_deepest_rule_that_is_read():
    assert parse_terms({"payment": rule_in_rules(16)}).payment is not None


def test_never_is_a_time_too():
    method = {"method": "credit_report", "valid_for": {"months": 1}}
    limit = parse_terms(
        {"currency": "EUR", "discretionary_limit": {"maximum": 1, "methods": [method], "rebuild_after_zero_decision": "never"}}
    ).discretionary_limit
    assert limit is not None
    assert limit.rebuild_after_zero_decision_months is None


def test_all_problems_come_at_once():
    found = problems_of({"currency": "???", "vat_covered": 1, "period": {"from": "x", "to": "y", "until": "z"}})
    assert sorted(found) == [
        ("policy.currency", "not_a_currency"),
        ("policy.period.from", "not_a_date"),
        ("policy.period.to", "not_a_date"),
        ("policy.period.until", "unknown_field"),
        ("policy.vat_covered", "not_true_or_false"),
    ]


@pytest.mark.parametrize("data", [None, [], "policy", 5])
def test_terms_are_a_map(data: Any):
    assert problems_of(data) == [("policy", "not_a_map")]


@pytest.mark.parametrize("name", EXTENSIONS)
def test_worked_examples_do_not_know_the_fields_of_real_policies(name: str):
    assert problems_of({"currency": "EUR", name: FULL[name]}, extensions=False) == [(f"policy.{name}", "unknown_field")]


@pytest.mark.parametrize("data", [{"country_schedule": {"BR": {"vat_covered": True}}}, {"premium": {"basis": "fixed", "cycle": "yearly"}}])
def test_nor_those_inside_other_clauses(data: Any):
    assert [code for _, code in problems_of(data, extensions=False)] == ["unknown_field"]
    assert parse_terms(data) != PolicyTerms()


def test_a_reader_without_path_names_the_field_alone():
    reader = Reader({"x": 1})
    read_terms(reader, extensions=True)
    assert [problem.path for problem in reader.problems] == ["x"]


def test_a_reader_reads_a_country_of_its_own():
    reader = Reader({"country": "SE", "other": "UK"}, "buyer")
    assert (reader.country("country"), reader.country("other"), reader.country("none")) == ("SE", None, None)
    assert [(problem.path, problem.code) for problem in reader.problems] == [("buyer.other", "not_a_country")]


# --- calendars and conditions -------------------------------------------------------------------------------------------


def test_calendars_are_read():
    calendars = parse_calendars({"Kuwait": {"weekend": ["friday", "saturday"], "holidays": ["2026-02-25"]}, "plain": {}})
    assert not calendars["Kuwait"].is_business_day(date(2026, 2, 25))
    assert not calendars["Kuwait"].is_business_day(date(2026, 2, 27))
    assert calendars["Kuwait"].is_business_day(date(2026, 3, 1))
    assert not calendars["plain"].is_business_day(date(2026, 3, 1))


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ([], "calendars", "not_a_map"),
        ({5: {}}, "calendars.5", "not_a_text"),
        ({"A": []}, "calendars.A", "not_a_map"),
        ({"A": {"weekend": ["someday"]}}, "calendars.A.weekend[0]", "not_a_choice"),
        ({"A": {"weekend": list(WEEKDAYS)}}, "calendars.A.weekend", "no_business_day_in_week"),
        ({"A": {"holidays": ["x"]}}, "calendars.A.holidays[0]", "not_a_date"),
        ({"A": {"holiday": []}}, "calendars.A.holiday", "unknown_field"),
    ],
)
def test_problems_of_calendars(data: Any, path: str, code: str):
    with pytest.raises(InvalidValues) as invalid:
        parse_calendars(data)
    assert [(problem.path, problem.code) for problem in invalid.value.problems] == [(path, code)]


def test_no_calendars_at_all():
    assert parse_calendars({}) == {}


def test_conditions_survive_writing_and_reading():
    data = {
        "insured_percentage": "70",
        "maximum_credit_terms": {"days": 30, "from": "invoice_date"},
        "maximum_extension_period": {"days": 20, "from": "original_due_date"},
    }
    assert conditions_to_data(parse_conditions(data)) == data
    assert parse_conditions({}) == LimitConditions()
    with pytest.raises(InvalidValues, match="unknown_field"):
        parse_conditions({"overdue_notification": {"days": 5}})


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"days": 45, "end_of_month": "month_end_plus_months"}, "not_a_multiple_of_30"),
        ({}, "required"),
        ("30", "not_a_map"),
        ({"days": 3, "net": 1}, "unknown_field"),
    ],
)
def test_problems_of_payment_terms(terms: Any, code: str):
    reader = Reader({"terms": terms})
    reader.terms("terms")
    assert [problem.code for problem in reader.problems] == [code]


# --- precedence ---------------------------------------------------------------------------------------------------------

TERMS_OF_PRECEDENCE = parse_terms({**FULL, "grade_cover": FULL["grade_cover"]})
UNGRADED_TERMS = replace(TERMS_OF_PRECEDENCE, grade_cover=None)
LIMIT = LimitConditions(Decimal(70), MaximumCreditTerms(15), MaximumExtensionPeriod(days=7))


@pytest.mark.parametrize(
    ("terms", "country", "grade", "conditions", "cause", "expected"),
    [
        (TERMS_OF_PRECEDENCE, "BR", 1, LIMIT, Cause.POLITICAL, (Decimal(70), "limit")),
        (TERMS_OF_PRECEDENCE, "BR", 1, LimitConditions(), Cause.POLITICAL, (Decimal(90), "grade")),
        (TERMS_OF_PRECEDENCE, "BR", None, None, Cause.POLITICAL, (Decimal(60), "grade")),
        (TERMS_OF_PRECEDENCE, "BR", 9, None, Cause.POLITICAL, (Decimal(0), "grade")),
        (UNGRADED_TERMS, "BR", 1, None, Cause.POLITICAL, (Decimal(80), "country")),
        (UNGRADED_TERMS, "SE", 1, None, Cause.POLITICAL, (Decimal(95), "cause")),
        (UNGRADED_TERMS, None, 1, None, Cause.REPUDIATION, (Decimal(90), "policy")),
        (UNGRADED_TERMS, "SE", 1, None, None, (Decimal(90), "policy")),
        (PolicyTerms(), None, None, None, None, (Decimal(100), "policy")),
    ],
)
def test_the_most_specific_percentage_wins(terms: PolicyTerms, country: Any, grade: Any, conditions: Any, cause: Any, expected: Any):
    assert insured_percentage_for(terms, country, grade, conditions, cause) == expected


def test_grades():
    assert grade_percentage_for(UNGRADED_TERMS, 1) is None
    row = grade_row_for(TERMS_OF_PRECEDENCE, "A")
    assert row is not None
    assert row.maximum_indemnity_per_buyer == 25_000_000
    assert grade_row_for(TERMS_OF_PRECEDENCE, "Z") is None


def test_limit_before_country_before_policy():
    terms = TERMS_OF_PRECEDENCE
    assert maximum_credit_terms_for(terms, "BR", LIMIT) == MaximumCreditTerms(15)
    assert maximum_credit_terms_for(terms, "BR") == MaximumCreditTerms(30)
    assert maximum_credit_terms_for(terms, "SE") == terms.maximum_credit_terms
    assert maximum_extension_period_for(terms, "BR", LIMIT) == MaximumExtensionPeriod(days=7)
    assert maximum_extension_period_for(terms, "BR", LimitConditions()) == MaximumExtensionPeriod(days=30)
    assert maximum_extension_period_for(terms, None) == terms.maximum_extension_period
    of_brazil = overdue_notification_for(terms, "BR")
    assert of_brazil is not None
    assert of_brazil.period == Period(PeriodUnit.DAYS, 10, StartingDay.MAXIMUM_EXTENSION_PERIOD_END)
    assert overdue_notification_for(terms, "SE") == terms.overdue_notification
    assert waiting_period_for(terms, "BR", Cause.POLITICAL) == Period(PeriodUnit.MONTHS, 8, StartingDay.EVENT)
    assert waiting_period_for(terms, "BR", Cause.PROTRACTED_DEFAULT) == Period(PeriodUnit.MONTHS, 6, StartingDay.DUE_DATE)
    assert waiting_period_for(terms, "SE", Cause.POLITICAL) is None
    assert vat_covered_for(terms, "BR") is True
    assert vat_covered_for(terms, "SE") is False


@pytest.mark.parametrize(
    ("country", "clause", "conditions", "expected"),
    [
        ("BR", "maximum_extension_period", LIMIT, "limit.maximum_extension_period"),
        ("BR", "maximum_extension_period", None, "country_schedule.BR.maximum_extension_period"),
        ("SE", "maximum_extension_period", LimitConditions(), "policy.maximum_extension_period"),
        ("BR", "overdue_notification", LIMIT, "country_schedule.BR.overdue_notification"),
        ("BR", "waiting_period.political", None, "country_schedule.BR.waiting_period.political"),
        ("BR", "waiting_period.insolvency", None, "policy.waiting_period.insolvency"),
        (None, "waiting_period.political", None, "policy.waiting_period.political"),
    ],
)
def test_the_clause_that_decides_is_named(country: Any, clause: str, conditions: Any, expected: str):
    assert basis_of(TERMS_OF_PRECEDENCE, country, clause, conditions) == expected


def test_the_kind_of_a_limit_completes_its_conditions():
    terms = TERMS_OF_PRECEDENCE
    assert conditions_for_limit_kind(terms, LimitKind.DISCRETIONARY).insured_percentage == Decimal(80)
    assert conditions_for_limit_kind(terms, LimitKind.DISCRETIONARY, LIMIT) == LIMIT
    assert conditions_for_limit_kind(terms, LimitKind.NAMED) == LimitConditions()


# --- versions and the choice of the policy ------------------------------------------------------------------------------

FIRST, SECOND, THIRD = (
    PolicyTerms(vat_covered=False),
    PolicyTerms(vat_covered=True),
    PolicyTerms(allocation=Allocation(respect_designation=True)),
)
HISTORY = (DatedTerms(date(2026, 7, 1), SECOND), DatedTerms(date(2025, 1, 1), FIRST), DatedTerms(date(2026, 7, 1), THIRD))


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2020, 1, 1), FIRST),
        (date(2025, 1, 1), FIRST),
        (date(2026, 6, 30), FIRST),
        (date(2026, 7, 1), THIRD),
        (date(2030, 1, 1), THIRD),
    ],
)
def test_the_version_in_force(on: date, expected: PolicyTerms):
    assert terms_on(HISTORY, on) == expected


def test_a_policy_has_terms():
    with pytest.raises(Refusal, match="no_terms"):
        terms_on((), date(2026, 1, 1))


YEAR = PolicyPeriod(date(2026, 1, 1), date(2026, 12, 31))


def candidate(key: int, priority: int, *countries: str, period: PolicyPeriod | None = YEAR) -> PolicyCandidate:
    terms = PolicyTerms(period=period, countries_covered=frozenset(countries) if countries else None)
    return PolicyCandidate(key, priority, (DatedTerms(date(2026, 1, 1), terms),))


OLD = candidate(1, 1, "SE", period=PolicyPeriod(date(2025, 1, 1), date(2025, 12, 31)))
NORDIC, WORLD, OPEN = candidate(5, 2, "SE", "NO"), candidate(4, 3), candidate(3, 3, "US", period=None)


@pytest.mark.parametrize(
    ("candidates", "country", "on", "expected"),
    [
        ((), "SE", date(2026, 5, 1), None),
        ((WORLD, NORDIC, OLD), "SE", date(2026, 5, 1), NORDIC),
        ((WORLD, NORDIC, OLD), "DE", date(2026, 5, 1), WORLD),
        ((WORLD, NORDIC, OLD), "SE", date(2025, 5, 1), OLD),
        ((NORDIC, OLD), "DE", date(2026, 12, 31), NORDIC),
        ((NORDIC, OLD), None, date(2027, 1, 1), OLD),
        ((WORLD, OPEN), "US", date(2026, 5, 1), OPEN),
        ((WORLD, OPEN), "DE", date(2030, 5, 1), OPEN),
    ],
)
def test_the_policy_a_shipment_falls_under(candidates: Any, country: Any, on: date, expected: Any):
    assert choose_policy(candidates, country, on) == expected


@given(st.permutations([OLD, NORDIC, WORLD, OPEN]), st.sampled_from(["SE", "DE", "US", None]), st.dates(date(2024, 6, 1), date(2027, 6, 1)))
def test_the_choice_does_not_depend_on_the_order_of_the_list(candidates: list[PolicyCandidate], country: str | None, on: date):
    chosen = choose_policy(candidates, country, on)
    assert chosen == choose_policy([OLD, NORDIC, WORLD, OPEN], country, on)
    assert chosen is not None
    if any(is_within_period(terms_on(each.history, on), on) for each in candidates):
        assert is_within_period(terms_on(chosen.history, on), on)


def test_a_policy_without_countries_covers_all():
    assert is_country_covered(PolicyTerms(), None)
    assert not is_country_covered(PolicyTerms(countries_covered=frozenset({"SE"})), None)


@pytest.mark.parametrize(("cycle", "months"), [(Cycle.MONTHLY, 1), (Cycle.QUARTERLY, 3), (Cycle.HALF_YEARLY, 6), (Cycle.YEARLY, 12)])
def test_cycles_in_months(cycle: Cycle, months: int):
    assert cycle.months == months
