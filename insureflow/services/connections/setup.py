"""Setting connections up: added, changed, tried, switched on and off. A secret goes in and never comes out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from insureflow.connectors.insurers import registry
from insureflow.connectors.insurers.interface import ConnectorError, InsurerConnector, StopSync
from insureflow.domain.connections import Operation
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.models.connections import InsurerConnection
from insureflow.models.policies import Policy
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.connections.credentials import seal, unseal
from insureflow.services.connections.reaching import ENVIRONMENTS, SANDBOX, addresses_of, error_data, get_connection, reach, stop_connection
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: Least and most of what can be chosen.
SYNC_MINUTES = (5, 7 * 24 * 60)
STALE_MINUTES = (15, 30 * 24 * 60)
LARGEST_BUDGET = 100_000

#: The option that holds the address of pushes, part of which is secret.
PUSH_ADDRESS = "push_url"


@dataclass(frozen=True, slots=True)
class Setup:
    """How a policy is reached. Credentials that are not given keep the value they have; those in ``forget`` lose it."""

    connector: str
    environment: str = "production"
    addresses: Mapping[str, str] = field(default_factory=dict)
    policy_key: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    forget: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)
    sync_every_minutes: int = 60
    stale_after_minutes: int = 1440
    look_up_budget: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a try of a connection found: what the policy may do, or what is wrong."""

    capabilities: tuple[Operation, ...]
    error: ConnectorError | None


def _checked(setup: Setup, kept_credentials: Mapping[str, str]) -> tuple[InsurerConnector, dict[str, str]]:
    """The connector and all credentials. Errors: ``InvalidValues`` with every problem at once."""
    problems: list[InvalidValue] = []
    if setup.connector not in registry.CONNECTORS:
        raise InvalidValues((InvalidValue("connector_unknown", "connector", setup.connector, connector=setup.connector),))
    connector = registry.get_connector(setup.connector)
    if setup.environment not in ENVIRONMENTS:
        problems.append(InvalidValue("environment_unknown", "environment", setup.environment))
    credentials = {name: value for name, value in kept_credentials.items() if name not in setup.forget}
    credentials |= {name: value.strip() for name, value in setup.credentials.items() if value.strip()}
    wanted: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
        "credentials": (connector.credential_names, credentials),
        "policy_key": (connector.policy_key_names, setup.policy_key),
    }
    for part, (names, given) in wanted.items():
        problems.extend(InvalidValue("connection_part_missing", f"{part}.{name}", "") for name in names if not given.get(name, "").strip())
        problems.extend(InvalidValue("connection_part_unknown", f"{part}.{name}", name) for name in given if name not in names)
    if setup.environment in ENVIRONMENTS:
        addresses = addresses_of(connector, setup.environment, setup.addresses)
        problems.extend(
            InvalidValue("address_needed", f"addresses.{name}", "") for name in connector.address_names if not addresses.get(name)
        )
    problems.extend(
        InvalidValue("connection_part_unknown", f"addresses.{name}", name)
        for name in setup.addresses
        if name not in connector.address_names
    )
    if setup.environment != SANDBOX:
        problems.extend(
            InvalidValue("address_not_https", f"addresses.{name}", address)
            for name, address in setup.addresses.items()
            if address and not address.startswith("https://")
        )
    for name, value, (least, most) in (
        ("sync_every_minutes", setup.sync_every_minutes, SYNC_MINUTES),
        ("stale_after_minutes", setup.stale_after_minutes, STALE_MINUTES),
        ("look_up_budget", setup.look_up_budget, (0, LARGEST_BUDGET)),
    ):
        if not least <= value <= most:
            problems.append(InvalidValue("number_out_of_bounds", name, str(value), least=least, most=most))
    if problems:
        raise InvalidValues(tuple(problems))
    return connector, credentials


def picture(row: InsurerConnection) -> dict[str, Any]:
    """A connection as the journal keeps it: whether credentials are there, never what they are."""
    return {
        "connector": row.connector,
        "options": {name: value for name, value in row.options.items() if name != PUSH_ADDRESS},
        "addresses": dict(row.addresses),
        "policy_key": dict(row.policy_key),
        "has_credentials": bool(row.credentials),
        "is_enabled": row.is_enabled,
        "sync_every_minutes": row.sync_every_minutes,
        "stale_after_minutes": row.stale_after_minutes,
        "look_up_budget": row.look_up_budget,
        "has_push_address": row.push_key is not None,
    }


def subject_of(session: Session, row: InsurerConnection) -> Subject:
    """A connection as the journal names it."""
    number = session.scalar(select(Policy.number).where(Policy.id == row.policy_id))
    return Subject("connection", row.id, f"{number}: {row.connector}")


