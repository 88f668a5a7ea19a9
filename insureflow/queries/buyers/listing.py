"""The list of buyers: what each owes on a day, what of it is covered, and how its limit stands; for a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import BuyerStatus, search_name
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitSituation
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer, BuyerName, CustomerNumber
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.queries.limits.situations import SITUATION, layers_on, situation_of
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order, Page


class YesNo(StrEnum):
    """A plain answer to choose by."""

    YES = "yes"
    NO = "no"


_YES_NO = vocabulary(YesNo, "yes_no")

#: Where a buyer has several policies, the list says how it stands best.
_BEST_FIRST: tuple[LimitSituation, ...] = (
    LimitSituation.IN_FORCE,
    LimitSituation.RUNNING_OFF,
    LimitSituation.ANNOUNCED,
    LimitSituation.PENDING,
    LimitSituation.EXPIRED,
    LimitSituation.WITHDRAWN,
    LimitSituation.ZERO,
    LimitSituation.REFUSED,
    LimitSituation.NEVER_ASKED,
)


def amounts_by_buyer(
    on: date,
    *,
    policy_id: int | None = None,
    entity_id: int | None = None,
    buyer_id: int | None = None,
    buyer_ids: Collection[int] | None = None,
) -> Subquery:
    """What each buyer owes and has as limits on a day, by limit currency (without policy: by the currency of the invoices)."""
    nothing = literal(0, Integer)
    owed = (
        select(
            InvoicePosition.buyer_id.label("buyer_id"),
            InvoicePosition.limit_currency.label("currency"),
            InvoicePosition.open_minor.label("open_minor"),
            (InvoicePosition.primary_minor + InvoicePosition.top_up_minor).label("covered_minor"),
            case((Invoice.due_on < on, InvoicePosition.open_minor), else_=0).label("overdue_minor"),
            nothing.label("limit_minor"),
            nothing.label("stopped"),
        )
        .join(Invoice, Invoice.id == InvoicePosition.invoice_id)
        .where(InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on, InvoicePosition.open_minor > 0)
    )
    allowed = select(
        AccountState.buyer_id.label("buyer_id"),
        AccountState.limit_currency.label("currency"),
        nothing.label("open_minor"),
        nothing.label("covered_minor"),
        nothing.label("overdue_minor"),
        (AccountState.limit_primary_minor + AccountState.limit_top_up_minor).label("limit_minor"),
        case((AccountState.stopped, 1), else_=0).label("stopped"),
    ).where(AccountState.valid_from <= on, AccountState.valid_to > on)
    if policy_id is not None:
        owed, allowed = owed.where(InvoicePosition.policy_id == policy_id), allowed.where(AccountState.policy_id == policy_id)
    if entity_id is not None:
        owed = owed.where(Invoice.entity_id == entity_id)
    if buyer_id is not None:
        buyer_ids = [buyer_id]
    if buyer_ids is not None:
        owed, allowed = owed.where(InvoicePosition.buyer_id.in_(buyer_ids)), allowed.where(AccountState.buyer_id.in_(buyer_ids))
    both = union_all(owed, allowed).subquery("both")
    return (
        select(
            both.c.buyer_id,
            both.c.currency,
            *(
                cast(func.sum(both.c[name]), InvoicePosition.open_minor.type).label(name)
                for name in ("open_minor", "covered_minor", "overdue_minor", "limit_minor")
            ),
            func.max(both.c.stopped).label("stopped"),
        )
        .group_by(both.c.buyer_id, both.c.currency)
        .subquery("amounts")
    )


def best_situations(on: date, *, policy_id: int | None = None, buyer_ids: Collection[int] | None = None) -> Subquery:
    """How each buyer stands best among its policies, as a place in ``_BEST_FIRST``."""
    layers = layers_on(on, buyer_ids=buyer_ids).c
    situation = cast(situation_of(layers), String)
    place = case(*((situation == word.value, number) for number, word in enumerate(_BEST_FIRST)), else_=len(_BEST_FIRST))
    statement = select(layers.buyer_id, func.min(place).label("place")).where(layers.layer == Layer.PRIMARY)
    if policy_id is not None:
        statement = statement.where(layers.policy_id == policy_id)
    return statement.group_by(layers.buyer_id).subquery("best")


def _answer(test: ColumnElement[bool]) -> ColumnElement[Any]:
    return type_coerce(case((test, YesNo.YES.value), else_=YesNo.NO.value), _YES_NO)


def _joined(expression: Any, model: Any) -> ColumnElement[str]:
    found = select(func.aggregate_strings(expression, " ")).where(model.buyer_id == Buyer.id).correlate(Buyer).scalar_subquery()
    return func.coalesce(found, "")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which buyers a list is about, and on which day."""

    on: date
    policy_id: int | None
    entity_id: int | None
    with_archived: bool


class _Found(Listing):
    """The same list without what only the rows shown need."""

    def count(self, narrowing: Narrowing) -> tuple[int, dict[str, list[tuple[int, str]]]]:
        """How many rows fit, and their totals."""
        return self._count_and_add(narrowing)

    def keys(self, narrowing: Narrowing, order: Order | None, number: int, size: int) -> dict[str, int]:
        """The rows of a page in order, each with its buyer."""
        statement = self._ordered(self._narrow(self.source(select(self.key, Buyer.id)), narrowing), order)
        return {row[0]: row[1] for row in db.session.execute(statement.limit(size).offset((number - 1) * size))}


