"""A ledger file as a table: headings, and the columns that are wanted, with the row each cell came from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from insureflow.connectors.ledgers.cells import Cell, cell_text
from insureflow.connectors.ledgers.detection import Certainty, Finding
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import RowProblem

#: Called now and then with what has been read and how much there is (bytes of a text file, rows of a workbook).
Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]

_LIKE_VALUE = re.compile(r"[-+(]?[€$£]?\s*\d[\d.,'\s/:-]*\)?\Z")
_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class RawTable:
    """The wanted columns of a file by position, the row of each line, and the rows that could not be taken apart."""

    rows: list[int]
    columns: dict[int, list[Cell]]
    problems: list[RowProblem] = field(default_factory=list)
    rows_read: int = 0


class LedgerTable(Protocol):
    """A file opened as a table."""

    @property
    def headers(self) -> tuple[str, ...]:
        """The headings, as they stand in the file."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found out about the file's form."""

    @property
    def sheets(self) -> tuple[str, ...]:
        """Names of the sheets of a workbook."""

    @property
    def sample(self) -> list[list[Cell]]:
        """The first rows below the headings."""

    def read(self, wanted: frozenset[int], progress: Progress | None, cancelled: Cancelled | None) -> RawTable:
        """The wanted columns of all rows."""


def heading_key(text: str) -> str:
    """A heading as it is compared: letter case, spaces around and repeated spaces do not count."""
    return _SPACES.sub(" ", text).strip().casefold()


def _is_label(cell: Cell) -> bool:
    if isinstance(cell, Decimal | date) or not isinstance(cell, str):
        return False
    text = cell.strip()
    return bool(text) and not _LIKE_VALUE.match(text)


def find_header(rows: Sequence[Sequence[Cell]], known: frozenset[str], stated: int | None) -> tuple[int, Finding]:
    """Position of the row with the headings among the first rows, and why it is taken for that.

    ``known``: headings (as compared) that the profile asks for. Refusals: ``header_not_found``, ``header_only`` is left to the
    reader, since rows may follow the sample.
    """
    if stated is not None:
        if stated > len(rows) or not any(_is_label(cell) for cell in rows[stated - 1]):
            raise Refusal("header_not_found", row=stated)
        return stated - 1, Finding("header_row", str(stated), Certainty.STATED, "stated_by_profile")
    if known:
        best, most = -1, 0
        for position, row in enumerate(rows[:50]):
            found = len(known & {heading_key(cell) for cell in row if isinstance(cell, str)})
            if found > most:
                best, most = position, found
        if most >= min(2, len(known)):
            parameters = {"known_headings": most}
            return best, Finding("header_row", str(best + 1), Certainty.CERTAIN, "headings_of_profile", None, parameters)
    widths = Counter(sum(1 for cell in row if cell != "") for row in rows if any(cell != "" for cell in row))
    if not widths:
        raise Refusal("header_not_found", row=1)
    usual = max(width for width, times in widths.items() if times == max(widths.values()))
    for position, row in enumerate(rows[:50]):
        labels = [heading_key(cell) for cell in row if isinstance(cell, str) and _is_label(cell)]
        filled = sum(1 for cell in row if cell != "")
        if len(labels) >= max(2, 0.6 * usual) and len(labels) >= 0.8 * filled:
            below = rows[position + 1 : position + 21]
            looks_apart = any(not _is_label(cell) for line in below for cell in line if cell != "")
            certainty = Certainty.LIKELY if looks_apart else Certainty.UNSURE
            return position, Finding("header_row", str(position + 1), certainty, "first_row_of_labels")
    raise Refusal("header_not_found", row=1)


def repeated_headings(headers: Sequence[str]) -> list[Finding]:
    """A finding for every heading that occurs more than once."""
    times = Counter(heading_key(name) for name in headers if name.strip())
    return [
        Finding("repeated_heading", name, Certainty.CERTAIN, "heading_repeated", None, {"times": count})
        for name, count in times.items()
        if count > 1
    ]


def shown(cell: Cell | None) -> str | None:
    """A cell as a person may see it in a report: bytes that are no text are made visible, and it is cut to a bearable length."""
    if cell is None:
        return None
    text = cell_text(cell)
    text = "".join(f"\\x{ord(each) - 0xDC00:02x}" if "\udc80" <= each <= "\udcff" else "\u2400" if each == "\0" else each for each in text)
    return text if len(text) <= 200 else text[:199] + "…"
