"""What a stored value says to a reader: by the name it stands under, in any language.

Steps of calculations and entries of the journal keep values as they are: amounts, ISO dates, codes, percentages. Pages show them
through ``said``, so that none of them reaches a reader raw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction

from babel.numbers import format_decimal

from insureflow.domain.countries import COUNTRIES
from insureflow.domain.money import Money, minor_digits
from insureflow.i18n import formats, words
from insureflow.i18n.catalogues import marked, translate

_ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b(?!T)")
_CLAUSE_OF_COUNTRY = marked("%(clause)s, country schedule for %(country)s")

#: Values that are names given by somebody: never read as codes.
_NAMES = frozenset(
    {"policy", "entity", "invoice", "number", "name", "note", "reason_text", "email", "legal_name", "insurer", "insurer_reference", "label"}
)
#: Vocabularies by the name that their words stand under, where a word alone does not tell.
_VOCABULARIES = {"ship_verdict": "ShipVerdict", "outcome": "ReplyOutcome"}
_COUNTRIES = frozenset({"country", "limit_country"})
_RATES = frozenset({"rate", "limit_rate"})


@dataclass(frozen=True, slots=True)
class Said:
    """A value in words; a figure or a date stands on one line."""

    text: str
    is_figure: bool


def said(name: str, value: object, locale: str, currency: str | None = None) -> Said:
    """A value as a reader sees it.

    ``name`` is the code it stands under and decides between an amount, a percentage, a rate and a country; ``currency`` is that of
    amounts that are kept in minor units without one.
    """
    leaf = name.rsplit(".", 1)[-1]
    if value is None or value == "":
        return Said(formats.NOTHING, False)
    if isinstance(value, bool):
        return Said(words.word("yes" if value else "no", locale), False)
    if isinstance(value, Money):
        return Said(formats.money(value.minor, value.currency, locale), True)
    if isinstance(value, Mapping) and {"amount", "currency"} == value.keys():
        return Said(_amount(Decimal(str(value["amount"])), str(value["currency"]), locale), True)
    if isinstance(value, datetime):
        return Said(formats.day(value.date(), locale), True)
    if isinstance(value, date):
        return Said(formats.day(value, locale), True)
    number = _number(leaf, value)
    if number is not None:
        return Said(_figure(leaf, number, locale, currency), True)
    return _text(leaf, value, locale)


def basis(code: str, locale: str) -> str:
    """The clause that a step rests on; one of a country schedule names the country."""
    if words.find_word(code):
        return words.word(code, locale)
    table, _, rest = code.partition(".")
    if table == "country_schedule":
        country, _, clause = rest.partition(".")
        return translate(
            _CLAUSE_OF_COUNTRY, locale, clause=words.word(f"policy.{clause}", locale), country=formats.country(country, locale)
        )
    if table in {"limit", "policy"} and words.find_word(f"policy.{rest}"):
        return words.word(f"policy.{rest}", locale)
    return words.word(code, locale)


def name_of(path: str, locale: str) -> str:
    """What a value of the journal is called, from its dotted path; places of a list are counted from 1."""
    parts = [part for part in path.split(".") if part]
    if parts[0] == "terms":
        for length in range(len(parts), 1, -1):
            code = "Parameter." + ".".join(parts[1:length])
            if words.find_word(code):
                rest = " – ".join(_name(part, locale) for part in parts[length:])
                term = words.word(code, locale)
                return term % {"about": rest} if "%(about)s" in term else " – ".join(filter(None, (term, rest)))
    return " – ".join(_name(part, locale) for part in parts)


def _name(part: str, locale: str) -> str:
    code, *places = part.replace("]", "").split("[")
    if code in COUNTRIES:
        term = formats.country(code, locale)
    else:
        term = words.word(f"Change.{code}" if words.find_word(f"Change.{code}") else code, locale)
    return " ".join([term, *(str(int(place) + 1) for place in places if place.isdecimal())])


def _amount(amount: Decimal, currency: str, locale: str) -> str:
    return formats.money(int(amount.scaleb(minor_digits(currency))), currency, locale)


def _number(leaf: str, value: object) -> Decimal | None:
    """The number a value is; texts count where the name says that a number stands there."""
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str) and (leaf.endswith("percentage") or leaf in _RATES):
        try:
            return Decimal(value)
        except InvalidOperation:
            return None
    return None


def _figure(leaf: str, number: Decimal, locale: str, currency: str | None) -> str:
    if leaf.endswith("percentage"):
        return formats.percent(number, locale, digits=4)
    if leaf.endswith("_minor") and currency is not None:
        return formats.money(int(number), currency, locale)
    digits = 10 if leaf in _RATES else 6
    return str(format_decimal(number, format="#,##0." + "#" * digits, locale=locale))


def _text(leaf: str, value: object, locale: str) -> Said:
    text = str(getattr(value, "value", value))
    if leaf in _NAMES:
        term = words.find_word(value)
        return Said(words.word(value, locale) if term and text.islower() and "_" in text else text, False)
    if leaf in _COUNTRIES and text in COUNTRIES:
        return Said(formats.country(text, locale), False)
    if _ISO_DAY.fullmatch(text):
        return Said(_day(text, locale), True)
    vocabulary = _VOCABULARIES.get(leaf)
    if vocabulary is not None and words.find_word(f"{vocabulary}.{text}"):
        return Said(words.word(f"{vocabulary}.{text}", locale), False)
    if isinstance(value, Enum) or words.find_word(value):
        return Said(words.word(value, locale), False)
    return Said(_ISO_DAY.sub(lambda found: _day(found[0], locale), text), False)


def _day(text: str, locale: str) -> str:
    """A calendar date of a text; what only looks like one stays as it is."""
    try:
        return formats.day(date.fromisoformat(text), locale)
    except ValueError:
        return text
