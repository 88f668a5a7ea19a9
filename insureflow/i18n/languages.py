"""Languages of places, and the language in which somebody is written to."""

from __future__ import annotations

from babel.languages import get_official_languages

from insureflow.i18n.documents import choose_language


def main_language(country: str | None) -> str | None:
    """The first of a country's official languages (``nl`` for Belgium), or None where it is not known."""
    found = get_official_languages(country, de_facto=True) if country else ()
    return found[0] if found else None


def letter_language(
    *, contact: str | None = None, buyer: str | None = None, country: str | None = None, organisation: str | None = None
) -> str:
    """The language of a letter: that of the person, of the buyer, of the country, of the organisation; the first with wordings.

    *Formula:* contact → buyer → main language of the country → organisation → English.
    """
    return choose_language((contact, buyer, main_language(country), organisation))
