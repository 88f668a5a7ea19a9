"""Messages that insurers send of their own accord: an address with a secret part, and the options that let requests name it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from insureflow.connectors.insurers.known import sends_pushes
from insureflow.domain.connections import Operation
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.services import journal
from insureflow.services.connections.reaching import SANDBOX, get_connection
from insureflow.services.connections.setup import PUSH_ADDRESS, subject_of
from insureflow.services.journal import Actor
from insureflow.services.transaction import transaction

_KEY_BYTES = 32
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,79}")
_OPTIONS = frozenset({"push", "push_header", PUSH_ADDRESS})


def take_pushes(actor: Actor, organisation_id: int, connection_id: int, header: str, address_of: Callable[[str], str]) -> str:
    """Have every request ask for messages at a new address, and give it; the one before ends.

    ``header`` is the name of the header that the insurer reads the address from; ``address_of`` makes the whole address of a secret key.
    Errors: ``Refusal`` ``connection_unknown``, ``pushes_not_offered``; ``InvalidValue`` ``header_name_wrong``, ``push_address_not_https``.
    """
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        if not sends_pushes(row.connector):
            raise Refusal("pushes_not_offered", connector=row.connector)
        name = header.strip()
        if not _HEADER.fullmatch(name):
            raise InvalidValue("header_name_wrong", "header", header[:80])
        key = secrets.token_urlsafe(_KEY_BYTES)
        address = address_of(key)
        if row.options.get("environment") != SANDBOX and not address.startswith("https://"):
            raise InvalidValue("push_address_not_https", "address", address.partition("/push/")[0])
        row.push_key = key
        row.options = {**row.options, "push": "on", "push_header": name, PUSH_ADDRESS: address}
        if row.capabilities:
            row.capabilities = sorted({*row.capabilities, Operation.RECEIVE_PUSH.value})
        session.flush()
        after = {"has_push_address": True, "options": {"push": "on", "push_header": name}}
        journal.record(session, actor, "connection.push_key_made", subject_of(session, row), after=after)
        return address


def refuse_pushes(actor: Actor, organisation_id: int, connection_id: int) -> None:
    """Ask for no messages any more, and take none. Errors: ``Refusal`` ``connection_unknown``."""
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        if row.push_key is None:
            return
        row.push_key = None
        row.options = {name: value for name, value in row.options.items() if name not in _OPTIONS}
        row.capabilities = [each for each in row.capabilities if each != Operation.RECEIVE_PUSH.value]
        session.flush()
        journal.record(session, actor, "connection.push_key_removed", subject_of(session, row), after={"has_push_address": False})
