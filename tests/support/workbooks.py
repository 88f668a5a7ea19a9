"""Workbooks for tests, as small as they can be: XLSX by a library, ODS by its XML, XLS byte by byte since nothing writes it any more."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date

import xlsxwriter

SECTOR = 512
END, FREE, TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def workbook(sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> bytes:
    """An XLSX workbook with these sheets."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if value is not None:
                        sheet.write(number, column, value)
            if name in hidden:
                sheet.hide()
    return stream.getvalue()


def ods(content_rows: str) -> bytes:
    """An OpenDocument spreadsheet with these rows."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
            "</manifest:manifest>",
        )
        archive.writestr(
            "content.xml",
            '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
            'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
            'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
            f'<table:table table:name="Ledger">{content_rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return stream.getvalue()


def ods_row(cells: list[object], repeated: int = 1) -> str:
    """A row of an OpenDocument spreadsheet."""
    parts = []
    for cell in cells:
        if isinstance(cell, date):
            parts.append(
                f'<table:table-cell office:value-type="date" office:date-value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
            )
        elif isinstance(cell, int | float):
            parts.append(f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>')
        else:
            parts.append(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>')
    times = f' table:number-rows-repeated="{repeated}"' if repeated > 1 else ""
    return f"<table:table-row{times}>{''.join(parts)}</table:table-row>"


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
