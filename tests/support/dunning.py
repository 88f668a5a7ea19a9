"""Buyers who owe money in four languages, for the tests of dunning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask
from support.accounts import Account, add_buyer, add_invoice, make_account

from insureflow.domain.access import Role
from insureflow.services import contacts, dunning
from insureflow.services.contacts import ContactDetails, LetterheadDetails

#: The day on which the invoices are 9 days overdue.
DAY = date(2026, 6, 9)
RULE: dict[str, Any] = {
    "levels": [
        {"level": "before_due", "days": -3},
        {"level": "reminder_1", "days": 7},
        {"level": "reminder_2", "days": 21},
        {"level": "final_demand", "days": 45},
    ],
    "minimum": {"EUR": "50"},
    "days_between": 5,
    "interest": {"annual_rate": "8.15", "basis": "§ 288 BGB", "from_level": "reminder_2"},
    "compensation": {"amounts": {"EUR": "40"}, "from_level": "final_demand"},
}
LANGUAGES = {"DE": "de", "SE": "sv", "NL": "nl", "FR": "fr"}


@dataclass(frozen=True, slots=True)
class Debtors:
    """An organisation whose buyers owe; the buyers by country, each with one invoice due on the last day of May."""

    account: Account
    buyers: dict[str, int]
    invoices: dict[str, int]

    @property
    def organisation_id(self) -> int:
        """Key of the organisation."""
        return self.account.organisation_id


def make_debtors(app: Flask, *, roles: tuple[Role, ...] = (Role.ADMINISTRATOR,)) -> Debtors:
    """Buyers in four countries with contacts, invoices and a rule."""
    account = make_account(app, roles=roles)
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context():
        buyers = {
            "DE": account.buyer_id,
            **{country: add_buyer(account.tenant, f"{country} Trading", country) for country in ("SE", "NL", "FR")},
        }
        invoices = {country: add_invoice(account, f"{country}-1", 10_000_00, buyer_id=key, shipped_on=date(2026, 5, 1)) for country, key in buyers.items()}  # fmt: skip
        for country, key in buyers.items():
            contacts.add_contact(actor, organisation_id, key, ContactDetails(name="Accounts", email=f"ap@{country.lower()}.example"))
        contacts.set_letterhead(
            actor,
            organisation_id,
            account.tenant.entity_id,
            LetterheadDetails(
                address="Hamngatan 1\n111 47 Stockholm", contact="Eva Lind", email="ar@seller.example", bank_account="SE45 5000 0000 0583 9825 7466",
                bank_code="ESSESESS", bank_name="SEB",
            ),
        )  # fmt: skip
        dunning.set_rule(actor, organisation_id, RULE, date(2026, 1, 1))
    return Debtors(account, buyers, invoices)
