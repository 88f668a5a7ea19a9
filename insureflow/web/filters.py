"""Template filters: figures, dates, countries and words in the reader's language."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from flask_babel import format_datetime, get_locale

from insureflow.i18n import formats, values, words


def register(app: Flask) -> None:
    """Add the filters to every template."""
    app.template_filter("money")(money)
    app.template_filter("amount")(amount)
    app.template_filter("percent")(percent)
    app.template_filter("number")(number)
    app.template_filter("day")(day)
    app.template_filter("instant")(instant)
    app.template_filter("country")(country)
    app.template_filter("word")(word)
    app.template_filter("said")(said)
    app.template_filter("basis")(basis)


def _locale() -> str:
    return str(get_locale() or "en")


def money(minor: int | None, currency: str) -> str:
    """``1,234.50 EUR`` in the reader's format."""
    return formats.money(minor, currency, _locale())


def amount(minor: int | None, currency: str) -> str:
    """The amount alone, for a column whose header names the currency."""
    return formats.amount(minor, currency, _locale())


def percent(value: Decimal | int | None, digits: int = 1) -> str:
    """A percentage given per hundred."""
    return formats.percent(value, _locale(), digits)


def number(value: Decimal | int | None) -> str:
    """A plain number."""
    return formats.number(value, _locale())


def day(value: date | None) -> str:
    """A calendar date."""
    return formats.day(value, _locale())


def instant(value: datetime | None) -> str:
    """An instant in the organisation's time zone, with the month in letters and 24 hours as the language writes days."""
    return "" if value is None else str(format_datetime(value, "d MMM y, HH:mm:ss"))


def country(code: str | None) -> str:
    """A country's name."""
    return formats.country(code, _locale())


def word(code: Any) -> str:
    """The words for a code or a member of a vocabulary."""
    return words.word(code, _locale())


def said(value: Any, name: str, currency: str | None = None) -> values.Said:
    """A stored value in words, by the code it stands under; see ``insureflow.i18n.values``."""
    return values.said(name, value, _locale(), currency)


def basis(code: str) -> str:
    """The clause a step of a calculation rests on."""
    return values.basis(code, _locale())
