"""Contacts and letterheads, read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select

from insureflow.models.database import db
from insureflow.models.documents import BuyerContact, Letterhead, PolicyContact


def contacts_of(buyer_id: int) -> Sequence[BuyerContact]:
    """The people at a buyer: those who get letters first."""
    statement = select(BuyerContact).where(BuyerContact.buyer_id == buyer_id)
    return db.session.scalars(statement.order_by(BuyerContact.gets_letters.desc(), BuyerContact.id)).all()


def letter_contacts(buyer_ids: Collection[int]) -> Mapping[int, Sequence[BuyerContact]]:
    """The people to whom letters go, by buyer; in the order in which they were entered."""
    found: dict[int, list[BuyerContact]] = {}
    statement = select(BuyerContact).where(BuyerContact.buyer_id.in_(list(buyer_ids)), BuyerContact.gets_letters.is_(True))
    for contact in db.session.scalars(statement.order_by(BuyerContact.id)):
        found.setdefault(contact.buyer_id, []).append(contact)
    return found


def find_contact(contact_id: int) -> BuyerContact | None:
    """The person with this key, or None."""
    return db.session.scalar(select(BuyerContact).where(BuyerContact.id == contact_id))


def policy_contacts(policy_id: int) -> Mapping[str, PolicyContact]:
    """Where papers for the insurer of a policy go, by purpose."""
    return {row.purpose: row for row in db.session.scalars(select(PolicyContact).where(PolicyContact.policy_id == policy_id))}


def find_policy_contact(policy_id: int, purpose: str) -> PolicyContact | None:
    """Where papers of one purpose go, or None."""
    return db.session.scalar(select(PolicyContact).where(PolicyContact.policy_id == policy_id, PolicyContact.purpose == purpose))


def letterheads() -> Mapping[int, Letterhead]:
    """The letterheads by entity."""
    return {row.entity_id: row for row in db.session.scalars(select(Letterhead))}
