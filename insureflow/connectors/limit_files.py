"""Files of limits in the plain layout: delimited text or a workbook with the headings of ``docs/limit-files.md``.

A file that was never opened safely is never read: size, archive and encoding are looked at as for ledger files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, TypeVar

from insureflow.connectors.countries import find_country
from insureflow.connectors.ledgers.amounts import convert_amount, detect_amounts
from insureflow.connectors.ledgers.cells import BAD, Cell, CellProblem, cell_text, convert_column, convert_pairs, convert_text, plain_number
from insureflow.connectors.ledgers.dates import DateConvention, DateOrder, convert_date, detect_dates
from insureflow.connectors.ledgers.delimited import open_delimited
from insureflow.connectors.ledgers.detection import Certainty, FileType
from insureflow.connectors.ledgers.profile import FormatHints
from insureflow.connectors.ledgers.source import FileLimits, OpenFile, open_source
from insureflow.connectors.ledgers.tables import LedgerTable, RawTable, heading_key, shown
from insureflow.connectors.ledgers.workbooks import open_workbook
from insureflow.domain.cover.events import Layer
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.limits.codes import CoverReasonCode, CoverResponseCode
from insureflow.domain.money import minor_digits
from insureflow.domain.receivables import RowProblem

#: A closed list of words.
Word = TypeVar("Word", bound=StrEnum)

#: Columns that name the buyer, in the order in which they are tried.
BUYER_COLUMNS = ("insurer_id", "vat_number", "registration_number", "customer_number", "buyer_name")

#: Every column of the layout, by the heading that names it.
COLUMNS: tuple[str, ...] = (
    *BUYER_COLUMNS,
    "entity",
    "country",
    "layer",
    "kind",
    "status",
    "requested",
    "decided",
    "currency",
    "decided_on",
    "effective_on",
    "valid_to",
    "insured_percentage",
    "maximum_credit_terms_days",
    "maximum_extension_period_days",
    "insurer_reference",
    "own_reference",
    "reason",
)
_DATES = ("decided_on", "effective_on", "valid_to")
_AMOUNTS = ("requested", "decided")
_COUNTS = ("maximum_credit_terms_days", "maximum_extension_period_days")

_LIMITS = FileLimits(rows=200_000)


@dataclass(frozen=True, slots=True)
class LimitProfile:
    """How an insurer's own list is read as if it had our layout; nothing of it is guessed.

    ``columns``: headings that mean a column of ours. ``values``: words of theirs in a column, in small letters, and ours.
    ``ignores``: headings that are passed over; ``ignores_others``: whether all that nobody named are, instead of refused.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ignores: tuple[str, ...] = ()
    ignores_others: bool = False


