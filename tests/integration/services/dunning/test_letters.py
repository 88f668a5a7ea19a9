"""Letters from the rule to the buyer's mailbox: found, approved, written, sent, followed; and never twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import add_invoice, within
from support.dunning import DAY, LANGUAGES, RULE, Debtors, make_debtors
from support.mail_server import mail_server, use_mail
from support.papers import text_of

from insureflow.documents.forbidden_words import find_insurance_words
from insureflow.domain.dunning import DunningLevel, LetterChannel, LetterState, PromiseState, level_due, rule_for
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageAction
from insureflow.domain.money import Money
from insureflow.models.cover import ObligationMark
from insureflow.models.database import db
from insureflow.models.documents import BuyerContact, IssuedDocument
from insureflow.models.dunning import DunningLetter, DunningLetterInvoice
from insureflow.models.journal import JournalEntry
from insureflow.models.messages import Message
from insureflow.models.receivables import CreditNote, Dispute, Invoice, Payment
from insureflow.queries import dunning as queries
from insureflow.queries.dunning import DueLetter
from insureflow.services import contacts, dunning, issued_documents, messages
from insureflow.services.messages.hooks import announce, move
from insureflow.services.transaction import transaction


@pytest.fixture
def debtors(app: Flask) -> Debtors:
    return make_debtors(app)


def letters(debtors: Debtors) -> list[DunningLetter]:
    db.session.expire_all()
    with within(debtors.organisation_id):
        return list(db.session.scalars(select(DunningLetter).order_by(DunningLetter.id)))


def simulate(debtors: Debtors, on: date) -> list[DueLetter]:
    with within(debtors.organisation_id):
        return dunning.simulate(on)


def test_a_dunned_buyer_reads_the_own_language_and_nothing_of_insurance(
    app: Flask, debtors: Debtors, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, organisation_id = debtors.account.tenant.actor(), debtors.organisation_id
    with app.app_context(), mail_server() as mailbox:
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        made = dunning.propose(actor, organisation_id, DAY)
        assert (made.proposed, made.approved) == (4, 0)
        assert dunning.propose(actor, organisation_id, DAY).proposed == 0
        with within(organisation_id):
            said = select(JournalEntry).where(JournalEntry.action == "dunning.proposed")
            assert len(db.session.scalars(said).all()) == 1  # a run that made nothing is no entry
        assert dunning.propose(actor, organisation_id, DAY + timedelta(days=3)).proposed == 0  # three missed days make up for nothing
        assert {letter.level for letter in letters(debtors)} == {DunningLevel.REMINDER_1}
        assert "Payment" not in dunning.preview(organisation_id, letters(debtors)[0].id, DAY)

        assert dunning.approve(actor, organisation_id) == 4
        counts = dunning.issue_approved(organisation_id, DAY + timedelta(days=3))
        assert counts == {"letters_issued": 4, "letters_settled": 0, "letters_failed": 0}
        assert {letter.state for letter in letters(debtors)} == {LetterState.APPROVED}
        assert messages.deliver_due(organisation_id).sent == 4
        assert messages.deliver_due(organisation_id).counts()["mail_sent"] == 0
        assert {letter.state for letter in letters(debtors)} == {LetterState.SENT}

        with transaction(organisation_id) as session:  # a letter that comes back has reminded nobody
            came_back = session.scalars(select(Message).where(Message.buyer_id == debtors.buyers["FR"])).one()
            assert len(session.scalars(select(ObligationMark)).all()) == 4
            move(came_back, MessageAction.BOUNCE)
            announce(session, came_back)
        with within(organisation_id):
            stored = {row.buyer_id: row for row in db.session.scalars(select(Message))}
            papers = {row.buyer_id: row for row in db.session.scalars(select(IssuedDocument))}
            reminded = db.session.scalars(select(ObligationMark.buyer_id)).all()
            assert sorted(filter(None, reminded)) == sorted(debtors.buyers[country] for country in ("DE", "SE", "NL"))
        numbers = {row.number for row in papers.values()}
        assert numbers == {f"D-2026-{number:06}" for number in range(1, 5)}
        by_recipient = {str(read["To"]): read for read in mailbox.messages()}
        for country, key in debtors.buyers.items():
            language, read = LANGUAGES[country], by_recipient[f"ap@{country.lower()}.example"]
            body = read.get_body(("plain",))
            attached = next(iter(read.iter_attachments()))
            assert body is not None
            paper = text_of(attached.get_content())
            assert (read["Content-Language"], stored[key].language, papers[key].language) == (language, language, language)
            assert attached.get_content() == issued_documents.read(organisation_id, papers[key].id).content
            for text in (str(read["Subject"]), body.get_content(), paper):
                assert find_insurance_words(text, language) == ()
                assert "Atradius" not in text
            assert f"{country}-1" in paper
            assert "SE45" in paper
            said = {"de": "Mahnung", "sv": "påminnelse", "nl": "aanmaning", "fr": "relance"}[language]
            assert said.casefold() in (str(read["Subject"]) + paper).casefold()
            assert read["Reply-To"] == "ar@seller.example"


def test_levels_climb_and_money_received_stops_them(app: Flask, debtors: Debtors, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, organisation_id, german = debtors.account.tenant.actor(), debtors.organisation_id, debtors.buyers["DE"]
    with app.app_context(), mail_server() as mailbox:
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        due = date(2026, 5, 31)
        assert [each.level for each in simulate(debtors, due - timedelta(days=2))] == [DunningLevel.BEFORE_DUE] * 4
        assert simulate(debtors, due + timedelta(days=6)) == []
        assert {each.level for each in simulate(debtors, due + timedelta(days=90))} == {DunningLevel.REMINDER_1}  # never a demand first
        dunning.propose(actor, organisation_id, DAY)
        second = due + timedelta(days=21)
        assert simulate(debtors, second) == []  # nobody sent the milder one
        dunning.set_rule(actor, organisation_id, {**RULE, "may_skip_levels": True}, date(2026, 1, 1))
        assert dunning.propose(actor, organisation_id, second).superseded == 4  # nobody decided: the firmer one takes its place
        mine = [letter for letter in letters(debtors) if letter.buyer_id == german]
        assert [(letter.level, letter.state, letter.reason) for letter in mine] == [
            (DunningLevel.REMINDER_1, LetterState.SKIPPED, "superseded"),
            (DunningLevel.REMINDER_2, LetterState.PROPOSED, ""),
        ]
        assert mine[1].interest_minor == 4689  # 10,000.00 × 8.15 % × 21 / 365 = 46.890…

        with transaction(organisation_id) as session:
            french = session.scalars(select(BuyerContact).where(BuyerContact.buyer_id == debtors.buyers["FR"])).one()
            contacts.mark_bounced(session, [french.email], french.created_at)
        add_invoice(debtors.account, "DE-2", 500_00, shipped_on=date(2026, 5, 10))
        with transaction(organisation_id) as session:
            session.scalars(select(Invoice).where(Invoice.buyer_id == debtors.buyers["NL"])).one().open_minor = 0
        dunning.approve(actor, organisation_id)
        counts = dunning.issue_approved(organisation_id, second + timedelta(days=1))
        assert counts == {"letters_issued": 3, "letters_settled": 1, "letters_failed": 0}
        by_buyer = {letter.buyer_id: letter for letter in letters(debtors)}
        assert by_buyer[debtors.buyers["NL"]].reason == "settled"
        assert (by_buyer[debtors.buyers["FR"]].channel, by_buyer[german].total_minor) == (LetterChannel.POST, 10_500_00)
        with within(organisation_id):
            rows = db.session.scalars(select(DunningLetterInvoice).where(DunningLetterInvoice.letter_id == by_buyer[german].id)).all()
        assert {row.number: row.interest_minor for row in rows} == {"DE-1": 4912, "DE-2": 145}

        mailbox.recipient_answers = {"ap@se.example": ["550 5.1.1 gone"]}
        messages.deliver_due(organisation_id)
        by_buyer = {letter.buyer_id: letter for letter in letters(debtors)}
        swedish = by_buyer[debtors.buyers["SE"]]
        assert (swedish.state, swedish.reason, by_buyer[german].state) == (LetterState.FAILED, "mail_failed", LetterState.SENT)
        dunning.repeat(actor, organisation_id, swedish.id)
        assert dunning.issue_approved(organisation_id, second + timedelta(days=1))["letters_issued"] == 1
        monkeypatch.setattr("insureflow.services.dunning.letters.MOST_PRINTED", 1)
        assert dunning.mark_posted(actor, organisation_id, None, second + timedelta(days=2)) == 0  # nothing is printed yet
        for _ in range(2):  # a file holds so many letters; the others wait unprinted, and are not posted with them
            assert dunning.print_letters(actor, organisation_id).content.startswith(b"%PDF")
            assert dunning.mark_posted(actor, organisation_id, None, second + timedelta(days=2)) == 1
        with pytest.raises(Refusal) as nothing:
            dunning.print_letters(actor, organisation_id)
        assert nothing.value.code == "no_letters_to_print"

        final = due + timedelta(days=45)
        assert {each.level for each in simulate(debtors, final)} == {DunningLevel.FINAL_DEMAND}
        dunning.propose(actor, organisation_id, final)
        page = dunning.preview(
            organisation_id, next(x.id for x in letters(debtors) if x.buyer_id == german and x.state is LetterState.PROPOSED), final
        )
        assert "80,00" in page  # 40.00 for each of two invoices
        waiting = [letter.id for letter in letters(debtors) if letter.state is LetterState.PROPOSED]
        add_invoice(debtors.account, "DE-3", 700_00, shipped_on=date(2026, 6, 8))  # overdue itself some days later
        assert dunning.propose(actor, organisation_id, final + timedelta(days=10)).superseded == 0  # no first reminder for a final demand
        assert {letter.id for letter in letters(debtors) if letter.state is LetterState.PROPOSED} == set(waiting)
        with pytest.raises(Refusal):
            dunning.skip(actor, organisation_id, waiting, " ")
        assert dunning.skip(actor, organisation_id, waiting, "agreed by telephone") == 3
        following = simulate(debtors, final + timedelta(days=30))
        assert [(each.buyer_id, each.level, each.invoices) for each in following] == [(german, DunningLevel.REMINDER_2, 3)]


def test_levels_are_those_of_the_rule_whatever_was_sent(app: Flask, debtors: Debtors) -> None:
    actor, organisation_id = debtors.account.tenant.actor(), debtors.organisation_id
    sent = dict(zip(debtors.buyers, [("reminder_1", 0), ("reminder_2", 3), ("before_due", 9), ("reminder_1", None)], strict=True))
    with app.app_context():
        dunning.propose(actor, organisation_id, DAY)
        dunning.set_rule(actor, organisation_id, {**RULE, "days_between": 2}, date(2026, 1, 1), country="SE")
        dunning.set_rule(actor, organisation_id, {**RULE, "may_skip_levels": True}, date(2026, 1, 1), country="NL")
        with transaction(organisation_id) as session:
            for letter in session.scalars(select(DunningLetter)):
                level, days = sent[next(country for country, key in debtors.buyers.items() if key == letter.buyer_id)]
                letter.level = DunningLevel(level)
                if days is not None:
                    letter.state, letter.sent_on = LetterState.SENT, DAY + timedelta(days=days)
        with within(organisation_id):
            stored, fallback = queries.stored_rules(), dunning.fallback_rules()
            for passed in range(-20, 60):
                on = DAY + timedelta(days=passed)
                listed = queries.due_invoices(stored, fallback, on, list(debtors.buyers.values()))
                for country, key in debtors.buyers.items():
                    rule = rule_for(stored, buyer_id=key, country=country, on=on)
                    assert rule is not None
                    level, days = sent[country]
                    is_taken = days is not None and DAY + timedelta(days=days + rule.rules.days_between) <= on
                    expected = level_due(rule.rules, date(2026, 5, 31), on, taken=DunningLevel(level) if is_taken else None)
                    found = listed.get((debtors.account.tenant.entity_id, key, "EUR"), [])
                    assert [each.level for each in found] == ([] if expected is None else [expected]), (country, on)


def test_what_keeps_letters_back(app: Flask, debtors: Debtors) -> None:
    actor, organisation_id = debtors.account.tenant.actor(), debtors.organisation_id

    def due_now(on: date = DAY) -> set[str]:
        with within(organisation_id):
            keys = {each.buyer_id for each in dunning.simulate(on)}
        return {country for country, key in debtors.buyers.items() if key in keys}

    def add(*rows: object) -> None:
        with transaction(organisation_id) as session:
            session.add_all(rows)

    with app.app_context():
        assert due_now() == {"DE", "SE", "NL", "FR"}
        hold = dunning.add_hold(
            actor,
            organisation_id,
            debtors.buyers["DE"],
            reason="audit",
            from_on=DAY,
            until_on=DAY + timedelta(days=5),
            invoice_number="DE-1",
        )
        promise = dunning.add_promise(
            actor, organisation_id, debtors.buyers["SE"], Money(5_000_00, "EUR"), made_on=DAY, promised_for=DAY + timedelta(days=2)
        )
        dispute = Dispute(invoice_id=debtors.invoices["NL"], amount_minor=1_000_00, opened_on=DAY, created_at=hold.created_at)
        add(dispute)
        common = {"entity_id": debtors.account.tenant.entity_id, "buyer_id": debtors.buyers["FR"], "currency": "EUR"}
        add(CreditNote(**common, number="C1", net_minor=9_960_00, vat_minor=0, unapplied_minor=9_960_00, issued_on=DAY))
        assert due_now() == set()  # held, promised, disputed, below the least amount
        assert due_now(DAY + timedelta(days=3)) == {"SE"}  # the promise is broken
        assert due_now(DAY + timedelta(days=5)) == {"DE", "SE"}

        with within(organisation_id):
            assert [each.state for each in queries.promise_pictures(DAY + timedelta(days=3))] == [PromiseState.BROKEN]
        assert [dunning.note_broken_promises(organisation_id, DAY + timedelta(days=after)) for after in (2, 3, 4)] == [0, 1, 0]
        add(
            Payment(
                **{**common, "buyer_id": debtors.buyers["SE"]},
                number="P1",
                amount_minor=5_000_00,
                unapplied_minor=5_000_00,
                received_on=DAY,
            )
        )
        with within(organisation_id):
            assert [each.state for each in queries.promise_pictures(DAY + timedelta(days=3))] == [PromiseState.KEPT]
        for day in (DAY, DAY + timedelta(days=9)):  # what is over already stays over since its day
            assert dunning.cancel_promise(actor, organisation_id, promise.id, day).cancelled_on == DAY
            assert dunning.end_hold(actor, organisation_id, hold.id, day).until_on == DAY
        with transaction(organisation_id) as session:
            session.scalars(select(Dispute)).one().is_ring_fenced = True
        assert due_now() == {"DE", "SE", "NL"}
        with within(organisation_id):
            found = {each.buyer_id: each.open_minor for each in dunning.simulate(DAY)}
        assert found[debtors.buyers["NL"]] == 9_000_00  # what is not disputed
        assert found[debtors.buyers["SE"]] == 5_000_00

        strict = {"levels": [{"level": "final_demand", "days": 5, "automatic": True}], "channel": "post"}
        dunning.set_rule(actor, organisation_id, strict, DAY, country="NL")
        dunning.set_rule(actor, organisation_id, {"levels": [{"level": "reminder_1", "days": 30}]}, DAY, buyer_id=debtors.buyers["DE"])
        assert due_now() == {"NL", "SE"}
        made = dunning.propose(actor, organisation_id, DAY)
        assert (made.proposed, made.approved) == (1, 1)
        assert dunning.issue_approved(organisation_id, DAY)["letters_issued"] == 1
        dutch = next(letter for letter in letters(debtors) if letter.buyer_id == debtors.buyers["NL"])
        assert (dutch.level, dutch.channel) == (DunningLevel.FINAL_DEMAND, LetterChannel.POST)

        add(Payment(**{**common, "currency": "USD"}, number="P2", amount_minor=77_00, unapplied_minor=77_00, received_on=DAY))
        document, message = dunning.send_statement(
            actor, organisation_id, debtors.buyers["FR"], debtors.account.tenant.entity_id, DAY, by_mail=True
        )
        assert message is not None
        assert (document.kind, document.language, message.recipients) == ("statement", "fr", ["ap@fr.example"])
        paper = text_of(issued_documents.read(organisation_id, document.id).content)
        assert find_insurance_words(paper, "fr") == ()
        assert "FR-1" in paper
        assert "C1" in paper
        assert "P2" in paper  # money in a currency in which nothing is open
