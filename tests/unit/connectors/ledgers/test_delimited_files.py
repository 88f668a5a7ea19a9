from __future__ import annotations

import csv
import io
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from insureflow.connectors.ledgers.batch import LedgerBatch
from insureflow.connectors.ledgers.dates import DateOrder
from insureflow.connectors.ledgers.detection import Certainty, FileType
from insureflow.connectors.ledgers.profile_files import get_shipped_profile, load_profile
from insureflow.connectors.ledgers.reading import preview, read_ledger
from insureflow.connectors.ledgers.source import FileLimits
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.receivables import DocumentKind

HEADER = "kind,number,customer_number,customer_name,currency,gross,document_date,due_date\n"
ROW = "invoice,1001,C1,Kund AB,SEK,125.00,2026-01-15,2026-02-14\n"
PLAIN = get_shipped_profile("plain")

SWEDISH = """
format: 1
name: swedish
defaults: {currency: SEK}
columns: {number: Fakturanr, customer_name: Kund, gross: Belopp, document_on: Fakturadatum, due_on: Förfallodatum}
"""


def read(text: str | bytes, profile: Any = PLAIN, name: str = "ledger.csv", **more: Any):
    content = text.encode() if isinstance(text, str) else text
    return read_ledger(io.BytesIO(content), profile, name=name, **more)


def refusal(text: str | bytes, profile: Any = PLAIN, name: str = "ledger.csv", **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(text, profile, name, **more)
    return caught.value


def problems(batch: LedgerBatch):
    return [(problem.row, problem.column, problem.value, problem.code) for problem in batch.problems]


def test_a_plain_file_gives_its_lines():
    batch = read(HEADER + ROW)
    line = batch.lines.line(0)
    assert (line.row, line.kind, line.number, line.customer_number) == (2, DocumentKind.INVOICE, "1001", "C1")
    assert (line.currency, line.gross_minor, line.invoice_on, line.due_on) == ("SEK", 12500, date(2026, 1, 15), date(2026, 2, 14))
    assert line.original_due_on == line.due_on
    assert batch.problems == batch.warnings == ()
    assert (batch.rows_read, batch.bad_rows, batch.rows_left_out) == (1, 0, 0)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_delimiters_line_ends_and_encodings_are_found(delimiter: str, line_end: str, encoding: str):
    rows = [["Fakturanr", "Kund", "Belopp", "Fakturadatum", "Förfallodatum"]]
    rows += [[str(number), f'Åkers "Kött" & Ärtor {number}{delimiter} AB', "1 234,50", "15.01.2026", "14.02.2026"] for number in range(30)]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    batch = read(text.getvalue().encode(encoding), load_profile(SWEDISH))
    assert batch.problems == ()
    assert batch.lines.customer_name[3] == " ".join(f'Åkers "Kött" & Ärtor 3{delimiter} AB'.split())
    assert set(batch.lines.gross_minor) == {123450}
    assert set(batch.lines.due_on) == {date(2026, 2, 14)}


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ["Müller GmbH & Söhne", "Größe Straße AG", "Bäckerei Jäger", "Überland Spedition"]),
        ("cp1251", ["ООО Ромашка", "Московская торговая компания", "Завод имени Кирова", "Северная верфь"]),
        ("shift_jis", ["株式会社山田商店", "東京電力株式会社", "有限会社さくら", "日本通運"]),
    ],
)
def test_old_encodings_are_weighed(encoding: str, names: list[str]):
    rows = "".join(f"{number};{name};10,00;15.01.2026;14.02.2026\n" for number, name in enumerate(names * 5))
    text = "Fakturanr;Kund;Belopp;Fakturadatum;Forfallodatum\n" + rows
    profile = load_profile(SWEDISH.replace("Förfallodatum", "Forfallodatum"))
    batch = read(text.encode(encoding), profile)
    assert batch.lines.customer_name[: len(names)] == names
    finding = batch.detection.find("encoding")
    assert finding is not None
    assert finding.reason == "weighed"
    assert finding.certainty in {Certainty.LIKELY, Certainty.UNSURE}
    assert finding.value in str(finding.parameters["candidates"])


