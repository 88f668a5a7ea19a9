from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.services import jobs
from insureflow.services.scoping import within


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_jobs_are_seen_and_set_on_their_pages_and_by_command(
    app: Flask, client: Any, organisation: Any, invoke: Callable[..., Any]
) -> None:
    slug = ("-o", organisation.slug)
    log_in(client, organisation, Role.ADMINISTRATOR)
    page = client.get("/settings/jobs/").text
    assert "Synchronise limits" in page
    assert "every 5 minutes" in page
    assert "every day at 02:10" in page
    assert "Tidy up runs" not in page, "no matter of one organisation"
    done = invoke("jobs", "run", *slug, "journal.verify")
    assert done.exit_code == 0, done.output
    assert "entries checked" in done.output

    refused = client.post("/settings/jobs/limits.inbox", data={"is_enabled": "y", "every_minutes": "300"})
    assert refused.status_code == 422
    assert "the job comes every 1 to 240 minutes" in refused.text
    assert client.post("/settings/jobs/limits.inbox", data={"is_enabled": "y", "every_minutes": "x"}).status_code == 422
    assert client.post("/settings/jobs/journal.verify", data={"at": "25:00"}).status_code == 422
    assert client.post("/settings/jobs/runs.trim", data={}).status_code == 404
    assert client.post("/settings/jobs/limits.inbox", data={"is_enabled": "y", "every_minutes": "30"}).status_code == 302
    assert client.post("/settings/jobs/journal.verify", data={"at": "4:15"}).status_code == 302
    assert client.post("/settings/jobs/limits.reconcile", data={"at": ""}).status_code == 302
    rows = {row["job"]: row for row in json.loads(invoke("jobs", "list", *slug, "--format", "json").output)}
    assert rows["limits.inbox"]["here"] == "every 30 minutes"
    assert rows["journal.verify"]["here"].startswith("every day at 04:15")
    assert (rows["limits.reconcile"]["here"], rows["limits.reconcile"]["next_at"]) == ("switched off", None)
    assert (rows["journal.verify"]["last_state"], rows["journal.verify"]["milliseconds"] >= 0) == ("done", True)
    shown = client.get("/settings/jobs/journal.verify").text
    assert "entries checked" in shown
    assert 'value="04:15"' in shown
    assert "every 30 minutes" in client.get("/settings/jobs/").text
    with client.get("/settings/jobs/journal.verify?format=csv") as exported:
        assert exported.text.count("\n") == 2
    client.post("/settings/jobs/limits.reconcile/reset")
    assert "schedule changed" in client.get("/journal/").text

    assert "every day at 05:30" in invoke("jobs", "set", *slug, "limits.reconcile", "--at", "05:30").output
    assert "switched off" in invoke("jobs", "set", *slug, "limits.sync", "--off").output
    assert "every 5 minutes" in invoke("jobs", "reset", *slug, "limits.sync").output
    for command, complaint in (
        (("set", "limits.sync", "--every", "3"), "comes every 5 to 1,440 minutes"),
        (("set", "limits.sync", "--at", "05:30"), "use --every"),
        (("set", "journal.verify", "--every", "30"), "use --at"),
        (("set", "journal.verify", "--at", "noon"), "no time of day"),
        (("set", "journal.verify", "--off"), "cannot be switched off"),
    ):
        failed = invoke("jobs", command[0], *slug, *command[1:])
        assert failed.exit_code != 0
        assert complaint in failed.output
    text = invoke("jobs", "runs", *slug, "journal.verify").output
    assert "entries checked" in text
    assert " UTC" in text
    assert "It has not run yet." in invoke("jobs", "runs", *slug, "limits.sync").output
    with app.app_context(), within(organisation.id):
        assert jobs.wish_of(organisation.id, "limits.reconcile").minutes == 330

    log_in(client, organisation, Role.AUDITOR)
    assert client.get("/settings/jobs/limits.sync").status_code == 200
    assert "Save the times" not in client.get("/settings/jobs/limits.sync").text
    assert client.post("/settings/jobs/limits.sync", data={"every_minutes": "10"}).status_code == 403
