"""The two public ledgers and the e-invoice samples beside the repository; skipped, and said so, where that folder is absent."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from insureflow.connectors.ledgers.batch import LedgerBatch
from insureflow.connectors.ledgers.profile_files import get_shipped_profile
from insureflow.connectors.ledgers.reading import preview, read_ledger
from insureflow.domain.receivables import DocumentKind, ImportMode

SHARED = Path(os.environ.get("INSUREFLOW_SHARED") or Path(__file__).parents[5] / "shared") / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the folder with real ledgers is not there"),
]


def test_settled_invoices_with_payment_dates():
    batch = read_ledger(SHARED / "ledgers" / "ibm-late-payments.csv", get_shipped_profile("ibm-late-payments"))
    lines = batch.lines
    assert batch.problems == ()
    assert len(lines) == batch.rows_read == 2_466
    assert len(batch.customers) == 100
    assert lines.total_minor() == {"USD": 14_770_318}
    late = [settled > due for settled, due in zip(lines.settled_on, lines.due_on, strict=True) if settled is not None and due is not None]
    assert len(late) == 2_466
    assert sum(late) == 877
    assert sum(lines.was_disputed) == 561
    assert not any(lines.disputed)
    assert Counter(lines.country) == {"EG": 387, None: 2_079}
    assert {warning.code for warning in batch.warnings} == {"unknown_country"}


def test_the_date_order_of_the_settled_invoices_is_proved_by_the_file_itself():
    seen = preview(SHARED / "ledgers" / "ibm-late-payments.csv")
    assert seen.missing_fields == ("currency",)
    assert seen.suggestion.profile.columns["settled_on"].columns == ("SettledDate",)


def test_open_items_in_two_currencies():
    batch = read_ledger(SHARED / "ledgers" / "highradius-open-items.csv", get_shipped_profile("highradius-open-items"))
    lines = batch.lines
    assert batch.problems == ()
    assert batch.mode is ImportMode.OPEN_ITEMS
    assert len(lines) == batch.rows_read == 9_700
    assert len(set(lines.customer_number)) == len(batch.customers) == 664
    assert lines.total_minor() == {"USD": 27_511_371_683, "CAD": 4_447_100_908}
    assert lines.open_minor == lines.gross_minor
    assert lines.number[0] == "1930571429"
    assert Counter(warning.code for warning in batch.warnings) == {"due_before_invoice": 32}
    assert len(set(lines.fingerprint)) == 9_700
    assert sum(1 for names in batch.customers.values() if names.trading_names) == 664 - 265 - one_name_after_tidying(batch)


def one_name_after_tidying(batch: LedgerBatch) -> int:
    """Customers whose names differ only in spaces, so that one name is left."""
    import csv

    spelled: dict[str, set[str]] = {}
    with (SHARED / "ledgers" / "highradius-open-items.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            spelled.setdefault(row["cust_number"], set()).add(row["name_customer"])
    return sum(1 for names in spelled.values() if len(names) > 1 and len({" ".join(name.split()) for name in names}) == 1)


INVOICES = {
    "Allowance-example.xml": ("EUR", 590_000, 122_500, 712_500, 612_500),
    "GR-base-example-TaxRepresentative.xml": ("EUR", 132_500, 33_125, 165_625, 165_625),
    "GR-base-example-correct.xml": ("EUR", 132_500, 33_125, 165_625, 165_625),
    "Norwegian-example-1.xml": ("NOK", 143_650, 36_528, 180_178, 80_200),
    "Vat-category-S.xml": ("EUR", 700_000, 155_000, 855_000, 855_000),
    "base-creditnote-correction.xml": ("EUR", 132_500, 33_125, 165_625, 165_625),
    "base-example.xml": ("EUR", 132_500, 33_125, 165_625, 165_625),
    "base-negative-inv-correction.xml": ("EUR", 132_500, 33_125, 165_625, 165_625),
    "sales-order-example.xml": ("EUR", 132_500, 33_125, 165_625, 165_625),
    "vat-category-E.xml": ("GBP", 120_000, 0, 120_000, 120_000),
    "vat-category-O.xml": ("SEK", 320_000, 0, 320_000, 320_000),
    "vat-category-Z.xml": ("GBP", 120_000, 0, 120_000, 120_000),
}


@pytest.mark.parametrize("name", INVOICES)
def test_e_invoice_samples_have_their_totals(name: str):
    batch = read_ledger(SHARED / "e-invoices" / name, get_shipped_profile("ubl"))
    assert batch.problems == ()
    line = batch.lines.line(0)
    assert (line.currency, line.net_minor, line.vat_minor, line.gross_minor, line.open_minor) == INVOICES[name]
    credit = name in {"base-creditnote-correction.xml", "base-negative-inv-correction.xml"}
    assert line.kind is (DocumentKind.CREDIT_NOTE if credit else DocumentKind.INVOICE)
    assert line.applies_to == ("Snippet1" if credit else None)
    assert line.customer_name
    assert line.country
    assert credit or line.due_on


def test_every_e_invoice_sample_is_expected():
    assert {path.name for path in (SHARED / "e-invoices").glob("*.xml")} == set(INVOICES)