def test_a_byte_that_does_not_fit_names_row_and_byte():
    good = "".join(f"invoice,{number},C1,Åkeri Östlund på Öland,SEK,1.00,2026-01-15,2026-02-14\n" for number in range(20)).encode()
    bad = "invoice,99,C1,Åkeri på Öland,SEK,1.00,2026-01-15,2026-02-14\n".encode("cp1252")
    batch = read(HEADER.encode() + good + bad)
    assert len(batch.lines) == 20
    assert problems(batch) == [(22, "customer_name", "\\xc5keri p\\xe5 \\xd6land", "not_in_encoding")]
    assert batch.problems[0].parameters["byte"] == "0xC5"


def test_a_stated_encoding_is_kept_and_what_it_cannot_read_is_a_problem():
    batch = read((HEADER + ROW.replace("Kund", "Kött")).encode("cp1252"), PLAIN.with_answers(encoding="utf-8"))
    assert [problem.code for problem in batch.problems] == ["not_in_encoding"]
    assert read((HEADER + ROW.replace("Kund", "Kött")).encode("cp1252"), PLAIN.with_answers(encoding="cp1252")).problems == ()


def test_nul_bytes_are_problems_of_their_rows():
    batch = read(HEADER + ROW + ROW.replace("1001", "10\x0002").replace("Kund", "Ku\x00nd"))
    assert len(batch.lines) == 1
    assert problems(batch) == [(3, "customer_name", "Ku␀nd AB", "nul_byte"), (3, "number", "10␀02", "nul_byte")]


@pytest.mark.parametrize("content", [b"", b"\n\n\r\n", b"\xef\xbb\xbf", b"   \n"])
def test_an_empty_file_is_refused(content: bytes):
    assert refusal(content).code == "file_empty"


def test_a_file_with_headings_only_is_refused():
    assert refusal(HEADER).code == "header_only"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "png"),
        (b"%PDF-1.7\n1 0 obj", "pdf"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (bytes(range(256)) * 20, "binary"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "html"),
        (b"SQLite format 3\x00" + b"\x01" * 50, "sqlite"),
    ],
)
def test_a_file_that_is_no_ledger_is_told_what_it_is(content: bytes, kind: str):
    found = refusal(content)
    assert (found.code, found.parameters["file_type"]) == ("file_type_not_supported", kind)


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    reads = []

    class Watched(io.FileIO):
        def read(self, size: int = -1, /):
            reads.append(size)
            return super().read(size)

    with Watched(path) as stream, pytest.raises(Refusal) as caught:
        read_ledger(stream, PLAIN)
    assert caught.value.code == "file_too_large"
    assert caught.value.parameters == {"size": 200 * 1024 * 1024, "limit": 50 * 1024 * 1024}
    assert reads == []


def test_a_stream_that_cannot_be_measured_is_read_up_to_the_limit_only():
    class Endless(io.RawIOBase):
        given = 0

        def readable(self):
            return True

        def read(self, size: int = -1, /):
            self.given += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(Refusal) as caught:
        read_ledger(stream, PLAIN, limits=FileLimits(size=3_000_000))
    assert caught.value.code == "file_too_large"
    assert stream.given < 6_000_000


def test_a_stream_that_cannot_be_measured_is_read_like_any_other():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    assert len(read_ledger(Pipe((HEADER + ROW).encode()), PLAIN).lines) == 1


def test_rows_with_too_many_or_too_few_cells_are_problems_and_empty_cells_at_the_end_are_not():
    batch = read(HEADER + ROW.strip() + ",surplus\n" + "invoice,1002\n" + "\n" + ROW.strip() + ",,\n")
    assert problems(batch) == [(2, None, "surplus", "too_many_cells"), (3, None, "1002", "too_few_cells")]
    assert batch.problems[0].parameters == {"expected": 8, "found": 9}
    assert batch.lines.row == [5]
    assert batch.rows_read == 3


def test_broken_quotes_cost_their_row_and_the_rest_is_read():
    batch = read(HEADER + ROW + 'invoice,1002,C1,"Kund" AB,SEK,1.00,2026-01-15,2026-02-14\n' + ROW.replace("1001", "1003"))
    assert problems(batch) == [(3, None, None, "quotes_misplaced")]
    assert batch.lines.number == ["1001", "1003"]


