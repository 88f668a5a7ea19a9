"""The wordings of papers: collected, complete in every language, with the same places, in the terms of the glossary."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from support.tree import ROOT

from insureflow.documents.fonts import LATIN, family_of
from insureflow.i18n.documents import LANGUAGES
from insureflow.i18n.glossary import find_rendering, glossary

TRANSLATIONS = ROOT / "translations"
TRANSLATED = [locale for locale in LANGUAGES if locale != "en"]
_PLACE = re.compile(r"%\(\w+\)s")
#: Phrases that hold a term of the glossary within more words: the term must be in their translation.
HOLDING_A_TERM = {
    "End of the maximum extension period": "maximum extension period",
    "Confirmation of payment plan": "payment plan",
    "Request for consent to a payment plan": "payment plan",
    "Request for extension of due date": "extension of due date",
    "Original due date": "due date",
    "New due date": "due date",
    "Shipped after the date of loss": "date of loss",
    "Insolvency of the buyer": "insolvency",
    "Notification of non-payment": "notification of overdue",
}
#: Phrases that look like a term and mean something else: a column of insured amounts, headings, the debt that is lodged.
OTHER_SENSE = {"Claim", "Insured", "Overdue"}
#: Where a short form of the term is common beside a noun: the first word is enough.
SHORTENED = {("fil", "due date"): "takdang petsa", ("sv", "past due"): "förfallet"}


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream)


def forms(string: object) -> tuple[str, ...]:
    return tuple(map(str, string)) if isinstance(string, tuple | list) else (str(string or ""),)


def wordings(locale: str) -> dict[object, tuple[str, ...]]:
    return {
        message.id: forms(message.string) for message in catalogue(TRANSLATIONS / locale / "LC_MESSAGES" / "documents.po") if message.id
    }


def test_every_phrase_is_collected(tmp_path: Path) -> None:
    fresh = tmp_path / "documents.pot"
    options = (
        (ROOT / "Makefile")
        .read_text(encoding="utf-8")
        .split("extract -F translations/documents.cfg", 1)[1]
        .split("--no-location", 1)[0]
        .split()
    )
    command = [
        Path(sys.executable).parent / "pybabel",
        "--quiet",
        "extract",
        "-F",
        "translations/documents.cfg",
        *options,
        "-o",
        fresh,
        ".",
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    collected = {message.id for message in catalogue(fresh) if message.id}
    assert collected == {message.id for message in catalogue(TRANSLATIONS / "documents.pot") if message.id}, "run make translations"
    assert len(collected) > 200


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_language_is_complete(locale: str) -> None:
    found = wordings(locale)
    source = {message.id for message in catalogue(TRANSLATIONS / "documents.pot") if message.id}
    assert found.keys() == source, "run make translations"
    messages = catalogue(TRANSLATIONS / locale / "LC_MESSAGES" / "documents.po")
    assert [message.id for message in messages if message.fuzzy] == []
    wrong = []
    for said, translated in found.items():
        whole = said if isinstance(said, str) else str(said[1])
        for each in translated:
            if not each or sorted(_PLACE.findall(each)) != sorted(_PLACE.findall(whole)):
                wrong.append((whole, each))
            if whole[-1] in ".:" and each[-1:] != whole[-1] and whole != "No.":
                wrong.append((whole, each))
            if each != each.strip():
                wrong.append((whole, each))
    assert wrong == []
    assert messages.num_plurals == (1 if locale == "id" else 2)


@pytest.mark.parametrize("locale", TRANSLATED)
def test_terms_are_those_of_the_glossary(locale: str) -> None:
    found = {said: translated[0] for said, translated in wordings(locale).items() if isinstance(said, str)}
    terms = {part.casefold() for key in glossary() for part in key.split(" / ")}
    exact = {said: said for said in found if said.casefold() in terms and said not in OTHER_SENSE}
    assert len(exact) >= 15
    wrong = []
    for said, term in {**exact, **HOLDING_A_TERM}.items():
        rendering = find_rendering(term, locale)
        if rendering is None:
            continue
        accepted = [SHORTENED.get((locale, term.casefold()), ""), *rendering.terms]
        if not any(each and each.casefold() in found[said].casefold() for each in accepted):
            wrong.append((said, found[said], rendering.terms))
    assert wrong == []


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_letter_of_a_wording_has_its_glyph(locale: str) -> None:
    letters = {character for translated in wordings(locale).values() for each in translated for character in each}
    assert {character for character in letters if family_of(character) is not LATIN} == set()
