"""Reading what insurers send: numbers as text, empty text for nothing, dates with or without a time. Nothing is guessed.

Every reader raises ``ItemFailed`` ``field_unreadable`` with the name of the field, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from insureflow.connectors.insurers.interface import ItemFailed
from insureflow.domain.countries import ALPHA_2_BY_ALPHA_3
from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import Money, minor_digits

#: Alpha-2 code to alpha-3.
ALPHA_3_BY_ALPHA_2: dict[str, str] = {alpha_2: alpha_3 for alpha_3, alpha_2 in ALPHA_2_BY_ALPHA_3.items()}

_DAY = re.compile(r"^(\d{4})-(\d{2})-(\d{2})(?:$|[T ])", re.ASCII)
_PLAIN_AMOUNT = re.compile(r"^(\d{1,15})(?:\.(\d{1,6}))?$", re.ASCII)
_CURRENCY = re.compile(r"^[A-Z]{3}$", re.ASCII)
#: More digits than any amount of money: above them a number is an error, and perhaps an attack.
_MOST_DIGITS = 18


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


def read_json(body: bytes) -> Any:
    """JSON with numbers as ``int`` or ``Decimal``. Errors: ``ItemFailed`` ``reply_unreadable``."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise ItemFailed("reply_unreadable", operation="json") from error


def unreadable(field: str, value: object) -> ItemFailed:
    """The error of a field that cannot be read."""
    return ItemFailed("field_unreadable", field=field, value=str(value)[:80])


def read_object(value: object, field: str) -> Mapping[str, Any]:
    """An object; nothing at all is an empty one."""
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise unreadable(field, value)
    return value


def read_list(value: object, field: str) -> list[Any]:
    """A list; nothing at all is an empty one, and a single object a list of one."""
    if value is None or value == "":
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise unreadable(field, value)
    return value


def read_text(value: object, field: str) -> str:
    """A text without outer spaces; a number as it is written; nothing is the empty text."""
    if type(value) is str:  # nearly always, and a hundred thousand rows have a dozen each
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise unreadable(field, value)
    if not isinstance(value, str):
        _require_sane(Decimal(value), field)
    return str(value)


def require_text(value: object, field: str) -> str:
    """A text that is there."""
    text = read_text(value, field)
    if not text:
        raise unreadable(field, value)
    return text


def read_number(value: object, field: str) -> Decimal | None:
    """A number, also as a text; None for nothing and for the empty text."""
    text = read_text(value, field)
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise unreadable(field, value) from None
    if not number.is_finite():
        raise unreadable(field, value)
    _require_sane(number, field)
    return number


def read_money(value: object, currency: str, field: str) -> Money | None:
    """An amount of major units, not below 0; None for nothing and for the empty text."""
    if type(value) is int and 0 <= value < 10**_MOST_DIGITS:  # what most amounts are, without the way over fractions
        return Money(value * 10 ** minor_digits(currency), currency)
    if type(value) is str and (plain := _PLAIN_AMOUNT.match(value)) is not None:
        digits = minor_digits(currency)
        decimals = plain[2] or ""
        if not decimals[digits:].strip("0"):
            return Money(int(plain[1] + decimals[:digits].ljust(digits, "0")), currency)
    number = read_number(value, field)
    if number is None:
        return None
    if number < 0:
        raise unreadable(field, value)
    try:
        return Money.of(number, currency)
    except InvalidValue:
        raise unreadable(field, value) from None


def read_currency(value: object, field: str, *, default: str) -> str:
    """A currency of three letters, or the default where none is given."""
    text = read_text(value, field)
    if text and _CURRENCY.match(text) is None:
        raise unreadable(field, value)
    return text or default


def read_day(value: object, field: str) -> date | None:
    """The calendar date as it stands there: an instant keeps the day it was delivered with, whatever its time zone."""
    text = read_text(value, field)
    if not text:
        return None
    day = _day_of(text[:11])
    if day is None:
        raise unreadable(field, value)
    return day


@lru_cache(maxsize=4096)
def _day_of(text: str) -> date | None:
    """The day a text begins with; the same few days come a hundred thousand times."""
    found = _DAY.match(text)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def read_country(value: object, field: str) -> str:
    """A country as alpha-2, from either code; the empty text for nothing and for a code nobody knows."""
    text = read_text(value, field).upper()
    return ALPHA_2_BY_ALPHA_3.get(text, text if len(text) == 2 and text.isalpha() else "")


def _require_sane(number: Decimal, field: str) -> None:
    if number.is_finite() and (
        number.adjusted() > _MOST_DIGITS or number.adjusted() < -_MOST_DIGITS or len(number.as_tuple().digits) > 2 * _MOST_DIGITS
    ):
        raise unreadable(field, "…")
