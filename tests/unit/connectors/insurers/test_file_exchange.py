"""Files of requests and of answers: one file that goes out and comes back filled in says what the insurer decided."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from insureflow.connectors.edifact import read_interchange
from insureflow.connectors.insurers.file_exchange import (
    ANSWER_COLUMNS,
    REQUEST_COLUMNS,
    Envelope,
    ExchangeFormat,
    read_answers,
    write_requests,
)
from insureflow.connectors.insurers.interface import LimitMessage
from insureflow.connectors.insurers.outgoing import BuyerCard, OutgoingRequest
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.limits.codes import CoverRequestCode
from insureflow.domain.money import Money

ON = date(2026, 1, 15)
ENVELOPE = Envelope("NORRVIK", "INSURER", "X1", datetime(2026, 1, 15, 9, 30, tzinfo=UTC))
FIRST = OutgoingRequest(
    LimitMessage("L-1", CoverRequestCode.NEW_LIMIT, "4711", LimitKind.NAMED, Layer.PRIMARY, Money(15_000_050, "EUR"), ON, comment="a\nb"),
    BuyerCard("=Müller GmbH", "DE", customer_number="100"),
    "P-1",
    "Norrvik AB",
)
SECOND = replace(
    FIRST, message=replace(FIRST.message, own_reference="L-2", code=CoverRequestCode.CANCELLATION, amount=None, cover_id="CL-7")
)


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def filled(data: bytes, *answers: dict[str, str]) -> bytes:
    rows = table(data)
    for row, answer in zip(rows, answers, strict=True):
        row.update(answer)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, REQUEST_COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read(data: bytes, **options: Any):
    return read_answers(data, "answers", **{"currency": "EUR", "policy_number": "P-1", **options})


def test_a_file_of_requests_names_everything_and_holds_no_formula():
    rows = table(write_requests([FIRST, SECOND], ExchangeFormat.CSV, ENVELOPE))
    assert rows[0] | {"comment": "a b", "requested": "150000.50", "buyer_name": "'=Müller GmbH", "asked_on": "2026-01-15"} == rows[0]
    assert (rows[1]["request"], rows[1]["request_code"], rows[1]["requested"], rows[1]["cover_reference"]) == (
        "cancellation",
        "6",
        "",
        "CL-7",
    )
    assert not any(rows[0][column] for column in ANSWER_COLUMNS)
    assert read_interchange(write_requests([FIRST], ExchangeFormat.RECECO_D96A, ENVELOPE)).recipient == "INSURER"


def test_a_file_that_comes_back_filled_in_is_read_and_what_has_no_answer_is_passed_over():
    sent = write_requests([FIRST, SECOND], ExchangeFormat.CSV, ENVELOPE)
    answer = {"decided": "100000", "decided_on": "2026-01-20", "valid_to": "2026-12-31", "insurer_reference": "CL-9"}
    found = read(filled(sent, answer, {}))
    assert found.problems == ()
    (row,) = found.rows
    assert (row.own_reference, row.insurer_reference, row.decided_minor, row.requested_minor) == ("L-1", "CL-9", 10_000_000, 15_000_050)
    assert (row.decided_on, row.valid_to, row.status) == (date(2026, 1, 20), date(2026, 12, 31), None)


def test_a_workbook_goes_out_and_comes_back_too():
    sent = write_requests([FIRST], ExchangeFormat.XLSX, ENVELOPE)
    values = CalamineWorkbook.from_filelike(io.BytesIO(sent)).get_sheet_by_index(0).to_python()
    assert dict(zip(values[0], values[1], strict=True))["buyer_name"] == "=Müller GmbH"
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    for place, (column, value) in enumerate(zip(values[0], values[1], strict=True)):
        sheet.write(0, place, column)
        given = {"decided": Decimal("120000.5"), "decided_on": "2026-01-20"}.get(column, value)
        sheet.write(1, place, given.isoformat() if isinstance(given, date) else given)
    book.close()
    (row,) = read(file.getvalue()).rows
    assert (row.decided_minor, row.decided_on, row.own_reference) == (12_000_050, date(2026, 1, 20), "L-1")


def test_an_insurers_own_list_is_read_by_a_profile_and_by_none_it_is_refused():
    text = "Buyer Number;Company Name;Decision;Limit Amount;Currency Code;Decision Date;Cover ID;Grade\n4711;Rossi;Partial approval;40.000,00;EUR;2026-01-20;C1;4\n4712;Bianchi;Declined;;EUR;2026-01-21;C2;9\n"
    rows = read(text.encode(), profile="generic").rows
    assert [(row.insurer_id, row.status, row.decided_minor) for row in rows] == [
        ("4711", LimitStatus.PARTLY_APPROVED, 4_000_000),
        ("4712", LimitStatus.REFUSED, 0),
    ]
    with pytest.raises(InvalidValues):
        read(text.encode())
    with pytest.raises(Refusal) as caught:
        read(text.encode(), profile="nobody's")
    assert caught.value.code == "exchange_profile_unknown"


def test_a_text_for_a_portal_says_what_portals_ask_and_leaves_out_what_is_not_known():
    text = write_requests([FIRST, SECOND], ExchangeFormat.TEXT, ENVELOPE).decode("utf-8-sig")
    assert text.splitlines() == [
        "Request 1: L-1 (please quote this reference in your answer)",
        "Insured         Norrvik AB",
        "Policy          P-1",
        "Buyer           =Müller GmbH",
        "Your number     4711",
        "Country         DE",
        "Our customer    100",
        "Asked for       New credit limit",
        "Amount          150000.50 EUR",
        "Date            2026-01-15",
        "Remark          a b",
        "",
        "Request 2: L-2 (please quote this reference in your answer)",
        "Insured         Norrvik AB",
        "Policy          P-1",
        "Buyer           =Müller GmbH",
        "Your number     4711",
        "Country         DE",
        "Our customer    100",
        "Existing limit  CL-7",
        "Asked for       Cancellation of the credit limit",
        "Date            2026-01-15",
        "Remark          a b",
    ]
