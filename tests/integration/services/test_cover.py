"""What is derived from ledger, limits and policies: kept true, rebuilt, checked and explained."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation
from support.trading import TODAY, Trade, make_up

from insureflow.domain.errors import Refusal
from insureflow.models.base import FOREVER
from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation
from insureflow.models.database import db
from insureflow.models.receivables import CreditNote, Invoice, Payment
from insureflow.models.scope import within
from insureflow.services.cover import check, explain_account, explain_invoice, rebuild, refresh_buyers
from insureflow.services.rates import MissingRates
from insureflow.services.transaction import transaction

DERIVED = (InvoicePosition, AccountState, Exposure, Obligation)


@pytest.fixture
def trade(session: Session) -> Trade:
    made = make_up(session)
    rebuild(made.organisation_id, TODAY)
    return made


def contents(organisation_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """All derived rows without their keys."""
    with within(organisation_id):
        return {
            model.__tablename__: sorted(
                tuple(str(getattr(row, column.key)) for column in model.__table__.columns if column.key != "id")
                for row in db.session.scalars(select(model))
            )
            for model in DERIVED
        }


def keys(organisation_id: int) -> dict[str, set[int]]:
    with within(organisation_id):
        return {model.__tablename__: set(db.session.scalars(select(model.id))) for model in DERIVED}


def test_every_table_gets_rows_and_a_check_agrees(trade: Trade) -> None:
    counts = {name: len(rows) for name, rows in contents(trade.organisation_id).items()}
    assert all(counts.values()), counts
    assert check(trade.organisation_id, TODAY) == []


def test_a_check_of_a_past_day_compares_exposure_as_far_as_it_is_kept(trade: Trade) -> None:
    past = TODAY - timedelta(days=60)
    assert {each.table for each in check(trade.organisation_id, past)} >= {"exposure"}
    of_exposure = [each for each in check(trade.organisation_id, past, today=TODAY) if each.table == "exposure"]
    assert of_exposure == []
    with transaction(trade.organisation_id) as session:
        gone = session.scalars(select(Exposure).where(Exposure.valid_from == TODAY)).all()
        for row in gone:
            session.delete(row)
    missing = [each for each in check(trade.organisation_id, past, today=TODAY) if each.table == "exposure"]
    assert len(missing) == len(gone) > 1
    assert {each.stored is None for each in missing} == {True}


def test_the_ledger_and_its_positions_add_up(trade: Trade) -> None:
    with within(trade.organisation_id):
        open_now = dict(
            db.session.execute(
                select(Invoice.currency, func.sum(Invoice.open_minor)).where(Invoice.open_minor > 0).group_by(Invoice.currency)
            ).all()
        )
        far = TODAY + timedelta(days=1000)
        held = dict(
            db.session.execute(
                select(InvoicePosition.currency, func.sum(InvoicePosition.ledger_open_minor))
                .where(InvoicePosition.valid_from <= far, InvoicePosition.valid_to > far)
                .group_by(InvoicePosition.currency)
            ).all()
        )
    assert {currency: int(amount) for currency, amount in held.items() if amount} == {
        currency: int(amount) for currency, amount in open_now.items()
    }
    assert len(open_now) == 3


def test_unchanged_rows_are_left_alone(trade: Trade) -> None:
    before = keys(trade.organisation_id)
    with transaction(trade.organisation_id) as session:
        refresh_buyers(session, None, TODAY)
    after = keys(trade.organisation_id)
    assert after["account_state"] == before["account_state"]
    assert after["obligation"] == before["obligation"]


def test_refreshing_one_buyer_is_the_same_as_rebuilding_all(trade: Trade) -> None:
    buyer = trade.buyers[3]
    with transaction(trade.organisation_id) as session:
        books = Books(session, trade.organisation_id)
        books._number = 9_000
        invoice = books.invoice(trade.entities[0], buyer, 123_456, TODAY, TODAY + timedelta(days=30))
        books.payment(trade.entities[0], buyer, 23_456, TODAY, {invoice: 23_456})
        books.limit(trade.policies[0], buyer, 777_700, TODAY)
        refresh_buyers(session, [buyer.id], TODAY)
    assert check(trade.organisation_id, TODAY) == []
    one = contents(trade.organisation_id)
    rebuild(trade.organisation_id, TODAY)
    assert contents(trade.organisation_id) == one


def test_positions_do_not_depend_on_the_day_of_the_rebuild(trade: Trade) -> None:
    before = contents(trade.organisation_id)["invoice_position"]
    rebuild(trade.organisation_id, TODAY - timedelta(days=200))
    assert contents(trade.organisation_id)["invoice_position"] == before


@pytest.mark.parametrize("insured", [True, False], ids=["insured", "without policy"])
@pytest.mark.parametrize("model", [InvoicePosition, Exposure])
def test_a_tampered_row_is_found(trade: Trade, model: Any, insured: bool) -> None:
    with transaction(trade.organisation_id) as session:
        where = [
            model.policy_id.is_not(None) if insured else model.policy_id.is_(None),
            model.ledger_open_minor > 0,
            model.valid_to == FOREVER,
        ]
        key = session.scalar(select(model.id).where(*where).order_by(model.id).limit(1))
        assert key is not None
        session.execute(update(model).where(model.id == key).values(ledger_open_minor=model.ledger_open_minor + 1))
    differences = [found for found in check(trade.organisation_id, TODAY) if found.table == model.__tablename__]
    assert len(differences) == 1
    stored, calculated = differences[0].stored, differences[0].calculated
    assert stored is not None
    assert calculated is not None
    assert stored["ledger_open_minor"] == calculated["ledger_open_minor"] + 1
    rebuild(trade.organisation_id, TODAY)
    assert check(trade.organisation_id, TODAY) == []


def test_a_missing_row_is_found(trade: Trade) -> None:
    with transaction(trade.organisation_id) as session:
        row = session.scalar(select(AccountState).order_by(AccountState.id).limit(1))
        session.delete(row)
    assert [(found.table, found.stored) for found in check(trade.organisation_id, TODAY)] == [("account_state", None)]


def test_another_organisation_is_neither_read_nor_touched(session: Session, trade: Trade) -> None:
    other = make_up(session, slug="other", seed=8, buyers=6)
    rebuild(other.organisation_id, TODAY)
    theirs = contents(other.organisation_id)
    ours = contents(trade.organisation_id)
    rebuild(trade.organisation_id, TODAY)
    assert contents(other.organisation_id) == theirs
    assert contents(trade.organisation_id) == ours
    assert check(other.organisation_id, TODAY) == []


def test_documents_keep_the_rate_of_their_own_day(session: Session) -> None:
    owner = organisation(session)
    with transaction(owner.id) as working:
        books = Books(working, owner.id)
        entity, buyer = books.entity(), books.buyer()
        policy = books.policy([entity], {"currency": "EUR"})
        books.limit(policy, buyer, 10_000_00, date(2024, 1, 2))
        dollars = books.invoice(entity, buyer, 1_000_00, date(2024, 3, 3), date(2024, 4, 3), currency="USD")  # a Sunday
        euros = books.invoice(entity, buyer, 1_000_00, date(2024, 3, 4), date(2024, 4, 3))
        note = books.credit_note(entity, buyer, 10_00, date(2024, 3, 5), currency="USD")
        money = books.payment(entity, buyer, 10_00, date(2024, 3, 6), currency="USD")
        refresh_buyers(working, None, date(2024, 6, 1))
        found = working.execute(select(Invoice.id, Invoice.policy_id, Invoice.rate, Invoice.rate_source).order_by(Invoice.id)).all()
        payment_rate = working.scalar(select(Payment.rate).where(Payment.id == money.id))
        note_rate = working.scalar(select(CreditNote.rate).where(CreditNote.id == note.id))
    # Published on Friday 1 March 2024: 1 EUR = 1.0813 USD.
    assert tuple(found[0]) == (dollars.id, policy.id, Decimal("0.924812725423102"), "ECB 2024-03-01")
    assert tuple(found[1]) == (euros.id, policy.id, Decimal(1), "same currency")
    assert payment_rate is not None
    assert note_rate is not None
    assert payment_rate != note_rate


def test_missing_rates_are_all_named_and_nothing_is_changed(session: Session) -> None:
    owner = organisation(session)
    with transaction(owner.id) as working:
        books = Books(working, owner.id)
        entity, buyer = books.entity(), books.buyer()
        books.policy([entity], {"currency": "EUR"})
        books.invoice(entity, buyer, 1_000, date(2026, 3, 3), date(2026, 4, 3), currency="RUB")
        books.invoice(entity, buyer, 1_000, date(2026, 3, 4), date(2026, 4, 3), currency="AED")
    with pytest.raises(MissingRates) as caught:
        rebuild(owner.id, TODAY)
    assert caught.value.missing == (("AED", "EUR", date(2026, 3, 4)), ("RUB", "EUR", date(2026, 3, 3)))
    assert not any(contents(owner.id).values())


def test_money_follows_what_it_settles(session: Session) -> None:
    """Two policies, one buyer: a payment goes to the account of the invoice it settles, loose money to the first account."""
    owner = organisation(session)
    with transaction(owner.id) as working:
        books = Books(working, owner.id)
        one, two, buyer = books.entity("E1"), books.entity("E2"), books.buyer()
        first, second = (
            books.policy([one], {"currency": "EUR"}, number="A", priority=1),
            books.policy([two], {"currency": "EUR"}, number="B", priority=2),
        )
        for policy in (first, second):
            books.limit(policy, buyer, 1_000_00, date(2026, 1, 1))
        older = books.invoice(one, buyer, 500_00, date(2026, 1, 5), date(2026, 2, 5))
        younger = books.invoice(two, buyer, 400_00, date(2026, 1, 6), date(2026, 2, 6))
        books.payment(two, buyer, 350_00, date(2026, 2, 1), {younger: 300_00, older: 50_00})
        books.payment(one, buyer, 20_00, date(2026, 2, 2))
        refresh_buyers(working, None, date(2026, 2, 10))
        rows = {
            row.policy_id: row
            for row in working.scalars(
                select(Exposure).where(Exposure.valid_from <= date(2026, 2, 10), Exposure.valid_to > date(2026, 2, 10))
            )
        }
    assert (rows[first.id].ledger_open_minor, rows[first.id].open_minor, rows[first.id].unapplied_minor) == (450_00, 430_00, 20_00)
    assert (rows[second.id].ledger_open_minor, rows[second.id].open_minor, rows[second.id].unapplied_minor) == (100_00, 100_00, 0)


def test_an_invoice_is_explained_from_ledger_policy_and_rate_on(trade: Trade) -> None:
    with within(trade.organisation_id):
        row = db.session.execute(
            select(
                InvoicePosition.invoice_id,
                InvoicePosition.primary_minor,
                InvoicePosition.top_up_minor,
                InvoicePosition.policy_id,
                InvoicePosition.buyer_id,
            )
            .where(InvoicePosition.primary_minor > 0, InvoicePosition.valid_from <= TODAY, InvoicePosition.valid_to > TODAY)
            .order_by(InvoicePosition.id)
        ).first()
        assert row is not None
        trace = explain_invoice(row.invoice_id, TODAY)
        assert [step.name for step in trace][:3] == ["ledger_open", "policy", "rate"]
        split = next(step for step in trace if step.name == "split")
        assert split.result is not None
        assert split.result.minor == row.primary_minor + row.top_up_minor  # type: ignore[union-attr]
        account = explain_account(row.policy_id, row.buyer_id, TODAY)
        assert {"limit_decision", "headroom", "split", "insurer_liability"} <= {step.name for step in account}
        alone = db.session.scalar(select(InvoicePosition.invoice_id).where(InvoicePosition.policy_id.is_(None)).limit(1))
        assert alone is not None
        assert [(step.name, step.result) for step in explain_invoice(alone, TODAY)][1] == ("policy", "no_policy")
        with pytest.raises(Refusal, match="invoice_unknown"):
            explain_invoice(10**9, TODAY)
