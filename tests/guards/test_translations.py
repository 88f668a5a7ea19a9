"""The words: every marked string is in the catalogue, and every language that ships has all of them, in the words of the trade."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from support.tree import PACKAGE, ROOT, modules, place, syntax

import config
from insureflow.i18n import words

TRANSLATIONS = ROOT / "translations"
LANGUAGES = [locale for locale in config.SUPPORTED_LOCALES if locale != "en"]
MARKS = {"_", "_l", "gettext", "lazy_gettext", "marked"}
PLURAL_MARKS = {"ngettext", "npgettext"}
#: Marks whose first text says what the second, too short to stand alone, is about.
CONTEXT_MARKS = {"pgettext", "lazy_pgettext"}
_PLACE = re.compile(r"%\((\w+)\)[#0\- +]*[\d.]*([a-zA-Z])|%([^\s(])")


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream)


def singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def forms_of(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string or "",)


def messages(path: Path) -> set[tuple[str, str | None, str | None]]:
    """Every message with its plural and its context; what a source says in the singular alone is another message."""
    return {
        (singular(message), message.id[1] if not isinstance(message.id, str) else None, message.context)
        for message in catalogue(path)
        if message.id
    }


def catalogues(locale: str) -> list[Path]:
    return sorted((TRANSLATIONS / locale / "LC_MESSAGES").glob("*.po"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make translations`` would collect now."""
    fresh = tmp_path_factory.mktemp("words") / "messages.pot"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    keywords = makefile.split("extract -F translations/babel.cfg", 1)[1].split("--no-location", 1)[0].split()
    command = [Path(sys.executable).parent / "pybabel", "--quiet", "extract", "-F", "translations/babel.cfg", *keywords, "-o", fresh, "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return fresh


def test_the_collected_words_are_up_to_date(fresh: Path) -> None:
    assert messages(fresh) == messages(TRANSLATIONS / "messages.pot"), "run make translations"


def arguments_of(mark: str, in_context: Collection[str]) -> int:
    """How many texts a mark has; with marks in context asked for, those alone count."""
    if in_context:
        return 2 if mark in in_context else 0
    return 1 if mark in MARKS else 2 if mark in PLURAL_MARKS else 0


def test_short_words_are_collected_with_their_context(fresh: Path) -> None:
    marked = {said for _where, said in (*marked_in_python(CONTEXT_MARKS), *marked_in_templates(CONTEXT_MARKS))}
    assert ("day of payment", "Due") in marked
    assert marked <= {(context, first) for first, _second, context in messages(fresh)}


def marked_in_python(in_context: Collection[str] = ()) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    """Where and what every marking call of the modules says; None for what is not written out."""
    for path in modules():
        for node in ast.walk(syntax(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            count = arguments_of(node.func.id, in_context)
            if count and path.name != "catalogues.py":
                said = [
                    each.value if isinstance(each, ast.Constant) and isinstance(each.value, str) else None for each in node.args[:count]
                ]
                yield place(path, node), tuple(said)


def marked_in_templates(in_context: Collection[str] = ()) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    """The same for the templates, read with the engine's own parser."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for path in sorted((PACKAGE / "templates").rglob("*.html")):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        for node in tree.find_all(nodes.Call):
            if not isinstance(node.node, nodes.Name):
                continue
            count = arguments_of(node.node.name, in_context)
            if count:
                said = [each.value if isinstance(each, nodes.Const) else None for each in node.args[:count]]
                yield f"{path.relative_to(ROOT)}:{node.lineno}", tuple(said)


def test_every_marked_string_is_collected() -> None:
    """Reads the sources in another way than the extraction does, so that nothing it overlooks stays English."""
    known = {(first, second) for first, second, _ in messages(TRANSLATIONS / "messages.pot")}
    firsts = {first for first, _ in known}
    unwritten, missing = [], []
    for where, said in (*marked_in_python(), *marked_in_templates()):
        if None in said:
            unwritten.append(where)
        elif (len(said) == 2 and said not in known) or said[0] not in firsts:
            missing.append(f"{where}: {said}")
    assert (unwritten, missing) == ([], []), "a marked string is written out where it is marked, and collected"


def test_every_word_of_a_code_is_collected() -> None:
    known = {first for first, _, _ in messages(TRANSLATIONS / "messages.pot")}
    for table in ("WORDS", "SENTENCES"):
        assert {text for text in words._table(table).values() if text not in known} == set()


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_language_has_every_word(locale: str) -> None:
    missing, unsure, broken = [], [], []
    for path in catalogues(locale):
        for message in catalogue(path):
            if not message.id:
                continue
            if not all(forms_of(message)):
                missing.append(message.id)
            if message.fuzzy:
                unsure.append(message.id)
            broken += [f"{message.id}: {error}" for error in message.check()]
    assert (missing, unsure, broken) == ([], [], [])
    path = TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"
    assert messages(path) == messages(TRANSLATIONS / "messages.pot"), "run make translations"
    assert not catalogue(path).obsolete


def places(text: str) -> list[str]:
    """The places of a message: ``name:s`` for a named one, the bare sign for another."""
    return sorted(f"{name}:{kind}" if name else bare for name, kind, bare in _PLACE.findall(text))


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_places_of_a_message_stay(locale: str) -> None:
    """Every form, also of a plural, has the places of the source's form: none missing, none added, none said in another way."""
    wrong = []
    for path in catalogues(locale):
        for message in catalogue(path):
            if not message.id:
                continue
            sources = (message.id,) if isinstance(message.id, str) else tuple(message.id)
            forms = forms_of(message)
            assert len(forms) == len(sources), message.id
            wrong += [form for source, form in zip(sources, forms, strict=True) if places(form) != places(source)]
    assert wrong == []


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_message_ends_as_its_source_does(locale: str) -> None:
    """A sentence stays a sentence, a title a title: the same stop at the end, and a capital where there was one."""
    wrong = []
    for message in catalogue(TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"):
        source, form = singular(message), forms_of(message)[0]
        if not message.id or not form:
            continue
        if (source[-1] in ".:?") and form[-1] != source[-1]:
            wrong.append(form)
        if source[0].isalpha() and form[0].isalpha() and source[0].isupper() != form[0].isupper() and not source[:2].isupper():
            wrong.append(form)
        if form != form.strip() or "  " in form:
            wrong.append(form)
    assert wrong == []


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_language_has_its_own_quotation_marks(locale: str) -> None:
    mark = {"sv": "”"}[locale]
    wrong = []
    for message in catalogue(TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"):
        for source, form in zip((singular(message),), forms_of(message)[:1], strict=True):
            foreign = "“" in form or form.count('"') != source.count('"')
            if message.id and (foreign or form.count(mark) % 2 or form.count(mark) < source.count("“") + source.count("”")):
                wrong.append(form)
    assert wrong == []


def glossary() -> dict[str, str]:
    """The Swedish term of each term of the trade."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    terms = {name.strip(): swedish.strip().rstrip("°") for term, swedish in rows[1:] for name in term.split(",")}
    assert len(terms) > 40
    return terms


def test_the_glossary_is_kept() -> None:
    """Where a message is a term of the glossary, it is translated as the glossary says."""
    terms = {term.casefold(): swedish.casefold() for term, swedish in glossary().items()}
    found = {
        singular(message): forms_of(message)[0]
        for message in catalogue(TRANSLATIONS / "sv" / "LC_MESSAGES" / "messages.po")
        if message.id and singular(message).casefold() in terms
    }
    assert len(found) > 20
    assert {term: text for term, text in found.items() if text.casefold() != terms[term.casefold()]} == {}