def test_a_quote_that_is_never_closed_is_told_and_not_swallowed():
    batch = read(HEADER + ROW + 'invoice,1002,C1,"Kund AB,SEK,1.00,2026-01-15,2026-02-14\n' + ROW.replace("1001", "1003"))
    assert problems(batch) == [(3, None, None, "quote_not_closed")]
    assert batch.lines.number == ["1001"]


def test_rows_before_a_broken_record_are_kept_in_a_long_file():
    rows = [ROW.replace("1001", str(number)) for number in range(12_000)]
    rows[7_000] = 'invoice,"7000"x,C1,Kund,SEK,1.00,2026-01-15,2026-02-14\n'
    batch = read(HEADER + "".join(rows))
    assert len(batch.lines) == 11_999
    assert problems(batch) == [(7_002, None, None, "quotes_misplaced")]
    assert batch.lines.row[-1] == 12_001
    assert batch.lines.number[-1] == "11999"


def test_a_list_keeps_what_it_took_before_its_source_fails():
    def records():
        yield from (1, 2, 3)
        raise csv.Error

    taken: list[int] = []
    with pytest.raises(csv.Error):
        taken.extend(islice(records(), 10))
    assert taken == [1, 2, 3]


def test_line_breaks_in_quotes_belong_to_the_cell():
    batch = read(HEADER + ROW.replace("Kund AB", '"Kund\nAB"') + ROW.replace("1001", "1002"))
    assert batch.problems == ()
    assert batch.lines.customer_name[0] == "Kund AB"
    assert batch.lines.row == [2, 3]


def test_a_cell_without_end_is_a_problem():
    batch = read(HEADER + ROW + ROW.replace("Kund AB", "K" * 140_000) + ROW.replace("1001", "1003"))
    assert [(problem.row, problem.code) for problem in batch.problems] == [(3, "cell_too_long")]
    assert read(HEADER + ROW.replace("Kund", "K" * 600)).problems[0].code == "too_long"


def test_titles_above_the_headings_and_an_announced_delimiter_are_passed_over():
    batch = read("sep=;\nReceivables of Exporter AB;;\n\n" + (HEADER + ROW).replace(",", ";"))
    assert batch.lines.row == [5]
    assert batch.detection.find("delimiter").reason == "announced_in_file"
    assert batch.detection.find("header_row").value == "4"


def test_a_heading_that_stands_twice_is_refused_when_it_is_needed():
    with pytest.raises(InvalidValues) as caught:
        read(HEADER.replace("customer_name", "gross") + ROW)
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [("heading_repeated", "columns.gross")]


def test_a_heading_that_stands_twice_is_noted_when_it_is_not_needed():
    batch = read(HEADER.strip() + ",note,note\n" + ROW.strip() + ",a,b\n")
    assert len(batch.lines) == 1
    assert batch.detection.find("repeated_heading").value == "note"


def test_missing_columns_are_told_all_at_once():
    with pytest.raises(InvalidValues) as caught:
        read("kind,customer_name,note\ninvoice,Kund,x\n")
    assert [problem.path for problem in caught.value.problems] == [
        "columns.number",
        "columns.document_on",
        "columns.currency",
        "columns.gross",
    ]


