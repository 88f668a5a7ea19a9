"""What some insurers' interfaces offer beside limits: papers that are read as they are, and word of payments that goes out by the outbox."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from insureflow.connectors.insurers import registry
from insureflow.connectors.insurers.interface import CollectionTaker, ConnectorError, PaperReader, StopSync
from insureflow.domain.connections import Operation, OutboxState
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.money import Money
from insureflow.models.connections import OutboxMessage
from insureflow.models.policies import Policy
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.connections.reaching import get_connection, reach, require_running, stop_connection
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: So many rows of a paper are shown; what an insurer shows beyond them is looked at in its portal.
MOST_ROWS = 1000

_LONGEST_NUMBER = 80


def papers_of(connector_key: str) -> dict[str, int]:
    """The papers that an insurer's interface shows, with how many numbers each asks for."""
    connector = registry.get_connector(connector_key)
    return dict(connector.papers) if isinstance(connector, PaperReader) else {}


def read_paper(organisation_id: int, connection_id: int, name: str, keys: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a paper, with the insurer's own names of the fields.

    Errors: ``Refusal`` ``connection_unknown``, ``connection_off``, ``connection_stopped``, ``papers_not_offered``,
    ``paper_needs_numbers``, and what went wrong at the insurer.
    """
    try:
        found = reach(organisation_id, connection_id)
    except StopSync as stop:
        raise Refusal(stop.code, **stop.parameters) from stop
    connector = found.connector
    if not isinstance(connector, PaperReader) or name not in connector.papers:
        raise Refusal("papers_not_offered", connector=connector.name)
    if len(keys) != connector.papers[name]:
        raise Refusal("paper_needs_numbers", count=connector.papers[name])
    try:
        said = connector.read_paper(found.connection, name, *keys)
    except ConnectorError as error:
        if isinstance(error, StopSync):
            stop_connection(organisation_id, connection_id, error)
        raise Refusal(error.code, **error.parameters) from error
    finally:
        found.recorder.flush()
    return rows_of(said)


def rows_of(said: Any) -> list[dict[str, str]]:
    """A reply as rows: the list in it, or the reply itself as the only one."""
    if isinstance(said, Mapping):
        lists = [value for value in said.values() if isinstance(value, list)]
        said = lists[0] if len(lists) == 1 else [said]
    if not isinstance(said, list):
        said = [said]
    return [
        {str(name): _written(value) for name, value in (row if isinstance(row, Mapping) else {"": row}).items()} for row in said[:MOST_ROWS]
    ]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def declare_collection(
    actor: Actor, organisation_id: int, connection_id: int, client: str, sale: str, collected_on: date, amount_minor: int, on: date
) -> OutboxMessage:
    """Have an insurer told that a sale was paid, in the currency of the policy; it leaves with the next delivery.

    Errors: ``Refusal`` ``connection_unknown``, ``connection_off``, ``connection_stopped``, ``collections_not_offered``;
    ``InvalidValues`` ``collection_number_missing``, ``in_the_future``, ``collection_amount_not_positive``.
    """
    client, sale = client.strip(), sale.strip()
    problems = [InvalidValue("collection_number_missing", name) for name, value in (("client", client), ("sale", sale)) if not value]
    if collected_on > on:
        problems.append(InvalidValue("in_the_future", "collected_on", collected_on, today=on))
    if amount_minor <= 0:
        problems.append(InvalidValue("collection_amount_not_positive", "amount"))
    if problems:
        raise InvalidValues(tuple(problems))
    offers = isinstance(reach(organisation_id, connection_id).connector, CollectionTaker)
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        require_running(row)
        if not offers or Operation.DECLARE_COLLECTION.value not in row.capabilities:
            raise Refusal("collections_not_offered", connector=row.connector)
        amount = Money(amount_minor, session.get_one(Policy, row.policy_id).limit_currency)
        message = OutboxMessage(
            connection_id=connection_id,
            operation=Operation.DECLARE_COLLECTION.value,
            own_reference=f"CO{secrets.token_hex(6).upper()}",
            payload={
                "client": client[:_LONGEST_NUMBER],
                "sale": sale[:_LONGEST_NUMBER],
                "collected_on": collected_on.isoformat(),
                "amount_minor": amount.minor,
                "currency": amount.currency,
            },
            state=OutboxState.WAITING,
            next_attempt_at=now(),
            created_at=now(),
        )
        session.add(message)
        session.flush()
        journal.record(
            session,
            actor,
            "message.written",
            Subject("message", message.id, message.own_reference),
            after={"client": client, "sale": sale, "collected_on": collected_on, "amount": amount},
        )
        return message
