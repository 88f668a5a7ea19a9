"""A group of companies with a lively ledger, made up by seed: several entities, policies, currencies, cuts, disputes, loose money."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session
from support.ledgers import NOW, Books, organisation

from insureflow.domain.cover import Layer
from insureflow.domain.limits import AccountActKind, LimitKind
from insureflow.models.buyers import Buyer
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.models.receivables import Dispute
from insureflow.services.transaction import transaction

#: The day the story ends on.
TODAY = date(2026, 6, 30)

TERMS_EUR = {
    "currency": "EUR",
    "insured_percentage": 90,
    "maximum_credit_terms": {"days": 90},
    "maximum_extension_period": {"days": 60},
    "overdue_notification": {"days": 30, "failure": "invoice_not_covered"},
    "waiting_period": {"protracted_default": {"months": 6, "from": "due_date"}},
    "claim_filing": {"months": 8, "from": "due_date"},
    "layers": {"top_up": {"insured_percentage": 80}},
    "turnover_declaration": {"cycle": "quarterly", "days": 30},
    "period": {"from": "2025-01-01", "to": "2026-12-31"},
}
TERMS_USD = {
    "currency": "USD",
    "limit_currency": "USD",
    "insured_percentage": 85,
    "maximum_extension_period": {"days": 90},
    "countries_covered": ["US", "GB"],
    "vat_covered": True,
}


@dataclass(slots=True)
class Trade:
    """What was made up."""

    organisation_id: int
    entities: list[Entity] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    buyers: list[Buyer] = field(default_factory=list)


def make_up(session: Session, *, slug: str = "acme", seed: int = 7, buyers: int = 14) -> Trade:
    """Entity 1 is insured by a euro policy and, with lower priority, a dollar policy; entity 2 by the dollar policy; entity 3 by none."""
    chance = random.Random(seed)
    trade = Trade(organisation(session, slug).id)
    with transaction(trade.organisation_id) as working:
        books = Books(working, trade.organisation_id)
        one, two, three = (books.entity(code) for code in ("E1", "E2", "E3"))
        euro = books.policy([one], TERMS_EUR, number="EUR-1", priority=1)
        dollar = books.policy([one, two], TERMS_USD, number="USD-1", priority=2)
        trade.entities, trade.policies = [one, two, three], [euro, dollar]
        for number in range(buyers):
            buyer = books.buyer(f"Buyer {number:03}", chance.choice(["DE", "FR", "US", "GB"]), insurable=number % 11 != 5)
            trade.buyers.append(buyer)
            _limits(books, chance, euro, dollar, buyer)
            _ledger(books, chance, trade, buyer)
            if number % 6 == 1:
                books.act(euro, buyer, AccountActKind.STOP_COVER, TODAY - timedelta(days=chance.randrange(5, 90)))
    return trade


def _limits(books: Books, chance: random.Random, euro: Policy, dollar: Policy, buyer: Buyer) -> None:
    for policy in (euro, dollar):
        if chance.random() < 0.8:
            amount = chance.randrange(1, 9) * 500_000
            books.limit(policy, buyer, amount, date(2025, 1, 10))
            if chance.random() < 0.4:
                cut = chance.choice([None, 0, amount // 2])
                books.limit(policy, buyer, cut, TODAY - timedelta(days=chance.randrange(0, 60)))
    if chance.random() < 0.4:
        books.limit(euro, buyer, 400_000, date(2025, 2, 1), layer=Layer.TOP_UP, kind=LimitKind.TOP_UP)
    if chance.random() < 0.2:
        books.limit(
            euro,
            buyer,
            6_000_000,
            date(2026, 5, 1),
            kind=LimitKind.TEMPORARY,
            valid_to=TODAY + timedelta(days=chance.randrange(1, 60)),
            currency="USD",
            rate=Decimal("0.9"),
        )


def _ledger(books: Books, chance: random.Random, trade: Trade, buyer: Buyer) -> None:
    for _ in range(chance.randrange(4, 12)):
        entity = chance.choice(trade.entities)
        on = TODAY - timedelta(days=chance.randrange(-10, 400))
        currency = chance.choice(["EUR", "EUR", "USD", "SEK"])
        net = chance.randrange(1_000, 900_000)
        invoice = books.invoice(
            entity,
            buyer,
            net,
            on,
            on + timedelta(days=chance.choice([30, 60, 120])),
            currency=currency,
            vat=chance.choice([0, net // 5]),
            shipment_on=on - timedelta(days=chance.choice([0, 0, 3, -4])),
        )
        gross = invoice.net_minor + invoice.vat_minor
        roll = chance.random()
        paid_on = on + timedelta(days=chance.randrange(0, 120))
        if roll < 0.45:
            books.payment(entity, buyer, gross + chance.choice([0, 0, 777]), paid_on, {invoice: gross}, currency=currency)
        elif roll < 0.6:
            books.payment(entity, buyer, gross // 3, paid_on, {invoice: gross // 3}, currency=currency)
        elif roll < 0.66:
            books.credit_note(entity, buyer, net // 4 + 1, paid_on, invoice)
        elif roll < 0.74:
            resolved = chance.random() < 0.5
            row = Dispute(
                organisation_id=trade.organisation_id,
                invoice_id=invoice.id,
                amount_minor=net // 2 + 1,
                opened_on=paid_on,
                resolved_on=paid_on + timedelta(days=20) if resolved else None,
                found_owed_minor=net // 4 if resolved else None,
                created_at=NOW,
            )
            books.session.add(row)
        elif roll < 0.8:
            books.payment(entity, buyer, gross // 2 + 5, paid_on, currency=chance.choice(["EUR", "USD"]))
        elif roll < 0.84:
            books.credit_note(entity, buyer, 5_001, paid_on, currency="EUR")
