from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.cash_application import (
    Confidence,
    Deduction,
    IncomingPayment,
    KnownBuyer,
    MatchReason,
    MatchResult,
    OpenBook,
    OpenItem,
    Tolerance,
    match_payment,
)
from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import Money

DAY = date(2026, 11, 18)
BUYERS = (
    KnownBuyer(1, ("Alpha Werke GmbH", "Alphawerke")),
    KnownBuyer(2, ("Beta Trading Inc.",)),
    KnownBuyer(3, ("Gamma SARL",)),
    KnownBuyer(4, ("GAMMA s.a.r.l.",)),
)
R = MatchReason


def item(key: int, number: str, minor: int, buyer: int = 1, **more: Any) -> OpenItem:
    values: dict[str, Any] = {
        "reference": "",
        "currency": "EUR",
        "open_minor": minor,
        "gross_minor": minor,
        "invoice_on": DAY - timedelta(days=30),
        "due_on": DAY + timedelta(days=key),
    }
    return OpenItem(id=key, number=number, buyer_id=buyer, **{**values, **more})


ITEMS = (
    item(1, "INV-2026/0001", 119_000),
    item(2, "INV-2026/0002", 50_000),
    item(3, "INV-2026/0003", 7_000, due_on=DAY - timedelta(days=5)),
    item(4, "INV-2026/0004", 3_000, due_on=DAY - timedelta(days=4)),
    item(5, "77-12345", 119_000, 2),
    item(6, "A-1", 60_000, 2),
    item(7, "INV-2026/0007", 20_000, 3, reference="RF18539007547034"),
    item(8, "INV-2026/0008", 0, 1, gross_minor=4_000),
    item(9, "USD-90001", 130_000, 2, currency="USD"),
)


def match(amount: int, text: str = "", book: OpenBook | None = None, **more: Any) -> MatchResult:
    return match_payment(IncomingPayment(amount, "EUR", DAY, text=text, **more), book or OpenBook(ITEMS, BUYERS, {"DE1": [1], "G": [3, 4]}))


def best(result: MatchResult) -> tuple[Confidence, list[int], set[MatchReason]]:
    first = result.proposals[0]
    return first.confidence, [share.item.id for share in first.shares], set(first.reasons)


def test_one_named_invoice_paid_to_the_cent_is_certain() -> None:
    for text in ("Rechnung INV-2026/0001 danke", "inv 2026 0001", "/INV/INV20260001/", "Inv.2026-0001"):
        result = match(119_000, text)
        assert best(result) == (Confidence.CERTAIN, [1], {R.NUMBER_IN_TEXT, R.EXACT_AMOUNT})
        assert result.designated == ("INV-2026/0001",)
        assert result.confidence is Confidence.CERTAIN


def test_a_number_inside_a_longer_word_is_no_name() -> None:
    result = match(119_000, "XINV-2026/00019")
    assert result.designated == ()
    assert result.confidence is Confidence.POSSIBLE


def test_several_named_invoices_paid_together() -> None:
    assert best(match(169_000, "INV-2026/0001, INV-2026/0002")) == (Confidence.CERTAIN, [1, 2], {R.NUMBER_IN_TEXT, R.SUM_OF_NAMED})
    one_of_two = match(50_000, "INV-2026/0001, INV-2026/0002")
    assert best(one_of_two) == (Confidence.LIKELY, [2], {R.NUMBER_IN_TEXT, R.SOME_OF_NAMED})


