"""Policies: the list, one policy with its history, and what rests on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select

from insureflow.domain.errors import Refusal
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import Entity
from insureflow.models.policies import InsuredEntity, Policy, PolicyTermsVersion
from insureflow.models.receivables import Invoice
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


@dataclass(frozen=True, slots=True)
class Usage:
    """What rests on a policy: money on a day in limit currency (minor units), and counts of all times."""

    open_minor: int
    covered_minor: int
    open_invoices: int
    buyers: int
    invoices: int
    limit_decisions: int


def policies_listing(on: date) -> Listing:
    """The policies as a list, with the day from which the terms in force on ``on`` hold and what is insured under them."""

    def source(statement: Select[Any]) -> Select[Any]:
        return statement.select_from(Policy)

    since = (
        select(func.max(PolicyTermsVersion.effective_on))
        .where(PolicyTermsVersion.policy_id == Policy.id, PolicyTermsVersion.effective_on <= on)
        .correlate(Policy)
        .scalar_subquery()
    )
    entities = select(func.count(InsuredEntity.id)).where(InsuredEntity.policy_id == Policy.id).correlate(Policy).scalar_subquery()
    covered = (
        select(func.coalesce(func.sum(InvoicePosition.primary_minor + InvoicePosition.top_up_minor), 0))
        .where(InvoicePosition.policy_id == Policy.id, InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on)
        .correlate(Policy)
        .scalar_subquery()
    )
    opened = (
        select(func.coalesce(func.sum(InvoicePosition.open_minor), 0))
        .where(InvoicePosition.policy_id == Policy.id, InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on)
        .correlate(Policy)
        .scalar_subquery()
    )
    return Listing(
        "policies",
        (
            Field("number", Policy.number, search=Policy.number),
            Field("name", Policy.name, search=Policy.name),
            Field("insurer", Policy.insurer, search=Policy.insurer, filter=FilterKind.SELECT),
            Field("product", Policy.product, search=Policy.product),
            Field("since", since, Kind.DATE),
            Field("entities", entities, Kind.NUMBER),
            Field("open", opened, Kind.MONEY, currency=Policy.limit_currency, total=True),
            Field("covered", covered, Kind.MONEY, currency=Policy.limit_currency, total=True),
            Field("priority", Policy.priority, Kind.NUMBER),
        ),
        source,
        key=Policy.id,
        order=Order("priority"),
    )


def list_insurers() -> Sequence[str]:
    """The insurers of the organisation's policies, in alphabetical order."""
    return db.session.scalars(select(Policy.insurer).distinct().order_by(Policy.insurer)).all()


def find_policy(policy_id: int) -> Policy | None:
    """The policy with this key in the organisation in scope."""
    return db.session.scalar(select(Policy).where(Policy.id == policy_id))


def get_policy(number: str) -> Policy:
    """The policy with this number in the organisation in scope. Errors: ``Refusal`` ``policy_unknown``."""
    policy = db.session.scalar(select(Policy).where(Policy.number == number))
    if policy is None:
        raise Refusal("policy_unknown", policy=number)
    return policy


def list_versions(policy_id: int) -> Sequence[PolicyTermsVersion]:
    """All versions of a policy's terms, the oldest first."""
    statement = select(PolicyTermsVersion).where(PolicyTermsVersion.policy_id == policy_id).order_by(PolicyTermsVersion.effective_on)
    return db.session.scalars(statement).all()


def find_version(version_id: int) -> PolicyTermsVersion | None:
    """One version of terms in the organisation in scope."""
    return db.session.scalar(select(PolicyTermsVersion).where(PolicyTermsVersion.id == version_id))


def version_on(versions: Sequence[PolicyTermsVersion], on: date) -> PolicyTermsVersion | None:
    """The version in force on a day; before the first, the first."""
    current = versions[0] if versions else None
    for version in versions:
        if version.effective_on <= on:
            current = version
    return current


def list_insured_entities(policy_id: int) -> Sequence[Entity]:
    """The entities a policy insures, by name."""
    insured = select(InsuredEntity.entity_id).where(InsuredEntity.policy_id == policy_id)
    return db.session.scalars(select(Entity).where(Entity.id.in_(insured)).order_by(Entity.name)).all()


def usage_of(policy_id: int, on: date) -> Usage:
    """What rests on a policy on a day."""
    position = InvoicePosition
    opened, covered, invoices, buyers = db.session.execute(
        select(
            func.coalesce(func.sum(position.open_minor), 0),
            func.coalesce(func.sum(position.primary_minor + position.top_up_minor), 0),
            func.count(position.id),
            func.count(position.buyer_id.distinct()),
        ).where(position.policy_id == policy_id, position.valid_from <= on, position.valid_to > on, position.open_minor > 0)
    ).one()
    return Usage(
        open_minor=int(opened),
        covered_minor=int(covered),
        open_invoices=int(invoices),
        buyers=int(buyers),
        invoices=int(db.session.scalar(select(func.count(Invoice.id)).where(Invoice.policy_id == policy_id)) or 0),
        limit_decisions=int(db.session.scalar(select(func.count(LimitDecision.id)).where(LimitDecision.policy_id == policy_id)) or 0),
    )
