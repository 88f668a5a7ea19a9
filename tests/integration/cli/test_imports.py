"""Ledger files from the command line: what is printed, what is written, and what hostile files do."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.tenants import Tenant

HEADINGS = "kind,number,customer_number,customer_name,country,currency,gross,document_date,due_date"
GOOD = [
    HEADINGS,
    "invoice,A1,1001,Müller,DE,EUR,100.00,2026-05-04,2026-06-03",
    "invoice,A2,1002,Åkesson,SE,SEK,50.00,2026-05-04,2026-06-03",
]


@pytest.fixture
def take(invoke: Callable[..., Any], organisation: Tenant) -> Callable[..., Any]:
    """Runs ``receivables import`` for the organisation's entity."""

    def run(path: Path, *options: str, profile: str = "plain") -> Any:
        return invoke("receivables", "import", str(path), "-o", organisation.slug, "-e", "SE01", "-p", profile, *options)

    return run


def written(folder: Path, lines: list[str], name: str = "ledger.csv") -> Path:
    """A file with these lines."""
    path = folder / name
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_a_file_is_imported_listed_and_taken_back(
    take: Callable[..., Any], invoke: Callable[..., Any], organisation: Tenant, tmp_path: Path
) -> None:
    path = written(tmp_path, GOOD)
    dry = take(path, "--dry-run", "--format", "json")
    assert (dry.exit_code, json.loads(dry.stdout)["state"]) == (0, "checked")
    result = take(path)
    assert result.exit_code == 0, result.stderr
    assert "Imported as batch" in result.stdout
    assert "100.00" in result.stdout
    told = [line.split() for line in result.stdout.splitlines()]
    assert ["Encoding", "utf-8", "certain"] in told
    assert ["Order", "of", "dates", "due_date", "year,", "month,", "day", "certain"] in told
    assert {"aspect": "delimiter", "column": None, "value": "comma", "certainty": "certain"} in json.loads(dry.stdout)["found"]
    again = take(path)
    assert "nothing was changed" in again.stdout
    listed = json.loads(invoke("receivables", "imports", "-o", organisation.slug, "--format", "json").stdout)
    assert [(row["file"], row["state"], row["new_invoices"]) for row in listed] == [("ledger.csv", "done", 2)]
    undone = invoke("receivables", "undo", str(listed[0]["batch"]), "-o", organisation.slug, "--format", "json")
    assert json.loads(undone.stdout)["invoices"] == 2
    refused = invoke("receivables", "undo", str(listed[0]["batch"]), "-o", organisation.slug)
    assert (refused.exit_code, "cannot be taken back" in refused.stderr) == (1, True)


def test_warnings_are_told_by_kind(take: Callable[..., Any], tmp_path: Path) -> None:
    early = [f"invoice,E{number},1001,Müller,DE,EUR,0.00,2026-05-04,2026-05-0{3 - number}" for number in range(2)]
    result = take(written(tmp_path, [*GOOD, *early]), "--dry-run")
    assert "2 warnings like that of row 4, due_date: The due date 3 May 2026 lies before" in result.stdout
    assert "--problems FILE.csv" in result.stdout


def test_bad_rows_are_all_told_and_written_safely(take: Callable[..., Any], tmp_path: Path) -> None:
    bad = [f"invoice,B{number},=cmd|' /C calc'!A0,X,DE,EUR,=1+{number},2026-05-04,2026-06-03" for number in range(60)]
    problems = tmp_path / "problems.csv"
    result = take(written(tmp_path, [*GOOD, *bad]), "--problems", str(problems))
    assert result.exit_code == 1
    assert "60 of 62 rows are bad" in result.stderr
    assert result.stderr.count("  row ") == 50
    assert "and 10 more" in result.stderr
    assert "Nothing was imported" in result.stderr
    with problems.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 61
    assert rows[1][:3] == ["4", "gross", "'=1+0"]
    assert all(not cell.startswith(("=", "+", "@", "-")) for row in rows for cell in row)
    good = take(written(tmp_path, [*GOOD, *bad]), "--good-rows", "--format", "json")
    assert (good.exit_code, json.loads(good.stdout)["counts"]["new_invoices"]) == (0, 2)


def test_open_items_of_a_day_and_options(take: Callable[..., Any], tmp_path: Path) -> None:
    bare = [HEADINGS.replace(",currency", ""), "invoice,A1,1001,Müller,DE,100.00,2026-05-04,2026-06-03"]
    profile = tmp_path / "own.yaml"
    columns = {
        "number": "number",
        "customer_number": "customer_number",
        "gross": "gross",
        "document_on": "document_date",
        "due_on": "due_date",
    }
    profile.write_text(json.dumps({"format": 1, "name": "own", "columns": columns, "defaults": {"currency": "SEK"}}), encoding="utf-8")
    refused = take(written(tmp_path, bare), "--unknown-buyers", "refuse", profile=str(profile))
    assert (refused.exit_code, "No buyer has this customer number" in refused.stderr) == (1, True)
    first = take(
        written(tmp_path, bare), "--mode", "open-items", "--on", "2026-06-01", "--currency", "NOK", "--format", "json", profile=str(profile)
    )
    assert json.loads(first.stdout)["totals"]["invoice"][0]["currency"] == "NOK"
    older = take(written(tmp_path, bare), "--mode", "open-items", "--on", "2026-05-31", profile=str(profile))
    assert (older.exit_code, "was imported already" in older.stderr) == (1, True)


def test_profiles_are_listed_and_unknown_ones_named(
    take: Callable[..., Any], invoke: Callable[..., Any], organisation: Tenant, tmp_path: Path
) -> None:
    names = [row["name"] for row in json.loads(invoke("receivables", "profiles", "-o", organisation.slug, "--format", "json").stdout)]
    assert {"plain", "ubl", "ibm-late-payments", "highradius-open-items"} <= set(names)
    result = take(written(tmp_path, GOOD), profile="nonsense")
    assert (result.exit_code, "There is no profile" in result.stderr) == (1, True)


