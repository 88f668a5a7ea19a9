"""One search for everything, as far as a person may see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from support.pages import PageClient
from support.tenants import Tenant

from insureflow.domain.access import Role
from insureflow.domain.buyers import BuyerStatus, NameKind, search_name
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.models.buyers import Buyer, BuyerName, CustomerNumber
from insureflow.models.limits import LimitDecision
from insureflow.models.receivables import Invoice
from insureflow.services import policies
from insureflow.services.transaction import transaction

DAY = date(2026, 3, 2)


def fill(app: Flask, tenant: Tenant, name: str = "Łódź Żelazo Sp. z o.o.") -> None:
    with app.app_context():
        policy = policies.add_policy(
            tenant.actor(),
            tenant.id,
            number="POL-77",
            name="Main",
            preset="atradius-nl",
            currency="EUR",
            entities=["SE01"],
            effective_on=DAY,
            on=DAY,
        )
        with transaction(tenant.id) as session:
            buyer = Buyer(
                legal_name=name,
                search_name=search_name(name),
                country="PL",
                status=BuyerStatus.ACTIVE,
                natural_person=False,
                created_at=datetime.now(UTC),
            )
            session.add(buyer)
            session.flush()
            session.add(BuyerName(buyer_id=buyer.id, kind=NameKind.TRADING, name="Ironhouse", search_name="ironhouse"))
            session.add(CustomerNumber(entity_id=tenant.entity_id, buyer_id=buyer.id, number="C-4711"))
            session.add(
                Invoice(
                    entity_id=tenant.entity_id, buyer_id=buyer.id, number="INV_2026%1", currency="EUR", net_minor=1000, vat_minor=0, open_minor=1000,
                    invoice_on=DAY, shipment_on=DAY, due_on=DAY, original_due_on=DAY,
                )
            )  # fmt: skip
            session.add(
                LimitDecision(
                    policy_id=policy.id, buyer_id=buyer.id, layer=Layer.PRIMARY, kind=LimitKind.NAMED, status=LimitStatus.APPROVED,
                    requested_minor=500000, decided_minor=500000, currency="EUR", rate=Decimal(1), decided_on=DAY, effective_on=DAY,
                    insurer_reference="CLD-9", created_at=datetime.now(UTC),
                )
            )  # fmt: skip


def found(client: PageClient, text: str) -> str:
    answer = client.get("/search", query_string={"q": text})
    assert answer.status_code == 200
    return answer.text.partition('<main id="main"')[2]


@pytest.mark.parametrize("text", ["lodz zelazo", "ŁÓDŹ", "żelazo sp. z o.o.", "ironhouse", "c-47", "Zelazo"])
def test_a_buyer_is_found_however_it_is_written(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant, text: str
) -> None:
    fill(app, organisation)
    login(client, Role.CREDIT_ANALYST)
    assert "Łódź Żelazo Sp. z o.o." in found(client, text)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("inv_2026%", "INV_2026%1"),
        ("cld", "CLD-9"),
        ("pol-7", "POL-77"),
        ("atradius", "POL-77"),
        ("exposure", "Nothing found"),
        ("%%", "Nothing found"),
        ("x", "at least two characters"),
        ("", "Type a name"),
        ("exchange", "Exchange rates"),
        ("add policy", "Add a policy"),
        ("check journal", "Check the journal"),
    ],
)
def test_invoices_limits_policies_pages_and_commands_are_found(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant, text: str, hit: str
) -> None:
    fill(app, organisation)
    login(client, Role.CREDIT_MANAGER)
    page = found(client, text)
    if text == "exposure" and "exposure.by_country" in app.view_functions:
        hit = "Exposure by country"
    assert hit in page


def test_nobody_finds_what_he_may_not_see(client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant) -> None:
    fill(app, organisation)
    login(client, Role.SALES)
    for text in ("lodz", "inv_2026", "cld", "pol-7", "journal", "add policy"):
        page = found(client, text)
        assert "Nothing found" in page, text
    login(client, Role.AUDITOR)
    assert "Add a policy" not in found(client, "add policy")


def test_another_organisations_things_are_not_found(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant, make_organisation: Callable[..., Tenant]
) -> None:
    fill(app, make_organisation("Other House"))
    login(client, Role.ADMINISTRATOR)
    for text in ("lodz", "ironhouse", "c-47", "inv_2026", "cld", "pol-7"):
        assert "Nothing found" in found(client, text), text
