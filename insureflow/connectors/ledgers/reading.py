"""Reading a ledger file: ``read_ledger`` gives all of it, ``preview`` its beginning and what must be asked first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import IO

from insureflow.connectors.ledgers.batch import NO_CUSTOMERS, CustomerNames, LedgerBatch, Preview, Suggestion
from insureflow.connectors.ledgers.cells import Cell, cell_text
from insureflow.connectors.ledgers.columns import (
    Fields,
    convert_fields,
    currencies_in,
    detect_conventions,
    keep_rows,
)
from insureflow.connectors.ledgers.delimited import open_delimited
from insureflow.connectors.ledgers.detection import Detection, FileType, Finding
from insureflow.connectors.ledgers.headings import Mapped, known_headings, resolve
from insureflow.connectors.ledgers.lines import build_lines, gather_names
from insureflow.connectors.ledgers.profile import Profile
from insureflow.connectors.ledgers.profile_files import get_shipped_profile
from insureflow.connectors.ledgers.source import FileLimits, OpenFile, check_cancelled, open_source
from insureflow.connectors.ledgers.suggestion import suggest_mapping
from insureflow.connectors.ledgers.tables import Cancelled, LedgerTable, Progress, RawTable
from insureflow.connectors.ledgers.ubl import read_documents
from insureflow.connectors.ledgers.workbooks import open_workbook
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.receivables import LedgerLines, RowProblem, calculate_fingerprints

Source = str | Path | IO[bytes]

_QUESTIONS = {"date_order": "ambiguous_date_order", "decimal_separator": "ambiguous_decimal_separator"}
_DOCUMENTS = frozenset({FileType.UBL, FileType.UBL_ARCHIVE})
DEFAULT_LIMITS = FileLimits()


def read_ledger(
    source: Source | Sequence[Source],
    profile: Profile,
    *,
    limits: FileLimits = DEFAULT_LIMITS,
    on_progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    name: str | None = None,
) -> LedgerBatch:
    """All lines of a ledger file under a profile, with every bad row and why.

    ``source`` is a path or a binary stream; several are allowed for UBL documents. ``name`` is the file's name where a stream
    does not know it. ``on_progress`` gets what is done and what there is; ``cancelled`` is asked now and then.
    Refusals: those of ``open_source`` and of the readers; ``ambiguous_date_order`` and ``ambiguous_decimal_separator``
    (``column``, ``example``) when only a person can tell; ``header_only``; ``profile_does_not_fit``; ``cancelled``;
    ``InvalidValues`` with ``column_missing`` and ``heading_repeated``.
    """
    with ExitStack() as stack:
        sources = [source] if isinstance(source, str | Path) or not isinstance(source, Sequence) else list(source)
        files = [stack.enter_context(open_source(each, limits, name)) for each in sources]
        if not files:
            raise Refusal("file_empty")
        _check_fit(files, profile)
        if files[0].file_type in _DOCUMENTS:
            return _read_documents(files, profile, limits, on_progress, cancelled)
        table = _open_table(files[0], profile, limits, cancelled)
        mapped, where, findings = resolve(profile, table.headers)
        wanted = frozenset(where) | {position for each in mapped for position in each.positions}
        raw = table.read(wanted, on_progress, cancelled)
        if not raw.rows_read:
            raise Refusal("header_only")
        left_out = keep_rows(raw, where)
        orders, decimals, conventions = detect_conventions(mapped, raw, profile, currencies_in(mapped, raw, profile))
        detection = _detection(files[0], table, [*findings, *conventions])
        for question in detection.questions:
            raise Refusal(_QUESTIONS[question.aspect], column=question.column or "", example=str(question.parameters.get("example", "")))
        check_cancelled(cancelled)
        fields = convert_fields(mapped, raw, profile, orders, decimals)
        check_cancelled(cancelled)
        return _batch(files[0], profile, detection, raw, fields, left_out)


def _check_fit(files: Sequence[OpenFile], profile: Profile) -> None:
    kinds = {file.file_type in _DOCUMENTS for file in files}
    if len(kinds) > 1 or (len(files) > 1 and False in kinds):
        raise Refusal("only_documents_together")
    if (profile.layout == "ubl") not in kinds:
        raise Refusal("profile_does_not_fit", profile=profile.name, layout=profile.layout, file_type=files[0].file_type.value)


def _open_table(file: OpenFile, profile: Profile, limits: FileLimits, cancelled: Cancelled | None) -> LedgerTable:
    known = known_headings(profile)
    if file.file_type is FileType.DELIMITED:
        return open_delimited(file, profile.file, known, limits)
    return open_workbook(file, profile.file, known, limits, cancelled)


def _detection(file: OpenFile, table: LedgerTable, more: Sequence[Finding]) -> Detection:
    return Detection(file.file_type, (*table.findings, *more), table.headers, table.sheets)


def _batch(file: OpenFile, profile: Profile, detection: Detection, raw: RawTable, fields: Fields, left_out: int) -> LedgerBatch:
    lines = build_lines(fields, profile)
    problems = sorted([*raw.problems, *fields.problems], key=_by_row)
    return LedgerBatch(
        profile_name=profile.name,
        mode=profile.mode,
        lines=lines,
        problems=tuple(problems),
        warnings=tuple(sorted(fields.warnings, key=_by_row)),
        detection=detection,
        customers=MappingProxyType(gather_names(lines)),
        sha256=file.sha256,
        size=file.size,
        rows_read=raw.rows_read,
        rows_left_out=left_out,
    )


def _by_row(problem: RowProblem) -> tuple[int, str]:
    return problem.row, problem.column or ""


def _read_documents(
    files: list[OpenFile], profile: Profile, limits: FileLimits, on_progress: Progress | None, cancelled: Cancelled | None
) -> LedgerBatch:
    documents = read_documents(files, profile, limits, on_progress, cancelled)
    if not documents.documents:
        raise Refusal("file_empty")
    lines = LedgerLines.from_lines(documents.lines)
    lines.fingerprint = calculate_fingerprints(lines)
    marks = "".join(file.sha256 for file in files)
    customers: dict[str, CustomerNames] = gather_names(lines) if len(lines) else dict(NO_CUSTOMERS)
    return LedgerBatch(
        profile_name=profile.name,
        mode=profile.mode,
        lines=lines,
        problems=tuple(documents.problems),
        warnings=tuple(documents.warnings),
        detection=Detection(files[0].file_type, tuple(finding for file in files for finding in file.findings)),
        customers=MappingProxyType(customers),
        sha256=files[0].sha256 if len(files) == 1 else hashlib.sha256(marks.encode()).hexdigest(),
        size=sum(file.size for file in files),
        rows_read=documents.documents,
        rows_left_out=0,
    )


def preview(
    source: Source,
    profile: Profile | None = None,
    *,
    rows: int = 20,
    limits: FileLimits = DEFAULT_LIMITS,
    name: str | None = None,
    on_progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Preview:
    """The first rows of a ledger file, as they stand and as they would be read; without a profile, with a suggested one.

    The whole file is looked at for dates and amounts, so what is found here holds when it is read. Questions and fields without
    a column do not stop a preview: they stand in it. Refusals: those of ``open_source`` and of the readers.
    """
    with open_source(source, limits, name) as file:
        if file.file_type in _DOCUMENTS:
            chosen = profile or get_shipped_profile("ubl")
            _check_fit([file], chosen)
            batch = _read_documents([file], chosen, limits, on_progress, cancelled)
            shown_lines = [tuple(str(getattr(line, field) or "") for field in _UBL_COLUMNS) for line in _first(batch.lines, rows)]
            return Preview(batch.detection, _UBL_COLUMNS, tuple(shown_lines), _cut(batch, rows), None)
        if profile is not None:
            _check_fit([file], profile)
        table = _open_table(file, profile or Profile("unknown"), limits, cancelled)
        suggestion = suggest_mapping(table.headers, table.sample) if profile is None else None
        chosen = profile or (suggestion.profile if suggestion else Profile("unknown"))
        beginning = tuple(_shown(row, len(table.headers)) for row in table.sample[:rows])
        try:
            mapped, where, findings = resolve(chosen, table.headers)
        except InvalidValues as refusal:
            missing = tuple(problem.path.removeprefix("columns.") for problem in refusal.problems)
            detection = _detection(file, table, ())
            return Preview(detection, table.headers, beginning, None, suggestion, (), missing)
        return _preview_mapped(file, table, chosen, (mapped, where, findings), rows, beginning, suggestion, on_progress, cancelled)


def _preview_mapped(
    file: OpenFile,
    table: LedgerTable,
    chosen: Profile,
    resolved: tuple[list[Mapped], dict[int, frozenset[str]], list[Finding]],
    rows: int,
    beginning: tuple[tuple[str, ...], ...],
    suggestion: Suggestion | None,
    on_progress: Progress | None,
    cancelled: Cancelled | None,
) -> Preview:
    mapped, where, findings = resolved
    wanted = frozenset(where) | {position for each in mapped for position in each.positions}
    raw = table.read(wanted, on_progress, cancelled)
    left_out = keep_rows(raw, where)
    orders, decimals, conventions = detect_conventions(mapped, raw, chosen, currencies_in(mapped, raw, chosen))
    detection = _detection(file, table, [*findings, *conventions])
    batch = None
    if not detection.questions and raw.rows_read:
        last = raw.rows[rows - 1] if len(raw.rows) >= rows else None
        few = RawTable(
            raw.rows[:rows],
            {position: cells[:rows] for position, cells in raw.columns.items()},
            [problem for problem in raw.problems if last is None or problem.row <= last],
            raw.rows_read,
        )
        batch = _batch(file, chosen, detection, few, convert_fields(mapped, few, chosen, orders, decimals), left_out)
    return Preview(detection, table.headers, beginning, batch, suggestion, detection.questions)


_UBL_COLUMNS = ("number", "kind", "customer_number", "customer_name", "country", "currency", "gross_minor", "invoice_on", "due_on")


def _first(lines: LedgerLines, rows: int) -> LedgerLines:
    return lines.select(range(min(rows, len(lines))))


def _cut(batch: LedgerBatch, rows: int) -> LedgerBatch:
    return replace(batch, lines=_first(batch.lines, rows))


def _shown(row: Sequence[Cell], width: int) -> tuple[str, ...]:
    cells = [cell_text(cell) for cell in row[:width]]
    return tuple(cells + [""] * (width - len(cells)))
