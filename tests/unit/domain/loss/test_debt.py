"""What is owed and how much of it is covered, in each of the ways in which a debt can be given."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from insureflow.domain.cover import Reason
from insureflow.domain.errors import Refusal
from insureflow.domain.loss import (
    Circumstances,
    Claim,
    ClaimCreditNote,
    ClaimDispute,
    ClaimInvoice,
    DebtLine,
    FrozenRate,
    LossReason,
    choose_claim_rate,
    convert_debt,
    debt_of_claim,
    debt_of_lines,
    debt_under_limit,
    rounded_percentage,
)
from insureflow.domain.policies import Cause, ClaimRate, InsuredPercentage, Layers, PolicyTerms, TopUp
from insureflow.domain.trace import Trace

TERMS = PolicyTerms(currency="EUR", insured_percentage=InsuredPercentage(Decimal(90)))
USUAL = Circumstances(date_of_loss=date(2025, 6, 30))


def names(trace: Trace) -> list[str]:
    return [step.name for step in trace]


class TestRate:
    @pytest.mark.parametrize(
        ("rule", "chosen"),
        [
            (ClaimRate.DATE_OF_LOSS, (Decimal("0.9"), "date_of_loss")),
            (ClaimRate.INVOICE_DATE, (Decimal("0.8"), "invoice_date")),
            (ClaimRate.LOWER, (Decimal("0.8"), "invoice_date")),
        ],
    )
    def test_the_day_follows_the_policy(self, rule: ClaimRate, chosen: tuple[Decimal, str]):
        assert choose_claim_rate(rule, Decimal("0.8"), Decimal("0.9")) == chosen

    def test_equal_rates_are_those_of_the_date_of_loss(self):
        assert choose_claim_rate(ClaimRate.LOWER, Decimal("0.9"), Decimal("0.9"))[1] == "date_of_loss"

    @pytest.mark.parametrize(("rule", "of_invoice"), [(ClaimRate.LOWER, Decimal(1)), (ClaimRate.DATE_OF_LOSS, Decimal(1))])
    def test_a_rate_that_is_wanted_and_not_known_is_refused(self, rule: ClaimRate, of_invoice: Decimal):
        with pytest.raises(Refusal) as refused:
            choose_claim_rate(rule, of_invoice, None)
        assert refused.value.code == "claim_rate_missing"

    def test_a_whole_rate_stands_in_the_trace_as_a_number(self):
        amount, step = convert_debt(TERMS, 100, "GBP", None, 2)
        assert amount == 200
        assert dict(step.inputs)["rate"] == Decimal(2)


def test_a_policy_without_currency_cannot_work_out_a_loss():
    with pytest.raises(Refusal) as refused:
        debt_under_limit(PolicyTerms(), USUAL, 100)
    assert refused.value.code == "policy_currency_missing"


@pytest.mark.parametrize(
    ("percentage", "shown"), [(Fraction(250, 3), "83.3333"), (Fraction(100), "100"), (Fraction(175, 2), "87.5"), (Fraction(0), "0")]
)
def test_a_percentage_is_shown_with_at_most_four_decimals(percentage: Fraction, shown: str):
    assert str(rounded_percentage(percentage)) == shown


class TestLines:
    def test_lines_are_converted_one_by_one_with_interest_beside_them(self):
        terms = PolicyTerms(
            currency="EUR",
            insured_percentage=InsuredPercentage(Decimal(90), {Cause.INSOLVENCY: Decimal(95)}),
            layers=Layers(TopUp(Decimal(50))),
        )
        lines = [
            DebtLine("A", 100_01, 0, (), Decimal(80), "limit"),
            DebtLine("B", 100_01, 40_00, ((Reason.OVER_LIMIT, 10_00), (Reason.DISPUTED, 5_00)), Decimal(90), "policy"),
            DebtLine("C", 0, 0, ((Reason.NO_LIMIT, 7_00),), None, None),
        ]
        circumstances = Circumstances(cause=Cause.INSOLVENCY, date_of_loss=date(2025, 6, 30))
        debt = debt_of_lines(terms, circumstances, lines, FrozenRate("USD", Decimal("0.5"), date(2025, 6, 30), "ecb"), interest=1_00)
        # 50.005 is booked as 50.01 in each line
        assert (debt.primary, debt.top_up) == (100_02, 20_00)
        assert debt.uncovered == (
            (Reason.NO_LIMIT, 3_50),
            (Reason.DISPUTED, 2_50),
            (Reason.OVER_LIMIT, 5_00),
            (LossReason.INTEREST_NOT_COVERED, 1_00),
        )
        assert debt.open == debt.insured + 1_00 == debt.covered + sum(amount for _, amount in debt.uncovered)
        assert debt.primary_value == Fraction(5001 * 80 + 5001 * 95, 100)
        assert names(debt.trace) == ["rate", "covered_debt", "insured_percentage"]
        assert [step.formula for step in debt.trace][-1] == "loss.mean_percentage"

    def test_nothing_covered_shows_the_percentage_that_would_hold(self):
        debt = debt_of_lines(TERMS, USUAL, [DebtLine("A", 0, 0, ((Reason.NO_LIMIT, 500),), None, None)], FrozenRate("EUR"))
        assert (debt.covered, debt.percentage, debt.open) == (0, 90, 500)
        assert names(debt.trace) == ["covered_debt", "insured_percentage"]


class TestClaim:
    def test_the_steps_lead_from_the_invoices_to_the_covered_debt(self):
        claim = Claim(
            invoices=(ClaimInvoice("A", 100_00, 20_00), ClaimInvoice("B", 50_00, not_covered=Reason.NO_LIMIT)),
            credit_notes=(ClaimCreditNote("A", 10_00, 2_00),),
            payments=(30_00,),
            limits=(40_00, 0),
            late_interest=3_00,
        )
        debt = debt_of_claim(TERMS, USUAL, claim)
        assert names(debt.trace) == ["open_debt", "insured_debt", "covered_debt", "insured_percentage"]
        assert [str(step.result) for step in debt.trace][:3] == ["131.00 EUR", "60.00 EUR", "40.00 EUR"]
        assert debt.open == 131_00

    @pytest.mark.parametrize(
        ("claim", "code"),
        [
            (Claim((ClaimInvoice("A", 1), ClaimInvoice("A", 1))), "duplicate_invoice"),
            (Claim((ClaimInvoice("A", 1),), credit_notes=(ClaimCreditNote("B", 1),)), "unknown_invoice"),
            (Claim((ClaimInvoice("A", 1),), disputes=(ClaimDispute("B", 1),)), "unknown_invoice"),
        ],
    )
    def test_what_does_not_fit_together_is_refused(self, claim: Claim, code: str):
        with pytest.raises(Refusal) as refused:
            debt_of_claim(TERMS, USUAL, claim)
        assert refused.value.code == code
