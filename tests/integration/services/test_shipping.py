"""May I ship: the answer of the rules of cover, kept with the order, and never the same part of a limit twice."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation
from support.trading import TODAY, make_up

from insureflow.domain.cover import Reason
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import AccountActKind, RemedyKind, ShipVerdict
from insureflow.models.buyers import Buyer
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Invoice
from insureflow.models.shipments import ShipmentCheck
from insureflow.queries import shipping as queries
from insureflow.queries.cover.policies import PolicyBook
from insureflow.services import cover, journal, shipping
from insureflow.services.journal import Actor
from insureflow.services.scoping import within
from insureflow.services.shipping import ShipQuestion
from insureflow.services.transaction import transaction

ACTOR = Actor(None, "test")
ON = date(2026, 6, 30)
TERMS = {
    "currency": "EUR",
    "insured_percentage": 90,
    "maximum_credit_terms": {"days": 90},
    "maximum_extension_period": {"days": 60},
    "period": {"from": "2025-01-01", "to": "2027-12-31"},
}


def _book(session: Session, *, limit: int | None = 100_000, owed: int = 0, slug: str = "acme") -> tuple[int, Buyer, Entity]:
    """A buyer with a limit, and an open invoice if anything is owed."""
    organisation_id = organisation(session, slug).id
    with transaction(organisation_id) as working:
        books = Books(working, organisation_id)
        entity, buyer = books.entity(), books.buyer()
        policy = books.policy([entity], TERMS)
        if limit is not None:
            books.limit(policy, buyer, limit, date(2026, 1, 1))
        if owed:
            books.invoice(entity, buyer, owed, date(2026, 6, 1), date(2026, 7, 1))
        cover.refresh_buyers(working, None, ON)
    return organisation_id, buyer, entity


def _question(buyer: Buyer, amount: int, **more: object) -> ShipQuestion:
    plain: dict[str, object] = {"currency": "EUR", "ship_on": ON, "credit_terms_days": 30, **more}
    return ShipQuestion(buyer.id, amount, **plain)  # type: ignore[arg-type]  # what the test wants


def test_the_answer_says_how_much_and_why_and_what_would_help(session: Session) -> None:
    organisation_id, buyer, _entity = _book(session, owed=80_000)
    with within(organisation_id):
        whole = shipping.ask(_question(buyer, 20_000), ON)
        assert (whole.answer.verdict, whole.answer.covered.minor) == (ShipVerdict.COVERED, 20_000)
        partly = shipping.ask(_question(buyer, 70_000), ON, with_trace=True)
        assert (partly.answer.verdict, partly.answer.covered.minor, partly.answer.why) == (ShipVerdict.PARTLY, 20_000, Reason.OVER_LIMIT)
        assert {RemedyKind.PAY_DOWN, RemedyKind.SHIP_LESS, RemedyKind.INCREASE_LIMIT} <= {each.kind for each in partly.answer.remedies}
        assert len(partly.answer.trace) > 3
        assert partly.data["uncovered"] == {"amount": "500.00", "currency": "EUR"}
        dollars = shipping.ask(_question(buyer, 11_400, currency="USD"), ON)
        assert dollars.answer.shipment.rate != 1
        assert dollars.answer.covered.currency == "EUR"
        later = shipping.ask(_question(buyer, 20_000, ship_on=ON + timedelta(days=200)), ON)
        assert later.answer.is_stopped, "what is owed will be overdue for too long by then"


def test_what_cannot_be_asked_is_refused(session: Session) -> None:
    organisation_id, buyer, entity = _book(session)
    with transaction(organisation_id) as working:
        other = Books(working, organisation_id).entity("DE01")
    with within(organisation_id):
        with pytest.raises(Refusal, match="shipping_entity_needed"):
            shipping.ask(_question(buyer, 1), ON)
        uninsured = shipping.ask(_question(buyer, 1, entity_id=other.id), ON)
        assert (uninsured.policy, uninsured.answer.why) == (None, Reason.NO_POLICY)
        for wrong in (_question(buyer, 0), _question(buyer, 1, currency="XYZ"), _question(buyer, 1, credit_terms_days=-1)):
            with pytest.raises(InvalidValues):
                shipping.ask(wrong, ON)
        for each in (entity.id, other.id):
            with pytest.raises(Refusal, match="shipment_in_the_past"):
                shipping.ask(_question(buyer, 1, entity_id=each, ship_on=ON - timedelta(days=1)), ON, with_remedies=False)
        with pytest.raises(Refusal, match="buyer_unknown"):
            shipping.ask(replace(_question(buyer, 1), buyer_id=buyer.id + 99), ON)
        with pytest.raises(Refusal, match="entity_unknown"):
            shipping.ask(_question(buyer, 1, entity_id=999), ON)
    kept = _question(buyer, 1, entity_id=entity.id)
    for until, order in ((ON - timedelta(days=1), "A"), (ON + timedelta(days=999), "A"), (ON, "")):
        with pytest.raises(InvalidValues):
            shipping.decide(ACTOR, organisation_id, replace(kept, order_reference=order), ON, reserve_until=until)


def test_a_reservation_counts_until_it_lapses_is_released_or_invoiced(session: Session) -> None:
    organisation_id, buyer, entity = _book(session)
    until = ON + timedelta(days=10)

    def left(on: date = ON, order: str = "") -> int:
        with within(organisation_id):
            question = _question(buyer, 500_000, ship_on=on, order_reference=order)
            return shipping.ask(question, on, with_remedies=False).answer.covered.minor

    first = shipping.decide(ACTOR, organisation_id, _question(buyer, 60_000, order_reference="A-1"), ON, reserve_until=until)
    assert (first.covered_minor, first.reserved_until, len(first.trace) > 2) == (60_000, until, True)
    assert left() == 40_000
    assert left(order="A-1") == 100_000, "an order does not stand in its own way"
    assert (left(until), left(until + timedelta(days=1))) == (40_000, 100_000)
    second = shipping.decide(ACTOR, organisation_id, _question(buyer, 90_000, order_reference="B-1"), ON, reserve_until=until)
    assert (second.verdict, second.covered_minor) == ("partly", 40_000)
    third = shipping.decide(ACTOR, organisation_id, _question(buyer, 5_000, order_reference="C-1"), ON, reserve_until=until)
    assert (third.verdict, third.reserved_until) == ("not_covered", None)
    again = shipping.decide(ACTOR, organisation_id, _question(buyer, 70_000, order_reference="A-1"), ON, reserve_until=until)
    assert again.covered_minor == 60_000
    assert left() == 0
    shipping.release(ACTOR, organisation_id, second.id, ON)
    assert left() == 40_000
    for gone in (first, second, third):
        with pytest.raises(Refusal, match="nothing_reserved"):
            shipping.release(ACTOR, organisation_id, gone.id, ON)
    with transaction(organisation_id) as working:
        books = Books(working, organisation_id)
        books.invoice(entity, buyer, 50_000, ON - timedelta(days=40), ON + timedelta(days=1), reference="A-1")
        cover.refresh_buyers(working, None, ON)
    assert left() == 0, "an invoice from before the question is another delivery"
    with transaction(organisation_id) as working:
        books.invoice(entity, buyer, 30_000, ON, ON + timedelta(days=30), reference="A-1", number="R-9")
        cover.refresh_buyers(working, None, ON)
    assert left() == 20_000, "the invoice took the place of what was kept for it"
    by_hand = shipping.decide(ACTOR, organisation_id, _question(buyer, 20_000, order_reference="D-1"), ON, reserve_until=until)
    assert left() == 0
    with pytest.raises(Refusal, match="shipment_invoice_unknown"):
        shipping.mark_invoiced(ACTOR, organisation_id, by_hand.id, "R-10")
    with pytest.raises(Refusal, match="shipment_check_unknown"):
        shipping.mark_invoiced(ACTOR, organisation_id, by_hand.id, "R-9", owner_id=77)
    shipping.mark_invoiced(ACTOR, organisation_id, by_hand.id, "R-9")
    assert left() == 20_000
    with transaction(organisation_id) as working:
        assert queries.is_invoiced(by_hand.id)
        working.delete(working.scalars(select(Invoice).where(Invoice.number == "R-9")).one())
        cover.refresh_buyers(working, None, ON)
        assert not queries.is_invoiced(by_hand.id), "an import that is undone gives the reservation back"
    assert journal.verify(organisation_id).is_sound


def test_the_short_answer_is_the_long_one(session: Session) -> None:
    """What is read from the account as it stands equals what going through its past gives, for any ledger and any shipment."""
    chance = random.Random(20_260_630)
    compared = short = 0
    for seed in range(3):
        trade = make_up(session, slug=f"acme{seed}", seed=seed, buyers=12)
        with transaction(trade.organisation_id) as working:
            books = Books(working, trade.organisation_id)
            books._number = 10_000
            plain = books.buyer("Plain", "DE")
            books.limit(trade.policies[0], plain, 900_000, date(2025, 1, 1))
            books.limit(trade.policies[0], plain, chance.choice([300_000, 1_500_000]), TODAY - timedelta(days=20))
            for number in range(chance.randrange(1, 6)):
                on = TODAY - timedelta(days=number * 9 + chance.randrange(0, 9))
                invoice = books.invoice(trade.entities[0], plain, chance.randrange(10_000, 400_000), on, on + timedelta(days=45))
                if chance.random() < 0.5:
                    half = invoice.net_minor // 2
                    books.payment(trade.entities[0], plain, half, on + timedelta(days=1) if on < TODAY else on, {invoice: half})
            cover.refresh_buyers(working, None, TODAY)
        with within(trade.organisation_id):
            book = PolicyBook.load()
            for buyer in [*trade.buyers, *[plain] * 6]:
                for _ in range(4):
                    question = ShipQuestion(
                        buyer.id,
                        chance.choice([5_000, 90_000, 700_000, 4_000_000]),
                        chance.choice(["EUR", "EUR", "USD", "SEK"]),
                        TODAY + timedelta(days=chance.choice([0, 0, 1, 14, 70, 200])),
                        chance.choice([0, 30, 60, 120]),
                        entity_id=trade.entities[0].id,
                    )
                    long = shipping.ask(question, TODAY, with_remedies=False, in_short=False).answer
                    assert shipping.ask(question, TODAY, with_remedies=False).answer == long, question
                    compared += 1
                    policy = book.choose(trade.entities[0].id, buyer.country, question.ship_on)
                    short += policy is not None and queries.find_short_ground(buyer, policy, TODAY, question.ship_on) is not None
    assert compared > 150
    assert short > compared // 8, "the short way must be taken often enough to be tested"


def test_a_short_answer_counts_what_is_reserved(session: Session) -> None:
    organisation_id, buyer, _entity = _book(session, owed=30_000)
    shipping.decide(ACTOR, organisation_id, _question(buyer, 25_000, order_reference="A"), ON, reserve_until=ON + timedelta(days=5))
    with within(organisation_id):
        for amount in (45_000, 45_001, 90_000):
            question = _question(buyer, amount)
            short = shipping.ask(question, ON, with_remedies=False).answer
            assert short == shipping.ask(question, ON, with_remedies=False, in_short=False).answer
            assert short.covered.minor == min(amount, 45_000)


def test_stopped_accounts_and_losses_are_answered_the_long_way(session: Session) -> None:
    organisation_id, buyer, _entity = _book(session, owed=30_000)
    with transaction(organisation_id) as working:
        policy = next(iter(PolicyBook.load().policies.values()))
        assert queries.find_short_ground(buyer, policy, ON, ON) is not None
        assert queries.find_short_ground(buyer, policy, ON, ON + timedelta(days=300)) is None
        Books(working, organisation_id).act(policy, buyer, AccountActKind.DATE_OF_LOSS, ON)  # type: ignore[arg-type]  # only its key
        assert queries.find_short_ground(buyer, policy, ON, ON) is None


def test_many_at_once_never_get_more_than_there_is(app: Flask) -> None:
    """Sixteen orders at the same moment, each for a fifth of what is left: exactly five are covered whole."""
    with app.app_context():
        from insureflow.models.database import db

        organisation_id, buyer, _entity = _book(db.session(), owed=50_000)
        buyer_id = buyer.id
    ready = threading.Barrier(16)
    failed: list[BaseException] = []

    def order(number: int) -> None:
        try:
            ready.wait(30)
            with app.app_context():
                question = ShipQuestion(buyer_id, 10_000, "EUR", ON, 30, order_reference=f"O-{number}")
                until = ON + timedelta(days=3)
                shipping.decide(ACTOR, organisation_id, question, ON, reserve_until=until, with_remedies=False, with_trace=number % 2 == 0)
        except BaseException as error:  # noqa: BLE001 (the test tells them all)
            failed.append(error)

    threads = [threading.Thread(target=order, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    with app.app_context(), within(organisation_id):
        from insureflow.models.database import db

        checks = db.session.scalars(select(ShipmentCheck)).all()
        assert len(checks) == 16
        assert sum(check.covered_minor for check in checks if check.reserved_until) == 50_000
        assert sorted(check.covered_minor for check in checks) == [0] * 11 + [10_000] * 5
        assert all(check.rate == Decimal(1) for check in checks)
        assert journal.verify(organisation_id).is_sound
