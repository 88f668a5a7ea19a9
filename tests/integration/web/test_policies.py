"""Policies in the browser: from a preset to terms in words, new terms, corrections, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.pages import PageClient
from support.tenants import Tenant

from insureflow.domain.access import Role
from insureflow.queries import policies as queries
from insureflow.services import journal, policies
from insureflow.services.policies import list_presets
from insureflow.services.scoping import within

FACTS = {
    "way": "form",
    "number": "AT-100",
    "policy_name": "Atradius whole turnover",
    "insurer": "Atradius",
    "product": "Modula",
    "currency": "EUR",
    "limit_currency": "",
    "priority": "10",
    "entities": ["SE01"],
    "effective_on": "2026-01-01",
    "note": "first year",
}


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send of the terms form as it stands."""
    from html.parser import HTMLParser

    class Form(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.values: dict[str, Any] = {}
            self.select = self.area = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            own = dict(attrs)
            name = own.get("name") or ""
            if tag == "input" and own.get("type") == "checkbox":
                if "checked" in own:
                    self.values.setdefault(name, []).append(own.get("value") or "y")
            elif tag == "input" and name and own.get("type") != "submit":
                self.values[name] = own.get("value") or ""
            elif tag == "select":
                self.select = name
            elif tag == "textarea":
                self.area = name
                self.values[name] = ""
            elif tag == "option" and self.select and ("selected" in own or self.select not in self.values):
                self.values[self.select] = own.get("value") or ""

        def handle_endtag(self, tag: str) -> None:
            self.select = "" if tag == "select" else self.select
            self.area = "" if tag == "textarea" else self.area

        def handle_data(self, data: str) -> None:
            if self.area:
                self.values[self.area] += data

    form = Form()
    form.feed(page[page.index('<main id="main"') :])
    return form.values


def make_policy(app: Flask, tenant: Tenant, **more: Any) -> int:
    values = {"number": "AT-1", "name": "Atradius", "preset": "atradius-nl", "currency": "EUR", "entities": ["SE01"]}
    from datetime import date

    with app.app_context():
        return policies.add_policy(tenant.actor(), tenant.id, effective_on=date(2026, 1, 1), on=date(2026, 6, 1), **{**values, **more}).id


def terms_on(app: Flask, tenant: Tenant, policy_id: int, index: int = -1) -> dict[str, Any]:
    with app.app_context(), within(tenant.id):
        return dict(queries.list_versions(policy_id)[index].data)


def test_a_policy_is_made_from_a_preset(client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant) -> None:
    login(client, Role.CREDIT_MANAGER)
    assert "No policy yet" in client.get("/policies/").text
    assert "Atradius in the Netherlands" in client.get("/policies/new").text
    page = client.get("/policies/new/atradius-nl").text
    assert "parameters to confirm from the policy document" in page
    sent = {**fields_of(page), **FACTS}
    sent |= {"insured_percentage-default": "90", "maximum_credit_terms": "90", "countries_covered": "de, fr NL", "vat_covered": "y"}
    sent |= {"aggregate_first_loss-amount": "25000", "aggregate_first_loss-erosion": "before_percentage"}
    answer = client.post("/policies/new/atradius-nl", data=sent)
    assert answer.status_code == 302, answer.text
    shown = client.get(answer.location).text
    assert "60 days from the original due date" in shown
    assert "25,000.00\u00a0EUR a year" in shown
    assert "France, Germany, Netherlands" in shown
    assert "postponement does not move it" in shown, "the fact of the preset's source"
    policy_id = int(answer.location.rpartition("/")[2])
    data = terms_on(app, organisation, policy_id)
    assert data["insured_percentage"] == {"default": "90"}
    assert data["maximum_credit_terms"] == {"days": 90, "from": "invoice_date"}
    assert data["vat_covered"] is True
    with app.app_context():
        base = policies.prepare_terms(currency="EUR", limit_currency="EUR", preset=policies.get_preset("atradius-nl"))
    changed = {"insured_percentage", "maximum_credit_terms", "countries_covered", "vat_covered", "aggregate_first_loss"}
    assert {name: value for name, value in data.items() if name not in changed} == {
        name: v for name, v in base.items() if name not in changed
    }


def test_the_form_of_every_preset_gives_back_its_terms(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant
) -> None:
    """What the form shows and what it does not show both survive being saved unchanged."""
    login(client, Role.ADMINISTRATOR)
    for preset in list_presets():
        currency = preset.currency or "EUR"
        sent = {**fields_of(client.get(f"/policies/new/{preset.key}").text), **FACTS, "number": preset.key, "currency": currency}
        answer = client.post(f"/policies/new/{preset.key}", data=sent)
        assert answer.status_code == 302, f"{preset.key}: {answer.text}"
        policy_id = int(answer.location.rpartition("/")[2])
        with app.app_context():
            expected = policies.prepare_terms(currency=currency, limit_currency=currency, preset=preset)
        assert terms_on(app, organisation, policy_id) == expected, preset.key
        assert client.get(f"/policies/presets/{preset.key}").status_code == 200


def test_what_was_typed_is_kept_and_every_problem_shown(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant
) -> None:
    login(client, Role.CREDIT_MANAGER)
    sent = {**fields_of(client.get("/policies/new/plain").text), **FACTS, "note": "typed by me"}
    sent |= {
        "insured_percentage-default": "120",
        "maximum_extension_period": "sixty",
        "countries_covered": "XX",
        "claims_threshold-amount": "1.234",
    }
    answer = client.post("/policies/new/plain", data=sent)
    assert answer.status_code == 422
    for words in (
        "typed by me",
        "sixty",
        "120 is outside 0 to 100",
        "“sixty” is not a whole number",
        "“XX” is not a country code",
        "more decimals",
    ):
        assert words in answer.text, words
    assert client.post("/policies/new/plain", data={**FACTS, "number": "", "effective_on": ""}).status_code == 422
    with app.app_context(), within(organisation.id):
        assert queries.list_insurers() == []


def test_the_same_number_is_refused_at_its_field(client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant) -> None:
    make_policy(app, organisation, number="AT-100")
    login(client, Role.ADMINISTRATOR)
    answer = client.post("/policies/new/plain", data={**fields_of(client.get("/policies/new/plain").text), **FACTS})
    assert answer.status_code == 422
    assert "with the number “AT-100” exists already" in answer.text
    answer = client.post(
        "/policies/new/plain", data={**fields_of(client.get("/policies/new/plain").text), **FACTS, "number": "2", "entities": []}
    )
    assert answer.status_code == 422
    assert "insures at least one entity" in answer.text


def test_the_expert_editor_takes_over_what_was_typed(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant
) -> None:
    login(client, Role.ADMINISTRATOR)
    sent = {**fields_of(client.get("/policies/new/plain").text), **FACTS, "insured_percentage-default": "85", "to_text": "1"}
    page = client.post("/policies/new/plain", data=sent)
    assert page.status_code == 200
    typed = fields_of(page.text)
    assert typed["number"] == "AT-100"
    assert "default: &#39;85&#39;" in page.text
    assert "default: '85'" in typed["text"]
    wrong = {**typed, "text": typed["text"] + "\ncolour: red\nmaximum_credit_terms: {days: -1}\n"}
    answer = client.post("/policies/new/plain", data=wrong)
    assert answer.status_code == 422
    assert "policy.colour: there is no such parameter" in answer.text
    assert "policy.maximum_credit_terms.days" in answer.text
    assert client.post("/policies/new/plain", data={**typed, "text": "a: [1"}).status_code == 422
    right = {**typed, "text": typed["text"] + "\ncountry_schedule: {BR: {maximum_credit_terms: {days: 30}}}\n"}
    answer = client.post("/policies/new/plain", data=right)
    assert answer.status_code == 302
    shown = client.get(answer.location).text
    assert "Country schedule" in shown
    assert "Brazil" in shown
    assert "30 days from the invoice date" in shown


def test_new_terms_are_dated_and_their_difference_is_told(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant
) -> None:
    policy_id = make_policy(app, organisation)
    login(client, Role.CREDIT_MANAGER)
    sent = fields_of(client.get(f"/policies/{policy_id}/terms/new").text)
    sent |= {"effective_on": "2026-07-01", "note": "endorsement 2", "maximum_extension_period": "45"}
    answer = client.post(f"/policies/{policy_id}/terms/new", data=sent)
    assert answer.status_code == 302, answer.text
    page = client.get(f"/policies/{policy_id}?on=2026-07-01").text
    assert "45 days from the original due date (before: 60 days from the original due date)" in page
    assert "endorsement 2" in page
    earlier = client.get(f"/policies/{policy_id}?on=2026-06-30").text
    assert "announced" in earlier
    client.get("/policies/?on=2026-07-01")
    again = client.post(f"/policies/{policy_id}/terms/new", data={**sent, "maximum_extension_period": "40"})
    assert again.status_code == 422
    assert "There are terms from 1 Jul 2026 already" in again.text
    unchanged = client.post(f"/policies/{policy_id}/terms/new", data={**sent, "effective_on": "2026-08-01"})
    assert unchanged.status_code == 422
    assert "Nothing is different" in unchanged.text
    with app.app_context(), within(organisation.id):
        version_id = queries.list_versions(policy_id)[1].id
    address = f"/policies/{policy_id}/terms/{version_id}"
    assert "maximum_extension_period:" in client.get(address).text
    corrected = fields_of(client.get(f"{address}/correct").text) | {"maximum_extension_period": "50"}
    assert client.post(f"{address}/correct", data=corrected).status_code == 302
    assert terms_on(app, organisation, policy_id)["maximum_extension_period"] == {"days": 50, "from": "original_due_date"}
    assert client.post(f"{address}/delete").status_code == 302
    with app.app_context():
        with within(organisation.id):
            assert len(queries.list_versions(policy_id)) == 1
        assert journal.verify(organisation.id).is_sound


def test_names_and_entities_are_changed_and_an_unused_policy_deleted(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant
) -> None:
    policy_id = make_policy(app, organisation)
    login(client, Role.ADMINISTRATOR)
    sent = fields_of(client.get(f"/policies/{policy_id}/edit").text) | {"policy_name": "Main policy", "priority": "5"}
    assert client.post(f"/policies/{policy_id}/edit", data=sent).status_code == 302
    assert "Main policy" in client.get(f"/policies/{policy_id}").text
    assert client.post(f"/policies/{policy_id}/edit", data={**sent, "policy_name": "", "entities": []}).status_code == 422
    with client.get("/policies/?format=csv") as listed:
        assert "Main policy" in listed.text
    assert client.post(f"/policies/{policy_id}/delete").status_code == 302
    assert client.get(f"/policies/{policy_id}").status_code == 404


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MANAGEMENT, Role.CREDIT_ANALYST])
def test_who_may_only_look_changes_nothing(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant, role: Role
) -> None:
    policy_id = make_policy(app, organisation)
    login(client, role)
    page = client.get(f"/policies/{policy_id}")
    assert page.status_code == 200
    assert "New terms" not in page.text
    for address in ("/policies/new", "/policies/new/plain", f"/policies/{policy_id}/edit", f"/policies/{policy_id}/terms/new"):
        assert client.get(address).status_code == 403
    assert client.post(f"/policies/{policy_id}/delete").status_code == 403
    login(client, Role.SALES)
    assert client.get("/policies/").status_code == 403


