"""The buyers that a ledger file names: known by their customer number, or to be made for review."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.ledgers.batch import LedgerBatch
from insureflow.domain.buyers import NameKind, search_name
from insureflow.models.buyers import BuyerName
from insureflow.models.organisations import Entity
from insureflow.services.buyers import NewBuyer, create_many_for_review
from insureflow.services.imports.booking import Booking
from insureflow.services.imports.holding import known_customers, portions

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
    """The customers of a file. ``of_line`` gives the buyer of each line; buyers to be made have negative keys for now."""

    marks: list[str | None]
    of_line: list[int | None]
    known: dict[str, int]
    unknown: dict[str, int]  # mark → position of its first line, in the order of the file

    @property
    def planned(self) -> dict[str, int]:
        """Negative keys of the customers without buyer."""
        return {mark: -number for number, mark in enumerate(self.unknown, start=1)}


def find_customers(session: Session, entity: Entity, batch: LedgerBatch) -> Customers:
    """The customers that the lines of a file name."""
    lines = batch.lines
    marks = [mark_of(number, name) for number, name in zip(lines.customer_number, lines.customer_name, strict=True)]
    first: dict[str, int] = {}
    for position, mark in enumerate(marks):
        if mark is not None and mark not in first:
            first[mark] = position
    known = known_customers(session, entity.id, first)
    unknown = {mark: position for mark, position in first.items() if mark not in known}
    keys: dict[str | None, int] = {mark: -number for number, mark in enumerate(unknown, start=1)}
    keys.update(known)
    return Customers(marks, list(map(keys.get, marks)), known, unknown)


def refuse_unusable(booking: Booking, customers: Customers, *, may_create: bool) -> None:
    """Refuse the lines whose customer number is too long, or whose buyer is unknown and may not be made."""
    bad = {mark for mark in customers.unknown if not may_create or len(mark) > LONGEST_MARK}
    if not bad:
        return
    for position, mark in enumerate(customers.marks):
        if mark in bad:
            if len(mark) > LONGEST_MARK:
                booking.refuse(position, "customer_number", "too_long", mark, length=len(mark), maximum=LONGEST_MARK)
            else:
                booking.refuse(position, "customer_number", "buyer_unknown_in_file", mark)


def wanted_buyers(booking: Booking, customers: Customers) -> list[str]:
    """The customers without buyer that something is booked for."""
    used = {entry.buyer_id for entry in booking.documents if entry.buyer_id < 0}
    return [mark for mark, key in customers.planned.items() if key in used] if used else []


def make_buyers(
    session: Session, booking: Booking, customers: Customers, marks: list[str], entity: Entity, batch: LedgerBatch
) -> list[int]:
    """Make the buyers of these customers, to be reviewed, and put their keys into the booking; gives the keys."""
    if not marks:
        return []
    lines = batch.lines
    rows = []
    for mark in marks:
        position = customers.unknown[mark]
        number, name = lines.customer_number[position], lines.customer_name[position]
        spelled = batch.customers.get(number or "")
        rows.append(NewBuyer(entity.id, mark, spelled.name if spelled else name or mark, lines.country[position] or entity.country))
    created = create_many_for_review(session, rows)
    planned = customers.planned
    booking.take_keys({planned[mark]: created[entity.id, mark] for mark in marks})
    return [created[entity.id, mark] for mark in marks]


def add_trading_names(session: Session, entity: Entity, batch: LedgerBatch) -> list[int]:
    """Keep every other spelling of a customer as a trading name of its buyer; gives the keys of the names that are new."""
    spelled = {mark_of(number, names.name): names for number, names in batch.customers.items() if names.trading_names}
    if not spelled:
        return []
    buyer_of = known_customers(session, entity.id, [mark for mark in spelled if mark is not None])
    held = _names_of(session, list(buyer_of.values()))
    added = []
    for mark, names in spelled.items():
        buyer_id = buyer_of.get(mark or "")
        for full in names.trading_names if buyer_id is not None else ():
            name = full[:LONGEST_NAME]
            if buyer_id is not None and (buyer_id, name) not in held:
                held.add((buyer_id, name))
                added.append(BuyerName(buyer_id=buyer_id, kind=NameKind.TRADING, name=name, search_name=search_name(name)))
    session.add_all(added)
    session.flush()
    return [entry.id for entry in added]


def _names_of(session: Session, buyer_ids: Collection[int]) -> set[tuple[int, str]]:
    held: set[tuple[int, str]] = set()
    for portion in portions(list(buyer_ids)):
        statement = select(BuyerName.buyer_id, BuyerName.name).where(BuyerName.buyer_id.in_(portion), BuyerName.kind == NameKind.TRADING)
        held.update((buyer_id, name) for buyer_id, name in session.execute(statement))
    return held
