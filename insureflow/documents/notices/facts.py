"""What notices to an insurer hold: the contract, the buyer, limits, the whole exposure, and what each notice adds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from insureflow.documents.items import ItemKind, check_totals, totals_of
from insureflow.documents.parties import Party, Signatory
from insureflow.documents.plans import Instalment
from insureflow.domain.cover import Reason
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitKind
from insureflow.domain.money import Money
from insureflow.domain.notices import AdverseKind, Intervention, ProceedingKind, ReasonForNonPayment


class ActionKind(StrEnum):
    """What the policyholder did about a debt."""

    REMINDER = "reminder"
    FINAL_DEMAND = "final_demand"
    CALL = "call"
    VISIT = "visit"
    PROMISE = "promise"
    BROKEN_PROMISE = "broken_promise"
    PAYMENT_PLAN = "payment_plan"
    SUPPLIES_STOPPED = "supplies_stopped"
    COLLECTOR = "collector"
    LEGAL = "legal"
    RETENTION_OF_TITLE = "retention_of_title"
    SECURITY_CALLED = "security_called"
    PROOF_OF_DEBT = "proof_of_debt"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFacts:
    """The contract a notice is made under."""

    insurer: Party
    insured: Party
    number: str
    broker: Party | None = None
    joint_insured: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """A limit as the insurer granted it, or as it was set within the policy's discretion."""

    kind: LimitKind
    amount: Money
    valid_from: date | None = None
    valid_until: date | None = None
    insured_percentage: Decimal | None = None
    reference: str = ""
    conditions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureItem:
    """An invoice of the buyer, due or not, divided into its insured and uninsured part.

    ``due_on`` is the original due date, ``new_due_on`` a granted later one. Errors: ``Refusal`` when the parts are not the whole.
    """

    number: str
    issued_on: date
    due_on: date
    amount: Money
    open: Money
    insured: Money
    uninsured: Money
    reason: Reason | None = None
    kind: ItemKind = ItemKind.INVOICE
    shipped_on: date | None = None
    new_due_on: date | None = None
    is_disputed: bool = False

    def __post_init__(self) -> None:
        check_totals(self.number, [self.open], [self.insured, self.uninsured])


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTaken:
    """A step taken against the buyer, with its day."""

    on: date
    kind: ActionKind
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """What a buyer contests."""

    amount: Money
    description: str
    raised_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """A paper that goes along; ``sha256`` identifies the very file."""

    title: str
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedExposure:
    """What the ledger and the exposure say on the cut-off date; a notice whose items differ from it is refused."""

    open: tuple[Money, ...]
    insured: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What every notice to an insurer has: contract, buyer, limits, and the whole exposure, amounts not yet due included."""

    number: str
    issued_on: date
    cut_off_on: date
    policy: PolicyFacts
    buyer: Party
    items: tuple[ExposureItem, ...]
    limits: tuple[LimitFacts, ...] = ()
    stated: StatedExposure | None = None
    narrative: str = ""
    annexes: tuple[Annex, ...] = ()
    signatory: Signatory | None = None

    def __post_init__(self) -> None:
        if self.stated is not None:
            check_totals(self.number, self.stated.open, [item.open for item in self.items])
            check_totals(self.number, self.stated.insured, [item.insured for item in self.items])

    @property
    def open_totals(self) -> tuple[Money, ...]:
        """The whole exposure, one sum for each currency."""
        return totals_of(item.open for item in self.items)


def _need_items(notice: Notice) -> None:
    if not notice.items:
        raise Refusal("document_without_items", number=notice.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class NonPaymentNotification(Notice):
    """Notification of non-payment of one buyer, with its full exposure.

    ``extension_end_on`` is the end of the maximum extension period of the oldest unpaid invoice, ``stop_on`` the day from which
    supplies are not covered.
    """

    cause: ReasonForNonPayment
    oldest_due_on: date
    extension_end_on: date | None = None
    notify_by: date | None = None
    stop_on: date | None = None
    last_demand_on: date | None = None
    dispute: DisputeFacts | None = None
    actions: tuple[ActionTaken, ...] = ()
    securities: tuple[str, ...] = ()
    intervention: Intervention = Intervention.MONITOR_ONLY

    def __post_init__(self) -> None:
        Notice.__post_init__(self)
        _need_items(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRequest(Notice):
    """Request for consent to a later due date beyond what the policy allows (EXP); items name the date asked for in ``new_due_on``."""

    requested_on: date
    reason: str
    extension_end_on: date | None = None

    def __post_init__(self) -> None:
        Notice.__post_init__(self)
        _need_items(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReschedulingRequest(Notice):
    """Request for consent to a payment plan (RES).

    The instalments must add up to the items marked as part of the plan (``new_due_on`` is not used), with interest and costs.
    """

    requested_on: date
    reason: str
    plan_items: tuple[str, ...]
    instalments: tuple[Instalment, ...]
    interest: tuple[Money, ...] = ()
    costs: tuple[Money, ...] = ()
    extension_end_on: date | None = None

    def __post_init__(self) -> None:
        Notice.__post_init__(self)
        _need_items(self)
        planned = [item.open for item in self.items if item.number in self.plan_items]
        check_totals(self.number, [instalment.amount for instalment in self.instalments], [*planned, *self.interest, *self.costs])


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseInformationReport(Notice):
    """Report of information that makes a loss more likely."""

    kinds: tuple[AdverseKind, ...]
    known_on: date
    happened_on: date | None = None
    source: str = ""
    actions: tuple[ActionTaken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InsolvencyNotice(Notice):
    """Notice of a buyer's insolvency."""

    proceeding: ProceedingKind
    opened_on: date
    known_on: date
    court: str = ""
    case_number: str = ""
    administrator: Party | None = None
    lodge_by: date | None = None
    lodged_on: date | None = None
    securities: tuple[str, ...] = ()
    actions: tuple[ActionTaken, ...] = ()
