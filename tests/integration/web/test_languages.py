"""Every page answers in the reader's language, wholly: in Swedish no English word is left beside the data."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
import yaml
from babel import Locale
from flask import Flask
from support.pages import PageClient
from support.tenants import PASSWORD, Tenant, log_in
from support.tree import PACKAGE
from support.twins import make_twin
from support.walking import addresses, routes

from insureflow.domain.access import Role

MARK = "AAAMARK"
#: Words that stand in nearly every English sentence or heading of the product and in no Swedish one.
ENGLISH = frozenset(
    re.findall(
        r"\w+",
        """
    the of and is are was were not this that these those with from for by has have had been you your it its which what when
    who why where there here every each until before after against because to as or an
    add amount balance buyer buyers change changed close country covered currency date day days decision delete due duty duties
    enter exchange file invoice invoices ledger list month name nothing number open owed overdue page policies
    policy rate rates read receivable receivables save search select settled shipped show terms today total uncovered yes
        """,
    )
)
#: Addresses whose pages are texts for machines, or pages of a library that the product never leads to.
NOT_OURS = {"security.verify"}
_WORD = re.compile(r"[^\W\d_]+")
_SPOKEN = {"aria-label", "aria-description", "alt", "title", "placeholder", "data-label", "data-confirm", "label"}

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # words do not depend on where the data is kept


class _Texts(HTMLParser):
    """The texts of a page as somebody reads or hears them, whole elements at a time; code and what a person typed are no texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language: str | None = None
        self.found: list[str] = []
        self._skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs).get("lang")
        if tag in {"script", "style", "code", "pre", "textarea"}:
            self._skipped.append(tag)
        self.found += [value for name, value in attrs if name in _SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self._skipped and data.strip():
            self.found.append(" ".join(data.split()))


def texts_of(html: str) -> _Texts:
    reader = _Texts()
    reader.feed(html)
    reader.close()
    return reader


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [" ".join(value.split())] if isinstance(value, str) else []


@pytest.fixture(scope="module")
def shipped_texts() -> list[str]:
    """What the presets and profiles that ship with the product say; they are published knowledge, kept in the words of its source."""
    files = [*(PACKAGE / "services" / "policies" / "presets").glob("*.yaml"), *(PACKAGE / "connectors").rglob("profiles/*.yaml")]
    assert len(files) > 10
    leaves = {leaf for file in files for leaf in _leaves(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))}
    return sorted({leaf for leaf in leaves if " " in leaf} | {file.stem for file in files if "-" in file.stem}, key=len, reverse=True)


def has_english(text: str) -> bool:
    return not ENGLISH.isdisjoint(word.casefold() for word in _WORD.findall(text))


def english_in(texts: list[str], shipped: list[str], own_names: frozenset[str] = frozenset()) -> list[str]:
    """The texts that hold an English word and are not data."""
    territories = set(Locale.parse("sv").territories.values())
    left = []
    for text in dict.fromkeys(texts):
        if text.startswith(("CSV eller XLSX med kolumnerna", "CSV med kolumnerna")):  # names the columns as they are written
            continue
        if "INSUREFLOW_" in text:  # names settings as they are written
            continue
        if MARK in text or text in own_names or text in territories or "@" in text or text.startswith("http") or not has_english(text):
            continue
        rest = text
        for leaf in shipped:
            rest = rest.replace(leaf, "")
        if has_english(rest):
            left.append(text)
    return left


def swedish(client: PageClient) -> PageClient:
    """The same person, having chosen Swedish on a page."""
    assert client.get("/?language=sv", follow_redirects=True).status_code == 200
    return client


#: Parts of pages, asked for by a page itself.
PARTS = frozenset({"shipping.buyers"})
#: Papers shown as they go out: they speak the language of who gets them.
PAPERS = frozenset({"dunning.preview", "dunning.preview_interest", "dunning.preview_statement"})


def walk(
    app: Flask, client: PageClient, keys: dict[str, list[int]], shipped: list[str], names: frozenset[str]
) -> tuple[dict[str, list[str]], int]:
    """What is left in English by address, and how many pages were read."""
    left: dict[str, list[str]] = {}
    count = 0
    for route in routes(app, "GET"):
        if route.endpoint in NOT_OURS | PAPERS or route.endpoint.startswith("api"):
            continue
        for address in addresses(app, route, keys):
            response = client.get(address, headers={"HX-Request": "true"} if route.endpoint in PARTS else None)
            if response.mimetype != "text/html" or response.status_code != 200:
                continue
            page = texts_of(response.get_data(as_text=True))
            if response.get_data(as_text=True).lstrip().casefold().startswith("<!doctype"):
                assert page.language == "sv", address
            count += 1
            if found := english_in(page.found, shipped, names):
                left[address] = found
    return left, count


def test_every_page_is_in_swedish_beside_its_data(app: Flask, shipped_texts: list[str]) -> None:
    with time_machine.travel(datetime(2026, 11, 20, 9, tzinfo=UTC), tick=False):
        twin = make_twin(app, MARK, seed=3_131_317)
        client = app.test_client()
        assert isinstance(client, PageClient)
        log_in(client, twin.tenant, Role.ADMINISTRATOR)
        data = {"English", "30 days"}  # a language's own name, and terms as a ledger wrote them
        names = frozenset(login.name for login in twin.tenant.logins.values()) | data
        people = {"app_user": [login.user_id for login in twin.tenant.logins.values()], "membership": [1]}
        left, count = walk(app, swedish(client), {**twin.keys, **people}, shipped_texts, names)
    assert count > 40
    assert left == {}


