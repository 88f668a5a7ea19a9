"""E-mail through a real mail server: taken, put off, refused, lost, and never sent twice by itself."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, make_account, within
from support.mail_server import Mailbox, certificate, mail_server, use_mail

from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageState
from insureflow.models.database import db
from insureflow.models.documents import BuyerContact
from insureflow.models.messages import Message, Told
from insureflow.services import contacts, issued_documents, messages
from insureflow.services.clock import now
from insureflow.services.contacts import ContactDetails
from insureflow.services.messages import delivering
from insureflow.services.transaction import transaction


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app, roles=(Role.ADMINISTRATOR, Role.RECEIVABLES_CLERK))


def queue(
    account: Account, cause: str = "letter:1", *to: str, subject: str = "Påminnelse – Erinnerung №1", paper: bytes = b"%PDF-1.4 x"
) -> int:
    """Key of a message with a paper."""
    with transaction(account.organisation_id) as session:
        document = issued_documents.issue(
            session, account.tenant.actor(), kind="reminder", language="sv", dated_on=now().date(), facts={}, name="Påminnelse.pdf", content=paper
        )  # fmt: skip
        return messages.queue(
            session,
            account.tenant.actor(),
            cause=cause,
            kind="dunning_letter",
            recipients=to or ["asa@pumpen.example"],
            language="sv",
            subject=subject,
            body="Hej Åsa,\n\n.en rad som börjar med punkt\nÅÄÖ\n",
            documents=[document.id],
            reply_to="clerk@seller.example",
            buyer_id=account.buyer_id,
        ).id


def stored(account: Account, key: int) -> Message:
    db.session.expire_all()
    with within(account.organisation_id):
        return db.session.scalars(select(Message).where(Message.id == key)).one()


def test_a_message_arrives_whole_and_once(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[MessageState] = []
    hook = messages.on_state("dunning_letter", lambda _session, message: seen.append(message.state))
    try:
        with app.app_context(), mail_server() as mailbox:
            key = queue(account)
            assert queue(account) == key  # the same cause is the same message
            assert messages.deliver_due(account.organisation_id).waiting == 1
            assert stored(account, key).state is MessageState.QUEUED  # without a mail server it waits
            use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
            assert messages.deliver_due(account.organisation_id).sent == 1
            assert messages.deliver_due(account.organisation_id).sent == 0
            message = stored(account, key)
            assert (message.state, message.attempts, len(mailbox.taken)) == (MessageState.SENT, 1, 1)
            read = mailbox.messages()[0]
            assert read["Subject"] == "Påminnelse – Erinnerung №1"
            assert read["From"] == "Nordic Pumps <ar@seller.example>"
            assert (read["Reply-To"], read["Content-Language"], read["Message-ID"]) == ("clerk@seller.example", "sv", message.message_id)
            body = read.get_body(("plain",))
            assert body is not None
            assert body.get_content().splitlines()[2] == ".en rad som börjar med punkt"
            attached = next(iter(read.iter_attachments()))
            assert (attached.get_filename(), attached.get_content()) == ("Påminnelse.pdf", b"%PDF-1.4 x")
            assert hashlib.sha256(mailbox.taken[0]).hexdigest() == message.sha256
            assert seen == [MessageState.SENT]
    finally:
        delivering.announce.__globals__["_HOOKS"]["dunning_letter"].remove(hook)


def test_what_the_server_does_not_take(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context(), mail_server() as mailbox:
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        contacts.add_contact(actor, organisation_id, account.buyer_id, ContactDetails(email="gone@pumpen.example"))

        key = queue(account, "letter:slow")
        mailbox.content_answers = ["451 4.3.0 come back later"]
        assert messages.deliver_due(organisation_id).put_off == 1
        message = stored(account, key)
        assert (message.state, message.last_error) == (MessageState.QUEUED, {"code": "mail_refused", "reply": "451 4.3.0 come back later"})
        assert messages.deliver_due(organisation_id).counts()["mail_sent"] == 0
        assert messages.deliver_due(organisation_id, now() + timedelta(minutes=2)).sent == 1

        key = queue(account, "letter:gone", "gone@pumpen.example")
        mailbox.recipient_answers = {"gone@pumpen.example": ["550 5.1.1 no such user"]}
        assert messages.deliver_due(organisation_id).failed == 1
        assert stored(account, key).state is MessageState.FAILED
        with within(organisation_id):
            assert db.session.scalars(select(BuyerContact)).one().bounced_at is not None
            told = db.session.scalars(select(Told)).all()
        assert {row.facts["recipient"] for row in told} == {"gone@pumpen.example"}
        assert len(told) == 2

        both = queue(account, "letter:both", "a@pumpen.example", "b@pumpen.example")
        mailbox.recipient_answers = {"b@pumpen.example": ["450 4.2.1 mailbox busy", "550 5.1.1 no"]}
        assert messages.deliver_due(organisation_id).put_off == 1  # nobody gets it twice
        assert messages.deliver_due(organisation_id, now() + timedelta(minutes=2)).sent == 1
        message = stored(account, both)
        assert message.last_error is not None
        assert message.last_error["code"] == "mail_some_refused"
        assert mailbox.envelopes[-1] == ("ar@seller.example", ["a@pumpen.example"])

        mailbox.content_answers = ["554 5.7.1 spam"]
        refused = queue(account, "letter:refused")
        messages.deliver_due(organisation_id)
        assert stored(account, refused).state is MessageState.FAILED
        messages.cancel(actor, organisation_id, refused)
        with pytest.raises(Refusal) as cannot:
            messages.repeat(actor, organisation_id, refused)
        assert cannot.value.code == "message_cannot"

        monkeypatch.setattr(delivering, "WAITS", ())
        mailbox.content_answers = ["451 4.3.0 never"]
        late = queue(account, "letter:late")
        assert messages.deliver_due(organisation_id).failed == 1
        assert stored(account, late).state is MessageState.FAILED


def test_a_crash_after_the_content_leaves_a_message_uncertain(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context(), mail_server() as mailbox:
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        lost = queue(account, "letter:lost")
        mailbox.loses_answers = 1
        before = now()
        assert messages.deliver_due(organisation_id).uncertain == 1
        after = now()
        assert stored(account, lost).state is MessageState.UNCERTAIN
        assert messages.deliver_due(organisation_id, now() + timedelta(days=9)).counts()["mail_sent"] == 0
        with monkeypatch.context() as next_day:  # it was sent when it was tried, whenever somebody finds out
            next_day.setattr("insureflow.services.messages.queueing.now", lambda: now() + timedelta(days=1))
            messages.confirm_arrival(actor, organisation_id, lost)
        sent_at = stored(account, lost).sent_at
        assert sent_at is not None
        assert before <= sent_at <= after

        def die(*_arguments: object) -> None:
            raise KeyboardInterrupt

        killed = queue(account, "letter:killed")
        with monkeypatch.context() as dying:
            dying.setattr(delivering, "_record_acceptance", die)
            with pytest.raises(KeyboardInterrupt):
                messages.deliver_due(organisation_id)
        assert stored(account, killed).state is MessageState.SENDING
        assert messages.deliver_due(organisation_id).counts()["mail_sent"] == 0  # its lease lasts: another sender may be alive
        later = now() + timedelta(minutes=delivering.LEASE_MINUTES + 1)
        assert messages.deliver_due(organisation_id, later).uncertain == 1
        assert messages.deliver_due(organisation_id, later).counts()["mail_sent"] == 0
        assert len(mailbox.taken) == 2

        messages.repeat(actor, organisation_id, killed, recipients=["other@pumpen.example"])
        assert messages.deliver_due(organisation_id).sent == 1
        first, again = mailbox.messages()[1:]
        assert first["Message-ID"] == again["Message-ID"]
        assert again["To"] == "other@pumpen.example"


def test_the_way_to_the_server_is_protected(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)

    def sent_by(url: str) -> tuple[int, str]:
        use_mail(app, monkeypatch, url)
        key = queue(account, f"letter:{url}")
        done = messages.deliver_due(account.organisation_id)
        message = stored(account, key)
        return done.sent, (message.last_error or {}).get("code", "")

    def both(mailbox: Mailbox, scheme: str) -> None:
        assert sent_by(f"{scheme}://127.0.0.1:{mailbox.port}?ca={trusted}") == (1, "")
        assert sent_by(f"{scheme}://127.0.0.1:{mailbox.port}") == (0, "mail_server_not_trusted")
        assert len(mailbox.taken) == 1

    with app.app_context():
        with mail_server(tls_context=context, require_starttls=True) as mailbox:
            both(mailbox, "starttls")
        with mail_server(ssl_context=context) as mailbox:
            both(mailbox, "smtps")
        with mail_server() as mailbox:
            assert sent_by(f"starttls://127.0.0.1:{mailbox.port}?ca={trusted}") == (0, "mail_server_lacks")
            assert mailbox.taken == []
        assert sent_by(f"smtp://127.0.0.1:{mailbox.port}") == (0, "mail_server_unreachable")
        with pytest.raises(Refusal) as broken:
            messages.check_connection()
        assert broken.value.code == "mail_not_working"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_can_be_smuggled_into_a_message(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context(), mail_server() as mailbox:
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        for address in (
            "a@b.example\r\nBcc: x@y.example",
            "a b@c.example",
            "a@b.example,x@y.example",
            "<a@b.example>",
            "å@b.example",
            "nobody",
        ):
            with pytest.raises(Refusal) as unsafe:
                queue(account, "hostile", address)
            assert unsafe.value.code == "mail_address_unsafe"
        with pytest.raises(Refusal) as nobody, transaction(account.organisation_id) as session:
            messages.queue(session, account.tenant.actor(), cause="x", kind="x", recipients=[], language="en", subject="x", body="x")
        assert nobody.value.code == "message_without_recipient"
        key = queue(account, "folded", subject="one\r\nBcc: x@y.example")
        messages.deliver_due(account.organisation_id)
        assert mailbox.envelopes[0][1] == ["asa@pumpen.example"]
        assert mailbox.messages()[0]["Bcc"] is None
        assert stored(account, key).subject == "one Bcc: x@y.example"
        damaged = queue(account, "damaged", paper=b"%PDF-1.4 other")
        store = issued_documents.store_of(account.organisation_id)
        store._path(hashlib.sha256(b"%PDF-1.4 other").hexdigest()).write_bytes(b"changed")  # type: ignore[attr-defined]  # a folder's own
        assert messages.deliver_due(account.organisation_id).failed == 1
        assert stored(account, damaged).state is MessageState.FAILED
        queue(account, "domain", "x@müller.example")
        messages.deliver_due(account.organisation_id)
        assert mailbox.envelopes[-1][1] == ["x@xn--mller-kva.example"]
