from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from support.insight import Insight, make_insight, said
from support.pages import PageClient

from insureflow.domain.access import Role
from insureflow.domain.blocks import ExceptionReason
from insureflow.domain.errors import Refusal
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.messages import Told
from insureflow.models.scope import within
from insureflow.queries.blocks import BlockListing, blocked_since, blocks_of, find_block
from insureflow.queries.listing import Narrowing
from insureflow.services import blocks, shipping
from insureflow.services.files import NewEvidence
from insureflow.services.shipping import ShipQuestion

LETTER = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


@pytest.fixture
def manager(client: PageClient, login: Callable[..., Any], insight: Insight) -> PageClient:
    login(client, Role.CREDIT_MANAGER)
    return client


def test_the_rule_of_the_policy_blocks_and_what_is_set_aside_does_not_count(app: Flask, organisation: Any, insight: Insight) -> None:
    on = insight.today + timedelta(days=21)  # the day after the last day of shipments
    actor = organisation.actor()
    with app.app_context(), within(organisation.id):
        assert not find_block(insight.alpha, on - timedelta(days=1)).is_blocked
        block = find_block(insight.alpha, on)
        assert block.is_blocked
        assert block.since == on
        assert [invoice.number for cause in block.causes for invoice in cause.invoices] == ["A-1"]
        entry = blocks.set_aside(actor, organisation.id, insight.overdue, reason=ExceptionReason.ONE_OFF, note="lost in the post", on=on)
        with pytest.raises(Refusal, match="set_aside_already"):
            blocks.set_aside(actor, organisation.id, insight.overdue, reason=ExceptionReason.ONE_OFF, note="twice", on=on)
        block = find_block(insight.alpha, on)
        assert (block.is_blocked, block.is_cover_stopped) == (False, True)
        blocks.count_again(actor, organisation.id, entry.id, on=on)
        assert find_block(insight.alpha, on).is_blocked
        listed = list(BlockListing(on).stream(Narrowing(), None))
        assert [row["key"] for row in listed if row["block"].is_blocked] == [insight.alpha]
        for day in (on - timedelta(days=1), on, on + timedelta(days=400)):
            one_by_one = {key: block.since for key, block in blocks_of(None, day).items() if block.is_blocked}
            assert blocked_since(day) == one_by_one, "the statement says what the rules say"
        assert blocks.tell_of_new(organisation.id, on) > 0
        assert blocks.tell_of_new(organisation.id, on + timedelta(days=1)) == 0
        assert db.session.query(Told).filter(Told.buyer_id == insight.alpha).count() > 0
        # The insurer's letter ends the stop in cover itself, and so the block.
        with pytest.raises(Refusal, match="consent_evidence_needed"):
            blocks.record_consent(actor, organisation.id, buyer_id=insight.alpha, policy_id=insight.policy_id, on=on, today=on, note="ok")
        letter = NewEvidence("consent.pdf", io.BytesIO(LETTER), on)
        blocks.record_consent(
            actor, organisation.id, buyer_id=insight.alpha, policy_id=insight.policy_id, on=on, today=on, note="letter 12", evidence=letter
        )
        after = find_block(insight.alpha, on + timedelta(days=1))
        assert (after.is_blocked, after.is_cover_stopped) == (False, False)


def test_a_block_by_hand_holds_for_the_group_and_stops_sales(app: Flask, organisation: Any, insight: Insight) -> None:
    actor, on = organisation.actor(), insight.today
    with app.app_context(), within(organisation.id):
        db.session.get_one(Buyer, insight.beta).parent_id = insight.gamma
        db.session.commit()
        block = blocks.set_block(actor, organisation.id, insight.gamma, reason="parent insolvent", from_on=on, with_group=True)
        assert find_block(insight.beta, on).causes[0].source.value == "group"
        question = ShipQuestion(insight.beta, 10_000, "USD", on, 30, entity_id=organisation.entity_id, order_reference="PO-1")
        assert shipping.ask(question, on).data["blocked_because"] == ["parent insolvent"]
        with pytest.raises(Refusal, match="shipment_blocked"):
            shipping.decide(actor, organisation.id, question, on, reserve_until=on + timedelta(days=5))
        blocks.lift_block(actor, organisation.id, block.id, note="guarantee received", on=on)
        with pytest.raises(Refusal, match="block_lifted_already"):
            blocks.lift_block(actor, organisation.id, block.id, note="again", on=on)
        assert not find_block(insight.beta, on).is_blocked
        assert shipping.ask(question, on).data["blocked_because"] == []


def test_the_pages(app: Flask, organisation: Any, manager: PageClient, insight: Insight) -> None:
    assert "Nobody is blocked." in said(manager.get("/blocks/").text)
    address = f"/buyers/{insight.alpha}/block"
    assert "Not blocked." in said(manager.get(address).text)
    assert manager.post(address, data={"reason": ""}).status_code == 422
    page = manager.post(address, data={"reason": "bounced cheque", "with_group": "y"}, follow_redirects=True).text
    assert "Nothing may be shipped to Alpha Werke GmbH on credit (set by hand)." in said(page)
    assert "1 buyer gets nothing on credit." in said(manager.get("/blocks/").text)
    lift = re.search(r"/blocks/\d+/lift", page)
    assert lift is not None
    ship = manager.get(f"/may-i-ship/?buyer=%23{insight.alpha}").text
    assert ship
    lifted = manager.post(lift.group(), data={"note": "paid in cash"}, follow_redirects=True).text
    assert "paid in cash" in said(lifted)
    later = (insight.today + timedelta(days=21)).isoformat()
    ahead = manager.get(f"{address}?on={later}").text
    assert "A-1" in said(ahead)
    assert "rule of the policy" in said(ahead)
    manager.get(f"/?on={insight.today.isoformat()}")
    done = manager.post(
        f"/blocks/invoices/{insight.overdue}/set-aside",
        data={"buyer": insight.alpha, "reason": "one_off", "note": "lost in the post"},
        follow_redirects=True,
    ).text
    assert "lost in the post" in said(done)
    again = re.search(r"/blocks/exceptions/\d+/end", done)
    assert again is not None
    assert manager.post(again.group()).status_code == 302
    assert manager.post(f"/blocks/invoices/{insight.overdue}/set-aside", data={"buyer": insight.alpha, "reason": "x"}).status_code == 422
    consent = {"policy_id": str(insight.policy_id), "consented_on": insight.today.isoformat(), "note": "letter 12"}
    refused = manager.post(f"{address}/consent", data=consent, content_type="multipart/form-data")
    assert refused.status_code == 422
    sent = consent | {"file": (io.BytesIO(LETTER), "consent.pdf")}
    assert manager.post(f"{address}/consent", data=sent, content_type="multipart/form-data").status_code == 302
    for wrong in ("/blocks/999999/lift", "/blocks/exceptions/999999/end", "/blocks/invoices/999999/set-aside"):
        assert manager.post(wrong, data={"buyer": insight.alpha, "reason": "one_off", "note": "x"}).status_code == 404
