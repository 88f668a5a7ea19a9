"""Who is meant by what somebody wrote: a number first, then the legal name, then what comes near it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from insureflow.domain.buyers import BuyerStatus, plain_name, search_name
from insureflow.models.buyers import Buyer, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.database import db
from insureflow.queries.search import MOST

#: What people write between the digits of a number.
_BETWEEN = (" ", "-", ".", "/")


@dataclass(frozen=True, slots=True)
class NamedBuyer:
    """A buyer that may be meant, with its customer numbers."""

    id: int
    legal_name: str
    country: str
    numbers: tuple[str, ...] = ()


def _bare(number: str) -> str:
    for character in _BETWEEN:
        number = number.replace(character, "")
    return number.upper()


def _numbered(text: str) -> ColumnElement[bool]:
    """Whose number this is: in a ledger, of a register or a tax office, or with an insurer."""
    value: Any = BuyerIdentifier.value
    for character in _BETWEEN:
        value = func.replace(value, character, "")
    return or_(
        Buyer.id.in_(select(CustomerNumber.buyer_id).where(func.upper(CustomerNumber.number) == text.upper())),
        Buyer.id.in_(select(BuyerIdentifier.buyer_id).where(func.upper(value) == _bare(text))),
        Buyer.id.in_(select(InsurerIdentity.buyer_id).where(func.upper(InsurerIdentity.number) == text.upper())),
    )


def _found(condition: ColumnElement[bool], fits: Callable[[str], bool] = lambda _name: True) -> list[NamedBuyer]:
    rows = db.session.execute(
        select(Buyer.id, Buyer.legal_name, Buyer.country)
        .where(Buyer.status != BuyerStatus.ARCHIVED, condition)
        .order_by(Buyer.search_name, Buyer.legal_name, Buyer.id)
    )
    return [NamedBuyer(*row) for row in rows if fits(row.legal_name)][: MOST + 1]


def buyers_called(text: str) -> Sequence[NamedBuyer]:
    """The buyers that somebody means by a text; several where it does not say which.

    The first that finds anybody decides: a number (of a customer, of a register, for tax, with an insurer); the whole legal name,
    whatever its case and accents; another name of the buyer; the name without its legal form; a part of the name.
    """
    plain, name = plain_name(text), search_name(text)
    if not plain:
        return []
    other_names = select(BuyerName.buyer_id, BuyerName.name).where(BuyerName.search_name == name)
    called = [row.buyer_id for row in db.session.execute(other_names) if plain_name(row.name) == plain]
    found = (
        _found(_numbered(text.strip()))
        or _found(Buyer.search_name == name, lambda legal_name: plain_name(legal_name) == plain)
        or (_found(Buyer.id.in_(called)) if called else [])
        or _found(Buyer.search_name == name)
        or _search(name)
    )
    numbers: dict[int, list[str]] = {}
    owned = select(CustomerNumber.buyer_id, CustomerNumber.number).where(CustomerNumber.buyer_id.in_([each.id for each in found]))
    for buyer_id, number in db.session.execute(owned.order_by(CustomerNumber.number)):
        numbers.setdefault(buyer_id, []).append(number)
    return [NamedBuyer(each.id, each.legal_name, each.country, tuple(numbers.get(each.id, ()))) for each in found]


def _search(name: str) -> list[NamedBuyer]:
    """Those whose names hold all the words."""
    return _found(and_(*(Buyer.search_name.contains(word, autoescape=True) for word in name.split()))) if name else []
