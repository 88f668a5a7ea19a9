"""Every way in which a connector can fail is said in a sentence that names only what the failure gives."""

from __future__ import annotations

import ast
import re

from support.tree import modules, place, syntax

from insureflow.i18n.words import find_sentence

FAILURES = {"ItemFailed", "AnswerLost", "TryLater", "StopSync"}
PLACES = re.compile(r"%\((\w+)\)s")


def failures() -> dict[str, tuple[str, str, set[str] | None]]:
    """Place of a failure → its code, and the names it gives (None where they are not written one by one)."""
    found: dict[str, tuple[str, str, set[str] | None]] = {}
    for path in modules("connectors"):
        if path.name == "mail.py":  # what fails there always carries the server's reply
            continue
        for node in ast.walk(syntax(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            position = {"_lost_or": 2}.get(node.func.id, 0 if node.func.id in FAILURES else None)
            if position is None:
                continue
            code = node.args[position]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                names = {keyword.arg for keyword in node.keywords if keyword.arg}
                given = None if any(keyword.arg is None for keyword in node.keywords) else names
                found[f"{place(path, node)} {code.value}"] = (code.value, place(path, node), given)
    return found


def test_every_failure_of_a_connector_has_a_sentence() -> None:
    found = failures()
    assert len({code for code, _where, _given in found.values()}) > 15
    missing = sorted(f"{code} ({where})" for code, where, _given in found.values() if find_sentence(code) is None)
    assert not missing, "\n".join(missing)
    assert find_sentence("operation_not_offered")
    assert find_sentence("answer_lost")


def test_a_sentence_names_only_what_the_failure_gives() -> None:
    wrong = []
    for code, where, given in failures().values():
        lacking = set(PLACES.findall(find_sentence(code) or "")) - (given or set())
        if lacking and given is not None:
            wrong.append(f"{where}: the sentence of {code} names {', '.join(sorted(lacking))}")
    assert not wrong, "\n".join(sorted(wrong))
