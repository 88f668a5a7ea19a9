"""Whom an insurer's covers are about, and what our books hold of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.interface import InsurerCover
from insureflow.domain.limits import LimitStatus
from insureflow.models.buyers import Buyer, CustomerNumber, InsurerIdentity
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import InsuredEntity, Policy
from insureflow.queries.among import among
from insureflow.services.sync import answering
from insureflow.services.sync.comparing import Held


def buyers_of(session: Session, policy: Policy, covers: Iterable[InsurerCover]) -> dict[str, int]:
    """Which buyer each cover is about, by its cover id: the insurer's number of the company, else our own customer number or reference.

    A name alone proves nothing.
    """
    wanted = list(covers)
    numbers = {cover.company_id for cover in wanted if cover.company_id}
    identities = session.execute(
        select(InsurerIdentity.number, InsurerIdentity.buyer_id).where(
            InsurerIdentity.insurer == policy.insurer, among(InsurerIdentity.number, numbers)
        )
    )
    by_number = {row.number: row.buyer_id for row in identities}
    found = {cover.cover_id: by_number[cover.company_id] for cover in wanted if cover.company_id in by_number}
    rest = [cover for cover in wanted if cover.cover_id not in found]
    found |= _by_own_numbers(session, policy, rest)
    return found | answering.buyers_by_reference(session, policy.id, [cover for cover in rest if cover.cover_id not in found])


def _by_own_numbers(session: Session, policy: Policy, covers: Sequence[InsurerCover]) -> dict[str, int]:
    numbers = {cover.customer_number for cover in covers if cover.customer_number}
    if not numbers:
        return {}
    rows = session.execute(
        select(CustomerNumber.number, CustomerNumber.buyer_id, Buyer.country)
        .join(Buyer, Buyer.id == CustomerNumber.buyer_id)
        .join(InsuredEntity, InsuredEntity.entity_id == CustomerNumber.entity_id)
        .where(InsuredEntity.policy_id == policy.id, among(CustomerNumber.number, numbers))
    )
    owners: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for row in rows:
        owners[row.number].add((row.buyer_id, row.country))
    found: dict[str, int] = {}
    for cover in covers:
        of_number = owners.get(cover.customer_number, set())
        if len(of_number) == 1:
            buyer_id, country = next(iter(of_number))
            if not cover.country or cover.country == country:
                found[cover.cover_id] = buyer_id
    return found


def history_of_buyers(session: Session, policy_id: int, buyer_ids: Collection[int]) -> dict[int, list[Held]]:
    """All decisions on buyers under a policy, requests left out, the oldest first."""
    rows = session.execute(
        select(
            LimitDecision.buyer_id,
            LimitDecision.id,
            LimitDecision.layer,
            LimitDecision.kind,
            LimitDecision.status,
            LimitDecision.decided_minor,
            LimitDecision.currency,
            LimitDecision.decided_on,
            LimitDecision.effective_on,
            LimitDecision.valid_to,
            LimitDecision.source,
        )
        .where(
            LimitDecision.policy_id == policy_id,
            among(LimitDecision.buyer_id, buyer_ids),
            LimitDecision.status != LimitStatus.REQUESTED,
        )
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    found: dict[int, list[Held]] = defaultdict(list)
    for row in rows:
        found[row.buyer_id].append(Held(*row[1:]))
    return found
