"""Other systems told of blocks, releases and cut limits: in the unit of work that brings them, by the job of the night, once each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import TODAY, Account, add_buyer, within
from support.notices import make_overdue_account

from insureflow.domain.blocks import ExceptionReason
from insureflow.domain.errors import Refusal
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.messages import WebhookDelivery, WebhookEndpoint
from insureflow.models.receivables import Invoice
from insureflow.queries.blocks import BlockListing, blocked_since, blocks_of
from insureflow.queries.listing import Narrowing, Order
from insureflow.services import blocks, limits
from insureflow.services.clock import now
from insureflow.services.limits import NewDecision, NewWithdrawal
from insureflow.services.transaction import transaction

STOPPED = date(2026, 7, 1)


def told(account: Account) -> list[tuple[str, dict[str, Any]]]:
    """The events since the last look, in order."""
    with within(account.organisation_id):
        rows = db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()
        found = [(row.event, row.payload) for row in rows]
        for row in rows:
            row.event_id = f"seen/{row.id}"  # a second word of the same would be seen as one more
            row.event = "test"
        db.session.commit()
    return [each for each in found if each[0] != "test"]


def listen(account: Account, *events: str) -> None:
    with transaction(account.organisation_id) as session:
        session.add(WebhookEndpoint(url="https://example.org/hook", secret="x", events=list(events), created_at=now()))


def test_blocks_and_releases_are_told_once_by_whoever_finds_them(app: Flask) -> None:
    account = make_overdue_account(app)
    actor, organisation_id, buyer = account.tenant.actor(), account.organisation_id, account.buyer_id
    with app.app_context(), within(organisation_id):
        child = add_buyer(account.tenant, "Zweig GmbH")
        with transaction(organisation_id) as session:
            session.get_one(Buyer, child).parent_id = buyer
        assert blocks.note_all_changes(organisation_id, STOPPED) == (0, 0), "nobody wants to know"
        listen(account, "buyer.blocked", "buyer.released", "limit.cut")
        # the calendar alone stops the buyer: the job of the night finds it, and a second run finds nothing new
        assert [blocks.note_all_changes(organisation_id, STOPPED) for _ in range(2)] == [(1, 0), (0, 0)]
        [(event, said)] = told(account)
        assert (event, said["buyer"], said["sources"]) == ("buyer.blocked", buyer, ["policy"])
        with pytest.raises(Refusal, match="policy_unknown"):
            blocks.set_block(actor, organisation_id, buyer, reason="bad news", from_on=STOPPED, policy_id=99_999)
        # by hand, with the group: only the subsidiary is new
        block = blocks.set_block(actor, organisation_id, buyer, reason="bad news", from_on=STOPPED, with_group=True)
        assert [(event, said["buyer"], said["sources"]) for event, said in told(account)] == [("buyer.blocked", child, ["group"])]
        invoice = db.session.scalars(select(Invoice.id).where(Invoice.number == "OLD-0")).one()
        aside = blocks.set_aside(actor, organisation_id, invoice, reason=ExceptionReason.ONE_OFF, note="on its way", on=STOPPED)
        assert told(account) == [], "something else still blocks it"
        assert {row["key"] for row in BlockListing(STOPPED).stream(Narrowing(), Order("buyer"))} == {buyer, child}
        assert blocked_since(STOPPED) == {key: each.since for key, each in blocks_of(None, STOPPED).items() if each.is_blocked}
        blocks.lift_block(actor, organisation_id, block.id, note="cleared", on=STOPPED)
        released = told(account)
        assert [(event, said["buyer"], said["released_on"]) for event, said in released] == [
            ("buyer.released", key, STOPPED.isoformat()) for key in sorted((buyer, child))
        ]
        page = BlockListing(STOPPED).page(Narrowing(), None, 1, 10)
        assert [(row["key"], row["state"], row["set_aside"]) for row in page.rows] == [(buyer, "BlockState.not_covered", 1)]
        blocks.count_again(actor, organisation_id, aside.id, on=STOPPED)
        assert [(event, said["buyer"]) for event, said in told(account)] == [("buyer.blocked", buyer)]
        # the subsidiary alone: its parent is in the list for it
        blocks.set_block(actor, organisation_id, child, reason="own", from_on=TODAY - timedelta(days=90))
        early = BlockListing(TODAY - timedelta(days=90)).page(Narrowing(), Order("state"), 1, 10)
        assert [(row["key"], row["state"], row["members"]) for row in early.rows] == [
            (child, "BlockState.blocked", ""),
            (buyer, "BlockState.group", "Zweig GmbH"),
        ]
        assert BlockListing(TODAY - timedelta(days=90)).count_blocked() == 1


def test_cut_limits_are_told_once_and_history_is_not(app: Flask) -> None:
    account = make_overdue_account(app)
    actor, organisation_id = account.tenant.actor(), account.organisation_id

    def decide(minor: int, day: date, reference: str) -> None:
        new = NewDecision(account.buyer_id, account.policy_id, minor, "EUR", day, insurer_reference=reference)
        limits.record_decision(actor, organisation_id, new, TODAY)

    with app.app_context(), within(organisation_id):
        listen(account)  # everything
        decide(1_000_000, date(2026, 2, 1), "R-1")
        assert [event for event, _said in told(account) if event == "limit.cut"] == [], "raised"
        decide(400_000, date(2026, 6, 1), "R-2")
        decide(400_000, date(2026, 6, 1), "R-2")
        cuts = [said for event, said in told(account) if event == "limit.cut"]
        assert [(cut["before"], cut["after"], cut["status"], cut["insurer_reference"]) for cut in cuts] == [
            ({"amount": "10000.00", "currency": "EUR"}, {"amount": "4000.00", "currency": "EUR"}, "reduced", "R-2")
        ]
        decide(100_000, date(2026, 1, 15), "R-0")
        assert [event for event, _said in told(account) if event == "limit.cut"] == [], "overtaken long since"
        notice = NewWithdrawal(account.buyer_id, account.policy_id, date(2026, 6, 20), None)
        limits.withdraw(actor, organisation_id, notice, TODAY)
        ended = [said for event, said in told(account) if event == "limit.cut"]
        assert [(cut["status"], cut["after"]["amount"], cut["policy"]) for cut in ended] == [("withdrawn", "0.00", account.policy_id)]
