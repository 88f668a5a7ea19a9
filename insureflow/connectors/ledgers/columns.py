"""From headings to fields: which column of a file feeds which field, and every cell of it understood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from types import MappingProxyType
from typing import Any

from insureflow.connectors.countries import find_country
from insureflow.connectors.ledgers.amounts import AmountConvention, convert_amount, convert_clean_amounts, detect_amounts
from insureflow.connectors.ledgers.cells import (
    BAD,
    BadCell,
    Cell,
    CellProblem,
    NoValue,
    cell_text,
    convert_clean_texts,
    convert_column,
    convert_pairs,
    convert_text,
)
from insureflow.connectors.ledgers.dates import DateOrder, convert_date, detect_dates
from insureflow.connectors.ledgers.detection import Certainty, Finding
from insureflow.connectors.ledgers.headings import Mapped
from insureflow.connectors.ledgers.profile import AMOUNT, COUNTRY, CURRENCY, DATE, FLAG, KIND, TERMS, TEXT, ColumnRule, Profile
from insureflow.connectors.ledgers.tables import RawTable, heading_key, shown
from insureflow.connectors.ledgers.words import KINDS, NO, YES, parse_terms, plain_words
from insureflow.domain.currencies import is_currency
from insureflow.domain.money import minor_digits
from insureflow.domain.receivables import DocumentKind, PaymentTerms, RowProblem

_CURRENCY_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "US$": "USD", "C$": "CAD", "A$": "AUD", "RP": "IDR", "RP.": "IDR"}
_NAMES = frozenset({"customer_name", "trading_name"})


@dataclass(slots=True)
class Fields:
    """The fields of all rows, with what was wrong or noteworthy. A cell that could not be understood is None, and in ``bad``."""

    rows: list[int]
    values: dict[str, list[Any]]
    headings: dict[str, str | None]
    raw: dict[str, Sequence[Cell]]
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)
    bad: set[tuple[int, str]] = field(default_factory=set)
    left_out: int = 0

    def report(self, position: int, name: str, code: str, **parameters: object) -> None:
        """Notes that a row is bad, unless that cell has been reported already."""
        if (position, name) not in self.bad:
            self.bad.add((position, name))
            self.problems.append(self._note(position, name, code, parameters))

    def remark(self, position: int, name: str, code: str, **parameters: object) -> None:
        """Notes something about a row that does not make it bad."""
        self.warnings.append(self._note(position, name, code, parameters))

    def _note(self, position: int, name: str, code: str, parameters: dict[str, object]) -> RowProblem:
        cells = self.raw.get(name)
        value = shown(cells[position]) if cells is not None else None
        return RowProblem(self.rows[position], self.headings.get(name, name) or name, value, code, MappingProxyType(parameters))


def keep_rows(table: RawTable, where: dict[int, frozenset[str]]) -> int:
    """Leaves out the rows that the profile's filter does not name; gives how many."""
    before = len(table.rows)
    for position, allowed in where.items():
        column = table.columns[position]
        keeps = {cell: cell_text(cell).strip().casefold() in allowed for cell in set(column)}
        if all(keeps.values()):
            continue
        chosen = [keeps[cell] for cell in column]
        table.rows = list(compress(table.rows, chosen))
        table.columns = {each: list(compress(cells, chosen)) for each, cells in table.columns.items()}
    return before - len(table.rows)


