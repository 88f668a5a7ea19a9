"""Dates as ledgers write them. The order of day and month is proved by a whole column or asked for; it is never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from insureflow.connectors.ledgers.cells import CellProblem, NoValue
from insureflow.connectors.ledgers.detection import Certainty


class DateOrder(StrEnum):
    """The order in which a column writes year, month and day."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


EARLIEST_YEAR, LATEST_YEAR = 1970, 2199

_TIME = re.compile(r"[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|[+-]\d{2}:?\d{2})?\Z", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})\Z", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/. ])\s?(\d{1,2})\2\s?(\d{4}|\d{2})\Z", re.ASCII)
_DAY_NAME_YEAR = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.|er)?[-/ .]*(?:de )?([^\W\d_]{3,12})\.?[-/ .,]*(?:de )?(\d{4}|\d{2})\Z")
_NAME_DAY_YEAR = re.compile(r"([^\W\d_]{3,12})\.?[-/ .]*(\d{1,2})(?:st|nd|rd|th)?[-/ ,]+(\d{4}|\d{2})\Z")

_MONTH_NAMES = """
january jan januari januar janvier janv enero ene
february feb februari februar février fevrier févr fevr febrero febr pebruari
march mar mars märz maerz mrz mär maart mrt marzo maret
april apr avril avr abril abr
may maj mai mei mayo
june jun juni juin junio
july jul juli juillet juil julio
august aug augusti augustus août aout agosto ago agustus agu ags
september sep sept septembre septiembre setiembre
october oct oktober okt octobre octubre
november nov novembre noviembre nop nopember
december dec dez dezember décembre decembre déc diciembre dic desember des
"""
_MONTHS: dict[str, int] = {name: month for month, names in enumerate(_MONTH_NAMES.strip().splitlines(), start=1) for name in names.split()}


@dataclass(frozen=True, slots=True)
class DateConvention:
    """How a column writes dates, and how sure that is. ``order`` None: nothing in it depends on an order."""

    order: DateOrder | None
    certainty: Certainty
    reason: str
    example: str | None = None


def _build(year: str, month: int, day: int, century: int | None) -> date:
    if len(year) == 2:
        if century is None:
            raise CellProblem("two_digit_year")
        full = century + int(year)
    else:
        full = int(year)
    if not EARLIEST_YEAR <= full <= LATEST_YEAR:
        raise CellProblem("date_out_of_range", earliest=EARLIEST_YEAR, latest=LATEST_YEAR)
    try:
        return date(full, month, day)
    except ValueError:
        raise CellProblem("no_such_date") from None


def parse_date(text: str, order: DateOrder | None, *, century: int | None = None) -> date:
    """The day that a text writes. A time of day after it is dropped.

    Problems: ``not_a_date``, ``no_such_date``, ``two_digit_year`` (unless ``century`` says which one is meant),
    ``date_out_of_range``, ``order_unknown`` (day and month could be exchanged and nothing says which is which).
    """
    text = _TIME.sub("", text.strip()).strip()
    if match := _YEAR_FIRST.match(text):
        return _build(match[1], int(match[3]), int(match[4]), None)
    if match := _YEAR_LAST.match(text):
        first, second = int(match[1]), int(match[3])
        if order is DateOrder.YMD:
            if len(match[4]) == 2 and century is not None and len(match[1]) == 2:
                return _build(match[1], second, int(match[4]), century)
            raise CellProblem("not_a_date")
        if order is None:
            if first != second:
                raise CellProblem("order_unknown")
            order = DateOrder.DMY
        day, month = (first, second) if order is DateOrder.DMY else (second, first)
        return _build(match[4], month, day, century)
    if match := _COMPACT.match(text):
        if order in (None, DateOrder.YMD):
            return _build(match[1], int(match[2]), int(match[3]), None)
        first, second = int(text[:2]), int(text[2:4])
        day, month = (first, second) if order is DateOrder.DMY else (second, first)
        return _build(text[4:], month, day, None)
    if match := _DAY_NAME_YEAR.match(text):
        day_text, name, year = match[1], match[2], match[3]
    elif match := _NAME_DAY_YEAR.match(text):
        name, day_text, year = match[1], match[2], match[3]
    else:
        raise CellProblem("not_a_date")
    named = _MONTHS.get(name.lower())
    if named is None:
        raise CellProblem("not_a_date")
    return _build(year, named, int(day_text), century)


def convert_date(cell: Any, order: DateOrder | None, century: int | None = None) -> date | None:
    """The day in a cell; None for an empty one. Problems: those of ``parse_date`` and ``formula_without_value``."""
    if isinstance(cell, str):
        if not cell or cell.isspace():
            return None
        return parse_date(cell, order, century=century)
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        if not EARLIEST_YEAR <= cell.year <= LATEST_YEAR:
            raise CellProblem("date_out_of_range", earliest=EARLIEST_YEAR, latest=LATEST_YEAR)
        return cell
    if cell is NoValue.FORMULA:
        raise CellProblem("formula_without_value")
    raise CellProblem("not_a_date")


def detect_dates(cells: Iterable[Any]) -> DateConvention:
    """The order of year, month and day in a column, from all its distinct cells.

    Day first or month first is decided only when a number above twelve proves it and nothing in the column speaks against it.
    """
    proofs: dict[DateOrder, str] = {}
    neutral: str | None = None
    year_first: str | None = None
    for cell in cells:
        if not isinstance(cell, str):
            continue
        text = _TIME.sub("", cell.strip()).strip()
        if _YEAR_FIRST.match(text) or _COMPACT.match(text):
            year_first = year_first or text
        elif match := _YEAR_LAST.match(text):
            first, second = int(match[1]), int(match[3])
            if first > 12 >= second:
                proofs.setdefault(DateOrder.DMY, text)
            elif second > 12 >= first:
                proofs.setdefault(DateOrder.MDY, text)
            elif first != second:
                neutral = neutral or text
    if len(proofs) == 2:
        return DateConvention(None, Certainty.AMBIGUOUS, "orders_mixed", neutral or proofs[DateOrder.DMY])
    if proofs:
        order, example = next(iter(proofs.items()))
        return DateConvention(order, Certainty.CERTAIN, "number_above_twelve", example)
    if neutral:
        return DateConvention(None, Certainty.AMBIGUOUS, "no_number_above_twelve", neutral)
    if year_first:
        return DateConvention(DateOrder.YMD, Certainty.CERTAIN, "year_first", year_first)
    return DateConvention(None, Certainty.CERTAIN, "order_does_not_matter")
