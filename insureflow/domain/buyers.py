"""Buyers: the vocabulary of who owes the price, and how names are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from enum import StrEnum


class BuyerStatus(StrEnum):
    """Whether somebody has looked at a buyer."""

    ACTIVE = "active"
    TO_REVIEW = "to_review"
    ARCHIVED = "archived"


class NotInsurable(StrEnum):
    """Why a buyer is outside credit insurance. *Source:* insurable turnover leaves these out."""

    AFFILIATE = "affiliate"
    PRIVATE_PERSON = "private_person"
    PUBLIC_BUYER = "public_buyer"
    OTHER = "other"


class NameKind(StrEnum):
    """What kind of other name this is."""

    TRADING = "trading"
    FORMER = "former"


class AddressKind(StrEnum):
    """What an address is for."""

    REGISTERED = "registered"
    INVOICE = "invoice"
    DELIVERY = "delivery"


class IdentifierScheme(StrEnum):
    """Which register a number comes from."""

    REGISTRATION = "registration"
    VAT = "vat"
    LEI = "lei"


_LEGAL_FORM_TABLE = """
ab aktiebolag oy oyj as asa aps gmbh ag kg kgaa ug ohg gbr se sa sas sasu sarl eurl snc spa srl sl slu bv nv vof cv ltd
limited plc llp llc inc incorporated corp corporation co company pte pvt pty sdn bhd tbk pt kft zrt rt sro doo dd ood
eood ooo oao zao pao spzoo sp zoo lda ltda eireli sia uab oue ou ehf hf kk kabushiki kaisha gk cia sab
"""

#: Endings that say what kind of company it is; they never tell two buyers apart in a search.
LEGAL_FORMS = frozenset(_LEGAL_FORM_TABLE.split())

_SEPARATORS = re.compile(r"[^\w]+", re.UNICODE)
#: "Sp. z o.o." is written in many ways, and its parts alone say nothing.
_SPZOO = re.compile(r"\bsp\.? ?z ?o\.? ?o\.?(?=\W|$)")
_DOTS = re.compile(r"(?<=\b\w)\.(?=\w\b|\s|$)")


def plain_name(name: str) -> str:
    """A whole name, its legal form included, without case and diacritics and with single spaces."""
    folded = unicodedata.normalize("NFKD", name.casefold().replace("ø", "o").replace("ł", "l").replace("đ", "d").replace("æ", "ae"))
    return " ".join("".join(character for character in folded if not unicodedata.combining(character)).split())


def search_name(name: str) -> str:
    """A name as it is compared: without case, diacritics, punctuation and legal form.

    A name that consists of a legal form alone keeps it. At most 300 characters.
    """
    words = [
        word
        for word in _SEPARATORS.split(_DOTS.sub("", _SPZOO.sub("spzoo", plain_name(name)).replace("a/s", "as").replace("&", " and ")))
        if word
    ]
    kept = [word for word in words if word not in LEGAL_FORMS]
    return " ".join(kept or words)[:300]


def closes_circle(parents: Mapping[int, int | None], buyer: int, parent: int) -> bool:
    """True if a buyer that gets this parent would end up above itself in its own group.

    ``parents`` gives the parent of each buyer that has one.
    """
    seen: set[int] = set()
    above: int | None = parent
    while above is not None and above not in seen:
        if above == buyer:
            return True
        seen.add(above)
        above = parents.get(above)
    return False


def conflicting_insurers(kept: Mapping[str, Collection[str]], merged: Mapping[str, Collection[str]]) -> list[str]:
    """Insurers that know two buyers under different numbers, so that the two cannot be one: their names in order.

    Both maps give the numbers of one buyer by insurer. An insurer that knows only one of the two decides nothing.
    """
    return sorted(insurer for insurer in kept.keys() & merged.keys() if set(kept[insurer]).isdisjoint(merged[insurer]))
