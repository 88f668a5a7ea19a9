"""Ways to an insurer that no program can go alone: a person, or a folder somebody watches, carries what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NoReturn

from insureflow.connectors.insurers.interface import (
    CompanyMatch,
    CompanyQuery,
    Connection,
    CoverPage,
    InsurerCover,
    LimitMessage,
    NotSupported,
    Push,
    Receipt,
)
from insureflow.domain.connections import Confidence, Operation
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind


class ByHand:
    """A connector without an interface: it has no capabilities, so every request becomes work for a person."""

    key: str
    name: str
    company_scheme: str
    confidence = Confidence.OWN
    credential_names: tuple[str, ...] = ()
    policy_key_names: tuple[str, ...] = ()
    address_names: tuple[str, ...] = ()
    default_addresses: Mapping[str, Mapping[str, str]] = {}
    charges_look_ups = False
    amount_step = 1
    carries: frozenset[tuple[Layer, LimitKind]] = frozenset()

    def _refuse(self, operation: Operation) -> NoReturn:
        raise NotSupported(self.name, operation)

    def capabilities(self, connection: Connection) -> frozenset[Operation]:  # noqa: ARG002 -- the same for every connection
        """Nothing: whatever is asked for is carried by a person."""
        return frozenset()

    def find_companies(self, connection: Connection, query: CompanyQuery) -> tuple[CompanyMatch, ...]:  # noqa: ARG002 -- refused
        """Not offered."""
        self._refuse(Operation.FIND_COMPANY)

    def submit(self, connection: Connection, message: LimitMessage) -> Receipt:  # noqa: ARG002 -- refused
        """Not offered: requests are written to a file."""
        self._refuse(Operation.REQUEST_NEW)

    def find_request(self, connection: Connection, message: LimitMessage) -> Receipt | None:  # noqa: ARG002 -- refused
        """Not offered."""
        self._refuse(Operation.FIND_REQUEST)

    def poll(self, connection: Connection, references: tuple[str, ...]) -> tuple[InsurerCover, ...]:  # noqa: ARG002 -- refused
        """Not offered."""
        self._refuse(Operation.POLL_REQUESTS)

    def list_covers(self, connection: Connection, cursor: str | None = None) -> Iterator[CoverPage]:  # noqa: ARG002 -- refused
        """Not offered: decisions are read from a file."""
        self._refuse(Operation.LIST_COVERS)

    def list_changes(self, connection: Connection, since: date) -> Iterator[CoverPage]:  # noqa: ARG002 -- refused
        """Not offered."""
        self._refuse(Operation.LIST_CHANGES)

    def read_push(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> Push:  # noqa: ARG002 -- refused
        """Not offered."""
        self._refuse(Operation.RECEIVE_PUSH)
