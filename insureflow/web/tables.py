"""Lists on pages: what the address asks for, what the table shows, and the same rows as CSV or Excel."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

import xlsxwriter
from flask import Response, request, send_file
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from insureflow.domain.money import from_minor, minor_digits
from insureflow.i18n import formats, words
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order
from insureflow.web.context import url_with

SIZES = (25, 50, 100, 250)

#: A cell that begins with one of these could be run as a formula by a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the template draws it; ``currency`` is set when every row has the same one."""

    key: str
    label: str
    kind: str
    sortable: bool
    currency: str | None = None
    align: str = "start"
    has_own_currency: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as the template draws it."""

    key: str
    label: str
    kind: str
    options: Sequence[tuple[str, str]] = ()
    value: Any = None


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in use, and the address without it."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says: what belongs here and the one action that fills it."""

    title: str
    text: str = ""
    action_url: str | None = None
    action_label: str | None = None


@dataclass(slots=True)
class Table:
    """A list ready for ``macros/tables.html``."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[dict[str, Any]]
    sort: str
    direction: str
    page: int
    pages: int
    size: int
    sizes: Sequence[int]
    total_rows: int
    totals: dict[str, list[tuple[int, str]]]
    filters: list[Filter]
    chips: list[Chip]
    search: str | None
    export_csv_url: str
    export_xlsx_url: str
    empty: Empty | None = None
    currency_column: str | None = None


@dataclass(frozen=True, slots=True)
class TableView:
    """What a page adds to a list: labels by field, words for choices, where a row leads, and what an empty list says.

    ``options`` gives the choices of a select filter as ``(value, label)``; ``decorate`` may turn cells into
    ``{value, url, why_url, tone, hint}`` and set ``url`` and ``badges`` of a row; the tone ``plain`` says a code without a badge.
    ``beside`` are fields that the page says within another column; files have them as columns of their own. With
    ``currency_column`` that column says the currency of every amount of its row.
    """

    listing: Listing
    caption: str
    labels: Mapping[str, str]
    options: Mapping[str, Callable[[], Sequence[tuple[str, str]]]] = field(default_factory=dict)
    decorate: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    empty: Callable[[], Empty] | None = None
    beside: frozenset[str] = frozenset()
    currency_column: str | None = None

    def shown(self) -> list[Field]:
        """The fields that people see, in order."""
        return [each for each in self.listing.fields if not each.hidden]


def read_date(text: str) -> date | None:
    """A date of an address, or None if it is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def read_decimal(text: str) -> Decimal | None:
    """A typed amount with point or comma, with or without spaces, or None if it is none."""
    plain = text.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = Decimal(plain.replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < 10**15 else None


def read_narrowing(listing: Listing, arguments: MultiDict[str, str]) -> Narrowing:
    """What an address narrows a list to; what cannot be read is left out."""
    choices: dict[str, Sequence[str]] = {}
    texts: dict[str, str] = {}
    dates: dict[str, tuple[date | None, date | None]] = {}
    amounts: dict[str, tuple[Decimal | None, Decimal | None]] = {}
    for each in listing.fields:
        if each.filter is FilterKind.SELECT and any(values := [value for value in arguments.getlist(each.key) if value]):
            choices[each.key] = values
        elif each.filter is FilterKind.TEXT and (text := arguments.get(each.key, "").strip()):
            texts[each.key] = text
        elif each.filter is FilterKind.DATE_RANGE:
            span = read_date(arguments.get(f"{each.key}_from", "")), read_date(arguments.get(f"{each.key}_to", ""))
            if any(span):
                dates[each.key] = span
        elif each.filter is FilterKind.AMOUNT_RANGE:
            low, high = read_decimal(arguments.get(f"{each.key}_from", "")), read_decimal(arguments.get(f"{each.key}_to", ""))
            if low is not None or high is not None:
                amounts[each.key] = low, high
    return Narrowing(arguments.get("q", "").strip()[:200], choices, texts, dates, amounts)


def _order(listing: Listing, arguments: MultiDict[str, str]) -> Order:
    key = arguments.get("sort", "")
    if key in listing.by_key and listing.by_key[key].sortable:
        return Order(key, arguments.get("direction") == "desc")
    return listing.order


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and 0 < int(text) < 10**9 else default


def _one_currency(each: Field, rows: Sequence[Mapping[str, Any]], totals: Mapping[str, list[tuple[int, str]]]) -> str | None:
    if each.kind is not Kind.MONEY:
        return None
    found = {currency for _minor, currency in totals.get(each.key, [])} | {row[each.key][1] for row in rows if row[each.key] is not None}
    return found.pop() if len(found) == 1 else None


def build_table(view: TableView) -> Table:
    """The table that the address of this request asks for."""
    listing, arguments = view.listing, request.args
    narrowing, order = read_narrowing(listing, arguments), _order(listing, arguments)
    size = _whole(arguments.get("size", ""), SIZES[1])
    size = size if size in SIZES else SIZES[1]
    number = _whole(arguments.get("page", ""), 1)
    page = listing.page(narrowing, order, number, size)
    pages = max(1, math.ceil(page.total_rows / size))
    if number > pages:
        number = pages
        page = listing.page(narrowing, order, number, size)
    columns = [
        Column(
            each.key,
            view.labels[each.key],
            each.kind.value,
            each.sortable,
            _one_currency(each, page.rows, page.totals),
            "end" if each.kind in (Kind.MONEY, Kind.NUMBER, Kind.PERCENT) else "start",
            has_own_currency=view.currency_column is None,
        )
        for each in view.shown()
        if each.key not in view.beside
    ]
    filters = _filters(view, narrowing)
    return Table(
        name=listing.name,
        caption=view.caption,
        columns=columns,
        rows=[view.decorate(dict(row)) if view.decorate else row for row in page.rows],
        sort=order.key,
        direction="desc" if order.descending else "asc",
        page=number,
        pages=pages,
        size=size,
        sizes=SIZES,
        total_rows=page.total_rows,
        totals=page.totals,
        filters=filters,
        chips=_chips(narrowing, filters),
        search=narrowing.search if any(each.search is not None for each in listing.fields) else None,
        export_csv_url=url_with(format="csv", page=None, size=None),
        export_xlsx_url=url_with(format="xlsx", page=None, size=None),
        empty=view.empty() if view.empty and not page.total_rows else None,
        currency_column=view.currency_column,
    )


def _filters(view: TableView, narrowing: Narrowing) -> list[Filter]:
    filters: list[Filter] = []
    for each in view.listing.fields:
        if each.filter is None:
            continue
        value: Any = None
        if each.key in narrowing.choices:
            value = narrowing.choices[each.key][0]
        elif each.key in narrowing.texts:
            value = narrowing.texts[each.key]
        elif each.key in narrowing.dates:
            value = [bound.isoformat() if bound else "" for bound in narrowing.dates[each.key]]
        elif each.key in narrowing.amounts:
            value = ["" if bound is None else format(bound, "f") for bound in narrowing.amounts[each.key]]
        options = view.options[each.key]() if each.key in view.options else ()
        if each.filter is FilterKind.SELECT and not options and value is None:
            continue  # nothing to choose from, such as one buyer among a hundred thousand: only an address chooses that
        filters.append(Filter(each.key, view.labels[each.key], each.filter.value, options, value))
    return filters


def _chips(narrowing: Narrowing, filters: Sequence[Filter]) -> list[Chip]:
    chips: list[Chip] = []
    if narrowing.search:
        chips.append(Chip(_("Search: %(text)s", text=narrowing.search), url_with(q=None, page=None)))
    for each in filters:
        if each.value is None:
            continue
        if each.kind in (FilterKind.DATE_RANGE.value, FilterKind.AMOUNT_RANGE.value):
            low, high = each.value
            label = _("%(filter)s: %(low)s to %(high)s", filter=each.label, low=low or "…", high=high or "…")
            chips.append(Chip(label, url_with(**{f"{each.key}_from": None, f"{each.key}_to": None, "page": None})))
        else:
            shown = dict(each.options).get(str(each.value), str(each.value))
            chips.append(Chip(_("%(filter)s: %(value)s", filter=each.label, value=shown), url_with(**{each.key: None, "page": None})))
    return chips


def wanted_export(view: TableView, file_name: str) -> Response | None:
    """The whole narrowed list as a file if the address asks for one (``format=csv`` or ``xlsx``), else None."""
    wanted = request.args.get("format")
    if wanted not in ("csv", "xlsx"):
        return None
    rows = view.listing.stream(read_narrowing(view.listing, request.args), _order(view.listing, request.args))
    return _csv_response(view, rows, file_name) if wanted == "csv" else _xlsx_response(view, rows, file_name)


def _headings(view: TableView) -> list[tuple[Field, str, bool]]:
    """Field, heading, and whether the heading is that of its currency: an amount is exported as a number beside its currency."""
    headings: list[tuple[Field, str, bool]] = []
    for each in view.shown():
        headings.append((each, view.labels[each.key], False))
        if each.kind is Kind.MONEY:
            headings.append((each, _("%(column)s, currency", column=view.labels[each.key]), True))
    return headings


def _exported(each: Field, row: Mapping[str, Any], *, is_currency: bool) -> Any:
    value = row[each.key]
    if value is None:
        return None
    if each.kind is Kind.MONEY:
        return value[1] if is_currency else from_minor(value[0], value[1])
    if each.kind is Kind.BADGE or isinstance(value, Enum):
        return words.word(value, str(get_locale() or "en"))
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def safe_text(value: Any) -> str:
    """Text for a spreadsheet that cannot be taken for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    text = value.isoformat() if isinstance(value, date | datetime) else str(value)
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def _csv_response(view: TableView, rows: Iterator[Mapping[str, Any]], file_name: str) -> Response:
    headings = _headings(view)
    file = tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024, mode="w+b")  # noqa: SIM115 (the response closes it)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([heading for _field, heading, _currency in headings])
    for row in rows:
        writer.writerow([safe_text(_exported(each, row, is_currency=is_currency)) for each, _heading, is_currency in headings])
    text.flush()
    text.detach()
    file.seek(0)
    return send_file(file, mimetype="text/csv", as_attachment=True, download_name=f"{file_name}.csv")


def _xlsx_response(view: TableView, rows: Iterator[Mapping[str, Any]], file_name: str) -> Response:
    headings = _headings(view)
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd"}
    )
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True, "bottom": 1})
    amounts = {digits: book.add_format({"num_format": "#,##0." + "0" * digits if digits else "#,##0"}) for digits in (0, 2, 3)}
    for index, (_field, heading, _currency) in enumerate(headings):
        sheet.write_string(0, index, heading, bold)
        sheet.set_column(index, index, max(12, min(40, len(heading) + 4)))
    for line, row in enumerate(rows, start=1):
        for index, (each, _heading, is_currency) in enumerate(headings):
            value = _exported(each, row, is_currency=is_currency)
            if value is None:
                continue
            if isinstance(value, Decimal):
                digits = minor_digits(row[each.key][1]) if each.kind is Kind.MONEY else 2
                sheet.write_number(line, index, value, amounts[digits])
            elif isinstance(value, int) and not isinstance(value, bool):
                sheet.write_number(line, index, value)
            elif isinstance(value, datetime):
                sheet.write_string(line, index, value.isoformat())
            elif isinstance(value, date):
                sheet.write_datetime(line, index, datetime(value.year, value.month, value.day))
            else:
                sheet.write_string(line, index, str(value))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, 0, max(0, len(headings) - 1))
    book.close()
    file.seek(0)
    return send_file(
        file,
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True,
        download_name=f"{file_name}.xlsx",
    )


def country_options(codes: Sequence[str]) -> list[tuple[str, str]]:
    """Countries as choices, by name in the reader's language."""
    locale = str(get_locale() or "en")
    return sorted(((code, formats.country(code, locale)) for code in codes), key=lambda pair: pair[1])


def word_options(codes: Sequence[object]) -> list[tuple[str, str]]:
    """Members of a vocabulary as choices, in the order given."""
    locale = str(get_locale() or "en")
    return [(str(getattr(code, "value", code)), words.word(code, locale)) for code in codes]
