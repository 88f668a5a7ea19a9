"""Every page of the product in a real browser, on the demo: usable by everybody, on a desk and on a phone, by day and by night.

The pages are found by walking the addresses of the product, so a new page is looked at without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from support.browsing import Visitor
from support.twins import owned_tables
from support.walking import NEEDS_ARGUMENTS, Unfilled, addresses, routes

from insureflow.domain.access import PERMISSIONS, Role
from insureflow.models.database import db
from insureflow.models.organisations import Membership
from insureflow.models.scope import within

Visit = Callable[..., Visitor]

#: Answers that are not pages: for machines, files, and a part of a page.
NO_PAGES = {
    "health.healthz",
    "health.readyz",
    "security.logout",
    "discretionary.download",
    "shipping.buyers",
    "issued_documents.download",
    "notices.preview",
    "notices.proof_data",
    "notices.proof_paper",
    "notices.evidence",
    "obligations.download",
    "receivables.paper",
    "dunning.preview",
    "dunning.preview_statement",
    "dunning.preview_interest",
    "limit_groups.leave",  # needs a buyer of that very group
}
#: Of these tables the demo may hold no row; their pages are tried by the tests that make one.
EMPTY_IN_THE_DEMO = {
    "import_batch",
    "webhook_endpoint",
    "import_profile",
    "import_problem",
    "manual_rate",
    "stored_file",
    "task",
    "saved_view",
    "obligation_mark",
    "sync_difference",
    "insurer_exchange",
    "outbox_message",
    "look_up",
}


def keys_of_demo(app: Flask, organisation_id: int) -> dict[str, list[int]]:
    """The first key of every table of the demo; buyers, invoices and limits with something to show."""
    with app.app_context(), within(organisation_id):
        tables = owned_tables()
        keys = {name: list(db.session.scalars(sa.select(model.id).order_by(model.id).limit(1))) for name, model in tables.items()}  # type: ignore[attr-defined]  # every table of ours has it
        invoice = tables["invoice"]
        keys["invoice"] = list(db.session.scalars(sa.select(invoice.id).where(invoice.open_minor > 0).order_by(invoice.id).limit(1)))  # type: ignore[attr-defined]  # a column of invoices
        connected = sa.select(tables["insurer_connection"].policy_id)  # type: ignore[attr-defined]  # a column of connections
        policy = tables["policy"]
        keys["policy_by_hand"] = list(db.session.scalars(sa.select(policy.id).where(policy.id.not_in(connected)).limit(1)))  # type: ignore[attr-defined]  # every table of ours has it
        keys["app_user"] = list(
            db.session.scalars(sa.select(Membership.user_id).where(Membership.organisation_id == organisation_id).order_by(Membership.id))
        )
        db.session.remove()
    return keys


def pages(app: Flask, organisation_id: int, role: Role) -> list[str]:
    """The addresses of all pages a role may see. A page without a row in the demo is left out only if that is known."""
    keys = keys_of_demo(app, organisation_id)
    found: list[str] = []
    for route in routes(app, "GET"):
        if (
            route.endpoint in NO_PAGES
            or route.rule.rule.startswith("/api/")
            or route.endpoint in NEEDS_ARGUMENTS
            or (route.permission not in PERMISSIONS[role] and route.permission != "member")
        ):
            continue
        try:
            found += addresses(app, route, keys | {"policy": keys["policy_by_hand"]} if route.endpoint == "connections.add" else keys)
        except Unfilled:
            empty = {name for name in EMPTY_IN_THE_DEMO if not keys[name]}
            names = {name.removesuffix("_id") for name in route.rule.arguments}
            assert any(name in table for name in names for table in empty), f"{route}: no row in the demo"
    return found


def width_faults(visitor: Visitor, address: str) -> list[str]:
    """What makes a page wider than the window: on a desk, on a small screen, on a phone."""
    faults = []
    for width in (1440, 1024, 360):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        if visitor.is_too_wide():
            wide = visitor.page.evaluate(
                "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
                ".slice(-4).map(e => e.tagName + '.' + e.className)"
            )
            faults.append(f"{address} at {width}: wider than the window: {wide}")
    return faults


def look(visitor: Visitor, address: str, *, width: int, scheme: str) -> list[str]:
    """What is wrong with a page in a window of this width, by day or by night. Rows like those above them are left out."""
    page = visitor.page
    page.evaluate("document.querySelectorAll('tbody').forEach(body => [...body.rows].slice(8).forEach(row => row.remove()))")
    if (page.viewport_size or {}).get("width") != width:
        page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
    return [f"{address} at {width} {scheme}: {fault}" for fault in visitor.violations()]


@pytest.mark.parametrize("half", [0, 1])
def test_every_page_can_be_used_by_everybody(visit_demo: Visit, demo_app: Flask, demo_organisation: Any, half: int) -> None:
    """On a desk by day and on a phone by night: what axe finds wrong, what overflows, what the console complains about."""
    found = pages(demo_app, demo_organisation.id, Role.ADMINISTRATOR)
    assert len(found) > 30
    visitor = visit_demo(demo_organisation, Role.ADMINISTRATOR, width=1440, reduced_motion="reduce")
    faults: list[str] = []
    for address in found[half::2]:
        response = visitor.page.goto(visitor.site.url + address, wait_until="load")
        assert response is not None
        if response.status != 200:
            faults.append(f"{address}: {response.status}")
            continue
        faults += width_faults(visitor, address)
        faults += look(visitor, address, width=360, scheme="dark")
        faults += look(visitor, address, width=1440, scheme="light")
    faults += visitor.complaints
    visitor.complaints.clear()
    assert not faults, "\n".join(dict.fromkeys(faults))


def test_the_other_two_ways_to_look_at_the_main_pages(visit_demo: Visit, demo_app: Flask, demo_organisation: Any) -> None:
    """On a desk by night and on a phone by day, every page that the navigation leads to, and each role's way to it."""
    visitor = visit_demo(demo_organisation, Role.CREDIT_MANAGER, width=1440, color_scheme="dark", reduced_motion="reduce")
    visitor.page.goto(visitor.site.url + "/", wait_until="load")
    links = visitor.page.eval_on_selector_all("nav a[href^='/']", "found => found.map(link => link.getAttribute('href'))")
    assert len(links) >= 7
    faults: list[str] = []
    for address in dict.fromkeys(links):
        visitor.page.goto(visitor.site.url + address, wait_until="load")
        faults += look(visitor, address, width=1440, scheme="dark")
        faults += look(visitor, address, width=360, scheme="light")
    assert not faults, "\n".join(faults)


