"""Workbooks (XLSX, XLS, ODS): cells come typed, so numbers and dates need no guessing; formulas count with their stored values."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from insureflow.connectors.ledgers.cells import Cell, NoValue
from insureflow.connectors.ledgers.detection import Certainty, FileType, Finding
from insureflow.connectors.ledgers.profile import FormatHints
from insureflow.connectors.ledgers.source import FileLimits, OpenFile, check_cancelled, check_members, open_archive, unpack
from insureflow.connectors.ledgers.tables import Cancelled, Progress, RawTable, find_header, repeated_headings
from insureflow.domain.errors import Refusal

_CHUNK = 5_000
_SAMPLE_ROWS = 300
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Z]{0,3})(\d{1,7})["']""")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_CELL_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_CACHED = re.compile(rb"<(?:\w+:)?(?:v|is)\b[^>/]*>\s*[^<\s]|<(?:\w+:)?is\b")
_TYPE_TEXT = re.compile(rb"""\bt\s*=\s*["']str["']""")
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"


@dataclass(slots=True)
class WorkbookTable:
    """One sheet of a workbook."""

    limits: FileLimits
    headers: tuple[str, ...]
    findings: tuple[Finding, ...]
    sheets: tuple[str, ...]
    sample: list[list[Cell]]
    _rows: list[list[Any]]
    _first_row: int
    _first_column: int
    _without_value: frozenset[tuple[int, int]]

    def read(self, wanted: frozenset[int], progress: Progress | None, cancelled: Cancelled | None) -> RawTable:
        """The wanted columns of all rows that hold anything."""
        table = RawTable([], {position: [] for position in sorted(wanted)})
        total = len(self._rows)
        row = self._first_row
        for start in range(0, total, _CHUNK):
            check_cancelled(cancelled)
            chunk = [_padded(record, len(self.headers)) for record in self._rows[start : start + _CHUNK]]
            filled = [place for place, record in enumerate(chunk) if any(cell not in ("", None) for cell in record)]
            table.rows.extend(row + place for place in filled)
            table.rows_read += len(filled)
            self.limits.check_rows(table.rows_read)
            for position, cells in table.columns.items():
                cells.extend([to_cell(chunk[place][position]) for place in filled])
            row += len(chunk)
            if progress is not None:
                progress(min(start + _CHUNK, total), total)
        if self._without_value:
            self._mark(table)
        return table

    def _mark(self, table: RawTable) -> None:
        """Formulas without a stored value become cells of their own kind, so that they are reported and not taken for empty."""
        places = {row: place for place, row in enumerate(table.rows)}
        for row, column in self._without_value:
            position = column - self._first_column
            if row in places and position in table.columns:
                table.columns[position][places[row]] = NoValue.FORMULA


def _padded(record: list[Any], width: int) -> list[Any]:
    return record if len(record) >= width else [*record, *[""] * (width - len(record))]


