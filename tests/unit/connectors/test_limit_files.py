"""Files of limits say the same whatever kind of file they are, and under whatever spelling of the headings."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pytest
from support.workbooks import ods, ods_row, old_workbook, workbook

from insureflow.connectors.limit_files import COLUMNS, LimitRow, read_limits
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus

HEADINGS = ["customer_number", "buyer_name", "country", "kind", "requested", "decided", "decided_on", "valid_to", "insured_percentage"]
HEADINGS += ["maximum_credit_terms_days", "insurer_reference"]
ROWS: list[list[object]] = [
    [1001, "Müller GmbH", "Germany", "", 150000, 100000.5, date(2026, 1, 15), "", 85, 90, 77001],
    ["0042", "Rossi S.p.A.", "ITA", "temporary", "", 50000, date(2026, 2, 1), date(2026, 8, 31), 90, "", "CL-2"],
    ["A-7", "Åkesson AB", "se", "", "", 0, date(2026, 12, 13), "", "", 60, ""],
]


def as_text(rows: list[list[object]], delimiter: str, encoding: str, decimal: str) -> bytes:
    """The rows as delimited text."""
    lines = [delimiter.join(f'"{cell}"' if isinstance(cell, str) else str(cell).replace(".", decimal) for cell in row) for row in rows]
    return "\r\n".join([*lines, ""]).encode(encoding)


def rows_of(content: bytes, name: str) -> tuple[LimitRow, ...]:
    """The rows of a file that has nothing wrong with it."""
    file = read_limits(io.BytesIO(content), currency="EUR", name=name)
    assert file.problems == ()
    return file.rows


PLAIN = rows_of(as_text([list(HEADINGS), *ROWS], ",", "utf-8", "."), "limits.csv")


def test_what_the_rows_say() -> None:
    first, second, third = PLAIN
    assert (first.customer_number, first.country, first.requested_minor, first.decided_minor) == ("1001", "DE", 150_000_00, 100_000_50)
    assert first.conditions == {"insured_percentage": "85", "maximum_credit_terms": {"days": 90}}
    assert (first.insurer_reference, second.customer_number, second.country) == ("77001", "0042", "IT")
    assert (second.kind, second.valid_to, third.decided_minor) == (LimitKind.TEMPORARY, date(2026, 8, 31), 0)
    assert {row.status for row in PLAIN} == {None}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("limits.csv", as_text([list(HEADINGS), *ROWS], ";", "cp1252", ",")),
        ("limits.tsv", as_text([list(HEADINGS), *ROWS], "\t", "utf-16", ".")),
        ("limits.xlsx", workbook({"Limits": [list(HEADINGS), *ROWS]})),
        ("limits.xls", old_workbook([list(HEADINGS), *ROWS])),
        ("limits.ods", ods("".join(map(ods_row, [list(HEADINGS), *ROWS])))),
        ("titled.xlsx", workbook({"Notes": [["Our limits"]], "Limits": [["Limits of our insurer"], [], list(HEADINGS), *ROWS]})),
    ],
)
def test_every_kind_of_file_says_the_same(name: str, content: bytes) -> None:
    offset = 2 if name == "titled.xlsx" else 0
    assert rows_of(content, name) == tuple(replace(row, row=row.row + offset) for row in PLAIN)


@pytest.mark.parametrize(
    "spelled",
    [
        [heading.upper() for heading in HEADINGS],
        [heading.replace("_", " ").title() for heading in HEADINGS],
        [heading.replace("_", "-") for heading in HEADINGS],
        [f"  {heading.replace('_', chr(160))}  " for heading in HEADINGS],
        [heading.replace("_", "  ") for heading in HEADINGS],
    ],
)
def test_headings_may_be_spelled_in_many_ways(spelled: list[str]) -> None:
    order = list(reversed(range(len(HEADINGS))))
    rows = [[row[place] for place in order] for row in [spelled, *ROWS]]
    assert rows_of(as_text(rows, ",", "utf-8-sig", "."), "limits.csv") == PLAIN


def test_a_workbook_keeps_a_percentage_as_a_part_of_one() -> None:
    headings: list[object] = ["buyer_name", "decided", "decided_on", "insured_percentage"]
    content = workbook(
        {"Limits": [headings, ["A", 1, date(2026, 1, 15), 0.85], ["B", 1, date(2026, 1, 15), 1], ["C", 1, date(2026, 1, 15), "90 %"]]}
    )
    assert [row.conditions["insured_percentage"] for row in rows_of(content, "limits.xlsx")] == ["85", "100", "90"]


def test_a_country_of_two_and_an_unknown_status_are_bad_rows() -> None:
    text = "buyer_name,country,decided,decided_on,status\nA,Korea,1,2026-01-15,\nB,DE,1,2026-01-15,maybe\nC,DE,,2026-01-15,refused\n"
    file = read_limits(io.BytesIO(text.encode()), currency="EUR", name="limits.csv")
    assert [(each.row, each.column, each.code) for each in file.problems] == [
        (2, "country", "not_a_country_code"),
        (3, "status", "not_one_of"),
    ]
    assert [(row.buyer_name, row.status, row.decided_minor) for row in file.rows] == [("C", LimitStatus.REFUSED, 0)]


def test_what_is_no_list_of_limits_is_refused_with_all_headings_that_do_not_fit() -> None:
    with pytest.raises(InvalidValues) as caught:
        read_limits(io.BytesIO(b"amount,when\n1,2026-01-15\n"), currency="EUR", name="limits.csv")
    assert [each.code for each in caught.value.problems] == [
        "limit_column_unknown",
        "limit_column_unknown",
        "limit_column_missing",
        "limit_column_missing",
        "limit_column_missing",
    ]
    with pytest.raises(Refusal, match="header_only"):
        read_limits(io.BytesIO((",".join(COLUMNS) + "\n").encode()), currency="EUR", name="limits.csv")
