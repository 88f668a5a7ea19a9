"""How old open invoices are, covered and not covered apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Date, case, func, literal, select

from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.queries.exposure.figures import Selection, chosen

#: The names of the classes of age, and the most days overdue of each.
BUCKETS: tuple[tuple[str, int | None], ...] = (
    ("not_due", 0),
    ("days_1_30", 30),
    ("days_31_60", 60),
    ("days_61_90", 90),
    ("days_over_90", None),
)


@dataclass(frozen=True, slots=True)
class Age:
    """What is open in one class of age, in minor units: by the ledger in ``currency``, by the policy in ``limit_currency``."""

    bucket: str
    currency: str
    limit_currency: str
    invoices: int
    ledger_open: int
    open: int
    covered: int

    @property
    def uncovered(self) -> int:
        """What is open and not covered."""
        return self.open - self.covered


def bucket_of(due_on: Any, on: date) -> Any:
    """The class of age of a due date on a day, as an SQL expression."""
    arms = [(due_on >= literal(on - timedelta(days=most), Date()), name) for name, most in BUCKETS if most is not None]
    return case(*arms, else_=BUCKETS[-1][0])


def ageing(selection: Selection) -> list[Age]:
    """Open amounts by class of age, ledger currency and limit currency. The age counts from the due date as it stands now."""
    position = InvoicePosition
    bucket = bucket_of(Invoice.due_on, selection.on).label("bucket")
    statement = (
        select(
            bucket,
            position.currency,
            position.limit_currency,
            func.count(position.id),
            func.sum(position.ledger_open_minor),
            func.sum(position.open_minor),
            func.sum(position.primary_minor + position.top_up_minor),
        )
        .select_from(position)
        .join(Invoice, Invoice.id == position.invoice_id)
        .join(Buyer, Buyer.id == position.buyer_id)
        .where(position.valid_from <= selection.on, position.valid_to > selection.on, *chosen(selection, position))
        .group_by(bucket, position.currency, position.limit_currency)
    )
    if selection.entity_id is not None:
        statement = statement.where(Invoice.entity_id == selection.entity_id)
    order = {name: place for place, (name, _) in enumerate(BUCKETS)}
    rows = [Age(row[0], row[1], row[2], int(row[3]), int(row[4]), int(row[5]), int(row[6])) for row in db.session.execute(statement)]
    return sorted(rows, key=lambda row: (order[row.bucket], row.currency, row.limit_currency))
