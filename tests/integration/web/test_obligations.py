from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.insight import Insight, exported, make_insight, said
from support.pages import PageClient

from insureflow.domain.access import Role


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


@pytest.fixture
def handler(client: PageClient, login: Callable[..., Any], insight: Insight) -> PageClient:
    login(client, Role.CLAIMS_HANDLER)
    return client


def listed(client: PageClient, query: str = "") -> list[dict[str, str]]:
    return exported(client, f"/obligations/list?format=csv&{query}")


def late_reminder(client: PageClient) -> str:
    found = re.search(r"/obligations/(\d+)", client.get("/obligations/list?kind=send_reminder&status=late").text)
    assert found is not None
    return found.group()


def test_an_empty_calendar(client: PageClient, login: Callable[..., Any]) -> None:
    login(client, Role.ADMINISTRATOR)
    assert "Nothing is due within a week." in said(client.get("/obligations/").text)
    assert "No duties" in said(client.get("/obligations/list").text)


def test_a_month_and_its_neighbours(handler: PageClient, insight: Insight) -> None:
    page = handler.get("/obligations/").text
    assert "duty is late" in said(page) or "duties are late" in said(page)
    month = insight.back(39)[:7]
    assert "send a reminder" in said(handler.get(f"/obligations/?month={month}").text)
    assert handler.get("/obligations/?month=nonsense").status_code == 200
    assert handler.get("/obligations/?month=3000-01").status_code == 404


def test_the_list_is_filtered(handler: PageClient, insight: Insight) -> None:
    kinds = {row["Duty"] for row in listed(handler)}
    assert {"send a reminder", "file the claim"} <= kinds
    assert {row["Invoice"] for row in listed(handler, "status=late")} == {"A-1"}
    assert listed(handler, "country=US") == [row for row in listed(handler) if row["Country"] == "US"]
    stop = listed(handler, f"kind=stop_shipments&due_on_from={insight.back(-20)}&due_on_to={insight.back(-20)}")
    assert len(stop) <= 1
    assert listed(handler, f"buyer_id={insight.gamma}") == []
    for query in ("", f"on={insight.back(1)}"):
        rows = listed(handler, query)
        late = [row["Due"] for row in rows if row["Status"] == "late"]
        assert late, "something is late"
        assert [row["Due"] for row in rows[: len(late)]] == sorted(late), "the list begins with what is late"
    stop = listed(handler, f"kind=stop_shipments&due_on_from={insight.back(-20)}&due_on_to={insight.back(-20)}")
    assert len(stop) <= 1
    assert listed(handler, f"buyer_id={insight.gamma}") == []
    for query in ("", f"on={insight.back(1)}"):
        rows = listed(handler, query)
        begun = [(row["Status"] != "late", row["Status"] not in ("open", "due soon", "late"), row["Due"]) for row in rows]
        assert rows[0]["Status"] == "late", "the list begins with what is late"
        assert [entry for entry in begun if not entry[0]] == sorted(entry for entry in begun if not entry[0])
        assert not begun[-1][1] or begun == sorted(begun, key=lambda entry: entry[:2])
    notify = listed(handler, f"kind=notify_overdue&buyer_id={insight.alpha}&q=A-1")
    assert [(row["Due"], row["Cover at stake"]) for row in notify] == [(insight.back(-50), "6000.00")]


def test_the_list_is_narrowed_to_ones_own_and_to_nobodys(handler: PageClient, insight: Insight) -> None:
    mine = re.search(r'<option value="(\d+)"[^>]*>Mine<', handler.get("/obligations/list").text)
    assert mine is not None
    page = late_reminder(handler)
    assert listed(handler, f"owner_id={mine[1]}") == []
    handler.post(f"{page}/owner", data={"owner": mine[1]})
    owned = listed(handler, f"owner_id={mine[1]}")
    assert [(row["Invoice"], bool(row["Looked after by"])) for row in owned] == [("A-1", True)]
    nobodys = listed(handler, "owner_id=0")
    assert {row["Looked after by"] for row in nobodys} == {""}
    assert len(nobodys) + 1 == len(listed(handler))
    assert listed(handler, f"q={owned[0]['Looked after by'].split()[0]}&owner_id={mine[1]}") == owned
    yesterday = insight.back(1)
    assert len(listed(handler, f"on={yesterday}&owner_id={mine[1]}")) <= 1
    assert "" in {row["Looked after by"] for row in listed(handler, f"on={yesterday}&owner_id=0")}