@pytest.mark.parametrize(
    ("reference", "number", "own"),
    [
        ("RF18 5390 0754 7034", "INV-7", "RF18539007547034"),
        ("RF712348231", "2348231", ""),  # creditor reference around the number
        ("79927398713", "7992739871", ""),  # Luhn, as in every textbook
        ("100453", "INV-10045", ""),
        ("000000000000000000000123455", "12345", ""),
        ("1234561", "123456", ""),  # 7-3-1: 7×6+3×5+1×4+7×3+3×2+1×1 = 89, and 1 is lacking to 90
        ("210000000003139471430009017", "21000000000313947143000901", ""),  # the specimen of the Swiss QR bill
        ("1234560", "123456", ""),  # modulo 11: 2×6+3×5+4×4+5×3+6×2+7×1 = 77 = 7×11
        ("4654654654654654", "X", "4654654654654654"),
    ],
)
def test_structured_references(reference: str, number: str, own: str) -> None:
    book = OpenBook([item(1, number, 100, reference=own)])
    result = match(100, book=book, references=(reference,))
    assert R.STRUCTURED_REFERENCE in result.proposals[0].reasons
    assert result.confidence is Confidence.CERTAIN


def test_a_reference_without_valid_check_digit_is_only_itself() -> None:
    assert not match(100, book=OpenBook([item(1, "12345", 100)]), references=("RF002348231",)).designated
    assert not match(100, book=OpenBook([item(1, "5390", 999)]), references=("RF00 5390",)).proposals


def test_another_payer_makes_it_likely() -> None:
    assert best(match(119_000, "INV-2026/0001", payer_name="Beta Trading")) == (
        Confidence.LIKELY,
        [1],
        {R.NUMBER_IN_TEXT, R.EXACT_AMOUNT, R.OTHER_PAYER},
    )
    assert R.PAYER_ACCOUNT_KNOWN in match(119_000, "INV-2026/0001", payer_account="de 1").proposals[0].reasons


def test_a_number_that_stands_anywhere_needs_the_payer() -> None:
    assert best(match(60_000, "A-1"))[0] is Confidence.LIKELY
    assert best(match(60_000, "A-1", payer_name="beta  trading inc."))[0] is Confidence.CERTAIN
    assert best(match(60_000, "A-1", payer_name="Alphawerke"))[0] is Confidence.POSSIBLE
    for number in ("20261118", "18112026", "181126", "11182026"):
        assert best(match(5, number, OpenBook([item(1, number, 5)])))[2] >= {R.COMMON_NUMBER}
    for number in ("20269918", "991399", "30112199", "1234567"):
        assert best(match(5, number, OpenBook([item(1, number, 5)])))[2] >= {R.NUMBER_IN_TEXT}


def test_part_payment_and_overpayment() -> None:
    part = match(100_000, "INV-2026/0001")
    assert best(part) == (Confidence.LIKELY, [1], {R.NUMBER_IN_TEXT, R.PART_PAYMENT})
    assert part.proposals[0].shares[0].paid_minor == 100_000
    several = match(130_000, "INV-2026/0001 INV-2026/0002")
    assert best(several)[0] is Confidence.POSSIBLE
    assert [share.paid_minor for share in several.proposals[0].shares] == [119_000, 11_000]
    assert [share.item.id for share in match(1_000, "INV-2026/0001 INV-2026/0002").proposals[0].shares] == [1]
    over = match(120_000, "INV-2026/0001")
    assert best(over) == (Confidence.LIKELY, [1], {R.NUMBER_IN_TEXT, R.OVERPAYMENT})
    assert over.proposals[0].unapplied_minor == 1_000
    assert not match(300_000, "INV-2026/0001 77-12345").proposals


def test_invoices_of_several_buyers() -> None:
    result = match(238_000, "INV-2026/0001 77-12345")
    assert best(result) == (Confidence.LIKELY, [1, 5], {R.NUMBER_IN_TEXT, R.SUM_OF_NAMED, R.SEVERAL_BUYERS})
    assert result.proposals[0].buyer_ids == (1, 2)


