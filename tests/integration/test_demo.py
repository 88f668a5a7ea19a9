"""The demo: the same for a seed and a day, whole, and telling what its stories promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from support import databases
from support.databases import DEMO_DAY
from support.twins import rows_of

from insureflow.app import create_app
from insureflow.domain.dunning import rank_of
from insureflow.models.bank_statements import BankEntry
from insureflow.models.base import FOREVER, Base
from insureflow.models.buyers import Buyer
from insureflow.models.connections import LimitFee
from insureflow.models.cover import AccountState, InvoicePosition, Obligation
from insureflow.models.database import db
from insureflow.models.dunning import DunningLetter
from insureflow.models.limit_requests import ApprovalThreshold, DiscretionaryAssessment, EvidenceFile, LimitRequest
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.receivables import Dispute, Invoice
from insureflow.models.scope import within
from insureflow.models.shipments import ShipmentCheck
from insureflow.models.work_items import WorkItem
from insureflow.services import cover, files, journal
from insureflow.services.demo import load_demo
from insureflow.services.demo.book import AT_HOME, BUYERS, INVOICES, STORIES, generate

ANOTHER_DAY = date(2025, 3, 31)


@pytest.fixture
def demo(demo_app: Flask, demo_organisation: Any) -> Iterator[Session]:
    with demo_app.app_context(), within(demo_organisation.id):
        yield db.session()
        db.session.remove()


def figures_of(app: Flask, organisation_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Everything but instants, secrets of log-ins, what is encrypted anew each time, and the hashes that follow from instants."""
    rows = rows_of(app, organisation_id)
    left_out = {"app_user", "membership"}
    plain: dict[str, list[tuple[Any, ...]]] = {}
    for name, found in rows.items():
        if name in left_out:
            continue
        hidden = {
            index
            for index, column in enumerate(Base.metadata.tables[name].columns)
            if column.name in {"hash", "previous_hash", "credentials"} or column.name.endswith("_at") or column.name == "at"
        }
        plain[name] = [
            tuple(value for index, value in enumerate(row) if index not in hidden and not isinstance(value, datetime)) for row in found
        ]
    return plain


def test_two_loads_of_a_day_are_the_same(demo_app: Flask, demo_organisation: Any, run_folder: Path, tmp_path: Path) -> None:
    with databases.temporary(run_folder, "sqlite") as database:
        app = create_app(databases.settings_for(database.url, tmp_path))
        with app.app_context():
            second = load_demo(DEMO_DAY).id
            db.session.remove()
        mine, theirs = figures_of(app, second), figures_of(demo_app, demo_organisation.id)
        with app.app_context():
            db.engine.dispose()
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if mine[name] != theirs[name]] == []


@pytest.mark.parametrize("day", [DEMO_DAY, ANOTHER_DAY, date(2028, 2, 29)])
def test_the_book_follows_from_seed_and_day(day: date) -> None:
    assert generate(7, day) == generate(7, day)
    assert generate(8, day) != generate(7, day)
    book = generate(7, day)
    assert len(book) == BUYERS == 400
    assert sum(len(buyer.invoices) for buyer in book) == INVOICES == 6000
    assert len({buyer.place.country for buyer in book}) == 41
    numbers = [invoice.number for buyer in book for invoice in buyer.invoices]
    assert len(set(numbers)) == INVOICES
    for buyer in book:
        for invoice in buyer.invoices:
            assert day - timedelta(days=2 * 366) < invoice.invoice_on <= day
            assert invoice.shipment_on <= invoice.invoice_on <= invoice.due_on
            assert all(paid_on <= day and amount > 0 for paid_on, amount in invoice.payments)
            settled = sum(amount for _day, amount in invoice.payments) + (invoice.credit[1] if invoice.credit else 0)
            assert 0 <= settled <= invoice.net + invoice.vat, f"{buyer.name} {invoice.number}"
        assert all(limit.on <= day for limit in buyer.limits)
        assert all(act.on <= day for act in buyer.acts)


def test_the_demo_is_as_large_as_promised(demo: Session) -> None:
    def count(model: Any) -> int:
        return int(demo.scalar(sa.select(sa.func.count(model.id))) or 0)

    assert (count(Buyer), count(Invoice), count(Policy)) == (400, 6000, 3)
    assert demo.scalar(sa.select(sa.func.count(sa.distinct(Buyer.country)))) == 41
    assert demo.scalar(sa.select(sa.func.count(sa.distinct(Policy.insurer)))) == 3
    statuses = set(demo.scalars(sa.select(LimitDecision.status)))
    assert {"approved", "partly_approved", "reduced", "withdrawn", "refused", "requested"} <= {status.value for status in statuses}
    raised = (
        sa.select(LimitDecision.buyer_id)
        .where(LimitDecision.status == "approved")
        .group_by(LimitDecision.buyer_id)
        .having(sa.func.count() > 1)
    )
    assert len(demo.scalars(raised).all()) > 40
    assert demo.scalar(sa.select(sa.func.max(Invoice.invoice_on))) == DEMO_DAY
    assert demo.scalar(sa.select(sa.func.min(Invoice.invoice_on))) < DEMO_DAY - timedelta(days=700)  # type: ignore[operator]  # there are invoices


