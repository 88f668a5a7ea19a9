"""Whom papers go to and whose letterhead they bear: people at buyers, desks of insurers, the insured entities themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from babel import Locale, UnknownLocaleError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from insureflow.connectors.contact_files import ContactRow, read_contacts
from insureflow.documents.forbidden_words import INSURANCE_WORDS, find_insurance_words
from insureflow.documents.parties import Address, Party
from insureflow.documents.statements import StatementOfAccount, build_statement
from insureflow.domain.buyers import search_name
from insureflow.domain.contacts import ContactPurpose
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.receivables import RowProblem
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.documents import BuyerContact, Letterhead, PolicyContact
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.stationery import Stationery
from insureflow.services.transaction import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDetails:
    """A person at a buyer; ``language`` None is that of the buyer."""

    name: str = ""
    role: str = ""
    email: str = ""
    phone: str = ""
    language: str | None = None
    gets_letters: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskDetails:
    """Where papers for the insurer of a policy go."""

    name: str = ""
    address: str = ""
    email: str = ""
    language: str = "en"
    portal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterheadDetails:
    """What stands on the papers of an entity; ``bank_account`` is an IBAN or a number, ``bank_code`` a BIC."""

    address: str = ""
    contact: str = ""
    phone: str = ""
    email: str = ""
    registration: str = ""
    tax_number: str = ""
    bank_name: str = ""
    bank_account: str = ""
    bank_code: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True)
class ImportedContacts:
    """What came of a file: how many people are new, changed and as they were, and what is wrong."""

    added: int
    changed: int
    known: int
    problems: tuple[RowProblem, ...]


_LENGTHS = {
    "name": 200, "role": 120, "email": 320, "phone": 60, "language": 20, "address": 500, "portal": 1000, "contact": 200, "registration": 120, "tax_number": 40,
    "bank_name": 200, "bank_account": 64, "bank_code": 20, "footer": 500,
}  # fmt: skip


def checked_email(text: str, path: str = "email") -> str:
    """An address in its one written form; empty stays empty. Errors: ``InvalidValue`` ``email_not_valid``."""
    plain = text.strip()
    if not plain:
        return ""
    try:
        return validate_email(plain, check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        raise InvalidValue("email_not_valid", path, plain[:80]) from None


def _is_language(tag: str) -> bool:
    try:
        Locale.parse(tag, sep="-" if "-" in tag else "_")
    except (ValueError, UnknownLocaleError):
        return False
    return True


def _checked(values: dict[str, object]) -> dict[str, object]:
    """Values without needless spaces, every one of a length that is kept. Errors: ``InvalidValues``."""
    problems: list[InvalidValue] = []
    clean: dict[str, object] = {}
    for name, value in values.items():
        if not isinstance(value, str):
            clean[name] = value
            continue
        many_lines = name in {"address", "footer"}
        text = "\n".join(" ".join(line.split()) for line in value.strip().splitlines()) if many_lines else " ".join(value.split())
        if any(ord(character) < 32 and character != "\n" for character in text) or len(text) > _LENGTHS[name]:
            problems.append(InvalidValue("contact_text_too_long", name, text[:40], maximum=_LENGTHS[name]))
        elif name == "email":
            try:
                text = checked_email(text)
            except InvalidValue as problem:
                problems.append(problem)
        elif name == "language" and text and not _is_language(text):
            problems.append(InvalidValue("language_unknown", name, text))
        elif name == "portal" and text and not text.startswith(("https://", "http://")):
            problems.append(InvalidValue("portal_not_an_address", name, text[:60]))
        clean[name] = text
    if problems:
        raise InvalidValues(tuple(problems))
    return clean


def _checked_contact(details: ContactDetails) -> dict[str, object]:
    values = _checked(asdict(details))
    values["language"] = values["language"] or None
    if not (values["name"] or values["email"] or values["phone"]):
        raise InvalidValues((InvalidValue("contact_empty", "name", ""),))
    return values


def _subject(kind: str, key: int | None, label: str) -> Subject:
    return Subject(kind, key, label)


def _get_buyer(session: Session, buyer_id: int) -> Buyer:
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    return buyer


def add_contact(actor: Actor, organisation_id: int, buyer_id: int, details: ContactDetails) -> BuyerContact:
    """Add a person at a buyer. Errors: ``buyer_unknown``; ``InvalidValues``."""
    with transaction(organisation_id) as session:
        buyer = _get_buyer(session, buyer_id)
        contact = BuyerContact(buyer_id=buyer.id, created_at=now(), **_checked_contact(details))
        session.add(contact)
        session.flush()
        journal.record(session, actor, "contact.added", _subject("buyer", buyer.id, buyer.legal_name), after=_picture(contact))
        return contact


def _picture(contact: BuyerContact) -> dict[str, object]:
    return {name: getattr(contact, name) for name in ("name", "role", "email", "phone", "language", "gets_letters")}


def get_contact(session: Session, contact_id: int) -> BuyerContact:
    """The person with this key. Errors: ``contact_unknown``."""
    contact = session.scalar(select(BuyerContact).where(BuyerContact.id == contact_id))
    if contact is None:
        raise Refusal("contact_unknown", contact=str(contact_id))
    return contact


def change_contact(actor: Actor, organisation_id: int, contact_id: int, details: ContactDetails) -> BuyerContact:
    """Change a person; with another address it is no longer one that came back. Errors: ``contact_unknown``; ``InvalidValues``."""
    with transaction(organisation_id) as session:
        contact = get_contact(session, contact_id)
        buyer = _get_buyer(session, contact.buyer_id)
        before = _picture(contact)
        for name, value in _checked_contact(details).items():
            setattr(contact, name, value)
        if contact.email != before["email"]:
            contact.bounced_at = None
        session.flush()
        old, new = journal.changes(before, _picture(contact))
        if new:
            journal.record(session, actor, "contact.changed", _subject("buyer", buyer.id, buyer.legal_name), before=old, after=new)
        return contact


def remove_contact(actor: Actor, organisation_id: int, contact_id: int) -> int:
    """Take a person out; gives the key of the buyer. Errors: ``contact_unknown``."""
    with transaction(organisation_id) as session:
        contact = get_contact(session, contact_id)
        buyer = _get_buyer(session, contact.buyer_id)
        before = _picture(contact)
        session.delete(contact)
        session.flush()
        journal.record(session, actor, "contact.removed", _subject("buyer", buyer.id, buyer.legal_name), before=before)
        return buyer.id


def set_policy_contact(
    actor: Actor, organisation_id: int, policy_id: int, purpose: ContactPurpose, details: DeskDetails
) -> PolicyContact | None:
    """Where papers for the insurer of a policy go; empty details take the address out. Errors: ``policy_unknown``; ``InvalidValues``."""
    values = _checked(asdict(details))
    with transaction(organisation_id) as session:
        policy = session.scalar(select(Policy).where(Policy.id == policy_id))
        if policy is None:
            raise Refusal("policy_unknown", policy=str(policy_id))
        subject = _subject("policy", policy.id, policy.number)
        known = session.scalar(select(PolicyContact).where(PolicyContact.policy_id == policy_id, PolicyContact.purpose == purpose.value))
        before = None if known is None else {name: getattr(known, name) for name in values}
        if not any(value for name, value in values.items() if name != "language"):
            if known is not None:
                session.delete(known)
                session.flush()
                journal.record(session, actor, "policy.contact_removed", subject, before={"purpose": purpose, **(before or {})})
            return None
        values["language"] = values["language"] or "en"
        if known is None:
            known = PolicyContact(policy_id=policy_id, purpose=purpose.value)
            session.add(known)
        for name, value in values.items():
            setattr(known, name, value)
        session.flush()
        journal.record(
            session,
            actor,
            "policy.contact_set",
            subject,
            before=before,
            after={"purpose": purpose, **{n: getattr(known, n) for n in values}},
        )
        return known


def set_letterhead(actor: Actor, organisation_id: int, entity_id: int, details: LetterheadDetails) -> Letterhead:
    """What stands on the papers of an entity. Errors: ``entity_unknown``; ``InvalidValues``."""
    values = _checked(asdict(details))
    _without_insurance(details.footer)
    with transaction(organisation_id) as session:
        entity = session.scalar(select(Entity).where(Entity.id == entity_id))
        if entity is None:
            raise Refusal("entity_unknown", entity=str(entity_id))
        known = session.scalar(select(Letterhead).where(Letterhead.entity_id == entity_id))
        before = None if known is None else {name: getattr(known, name) for name in values}
        if known is None:
            known = Letterhead(entity_id=entity_id)
            session.add(known)
        for name, value in values.items():
            setattr(known, name, value)
        session.flush()
        journal.record(session, actor, "letterhead.set", _subject("entity", entity.id, entity.name), before=before, after=values)
        return known


def _without_insurance(footer: str) -> None:
    """The foot stands in what buyers read too, and they may know nothing of the seller's insurance."""
    for locale in INSURANCE_WORDS:
        found = find_insurance_words(footer, locale)
        if found:
            raise InvalidValue("letterhead_speaks_of_insurance", "footer", found[0])


