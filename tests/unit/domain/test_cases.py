"""The runner of worked examples: shapes, comparison, and how a case comes out."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from insureflow.domain.cases import (
    BUILT,
    KINDS,
    CaseStatus,
    Difference,
    Kind,
    find_differences,
    plain_dates,
    run_case,
    run_document,
    run_documents,
)
from insureflow.domain.cases.shapes import AMOUNT, ANYTHING, CAUSE, DATE, FLAG, TEXT, Each, Fields, Maybe, Rows, find_problems, one_of
from insureflow.domain.errors import InvalidValues


def deadlines_case(**changes: Any) -> dict[str, Any]:
    return {
        "id": "T-1",
        "title": "One invoice",
        "kind": "deadlines",
        "source": "constructed (rule: day-after)",
        "given": {"policy": {"maximum_extension_period": {"days": 60}}, "invoices": [{"id": "A", "due_date": date(2026, 1, 31)}]},
        "expect": {"stop_from": "2026-04-02"},
        **changes,
    }


def given(**changes: Any) -> dict[str, Any]:
    return {**deadlines_case()["given"], **changes}


# --- comparison ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "calculated"),
    [
        (90, Decimal("90.00")),
        ("90.0", 90),
        ("90.00", "90"),
        (None, None),
        ({"a": None}, {}),
        ({}, {"a": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, {"x": "2.50"}], [Decimal(1), {"x": Decimal("2.5"), "y": 3}]),
        (date(2026, 1, 1), "2026-01-01"),
        ({"d": "2026-01-01"}, {"d": date(2026, 1, 1)}),
        ({"reasons": {"over_limit": 5}}, {"reasons": {"over_limit": "5.00"}}),
        ({"reasons": {}}, {"reasons": {}}),
        ({"oldest_invoice": "12"}, {"oldest_invoice": "12"}),
        (True, True),
    ],
)
def test_what_is_equal(expected: Any, calculated: Any):
    assert find_differences(expected, calculated) == ()


@pytest.mark.parametrize(
    ("expected", "calculated", "differences"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("a.b", 1, 2)]),
        ({"a": {"b": 1}}, {"a": None}, [Difference("a", {"b": 1}, None)]),
        ({"a": 1}, {}, [Difference("a", 1, None)]),
        ({"a": None}, {"a": 0}, [Difference("a", None, 0)]),
        ([1], [1, 2], [Difference("", [1], [1, 2])]),
        ({"at": [1, 2]}, {"at": [1, 3]}, [Difference("at[1]", 2, 3)]),
        ({"x": {"reasons": {}}}, {"x": {"reasons": {"over_limit": 5}}}, [Difference("x.reasons.over_limit", None, 5)]),
        ({"flags": ["a"]}, {"flags": ["a", "b"]}, [Difference("flags", ["a"], ["a", "b"])]),
        ({"uncovered": {"a": 1}}, {"uncovered": {"a": 1, "b": 2}}, [Difference("uncovered.b", None, 2)]),
        ({"oldest_invoice": "012"}, {"oldest_invoice": "12"}, [Difference("oldest_invoice", "012", "12")]),
        (True, 1, [Difference("", True, 1)]),
        (1, True, [Difference("", 1, True)]),
        ("yes", True, [Difference("", "yes", True)]),
        ("a", "b", [Difference("", "a", "b")]),
        (5, "five", [Difference("", 5, "five")]),
        (1.5, "1.5", [Difference("", 1.5, "1.5")]),
    ],
)
def test_what_differs_is_named_with_its_path(expected: Any, calculated: Any, differences: list[Difference]):
    assert list(find_differences(expected, calculated)) == differences


def test_bare_dates_become_texts_everywhere_and_nothing_else_changes():
    instant = datetime(2026, 1, 1, 12)
    data = {date(2026, 1, 1): [date(2026, 1, 2), ("x", date(2026, 1, 3))], "at": instant, "n": 5, "b": b"x"}
    assert plain_dates(data) == {"2026-01-01": ["2026-01-02", ["x", "2026-01-03"]], "at": instant, "n": 5, "b": b"x"}


# --- shapes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shape", "problems"),
    [
        ({"a": 1}, Fields({"a": AMOUNT}), []),
        ({"b": 1}, Fields({"a": AMOUNT}, ("a",)), [("x.a", "required"), ("x.b", "unknown_field")]),
        ([], Fields({}), [("x", "not_a_map")]),
        ({"k": "1.50"}, Each(AMOUNT), []),
        ({"": 1, "k": -1}, Each(AMOUNT), [("x.", "not_a_key"), ("x.k", "not_an_amount")]),
        ([True], Rows(AMOUNT), [("x[0]", "not_an_amount")]),
        ("text", Rows(TEXT), [("x", "not_a_list")]),
        ([], Rows(TEXT, minimum=1), [("x", "too_few")]),
        (None, Maybe(DATE), []),
        ("2026-13-01", Maybe(DATE), [("x", "not_a_date")]),
        (None, ANYTHING, [("x", "empty")]),
        ("insolvency", CAUSE, []),
        (0, FLAG, [("x", "not_true_or_false")]),
        ("c", one_of("a", "b"), [("x", "not_a_choice")]),
        ("", TEXT, [("x", "not_a_text")]),
        ("1.", AMOUNT, [("x", "not_an_amount")]),
    ],
)
def test_shapes(value: Any, shape: Any, problems: list[tuple[str, str]]):
    assert [(problem.path, problem.code) for problem in find_problems(value, shape, "x")] == problems


# --- how a case comes out -----------------------------------------------------------------------------------------------


def test_a_case_that_passes():
    result = run_case(deadlines_case())
    assert (result.id, result.kind, result.status, result.passed, result.differences) == ("T-1", "deadlines", CaseStatus.PASS, True, ())
    assert isinstance(result.got, dict)
    assert result.got["maximum_extension_period_end"] == "2026-04-01"


def test_a_case_that_fails_names_every_difference():
    result = run_case(deadlines_case(expect={"stop_from": "2026-04-03", "oldest_invoice": "B", "invoices": {"A": {"due_date": None}}}))
    assert result.status is CaseStatus.FAIL
    assert not result.passed
    assert {(each.path, each.expected, each.calculated) for each in result.differences} == {
        ("stop_from", "2026-04-03", "2026-04-02"),
        ("oldest_invoice", "B", "A"),
        ("invoices.A.due_date", None, "2026-01-31"),
    }


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in BUILT])
def test_a_kind_not_built_yet_is_said_so_and_does_not_pass(kind: str):
    result = run_case(deadlines_case(kind=kind))
    assert (result.status, result.passed, result.message) == (CaseStatus.NOT_BUILT, False, "kind_not_built")


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"kind": "weather"}, "case.kind", "not_a_choice"),
        ({"kind": ["cover"]}, "case.kind", "not_a_choice"),
        ({"id": "-x"}, "case.id", "not_an_identifier"),
        ({"source": "heard"}, "case.source", "not_a_source"),
        ({"title": ""}, "case.title", "not_a_text"),
        ({"note": 5}, "case.note", "not_a_text"),
        ({"given": []}, "case.given", "not_a_map"),
        ({"expect": None}, "case.expect", "not_a_map"),
        ({"extra": 1}, "case.extra", "unknown_field"),
        ({"expect": {"stop_form": None}}, "expect.stop_form", "unknown_field"),
        ({"expect": {"stop_from": "soon"}}, "expect.stop_from", "not_a_date"),
        ({"expect": {"waiting_period_end": {"theft": None}}}, "expect.waiting_period_end.theft", "not_a_key"),
        ({"expect": {"cause_of_loss": "theft"}}, "expect.cause_of_loss", "not_a_choice"),
        ({"given": {"invoices": []}}, "given.policy", "required"),
        ({"given": given(buyer={})}, "given.buyer", "unknown_field"),
        ({"given": given(policy=[])}, "given.policy", "not_a_map"),
        (
            {"given": given(policy={"turnover_declaration": {"cycle": "yearly", "days": 5}})},
            "given.policy.turnover_declaration",
            "unknown_field",
        ),
        ({"given": given(policy={"business_day_calendar": "Mars"})}, "given.policy.business_day_calendar", "unknown_calendar"),
        ({"given": given(calendars={"A": {"weekend": ["x"]}})}, "given.calendars.A.weekend[0]", "not_a_choice"),
        ({"given": given(country=False)}, "given.country", "not_a_country"),
        ({"given": given(causes=[])}, "given.causes", "too_few"),
        ({"given": given(causes=["theft"])}, "given.causes[0]", "not_a_choice"),
        ({"given": given(facts={"events": {"theft": "2026-01-01"}})}, "given.facts.events.theft", "unknown_field"),
        ({"given": given(facts={"notified": "2026-01-01"})}, "given.facts.notified", "unknown_field"),
        ({"given": given(invoices=[])}, "given.invoices", "too_few"),
        ({"given": given(invoices=[{"id": "A"}])}, "given.invoices[0].due_date", "exactly_one_of"),
        (
            {"given": given(invoices=[{"id": "A", "due_date": "2026-01-01", "terms": {"days": 5}}])},
            "given.invoices[0].due_date",
            "exactly_one_of",
        ),
        ({"given": given(invoices=[{"id": "A", "terms": {"days": 5}}])}, "given.invoices[0].invoice_date", "required"),
        (
            {"given": given(invoices=[{"id": "A", "invoice_date": "2026-01-01", "terms": {"days": -5}}])},
            "given.invoices[0].terms.days",
            "out_of_range",
        ),
        ({"given": given(invoices=[{"due_date": "2026-01-01"}])}, "given.invoices[0].id", "required"),
        ({"given": given(invoices=[{"id": "A", "due_date": "2026-01-01"}] * 2)}, "given.invoices[1].id", "duplicate"),
    ],
)
def test_a_case_that_cannot_be_read_is_an_error(changes: dict[str, Any], path: str, code: str):
    result = run_case(deadlines_case(**changes))
    assert (result.status, result.passed) == (CaseStatus.ERROR, False)
    assert isinstance(result.problem, InvalidValues)
    assert (path, code) in [(problem.path, problem.code) for problem in result.problem.problems]
    assert code in result.message


def test_all_invoices_have_dates_of_their_own():
    rows = [
        {"id": "A", "shipment_date": "2026-01-10", "terms": {"days": 5}},
        {"id": "B", "due_date": "2026-01-16"},
        {"id": "C", "invoice_date": "2026-01-01", "due_date": "2026-01-15"},
    ]
    result = run_case(
        deadlines_case(given=given(invoices=rows), expect={"oldest_invoice": "C", "invoices": {"A": {"due_date": "2026-01-15"}}})
    )
    assert result.passed


def test_a_date_beyond_the_calendar_is_an_error_of_the_case():
    result = run_case(deadlines_case(given=given(invoices=[{"id": "A", "due_date": "9999-12-31"}])))
    assert result.status is CaseStatus.ERROR
    assert result.message.startswith("date_out_of_range")


@pytest.mark.parametrize("case", [None, [], "case", 5])
def test_a_case_is_a_map(case: Any):
    result = run_case(case)
    assert (result.id, result.kind, result.status) == ("", "", CaseStatus.ERROR)


def test_a_calculation_that_breaks_does_not_hide_the_other_results(monkeypatch: pytest.MonkeyPatch):
    def broken(_given: object, _expect: object) -> Any:
        return {"x": 1 // 0}

    kind = BUILT["deadlines"]
    monkeypatch.setitem(BUILT, "cover", Kind(kind.given, kind.expect, broken))  # type: ignore[arg-type]
    document = {"format": 1, "title": "T", "cases": [deadlines_case(kind="cover"), deadlines_case(id="T-2")]}
    first, second = run_document(document)
    assert first.status is CaseStatus.ERROR
    assert "ZeroDivisionError" in first.message
    assert second.passed


COVER = {
    "policy": {"currency": "EUR"},
    "events": [
        {"type": "limit_decision", "date": date(2026, 1, 1), "amount": 1000},
        {"type": "invoice", "date": date(2026, 1, 5), "id": "A", "net": 1500, "due_date": date(2026, 2, 5)},
    ],
}


def test_a_case_of_cover_is_worked_out_for_the_days_asked():
    expect = {
        "at": [
            {"date": date(2026, 1, 4), "invoices": {"A": None}, "limits": {"primary": 1000}},
            {"date": "2026-01-05", "invoices": {"A": {"covered": 1000, "reasons": {"over_limit": "500.00"}}}, "stopped": False},
        ]
    }
    result = run_case(deadlines_case(kind="cover", given=COVER, expect=expect))
    assert result.differences == ()
    assert result.passed


@pytest.mark.parametrize(
    ("expect", "path", "code"),
    [
        ({}, "expect.at", "required"),
        ({"at": [{"stopped": True}]}, "expect.at[0].date", "required"),
        ({"at": [{"date": "2026-01-01", "covered": 5}]}, "expect.at[0].covered", "unknown_field"),
        (
            {"at": [{"date": "2026-01-01", "invoices": {"A": {"reasons": {"no_policy": 5}}}}]},
            "expect.at[0].invoices.A.reasons.no_policy",
            "not_a_key",
        ),
    ],
)
def test_what_a_case_of_cover_may_expect(expect: Any, path: str, code: str):
    result = run_case(deadlines_case(kind="cover", given=COVER, expect=expect))
    assert isinstance(result.problem, InvalidValues)
    assert (path, code) in [(problem.path, problem.code) for problem in result.problem.problems]


# --- files --------------------------------------------------------------------------------------------------------------


def test_an_id_is_used_once_in_a_run():
    document = {"format": 1, "title": "T", "cases": [deadlines_case(), deadlines_case(), "none"]}
    again = {"format": 1, "title": "T", "cases": [deadlines_case(), deadlines_case(id="T-2")]}
    results = run_documents([document, again])
    assert [result.status for result in results] == [CaseStatus.PASS, CaseStatus.ERROR, CaseStatus.ERROR, CaseStatus.ERROR, CaseStatus.PASS]
    assert results[1].message.startswith("duplicate")


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (None, "file"),
        ({"format": 2, "title": "T", "cases": [{}]}, "file.format"),
        ({"format": True, "title": "T", "cases": [{}]}, "file.format"),
        ({"format": 1, "cases": [{}]}, "file.title"),
        ({"format": 1, "title": "T", "cases": []}, "file.cases"),
        ({"format": 1, "title": "T", "cases": [{}], "more": 1}, "file.more"),
    ],
)
def test_a_file_of_another_format_is_refused(document: Any, path: str):
    with pytest.raises(InvalidValues) as invalid:
        run_document(document)
    assert [problem.path for problem in invalid.value.problems] == [path]
