"""What an installation consists of, and the rates an organisation keeps."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from insureflow.models.database import db
from insureflow.models.organisations import Organisation
from insureflow.models.rates import ManualRate
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


def list_organisations() -> Sequence[Organisation]:
    """All organisations by short name. For the command line alone: whoever may run it may see them all."""
    return db.session.scalars(select(Organisation).order_by(Organisation.slug)).all()


def manual_rates_listing() -> Listing:
    """The rates an organisation entered by hand, the newest first."""
    return Listing(
        "manual-rates",
        (
            Field("base", ManualRate.base, search=ManualRate.base, filter=FilterKind.TEXT),
            Field("quote", ManualRate.quote, search=ManualRate.quote, filter=FilterKind.TEXT),
            Field("valid_on", ManualRate.valid_on, Kind.DATE, filter=FilterKind.DATE_RANGE),
            Field("rate", ManualRate.rate, sortable=False),
            Field("source", ManualRate.source, search=ManualRate.source),
        ),
        lambda statement: statement.select_from(ManualRate),
        key=ManualRate.id,
        order=Order("valid_on", descending=True),
    )


def find_manual_rate(rate_id: int) -> ManualRate | None:
    """A rate entered by hand in the organisation in scope."""
    return db.session.scalar(select(ManualRate).where(ManualRate.id == rate_id))
