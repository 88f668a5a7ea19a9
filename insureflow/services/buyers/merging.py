"""Two buyers that are one: everything of the one moves to the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from insureflow.domain.buyers import NameKind, conflicting_insurers, search_name
from insureflow.domain.errors import Refusal
from insureflow.models.buyers import Buyer, BuyerAddress, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.limits import LimitDecision, LimitGroup
from insureflow.models.policies import Policy
from insureflow.services import cover, journal
from insureflow.services.buyers.details import details_of, picture
from insureflow.services.buyers.documents import DERIVED, ONE_OF_A_KIND, documents
from insureflow.services.buyers.records import get_buyer, subject_of
from insureflow.services.journal import Actor
from insureflow.services.transaction import transaction


def merge_buyers(actor: Actor, organisation_id: int, kept_id: int, merged_id: int, on: date) -> Buyer:
    """Make two buyers one: numbers, documents, limits and acts of ``merged_id`` move to ``kept_id``, which stays.

    Errors: ``Refusal`` ``buyer_unknown``, ``merge_with_itself``, ``countries_differ_in_merge``, ``insurer_numbers_differ`` where both
    have limits under one policy and its insurer knows them under different numbers: then they are two debtors to the insurer.
    """
    with transaction(organisation_id) as session:
        kept, merged = get_buyer(session, kept_id), get_buyer(session, merged_id)
        if kept.id == merged.id:
            raise Refusal("merge_with_itself", buyer=kept.legal_name)
        if kept.country != merged.country:
            raise Refusal("countries_differ_in_merge", kept=kept.legal_name, merged=merged.legal_name)
        _check_insurers(session, kept, merged)
        before = {"kept": picture(details_of(kept)), "merged": {"id": merged.id, **picture(details_of(merged))}}
        moved = {model.__tablename__: count for model in documents() if (count := _count(session, model, merged.id))}
        _move_documents(session, kept.id, merged.id)
        _move_group(session, kept, merged)
        _move_identity(session, kept, merged)
        session.flush()
        session.expire(merged)
        session.execute(delete(Buyer).where(Buyer.id == merged.id).execution_options(synchronize_session=False))
        session.expunge(merged)
        session.refresh(kept)
        journal.record(
            session,
            actor,
            "buyer.merged",
            subject_of(kept),
            before=before,
            after={"kept": picture(details_of(kept)), "moved": moved},
        )
        cover.refresh_buyers(session, [kept.id], on)
    return kept


def _count(session: Session, model: Any, buyer_id: int) -> int:
    return int(session.scalar(select(func.count(model.id)).where(model.buyer_id == buyer_id)) or 0)


def _numbers(identities: Iterable[InsurerIdentity]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in identities:
        found.setdefault(each.insurer, set()).add(each.number)
    return found


def _check_insurers(session: Session, kept: Buyer, merged: Buyer) -> None:
    by_policy = {
        buyer.id: set(session.scalars(select(LimitDecision.policy_id).where(LimitDecision.buyer_id == buyer.id).distinct()))
        for buyer in (kept, merged)
    }
    both = by_policy[kept.id] & by_policy[merged.id]
    if not both:
        return
    first, second = _numbers(kept.insurer_identities), _numbers(merged.insurer_identities)
    conflicts = set(conflicting_insurers(first, second))
    for policy in session.scalars(select(Policy).where(Policy.id.in_(sorted(both))).order_by(Policy.number)):
        if policy.insurer in conflicts:
            raise Refusal(
                "insurer_numbers_differ",
                insurer=policy.insurer,
                policy=policy.number,
                kept=kept.legal_name,
                kept_number=", ".join(sorted(first[policy.insurer])),
                merged=merged.legal_name,
                merged_number=", ".join(sorted(second[policy.insurer])),
            )


def _move_documents(session: Session, kept_id: int, merged_id: int) -> None:
    for model in DERIVED:
        session.execute(delete(model).where(model.buyer_id == merged_id).execution_options(synchronize_session=False))
    for document in documents():
        session.execute(
            update(document).where(document.buyer_id == merged_id).values(buyer_id=kept_id).execution_options(synchronize_session=False)
        )
    session.execute(
        update(LimitGroup).where(LimitGroup.head_id == merged_id).values(head_id=kept_id).execution_options(synchronize_session=False)
    )
    for model, names in ONE_OF_A_KIND.items():
        known = {tuple(getattr(row, name) for name in names) for row in session.scalars(select(model).where(model.buyer_id == kept_id))}
        for row in session.scalars(select(model).where(model.buyer_id == merged_id)).all():
            if tuple(getattr(row, name) for name in names) in known:
                session.delete(row)
            else:
                row.buyer_id = kept_id
    session.flush()


def _move_group(session: Session, kept: Buyer, merged: Buyer) -> None:
    """The group below the one that goes hangs below the one that stays; where that one stood in it, it takes the other's place."""
    above, seen = kept.parent_id, {kept.id}
    while above is not None and above not in seen and above != merged.id:
        seen.add(above)
        above = session.scalar(select(Buyer.parent_id).where(Buyer.id == above))
    if above == merged.id:
        kept.parent_id = merged.parent_id
    session.flush()
    session.execute(
        update(Buyer)
        .where(Buyer.parent_id == merged.id, Buyer.id != kept.id)
        .values(parent_id=kept.id)
        .execution_options(synchronize_session=False)
    )


def _move_identity(session: Session, kept: Buyer, merged: Buyer) -> None:
    """Names, numbers and addresses; the name of the one that goes stays as another name of the one that is kept."""
    known = {search_name(kept.legal_name), *(each.search_name for each in kept.names)}
    names = [(NameKind.TRADING, merged.legal_name), *((each.kind, each.name) for each in merged.names)]
    for kind, name in names:
        folded = search_name(name)
        if folded not in known or ((kind, name) == (NameKind.TRADING, merged.legal_name) and name != kept.legal_name):
            if all((each.kind, each.name) != (kind, name) for each in kept.names):
                kept.names.append(BuyerName(kind=kind, name=name, search_name=folded))
            known.add(folded)
    addresses = {(each.kind, each.street, each.postal_code, each.city, each.country) for each in kept.addresses}
    session.flush()
    for address in list(merged.addresses):
        if (address.kind, address.street, address.postal_code, address.city, address.country) in addresses:
            session.execute(delete(BuyerAddress).where(BuyerAddress.id == address.id).execution_options(synchronize_session=False))
    for model in (BuyerIdentifier, BuyerAddress, CustomerNumber, InsurerIdentity):
        session.execute(
            update(model).where(model.buyer_id == merged.id).values(buyer_id=kept.id).execution_options(synchronize_session=False)
        )
    session.execute(delete(BuyerName).where(BuyerName.buyer_id == merged.id).execution_options(synchronize_session=False))
    for attribute in ("sector", "language", "not_insurable"):
        if getattr(kept, attribute) is None:
            setattr(kept, attribute, getattr(merged, attribute))
