"""Delimited text (CSV and its relatives): its form is found from a bounded sample, its rows are read as a stream."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A record whose quoting is broken."""

    code: str


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
        chunk: list[list[str]] = []
        numbers: list[int] = []
        wrapper = _open_text(self.file, self.encoding)
        records = _records(csv.reader(wrapper, delimiter=self.delimiter, quotechar=self.quote, strict=True))
        for _ in range(self.skipped):
            next(records, None)
        for record in records:
            row += 1
            if isinstance(record, _Unreadable):
                table.rows_read += 1
                table.problems.append(RowProblem(row, None, None, record.code))
            elif len(record) == width:
                chunk.append(record)
                numbers.append(row)
            elif any(cell and not cell.isspace() for cell in record):
                self._take_odd(record, row, width, table, chunk, numbers)
            if len(chunk) >= _CHUNK:
                self._store(chunk, numbers, table, known)
                self.limits.check_rows(table.rows_read)
                check_cancelled(cancelled)
                if progress is not None:
                    progress(min(self.file.stream.tell(), self.file.size), self.file.size)
        self._store(chunk, numbers, table, known)
        self.limits.check_rows(table.rows_read)
        if progress is not None:
            progress(self.file.size, self.file.size)
        return table

    @staticmethod
    def _take_odd(record: list[str], row: int, width: int, table: RawTable, chunk: list[list[str]], numbers: list[int]) -> None:
        """A row of another width: empty cells too many at its end are harmless, anything else is a problem."""
        if len(record) > width and not any(cell.strip() for cell in record[width:]):
            chunk.append(record[:width])
            numbers.append(row)
            return
        table.rows_read += 1
        code = "too_many_cells" if len(record) > width else "too_few_cells"
        value = record[width] if len(record) > width else record[-1]
        table.problems.append(RowProblem(row, None, shown(value), code, {"expected": width, "found": len(record)}))

    @staticmethod
    def _store(chunk: list[list[str]], numbers: list[int], table: RawTable, known: dict[str, str]) -> None:
        if not chunk:
            return
        positions = list(table.columns)
        blank = [place for place, record in enumerate(chunk) if not any(record)]
        for place in reversed(blank):
            del chunk[place], numbers[place]
        by_column = list(zip(*chunk, strict=True))
        if by_column:
            for position in positions:
                cells = by_column[position]
                table.columns[position].extend(map(known.setdefault, cells, cells))
        table.rows.extend(numbers)
        table.rows_read += len(numbers)
        chunk.clear()
        numbers.clear()


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


def _records(reader: Iterator[list[str]]) -> Iterator[list[str] | _Unreadable]:
    """Records of a file; one that cannot be taken apart is marked, and reading goes on with the next."""
    while True:
        try:
            yield from reader
        except csv.Error as problem:
            text = str(problem)
            if "unexpected end of data" in text:
                yield _Unreadable("quote_not_closed")
            elif "field limit" in text:
                yield _Unreadable("cell_too_long")
            else:
                yield _Unreadable("quotes_misplaced")
        else:
            return


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
    rows: list[list[str]] = []
    for record in _records(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=True)):
        rows.append([] if isinstance(record, _Unreadable) else record)
        if len(rows) >= _SAMPLE_ROWS:
            break
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
