from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import vobject
from flask import Flask
from support.insight import Insight, make_insight, said
from support.pages import PageClient

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.messages import Message, Told
from insureflow.models.scope import within
from insureflow.services import digests, reminders

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


@pytest.fixture
def handler(client: PageClient, login: Callable[..., Any], insight: Insight) -> PageClient:
    login(client, Role.CLAIMS_HANDLER)
    return client


def told(app: Flask, organisation: Any, role: Role) -> list[tuple[str, str, int]]:
    """Kind, duty and days left of what a person was told, in order."""
    with app.app_context(), within(organisation.id):
        found = db.session.query(Told).filter(Told.user_id == organisation.logins[role].user_id).order_by(Told.id)
        return [(row.kind.value, row.facts["duty"], row.facts["days"]) for row in found]


def remind(app: Flask, organisation: Any, on: date) -> int:
    with app.app_context():
        return reminders.remind(organisation.id, on)


def test_each_day_reached_is_told_once_and_a_missed_one_is_caught_up(app: Flask, organisation: Any, insight: Insight) -> None:
    today = insight.today
    # Twenty days before the stop nobody is told yet; letters to buyers have a worklist of their own.
    assert remind(app, organisation, today) == 0
    # Nobody looked on the day of the first reminder: it is told a day later, once, with the days that are left.
    assert remind(app, organisation, today + timedelta(days=6)) > 0
    assert remind(app, organisation, today + timedelta(days=6)) == 0
    assert told(app, organisation, Role.CLAIMS_HANDLER) == [("duty_comes", "stop_shipments", 14)]
    for days in (15, 20, 21):
        remind(app, organisation, today + timedelta(days=days))
    # The day after, the policy's rule blocks the buyer: that stops the shipments, and nothing is late.
    assert told(app, organisation, Role.CLAIMS_HANDLER)[1:] == [("duty_comes", "stop_shipments", 5), ("duty_today", "stop_shipments", 0)]
    assert told(app, organisation, Role.AUDITOR) == []


def test_the_inbox_and_how_one_is_told(app: Flask, organisation: Any, handler: PageClient, insight: Insight) -> None:
    remind(app, organisation, insight.today + timedelta(days=6))
    page = handler.get("/inbox/").text
    assert "wait to be read" in said(page) or "waits to be read" in said(page)
    assert "Alpha Werke GmbH" in said(page)
    way = re.search(r'href="(/obligations/list\?[^"]+)"', page)
    assert way is not None
    assert "No duties" not in said(handler.get(way.group(1).replace("&amp;", "&")).text)
    read = handler.post("/inbox/read", follow_redirects=True)
    assert "You have read everything." in said(read.text)
    assert "Alpha Werke GmbH" in said(handler.get("/inbox/?read=yes").text)
    refused = handler.post("/inbox/settings", data={"digest": "daily", "days_before": "15, soon"})
    assert refused.status_code == 422
    assert "Write whole days" in said(refused.text)
    far = handler.post("/inbox/settings", data={"digest": "daily", "days_before": "400"})
    assert far.status_code == 422
    assert "from 0 to 90" in said(far.text)
    assert handler.post("/inbox/settings", data={"digest": "daily", "days_before": "30, 3", "only_own": "y"}).status_code == 302
    assert 'value="30, 3"' in handler.get("/inbox/settings").text
    # Only own duties from now on, and there are none.
    before = len(told(app, organisation, Role.CLAIMS_HANDLER))
    remind(app, organisation, insight.today + timedelta(days=19))
    assert len(told(app, organisation, Role.CLAIMS_HANDLER)) == before


