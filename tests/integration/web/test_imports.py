"""The wizard in the browser, without a script running: upload, mapping, check, import, result, undo."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from support.pages import PageClient
from support.tenants import Tenant, log_in
from support.workbooks import ods, ods_row, old_workbook, workbook

from insureflow.domain.access import Role
from insureflow.services import tasks

HEADINGS = "Invoice no;Customer no;Customer name;Country;Amount;Invoice date;Due date"
GOOD = "\n".join([HEADINGS, "F1;1001;Müller;DE;1.190,00;13.05.2026;12.06.2026", "F2;1002;Åkesson;SE;50,00;14.05.2026;13.06.2026", ""])
BAD = "\n".join(
    [
        HEADINGS,
        "F1;1001;Müller;DE;1.190,00;13.05.2026;12.06.2026",
        "F2;=1+1;Åkesson;SE;=SUM(A1);14.05.2026;31.06.2026",
        "F1;1;X;DE;1,00;13.05.2026;14.05.2026",
        "",
    ]
)
AMBIGUOUS = f"{HEADINGS}\nF1;1001;Müller;DE;1.190,00;04.05.2026;03.06.2026\n"


@pytest.fixture
def clerk(client: PageClient, organisation: Tenant) -> PageClient:
    log_in(client, organisation, Role.RECEIVABLES_CLERK)
    return client


def upload(client: PageClient, content: bytes | str, name: str = "ledger.csv", **form: str) -> Any:
    """Send a file."""
    data = content.encode("cp1252") if isinstance(content, str) else content
    return client.post(
        "/imports/new", data={"entity": "SE01", **form, "file": (io.BytesIO(data), name)}, content_type="multipart/form-data"
    )


def number_of(response: Any) -> int:
    """The batch that an answer leads to."""
    found = re.search(r"/imports/(\d+)", response.headers["Location"])
    assert found
    return int(found[1])


def mapping_form(client: PageClient, batch: int, **changes: str) -> dict[str, str]:
    """What the mapping page would send, with some answers changed."""
    text = client.get(f"/imports/{batch}/mapping").get_data(as_text=True)
    form = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', text))
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body) or re.search(r'<option value="([^"]*)"', body)
        form[name] = chosen[1] if chosen else ""
    form.pop("profile", None)
    return form | changes


def work(app: Flask) -> None:
    """Do what waits in the queue."""
    with app.app_context():
        while tasks.run_next() is not None:
            pass


def test_the_whole_way_through_the_wizard(app: Flask, clerk: PageClient) -> None:
    assert "Nothing imported yet" in clerk.get("/imports/").get_data(as_text=True)
    clerk.get("/imports/new")
    batch = number_of(upload(clerk, GOOD))
    page = clerk.get(f"/imports/{batch}/mapping").get_data(as_text=True)
    for seen in ("cp1252", "semicolon", "day, month, year", "comma", "Müller", "Åkesson"):
        assert seen in page
    answer = clerk.post(f"/imports/{batch}/mapping", data=mapping_form(clerk, batch, check="yes"))
    assert answer.status_code == 302, answer.get_data(as_text=True)
    page = clerk.get(f"/imports/{batch}").get_data(as_text=True)
    assert "Every row can be booked" in page
    assert "1,240.00" in page
    assert "2 new buyers to review" in page
    clerk.post(f"/imports/{batch}/run")
    assert "waiting" in clerk.get(f"/imports/{batch}").get_data(as_text=True)
    assert "progress" in clerk.get(f"/imports/{batch}/progress", headers={"HX-Request": "true"}).get_data(as_text=True)
    work(app)
    page = clerk.get(f"/imports/{batch}").get_data(as_text=True)
    assert "The file is in the ledger" in page
    assert "Undo this import" in page
    assert "ledger.csv" in clerk.get("/imports/").get_data(as_text=True)
    assert clerk.get(f"/imports/{batch}/mapping").status_code == 302
    assert "was taken back" in clerk.post(f"/imports/{batch}/undo", follow_redirects=True).get_data(as_text=True)


_CELLS: list[list[object]] = [
    HEADINGS.split(";"),
    ["F1", 1001, "Müller", "Germany", 1190.5, date(2026, 5, 4), date(2026, 6, 3)],
    ["F2", 1002, "Åkesson", "SWE", 50, date(2026, 5, 14), date(2026, 6, 13)],
]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("ledger.xlsx", workbook({"Ledger": _CELLS}), "Excel workbook"),
        ("ledger.xls", old_workbook(_CELLS), "old Excel workbook"),
        ("ledger.ods", ods("".join(map(ods_row, _CELLS))), "OpenDocument spreadsheet"),
    ],
)
def test_workbooks_go_through_the_wizard_like_text(app: Flask, clerk: PageClient, name: str, content: bytes, kind: str) -> None:
    batch = number_of(upload(clerk, content, name))
    page = clerk.get(f"/imports/{batch}/mapping").get_data(as_text=True)
    assert kind in page
    assert "Please decide" not in page
    assert clerk.post(f"/imports/{batch}/mapping", data=mapping_form(clerk, batch, check="yes")).status_code == 302
    assert "Every row can be booked" in clerk.get(f"/imports/{batch}").get_data(as_text=True)
    clerk.post(f"/imports/{batch}/run")
    work(app)
    page = clerk.get(f"/imports/{batch}").get_data(as_text=True)
    assert "The file is in the ledger" in page
    assert "1,240.50" in page
    assert "1001: Müller" in page
    with clerk.get("/buyers/?format=csv") as answer:
        rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert {cell for row in rows for cell in row} >= {"DE", "SE"}


def test_rows_of_two_entities_become_two_imports(app: Flask, client: PageClient, make_organisation: Callable[..., Tenant]) -> None:
    group = make_organisation("Group", entities={"SE01": ("SE", "SEK"), "DE01": ("DE", "EUR")})
    log_in(client, group, Role.RECEIVABLES_CLERK)
    headings = HEADINGS + ";Company code;VAT number"
    rows = [
        "F1;1001;Müller;DE;1.190,00;13.05.2026;12.06.2026;SE01;DE136695976",
        "F2;77;Mueller;DE;5,00;14.05.2026;13.06.2026;DE01;136695976",
    ]
    batch = number_of(upload(client, "\n".join([headings, *rows, ""])))
    client.post(f"/imports/{batch}/mapping", data=mapping_form(client, batch, check="yes"))
    client.post(f"/imports/{batch}/run")
    work(app)
    page = client.get(f"/imports/{batch}").get_data(as_text=True)
    found = re.search(r'They are imports of their own:\s*<a href="(/imports/\d+)">DE01</a>', page)
    assert found
    other = client.get(found[1]).get_data(as_text=True)
    assert "77: Müller" in other
    assert "One customer number for a known buyer" in other
    foreign = "\n".join([headings, *(row.replace("E01", "001").replace("F", "G") for row in rows), ""])
    batch = number_of(upload(client, foreign))
    client.post(f"/imports/{batch}/mapping", data=mapping_form(client, batch, check="yes"))
    assert "Every row can be booked" in client.get(f"/imports/{batch}").get_data(as_text=True)
    asked = mapping_form(client, batch, check="yes") | {"field-entity_code": "Company code"}
    client.post(f"/imports/{batch}/mapping", data=asked)
    assert "No entity has this code. Known are: DE01, SE01." in client.get(f"/imports/{batch}").get_data(as_text=True)


def test_an_ambiguous_order_of_dates_must_be_answered(clerk: PageClient) -> None:
    batch = number_of(upload(clerk, AMBIGUOUS))
    assert "could be read both ways" in clerk.get(f"/imports/{batch}/mapping").get_data(as_text=True)
    form = mapping_form(clerk, batch, check="yes")
    answer = clerk.post(f"/imports/{batch}/mapping", data=form)
    assert answer.status_code == 422
    assert "please decide" in answer.get_data(as_text=True)
    decided = {name: "dmy" for name in form if re.fullmatch(r"order-\d+", name)}
    assert clerk.post(f"/imports/{batch}/mapping", data=form | decided).status_code == 302
    assert "Every row can be booked" in clerk.get(f"/imports/{batch}").get_data(as_text=True)


def test_bad_rows_are_shown_and_can_be_downloaded_safely(app: Flask, clerk: PageClient) -> None:
    batch = number_of(upload(clerk, BAD))
    clerk.post(f"/imports/{batch}/mapping", data=mapping_form(clerk, batch, check="yes"))
    page = clerk.get(f"/imports/{batch}").get_data(as_text=True)
    assert "Nothing was imported: some rows are bad" in page
    assert "Import the good rows only" in page
    assert "=SUM(A1)" in page
    with clerk.get(f"/imports/{batch}?format=csv") as answer:
        text = answer.get_data().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert any("'=SUM(A1)" in row for row in rows)
    clerk.post(f"/imports/{batch}/run", data={"good_rows": "yes"})
    work(app)
    assert "The file is in the ledger" in clerk.get(f"/imports/{batch}").get_data(as_text=True)


def test_a_mapping_is_saved_used_again_and_deleted(clerk: PageClient) -> None:
    batch = number_of(upload(clerk, GOOD))
    answer = clerk.post(
        f"/imports/{batch}/mapping", data=mapping_form(clerk, batch, save="yes", profile_name="Our ledger"), follow_redirects=True
    )
    assert "The mapping was saved" in answer.get_data(as_text=True)
    taken = clerk.post(f"/imports/{batch}/mapping", data=mapping_form(clerk, batch, save="yes", profile_name="plain"))
    assert taken.status_code == 422
    again = number_of(upload(clerk, GOOD, profile="Our ledger"))
    assert clerk.get(f"/imports/{again}/mapping").status_code == 200
    page = clerk.get("/imports/profiles").get_data(as_text=True)
    found = re.search(r"/imports/profiles/(\d+)/delete", page)
    assert found
    page = clerk.post(found[0], follow_redirects=True).get_data(as_text=True)
    assert "Our ledger" not in page


def test_an_upload_can_be_discarded_and_a_waiting_import_cancelled(app: Flask, clerk: PageClient) -> None:
    batch = number_of(upload(clerk, GOOD))
    clerk.post(f"/imports/{batch}/mapping", data=mapping_form(clerk, batch, check="yes"))
    clerk.post(f"/imports/{batch}/run")
    clerk.post(f"/imports/{batch}/cancel")
    work(app)
    assert "cancelled" in clerk.get(f"/imports/{batch}").get_data(as_text=True)
    assert "The file was discarded" in clerk.post(f"/imports/{batch}/discard", follow_redirects=True).get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cut.xlsx", b"PK\x03\x04" + bytes(200), "damaged or cut off"),
        ("empty.csv", b"", "is empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(50), "cannot be read"),
        ("words.csv", b"just some words and nothing else", "headings"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_a_reason(clerk: PageClient, name: str, content: bytes, words: str) -> None:
    answer = upload(clerk, content, name)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert "Nothing imported yet" in clerk.get("/imports/").get_data(as_text=True)


def test_a_zip_bomb_is_refused(clerk: PageClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(60 * 1024 * 1024))
    answer = upload(clerk, packed.getvalue(), "bomb.xlsx")
    assert answer.status_code == 422
    assert "zip bomb" in answer.get_data(as_text=True)


def test_a_file_above_the_limit_is_answered_with_a_page(app: Flask, clerk: PageClient) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 2048
    answer = upload(clerk, b"a" * 4096)
    assert answer.status_code == 413
    text = answer.get_data(as_text=True)
    assert "too large" in text
    assert "This installation takes files of up to 0.002\u00a0MiB." in text
    assert "INSUREFLOW_MAX_UPLOAD_MIB" in text


def test_who_may_only_look_cannot_import(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    log_in(client, organisation, Role.RECEIVABLES_CLERK)
    batch = number_of(upload(client, GOOD))
    login(client, Role.AUDITOR)
    assert client.get("/imports/").status_code == 200
    assert client.get("/imports/new").status_code == 403
    assert client.post(f"/imports/{batch}/run").status_code == 403


def test_another_organisation_sees_nothing_of_it(clerk: PageClient, make_organisation: Callable[..., Tenant]) -> None:
    batch = number_of(upload(clerk, GOOD))
    log_in(clerk, make_organisation("Other"), Role.ADMINISTRATOR)
    assert clerk.get(f"/imports/{batch}").status_code == 404
    assert clerk.get(f"/imports/{batch}/mapping").status_code == 404
    assert "ledger.csv" not in clerk.get("/imports/").get_data(as_text=True)
