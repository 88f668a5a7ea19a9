"""A ledger in a test: files are imported into it, and what it holds is looked at."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from support.tenants import Tenant

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import ImportMode
from insureflow.models.base import Base
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.receivables import Invoice
from insureflow.models.scope import within
from insureflow.services.imports import ImportOrder, ImportOutcome, import_ledger, undo_import

TODAY = date(2026, 6, 30)
HEADINGS = (
    "kind,number,customer_number,customer_name,country,currency,net,vat,gross,open,document_date,shipment_date,due_date,applies_to,"
    "disputed,disputed_amount,dispute_reason,settled_date,reference,vat_number,registration_number,lei,entity_code"
)
LEDGER = ("invoice", "payment", "credit_note", "allocation", "dispute", "buyer", "buyer_name", "buyer_identifier", "customer_number")
DERIVED = ("invoice_position", "account_state", "exposure", "obligation")


def csv(*rows: str, headings: str = HEADINGS) -> io.BytesIO:
    """A file with these rows."""
    return io.BytesIO("\n".join([headings, *rows, ""]).encode())


def line(number: str, gross: str = "100.00", customer: str = "1001", *, kind: str = "invoice", **more: str) -> str:
    """A row of the plain layout."""
    cells = {
        "kind": kind,
        "number": number,
        "customer_number": customer,
        "customer_name": f"Customer {customer}" if customer else "",
        "country": "DE",
        "currency": "EUR",
        "gross": gross,
        "document_date": "2026-05-04",
        "due_date": "2026-06-03" if kind == "invoice" else "",
    } | more
    return ",".join(cells.get(name, "") for name in HEADINGS.split(","))


class Ledger:
    """A tenant's ledger in a test: imports files into it and looks at what it holds."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.order = ImportOrder("SE01", get_shipped_profile("plain"), TODAY, "ledger.csv")

    def take(self, *rows: str, on: date = TODAY, **options: Any) -> ImportOutcome:
        """Import these rows."""
        return import_ledger(self.tenant.actor(), self.tenant.id, replace(self.order, **options), csv(*rows), on=on)

    def list_of(self, as_of: str, *rows: str, **options: Any) -> ImportOutcome:
        """Import these rows as a list of open items."""
        return self.take(*rows, mode=ImportMode.OPEN_ITEMS, as_of=date.fromisoformat(as_of), **options)

    def undo(self, outcome: ImportOutcome) -> int:
        """Take an import back."""
        assert outcome.batch_id is not None
        return undo_import(self.tenant.actor(), self.tenant.id, outcome.batch_id, TODAY)

    def open_amounts(self) -> dict[str, int]:
        """What is open by number."""
        with within(self.tenant.id):
            return {row.number: row.open_minor for row in db.session.execute(select(Invoice.number, Invoice.open_minor))}

    def count(self, model: type[Base]) -> int:
        """How many rows a table has."""
        with within(self.tenant.id):
            return int(db.session.scalar(select(func.count()).select_from(model)) or 0)

    def dump(self, *, derived: bool = True) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the ledger, and of what follows from it without the keys, which are new after each calculation."""
        db.session.expire_all()
        tables = {}
        for name in (*LEDGER, *(DERIVED if derived else ())):
            columns = [column for column in Base.metadata.tables[name].columns if name in LEDGER or column.name != "id"]
            names = ", ".join(f'"{column.name}"' for column in columns)
            rows = db.session.connection().exec_driver_sql(f"SELECT {names} FROM {name}").all()
            tables[name] = sorted(tuple(map(str, row)) for row in rows)
        db.session.rollback()
        return tables

    def journal(self) -> list[str]:
        """The actions of the journal."""
        with within(self.tenant.id):
            return list(db.session.scalars(select(JournalEntry.action).order_by(JournalEntry.sequence)))


def refused(action: Callable[[], object]) -> Refusal:
    """The refusal of something."""
    with pytest.raises(Refusal) as caught:
        action()
    return caught.value
