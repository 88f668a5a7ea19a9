"""The buyers that a ledger file names: known by customer number or public number, or to be made for review."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from insureflow.connectors.ledgers.batch import CustomerNames
from insureflow.domain.buyers import NameKind, search_name
from insureflow.domain.receivables import LedgerLines, RowProblem
from insureflow.models.buyers import Buyer, BuyerIdentifier, BuyerName, CustomerNumber
from insureflow.models.organisations import Entity
from insureflow.models.scope import current_organisation_id
from insureflow.services.buyers import NewBuyer, create_many_for_review
from insureflow.services.imports.booking import Booking
from insureflow.services.imports.holding import known_customers, portions
from insureflow.services.imports.identities import PublicRegister, note, read_numbers

#: The longest customer number that the ledger keeps.
LONGEST_MARK = 60
LONGEST_NAME = 300


def mark_of(number: str | None, name: str | None) -> str | None:
    """The number by which the ledger knows a customer; one without a number goes by its name, shortened so that it stays unique."""
    if number is None:
        number = name
    if number is None or len(number) <= LONGEST_MARK:
        return number
    if number != name:
        return number
    return f"{number[: LONGEST_MARK - 13]}~{blake2b(number.encode(), digest_size=6).hexdigest()}"


@dataclass(slots=True)
class Customers:
    """The customers of an entity's lines. ``of_line`` gives the buyer of each line; buyers to be made have negative keys for now.

    ``unknown`` gives the first line of each customer whose number the ledger does not know, in the order of the file, ``key_of``
    the buyer it turns out to be: one that a public number names, or one to be made.
    """

    marks: list[str | None]
    of_line: list[int | None]
    unknown: dict[str, int]
    key_of: dict[str, int]
    warnings: list[RowProblem]


@dataclass(slots=True)
class Accounts:
    """What an import will write of buyers: the customers that become new ones, and those that join a buyer with their number."""

    made: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)


def find_customers(
    session: Session, entity: Entity, lines: LedgerLines, headings: Mapping[str, str | None], register: PublicRegister
) -> Customers:
    """The customers that the lines of a file name."""
    marks = [mark_of(number, name) for number, name in zip(lines.customer_number, lines.customer_name, strict=True)]
    first: dict[str, int] = {}
    for position, mark in enumerate(marks):
        if mark is not None and mark not in first:
            first[mark] = position
    known = known_customers(session, entity.id, first)
    unknown = {mark: position for mark, position in first.items() if mark not in known}
    numbers, warnings = read_numbers(lines, marks, unknown, entity.country, headings)
    if numbers:
        register.load(session, [number for each in numbers.values() for number in each])
    key_of: dict[str, int] = {}
    for mark, position in unknown.items():
        public = numbers.get(mark, ())
        key = register.find(public) if public else None
        if key is None:
            key = register.new_key(lines.customer_name[position] or mark)
        key_of[mark] = key
        if key < 0:
            for number in register.give(key, public):
                owner = register.names[register.owners[number.identity]]
                warnings.append(note(lines, headings, number.position, number.field, number.value, "number_of_other_buyer", buyer=owner))
    keys: dict[str | None, int] = dict(known.items())
    keys.update(key_of)
    return Customers(marks, list(map(keys.get, marks)), unknown, key_of, warnings)


def refuse_unusable(booking: Booking, customers: Customers, *, may_create: bool) -> None:
    """Refuse the lines whose customer number is too long, or whose buyer is unknown and may not be made."""
    bad = {mark for mark, key in customers.key_of.items() if len(mark) > LONGEST_MARK or (key < 0 and not may_create)}
    if not bad:
        return
    for position, mark in enumerate(customers.marks):
        if mark in bad:
            if len(mark) > LONGEST_MARK:
                booking.refuse(position, "customer_number", "too_long", mark, length=len(mark), maximum=LONGEST_MARK)
            else:
                booking.refuse(position, "customer_number", "buyer_unknown_in_file", mark)


def plan_accounts(parts: Sequence[tuple[Booking, Customers]]) -> list[Accounts]:
    """Which customers become buyers and which join one: only those that something is booked for."""
    wanted = {entry.buyer_id for booking, _ in parts for entry in booking.documents if entry.buyer_id < 0}
    begun: set[int] = set()
    planned: list[Accounts] = []
    for booking, customers in parts:
        accounts = Accounts()
        planned.append(accounts)
        if not customers.key_of or booking.is_empty:
            continue
        used: Collection[str | None] = customers.key_of
        if booking.refused:
            used = {mark for position, mark in enumerate(customers.marks) if position not in booking.refused}
        for mark, key in customers.key_of.items():
            if mark not in used or (key < 0 and key not in wanted):
                continue
            if key < 0 and key not in begun:
                begun.add(key)
                accounts.made.append(mark)
            else:
                accounts.joined.append(mark)
    return planned


def make_buyers(
    session: Session,
    booking: Booking,
    customers: Customers,
    accounts: Accounts,
    entity: Entity,
    names: Mapping[str, CustomerNames],
    register: PublicRegister,
    made: dict[int, int],
) -> tuple[list[int], list[int]]:
    """Make the buyers that are planned, to be reviewed, with their public numbers, and let the other customers join theirs.

    ``made`` gives the keys of planned buyers that exist by now, and is added to. Gives the keys of the new buyers, and those of
    the customer numbers that joined a buyer.
    """
    lines = booking.lines
    rows = []
    for mark in accounts.made:
        position = customers.unknown[mark]
        number, name = lines.customer_number[position], lines.customer_name[position]
        spelled = names.get(number or "")
        rows.append(NewBuyer(entity.id, mark, spelled.name if spelled else name or mark, lines.country[position] or entity.country))
    created = create_many_for_review(session, rows) if rows else {}
    organisation_id = current_organisation_id()
    identifiers = []
    for mark in accounts.made:
        key = customers.key_of[mark]
        made[key] = created[entity.id, mark]
        identifiers += [
            {
                "organisation_id": organisation_id,
                "buyer_id": made[key],
                "scheme": number.scheme,
                "country": number.country,
                "value": number.value,
                "checked": number.checked,
            }
            for number in register.numbers.get(key, {}).values()
            if number is not None
        ]
    if identifiers:
        session.execute(insert(BuyerIdentifier), identifiers)
    booking.take_keys(made)
    joining = [
        CustomerNumber(entity_id=entity.id, buyer_id=made.get(customers.key_of[mark], customers.key_of[mark]), number=mark)
        for mark in accounts.joined
    ]
    session.add_all(joining)
    session.flush()
    return list(created.values()), [each.id for each in joining]


def add_trading_names(session: Session, entity: Entity, names: Mapping[str, CustomerNames], joined: Collection[str]) -> list[int]:
    """Keep every other spelling of a customer as a trading name of its buyer; gives the keys of the names that are new.

    For a customer that has ``joined`` a buyer the first spelling is another one as well.
    """
    spelled: dict[str, tuple[str, ...]] = {}
    for number, each in names.items():
        mark = mark_of(number, each.name)
        others = (each.name, *each.trading_names) if mark in joined else each.trading_names
        if mark is not None and others:
            spelled[mark] = others
    if not spelled:
        return []
    buyer_of = known_customers(session, entity.id, list(spelled))
    held = _names_of(session, sorted(set(buyer_of.values())))
    added = []
    for mark, others in spelled.items():
        buyer_id = buyer_of.get(mark)
        for full in others if buyer_id is not None else ():
            name = full[:LONGEST_NAME]
            if buyer_id is not None and (buyer_id, name) not in held:
                held.add((buyer_id, name))
                added.append(BuyerName(buyer_id=buyer_id, kind=NameKind.TRADING, name=name, search_name=search_name(name)))
    session.add_all(added)
    session.flush()
    return [entry.id for entry in added]


def _names_of(session: Session, buyer_ids: Sequence[int]) -> set[tuple[int, str]]:
    """The names that buyers have already, legal and trading."""
    held: set[tuple[int, str]] = set()
    for portion in portions(buyer_ids):
        trading = select(BuyerName.buyer_id, BuyerName.name).where(BuyerName.buyer_id.in_(portion), BuyerName.kind == NameKind.TRADING)
        for statement in (trading, select(Buyer.id, Buyer.legal_name).where(Buyer.id.in_(portion))):
            held.update((buyer_id, name) for buyer_id, name in session.execute(statement))
    return held
