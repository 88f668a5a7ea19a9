"""The list of blocked buyers: found, sorted, counted and paged by the database; only the blocks of a page are put together.

Which accounts are stopped, and since when, is read from their states. What the house adds (blocks set by hand, broken payment plans) and
the few buyers with invoices set aside are decided beforehand, and go into the statement by their keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Select, String, and_, case, cast, func, literal, null, or_, select, type_coerce
from sqlalchemy.orm import aliased

from insureflow.domain.blocks import decide_block
from insureflow.domain.buyers import search_name
from insureflow.models.blocks import BlockException
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState
from insureflow.models.database import db
from insureflow.queries.blocks.deciding import blocks_of, house_blocks
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order, Page

#: How a buyer of the list stands, as the words name it.
BLOCKED, NOT_COVERED, OF_GROUP = "BlockState.blocked", "BlockState.not_covered", "BlockState.group"
STATES = (BLOCKED, NOT_COVERED, OF_GROUP)

_PORTION = 500
_BEFORE_ALL = date(1, 1, 1)
_NO_DAY: ColumnElement[Any] = cast(null(), Date)


class BlockDays:
    """Who is blocked on a day, as parts of a statement about ``buyer`` (the class, or an alias of it)."""

    def __init__(self, on: date) -> None:
        self._on = on
        self.house = house_blocks(on)
        aside = db.session.scalars(
            select(BlockException.buyer_id)
            .where(BlockException.from_on <= on, or_(BlockException.until_on.is_(None), BlockException.until_on > on))
            .distinct()
        ).all()
        #: Since when those with invoices set aside are blocked; None: they are not.
        self.looked_at: dict[int, date | None] = {}
        for start in range(0, len(aside), _PORTION):
            self.looked_at |= {key: block.since for key, block in blocks_of(aside[start : start + _PORTION], on).items()}

    def stops(self) -> Any:
        """The buyers with an account that is stopped, and since when the first of them is: states follow each other in a stop."""
        state, calm, before = AccountState, aliased(AccountState), aliased(AccountState)
        last_calm = (
            select(func.max(calm.valid_from))
            .where(
                calm.buyer_id == state.buyer_id,
                calm.policy_id == state.policy_id,
                calm.stopped.is_(False),
                calm.valid_from < state.valid_from,
            )
            .correlate(state)
            .scalar_subquery()
        )
        since = (
            select(func.min(before.valid_from))
            .where(
                before.buyer_id == state.buyer_id,
                before.policy_id == state.policy_id,
                before.stopped.is_(True),
                before.valid_from > func.coalesce(last_calm, literal(_BEFORE_ALL, Date)),
            )
            .correlate(state)
            .scalar_subquery()
        )
        accounts = (
            select(state.buyer_id, since.label("since"))
            .where(state.valid_from <= self._on, state.valid_to > self._on, state.stopped.is_(True))
            .subquery()
        )
        return select(accounts.c.buyer_id, func.min(accounts.c.since).label("since")).group_by(accounts.c.buyer_id).subquery()

    def since(self, buyer_id: Any, stop_since: Any) -> ColumnElement[Any]:
        """The first day of a buyer's block; null where it is not blocked."""
        since: ColumnElement[Any] = stop_since
        if self.house:
            house = case({key: literal(day, Date) for key, day in self.house.items()}, value=buyer_id, else_=_NO_DAY)
            since = case((house.is_(None), stop_since), (stop_since < house, stop_since), else_=house)
        if self.looked_at:
            exact: dict[Any, Any] = {key: _NO_DAY if day is None else literal(day, Date) for key, day in self.looked_at.items()}
            since = case((buyer_id.in_(sorted(self.looked_at)), case(exact, value=buyer_id, else_=_NO_DAY)), else_=since)
        return type_coerce(since, Date)

    def is_concerned(self, buyer_id: Any, stopped_id: Any) -> ColumnElement[bool]:
        """Whether anything is said of a buyer itself."""
        return or_(stopped_id.is_not(None), buyer_id.in_(sorted(self.house))) if self.house else stopped_id.is_not(None)


def blocked_since(on: date, buyer_ids: Collection[int] | None = None) -> dict[int, date]:
    """Since when buyers are blocked, of those that are; of some buyers, or of all. One reading of the states, however many there are."""
    standing = BlockDays(on)
    stops = standing.stops()
    since = standing.since(Buyer.id, stops.c.since)
    statement = (
        select(Buyer.id, since.label("since"))
        .outerjoin(stops, stops.c.buyer_id == Buyer.id)
        .where(standing.is_concerned(Buyer.id, stops.c.buyer_id), since.is_not(None))
    )
    if buyer_ids is None:
        return {row.id: row.since for row in db.session.execute(statement)}
    found: dict[int, date] = {}
    wanted = sorted(buyer_ids)
    for start in range(0, len(wanted), _PORTION):
        rows = db.session.execute(statement.where(Buyer.id.in_(wanted[start : start + _PORTION])))
        found |= {row.id: row.since for row in rows}
    return found


