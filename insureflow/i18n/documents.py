"""The words and formats of papers, in the reader's language and without a request.

Papers have a catalogue of their own (``documents``), so that a letter can be written in a language in which the pages are not offered.
``phrase`` and ``phrases`` are the names that the extraction looks for, ``phrased`` marks a text of a table that is said later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from insureflow.domain.money import Money
from insureflow.i18n import formats
from insureflow.i18n.catalogues import DIRECTORY

DOMAIN = "documents"
#: Languages in which every paper can be written; English is the language of the source.
LANGUAGES = ("en", "sv", "id", "nl", "fil", "de", "fr", "es")

#: Countries that write the postal code after the town, and those that write neither behind the other.
_CODE_AFTER_TOWN = frozenset(
    {"AU", "CA", "CN", "GB", "ID", "IE", "IN", "JP", "KR", "NZ", "PH", "SG", "TH", "TW", "US", "ZA", "AE", "SA", "HK"}
)
_NAMED_REGION = frozenset({"AU", "BR", "CA", "CN", "IN", "ID", "IT", "JP", "KR", "MX", "PH", "TH", "US"})
_COMMA_BEFORE_REGION = frozenset({"US", "CA", "MX", "IN", "PH", "ID", "TH"})


def phrased(message: str) -> str:
    """A text that is said later; the extraction looks for this name."""
    return message


@cache
def catalogue(locale: str) -> NullTranslations:
    """The wordings of papers in a language; English and languages without wordings give the source."""
    for tag in (locale, locale.split("_", 1)[0]):
        folder = DIRECTORY / tag / "LC_MESSAGES"
        if (folder / f"{DOMAIN}.mo").is_file():
            return Translations.load(str(DIRECTORY), [tag], DOMAIN)
        if (folder / f"{DOMAIN}.po").is_file():
            with (folder / f"{DOMAIN}.po").open("rb") as stream:
                messages = read_po(stream, locale=tag, domain=DOMAIN)
            compiled = BytesIO()
            write_mo(compiled, messages)
            compiled.seek(0)
            return Translations(compiled, DOMAIN)
    return NullTranslations()


def choose_language(wanted: Iterable[str | None]) -> str:
    """The first of the wanted languages in which papers are written; English where there is none."""
    for tag in wanted:
        language = (tag or "").replace("-", "_").split("_", 1)[0].lower()
        if language in LANGUAGES:
            return language
        if language == "tl":
            return "fil"
    return "en"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a paper says in one language: its phrases, amounts, dates, names of countries and order of addresses."""

    locale: str

    @property
    def is_right_to_left(self) -> bool:
        """Whether lines of this language run from right to left."""
        return Locale.parse(self.locale).text_direction == "rtl"

    @property
    def tag(self) -> str:
        """The language as documents name it (``de``, ``zh-Hans``)."""
        return self.locale.replace("_", "-")

    def phrase(self, message: str, **values: object) -> str:
        """A phrase with its named places filled; values are spoken in the same language."""
        text = catalogue(self.locale).gettext(message)
        return text % {name: self.spoken(value) for name, value in values.items()} if values else text

    def phrases(self, one: str, many: str, count: int, **values: object) -> str:
        """A phrase about a number of things, in the form that the language has for it."""
        text = catalogue(self.locale).ngettext(one, many, count)
        return text % {name: self.spoken(value) for name, value in {"count": count, **values}.items()}

    def spoken(self, value: object) -> str:
        """A value as this language writes it."""
        if isinstance(value, Money):
            return self.money(value)
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, bool):
            return self.yes_or_no(value)
        if isinstance(value, int | Decimal):
            return formats.number(value, self.locale)
        return "" if value is None else str(value)

    def yes_or_no(self, value: bool | None) -> str:
        """Yes, no, or a dash where nobody said."""
        if value is None:
            return formats.NOTHING
        return self.phrase("Yes") if value else self.phrase("No")

    def money(self, value: Money | None) -> str:
        """An amount with its ISO code; a dash for None."""
        return formats.NOTHING if value is None else formats.money(value.minor, value.currency, self.locale)

    def amount(self, value: Money | None) -> str:
        """An amount under a heading that names the currency; a dash for None."""
        return formats.NOTHING if value is None else formats.amount(value.minor, value.currency, self.locale)

    def moneys(self, values: Sequence[Money]) -> str:
        """Amounts of several currencies side by side; a dash for none."""
        return " + ".join(self.money(value) for value in values) if values else formats.NOTHING

    def day(self, value: date | None) -> str:
        """A date with the month in letters, never broken at the end of a line; a dash for None."""
        if value is None:
            return formats.NOTHING
        plain = formats.day(value, self.locale) if self.locale.startswith("en") else format_skeleton("yMMMd", value, locale=self.locale)
        return str(plain).replace(" ", "\u00a0")

    def days(self, values: Sequence[date]) -> str:
        """Several dates as a list of the language; a dash for none."""
        if not values:
            return formats.NOTHING
        return self.listed([self.day(value) for value in values])

    def listed(self, values: Sequence[str]) -> str:
        """Several words as a list of the language (A, B and C)."""
        return str(format_list(list(values), locale=self.locale)) if values else formats.NOTHING

    def percent(self, value: Decimal | int | None, digits: int = 4) -> str:
        """A percentage given per hundred; a dash for None."""
        return formats.percent(value, self.locale, digits)

    def country(self, code: str | None) -> str:
        """The name of a country in this language."""
        return formats.country(code, self.locale)

    def place_lines(
        self, *, street: Sequence[str], postal_code: str, city: str, region: str, country: str, home: str | None
    ) -> tuple[str, ...]:
        """The lines of an address in the order of its country; the country itself is named unless it is ``home``."""
        place = " ".join(filter(None, (postal_code, city)))
        if country in _CODE_AFTER_TOWN:
            comma = ", " if country in _COMMA_BEFORE_REGION else " "
            place = " ".join(filter(None, (comma.join(filter(None, (city, region))), postal_code)))
        elif country in _NAMED_REGION and region:
            place = " ".join(filter(None, (place, f"({region})")))
        elif region:
            place = ", ".join(filter(None, (place, region)))
        named = self.country(country).upper() if country and country != home else ""
        return tuple(line for line in (*street, place, named) if line)


@cache
def wording_of(locale: str) -> Wording:
    """The wording of a locale; an unknown locale is refused by Babel's own error."""
    tag = locale.replace("-", "_")
    Locale.parse(tag)
    return Wording(tag)


__all__ = ["DOMAIN", "LANGUAGES", "UnknownLocaleError", "Wording", "catalogue", "choose_language", "phrased", "wording_of"]
