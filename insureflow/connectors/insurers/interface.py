"""What every insurer's connector takes and gives: values of the trade, whatever the insurer calls them.

The vocabulary is that of EDIFACT 4505 (request), 4507 (response) and 4509 (reason); each connector maps its own words in a table
at the top of its module. A connector knows neither tables nor pages; the services store what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from insureflow.domain.connections import Confidence, Operation
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverReasonCode, CoverRequestCode, CoverResponseCode
from insureflow.domain.limits.life import PendingAction
from insureflow.domain.money import Money


class ConnectorError(Exception):
    """Something went wrong at or on the way to an insurer. ``code`` has a sentence; ``parameters`` fill its places."""

    def __init__(self, code: str, **parameters: object) -> None:
        super().__init__(code, parameters)
        self.code = code
        self.parameters = parameters


class ItemFailed(ConnectorError):
    """This one cannot be done, the others can: refused input, an unknown company, a reply that cannot be read."""


class NotSupported(ItemFailed):
    """The insurer's interface does not offer this for this policy: it goes by hand or by file."""

    def __init__(self, connector: str, operation: Operation) -> None:
        super().__init__("operation_not_offered", connector=connector, operation=operation)


class RequestsFailed(ItemFailed):
    """Some requests could not be read. ``failures``: why, by their references; ``covers``: how the others stand."""

    def __init__(self, failures: Mapping[str, ItemFailed], covers: Sequence[InsurerCover]) -> None:
        first = next(iter(failures.values()))
        super().__init__(first.code, **first.parameters)
        self.failures = dict(failures)
        self.covers = tuple(covers)


class AnswerLost(ConnectorError):
    """A message was sent and nobody knows whether it arrived: look for it before it is sent again."""


class Stopped(Exception):
    """The process is asked to end: a question was broken off, and nothing at the insurer has changed by it."""


def _goes_on() -> bool:
    return False


class TryLater(ConnectorError):
    """Nothing was done and it may work later: too many requests, a time-out before sending, an outage.

    ``retry_after_seconds`` is what the insurer asked for, where it did.
    """

    def __init__(self, code: str, *, retry_after_seconds: int | None = None, **parameters: object) -> None:
        super().__init__(code, **parameters)
        self.retry_after_seconds = retry_after_seconds


class StopSync(ConnectorError):
    """Nothing of this connection can work until a person acts: refused credentials, a wrong address, no entitlement."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply as the log keeps it: no secret, no token, no more than an excerpt."""

    at: datetime
    operation: str
    method: str
    address: str
    status: int | None
    milliseconds: int
    correlation: str
    request: str
    reply: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a connector needs to reach an insurer on behalf of one policy.

    ``addresses``: full address per product of the insurer (``token``, ``covers`` …), as its test and production hosts differ in
    more than one place. ``policy_key``: the insurer's own key of the policy, a tuple by name. ``clock`` tells the instant in UTC, for
    the log; ``record`` gets every exchange. Once ``wants_to_stop``, questions are broken off; messages on their way are not.
    """

    key: int
    connector: str
    addresses: Mapping[str, str]
    policy_key: Mapping[str, str]
    policy_currency: str
    credentials: Mapping[str, str] = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    record: Callable[[Exchange], None] = field(default=lambda _exchange: None, repr=False)
    wants_to_stop: Callable[[], bool] = field(default=_goes_on, repr=False)


@dataclass(frozen=True, slots=True)
class CompanyQuery:
    """Whom we look for. Identifiers decide; a name alone only proposes. ``country`` is ISO alpha-2."""

    country: str
    identifiers: tuple[tuple[str, str], ...] = ()  # (scheme of ours, value)
    name: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True)
class CompanyMatch:
    """A company as the insurer knows it. ``is_exact``: found by an identifier, not by likeness; ``score`` 0–100 where given."""

    company_id: str
    scheme: str
    name: str
    country: str
    city: str = ""
    is_exact: bool = False
    score: int | None = None


@dataclass(frozen=True, slots=True)
class LimitMessage:
    """A request as it goes to an insurer. ``own_reference`` is ours, unique for good, and what we look for before a repetition.

    ``amount`` is None for a check or a cancellation; ``cover_id`` is the insurer's reference of what is changed.
    """

    own_reference: str
    code: CoverRequestCode
    company_id: str
    kind: LimitKind
    layer: Layer
    amount: Money | None
    asked_on: date
    cover_id: str | None = None
    is_urgent: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class SaleMessage:
    """A sale as an insurer that takes them one by one is told of it. ``client`` is the insurer's number of the debtor."""

    own_reference: str
    client: str
    invoice_number: str
    invoiced_on: date
    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class CollectionMessage:
    """Word to an insurer that a sale it was told of was paid. ``client`` and ``sale`` are the insurer's numbers of debtor and sale."""

    own_reference: str
    client: str
    sale: str
    collected_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class InsurerCover:
    """One cover as the insurer shows it. ``cover_id`` and ``version`` together are its reference: applied once.

    Amounts are in the currency of the policy. ``response`` says what kind of answer it is; a cover still studied is
    ``STILL_INVESTIGATING``. ``decided`` None: nothing was decided about the amount, a limit that is in force stays as it is (an
    increase was refused, an application withdrawn); a refusal or an end of a limit has an amount of 0. ``pending`` is announced and
    not yet in effect. ``raw`` are the insurer's own words that decided. ``request_reference`` is the reference of the receipt this
    answers, where it was asked for by it. ``grade`` and ``grade_class`` are the insurer's grade of the company, in its own words.
    """

    cover_id: str
    version: str
    company_id: str
    company_name: str
    response: CoverResponseCode
    kind: LimitKind
    layer: Layer
    requested: Money | None
    decided: Money | None
    decided_on: date | None
    effective_on: date | None
    valid_to: date | None = None
    reason: CoverReasonCode | None = None
    pending: PendingAction | None = None
    pending_on: date | None = None
    own_reference: str = ""
    customer_number: str = ""
    country: str = ""
    conditions: tuple[str, ...] = ()
    raw: Mapping[str, str] = field(default_factory=dict)
    request_reference: str = ""
    grade: str = ""
    grade_class: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came back for a request: the insurer's reference of it, and the decision where there is one already."""

    reference: str
    cover: InsurerCover | None = None


