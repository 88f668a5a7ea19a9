"""Undoing an import brings back exactly what was."""

from __future__ import annotations

from datetime import date

from flask import Flask
from sqlalchemy import select
from support.import_ledgers import TODAY, Ledger, line, refused
from support.tenants import make_tenant

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.models.scope import within
from insureflow.services import receivables
from insureflow.services.imports import undo_import


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
