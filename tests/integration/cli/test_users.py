"""The commands about people: another role, out of the organisation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from support.tenants import Tenant


def test_roles_are_changed_and_people_removed(invoke: Callable[..., Any], organisation: Tenant) -> None:
    address = "sales@nordic-pumps.example"
    changed = invoke("user", "role", address, "-o", "nordic-pumps", "--role", "credit_analyst", "--format", "json")
    assert changed.exit_code == 0, changed.output
    assert json.loads(changed.stdout)["role"] == "credit_analyst"
    again = invoke("user", "role", address, "-o", "nordic-pumps", "--role", "credit_analyst")
    assert again.exit_code == 1
    assert "has this role already" in again.stderr
    assert "is now auditor of" in invoke("user", "role", address, "-o", "nordic-pumps", "--role", "auditor").stdout
    removed = invoke("user", "remove", address, "-o", "nordic-pumps")
    assert "no longer works in nordic-pumps" in removed.stdout
    assert address not in invoke("user", "list", "-o", "nordic-pumps").stdout
    assert "does not work in this organisation" in invoke("user", "remove", address, "-o", "nordic-pumps").stderr
    last = invoke("user", "remove", "administrator@nordic-pumps.example", "-o", "nordic-pumps", "--format", "json")
    assert last.exit_code == 1
    assert "Make somebody else an administrator first." in last.stderr