@dataclass(frozen=True, slots=True)
class CoverPage:
    """A part of a list of covers. ``cursor`` continues after it; None on the last part.

    ``is_whole`` is False where the insurer said or showed that something of this part is missing: absence then proves nothing.
    ``unreadable`` are rows that could not be read, each with its reference and what is wrong.
    """

    covers: tuple[InsurerCover, ...]
    cursor: str | None
    total: int | None = None
    is_whole: bool = True
    unreadable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Push:
    """A message an insurer sent of its own accord. ``delivery`` tells repetitions; ``look_at`` names what to fetch (never trusted by itself)."""

    delivery: str
    look_at: tuple[str, ...]


class InsurerConnector(Protocol):
    """One insurer's interface. Every method may raise ``ItemFailed``, ``AnswerLost`` (only ``submit``), ``TryLater``, ``StopSync``."""

    key: str
    name: str
    confidence: Confidence
    #: Names of the credentials, of the parts of the policy's key and of the addresses a connection needs.
    credential_names: tuple[str, ...]
    policy_key_names: tuple[str, ...]
    address_names: tuple[str, ...]
    #: Default addresses by environment ("production", "test"), where they are documented.
    default_addresses: Mapping[str, Mapping[str, str]]
    #: Scheme of the insurer's own company numbers.
    company_scheme: str
    #: Whether looking for a company may cost money.
    charges_look_ups: bool
    #: Smallest step of amounts the insurer takes, in major units; 1 where any.
    amount_step: int
    #: What requests may be about: layers and kinds of limits. Others go by hand or by file.
    carries: frozenset[tuple[Layer, LimitKind]]

    def capabilities(self, connection: Connection) -> frozenset[Operation]:
        """What this policy may do, asked of the insurer where it can be, else what the documentation grants."""
        ...

    def find_companies(self, connection: Connection, query: CompanyQuery) -> tuple[CompanyMatch, ...]:
        """Companies that fit, best first."""
        ...

    def submit(self, connection: Connection, message: LimitMessage) -> Receipt:
        """Hand in a request. The caller looks first (``find_request``) when an earlier try may have arrived."""
        ...

    def find_request(self, connection: Connection, message: LimitMessage) -> Receipt | None:
        """The receipt of a request that arrived before; None when the insurer surely does not have it."""
        ...

    def poll(self, connection: Connection, references: tuple[str, ...]) -> tuple[InsurerCover, ...]:
        """How requests stand, by the references their receipts gave. Errors: ``RequestsFailed`` where single ones cannot be read."""
        ...

    def list_covers(self, connection: Connection, cursor: str | None = None) -> Iterator[CoverPage]:
        """Everything the insurer holds for this policy, part by part, from a cursor on."""
        ...

    def list_changes(self, connection: Connection, since: date) -> Iterator[CoverPage]:
        """What changed since a day, where the insurer offers that."""
        ...

    def read_push(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> Push:
        """What a message of the insurer asks us to look at. Errors: ``ItemFailed`` where it is none of theirs."""
        ...


@runtime_checkable
class PaperReader(Protocol):
    """An insurer whose interface also shows papers: files of claims, recoveries, sales. ``papers``: how many numbers each asks for."""

    papers: Mapping[str, int]

    def read_paper(self, connection: Connection, name: str, *keys: str, params: Mapping[str, str] | None = None) -> Any:
        """A paper as the insurer shows it."""
        ...


@runtime_checkable
class CollectionTaker(Protocol):
    """An insurer that wants to know of payments of the sales it was told of."""

    def declare_collection(self, connection: Connection, message: CollectionMessage) -> Receipt:
        """Tell that a sale was paid; sends once. Errors: as for ``submit``."""
        ...


@runtime_checkable
class SaleTaker(Protocol):
    """An insurer that takes sales one by one."""

    def declare_sale(self, connection: Connection, message: SaleMessage) -> Receipt:
        """Tell of a sale; the receipt has the insurer's reference of it. Sends once. Errors: as for ``submit``."""
        ...
