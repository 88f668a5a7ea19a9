"""Whole books of buyers, limits, invoices and payments put straight into the tables, for timing pages; the same every time.

Only what people and files bring is made up; positions, states of accounts, exposure and duties are worked out by the product.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import insert, select
from support.tenants import Tenant, make_tenant

from insureflow.domain.access import Role
from insureflow.domain.buyers import BuyerStatus
from insureflow.models.base import Base
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation
from insureflow.models.database import db
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.rates import ManualRate
from insureflow.models.receivables import Allocation, Dispute, Invoice, Payment
from insureflow.services import cover, policies
from insureflow.services.clock import now
from insureflow.services.cover.storing import insert_rows
from insureflow.services.transaction import transaction

COUNTRIES = ("DE", "FR", "IT", "PL", "ES", "NL", "SE", "US", "GB", "DK", "FI", "NO", "CZ", "AT", "BE", "BR")
_DIRECTIONS = ("Nord", "Ost", "Sud", "West", "Mid")
_ENTITIES = {"SE01": ("SE", "SEK"), "DE01": ("DE", "EUR"), "US01": ("US", "USD"), "PL01": ("PL", "EUR")}
_RATES = (("EUR", "SEK", "11.2345"), ("EUR", "USD", "1.0823"))
_PERIOD = {"from": "2024-01-01", "to": "2029-12-31"}
_TERMS: dict[str, dict[str, Any]] = {
    "A-100": {
        "currency": "EUR",
        "period": _PERIOD,
        "insured_percentage": {"default": 90, "by_country": {"IT": 80}},
        "maximum_credit_terms": {"days": 120},
        "maximum_extension_period": {"days": 60},
        "limit_cancellation_notice": {"days": 30},
        "overdue_notification": {"days": 30, "failure": "invoice_not_covered"},
        "layers": {"top_up": {"insured_percentage": 70}},
    },
    "B-200": {
        "currency": "EUR",
        "period": _PERIOD,
        "insured_percentage": 85,
        "maximum_extension_period": {"days": 90},
        "claim_filing": {"months": 8, "from": "due_date"},
        "waiting_period": {"protracted_default": {"months": 6, "from": "due_date"}},
    },
    "C-300": {
        "currency": "USD",
        "limit_currency": "USD",
        "period": _PERIOD,
        "insured_percentage": 90,
        "maximum_extension_period": {"days": 60},
        "vat_covered": True,
    },
}
_INSURED = {"A-100": ["SE01"], "B-200": ["DE01"], "C-300": ["US01"]}
_CURRENCY_OF_LIMIT = {"A-100": "EUR", "B-200": "EUR", "C-300": "USD"}


@dataclass(slots=True)
class _Numbers:
    """The next free key of each table that others refer to."""

    buyer: int
    invoice: int
    payment: int
    decision: int


def make_loaded_book(app: Flask, buyers: int, invoices: int, on: date) -> Tenant:
    """A tenant with three policies, of whose four entities one is not insured, and so many buyers and invoices, all of them open."""
    tenant = make_tenant(app, "Loaded Book", entities=_ENTITIES, roles=(Role.ADMINISTRATOR,))
    at = now()
    with transaction(tenant.id) as session:
        session.add_all(
            ManualRate(base=base, quote=quote, valid_on=date(2020, 1, 1), rate=Decimal(rate), source="made up", created_at=at)
            for base, quote, rate in _RATES
        )
    keys = {
        number: policies.add_policy(
            tenant.actor(),
            tenant.id,
            number=number,
            name=f"Policy {number}",
            insurer="Atradius",
            currency=terms["currency"],
            terms=terms,
            entities=_INSURED[number],
            effective_on=date(2024, 1, 1),
            on=on,
        ).id
        for number, terms in _TERMS.items()
    }
    with transaction(tenant.id) as session:
        first = _Numbers(
            *(1 + int(session.scalar(select(db.func.max(model.id))) or 0) for model in (Buyer, Invoice, Payment, LimitDecision))
        )
        story = _Story(tenant, keys, first, buyers, invoices, on)
        for model, columns, rows in (
            (Buyer, ("id", "organisation_id", *_BUYER), story.buyers()),
            (CustomerNumber, ("organisation_id", "entity_id", "buyer_id", "number"), story.numbers()),
            (LimitDecision, ("id", "organisation_id", *_DECISION), story.decisions()),
            (LimitRequest, ("organisation_id", *_REQUEST), story.requests()),
            (Invoice, ("id", "organisation_id", *_INVOICE), story.invoices()),
            (Payment, ("id", "organisation_id", *_PAYMENT), story.payments()),
            (Allocation, ("organisation_id", "invoice_id", "payment_id", "amount_minor", "allocated_on"), story.allocations()),
        ):
            insert_rows(session, model, columns, rows)
        session.execute(insert(Dispute), list(story.disputes()))
        if session.connection().dialect.name == "postgresql":
            for table in ("buyer", "invoice", "payment", "limit_decision"):
                session.connection().exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                )
    with transaction(tenant.id) as session:
        cover.refresh_buyers(session, None, on)
    _look_through()
    return tenant


#: The tables of a book that are about buyers, in the order in which they refer to each other, and what tells their rows apart by name.
_OF_BUYERS: tuple[tuple[type[Base], str], ...] = (
    (Buyer, ""),
    (CustomerNumber, "number"),
    (LimitDecision, ""),
    (LimitRequest, "own_reference"),
    (Invoice, "number"),
    (Payment, "number"),
    (Allocation, ""),
    (Dispute, ""),
    (InvoicePosition, ""),
    (AccountState, ""),
    (Exposure, ""),
    (Obligation, ""),
)
_KEYS = {"buyer_id": Buyer, "invoice_id": Invoice, "payment_id": Payment, "decision_id": LimitDecision}


def multiply_book(tenant: Tenant, times: int) -> None:
    """Make a book so many times as large: every buyer again, with what it owes and how its account stands, by set-based copies.

    A copy stands as its original does under the same policies, so that what was worked out for the one is what would be worked out for
    the other; no limit, stop or duty depends on how many buyers there are.
    """
    with transaction(tenant.id) as session:
        connection = session.connection()

        def last_of(model: type[Base]) -> int:
            return int(connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {model.__tablename__}").scalar() or 0)

        kept = {model: last_of(model) for model, _name in _OF_BUYERS}
        for again in range(1, times):
            for model, name in _OF_BUYERS:
                columns = [column.name for column in model.__table__.columns]
                keys = {column: again * kept[_KEYS[column]] for column in columns if column in _KEYS} | {"id": again * kept[model]}
                values = [
                    f"{column} + {keys[column]}" if column in keys else f"{column} || '-{again}'" if column == name else f'"{column}"'
                    for column in columns
                ]
                named = ", ".join(f'"{column}"' for column in columns)
                is_of_buyer = " AND buyer_id IS NOT NULL" if "buyer_id" in columns else ""
                connection.exec_driver_sql(
                    f"INSERT INTO {model.__tablename__} ({named})"
                    f" SELECT {', '.join(values)} FROM {model.__tablename__}"
                    f" WHERE organisation_id = {tenant.id} AND id <= {kept[model]}{is_of_buyer}"
                )
        if connection.dialect.name == "postgresql":
            for model, _name in _OF_BUYERS:
                table = model.__tablename__
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    _look_through()


def _look_through() -> None:
    """Let the database know what its tables hold."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if connection.dialect.name == "sqlite" else "VACUUM ANALYZE")
    db.session.remove()


