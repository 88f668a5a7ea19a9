"""Keys of rows as addresses and forms name them: a number that no row can have is the number of nothing, and never reaches the database."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

#: The largest key that a database can give a row.
LARGEST_KEY = 2**63 - 1
_DIGITS = len(str(LARGEST_KEY))


class RowKey(IntegerConverter):
    """The place of a key, or of another whole number, in an address. A number beyond what a database holds is not found."""

    regex = rf"[0-9]{{1,{_DIGITS}}}"

    def __init__(self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int | None = None, signed: bool = False) -> None:  # noqa: A002 (the names and the order of the framework)
        super().__init__(map, fixed_digits, min, LARGEST_KEY if max is None else max, signed)


def register(app: Flask) -> None:
    """Bound every whole number in the addresses that are added from now on."""
    app.url_map.converters["int"] = RowKey


def read_key(text: str | None) -> int | None:
    """The key that a query or a form names, or None where it names none that a row could have."""
    if not text or not text.isascii() or not text.isdecimal() or len(text) > _DIGITS:
        return None
    key = int(text)
    return key if 0 < key <= LARGEST_KEY else None