def to_cell(value: Any) -> Cell:
    """A workbook's cell as exact value: numbers to the fifteen digits that a workbook keeps, so 8734.71 is 8734.71."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return Decimal(format(value, ".15g"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, time | timedelta):
        return str(value)
    return ""


def open_workbook(
    file: OpenFile, hints: FormatHints, known: frozenset[str], limits: FileLimits, cancelled: Cancelled | None
) -> WorkbookTable:
    """A sheet of a workbook as a table. ``known``: headings the profile asks for; they choose the sheet when none is named.

    Refusals: ``file_damaged``, ``file_encrypted``, ``sheet_not_found``, ``sheet_too_large``, ``header_not_found``,
    ``file_empty``, those of ``open_archive``.
    """
    if file.file_type in {FileType.XLSX, FileType.ODS}:
        with open_archive(file.stream, limits) as archive:
            check_members(archive, limits, cancelled)
            if file.file_type is FileType.XLSX:
                _check_sheets(archive, limits, cancelled)
            else:
                _check_ods(archive, limits)
    file.stream.seek(0)
    try:
        with CalamineWorkbook.from_filelike(file.stream) as workbook:
            sheets = tuple(workbook.sheet_names)
            visible = [each.name for each in workbook.sheets_metadata if each.visible is SheetVisibleEnum.Visible] or list(sheets)
            name, rows, first, finding = _choose(workbook, sheets, visible, hints, known, limits)
    except PasswordError:
        raise Refusal("file_encrypted") from None
    except (CalamineError, OSError, ValueError):
        raise Refusal("file_damaged") from None
    except BaseException as problem:
        # The workbook library is not written in Python: where it gives up on a file it raises a class of its own, beside Exception.
        if type(problem).__name__ == "PanicException":
            raise Refusal("file_damaged") from None
        raise
    sample: list[list[Cell]] = [[to_cell(cell) for cell in row] for row in rows[:_SAMPLE_ROWS]]
    first_row, first_column = first
    stated = hints.header_row - first_row if hints.header_row is not None else None
    position, header_finding = find_header(sample, known, stated)
    headers = [str(cell).strip() if isinstance(cell, str | Decimal) else str(cell) for cell in sample[position]]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > limits.columns:
        raise Refusal("too_many_columns", columns=len(headers), limit=limits.columns)
    header_row = first_row + position + 1
    header_finding = Finding(
        "header_row", str(header_row), header_finding.certainty, header_finding.reason, None, header_finding.parameters
    )
    without_value: frozenset[tuple[int, int]] = frozenset()
    if file.file_type is FileType.XLSX:
        with open_archive(file.stream, limits) as archive:
            without_value = _formulas_without_value(archive, name, limits)
    findings = [*file.findings, finding, header_finding, *repeated_headings(headers)]
    if without_value:
        row, column = min(without_value)
        parameters: dict[str, object] = {"cells": len(without_value), "first": f"{_letters(column)}{row}"}
        findings.append(Finding("formulas", "without_value", Certainty.CERTAIN, "formulas_never_calculated", None, parameters))
    below = [row for row in sample[position + 1 :] if any(cell != "" for cell in row)]
    return WorkbookTable(
        limits, tuple(headers), tuple(findings), sheets, below, rows[position + 1 :], header_row + 1, first_column, without_value
    )


def _choose(
    workbook: CalamineWorkbook,
    sheets: tuple[str, ...],
    visible: list[str],
    hints: FormatHints,
    known: frozenset[str],
    limits: FileLimits,
) -> tuple[str, list[list[Any]], tuple[int, int], Finding]:
    """The sheet to read: the one named, else the first visible one with the profile's headings, else the first with anything."""
    if hints.sheet is not None:
        if hints.sheet not in sheets:
            raise Refusal("sheet_not_found", sheet=hints.sheet, sheets=", ".join(sheets))
        rows, first = _load(workbook, hints.sheet, limits)
        if not rows:
            raise Refusal("file_empty")
        return hints.sheet, rows, first, Finding("sheet", hints.sheet, Certainty.STATED, "stated_by_profile")
    filled: tuple[str, list[list[Any]], tuple[int, int]] | None = None
    for name in visible:
        rows, first = _load(workbook, name, limits)
        if not rows:
            continue
        sample: list[list[Cell]] = [[to_cell(cell) for cell in row] for row in rows[:50]]
        try:
            _, finding = find_header(sample, known, None)
        except Refusal:
            continue
        if finding.reason == "headings_of_profile":
            return name, rows, first, Finding("sheet", name, Certainty.CERTAIN, "headings_of_profile")
        filled = filled or (name, rows, first)
    if filled is None:
        raise (
            Refusal("header_not_found", row=1)
            if any(workbook.get_sheet_by_name(name).height for name in visible)
            else Refusal("file_empty")
        )
    certainty = Certainty.CERTAIN if len(visible) == 1 else Certainty.UNSURE
    return *filled, Finding("sheet", filled[0], certainty, "first_sheet_with_headings")


def _load(workbook: CalamineWorkbook, name: str, limits: FileLimits) -> tuple[list[list[Any]], tuple[int, int]]:
    """A sheet's rows and the place (row, column, from 0) at which they begin."""
    sheet = workbook.get_sheet_by_name(name)
    if sheet.height * sheet.width > limits.cells:
        raise Refusal("sheet_too_large", rows=sheet.height, columns=sheet.width, limit=limits.cells)
    start = sheet.start or (0, 0)
    return sheet.to_python(skip_empty_area=True), start


def _letters(column: int) -> str:
    text = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _sheet_members(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]


