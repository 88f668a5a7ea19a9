"""The words: every marked string is in the catalogue, and every language that ships has all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from support.tree import ROOT

import config

TRANSLATIONS = ROOT / "translations"
LANGUAGES = [locale for locale in config.SUPPORTED_LOCALES if locale != "en"]


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream)


def messages(path: Path) -> set[tuple[str, str | None]]:
    return {(message.id if isinstance(message.id, str) else message.id[0], message.context) for message in catalogue(path) if message.id}


def test_the_collected_words_are_up_to_date(tmp_path: Path) -> None:
    fresh = tmp_path / "messages.pot"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    keywords = makefile.split("extract -F translations/babel.cfg", 1)[1].split("--no-location", 1)[0].split()
    command = [Path(sys.executable).parent / "pybabel", "--quiet", "extract", "-F", "translations/babel.cfg", *keywords, "-o", fresh, "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    assert messages(fresh) == messages(TRANSLATIONS / "messages.pot"), "run make translations"


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_language_has_every_word(locale: str) -> None:
    path = TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"
    missing, unsure, broken = [], [], []
    for message in catalogue(path):
        if not message.id:
            continue
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if not all(forms):
            missing.append(message.id)
        if message.fuzzy:
            unsure.append(message.id)
        broken += [f"{message.id}: {error}" for error in message.check()]
    assert (missing, unsure, broken) == ([], [], [])
    assert messages(path) == messages(TRANSLATIONS / "messages.pot"), "run make translations"
