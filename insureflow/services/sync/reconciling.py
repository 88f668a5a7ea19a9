"""Our limits held against the insurer's: whatever differs is named and explained, and nothing is changed by looking."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from insureflow.domain.connections import DifferenceKind, SyncState
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.models.buyers import Buyer
from insureflow.models.connections import InsurerConnection, InsurerCoverVersion, SyncRun
from insureflow.models.limits import LimitDecision
from insureflow.queries.limits.situations import ordinary_decisions
from insureflow.services import connections
from insureflow.services.clock import now
from insureflow.services.sync.comparing import Held, compare, cover_of
from insureflow.services.sync.differences import Found, held_data, open_of_kinds, settle, settle_gone, store_found
from insureflow.services.sync.naming import history_of_buyers
from insureflow.services.transaction import transaction

_CHUNK = 1000

#: Limits that no insurer lists: the policyholder sets them.
_NOT_LISTED = (LimitKind.DISCRETIONARY, LimitKind.BLIND)

_OF_COVERS = (
    DifferenceKind.AMOUNT,
    DifferenceKind.CURRENCY,
    DifferenceKind.DATES,
    DifferenceKind.STATUS,
    DifferenceKind.MANUAL_KEPT,
    DifferenceKind.MISSING_HERE,
)


def note_missing(session: Session, row: InsurerConnection, seen: Collection[str], on: date) -> int:
    """After a whole list: which covers are gone from it, and which limits of ours it does not show. Gives how many differences are new.

    A limit stays as it is: not being listed is no decision.
    """
    instant = now()
    present = session.execute(
        select(InsurerCoverVersion.id, InsurerCoverVersion.cover_id).where(
            InsurerCoverVersion.connection_id == row.id, InsurerCoverVersion.missing_since.is_(None)
        )
    ).all()
    gone = [each for each in present if each.cover_id not in seen]
    if gone:
        session.execute(update(InsurerCoverVersion), [{"id": each.id, "missing_since": instant} for each in gone])
        settle_gone(session, row.id, [each.cover_id[:120] for each in gone], (), instant)
    return _compare_presence(session, row, on)


def _compare_presence(session: Session, row: InsurerConnection, on: date) -> int:
    """Differences about limits of ours that no cover stands for; those that are listed again are settled."""
    instant = now()
    ours = ordinary_decisions(on)
    shown = (
        select(InsurerCoverVersion.id)
        .outerjoin(LimitDecision, LimitDecision.id == InsurerCoverVersion.decision_id)
        .where(
            InsurerCoverVersion.connection_id == row.id,
            InsurerCoverVersion.buyer_id == ours.c.buyer_id,
            InsurerCoverVersion.missing_since.is_(None),
            or_(LimitDecision.id.is_(None), LimitDecision.layer == ours.c.layer),
        )
        .correlate(ours)
        .exists()
    )
    layers = session.scalars(
        select(LimitDecision.layer)
        .join(InsurerCoverVersion, InsurerCoverVersion.decision_id == LimitDecision.id)
        .where(InsurerCoverVersion.connection_id == row.id)
        .distinct()
    ).all()
    rows = session.execute(
        select(
            ours.c.buyer_id,
            Buyer.legal_name,
            ours.c.id,
            ours.c.layer,
            ours.c.kind,
            ours.c.status,
            ours.c.decided_minor,
            ours.c.currency,
            ours.c.decided_on,
            ours.c.effective_on,
            ours.c.valid_to,
            LimitDecision.source,
        )
        .join(Buyer, Buyer.id == ours.c.buyer_id)
        .join(LimitDecision, LimitDecision.id == ours.c.id)
        .where(
            ours.c.policy_id == row.policy_id,
            ours.c["rank"] == 1,
            ours.c.decided_minor > 0,
            ours.c.kind.not_in(_NOT_LISTED),
            ours.c.layer.in_({Layer.PRIMARY, *layers}),  # a top-up comes from another insurer where this one shows none
            or_(ours.c.valid_to.is_(None), ours.c.valid_to >= on),
            ~shown,
        )
    )
    found = [
        Found(
            DifferenceKind.MISSING_THERE,
            f"limit/{each.buyer_id}/{each.layer}",
            each.buyer_id,
            each.legal_name,
            held_data(Held(*each[2:])),
            {},
        )
        for each in rows
    ]
    standing = open_of_kinds(session, row.id, [DifferenceKind.MISSING_THERE])
    new = store_found(session, row.id, found, instant)
    kept = {(each.kind, each.subject) for each in found}
    settle(session, [key for name, key in standing.items() if name not in kept], instant)
    return new


def reconcile(organisation_id: int, connection_id: int, on: date) -> dict[str, int]:
    """Hold every limit of a policy against what the insurer said last. Gives how many were compared and how many differ.

    Only the newest cover of a buyer, layer and kind speaks for it. Presence is compared only after a whole list was read.
    """
    counts = {"compared": 0, "differences": 0}
    all_found: set[tuple[DifferenceKind, str]] = set()
    with transaction(organisation_id) as session:
        row = connections.get_connection(session, connection_id, lock=True)
        newest = _newest(session, row)
        ids = sorted(newest)
        for start in range(0, len(ids), _CHUNK):
            portion = ids[start : start + _CHUNK]
            versions = session.execute(
                select(InsurerCoverVersion.id, InsurerCoverVersion.buyer_id, InsurerCoverVersion.picture).where(
                    InsurerCoverVersion.id.in_(portion)
                )
            ).all()
            history = history_of_buyers(session, row.policy_id, {each.buyer_id for each in versions})
            found = []
            for each in versions:
                cover = cover_of(each.picture)
                verdict = compare(cover, history[each.buyer_id], on)
                if verdict is not None:
                    found.append(Found.of_cover(verdict[0], cover, each.buyer_id, verdict[1]))
            counts["compared"] += len(versions)
            counts["differences"] += len(found)
            store_found(session, row.id, found, now())
            all_found |= {(each.kind, each.subject) for each in found}
        standing = open_of_kinds(session, row.id, _OF_COVERS)
        settle(session, [key for name, key in standing.items() if name not in all_found], now())
        has_whole = session.scalar(
            select(SyncRun.id).where(SyncRun.connection_id == row.id, SyncRun.is_whole, SyncRun.state == SyncState.DONE).limit(1)
        )
        if has_whole is not None:
            counts["missing"] = _compare_presence(session, row, on)
    return counts


def _newest(session: Session, row: InsurerConnection) -> set[int]:
    """Keys of the covers that speak for their buyer, layer and kind: of several the one decided last."""
    rows = session.execute(
        select(
            InsurerCoverVersion.id,
            InsurerCoverVersion.buyer_id,
            InsurerCoverVersion.picture["layer"].as_string().label("layer"),
            InsurerCoverVersion.picture["kind"].as_string().label("kind"),
            InsurerCoverVersion.picture["decided_on"].as_string().label("decided_on"),
            InsurerCoverVersion.picture["decided"]["currency"].as_string().label("currency"),
        ).where(
            InsurerCoverVersion.connection_id == row.id,
            InsurerCoverVersion.buyer_id.is_not(None),
            InsurerCoverVersion.missing_since.is_(None),
        )
    )
    best: dict[tuple[int, str, str], tuple[str, int]] = {}
    for each in rows:
        if each.currency is None:  # nothing was decided
            continue
        apart = each.kind if each.kind in (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT) else ""
        name = (each.buyer_id, each.layer, apart)
        rank = (each.decided_on or "", each.id)
        if name not in best or best[name] < rank:
            best[name] = rank
    return {key for _decided_on, key in best.values()}
