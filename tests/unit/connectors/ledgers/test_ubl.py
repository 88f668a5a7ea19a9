from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from insureflow.connectors.ledgers.detection import FileType
from insureflow.connectors.ledgers.profile_files import get_shipped_profile
from insureflow.connectors.ledgers.reading import preview, read_ledger
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import DocumentKind

UBL = get_shipped_profile("ubl")

BUYER = """
<cac:AccountingCustomerParty><cac:Party>
  <cbc:EndpointID schemeID="0007">5560000001</cbc:EndpointID>
  <cac:PartyName><cbc:Name>Kund</cbc:Name></cac:PartyName>
  <cac:PostalAddress><cac:Country><cbc:IdentificationCode>SE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
  <cac:PartyTaxScheme><cbc:CompanyID>556000000101</cbc:CompanyID><cac:TaxScheme><cbc:ID>TAX</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyTaxScheme><cbc:CompanyID>SE556000000101</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyLegalEntity><cbc:RegistrationName>Kund Aktiebolag</cbc:RegistrationName><cbc:CompanyID>556000-0001</cbc:CompanyID></cac:PartyLegalEntity>
</cac:Party></cac:AccountingCustomerParty>
"""
TOTALS = """
<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">25.00</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal>
  <cbc:TaxExclusiveAmount currencyID="SEK">100</cbc:TaxExclusiveAmount>
  <cbc:TaxInclusiveAmount currencyID="SEK">125.00</cbc:TaxInclusiveAmount>
  <cbc:PayableAmount currencyID="SEK">125.00</cbc:PayableAmount>
</cac:LegalMonetaryTotal>
"""


def document(
    number: float = "1001",
    *,
    root: str = "Invoice",
    due: str = "<cbc:DueDate>2026-02-14</cbc:DueDate>",
    more: str = "",
    buyer: str = BUYER,
    totals: str = TOTALS,
    before: str = "",
) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        f'<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2" '
        'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
        'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-01-15</cbc:IssueDate>{due}"
        f"<cbc:DocumentCurrencyCode>SEK</cbc:DocumentCurrencyCode>{more}{buyer}{totals}</{root}>"
    ).encode()


