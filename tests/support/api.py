"""Callers of the API: a key for each role of an organisation, and their requests."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from support.tenants import Tenant
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from insureflow.domain.access import Role
from insureflow.services import tokens

#: The address that the description has in the registry of schemas.
DOCUMENT = "https://document.invalid/"


class Documented:
    """The published description of the API, against which answers are held."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._registry = Registry().with_resource(DOCUMENT, Resource(_closed(document), DRAFT202012))  # type: ignore[call-arg]

    def answer_of(self, rule: str, method: str, status: int) -> tuple[str, Any] | None:
        """Media type and place of the schema of an answer; None where nothing is said of its content."""
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule)
        answers = self.document["paths"][path][method.lower()]["responses"]
        name = str(status) if str(status) in answers else "default"
        assert name in answers, f"{method} {path} answers {status}, which is not documented"
        place = ["paths", path, method.lower(), "responses", name]
        answer = answers[name]
        if "$ref" in answer:
            place = answer["$ref"].removeprefix("#/").split("/")
            answer = self.document["components"]["responses"][place[-1]]
        for media, content in answer.get("content", {}).items():
            if "schema" in content:
                steps = (each.replace("~", "~0").replace("/", "~1") for each in (*place, "content", media, "schema"))
                return media, {"$ref": f"{DOCUMENT}#/{'/'.join(steps)}"}
        return None

    def problems(self, schema: Any, content: Any) -> list[str]:
        """Where a content is not as described."""
        found = Draft202012Validator(schema, registry=self._registry).iter_errors(content)
        return [f"{error.json_path}: {error.message[:300]}" for error in found]


def _closed(part: Any) -> Any:
    """The same description, in which an object has no members but those that are named."""
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(each) for name, each in part.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


@cache
def documented(app: Flask) -> Documented:
    """The description that an application publishes."""
    return Documented(app.test_client().get("/api/v1/openapi.json").json)


def check_answer(app: Flask, method: str, answer: TestResponse) -> None:
    """What was sent is what is documented."""
    adapter = app.url_map.bind("localhost")
    try:
        rule, _values = adapter.match(answer.request.path, method=method, return_rule=True)
    except HTTPException:
        return
    said = documented(app).answer_of(rule.rule, method, answer.status_code)
    if said is None or not answer.data:
        return
    media, schema = said
    assert answer.mimetype == media, f"{method} {rule.rule} {answer.status_code}: {answer.mimetype} is sent, {media} documented"
    if answer.is_json:
        problems = documented(app).problems(schema, answer.json)
        assert problems == [], f"{method} {rule.rule} {answer.status_code}"


class Caller:
    """Somebody with a key for each role of an organisation. Every answer is held against the published description."""

    def __init__(self, app: Flask, tenant: Tenant) -> None:
        self._app = app
        self._client = self.client = app.test_client()
        with app.app_context():
            self._secrets = {
                role: tokens.add_token(tenant.actor(), tenant.id, login.user_id, role.value)[1] for role, login in tenant.logins.items()
            }

    def __call__(self, method: str, address: str, role: Role = Role.ADMINISTRATOR, **said: Any) -> tuple[int, Any]:
        """The status and the content of an answer."""
        headers = {"Authorization": f"Bearer {self._secrets[role]}"}
        answer = self._client.open(f"/api/v1{address}", method=method, headers=headers, json=said if method in {"POST", "PUT"} else None)
        check_answer(self._app, method, answer)
        return answer.status_code, answer.json if answer.is_json and answer.data else answer.data

    def send(self, address: str, role: Role, form: dict[str, Any]) -> TestResponse:
        """The answer to a form with files."""
        headers = {"Authorization": f"Bearer {self._secrets[role]}"}
        return self._client.post(f"/api/v1{address}", headers=headers, data=form, content_type="multipart/form-data")

    def fetch(self, address: str, role: Role = Role.ADMINISTRATOR) -> TestResponse:
        """The whole answer to a reading request."""
        return self._client.get(f"/api/v1{address}", headers={"Authorization": f"Bearer {self._secrets[role]}"}, buffered=True)

    def get(self, address: str, role: Role = Role.ADMINISTRATOR) -> Any:
        """What a reading request is answered, which must be well."""
        status, content = self("GET", address, role)
        assert status == 200, content
        return content

    def post(self, address: str, role: Role = Role.ADMINISTRATOR, *, status: int = 200, **said: Any) -> Any:
        """What a changing request is answered, which must be with this status."""
        answered, content = self("POST", address, role, **said)
        assert answered == status, content
        return content
