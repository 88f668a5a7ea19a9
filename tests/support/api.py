"""Callers of the API: a key for each role of an organisation, and their requests."""

from __future__ import annotations

from typing import Any

from flask import Flask
from support.tenants import Tenant
from werkzeug.test import TestResponse

from insureflow.domain.access import Role
from insureflow.services import tokens


class Caller:
    """Somebody with a key for each role of an organisation."""

    def __init__(self, app: Flask, tenant: Tenant) -> None:
        self._client = self.client = app.test_client()
        with app.app_context():
            self._secrets = {
                role: tokens.add_token(tenant.actor(), tenant.id, login.user_id, role.value)[1] for role, login in tenant.logins.items()
            }

    def __call__(self, method: str, address: str, role: Role = Role.ADMINISTRATOR, **said: Any) -> tuple[int, Any]:
        """The status and the content of an answer."""
        headers = {"Authorization": f"Bearer {self._secrets[role]}"}
        answer = self._client.open(f"/api/v1{address}", method=method, headers=headers, json=said if method in {"POST", "PUT"} else None)
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
