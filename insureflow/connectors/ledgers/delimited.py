"""Delimited text (CSV and its relatives): its form is found from a bounded sample, its rows are read as a stream."""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import IO, Any

from insureflow.connectors.ledgers.cells import Cell
from insureflow.connectors.ledgers.detection import Certainty, Finding
from insureflow.connectors.ledgers.encoding import Encoding, detect_encoding
from insureflow.connectors.ledgers.profile import FormatHints
from insureflow.connectors.ledgers.source import FileLimits, OpenFile, check_cancelled
from insureflow.connectors.ledgers.tables import Cancelled, Progress, RawTable, find_header, repeated_headings, shown
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import RowProblem

_SAMPLE_CHARACTERS = 256 * 1024
_SAMPLE_ROWS = 300
_DELIMITERS = ",;\t|"
_CHUNK = 5_000
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(slots=True)
class DelimitedTable:
    """A delimited text file whose form is known."""

    file: OpenFile
    limits: FileLimits
    encoding: Encoding
    delimiter: str
    quote: str
    skipped: int
    headers: tuple[str, ...]
    findings: tuple[Finding, ...]
    sample: list[list[Cell]]
    sheets: tuple[str, ...] = ()

    def read(self, wanted: frozenset[int], progress: Progress | None, cancelled: Cancelled | None) -> RawTable:
        """The wanted columns of all rows; rows with a wrong number of cells or broken quotes become problems."""
        width = len(self.headers)
        table = RawTable([], {position: [] for position in sorted(wanted)})
        known: dict[str, str] = {}
        row = self.skipped
        records = csv.reader(_open_text(self.file, self.encoding), delimiter=self.delimiter, quotechar=self.quote, strict=True)
        for _ in range(self.skipped):
            with contextlib.suppress(csv.Error):
                next(records, None)
        at_end = False
        while not at_end:
            chunk: list[list[str]] = []
            broken: str | None = None
            try:
                chunk.extend(islice(records, _CHUNK))  # what came before a broken record stays in the chunk
            except csv.Error as problem:
                broken = _reason(problem)
            at_end = broken is None and len(chunk) < _CHUNK
            self._store(chunk, row + 1, width, table, known)
            row += len(chunk)
            if broken is not None:
                row += 1
                table.rows_read += 1
                table.problems.append(RowProblem(row, None, None, broken))
            self.limits.check_rows(table.rows_read)
            check_cancelled(cancelled)
            if progress is not None:
                progress(min(self.file.stream.tell(), self.file.size), self.file.size)
        return table

    def _store(self, chunk: list[list[str]], first_row: int, width: int, table: RawTable, known: dict[str, str]) -> None:
        """Adds the wanted cells of a chunk of records to the table."""
        numbers: Sequence[int] = range(first_row, first_row + len(chunk))
        if set(map(len, chunk)) - {width} or not all(map(any, chunk)):
            chunk, numbers = self._sort_out(chunk, numbers, width, table)
        if not chunk:
            return
        by_column = list(zip(*chunk, strict=True))
        for position, column in table.columns.items():
            cells = by_column[position]
            if len(set(cells)) * 4 < len(cells):
                column.extend(map(known.setdefault, cells, cells))
            else:
                column.extend(cells)
        table.rows.extend(numbers)
        table.rows_read += len(numbers)

    @staticmethod
    def _sort_out(chunk: list[list[str]], numbers: Sequence[int], width: int, table: RawTable) -> tuple[list[list[str]], list[int]]:
        """The records of the right width. Empty ones are dropped, empty cells too many are cut off, anything else is a problem."""
        kept: list[list[str]] = []
        kept_numbers: list[int] = []
        for row, record in zip(numbers, chunk, strict=True):
            if not any(cell and not cell.isspace() for cell in record) or (len(record) == 1 and record[0] == "\x1a"):
                continue
            if len(record) == width or (len(record) > width and not any(cell.strip() for cell in record[width:])):
                kept.append(record[:width])
                kept_numbers.append(row)
                continue
            table.rows_read += 1
            code = "too_many_cells" if len(record) > width else "too_few_cells"
            value = record[width] if len(record) > width else record[-1]
            parameters = MappingProxyType({"expected": width, "found": len(record)})
            table.problems.append(RowProblem(row, None, shown(value), code, parameters))
        return kept, kept_numbers


def _reason(problem: csv.Error) -> str:
    """Why a record could not be taken apart."""
    text = str(problem)
    if "unexpected end of data" in text:
        return "quote_not_closed"
    return "cell_too_long" if "field limit" in text else "quotes_misplaced"


