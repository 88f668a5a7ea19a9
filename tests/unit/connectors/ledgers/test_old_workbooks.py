"""XLS, the binary workbook of old: no library writes it any more, so the tests put one together byte by byte."""

from __future__ import annotations

import io
import struct
from datetime import date

import pytest

from insureflow.connectors.ledgers.detection import FileType
from insureflow.connectors.ledgers.profile_files import get_shipped_profile
from insureflow.connectors.ledgers.reading import read_ledger
from insureflow.domain.errors import Refusal

HEADINGS = ["number", "customer_number", "currency", "gross", "document_date", "due_date"]
SECTOR = 512
END, FREE, TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def cell(row: int, column: int, value: object) -> bytes:
    if isinstance(value, date):
        return record(0x0203, struct.pack("<HHHd", row, column, 1, float((value - date(1899, 12, 30)).days)))
    if isinstance(value, int | float):
        return record(0x0203, struct.pack("<HHHd", row, column, 0, float(value)))
    text = str(value).encode("utf-16-le")
    return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text) // 2, 1) + text)


def stream(rows: list[list[object]]) -> bytes:
    """The workbook stream: globals with two cell formats (the second a date) and one sheet."""
    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    formats = b"".join(record(0x00E0, struct.pack("<HHHHHHIIH", 0, number, 0, 0, 0, 0, 0, 0, 0)) for number in (0, 14))
    name = b"Ledger"
    head = record(0x0809, begin) + record(0x0042, struct.pack("<H", 1200)) + formats
    sheet_entry_size = 4 + 8 + len(name)
    position = len(head) + sheet_entry_size + 4
    head += record(0x0085, struct.pack("<IHBB", position, 0, len(name), 0) + name) + record(0x000A, b"")
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    sheet += record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    sheet += b"".join(
        cell(row, column, value) for row, values in enumerate(rows) for column, value in enumerate(values) if value is not None
    )
    return head + sheet + record(0x000A, b"")


def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return struct.pack("<64sHBBIII16sIQQIQ", text, len(text), kind, 1, FREE, FREE, child, bytes(16), 0, 0, 0, start, size)


def old_workbook(rows: list[list[object]]) -> bytes:
    """A compound file: header, one allocation table, one directory, and the workbook stream."""
    content = stream(rows)
    content += bytes(max(4096, -(-len(content) // SECTOR) * SECTOR) - len(content))
    sectors = len(content) // SECTOR
    assert sectors <= 120
    chain = [TABLE, END, *range(3, sectors + 2), END]
    table = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    directory = entry("Root Entry", 5, 1, END, 0) + entry("Workbook", 2, FREE, 2, len(content)) + bytes(256)
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        bytes(6),
        0,
        1,
        1,
        0,
        4096,
        END,
        0,
        END,
        0,
    )
    header += struct.pack("<109I", 0, *[FREE] * 108)
    return header + table + directory + content


def read(content: bytes):
    return read_ledger(io.BytesIO(content), get_shipped_profile("plain"), name="ledger.xls")


def test_an_old_workbook_is_read():
    rows = [
        HEADINGS,
        ["Å1001", 200706844, "SEK", 8734.71, date(2026, 1, 15), date(2026, 2, 14)],
        ["1002", 7, "SEK", "abc", date(2026, 1, 15), 46000],
    ]
    batch = read(old_workbook(rows))
    assert batch.detection.file_type is FileType.XLS
    line = batch.lines.line(0)
    assert (line.number, line.customer_number, line.gross_minor) == ("Å1001", "200706844", 873471)
    assert (line.invoice_on, line.due_on) == (date(2026, 1, 15), date(2026, 2, 14))
    assert [(problem.column, problem.value, problem.code) for problem in batch.problems] == [
        ("due_date", "46000", "not_a_date"),
        ("gross", "abc", "not_an_amount"),
    ]


@pytest.mark.parametrize("keep", [600, 1500, 2000])
def test_an_old_workbook_that_is_cut_off_is_damaged(keep: float):
    with pytest.raises(Refusal) as caught:
        read(old_workbook([HEADINGS, ["1", 7, "SEK", 1.5, date(2026, 1, 15), date(2026, 2, 14)]])[:keep])
    assert caught.value.code == "file_damaged"
