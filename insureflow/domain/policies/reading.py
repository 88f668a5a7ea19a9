"""Reading plain data (from YAML, JSON or a form) into values of the trade, with all problems at once.

A ``Reader`` walks one map. Every problem is remembered with its dotted path; what could not be read becomes None, so
reading goes on. ``finish`` reports the fields nobody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from insureflow.domain.countries import is_country
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues
from insureflow.domain.money import to_minor
from insureflow.domain.periods import (
    WEEKDAYS,
    BusinessCalendar,
    EarlierOf,
    EndOfMonth,
    LaterOf,
    PaymentTerms,
    Period,
    PeriodRule,
    PeriodUnit,
    StartingDay,
    TermsStart,
)

Word = TypeVar("Word", bound=StrEnum)
Value = TypeVar("Value")

_UNSIGNED = re.compile(r"[0-9]{1,30}(\.[0-9]{1,20})?")
_SIGNED = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,20})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: A clause with ``earlier_of`` inside ``later_of`` is real; sixteen of them inside each other are an attack.
_DEEPEST = 16

#: Longest length of a period: a hundred years of days. Anything above is a slip of the pen.
LONGEST = 36_525


class Reader:
    """Reads the fields of one map.

    ``currency`` is what amounts are in. Without it an amount is a problem, unless ``currency_required`` is False: then it is
    held at two decimals.
    """

    def __init__(
        self,
        data: object,
        path: str = "",
        problems: list[InvalidValue] | None = None,
        *,
        currency: str | None = None,
        currency_required: bool = True,
    ) -> None:
        self.path = path
        self.problems: list[InvalidValue] = [] if problems is None else problems
        self.currency = currency
        self.currency_required = currency_required
        self._asked: set[object] = set()
        if isinstance(data, Mapping):
            self.data: Mapping[object, object] = data
        else:
            self.data = {}
            self.problems.append(InvalidValue("not_a_map", path, data))

    def at(self, name: object) -> str:
        """The dotted path of a field."""
        return f"{self.path}.{name}" if self.path else str(name)

    def problem(self, code: str, name: object, value: object = None, **parameters: object) -> None:
        """Remember a problem with a field."""
        self.problems.append(InvalidValue(code, self.at(name), value, **parameters))

    def has(self, name: str) -> bool:
        """True if the field is written, whatever it holds."""
        return name in self.data

    def finish(self) -> None:
        """Report the fields that were not asked for."""
        for name in self.data:
            if name not in self._asked:
                self.problem("unknown_field", name)

    def raise_problems(self) -> None:
        """Raise ``InvalidValues`` with everything found so far, if anything was."""
        if self.problems:
            raise InvalidValues(tuple(self.problems))

    def allow(self, name: str) -> None:
        """Let a field stand that the caller has read for itself."""
        self._asked.add(name)

    def raw(self, name: str, *, required: bool = False) -> object:
        """The field as it stands; None if it is absent. Null is not a value here and is reported."""
        self._asked.add(name)
        if name not in self.data:
            if required:
                self.problem("required", name)
            return None
        value = self.data[name]
        if value is None:
            self.problem("empty", name)
        return value

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A text that is not empty."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.problem("not_a_text", name, value)
            return None
        return value

    def boolean(self, name: str, default: Value) -> bool | Value:
        """True or false; the default if absent."""
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem("not_true_or_false", name, value)
            return default
        return value

    def whole(self, name: str, *, minimum: int = 0, maximum: int = LONGEST, required: bool = False) -> int | None:
        """A whole number within bounds."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.problem("not_a_whole_number", name, value)
            return None
        if not minimum <= value <= maximum:
            self.problem("out_of_range", name, value, minimum=minimum, maximum=maximum)
            return None
        return value

    def day(self, name: str, *, required: bool = False) -> date | None:
        """A calendar day."""
        value = self.raw(name, required=required)
        return None if value is None else self.entry_day(name, value)

    def entry_day(self, name: object, value: object) -> date | None:
        """A calendar day that stands in a list."""
        day = as_day(value)
        if day is None:
            self.problem("not_a_date", name, value)
        return day

    def choice(self, name: str, words: type[Word], *, among: tuple[Word, ...] | None = None, required: bool = False) -> Word | None:
        """One of a closed list of words, or of some of them."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        allowed = tuple(words) if among is None else among
        for word in allowed:
            if word == value:
                return word
        self.problem("not_a_choice", name, value, choices=", ".join(allowed))
        return None

    def percentage(self, name: str, *, required: bool = False) -> Decimal | None:
        """A percentage from 0 to 100."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        exact = as_decimal(value, _UNSIGNED)
        if exact is None:
            self.problem("not_a_percentage", name, value)
        elif not 0 <= exact <= 100:
            self.problem("out_of_range", name, value, minimum=0, maximum=100)
        else:
            return exact
        return None

    def number(self, name: str, *, minimum: int | None = 0, required: bool = False) -> Decimal | None:
        """A plain number, by default not negative."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        exact = as_decimal(value, _SIGNED)
        if exact is None:
            self.problem("not_a_number", name, value)
        elif minimum is not None and exact < minimum:
            self.problem("out_of_range", name, value, minimum=minimum, maximum=None)
        else:
            return exact
        return None

    def amount(self, name: str, currency: str | None = None, *, required: bool = False) -> int | None:
        """An amount as minor units of the currency given, or of the reader's; not negative."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        exact = as_decimal(value, _UNSIGNED)
        if exact is None or exact < 0:
            self.problem("not_an_amount", name, value)
            return None
        unit = currency or self.currency
        if unit is None:
            if self.currency_required:
                self.problem("currency_required", name, value)
                return None
            unit = "EUR"  # two decimals, as for most currencies: the amount is kept, nothing is worked out with it
        try:
            return to_minor(exact, unit, path=self.at(name))
        except InvalidValue as problem:
            self.problems.append(problem)
            return None

    def country(self, name: str, *, required: bool = False) -> str | None:
        """A country code."""
        value = self.raw(name, required=required)
        if value is None or is_country(value):
            return value if isinstance(value, str) else None
        self.problem("not_a_country", name, value)
        return None

    def money_code(self, name: str, *, required: bool = False) -> str | None:
        """A currency code."""
        value = self.raw(name, required=required)
        if value is None or is_currency(value):
            return value if isinstance(value, str) else None
        self.problem("not_a_currency", name, value)
        return None

    def child(self, name: str, *, required: bool = False) -> Reader | None:
        """The reader of a map inside this one; None if it is absent or no map."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.problem("not_a_map", name, value)
            return None
        return self._reader(value, name)

    def only_whole(self, name: str, unit: str, *, required: bool = False) -> int | None:
        """The length in a clause that has nothing but one: ``{days: n}`` or ``{months: n}``."""
        inner = self.child(name, required=required)
        if inner is None:
            return None
        length = inner.whole(unit, required=True)
        inner.finish()
        return length

    def only_amount(self, name: str) -> int | None:
        """The amount in a clause that has nothing else."""
        inner = self.child(name)
        if inner is None:
            return None
        amount = inner.amount("amount", required=True)
        inner.finish()
        return amount

    def _reader(self, value: object, name: object) -> Reader:
        return Reader(value, self.at(name), self.problems, currency=self.currency, currency_required=self.currency_required)

    def items(self, name: str, *, required: bool = False, minimum: int = 0) -> list[object]:
        """The entries of a list; empty if it is absent."""
        value = self.raw(name, required=required)
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            self.problem("not_a_list", name, value)
            return []
        if len(value) < minimum:
            self.problem("too_few", name, None, minimum=minimum)
        return list(value)

    def children(self, name: str, *, required: bool = False, minimum: int = 0) -> list[Reader]:
        """The readers of a list of maps."""
        entries = self.items(name, required=required, minimum=minimum)
        return [self._reader(entry, f"{name}[{position}]") for position, entry in enumerate(entries)]

    def countries(self, name: str) -> frozenset[str] | None:
        """A list of country codes; None if it is absent."""
        if not self.has(name):
            return None
        found = set()
        for position, entry in enumerate(self.items(name)):
            if isinstance(entry, str) and is_country(entry):
                found.add(entry)
            else:
                self.problem("not_a_country", f"{name}[{position}]", entry)
        return frozenset(found)

    def by_word(self, name: str, words: type[Word], read: Callable[[Reader, str], Value | None]) -> Mapping[Word, Value]:
        """A map whose keys are words of a closed list, in the order of that list."""
        inner = self.child(name)
        if inner is None:
            return MappingProxyType({})
        values: dict[Word, Value] = {}
        for word in words:
            if inner.has(word):
                value = read(inner, word)
                if value is not None:
                    values[word] = value
        inner.finish()
        return MappingProxyType(values)

    def by_country(self, name: str, read: Callable[[Reader, str], Value | None]) -> Mapping[str, Value]:
        """A map whose keys are country codes, in their alphabetical order."""
        inner = self.child(name)
        if inner is None:
            return MappingProxyType({})
        values: dict[str, Value] = {}
        for code in sorted(key for key in inner.data if isinstance(key, str) and is_country(key)):
            value = read(inner, code)
            if value is not None:
                values[code] = value
        for key in inner.data:
            if not is_country(key):
                inner.problem("not_a_country", key, key)
        return MappingProxyType(values)

    def rule(self, name: str) -> PeriodRule | None:
        """A period with its starting day, or the earlier or later of several."""
        inner = self.child(name)
        return None if inner is None else read_rule(inner)

    def terms(self, name: str) -> PaymentTerms | None:
        """The payment terms of an invoice."""
        inner = self.child(name)
        if inner is None:
            return None
        days = inner.whole("days", required=True)
        start = inner.choice("from", TermsStart) or TermsStart.INVOICE_DATE
        end_of_month = inner.choice("end_of_month", EndOfMonth)
        inner.finish()
        if days is None:
            return None
        try:
            return PaymentTerms(days, start, end_of_month)
        except InvalidValue as problem:
            inner.problem(problem.code, "days", days)
            return None


def as_decimal(value: object, pattern: re.Pattern[str]) -> Decimal | None:
    """An integer, a ``Decimal`` or a decimal text as a number; None for anything else, floats included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, str) and pattern.fullmatch(value):
        return Decimal(value)
    return None