def preview_letterhead(organisation_id: int, entity_id: int, details: LetterheadDetails, language: str, on: date) -> bytes:
    """A page as it would look with a letterhead that is not saved, as PDF. Errors: ``entity_unknown``; those of ``set_letterhead``."""
    values = _checked(asdict(details))
    _without_insurance(details.footer)
    with transaction(organisation_id) as session:
        entity = session.scalar(select(Entity).where(Entity.id == entity_id))
        if entity is None:
            raise Refusal("entity_unknown", entity=str(entity_id))
        writer = Stationery(entity, Letterhead(entity_id=entity_id, **values))
    sender, buyer = writer.party(), Party(name="N. N.", address=Address(country=entity.country))
    sample = StatementOfAccount(
        number="–", issued_on=on, as_of=on, sender=sender, buyer=buyer, items=(), closing=(), accounts=writer.accounts(entity.currency)
    )
    return build_statement(sample, language)


def _said(row: ContactRow, values: Mapping[str, object]) -> dict[str, object]:
    """What a row says about somebody who is known: an empty cell says nothing."""
    unsaid = {"gets_letters"} if row.gets_letters is None else set()
    return {name: value for name, value in values.items() if value not in ("", None) and name not in unsaid}


def import_contacts(actor: Actor, organisation_id: int, content: bytes) -> ImportedContacts:
    """Take the people of a file over: known by buyer and address (or name), so that the same file twice changes nothing.

    An empty cell says nothing about somebody who is known: what was known stays.

    Errors: as ``connectors.contact_files.read_contacts``; a row that cannot be taken is a problem, the others are taken.
    """
    rows, problems = read_contacts(content)
    with transaction(organisation_id) as session:
        finder = _BuyerFinder(session)
        known: dict[tuple[int, str], BuyerContact] = {}
        for contact in session.scalars(select(BuyerContact)):
            known[contact.buyer_id, (contact.email or contact.name).casefold()] = contact
        added = changed = same = 0
        for row in rows:
            buyer_id = finder.find(row)
            if buyer_id is None:
                problems.append(RowProblem(row.row, "buyer", row.customer_number or row.buyer, "contact_buyer_unknown"))
                continue
            details = ContactDetails(
                name=row.name,
                role=row.role,
                email=row.email,
                phone=row.phone,
                language=row.language or None,
                gets_letters=row.gets_letters is not False,
            )
            try:
                values = _checked_contact(details)
            except InvalidValues as refusal:
                problems.extend(
                    RowProblem(row.row, each.path, str(each.value or ""), each.code, each.parameters) for each in refusal.problems
                )
                continue
            key = (buyer_id, str(values["email"] or values["name"]).casefold())
            person = known.get(key)
            if person is None:
                known[key] = person = BuyerContact(buyer_id=buyer_id, created_at=now(), **values)
                session.add(person)
                added += 1
            elif new := {name: value for name, value in _said(row, values).items() if getattr(person, name) != value}:
                for name, value in new.items():
                    setattr(person, name, value)
                changed += 1
            else:
                same += 1
        session.flush()
        if added or changed:
            journal.record(
                session, actor, "contacts.imported", Subject("contacts", None, "contacts"), after={"added": added, "changed": changed}
            )
    return ImportedContacts(added, changed, same, tuple(sorted(problems, key=lambda each: each.row)))


