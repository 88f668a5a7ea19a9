"""What is wrong with written terms, calendars and conditions is found where it stands."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from support.policy_terms import EXTENSIONS, FULL, problems_of

from insureflow.domain.errors import InvalidValues
from insureflow.domain.periods import WEEKDAYS
from insureflow.domain.policies import (
    LimitConditions,
    PolicyTerms,
    Reader,
    conditions_to_data,
    parse_calendars,
    parse_conditions,
    parse_terms,
)
from insureflow.domain.policies.parsing import read_terms


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