def add_connection(actor: Actor, organisation_id: int, policy_id: int, setup: Setup) -> InsurerConnection:
    """Connect a policy to its insurer; switched on, not tried yet.

    Errors: ``Refusal`` ``policy_unknown``, ``connection_exists``; ``InvalidValues``.
    """
    with transaction(organisation_id) as session:
        if session.scalar(select(Policy.id).where(Policy.id == policy_id)) is None:
            raise Refusal("policy_unknown", policy=str(policy_id))
        if session.scalar(select(InsurerConnection.id).where(InsurerConnection.policy_id == policy_id)) is not None:
            raise Refusal("connection_exists", policy=str(policy_id))
        _connector, credentials = _checked(setup, {})
        row = InsurerConnection(policy_id=policy_id, is_enabled=True, created_at=now(), capabilities=[], credentials="")
        _write(row, setup, credentials)
        session.add(row)
        session.flush()
        journal.record(session, actor, "connection.added", subject_of(session, row), after=picture(row))
        return row


def _write(row: InsurerConnection, setup: Setup, credentials: Mapping[str, str]) -> None:
    row.connector = setup.connector
    row.addresses = {} if setup.environment == SANDBOX else {name: each.strip() for name, each in setup.addresses.items() if each.strip()}
    row.policy_key = {name: each.strip() for name, each in setup.policy_key.items()}
    row.options = {**setup.options, "environment": setup.environment}
    row.credentials = seal(credentials)
    row.sync_every_minutes = setup.sync_every_minutes
    row.stale_after_minutes = setup.stale_after_minutes
    row.look_up_budget = setup.look_up_budget


def change_connection(actor: Actor, organisation_id: int, connection_id: int, setup: Setup) -> InsurerConnection:
    """Change how a policy is reached; what stopped the connection is taken as dealt with.

    Errors: ``Refusal`` ``connection_unknown``, ``connector_fixed``; ``InvalidValues``.
    """
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        if setup.connector != row.connector:
            raise Refusal("connector_fixed", connector=row.connector)
        before = picture(row)
        try:
            kept = unseal(row.credentials)
        except StopSync:  # no key opens them any more: all must be given anew
            kept = {}
        _connector, credentials = _checked(setup, kept)
        has_new_credentials = credentials != kept
        _write(row, setup, credentials)
        row.stopped_because = None
        row.sync_cursor = None
        old, new = journal.changes(before, picture(row))
        if has_new_credentials:
            new["credentials"] = "changed"
        session.flush()
        journal.record(session, actor, "connection.changed", subject_of(session, row), before=old, after=new)
        return row


def set_enabled(actor: Actor, organisation_id: int, connection_id: int, *, enabled: bool) -> None:
    """Switch a connection on or off; switching on also lets a stopped one go on. Errors: ``Refusal`` ``connection_unknown``."""
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        if row.is_enabled == enabled and not (enabled and row.stopped_because is not None):
            return
        before = {"is_enabled": row.is_enabled, "stopped": row.stopped_because is not None}
        row.is_enabled, row.stopped_because = enabled, None
        session.flush()
        action = "connection.enabled" if enabled else "connection.disabled"
        journal.record(session, actor, action, subject_of(session, row), before=before, after={"is_enabled": enabled})


def try_connection(actor: Actor, organisation_id: int, connection_id: int) -> Trial:
    """Ask the insurer what this policy may do, and remember it. A good try lets a stopped connection go on.

    Errors: ``Refusal`` ``connection_unknown``.
    """
    try:
        found = reach(organisation_id, connection_id, even_if_stopped=True)
    except StopSync as stop:
        return Trial((), stop)
    error: ConnectorError | None = None
    capabilities: tuple[Operation, ...] = ()
    try:
        capabilities = tuple(sorted(found.connector.capabilities(found.connection)))
    except ConnectorError as problem:
        error = problem
    finally:
        found.recorder.flush()
    if isinstance(error, StopSync):
        stop_connection(organisation_id, connection_id, error)
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        if error is None:
            row.capabilities = [each.value for each in capabilities]
            row.stopped_because = None
            session.flush()
        after = {"capabilities": row.capabilities} if error is None else {"error": error_data(error)}
        journal.record(session, actor, "connection.tried", subject_of(session, row), after=after)
    return Trial(capabilities, error)


def renew_encryption(actor: Actor, organisation_id: int) -> int:
    """Encrypt all credentials of an organisation with the newest key, so that an old one can go; gives how many connections."""
    with transaction(organisation_id) as session:
        rows = session.scalars(select(InsurerConnection).where(InsurerConnection.credentials != "").order_by(InsurerConnection.id)).all()
        for row in rows:
            credentials = unseal(row.credentials)
            session.execute(update(InsurerConnection).where(InsurerConnection.id == row.id).values(credentials=seal(credentials)))
        if rows:
            journal.record(session, actor, "connections.sealed", Subject("organisation", organisation_id, ""), after={"count": len(rows)})
        return len(rows)
