"""Expected against calculated: only what is written is compared, numbers as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

#: Maps and lists compared whole: a key that is not expected is a difference too.
COMPARED_WHOLE: frozenset[str] = frozenset({"reasons", "uncovered", "flags"})

#: Names given by people, which may look like numbers but are none.
_NAMES: frozenset[str] = frozenset({"oldest_invoice"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A place in ``expect`` where the calculation gives something else."""

    path: str
    expected: object
    calculated: object


def plain_dates(value: object) -> object:
    """The same data with every bare date turned into its ``YYYY-MM-DD`` text, in keys and values."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {plain_dates(key): plain_dates(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain_dates(entry) for entry in value]
    return value


def find_differences(expected: object, calculated: object, path: str = "") -> tuple[Difference, ...]:
    """Every difference with its path. What is not written in ``expected`` is not compared."""
    return tuple(_differences(plain_dates(expected), plain_dates(calculated), path, ""))


def _differences(expected: object, calculated: object, path: str, name: str) -> Iterator[Difference]:
    if isinstance(expected, Mapping) and isinstance(calculated, Mapping):
        for key, entry in expected.items():
            yield from _differences(entry, calculated.get(key), f"{path}.{key}" if path else str(key), str(key))
        if name in COMPARED_WHOLE:
            for key, entry in calculated.items():
                if key not in expected:
                    yield Difference(f"{path}.{key}", None, entry)
    elif isinstance(expected, list) and isinstance(calculated, list):
        if len(expected) != len(calculated):
            yield Difference(path, expected, calculated)
            return
        for position, (left, right) in enumerate(zip(expected, calculated, strict=True)):
            yield from _differences(left, right, f"{path}[{position}]", "")
    elif not _are_equal(expected, calculated, name):
        yield Difference(path, expected, calculated)


def _are_equal(expected: object, calculated: object, name: str) -> bool:
    if isinstance(expected, bool) or isinstance(calculated, bool):
        return expected is calculated
    if name not in _NAMES:
        left, right = _as_number(expected), _as_number(calculated)
        if left is not None and right is not None:
            return left == right
    return expected == calculated


def _as_number(value: object) -> Decimal | None:
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return None
    return None
