"""Buyers that a ledger brought along: made at once so that nothing is lost, and looked at by a person later."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from insureflow.domain.buyers import BuyerStatus, search_name
from insureflow.domain.errors import Refusal
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.scope import current_organisation_id
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_PORTION = 5_000


class NewBuyer(NamedTuple):
    """A customer of an entity's ledger; without a name it goes by its number."""

    entity_id: int
    number: str
    name: str | None
    country: str


def create_for_review(session: Session, entity_id: int, number: str, name: str | None, country: str) -> int:
    """Key of the buyer with this customer number in the entity's ledger, made for review where there is none.

    Part of a larger change, which writes the journal.
    """
    return create_many_for_review(session, [NewBuyer(entity_id, number, name, country)])[entity_id, number]


def create_many_for_review(session: Session, rows: Iterable[NewBuyer]) -> dict[tuple[int, str], int]:
    """Keys of the buyers by entity and customer number; those that no ledger knew are made, to be reviewed.

    Part of a larger change, which writes the journal.
    """
    wanted = {(row.entity_id, row.number): row for row in rows}
    found = _known(session, {entity_id for entity_id, _number in wanted})
    missing = [row for key, row in wanted.items() if key not in found]
    organisation_id, at = current_organisation_id(), now()
    for start in range(0, len(missing), _PORTION):
        portion = missing[start : start + _PORTION]
        labels = [" ".join((row.name or row.number).split())[:300] for row in portion]
        keys = session.scalars(
            insert(Buyer).returning(Buyer.id, sort_by_parameter_order=True),
            [
                {
                    "organisation_id": organisation_id,
                    "legal_name": label,
                    "search_name": search_name(label),
                    "country": row.country,
                    "status": BuyerStatus.TO_REVIEW,
                    "natural_person": False,
                    "created_at": at,
                }
                for row, label in zip(portion, labels, strict=True)
            ],
        ).all()
        session.execute(
            insert(CustomerNumber),
            [
                {"organisation_id": organisation_id, "entity_id": row.entity_id, "buyer_id": key, "number": row.number}
                for row, key in zip(portion, keys, strict=True)
            ],
        )
        found.update(((row.entity_id, row.number), key) for row, key in zip(portion, keys, strict=True))
    return {key: found[key] for key in wanted}


def _known(session: Session, entity_ids: Collection[int]) -> dict[tuple[int, str], int]:
    statement = select(CustomerNumber.entity_id, CustomerNumber.number, CustomerNumber.buyer_id).where(
        CustomerNumber.entity_id.in_(sorted(entity_ids))
    )
    return {(entity_id, number): buyer_id for entity_id, number, buyer_id in session.execute(statement)}


def confirm_buyers(actor: Actor, organisation_id: int, buyer_ids: Collection[int]) -> int:
    """Mark buyers as looked at; gives how many were waiting for it. Errors: ``Refusal`` ``buyer_unknown``."""
    with transaction(organisation_id) as session:
        buyers = session.scalars(select(Buyer).where(Buyer.id.in_(sorted(buyer_ids)))).all()
        if len(buyers) != len(set(buyer_ids)):
            raise Refusal("buyer_unknown", buyer=", ".join(map(str, sorted(set(buyer_ids) - {buyer.id for buyer in buyers}))))
        waiting = [buyer for buyer in buyers if buyer.status is BuyerStatus.TO_REVIEW]
        if not waiting:
            return 0
        for buyer in waiting:
            buyer.status = BuyerStatus.ACTIVE
        one = waiting[0] if len(waiting) == 1 else None
        journal.record(
            session,
            actor,
            "buyer.confirmed",
            Subject("buyer", one.id, one.legal_name) if one else Subject("buyers", None, str(len(waiting))),
            before={"status": BuyerStatus.TO_REVIEW},
            after={"status": BuyerStatus.ACTIVE, "buyers": [buyer.id for buyer in waiting]},
        )
        return len(waiting)
