"""Ledgers to import into."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from support.accounts import TERMS
from support.import_ledgers import TODAY, Ledger
from support.tenants import make_tenant

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.services import policies


@pytest.fixture
def ledger(app: Flask) -> Iterator[Ledger]:
    with app.app_context():
        yield Ledger(make_tenant(app, roles=(Role.ADMINISTRATOR,)))
        db.session.remove()


@pytest.fixture
def insured(ledger: Ledger) -> Ledger:
    """The ledger of an entity with a policy."""
    policies.add_policy(
        ledger.tenant.actor(),
        ledger.tenant.id,
        number="P1",
        name="Main policy",
        insurer="Atradius",
        currency="EUR",
        terms=TERMS,
        entities=["SE01"],
        effective_on=date(2025, 1, 1),
        on=TODAY,
    )
    return ledger
