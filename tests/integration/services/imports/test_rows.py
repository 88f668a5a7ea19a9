"""Files read twice, bad rows, dry runs, and unknown buyers."""

from __future__ import annotations

from sqlalchemy import select
from support.import_ledgers import Ledger, line

from insureflow.models.buyers import Buyer, BuyerName
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import ImportBatch
from insureflow.models.scope import within


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
