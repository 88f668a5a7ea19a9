"""Credit limits: their kinds, their layers, and what became of a request.

"Never asked" is the absence of any decision; "refused" is the answer no; "zero" is a limit that was there and was reduced to
nothing. The three must never look alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from insureflow.domain.errors import InvalidValue
from insureflow.domain.policies import vocabulary


class LimitKind(StrEnum):
    """How a limit came to be. *Source:* kinds of limit in use among insurers."""

    NAMED = "named"
    CREDIT_CHECK = "credit_check"
    START_COVER = "start_cover"
    DISCRETIONARY = "discretionary"
    BLIND = "blind"
    TEMPORARY = "temporary"
    TOP_UP = "top_up"
    PRE_SHIPMENT = "pre_shipment"
    NON_CANCELLABLE = "non_cancellable"
    GROUP = "group"


#: The same kind in the terms of a policy, which may set an insured percentage by kind.
KIND_IN_TERMS: dict[LimitKind, vocabulary.LimitKind] = {
    LimitKind.NAMED: vocabulary.LimitKind.NAMED,
    LimitKind.CREDIT_CHECK: vocabulary.LimitKind.SIMPLE_CHECK,
    LimitKind.START_COVER: vocabulary.LimitKind.START_COVER,
    LimitKind.DISCRETIONARY: vocabulary.LimitKind.DISCRETIONARY,
    LimitKind.BLIND: vocabulary.LimitKind.BLIND_COVER,
    LimitKind.TEMPORARY: vocabulary.LimitKind.TEMPORARY,
    LimitKind.TOP_UP: vocabulary.LimitKind.TOP_UP,
    LimitKind.PRE_SHIPMENT: vocabulary.LimitKind.PRE_SHIPMENT,
    LimitKind.NON_CANCELLABLE: vocabulary.LimitKind.NON_CANCELLABLE,
    LimitKind.GROUP: vocabulary.LimitKind.GROUP,
}


class LimitStatus(StrEnum):
    """What the insurer (or, for a discretionary limit, the policyholder) said."""

    REQUESTED = "requested"
    APPROVED = "approved"
    PARTLY_APPROVED = "partly_approved"
    REFUSED = "refused"
    REDUCED = "reduced"
    WITHDRAWN = "withdrawn"


#: Decisions that set an amount; a request sets none.
DECIDED = frozenset({LimitStatus.APPROVED, LimitStatus.PARTLY_APPROVED, LimitStatus.REFUSED, LimitStatus.REDUCED})


class LimitState(StrEnum):
    """How one decision stands on a day."""

    PENDING = "pending"
    ANNOUNCED = "announced"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class LimitSituation(StrEnum):
    """How a buyer stands under a policy on a day, in one word."""

    NEVER_ASKED = "never_asked"
    PENDING = "pending"
    ANNOUNCED = "announced"
    IN_FORCE = "in_force"
    RUNNING_OFF = "running_off"
    REFUSED = "refused"
    ZERO = "zero"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


#: Situations in which a limit counts.
WITH_LIMIT = frozenset({LimitSituation.IN_FORCE, LimitSituation.RUNNING_OFF})


class AccountMark(StrEnum):
    """What must be seen at once about an account."""

    STOPPED = "stopped"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class LimitRecord:
    """What the history of limits knows of one decision; ``sequence`` orders decisions of the same day.

    ``amount`` is the amount decided, in any unit; only whether it is 0 counts here.
    """

    sequence: int
    kind: LimitKind
    status: LimitStatus
    decided_on: date
    effective_on: date
    valid_to: date | None = None
    amount: int | None = None

    def is_in_effect(self, on: date) -> bool:
        """True once it has been decided and its day has come."""
        return self.decided_on <= on and self.effective_on <= on

    def has_lapsed(self, on: date) -> bool:
        """True after its last day."""
        return self.valid_to is not None and self.valid_to < on


def status_of_decision(requested: int | None, decided: int, previous: int | None) -> LimitStatus:
    """The word for a decision of ``decided`` on a request of ``requested`` where ``previous`` was in force.

    All amounts in minor units of one currency; None means "not known" or "none". A decision of 0 is a refusal where there was
    no limit, and a reduction to zero where there was one.
    """
    if decided == 0:
        return LimitStatus.REDUCED if previous else LimitStatus.REFUSED
    if previous is not None and decided < previous and (requested is None or requested >= previous):
        return LimitStatus.REDUCED
    if requested is not None and decided < requested:
        return LimitStatus.PARTLY_APPROVED
    return LimitStatus.APPROVED


def in_order(records: Iterable[LimitRecord], on: date) -> list[LimitRecord]:
    """What had been said by a day, in the order in which it was said."""
    return sorted((record for record in records if record.decided_on <= on), key=lambda record: (record.decided_on, record.sequence))


def situation_on(records: Iterable[LimitRecord], on: date, *, has_limit: bool) -> LimitSituation:
    """How a buyer stands on a day, from the whole history of one layer under one policy.

    ``has_limit``: whether the account has a limit above 0 in force on that day, notice periods and temporary limits counted.
    Limits for goods not yet shipped stand apart and do not count.
    """
    known = [record for record in in_order(records, on) if record.kind is not LimitKind.PRE_SHIPMENT]
    if not known:
        return LimitSituation.NEVER_ASKED
    decisions = [record for record in known if record.status is not LimitStatus.REQUESTED]
    ordinary = [record for record in decisions if record.kind is not LimitKind.TEMPORARY or record.status is LimitStatus.WITHDRAWN]
    in_effect = [record for record in ordinary if record.is_in_effect(on)]
    last = in_effect[-1] if in_effect else None
    has_ended = last is not None and (last.status is LimitStatus.WITHDRAWN or last.amount == 0)
    if has_limit:
        return LimitSituation.RUNNING_OFF if has_ended and not _has_temporary(decisions, on) else LimitSituation.IN_FORCE
    if known[-1].status is LimitStatus.REQUESTED:
        return LimitSituation.PENDING
    if last is None:
        is_coming = any(not record.is_in_effect(on) for record in decisions)
        return LimitSituation.ANNOUNCED if is_coming else LimitSituation.EXPIRED
    if last.status is LimitStatus.WITHDRAWN:
        return LimitSituation.WITHDRAWN
    if last.amount == 0:
        return LimitSituation.REFUSED if last.status is LimitStatus.REFUSED else LimitSituation.ZERO
    return LimitSituation.EXPIRED


def _has_temporary(decisions: Iterable[LimitRecord], on: date) -> bool:
    return any(
        record.kind is LimitKind.TEMPORARY and record.amount and record.is_in_effect(on) and not record.has_lapsed(on)
        for record in decisions
    )


def state_of(record: LimitRecord, records: Iterable[LimitRecord], on: date) -> LimitState:
    """How one decision stands on a day among all of its layer under its policy."""
    later = [other for other in in_order(records, on) if (other.decided_on, other.sequence) > (record.decided_on, record.sequence)]
    if record.status is LimitStatus.REQUESTED:
        answered = any(other.status is not LimitStatus.REQUESTED for other in later)
        return LimitState.SUPERSEDED if answered else LimitState.PENDING
    replacing = [other for other in later if other.is_in_effect(on) and _replaces(other, record)]
    if replacing:
        return LimitState.SUPERSEDED
    if not record.is_in_effect(on):
        return LimitState.ANNOUNCED
    if record.status is LimitStatus.WITHDRAWN:
        return LimitState.WITHDRAWN
    if record.status is LimitStatus.REFUSED:
        return LimitState.REFUSED
    return LimitState.EXPIRED if record.has_lapsed(on) else LimitState.IN_FORCE


def _replaces(later: LimitRecord, record: LimitRecord) -> bool:
    """A withdrawal ends everything; beside that, temporary, pre-shipment and ordinary limits replace only their like."""
    if later.status is LimitStatus.REQUESTED:
        return False
    if later.status is LimitStatus.WITHDRAWN:
        return True
    apart = (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT)
    if record.status is not LimitStatus.WITHDRAWN and (later.kind in apart or record.kind in apart):
        return later.kind is record.kind
    return later.kind not in apart


def check_decision(
    kind: LimitKind,
    *,
    is_top_up_layer: bool,
    has_top_up: bool,
    has_conditions: bool,
    decided_on: date,
    effective_on: date,
    valid_to: date | None,
) -> list[InvalidValue]:
    """All that speaks against a decision, whatever its amount.

    *Source:* a temporary limit needs a last day; conditions belong to the primary layer; a second layer must be in the policy.
    """
    problems: list[InvalidValue] = []
    if is_top_up_layer and not has_top_up:
        problems.append(InvalidValue("no_top_up_layer", "layer"))
    if (kind is LimitKind.TOP_UP) != is_top_up_layer and kind is not LimitKind.TEMPORARY:
        problems.append(InvalidValue("kind_of_other_layer", "kind", kind.value))
    if is_top_up_layer and has_conditions:
        problems.append(InvalidValue("conditions_on_top_up", "conditions"))
    if kind is LimitKind.TEMPORARY and valid_to is None:
        problems.append(InvalidValue("temporary_needs_end", "valid_to"))
    if valid_to is not None and valid_to < max(decided_on, effective_on):
        problems.append(InvalidValue("ends_before_start", "valid_to", valid_to, start=max(decided_on, effective_on)))
    return problems


class AccountActKind(StrEnum):
    """Acts that shape the cover of an account besides limits, invoices and money."""

    STOP_COVER = "stop_cover"
    STOP_COVER_LIFTED = "stop_cover_lifted"
    CONSENT = "consent"
    EXTENSION = "extension"
    OVERDUE_NOTIFICATION = "overdue_notification"
    BUYER_GRADE = "buyer_grade"
    DATE_OF_LOSS = "date_of_loss"
    INSOLVENCY = "insolvency"
    CLAIM_FILED = "claim_filed"
    COLLECTION_STARTED = "collection_started"
    ADVERSE_INFORMATION = "adverse_information"


#: Acts that may name the invoices they are about; without any they are about all.
ABOUT_INVOICES = frozenset({AccountActKind.CONSENT, AccountActKind.OVERDUE_NOTIFICATION})
