"""XLS, the binary workbook of old: no library writes it any more, so the tests put one together byte by byte."""

from __future__ import annotations

import io
from datetime import date

import pytest
from support.workbooks import old_workbook

from insureflow.connectors.ledgers.detection import FileType
from insureflow.connectors.ledgers.profile_files import get_shipped_profile
from insureflow.connectors.ledgers.reading import read_ledger
from insureflow.domain.errors import Refusal

HEADINGS = ["number", "customer_number", "currency", "gross", "document_date", "due_date"]


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
