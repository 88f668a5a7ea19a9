"""Requests out and answers in by file, in the browser and on the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.accounts import TODAY, Account, make_account, within
from support.pages import PageClient

from insureflow.domain.access import Role
from insureflow.services import limit_requests
from insureflow.services.limit_requests import NewLimitRequest

ANSWER = b"customer_number,decided,decided_on,requested,insurer_reference\n1001,90000,2026-06-30,150000,CL-1\n"


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app, "Harbour Tools", roles=(Role.ADMINISTRATOR, Role.AUDITOR))
    with app.app_context(), within(account.organisation_id):
        key = limit_requests.draft(
            account.tenant.actor(), account.organisation_id, NewLimitRequest(account.buyer_id, account.policy_id, 150_000_00), TODAY
        ).id
        limit_requests.submit(account.tenant.actor(), account.organisation_id, key, Role.ADMINISTRATOR, TODAY)
    return account


def test_a_request_leaves_as_a_download_and_its_answer_comes_back(client: PageClient, login: Callable[..., Any], account: Account) -> None:
    login(client, Role.ADMINISTRATOR, account.tenant)
    assert "1 request waits to be sent by file." in client.get("/limit-exchange/").text
    sent = client.post("/limit-exchange/export", data={"export-policy": "POL-H1", "export-form": "csv"})
    assert (sent.status_code, sent.mimetype) == (200, "text/csv")
    assert sent.headers["Content-Disposition"].startswith("attachment; filename=requests-POL-H1-")
    assert b"Harbour Tools" in sent.data
    page = client.get("/limit-exchange/").text
    assert "1 request was written to a file." in page
    assert "1 request waits for an answer" in page
    nothing = client.post("/limit-exchange/export", data={"export-policy": "POL-H1", "export-form": "csv"})
    assert (nothing.status_code, "No request under POL-H1" in nothing.text) == (422, True)

    def upload(data: bytes, **more: str) -> Any:
        given = {"import-policy": "POL-H1", "import-profile": "plain", "import-file": (io.BytesIO(data), "answers.csv"), **more}
        return client.post("/limit-exchange/import", data=given, content_type="multipart/form-data")

    bad = upload(ANSWER.replace(b"1001", b"9"))
    assert (bad.status_code, "No buyer" in bad.text or "buyer" in bad.text) == (422, True)
    assert "so nothing was" in bad.text
    assert "1 decisions would be entered" in upload(ANSWER, **{"import-dry_run": "y"}).text
    assert upload(ANSWER).status_code == 302
    assert "No request waits" in client.get("/limit-exchange/").text
    broken = upload(b"UNB+UNOB:3+A+B'")
    assert (broken.status_code, "cut off" in broken.text or "not written" in broken.text) == (422, True)
    assert client.post("/limit-exchange/import", data={"import-policy": "POL-H1"}).status_code == 422


def test_only_those_who_ask_for_limits_see_the_page(client: PageClient, login: Callable[..., Any], account: Account) -> None:
    login(client, Role.AUDITOR, account.tenant)
    assert client.get("/limit-exchange/").status_code == 403
    assert client.post("/limit-exchange/export").status_code == 403


def test_the_command_line_writes_and_reads_the_same_files(account: Account, invoke: Callable[..., Any], tmp_path: Path) -> None:
    def run(command: str, *arguments: object) -> Any:
        return invoke("limits", command, *map(str, arguments), "-o", "harbour-tools", "-p", "POL-H1")

    written = run("export-requests", "--to", tmp_path, "--as", "receco_d96a", "--recipient", "ATRADIUS", "--format", "json")
    assert written.exit_code == 0, written.output
    assert Path(json.loads(written.output)["file"]).read_bytes().startswith(b"UNA:+.? '\nUNB+UNO")
    again = run("export-requests", "--to", tmp_path)
    assert (again.exit_code, "No request under" in again.output) == (0, True)
    path = tmp_path / "answers.csv"
    path.write_bytes(ANSWER.replace(b"1001", b"9"))
    refused = run("import-decisions", path, "--on", "2026-06-30")
    assert (refused.exit_code, "row 2" in refused.output) == (1, True)
    path.write_bytes(ANSWER)
    for added, options in ((1, ("--dry-run",)), (1, ()), (0, ())):
        done = run("import-decisions", path, "--on", "2026-06-30", "--format", "json", *options)
        assert (done.exit_code, json.loads(done.output)[0]["added"]) == (0, added)
    assert "0 decisions entered, 1 known already" in run("import-decisions", path, "--on", "2026-06-30").output
