"""The list of invoices as of a day, a million of them: read from the indexes that hold what a page needs, as far as one does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, SQLColumnExpression, Text, case, cast, func, null, or_, select
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.cover import Reason
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.models.receivables import Dispute, Invoice
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order


class InvoiceState(StrEnum):
    """How an invoice stands in the ledger on a day."""

    OPEN = "not_yet_due"
    OVERDUE = "overdue"
    SETTLED = "settled"


def is_disputed_on(on: date) -> ColumnElement[bool]:
    """True while a dispute about the invoice goes on."""
    return (
        select(Dispute.id)
        .where(
            Dispute.invoice_id == Invoice.id,
            Dispute.opened_on <= on,
            or_(Dispute.resolved_on.is_(None), Dispute.resolved_on > on),
        )
        .correlate(Invoice)
        .exists()
    )


def _describe(asked: _Asked, position: Any, keys: Sequence[int] | None) -> tuple[list[Field], Callable[[Select[Any]], Select[Any]]]:
    """The columns of the list and its FROM clause; ``keys``: of these invoices alone."""
    on, entity_id, policy_id, buyer_id = asked.on, asked.entity_id, asked.policy_id, asked.buyer_id
    ledger_open = func.coalesce(position.ledger_open_minor, 0)
    limit_currency = func.coalesce(position.limit_currency, Policy.limit_currency, Invoice.currency)
    covered = func.coalesce(position.primary_minor + position.top_up_minor, 0)
    uncovered = func.coalesce(position.open_minor, 0) - covered
    state = case(
        (ledger_open <= 0, InvoiceState.SETTLED.value),
        (position.due_on < on, InvoiceState.OVERDUE.value),
        else_=InvoiceState.OPEN.value,
    )
    # Overdue invoices first, then those to come, then those settled; within each by due day.
    worst_first = case((ledger_open <= 0, "3"), (Invoice.due_on < on, "1"), else_="2").concat(cast(Invoice.due_on, Text))
    reason = case(
        (position.excluded_minor > 0, position.excluded_reason),
        (position.over_limit_minor > 0, Reason.OVER_LIMIT.value),
        (position.vat_minor > 0, Reason.VAT_NOT_COVERED.value),
        (position.disputed_minor > 0, Reason.DISPUTED.value),
        else_=null(),
    )
    fields = [
        Field("number", Invoice.number.expression, search=Invoice.number.expression),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name.expression, filter=FilterKind.TEXT),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("due_on", Invoice.due_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("state", state, Kind.BADGE, sort=worst_first, filter=FilterKind.SELECT),
        Field(
            "gross",
            Invoice.net_minor + Invoice.vat_minor,
            Kind.MONEY,
            currency=Invoice.currency.expression,
            filter=FilterKind.AMOUNT_RANGE,
            total=True,
        ),
        Field("open", ledger_open, Kind.MONEY, currency=Invoice.currency.expression, filter=FilterKind.AMOUNT_RANGE, total=True),
        Field("covered", covered, Kind.MONEY, currency=limit_currency, total=True),
        Field("uncovered", uncovered, Kind.MONEY, currency=limit_currency, filter=FilterKind.AMOUNT_RANGE, total=True),
        Field("reason", reason, Kind.BADGE, filter=FilterKind.SELECT),
        Field("policy", Policy.name.expression),
        Field("entity", Entity.code.expression),
        Field("invoice_on", Invoice.invoice_on.expression, Kind.DATE),
        Field("policy_id", func.coalesce(position.policy_id, Invoice.policy_id), hidden=True, filter=FilterKind.SELECT),
        Field("entity_id", Invoice.entity_id.expression, hidden=True, filter=FilterKind.SELECT),
        Field("currency", Invoice.currency.expression, hidden=True, filter=FilterKind.SELECT),
        Field("disputed", case((is_disputed_on(on), "yes"), else_="no"), hidden=True, filter=FilterKind.SELECT),
        Field(
            "still_open", case((or_(ledger_open > 0, position.open_minor > 0), "yes"), else_="no"), hidden=True, filter=FilterKind.SELECT
        ),
        Field("not_fully_covered", case((uncovered > 0, "yes"), else_="no"), hidden=True, filter=FilterKind.SELECT),
        Field("buyer_id", Invoice.buyer_id.expression, hidden=True, filter=FilterKind.SELECT),
        Field("batch_id", Invoice.batch_id.expression, hidden=True, filter=FilterKind.SELECT),
    ]

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(Invoice)
            # Outer joins, so that databases begin with the invoices, and leave out whom a page or a sum does not need.
            .outerjoin(Buyer, Buyer.id == Invoice.buyer_id)
            .outerjoin(Entity, Entity.id == Invoice.entity_id)
            # Wrapped, so that SQLite looks positions up by their invoice and not, for each invoice, by the day.
            .outerjoin(
                position, (position.invoice_id == Invoice.id) & (position.valid_from <= on) & (func.coalesce(position.valid_to, on) > on)
            )
            .outerjoin(Policy, Policy.id == Invoice.policy_id)
            .where(Invoice.invoice_on <= on)
        )
        if entity_id is not None:
            statement = statement.where(Invoice.entity_id == entity_id)
        if policy_id is not None:
            statement = statement.where(func.coalesce(position.policy_id, Invoice.policy_id) == policy_id)
        if buyer_id is not None:
            statement = statement.where(Invoice.buyer_id == buyer_id)
        return statement if keys is None else statement.where(Invoice.id.in_(keys))

    return fields, source


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which invoices a list is about, and on which day."""

    on: date
    entity_id: int | None
    policy_id: int | None
    buyer_id: int | None


