"""Every code that the product can show has words: refusals, reasons of rows, steps of traces, members of vocabularies.

The codes are read from the source, so that one nobody wrote words for cannot reach a reader.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from pkgutil import iter_modules, walk_packages
from types import ModuleType

from support.tree import modules, place, syntax

import insureflow.connectors
import insureflow.domain
from insureflow.i18n import words

#: Calls whose first argument is the code of a refusal, and how many values come before its named parameters.
REFUSALS = {"Refusal": 1, "InvalidValue": 3}
PLACES = re.compile(r"%\((\w+)\)s")
#: Vocabularies that nobody is shown: they name columns, settings or requests.
UNSEEN = {"TaskAction"}


def constants(node: ast.expr | None) -> Iterator[str]:
    """The texts that an expression can be, as far as the source shows it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def calls(*names: str) -> Iterator[tuple[Path, ast.Call, str]]:
    """Every call of a function or class of one of these names in the product."""
    for path in modules():
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
                if name in names:
                    yield path, node, name


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """An argument by its place or its name."""
    if len(call.args) > position and not any(isinstance(each, ast.Starred) for each in call.args[: position + 1]):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


@functools.cache
def passing_on() -> dict[str, int]:
    """Functions of the product that hand a code on to a refusal or a row's problem: name, and the place of the code in a call."""
    found: dict[str, int] = {}
    for path in modules():
        for function in ast.walk(syntax(path)):
            if not isinstance(function, ast.FunctionDef):
                continue
            parameters = [each.arg for each in function.args.args if each.arg not in {"self", "cls"}]
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {*REFUSALS, "RowProblem"}:
                    code = argument(node, 3 if node.func.id == "RowProblem" else 0, "code")
                    if isinstance(code, ast.Name) and code.id in parameters:
                        found[function.name] = parameters.index(code.id)
    return found


def refusals() -> Iterator[tuple[str, str, ast.Call, str]]:
    """Place, code, call and name of everything that refuses."""
    for path, call, name in calls(*REFUSALS, *passing_on()):
        for code in constants(argument(call, passing_on().get(name, 0), "code")):
            if re.fullmatch(r"[a-z][a-z0-9_]*", code):
                yield place(path, call), code, call, name


def test_every_refusal_is_said_in_a_sentence() -> None:
    assert len(passing_on()) > 3
    found = list(refusals())
    assert len({code for _where, code, _call, _name in found}) > 100
    missing = sorted(
        {
            f"{code} ({where})"
            for where, code, _call, _name in found
            if words.find_sentence(code) is None and words.find_sentence(f"row.{code}") is None
        }
    )
    assert not missing, "\n".join(missing)


def test_a_sentence_names_only_what_the_refusal_gives() -> None:
    wrong: set[str] = set()
    for where, code, call, name in refusals():
        sentence = words.find_sentence(code)
        if name not in REFUSALS or sentence is None or any(keyword.arg is None for keyword in call.keywords):
            continue
        given = {keyword.arg for keyword in call.keywords} | ({"path", "value"} if name == "InvalidValue" else set())
        lacking = set(PLACES.findall(sentence)) - given
        if lacking:
            wrong.add(f"{where}: the sentence of {code} names {', '.join(sorted(lacking))}")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_reason_of_a_row_is_said() -> None:
    codes: dict[str, str] = {}
    for path, call, _name in calls("RowProblem"):
        for code in constants(argument(call, 3, "code")):
            codes[code] = place(path, call)
    missing = [f"{code} ({where})" for code, where in codes.items() if words.find_sentence(code) is None and words.find_word(code) is None]
    assert not missing, "\n".join(sorted(missing))


def test_every_finding_about_a_file_is_said() -> None:
    missing: set[str] = set()
    count = 0
    for path, call, _name in calls("Finding"):
        for code in constants(argument(call, 0, "aspect")):
            count += 1
            if code != "column" and words.find_word(f"aspect.{code}") is None:
                missing.add(f"aspect {code} ({place(path, call)})")
        for code in constants(argument(call, 3, "reason")):
            count += 1
            if words.find_sentence(code) is None and words.find_sentence(f"row.{code}") is None:
                missing.add(f"reason {code} ({place(path, call)})")
    assert count > 20
    assert not missing, "\n".join(sorted(missing))


def test_every_step_of_a_trace_has_words() -> None:
    missing: set[str] = set()
    count = 0
    for path, call, _name in calls("Step"):
        for position, what in ((0, "name"), (1, "formula")):
            for code in constants(argument(call, position, what)):
                count += 1
                if words.find_word(code) is None:
                    missing.add(f"{what} {code} ({place(path, call)})")
        inputs = argument(call, 2, "inputs")
        for entry in inputs.elts if isinstance(inputs, ast.Tuple | ast.List) else ():
            if isinstance(entry, ast.Tuple) and entry.elts:
                for code in constants(entry.elts[0]):
                    count += 1
                    if words.find_word(code) is None:
                        missing.add(f"input {code} ({place(path, call)})")
    assert count > 50
    assert not missing, "\n".join(sorted(missing))


def vocabularies() -> Iterator[type[StrEnum]]:
    """Every closed list of words of the domain and the connectors."""
    seen: set[type[StrEnum]] = set()
    packages: tuple[ModuleType, ...] = (insureflow.domain, insureflow.connectors)
    for package in packages:
        for info in walk_packages(package.__path__, f"{package.__name__}."):
            for value in vars(importlib.import_module(info.name)).values():
                if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum and value not in seen:
                    seen.add(value)
                    yield value


def test_every_member_of_a_vocabulary_has_a_word() -> None:
    found = list(vocabularies())
    assert len(found) > 20
    missing = [
        f"{vocabulary.__name__}.{member.value} ({vocabulary.__module__})"
        for vocabulary in found
        if vocabulary.__name__ not in UNSEEN
        for member in vocabulary
        if words.find_word(member) is None
    ]
    assert not missing, "\n".join(sorted(missing))


def test_no_code_stands_in_two_modules() -> None:
    """One place for each code: who corrects it must not have to find a second."""
    for name in ("WORDS", "SENTENCES"):
        owners: dict[str, list[str]] = {}
        for info in iter_modules(words.__path__):
            entries: dict[str, str] = getattr(importlib.import_module(f"{words.__name__}.{info.name}"), name, {})
            for code in entries:
                owners.setdefault(code, []).append(info.name)
        assert {code: found for code, found in owners.items() if len(found) > 1} == {}
