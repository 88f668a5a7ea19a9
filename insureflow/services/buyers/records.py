"""Adding and changing buyers, and putting away those nobody sells to any more."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.buyers import BuyerStatus, closes_circle, search_name
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.models.buyers import Buyer, BuyerAddress, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Invoice
from insureflow.services import cover, journal
from insureflow.services.buyers.details import BuyerDetails, checked_details, details_of, picture, what_changed
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: Details that cover depends on; a change of any of them is worked out anew.
_COVER_DEPENDS_ON = frozenset({"country", "not_insurable"})


def get_buyer(session: Session, buyer_id: int) -> Buyer:
    """The buyer with this key in the current scope. Errors: ``Refusal`` ``buyer_unknown``."""
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    return buyer


def subject_of(buyer: Buyer) -> Subject:
    """A buyer as the journal names it."""
    return Subject("buyer", buyer.id, buyer.legal_name)


def _check_taken(session: Session, buyer_id: int | None, details: BuyerDetails) -> None:
    """Numbers belong to one buyer alone, entities must exist, and nobody is above themselves. Errors: ``InvalidValues``."""
    problems: list[InvalidValue] = []
    for entry in details.identifiers:
        owner = session.scalar(
            select(Buyer)
            .join(BuyerIdentifier, BuyerIdentifier.buyer_id == Buyer.id)
            .where(
                BuyerIdentifier.scheme == entry.scheme,
                BuyerIdentifier.country == entry.country,
                BuyerIdentifier.value == entry.value,
                Buyer.id != (buyer_id or 0),
            )
        )
        if owner is not None:
            problems.append(InvalidValue("number_taken", f"identifiers.{entry.scheme}", entry.value, buyer=owner.legal_name))
    entities = set(session.scalars(select(Entity.id)))
    for entity_id, number in details.customer_numbers:
        if entity_id not in entities:
            problems.append(InvalidValue("entity_not_found", "customer_numbers", str(entity_id)))
            continue
        owner = session.scalar(
            select(Buyer)
            .join(CustomerNumber, CustomerNumber.buyer_id == Buyer.id)
            .where(CustomerNumber.entity_id == entity_id, CustomerNumber.number == number, Buyer.id != (buyer_id or 0))
        )
        if owner is not None:
            problems.append(InvalidValue("number_taken", "customer_numbers", number, buyer=owner.legal_name))
    for insurer, number in details.insurer_numbers:
        owner = session.scalar(
            select(Buyer)
            .join(InsurerIdentity, InsurerIdentity.buyer_id == Buyer.id)
            .where(InsurerIdentity.insurer == insurer, InsurerIdentity.number == number, Buyer.id != (buyer_id or 0))
        )
        if owner is not None:
            problems.append(InvalidValue("number_taken", "insurer_numbers", number, buyer=owner.legal_name))
    problems.extend(_problem_of_parent(session, buyer_id, details.parent_id))
    if problems:
        raise InvalidValues(tuple(problems))


def _problem_of_parent(session: Session, buyer_id: int | None, parent_id: int | None) -> list[InvalidValue]:
    if parent_id is None:
        return []
    if session.scalar(select(Buyer.id).where(Buyer.id == parent_id)) is None:
        return [InvalidValue("parent_unknown", "parent_id", str(parent_id))]
    if buyer_id is None:
        return []
    parents: dict[int, int | None] = {}
    above: int | None = parent_id
    while above is not None and above not in parents:
        parents[above] = session.scalar(select(Buyer.parent_id).where(Buyer.id == above))
        above = parents[above]
    return [InvalidValue("group_closes_circle", "parent_id", str(parent_id))] if closes_circle(parents, buyer_id, parent_id) else []


def write_details(session: Session, buyer: Buyer, details: BuyerDetails) -> None:
    """Put checked details on a buyer; rows that stay the same keep their keys."""
    buyer.legal_name = details.legal_name
    buyer.search_name = search_name(details.legal_name)
    buyer.country = details.country
    buyer.language = details.language
    buyer.sector = details.sector
    buyer.parent_id = details.parent_id
    buyer.not_insurable = details.not_insurable
    buyer.natural_person = details.natural_person
    names = {(each.kind, each.name): each for each in buyer.names}
    buyer.names = [
        names.get((kind, name)) or BuyerName(kind=kind, name=name, search_name=search_name(name)) for kind, name in details.names
    ]
    numbers = {(each.scheme, each.country, each.value): each for each in buyer.identifiers}
    buyer.identifiers = [
        numbers.get((each.scheme, each.country, each.value))
        or BuyerIdentifier(scheme=each.scheme, country=each.country, value=each.value, checked=each.checked)
        for each in details.identifiers
    ]
    addresses = {(each.kind, each.country, each.street, each.postal_code, each.city, each.region): each for each in buyer.addresses}
    buyer.addresses = [
        addresses.get((each.kind, each.country, each.street, each.postal_code, each.city, each.region))
        or BuyerAddress(
            kind=each.kind, country=each.country, street=each.street, postal_code=each.postal_code, city=each.city, region=each.region
        )
        for each in details.addresses
    ]
    accounts = {(each.entity_id, each.number): each for each in buyer.accounts}
    buyer.accounts = [
        accounts.get((entity_id, number)) or CustomerNumber(entity_id=entity_id, number=number)
        for entity_id, number in details.customer_numbers
    ]
    known = {(each.insurer, each.number): each for each in buyer.insurer_identities}
    buyer.insurer_identities = [
        known.get((insurer, number)) or InsurerIdentity(insurer=insurer, number=number) for insurer, number in details.insurer_numbers
    ]
    session.flush()


def add_buyer(actor: Actor, organisation_id: int, details: BuyerDetails) -> Buyer:
    """Add a buyer that somebody has looked at. Errors: ``InvalidValues`` with every problem at once."""
    with transaction(organisation_id) as session:
        details = checked_details(details)
        _check_taken(session, None, details)
        buyer = Buyer(status=BuyerStatus.ACTIVE, created_at=now(), natural_person=False)
        session.add(buyer)
        buyer.legal_name, buyer.search_name, buyer.country = details.legal_name, search_name(details.legal_name), details.country
        session.flush()
        write_details(session, buyer, details)
        journal.record(session, actor, "buyer.added", subject_of(buyer), after=picture(details))
    return buyer


def change_buyer(actor: Actor, organisation_id: int, buyer_id: int, details: BuyerDetails, on: date) -> Buyer:
    """Change what is known of a buyer; without any difference nothing is written.

    Cover is worked out anew where it depends on what changed. Errors: ``InvalidValues``, ``Refusal`` ``buyer_unknown`` or
    ``number_in_use`` for a customer number that invoices came under.
    """
    with transaction(organisation_id) as session:
        buyer = get_buyer(session, buyer_id)
        before, after = details_of(buyer), checked_details(details)
        _check_taken(session, buyer.id, after)
        first, second = what_changed(before, after)
        if not second and not first:
            return buyer
        _check_numbers_in_use(session, buyer, before, after)
        write_details(session, buyer, after)
        journal.record(session, actor, "buyer.changed", subject_of(buyer), before=first, after=second)
        if _COVER_DEPENDS_ON & first.keys():
            cover.refresh_buyers(session, [buyer.id], on)
    return buyer


def _check_numbers_in_use(session: Session, buyer: Buyer, before: BuyerDetails, after: BuyerDetails) -> None:
    """The last customer number in an entity stays while invoices of that entity stand on the buyer: imports find the buyer by it."""
    kept = {entity_id for entity_id, _number in after.customer_numbers}
    for entity_id, number in before.customer_numbers:
        if entity_id in kept:
            continue
        used = session.scalar(select(Invoice.id).where(Invoice.buyer_id == buyer.id, Invoice.entity_id == entity_id).limit(1))
        if used is not None:
            raise Refusal("number_in_use", number=number, buyer=buyer.legal_name)


def archive_buyer(actor: Actor, organisation_id: int, buyer_id: int) -> Buyer:
    """Put a buyer away. Errors: ``Refusal`` ``buyer_owes`` while an invoice is open."""
    with transaction(organisation_id) as session:
        buyer = get_buyer(session, buyer_id)
        if buyer.status is BuyerStatus.ARCHIVED:
            return buyer
        owed = session.scalar(select(Invoice.number).where(Invoice.buyer_id == buyer.id, Invoice.open_minor > 0).limit(1))
        if owed is not None:
            raise Refusal("buyer_owes", buyer=buyer.legal_name, invoice=owed)
        return _set_status(session, actor, buyer, BuyerStatus.ARCHIVED, "buyer.archived")


def restore_buyer(actor: Actor, organisation_id: int, buyer_id: int) -> Buyer:
    """Take a buyer out of the archive."""
    with transaction(organisation_id) as session:
        buyer = get_buyer(session, buyer_id)
        return buyer if buyer.status is BuyerStatus.ACTIVE else _set_status(session, actor, buyer, BuyerStatus.ACTIVE, "buyer.restored")


def _set_status(session: Session, actor: Actor, buyer: Buyer, status: BuyerStatus, action: str) -> Buyer:
    before = buyer.status
    buyer.status = status
    journal.record(session, actor, action, subject_of(buyer), before={"status": before}, after={"status": status})
    return buyer
