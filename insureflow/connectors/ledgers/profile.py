"""Mapping profiles: how the columns of one kind of ledger file become the fields of ledger lines.

A profile is data; ``profile_files`` reads and writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from insureflow.connectors.ledgers.dates import DateOrder
from insureflow.domain.receivables import DocumentKind, ImportMode, PaymentTerms

TEXT, AMOUNT, DATE, FLAG, KIND, CURRENCY, COUNTRY, TERMS = "text", "amount", "date", "flag", "kind", "currency", "country", "terms"

#: The fields a column can be mapped to, and how their cells are understood.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "kind": KIND,
        "number": TEXT,
        "customer_number": TEXT,
        "customer_name": TEXT,
        "trading_name": TEXT,
        "country": COUNTRY,
        "currency": CURRENCY,
        "net": AMOUNT,
        "vat": AMOUNT,
        "gross": AMOUNT,
        "open": AMOUNT,
        "disputed_amount": AMOUNT,
        "document_on": DATE,
        "shipment_on": DATE,
        "due_on": DATE,
        "original_due_on": DATE,
        "settled_on": DATE,
        "terms": TERMS,
        "applies_to": TEXT,
        "disputed": FLAG,
        "was_disputed": FLAG,
        "dispute_reason": TEXT,
        "reference": TEXT,
        "vat_number": TEXT,
        "registration_number": TEXT,
        "lei": TEXT,
        "electronic_address": TEXT,
        "entity_code": TEXT,
    }
)

#: What may be done to a cell before it is understood.
TRANSFORMS = ("strip_decimal_zero", "strip_leading_zeros", "numeric_country", "negate", "absolute", "upper")


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """Where a field comes from.

    ``columns``: headings, the first one that the file has is taken. ``combine``: headings whose texts are joined with
    ``separator``. ``constant``: the same for every row. ``values`` translates cells (letter case does not matter).
    ``unknown``: whether a cell that is not understood is a *problem* (the row is bad) or a *warning* (the field stays empty).
    """

    columns: tuple[str, ...] = ()
    combine: tuple[str, ...] = ()
    separator: str = "-"
    constant: str | None = None
    transforms: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unknown: str = "problem"


@dataclass(frozen=True, slots=True)
class FormatHints:
    """What is known beforehand about the files of a profile; None means: find out."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    decimal_separator: str | None = None
    date_order: DateOrder | None = None
    date_orders: Mapping[str, DateOrder] = field(default_factory=lambda: MappingProxyType({}))
    century: int | None = None
    sheet: str | None = None
    header_row: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of ledger file is read.

    ``layout``: *table* or *ubl*. ``negative_invoice``: a negative invoice is a *problem* or a *credit_note*. ``reductions``:
    the sign with which credit notes and payments are written: *positive*, *negative*, or *either*. ``without_due_date``: an
    invoice with neither due date nor terms is a *problem*, or due on its *invoice_date* (with a warning).
    """

    name: str
    title: str = ""
    description: str = ""
    layout: str = "table"
    mode: ImportMode = ImportMode.MOVEMENTS
    file: FormatHints = field(default_factory=FormatHints)
    columns: Mapping[str, ColumnRule] = field(default_factory=lambda: MappingProxyType({}))
    currency: str | None = None
    country: str | None = None
    kind: DocumentKind = DocumentKind.INVOICE
    kinds: Mapping[str, DocumentKind] = field(default_factory=lambda: MappingProxyType({}))
    terms: Mapping[str, PaymentTerms] = field(default_factory=lambda: MappingProxyType({}))
    where: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    negative_invoice: str = "problem"
    reductions: str = "positive"
    without_due_date: str = "problem"

    def with_answers(
        self,
        *,
        date_order: DateOrder | None = None,
        date_orders: Mapping[str, DateOrder] | None = None,
        decimal_separator: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        century: int | None = None,
        sheet: str | None = None,
    ) -> Profile:
        """The same profile with what a person has answered about the file at hand (headings → order in ``date_orders``)."""
        changes: dict[str, Any] = {
            "date_order": date_order,
            "date_orders": MappingProxyType(dict(date_orders)) if date_orders else None,
            "decimal_separator": decimal_separator,
            "encoding": encoding,
            "delimiter": delimiter,
            "century": century,
            "sheet": sheet,
        }
        return replace(self, file=replace(self.file, **{name: value for name, value in changes.items() if value is not None}))