def invoices_listing(on: date, *, entity_id: int | None = None, policy_id: int | None = None, buyer_id: int | None = None) -> Listing:
    """The invoices written by a day, each with its position on it.

    ``reason`` is what keeps most tests from being passed: an exclusion first, then the limit, the tax, a dispute.
    """
    return _InvoiceListing(_Asked(on, entity_id, policy_id, buyer_id))


class _InvoiceListing(Listing):
    """The list of invoices. Without any narrowing, its totals and most of its orders need not join invoices with their positions."""

    def __init__(self, asked: _Asked, keys: Sequence[int] | None = None) -> None:
        self._asked, self._position = asked, aliased(InvoicePosition)
        fields, source = _describe(asked, self._position, keys)
        super().__init__(
            "invoices",
            fields,
            source,
            key=Invoice.id.expression,
            order=Order("state"),
            normalise=search_name,
            of_rows=None if keys is not None else lambda shown: _InvoiceListing(asked, shown),
        )

    def keys_of_page(
        self, narrowing: Narrowing, order: Order | None, number: int, size: int
    ) -> tuple[list[Any], int, dict[str, list[tuple[int, str]]]]:
        """The keys of a page in order, with the count and totals of all rows that fit."""
        if narrowing != Narrowing() or self._asked.policy_id is not None or self._asked.buyer_id is not None:
            return super().keys_of_page(narrowing, order, number, size)
        count, totals = self._count_and_add_all()
        chosen = order if order and order.key in self.by_key and self.by_key[order.key].sortable else self.order
        first = (number - 1) * size
        if chosen.key == "state":
            return self._worst_first(first, size, count, is_descending=chosen.descending), count, totals
        if chosen.key in _BY_POSITION and chosen.descending:
            statement = self._by_amount(_BY_POSITION[chosen.key])
        elif chosen.key in _BY_INVOICE:
            statement = self._by_invoice(chosen)
        else:
            statement = self._ordered(self.source(select(self.key)), chosen)
        keys = list(db.session.scalars(statement.limit(size).offset(first)))
        if chosen.key in _BY_POSITION and chosen.descending and len(keys) < size:
            # What is beyond the last amount above nothing is found among all invoices.
            keys = list(db.session.scalars(self._ordered(self.source(select(self.key)), chosen).limit(size).offset(first)))
        return keys, count, totals

    def _narrow(self, statement: Select[Any], narrowing: Narrowing) -> Select[Any]:
        """The conditions; what only invoices with a position can fulfil says so, for the database to begin with the positions."""
        position, choices = self._position, narrowing.choices
        states = set(choices.get("state", ()))
        hints: list[ColumnElement[bool]] = []
        if states and InvoiceState.SETTLED.value not in states:
            hints.append(position.ledger_open_minor > 0)
            hints.extend([position.due_on < self._asked.on] if states == {InvoiceState.OVERDUE.value} else [])
            hints.extend([position.due_on >= self._asked.on] if states == {InvoiceState.OPEN.value} else [])
        if list(choices.get("not_fully_covered", ())) == ["yes"]:
            hints.append(position.open_minor > position.primary_minor + position.top_up_minor)
        if list(choices.get("still_open", ())) == ["yes"]:
            hints.append(or_(position.ledger_open_minor > 0, position.open_minor > 0))
        return super()._narrow(statement.where(*hints), narrowing)

    def _of_day(self, statement: Any) -> Any:
        """Positions of the day, of the entity asked for."""
        on, entity_id = self._asked.on, self._asked.entity_id
        statement = statement.where(InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on)
        return statement if entity_id is None else statement.where(InvoicePosition.entity_id == entity_id)

    def _written(self, statement: Any) -> Any:
        """Invoices written by the day, of the entity asked for."""
        statement = statement.where(Invoice.invoice_on <= self._asked.on)
        return statement if self._asked.entity_id is None else statement.where(Invoice.entity_id == self._asked.entity_id)

    def _count_and_add_all(self) -> tuple[int, dict[str, list[tuple[int, str]]]]:
        """How many invoices there are, and their totals: what was invoiced from the invoices, what is open from the positions."""
        limit_currencies: dict[int | None, str] = {
            row.id: row.limit_currency for row in db.session.execute(select(Policy.id, Policy.limit_currency))
        }
        count = 0
        sums: dict[str, dict[str, int]] = {name: {} for name in ("gross", "open", "covered", "uncovered")}

        def add(name: str, currency: str, minor: Any) -> None:
            sums[name][currency] = sums[name].get(currency, 0) + int(minor)

        gross = func.sum(Invoice.net_minor + Invoice.vat_minor)
        invoiced = self._written(select(Invoice.currency, Invoice.policy_id, func.count(), gross)).group_by(
            Invoice.currency, Invoice.policy_id
        )
        for currency, policy_id, invoices, minor in db.session.execute(invoiced):
            count += int(invoices)
            limit_currency = limit_currencies.get(policy_id, currency)
            for name, code, amount in (
                ("gross", currency, minor),
                ("open", currency, 0),
                ("covered", limit_currency, 0),
                ("uncovered", limit_currency, 0),
            ):
                add(name, code, amount)
        position = InvoicePosition
        amounts = {
            "ledger": position.ledger_open_minor,
            "open": position.open_minor,
            "covered": position.primary_minor + position.top_up_minor,
        }
        keys = (position.buyer_id, position.policy_id, position.currency, position.limit_currency)
        accounts = self._of_day(
            select(
                position.currency,
                position.limit_currency,
                *(cast(func.sum(each), BigInteger).label(name) for name, each in amounts.items()),
            )
        )
        account = accounts.group_by(*keys).subquery("accounts").c
        added = select(account.currency, account.limit_currency, *(func.sum(account[name]) for name in amounts))
        for currency, limit_currency, ledger, open_minor, covered in db.session.execute(
            added.group_by(account.currency, account.limit_currency)
        ):
            add("open", currency, ledger)
            add("covered", limit_currency, covered)
            add("uncovered", limit_currency, open_minor - covered)
        return count, {name: [(minor, code) for code, minor in sorted(found.items())] for name, found in sums.items() if found}

    def _worst_first(self, first: int, size: int, count: int, *, is_descending: bool) -> list[int]:
        """The overdue by due day, then those to come, then those settled: three stretches, of which a page needs one or two."""
        position, on = InvoicePosition, self._asked.on
        is_open = position.ledger_open_minor > 0
        counted = self._of_day(select(func.count(case((position.due_on < on, 1))), func.count(position.due_on))).where(is_open)
        overdue, all_open = (int(each) for each in db.session.execute(counted).one())
        open_ones = self._of_day(select(position.invoice_id)).where(is_open)
        by_due_day = (position.due_on.desc() if is_descending else position.due_on, position.invoice_id)
        still_open = (
            select(position.invoice_id)
            .where(position.invoice_id == Invoice.id, position.valid_from <= on, position.valid_to > on, is_open)
            .correlate(Invoice)
            .exists()
        )
        settled = self._written(select(Invoice.id)).where(~still_open)
        stretches = [
            (overdue, open_ones.where(position.due_on < on).order_by(*by_due_day)),
            (all_open - overdue, open_ones.where(position.due_on >= on).order_by(*by_due_day)),
            (count - all_open, settled.order_by(Invoice.due_on.desc() if is_descending else Invoice.due_on, Invoice.id)),
        ]
        keys: list[int] = []
        for length, stretch in reversed(stretches) if is_descending else stretches:
            if first < length and len(keys) < size:
                keys += db.session.scalars(stretch.limit(size - len(keys)).offset(first)).all()
            first = max(0, first - length)
        return keys

    def _by_amount(self, amount: Any) -> Select[Any]:
        """Invoices with an amount above nothing, the largest first: from the positions alone."""
        statement: Select[Any] = self._of_day(select(InvoicePosition.invoice_id)).where(amount > 0)
        return statement.order_by(amount.desc(), InvoicePosition.invoice_id)

    def _by_invoice(self, order: Order) -> Select[Any]:
        """All invoices in an order that asks nothing of their positions."""
        expression: SQLColumnExpression[Any] = self.by_key[order.key].expression
        statement: Select[Any] = self._written(select(Invoice.id))
        if order.key in ("buyer", "country"):
            statement = statement.join(Buyer, Buyer.id == Invoice.buyer_id)
        if order.key == "entity":
            statement = statement.join(Entity, Entity.id == Invoice.entity_id)
        return statement.order_by(expression.desc() if order.descending else expression, Invoice.id)


#: Orders that the invoices give alone, with their buyer or entity.
_BY_INVOICE = frozenset({"number", "buyer", "country", "due_on", "gross", "entity", "invoice_on"})

#: Orders that the positions give alone, as long as there is something of it.
_BY_POSITION: dict[str, Any] = {
    "open": InvoicePosition.ledger_open_minor,
    "covered": InvoicePosition.primary_minor + InvoicePosition.top_up_minor,
    "uncovered": InvoicePosition.open_minor - (InvoicePosition.primary_minor + InvoicePosition.top_up_minor),
}