PLAIN = LimitProfile()


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One row of a file of limits, every cell understood. ``row`` counts from 1 with the heading, as a spreadsheet shows it.

    ``own_reference`` is ours of the request it answers. ``response`` and ``reason_code`` stand where the file speaks the public
    vocabulary.
    """

    row: int
    insurer_id: str | None
    vat_number: str | None
    registration_number: str | None
    customer_number: str | None
    buyer_name: str | None
    entity: str | None
    country: str | None
    layer: Layer
    kind: LimitKind
    status: LimitStatus | None
    requested_minor: int | None
    decided_minor: int | None
    currency: str
    decided_on: date
    effective_on: date | None
    valid_to: date | None
    conditions: Mapping[str, object]
    insurer_reference: str | None
    reason: str
    own_reference: str | None = None
    response: CoverResponseCode | None = None
    reason_code: CoverReasonCode | None = None

    @property
    def decides_nothing(self) -> bool:
        """True for an answer that leaves every limit as it is: a preliminary assessment, an increase refused, a change of name."""
        return self.status is None and self.decided_minor is None


@dataclass(frozen=True, slots=True)
class LimitFile:
    """What a file of limits says: its good rows, and everything that is wrong with the others."""

    name: str
    sha256: str
    rows_read: int
    rows: tuple[LimitRow, ...]
    problems: tuple[RowProblem, ...]
    headings: Mapping[str, str] = field(default_factory=dict)


def read_limits(source: str | Path | IO[bytes], *, currency: str, name: str | None = None, profile: LimitProfile = PLAIN) -> LimitFile:
    """All rows of a file of limits; ``currency`` is that of amounts without one, ``profile`` says how an insurer's own list is read.

    Refusals: those of opening a ledger file; ``InvalidValues`` with ``limit_column_missing`` and ``limit_column_unknown``;
    ``ambiguous_date_order``, ``ambiguous_decimal_separator``; ``header_only``.
    """
    with open_source(source, _LIMITS, name) as file:
        table = _open_table(file, profile)
        places = _places(table.headers, profile)
        raw = table.read(frozenset(places.values()), None, None)
        if not raw.rows_read:
            raise Refusal("header_only")
        return _Reading(file, table, places, raw, currency, profile).result()


def _open_table(file: OpenFile, profile: LimitProfile) -> LedgerTable:
    known = frozenset(_key(column) for column in COLUMNS) | frozenset(COLUMNS)
    known |= frozenset(_key(heading) for headings in profile.columns.values() for heading in headings)
    hints = FormatHints()
    if file.file_type is FileType.DELIMITED:
        return open_delimited(file, hints, known, _LIMITS)
    if file.file_type in {FileType.XLSX, FileType.XLS, FileType.ODS}:
        return open_workbook(file, hints, known, _LIMITS, None)
    raise Refusal("file_type_not_supported", file_type=file.file_type.value)


def _key(heading: str) -> str:
    return heading_key(heading.replace("_", " ").replace("-", " "))


def _places(headers: Sequence[str], profile: LimitProfile) -> dict[str, int]:
    """Column of each field. Errors: ``InvalidValues`` with all headings that are missing, unknown or there twice."""
    by_key = {_key(column): column for column in COLUMNS}
    by_key |= {_key(heading): column for column, headings in profile.columns.items() for heading in headings}
    ignored = frozenset(_key(heading) for heading in profile.ignores)
    places: dict[str, int] = {}
    problems: list[InvalidValue] = []
    for position, heading in enumerate(headers):
        if not heading.strip():
            continue
        column = by_key.get(_key(heading))
        if column is None and (profile.ignores_others or _key(heading) in ignored):
            continue
        if column is None:
            problems.append(InvalidValue("limit_column_unknown", heading, heading, columns=", ".join(COLUMNS)))
        elif column in places:
            problems.append(InvalidValue("limit_column_twice", heading, heading))
        else:
            places[column] = position
    if not places.keys() & set(BUYER_COLUMNS):
        problems.append(InvalidValue("limit_column_missing", "buyer", choices=", ".join(BUYER_COLUMNS)))
    problems.extend(InvalidValue("limit_column_missing", column, choices=column) for column in ("decided_on",) if column not in places)
    if not places.keys() & {"decided", "requested"}:
        problems.append(InvalidValue("limit_column_missing", "decided", choices="decided, requested"))
    if problems:
        raise InvalidValues(tuple(problems))
    return places


class _Reading:
    """One file on its way from cells to rows."""

    def __init__(
        self, file: OpenFile, table: LedgerTable, places: dict[str, int], raw: RawTable, currency: str, profile: LimitProfile
    ) -> None:
        self.file = file
        self.profile = profile
        self.raw = raw
        self.currency = currency
        self.headings = {column: table.headers[position] for column, position in places.items()}
        self.cells: dict[str, list[Cell]] = {column: raw.columns[position] for column, position in places.items()}
        self.problems: list[RowProblem] = list(raw.problems)
        self.bad_rows: set[int] = set()

    def problem(self, position: int, column: str, code: str, **parameters: object) -> None:
        """Note what is wrong in a row; the row is then left out."""
        cells = self.cells.get(column)
        self.bad_rows.add(position)
        self.problems.append(
            RowProblem(
                self.raw.rows[position], self.headings.get(column, column), shown(cells[position]) if cells else None, code, parameters
            )
        )

    def column(self, name: str, convert: Callable[[Any], Any]) -> list[Any]:
        """The converted cells of a column; None throughout where the file has none."""
        cells = self.cells.get(name)
        if cells is None:
            return [None] * len(self.raw.rows)
        values, bad = convert_column(cells, convert)
        for each in bad:
            self.problem(each.position, name, each.code, **each.parameters)
        return [None if value is BAD else value for value in values]

    def result(self) -> LimitFile:
        """The good rows and all problems."""
        values: dict[str, list[Any]] = {
            name: self.column(name, convert_text) for name in (*BUYER_COLUMNS, "entity", "insurer_reference", "own_reference", "reason")
        }
        values["country"] = self.column("country", convert_country)
        values["layer"] = self.column("layer", partial(convert_word, Layer, translated=self.profile.values.get("layer", {})))
        values["kind"] = self.column("kind", partial(convert_word, LimitKind, translated=self.profile.values.get("kind", {})))
        values["status"] = self.column("status", partial(convert_word, LimitStatus, translated=self.profile.values.get("status", {})))
        values["currency"] = [value or self.currency for value in self.column("currency", convert_currency)]
        values["insured_percentage"] = self.column("insured_percentage", _percentage)
        for name in _COUNTS:
            values[name] = self.column(name, _count)
        for name in _DATES:
            values[name] = self.column(name, partial(_date, self._dates(name).order))
        self._amounts(values)
        rows = [row for position in range(len(self.raw.rows)) if (row := self._row(position, values)) is not None]
        ordered = sorted(self.problems, key=lambda problem: (problem.row, problem.column or ""))
        return LimitFile(self.file.name, self.file.sha256, self.raw.rows_read, tuple(rows), tuple(ordered), self.headings)

    def _dates(self, name: str) -> DateConvention:
        convention = detect_dates(set(self.cells.get(name, [])))
        if convention.certainty is Certainty.AMBIGUOUS:
            raise Refusal("ambiguous_date_order", column=self.headings[name], example=convention.example or "")
        return convention

    def _amounts(self, values: dict[str, list[Any]]) -> None:
        """Both columns of amounts are written in one way, so they are looked at together."""
        currencies = values["currency"]
        cells = {cell for name in _AMOUNTS for cell in self.cells.get(name, [])}
        digits = max((minor_digits(code) for code in set(currencies)), default=2)
        convention = detect_amounts(cells, digits)
        if convention.certainty is Certainty.AMBIGUOUS:
            raise Refusal("ambiguous_decimal_separator", column=self.headings.get("decided", "requested"), example=convention.example or "")
        decimal = convention.decimal or "."
        for name in _AMOUNTS:
            column = self.cells.get(name)
            if column is None:
                values[name] = [None] * len(self.raw.rows)
                continue
            converted, bad = convert_pairs(currencies, column, lambda code, cell: convert_amount(code, cell, decimal))
            for each in bad:
                self.problem(each.position, name, each.code, **each.parameters)
            values[name] = [None if value is BAD else value for value in converted]
            for position, value in enumerate(values[name]):
                if value is not None and value < 0:
                    self.problem(position, name, "amount_negative")

    def _row(self, position: int, values: dict[str, list[Any]]) -> LimitRow | None:
        cell = {name: column[position] for name, column in values.items()}
        if cell["own_reference"] and all(cell[name] is None for name in ("decided", "decided_on", "status")):
            return None  # a request of ours that came back without an answer says nothing
        if not any(cell[name] for name in BUYER_COLUMNS):
            self.problem(position, next(name for name in BUYER_COLUMNS if name in self.cells), "buyer_not_named")
        if cell["decided_on"] is None and position not in self.bad_rows:
            self.problem(position, "decided_on", "date_needed")
        status = cell["status"]
        if status is LimitStatus.REFUSED and cell["decided"] is None:
            cell["decided"] = 0
        if status is LimitStatus.REFUSED and cell["decided"]:
            self.problem(position, "decided", "refused_with_amount")
        if status is LimitStatus.REQUESTED and cell["requested"] is None:
            self.problem(position, "requested", "amount_needed")
        if status not in (LimitStatus.REQUESTED, LimitStatus.WITHDRAWN) and cell["decided"] is None and position not in self.bad_rows:
            self.problem(position, "decided", "amount_needed")
        if position in self.bad_rows:
            return None
        layer = cell["layer"] or Layer.PRIMARY
        return LimitRow(
            row=self.raw.rows[position],
            **{name: cell[name] for name in BUYER_COLUMNS},
            entity=cell["entity"],
            country=cell["country"],
            layer=layer,
            kind=cell["kind"] or (LimitKind.TOP_UP if layer is Layer.TOP_UP else LimitKind.NAMED),
            status=status,
            requested_minor=cell["requested"],
            decided_minor=cell["decided"],
            currency=cell["currency"],
            decided_on=cell["decided_on"],
            effective_on=cell["effective_on"],
            valid_to=cell["valid_to"],
            conditions=_conditions(cell),
            insurer_reference=cell["insurer_reference"],
            reason=cell["reason"] or "",
            own_reference=cell["own_reference"],
        )


def _conditions(cell: Mapping[str, Any]) -> dict[str, object]:
    conditions: dict[str, object] = {}
    if cell["insured_percentage"] is not None:
        conditions["insured_percentage"] = format(cell["insured_percentage"], "f")
    if cell["maximum_credit_terms_days"] is not None:
        conditions["maximum_credit_terms"] = {"days": cell["maximum_credit_terms_days"]}
    if cell["maximum_extension_period_days"] is not None:
        conditions["maximum_extension_period"] = {"days": cell["maximum_extension_period_days"]}
    return conditions


def convert_word(vocabulary: type[Word], cell: Any, translated: Mapping[str, str] = MappingProxyType({})) -> Word | None:
    """The member of a closed list that a cell names; ``translated`` gives our word for another's. Errors: ``CellProblem`` ``not_one_of``."""
    text = convert_text(cell)
    if text is None:
        return None
    text = translated.get(text.casefold(), text)
    wanted = text.casefold().replace(" ", "_").replace("-", "_")
    for member in vocabulary:
        if member.value == wanted:
            return member
    raise CellProblem("not_one_of", choices=", ".join(member.value for member in vocabulary))


