"""The API of overdues: duties, blocks, disputes, letters, promises and notes, each from its beginning to its end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
import time_machine
from flask import Flask
from support.accounts import within
from support.api import Caller
from support.dunning import make_debtors
from support.notices import make_overdue_account
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.services import blocks, messages, notices
from insureflow.services.transaction import transaction


@pytest.fixture
def ground(app: Flask) -> Iterator[SimpleNamespace]:
    """An account that owes an old invoice, on a day within the time to notify, and its callers."""
    account = make_overdue_account(app)
    with app.app_context(), within(account.organisation_id):
        keys = {invoice.number: invoice.id for invoice in db.session.query(Invoice)}
    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        yield SimpleNamespace(account=account, call=Caller(app, account.tenant), keys=keys)


def test_a_duty_is_found_taken_done_and_opened_again(ground: SimpleNamespace) -> None:
    call: Caller = ground.call
    found = call.get(f"/duties?kind=notify_overdue&buyer_id={ground.account.buyer_id}&due_to=2026-07-31&policy=POL-N1")
    assert [(duty["invoice"], duty["due_on"], duty["status"]) for duty in found["items"]] == [("OLD-0", "2026-07-03", "due_soon")]
    key = found["items"][0]["id"]
    duty = call.get(f"/duties/{key}", Role.RECEIVABLES_CLERK)
    assert (duty["at_stake"], duty["owner_id"]) == ({"amount": "9000.00", "currency": "EUR"}, None)
    assert duty["steps"]
    clerk = ground.account.tenant.logins[Role.RECEIVABLES_CLERK].user_id
    assert key in {each["id"] for each in call.get("/duties?owner=nobody")["items"]}
    assert call.post(f"/duties/{key}/assign", owner_id=clerk)["owner_id"] == clerk
    assert key not in {each["id"] for each in call.get("/duties?owner=nobody")["items"]}
    mine = call.get("/duties?owner=mine", Role.RECEIVABLES_CLERK)["items"]
    assert [(each["id"], each["owner_id"]) for each in mine] == [(key, clerk)]
    assert mine == call.get(f"/duties?owner_id={clerk}")["items"]
    assert call.get("/duties?owner=mine")["total"] == 0
    assert call("POST", f"/duties/{key}/done", note="told", done_on="2026-07-01")[1]["code"] == "marked_in_future"
    assert call.post(f"/duties/{key}/done", note="told by telephone", done_on="2026-06-29")["status"] == "done"
    assert call.get("/duties?status=done&kind=notify_overdue")["items"][0]["note"] == "told by telephone"
    assert call.post(f"/duties/{key}/reopen")["status"] == "due_soon"
    assert call.post(f"/duties/{key}/waive", reason="paid in cash")["status"] == "waived"
    assert call("POST", "/duties/999/reopen")[0] == 404
    assert call("GET", "/duties?status=soon")[0] == 422
    asked = {"policy": "POL-N1", "terms": {"overdue_notification.days": 45}}
    result = call.post("/duties/what-if", Role.RECEIVABLES_CLERK, **asked)
    kinds = {kind["kind"]: kind for kind in result["kinds"]}
    assert kinds["notify_overdue"]["then"]["open"] == kinds["notify_overdue"]["now"]["open"]
    hostile = ({"overdue_notification.days": "soon"}, {"": 1}, {"overdue_notification": [1]}, {"a.b.c.d": {}}, {"currency.x": None, ".": 2})
    assert {call("POST", "/duties/what-if", policy="POL-N1", terms=terms)[0] for terms in hostile} == {422}
    assert call("POST", f"/duties/{key}/assign", owner_id=10**30)[0] == 422


def test_a_block_is_set_and_lifted_and_an_invoice_set_aside(ground: SimpleNamespace) -> None:
    call, key = ground.call, ground.account.buyer_id
    block = call.get(f"/buyers/{key}/block")
    assert block["is_blocked"]
    assert [each["number"] for cause in block["causes"] for each in cause["invoices"]] == ["OLD-0"]
    assert call("POST", f"/buyers/{key}/block", Role.CLAIMS_HANDLER, reason="no")[0] == 403
    aside = f"/blocks/invoices/{ground.keys['OLD-0']}/set-aside"
    after = call.post(aside, reason="payment_on_its_way", note="seen in the bank")
    assert (after["is_blocked"], after["is_cover_stopped"], after["set_aside"][0]["set_aside"]) == (False, True, "payment_on_its_way")
    assert call("POST", aside, reason="one_off", note="again")[1]["code"] == "set_aside_already"
    assert call.post(f"/blocks/exceptions/{after['exceptions'][0]['id']}/end")["is_blocked"]
    by_hand = call.post(f"/buyers/{key}/block", status=201, reason="bad news")["by_hand"][0]
    listed = call.get("/blocks?state=blocked&country=DE&search=muller")["items"]
    assert call.get("/blocks?page_size=1")["total"] == 1
    assert call.get("/blocks?state=group")["total"] == call.get("/blocks?country=SE")["total"] == 0
    assert [(each["buyer_id"], {cause["source"] for cause in each["causes"]}) for each in listed] == [(key, {"policy", "manual"})]
    lifted = call.post(f"/blocks/{by_hand['id']}/lift", note="cleared")
    assert (lifted["by_hand"][0]["lifted_on"], lifted["by_hand"][0]["lifted_note"]) == ("2026-06-30", "cleared")
    assert call("POST", f"/blocks/{by_hand['id']}/lift", note="again")[0] == 409
    assert call("GET", "/buyers/999/block")[0] == 404


def test_a_dispute_from_its_opening_to_the_settlement(ground: SimpleNamespace) -> None:
    call = ground.call
    opened = f"/invoices/{ground.keys['NEW-0']}/disputes"
    assert call("POST", opened, amount="2000.01", reason="too few")[0] == 422
    assert call("POST", opened, Role.CLAIMS_HANDLER, amount="500.00", reason="too few")[0] == 403
    made = call.post(opened, Role.RECEIVABLES_CLERK, status=201, amount="500.00", reason="too few")
    assert (made["state"], made["disputed"], made["is_ring_fenced"]) == ("disputed", {"amount": "500.00", "currency": "EUR"}, True)
    one = f"/disputes/{made['id']}"
    assert call.post(f"{one}/ring-fence", is_ring_fenced=False)["is_ring_fenced"] is False
    ended = call.post(f"{one}/resolve", found_owed="200.00", outcome="settlement", reference="S-1")
    assert (ended["state"], ended["found_owed"]["amount"], ended["outcome"], ended["reference"]) == (
        "settled",
        "200.00",
        "settlement",
        "S-1",
    )
    assert call("POST", f"{one}/resolve", found_owed="1", outcome="settlement")[1]["code"] == "dispute_over_already"
    listed = call.get(f"/disputes?state=settled&buyer_id={ground.account.buyer_id}")
    assert [(each["invoice"], each["disputed"]["amount"]) for each in listed["items"]] == [("NEW-0", "500.00")]
    assert call.get(one) == ended
    assert call("POST", "/invoices/999/disputes", amount="1", reason="x")[0] == 404


def test_letters_promises_holds_and_notes(app: Flask) -> None:
    debtors = make_debtors(app, roles=(Role.ADMINISTRATOR, Role.CLAIMS_HANDLER))
    with time_machine.travel(datetime(2026, 6, 9, 9, tzinfo=UTC), tick=True):
        call = Caller(app, debtors.account.tenant)
        assert call("POST", "/letters/propose", Role.CLAIMS_HANDLER)[0] == 403
        assert call.post("/letters/propose") == {"proposed": 4, "approved": 0}
        found = call.get("/letters?state=proposed&level=reminder_1", Role.CLAIMS_HANDLER)
        keys = {letter["buyer_id"]: letter["id"] for letter in found["items"]}
        assert (found["total"], {letter["total"]["amount"] for letter in found["items"]}) == (4, {"10000.00"})
        german, swede = debtors.buyers["DE"], debtors.buyers["SE"]
        letter = call.post(f"/letters/{keys[german]}/approve")
        assert (letter["state"], letter["invoices"][0]["number"], letter["language"]) == ("approved", "DE-1", "de")
        sent = call.get(f"/messages/{letter['message_id']}", Role.CLAIMS_HANDLER)
        assert (sent["state"], sent["recipients"], sent["documents"]) == ("queued", ["ap@de.example"], [letter["document_id"]])
        assert call.get(f"/messages?state=queued&buyer_id={german}")["items"][0]["subject"] == sent["subject"]
        assert call("POST", f"/messages/{sent['id']}/cancel", Role.CLAIMS_HANDLER)[0] == 403
        assert call("POST", f"/messages/{sent['id']}/arrived")[0] == 409
        assert call.post(f"/messages/{sent['id']}/cancel")["state"] == "cancelled"
        assert call("POST", f"/messages/{sent['id']}/repeat", recipients=["cfo@de.example"])[1]["code"] == "message_cannot"
        issued = call.get(f"/documents?buyer_id={german}")["items"][0]
        content = call.get(f"/documents/{issued['id']}")
        assert hashlib.sha256(content).hexdigest() == issued["sha256"]
        assert [call("GET", address)[0] for address in ("/documents/999", "/messages/999")] == [404, 404]
        with app.app_context(), transaction(debtors.account.organisation_id) as session:
            actor, mail = (
                debtors.account.tenant.actor(),
                {"recipients": ["a@insurer.example"], "language": "en", "subject": "s", "body": "b"},
            )
            notice = messages.queue(session, actor, cause="notice:1", kind=notices.MESSAGE_KIND, **mail).id
        assert call.post(f"/messages/{notice}/cancel", Role.CLAIMS_HANDLER)["state"] == "cancelled"
        client = app.test_client()
        log_in(client, debtors.account.tenant, Role.CLAIMS_HANDLER)
        assert [client.post(f"/messages/{key}/cancel").status_code for key in (sent["id"], notice)] == [403, 302]
        skipped = call.post(f"/letters/{keys[swede]}/skip", reason="visited today")
        assert (skipped["state"], skipped["reason"]) == ("skipped", "visited today")
        assert call("POST", f"/letters/{keys[swede]}/repeat")[1]["code"] == "letter_cannot"
        assert call("POST", f"/letters/{keys[swede]}/approve")[1]["code"] == "letter_cannot"
        assert call("POST", "/letters/999/approve")[0] == 404

        promised = {"promised": {"amount": "10000.00", "currency": "EUR"}, "promised_for": "2026-06-20", "invoices": ["SE-1"]}
        made = call.post(f"/buyers/{swede}/promises", status=201, **promised)
        assert (made["state"], made["received"]["amount"]) == ("open", "0.00")
        assert call("POST", f"/buyers/{swede}/promises", **{**promised, "invoices": ["none"]})[0] == 422
        assert call.get("/promises?state=open&page_size=1")["items"] == [made]
        assert call.get("/promises?state=broken")["total"] == 0
        assert call.post(f"/promises/{made['id']}/cancel")["state"] == "cancelled"
        assert [each["state"] for each in call.get(f"/buyers/{swede}/promises")["items"]] == ["cancelled"]
        assert call.get("/promises")["total"] == 0
        assert call.get(f"/promises?state=cancelled&buyer_id={swede}")["total"] == 1

        held = call.post(f"/buyers/{swede}/holds", status=201, reason="merger", until_on="2026-07-01")
        assert call.post(f"/holds/{held['id']}/end")["until_on"] == "2026-06-09"
        assert len(call.get(f"/buyers/{swede}/holds")["items"]) == 1
        noted = call.post(f"/buyers/{swede}/notes", status=201, kind="call", text="pays on Friday", follow_up_on="2026-06-12")
        assert call.post(f"/notes/{noted['id']}/done")["followed_up_on"] == "2026-06-09"
        assert call.get(f"/buyers/{swede}/notes")["items"][0]["text"] == "pays on Friday"
        assert [call("POST", address)[0] for address in ("/promises/999/cancel", "/holds/999/end", "/notes/999/done")] == [404] * 3


def test_a_plan_is_drawn_up_agreed_and_given_up_and_people_are_told(app: Flask, ground: SimpleNamespace) -> None:
    call, buyer = ground.call, ground.account.buyer_id
    choices = {each["number"]: each for each in call.get(f"/buyers/{buyer}/payment-plans/choices")["items"]}
    assert (choices["OLD-0"]["last_free_on"], choices["NEW-0"]["plan_id"]) == ("2026-06-03", None)
    asked = {"invoice_ids": [choices["NEW-0"]["invoice_id"]], "equal": {"count": 2, "first_on": "2026-07-15", "rhythm": "monthly"}}
    plans = f"/buyers/{buyer}/payment-plans"
    assert call("POST", plans, invoice_ids=[999], equal=asked["equal"])[0] == 422
    assert call("POST", plans, invoice_ids=asked["invoice_ids"])[0] == 422
    assert call("POST", "/buyers/999/payment-plans", **asked)[0] == 404
    plan = call.post(plans, Role.RECEIVABLES_CLERK, status=201, **asked, note="third promise")
    assert (plan["state"], plan["needs_consent"], plan["invoices"][0]["freedom"]) == ("draft", False, "free")
    assert [each["amount"]["amount"] for each in plan["instalments"]] == ["1000.00", "1000.00"]
    one = f"/payment-plans/{plan['id']}"
    assert call("POST", f"{one}/agree", Role.RECEIVABLES_CLERK)[0] == 403
    agreed = call.post(f"{one}/agree", Role.CLAIMS_HANDLER)
    assert (agreed["state"], agreed["agreed_on"], agreed["instalments"][0]["state"]) == ("active", "2026-06-30", "open")
    assert agreed["document_id"]
    assert call.post(f"{one}/confirm")["document_id"] != agreed["document_id"]

    late = {"invoice_ids": [ground.keys["OLD-0"]], "instalments": [{"due_on": "2026-09-30", "amount": "10000.00"}]}
    other = call.post(plans, status=201, **late)
    assert other["needs_consent"]
    assert call("POST", f"/payment-plans/{other['id']}/agree")[1]["code"] == "plan_needs_consent"
    asking = call.post(f"/payment-plans/{other['id']}/ask")
    assert (asking["state"], call.get(f"/notices/{asking['notice_id']}")["kind"]) == ("awaiting_consent", "extension")
    assert call.post(f"/payment-plans/{other['id']}/cancel", reason="paid")["state"] == "cancelled"
    listed = call.get(f"/payment-plans?buyer_id={buyer}&state=active")
    assert [(each["id"], each["next_on"]) for each in listed["items"]] == [(plan["id"], "2026-07-15")]

    with app.app_context():
        blocks.tell_of_new(ground.account.organisation_id, date(2026, 6, 4))
    told = call.get("/inbox", Role.CLAIMS_HANDLER)["items"]
    assert [(each["kind"], each["buyer_id"]) for each in told] == [("buyer_blocked", buyer)]
    assert "Müller GmbH" in told[0]["sentence"]
    assert call.post("/inbox/read", Role.CLAIMS_HANDLER, ids=[told[0]["id"]]) == {"count": 1}
    assert call.get("/inbox", Role.CLAIMS_HANDLER)["total"] == 0
    assert call.get("/inbox?with_read=true", Role.CLAIMS_HANDLER)["total"] == call.get("/inbox")["total"] == 1
