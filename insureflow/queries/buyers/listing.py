"""The list of buyers: what each owes on a day, what of it is covered, and how its limit stands; for a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
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
from insureflow.models.cover import AccountState, Exposure, InvoicePosition
from insureflow.models.database import db
from insureflow.queries.limits.situations import SITUATION, layers_on, situation_of
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order, contains


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


def _owed(on: date, policy_id: int | None, entity_id: int | None, buyer_ids: Collection[int] | None) -> list[Select[Any]]:
    """What each account owes on a day, from the positions of its invoices, as their index gives them one after the other."""
    position = InvoicePosition
    keys = (position.buyer_id, position.policy_id, position.currency, position.limit_currency)
    amounts = {
        "open_minor": position.open_minor,
        "covered_minor": position.primary_minor + position.top_up_minor,
        "overdue_minor": case((position.due_on < on, position.open_minor), else_=0),
    }
    sums = {name: cast(func.sum(amount), BigInteger) for name, amount in amounts.items()}
    statement = _part(position.buyer_id, position.limit_currency, **sums).where(
        position.valid_from <= on, position.valid_to > on, position.open_minor > 0
    )
    if policy_id is not None:
        statement = statement.where(position.policy_id == policy_id)
    if entity_id is not None:
        statement = statement.where(position.entity_id == entity_id)
    if buyer_ids is not None:
        statement = statement.where(position.buyer_id.in_(buyer_ids))
    return [statement.group_by(*keys)]


def _owed_in_sum(on: date, policy_id: int | None) -> list[Select[Any]]:
    """The same from the summaries of accounts, which are few; what is overdue is one stretch of the index of due days."""
    position = InvoicePosition
    owed = _part(Exposure.buyer_id, Exposure.limit_currency, open_minor=Exposure.open_minor, covered_minor=Exposure.covered_minor).where(
        Exposure.valid_from <= on, Exposure.valid_to > on, Exposure.open_minor > 0
    )
    overdue = _part(position.buyer_id, position.limit_currency, overdue_minor=cast(func.sum(position.open_minor), BigInteger)).where(
        position.due_on < on, position.valid_from <= on, position.valid_to > on, position.open_minor > 0
    )
    if policy_id is not None:
        owed, overdue = owed.where(Exposure.policy_id == policy_id), overdue.where(position.policy_id == policy_id)
    return [owed, overdue.group_by(position.buyer_id, position.limit_currency)]


_AMOUNTS = ("open_minor", "covered_minor", "overdue_minor", "limit_minor")


def _part(buyer_id: Any, currency: Any, **amounts: Any) -> Select[Any]:
    """What one table knows about buyers; the other amounts are 0."""
    nothing = literal(0, BigInteger)
    names = (*_AMOUNTS, "stopped")
    return select(buyer_id.label("buyer_id"), currency.label("currency"), *(amounts.get(name, nothing).label(name) for name in names))


def amounts_by_buyer(
    on: date,
    *,
    policy_id: int | None = None,
    entity_id: int | None = None,
    buyer_id: int | None = None,
    buyer_ids: Collection[int] | None = None,
    today: date | None = None,
) -> Subquery:
    """What each buyer owes and has as limits on a day, by limit currency (without policy: by the currency of the invoices).

    With ``today``, the business date, that day and later ones are answered from the summaries of accounts, which are the same.
    """
    if buyer_id is not None:
        buyer_ids = [buyer_id]
    is_in_sum = today is not None and on >= today and entity_id is None and buyer_ids is None
    owed = _owed_in_sum(on, policy_id) if is_in_sum else _owed(on, policy_id, entity_id, buyer_ids)
    allowed = _part(
        AccountState.buyer_id,
        AccountState.limit_currency,
        limit_minor=AccountState.limit_primary_minor + AccountState.limit_top_up_minor,
        stopped=case((AccountState.stopped, 1), else_=0),
    ).where(AccountState.valid_from <= on, AccountState.valid_to > on)
    if policy_id is not None:
        allowed = allowed.where(AccountState.policy_id == policy_id)
    if buyer_ids is not None:
        allowed = allowed.where(AccountState.buyer_id.in_(buyer_ids))
    both = union_all(*owed, allowed).subquery("both")
    return (
        select(
            both.c.buyer_id,
            both.c.currency,
            *(cast(func.sum(both.c[name]), InvoicePosition.open_minor.type).label(name) for name in _AMOUNTS),
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


def _finder(expression: Any, model: Any) -> Callable[[str], ColumnElement[bool]]:
    """Finds buyers by what another table says of them, which is read once and not for each buyer."""
    return lambda word: Buyer.id.in_(select(model.buyer_id).where(contains(expression, word)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which buyers a list is about, and on which day."""

    on: date
    policy_id: int | None
    entity_id: int | None
    with_archived: bool
    today: date | None


class _BuyerListing(Listing):
    """The list of buyers. How a limit stands is found out for all of them only where rows are chosen or sorted by it."""

    def __init__(self, asked: _Asked) -> None:
        whole = _listing(asked)
        super().__init__(
            whole.name,
            whole.fields,
            whole.source,
            key=whole.key,
            order=whole.order,
            normalise=whole.normalise,
            of_rows=lambda keys: _listing(asked, buyer_ids=sorted({int(key.partition("-")[0]) for key in keys})),
        )
        self._asked = asked

    def keys_of_page(
        self, narrowing: Narrowing, order: Order | None, number: int, size: int
    ) -> tuple[list[Any], int, dict[str, list[tuple[int, str]]]]:
        """The keys of a page in order, with the count and totals of all rows that fit."""
        is_by_situation = "situation" in narrowing.choices or (order is not None and order.key == "situation")
        # With a policy the situation also says who is in the list at all.
        if is_by_situation or self._asked.policy_id is not None:
            return super().keys_of_page(narrowing, order, number, size)
        return _listing(self._asked, with_situation=False).keys_of_page(narrowing, order, number, size)


def buyer_listing(
    on: date, *, policy_id: int | None = None, entity_id: int | None = None, with_archived: bool = False, today: date | None = None
) -> Listing:
    """Buyers with their amounts on a day, one row for each buyer and limit currency; of one policy or entity where one is chosen."""
    return _BuyerListing(_Asked(on, policy_id, entity_id, with_archived, today))


def _listing(asked: _Asked, *, with_situation: bool = True, buyer_ids: Collection[int] | None = None) -> Listing:
    """The list of these buyers or of all; without the situation of their limits it may be neither shown nor asked for."""
    policy_id, entity_id = asked.policy_id, asked.entity_id
    parent = aliased(Buyer, name="parent")
    amounts = amounts_by_buyer(asked.on, policy_id=policy_id, entity_id=entity_id, buyer_ids=buyer_ids, today=asked.today)
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
        Field("numbers", _joined(CustomerNumber.number, CustomerNumber), hidden=True, finds=_finder(CustomerNumber.number, CustomerNumber)),
        Field("names", _joined(BuyerName.search_name, BuyerName), hidden=True, finds=_finder(BuyerName.search_name, BuyerName)),
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
    return Listing("buyers", fields, source, key=row_key, order=Order("open", descending=True), normalise=search_name)


def countries_of_buyers() -> Sequence[str]:
    """The countries in which there are buyers."""
    return db.session.scalars(select(Buyer.country).distinct().order_by(Buyer.country)).all()


def count_to_review() -> int:
    """How many buyers wait for somebody to look at them."""
    return int(db.session.scalar(select(func.count(Buyer.id)).where(Buyer.status == BuyerStatus.TO_REVIEW)) or 0)
