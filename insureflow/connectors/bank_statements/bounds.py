"""What a file of a bank may cost, and how its texts and values are brought into bounds."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.money import to_minor
from insureflow.domain.receivables import RowProblem

MEGABYTE = 1024 * 1024

#: No bank books more at once; a larger number is a damaged or hostile file.
_MOST_MINOR = 10**17

#: So long may a text of an entry be; remittance information has 140 characters a line in practice, up to 9,000 in theory.
MOST_TEXT = 4_000
MOST_NAME = 300
MOST_REFERENCE = 140
MOST_REFERENCES = 50
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class StatementBounds:
    """What a file of the bank may hold: bytes, statements, entries, and how deep its elements may lie in each other."""

    size: int = 50 * MEGABYTE
    statements: int = 2_000
    entries: int = 200_000
    depth: int = 64
    problems: int = 1_000


DEFAULT_BOUNDS = StatementBounds()


class BadEntry(Exception):
    """An entry that cannot be read: where, what stands there, and why."""

    def __init__(self, code: str, column: str, value: str | None = None, **parameters: object) -> None:
        super().__init__(code)
        self.code, self.column, self.value, self.parameters = code, column, value, parameters

    def problem(self, row: int, statement: str) -> RowProblem:
        """The same as a row's problem."""
        parameters = MappingProxyType({**self.parameters, "statement": statement[:MOST_SHOWN]})
        return RowProblem(row, self.column, None if self.value is None else self.value[:MOST_SHOWN], self.code, parameters)


@dataclass(slots=True)
class Meter:
    """Counts what was read and stops where a file goes out of bounds."""

    bounds: StatementBounds
    statements: int = 0
    entries: int = 0

    def count_statement(self) -> None:
        """One more statement. Errors: ``too_many_statements``."""
        self.statements += 1
        if self.statements > self.bounds.statements:
            raise Refusal("too_many_statements", limit=self.bounds.statements)

    def count_entry(self) -> int:
        """The number of the next entry. Errors: ``too_many_bank_entries``."""
        self.entries += 1
        if self.entries > self.bounds.entries:
            raise Refusal("too_many_bank_entries", limit=self.bounds.entries)
        return self.entries


def clean_text(text: str | None, longest: int) -> str:
    """A text without control characters, with single spaces, cut to a length."""
    if not text:
        return ""
    if text.isprintable():
        return " ".join(text.split())[:longest]
    kept = "".join(" " if character.isspace() else character for character in text if _is_kept(character))
    return " ".join(kept.split())[:longest]


def _is_kept(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}


def read_amount(text: str | None, currency: str | None, column: str) -> int:
    """Minor units of an amount that is not negative. Errors: ``BadEntry``."""
    if not text or not text.strip():
        raise BadEntry("entry_amount_missing", column)
    if currency is None or not is_currency(currency):
        raise BadEntry("entry_currency_unknown", column, currency)
    written = text.strip()
    try:
        if len(written) > 40 or not (set(written) <= set("0123456789.+-")):
            raise BadEntry("entry_amount_bad", column, text)
        minor = to_minor(Decimal(written), currency)
    except (InvalidOperation, InvalidValue):
        raise BadEntry("entry_amount_bad", column, text) from None
    if not 0 <= minor <= _MOST_MINOR:
        raise BadEntry("entry_amount_bad", column, text)
    return minor


def read_day(text: str | None, column: str) -> date | None:
    """The day of a date or of an instant as the bank wrote it, whose zone is the bank's own. Errors: ``BadEntry``."""
    if not text or not text.strip():
        return None
    written = text.strip()
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        raise BadEntry("entry_date_bad", column, text) from None
