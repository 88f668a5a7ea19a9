"""A policy with buyers that its sandbox insurer knows, and the connection between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session
from support.ledgers import NOW, Books, organisation
from support.sandbox import CREDENTIALS, POLICY_KEYS, RunningSandbox

from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.limits import LimitStatus
from insureflow.models.buyers import Buyer, InsurerIdentity
from insureflow.models.connections import SyncDifference
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.scope import within
from insureflow.services import connections
from insureflow.services.journal import Actor
from insureflow.services.transaction import transaction

TERMS = {
    "currency": "EUR",
    "insured_percentage": 90,
    "maximum_credit_terms": {"days": 90},
    "period": {"from": "2020-01-01", "to": "2030-12-31"},
    "layers": {"top_up": {"insured_percentage": 80}},
}
TESTER = Actor(None, "test")
FIRST_COMPANY = 7_000_001


@dataclass
class Insured:
    """What was made: an organisation, its policy, buyers by company number and the connection."""

    organisation_id: int
    policy_id: int
    connection_id: int
    entity_id: int
    buyers: dict[str, int] = field(default_factory=dict)
    connector: str = "atradius"

    def decisions(self, buyer_id: int | None = None) -> list[LimitDecision]:
        """All decisions, the oldest first."""
        with within(self.organisation_id):
            statement = select(LimitDecision).order_by(LimitDecision.decided_on, LimitDecision.id).execution_options(populate_existing=True)
            if buyer_id is not None:
                statement = statement.where(LimitDecision.buyer_id == buyer_id)
            rows = list(db.session.scalars(statement))
            db.session.rollback()
            return rows

    def count(self) -> int:
        """How many decisions there are."""
        with within(self.organisation_id):
            number = int(db.session.scalar(select(func.count(LimitDecision.id))) or 0)
            db.session.rollback()
            return number

    def limits(self) -> dict[str, int]:
        """The last decided amount of every buyer by its company number, in major units; 0 for the end of a limit."""
        company_of = {buyer_id: company for company, buyer_id in self.buyers.items()}
        return {
            company_of[row.buyer_id]: (row.decided_minor or 0) // 100 for row in self.decisions() if row.status is not LimitStatus.REQUESTED
        }

    def differences(self) -> dict[tuple[str, str], SyncDifference]:
        """The differences that stand, by kind and subject."""
        with within(self.organisation_id):
            rows = db.session.scalars(
                select(SyncDifference).where(SyncDifference.resolved_at.is_(None)).execution_options(populate_existing=True)
            )
            found = {(row.kind.value, row.subject): row for row in rows}
            db.session.rollback()
            return found


def use_sandbox(app: Flask, sandbox: RunningSandbox) -> None:
    """Lets the application's sandbox connections lead to a running sandbox."""
    app.config["INSUREFLOW"] = dataclasses.replace(app.config["INSUREFLOW"], sandbox_port=sandbox.port)


def insure(session: Session, *, buyers: int = 3, connector: str = "atradius", slug: str = "acme", **changes: Any) -> Insured:
    """An organisation with a policy, buyers the insurer knows by number, and a tried connection to the sandbox."""
    organisation_id = organisation(session, slug).id
    with transaction(organisation_id) as working:
        books = Books(working, organisation_id)
        entity = books.entity()
        policy = books.policy([entity], TERMS)
        policy.insurer = connector
        working.flush()
        rows = [
            {
                "organisation_id": organisation_id,
                "legal_name": f"Buyer {number:06}",
                "search_name": f"buyer {number:06}",
                "country": "DE",
                "status": BuyerStatus.ACTIVE,
                "natural_person": False,
                "created_at": NOW,
            }
            for number in range(buyers)
        ]
        keys = list(working.scalars(insert(Buyer).returning(Buyer.id, sort_by_parameter_order=True), rows))
        numbers = [str(FIRST_COMPANY + number) for number in range(buyers)]
        working.execute(
            insert(InsurerIdentity),
            [
                {"organisation_id": organisation_id, "buyer_id": key, "insurer": connector, "number": number}
                for key, number in zip(keys, numbers, strict=True)
            ],
        )
    setup = connections.Setup(
        **{
            "connector": connector,
            "environment": "sandbox",
            "policy_key": POLICY_KEYS[connector],
            "credentials": CREDENTIALS[connector],
            "options": {"read_seconds": "5"},
            **changes,
        }
    )
    row = connections.add_connection(TESTER, organisation_id, policy.id, setup)
    trial = connections.try_connection(TESTER, organisation_id, row.id)
    assert trial.error is None, trial.error
    return Insured(organisation_id, policy.id, row.id, entity.id, dict(zip(numbers, keys, strict=True)), connector)


def seed(sandbox: RunningSandbox, insurer: str, covers: Sequence[dict[str, Any]], decided_on: date | None = None) -> None:
    """Puts covers in force into the sandbox."""
    day = {} if decided_on is None else {"decided_on": decided_on.isoformat()}
    policy = {"allianz_trade": "ACI/P-1"}.get(insurer, "P-1")
    sandbox.control("seed", {"insurer": insurer, "policy": policy, "currency": "EUR", "covers": [{**day, **each} for each in covers]})
