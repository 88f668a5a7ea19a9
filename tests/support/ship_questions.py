"""Accounts, plans and reservations for the tests of "may I ship"."""

from __future__ import annotations

from datetime import date, timedelta

from insureflow.domain.cover import (
    Account,
    Invoice,
    Layer,
    LimitDecision,
)
from insureflow.domain.limits import (
    ProposedShipment,
    Remedy,
    RemedyKind,
    Reservation,
    ShipAnswer,
)
from insureflow.domain.money import Money
from insureflow.domain.periods import PaymentTerms
from insureflow.domain.policies import DatedTerms, parse_terms

START, ON = date(2026, 1, 1), date(2026, 3, 1)
DAYS_30 = PaymentTerms(30)

POLICY: dict[str, object] = {
    "currency": "EUR",
    "maximum_credit_terms": {"days": 60},
    "maximum_invoicing_period": {"days": 10},
    "maximum_extension_period": {"days": 30},
}


def account(**terms: object) -> Account:
    return Account((DatedTerms(date.min, parse_terms({**POLICY, **terms}, extensions=False)),), "EUR", "DE")


def limit(amount: int, on: date = START, layer: Layer = Layer.PRIMARY, **more: object) -> LimitDecision:
    return LimitDecision(on, amount, "EUR", layer=layer, **more)  # type: ignore[arg-type]  # fields of one test


def invoice(name: str, net: int, on: date = START, days: int = 30, vat: int = 0) -> Invoice:
    return Invoice(name, on, on, on + timedelta(days=days), "EUR", 1, net, vat)


def shipment(amount: int, on: date = ON, terms: PaymentTerms = DAYS_30, **more: object) -> ProposedShipment:
    return ProposedShipment(amount, "EUR", 1, on, terms, **more)  # type: ignore[arg-type]  # fields of one test


def held(name: str, amount: int, lapses_on: date = date(2026, 4, 1), made_on: date = START, days: int = 30) -> Reservation:
    return Reservation(name, amount, "EUR", 1, made_on, lapses_on, PaymentTerms(days))


def found(answer: ShipAnswer, kind: RemedyKind) -> Remedy:
    (remedy,) = (each for each in answer.remedies if each.kind is kind)
    return remedy


def kinds(answer: ShipAnswer) -> list[RemedyKind]:
    return [remedy.kind for remedy in answer.remedies]


def eur(minor: int) -> Money:
    return Money(minor, "EUR")
