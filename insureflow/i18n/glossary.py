"""The terms of the trade in the languages of papers, and how sure each one is.

Catalogues are checked against it; a weak term is one that a native speaker of the trade should confirm before a paper goes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

_FILE = Path(__file__).resolve().parent / "glossary.yaml"


class Confidence(StrEnum):
    """How sure a term is in a language."""

    ATTESTED = "attested"
    GENERAL = "general"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Rendering:
    """A term in a language: the preferred word first, then those that mean the same."""

    terms: tuple[str, ...]
    confidence: Confidence


@cache
def glossary() -> dict[str, dict[str, Rendering]]:
    """Every English term (alternatives parted by `` / ``) with its renderings by language."""
    with _FILE.open(encoding="utf-8") as stream:
        entries: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(stream)
    found: dict[str, dict[str, Rendering]] = {}
    for english, languages in entries.items():
        found[english] = {}
        for language, entry in languages.items():
            terms = entry["terms"]
            assert isinstance(terms, list)
            found[english][language] = Rendering(tuple(map(str, terms)), Confidence(str(entry["confidence"])))
    return found


def find_rendering(english: str, language: str) -> Rendering | None:
    """The rendering of an English term or one of its alternatives; None where the glossary has none."""
    wanted = english.casefold()
    for key, languages in glossary().items():
        if wanted in {part.casefold() for part in key.split(" / ")}:
            return languages.get(language)
    return None


def weak_terms(language: str) -> tuple[str, ...]:
    """The English terms whose rendering in a language a native speaker should confirm."""
    return tuple(
        english for english, languages in glossary().items() if language in languages and languages[language].confidence is Confidence.WEAK
    )
