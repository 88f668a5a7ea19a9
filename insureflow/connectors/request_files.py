"""Files of limit requests: delimited text or a workbook with one request in each row, read as safely as files of limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from insureflow.connectors.ledgers.amounts import convert_amount, detect_amounts
from insureflow.connectors.ledgers.cells import BAD, CellProblem, convert_column, convert_pairs, convert_text
from insureflow.connectors.ledgers.delimited import open_delimited
from insureflow.connectors.ledgers.detection import Certainty, FileType
from insureflow.connectors.ledgers.profile import FormatHints
from insureflow.connectors.ledgers.source import FileLimits, OpenFile, open_source
from insureflow.connectors.ledgers.tables import LedgerTable, heading_key, shown
from insureflow.connectors.ledgers.workbooks import open_workbook
from insureflow.connectors.limit_files import BUYER_COLUMNS, convert_country, convert_currency, convert_word
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, RequestType
from insureflow.domain.money import minor_digits
from insureflow.domain.receivables import RowProblem

#: Every column of the layout, by the heading that names it.
COLUMNS: tuple[str, ...] = (*BUYER_COLUMNS, "country", "policy", "type", "amount", "currency", "layer", "kind", "urgent", "comment")

_LIMITS = FileLimits(rows=100_000)
_YES = frozenset({"yes", "y", "true", "1", "x", "ja"})
_NO = frozenset({"no", "n", "false", "0", "nej", "nein"})


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One row, every cell understood. ``row`` counts from 1 with the heading, as a spreadsheet shows it."""

    row: int
    buyer: Mapping[str, str]
    country: str | None
    policy: str | None
    request_type: RequestType | None
    amount_minor: int | None
    currency: str
    layer: Layer
    kind: LimitKind
    is_urgent: bool
    comment: str


@dataclass(frozen=True, slots=True)
class RequestFile:
    """What a file of requests says: its good rows, and everything that is wrong with the others."""

    name: str
    sha256: str
    rows_read: int
    rows: tuple[RequestRow, ...]
    problems: tuple[RowProblem, ...]
    headings: Mapping[str, str] = field(default_factory=dict)


def read_requests(source: str | Path | IO[bytes], *, currency: str, name: str | None = None) -> RequestFile:
    """All rows of a file of requests; ``currency`` is that of amounts without one.

    Refusals: those of opening a ledger file; ``InvalidValues`` with ``limit_column_missing``, ``limit_column_unknown`` and
    ``limit_column_twice``; ``ambiguous_decimal_separator``; ``header_only``.
    """
    with open_source(source, _LIMITS, name) as file:
        table = _open_table(file)
        places = _places(table.headers)
        return _read(file, table, places, currency)


def _open_table(file: OpenFile) -> LedgerTable:
    known = frozenset(_key(column) for column in COLUMNS) | frozenset(COLUMNS)
    if file.file_type is FileType.DELIMITED:
        return open_delimited(file, FormatHints(), known, _LIMITS)
    if file.file_type in {FileType.XLSX, FileType.XLS, FileType.ODS}:
        return open_workbook(file, FormatHints(), known, _LIMITS, None)
    raise Refusal("file_type_not_supported", file_type=file.file_type.value)


def _key(heading: str) -> str:
    return heading_key(heading.replace("_", " ").replace("-", " "))


def _places(headers: Any) -> dict[str, int]:
    """Column of each field. Errors: ``InvalidValues`` with all headings that are missing, unknown or there twice."""
    by_key = {_key(column): column for column in COLUMNS}
    places: dict[str, int] = {}
    problems: list[InvalidValue] = []
    for position, heading in enumerate(headers):
        if not heading.strip():
            continue
        column = by_key.get(_key(heading))
        if column is None:
            problems.append(InvalidValue("limit_column_unknown", heading, heading, columns=", ".join(COLUMNS)))
        elif column in places:
            problems.append(InvalidValue("limit_column_twice", heading, heading))
        else:
            places[column] = position
    if not places.keys() & set(BUYER_COLUMNS):
        problems.append(InvalidValue("limit_column_missing", "buyer", choices=", ".join(BUYER_COLUMNS)))
    if "amount" not in places:
        problems.append(InvalidValue("limit_column_missing", "amount", choices="amount"))
    if problems:
        raise InvalidValues(tuple(problems))
    return places


