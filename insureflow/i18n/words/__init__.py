"""The words for every code of the domain, and a sentence for every refusal, in any language that has a catalogue.

Each feature keeps its tables in a module of its own name: ``WORDS`` maps a code (or ``ClassName.value`` where the same code means two
things) to a short term, ``SENTENCES`` maps the code of a refusal to a whole sentence with named places.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.money import Money
from insureflow.i18n import formats
from insureflow.i18n.catalogues import marked, translate

UNKNOWN = marked("This could not be done (%(code)s).")
SEVERAL = marked("%(count)s values need attention: %(problems)s")


@cache
def _table(name: str) -> dict[str, str]:
    """All entries of one kind from every feature's module. A code may stand in one module only."""
    merged: dict[str, str] = {}
    for info in iter_modules(__path__):
        entries: dict[str, str] = getattr(import_module(f"{__name__}.{info.name}"), name, {})
        if twice := merged.keys() & entries.keys():
            raise LookupError(f"{info.name}: {name} has {sorted(twice)} already")
        merged |= entries
    return merged


def find_word(code: object) -> str | None:
    """The English term for a code or member of a vocabulary, or None if nobody wrote one."""
    words = _table("WORDS")
    if isinstance(code, Enum):
        return words.get(f"{type(code).__name__}.{code.value}") or words.get(str(code.value))
    return words.get(str(code))


def word(code: object, locale: str) -> str:
    """The term for a code in a language; an unknown code is shown as it is, with spaces."""
    if code is None:
        return formats.NOTHING
    term = find_word(code)
    return translate(term, locale) if term else str(getattr(code, "value", code)).replace("_", " ")


def spoken(value: object, locale: str) -> str:
    """A parameter of a sentence in a language: amounts, dates, codes and plain values."""
    if isinstance(value, Money):
        return formats.money(value.minor, value.currency, locale)
    if isinstance(value, date):
        return formats.day(value, locale)
    if isinstance(value, bool):
        return word("yes" if value else "no", locale)
    if isinstance(value, Fraction):
        return formats.number(Decimal(value.numerator) / Decimal(value.denominator), locale)
    if isinstance(value, int | Decimal):
        return formats.number(value, locale)
    if isinstance(value, Enum):
        return word(value, locale)
    return "" if value is None else str(value)


def sentence_for(refusal: Refusal, locale: str) -> str:
    """What a refusal says to a reader: what is wrong, where, and what to do."""
    if isinstance(refusal, InvalidValues):
        problems = "; ".join(sentence_for(problem, locale) for problem in refusal.problems)
        return translate(SEVERAL, locale, count=len(refusal.problems), problems=problems)
    return sentence(refusal.code, dict(refusal.parameters), locale)


def find_sentence(code: str) -> str | None:
    """The English sentence for a refusal's code, or None if nobody wrote one."""
    return _table("SENTENCES").get(code)


def sentence(code: str, parameters: dict[str, object], locale: str) -> str:
    """The sentence for a code with its parameters filled in; parameters that the sentence does not name are left out."""
    template = find_sentence(code)
    if template is None:
        return translate(UNKNOWN, locale, code=code)
    values = _Spoken({name: spoken(value, locale) for name, value in parameters.items()})
    return translate(template, locale) % values


class _Spoken(dict[str, str]):
    """Parameters of a sentence; one that is missing leaves its place visibly empty instead of failing."""

    def __missing__(self, key: str) -> str:
        return formats.NOTHING
