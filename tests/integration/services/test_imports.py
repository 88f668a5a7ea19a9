"""What an import does to the ledger, and that undoing it brings back exactly what was."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from support.accounts import TERMS
from support.tenants import Tenant, make_tenant

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import ImportMode
from insureflow.models.base import Base
from insureflow.models.buyers import Buyer, BuyerName
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.receivables import Allocation, CreditNote, Dispute, ImportBatch, Invoice, Payment
from insureflow.models.scope import within
from insureflow.services import cover, policies, receivables
from insureflow.services.imports import ImportOrder, ImportOutcome, import_ledger, undo_import

TODAY = date(2026, 6, 30)
HEADINGS = (
    "kind,number,customer_number,customer_name,country,currency,net,vat,gross,open,document_date,shipment_date,due_date,applies_to,"
    "disputed,disputed_amount,dispute_reason,settled_date,reference"
)
LEDGER = ("invoice", "payment", "credit_note", "allocation", "dispute", "buyer", "buyer_name", "customer_number")
DERIVED = ("invoice_position", "account_state", "exposure", "obligation")


def csv(*rows: str, headings: str = HEADINGS) -> io.BytesIO:
    """A file with these rows."""
    return io.BytesIO("\n".join([headings, *rows, ""]).encode())


def line(number: str, gross: str = "100.00", customer: str = "1001", *, kind: str = "invoice", **more: str) -> str:
    """A row of the plain layout."""
    cells = {
        "kind": kind,
        "number": number,
        "customer_number": customer,
        "customer_name": f"Customer {customer}" if customer else "",
        "country": "DE",
        "currency": "EUR",
        "gross": gross,
        "document_date": "2026-05-04",
        "due_date": "2026-06-03" if kind == "invoice" else "",
    } | more
    return ",".join(cells.get(name, "") for name in HEADINGS.split(","))


class Ledger:
    """A tenant's ledger in a test: imports files into it and looks at what it holds."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.order = ImportOrder("SE01", get_shipped_profile("plain"), TODAY, "ledger.csv")

    def take(self, *rows: str, on: date = TODAY, **options: Any) -> ImportOutcome:
        """Import these rows."""
        return import_ledger(self.tenant.actor(), self.tenant.id, replace(self.order, **options), csv(*rows), on=on)

    def list_of(self, as_of: str, *rows: str, **options: Any) -> ImportOutcome:
        """Import these rows as a list of open items."""
        return self.take(*rows, mode=ImportMode.OPEN_ITEMS, as_of=date.fromisoformat(as_of), **options)

    def undo(self, outcome: ImportOutcome) -> int:
        """Take an import back."""
        assert outcome.batch_id is not None
        return undo_import(self.tenant.actor(), self.tenant.id, outcome.batch_id, TODAY)

    def open_amounts(self) -> dict[str, int]:
        """What is open by number."""
        with within(self.tenant.id):
            return {row.number: row.open_minor for row in db.session.execute(select(Invoice.number, Invoice.open_minor))}

    def count(self, model: type[Base]) -> int:
        """How many rows a table has."""
        with within(self.tenant.id):
            return int(db.session.scalar(select(func.count()).select_from(model)) or 0)

    def dump(self, *, derived: bool = True) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the ledger, and of what follows from it without the keys, which are new after each calculation."""
        db.session.expire_all()
        tables = {}
        for name in (*LEDGER, *(DERIVED if derived else ())):
            columns = [column for column in Base.metadata.tables[name].columns if name in LEDGER or column.name != "id"]
            names = ", ".join(f'"{column.name}"' for column in columns)
            rows = db.session.connection().exec_driver_sql(f"SELECT {names} FROM {name}").all()
            tables[name] = sorted(tuple(map(str, row)) for row in rows)
        db.session.rollback()
        return tables

    def journal(self) -> list[str]:
        """The actions of the journal."""
        with within(self.tenant.id):
            return list(db.session.scalars(select(JournalEntry.action).order_by(JournalEntry.sequence)))


@pytest.fixture
def ledger(app: Flask) -> Iterator[Ledger]:
    with app.app_context():
        yield Ledger(make_tenant(app, roles=(Role.ADMINISTRATOR,)))
        db.session.remove()


@pytest.fixture
def insured(ledger: Ledger) -> Ledger:
    """The ledger of an entity with a policy."""
    policies.add_policy(
        ledger.tenant.actor(),
        ledger.tenant.id,
        number="P1",
        name="Main policy",
        insurer="Atradius",
        currency="EUR",
        terms=TERMS,
        entities=["SE01"],
        effective_on=date(2025, 1, 1),
        on=TODAY,
    )
    return ledger


def refused(action: Callable[[], object]) -> Refusal:
    """The refusal of something."""
    with pytest.raises(Refusal) as caught:
        action()
    return caught.value


# ---------------------------------------------------------------------- movements


def test_movements_bring_invoices_credit_notes_and_payments(insured: Ledger) -> None:
    outcome = insured.take(
        line("A1", "119.00", net="100.00", vat="19.00"),
        line("A2", "50.00", customer="1002"),
        line("C1", "11.90", kind="credit_note", net="10.00", vat="1.90", applies_to="A1"),
        line("P1", "60.00", kind="payment", document_date="2026-06-10", applies_to="A1"),
        line("P2", "70.00", "1002", kind="payment", document_date="2026-06-10", applies_to="A2"),
    )
    assert outcome.state == "done"
    assert outcome.counts | {"new_invoices": 2, "credit_notes": 1, "payments": 2, "new_buyers": 2, "bad_rows": 0} == outcome.counts
    assert insured.open_amounts() == {"A1": 11900 - 1190 - 6000, "A2": 0}
    with within(insured.tenant.id):
        a1 = db.session.scalars(select(Invoice).where(Invoice.number == "A1")).one()
        assert (a1.net_minor, a1.vat_minor, a1.shipment_on, a1.rate_source) == (10000, 1900, date(2026, 5, 4), "same currency")
        assert a1.policy_id is not None
        over = db.session.scalars(select(Payment).where(Payment.number == "P2")).one()
        assert (over.amount_minor, over.unapplied_minor) == (7000, 2000)
        note = db.session.scalars(select(CreditNote)).one()
        assert (note.net_minor, note.vat_minor, note.invoice_id, note.unapplied_minor) == (1000, 190, a1.id, 0)
    assert cover.check(insured.tenant.id, TODAY) == []
    assert insured.journal()[-1] == "receivables.imported"


def test_a_credit_note_before_its_invoice_in_the_file_finds_it(ledger: Ledger) -> None:
    ledger.take(line("C1", "40.00", kind="credit_note", applies_to="A1"), line("A1"))
    assert ledger.open_amounts() == {"A1": 6000}


def test_a_payment_of_several_rows_is_one_payment(ledger: Ledger) -> None:
    ledger.take(
        line("A1"),
        line("A2"),
        line("P1", "100.00", kind="payment", applies_to="A1"),
        line("P1", "30.00", kind="payment", applies_to="A2"),
    )
    assert ledger.open_amounts() == {"A1": 0, "A2": 7000}
    with within(ledger.tenant.id):
        payment = db.session.scalars(select(Payment)).one()
        assert (payment.amount_minor, payment.unapplied_minor) == (13000, 0)
        assert ledger.count(Allocation) == 2


def test_a_payment_with_one_bad_row_is_refused_whole(ledger: Ledger) -> None:
    outcome = ledger.take(
        line("A1"),
        line("P1", "100.00", kind="payment", applies_to="A1"),
        line("P1", "30.00", kind="payment", applies_to="B9"),
        good_rows_only=True,
    )
    assert [(problem.row, problem.code) for problem in outcome.problems] == [(3, "document_incomplete"), (4, "applies_to_unknown")]
    assert ledger.open_amounts() == {"A1": 10000}
    assert ledger.count(Payment) == 0


def test_a_settled_invoice_gets_a_payment_of_its_day(ledger: Ledger) -> None:
    ledger.take(line("A1", settled_date="2026-06-01"))
    assert ledger.open_amounts() == {"A1": 0}
    with within(ledger.tenant.id):
        payment = db.session.scalars(select(Payment)).one()
        assert (payment.received_on, payment.inferred, payment.amount_minor) == (date(2026, 6, 1), False, 10000)


def test_currencies_stay_apart(insured: Ledger) -> None:
    outcome = insured.take(
        line("A1", "100.00"),
        line("A2", "100.00", currency="USD"),
        line("A3", "10000", currency="JPY"),
    )
    assert outcome.totals == {"invoice": {"EUR": 10000, "USD": 10000, "JPY": 10000}}
    assert insured.open_amounts() == {"A1": 10000, "A2": 10000, "A3": 10000}
    with within(insured.tenant.id):
        rates = {row.currency: row.rate for row in db.session.execute(select(Invoice.currency, Invoice.rate))}
        assert all(rate is not None for rate in rates.values())
    assert cover.check(insured.tenant.id, TODAY) == []


def test_a_rate_that_nobody_knows_stops_the_import(insured: Ledger) -> None:
    before = insured.dump()
    refusal = refused(lambda: insured.take(line("A1"), line("A2", currency="XPF"), line("A3", currency="VUV")))
    assert refusal.code == "rates_missing"
    assert insured.dump() == before


def test_disputes_come_and_go_with_the_file(ledger: Ledger) -> None:
    ledger.take(line("A1", disputed="yes", disputed_amount="40.00", dispute_reason="Wrong goods"), line("A2"))
    with within(ledger.tenant.id):
        dispute = db.session.scalars(select(Dispute)).one()
        assert (dispute.amount_minor, dispute.opened_on, dispute.reason, dispute.resolved_on) == (4000, TODAY, "Wrong goods", None)
    bare = replace(
        get_shipped_profile("plain"), columns={k: v for k, v in get_shipped_profile("plain").columns.items() if "disput" not in k}
    )
    ledger.take(line("A1", reference="seen"), profile=bare)
    with within(ledger.tenant.id):
        assert db.session.scalars(select(Dispute).execution_options(populate_existing=True)).one().resolved_on is None
    outcome = ledger.take(line("A1", disputed="no"), line("A2"))
    assert outcome.counts["settled_disputes"] == 1
    with within(ledger.tenant.id):
        dispute = db.session.scalars(select(Dispute).execution_options(populate_existing=True)).one()
        assert (dispute.resolved_on, dispute.found_owed_minor) == (TODAY, 4000)
    ledger.undo(outcome)
    with within(ledger.tenant.id):
        assert db.session.scalars(select(Dispute).execution_options(populate_existing=True)).one().resolved_on is None


def test_what_may_change_of_an_invoice_changes(ledger: Ledger) -> None:
    ledger.take(line("A1", "119.00"), line("A2"))
    before = ledger.dump()
    outcome = ledger.take(
        line("A1", "119.00", due_date="2026-07-03", shipment_date="2026-05-06", reference="PO 7", net="100.00", vat="19.00")
    )
    assert (outcome.counts["changed_invoices"], outcome.counts["new_invoices"]) == (1, 0)
    with within(ledger.tenant.id):
        a1 = db.session.scalars(select(Invoice).where(Invoice.number == "A1").execution_options(populate_existing=True)).one()
        assert (a1.due_on, a1.original_due_on, a1.shipment_on) == (date(2026, 7, 3), date(2026, 6, 3), date(2026, 5, 6))
        assert (a1.reference, a1.net_minor, a1.vat_minor) == ("PO 7", 10000, 1900)
    ledger.undo(outcome)
    assert ledger.dump() == before


def test_what_may_not_change_is_refused_with_what_the_ledger_holds(ledger: Ledger) -> None:
    ledger.take(line("A1"), line("A2"), line("A3"), line("A4"), line("P1", "5.00", kind="payment"))
    outcome = ledger.take(
        line("A1", "90.00"),
        line("A2", currency="USD"),
        line("A3", document_date="2026-05-05"),
        line("A4", customer="1002"),
        line("P1", "6.00", kind="payment"),
    )
    assert outcome.state == "refused"
    found = [(problem.row, problem.column, problem.value, problem.code, problem.parameters.get("held")) for problem in outcome.problems]
    assert found == [
        (2, "gross", "90.00", "invoice_differs", "100.00 EUR"),
        (3, "currency", "USD", "invoice_differs", "EUR"),
        (4, "document_date", "2026-05-05", "invoice_differs", "2026-05-04"),
        (5, "customer_number", "1002", "invoice_of_other_buyer", None),
        (6, "gross", "6.00", "document_differs", "5.00 EUR"),
    ]


# ---------------------------------------------------------------------- twice, bad rows, dry runs


def test_importing_twice_changes_nothing(insured: Ledger) -> None:
    rows = [
        line("A1", "119.00", net="100.00", vat="19.00", open="19.00"),
        line("A2", customer="1002", disputed="yes"),
        line("A3", settled_date="2026-06-02"),
        line("C1", "11.90", kind="credit_note"),
        line("P1", "60.00", "1002", kind="payment", applies_to="A2"),
        line("", "1.00", "1002", kind="payment"),
        line("", "1.00", "1002", kind="payment"),
    ]
    assert insured.take(*rows).state == "done"
    before, journal, batches = insured.dump(), insured.journal(), insured.count(ImportBatch)
    positions = insured.count(InvoicePosition)
    again = insured.take(*reversed(rows))
    assert (again.state, again.counts["unchanged"], again.batch_id) == ("unchanged", 7, None)
    assert (insured.dump(), insured.journal(), insured.count(ImportBatch)) == (before, journal, batches)
    assert insured.count(InvoicePosition) == positions


def test_all_bad_rows_are_told_at_once_and_nothing_is_imported(ledger: Ledger) -> None:
    before = ledger.dump()
    outcome = ledger.take(
        line("A1"),
        line("A2", "12.345"),
        line("A3", document_date="2026-02-30"),
        line("A4", currency="XXZ"),
        line("A5", country="ZZ"),
        line("A1"),
        line("P1", "9.00", kind="payment", applies_to="NONE"),
        line("N" * 81),
        line("A6", customer="K" * 61),
    )
    assert (outcome.state, outcome.batch_id, outcome.counts["bad_rows"]) == ("refused", None, 8)
    found = [(problem.row, problem.column, problem.value, problem.code) for problem in outcome.problems]
    assert found == [
        (3, "gross", "12.345", "too_many_decimals"),
        (4, "document_date", "2026-02-30", "no_such_date"),
        (5, "currency", "XXZ", "unknown_currency"),
        (6, "country", "ZZ", "unknown_country"),
        (7, "number", "A1", "number_repeated"),
        (8, "applies_to", "NONE", "applies_to_unknown"),
        (9, "number", "N" * 81, "too_long"),
        (10, "customer_number", "K" * 61, "too_long"),
    ]
    assert ledger.dump() == before


def test_the_good_rows_come_in_when_asked_for(ledger: Ledger) -> None:
    outcome = ledger.take(line("A1"), line("A2", "x"), line("A3", customer="1003"), good_rows_only=True)
    assert (outcome.state, outcome.counts["bad_rows"], outcome.counts["new_invoices"]) == ("done", 1, 2)
    assert set(ledger.open_amounts()) == {"A1", "A3"}


def test_a_refused_row_has_no_effect_at_all(ledger: Ledger) -> None:
    ledger.take(line("A1"), line("A2"))
    outcome = ledger.take(line("A1", currency="USD", open="1.00", settled_date="2026-06-01"), line("A2", open="50.00"), good_rows_only=True)
    assert outcome.counts["bad_rows"] == 1
    assert ledger.open_amounts() == {"A1": 10000, "A2": 5000}


def test_a_dry_run_leaves_no_trace(insured: Ledger) -> None:
    before, journal = insured.dump(), insured.journal()
    outcome = insured.take(line("A1"), line("A2", customer="1002"), dry_run=True)
    assert (outcome.state, outcome.counts["new_invoices"], outcome.counts["new_buyers"]) == ("checked", 2, 2)
    assert outcome.new_buyers == (("1001", "Customer 1001"), ("1002", "Customer 1002"))
    assert (insured.dump(), insured.journal(), insured.count(ImportBatch)) == (before, journal, 0)


def test_unknown_buyers_are_refused_where_none_may_be_made(ledger: Ledger) -> None:
    ledger.take(line("A1"))
    outcome = ledger.take(line("A2"), line("A3", customer="1002"), line("A4", customer="1002"), create_buyers=False)
    assert [(problem.row, problem.value, problem.code) for problem in outcome.problems] == [
        (3, "1002", "buyer_unknown_in_file"),
        (4, "1002", "buyer_unknown_in_file"),
    ]
    assert ledger.take(line("A2"), line("A3", customer="1002"), create_buyers=False, good_rows_only=True).counts["new_buyers"] == 0
    assert set(ledger.open_amounts()) == {"A1", "A2"}


def test_new_buyers_wait_for_review_under_their_names(ledger: Ledger) -> None:
    ledger.take(line("A1", country="FR", customer_name="Dupont SA"), line("A2", customer_name="Dupont S.A."))
    with within(ledger.tenant.id):
        buyer = db.session.scalars(select(Buyer)).one()
        assert (buyer.legal_name, buyer.country, buyer.status.value) == ("Dupont SA", "FR", "to_review")
        assert [name.name for name in db.session.scalars(select(BuyerName))] == ["Dupont S.A."]


def test_customers_without_number_whose_names_begin_alike_stay_apart(ledger: Ledger) -> None:
    name = "A very long name of a company that goes on and on and on and on "
    ledger.take(line("A1", customer="", customer_name=name + "North"), line("A2", customer="", customer_name=name + "South"))
    assert ledger.count(Buyer) == 2
    assert ledger.take(line("A1", customer="", customer_name=name + "North")).state == "unchanged"


def test_a_buyer_is_made_only_for_rows_that_are_booked(ledger: Ledger) -> None:
    outcome = ledger.take(line("A1"), line("P1", "5.00", "1002", kind="payment", applies_to="NONE"), good_rows_only=True)
    assert outcome.counts["new_buyers"] == ledger.count(Buyer) == 1


# ---------------------------------------------------------------------- lists of open items


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


# ---------------------------------------------------------------------- undoing


def test_undoing_brings_back_exactly_what_was(insured: Ledger) -> None:
    empty = insured.dump()
    first = insured.list_of("2026-06-01", line("A1"), line("A2"), line("A3", customer="1002", disputed="yes"), line("A4", customer="1002"))
    after_first = insured.dump()
    second = insured.list_of(
        "2026-06-10",
        line("A1", open="40.00"),
        line("A3", customer="1002", customer_name="Other spelling", due_date="2026-06-09"),
        line("B1", customer="1003", currency="USD"),
        line("C1", "7.00", customer="1003", currency="USD", kind="credit_note"),
    )
    after_second = insured.dump()
    third = insured.list_of("2026-06-20", line("A1"), line("A2"), line("A4", customer="1002"))
    assert insured.dump() != after_second
    assert insured.undo(third) == 0
    assert insured.dump() == after_second
    assert insured.undo(second) == 1
    assert insured.dump() == after_first
    assert insured.undo(first) == 4
    assert insured.dump() == empty
    assert insured.journal()[-1] == "receivables.import_undone"
    assert insured.list_of("2026-05-15", line("A1")).state == "done"


def test_only_the_last_import_can_be_undone_and_only_once(ledger: Ledger) -> None:
    first = ledger.take(line("A1"))
    second = ledger.take(line("A2"))
    assert refused(lambda: ledger.undo(first)).code == "batch_not_last"
    ledger.undo(second)
    assert refused(lambda: ledger.undo(second)).code == "batch_not_done"
    ledger.undo(first)
    assert refused(lambda: undo_import(ledger.tenant.actor(), ledger.tenant.id, 10**6, TODAY)).code == "batch_unknown"


def test_an_import_that_somebody_has_worked_on_stays(ledger: Ledger) -> None:
    outcome = ledger.take(line("A1"))
    with within(ledger.tenant.id):
        key = db.session.scalars(select(Invoice.id)).one()
    receivables.open_dispute(
        ledger.tenant.actor(), ledger.tenant.id, key, amount_minor=100, opened_on=date(2026, 6, 1), reason="Broken", on=TODAY
    )
    before = ledger.dump()
    refusal = refused(lambda: ledger.undo(outcome))
    assert (refusal.code, refusal.parameters["what"]) == ("batch_in_use", "batch_in_use.disputes")
    assert ledger.dump() == before


def test_another_organisation_cannot_undo_it(app: Flask, ledger: Ledger) -> None:
    outcome = ledger.take(line("A1"))
    other = make_tenant(app, "Other", roles=(Role.ADMINISTRATOR,))
    assert refused(lambda: undo_import(other.actor(), other.id, outcome.batch_id or 0, TODAY)).code == "batch_unknown"