def _read(file: OpenFile, table: LedgerTable, places: dict[str, int], currency: str) -> RequestFile:
    raw = table.read(frozenset(places.values()), None, None)
    if not raw.rows_read:
        raise Refusal("header_only")
    headings = {column: table.headers[position] for column, position in places.items()}
    cells = {column: raw.columns[position] for column, position in places.items()}
    problems: list[RowProblem] = list(raw.problems)
    bad_rows: set[int] = set()

    def note(position: int, column: str, code: str, parameters: Mapping[str, object]) -> None:
        bad_rows.add(position)
        value = shown(cells[column][position]) if column in cells else None
        problems.append(RowProblem(raw.rows[position], headings.get(column, column), value, code, parameters))

    def column(name: str, convert: Any) -> list[Any]:
        if name not in cells:
            return [None] * len(raw.rows)
        values, bad = convert_column(cells[name], convert)
        for each in bad:
            note(each.position, name, each.code, each.parameters)
        return [None if value is BAD else value for value in values]

    values: dict[str, list[Any]] = {name: column(name, convert_text) for name in (*BUYER_COLUMNS, "policy", "comment")}
    values["country"] = column("country", convert_country)
    values["type"] = column("type", partial(convert_word, RequestType))
    values["layer"] = column("layer", partial(convert_word, Layer))
    values["kind"] = column("kind", partial(convert_word, LimitKind))
    values["urgent"] = column("urgent", _yes_no)
    values["currency"] = [value or currency for value in column("currency", convert_currency)]
    digits = max((minor_digits(code) for code in set(values["currency"])), default=2)
    convention = detect_amounts(set(cells["amount"]), digits)
    if convention.certainty is Certainty.AMBIGUOUS:
        raise Refusal("ambiguous_decimal_separator", column=headings["amount"], example=convention.example or "")
    decimal = convention.decimal or "."
    amounts, bad = convert_pairs(values["currency"], cells["amount"], lambda code, cell: convert_amount(code, cell, decimal))
    for each in bad:
        note(each.position, "amount", each.code, each.parameters)
    values["amount"] = [None if value is BAD else value for value in amounts]
    rows: list[RequestRow] = []
    for position, number in enumerate(raw.rows):
        cell = {name: entries[position] for name, entries in values.items()}
        buyer = {name: cell[name] for name in BUYER_COLUMNS if cell[name]}
        if not buyer:
            note(position, next(name for name in BUYER_COLUMNS if name in cells), "buyer_not_named", {})
        if cell["amount"] is not None and cell["amount"] < 0:
            note(position, "amount", "amount_negative", {})
        if position in bad_rows:
            continue
        layer = cell["layer"] or Layer.PRIMARY
        rows.append(
            RequestRow(
                row=number,
                buyer=buyer,
                country=cell["country"],
                policy=cell["policy"],
                request_type=cell["type"],
                amount_minor=cell["amount"],
                currency=cell["currency"],
                layer=layer,
                kind=cell["kind"] or (LimitKind.TOP_UP if layer is Layer.TOP_UP else LimitKind.NAMED),
                is_urgent=bool(cell["urgent"]),
                comment=cell["comment"] or "",
            )
        )
    ordered = sorted(problems, key=lambda problem: (problem.row, problem.column or ""))
    return RequestFile(file.name, file.sha256, raw.rows_read, tuple(rows), tuple(ordered), headings)


def _yes_no(cell: Any) -> bool | None:
    text = convert_text(cell)
    if text is None:
        return None
    if text.casefold() in _YES:
        return True
    if text.casefold() in _NO:
        return False
    raise CellProblem("not_one_of", choices="yes, no")
