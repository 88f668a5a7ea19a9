"""Lists of open items: what they name, what they leave out, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from support.import_ledgers import TODAY, Ledger, line, refused

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.domain.receivables import ImportMode
from insureflow.models.cover import Exposure, InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.models.scope import within
from insureflow.services import cover


def test_what_a_list_no_longer_names_is_settled_and_marked_inferred(insured: Ledger) -> None:
    insured.list_of("2026-06-01", line("A1"), line("A2"), line("A3", customer="1002"))
    outcome = insured.list_of("2026-06-15", line("A2"))
    assert outcome.counts["inferred_payments"] == 2
    assert insured.open_amounts() == {"A1": 0, "A2": 10000, "A3": 0}
    with within(insured.tenant.id):
        payments = db.session.scalars(select(Payment)).all()
        assert {(payment.received_on, payment.inferred, payment.amount_minor) for payment in payments} == {(date(2026, 6, 15), True, 10000)}
    assert cover.check(insured.tenant.id, TODAY) == []


def test_an_invoice_after_the_day_of_the_list_is_left_alone(ledger: Ledger) -> None:
    ledger.take(line("A1"), line("A2", document_date="2026-06-20", due_date="2026-07-20"))
    ledger.list_of("2026-06-15", line("A9"))
    assert ledger.open_amounts() == {"A1": 0, "A2": 10000, "A9": 10000}


def test_an_item_open_for_less_was_settled_in_part(ledger: Ledger) -> None:
    ledger.list_of("2026-06-01", line("A1"), line("A2"))
    ledger.list_of("2026-06-15", line("A1", open="30.00"), line("A2"))
    ledger.list_of("2026-06-15", line("A1", open="20.00"), line("A2"))
    assert ledger.open_amounts() == {"A1": 2000, "A2": 10000}
    with within(ledger.tenant.id):
        assert sorted(db.session.scalars(select(Payment.number))) == ["A1/part/2026-06-15", "A1/part/2026-06-15/2"]


def test_a_list_that_knows_only_open_amounts_settles_in_part_too(ledger: Ledger) -> None:
    profile = get_shipped_profile("plain")
    columns = {name: rule for name, rule in profile.columns.items() if name not in {"open", "net", "vat"}}
    only_open = replace(profile, columns=columns, mode=ImportMode.OPEN_ITEMS)
    ledger.list_of("2026-06-01", line("A1"), line("A2"), profile=only_open)
    ledger.list_of("2026-06-15", line("A1", "25.00"), profile=only_open)
    assert ledger.open_amounts() == {"A1": 2500, "A2": 0}
    ledger.list_of("2026-06-20", line("A1", "25.00"), line("A2", "40.00"), profile=only_open)
    assert ledger.open_amounts() == {"A1": 2500, "A2": 4000}
    outcome = ledger.list_of("2026-06-21", line("A1", "125.00"), line("A2", "40.00"), profile=only_open)
    assert [problem.code for problem in outcome.problems] == ["invoice_differs"]


def test_an_item_that_comes_back_had_not_been_settled(insured: Ledger) -> None:
    insured.list_of("2026-06-01", line("A1"), line("A2"))
    insured.list_of("2026-06-10", line("A2"))
    before = insured.dump()
    outcome = insured.list_of("2026-06-20", line("A1"), line("A2"))
    assert (outcome.counts["taken_back"], insured.open_amounts()) == (1, {"A1": 10000, "A2": 10000})
    assert insured.count(Payment) == 0
    insured.undo(outcome)
    assert insured.dump() == before
    partly = insured.list_of("2026-06-20", line("A1", open="60.00"), line("A2"))
    assert insured.open_amounts() == {"A1": 6000, "A2": 10000}
    assert cover.check(insured.tenant.id, TODAY) == []
    insured.undo(partly)
    assert insured.dump() == before


def test_an_item_whose_real_payment_is_known_cannot_be_open_again(ledger: Ledger) -> None:
    ledger.take(line("A1"), line("P1", "60.00", kind="payment", applies_to="A1"))
    outcome = ledger.list_of("2026-06-20", line("A1", open="70.00"))
    assert [(problem.column, problem.value, problem.code) for problem in outcome.problems] == [("open", "70.00", "open_amount_rose")]


def test_an_older_list_is_refused(ledger: Ledger) -> None:
    ledger.list_of("2026-06-15", line("A1"))
    before = ledger.dump()
    refusal = refused(lambda: ledger.list_of("2026-06-14", line("A2")))
    assert (refusal.code, refusal.parameters["newest"]) == ("list_older_than_ledger", date(2026, 6, 15))
    assert ledger.dump() == before


def test_a_list_with_bad_rows_settles_nothing_because_those_rows_may_be_what_is_missing(ledger: Ledger) -> None:
    ledger.list_of("2026-06-01", line("A1"), line("A2"))
    before = ledger.dump()
    refusal = refused(lambda: ledger.list_of("2026-06-15", line("A1", "not an amount"), line("A2"), good_rows_only=True))
    assert refusal.code == "list_incomplete"
    assert ledger.dump() == before


# ---------------------------------------------------------------------- credit notes and payments on account


def owed(ledger: Ledger) -> dict[str, int]:
    """Receivables less what is not applied, by currency, as exposure tells it."""
    with within(ledger.tenant.id):
        rows = db.session.execute(
            select(Exposure.currency, func.sum(Exposure.ledger_open_minor - Exposure.unapplied_minor))
            .where(Exposure.valid_from <= TODAY, Exposure.valid_to > TODAY)
            .group_by(Exposure.currency)
        )
        return {currency: int(minor) for currency, minor in rows}


def open_positions(ledger: Ledger) -> int:
    """What positions say is open of all invoices, less the credit that no invoice took."""
    with within(ledger.tenant.id):
        valid = (InvoicePosition.valid_from <= TODAY, InvoicePosition.valid_to > TODAY)
        return int(db.session.scalar(select(func.sum(InvoicePosition.open_minor)).where(*valid)) or 0)


NOTE = line("C1", "40.00", kind="credit_note", due_date="")


@pytest.mark.parametrize(
    ("second", "open_amounts", "note", "inferred"),
    [
        # it settled the invoice that went down
        ((line("A1", open="60.00"), line("A2")), {"A1": 6000, "A2": 10000}, (4000, 0), 0),
        # it settled one that is gone, the rest of which was paid
        ((line("A2"),), {"A1": 0, "A2": 10000}, (4000, 0), 1),
        # a reduction of just its amount is likelier than an older one
        ((line("A1", open="90.00"), line("A2", open="60.00")), {"A1": 9000, "A2": 6000}, (4000, 0), 1),
        # nothing went down: it was paid out, and only so much of it ever counts
        ((line("A1"), line("A2")), {"A1": 10000, "A2": 10000}, (0, 0), 0),
        ((line("A1", open="75.00"), line("A2")), {"A1": 7500, "A2": 10000}, (2500, 0), 0),
        # still there, for less
        ((line("A1", open="85.00"), line("A2"), line("C1", "15.00", kind="credit_note")), {"A1": 8500, "A2": 10000}, (3000, 1500), 0),
        # still there
        ((line("A1"), NOTE), {"A1": 10000, "A2": 0}, (4000, 4000), 1),
    ],
)
def test_a_credit_note_that_a_list_no_longer_names_was_used(
    insured: Ledger, second: tuple[str, ...], open_amounts: dict[str, int], note: tuple[int, int], inferred: int
) -> None:
    insured.list_of("2026-06-01", line("A1"), line("A2"), NOTE)
    assert (insured.open_amounts(), owed(insured)) == ({"A1": 10000, "A2": 10000}, {"EUR": 16000})
    before = insured.dump()
    outcome = insured.list_of("2026-06-15", *second)
    assert insured.open_amounts() == open_amounts
    with within(insured.tenant.id):
        credit = db.session.scalars(select(CreditNote).execution_options(populate_existing=True)).one()
        assert (credit.net_minor + credit.vat_minor, credit.unapplied_minor) == note
    assert outcome.counts["inferred_payments"] == insured.count(Payment) == inferred
    assert owed(insured) == {"EUR": sum(open_amounts.values()) - note[1]}
    assert open_positions(insured) == sum(open_amounts.values()) - note[1]
    assert cover.check(insured.tenant.id, TODAY) == []
    assert insured.list_of("2026-06-15", *second).state == "unchanged"
    insured.undo(outcome)
    assert insured.dump() == before


def test_a_credit_note_that_comes_back_had_not_been_used(insured: Ledger) -> None:
    insured.list_of("2026-06-01", line("A1"), NOTE)
    insured.list_of("2026-06-10", line("A1", open="60.00"))
    before = insured.dump()
    outcome = insured.list_of("2026-06-20", line("A1"), NOTE)
    assert (insured.open_amounts(), owed(insured), outcome.counts["taken_back"]) == ({"A1": 10000}, {"EUR": 6000}, 1)
    insured.undo(outcome)
    assert insured.dump() == before
    insured.list_of("2026-06-20", line("A1", open="60.00"), NOTE)
    assert (insured.open_amounts(), owed(insured)) == ({"A1": 6000}, {"EUR": 2000})
    insured.list_of("2026-06-21", line("A1", open="60.00"))
    insured.list_of("2026-06-22", line("A1", open="60.00"), NOTE)
    assert (insured.open_amounts(), owed(insured), open_positions(insured)) == ({"A1": 6000}, {"EUR": 2000}, 2000)
    assert cover.check(insured.tenant.id, TODAY) == []
    more = insured.list_of("2026-06-23", line("A1", open="60.00"), line("C1", "41.00", kind="credit_note"))
    assert [(each.row, each.column, each.code, each.parameters["held"]) for each in more.problems] == [
        (3, "gross", "credit_rose", "40.00 EUR")
    ]


def test_a_credit_note_of_a_list_is_open_whatever_invoice_it_is_meant_for(ledger: Ledger) -> None:
    meant = line("C1", "40.00", kind="credit_note", applies_to="A1")
    ledger.list_of("2026-06-01", line("A1"), line("A2"), meant)
    assert (ledger.open_amounts(), owed(ledger)) == ({"A1": 10000, "A2": 10000}, {"EUR": 16000})
    ledger.list_of("2026-06-10", line("A1", open="60.00"), line("A2", open="60.00"))
    with within(ledger.tenant.id):
        statement = (
            select(Invoice.number).join(Allocation, Allocation.invoice_id == Invoice.id).where(Allocation.credit_note_id.is_not(None))
        )
        assert db.session.scalars(statement).all() == ["A1"]
    assert owed(ledger) == {"EUR": 12000}


def test_money_on_account_that_a_list_no_longer_names_was_used_too(insured: Ledger) -> None:
    account = line("P1", "30.00", kind="payment")
    first = insured.list_of("2026-06-01", line("A1"), account)
    assert owed(insured) == {"EUR": 7000}
    before = insured.dump()
    used = insured.list_of("2026-06-10", line("A1", open="70.00"))
    assert (insured.open_amounts(), owed(insured), used.counts["settled_credits"], insured.count(Payment)) == (
        {"A1": 7000},
        {"EUR": 7000},
        1,
        1,
    )
    insured.undo(used)
    assert insured.dump() == before
    repaid = insured.list_of("2026-06-10", line("A1"))
    assert (insured.open_amounts(), owed(insured), insured.count(Payment)) == ({"A1": 10000}, {"EUR": 10000}, 0)
    insured.undo(repaid)
    assert insured.dump() == before
    assert insured.undo(first) == 1


def test_money_that_somebody_saw_coming_in_is_not_touched_by_a_list(ledger: Ledger) -> None:
    ledger.take(line("A1"), line("P1", "30.00", kind="payment"))
    ledger.list_of("2026-06-10", line("A1"))
    with within(ledger.tenant.id):
        payment = db.session.scalars(select(Payment)).one()
        assert (payment.amount_minor, payment.unapplied_minor) == (3000, 3000)


def test_a_list_with_bad_rows_uses_no_credit(ledger: Ledger) -> None:
    ledger.list_of("2026-06-01", line("A1"), NOTE)
    refusal = refused(lambda: ledger.list_of("2026-06-15", line("A1"), line("A2", "x"), good_rows_only=True))
    assert (refusal.code, refusal.parameters["settled"]) == ("list_incomplete", 1)