class BlockListing(Listing):
    """Every buyer that is blocked, whose cover is stopped all the same, or with a blocked company in its group.

    Each row carries its ``block`` and its ``blocked_members``, keys and names. ``sources`` gives how the sources of blocks are called.
    """

    def __init__(self, on: date, sources: Mapping[str, str] | None = None, countries: Mapping[str, str] | None = None) -> None:
        self._on, self._sources = on, sources or {}
        self._standing = standing = BlockDays(on)
        stops = standing.stops()
        since = standing.since(Buyer.id, stops.c.since)
        state = case(
            (since.is_not(None), literal(BLOCKED, String)),
            (stops.c.buyer_id.is_not(None), literal(NOT_COVERED, String)),
            else_=literal(OF_GROUP, String),
        )
        place = case({code: number for number, code in enumerate(STATES)}, value=state)
        by_name = sorted(countries or {}, key=lambda code: (countries or {})[code].casefold())
        country = case({code: number for number, code in enumerate(by_name)}, value=Buyer.country) if by_name else Buyer.country.expression
        fields = (
            Field(
                "buyer",
                Buyer.legal_name.expression,
                sort=Buyer.search_name.expression,
                search=Buyer.search_name + " " + Buyer.legal_name,
            ),
            Field("country", Buyer.country.expression, Kind.COUNTRY, sort=country, filter=FilterKind.SELECT),
            Field("state", state, Kind.BADGE, sort=place, filter=FilterKind.SELECT),
            Field("sources", literal("", String), sortable=False),
            Field("since", since, Kind.DATE, filter=FilterKind.DATE_RANGE),
            Field("oldest", _NO_DAY, Kind.DATE, sortable=False),
            Field("set_aside", literal(0, Integer), Kind.NUMBER, sortable=False),
            Field("members", literal("", String), sortable=False),
        )

        def source(statement: Select[Any]) -> Select[Any]:
            child, below = aliased(Buyer), standing.stops()
            is_blocked = and_(standing.is_concerned(child.id, below.c.buyer_id), standing.since(child.id, below.c.since).is_not(None))
            parents = select(child.parent_id).outerjoin(below, below.c.buyer_id == child.id).where(child.parent_id.is_not(None), is_blocked)
            return (
                statement.select_from(Buyer)
                .outerjoin(stops, stops.c.buyer_id == Buyer.id)
                .where(or_(standing.is_concerned(Buyer.id, stops.c.buyer_id), Buyer.id.in_(parents)))
            )

        super().__init__("blocks", fields, source, key=Buyer.id.expression, order=Order("since", descending=True), normalise=search_name)

    def page(self, narrowing: Narrowing, order: Order | None, number: int, size: int) -> Page:
        """A page, with the blocks of its own rows."""
        found = super().page(narrowing, order, number, size)
        return Page(self._with_blocks(found.rows), found.total_rows, found.totals)

    def stream(self, narrowing: Narrowing, order: Order | None) -> Iterator[dict[str, Any]]:
        """All rows that fit, with their blocks."""
        rows = list(super().stream(narrowing, order))
        for start in range(0, len(rows), _PORTION):
            yield from self._with_blocks(rows[start : start + _PORTION])

    def count_blocked(self) -> int:
        """How many buyers get nothing on credit."""
        return self.keys_of_page(Narrowing(choices={"state": [BLOCKED]}), None, 1, 1)[1]

    def countries(self) -> list[str]:
        """The countries of the buyers in the list."""
        return list(db.session.scalars(self.source(select(Buyer.country).distinct()).order_by(Buyer.country)))

    def _with_blocks(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        keys = [row["key"] for row in rows]
        blocks, members, nothing = blocks_of(keys, self._on), self._members(keys), decide_block(())
        found = []
        for row in rows:
            block = blocks.get(row["key"], nothing)
            called = dict.fromkeys(self._sources.get(cause.source.value, cause.source.value) for cause in block.causes)
            found.append(
                {
                    **row,
                    "block": block,
                    "blocked_members": members.get(row["key"], []),
                    "sources": ", ".join(called),
                    "oldest": min((invoice.original_due_on for cause in block.causes for invoice in cause.invoices), default=None),
                    "set_aside": len(block.set_aside),
                    "members": ", ".join(name for _key, name in members.get(row["key"], ())),
                }
            )
        return found

    def _members(self, keys: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
        """The blocked subsidiaries of some buyers, by name."""
        if not keys:
            return {}
        children = db.session.execute(
            select(Buyer.parent_id, Buyer.id, Buyer.legal_name).where(Buyer.parent_id.in_(keys)).order_by(Buyer.legal_name, Buyer.id)
        ).all()
        blocked = blocked_since(self._on, [row.id for row in children]) if children else {}
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for row in children:
            if row.id in blocked:
                found[row.parent_id].append((row.id, row.legal_name))
        return found
