"""Files with rows of several entities: each row goes to the ledger whose code it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from support.import_ledgers import TODAY, Ledger, line, refused
from support.tenants import make_tenant

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.domain.access import Role
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.receivables import ImportBatch, Invoice
from insureflow.models.scope import within
from insureflow.services import cover
from insureflow.services.imports import ImportOutcome, undo_import
from insureflow.services.imports.locking import only_import_of

SWEDISH = "556703-7485"


@pytest.fixture
def group(app: Flask) -> Iterator[Ledger]:
    """The ledger of a group of two companies."""
    with app.app_context():
        yield Ledger(make_tenant(app, entities={"SE01": ("SE", "SEK"), "DE01": ("DE", "EUR")}, roles=(Role.ADMINISTRATOR,)))
        db.session.remove()


def by_entity(ledger: Ledger) -> dict[str, dict[str, int]]:
    """What is open by entity and number."""
    found: dict[str, dict[str, int]] = {}
    with within(ledger.tenant.id):
        statement = select(Entity.code, Invoice.number, Invoice.open_minor).join(Entity, Entity.id == Invoice.entity_id)
        for code, number, minor in db.session.execute(statement):
            found.setdefault(code, {})[number] = minor
    return found


def undo(ledger: Ledger, outcome: ImportOutcome, code: str) -> int:
    """Take back an entity's part."""
    return undo_import(ledger.tenant.actor(), ledger.tenant.id, outcome.batches[code], TODAY)


ROWS = (
    line("A1", country="SE", registration_number=SWEDISH, entity_code="SE01"),
    line("A1", "70.00", country="DE", customer_name="Namesake", entity_code="DE01"),
    line("A2", "5.00", "1002", entity_code=""),
    line("A3", "8.00", "77", country="SE", registration_number=SWEDISH, entity_code="DE01"),
    line("C1", "3.00", kind="credit_note", applies_to="A1", entity_code="DE01"),
)


def test_each_row_goes_to_its_entity_and_each_part_is_undone_by_itself(group: Ledger) -> None:
    empty = group.dump()
    outcome = group.take(*ROWS)
    assert by_entity(group) == {"SE01": {"A1": 10000, "A2": 500}, "DE01": {"A1": 6700, "A3": 800}}
    counts = {name: outcome.counts[name] for name in ("rows", "new_invoices", "credit_notes", "new_buyers", "joined_buyers")}
    assert counts == {"rows": 5, "new_invoices": 4, "credit_notes": 1, "new_buyers": 3, "joined_buyers": 1}
    with within(group.tenant.id):
        batches = {batch.id: batch for batch in db.session.scalars(select(ImportBatch))}
        own = batches[outcome.batches["DE01"]]
        assert (own.counts["rows"], own.counts["new_invoices"], own.counts["totals"]["invoice"]) == (3, 2, {"EUR": 7800})
        assert own.options["together_with"] == [outcome.batches["SE01"]]
        assert group.count(Buyer) == 3
        assert group.count(CustomerNumber) == 4
    assert cover.check(group.tenant.id, TODAY) == []
    assert group.take(*ROWS).state == "unchanged"
    assert undo(group, outcome, "SE01") == 2
    assert by_entity(group) == {"DE01": {"A1": 6700, "A3": 800}}
    assert undo(group, outcome, "DE01") == 2
    assert group.count(Buyer) == 1  # it came with the other part, and was in use when that went
    assert {name: rows for name, rows in group.dump().items() if not name.startswith(("buyer", "customer"))} == {
        name: rows for name, rows in empty.items() if not name.startswith(("buyer", "customer"))
    }


def test_a_code_that_no_entity_has_is_a_bad_row(group: Ledger) -> None:
    outcome = group.take(line("A1", entity_code="SE01"), line("A2", entity_code="FR01"))
    assert outcome.state == "refused"
    found = [(each.row, each.column, each.value, each.code, each.parameters["known"]) for each in outcome.problems]
    assert found == [(3, "entity_code", "FR01", "entity_code_unknown", "DE01, SE01")]
    good = group.take(line("A1", entity_code="SE01"), line("A2", entity_code="FR01"), good_rows_only=True)
    assert (good.counts["bad_rows"], by_entity(group)) == (1, {"SE01": {"A1": 10000}})


def test_one_bad_row_of_any_entity_stops_the_whole_file(group: Ledger) -> None:
    outcome = group.take(line("A1", entity_code="SE01"), line("P1", kind="payment", applies_to="NONE", entity_code="DE01"))
    assert [(each.row, each.code) for each in outcome.problems] == [(3, "applies_to_unknown")]
    assert by_entity(group) == {}


def test_without_the_column_all_rows_are_of_the_chosen_entity(group: Ledger) -> None:
    plain = get_shipped_profile("plain")
    bare = replace(plain, columns={name: rule for name, rule in plain.columns.items() if name != "entity_code"})
    group.take(line("A1", entity_code="FR01"), profile=bare, entity="DE01")
    assert by_entity(group) == {"DE01": {"A1": 10000}}


def test_a_list_settles_nothing_of_an_entity_it_does_not_name(group: Ledger) -> None:
    group.list_of("2026-06-01", line("A1", entity_code="SE01"), line("A2", entity_code="SE01"), line("B1", entity_code="DE01"))
    outcome = group.list_of("2026-06-10", line("B2", entity_code="DE01"))
    assert by_entity(group) == {"SE01": {"A1": 10000, "A2": 10000}, "DE01": {"B1": 0, "B2": 10000}}
    assert list(outcome.batches) == ["DE01"]
    assert (
        refused(lambda: group.list_of("2026-06-11", line("A1", entity_code="SE01"), line("B1", entity_code="XX"), good_rows_only=True)).code
        == "list_incomplete"
    )


def test_an_import_of_the_other_entity_is_waited_for(group: Ledger) -> None:
    with within(group.tenant.id):
        other = db.session.scalars(select(Entity).where(Entity.code == "DE01")).one()
    db.session.rollback()
    with only_import_of(other):
        refusal = refused(lambda: group.take(*ROWS))
        assert refusal.code == "import_running"
        assert group.take(line("A9")).state == "done"
    assert group.take(*ROWS).state == "done"
