from __future__ import annotations

import io
import re
import struct
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.workbooks import ods, ods_row, workbook

from insureflow.connectors.ledgers.detection import Certainty, FileType
from insureflow.connectors.ledgers.profile_files import get_shipped_profile
from insureflow.connectors.ledgers.reading import preview, read_ledger
from insureflow.connectors.ledgers.source import FileLimits
from insureflow.connectors.ledgers.workbooks import to_cell
from insureflow.domain.errors import Refusal

PLAIN = get_shipped_profile("plain")
HEADINGS = ["kind", "number", "customer_number", "customer_name", "currency", "gross", "document_date", "due_date"]
ROW = ["invoice", 1930571429.0, 200706844, "Kund AB", "SEK", 8734.71, datetime(2026, 1, 15), datetime(2026, 2, 14)]


def rebuilt(content: bytes, change: Any) -> bytes:
    """The same archive, with every member's content passed through ``change(name, data)``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, change(entry.filename, source.read(entry)))
    return stream.getvalue()


def in_sheet(pattern: bytes, replacement: bytes):
    def change(name: str, data: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return data
        changed, times = re.subn(pattern, replacement, data)
        assert times == 1
        return changed

    return change


def read(content: bytes, profile: Any = PLAIN, **more: Any):
    return read_ledger(io.BytesIO(content), profile, **{"name": "ledger.xlsx", **more})


def refusal(content: bytes, profile: Any = PLAIN, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(content, profile, **more)
    return caught.value


def test_typed_cells_need_no_guessing():
    batch = read(workbook({"Ledger": [HEADINGS, ROW]}))
    line = batch.lines.line(0)
    assert (line.number, line.customer_number, line.gross_minor) == ("1930571429", "200706844", 873471)
    assert (line.invoice_on, line.due_on, line.row) == (date(2026, 1, 15), date(2026, 2, 14), 2)
    assert batch.problems == ()
    assert batch.detection.file_type is FileType.XLSX
    assert batch.detection.sheets == ("Ledger",)


@settings(deadline=None)
@given(st.integers(-(10**13), 10**13))
def test_amounts_come_out_of_floats_exactly(cents: int):
    assert to_cell(cents / 100) == Decimal(cents).scaleb(-2)


def test_binary_noise_of_calculated_cells_is_no_part_of_the_amount():
    assert to_cell(8734.709999999999) == Decimal("8734.71")
    assert to_cell(0.1 + 0.2) == Decimal("0.3")
    assert to_cell(True) == "true"
    assert to_cell(None) == ""


def test_the_sheet_with_the_headings_is_chosen_and_hidden_ones_are_passed_over():
    batch = read(
        workbook(
            {"Cover": [["Receivables"], ["of Exporter AB"]], "Old": [HEADINGS, ROW], "Ledger": [HEADINGS, ROW, [*ROW[:1], 7, *ROW[2:]]]},
            hidden=("Old",),
        )
    )
    assert len(batch.lines) == 2
    finding = batch.detection.find("sheet")
    assert (finding.value, finding.certainty) == ("Ledger", Certainty.CERTAIN)
    assert len(read(workbook({"Old": [HEADINGS, ROW], "New": [HEADINGS]}), PLAIN.with_answers(sheet="Old")).lines) == 1
    assert refusal(workbook({"Old": [HEADINGS, ROW]}), PLAIN.with_answers(sheet="New")).code == "sheet_not_found"


def test_rows_are_numbered_as_the_spreadsheet_shows_them():
    rows = [[], [None, "Receivables"], [], [None, *HEADINGS], [], [None, *ROW], [], [None, *ROW[:1], "x", *ROW[2:5], "abc", *ROW[6:]]]
    batch = read(workbook({"Ledger": rows}))
    assert batch.lines.row == [6]
    assert [(problem.row, problem.value) for problem in batch.problems] == [(8, "abc")]
    assert batch.detection.find("header_row").value == "4"


def test_formulas_count_with_their_stored_values():
    content = rebuilt(
        workbook({"Ledger": [HEADINGS, ROW]}),
        in_sheet(rb"(<c r=\"F2\">)<v>[\d.]+</v>", rb"\1<f>8000+734.71</f><v>8734.709999999999</v>"),
    )
    assert read(content).lines.gross_minor == [873471]


@pytest.mark.parametrize("replacement", [rb"\1<f>8000+734.71</f>", rb"\1<f>8000+734.71</f><v></v>", rb"\1<f>8000+734.71</f><v/>"])
def test_formulas_that_were_never_calculated_are_told(replacement: bytes):
    content = rebuilt(
        workbook({"Ledger": [HEADINGS, ROW, [*ROW[:1], 7, *ROW[2:]]]}), in_sheet(rb"(<c r=\"F2\">)<v>[\d.]+</v>", replacement)
    )
    batch = read(content)
    assert [(problem.row, problem.column, problem.code) for problem in batch.problems] == [(2, "gross", "formula_without_value")]
    assert batch.lines.number == ["7"]
    finding = batch.detection.find("formulas")
    assert finding.parameters == {"cells": 1, "first": "F2"}


def test_formulas_whose_value_is_an_empty_text_are_just_empty():
    content = rebuilt(
        workbook({"Ledger": [HEADINGS, ROW]}), in_sheet(rb"<c r=\"D2\"[^>]*><v>\d+</v>", rb'<c r="D2" t="str"><f>""</f><v></v>')
    )
    batch = read(content)
    assert batch.problems == ()
    assert batch.lines.customer_name == [None]


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.95])
def test_a_workbook_that_is_cut_off_is_damaged(keep: float):
    content = workbook({"Ledger": [HEADINGS, *[ROW] * 500]})
    assert refusal(content[: int(len(content) * keep)]).code == "file_damaged"


def test_a_workbook_with_a_broken_member_is_damaged():
    content = bytearray(workbook({"Ledger": [HEADINGS, *[ROW] * 500]}))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        place = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 200
    content[place : place + 40] = bytes(40)
    assert refusal(bytes(content)).code == "file_damaged"
    assert (
        refusal(rebuilt(workbook({"Ledger": [HEADINGS, ROW]}), lambda name, data: b"<x" if name.endswith("workbook.xml") else data)).code
        == "file_damaged"
    )


def test_a_zip_bomb_is_refused_by_its_directory():
    def inflate(name: str, data: bytes) -> bytes:
        return data + b" " * 30_000_000 if name == "xl/worksheets/sheet1.xml" else data

    content = rebuilt(workbook({"Ledger": [HEADINGS, ROW]}), inflate)
    assert len(content) < 100_000
    found = refusal(content)
    assert (found.code, found.parameters["member"]) == ("archive_suspicious", "xl/worksheets/sheet1.xml")
    assert refusal(content, limits=FileLimits(unpacked_size=1_000_000)).code == "archive_too_large"


def test_an_archive_whose_directory_lies_is_found_out_while_unpacking():
    def inflate(name: str, data: bytes) -> bytes:
        return data + b" " * 30_000_000 if name == "xl/worksheets/sheet1.xml" else data

    content = bytearray(rebuilt(workbook({"Ledger": [HEADINGS, ROW]}), inflate))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    true_size, small = struct.pack("<L", size), struct.pack("<L", 5_000)
    assert content.count(true_size) >= 1
    lying = bytes(content).replace(true_size, small)
    assert refusal(lying).code == "file_damaged"


def test_an_archive_with_very_many_members_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(60):
            archive.writestr(f"{number}.xml", "<x/>")
    assert refusal(stream.getvalue(), limits=FileLimits(members=50)).code == "archive_too_many_files"


def test_members_that_share_their_bytes_are_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", "<x/>" * 1000)
        archive.writestr("b.xml", "<x/>" * 1000)
        archive.getinfo("b.xml").header_offset = archive.getinfo("a.xml").header_offset
    assert refusal(stream.getvalue()).code == "archive_suspicious"


def test_two_cells_at_the_corners_of_a_sheet_do_not_exhaust_the_memory():
    corner = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    content = rebuilt(workbook({"Ledger": [HEADINGS, ROW]}), in_sheet(rb"</sheetData>", corner))
    found = refusal(content)
    assert (found.code, found.parameters["rows"], found.parameters["columns"]) == ("sheet_too_large", 1_048_576, 16_384)


def test_an_encrypted_or_broken_old_workbook_is_refused():
    assert refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), name="ledger.xls").code in {"file_damaged", "file_encrypted"}


def test_other_office_files_are_told_what_they_are():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    found = refusal(stream.getvalue())
    assert (found.code, found.parameters["file_type"]) == ("file_type_not_supported", "office_document")


def test_a_workbook_without_rows_is_refused():
    assert refusal(workbook({"Ledger": []})).code == "file_empty"
    assert refusal(workbook({"Ledger": [HEADINGS]})).code == "header_only"


def test_open_document_sheets_are_read():
    cells = ["invoice", "1001", "C1", "Kund AB", "SEK", 8734.71, date(2026, 1, 15), date(2026, 2, 14)]
    batch = read(ods(ods_row(list(HEADINGS)) + ods_row(cells) + ods_row([], 1_048_000)), name="ledger.ods")
    assert batch.detection.file_type is FileType.ODS
    assert batch.lines.gross_minor == [873471]
    assert batch.lines.due_on == [date(2026, 2, 14)]
    assert batch.problems == ()


def test_repeated_cells_of_an_open_document_do_not_exhaust_the_memory():
    content = ods(ods_row(list(HEADINGS)) + ods_row(["x"] * 50, 1_000_000))
    found = refusal(content, name="ledger.ods")
    assert (found.code, found.parameters["columns"]) == ("sheet_too_large", 50)


def test_entities_in_a_workbook_are_refused():
    def bomb(name: str, data: bytes) -> bytes:
        if name != "xl/workbook.xml":
            return data
        return data.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook', 1)

    assert refusal(rebuilt(workbook({"Ledger": [HEADINGS, ROW]}), bomb)).code == "xml_with_entities"


def test_the_same_ledger_has_the_same_marks_as_text_and_as_workbook():
    text = ",".join(HEADINGS) + "\ninvoice,1930571429,200706844,Kund AB,SEK,8734.71,2026-01-15,2026-02-14\n"
    from_text = read_ledger(io.BytesIO(text.encode()), PLAIN, name="ledger.csv")
    assert from_text.lines.fingerprint == read(workbook({"Ledger": [HEADINGS, ROW]})).lines.fingerprint


def test_a_preview_shows_the_cells_and_the_lines():
    seen = preview(io.BytesIO(workbook({"Ledger": [HEADINGS, *[[*ROW[:1], number, *ROW[2:]] for number in range(50)]]})), rows=5)
    assert seen.headers == tuple(HEADINGS)
    assert len(seen.rows) == 5
    assert seen.rows[0] == ("invoice", "0", "200706844", "Kund AB", "SEK", "8734.71", "2026-01-15", "2026-02-14")
    assert seen.suggestion is not None
    assert seen.batch is not None
    assert len(seen.batch.lines) == 5
    assert seen.batch.rows_read == 50