def as_day(value: object) -> date | None:
    """A date or a text ``YYYY-MM-DD`` as a day; None for anything else."""
    if isinstance(value, date):
        return None if isinstance(value, datetime) else value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def read_length(reader: Reader, units: tuple[PeriodUnit, ...], *, required: bool = True) -> tuple[PeriodUnit, int] | None:
    """The one length that stands in a clause: days, months or business days."""
    written = [unit for unit in units if reader.has(unit)]
    lengths = [(unit, reader.whole(unit)) for unit in written]
    if len(written) != 1:
        if written or required:
            reader.problems.append(InvalidValue("exactly_one_of", reader.path, None, choices=", ".join(units)))
        return None
    unit, length = lengths[0]
    return None if length is None else (unit, length)


ALL_UNITS: tuple[PeriodUnit, ...] = tuple(PeriodUnit)


def read_rule(reader: Reader, depth: int = 0) -> PeriodRule | None:
    """A period rule from its map."""
    for name, rule in (("earlier_of", EarlierOf), ("later_of", LaterOf)):
        if reader.has(name):
            if depth >= _DEEPEST:
                reader.raw(name)
                reader.problem("nested_too_deeply", name)
                return None
            inner = [read_rule(child, depth + 1) for child in reader.children(name, minimum=1)]
            reader.finish()
            alternatives = tuple(alternative for alternative in inner if alternative is not None)
            return rule(alternatives) if inner and len(alternatives) == len(inner) else None
    length = read_length(reader, ALL_UNITS)
    start = reader.choice("from", StartingDay, required=True)
    reader.finish()
    return Period(length[0], length[1], start) if length and start else None


def read_calendars(reader: Reader, name: str = "calendars") -> dict[str, BusinessCalendar]:
    """The business calendars of a worked example by their names."""
    inner = reader.child(name)
    if inner is None:
        return {}
    calendars: dict[str, BusinessCalendar] = {}
    for key in inner.data:
        if not isinstance(key, str):
            inner.problem("not_a_text", key, key)
            continue
        child = inner.child(key)
        if child is None:
            continue
        weekend = _weekend(child)
        holidays = [child.entry_day(f"holidays[{position}]", entry) for position, entry in enumerate(child.items("holidays"))]
        child.finish()
        try:
            calendars[key] = BusinessCalendar(weekend, frozenset(day for day in holidays if day is not None))
        except InvalidValue as problem:
            child.problem(problem.code, "weekend")
    return calendars


def _weekend(reader: Reader) -> frozenset[int]:
    if not reader.has("weekend"):
        return BusinessCalendar().weekend
    days = set()
    for position, entry in enumerate(reader.items("weekend")):
        if entry in WEEKDAYS:
            days.add(WEEKDAYS.index(str(entry)))
        else:
            reader.problem("not_a_choice", f"weekend[{position}]", entry, choices=", ".join(WEEKDAYS))
    return frozenset(days)
