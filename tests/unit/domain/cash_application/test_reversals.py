from __future__ import annotations

from dataclasses import replace
from datetime import date

from insureflow.domain.bank_statements import BankEntry, EntryStatus
from insureflow.domain.cash_application import EntryState, find_reversed, state_of

PAID = BankEntry(
    1, 100, "EUR", is_credit=True, booked_on=date(2026, 11, 1), end_to_end_id="E1", bank_reference="B1", counterparty_account="DE 1"
)
BACK = replace(PAID, is_credit=False, is_reversal=True, booked_on=date(2026, 11, 5), bank_reference="B2")


def test_only_booked_receipts_wait_for_a_match() -> None:
    assert state_of(PAID) is EntryState.UNMATCHED
    for other in (BACK, replace(PAID, is_reversal=True), replace(PAID, status=EntryStatus.PENDING), replace(PAID, amount_minor=0)):
        assert state_of(other) is EntryState.NOT_A_RECEIPT


def test_the_strongest_mark_that_fits_one_entry_decides() -> None:
    assert find_reversed(BACK, [replace(PAID, end_to_end_id="E2"), PAID]) == 1
    assert find_reversed(replace(BACK, end_to_end_id="NOTPROVIDED", bank_reference="B1"), [PAID, replace(PAID, bank_reference="B9")]) == 0
    assert find_reversed(replace(BACK, end_to_end_id="", bank_reference="NONREF"), [PAID]) == 0
    assert find_reversed(replace(BACK, end_to_end_id="", counterparty_account=""), [PAID]) is None
    assert find_reversed(BACK, [PAID, PAID]) is None


def test_what_cannot_be_taken_back() -> None:
    for other in (
        replace(PAID, amount_minor=99),
        replace(PAID, currency="USD"),
        replace(PAID, is_reversal=True),
        replace(PAID, is_credit=False),
        replace(PAID, booked_on=date(2026, 11, 6)),
    ):
        assert find_reversed(BACK, [other]) is None
    assert find_reversed(BACK, [replace(PAID, booked_on=None)]) == 0
    assert find_reversed(replace(BACK, booked_on=None), [PAID]) == 0
    assert find_reversed(PAID, [PAID]) is None
    assert find_reversed(replace(BACK, is_reversal=False), [PAID]) is None
