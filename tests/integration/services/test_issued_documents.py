"""Documents frozen at their issue: numbers, bytes, downloads."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from flask import Flask
from support.accounts import make_account
from support.pages import PageClient
from support.tenants import log_in, make_tenant

from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.services import issued_documents
from insureflow.services.transaction import transaction


def test_a_document_is_numbered_by_year_and_given_out_as_it_was(app: Flask, client: PageClient) -> None:
    account = make_account(app, roles=(Role.ADMINISTRATOR, Role.SALES))
    other = make_tenant(app, "Others", roles=(Role.ADMINISTRATOR,))
    actor = account.tenant.actor()

    def issue(on: date, content: bytes) -> tuple[int, str]:
        with transaction(account.organisation_id) as session:
            made = issued_documents.issue(
                session, actor, kind="reminder", language="de", dated_on=on, facts={"on": on}, name="Mahnung/../x.pdf", content=content,
                buyer_id=account.buyer_id,
            )  # fmt: skip
            return made.id, made.number

    with app.app_context():
        first, number = issue(date(2026, 6, 30), b"%PDF-1.4 one")
        assert number == "D-2026-000001"
        assert [issue(date(2026, 7, 1), b"%PDF-1.4 two")[1], issue(date(2027, 1, 1), b"%PDF-1.4 two")[1]] == [
            "D-2026-000002",
            "D-2027-000001",
        ]
        file = issued_documents.read(account.organisation_id, first)
        assert (file.name, file.content) == ("x.pdf", b"%PDF-1.4 one")
        with pytest.raises(Refusal) as refused:
            issued_documents.read(other.id, first)
        assert refused.value.code == "document_unknown"
        stored = issued_documents.store_of(account.organisation_id)
        path = stored._path(hashlib.sha256(b"%PDF-1.4 one").hexdigest())
        path.write_bytes(b"%PDF-1.4 changed")
        with pytest.raises(Refusal) as altered:
            issued_documents.read(account.organisation_id, first)
        assert altered.value.code == "stored_file_altered"
        path.write_bytes(b"%PDF-1.4 one")

    log_in(client, account.tenant)
    assert "D-2027-000001" in client.get("/documents/").get_data(as_text=True)
    page = client.get(f"/documents/buyers/{account.buyer_id}").get_data(as_text=True)
    assert "D-2026-000002" in page
    assert "reminder" in page
    with client.get(f"/documents/{first}") as download:
        assert download.get_data() == b"%PDF-1.4 one"
        assert download.headers["Content-Disposition"].startswith("attachment")
    log_in(client, other)
    assert client.get(f"/documents/{first}").status_code == 404
    log_in(client, account.tenant, Role.SALES)
    assert client.get(f"/documents/{first}").status_code == 403
