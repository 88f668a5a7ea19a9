"""The list of today's duties: chosen, sorted, counted and paged by the database; only the duties of a page are put together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, String, Text, and_, case, cast, func, literal, select

from insureflow.domain.buyers import search_name
from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation, ObligationOwner
from insureflow.models.database import db
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.queries.dashboard.duties import EXPECTED, PressingDuty
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order
from insureflow.queries.obligations.calendar import SETTLED, CalendarStatus, DutySelection, list_entries
from insureflow.queries.obligations.keeping import NOBODY
from insureflow.queries.obligations.standing import Standing

#: How a duty stands that is still to come.
STILL_OPEN = (CalendarStatus.OPEN, CalendarStatus.DUE_SOON)

#: The order of the list, as the first letter of what it is sorted by.
LATE_FIRST, THEN_COMING, THE_REST = "a", "b", "c"

#: Duties of a file put together at a time.
_PORTION = 1000


class DutyListing(Listing):
    """The list of today's duties; each row carries its duty under ``duty``."""

    def __init__(self, selection: DutySelection, words: Mapping[str, Mapping[str, str]], keys: Sequence[int] | None = None) -> None:
        """``words`` gives how kinds, statuses and countries are called, by field: the list is searched and sorted by that.

        ``keys``: of these duties alone.
        """
        standing = Standing(selection)
        status = _shown_status(standing)
        labels = words.get("kind", {})
        name_of_owner = case((ObligationOwner.user_id.is_(None), ""), (User.name != "", User.name), else_=User.email)
        fields = (
            Field(
                "kind",
                Obligation.kind.expression,
                sort=_place(Obligation.kind, labels),
                filter=FilterKind.SELECT,
                finds=lambda word: Obligation.kind.in_([kind for kind, label in labels.items() if word.casefold() in label.casefold()]),
            ),
            Field("due_on", Obligation.due_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
            Field("status", status, Kind.BADGE, sort=_place(status, words.get("status", {})), filter=FilterKind.SELECT),
            Field(
                "buyer",
                Buyer.legal_name.expression,
                sort=Buyer.search_name.expression,
                search=func.coalesce(Buyer.search_name + " " + Buyer.legal_name, ""),
            ),
            Field(
                "country",
                Buyer.country.expression,
                Kind.COUNTRY,
                sort=_place(Buyer.country, words.get("country", {})),
                filter=FilterKind.SELECT,
            ),
            Field("invoice", Invoice.number.expression, search=func.coalesce(Invoice.number, "")),
            Field("policy", Policy.name.expression),
            Field("amount", Obligation.amount_minor.expression, Kind.MONEY, currency=func.coalesce(Obligation.currency, "")),
            Field("owner", name_of_owner, search=name_of_owner),
            Field("owner_id", func.coalesce(ObligationOwner.user_id, NOBODY), hidden=True, filter=FilterKind.SELECT),
            Field("policy_id", Obligation.policy_id.expression, hidden=True, filter=FilterKind.SELECT),
            Field("buyer_id", Obligation.buyer_id.expression, hidden=True, filter=FilterKind.SELECT),
            Field("urgency", _urgency(status, selection.on), hidden=True),
        )

        def source(statement: Select[Any]) -> Select[Any]:
            invoice = () if selection.entity_id is not None else ((Invoice, Invoice.id == Obligation.invoice_id),)
            found: Select[Any] = standing.source(statement)
            is_owner = and_(
                ObligationOwner.policy_id == Obligation.policy_id,
                ObligationOwner.buyer_id.is_not_distinct_from(Obligation.buyer_id),
                ObligationOwner.invoice_id.is_not_distinct_from(Obligation.invoice_id),
                ObligationOwner.kind == Obligation.kind,
                ObligationOwner.due_on == Obligation.due_on,
            )
            found = found.outerjoin(ObligationOwner, is_owner).outerjoin(User, User.id == ObligationOwner.user_id)
            for model, is_its in (*invoice, (Buyer, Buyer.id == Obligation.buyer_id), (Policy, Policy.id == Obligation.policy_id)):
                found = found.outerjoin(model, is_its)
            return found if keys is None else found.where(Obligation.id.in_(keys))

        super().__init__(
            "duties",
            fields,
            source,
            key=Obligation.id.expression,
            order=Order("urgency"),
            normalise=search_name,
            of_rows=None if keys is not None else lambda shown: DutyListing(selection, words, shown),
        )
        self._selection = selection
        self._standing = standing

    def stream(self, narrowing: Narrowing, order: Order | None) -> Iterator[dict[str, Any]]:
        """All rows that fit."""
        rows = list(super().stream(narrowing, order))
        for start in range(0, len(rows), _PORTION):
            yield from self._with_duties(rows[start : start + _PORTION])

    def count_open(self) -> int:
        """How many duties somebody still has to do, late ones included."""
        settled = sorted(status.value for status in SETTLED)
        to_do = [kind.value for kind in ObligationKind if kind not in EXPECTED]
        statement = self._standing.source(select(func.count())).where(Obligation.kind.in_(to_do), self._standing.status.not_in(settled))
        return int(db.session.scalar(statement) or 0)

    def _with_duties(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        entries = list_entries([row["key"] for row in rows], self._selection.on)
        return [
            {
                **row,
                "kind": ObligationKind(row["kind"]),
                "status": CalendarStatus(row["status"]),
                "duty": PressingDuty(entries[row["key"]], 0),
            }
            for row in rows
        ]


def _shown_status(standing: Standing) -> ColumnElement[str]:
    """How a duty stands; what is only expected is never late."""
    is_expected = Obligation.kind.in_(sorted(kind.value for kind in EXPECTED))
    is_late = standing.status == CalendarStatus.LATE.value
    return case((is_expected & is_late, literal(CalendarStatus.OPEN.value, String)), else_=standing.status)


def _urgency(status: ColumnElement[str], on: date) -> ColumnElement[str]:
    """What the list begins with; as ``urgency_of``."""
    is_coming = status.in_([each.value for each in STILL_OPEN]) & (Obligation.due_on >= on)
    place = case((status == CalendarStatus.LATE.value, LATE_FIRST), (is_coming, THEN_COMING), else_=THE_REST)
    return place + cast(Obligation.due_on, Text)


def urgency_of(status: CalendarStatus, due_on: date, on: date) -> str:
    """What a list of duties begins with: what is late, then what is to come, and last what is over; each by its day."""
    is_coming = status in STILL_OPEN and due_on >= on
    place = LATE_FIRST if status is CalendarStatus.LATE else THEN_COMING if is_coming else THE_REST
    return place + due_on.isoformat()


def _place(expression: Any, words: Mapping[str, str]) -> ColumnElement[Any]:
    """Where a code stands by what it is called."""
    codes = sorted(words, key=lambda code: words[code].casefold())
    if not codes:
        return cast(expression, String)
    return case({code: place for place, code in enumerate(codes)}, value=expression)


def countries_of_duties() -> Sequence[str]:
    """The countries of buyers about whom there are duties."""
    about = select(Obligation.buyer_id).where(Obligation.buyer_id.is_not(None))
    return db.session.scalars(select(Buyer.country).where(Buyer.id.in_(about)).distinct().order_by(Buyer.country)).all()


def names_of_buyers(buyer_ids: Collection[int]) -> list[tuple[int, str]]:
    """Keys and names of some buyers, by name."""
    if not buyer_ids:
        return []
    rows = db.session.execute(select(Buyer.id, Buyer.legal_name).where(Buyer.id.in_(buyer_ids)).order_by(Buyer.legal_name, Buyer.id))
    return [(row.id, row.legal_name) for row in rows]