def test_deductions_are_taken_only_where_they_are_allowed() -> None:
    rules = {"EUR": Tolerance(500, Decimal(3), 40)}
    book = OpenBook(ITEMS, BUYERS, {}, rules)
    charges = match(118_500, "INV-2026/0001", book)
    assert best(charges) == (Confidence.LIKELY, [1], {R.NUMBER_IN_TEXT, R.EXACT_AMOUNT, R.CHARGES_DEDUCTED})
    assert (charges.proposals[0].deduction, charges.proposals[0].shares[0].deducted_minor) == (Deduction.BANK_CHARGES, 500)
    discount = match(169_000 - 5_070, "INV-2026/0001 INV-2026/0002", book)
    assert best(discount)[2] == {R.NUMBER_IN_TEXT, R.SUM_OF_NAMED, R.DISCOUNT_TAKEN}
    assert discount.proposals[0].deduction is Deduction.CASH_DISCOUNT
    assert [(share.paid_minor, share.deducted_minor) for share in discount.proposals[0].shares] == [(115_430, 3_570), (48_500, 1_500)]
    assert best(match(169_000 - 5_071, "INV-2026/0001 INV-2026/0002", book))[2] == {R.NUMBER_IN_TEXT, R.PART_PAYMENT}
    late = OpenBook(ITEMS, BUYERS, {}, {"EUR": Tolerance(0, Decimal(3), 29)})
    assert best(match(118_500, "INV-2026/0001", late))[2] == {R.NUMBER_IN_TEXT, R.PART_PAYMENT}
    always = OpenBook(ITEMS, BUYERS, {}, {"EUR": Tolerance(0, Decimal(3))})
    assert best(match(118_500, "INV-2026/0001", always))[2] >= {R.DISCOUNT_TAKEN}
    assert best(match(118_500, "INV-2026/0001"))[2] == {R.NUMBER_IN_TEXT, R.PART_PAYMENT}


def test_what_the_bank_says_it_kept() -> None:
    book = OpenBook(ITEMS, BUYERS, {}, {"EUR": Tolerance(500)})
    assert best(match(118_600, "INV-2026/0001", book, charges_minor=400))[0] is Confidence.CERTAIN
    assert best(match(118_600, "INV-2026/0001", book, instructed=Money(119_000, "EUR")))[0] is Confidence.CERTAIN
    above = match(118_400, "INV-2026/0001", book, charges_minor=600)
    assert best(above) == (Confidence.LIKELY, [1], {R.NUMBER_IN_TEXT, R.EXACT_AMOUNT, R.CHARGES_STATED})


def test_an_amount_ordered_in_the_currency_of_the_invoice() -> None:
    result = match(110_000, "USD-90001", instructed=Money(130_000, "USD"))
    assert best(result) == (Confidence.CERTAIN, [9], {R.NUMBER_IN_TEXT, R.EXACT_AMOUNT, R.ORIGINAL_CURRENCY})
    assert result.proposals[0].unapplied_minor == 0
    assert not match(110_000, "USD-90001", instructed=Money(129_999, "USD")).proposals
    more = OpenBook([*ITEMS, item(10, "USD-90002", 100, 2, currency="USD")])
    assert best(match(1, "USD-90001 USD-90002", more, instructed=Money(130_100, "USD")))[2] >= {R.SUM_OF_NAMED}


def test_the_payer_and_the_amount() -> None:
    assert best(match(50_000, payer_account="DE1")) == (Confidence.LIKELY, [2], {R.PAYER_ACCOUNT_KNOWN, R.EXACT_AMOUNT})
    assert best(match(50_000, payer_name="ALPHA WERKE GMBH")) == (Confidence.LIKELY, [2], {R.NAME_EXACT, R.EXACT_AMOUNT})
    assert best(match(50_000, payer_name="Alpha-Werke AG")) == (Confidence.LIKELY, [2], {R.NAME_WITHOUT_LEGAL_FORM, R.EXACT_AMOUNT})
    assert best(match(50_000, payer_name="Alpha Werk")) == (Confidence.POSSIBLE, [2], {R.NAME_SIMILAR, R.EXACT_AMOUNT})
    assert best(match(10_000, payer_account="DE1")) == (Confidence.LIKELY, [3, 4], {R.PAYER_ACCOUNT_KNOWN, R.ALL_DUE})
    assert best(match(179_000, payer_account="DE1")) == (Confidence.LIKELY, [3, 4, 1, 2], {R.PAYER_ACCOUNT_KNOWN, R.ALL_OPEN})
    assert best(match(20_000, payer_name="gamma")) == (Confidence.POSSIBLE, [7], {R.NAME_WITHOUT_LEGAL_FORM, R.EXACT_AMOUNT})
    assert best(match(20_000, payer_account="G"))[0] is Confidence.POSSIBLE
    assert best(match(1, payer_account="DE1")) == (Confidence.POSSIBLE, [], {R.PAYER_ACCOUNT_KNOWN, R.ON_ACCOUNT})
    assert match(1, payer_account="DE1").proposals[0].buyer_ids == (1,)
    book = OpenBook(ITEMS, BUYERS)
    assert not match(1, book=book, payer_name="Alpha Werk").proposals
    assert best(match(119_000, book=book, payer_name="Betta Trading"))[1] == [5]
    assert not match(1, book=book, payer_name="...").proposals
    assert match(1).confidence is Confidence.NONE


