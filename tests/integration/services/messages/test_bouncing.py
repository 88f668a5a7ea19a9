"""What comes back: reports of mail servers by service, command and page; the pages of messages."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, make_account, within
from support.mail_server import delivery_report, mail_server, use_mail
from support.pages import PageClient
from support.tenants import log_in

from insureflow.connectors.mail_reports import read_report
from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageState
from insureflow.models.database import db
from insureflow.models.documents import BuyerContact
from insureflow.models.messages import Message
from insureflow.services import contacts, messages
from insureflow.services.contacts import ContactDetails
from insureflow.services.transaction import transaction


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app, roles=(Role.ADMINISTRATOR, Role.RECEIVABLES_CLERK, Role.AUDITOR))


def sent(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch, *causes: str) -> list[tuple[int, str]]:
    """Keys and identifications of messages that were sent."""
    with app.app_context(), mail_server() as mailbox:
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        contacts.add_contact(account.tenant.actor(), account.organisation_id, account.buyer_id, ContactDetails(email="asa@pumpen.example"))
        made = []
        for cause in causes:
            with transaction(account.organisation_id) as session:
                message = messages.queue(
                    session, account.tenant.actor(), cause=cause, kind="other", recipients=["asa@pumpen.example"], language="de",
                    subject=f"Brief {cause}", body="Guten Tag", buyer_id=account.buyer_id,
                )  # fmt: skip
                made.append((message.id, message.message_id))
        assert messages.deliver_due(account.organisation_id).sent == len(causes)
        return made


def test_a_report_marks_the_message_and_the_contact(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (key, identification), (other, _) = sent(app, account, monkeypatch, "one", "two")
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context():
        delayed = delivery_report(message_id=identification, recipient="asa@pumpen.example", action="delayed")
        assert not messages.record_bounce(actor, organisation_id, delayed).is_bounced
        forwarded = delivery_report(message_id=identification, recipient="elsewhere@other.example", original="asa@pumpen.example")
        outcome = messages.record_bounce(actor, organisation_id, forwarded)
        assert (outcome.message_id, outcome.is_bounced, outcome.recipients, outcome.contacts) == (key, True, ("asa@pumpen.example",), 1)
        again = messages.record_bounce(actor, organisation_id, forwarded)
        assert (again.is_bounced, again.contacts) == (True, 0)
        with within(organisation_id):
            assert db.session.scalars(select(BuyerContact)).one().bounced_at is not None
            message = db.session.scalars(select(Message).where(Message.id == key)).one()
            assert message.bounce is not None
            assert (message.state, message.bounce["status"], message.bounce["diagnostic"]) == (
                MessageState.BOUNCED, "5.1.1", "550 5.1.1 no such user",
            )  # fmt: skip
        with pytest.raises(Refusal) as unmatched:
            messages.record_bounce(actor, organisation_id, delivery_report(message_id="<none@x.example>", recipient="asa@pumpen.example"))
        assert unmatched.value.code == "report_unmatched"
    file = tmp_path / "report.eml"
    file.write_bytes(delivery_report(message_id="", recipient="asa@pumpen.example"))
    runner = app.test_cli_runner()
    taken = runner.invoke(args=["messages", "bounce", str(file), "-o", account.tenant.slug])
    assert f"Message {other} came back" in taken.output
    assert "came back" in runner.invoke(args=["messages", "list", "-o", account.tenant.slug, "--state", "bounced"]).output
    assert runner.invoke(args=["messages", "retry", str(other), "-o", account.tenant.slug, "--to", "new@pumpen.example"]).exit_code == 0
    assert runner.invoke(args=["messages", "cancel", str(other), "-o", account.tenant.slug]).exit_code == 0
    assert runner.invoke(args=["messages", "cancel", str(other), "-o", account.tenant.slug]).exit_code == 1
    assert "e-mails sent" in runner.invoke(args=["messages", "send", "-o", account.tenant.slug]).output


def test_the_pages_of_messages(app: Flask, client: PageClient, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    ((key, identification),) = sent(app, account, monkeypatch, "one")
    log_in(client, account.tenant)
    assert client.post("/messages/test").status_code == 302
    assert "The mail server does not let us in" in client.get("/messages/").get_data(as_text=True)
    report = delivery_report(message_id=identification, recipient="asa@pumpen.example")
    log_in(client, account.tenant, Role.RECEIVABLES_CLERK)
    assert client.post("/messages/test").status_code == 403
    nonsense = {"file": (io.BytesIO(b"Subject: hello\r\n\r\nhello"), "x.eml")}
    assert client.post("/messages/reports", data=nonsense, content_type="multipart/form-data").status_code == 422
    assert (
        client.post("/messages/reports", data={"file": (io.BytesIO(report), "x.eml")}, content_type="multipart/form-data").status_code
        == 302
    )
    page = client.get(f"/messages/{key}").get_data(as_text=True)
    assert "came back" in page
    assert "550 5.1.1 no such user" in page
    assert "1 was not delivered and needs a decision" in client.get("/messages/").get_data(as_text=True)
    assert "no user" not in client.post(f"/messages/{key}/repeat", data={"recipients": "not an address"}).get_data(as_text=True)
    with app.app_context(), transaction(account.organisation_id) as session:
        session.get_one(Message, key).kind = "notice"  # what goes to the insurer is for those who approve it
    assert "Send it again" not in client.get(f"/messages/{key}").get_data(as_text=True)
    assert {client.post(f"/messages/{key}/{step}").status_code for step in ("repeat", "cancel", "arrived")} == {403}
    with app.app_context(), transaction(account.organisation_id) as session:
        session.get_one(Message, key).kind = "letter"
    assert client.post(f"/messages/{key}/repeat", data={"recipients": "new@pumpen.example"}).status_code == 302
    assert client.post(f"/messages/{key}/cancel").status_code == 302
    assert "cancelled" in client.get(f"/messages/{key}").get_data(as_text=True)
    monkeypatch.undo()
    assert "Nothing is sent." in client.get("/messages/").get_data(as_text=True)
    log_in(client, account.tenant, Role.AUDITOR)
    assert client.post(f"/messages/{key}/repeat").status_code == 403
    assert "Send it again" not in client.get(f"/messages/{key}").get_data(as_text=True)


def test_reports_that_are_none_are_refused() -> None:
    for content in (
        b"",
        b"\xff\x00",
        b"Content-Type: multipart/report; boundary=B\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n\r\n--B--",
    ):
        with pytest.raises(Refusal) as unreadable:
            read_report(content)
        assert unreadable.value.code == "report_unreadable"
    with pytest.raises(Refusal) as large:
        read_report(b"x" * (10 * 1024 * 1024 + 1))
    assert large.value.code == "report_too_large"
