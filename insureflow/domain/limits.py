"""Credit limits: their kinds, their layers, and what became of a request.

"Never asked" is the absence of any decision; "refused" is a decision of its own, and neither is a limit of zero that happens
to be left after a reduction. The three must never look alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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
    """How a decision stands on a day."""

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
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class LimitRecord:
    """What the history of limits knows of one decision; ``sequence`` orders decisions of the same day."""

    sequence: int
    kind: LimitKind
    status: LimitStatus
    decided_on: date
    effective_on: date
    valid_to: date | None = None


def status_of_decision(requested: int | None, decided: int, previous: int | None) -> LimitStatus:
    """The word for a decision of ``decided`` on a request of ``requested`` where ``previous`` was in force.

    All amounts in minor units of one currency; None means "not known" or "none".
    """
    if decided == 0:
        return LimitStatus.REFUSED
    if previous is not None and decided < previous and (requested is None or requested >= previous):
        return LimitStatus.REDUCED
    if requested is not None and decided < requested:
        return LimitStatus.PARTLY_APPROVED
    return LimitStatus.APPROVED


def situation_on(records: Iterable[LimitRecord], on: date) -> LimitSituation:
    """How a buyer stands on a day, from the whole history of one layer under one policy."""
    known = sorted((record for record in records if record.decided_on <= on), key=lambda r: (r.decided_on, r.sequence))
    if not known:
        return LimitSituation.NEVER_ASKED
    situation = LimitSituation.NEVER_ASKED
    for record in known:
        if record.status is LimitStatus.REQUESTED:
            if situation is not LimitSituation.IN_FORCE:
                situation = LimitSituation.PENDING
        elif record.status is LimitStatus.REFUSED:
            situation = LimitSituation.REFUSED
        elif record.effective_on <= on:
            if record.status is LimitStatus.WITHDRAWN:
                situation = LimitSituation.WITHDRAWN
            elif record.valid_to is not None and record.valid_to < on:
                if record.kind is not LimitKind.TEMPORARY or situation is LimitSituation.NEVER_ASKED:
                    situation = LimitSituation.EXPIRED
            else:
                situation = LimitSituation.IN_FORCE
    return situation


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
