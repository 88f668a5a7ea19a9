"""The published description of the API is sound: what it says can be read by a machine. That answers are as it says is looked at by
every call of ``support.api.Caller``."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from support import databases
from support.api import Documented

from insureflow.app import create_app

METHODS = {"get", "post", "put", "patch", "delete"}


@cache
def document() -> Any:
    """The description; no database is opened for it."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(databases.settings_for("sqlite:///:memory:", Path(folder)))
        return app.test_client().get("/api/v1/openapi.json").json


def at(reference: str) -> Any:
    """What a reference leads to."""
    found = document()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, item in document()["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method] | {"parameters": [*item.get("parameters", ()), *item[method].get("parameters", ())]}


def test_the_description_is_sound() -> None:
    assert document()["openapi"] == "3.1.0"
    for reference in set(references(document())):
        assert at(reference) is not None
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for path, method, operation in operations():
        said = [at(each["$ref"]) if "$ref" in each else each for each in operation["parameters"]]
        assert {each["name"] for each in said if each["in"] == "path"} == set(re.findall(r"{(\w+)}", path)), path
        assert len({(each["name"], each["in"]) for each in said}) == len(said), path
        assert operation.get("summary"), (method, path)
        assert any(status.startswith("2") for status in operation["responses"]), (method, path)
        for answer in operation["responses"].values():
            assert (at(answer["$ref"]) if "$ref" in answer else answer)["description"], (method, path)


def test_errors_are_described_as_problems() -> None:
    described = Documented(document())
    for path, method, operation in operations():
        rule = re.sub(r"{(\w+)}", r"<\1>", path)
        assert "default" in operation["responses"], path
        said = described.answer_of(rule, method, 404)
        assert said is not None
        assert said[0] == "application/problem+json"


def test_an_answer_that_is_not_as_described_is_noticed() -> None:
    described = Documented(document())
    said = described.answer_of("/api/v1/limits", "GET", 200)
    assert said is not None
    assert described.problems(said[1], {"nothing": "of this is described"})
    assert described.problems(said[1], {"items": 5})
