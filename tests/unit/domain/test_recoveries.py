"""Recoveries: what holds of every receipt under each of the four rules."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import Refusal
from insureflow.domain.loss import Circumstances
from insureflow.domain.policies import EachLossDeductible, InsuredPercentage, PolicyTerms, Recovery, RecoverySplit
from insureflow.domain.recoveries import InvoiceAtLoss, LossAtDate, Receipt, is_before_loss, share_receipts

LOSS_ON = date(2025, 6, 30)

amounts = st.integers(0, 50_000_00)
invoices = st.lists(
    st.tuples(st.integers(0, 300), amounts, st.integers(0, 100)).map(
        lambda drawn: InvoiceAtLoss("A", date(2025, 1, 1) + timedelta(drawn[0]), drawn[1], drawn[1] * drawn[2] // 100)
    ),
    min_size=1,
    max_size=5,
)


@st.composite
def losses(draw: st.DrawFn, split: RecoverySplit) -> LossAtDate:
    costs = draw(st.integers(0, 500_00))
    if split is RecoverySplit.FIRST_IN_FIRST_OUT:
        lines = tuple(draw(invoices))
        debt, covered = sum(line.open for line in lines), sum(line.covered for line in lines)
        return LossAtDate(debt, covered=covered, insurer_costs=costs, invoices=lines)
    debt = draw(amounts)
    return draw(st.sampled_from([LossAtDate(debt, limit=draw(amounts), insurer_costs=costs), LossAtDate(debt, covered=debt // 2)]))


@given(st.data(), st.sampled_from(RecoverySplit), st.booleans(), st.sampled_from([Decimal(50), Decimal("87.5"), Decimal(100)]))
def test_what_holds_of_every_receipt(data: st.DataObject, split: RecoverySplit, costs_first: bool, percentage: Decimal):
    terms = PolicyTerms(
        currency="EUR",
        insured_percentage=InsuredPercentage(percentage),
        each_loss_deductible=EachLossDeductible(data.draw(st.integers(0, 1_000_00))),
        recovery=Recovery(split, costs_first),
    )
    loss = data.draw(losses(split))
    earliest = LOSS_ON + timedelta(1) if loss.invoices else LOSS_ON - timedelta(2)
    days = st.none() | st.dates(earliest, LOSS_ON + timedelta(9))
    receipts = data.draw(st.lists(st.builds(Receipt, amounts, st.integers(0, 2_000_00), days), max_size=6))
    shared = share_receipts(terms, loss, Circumstances(date_of_loss=LOSS_ON), receipts)
    outstanding = shared.indemnity + loss.insurer_costs
    assert shared.covered_debt <= shared.debt_at_loss <= loss.debt
    for receipt, share in zip(receipts, shared.shares, strict=True):
        assert share.before_loss == is_before_loss(receipt.on, LOSS_ON)
        if share.before_loss:
            assert (share.insurer, share.policyholder, share.outstanding) == (0, share.net, None)
            continue
        borne = 0 if costs_first else receipt.costs
        assert share.insurer + share.policyholder == share.net - borne
        assert 0 <= share.insurer <= min(share.net, outstanding)
        outstanding -= share.insurer
        assert share.outstanding == outstanding
        if share.on_insured_part is not None and shared.debt_at_loss:
            assert share.on_insured_part + share.on_uninsured_part == share.net
        assert [step.name for step in share.trace] == ["net_receipt", "share_of_insurer", "insurer_receives", "policyholder_keeps"]
    assert shared.insurer <= shared.indemnity + loss.insurer_costs
    if costs_first:
        after = [receipt for receipt, share in zip(receipts, shared.shares, strict=True) if not share.before_loss]
        left = shared.shares[-1].costs_carried if shared.shares else 0
        assert shared.insurer + shared.policyholder == sum(each.gross - each.costs for each in after) + left


def test_what_is_outstanding_before_and_after_receipts():
    terms = PolicyTerms(currency="EUR", insured_percentage=InsuredPercentage(Decimal(90)))
    circumstances = Circumstances(date_of_loss=LOSS_ON)
    assert share_receipts(terms, LossAtDate(1_000, limit=1_000), circumstances, []).outstanding == 900
    assert share_receipts(terms, LossAtDate(1_000, limit=1_000), circumstances, [Receipt(100)]).outstanding == 810


def test_a_receipt_before_the_loss_must_be_taken_off_single_invoices_first():
    terms = PolicyTerms(currency="EUR", recovery=Recovery(RecoverySplit.FIRST_IN_FIRST_OUT))
    loss = LossAtDate(100, covered=100, invoices=(InvoiceAtLoss("A", LOSS_ON, 100, 100),))
    with pytest.raises(Refusal) as refused:
        share_receipts(terms, loss, Circumstances(date_of_loss=LOSS_ON), [Receipt(10, on=LOSS_ON)])
    assert refused.value.code == "receipt_before_loss_by_invoice"
