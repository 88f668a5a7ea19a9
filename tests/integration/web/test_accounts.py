from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from support.pages import PageClient
from support.tenants import PASSWORD

from insureflow.domain.access import Role


def test_nobody_sees_a_page_without_logging_in(client: PageClient, organisation: Any) -> None:
    answer = client.get("/account/password")
    assert answer.status_code == 302
    assert answer.location.startswith("/login")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.SALES])
def test_somebody_logged_in_is_known(client: PageClient, login: Any, role: Role) -> None:
    login(client, role)
    assert client.get("/account/password").status_code == 200


def test_the_day_of_the_figures_is_said_in_the_readers_words(client: PageClient, login: Any) -> None:
    login(client, Role.AUDITOR)
    assert '<span class="as-of-day" id="as-of-day">3 Feb 2026</span>' in client.get("/buyers/?on=2026-02-03").get_data(as_text=True)
    assert '<span class="as-of-day" id="as-of-day">3 feb. 2026</span>' in client.get("/buyers/?language=sv").get_data(as_text=True)


def test_the_log_in_page_lets_the_right_person_in(client: PageClient, organisation: Any) -> None:
    person = organisation.logins[Role.CREDIT_MANAGER]
    assert client.get("/login").status_code == 200
    wrong = client.post("/login", data={"email": person.email, "password": "not the password"})
    assert wrong.status_code in {200, 401, 422}
    assert client.get("/account/password").status_code == 302
    right = client.post("/login", data={"email": person.email, "password": PASSWORD})
    assert right.status_code == 302
    assert client.get("/account/password").status_code == 200


def test_a_form_without_its_token_changes_nothing(client: PageClient, organisation: Any) -> None:
    client.sends_token = False
    person = organisation.logins[Role.CREDIT_MANAGER]
    answer = client.post("/login", data={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 400


def test_confirming_that_it_is_you_looks_like_the_log_in(client: PageClient, login: Any) -> None:
    login(client, Role.CREDIT_MANAGER)
    text = client.get("/verify?next=/settings/").get_data(as_text=True)
    assert "Confirm that it is you" in text
    assert "css/app.css" in text
    wrong = client.post("/verify?next=/settings/", data={"password": "not the password"})
    assert "Confirm that it is you" in wrong.get_data(as_text=True)
    assert "field-error" in wrong.get_data(as_text=True)
    right = client.post("/verify?next=/settings/", data={"password": PASSWORD})
    assert right.status_code == 302
    assert right.location.endswith("/settings/")


def test_every_page_of_the_accounts_has_our_look(app: Flask, client: PageClient, login: Any) -> None:
    """Whatever page Flask-Security opens by a setting must be given a template of ours first."""
    login(client, Role.SALES)
    names = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("security.")}
    assert names == {"security.static", "security.login", "security.logout", "security.verify", "security.change_password"}
    for address in ("/verify", "/account/password"):
        assert "css/app.css" in client.get(address).get_data(as_text=True)
    client.sends_token = False
    assert client.post("/logout").status_code == 400
