"""What a file of movements does to the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import select
from support.import_ledgers import TODAY, Ledger, line, refused

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.models.database import db
from insureflow.models.receivables import Allocation, CreditNote, Dispute, Invoice, Payment
from insureflow.models.scope import within
from insureflow.services import cover


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
