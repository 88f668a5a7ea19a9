from __future__ import annotations

from typing import Any

from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role


def test_the_demo_of_the_tests_has_somebody_for_every_role(demo_app: Any, demo_organisation: Any) -> None:
    assert set(demo_organisation.logins) == set(Role)
    assert demo_organisation.entities
    client = demo_app.test_client()
    assert isinstance(client, PageClient)
    log_in(client, demo_organisation, Role.AUDITOR)
    assert client.get("/readyz").status_code == 200