def detect_conventions(
    mapped: list[Mapped], table: RawTable, profile: Profile, currencies: set[str]
) -> tuple[dict[str, DateOrder | None], dict[str, str], list[Finding]]:
    """Date order and decimal separator of each column, and the findings that say why; ambiguous ones are questions."""
    orders: dict[str, DateOrder | None] = {}
    decimals: dict[str, str] = {}
    findings: list[Finding] = []
    stated_orders = {heading_key(name): order for name, order in profile.file.date_orders.items()}
    digits = max((minor_digits(each) for each in currencies), default=2)
    amounts: dict[str, AmountConvention] = {}
    for each in mapped:
        if not each.positions or each.type not in {DATE, AMOUNT}:
            continue
        cells = table.columns[each.positions[0]]
        if each.type == DATE:
            stated = stated_orders.get(heading_key(each.heading or ""), profile.file.date_order)
            if stated is not None:
                orders[each.name] = stated
                findings.append(Finding("date_order", stated.value, Certainty.STATED, "stated_by_profile", each.heading))
                continue
            found = detect_dates(dict.fromkeys(cells))
            orders[each.name] = found.order
            value = found.order.value if found.order else None
            findings.append(Finding("date_order", value, found.certainty, found.reason, each.heading, {"example": found.example or ""}))
        elif profile.file.decimal_separator is not None:
            decimals[each.name] = profile.file.decimal_separator
            stated_mark = profile.file.decimal_separator
            findings.append(Finding("decimal_separator", stated_mark, Certainty.STATED, "stated_by_profile", each.heading))
        else:
            amounts[each.name] = detect_amounts(cells, digits)
    proved = {found.decimal for found in amounts.values() if found.decimal is not None and found.certainty is not Certainty.AMBIGUOUS}
    headings = {each.name: each.heading for each in mapped}
    for name, convention in amounts.items():
        decimal, certainty, reason = convention.decimal, convention.certainty, convention.reason
        if certainty is Certainty.AMBIGUOUS and len(proved) == 1:
            decimal, certainty, reason = next(iter(proved)), Certainty.LIKELY, "as_in_other_columns"
        decimals[name] = decimal or "."
        parameters: dict[str, object] = {"example": convention.example or "", "contradicting": convention.contradicting}
        findings.append(Finding("decimal_separator", decimal, certainty, reason, headings[name], parameters))
    return orders, decimals, findings


def _prepare(rule: ColumnRule, cell: Cell) -> Cell:
    """A cell after the profile's transformations and translations."""
    if isinstance(cell, NoValue):
        return cell
    for transform in rule.transforms:
        if transform == "strip_decimal_zero":
            text = cell_text(cell).strip()
            whole, _, fraction = text.partition(".")
            cell = whole if fraction and not fraction.strip("0") else text
        elif transform == "strip_leading_zeros":
            text = cell_text(cell).strip()
            cell = text.lstrip("0") or text[:1]
        elif transform == "upper":
            cell = cell_text(cell).upper()
    if rule.values:
        text = cell_text(cell).strip()
        translated = {key.casefold(): value for key, value in rule.values.items()}
        cell = translated.get(text.casefold(), cell)
    return cell


def _convert_flag(cell: Any) -> bool:
    text = convert_text(cell)
    if text is None:
        return False
    word = plain_words(text)
    if word in YES:
        return True
    if word in NO:
        return False
    raise CellProblem("not_yes_or_no")


def _convert_currency(cell: Any) -> str | None:
    text = convert_text(cell)
    if text is None:
        return None
    code = text.upper()
    code = _CURRENCY_SIGNS.get(code, code)
    if not is_currency(code):
        raise CellProblem("unknown_currency")
    return code


def _convert_country(cell: Any, *, numeric: bool) -> str | None:
    text = convert_text(cell)
    if text is None:
        return None
    code = find_country(text, numeric=numeric)
    if code is None:
        raise CellProblem("unknown_country")
    return code


def _convert_terms(cell: Any, table: dict[str, PaymentTerms]) -> tuple[str, PaymentTerms | None] | None:
    text = convert_text(cell)
    if text is None:
        return None
    return text, table.get(text.casefold()) or parse_terms(text)


def _convert_name(cell: Any) -> str | None:
    text = convert_text(cell)
    return " ".join(text.split()) if text else None


def _converter(each: Mapped, profile: Profile, orders: dict[str, DateOrder | None]) -> Callable[[Any], Any]:
    """How one cell of a field is understood."""
    rule, of_type = each.rule, each.type
    inner: Callable[[Any], Any]
    if of_type == DATE:
        order = orders.get(each.name)

        def inner(cell: Any) -> date | None:
            return convert_date(cell, order, profile.file.century)

    elif of_type == FLAG:
        inner = _convert_flag
    elif of_type == CURRENCY:
        inner = _convert_currency
    elif of_type == COUNTRY:
        numeric = "numeric_country" in rule.transforms

        def inner(cell: Any) -> str | None:
            return _convert_country(cell, numeric=numeric)

    elif of_type == KIND:
        kinds = {key.casefold(): kind for key, kind in profile.kinds.items()}

        def inner(cell: Any) -> DocumentKind | None:
            text = convert_text(cell)
            if text is None:
                return None
            kind = kinds.get(text.casefold()) or (None if kinds else KINDS.get(plain_words(text)))
            if kind is None:
                raise CellProblem("unknown_kind")
            return kind

    elif of_type == TERMS:
        table = {key.casefold(): terms for key, terms in profile.terms.items()}

        def inner(cell: Any) -> tuple[str, PaymentTerms | None] | None:
            return _convert_terms(cell, table)

    else:
        inner = _convert_name if each.name in _NAMES else convert_text
    if not (rule.transforms or rule.values):
        return inner
    return lambda cell: inner(_prepare(rule, cell))


