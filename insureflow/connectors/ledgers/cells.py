"""Cells of a ledger file and the conversion of whole columns: every distinct cell is understood once, however often it occurs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class NoValue(Enum):
    """A cell whose value the file does not hold."""

    FORMULA = "formula_without_value"


MAXIMUM_TEXT_LENGTH = 500

#: Text from any file; numbers and dates only from workbooks, which store them as such.
Cell = str | Decimal | date | NoValue


class CellProblem(Exception):
    """A cell that cannot be understood: a code and the parameters of a sentence about it."""

    def __init__(self, code: str, **parameters: object) -> None:
        self.code = code
        self.parameters = parameters
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class BadCell:
    """A problem at a position of a column."""

    position: int
    cell: Cell | None
    code: str
    parameters: dict[str, object]


class _Bad:
    """Stands in a converted column where the cell could not be understood."""


BAD: Any = _Bad()


class _Memo(dict[Hashable, Any], Generic[T]):
    """Remembers what each distinct cell means."""

    def __init__(self, convert: Callable[[Any], T]) -> None:
        super().__init__()
        self.convert = convert
        self.problems: dict[Hashable, CellProblem] = {}

    def __missing__(self, cell: Hashable) -> Any:
        try:
            value: Any = self.convert(cell)
        except CellProblem as problem:
            self.problems[cell] = problem
            value = BAD
        self[cell] = value
        return value


def convert_column(cells: Sequence[Cell], convert: Callable[[Any], T]) -> tuple[list[T], list[BadCell]]:
    """Values of a column and its bad cells; ``BAD`` stands where a cell could not be understood."""
    memo: _Memo[T] = _Memo(convert)
    values = list(map(memo.__getitem__, cells))
    return values, _bad_cells(cells, memo)


def convert_pairs(keys: Sequence[Hashable], cells: Sequence[Cell], convert: Callable[[Any, Any], T]) -> tuple[list[T], list[BadCell]]:
    """As ``convert_column`` where the meaning of a cell depends on a key beside it (an amount on its currency)."""
    distinct = set(keys)
    if len(distinct) == 1:
        only = distinct.pop()
        return convert_column(cells, lambda cell: convert(only, cell))
    memos: dict[Hashable, _Memo[T]] = {key: _Memo(_with_key(convert, key)) for key in distinct}
    values = [memos[key][cell] for key, cell in zip(keys, cells, strict=True)]
    bad: list[BadCell] = []
    if any(memo.problems for memo in memos.values()):
        for position, (key, cell) in enumerate(zip(keys, cells, strict=True)):
            problem = memos[key].problems.get(cell)
            if problem is not None:
                bad.append(BadCell(position, cell, problem.code, problem.parameters))
    return values, bad


def _with_key(convert: Callable[[Any, Any], T], key: Hashable) -> Callable[[Any], T]:
    return lambda cell: convert(key, cell)


def _bad_cells(cells: Iterable[Cell], memo: _Memo[T]) -> list[BadCell]:
    if not memo.problems:
        return []
    problems = memo.problems
    return [
        BadCell(position, cell, problems[cell].code, problems[cell].parameters) for position, cell in enumerate(cells) if cell in problems
    ]


def plain_number(number: Decimal) -> str:
    """A number as a person writes it: no exponent, no zeros at the end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell_text(cell: Cell) -> str:
    """A cell as text, for showing and for text columns: dates in ISO form, 1930571429.0 as 1930571429."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Decimal):
        return plain_number(cell)
    if isinstance(cell, NoValue):
        return ""
    return cell.isoformat()


def convert_text(cell: Any) -> str | None:
    """The text of a cell without spaces around it; None for an empty cell.

    Problems: ``formula_without_value``, ``nul_byte``, ``not_in_encoding``, ``control_character``, ``too_long``.
    """
    if cell is NoValue.FORMULA:
        raise CellProblem("formula_without_value")
    text = cell_text(cell).strip()
    if text.isprintable() and len(text) <= MAXIMUM_TEXT_LENGTH and "\ufffd" not in text:
        return text or None
    for place, character in enumerate(text, start=1):
        if character == "\0":
            raise CellProblem("nul_byte", place=place)
        if "\udc80" <= character <= "\udcff":
            raise CellProblem("not_in_encoding", byte=f"0x{ord(character) - 0xDC00:02X}", place=place)
        if character == "\ufffd":
            raise CellProblem("not_in_encoding", byte="?", place=place)
    text = " ".join(text.split())
    for place, character in enumerate(text, start=1):
        if ord(character) < 32 or 0x7F <= ord(character) < 0xA0:
            raise CellProblem("control_character", character=f"U+{ord(character):04X}", place=place)
    if len(text) > MAXIMUM_TEXT_LENGTH:
        raise CellProblem("too_long", length=len(text), maximum=MAXIMUM_TEXT_LENGTH)
    return text


def convert_clean_texts(cells: Sequence[Cell]) -> list[str | None] | None:
    """The texts of a whole column at once, when nothing in it needs a second look; None otherwise (then cell by cell)."""
    try:
        joined = "\n".join(cells)  # type: ignore[arg-type]  # a cell that is no text raises, which is the point
    except TypeError:
        return None
    if joined.count("\n") != len(cells) - 1 or "\ufffd" in joined or not joined.replace("\n", "").isprintable():
        return None
    if " \n" in joined or "\n " in joined or joined[:1] == " " or joined[-1:] == " ":
        return None
    if max(map(len, cells)) > MAXIMUM_TEXT_LENGTH:  # type: ignore[arg-type]  # all are texts, as joining them has shown
        return None
    if joined[:1] == "\n" or joined[-1:] == "\n" or "\n\n" in joined or len(cells) == 1:
        return [cell or None for cell in cells]  # type: ignore[misc]  # all are texts
    return list(cells)  # type: ignore[arg-type]  # all are texts