def test_alike_amounts_are_possible_only() -> None:
    items = [item(key, f"N-{key}0000", 100, 1 if key < 3 else 2) for key in range(1, 5)]
    found = match(100, book=OpenBook(items, BUYERS), payer_name="Alpha Werke GmbH")
    assert [(each.confidence, set(each.reasons)) for each in found.proposals] == [
        (Confidence.POSSIBLE, {R.NAME_EXACT, R.EXACT_AMOUNT, R.SEVERAL_FIT})
    ] * 2
    assert not match(100, book=OpenBook(items, BUYERS)).proposals
    assert set(match(100, book=OpenBook(items[:2])).proposals[0].reasons) == {R.EXACT_AMOUNT, R.SEVERAL_FIT}
    assert best(match(119_000, book=OpenBook(ITEMS[:1]))) == (Confidence.POSSIBLE, [1], {R.EXACT_AMOUNT})


def test_a_small_deduction_from_an_unnamed_invoice() -> None:
    book = OpenBook(ITEMS, BUYERS, {"DE1": [1]}, {"EUR": Tolerance(500)})
    result = match(49_600, book=book, payer_account="DE1")
    assert best(result) == (Confidence.POSSIBLE, [2], {R.PAYER_ACCOUNT_KNOWN, R.CHARGES_DEDUCTED})
    assert result.proposals[0].shares[0].deducted_minor == 400


def test_a_settled_invoice_that_is_named_makes_one_cautious() -> None:
    result = match(119_000, "INV-2026/0001 INV-2026/0008")
    assert best(result) == (Confidence.LIKELY, [1], {R.NUMBER_IN_TEXT, R.EXACT_AMOUNT, R.NAMES_SETTLED_INVOICE})
    assert result.designated == ("INV-2026/0001", "INV-2026/0008")
    assert match(4_000, "INV-2026/0008").designated == ("INV-2026/0008",)


def test_a_number_of_two_invoices_is_that_of_the_open_one() -> None:
    twins = [item(1, "10001", 100), item(2, "010001", 0)]
    assert [share.item.id for share in match(100, "10001", OpenBook(twins)).proposals[0].shares] == [1]
    assert not match(7, "10001", OpenBook([item(1, "10001", 100), item(2, "010001", 100)])).designated


def test_money_for_goods_to_come_is_never_certain() -> None:
    for text in ("prepayment INV-2026/0001", "advance payment INV-2026/0001", "Förskott INV-2026/0001", "przedpłata INV-2026/0001"):
        assert best(match(119_000, text)) == (Confidence.LIKELY, [1], {R.NUMBER_IN_TEXT, R.EXACT_AMOUNT, R.MENTIONS_PREPAYMENT})


def test_two_certain_ways_contradict_each_other() -> None:
    result = match(119_000, "INV-2026/0001 USD-90001", instructed=Money(130_000, "USD"))
    assert [each.confidence for each in result.proposals] == [Confidence.LIKELY] * 2
    assert all(R.SEVERAL_FIT in each.reasons for each in result.proposals)