def convert_country(cell: Any) -> str | None:
    """The country of a cell, by code or name. Errors: ``CellProblem`` ``not_a_country_code``."""
    text = convert_text(cell)
    if text is None:
        return None
    code = find_country(text)
    if code is None:
        raise CellProblem("not_a_country_code")
    return code


def convert_currency(cell: Any) -> str | None:
    """The currency of a cell. Errors: ``CellProblem`` ``not_a_currency_code``."""
    text = convert_text(cell)
    if text is None:
        return None
    if not is_currency(text.upper()):
        raise CellProblem("not_a_currency_code")
    return text.upper()


def _date(order: DateOrder | None, cell: Any) -> date | None:
    return convert_date(cell, order)


def _percentage(cell: Any) -> Decimal | None:
    """A percentage; a number of a workbook up to 1 is one that is shown as a percentage, for workbooks keep 85 % as 0.85."""
    if isinstance(cell, Decimal) and 0 < cell <= 1:
        return Decimal(plain_number(cell * 100))
    text = cell_text(cell).strip().removesuffix("%").strip() if isinstance(cell, str | Decimal) else convert_text(cell)
    if not text:
        return None
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise CellProblem("cell_not_a_percentage") from None
    if not value.is_finite() or not 0 <= value <= 100:
        raise CellProblem("cell_not_a_percentage")
    return Decimal(plain_number(value))


def _count(cell: Any) -> int | None:
    text = convert_text(cell)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 4:
        raise CellProblem("not_a_number_of_days")
    return int(text)