MAIN = ("/", "/buyers/", "/limits/", "/receivables/", "/receivables/payments", "/receivables/disputes", "/imports/", "/obligations/",
        "/exposure/", "/exposure/ageing", "/policies/", "/settings/", "/rates/", "/journal/", "/search?q=zzz", "/account/password")  # fmt: skip


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SALES])
def test_an_empty_organisation_is_welcomed_in_swedish(
    client: PageClient, organisation: Tenant, login: Any, shipped_texts: list[str], role: Role
) -> None:
    login(client, role)
    swedish(client)
    names = frozenset({login.name for login in organisation.logins.values()} | {"English", "Nordic Pumps", "Nordic Pumps SE01"})
    for address in MAIN:
        response = client.get(address, follow_redirects=True)
        assert response.status_code in {200, 403}, address
        page = texts_of(response.get_data(as_text=True))
        assert page.language == "sv"
        assert english_in(page.found, shipped_texts, names) == [], address


def test_english_would_be_found(client: PageClient, organisation: Tenant, login: Any, shipped_texts: list[str]) -> None:
    """The same pages in English are full of what the tests above look for."""
    login(client, Role.ADMINISTRATOR)
    for address in MAIN:
        page = texts_of(client.get(address, follow_redirects=True).get_data(as_text=True))
        assert page.language == "en"
        assert len(english_in(page.found, shipped_texts)) > 3, address


def test_the_browser_asks_for_a_language(client: PageClient) -> None:
    page = client.get("/login", headers={"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.5"}).get_data(as_text=True)
    assert texts_of(page).language == "sv"
    for words in ("Logga in", "E-postadress", "Lösenord", "Kom ihåg mig"):
        assert words in page
    assert english_in(texts_of(page).found, [], frozenset({"English"})) == []


def test_a_refused_log_in_says_so_in_swedish(client: PageClient, organisation: Tenant) -> None:
    email = organisation.logins[Role.ADMINISTRATOR].email
    client.get("/login?language=sv")
    page = client.post("/login", data={"email": email, "password": "not the password"}).get_data(as_text=True)
    assert "E-postadressen eller lösenordet stämmer inte." in page
    client.post("/login", data={"email": email, "password": PASSWORD})
    assert "<h1>I dag</h1>" in re.sub(
        r"<h1[^>]*>\s*I dag\s*</h1>", "<h1>I dag</h1>", client.get("/", follow_redirects=True).get_data(as_text=True)
    )


def test_a_password_is_changed_in_swedish(client: PageClient, organisation: Tenant, login: Any) -> None:
    login(client, Role.AUDITOR)
    swedish(client)
    new = {"password": PASSWORD, "new_password": "thirteen white swans", "new_password_confirm": "thirteen white swan"}
    refused = client.post("/account/password", data=new).get_data(as_text=True)
    assert "Lösenorden är inte lika." in refused
    short = client.post("/account/password", data={**new, "new_password": "short", "new_password_confirm": "short"}).get_data(as_text=True)
    assert "Lösenordet måste ha minst 12 tecken." in short
    done = client.post("/account/password", data={**new, "new_password_confirm": new["new_password"]}, follow_redirects=True)
    assert "Lösenordet är bytt." in done.get_data(as_text=True)


def test_what_a_library_says_about_a_field_is_swedish(client: PageClient, organisation: Tenant, login: Any) -> None:
    login(client, Role.ADMINISTRATOR)
    swedish(client)
    page = client.post("/settings/entities/add", data={"code": "SE02"}).get_data(as_text=True)
    assert (
        english_in(texts_of(page).found, [], frozenset({"English", "Nordic Pumps", *(each.name for each in organisation.logins.values())}))
        == []
    )


def test_errors_are_swedish(client: PageClient, organisation: Tenant, login: Any) -> None:
    login(client, Role.ADMINISTRATOR)
    swedish(client)
    response = client.get("/buyers/999999")
    assert response.status_code == 404
    assert "Det finns inget på den här adressen." in response.get_data(as_text=True)


def test_a_language_that_is_not_there_changes_nothing(client: PageClient, login: Any) -> None:
    login(client, Role.ADMINISTRATOR)
    swedish(client)
    assert texts_of(client.get("/?language=xx", follow_redirects=True).get_data(as_text=True)).language == "sv"


def test_figures_and_dates_are_written_as_swedes_do(app: Flask) -> None:
    from decimal import Decimal

    from insureflow.i18n import formats

    assert formats.money(123_456_789, "EUR", "sv") == "1\u00a0234\u00a0567,89\u00a0EUR"
    assert formats.day(date(2026, 11, 22), "sv") == "22 nov. 2026"
    assert formats.percent(Decimal("87.5"), "sv") == "87,5\u00a0%"
    assert formats.country("DE", "sv") == "Tyskland"
