"""Figures, dates and names of countries by language, without a request."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from insureflow.domain.money import from_minor, minor_digits

NOTHING = "–"


def amount(minor: int | None, currency: str, locale: str) -> str:
    """An amount with all decimals of its currency and no currency sign; a dash for None."""
    if minor is None:
        return NOTHING
    digits = minor_digits(currency)
    pattern = "#,##0." + "0" * digits if digits else "#,##0"
    return format_decimal(from_minor(minor, currency), format=pattern, locale=locale, decimal_quantization=False)


def money(minor: int | None, currency: str, locale: str) -> str:
    """An amount followed by its currency code, which is unambiguous in every language."""
    return NOTHING if minor is None else f"{amount(minor, currency, locale)}\u00a0{currency}"


def percent(value: Decimal | int | None, locale: str, digits: int = 1) -> str:
    """A percentage given per hundred; trailing zeros are left out."""
    if value is None:
        return NOTHING
    pattern = Locale.parse(locale).percent_formats[None].pattern.replace("#,##0", "#,##0." + "#" * digits if digits else "#,##0")
    return str(format_percent(Decimal(value) / 100, format=pattern, locale=locale))


def number(value: Decimal | int | None, locale: str) -> str:
    """A plain number with the language's separators."""
    return NOTHING if value is None else str(format_decimal(value, locale=locale))


def day(value: date | None, locale: str) -> str:
    """A calendar date with the month in letters, so that day and month cannot be confused."""
    return NOTHING if value is None else format_date(value, "d MMM y", locale=locale)


def country(code: str | None, locale: str) -> str:
    """The name of a country; the code itself where the language has no name."""
    if not code:
        return NOTHING
    return str(Locale.parse(locale).territories.get(code, code))
