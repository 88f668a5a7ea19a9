"""Files changed at random: whatever arrives is read or refused with a code, and nothing else ever happens."""

from __future__ import annotations

import io
import random
import zipfile
from collections import Counter
from typing import Any

import pytest
import xlsxwriter

from insureflow.connectors.ledgers.profile_files import get_shipped_profile
from insureflow.connectors.ledgers.reading import preview, read_ledger
from insureflow.domain.errors import Refusal

HEADINGS = ["kind", "number", "customer_number", "customer_name", "currency", "gross", "document_date", "due_date"]
TEXT = (",".join(HEADINGS) + "\n" + "".join(f'invoice,{n},C1,"Kött, AB",SEK,8734.71,15.01.2026,14.02.2026\n' for n in range(20))).encode()
UBL = (
    b'<?xml version="1.0" encoding="UTF-8"?><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">'
    b"<ID>1</ID><IssueDate>2026-01-15</IssueDate><DueDate>2026-02-14</DueDate><DocumentCurrencyCode>SEK</DocumentCurrencyCode>"
    b"<AccountingCustomerParty><Party><EndpointID>7</EndpointID></Party></AccountingCustomerParty><LegalMonetaryTotal>"
    b'<TaxInclusiveAmount currencyID="SEK">125.00</TaxInclusiveAmount></LegalMonetaryTotal></Invoice>'
)


def workbook() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Ledger")
        sheet.write_row(0, 0, HEADINGS)
        for row in range(1, 20):
            sheet.write_row(row, 0, ["invoice", row, "C1", "Kund", "SEK", 8734.71, "2026-01-15", "2026-02-14"])
    return stream.getvalue()


def changed(data: bytes, chance: random.Random) -> bytes:
    content = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(content)) if content else 0
        match chance.randint(0, 3):
            case 0 if content:
                content[place] = chance.randrange(256)
            case 1:
                content[place:place] = chance.randbytes(chance.randint(1, 5))
            case 2:
                del content[place : place + chance.randint(1, 30)]
            case _:
                content[place:place] = content[place : place + chance.randint(1, 40)]
    return bytes(content)


def changed_inside(archive: bytes, chance: random.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(entry.filename, changed(data, chance) if data and chance.random() < 0.4 else data)
    return stream.getvalue()


def outcome(content: bytes, profile: str) -> tuple[str, str]:
    results = []
    for read in (lambda: read_ledger(io.BytesIO(content), get_shipped_profile(profile)), lambda: preview(io.BytesIO(content))):
        try:
            read()
        except Refusal as refusal:
            results.append(refusal.code)
        else:
            results.append("read")
    return results[0], results[1]


@pytest.mark.parametrize(
    ("original", "change", "profile"),
    [(TEXT, changed, "plain"), (UBL, changed, "ubl"), (workbook(), changed, "plain"), (workbook(), changed_inside, "plain")],
    ids=["text", "document", "workbook", "inside a workbook"],
)
def test_a_file_changed_at_random_is_read_or_refused(original: bytes, change: Any, profile: Any):
    assert outcome(original, profile)[0] == "read"
    outcomes = Counter(outcome(change(original, random.Random(seed)), profile)[0] for seed in range(250))
    assert sum(outcomes.values()) == 250
    assert outcomes.keys() - {"read"}  # damage is noticed