def test_every_bad_row_is_reported_with_every_reason():
    rows = [
        "invoice,1,C1,Kund,SEK,abc,2026-01-15,2026-02-14",
        "invoice,2,C1,Kund,XQX,1.00,2026-02-30,2026-02-14",
        "invoice,,C1,Kund,SEK,1.00,2026-01-15,2026-02-14",
        "bill,4,C1,Kund,SEK,1.00,2026-01-15,2026-02-14",
        "invoice,5,,,SEK,1.00,2026-01-15,2026-02-14",
        "invoice,6,C1,Kund,,1.00,2026-01-15,2026-02-14",
        "invoice,7,C1,Kund,SEK,,2026-01-15,2026-02-14",
        "invoice,8,C1,Kund,SEK,1.00,,2026-02-14",
        "invoice,9,C1,Kund,SEK,1.00,2026-01-15,",
        "invoice,10,C1,Kund,SEK,-1.00,2026-01-15,2026-02-14",
        "invoice,11,C1,Kund,JPY,1.50,2026-01-15,2026-02-14",
        "invoice,12,C1,Kund,SEK,1.00,2026-01-15,2026-02-14",
        "invoice,12,C1,Kund,SEK,2.00,2026-01-15,2026-02-14",
        "credit_note,13,C1,Kund,SEK,-1.00,2026-01-15,",
    ]
    batch = read(HEADER + "\n".join(rows))
    assert problems(batch) == [
        (2, "gross", "abc", "not_an_amount"),
        (3, "currency", "XQX", "unknown_currency"),
        (3, "document_date", "2026-02-30", "no_such_date"),
        (4, "number", "", "missing"),
        (5, "kind", "bill", "unknown_kind"),
        (6, "customer_number", "", "missing"),
        (7, "currency", "", "missing"),
        (8, "gross", "", "missing"),
        (9, "document_date", "", "missing"),
        (10, "due_date", "", "due_date_missing"),
        (11, "gross", "-1.00", "negative_invoice"),
        (12, "gross", "1.50", "too_many_decimals"),
        (14, "number", "12", "number_repeated"),
        (15, "gross", "-1.00", "sign_not_expected"),
    ]
    assert batch.lines.number == ["12"]
    assert batch.bad_rows == 13
    assert batch.rows_read == 14


def test_a_due_date_before_the_invoice_is_only_a_warning():
    batch = read(HEADER + ROW.replace("2026-02-14", "2026-01-14"))
    assert len(batch.lines) == 1
    assert [(warning.row, warning.code) for warning in batch.warnings] == [(2, "due_before_invoice")]


@pytest.mark.parametrize(("first", "second"), [("01/02/2026", "03/04/2026"), ("13/02/2026", "02/13/2026")])
def test_an_ambiguous_date_order_is_asked_and_the_answer_is_kept(first: str, second: str):
    text = HEADER + ROW.replace("2026-01-15", first) + ROW.replace("1001", "1002").replace("2026-01-15", second)
    found = refusal(text)
    assert found.code == "ambiguous_date_order"
    assert found.parameters["column"] == "document_date"
    assert found.parameters["example"] in {first, second}
    seen = preview(io.BytesIO(text.encode()), PLAIN)
    assert [(question.aspect, question.column) for question in seen.questions] == [("date_order", "document_date")]
    assert seen.batch is None
    text = HEADER + ROW.replace("2026-01-15", "01/02/2026")
    assert read(text, PLAIN.with_answers(date_order=DateOrder.DMY)).lines.invoice_on == [date(2026, 2, 1)]
    answered = PLAIN.with_answers(date_orders={"document_date": DateOrder.MDY})
    assert read(text, answered).lines.invoice_on == [date(2026, 1, 2)]


def test_the_whole_column_decides_the_date_order():
    rows = [ROW.replace("1001", str(number)).replace("2026-01-15", "01/02/2026") for number in range(9_000)]
    rows.append(ROW.replace("1001", "last").replace("2026-01-15", "31/01/2026"))
    assert read(HEADER + "".join(rows)).lines.invoice_on[0] == date(2026, 2, 1)


def test_thousands_or_decimals_are_asked_about():
    found = refusal((HEADER + ROW).replace("125.00", "1.000"))
    assert (found.code, found.parameters["column"], found.parameters["example"]) == ("ambiguous_decimal_separator", "gross", "1.000")
    assert read((HEADER + ROW).replace("125.00", "1.000"), PLAIN.with_answers(decimal_separator=",")).lines.gross_minor == [100_000]


def test_another_column_settles_how_amounts_are_written():
    text = HEADER.replace("gross", "gross;open").replace(",", ";") + ROW.replace(",", ";").replace("125.00", "1.000;12,50")
    batch = read(text)
    assert (batch.lines.gross_minor, batch.lines.open_minor) == ([100_000], [1250])


