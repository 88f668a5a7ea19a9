"""What was said between us and insurers: kept in transactions of its own, so that a failure keeps its proof."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from insureflow.connectors.insurers.interface import Exchange
from insureflow.models.connections import InsurerConnection, InsurerExchange
from insureflow.services.transaction import transaction

#: So many exchanges of a connection are kept.
KEPT = 2000

_BATCH = 25


class Recorder:
    """Collects the exchanges of one connection and writes them in batches. Call ``flush`` outside any unit of work."""

    def __init__(self, organisation_id: int, connection_id: int) -> None:
        self._organisation_id = organisation_id
        self._connection_id = connection_id
        self._waiting: list[Exchange] = []
        self.count = 0
        self.milliseconds = 0

    def record(self, exchange: Exchange) -> None:
        """Take note of an exchange; nothing is written yet, as a unit of work may be open."""
        self._waiting.append(exchange)
        self.count += 1
        self.milliseconds += exchange.milliseconds

    def flush(self, *, least: int = 1) -> None:
        """Write what was collected, if it is at least so much."""
        if len(self._waiting) < least:
            return
        rows, self._waiting = self._waiting, []
        with transaction(self._organisation_id) as session:
            session.execute(
                insert(InsurerExchange),
                [
                    {
                        "organisation_id": self._organisation_id,
                        "connection_id": self._connection_id,
                        "at": each.at,
                        "operation": each.operation[:40],
                        "method": each.method[:10],
                        "address": each.address[:500],
                        "status": each.status,
                        "milliseconds": each.milliseconds,
                        "correlation": each.correlation[:80],
                        "request": _cut(each.request),
                        "reply": _cut(each.reply),
                        "error": each.error[:500],
                    }
                    for each in rows
                ],
            )

    def flush_batch(self) -> None:
        """Write what was collected once it is worth a transaction."""
        self.flush(least=_BATCH)


def _cut(text: str) -> str:
    return text.replace("\x00", "")[:4000]


def trim(organisation_id: int, *, kept: int = KEPT) -> int:
    """Delete all but the newest exchanges of each connection; gives how many went."""
    gone = 0
    with transaction(organisation_id) as session:
        for connection_id in session.scalars(select(InsurerConnection.id)).all():
            oldest_kept = session.scalar(
                select(InsurerExchange.id)
                .where(InsurerExchange.connection_id == connection_id)
                .order_by(InsurerExchange.id.desc())
                .offset(kept - 1)
                .limit(1)
            )
            if oldest_kept is not None:
                statement = delete(InsurerExchange).where(InsurerExchange.connection_id == connection_id, InsurerExchange.id < oldest_kept)
                gone += len(session.scalars(statement.returning(InsurerExchange.id)).all())
    return gone
