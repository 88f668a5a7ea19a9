"""Buyers under a policy for the tests: the least that cover, limits and pages need, made through the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask import Flask
from sqlalchemy.orm import Session
from support.tenants import Tenant, make_tenant

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.models.scope import within
from insureflow.services import buyers, cover, policies
from insureflow.services.buyers import BuyerDetails
from insureflow.services.transaction import transaction

TODAY = date(2026, 6, 30)

#: Terms with a second layer, a notice period and a percentage of their own for one country.
TERMS: Mapping[str, object] = {
    "currency": "EUR",
    "period": {"from": "2025-01-01", "to": "2027-12-31"},
    "insured_percentage": {"default": 90, "by_country": {"IT": 80}},
    "maximum_credit_terms": {"days": 120},
    "maximum_extension_period": {"days": 60},
    "limit_cancellation_notice": {"days": 30},
    "layers": {"top_up": {"insured_percentage": 70}},
}


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant with one policy and one buyer under it."""

    tenant: Tenant
    policy_id: int
    buyer_id: int

    @property
    def organisation_id(self) -> int:
        """Key of the organisation."""
        return self.tenant.id


def make_account(
    app: Flask,
    name: str = "Nordic Pumps",
    *,
    terms: Mapping[str, object] = TERMS,
    country: str = "DE",
    roles: tuple[Role, ...] = (Role.ADMINISTRATOR,),
) -> Account:
    """An organisation with a policy for its entity and the buyer Müller GmbH, customer 1001."""
    tenant = make_tenant(app, name, roles=roles)
    with app.app_context():
        policy = policies.add_policy(
            tenant.actor(),
            tenant.id,
            number=f"POL-{name[:1]}1",
            name="Main policy",
            insurer="Atradius",
            currency="EUR",
            terms=terms,
            entities=["SE01"],
            effective_on=date(2025, 1, 1),
            on=TODAY,
        )
        buyer = add_buyer(tenant, "Müller GmbH", country, number="1001")
        return Account(tenant, policy.id, buyer)


def add_buyer(tenant: Tenant, name: str, country: str = "DE", *, number: str | None = None) -> int:
    """Key of a new buyer."""
    numbers = ((tenant.entity_id, number),) if number else ()
    return buyers.add_buyer(tenant.actor(), tenant.id, BuyerDetails(legal_name=name, country=country, customer_numbers=numbers)).id


def add_invoice(
    account: Account,
    number: str,
    amount: int,
    *,
    buyer_id: int | None = None,
    shipped_on: date = date(2026, 5, 1),
    terms_days: int = 30,
    currency: str = "EUR",
    on: date = TODAY,
) -> int:
    """Key of a new invoice without tax, amount in minor units, with cover worked out."""
    with transaction(account.organisation_id) as session:
        due_on = shipped_on + timedelta(days=terms_days)
        invoice = Invoice(
            entity_id=account.tenant.entity_id,
            buyer_id=buyer_id or account.buyer_id,
            number=number,
            currency=currency,
            net_minor=amount,
            vat_minor=0,
            open_minor=amount,
            rate=Decimal(1) if currency == "EUR" else None,
            invoice_on=shipped_on,
            shipment_on=shipped_on,
            due_on=due_on,
            original_due_on=due_on,
        )
        session.add(invoice)
        session.flush()
        cover.refresh_buyers(session, [invoice.buyer_id], on)
        return invoice.id


def fresh_session(account: Account) -> Session:
    """The session without anything remembered, for reading what was stored."""
    session = db.session()
    session.expire_all()
    return session


__all__ = ["TERMS", "TODAY", "Account", "add_buyer", "add_invoice", "fresh_session", "make_account", "within"]