_BUYER = ("legal_name", "search_name", "country", "status", "natural_person", "created_at")
_DECISION = (
    "policy_id",
    "buyer_id",
    "layer",
    "kind",
    "status",
    "requested_minor",
    "decided_minor",
    "currency",
    "rate",
    "rate_source",
    "decided_on",
    "effective_on",
    "conditions",
    "reason",
    "source",
    "created_at",
)
_REQUEST = (
    "policy_id",
    "buyer_id",
    "request_type",
    "layer",
    "kind",
    "state",
    "outcome",
    "requested_minor",
    "currency",
    "asked_on",
    "is_urgent",
    "comment",
    "own_reference",
    "decision_id",
    "bulk",
    "created_at",
)
_INVOICE = (
    "entity_id",
    "buyer_id",
    "number",
    "reference",
    "currency",
    "net_minor",
    "vat_minor",
    "open_minor",
    "rate_source",
    "invoice_on",
    "shipment_on",
    "due_on",
    "original_due_on",
    "terms",
    "was_disputed",
    "fingerprint",
)
_PAYMENT = ("entity_id", "buyer_id", "number", "currency", "amount_minor", "unapplied_minor", "received_on", "purpose", "inferred")

#: Of a hundred buyers: so many are sold to by the first entity, the second and so on.
_SHARE_OF_ENTITY = (("SE01", 45), ("DE01", 75), ("US01", 90), ("PL01", 100))
_POLICY_OF_ENTITY = {"SE01": "A-100", "DE01": "B-200", "US01": "C-300"}
_CURRENCIES = {"SE01": ("EUR", "EUR", "SEK"), "DE01": ("EUR",), "US01": ("USD",), "PL01": ("EUR",)}
#: One invoice in so many has been paid in part.
_PAID_IN_PART = 10