def test_hostile_files_are_refused_with_a_reason(take: Callable[..., Any], tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(60 * 1024 * 1024))
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(b"PK\x03\x04" + bytes(300))
    for path, words in ((large, "at most"), (bomb, "zip bomb"), (cut, "damaged or cut off")):
        result = take(path)
        assert (result.exit_code, words in result.stderr) == (1, True), (path.name, result.stderr, result.exception)
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes("\n".join([*GOOD, ""]).encode("cp1252"))
    profile = tmp_path / "utf8.yaml"
    columns = {
        "number": "number",
        "customer_number": "customer_name",
        "gross": "gross",
        "document_on": "document_date",
        "due_on": "due_date",
        "currency": "currency",
    }
    profile.write_text(json.dumps({"format": 1, "name": "own", "file": {"encoding": "utf-8"}, "columns": columns}), encoding="utf-8")
    result = take(wrong, profile=str(profile))
    assert (result.exit_code, "does not fit the encoding" in result.stderr) == (1, True), result.stderr


def test_formulas_without_values_are_told(take: Callable[..., Any], tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "formulas.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADINGS.split(","))
    sheet.write_row(1, 0, ["invoice", "A1", "1001", "Müller", "DE", "EUR", 1, "2026-05-04", "2026-06-03"])
    sheet.write_formula(1, 6, "=50*2", value="")
    book.close()
    result = take(path)
    assert (result.exit_code, "formula without a value" in result.stderr) == (1, True), result.stderr


@pytest.mark.shared
def test_the_late_payments_add_up_on_any_day(take: Callable[..., Any], app: Any, organisation: Tenant, shared_folder: Path) -> None:
    result = take(shared_folder / "data" / "ledgers" / "ibm-late-payments.csv", "--format", "json", profile="ibm-late-payments")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["counts"]["new_invoices"] == 2466
    from datetime import date

    from sqlalchemy import func, select

    from insureflow.models.cover import InvoicePosition
    from insureflow.models.database import db
    from insureflow.models.receivables import Invoice, Payment
    from insureflow.models.scope import within

    with app.app_context(), within(organisation.id):
        paid = select(Invoice.number, Invoice.due_on, Invoice.invoice_on, Invoice.net_minor, Payment.received_on).join(
            Payment, Payment.number == Invoice.number + "/settled"
        )
        rows = db.session.execute(paid).all()
        assert (len(rows), sum(row.received_on > row.due_on for row in rows)) == (2466, 877)
        for on in (date(2012, 3, 31), date(2012, 12, 31), date(2013, 6, 15), date(2013, 11, 30), date(2014, 6, 1)):
            expected = sum(row.net_minor for row in rows if row.invoice_on <= on < max(row.received_on, row.invoice_on))
            stood = select(func.coalesce(func.sum(InvoicePosition.ledger_open_minor), 0)).where(
                InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on
            )
            assert int(db.session.scalar(stood) or 0) == expected


@pytest.mark.shared
def test_the_open_items_add_up_by_currency(take: Callable[..., Any], app: Any, organisation: Tenant, shared_folder: Path) -> None:
    path = shared_folder / "data" / "ledgers" / "highradius-open-items.csv"
    result = take(path, "--on", "2020-05-22", "--format", "json", profile="highradius-open-items")
    assert result.exit_code == 0, result.stderr
    data = json.loads(result.stdout)
    assert (data["mode"], data["counts"]["new_invoices"], data["counts"]["new_buyers"]) == ("open_items", 9700, 664)
    assert {each["currency"]: each["amount"] for each in data["totals"]["invoice"]} == {"USD": "275113716.83", "CAD": "44471009.08"}
    assert json.loads(take(path, "--on", "2020-05-22", "--format", "json", profile="highradius-open-items").stdout)["state"] == "unchanged"
    from datetime import date

    from sqlalchemy import func, select

    from insureflow.models.cover import InvoicePosition
    from insureflow.models.database import db
    from insureflow.models.scope import within

    with app.app_context(), within(organisation.id):
        on = date(2020, 5, 22)
        stood = (
            select(InvoicePosition.currency, func.sum(InvoicePosition.ledger_open_minor))
            .where(InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on)
            .group_by(InvoicePosition.currency)
        )
        found = {currency: int(minor) for currency, minor in db.session.execute(stood)}
        assert found == {"USD": 27511371683, "CAD": 4447100908}


def test_rows_of_several_entities_become_a_batch_each(
    invoke: Callable[..., Any], make_organisation: Callable[..., Tenant], tmp_path: Path
) -> None:
    group = make_organisation("Group", entities={"SE01": ("SE", "SEK"), "DE01": ("DE", "EUR")})
    rows = [
        f"{HEADINGS},entity_code,vat_number",
        f"{GOOD[1]},DE01,DE136695976",
        f"{GOOD[2]},SE01,",
        f"{GOOD[1].replace('1001', '77')},SE01,136695976",
    ]
    path = written(tmp_path, rows)
    options = ("-o", group.slug, "-e", "SE01", "-p", "plain")
    dry = json.loads(invoke("receivables", "import", str(path), *options, "--dry-run", "--format", "json").stdout)
    assert (dry["counts"]["new_buyers"], dry["joined_buyers"]) == (2, [{"number": "1001", "name": "Müller"}])
    result = invoke("receivables", "import", str(path), *options)
    assert result.exit_code == 0, result.stderr
    assert "Imported as batches 1 (SE01), 2 (DE01)." in result.stdout
