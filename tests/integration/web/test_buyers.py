"""The pages of buyers: the list, each page about one buyer, and the forms that change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import TODAY, Account, add_buyer, add_invoice, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.limits import AccountActKind
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.services import buyers, limits
from insureflow.services.buyers import BuyerDetails
from insureflow.services.limits import NewAct, NewDecision
from insureflow.services.transaction import transaction

ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.AUDITOR, Role.MANAGEMENT)
PAGES = ("", "/invoices", "/limits", "/details", "/journal")


@pytest.fixture
def account(app: Flask, keeping: Callable[..., Any]) -> Account:
    made = keeping("buyers_on_pages", partial(_account, app))
    assert isinstance(made, Account)
    return made


def _account(app: Flask) -> Account:
    account = make_account(app, roles=ROLES)
    with app.app_context(), within(account.organisation_id):
        new = NewDecision(account.buyer_id, account.policy_id, 100_000_00, "EUR", date(2026, 1, 15))
        limits.record_decision(account.tenant.actor(), account.organisation_id, new, TODAY)
        add_invoice(account, "A1", 120_000_00)
        add_invoice(account, "A2", 5_000_00, shipped_on=date(2026, 6, 20))
    return account


@pytest.fixture
def manager(client: PageClient, account: Account) -> PageClient:
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    client.get(f"/buyers/?on={TODAY.isoformat()}")
    return client


def find(app: Flask, account: Account, name: str) -> Buyer | None:
    with app.app_context(), within(account.organisation_id):
        return db.session.scalar(select(Buyer).where(Buyer.legal_name == name))


def test_the_list_is_searched_filtered_and_exported(manager: PageClient, app: Flask, account: Account) -> None:
    text = manager.get("/buyers/?q=MULLER+gmbh").get_data(as_text=True)
    assert "Müller GmbH" in text
    assert "125,000.00" in text
    assert "over the limit" in text
    assert "Nothing matches" in manager.get("/buyers/?stopped=yes").get_data(as_text=True)
    assert "Müller GmbH" in manager.get("/buyers/?over_limit=yes&situation=in_force&country=DE").get_data(as_text=True)
    with manager.get("/buyers/?format=csv") as response:
        assert "Müller GmbH,DE,,in force,125000.00,EUR" in response.get_data(as_text=True)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_a_buyer_stands(manager: PageClient, account: Account, page: str) -> None:
    log_in(manager, account.tenant, Role.ADMINISTRATOR)
    for day in ("2026-06-30", "2025-06-30", "2027-06-30"):
        assert manager.get(f"/buyers/{account.buyer_id}{page}?on={day}").status_code == 200
    assert manager.get(f"/buyers/999999{page}").status_code == 404


def test_the_overview_says_how_the_buyer_stands(manager: PageClient, app: Flask, account: Account) -> None:
    text = manager.get(f"/buyers/{account.buyer_id}").get_data(as_text=True)
    assert "125,000.00\u00a0EUR is owed; 25,000.00\u00a0EUR of it is not covered." in text
    assert "Limit and amount owed under POL-N1" in text
    assert "Invoice A1 of 120,000.00" in text
    invoices = manager.get(f"/buyers/{account.buyer_id}/invoices").get_data(as_text=True)
    assert "/receivables/" in invoices
    with app.app_context(), within(account.organisation_id):
        stop = NewAct(account.buyer_id, account.policy_id, AccountActKind.STOP_COVER, date(2026, 6, 1))
        limits.record_act(account.tenant.actor(), account.organisation_id, stop, TODAY)
    assert "goods shipped now will never be insured" in manager.get(f"/buyers/{account.buyer_id}").get_data(as_text=True)


def test_a_buyer_without_anything_teaches(manager: PageClient, app: Flask, account: Account) -> None:
    with app.app_context(), within(account.organisation_id):
        quiet = add_buyer(account.tenant, "Quiet Oy", "FI")
        owing = add_buyer(account.tenant, "Owing Oy", "FI")
        add_invoice(account, "Q1", 1_000_00, buyer_id=owing)
    assert "Nothing is owed on this day." in manager.get(f"/buyers/{quiet}").get_data(as_text=True)
    assert "Never asked is not refused" in manager.get(f"/buyers/{quiet}/limits").get_data(as_text=True)
    assert "1,000.00\u00a0EUR" in manager.get(f"/buyers/{owing}").get_data(as_text=True)


def form_data(**changes: str) -> dict[str, str]:
    return {
        "legal_name": "Åkerlöf & Söner AB",
        "country": "SE",
        "language": "sv",
        "sector": "46",
        "parent": "",
        "not_insurable": "",
        "names-0-kind": "trading",
        "names-0-name": "Åkerlöfs",
        "identifiers-0-scheme": "vat",
        "identifiers-0-country": "",
        "identifiers-0-value": "556703748501",
        "addresses-0-kind": "registered",
        "addresses-0-street": "Storgatan 1",
        "addresses-0-city": "Stockholm",
        "addresses-0-country": "",
        "insurer_numbers-0-insurer": "Atradius",
        "insurer_numbers-0-number": "4711",
    } | changes


def test_a_buyer_is_added_and_changed_by_form(manager: PageClient, app: Flask, account: Account) -> None:
    assert manager.get("/buyers/new").status_code == 200
    entity = str(account.tenant.entity_id)
    added = manager.post("/buyers/new", data=form_data(**{"customer_numbers-0-entity": entity, "customer_numbers-0-number": "2001"}))
    assert added.status_code == 302
    made = find(app, account, "Åkerlöf & Söner AB")
    assert made is not None
    details = manager.get(f"/buyers/{made.id}/details").get_data(as_text=True)
    for text in ("SE556703748501", "form verified", "Storgatan 1", "wholesale trade", "Swedish", "2001", "4711", "Åkerlöfs"):
        assert text in details, text
    form = manager.get(f"/buyers/{made.id}/edit").get_data(as_text=True)
    assert 'value="SE556703748501"' in form
    changed = manager.post(
        f"/buyers/{made.id}/edit",
        data=form_data(
            legal_name="Åkerlöf AB", parent="müller", **{"customer_numbers-0-entity": entity, "customer_numbers-0-number": "2001"}
        ),
    )
    assert changed.status_code == 302
    assert "Müller GmbH" in manager.get(f"/buyers/{made.id}/details").get_data(as_text=True)
    assert "Åkerlöf AB" in manager.get(f"/buyers/{account.buyer_id}/details").get_data(as_text=True)
    log_in(manager, account.tenant, Role.ADMINISTRATOR)
    journal = manager.get(f"/buyers/{made.id}/journal").get_data(as_text=True)
    assert "buyer changed" in journal
    assert "Legal name" in journal


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"legal_name": ""}, "Nothing was saved yet"),
        ({"identifiers-0-value": "556703748601"}, "The check digit of"),
        ({"language": "xx-nonsense"}, "is not a language"),
        ({"parent": "nobody"}, "No buyer is called"),
        ({"customer_numbers-0-entity": "1", "customer_numbers-0-number": "1001"}, "belongs to Müller GmbH already"),
    ],
)
def test_a_wrong_form_is_shown_again_with_what_was_typed(
    manager: PageClient, app: Flask, account: Account, changes: dict[str, str], sentence: str
) -> None:
    if "customer_numbers-0-entity" in changes:
        changes = {**changes, "customer_numbers-0-entity": str(account.tenant.entity_id)}
    sent = manager.post("/buyers/new", data=form_data(**changes))
    assert sent.status_code == 422
    assert sentence in sent.get_data(as_text=True)
    assert 'value="Åkerlöfs"' in sent.get_data(as_text=True)
    assert find(app, account, "Åkerlöf & Söner AB") is None


def test_buyers_of_a_ledger_are_reviewed(manager: PageClient, app: Flask, account: Account) -> None:
    with app.app_context(), transaction(account.organisation_id) as session:
        key = buyers.create_for_review(session, account.tenant.entity_id, "3001", "Müller Handels GmbH", "DE")
    text = manager.get("/buyers/?status=to_review").get_data(as_text=True)
    assert "1 buyer came with a ledger and waits for your review." in text
    assert "Confirm the buyers on this page" in text
    assert "Perhaps this buyer is known already" in manager.get(f"/buyers/{key}/details").get_data(as_text=True)
    assert manager.post("/buyers/confirm", data={"buyer": str(key)}).status_code == 302
    made = find(app, account, "Müller Handels GmbH")
    assert made is not None
    assert made.status is BuyerStatus.ACTIVE


def test_two_buyers_are_merged_after_a_search(manager: PageClient, app: Flask, account: Account) -> None:
    with app.app_context(), within(account.organisation_id):
        double = add_buyer(account.tenant, "Mueller Handels GmbH")
        french = add_buyer(account.tenant, "Mueller SARL", "FR")
    address = f"/buyers/{account.buyer_id}/merge"
    assert "Buyers with a similar name" in manager.get(address).get_data(as_text=True)
    assert "Mueller Handels GmbH" in manager.get(address + "?search=mueller").get_data(as_text=True)
    refused = manager.post(address, data={"merged": str(french)})
    assert refused.status_code == 422
    assert "in different countries" in refused.get_data(as_text=True)
    assert manager.post(address, data={"merged": str(double)}).status_code == 302
    assert find(app, account, "Mueller Handels GmbH") is None
    assert manager.post(address, data={"merged": "nonsense"}).status_code == 422


def test_a_buyer_goes_into_the_archive_and_comes_back(manager: PageClient, app: Flask, account: Account) -> None:
    with app.app_context(), within(account.organisation_id):
        quiet = add_buyer(account.tenant, "Quiet Oy", "FI")
    assert "still owes" in manager.post(f"/buyers/{account.buyer_id}/archive", follow_redirects=True).get_data(as_text=True)
    assert "is in the archive" in manager.post(f"/buyers/{quiet}/archive", follow_redirects=True).get_data(as_text=True)
    assert "Quiet Oy" not in manager.get("/buyers/").get_data(as_text=True)
    assert "Quiet Oy" in manager.get("/buyers/?status=archived").get_data(as_text=True)
    assert "out of the archive" in manager.post(f"/buyers/{quiet}/restore", follow_redirects=True).get_data(as_text=True)


def test_who_may_not_change_sees_no_way_to(client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.AUDITOR)
    assert "Add a buyer" not in client.get("/buyers/").get_data(as_text=True)
    assert client.get("/buyers/new").status_code == 403
    assert client.post(f"/buyers/{account.buyer_id}/archive").status_code == 403


def test_another_organisation_finds_nothing(client: PageClient, app: Flask, account: Account) -> None:
    other = make_account(app, "Baltic Valves")
    log_in(client, other.tenant)
    for page in PAGES:
        assert client.get(f"/buyers/{account.buyer_id}{page}").status_code == 404
    assert client.get(f"/buyers/{account.buyer_id}/edit").status_code == 404
    assert client.post(f"/buyers/{account.buyer_id}/archive").status_code == 404
    with app.app_context(), within(other.organisation_id), pytest.raises(Exception, match="buyer_unknown"):
        buyers.change_buyer(other.tenant.actor(), other.organisation_id, account.buyer_id, BuyerDetails("x", "DE"), TODAY)