def test_the_limits_register_is_read_without_pushing_and_worst_first(visit_demo: Visit, demo_organisation: Any) -> None:
    visitor = visit_demo(demo_organisation, Role.CREDIT_MANAGER, width=1440)
    page = visitor.open("/limits/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    assert page.evaluate("(table => table.scrollWidth - table.clientWidth)(document.querySelector('.table-scroll'))") <= 0
    assert page.locator("tbody tr").first.locator("[data-column=open] .tone-uncovered").count() == 1
    ends = page.locator("tbody td[data-column=used]").evaluate_all("cells => cells.map(cell => getComputedStyle(cell).textAlign)")
    assert set(ends) == {"end"}
    assert page.locator("tbody [data-column=kind] .tag").count() == 0
    page.set_viewport_size({"width": 360, "height": 900})
    assert not visitor.is_too_wide()


def test_dates_of_a_trace_stand_on_one_line_and_in_words(visit_demo: Visit, demo_app: Flask, demo_organisation: Any) -> None:
    keys = keys_of_demo(demo_app, demo_organisation.id)
    visitor = visit_demo(demo_organisation, Role.CREDIT_MANAGER, width=1024)
    for address in (
        f"/receivables/{keys['invoice'][0]}/why",
        f"/limits/{keys['limit_decision'][0]}",
        f"/obligations/{keys['obligation'][0]}",
    ):
        page = visitor.open(address)
        heights = page.locator(".trace-table .figure").evaluate_all("found => found.map(figure => figure.getClientRects().length)")
        assert heights, address
        assert set(heights) == {1}, address
        said = page.locator(".trace-table").inner_text()
        assert not re.search(r"\d{4}-\d{2}-\d{2}|[a-z]+_[a-z]+", said), said


@pytest.mark.parametrize("role", [Role.SALES, Role.AUDITOR, Role.RECEIVABLES_CLERK])
def test_the_first_page_greets_every_role(visit_demo: Visit, demo_organisation: Any, role: Role) -> None:
    visitor = visit_demo(demo_organisation, role, width=360)
    page = visitor.open("/")
    assert page.locator("h1").count() == 1
    assert visitor.violations() == []
    for link in page.locator("nav[aria-label] a[href^='/']").evaluate_all("links => links.map(link => link.getAttribute('href'))"):
        response = page.goto(visitor.site.url + link, wait_until="load")
        assert response is not None
        assert response.status == 200, f"the navigation of {role} leads to {link}"
