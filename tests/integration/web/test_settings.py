"""The settings pages: the organisation, its entities and its people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.pages import PageClient
from support.tenants import Tenant

from insureflow.domain.access import Role
from insureflow.queries.organisations import list_entities, list_members
from insureflow.services.scoping import within


def test_the_organisation_is_shown(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    login(client, Role.AUDITOR)
    page = client.get("/settings/").text
    assert "Nordic Pumps SE01" in page
    assert "administrator@nordic-pumps.example" in page
    assert "Add an entity" not in page


def test_an_administrator_adds_an_entity(client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant) -> None:
    login(client, Role.ADMINISTRATOR)
    assert client.get("/settings/entities/add").status_code == 200
    sent = {"code": "DE01", "entity_name": "Nordic Pumps GmbH", "country": "DE", "currency": "eur"}
    assert client.post("/settings/entities/add", data=sent).status_code == 302
    with app.app_context(), within(organisation.id):
        assert {(entity.code, entity.country, entity.currency) for entity in list_entities()} == {
            ("SE01", "SE", "SEK"),
            ("DE01", "DE", "EUR"),
        }
    again = client.post("/settings/entities/add", data=sent)
    assert again.status_code == 422
    assert "with the code “DE01” exists already" in again.text
    assert "Nordic Pumps GmbH" in again.text
    assert client.post("/settings/entities/add", data={**sent, "code": "X", "currency": "ZZZ"}).status_code == 422
    assert client.post("/settings/entities/add", data={}).status_code == 422


def test_an_administrator_adds_a_person(client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant) -> None:
    login(client, Role.ADMINISTRATOR)
    assert "import ledgers" in client.get("/settings/members/add").text
    sent = {"email": "new@example.com", "person": "New", "role": "sales", "password": "short"}
    for wrong, words in (
        (sent, "at least 12 characters"),
        ({**sent, "password": ""}, "give a password"),
        ({**sent, "email": "nobody"}, "is not an e-mail address"),
    ):
        answer = client.post("/settings/members/add", data=wrong)
        assert answer.status_code == 422
        assert words in answer.text
    assert client.post("/settings/members/add", data={**sent, "password": "quite long enough"}).status_code == 302
    with app.app_context(), within(organisation.id):
        assert ("new@example.com", Role.SALES) in {(user.email, membership.role) for user, membership in list_members()}
    assert "works in this organisation already" in client.post("/settings/members/add", data={**sent, "password": "quite long enough"}).text


def test_an_administrator_changes_a_role_and_removes_a_person(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant
) -> None:
    me = login(client, Role.ADMINISTRATOR)
    person = organisation.logins[Role.SALES]
    address = f"/settings/members/{person.user_id}"
    assert address in client.get("/settings/").text
    assert "Works in Nordic Pumps as sales." in client.get(address).text
    assert "has this role already" in client.post(address, data={"role": "sales"}).text
    assert client.post(address, data={"role": "king"}).status_code == 422
    assert client.post(address, data={"role": "auditor"}).location == "/settings/"
    with app.app_context(), within(organisation.id):
        assert (person.email, Role.AUDITOR) in {(user.email, membership.role) for user, membership in list_members()}
    assert f"Remove {person.email} from Nordic Pumps?" in client.get(f"{address}/remove").text
    assert client.post(f"{address}/remove", data={}).status_code == 302
    assert client.get(address).status_code == 404
    assert client.post(f"{address}/remove", data={}).status_code == 404
    # the last administrator: the role and the place stay, with the reason on the page
    mine = f"/settings/members/{me.user_id}"
    for refused in (client.post(mine, data={"role": "auditor"}), client.post(f"{mine}/remove", data={})):
        assert refused.status_code == 422
        assert "Make somebody else an administrator first." in refused.text


def test_who_gives_the_own_role_away_starts_from_the_first_page(
    client: PageClient, login: Callable[..., Any], organisation: Tenant
) -> None:
    me = login(client, Role.ADMINISTRATOR)
    other = organisation.logins[Role.CREDIT_MANAGER].user_id
    assert client.post(f"/settings/members/{other}", data={"role": "administrator"}).status_code == 302
    assert client.post(f"/settings/members/{me.user_id}", data={"role": "sales"}).location == "/"
    assert client.get("/settings/").status_code == 403


@pytest.mark.parametrize("role", [Role.CREDIT_MANAGER, Role.AUDITOR])
def test_others_add_nobody(client: PageClient, login: Callable[..., Any], organisation: Tenant, role: Role) -> None:
    login(client, role)
    for address in ("/settings/entities/add", "/settings/members/add"):
        assert client.get(address).status_code == 403
        assert client.post(address, data={}).status_code == 403
    login(client, Role.SALES)
    assert client.get("/settings/").status_code == 403
