"""The buyers that make up a figure of exposure, as a list: added up, sorted and paged by the database."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Float, RowMapping, Select, Subquery, case, cast, func, literal, select, union_all

from insureflow.domain.buyers import search_name
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.queries.exposure.dividing import account_parts
from insureflow.queries.exposure.portfolio import Portfolio, added
from insureflow.queries.exposure.reporting import Reporting
from insureflow.queries.listing import Field, Kind, Listing, Order


def share_of(part: int, whole: int) -> Decimal | None:
    """A part per hundred of the whole; None of nothing."""
    return (Decimal(part) * 100 / whole).quantize(Decimal("0.1")) if whole else None


class ExposedBuyers(Listing):
    """Buyers of a portfolio with their exposure in the reporting currency, the largest first; the key of a row is the buyer's."""

    def __init__(self, name: str, portfolio: Portfolio, report: Reporting, buyer_ids: Sequence[int] | None = None) -> None:
        sums = _sums(portfolio, report, buyer_ids)
        currency = literal(report.currency)
        found = sums.c
        uncovered = found.exposure - found.covered
        share = case((found.exposure != 0, cast(uncovered, Float) * 100 / found.exposure))
        fields = (
            Field(
                "name", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression
            ),
            Field("invoices", found.invoices, Kind.NUMBER),
            Field("exposure", found.exposure, Kind.MONEY, currency=currency, total=True),
            Field("covered", found.covered, Kind.MONEY, currency=currency, total=True),
            Field("uncovered", uncovered, Kind.MONEY, currency=currency, total=True),
            Field("share", share, Kind.PERCENT),
            Field("liability", found.liability, Kind.MONEY, currency=currency, total=True),
        )

        def source(statement: Select[Any]) -> Select[Any]:
            return statement.select_from(Buyer).join(sums, found.buyer_id == Buyer.id)

        super().__init__(
            name,
            fields,
            source,
            key=Buyer.id.expression,
            order=Order("exposure", descending=True),
            normalise=search_name,
            of_rows=None if buyer_ids is not None else lambda keys: ExposedBuyers(name, portfolio, report, keys),
        )

    def _row(self, row: RowMapping) -> dict[str, Any]:
        values = super()._row(row)
        values["share"] = share_of(values["uncovered"][0], values["exposure"][0])
        return values


def _sums(portfolio: Portfolio, report: Reporting, buyer_ids: Sequence[int] | None) -> Subquery:
    """The sums of every buyer in the reporting currency; what has no rate is left out of them."""
    parts = union_all(*account_parts(portfolio, report, buyer_ids)).subquery("parts").c
    amounts = [func.coalesce(added(parts[name]), literal(0, BigInteger)).label(name) for name in ("exposure", "covered", "liability")]
    statement = select(parts.buyer_id, added(parts.invoices).label("invoices"), *amounts)
    return statement.group_by(parts.buyer_id).subquery("sums")


def name_of_buyer(buyer_id: int) -> str | None:
    """The name of a buyer, or None."""
    return db.session.scalar(select(Buyer.legal_name).where(Buyer.id == buyer_id))
