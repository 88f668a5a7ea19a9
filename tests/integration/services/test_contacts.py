"""People at buyers, desks of insurers, letterheads: by service, page, file and command."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.errors import InvalidValues
from insureflow.i18n.languages import letter_language
from insureflow.models.database import db
from insureflow.models.documents import BuyerContact, Letterhead, PolicyContact
from insureflow.services import contacts
from insureflow.services.contacts import ContactDetails
from insureflow.services.transaction import transaction


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app, roles=(Role.ADMINISTRATOR, Role.RECEIVABLES_CLERK, Role.AUDITOR))


def test_the_language_of_a_letter() -> None:
    assert letter_language(contact="fr", buyer="de", country="SE", organisation="sv") == "fr"
    assert letter_language(contact="pl", buyer="de-AT", country="SE", organisation="sv") == "de"
    assert letter_language(contact=None, buyer=None, country="BE", organisation="sv") == "nl"
    assert letter_language(contact=None, buyer="zh-Hans", country="PL", organisation="sv") == "sv"
    assert letter_language(contact=None, buyer=None, country=None, organisation="ja") == "en"


def test_people_at_a_buyer_on_the_pages(app: Flask, client: PageClient, account: Account) -> None:
    buyer, policy = account.buyer_id, account.policy_id
    log_in(client, account.tenant, Role.RECEIVABLES_CLERK)
    assert "No contact yet" in client.get(f"/contacts/buyers/{buyer}").get_data(as_text=True)
    typed = {"name": "Åsa Öst", "role": "Accounts", "email": "asa at pumpen", "phone": "+49 1", "language": "fr", "gets_letters": "y"}
    refused = client.post(f"/contacts/buyers/{buyer}/new", data=typed)
    assert refused.status_code == 422
    assert "asa at pumpen" in refused.get_data(as_text=True)
    hostile = {**typed, "email": "a@b.example\r\nBcc: x@y.example"}
    assert client.post(f"/contacts/buyers/{buyer}/new", data=hostile).status_code == 422
    assert client.post(f"/contacts/buyers/{buyer}/new", data={**typed, "email": "asa@PUMPEN.example"}).status_code == 302
    page = client.get(f"/contacts/buyers/{buyer}").get_data(as_text=True)
    assert "asa@pumpen.example" in page
    assert "French" in page
    with app.app_context(), transaction(account.organisation_id) as session:
        contact = session.scalars(select(BuyerContact)).one()
        key = contact.id
        assert contacts.mark_bounced(session, ["ASA@pumpen.example"], contact.created_at) == 1
    assert "mail comes back" in client.get(f"/contacts/buyers/{buyer}").get_data(as_text=True)
    assert client.post(f"/contacts/people/{key}", data={**typed, "email": "new@pumpen.example", "language": ""}).status_code == 302
    page = client.get(f"/contacts/buyers/{buyer}").get_data(as_text=True)
    assert "mail comes back" not in page
    assert "German" in page
    file = (io.BytesIO("buyer;email;name\nMüller GmbH;extra@pumpen.example;Extra\nNobody;x@y.example;X\n".encode("cp1252")), "c.csv")
    imported = client.post("/contacts/import", data={"file": file}, content_type="multipart/form-data").get_data(as_text=True)
    assert "1 new, 0 changed, 0 as they were, 1 rows not taken." in imported
    for content, said in (
        ("buyer;email;role;gets_letters\nMüller GmbH;extra@pumpen.example;Treasurer;no\n", "0 new, 1 changed, 0 as they were"),
        ("buyer;email;role;phone\nMüller GmbH;extra@pumpen.example;;\n", "0 new, 0 changed, 1 as they were"),
    ):
        again = {"file": (io.BytesIO(content.encode("cp1252")), "c.csv")}
        assert said in client.post("/contacts/import", data=again, content_type="multipart/form-data").get_data(as_text=True)
    with app.app_context(), within(account.organisation_id):
        extra = db.session.scalars(select(BuyerContact).where(BuyerContact.email == "extra@pumpen.example")).one()
        assert (extra.name, extra.role, extra.gets_letters) == ("Extra", "Treasurer", False)  # empty cells say nothing
    assert client.post(f"/contacts/people/{key}/remove").status_code == 302
    assert client.get(f"/contacts/people/{key}").status_code == 404
    assert client.get("/contacts/letterheads").status_code == 403

    log_in(client, account.tenant)
    head = {"address": "Hamngatan 1\n111 47 Stockholm", "email": "ar@seller.example", "bank_account": "SE45 5000 0000 0583 9825 7466"}
    assert client.post(f"/contacts/letterheads/{account.tenant.entity_id}", data=head).status_code == 302
    assert "Hamngatan 1" in client.get("/contacts/letterheads").get_data(as_text=True)
    desk = {"email": "notices@insurer.example", "language": "en", "portal": "javascript:alert(1)"}
    assert client.post(f"/contacts/policies/{policy}/notices", data=desk).status_code == 422
    assert client.post(f"/contacts/policies/{policy}/notices", data={**desk, "portal": "https://portal.example/x"}).status_code == 302
    assert "notices@insurer.example" in client.get(f"/contacts/policies/{policy}").get_data(as_text=True)
    nothing = {"name": "", "address": "", "email": "", "portal": "", "language": "en"}
    assert client.post(f"/contacts/policies/{policy}/notices", data=nothing).status_code == 302
    with app.app_context(), within(account.organisation_id):
        assert db.session.scalars(select(PolicyContact)).all() == []
    log_in(client, account.tenant, Role.AUDITOR)
    assert client.get(f"/contacts/buyers/{buyer}/new").status_code == 403
    assert "Add a contact" not in client.get(f"/contacts/buyers/{buyer}").get_data(as_text=True)


def test_contacts_by_command(app: Flask, account: Account, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    slug = account.tenant.slug
    added = runner.invoke(args=["contacts", "add", "-o", slug, "--buyer", str(account.buyer_id), "--email", "one@pumpen.example"])
    assert added.exit_code == 0, added.output
    file = tmp_path / "contacts.csv"
    file.write_text(
        "entity,customer_number,email,name,gets_letters\n"
        "SE01,1001,one@pumpen.example,One,no\nSE01,1001,two@pumpen.example,Two,yes\nSE01,9,x@y.example,,\nSE01,1001,broken,,perhaps\n"
    )
    first = runner.invoke(args=["contacts", "import", str(file), "-o", slug, "--format", "json"])
    assert first.exit_code == 1
    outcome = json.loads(first.stdout)
    assert (outcome["added"], outcome["changed"], outcome["known"]) == (1, 1, 0)
    assert [(each["row"], each["code"]) for each in outcome["problems"]] == [(4, "contact_buyer_unknown"), (5, "contact_not_yes_or_no")]
    again = json.loads(runner.invoke(args=["contacts", "import", str(file), "-o", slug, "--format", "json"]).stdout)
    assert (again["added"], again["changed"], again["known"]) == (0, 0, 2)
    assert "two@pumpen.example" in runner.invoke(args=["contacts", "list", "-o", slug, "--buyer", str(account.buyer_id)]).output
    bad = tmp_path / "bad.csv"
    bad.write_text("what,else\n1,2\n")
    assert runner.invoke(args=["contacts", "import", str(bad), "-o", slug]).exit_code == 1
    head = runner.invoke(
        args=["contacts", "letterhead", "-o", slug, "-e", "SE01", "--address", "Street 1;111 Town", "--bank-account", "SE45"]
    )
    assert head.exit_code == 0, head.output
    with app.app_context():
        with within(account.organisation_id):
            assert db.session.scalars(select(Letterhead)).one().address == "Street 1\n111 Town"
        with pytest.raises(InvalidValues):
            contacts.add_contact(account.tenant.actor(), account.organisation_id, account.buyer_id, ContactDetails(role="nobody"))
