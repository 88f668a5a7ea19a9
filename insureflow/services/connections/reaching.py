"""From a stored connection to a connector that can be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from insureflow.connectors.insurers import registry
from insureflow.connectors.insurers.interface import Connection, ConnectorError, InsurerConnector, StopSync
from insureflow.domain.errors import Refusal
from insureflow.models.connections import InsurerConnection
from insureflow.models.policies import Policy
from insureflow.services import work_items
from insureflow.services.clock import now
from insureflow.services.connections.credentials import unseal
from insureflow.services.connections.exchanges import Recorder
from insureflow.services.journal import plain
from insureflow.services.transaction import transaction

SANDBOX = "sandbox"
ENVIRONMENTS = ("production", "test", SANDBOX)


@dataclass(frozen=True, slots=True)
class Reach:
    """A connection ready for use: its connector, what the connector needs, and the recorder of what is said."""

    organisation_id: int
    connection_id: int
    policy_id: int
    insurer: str
    capabilities: frozenset[str]
    connector: InsurerConnector
    connection: Connection
    recorder: Recorder


def get_connection(session: Session, connection_id: int, *, lock: bool = False) -> InsurerConnection:
    """The connection with this key in the current scope. Errors: ``Refusal`` ``connection_unknown``."""
    statement = select(InsurerConnection).where(InsurerConnection.id == connection_id).execution_options(populate_existing=True)
    found = session.scalar(statement.with_for_update() if lock else statement)
    if found is None:
        raise Refusal("connection_unknown", connection=str(connection_id))
    return found


def addresses_of(connector: InsurerConnector, environment: str, given: Mapping[str, str]) -> dict[str, str]:
    """The addresses a connection uses: those of its environment, and over them what was given for it alone.

    A sandbox has its addresses from the settings of this installation, so nothing of a machine is stored, and nobody can point one
    elsewhere.
    """
    if environment == SANDBOX:
        return _sandbox_addresses(connector)
    return {**connector.default_addresses.get(environment, {}), **{name: address for name, address in given.items() if address}}


def _sandbox_addresses(connector: InsurerConnector) -> dict[str, str]:
    """The documented addresses of an insurer as its sandbox has them: the same paths, under a prefix of this machine's sandbox.

    Where the insurer's addresses are not public, the connector gives the paths of the sandbox alone.
    """
    base = f"{current_app.config['INSUREFLOW'].sandbox_url}/{connector.key.replace('_', '-')}"
    documented = connector.default_addresses.get(SANDBOX) or connector.default_addresses.get("production", {})
    return {name: base + urlsplit(address).path for name, address in documented.items()}


def open_connection(row: InsurerConnection, policy: Policy) -> Reach:
    """A connection ready for use. Errors: ``StopSync`` where its credentials cannot be read."""
    connector = registry.get_connector(row.connector)
    recorder = Recorder(row.organisation_id, row.id)
    options = {str(name): str(value) for name, value in row.options.items()}
    value = Connection(
        key=row.id,
        connector=row.connector,
        addresses=MappingProxyType(addresses_of(connector, options.get("environment", "production"), row.addresses)),
        policy_key=MappingProxyType({str(name): str(part) for name, part in row.policy_key.items()}),
        policy_currency=policy.limit_currency,
        credentials=MappingProxyType(unseal(row.credentials)),
        clock=now,
        options=MappingProxyType(options),
        record=recorder.record,
    )
    return Reach(row.organisation_id, row.id, policy.id, policy.insurer, frozenset(row.capabilities), connector, value, recorder)


def reach(organisation_id: int, connection_id: int, *, even_if_stopped: bool = False) -> Reach:
    """A connection ready for use, read in a unit of work of its own that is over.

    Errors: ``Refusal`` ``connection_unknown``, ``connection_off``, ``connection_stopped``; ``StopSync``, which is stored.
    """
    try:
        with transaction(organisation_id) as session:
            row = get_connection(session, connection_id)
            if not even_if_stopped:
                require_running(row)
            policy = session.scalars(select(Policy).where(Policy.id == row.policy_id)).one()
            return open_connection(row, policy)
    except StopSync as stop:
        stop_connection(organisation_id, connection_id, stop)
        raise


def require_running(row: InsurerConnection) -> None:
    """Refuse the use of a connection that is off or waits for a person."""
    if not row.is_enabled:
        raise Refusal("connection_off", connection=str(row.id))
    if row.stopped_because is not None:
        raise Refusal("connection_stopped", connection=str(row.id))


def error_data(error: ConnectorError) -> dict[str, object]:
    """An error as it is stored: its code and what fills its sentence."""
    parameters = {name: plain(value) for name, value in error.parameters.items()}
    return {
        "code": error.code,
        "parameters": {name: value if isinstance(value, int) else str(value)[:300] for name, value in parameters.items()},
    }


def stop_connection(organisation_id: int, connection_id: int, error: ConnectorError) -> None:
    """Nothing of this connection works until a person acts; that becomes work for somebody."""
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        if row.stopped_because is not None:
            return
        instant = now()
        session.execute(
            update(InsurerConnection)
            .where(InsurerConnection.id == connection_id)
            .values(stopped_because={**error_data(error), "at": instant.isoformat()})
        )
        work_items.open_item(
            session,
            "connection_stopped",
            f"connection/{connection_id}/{instant.isoformat(timespec='seconds')}",
            policy_id=row.policy_id,
            facts={"code": error.code},
        )
