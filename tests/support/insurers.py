"""One connector at its sandbox insurer: what a test does with it, in a word each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from support.sandbox import SANDBOX_POLICIES, RunningSandbox

from insureflow.connectors.insurers.interface import (
    Connection,
    CoverPage,
    InsurerConnector,
    InsurerCover,
    LimitMessage,
    NotSupported,
    Receipt,
)
from insureflow.connectors.insurers.registry import get_connector
from insureflow.domain.connections import Operation
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode
from insureflow.domain.money import Money

#: Companies by the last digit of their number, as the sandbox's rule book goes: 1 approved, 7 refused, 8 with conditions.
APPROVED, REFUSED, CONDITIONAL = "10000001", "10000007", "10000008"


@dataclass
class Case:
    """One connector at the sandbox: what a test does with it, in a word each."""

    key: str
    running: RunningSandbox
    references: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    @property
    def connector(self) -> InsurerConnector:
        return get_connector(self.key)

    def connection(self, **changes: Any) -> Connection:
        return self.running.connection(self.key, **changes)

    def offers(self, operation: Operation) -> bool:
        return operation in self.connector.capabilities(self.connection())

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        return self.running.control(path, body)

    def fault(self, name: str, **settings: Any) -> None:
        self.control("faults", **{name: {"times": 1, **settings}})

    def pass_time(self, seconds: float = 120) -> None:
        self.control("clock", seconds=seconds)

    def seed(self, count: int, **changes: Any) -> None:
        covers = [
            {"company_id": str(20_000_001 + number), "company_name": f"Company no. {number}", "amount": 10_000 + 1000 * number, **changes}
            for number in range(count)
        ]
        answer = self.control("seed", insurer=self.key, policy=SANDBOX_POLICIES[self.key], covers=covers)
        assert answer["covers"] == count

    def message(self, amount: int | None = 50_000, company: str = APPROVED, **changes: Any) -> LimitMessage:
        values: dict[str, Any] = {
            "own_reference": f"IF-{next(self.references):06}",
            "code": CoverRequestCode.NEW_LIMIT,
            "company_id": company,
            "kind": LimitKind.NAMED,
            "layer": Layer.PRIMARY,
            "amount": None if amount is None else Money.of(amount, "EUR"),
            "asked_on": datetime.now(UTC).date(),
        }
        return LimitMessage(**{**values, **changes})

    def submit(self, message: LimitMessage, **changes: Any) -> Receipt:
        return self.connector.submit(self.connection(**changes), message)

    def poll(self, receipt: Receipt) -> InsurerCover:
        """How a request stands, once its job is done."""
        self.pass_time(2)
        found = self.connector.poll(self.connection(), (receipt.reference,))
        assert [cover.request_reference for cover in found] == [receipt.reference]
        return found[0]

    def in_force(self, amount: int = 50_000, company: str = APPROVED) -> InsurerCover:
        """A new cover, decided."""
        receipt = self.submit(self.message(amount, company))
        self.pass_time()
        cover = self.poll(receipt)
        assert cover.decided == Money.of(amount, "EUR")
        return cover

    def pages(self, **changes: Any) -> list[CoverPage]:
        return list(self.connector.list_covers(self.connection(**changes)))

    def listed(self, company: str) -> list[InsurerCover]:
        """The decided covers of a company in the whole list."""
        return [
            cover
            for page in self.pages()
            for cover in page.covers
            if cover.company_id == company and cover.response is not CoverResponseCode.STILL_INVESTIGATING
        ]

    def covers_there(self) -> int:
        """How many covers the insurer holds, whatever their stage."""
        return self.running.sandbox.state.count(self.key)

    def refuses(self, message: LimitMessage) -> None:
        """What is not offered is said so, and nothing is sent."""
        before = len(self.running.exchanges)
        with pytest.raises(NotSupported):
            self.submit(message)
        assert len(self.running.exchanges) == before