def test_what_is_derived_follows_from_the_ledger(demo_app: Flask, demo_organisation: Any) -> None:
    with demo_app.app_context(), within(demo_organisation.id):
        assert cover.check(demo_organisation.id, DEMO_DAY) == []
        verification = journal.verify(demo_organisation.id)
        assert verification.is_sound
        assert verification.entries > 10
        db.session.remove()
    result = demo_app.test_cli_runner().invoke(
        args=["exposure", "rebuild", "--check", "--organisation", demo_organisation.slug, "--on", DEMO_DAY.isoformat()]
    )
    assert result.exit_code == 0, result.output + str(result.exception)
    result = demo_app.test_cli_runner().invoke(args=["journal", "verify"])
    assert result.exit_code == 0, result.output


def test_people_have_been_at_work(demo: Session) -> None:
    requests = demo.execute(sa.select(LimitRequest.state, LimitRequest.outcome)).all()
    assert {"draft", "awaiting_approval", "rejected", "submitted", "referred", "decided"} == {state.value for state, _outcome in requests}
    assert {"partial", "refused"} == {outcome.value for _state, outcome in requests if outcome}
    kinds = set(demo.scalars(sa.select(WorkItem.kind)))
    assert {"approve_request", "send_request", "limit_cut", "cut_action", "renew_evidence"} <= kinds
    found = demo.scalars(sa.select(DiscretionaryAssessment)).all()
    assert {"credit_report", "payment_experience"} <= {each.method for each in found if each.is_usable}
    assert [each.reason for each in found if not each.is_usable] == ["zero_decision", "zero_decision"]
    assert all(each.amount_minor <= 15_000_00 for each in found)
    ending = [each.valid_to for each in found if each.decision_id and each.valid_to and each.valid_to <= DEMO_DAY + timedelta(days=30)]
    assert len(ending) == 1
    for file in demo.scalars(sa.select(EvidenceFile)).all():
        assert files.open_download(file.organisation_id, file.id).content.startswith(b"Meridian")
    kept = demo.scalars(sa.select(ShipmentCheck)).all()
    assert len([check for check in kept if check.reserved_until and check.covered_minor]) == 2
    assert len([check for check in kept if not check.reserved_until]) == 2
    assert demo.scalar(sa.select(ApprovalThreshold.amount_minor)) == 100_000_00
    assert len(demo.scalars(sa.select(LimitFee)).all()) == 2


def test_buyers_are_reminded_step_by_step_and_in_their_language(demo: Session) -> None:
    letters = demo.scalars(sa.select(DunningLetter).where(DunningLetter.state == "sent").order_by(DunningLetter.sent_on)).all()
    assert {letter.level.value for letter in letters} >= {"reminder_1", "reminder_2", "reminder_3"}
    firmest: dict[tuple[int, int, str], int] = {}
    for letter in letters:
        key, rank = (letter.buyer_id, letter.entity_id, letter.currency), rank_of(letter.level)
        country = demo.get_one(Buyer, letter.buyer_id).country
        assert rank <= firmest.get(key, 1 if country == "IT" else 0) + 1, letter.cause
        firmest[key] = max(rank, firmest.get(key, 0))
    at_home = demo.scalars(sa.select(Buyer).where(Buyer.legal_name == AT_HOME, Buyer.country == "SE")).one()
    assert {letter.language for letter in letters if letter.buyer_id == at_home.id} == {"sv"}
    states = set(demo.scalars(sa.select(BankEntry.state)))
    assert {"matched", "proposed", "unmatched", "not_a_receipt"} <= {state.value for state in states}


# The stories


@pytest.fixture
def story(demo: Session) -> Callable[[str], Buyer]:
    names = {name: buyer for buyer, _country, name in STORIES}

    def find(name: str) -> Buyer:
        return demo.scalars(sa.select(Buyer).where(Buyer.legal_name == names[name])).one()

    return find


def positions(demo: Session, buyer: Buyer, on: date = DEMO_DAY) -> list[InvoicePosition]:
    found = demo.scalars(
        sa.select(InvoicePosition).where(
            InvoicePosition.buyer_id == buyer.id, InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on
        )
    ).all()
    return [row for row in found if row.ledger_open_minor]


def state(demo: Session, buyer: Buyer, on: date = DEMO_DAY) -> AccountState:
    return demo.scalars(
        sa.select(AccountState).where(AccountState.buyer_id == buyer.id, AccountState.valid_from <= on, AccountState.valid_to > on)
    ).one()


def duties(demo: Session, buyer: Buyer, kind: str) -> list[date]:
    return sorted(demo.scalars(sa.select(Obligation.due_on).where(Obligation.buyer_id == buyer.id, Obligation.kind == kind)))


def covered(rows: list[InvoicePosition]) -> int:
    return sum(row.primary_minor + row.top_up_minor for row in rows)


