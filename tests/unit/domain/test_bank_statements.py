from __future__ import annotations

from dataclasses import replace
from datetime import date

from insureflow.domain.bank_statements import (
    Balance,
    BankEntry,
    BankStatement,
    Booking,
    StatementKind,
    is_reference,
    mark_bookings,
    mark_statement,
    plain_account,
)
from insureflow.domain.money import Money

ENTRY = BankEntry(1, 100, "EUR", is_credit=True, booked_on=date(2026, 11, 1), end_to_end_id="E1", text="INV 1", counterparty_account="DE 1")


def booking(*parts: BankEntry, reference: str = "") -> Booking:
    return Booking(reference, parts)


def test_a_booking_is_known_again_whoever_tells_of_it() -> None:
    told = mark_bookings("A", [booking(ENTRY, reference="B-1")])[0]
    again = mark_bookings("A", [booking(replace(ENTRY, row=9, text="inv1", counterparty_account="de1"), reference="b1")])[0]
    assert told == again
    unsaid = mark_bookings("A", [booking(replace(ENTRY, text="", end_to_end_id="NOTPROVIDED"), reference="B-1")])[0]
    assert (unsaid.reference, unsaid.content == told.content) == (told.reference, False)
    for other in (
        replace(ENTRY, amount_minor=101),
        replace(ENTRY, is_credit=False),
        replace(ENTRY, booked_on=date(2026, 11, 2)),
        replace(ENTRY, is_reversal=True),
        replace(ENTRY, currency="USD"),
        replace(ENTRY, booked_on=None),
    ):
        different = mark_bookings("A", [booking(other, reference="B-1")])[0]
        assert different.reference != told.reference
        assert different.content != told.content
    assert mark_bookings("B", [booking(ENTRY)])[0].content != told.content


def test_equal_payments_of_a_day_are_counted() -> None:
    first, second = mark_bookings("A", [booking(ENTRY), booking(ENTRY)])
    assert first.content != second.content
    assert first.reference is None


def test_a_statement_is_known_again() -> None:
    statement = BankStatement(
        StatementKind.STATEMENT, "mt940", "S", "1", "A", "EUR", None, None, Balance(Money(0, "EUR"), None), None, (booking(ENTRY),)
    )
    assert mark_statement(statement) == mark_statement(replace(statement, source="camt.053.001.08", sequence="2"))
    assert mark_statement(statement) != mark_statement(replace(statement, closing=Balance(Money(100, "EUR"), None)))
    assert mark_statement(statement) != mark_statement(replace(statement, bookings=()))


def test_words_for_no_reference() -> None:
    assert [is_reference(text) for text in ("NOTPROVIDED", "not provided", "NONREF", "-", "", "0")] == [False] * 5 + [True]
    assert plain_account("de 12 34") == "DE1234"
