"""A small portfolio whose every figure can be checked in the head, ending today.

In the reporting currency (EUR): 16,500 open, 10,000 covered, 6,500 not (4,000 over the limit, 2,500 without limit).
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask import Flask
from flask.testing import FlaskClient
from support.ledgers import NOW, Books
from support.tenants import Tenant

from insureflow.domain.limits import LimitStatus
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.rates import ManualRate
from insureflow.services.clock import business_date
from insureflow.services.cover import refresh_buyers
from insureflow.services.transaction import transaction

TERMS = {
    "currency": "EUR",
    "insured_percentage": 90,
    "maximum_extension_period": {"days": 60},
    "overdue_notification": {"days": 30, "failure": "invoice_not_covered"},
    "claim_filing": {"days": 90, "from": "maximum_extension_period_end"},
}


@dataclass(frozen=True, slots=True)
class Insight:
    """Keys of what was made, and the day on which it stands."""

    today: date
    policy_id: int
    alpha: int
    beta: int
    gamma: int
    overdue: int
    over_limit: int
    without_limit: int
    settled: int

    def back(self, days: int) -> str:
        """A day so many days ago, as an address has it."""
        return (self.today - timedelta(days=days)).isoformat()


def make_insight(app: Flask, tenant: Tenant) -> Insight:
    """Three buyers: one over the limit and late, one without limit in dollars, one paid whose limit was cut."""
    with app.app_context():
        today = business_date("UTC")

        def ago(days: int) -> date:
            return today - timedelta(days=days)

        with transaction(tenant.id) as session:
            books = Books(session, tenant.id)
            entity = session.get_one(Entity, tenant.entity_id)
            session.add(ManualRate(base="USD", quote="EUR", valid_on=date(2000, 1, 1), rate=Decimal("0.5"), source="test", created_at=NOW))
            policy = books.policy([entity], TERMS, number="P-77")
            alpha, beta = books.buyer("Alpha Werke GmbH", "DE"), books.buyer("Beta Inc.", "US")
            gamma = books.buyer("Gamma SARL", "FR")
            books.limit(policy, alpha, 10_000_00, ago(200))
            books.limit(policy, gamma, 20_000_00, ago(200))
            books.limit(policy, gamma, 12_000_00, ago(5), status=LimitStatus.REDUCED)
            overdue = books.invoice(entity, alpha, 6_000_00, ago(100), ago(40), number="A-1")
            over_limit = books.invoice(entity, alpha, 8_000_00, ago(10), ago(-20), number="A-2")
            without = books.invoice(entity, beta, 5_000_00, ago(20), ago(-10), currency="USD", number="B-1")
            settled = books.invoice(entity, gamma, 3_000_00, ago(50), ago(20), number="G-1")
            books.payment(entity, gamma, 3_000_00, ago(2), {settled: 3_000_00})
            refresh_buyers(session, None, today)
            made = Insight(today, policy.id, alpha.id, beta.id, gamma.id, overdue.id, over_limit.id, without.id, settled.id)
        db.session.remove()
        return made


def exported(client: FlaskClient, address: str) -> list[dict[str, str]]:
    """The rows of a list as its CSV file has them."""
    with client.get(address) as answer:
        assert answer.mimetype == "text/csv"
        return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def said(html: str) -> str:
    """The words of a page without tags, with plain spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u00a0", " ").replace("&#39;", "'").replace("&amp;", "&").split())