def test_a_notification_is_due_in_three_days(demo: Session, story: Callable[[str], Buyer]) -> None:
    buyer = story("notify_soon")
    assert duties(demo, buyer, "notify_overdue")[0] == DEMO_DAY + timedelta(days=3)


def test_a_stop_of_cover_comes_in_five_days(demo: Session, story: Callable[[str], Buyer]) -> None:
    buyer = story("stop_soon")
    assert DEMO_DAY + timedelta(days=5) in duties(demo, buyer, "stop_shipments")
    assert not state(demo, buyer).stopped
    assert state(demo, buyer, DEMO_DAY + timedelta(days=6)).stopped


def test_supplies_after_the_stop_are_not_covered(demo: Session, story: Callable[[str], Buyer]) -> None:
    buyer = story("stopped_shipping")
    assert state(demo, buyer).stopped
    reasons = {row.excluded_reason for row in positions(demo, buyer) if row.excluded_minor}
    assert any(reason and "stop" in reason for reason in reasons)


def test_two_layers_are_used_up(demo: Session, story: Callable[[str], Buyer]) -> None:
    rows = positions(demo, story("over_limit_top_up"))
    assert sum(row.primary_minor for row in rows) == 150_000_00
    assert sum(row.top_up_minor for row in rows) == 75_000_00
    assert sum(row.over_limit_minor for row in rows) > 0


def test_what_was_covered_before_a_cut_stays_covered(demo: Session, story: Callable[[str], Buyer]) -> None:
    buyer = story("cut_and_frozen")
    assert state(demo, buyer).limit_primary_minor == 0
    assert covered(positions(demo, buyer)) == 250_000_00


def test_an_insolvent_buyer_is_a_loss_with_a_claim_to_file(demo: Session, story: Callable[[str], Buyer]) -> None:
    buyer = story("insolvent")
    kinds = set(demo.scalars(sa.select(AccountAct.kind).where(AccountAct.buyer_id == buyer.id)))
    assert {"insolvency", "date_of_loss"} <= {kind.value for kind in kinds}
    assert covered(positions(demo, buyer)) > 0
    assert any(due >= DEMO_DAY for due in duties(demo, buyer, "file_claim"))


def test_a_disputed_part_is_not_covered(demo: Session, story: Callable[[str], Buyer]) -> None:
    buyer = story("disputed")
    rows = positions(demo, buyer)
    assert sum(row.disputed_minor for row in rows) > 0
    open_disputes = demo.scalars(
        sa.select(Dispute)
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .where(Invoice.buyer_id == buyer.id, Dispute.resolved_on.is_(None))
    ).all()
    assert len(open_disputes) == 1


def test_an_extension_and_a_consent_keep_cover(demo: Session, story: Callable[[str], Buyer]) -> None:
    for name in ("extended", "consented"):
        buyer = story(name)
        assert not state(demo, buyer).stopped, name
        assert covered(positions(demo, buyer)) > 0, name


def test_a_claim_can_be_filed_soon(demo: Session, story: Callable[[str], Buyer]) -> None:
    due = duties(demo, story("claim_soon"), "file_claim")
    assert any(day >= DEMO_DAY for day in due)


def test_a_late_notification_costs_cover(demo: Session, story: Callable[[str], Buyer]) -> None:
    rows = positions(demo, story("notified_late"))
    assert sum(row.excluded_minor for row in rows) > 0


@pytest.mark.parametrize("name", ["never_asked", "no_country", "affiliate", "refused"])
def test_some_are_not_covered_at_all(demo: Session, story: Callable[[str], Buyer], name: str) -> None:
    buyer = story(name)
    rows = positions(demo, buyer)
    assert rows
    assert covered(rows) == 0
    decisions = demo.scalars(sa.select(LimitDecision.status).where(LimitDecision.buyer_id == buyer.id)).all()
    assert [status.value for status in decisions] == (["refused"] if name == "refused" else [])


def test_a_seasonal_limit_ends_soon(demo: Session, story: Callable[[str], Buyer]) -> None:
    buyer = story("seasonal")
    assert state(demo, buyer).limit_primary_minor == 260_000_00
    assert state(demo, buyer, DEMO_DAY + timedelta(days=26)).limit_primary_minor == 120_000_00
    assert covered(positions(demo, buyer)) > 120_000_00


def test_open_amounts_fit_what_was_settled(demo: Session) -> None:
    """Each invoice's open amount is that of its position today."""
    rows = demo.execute(
        sa.select(Invoice.number, Invoice.open_minor, InvoicePosition.ledger_open_minor)
        .join(InvoicePosition, InvoicePosition.invoice_id == Invoice.id)
        .where(InvoicePosition.valid_from <= DEMO_DAY, InvoicePosition.valid_to > DEMO_DAY)
    ).all()
    assert len(rows) > 300
    assert [row for row in rows if row[1] != row[2]] == []
    assert demo.scalar(sa.select(sa.func.max(InvoicePosition.valid_to))) <= FOREVER  # type: ignore[operator]  # there are positions