def test_another_organisations_policy_is_not_there(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant, make_organisation: Callable[..., Tenant]
) -> None:
    other = make_organisation("Other House")
    policy_id = make_policy(app, other, number="SECRET-1")
    with app.app_context(), within(other.id):
        version_id = queries.list_versions(policy_id)[0].id
    mine = make_policy(app, organisation)
    login(client, Role.ADMINISTRATOR)
    assert "SECRET-1" not in client.get("/policies/").text
    for address in (
        f"/policies/{policy_id}",
        f"/policies/{policy_id}/edit",
        f"/policies/{policy_id}/terms/{version_id}",
        f"/policies/{mine}/terms/{version_id}/correct",
    ):
        assert client.get(address).status_code == 404
    assert client.post(f"/policies/{policy_id}/delete").status_code == 404
    assert client.post(f"/policies/{mine}/terms/{version_id}/delete").status_code == 404


def test_what_presets_quote_is_marked_as_english(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    login(client, Role.ADMINISTRATOR)
    for address in ("/policies/presets", "/policies/presets/atradius-nl", "/policies/new", "/policies/new/atradius-nl"):
        english = client.get(f"{address}?language=en").text
        assert '<span lang="en">' in english, address
        assert "as gathered from what the insurers publish" not in english
    note = "as gathered from what the insurers publish"
    swedish = client.get("/policies/presets/atradius-nl?language=sv").text
    assert swedish.count('<span lang="en">') > 10
    assert '<p class="text-secondary">' in swedish
    assert note in swedish or "engelska" in swedish
