"""The catalogues of messages, without a request."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations

_ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = _ROOT / "translations" if (_ROOT / "translations").is_dir() else Path(__file__).resolve().parents[1] / "translations"


@cache
def catalogue(locale: str) -> NullTranslations:
    """The messages of a language; English, the language of the source, needs none."""
    return Translations.load(str(DIRECTORY), [locale])


def translate(message: str, locale: str, **values: object) -> str:
    """A message in a language, with its named places filled."""
    text = catalogue(locale).gettext(message)
    return text % values if values else text


def marked(message: str) -> str:
    """A message that is translated later; the extraction looks for this name."""
    return message