def test_a_duty_says_why_on_this_day(handler: PageClient) -> None:
    page = handler.get(late_reminder(handler))
    text = said(page.text)
    assert "Why on this day" in text
    assert "Alpha Werke GmbH" in text
    assert "39 days late" in text
    assert handler.get("/obligations/999999").status_code == 404


def test_done_waived_and_undone(handler: PageClient, insight: Insight) -> None:
    address = late_reminder(handler)
    done = handler.post(f"{address}/done", data={"marked_on": insight.back(30), "note": "letter 4711"}, follow_redirects=True)
    text = said(done.text)
    assert "after the day it was due" in text
    assert "letter 4711" in text
    assert listed(handler, "kind=send_reminder&status=done_late") != []
    # What was done 30 days ago had not been done 35 days ago.
    handler.get(f"/?on={insight.back(35)}")
    assert [row["Status"] for row in listed(handler, "kind=send_reminder&q=A-1")] == ["late"]
    handler.get(f"/?on={insight.back(0)}")
    assert handler.post(f"{address}/undo", follow_redirects=True).status_code == 200
    waived = handler.post(f"{address}/waive", data={"reason": "paid by card today"}, follow_redirects=True)
    assert "It need not be done." in said(waived.text)
    assert handler.post(f"{address}/undo").status_code == 302
    assert handler.post(f"{address}/undo").status_code == 409


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("done", {"marked_on": "2999-01-01", "note": "x"}, "still to come"),
        ("done", {"marked_on": "", "note": "x"}, "Say when"),
        ("done", {"marked_on": "2026-01-01", "note": ""}, "Say how it was done"),
        ("waive", {"reason": ""}, "Say why"),
    ],
)
def test_a_mark_needs_its_reasons(handler: PageClient, path: str, data: dict[str, str], words: str) -> None:
    answer = handler.post(f"{late_reminder(handler)}/{path}", data=data)
    assert answer.status_code == 422
    assert words in said(answer.text)
    assert listed(handler, "kind=send_reminder&status=late") != []


def test_duties_of_another_day_have_pages_too(handler: PageClient, insight: Insight) -> None:
    page = handler.get(f"/obligations/list?on={insight.back(-45)}&status=late").text
    address = re.search(r'/obligations/worked-out[^"]*', page)
    assert address is not None
    text = said(handler.get(address.group().replace("&amp;", "&")).text)
    assert "Why on this day" in text
    assert "Mark as done" not in text
    assert handler.get("/obligations/worked-out?kind=nothing").status_code == 404


def test_who_may_mark(client: PageClient, login: Callable[..., Any], insight: Insight, make_organisation: Callable[..., Any]) -> None:
    login(client, Role.AUDITOR)
    address = late_reminder(client)
    assert "Mark as done" not in client.get(address).text
    assert client.post(f"{address}/waive", data={"reason": "x"}).status_code == 403
    login(client, Role.ADMINISTRATOR, make_organisation("Southern Pipes"))
    assert client.get(address).status_code == 404
    assert client.post(f"{address}/waive", data={"reason": "x"}).status_code == 404
    assert client.post(f"{address}/undo").status_code == 404


def test_what_if_the_terms_said_otherwise(handler: PageClient, insight: Insight) -> None:
    page = handler.get("/obligations/what-if").text
    assert "Nothing is stored" in said(page)
    assert 'name="overdue_notification" value="30"' in page
    query = "maximum_extension_period=60&overdue_notification=30&claim_filing=90"
    assert "fall due on another day" not in said(handler.get(f"/obligations/what-if?{query}").text)
    moved = said(handler.get("/obligations/what-if?overdue_notification=45").text)
    assert "fall due on another day" in moved
    assert "Alpha Werke GmbH" in moved
    # Sixty business days are more than sixty days: the stop of shipments stays, the notification moves.
    other = handler.get("/obligations/what-if?overdue_notification=45&overdue_notification-unit=business_days")
    assert other.status_code == 200
    for wrong in ("overdue_notification=soon", "overdue_notification=", "maximum_extension_period=9&maximum_extension_period-unit=years"):
        refused = handler.get(f"/obligations/what-if?{wrong}")
        assert refused.status_code == 422
        assert "is no length" in said(refused.text)
    assert handler.get("/obligations/what-if?policy_id=999999").status_code == 404
    before = listed(handler)
    assert listed(handler) == before
