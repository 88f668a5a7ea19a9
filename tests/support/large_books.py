"""Ledgers and policies of any size for the benchmarks, made up the same way every time."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from flask import Flask
from sqlalchemy import insert
from support.accounts import TERMS
from support.tenants import Tenant, make_tenant

from insureflow.domain.access import Role
from insureflow.domain.cover import Layer
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.models.limits import LimitDecision
from insureflow.services import policies
from insureflow.services.buyers import NewBuyer, create_many_for_review
from insureflow.services.clock import now
from insureflow.services.transaction import transaction

TODAY = date(2026, 6, 30)


def write_ledger(path: Path, invoices: int, buyers: int, *, with_settled: bool = True, countries: Sequence[str] = ("DE",)) -> None:
    """A ledger of invoices of one year, a third of them settled long since; ``with_settled`` False: of four months, all open."""
    rng = random.Random(7)
    days = [(TODAY - timedelta(days=back)).isoformat() for back in range(400)]
    with path.open("w", encoding="utf-8") as file:
        file.write("kind,number,customer_number,customer_name,country,currency,net,vat,gross,document_date,due_date,settled_date\n")
        for number in range(invoices):
            customer = rng.randrange(buyers)
            net = rng.randrange(5_000, 5_000_000)
            vat = net // 5
            back = rng.randrange(1, 365 if with_settled else 120)
            settled = days[max(0, back - rng.randrange(20, 60))] if with_settled and back > 120 and number % 3 == 0 else ""
            due = (TODAY - timedelta(days=back - 30)).isoformat()
            amounts = ",".join(f"{minor // 100}.{minor % 100:02}" for minor in (net, vat, net + vat))
            country = countries[customer % len(countries)]
            file.write(f"invoice,F{number:07},K{customer:05},Customer {customer},{country},EUR,{amounts},{days[back]},{due},{settled}\n")


def make_book(app: Flask, buyers: int, *, with_cover: bool = True, countries: Sequence[str] = ("DE",)) -> Tenant:
    """A tenant whose buyers are known; with a policy and a limit for each of them if asked for."""
    tenant = make_tenant(app, roles=(Role.ADMINISTRATOR,))
    with transaction(tenant.id) as session:
        names = [
            NewBuyer(tenant.entity_id, f"K{number:05}", f"Customer {number}", countries[number % len(countries)])
            for number in range(buyers)
        ]
        keys = create_many_for_review(session, names)
    if not with_cover:
        return tenant
    policy = policies.add_policy(
        tenant.actor(),
        tenant.id,
        number="P1",
        name="Policy",
        insurer="Atradius",
        currency="EUR",
        terms=TERMS,
        entities=["SE01"],
        effective_on=date(2025, 1, 1),
        on=TODAY,
    )
    said = {
        "policy_id": policy.id,
        "layer": Layer.PRIMARY,
        "kind": LimitKind.NAMED,
        "status": LimitStatus.APPROVED,
        "requested_minor": 10_000_000,
        "decided_minor": 10_000_000,
        "currency": "EUR",
        "rate": Decimal(1),
        "decided_on": date(2025, 1, 1),
        "effective_on": date(2025, 1, 1),
        "source": "file",
        "created_at": now(),
    }
    with transaction(tenant.id) as session:
        session.execute(insert(LimitDecision), [{"organisation_id": tenant.id, "buyer_id": key, **said} for key in keys.values()])
    return tenant


def say(text: str) -> None:
    """Show a line of the result."""
    sys.stdout.write(f"\n{text}")
