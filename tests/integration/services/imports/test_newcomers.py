"""Buyers whose ledger an import begins are worked out from what it writes, and come out as they would be read back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.import_ledgers import TODAY, Ledger, line

from insureflow.domain.limits import LimitKind
from insureflow.models.buyers import CustomerNumber
from insureflow.models.cover import AccountState, InvoicePosition, Obligation
from insureflow.models.database import db
from insureflow.models.policies import Policy
from insureflow.models.scope import within
from insureflow.services import cover
from insureflow.services.buyers import NewBuyer, create_many_for_review
from insureflow.services.limits import NewDecision, record_decision
from insureflow.services.transaction import transaction


@pytest.fixture
def limited(insured: Ledger) -> Ledger:
    """A ledger with nothing in it, whose customer 1001 has limits already."""
    tenant = insured.tenant
    with transaction(tenant.id) as session:
        keys = create_many_for_review(session, [NewBuyer(tenant.entity_id, "1001", "Customer 1001", "DE")])
        policy_id = session.scalars(select(Policy.id)).one()
    buyer_id = keys[tenant.entity_id, "1001"]
    for new in (
        NewDecision(buyer_id, policy_id, 150_00, "EUR", date(2026, 1, 1)),
        NewDecision(buyer_id, policy_id, 300_00, "EUR", date(2026, 5, 1), LimitKind.TEMPORARY, valid_to=date(2026, 9, 30)),
    ):
        record_decision(tenant.actor(), tenant.id, new, TODAY)
    assert insured.count(AccountState) > 0
    assert insured.count(Obligation) > 0
    return insured


def test_newcomers_come_out_as_if_they_were_read_back(limited: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[set[str]] = []
    find = cover.find_newcomers

    def watched(session: Session, buyer_ids: Collection[int]) -> cover.Newcomers:
        newcomers = find(session, buyer_ids)
        numbers = select(CustomerNumber.number).where(CustomerNumber.buyer_id.in_(newcomers.ledgers))
        found.append(set(session.scalars(numbers)))
        return newcomers

    monkeypatch.setattr(cover, "find_newcomers", watched)
    outcome = limited.take(
        line("A1", "119.00", net="100.00", vat="19.00"),
        line("A2", "100.00", currency="USD", shipment_date="2026-05-01"),
        line("A3", "250.00", document_date="2026-02-04", due_date="2026-03-05"),
        line("A4", "80.00", document_date="2026-02-04", due_date="2026-03-05", settled_date="2026-05-20"),
        line("C1", "11.90", kind="credit_note", net="10.00", vat="1.90", applies_to="A1"),
        line("C2", "7.00", kind="credit_note"),
        line("P1", "60.00", kind="payment", document_date="2026-06-10", applies_to="A1"),
        line("P2", "90.00", "1002", kind="payment", document_date="2026-06-10", applies_to="B1"),
        line("P3", "30.00", kind="payment", currency="USD", document_date="2026-06-11", applies_to="A2"),
        line("B1", "50.00", "1002"),
        line("B2", "70.00", "1002"),
        line("D1", "40.00", "1003", disputed="yes", disputed_amount="15.00"),
    )
    assert (outcome.state, outcome.counts["new_invoices"], outcome.counts["payments"]) == ("done", 7, 4)
    assert found == [{"1001", "1002"}]  # what 1003 disputes is read back
    assert cover.check(limited.tenant.id, TODAY) == []
    with within(limited.tenant.id):
        assert set(db.session.scalars(select(InvoicePosition.policy_id))) == set(db.session.scalars(select(Policy.id)))
    written = limited.dump()
    cover.rebuild(limited.tenant.id, TODAY)
    assert limited.dump() == written

    limited.take(line("A5", "35.00"), line("P4", "20.00", "1002", kind="payment", document_date="2026-06-20"), line("E1", "9.00", "1004"))
    assert found[1:] == [{"1004"}]
    assert cover.check(limited.tenant.id, TODAY) == []


def test_without_policy_there_is_nothing_to_work_out(ledger: Ledger) -> None:
    ledger.take(line("A1"), line("P1", "150.00", kind="payment", document_date="2026-06-10", applies_to="A1"))
    assert cover.check(ledger.tenant.id, TODAY) == []
    assert ledger.count(AccountState) == 0
