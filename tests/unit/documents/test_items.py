"""Sums of papers: parts that do not add up are refused, age groups lose nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.papers import (
    debt_proof,
    euros,
    exposure,
    interest_notice,
    non_payment,
    open_items,
    payment_plan,
    reminder,
    rescheduling_request,
    statement,
)

from insureflow.documents.items import OpenItem, ageing, check_totals, totals_of
from insureflow.documents.parties import grouped_iban
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n.words import sentence_for

DAY = date(2026, 9, 1)
MONEYS = st.builds(Money, st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "USD", "JPY"]))
ITEMS = st.builds(
    lambda money, late: OpenItem(number="1", issued_on=DAY, due_on=DAY - timedelta(days=late), amount=money, open=money),
    MONEYS,
    st.integers(-400, 400),
)


@given(st.lists(MONEYS))
def test_a_total_is_accepted_as_it_is_and_refused_by_one_more(moneys: list[Money]) -> None:
    totals = totals_of(moneys)
    check_totals("P-1", totals, moneys)
    assert len({total.currency for total in totals}) == len(totals)
    for place, total in enumerate(totals):
        wrong = (*totals[:place], total + Money(1, total.currency), *totals[place + 1 :])
        with pytest.raises(Refusal, match="document_totals_differ"):
            check_totals("P-1", wrong, moneys)


@given(st.lists(ITEMS))
def test_age_groups_add_up_to_the_open_items(items: list[OpenItem]) -> None:
    whole = {total.currency: total for total in totals_of(item.open for item in items)}
    assert {currency: totals_of(groups)[0] for currency, groups in ageing(items, DAY).items()} == whole


def test_ages_end_where_they_say() -> None:
    for late, group in ((-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)):
        item = replace(open_items(1)[0], due_on=DAY - timedelta(days=late))
        (groups,) = ageing([item], DAY).values()
        assert [index for index, amount in enumerate(groups) if amount] == [group]
        assert item.days_late(DAY) == max(0, late)
    assert replace(open_items(1)[0], open=euros("-5.00")).days_late(date(2030, 1, 1)) == 0


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: replace(reminder(), stated_totals=(euros("1.00"),)), "document_totals_differ"),
        (lambda: replace(reminder(), items=(), stated_totals=()), "document_without_items"),
        (lambda: replace(interest_notice(), totals=(euros("126.01"),)), "document_totals_differ"),
        (lambda: replace(interest_notice(), lines=()), "document_without_items"),
        (lambda: replace(statement(), closing=(euros("1.00"),)), "document_totals_differ"),
        (lambda: replace(statement(), opening=()), "document_totals_differ"),
        (lambda: replace(statement(), since=None), "document_history_without_start"),
        (lambda: replace(payment_plan(), interest=()), "document_totals_differ"),
        (lambda: replace(payment_plan(), instalments=()), "document_without_items"),
        (lambda: replace(exposure()[0], uninsured=euros("0.01")), "document_totals_differ"),
        (lambda: replace(non_payment(), items=exposure(5)), "document_totals_differ"),
        (lambda: replace(non_payment(), items=(), stated=None), "document_without_items"),
        (lambda: replace(rescheduling_request(), plan_items=("2026-0400",)), "document_totals_differ"),
        (lambda: replace(debt_proof(), costs=()), "document_totals_differ"),
        (lambda: replace(debt_proof(), items=()), "document_without_items"),
    ],
)
def test_a_paper_that_does_not_add_up_is_refused(make: object, code: str) -> None:
    assert callable(make)
    with pytest.raises(Refusal) as refused:
        make()
    assert refused.value.code == code
    assert "cannot be written" in sentence_for(refused.value, "en")


def test_an_iban_is_written_in_groups() -> None:
    assert grouped_iban("se45 50000000058398257466") == "SE45 5000 0000 0583 9825 7466"
    assert grouped_iban("") == ""