def test_a_duty_has_an_owner_and_evidence(app: Flask, organisation: Any, handler: PageClient, insight: Insight) -> None:
    found = re.search(r"/obligations/(\d+)", handler.get("/obligations/list?kind=stop_shipments").text)
    assert found is not None
    address = found.group()
    owner = organisation.logins[Role.CREDIT_MANAGER].user_id
    assert handler.post(f"{address}/owner", data={"owner": str(owner)}).status_code == 302
    assert f'<option value="{owner}" selected>' in handler.get(address).text
    remind(app, organisation, insight.today + timedelta(days=6))
    assert ("duty_comes", "stop_shipments", 14) in told(app, organisation, Role.CREDIT_MANAGER)
    assert ("duty_comes", "stop_shipments", 14) not in told(app, organisation, Role.CLAIMS_HANDLER)
    sent = {"file": (io.BytesIO(PDF), "letter.pdf"), "dated_on": insight.back(1)}
    unmarked = handler.post(f"{address}/evidence", data=sent, content_type="multipart/form-data")
    assert unmarked.status_code == 422
    handler.post(f"{address}/done", data={"marked_on": insight.back(1), "note": "stopped by telephone"})
    sent = {"file": (io.BytesIO(PDF), "letter.pdf"), "dated_on": insight.back(1)}
    kept = handler.post(f"{address}/evidence", data=sent, content_type="multipart/form-data", follow_redirects=True)
    way = re.search(r'href="(/obligations/evidence/\d+)"', kept.text)
    assert way is not None
    download = handler.get(way.group(1))
    assert download.data == PDF
    assert download.headers["Content-Disposition"].startswith("attachment")
    wrong = handler.post(f"{address}/evidence", data={"file": (io.BytesIO(b"MZ\x90"), "a.exe")}, content_type="multipart/form-data")
    assert wrong.status_code == 422
    assert handler.post(f"{address}/owner", data={"owner": ""}).status_code == 302
    assert handler.get("/obligations/evidence/999999").status_code == 404


def test_a_calendar_program_reads_the_duties(app: Flask, handler: PageClient, insight: Insight) -> None:
    opened = handler.post("/inbox/feeds")
    assert opened.headers["Cache-Control"] == "no-store"
    found = re.search(r"http://[^<\s]+(/feeds/[^<\s]+\.ics)", opened.text)
    assert found is not None
    address = found.group(1)
    stranger = app.test_client()
    answer = stranger.get(address)
    assert answer.content_type == "text/calendar; charset=utf-8"
    events = list(vobject.readOne(answer.text).vevent_list)
    stop = next(event for event in events if event.summary.value.startswith("Stop shipments: Alpha Werke GmbH"))
    assert stop.dtstart.value == insight.today + timedelta(days=20)
    assert "kind=stop_shipments" in stop.url.value
    assert len({event.uid.value for event in events}) == len(events)
    assert stranger.get(address).data.split(b"BEGIN:VEVENT", 1)[1].count(b"UID") == len(events)
    assert stranger.get(address.replace(".ics", "x.ics")).status_code == 404
    feed_id = re.search(r"/inbox/feeds/(\d+)/end", handler.get("/inbox/settings").text)
    assert feed_id is not None
    assert handler.post(feed_id.group()).status_code == 302
    assert stranger.get(address).status_code == 404
    assert handler.post("/inbox/feeds/999999/end").status_code == 404


def test_a_summary_goes_to_who_asked_for_it_and_once(app: Flask, organisation: Any, handler: PageClient, insight: Insight) -> None:
    handler.post("/inbox/settings", data={"digest": "daily", "days_before": "15, 5, 0"})
    stop_on = insight.today + timedelta(days=20)
    working_day = stop_on - timedelta(days=1)
    working_day -= timedelta(days=max(0, working_day.weekday() - 4))

    def sent(on: date) -> int:
        with app.app_context():
            return digests.send(organisation.id, on, home="https://insureflow.example")

    assert sent(working_day - timedelta(days=working_day.weekday() + 1)) == 0, "a Sunday"
    assert sent(working_day) == 1
    assert sent(working_day) == 0
    with app.app_context(), within(organisation.id):
        message = db.session.query(Message).one()
        assert message.recipients == [organisation.logins[Role.CLAIMS_HANDLER].email]
        assert "Alpha Werke GmbH, stop shipments" in message.body
        assert "https://insureflow.example/inbox/" in message.body
    handler.post("/inbox/settings", data={"digest": "weekly", "days_before": "15, 5, 0"})
    # The job did not run on Monday: the week's summary goes out on the day it works again, and not a second time that week.
    assert sent(stop_on) == 1
    assert sent(stop_on) == 0