class _Borrowed(io.RawIOBase):
    """A stream that is lent to a text reader and stays open when the reader goes."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _open_text(file: OpenFile, encoding: Encoding) -> io.TextIOWrapper:
    file.stream.seek(0)
    buffered = io.BufferedReader(_Borrowed(file.stream), 256 * 1024)
    return io.TextIOWrapper(buffered, encoding.name, encoding.errors, newline="")


def _sample_text(file: OpenFile, encoding: Encoding) -> tuple[str, bool]:
    """The beginning of the file as text, cut after a whole line, and whether that is all of it."""
    wrapper = _open_text(file, encoding)
    text = wrapper.read(_SAMPLE_CHARACTERS)
    whole = not wrapper.read(1)
    if not whole:
        cut = max(text.rfind("\n"), text.rfind("\r"))
        text = text[: cut + 1] if cut >= 0 else text
    return text, whole


def _rows(text: str, delimiter: str, quote: str) -> list[list[str]]:
    """The first records of the sample; one that cannot be taken apart counts as empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=True)
    rows: list[list[str]] = []
    while len(rows) < _SAMPLE_ROWS:
        try:
            record = next(reader)
        except csv.Error:
            record = []
        except StopIteration:
            break
        rows.append(record)
    return rows


def _detect_delimiter(text: str, quote: str) -> tuple[str, Finding]:
    """The delimiter that cuts most rows of the sample into the same number of cells, the first rows among them."""
    scores: list[tuple[float, int, str]] = []
    for delimiter in _DELIMITERS:
        rows = [row for row in _rows(text, delimiter, quote) if any(cell.strip() for cell in row)]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda entry: (entry[1], entry[0]))
        header_width = next((len(row) for row in rows if len(row) > 1), 0)
        scores.append((times / len(rows) + (0.5 if header_width == width else 0.0), width, delimiter))
    if not scores:
        raise Refusal("delimiter_not_found", candidates="comma, semicolon, tab, bar")
    scores.sort(reverse=True)
    best = scores[0]
    close = [each for each in scores[1:] if best[0] - each[0] < 0.1]
    certainty = Certainty.UNSURE if close and close[0][1] >= best[1] else Certainty.CERTAIN if best[0] > 1.45 else Certainty.LIKELY
    share = round(100 * min(1.0, best[0]))
    parameters: dict[str, object] = {"columns": best[1], "percent_of_rows": share}
    return best[2], Finding("delimiter", _NAMES[best[2]], certainty, "same_number_of_cells", None, parameters)


def _detect_quote(text: str) -> str:
    return '"' if '"' in text or text.count("'") < 4 or not any(mark in text for mark in (";'", ",'", "\t'", "|'")) else "'"


def open_delimited(file: OpenFile, hints: FormatHints, known: frozenset[str], limits: FileLimits) -> DelimitedTable:
    """A text file as a table. ``known``: headings the profile asks for.

    Refusals: ``unknown_encoding``, ``file_type_not_supported``, ``delimiter_not_found``, ``header_not_found``, ``too_many_columns``.
    """
    encoding = detect_encoding(file, hints.encoding)
    try:
        text, _ = _sample_text(file, encoding)
    except UnicodeError:
        raise Refusal("file_damaged", encoding=encoding.name) from None
    if not text.strip("\ufeff \t\r\n\x1a"):
        raise Refusal("file_empty")
    findings = [*file.findings, encoding.finding]
    quote = hints.quote or _detect_quote(text)
    announced = _announced_delimiter(text)
    if hints.delimiter is not None:
        delimiter = hints.delimiter
        findings.append(Finding("delimiter", _NAMES.get(delimiter, delimiter), Certainty.STATED, "stated_by_profile"))
    elif announced is not None:
        delimiter = announced
        findings.append(Finding("delimiter", _NAMES.get(delimiter, delimiter), Certainty.CERTAIN, "announced_in_file"))
    else:
        delimiter, finding = _detect_delimiter(text, quote)
        findings.append(finding)
    findings.append(Finding("quote", quote, Certainty.LIKELY, "seen_in_sample"))
    rows = _rows(text, delimiter, quote)
    position, finding = find_header(rows, known, hints.header_row)
    headers = _trimmed([cell.strip().strip("\ufeff") for cell in rows[position]])
    if len(headers) > limits.columns:
        raise Refusal("too_many_columns", columns=len(headers), limit=limits.columns)
    findings += [finding, *repeated_headings(headers)]
    below: list[list[Cell]] = [list(row) for row in rows[position + 1 :] if any(cell.strip() for cell in row)]
    return DelimitedTable(file, limits, encoding, delimiter, quote, position + 1, tuple(headers), tuple(findings), below)


def _announced_delimiter(text: str) -> str | None:
    """The delimiter in a first line ``sep=;``, as spreadsheets write and read it."""
    first = text.lstrip("\ufeff").split("\n", 1)[0].strip("\r\n\"'")
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else None


def _trimmed(headers: list[str]) -> list[str]:
    """Headings without the empty ones at the end, which only say that every line ends with a delimiter."""
    while headers and not headers[-1]:
        headers.pop()
    return headers