class _BuyerFinder:
    """Buyers by customer number within an entity, or by a name that only one has."""

    def __init__(self, session: Session) -> None:
        numbers = session.execute(
            select(Entity.code, CustomerNumber.number, CustomerNumber.buyer_id).join(Entity, Entity.id == CustomerNumber.entity_id)
        )
        self._by_number: dict[tuple[str, str], int] = {}
        by_plain_number: dict[str, set[int]] = {}
        for code, number, buyer_id in numbers:
            self._by_number[code.casefold(), number] = buyer_id
            by_plain_number.setdefault(number, set()).add(buyer_id)
        self._by_plain_number = {number: next(iter(keys)) for number, keys in by_plain_number.items() if len(keys) == 1}
        names = session.execute(select(Buyer.search_name, func.min(Buyer.id)).group_by(Buyer.search_name).having(func.count() == 1))
        self._by_name = {row[0]: int(row[1]) for row in names}

    def find(self, row: ContactRow) -> int | None:
        """The buyer that a row means, or None."""
        if row.customer_number:
            if row.entity:
                return self._by_number.get((row.entity.casefold(), row.customer_number))
            return self._by_plain_number.get(row.customer_number)
        return self._by_name.get(search_name(row.buyer)) if row.buyer else None


def mark_bounced(session: Session, addresses: Collection[str], at: datetime) -> int:
    """Note at every person with one of these addresses that mail came back; gives how many."""
    wanted = [address.casefold() for address in addresses]
    statement = update(BuyerContact).where(func.lower(BuyerContact.email).in_(wanted)).values(bounced_at=at).returning(BuyerContact.id)
    return len(session.scalars(statement).all()) if wanted else 0
