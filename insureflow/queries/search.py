"""Finding anything by what people call it: forgiving of case, diacritics and legal forms, exact on numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, func, or_, select

from insureflow.domain.buyers import search_name
from insureflow.models.buyers import Buyer, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice

#: Most hits of one kind that a page shows.
MOST = 20


@dataclass(frozen=True, slots=True)
class BuyerHit:
    """A buyer that was found."""

    id: int
    name: str
    country: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoiceHit:
    """An invoice that was found; the open amount is in minor units."""

    id: int
    number: str
    buyer_id: int
    buyer: str
    entity: str
    open_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class LimitHit:
    """A limit decision that was found by the insurer's reference."""

    id: int
    reference: str | None
    buyer_id: int
    buyer: str
    policy: str
    decided_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class PolicyHit:
    """A policy that was found."""

    id: int
    number: str
    name: str
    insurer: str


def _pattern(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _begins(column: SQLColumnExpression[Any], text: str) -> ColumnElement[bool]:
    return func.lower(column).like(f"{_pattern(text.lower())}%", escape="\\")


def _holds(column: SQLColumnExpression[Any], word: str) -> ColumnElement[bool]:
    return column.like(f"%{_pattern(word)}%", escape="\\")


def find_buyers(text: str) -> Sequence[BuyerHit]:
    """Buyers by legal or other name, customer number, registration number or the insurer's number; exact names first."""
    words = search_name(text).split()
    by_name = and_(*(_holds(Buyer.search_name, word) for word in words)) if words else Buyer.id < 0
    other = and_(BuyerName.buyer_id == Buyer.id, *(_holds(BuyerName.search_name, word) for word in words))
    plain = text.strip()
    by_number = [
        select(CustomerNumber.id).where(CustomerNumber.buyer_id == Buyer.id, _begins(CustomerNumber.number, plain)).exists(),
        select(BuyerIdentifier.id)
        .where(BuyerIdentifier.buyer_id == Buyer.id, _begins(BuyerIdentifier.value, plain.replace(" ", "")))
        .exists(),
        select(InsurerIdentity.id).where(InsurerIdentity.buyer_id == Buyer.id, _begins(InsurerIdentity.number, plain)).exists(),
    ]
    statement = (
        select(Buyer.id, Buyer.legal_name, Buyer.country)
        .where(or_(by_name, select(BuyerName.id).where(other).exists() if words else Buyer.id < 0, *by_number))
        .order_by((Buyer.search_name != search_name(text)).asc(), Buyer.search_name, Buyer.id)
        .limit(MOST)
    )
    rows = db.session.execute(statement).all()
    numbers: dict[int, list[str]] = {}
    owned = select(CustomerNumber.buyer_id, CustomerNumber.number).where(CustomerNumber.buyer_id.in_([row.id for row in rows]))
    for buyer_id, number in db.session.execute(owned.order_by(CustomerNumber.number)):
        numbers.setdefault(buyer_id, []).append(number)
    return [BuyerHit(row.id, row.legal_name, row.country, tuple(numbers.get(row.id, ()))) for row in rows]


def find_invoices(text: str) -> Sequence[InvoiceHit]:
    """Invoices whose number begins with a text, the newest first."""
    statement = (
        select(Invoice.id, Invoice.number, Buyer.id, Buyer.legal_name, Entity.name, Invoice.open_minor, Invoice.currency)
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(_begins(Invoice.number, text.strip()))
        .order_by(Invoice.invoice_on.desc(), Invoice.id.desc())
        .limit(MOST)
    )
    return [InvoiceHit(*row) for row in db.session.execute(statement)]


def find_limits(text: str) -> Sequence[LimitHit]:
    """Limit decisions whose reference of the insurer begins with a text, the newest first."""
    statement = (
        select(
            LimitDecision.id,
            LimitDecision.insurer_reference,
            Buyer.id,
            Buyer.legal_name,
            Policy.number,
            LimitDecision.decided_minor,
            LimitDecision.currency,
        )
        .join(Buyer, Buyer.id == LimitDecision.buyer_id)
        .join(Policy, Policy.id == LimitDecision.policy_id)
        .where(LimitDecision.insurer_reference.is_not(None), _begins(LimitDecision.insurer_reference, text.strip()))
        .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
        .limit(MOST)
    )
    return [LimitHit(*row) for row in db.session.execute(statement)]


def find_policies(text: str) -> Sequence[PolicyHit]:
    """Policies by number, name, insurer or product."""
    word = f"%{_pattern(text.strip().lower())}%"
    columns = (Policy.number, Policy.name, Policy.insurer, Policy.product)
    statement = (
        select(Policy.id, Policy.number, Policy.name, Policy.insurer)
        .where(or_(*(func.lower(column).like(word, escape="\\") for column in columns)))
        .order_by(Policy.priority, Policy.number)
        .limit(MOST)
    )
    return [PolicyHit(*row) for row in db.session.execute(statement)]
