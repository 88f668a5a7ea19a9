from __future__ import annotations

import io
from typing import Any

import pytest

from insureflow.connectors.ledgers.cells import cell_text
from insureflow.connectors.ledgers.detection import Certainty
from insureflow.connectors.ledgers.reading import preview, read_ledger
from insureflow.connectors.ledgers.suggestion import suggest_mapping
from insureflow.connectors.ledgers.words import HEADINGS, parse_terms, plain_words
from insureflow.domain.receivables import DocumentKind, ImportMode

FILES = {
    "en": "Invoice No.,Customer ID,Customer Name,Invoice Date,Due Date,Currency,Total Amount\n1,C1,Acme,2026-01-15,2026-02-14,EUR,10.50\n",
    "sv": "Fakturanr;Kundnr;Kundnamn;Fakturadatum;Förfallodatum;Valuta;Belopp\n1;C1;Kund;2026-01-15;2026-02-14;SEK;10,50\n",
    "de": "Belegnr.;Kundennr.;Kundenname;Belegdatum;Fälligkeit;Währung;Bruttobetrag\n1;C1;Kunde;15.01.2026;14.02.2026;EUR;10,50\n",
    "nl": "Factuurnummer;Debiteurnr;Klantnaam;Factuurdatum;Vervaldatum;Valuta;Factuurbedrag\n1;C1;Klant;15-01-2026;14-02-2026;EUR;10,50\n",
    "fr": "N° facture;Code client;Raison sociale;Date de facture;Date d'échéance;Devise;Montant TTC\n1;C1;Client;15/01/2026;14/02/2026;EUR;10,50\n",
    "es": "Nº factura;Código cliente;Razón social;Fecha factura;Fecha vencimiento;Moneda;Importe total\n1;C1;Cliente;15/01/2026;14/02/2026;EUR;10,50\n",
    "id": "Nomor Faktur;Kode Pelanggan;Nama Pelanggan;Tanggal Faktur;Jatuh Tempo;Mata Uang;Jumlah\n1;C1;PT Maju;15/01/2026;14/02/2026;IDR;10,50\n",
}


@pytest.mark.parametrize("language", FILES)
def test_headings_are_known_in_seven_languages(language: str):
    content = FILES[language].encode()
    seen = preview(io.BytesIO(content), name="ledger.csv")
    assert seen.missing_fields == ()
    profile = seen.suggestion.profile
    assert set(profile.columns) == {"number", "customer_number", "customer_name", "document_on", "due_on", "currency", "gross"}
    batch = read_ledger(io.BytesIO(content), profile, name="ledger.csv")
    assert batch.problems == ()
    line = batch.lines.line(0)
    assert (line.number, line.customer_number, line.gross_minor) == ("1", "C1", 1050)
    assert (line.invoice_on.isoformat(), line.due_on.isoformat()) == ("2026-01-15", "2026-02-14")


def test_every_mapping_has_its_reason_and_what_is_left_over_is_told():
    found = suggest_mapping(["InvoiceDate", "Total amount due (gross)", "Shoe size", "Invoice no"], [["2026-01-15", "10.50", "43", "1"]])
    reasons = {reason.value: (reason.column, reason.certainty, reason.reason) for reason in found.reasons}
    assert reasons["document_on"] == ("InvoiceDate", Certainty.CERTAIN, "heading_known")
    assert reasons["number"] == ("Invoice no", Certainty.CERTAIN, "heading_known")
    assert {entry[0] for entry in reasons.values() if entry[1] is Certainty.UNSURE} == {"Total amount due (gross)"}
    assert found.unmapped == ("Shoe size",)


def test_a_heading_counts_only_where_the_cells_fit():
    found = suggest_mapping(["Invoice date", "Date"], [["soon", "2026-01-15"], ["later", "2026-01-16"]])
    assert found.profile.columns["document_on"].columns == ("Date",)


def test_a_list_with_balances_is_taken_for_open_items():
    found = suggest_mapping(["Invoice", "Customer", "Date", "Balance"], [["1", "C", "2026-01-15", "10.00"]])
    assert found.profile.mode is ImportMode.OPEN_ITEMS
    assert found.profile.negative_invoice == "credit_note"


def test_kinds_and_their_signs_are_seen_in_the_sample():
    rows = [["Rechnung", "1", "10,00"], ["Gutschrift", "2", "-5,00"], ["Zahlung", "3", "-5,00"], ["Seltsam", "4", "1,00"]]
    found = suggest_mapping(["Belegart", "Belegnr", "Betrag"], rows)
    assert found.profile.kinds == {
        "Rechnung": DocumentKind.INVOICE,
        "Gutschrift": DocumentKind.CREDIT_NOTE,
        "Zahlung": DocumentKind.PAYMENT,
    }
    assert found.profile.reductions == "negative"


def test_numbers_from_a_table_lose_their_decimal_zero_and_numbers_of_countries_are_looked_up():
    found = suggest_mapping(["Invoice no", "Country"], [["1930571429.0", "752"], ["1930571430.0", "208"]])
    assert found.profile.columns["number"].transforms == ("strip_decimal_zero",)
    assert found.profile.columns["country"].transforms == ("numeric_country",)
    assert found.profile.columns["country"].unknown == "problem"


def test_predictions_are_no_payments():
    found = suggest_mapping(["Payment date predicted"], [["2026-01-15"]])
    assert found.profile.columns == {}


def test_no_heading_stands_for_two_fields_with_the_same_weight():
    first_words = [words[0] for words in HEADINGS.values()]
    assert len(set(first_words)) == len(first_words)
    assert all(words == plain_words(words) for entry in HEADINGS.values() for words in entry)


@pytest.mark.parametrize(
    ("text", "days"), [("30", 30), ("Net 30", 30), ("NET-60", 60), ("30 dagar", 30), ("14 Tage netto", 14), ("30 jours", 30), ("N45", 45)]
)
def test_plain_terms_are_read_from_words(text: str, days: Any):
    assert parse_terms(text).days == days


@pytest.mark.parametrize("text", ["30 EOM", "2/10 net 30", "NAA8", "30 days end of month", "", "cash", "1000"])
def test_terms_that_say_more_are_left_to_the_profile(text: str):
    assert parse_terms(text) is None


def test_cells_are_shown_as_text():
    assert cell_text("x") == "x"
