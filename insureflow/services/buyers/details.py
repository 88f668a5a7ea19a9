"""What is known of a buyer, as one value: read from a form or a file, checked as a whole, and shown in the journal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from babel import Locale, UnknownLocaleError

from insureflow.connectors.identifiers import check_number
from insureflow.domain.buyers import AddressKind, IdentifierScheme, NameKind, NotInsurable
from insureflow.domain.countries import is_country
from insureflow.domain.errors import InvalidValue, InvalidValues
from insureflow.domain.sectors import find_sector
from insureflow.models.buyers import Buyer

_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class IdentifierEntry:
    """A number of a public register; ``checked`` is worked out, never given."""

    scheme: IdentifierScheme
    country: str
    value: str
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """An address and what it is for."""

    kind: AddressKind
    country: str
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class BuyerDetails:
    """All that is entered about a buyer. ``customer_numbers`` are (key of the entity, number), ``insurer_numbers`` (insurer, number)."""

    legal_name: str
    country: str
    names: tuple[tuple[NameKind, str], ...] = ()
    language: str | None = None
    sector: str | None = None
    parent_id: int | None = None
    not_insurable: NotInsurable | None = None
    natural_person: bool = False
    identifiers: tuple[IdentifierEntry, ...] = ()
    addresses: tuple[Address, ...] = ()
    customer_numbers: tuple[tuple[int, str], ...] = ()
    insurer_numbers: tuple[tuple[str, str], ...] = ()


def details_of(buyer: Buyer) -> BuyerDetails:
    """What is known of a buyer now."""
    return BuyerDetails(
        legal_name=buyer.legal_name,
        country=buyer.country,
        names=tuple(sorted((each.kind, each.name) for each in buyer.names)),
        language=buyer.language,
        sector=buyer.sector,
        parent_id=buyer.parent_id,
        not_insurable=buyer.not_insurable,
        natural_person=buyer.natural_person,
        identifiers=tuple(
            IdentifierEntry(each.scheme, each.country, each.value, each.checked)
            for each in sorted(buyer.identifiers, key=lambda each: (each.scheme, each.country, each.value))
        ),
        addresses=tuple(
            Address(each.kind, each.country, each.street, each.postal_code, each.city, each.region)
            for each in sorted(buyer.addresses, key=lambda each: each.id)
        ),
        customer_numbers=tuple(sorted((each.entity_id, each.number) for each in buyer.accounts)),
        insurer_numbers=tuple(sorted((each.insurer, each.number) for each in buyer.insurer_identities)),
    )


def picture(details: BuyerDetails) -> dict[str, Any]:
    """The details as the journal keeps them; what is not known is left out."""
    whole = {
        "legal_name": details.legal_name,
        "country": details.country,
        "names": [{"kind": kind.value, "name": name} for kind, name in details.names],
        "language": details.language,
        "sector": details.sector,
        "parent_id": details.parent_id,
        "not_insurable": details.not_insurable,
        "natural_person": details.natural_person,
        "identifiers": [{"scheme": each.scheme.value, "country": each.country, "value": each.value} for each in details.identifiers],
        "addresses": [
            {
                "kind": each.kind.value,
                "street": each.street,
                "postal_code": each.postal_code,
                "city": each.city,
                "region": each.region,
                "country": each.country,
            }
            for each in details.addresses
        ],
        "customer_numbers": [{"entity_id": entity_id, "number": number} for entity_id, number in details.customer_numbers],
        "insurer_numbers": [{"insurer": insurer, "number": number} for insurer, number in details.insurer_numbers],
    }
    return {name: value for name, value in whole.items() if value not in (None, [], False)}


def _is_language(tag: str) -> bool:
    try:
        Locale.parse(tag, sep="-" if "-" in tag else "_")
    except (ValueError, UnknownLocaleError):
        return False
    return True


def checked_details(details: BuyerDetails) -> BuyerDetails:
    """The details in their one written form: numbers checked, names without needless spaces. Errors: ``InvalidValues``."""
    problems: list[InvalidValue] = []
    legal_name = " ".join(details.legal_name.split())
    if not legal_name:
        problems.append(InvalidValue("buyer_name_empty", "legal_name", details.legal_name))
    elif len(legal_name) > _LONGEST_NAME:
        problems.append(InvalidValue("name_too_long", "legal_name", legal_name[:40], maximum=_LONGEST_NAME))
    if not is_country(details.country):
        problems.append(InvalidValue("country_unknown", "country", details.country))
    if details.language and not _is_language(details.language):
        problems.append(InvalidValue("language_unknown", "language", details.language))
    sector = find_sector(details.sector) if details.sector else None
    if details.sector and sector is None:
        problems.append(InvalidValue("sector_unknown", "sector", details.sector))
    return_details = replace(
        details,
        legal_name=legal_name,
        language=details.language or None,
        sector=sector,
        names=tuple(dict.fromkeys((kind, " ".join(name.split())[:_LONGEST_NAME]) for kind, name in details.names if name.strip())),
        identifiers=_checked_identifiers(details, problems),
        addresses=_checked_addresses(details, problems),
        customer_numbers=tuple(
            dict.fromkeys((entity_id, number.strip()) for entity_id, number in details.customer_numbers if number.strip())
        ),
        insurer_numbers=tuple(
            dict.fromkeys(
                (insurer.strip(), re.sub(r"\s+", " ", number.strip())) for insurer, number in details.insurer_numbers if number.strip()
            )
        ),
    )
    if problems:
        raise InvalidValues(tuple(problems))
    return return_details


def _checked_identifiers(details: BuyerDetails, problems: list[InvalidValue]) -> tuple[IdentifierEntry, ...]:
    entries: dict[tuple[IdentifierScheme, str, str], IdentifierEntry] = {}
    for entry in details.identifiers:
        if not entry.value.strip():
            continue
        country = entry.country or details.country
        if not is_country(country):
            problems.append(InvalidValue("country_unknown", f"identifiers.{entry.scheme}", country))
            continue
        number = check_number(entry.scheme, country, entry.value)
        if number.problem is not None:
            problems.append(InvalidValue(number.problem, f"identifiers.{entry.scheme}", entry.value, country=country))
            continue
        entries[entry.scheme, country, number.value] = IdentifierEntry(entry.scheme, country, number.value, number.checked)
    return tuple(entries.values())


def _checked_addresses(details: BuyerDetails, problems: list[InvalidValue]) -> tuple[Address, ...]:
    kept: list[Address] = []
    for address in details.addresses:
        if not (address.street.strip() or address.city.strip() or address.postal_code.strip()):
            continue
        country = address.country or details.country
        if not is_country(country):
            problems.append(InvalidValue("country_unknown", "addresses.country", country))
        kept.append(
            Address(
                address.kind,
                country,
                address.street.strip()[:300],
                address.postal_code.strip()[:20],
                address.city.strip()[:120],
                address.region.strip()[:120],
            )
        )
    return tuple(kept)


def what_changed(before: BuyerDetails, after: BuyerDetails) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pair of pictures that the journal keeps of a change: only what differs."""
    first: Mapping[str, Any] = picture(before)
    second: Mapping[str, Any] = picture(after)
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    return {name: first.get(name) for name in names}, {name: second.get(name) for name in names}
