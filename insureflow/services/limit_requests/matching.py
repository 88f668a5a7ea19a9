"""Which buyers the rows of a file of requests mean, found for the whole file at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.identifiers import check_number
from insureflow.connectors.request_files import RequestRow
from insureflow.domain.buyers import BuyerStatus, IdentifierScheme, search_name
from insureflow.domain.receivables import RowProblem
from insureflow.models.buyers import Buyer, BuyerIdentifier, CustomerNumber, InsurerIdentity

_SCHEMES = {"vat_number": IdentifierScheme.VAT, "registration_number": IdentifierScheme.REGISTRATION}
_PORTION = 500


@dataclass(slots=True)
class BuyerIndex:
    """Keys of buyers by each way in which a row can name one."""

    by_number: dict[str, set[int]] = field(default_factory=dict)
    by_insurer_id: dict[str, set[int]] = field(default_factory=dict)
    by_identifier: dict[tuple[IdentifierScheme, str], set[int]] = field(default_factory=dict)
    by_name: dict[str, set[int]] = field(default_factory=dict)
    countries: dict[int, str] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, rows: Sequence[RequestRow], insurers: Collection[str]) -> BuyerIndex:
        """The index of what the rows name."""
        index = cls()
        numbers = {row.buyer["customer_number"] for row in rows if "customer_number" in row.buyer}
        for portion in _portions(numbers):
            found = session.execute(select(CustomerNumber.number, CustomerNumber.buyer_id).where(CustomerNumber.number.in_(portion)))
            _add(index.by_number, found)
        ids = {row.buyer["insurer_id"] for row in rows if "insurer_id" in row.buyer}
        for portion in _portions(ids):
            statement = select(InsurerIdentity.number, InsurerIdentity.buyer_id).where(
                InsurerIdentity.number.in_(portion), InsurerIdentity.insurer.in_(sorted(insurers))
            )
            _add(index.by_insurer_id, session.execute(statement))
        for name, scheme in _SCHEMES.items():
            values = {_value(scheme, row, row.buyer[name]) for row in rows if name in row.buyer}
            for portion in _portions(values):
                identified = session.execute(
                    select(BuyerIdentifier.value, BuyerIdentifier.buyer_id).where(
                        BuyerIdentifier.scheme == scheme, BuyerIdentifier.value.in_(portion)
                    )
                )
                for value, buyer_id in identified:
                    index.by_identifier.setdefault((scheme, value), set()).add(buyer_id)
        names = {search_name(row.buyer["buyer_name"]) for row in rows if "buyer_name" in row.buyer}
        for portion in _portions(names):
            named = select(Buyer.search_name, Buyer.id, Buyer.country).where(
                Buyer.search_name.in_(portion), Buyer.status != BuyerStatus.ARCHIVED
            )
            for key, buyer_id, country in session.execute(named):
                index.by_name.setdefault(key, set()).add(buyer_id)
                index.countries[buyer_id] = country
        return index

    def find(self, row: RequestRow) -> int | RowProblem:
        """The buyer a row means by the first thing it names that anybody bears, or what is wrong with it."""
        for name, value in row.buyer.items():
            found = self._found(name, value, row)
            if len(found) == 1:
                return next(iter(found))
            if found:
                return RowProblem(row.row, name, value, "request_buyer_ambiguous", {"count": len(found)})
        name, value = next(iter(row.buyer.items()))
        return RowProblem(row.row, name, value, "request_buyer_unknown", {})

    def _found(self, name: str, value: str, row: RequestRow) -> set[int]:
        if name == "customer_number":
            return self.by_number.get(value, set())
        if name == "insurer_id":
            return self.by_insurer_id.get(value, set())
        if name in _SCHEMES:
            scheme = _SCHEMES[name]
            return self.by_identifier.get((scheme, _value(scheme, row, value)), set())
        found = self.by_name.get(search_name(value), set())
        return {each for each in found if row.country is None or self.countries[each] == row.country}


def _value(scheme: IdentifierScheme, row: RequestRow, text: str) -> str:
    return check_number(scheme, row.country or text[:2].upper(), text).value


def _add(index: dict[str, set[int]], found: Iterable[Any]) -> None:
    for key, buyer_id in found:
        index.setdefault(key, set()).add(buyer_id)


def _portions(values: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + _PORTION] for start in range(0, len(ordered), _PORTION))