def _pieces(archive: zipfile.ZipFile, member: str, limits: FileLimits) -> Iterator[bytes]:
    """A member's XML in pieces that end after a closing mark, so that no tag is cut in two."""
    rest = b""
    for chunk in unpack(archive, member, limits):
        data = rest + chunk
        cut = data.rfind(b"</row>")
        cut = cut + 6 if cut >= 0 else data.rfind(b">") + 1
        rest = data[cut:]
        if cut:
            yield data[:cut]
    if rest:
        yield rest


def _check_sheets(archive: zipfile.ZipFile, limits: FileLimits, cancelled: Cancelled | None) -> None:
    """Refuses a sheet whose few cells lie so far apart that laying it out in full would exhaust the memory."""
    for member in _sheet_members(archive):
        most_rows = most_columns = 0
        for piece in _pieces(archive, member, limits):
            check_cancelled(cancelled)
            if piece.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise Refusal("file_damaged", member=member)
            references = _REFERENCE.findall(piece)
            if references:
                most_rows = max(most_rows, *map(int, {row for _, row in references}))
                most_columns = max(most_columns, *map(_column_number, {letters for letters, _ in references}))
        if most_rows * most_columns > limits.cells:
            raise Refusal("sheet_too_large", rows=most_rows, columns=most_columns, limit=limits.cells)


def _parse(data: bytes) -> Any:
    try:
        return fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise Refusal("xml_with_entities") from None
    except (ParseError, ExpatError, ValueError, LookupError):
        raise Refusal("file_damaged") from None


def _member_of_sheet(archive: zipfile.ZipFile, sheet: str, limits: FileLimits) -> str | None:
    """The archive member that holds a sheet, through the workbook's own list of relations."""
    names = set(archive.namelist())
    if "xl/_rels/workbook.xml.rels" not in names:
        return None
    book = _parse(b"".join(unpack(archive, "xl/workbook.xml", limits)))
    relations = _parse(b"".join(unpack(archive, "xl/_rels/workbook.xml.rels", limits)))
    targets = {entry.get("Id"): entry.get("Target", "") for entry in relations}
    for entry in book.iter():
        if entry.tag.rpartition("}")[2] == "sheet" and entry.get("name") == sheet:
            identifier = next((value for key, value in entry.attrib.items() if key.rpartition("}")[2] == "id"), None)
            target = targets.get(identifier, "")
            member = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
            return member if member in names else None
    return None


def _formulas_without_value(archive: zipfile.ZipFile, sheet: str, limits: FileLimits) -> frozenset[tuple[int, int]]:
    """Places (row from 1, column from 0) of formulas for which the workbook stores no value: it was never calculated."""
    member = _member_of_sheet(archive, sheet, limits)
    if member is None:
        return frozenset()
    places: set[tuple[int, int]] = set()
    for piece in _pieces(archive, member, limits):
        if not _FORMULA.search(piece):
            continue
        for attributes, content in _CELL.findall(piece):
            if not content or not _FORMULA.search(content) or _CACHED.search(content) or _TYPE_TEXT.search(attributes):
                continue
            reference = _CELL_REFERENCE.search(attributes)
            if reference:
                places.add((int(reference[2]), _column_number(reference[1]) - 1))
    return frozenset(places)


def _check_ods(archive: zipfile.ZipFile, limits: FileLimits) -> None:
    """Refuses a sheet that repeats rows or cells until it would exhaust the memory."""
    root = _parse(b"".join(unpack(archive, "content.xml", limits)))
    for table in root.iter(f"{_TABLE}table"):
        rows = columns = pending = 0
        for row in table.iter(f"{_TABLE}table-row"):
            repeated = _repetition(row, "number-rows-repeated")
            width = _filled_width(row)
            if width:
                rows += pending + repeated
                pending = 0
                columns = max(columns, width)
            else:
                pending += repeated
        if rows * columns > limits.cells:
            raise Refusal("sheet_too_large", rows=rows, columns=columns, limit=limits.cells)


def _filled_width(row: Any) -> int:
    """Number of cells up to the last one that holds something."""
    width = pending = 0
    for cell in row:
        repeated = _repetition(cell, "number-columns-repeated")
        if cell.get(f"{_OFFICE}value-type") is not None or len(cell):
            width += pending + repeated
            pending = 0
        else:
            pending += repeated
    return width


def _repetition(element: Any, name: str) -> int:
    text = element.get(f"{_TABLE}{name}", "1")
    return int(text) if text.isdecimal() and len(text) < 10 else 1