class _Story:
    """What is made up, by number: the same number always gives the same buyer or invoice."""

    def __init__(self, tenant: Tenant, policy_ids: dict[str, int], first: _Numbers, buyers: int, invoices: int, on: date) -> None:
        self._tenant, self._policies, self._first = tenant, policy_ids, first
        self._buyers, self._invoices, self._on = buyers, invoices, on
        self._at = now()

    def _entity_of(self, number: int) -> str:
        place = number * 37 % 100
        return next(code for code, share in _SHARE_OF_ENTITY if place < share)

    def buyers(self) -> Iterator[tuple[Any, ...]]:
        """Names that do not begin with their number, so that sorting has something to do."""
        for number in range(self._buyers):
            name = f"{_DIRECTIONS[number * 7 % 5]} Customer {number}"
            country = COUNTRIES[(number * number + number // 7) % len(COUNTRIES)]
            status = BuyerStatus.TO_REVIEW if number % 50 == 0 else BuyerStatus.ACTIVE
            yield self._first.buyer + number, self._tenant.id, name, name.lower(), country, status.value, False, self._at.isoformat()

    def numbers(self) -> Iterator[tuple[Any, ...]]:
        """Each buyer is known to the one entity that sells to it."""
        for number in range(self._buyers):
            yield self._tenant.id, self._tenant.entities[self._entity_of(number)], self._first.buyer + number, f"K{number:06}"

    def _limit(self, number: int) -> int:
        return (1 + number * 13 % 40) * 500_000

    def decisions(self) -> Iterator[tuple[Any, ...]]:
        """Most buyers have a limit; some were refused one, some had it cut last month, some nobody ever asked for."""
        key = self._first.decision
        for number in range(self._buyers):
            policy = _POLICY_OF_ENTITY.get(self._entity_of(number))
            if policy is None or number % 10 == 3:
                continue
            begun = self._on - timedelta(days=200 + number % 300)
            words = [("refused" if number % 20 == 7 else "approved", 0 if number % 20 == 7 else self._limit(number), begun)]
            if number % 25 == 4:
                words.append(("reduced", self._limit(number) // 2, self._on - timedelta(days=number % 25)))
            for status, decided, day in words:
                yield (
                    key,
                    self._tenant.id,
                    self._policies[policy],
                    self._first.buyer + number,
                    "primary",
                    "named",
                    status,
                    self._limit(number),
                    decided,
                    _CURRENCY_OF_LIMIT[policy],
                    Decimal(1),
                    "",
                    day,
                    day,
                    "{}",
                    "",
                    "file",
                    self._at.isoformat(),
                )
                key += 1

    def requests(self) -> Iterator[tuple[Any, ...]]:
        """A request for one buyer in five."""
        for number in range(0, self._buyers, 5):
            policy = _POLICY_OF_ENTITY.get(self._entity_of(number))
            if policy is None:
                continue
            yield (
                self._tenant.id,
                self._policies[policy],
                self._first.buyer + number,
                "increase",
                "primary",
                "named",
                ("draft", "awaiting_approval", "submitted", "submitted")[number // 5 % 4],
                None,
                2 * self._limit(number),
                _CURRENCY_OF_LIMIT[policy],
                self._on - timedelta(days=number % 90),
                False,
                "",
                f"R{number:06}",
                None,
                "",
                self._at.isoformat(),
            )

    def _each_invoice(self) -> Iterator[tuple[int, int, str, str, int, int, date, int]]:
        """Number, buyer, entity, currency, net, tax, day and what of it was paid."""
        chance = random.Random(7)
        for number in range(self._invoices):
            # Every buyer has some; a few have many.
            buyer = number % self._buyers if number % 4 else chance.randrange(1 + self._buyers // 10)
            entity = self._entity_of(buyer)
            currencies = _CURRENCIES[entity]
            net = chance.randrange(5_000, 2_000_000)
            tax = net // 5 if number % 3 == 0 else 0
            back = chance.randrange(1, 80) if chance.random() < 0.85 else chance.randrange(80, 400)
            paid = (net + tax) // 3 if number % _PAID_IN_PART == 0 else 0
            yield number, buyer, entity, currencies[number % len(currencies)], net, tax, self._on - timedelta(days=back), paid

    def invoices(self) -> Iterator[tuple[Any, ...]]:
        """Open invoices, four fifths of the last eighty days."""
        for number, buyer, entity, currency, net, tax, day, paid in self._each_invoice():
            due_on = day + timedelta(days=(30, 45, 60)[number % 3])
            yield (
                self._first.invoice + number,
                self._tenant.id,
                self._tenant.entities[entity],
                self._first.buyer + buyer,
                f"F{number:07}",
                "",
                currency,
                net,
                tax,
                net + tax - paid,
                "",
                day,
                day,
                due_on,
                due_on,
                "",
                number % 200 == 0,
                "",
            )

    def payments(self) -> Iterator[tuple[Any, ...]]:
        """One payment for each invoice paid in part; some are larger than what they settle."""
        for number, buyer, entity, currency, _net, _tax, day, paid in self._each_invoice():
            if paid:
                left = 1000 if number % (7 * _PAID_IN_PART) == 0 else 0
                received_on = min(self._on, day + timedelta(days=20))
                yield (
                    self._first.payment + number // _PAID_IN_PART,
                    self._tenant.id,
                    self._tenant.entities[entity],
                    self._first.buyer + buyer,
                    f"Z{number:07}",
                    currency,
                    paid + left,
                    left,
                    received_on,
                    "ordinary",
                    False,
                )

    def allocations(self) -> Iterator[tuple[Any, ...]]:
        """What each payment settles."""
        for number, _buyer, _entity, _currency, _net, _tax, day, paid in self._each_invoice():
            if paid:
                settled_on = min(self._on, day + timedelta(days=20))
                yield (
                    self._tenant.id,
                    self._first.invoice + number,
                    self._first.payment + number // _PAID_IN_PART,
                    paid,
                    settled_on,
                )

    def disputes(self) -> Iterator[dict[str, Any]]:
        """One invoice in two hundred is disputed."""
        for number, _buyer, _entity, _currency, net, _tax, day, _paid in self._each_invoice():
            if number % 200 == 0:
                opened_on = min(self._on, day + timedelta(days=10))
                yield {
                    "organisation_id": self._tenant.id,
                    "invoice_id": self._first.invoice + number,
                    "amount_minor": net // 2,
                    "opened_on": opened_on,
                    "reason": "Goods damaged",
                    "created_at": self._at,
                }
