"""The demo's connections: its policies reach sandbox insurers, which know almost what the demo's books say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.insurers import registry
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus, RequestState
from insureflow.models.buyers import Buyer, InsurerIdentity
from insureflow.models.database import db
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.scope import within
from insureflow.queries.limits.situations import ordinary_decisions
from insureflow.services import connections
from insureflow.services.journal import Actor

#: The insurers whose sandbox the demo's policies are connected to, and how the policy's key is filled.
_KEYS = {"atradius": {"customer_id": "4711"}, "allianz_trade": {"business_unit_code": "ACI"}}

#: How a sandbox insurer writes the key of a policy, where it is more than the number.
_WRITTEN = {"allianz_trade": "ACI/{number}"}

#: What makes the first synchronisation worth a look: one limit cut, one not shown, one request answered.
_CUT, _HIDDEN, _ANSWERED = 5, 11, 0
_CUT_PERCENT = 60


@dataclass(frozen=True, slots=True)
class SandboxLimit:
    """A limit, or an application that is being looked at, as a sandbox insurer of the demo knows it; amounts in minor units.

    ``reference`` is ours, by which a connector finds its own application again.
    """

    insurer: str
    policy: str
    company_id: str
    company_name: str
    country: str
    currency: str
    requested: int
    decided: int | None
    decided_on: date
    answer: str
    reference: str = ""


def _connector_of(insurer: str) -> str | None:
    """The key of the connector of an insurer that the demo has a sandbox for."""
    return next((each.key for each in registry.CONNECTORS.values() if each.name == insurer and each.key in _KEYS), None)


def connect(session: Session, actor: Actor, organisation_id: int) -> int:
    """Connect the policies whose insurer has a sandbox; gives how many."""
    count = 0
    for policy in session.scalars(select(Policy).order_by(Policy.priority)).all():
        key = _connector_of(policy.insurer)
        if key is None:
            continue
        connector = registry.get_connector(key)
        setup = connections.Setup(
            connector=key,
            environment=connections.SANDBOX,
            policy_key={name: _KEYS[key].get(name, policy.number) for name in connector.policy_key_names},
            credentials={name: f"demo-{name.replace('_', '-')}" for name in connector.credential_names},
            look_up_budget=20,
        )
        connections.add_connection(actor, organisation_id, policy.id, setup)
        count += 1
    return count


def sandbox_limits(organisation_id: int, on: date) -> list[SandboxLimit]:
    """What the sandbox insurers know: the demo's own limits in force, and a few things that differ."""
    found: list[SandboxLimit] = []
    with within(organisation_id):
        for policy in db.session.scalars(select(Policy).order_by(Policy.priority)).all():
            key = _connector_of(policy.insurer)
            if key is not None:
                limits = _in_force(policy, key, on)
                limits = [_cut(limit, on) if index == _CUT else limit for index, limit in enumerate(limits) if index != _HIDDEN]
                answered = _asked_for(policy, key, on)[_ANSWERED : _ANSWERED + 1]
                numbers = {limit.company_id for limit in answered}
                found += [limit for limit in limits if limit.company_id not in numbers] + answered
                found += [limit for limit in _looked_at(policy, key) if limit.company_id not in numbers]
        db.session.rollback()
    return found


def _written(policy: Policy, key: str) -> str:
    return _WRITTEN.get(key, "{number}").format(number=policy.number)


def _cut(limit: SandboxLimit, on: date) -> SandboxLimit:
    return replace(limit, decided=(limit.decided or 0) * _CUT_PERCENT // 100, decided_on=on, answer="reduced")


def _in_force(policy: Policy, key: str, on: date) -> list[SandboxLimit]:
    ours = ordinary_decisions(on)
    rows = db.session.execute(
        select(InsurerIdentity.number, Buyer.legal_name, Buyer.country, ours.c.currency, ours.c.decided_minor, ours.c.decided_on)
        .select_from(ours)
        .join(Buyer, Buyer.id == ours.c.buyer_id)
        .join(InsurerIdentity, (InsurerIdentity.buyer_id == Buyer.id) & (InsurerIdentity.insurer == policy.insurer))
        .where(
            ours.c.policy_id == policy.id,
            ours.c["rank"] == 1,
            ours.c.decided_minor > 0,
            ours.c.layer == Layer.PRIMARY,
            ours.c.kind == LimitKind.NAMED,
        )
        .order_by(InsurerIdentity.number)
    )
    return [
        SandboxLimit(
            key,
            _written(policy, key),
            row.number,
            row.legal_name,
            row.country,
            row.currency,
            row.decided_minor,
            row.decided_minor,
            row.decided_on,
            "full",
        )
        for row in rows
    ]


def _looked_at(policy: Policy, key: str) -> list[SandboxLimit]:
    """The requests that the insurer has and has not answered: it knows them by our reference."""
    rows = db.session.execute(
        select(InsurerIdentity.number, Buyer.legal_name, Buyer.country, LimitRequest)
        .join(Buyer, Buyer.id == LimitRequest.buyer_id)
        .join(InsurerIdentity, (InsurerIdentity.buyer_id == Buyer.id) & (InsurerIdentity.insurer == policy.insurer))
        .where(LimitRequest.policy_id == policy.id, LimitRequest.layer == Layer.PRIMARY, LimitRequest.state == RequestState.REFERRED)
        .order_by(LimitRequest.id)
    )
    return [
        SandboxLimit(
            key,
            _written(policy, key),
            number,
            name,
            country,
            request.currency,
            request.requested_minor or 0,
            None,
            request.asked_on,
            "",
            request.own_reference,
        )
        for number, name, country, request in rows
    ]


def _asked_for(policy: Policy, key: str, on: date) -> list[SandboxLimit]:
    """Limits that were asked for and not answered, as if the insurer had granted them in full today."""
    rows = db.session.execute(
        select(
            InsurerIdentity.number,
            Buyer.legal_name,
            Buyer.country,
            LimitDecision.status,
            LimitDecision.currency,
            LimitDecision.requested_minor,
        )
        .join(Buyer, Buyer.id == LimitDecision.buyer_id)
        .join(InsurerIdentity, (InsurerIdentity.buyer_id == Buyer.id) & (InsurerIdentity.insurer == policy.insurer))
        .where(LimitDecision.policy_id == policy.id, LimitDecision.layer == Layer.PRIMARY, LimitDecision.decided_on <= on)
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    last = {row.number: row for row in rows}
    return [
        SandboxLimit(
            key,
            _written(policy, key),
            row.number,
            row.legal_name,
            row.country,
            row.currency,
            row.requested_minor,
            row.requested_minor,
            on,
            "full",
        )
        for _number, row in sorted(last.items())
        if row.status is LimitStatus.REQUESTED and row.requested_minor
    ]