def _cells_of(each: Mapped, table: RawTable) -> Sequence[Cell]:
    """The cells that feed a field; combined columns are joined, a constant is repeated."""
    if each.rule.constant is not None:
        return [each.rule.constant] * len(table.rows)
    if len(each.positions) == 1:
        return table.columns[each.positions[0]]
    parts = [table.columns[position] for position in each.positions]
    if not any(NoValue.FORMULA in set(part) for part in parts):
        texts = [[cell_text(cell).strip() for cell in part] for part in parts]
        return [each.rule.separator.join(filter(None, cells)) for cells in zip(*texts, strict=True)]
    return [
        NoValue.FORMULA if NoValue.FORMULA in cells else each.rule.separator.join(filter(None, (cell_text(cell).strip() for cell in cells)))
        for cells in zip(*parts, strict=True)
    ]


def convert_fields(
    mapped: list[Mapped], table: RawTable, profile: Profile, orders: dict[str, DateOrder | None], decimals: dict[str, str]
) -> Fields:
    """All fields of all rows."""
    fields = Fields(table.rows, {}, {each.name: each.heading for each in mapped}, {})
    amounts = [each for each in mapped if each.type == AMOUNT]
    for each in mapped:
        if each.type == AMOUNT:
            continue
        cells = _cells_of(each, table)
        clean = convert_clean_texts(cells) if each.type == TEXT and not (each.rule.transforms or each.rule.values) else None
        if clean is not None and each.name not in _NAMES:
            _take(fields, each, cells, clean, [])
            continue
        values, bad = convert_column(cells, _converter(each, profile, orders))
        _take(fields, each, cells, values, bad)
    currencies = _currencies(fields, profile)
    digits = {minor_digits(currency) for currency in set(currencies)}
    for each in amounts:
        cells = _cells_of(each, table)
        if len(digits) == 1 and not (each.rule.transforms or each.rule.values):
            minor = convert_clean_amounts(next(iter(digits)), cells, decimals.get(each.name, "."))
            if minor is not None:
                _take(fields, each, cells, minor, [])
                continue
        values, bad = convert_pairs(currencies, cells, _amount_converter(each.rule, decimals.get(each.name, ".")))
        _take(fields, each, cells, values, bad)
    return fields


def _currencies(fields: Fields, profile: Profile) -> list[str]:
    """The currency of every row: its own, else the profile's. A row with neither is bad; its amounts are read as hundredths."""
    values = fields.values.get("currency")
    if values is None:
        fields.values["currency"] = [profile.currency] * len(fields.rows)
    elif None in values:
        for position, value in enumerate(values):
            if value is None:
                if profile.currency is None or (position, "currency") in fields.bad:
                    fields.report(position, "currency", "missing")
                else:
                    values[position] = profile.currency
    return [value or "XXX" for value in fields.values["currency"]]


def _amount_converter(rule: ColumnRule, decimal: str) -> Callable[[str, Any], int | None]:
    def convert(currency: str, cell: Any) -> int | None:
        minor = convert_amount(currency, _prepare(rule, cell) if rule.transforms or rule.values else cell, decimal)
        if minor is not None and rule.transforms:
            minor = -minor if "negate" in rule.transforms else abs(minor)
        return minor

    if not (rule.transforms or rule.values):
        return lambda currency, cell: convert_amount(currency, cell, decimal)
    return convert


def _take(fields: Fields, each: Mapped, cells: Sequence[Cell], values: list[Any], bad: list[BadCell]) -> None:
    fields.raw[each.name] = cells
    fields.values[each.name] = values
    for entry in bad:
        values[entry.position] = None
        note = fields.remark if each.rule.unknown == "warning" else fields.report
        note(entry.position, each.name, entry.code, **entry.parameters)


def currencies_in(mapped: list[Mapped], table: RawTable, profile: Profile) -> set[str]:
    """The currencies that occur in a file, for judging how many decimals its amounts may have."""
    found: set[str] = {profile.currency} if profile.currency else set()
    for each in mapped:
        if each.name == "currency":
            cells: Sequence[Cell] = _cells_of(each, table)
            values, _ = convert_column(list(set(cells)), _converter(each, profile, {}))
            found |= {value for value in values if isinstance(value, str) and value is not BAD}
    return found