def test_net_tax_and_gross_must_add_up():
    header = HEADER.replace("gross", "net,vat,gross")
    rows = [ROW.replace("125.00", "100.00,25.00,125.00"), ROW.replace("1001", "1002").replace("125.00", "100.00,25.00,")]
    rows += [
        ROW.replace("1001", "1003").replace("125.00", ",25.00,125.00"),
        ROW.replace("1001", "1004").replace("125.00", "100.00,25.00,125.01"),
    ]
    batch = read(header + "".join(rows))
    assert batch.lines.net_minor == batch.lines.net_minor[:1] * 3 == [10_000] * 3
    assert batch.lines.gross_minor == [12_500] * 3
    assert problems(batch) == [(5, "gross", "125.01", "amounts_do_not_add_up")]
    assert batch.problems[0].parameters["gross_minor"] == 12_501


def test_payments_and_credit_notes_reduce_the_invoice_they_name():
    rows = ROW + "payment,,,,SEK,100.00,2026-02-01,\n".replace(",,,,", ",,,,", 1) + "credit_note,K1,C1,Kund AB,SEK,25.00,2026-02-02,\n"
    text = HEADER.strip() + ",applies_to\n" + "".join(line + ",1001\n" for line in rows.splitlines())
    batch = read(text.replace("2026-02-14,1001", "2026-02-14,"))
    assert batch.problems == ()
    payment, note = batch.lines.line(1), batch.lines.line(2)
    assert (payment.kind, payment.paid_on, payment.invoice_on, payment.gross_minor, payment.applies_to, payment.customer_number) == (
        DocumentKind.PAYMENT,
        date(2026, 2, 1),
        None,
        10_000,
        "1001",
        None,
    )
    assert (note.kind, note.invoice_on, note.paid_on, note.due_on, note.applies_to) == (
        DocumentKind.CREDIT_NOTE,
        date(2026, 2, 2),
        None,
        None,
        "1001",
    )


def test_a_payment_that_names_neither_customer_nor_invoice_is_bad():
    assert problems(read(HEADER + ROW + "payment,,,,SEK,100.00,2026-02-01,\n")) == [(3, "customer_number", "", "missing")]


def test_names_of_a_customer_are_gathered():
    rows = ROW + ROW.replace("1001", "1002").replace("Kund AB", "KUND  Aktiebolag") + ROW.replace("1001", "1003")
    batch = read(HEADER + rows)
    assert batch.customers["C1"].name == "Kund AB"
    assert batch.customers["C1"].trading_names == ("KUND Aktiebolag",)


def test_reading_twice_gives_the_same_marks_whatever_the_form():
    first = read(HEADER + ROW)
    again = read(HEADER + ROW)
    semicolons = read((HEADER + ROW).replace("125.00", "125.00").replace(",", ";").replace("2026-01-15", "15.01.2026"))
    assert first.sha256 == again.sha256 != semicolons.sha256
    assert first.lines.fingerprint == again.lines.fingerprint == semicolons.lines.fingerprint


def test_progress_is_told_and_reading_can_be_called_off():
    text = HEADER + "".join(ROW.replace("1001", str(number)) for number in range(12_000))
    seen: list[tuple[int, int]] = []
    read(text, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(text), len(text))
    assert len(seen) >= 3
    assert refusal(text, cancelled=lambda: True).code == "cancelled"


def test_too_many_rows_or_columns_are_refused():
    text = HEADER + "".join(ROW.replace("1001", str(number)) for number in range(6_000))
    assert refusal(text, limits=FileLimits(rows=5_000)).code == "too_many_rows"
    assert refusal(HEADER + ROW, limits=FileLimits(columns=5)).code == "too_many_columns"


def test_the_content_decides_what_a_file_is_and_a_wrong_extension_is_told():
    batch = read(HEADER + ROW, name="ledger.xlsx")
    assert batch.detection.file_type is FileType.DELIMITED
    finding = batch.detection.find("extension")
    assert (finding.reason, finding.parameters["found"]) == ("extension_differs", "delimited")
    assert read(HEADER + ROW).detection.find("extension") is None


def test_a_file_without_delimiters_or_headings_is_refused():
    assert refusal("only one column\n1\n2\n").code == "delimiter_not_found"
    assert refusal("1,2,3\n4,5,6\n7,8,9\n").code == "header_not_found"


def test_formulas_in_text_stay_text():
    batch = read(HEADER + ROW.replace("Kund AB", "=cmd|'/c calc'!A0"))
    assert batch.lines.customer_name == ["=cmd|'/c calc'!A0"]