def archive(documents: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in documents.items():
            target.writestr(name, content)
    return stream.getvalue()


def read(content: bytes, profile: Any = UBL, name: str = "invoice.xml"):
    return read_ledger(io.BytesIO(content), profile, name=name)


def refusal(content: bytes, profile: Any = UBL) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(content, profile)
    return caught.value


def test_an_invoice_gives_one_line():
    batch = read(document(more="<cbc:BuyerReference>PO 7</cbc:BuyerReference>"))
    line = batch.lines.line(0)
    assert batch.problems == batch.warnings == ()
    assert (line.kind, line.number, line.net_minor, line.vat_minor, line.gross_minor, line.open_minor) == (
        DocumentKind.INVOICE,
        "1001",
        10_000,
        2_500,
        12_500,
        12_500,
    )
    assert (line.invoice_on, line.due_on, line.original_due_on) == (date(2026, 1, 15), date(2026, 2, 14), date(2026, 2, 14))
    assert (line.customer_number, line.customer_name, line.trading_name) == ("5560000001", "Kund Aktiebolag", "Kund")
    assert (line.country, line.vat_number, line.registration_number) == ("SE", "SE556000000101", "556000-0001")
    assert (line.electronic_address, line.reference) == ("0007:5560000001", "PO 7")
    assert batch.customers["5560000001"].trading_names == ("Kund",)


def test_prefixes_do_not_matter():
    plain = document().decode()
    other = plain.replace("cbc:", "b:").replace("cac:", "a:").replace("xmlns:cbc", "xmlns:b").replace("xmlns:cac", "xmlns:a")
    assert read(other.encode()).lines.fingerprint == read(plain.encode()).lines.fingerprint


def test_a_credit_note_names_the_invoice_it_reduces():
    reference = (
        "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>1001</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference>"
    )
    line = read(document("K1", root="CreditNote", due="", more=reference)).lines.line(0)
    assert (line.kind, line.gross_minor, line.applies_to, line.due_on) == (DocumentKind.CREDIT_NOTE, 12_500, "1001", None)


def test_a_negative_invoice_is_a_credit_note_only_where_the_profile_says_so():
    negative = TOTALS.replace(">100<", ">-100<").replace(">125.00<", ">-125.00<").replace(">25.00<", ">-25.00<")
    line = read(document(totals=negative)).lines.line(0)
    assert (line.kind, line.net_minor, line.vat_minor, line.gross_minor, line.open_minor) == (
        DocumentKind.CREDIT_NOTE,
        10_000,
        2_500,
        12_500,
        12_500,
    )
    strict = read(document(totals=negative), replace(UBL, negative_invoice="problem"))
    assert [problem.code for problem in strict.problems] == ["negative_invoice"]


def test_what_was_prepaid_is_not_open():
    totals = TOTALS.replace(
        '<cbc:PayableAmount currencyID="SEK">125.00',
        '<cbc:PrepaidAmount currencyID="SEK">100</cbc:PrepaidAmount><cbc:PayableRoundingAmount currencyID="SEK">-0.20'
        '</cbc:PayableRoundingAmount><cbc:PayableAmount currencyID="SEK">24.80',
    )
    batch = read(document(totals=totals))
    assert (batch.lines.gross_minor, batch.lines.open_minor, batch.warnings) == ([12_500], [2_480], ())
    wrong = read(document(totals=totals.replace(">24.80<", ">24.00<")))
    assert [warning.code for warning in wrong.warnings] == ["payable_differs"]


def test_tax_in_another_currency_is_left_aside():
    totals = '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">2.30</cbc:TaxAmount></cac:TaxTotal>' + TOTALS
    assert read(document(totals=totals)).lines.vat_minor == [2_500]


@pytest.mark.parametrize(
    ("due", "more", "expected", "warnings"),
    [
        ("", "<cac:PaymentTerms><cbc:Note>Payment within 30 days</cbc:Note></cac:PaymentTerms>", date(2026, 2, 14), []),
        ("", "<cac:PaymentMeans><cbc:PaymentDueDate>2026-03-01</cbc:PaymentDueDate></cac:PaymentMeans>", date(2026, 3, 1), []),
        ("", "<cac:PaymentTerms><cbc:Note>10 days, 2 % discount</cbc:Note></cac:PaymentTerms>", date(2026, 1, 15), ["due_date_assumed"]),
        ("<cbc:DueDate>2026-01-01</cbc:DueDate>", "", date(2026, 1, 1), ["due_before_invoice"]),
    ],
)
def test_due_date_from_wherever_it_stands(due: str, more: str, expected: Any, warnings: list[str]):
    batch = read(document(due=due, more=more))
    assert batch.lines.due_on == [expected]
    assert [warning.code for warning in batch.warnings] == warnings


def test_a_payee_other_than_the_seller_is_noted():
    payee = "<cac:PayeeParty><cac:PartyName><cbc:Name>Factoring AB</cbc:Name></cac:PartyName></cac:PayeeParty>"
    warning = read(document(more=payee)).warnings[0]
    assert (warning.code, warning.value) == ("payee_differs", "Factoring AB")


@pytest.mark.parametrize(
    ("content", "code", "path"),
    [
        (document().replace(b"<cbc:ID>1001</cbc:ID>", b""), "missing", "ID"),
        (document().replace(b"2026-01-15", b"2026-01-45"), "no_such_date", "IssueDate"),
        (document().replace(b">SEK<", b">XQX<"), "unknown_currency", "DocumentCurrencyCode"),
        (document().replace(b">125.00<", b">125.01<", 1), "amounts_do_not_add_up", "LegalMonetaryTotal/TaxInclusiveAmount"),
        (document().replace(b">125.00<", b">125,00<", 1), "not_an_amount", "LegalMonetaryTotal/TaxInclusiveAmount"),
        (document().replace(b'"SEK">125.00', b'"NOK">125.00', 1), "currencies_differ", "LegalMonetaryTotal/TaxInclusiveAmount"),
        (document(buyer=""), "missing", "AccountingCustomerParty/Party"),
        (document(totals=""), "missing", "LegalMonetaryTotal"),
        (document().replace(b">SE<", b">QQ<"), "unknown_country", "PostalAddress/Country/IdentificationCode"),
    ],
)
def test_what_is_wrong_in_a_document_is_named(content: bytes, code: Any, path: str):
    batch = read(content)
    assert len(batch.lines) == 0
    assert (code, path) in [(problem.code, problem.column) for problem in batch.problems]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (document()[:-60], "file_damaged"),
        (b"<?xml version='1.0'?><Order/>", "not_an_invoice"),
        (document(before='<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>'), "xml_with_entities"),
        (document(before='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "xml_with_entities"),
        (document().replace(b'"UTF-8"', b'"x-unknown"'), "file_damaged"),
        (b"<" * 3000, "file_damaged"),
    ],
)
def test_documents_that_cannot_be_trusted_are_refused(content: bytes, code: Any):
    assert refusal(content).code == code


def test_an_archive_of_documents_is_read_and_its_bad_ones_are_named():
    content = archive(
        {
            "a/1.xml": document("1"),
            "a/2.xml": document("2")[:-50],
            "a/3.xml": document("3", before='<!DOCTYPE x [<!ENTITY a "b">]>'),
            "__MACOSX/a/._1.xml": b"remnant",
            "readme.txt": b"hello",
            "b/4.XML": document("4"),
        }
    )
    batch = read(content, name="invoices.zip")
    assert batch.detection.file_type is FileType.UBL_ARCHIVE
    assert batch.lines.number == ["1", "4"]
    assert batch.lines.row == [1, 4]
    assert [(problem.row, problem.code, problem.parameters["file"]) for problem in batch.problems] == [
        (2, "file_damaged", "a/2.xml"),
        (3, "xml_with_entities", "a/3.xml"),
    ]
    assert batch.rows_read == 4


def test_several_documents_are_read_together(tmp_path: Path):
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.xml"
        path.write_bytes(document(str(number)))
        paths.append(path)
    batch = read_ledger(paths, UBL)
    assert batch.lines.number == ["0", "1", "2"]
    assert batch.sha256 != read_ledger(paths[:2], UBL).sha256
    text = tmp_path / "ledger.csv"
    text.write_text("a,b\n1,2\n")
    with pytest.raises(Refusal) as caught:
        read_ledger([paths[0], text], UBL)
    assert caught.value.code == "only_documents_together"


def test_a_profile_for_tables_does_not_fit_documents():
    assert refusal(document(), get_shipped_profile("plain")).code == "profile_does_not_fit"
    assert refusal(b"number,gross\n1,2\n").code == "profile_does_not_fit"


def test_documents_are_previewed_without_a_profile():
    seen = preview(io.BytesIO(document()), name="invoice.xml")
    assert seen.batch is not None
    assert seen.batch.lines.number == ["1001"]
    assert seen.rows[0][seen.headers.index("customer_name")] == "Kund Aktiebolag"
