"""The discretionary limit: what the worked examples do not show, and the proof that an insurer may ask for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.cases import run_case
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import (
    AuditedShipment,
    AuditVerdict,
    CreditReport,
    DiscretionaryFacts,
    DiscretionaryReason,
    InsurerDecision,
    MonthEndBalance,
    OverdueItem,
    Purchase,
    calculate_discretionary_limit,
    calculate_limit_benefit,
    latest_decision,
    would_survive_claim,
)
from insureflow.domain.money import Money
from insureflow.domain.policies import DiscretionaryLimit, DiscretionaryMethod, DiscretionaryMethodTerms, OverdueBlocks

ON = date(2026, 3, 1)
BY_REPORT = DiscretionaryMethodTerms(DiscretionaryMethod.CREDIT_REPORT, valid_for_months=12)
BY_AGE = DiscretionaryMethodTerms(DiscretionaryMethod.CREDIT_REPORT, maximum_age_months=6)
BY_EXPERIENCE = DiscretionaryMethodTerms(DiscretionaryMethod.PAYMENT_EXPERIENCE, look_back_months=12, factor=Decimal("1.25"))
BY_PURCHASES = DiscretionaryMethodTerms(DiscretionaryMethod.PAID_PURCHASES, look_back_months=12, minimum_purchases=2)
CLAUSE = DiscretionaryLimit(maximum=1_000_000, currency="EUR", methods=(BY_REPORT, BY_EXPERIENCE, BY_PURCHASES))
REPORT = CreditReport(date(2026, 1, 10), 800_000, id="R")


def test_the_trace_names_every_test_and_the_evidence() -> None:
    result = calculate_discretionary_limit(CLAUSE, DiscretionaryFacts(credit_reports=(REPORT,)), ON)
    assert (result.amount, result.evidence, result.usable) == (800_000, (REPORT,), True)
    assert [step.name for step in result.trace] == [
        *(f"discretionary.{reason.value}" for reason in DiscretionaryReason if reason is not DiscretionaryReason.NO_VALID_EVIDENCE),
        "discretionary.credit_report",
        "discretionary.payment_experience",
        "discretionary.paid_purchases",
        "discretionary.no_valid_evidence",
        "discretionary_limit",
    ]
    assert result.trace.steps[-1].result == Money(800_000, "EUR")


def test_the_trace_ends_with_the_test_that_fails() -> None:
    facts = DiscretionaryFacts(credit_reports=(REPORT,), adverse_information_on=ON)
    steps = calculate_discretionary_limit(CLAUSE, facts, ON).trace.steps
    assert steps[-1].name == "discretionary.adverse_information"
    assert [step.result for step in steps] == [True, True, True, False]


def test_nobody_could_know_of_payments_that_came_later() -> None:
    balance = MonthEndBalance(date(2026, 1, 31), 400_000, cleared_on=date(2026, 3, 2))
    facts = DiscretionaryFacts(month_end_balances=(balance,))
    assert calculate_discretionary_limit(CLAUSE, facts, ON).reason is DiscretionaryReason.NO_VALID_EVIDENCE
    assert calculate_discretionary_limit(CLAUSE, facts, date(2026, 3, 2)).amount == 500_000
    late = Purchase(date(2026, 1, 1), paid_on_time=False, settled_on=date(2026, 3, 2))
    facts = DiscretionaryFacts(purchases=(late, Purchase(date(2026, 2, 1))))
    assert calculate_discretionary_limit(CLAUSE, facts, ON).method is DiscretionaryMethod.PAID_PURCHASES
    assert not calculate_discretionary_limit(CLAUSE, facts, date(2026, 3, 2)).usable


def test_the_latest_decision() -> None:
    first, second, third = InsurerDecision(ON, 1), InsurerDecision(ON, 2), InsurerDecision(date(2026, 4, 1), 3)
    assert latest_decision((), ON) is None
    assert latest_decision((first, second, third), ON) is second
    assert latest_decision((third, first), date(2026, 4, 1)) is third


days = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@given(
    on=days,
    reports=st.lists(st.builds(CreditReport, days, st.one_of(st.none(), st.integers(0, 10**7)), st.booleans(), st.booleans()), max_size=4),
    balances=st.lists(st.builds(MonthEndBalance, days, st.integers(0, 10**7), st.booleans()), max_size=4),
    purchases=st.lists(st.builds(Purchase, days, st.sampled_from([True, False, None])), max_size=4),
    decisions=st.lists(st.builds(InsurerDecision, days, st.integers(0, 3)), max_size=3),
)
def test_it_is_never_above_the_maximum_nor_on_evidence_of_the_future(
    on: date,
    reports: list[CreditReport],
    balances: list[MonthEndBalance],
    purchases: list[Purchase],
    decisions: list[InsurerDecision],
) -> None:
    facts = DiscretionaryFacts(None, None, tuple(reports), tuple(balances), tuple(purchases), tuple(decisions))
    result = calculate_discretionary_limit(CLAUSE, facts, on)
    assert 0 <= result.amount <= CLAUSE.maximum
    assert result.usable is (result.reason is None) is (result.method is not None)
    assert all(evidence.on <= on for evidence in result.evidence)
    if result.valid_to is not None:
        assert on <= result.valid_to
        assert calculate_discretionary_limit(CLAUSE, facts, on) == result
    known = DiscretionaryFacts(
        None,
        None,
        tuple(each for each in reports if each.on <= on),
        tuple(each for each in balances if each.on <= on),
        tuple(each for each in purchases if each.on <= on),
        tuple(each for each in decisions if each.on <= on),
    )
    assert calculate_discretionary_limit(CLAUSE, known, on) == result


def shipped(name: str, on: date, amount: int = 100_000, owed: int = 0, *overdue: OverdueItem) -> AuditedShipment:
    return AuditedShipment(name, on, amount, owed, overdue)


def test_a_claim_survives_when_every_shipment_is_proven() -> None:
    report = CreditReport(date(2026, 1, 10), 300_000, stored_on=date(2026, 1, 12))
    audit = would_survive_claim(
        CLAUSE,
        DiscretionaryFacts(credit_reports=(report,)),
        [shipped("B", date(2026, 2, 1), owed=200_000), shipped("A", date(2026, 1, 12))],
    )
    assert audit.survives
    assert [(each.shipment.id, each.verdict, each.covered) for each in audit.shipments] == [
        ("A", AuditVerdict.PROVEN, 100_000),
        ("B", AuditVerdict.PROVEN, 100_000),
    ]
    assert [step.result for step in audit.trace] == [Money(100_000, "EUR")] * 2


def test_a_claim_fails_on_what_was_shipped_above_the_limit() -> None:
    facts = DiscretionaryFacts(credit_reports=(CreditReport(date(2026, 1, 10), 300_000, stored_on=date(2026, 1, 10)),))
    audit = would_survive_claim(CLAUSE, facts, [shipped("A", ON, 100_000, 250_000), shipped("B", ON, 100_000, 350_000)])
    assert (audit.survives, audit.covered, audit.uncovered) == (False, 50_000, 150_000)
    assert {each.verdict for each in audit.shipments} == {AuditVerdict.PROVEN}


def test_evidence_put_on_file_after_shipment_is_marked() -> None:
    late = CreditReport(date(2026, 1, 10), 300_000, stored_on=date(2026, 1, 20), id="late")
    unknown = CreditReport(date(2025, 12, 1), 300_000, id="unknown")
    shipments = [shipped("before", date(2025, 12, 15)), shipped("between", date(2026, 1, 15)), shipped("after", date(2026, 1, 20))]
    audit = would_survive_claim(CLAUSE, DiscretionaryFacts(credit_reports=(late, unknown)), shipments)
    assert [(each.shipment.id, each.verdict, [proof.id for proof in each.stored_late]) for each in audit.shipments] == [
        ("before", AuditVerdict.PROOF_STORED_LATE, ["unknown"]),
        ("between", AuditVerdict.PROOF_STORED_LATE, ["late"]),
        ("after", AuditVerdict.PROVEN, []),
    ]
    assert not audit.survives


def test_a_smaller_proof_on_file_does_not_carry_a_larger_shipment() -> None:
    small = CreditReport(date(2026, 1, 1), 50_000, stored_on=date(2026, 1, 1), id="small")
    large = CreditReport(date(2026, 2, 1), 300_000, stored_on=date(2026, 3, 1), id="large")
    facts = DiscretionaryFacts(credit_reports=(small, large))
    audit = would_survive_claim(CLAUSE, facts, [shipped("A", date(2026, 2, 2), 40_000), shipped("B", date(2026, 2, 2), 60_000)])
    assert [each.verdict for each in audit.shipments] == [AuditVerdict.PROVEN, AuditVerdict.PROOF_STORED_LATE]


def test_the_own_ledger_is_a_proof_of_its_day() -> None:
    balance = MonthEndBalance(date(2026, 1, 31), 400_000)
    late = MonthEndBalance(date(2026, 2, 28), 900_000, stored_on=date(2026, 3, 5))
    facts = DiscretionaryFacts(month_end_balances=(balance, late), purchases=(Purchase(ON, stored_on=ON),))
    audit = would_survive_claim(CLAUSE, facts, [shipped("A", date(2026, 2, 1)), shipped("B", ON, 600_000)])
    assert [each.verdict for each in audit.shipments] == [AuditVerdict.PROVEN, AuditVerdict.PROOF_STORED_LATE]
    assert audit.shipments[1].stored_late == (late,)


def test_what_was_overdue_on_the_day_of_shipment_counts() -> None:
    clause = DiscretionaryLimit(1_000_000, "EUR", (BY_AGE,), overdue_blocks=OverdueBlocks(60, 10_000))
    facts = DiscretionaryFacts(credit_reports=(CreditReport(date(2026, 1, 10), 300_000, stored_on=date(2026, 1, 10)),))
    audit = would_survive_claim(
        clause, facts, [shipped("A", ON, 5, 0, OverdueItem(10_001, 61)), shipped("B", ON, 5, 0, OverdueItem(10_001, 60))]
    )
    assert [(each.verdict, each.limit.reason, each.uncovered) for each in audit.shipments] == [
        (AuditVerdict.NOT_USABLE, DiscretionaryReason.OVERDUE_ITEMS, 5),
        (AuditVerdict.PROVEN, None, 0),
    ]


def case(kind: str, given: dict[str, object]) -> dict[str, object]:
    return {"id": "T", "title": "t", "kind": kind, "source": "constructed (rule: x)", "given": given, "expect": {}}


POLICY = {"discretionary_limit": {"maximum": 5, "methods": [{"method": "credit_report", "valid_for": {"months": 1}}]}}


@pytest.mark.parametrize(
    ("given_", "path"),
    [
        ({"policy": [], "as_of": "2026-01-01"}, "given.policy"),
        ({"policy": {}, "as_of": "2026-01-01"}, "given.policy.discretionary_limit"),
        ({"policy": POLICY, "as_of": "soon"}, "given.as_of"),
        ({"policy": POLICY, "as_of": "2026-01-01", "credit_reports": [{}]}, "given.credit_reports[0].date"),
        (
            {"policy": POLICY, "as_of": "2026-01-01", "month_end_balances": [{"month_end": "2026-01-01"}]},
            "given.month_end_balances[0].balance",
        ),
        ({"policy": POLICY, "as_of": "2026-01-01", "purchases": [{"paid_on_time": True}]}, "given.purchases[0].date"),
        ({"policy": POLICY, "as_of": "2026-01-01", "insurer_decisions": [{"amount": 1}]}, "given.insurer_decisions[0].date"),
        ({"policy": POLICY, "as_of": "2026-01-01", "default_losses": ["x"]}, "given.default_losses[0]"),
        ({"policy": POLICY, "as_of": "2026-01-01", "overdue_items": [{"amount": 1}]}, "given.overdue_items[0].days_overdue"),
    ],
)
def test_an_example_that_cannot_be_read_says_where(given_: dict[str, object], path: str) -> None:
    result = run_case(case("discretionary_limit", given_))
    assert result.status == "error"
    assert path in result.message


def test_an_example_of_benefit_that_cannot_be_read_says_where() -> None:
    result = run_case(
        case("limit_benefit", {"own_limit": -1, "insurer_limit": 1, "gross_margin_percentage": 1, "days_sales_outstanding": 1})
    )
    assert "given.own_limit" in result.message


def test_a_benefit_needs_days_and_one_currency() -> None:
    own, insurer = Money(100, "EUR"), Money(200, "EUR")
    with pytest.raises(Refusal, match="days_sales_outstanding_zero"):
        calculate_limit_benefit(own, insurer, gross_margin_percentage=Decimal(1), days_sales_outstanding=0)
    with pytest.raises(Refusal, match="currencies_differ"):
        calculate_limit_benefit(own, Money(200, "USD"), gross_margin_percentage=Decimal(1), days_sales_outstanding=1)
    benefit = calculate_limit_benefit(own, insurer, gross_margin_percentage=Decimal(10), days_sales_outstanding=365)
    assert [step.result for step in benefit.trace] == [Money(100, "EUR"), Money(100, "EUR"), Money(10, "EUR")]