def test_many_named_items_are_not_combined() -> None:
    items = [item(key, f"NUM{key:05}", 2**key) for key in range(1, 15)]
    text = " ".join(each.number for each in items)
    assert R.SOME_OF_NAMED not in match(6, text, OpenBook(items)).proposals[0].reasons


def test_the_trace_leads_to_the_confidence() -> None:
    (first, *_others) = match(119_000, "INV-2026/0001").proposals
    assert [step.name for step in first.trace] == [
        "money_received",
        "invoices_named",
        "payer_recognised",
        "amount_compared",
        "confidence_given",
    ]
    assert first.trace.steps[-1].result == "certain"
    assert len(match(1, payer_account="DE1").proposals[0].trace) == 4


def test_tolerances_must_make_sense() -> None:
    for wrong in ({"charges_minor": -1}, {"discount_percent": Decimal(101)}, {"discount_percent": Decimal(-1)}, {"discount_days": -1}):
        with pytest.raises(InvalidValue):
            Tolerance(**wrong)  # type: ignore[arg-type]  # the kinds are right, the values are not


@st.composite
def books(draw: st.DrawFn) -> tuple[OpenBook, IncomingPayment]:
    """A book of few buyers with few amounts, so that much fits, and a payment that names some of it."""
    items = [
        item(
            key,
            f"INV{key:05}" if key % 3 else f"{key}",
            draw(st.sampled_from([0, 1, 99, 100, 1_000, 2_000])),
            draw(st.integers(1, 4)),
            gross_minor=2_000,
            currency=draw(st.sampled_from(["EUR", "EUR", "USD"])),
        )
        for key in range(1, draw(st.integers(1, 9)))
    ]
    named = draw(st.lists(st.sampled_from([each.number for each in items]), max_size=4)) if items else []
    tolerance = Tolerance(draw(st.sampled_from([0, 1, 100])), Decimal(draw(st.sampled_from([0, 3]))))
    payment = IncomingPayment(
        draw(st.sampled_from([1, 98, 99, 100, 199, 1_000, 1_100, 3_000])),
        "EUR",
        DAY,
        text=" ".join(named),
        payer_name=draw(st.sampled_from(["", "Alpha Werke GmbH", "gamma", "Betta Trading"])),
        payer_account=draw(st.sampled_from(["", "DE1"])),
        charges_minor=draw(st.sampled_from([0, 1])),
        instructed=draw(st.sampled_from([None, Money(1_000, "USD"), Money(101, "EUR")])),
    )
    return OpenBook(items, BUYERS, {"DE1": [1]}, {"EUR": tolerance}), payment


@given(books())
def test_no_proposal_gives_away_more_than_was_paid_or_is_open(drawn: tuple[OpenBook, IncomingPayment]) -> None:
    book, payment = drawn
    result = match_payment(payment, book)
    ranks = [proposal.confidence.rank for proposal in result.proposals]
    assert ranks == sorted(ranks)
    assert len(ranks) <= 5
    assert sum(proposal.confidence is Confidence.CERTAIN for proposal in result.proposals) <= 1
    assert result == match_payment(payment, book)
    for proposal in result.proposals:
        paid = sum(share.paid_minor for share in proposal.shares)
        assert all(0 < share.paid_minor + share.deducted_minor <= share.item.open_minor for share in proposal.shares)
        assert len({share.item.id for share in proposal.shares}) == len(proposal.shares)
        assert len({share.item.currency for share in proposal.shares}) <= 1
        if R.ORIGINAL_CURRENCY in proposal.reasons:
            assert payment.instructed == Money(paid, "USD")
        else:
            assert paid + proposal.unapplied_minor == payment.amount_minor
        if proposal.confidence is Confidence.CERTAIN:
            assert {share.item.number for share in proposal.shares} <= set(result.designated)
        deducted = sum(share.deducted_minor for share in proposal.shares)
        assert (deducted > 0) == (proposal.deduction is not None)