class _BuyerListing(Listing):
    """The list of buyers. What is said of the limits and names of a buyer is found for the buyers of the page alone."""

    def __init__(self, asked: _Asked) -> None:
        whole = _listing(asked)
        super().__init__(whole.name, whole.fields, whole.source, key=whole.key, order=whole.order, normalise=whole.normalise)
        self._asked = asked

    def page(self, narrowing: Narrowing, order: Order | None, number: int, size: int) -> Page:
        """Page ``number`` (from 1) of ``size`` rows, with the count and totals of all rows that fit."""
        is_by_situation = "situation" in narrowing.choices or (order is not None and order.key == "situation")
        # With a policy the situation also says who is in the list at all.
        if is_by_situation or self._asked.policy_id is not None:
            return super().page(narrowing, order, number, size)
        found = _listing(self._asked, with_situation=False)
        total_rows, totals = found.count(narrowing)
        keys = found.keys(narrowing, order, number, size)
        if not keys:
            return Page([], total_rows, totals)
        shown = _listing(self._asked, buyer_ids=sorted(set(keys.values())))
        rows = {row["key"]: row for row in shown.stream(Narrowing(), None)}
        return Page([rows[key] for key in keys], total_rows, totals)


def buyer_listing(on: date, *, policy_id: int | None = None, entity_id: int | None = None, with_archived: bool = False) -> Listing:
    """Buyers with their amounts on a day, one row for each buyer and limit currency; of one policy or entity where one is chosen."""
    return _BuyerListing(_Asked(on, policy_id, entity_id, with_archived))


def _listing(asked: _Asked, *, with_situation: bool = True, buyer_ids: Collection[int] | None = None) -> _Found:
    """The list of these buyers or of all; without the situation of their limits it may be neither shown nor asked for."""
    policy_id, entity_id = asked.policy_id, asked.entity_id
    parent = aliased(Buyer, name="parent")
    amounts = amounts_by_buyer(asked.on, policy_id=policy_id, entity_id=entity_id, buyer_ids=buyer_ids)
    best = best_situations(asked.on, policy_id=policy_id, buyer_ids=buyer_ids)
    money = amounts.c
    uncovered = money.open_minor - money.covered_minor
    places = [(best.c.place == number, word.value) for number, word in enumerate(_BEST_FIRST)]
    situation = type_coerce(case(*places, else_=LimitSituation.NEVER_ASKED.value), SITUATION)
    searched = Buyer.search_name + " " + Buyer.legal_name
    fields = (
        Field("name", Buyer.legal_name.expression, search=searched, sort=Buyer.search_name.expression),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("group", func.coalesce(parent.legal_name, ""), filter=FilterKind.TEXT),
        Field("situation", situation, Kind.BADGE, filter=FilterKind.SELECT),
        Field("open", money.open_minor, Kind.MONEY, currency=money.currency, total=True, filter=FilterKind.AMOUNT_RANGE),
        Field("limit", money.limit_minor, Kind.MONEY, currency=money.currency, total=True),
        Field("covered", money.covered_minor, Kind.MONEY, currency=money.currency, total=True),
        Field("uncovered", uncovered, Kind.MONEY, currency=money.currency, total=True, filter=FilterKind.AMOUNT_RANGE),
        Field("overdue", money.overdue_minor, Kind.MONEY, currency=money.currency, total=True, filter=FilterKind.AMOUNT_RANGE),
        Field("stopped", _answer(money.stopped == 1), Kind.BADGE, filter=FilterKind.SELECT),
        Field("status", Buyer.status.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field(
            "over_limit",
            _answer(and_(money.open_minor > money.limit_minor, money.limit_minor > 0)),
            Kind.BADGE,
            filter=FilterKind.SELECT,
            hidden=True,
        ),
        Field(
            "numbers",
            _joined(CustomerNumber.number, CustomerNumber),
            hidden=True,
            search=_joined(CustomerNumber.number, CustomerNumber),
        ),
        Field("names", _joined(BuyerName.search_name, BuyerName), hidden=True, search=_joined(BuyerName.search_name, BuyerName)),
        Field("buyer_id", Buyer.id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(Buyer).outerjoin(parent, parent.id == Buyer.parent_id).outerjoin(amounts, money.buyer_id == Buyer.id)
        )
        if with_situation:
            statement = statement.outerjoin(best, best.c.buyer_id == Buyer.id)
        if buyer_ids is not None:
            statement = statement.where(Buyer.id.in_(buyer_ids))
        if not asked.with_archived:
            statement = statement.where(Buyer.status != BuyerStatus.ARCHIVED)
        if policy_id is not None:
            statement = statement.where(or_(money.buyer_id.is_not(None), best.c.buyer_id.is_not(None)))
        if entity_id is not None:
            numbered = select(CustomerNumber.buyer_id).where(CustomerNumber.entity_id == entity_id)
            statement = statement.where(Buyer.id.in_(numbered))
        return statement

    row_key = cast(Buyer.id, String) + "-" + func.coalesce(money.currency, "")
    return _Found("buyers", fields, source, key=row_key, order=Order("open", descending=True), normalise=search_name)


def countries_of_buyers() -> Sequence[str]:
    """The countries in which there are buyers."""
    return db.session.scalars(select(Buyer.country).distinct().order_by(Buyer.country)).all()


def count_to_review() -> int:
    """How many buyers wait for somebody to look at them."""
    return int(db.session.scalar(select(func.count(Buyer.id)).where(Buyer.status == BuyerStatus.TO_REVIEW)) or 0)
