"""Who a customer is by its numbers in public registers: a buyer known already, one that another row brings, or a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.identifiers import check_number, country_of_vat
from insureflow.connectors.ledgers.tables import shown
from insureflow.domain.buyers import IdentifierScheme
from insureflow.domain.countries import is_country
from insureflow.domain.receivables import LedgerLines, RowProblem
from insureflow.models.buyers import Buyer, BuyerIdentifier
from insureflow.services.imports.holding import portions

#: The fields of a ledger line that hold public numbers.
FIELDS: Mapping[str, IdentifierScheme] = MappingProxyType(
    {"registration_number": IdentifierScheme.REGISTRATION, "lei": IdentifierScheme.LEI, "vat_number": IdentifierScheme.VAT}
)

#: The longest number that is kept.
LONGEST_VALUE = 60

#: What makes two numbers the same: the register, its country (identifiers of legal entities are the world's), the number.
Identity = tuple[IdentifierScheme, str, str]


@dataclass(frozen=True, slots=True)
class PublicNumber:
    """A number of a public register in its one written form; ``field`` and ``position`` say where the file has it."""

    scheme: IdentifierScheme
    country: str
    value: str
    checked: bool
    field: str
    position: int

    @property
    def identity(self) -> Identity:
        """What makes it the same as another."""
        return _identity(self.scheme, self.country, self.value)


def _identity(scheme: IdentifierScheme, country: str, value: str) -> Identity:
    return scheme, "" if scheme is IdentifierScheme.LEI else country, value


@dataclass(slots=True)
class PublicRegister:
    """Which buyer carries which public number: buyers of the organisation by their keys, those still to be made by negative ones."""

    owners: dict[Identity, int] = field(default_factory=dict)
    numbers: dict[int, dict[Identity, PublicNumber | None]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    _last_key: int = 0

    def load(self, session: Session, wanted: Iterable[PublicNumber]) -> None:
        """Look up who carries these numbers, and what else is known of them."""
        values = sorted({number.value for number in wanted})
        found: set[int] = set()
        for portion in portions(values):
            found.update(session.scalars(select(BuyerIdentifier.buyer_id).where(BuyerIdentifier.value.in_(portion))))
        for portion in portions(sorted(found - self.names.keys())):
            statement = (
                select(BuyerIdentifier.buyer_id, BuyerIdentifier.scheme, BuyerIdentifier.country, BuyerIdentifier.value, Buyer.legal_name)
                .join(Buyer, Buyer.id == BuyerIdentifier.buyer_id)
                .where(BuyerIdentifier.buyer_id.in_(portion))
            )
            for buyer_id, scheme, country, value, name in session.execute(statement):
                identity = _identity(scheme, country, value)
                self.owners[identity] = buyer_id
                self.numbers.setdefault(buyer_id, {})[identity] = None
                self.names[buyer_id] = name

    def new_key(self, name: str) -> int:
        """The key under which a buyer is planned."""
        self._last_key -= 1
        self.names[self._last_key] = name
        return self._last_key

    def give(self, key: int, numbers: Iterable[PublicNumber]) -> list[PublicNumber]:
        """Let a planned buyer carry these numbers; those that another carries come back."""
        taken = []
        for number in numbers:
            if self.owners.setdefault(number.identity, key) != key:
                taken.append(number)
            else:
                self.numbers.setdefault(key, {})[number.identity] = number
        return taken

    def find(self, numbers: Iterable[PublicNumber]) -> int | None:
        """The one buyer that these numbers name, or None.

        Only numbers whose form was verified count. A registration number or LEI says more than a VAT number, which companies
        of a group may share; a buyer that carries another registration number of the same country, or another LEI, is another.
        """
        checked = [number for number in numbers if number.checked]
        by_tax = {self.owners[each.identity] for each in checked if each.scheme is IdentifierScheme.VAT and each.identity in self.owners}
        legal = [each for each in checked if each.scheme is not IdentifierScheme.VAT]
        found = {self.owners[each.identity] for each in legal if each.identity in self.owners} or by_tax
        if len(found) != 1:
            return None
        (key,) = found
        held = self.numbers.get(key, {})
        for number in legal:
            of_register = {identity for identity in held if identity[:2] == number.identity[:2]}
            if of_register and number.identity not in of_register:
                return None
        return key


def read_numbers(
    lines: LedgerLines, marks: list[str | None], unknown: Mapping[str, int], country: str, headings: Mapping[str, str | None]
) -> tuple[dict[str, list[PublicNumber]], list[RowProblem]]:
    """The public numbers of customers that the ledger does not know, and a warning for each that cannot be right.

    ``country`` is that of customers without one. A number that cannot be right is not kept, and said to be so.
    """
    columns = {name: getattr(lines, name) for name in FIELDS}
    filled = [name for name, column in columns.items() if column.count(None) < len(column)]
    numbers: dict[str, list[PublicNumber]] = {}
    warnings: list[RowProblem] = []
    if not unknown or not filled:
        return numbers, warnings
    seen: set[tuple[str, str, str]] = set()
    for position, mark in enumerate(marks):
        if mark is None or mark not in unknown:
            continue
        for name in filled:
            text = columns[name][position]
            if text is None or (mark, name, text) in seen:
                continue
            seen.add((mark, name, text))
            number = _check(name, text, lines.country[position] or country, position)
            if isinstance(number, PublicNumber):
                numbers.setdefault(mark, []).append(number)
            else:
                warnings.append(note(lines, headings, position, name, text, number[0], country=number[1]))
    return numbers, warnings


def note(
    lines: LedgerLines, headings: Mapping[str, str | None], position: int, name: str, text: str, code: str, **parameters: object
) -> RowProblem:
    """A warning about a public number of a row."""
    return RowProblem(lines.row[position], headings.get(name) or name, shown(text), code, MappingProxyType(parameters))


def _check(name: str, text: str, country: str, position: int) -> PublicNumber | tuple[str, str]:
    """The number in its one form, or the code of what is wrong with it and the country whose rules say so."""
    scheme = FIELDS[name]
    countries = [country]
    if scheme is IdentifierScheme.VAT:
        stated = country_of_vat(text)
        if stated is not None and stated != country and is_country(stated):
            countries.insert(0, stated)
    checks = [(each, check_number(scheme, each, text)) for each in countries]
    best = next(((each, found) for each, found in checks if found.checked), checks[-1])
    if best[1].problem is not None:
        return best[1].problem, best[0]
    if len(best[1].value) > LONGEST_VALUE:
        return "number_length", best[0]
    return PublicNumber(scheme, best[0], best[1].value, best[1].checked, name, position)
