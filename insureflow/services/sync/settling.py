"""What a person does about a difference: takes the insurer's word, or keeps ours and says why."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.connections import DifferenceKind
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.models.connections import InsurerConnection, InsurerCoverVersion, SyncDifference
from insureflow.models.policies import Policy
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limits import NewDecision, NewWithdrawal, record_decision, withdraw
from insureflow.services.sync.comparing import cover_of, leaves_nothing, wanted_of
from insureflow.services.transaction import transaction

#: Differences in which one side can be chosen.
TAKEN = frozenset(
    {
        DifferenceKind.AMOUNT,
        DifferenceKind.CURRENCY,
        DifferenceKind.DATES,
        DifferenceKind.STATUS,
        DifferenceKind.MANUAL_KEPT,
        DifferenceKind.MISSING_HERE,
        DifferenceKind.MISSING_THERE,
    }
)


def _get(session: Session, difference_id: int) -> SyncDifference:
    found = session.scalar(select(SyncDifference).where(SyncDifference.id == difference_id).with_for_update())
    if found is None:
        raise Refusal("difference_unknown", difference=str(difference_id))
    if found.resolved_at is not None:
        raise Refusal("difference_settled", on=found.resolved_at.date())
    return found


def keep_ours(actor: Actor, organisation_id: int, difference_id: int, note: str) -> SyncDifference:
    """Keep what we hold, and say why; the difference comes back when either side says something else.

    Errors: ``Refusal`` ``difference_unknown``, ``difference_settled``, ``keeping_needs_reason``.
    """
    if not note.strip():
        raise InvalidValue("keeping_needs_reason", "note")
    with transaction(organisation_id) as session:
        found = _get(session, difference_id)
        found.resolved_at, found.note = now(), note.strip()[:1000]
        session.flush()
        journal.record(
            session,
            actor,
            "difference.kept",
            _subject(found),
            before={"theirs": found.theirs},
            after={"ours": found.ours, "note": found.note},
        )
        return found


def accept_theirs(actor: Actor, organisation_id: int, difference_id: int, on: date, note: str = "") -> SyncDifference:
    """Take the insurer's word from today on: its decision is entered, or a limit that it does not show ends.

    Errors: ``Refusal`` ``difference_unknown``, ``difference_settled``, ``difference_not_choosable``; those of entering a decision.
    """
    with transaction(organisation_id) as session:
        found = _get(session, difference_id)
        if found.kind not in TAKEN:
            raise Refusal("difference_not_choosable", kind=found.kind)
        row = session.scalars(select(InsurerConnection).where(InsurerConnection.id == found.connection_id)).one()
        policy = session.get_one(Policy, row.policy_id)
        if found.kind is DifferenceKind.MISSING_THERE:
            _end_ours(actor, organisation_id, found, row, policy, on)
        else:
            _enter_theirs(actor, organisation_id, session, found, row, policy, on)
        found.resolved_at, found.note = now(), note.strip()[:1000]
        session.flush()
        journal.record(
            session,
            actor,
            "difference.accepted",
            _subject(found),
            before={"ours": found.ours},
            after={"theirs": found.theirs, "note": found.note},
        )
        return found


def _subject(found: SyncDifference) -> Subject:
    return Subject("difference", found.id, f"{found.company_name}: {found.subject}")


def _end_ours(actor: Actor, organisation_id: int, found: SyncDifference, row: InsurerConnection, policy: Policy, on: date) -> None:
    assert found.buyer_id is not None  # a limit of ours has a buyer
    layer = Layer(found.ours["layer"])
    withdraw(actor, organisation_id, NewWithdrawal(found.buyer_id, policy.id, on, layer=layer, source=row.connector), on)


def _enter_theirs(
    actor: Actor, organisation_id: int, session: Session, found: SyncDifference, row: InsurerConnection, policy: Policy, on: date
) -> None:
    version = session.scalar(
        select(InsurerCoverVersion).where(
            InsurerCoverVersion.connection_id == row.id, InsurerCoverVersion.cover_id == found.theirs.get("cover_id", found.subject)
        )
    )
    if version is None or found.buyer_id is None:
        raise Refusal("difference_not_choosable", kind=found.kind)
    cover = cover_of(version.picture)
    wanted = wanted_of(cover, on)
    if wanted is None:
        raise Refusal("difference_not_choosable", kind=found.kind)
    held = found.ours.get("decided")
    is_end = leaves_nothing(cover, wanted) and held is not None and Decimal(held["amount"]) > 0
    if wanted.decided_minor is None or is_end:
        made = withdraw(
            actor,
            organisation_id,
            NewWithdrawal(found.buyer_id, policy.id, on, max(on, wanted.effective_on), wanted.layer, source=row.connector),
            on,
        )
    else:
        made = record_decision(
            actor,
            organisation_id,
            NewDecision(
                buyer_id=found.buyer_id,
                policy_id=policy.id,
                decided_minor=wanted.decided_minor,
                currency=wanted.currency,
                decided_on=on,
                kind=wanted.kind,
                layer=wanted.layer,
                requested_minor=wanted.requested_minor,
                effective_on=max(on, wanted.effective_on),
                valid_to=wanted.valid_to,
                insurer_reference=f"{version.cover_id[:50]}/{on.isoformat()}#{found.id}",
                reason=wanted.reason,
                source=row.connector,
            ),
            on,
        )
    version.decision_id = made.id
