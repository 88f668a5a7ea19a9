from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.insight import Insight, exported, make_insight, said
from support.pages import PageClient

from insureflow.domain.access import Role
from insureflow.services.journal import count_entries


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


@pytest.fixture
def clerk(client: PageClient, login: Callable[..., Any], insight: Insight) -> PageClient:
    login(client, Role.RECEIVABLES_CLERK)
    return client


def numbers(client: PageClient, query: str) -> list[str]:
    return [row["Invoice"] for row in exported(client, f"/receivables/?format=csv&{query}")]


def test_the_worst_invoice_stands_first(clerk: PageClient) -> None:
    text = said(clerk.get("/receivables/").text)
    assert "3 invoices are open. 1 is overdue. 2 are not fully covered." in text
    assert "40 days late" in text
    assert numbers(clerk, "") == ["A-1", "B-1", "A-2", "G-1"]


def test_filters(clerk: PageClient, insight: Insight, organisation: Any) -> None:
    for query, expected in {
        "state=overdue": ["A-1"],
        "state=settled": ["G-1"],
        "reason=no_limit": ["B-1"],
        "reason=over_limit": ["A-2"],
        "country=US": ["B-1"],
        "currency=USD": ["B-1"],
        f"buyer_id={insight.gamma}": ["G-1"],
        f"policy_id={insight.policy_id}": ["A-1", "B-1", "A-2", "G-1"],
        f"entity_id={organisation.entity_id}&state=overdue": ["A-1"],
        "still_open=no": ["G-1"],
        "not_fully_covered=yes": ["B-1", "A-2"],
        "disputed=yes": [],
        "q=alpha": ["A-1", "A-2"],
        "open_from=7000": ["A-2"],
        f"due_on_to={insight.back(0)}": ["A-1", "G-1"],
    }.items():
        assert numbers(clerk, query) == expected, query


def test_the_list_as_of_a_past_day(clerk: PageClient, insight: Insight) -> None:
    clerk.get(f"/receivables/?on={insight.back(30)}")
    assert numbers(clerk, "") == ["A-1", "G-1"]
    assert numbers(clerk, "state=settled") == []


def test_an_invoice_and_its_reasons(clerk: PageClient, insight: Insight) -> None:
    text = said(clerk.get(f"/receivables/{insight.over_limit}").text)
    assert "8,000.00 EUR is open; 4,000.00 EUR is covered and 4,000.00 EUR is not." in text
    assert "over the limit" in text
    page = clerk.get(f"/receivables/{insight.over_limit}/why")
    assert "Step by step" in page.text
    assert "covered under Policy P-77" in said(page.text)
    panel = clerk.get(f"/receivables/{insight.over_limit}/why", headers={"HX-Request": "true"})
    assert "<html" not in panel.text
    assert "Nothing of this invoice is open" in said(clerk.get(f"/receivables/{insight.settled}").text)
    assert clerk.get("/receivables/999999").status_code == 404


def test_an_invoice_not_yet_written_is_not_found(clerk: PageClient, insight: Insight) -> None:
    assert clerk.get(f"/receivables/{insight.over_limit}?on={insight.back(30)}").status_code == 404


def test_payments(clerk: PageClient, insight: Insight) -> None:
    text = said(clerk.get("/receivables/payments").text)
    assert "Gamma SARL" in text
    assert "3,000.00" in text
    assert "No payments yet" in said(clerk.get(f"/receivables/payments?on={insight.back(30)}").text)


def test_a_dispute_takes_cover_away_and_gives_it_back(app: Flask, clerk: PageClient, insight: Insight, organisation: Any) -> None:
    address = f"/receivables/{insight.overdue}"
    opened = clerk.post(
        f"{address}/disputes", data={"amount": "1 500,00", "opened_on": insight.back(1), "reason": "broken parts"}, follow_redirects=True
    )
    text = said(opened.text)
    assert opened.status_code == 200
    assert "1,500.00 EUR is disputed" in text
    assert "4,500.00 EUR is covered and 1,500.00 EUR is not." in text
    listed = said(clerk.get("/receivables/disputes").text)
    assert "1 dispute goes on" in listed
    assert "broken parts" in listed
    assert numbers(clerk, "disputed=yes") == ["A-1"]
    with app.app_context():
        before = count_entries(organisation.id)
    resolved = clerk.post(
        "/receivables/disputes/1/resolve",
        data={"found_owed": "1500", "outcome": "settlement", "resolved_on": insight.back(0)},
        follow_redirects=True,
    )
    assert "all of it is covered" in said(resolved.text)
    assert "No dispute goes on." in said(clerk.get("/receivables/disputes").text)
    with app.app_context():
        assert count_entries(organisation.id) == before + 1
    again = clerk.post(
        "/receivables/disputes/1/resolve", data={"found_owed": "1500", "outcome": "settlement", "resolved_on": insight.back(0)}
    )
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("fields", "said_so"),
    [
        ({"amount": "6000.01"}, "At most 6,000.00 EUR can be disputed"),
        ({"amount": "0"}, "must be more than nothing"),
        ({"amount": "lots"}, "This is not an amount."),
        ({"amount": "1.005"}, "no such small parts"),
        ({"opened_on": "2001-01-01"}, "Nothing can be disputed before"),
        ({"opened_on": "2999-01-01"}, "still to come"),
        ({"reason": "  "}, "Say in a few words"),
    ],
)
def test_a_dispute_that_cannot_be_keeps_what_was_typed(clerk: PageClient, insight: Insight, fields: dict[str, str], said_so: str) -> None:
    data = {"amount": "10", "opened_on": insight.back(1), "reason": "scratches", **fields}
    answer = clerk.post(f"/receivables/{insight.overdue}/disputes", data=data)
    assert answer.status_code == 422
    assert said_so in said(answer.text)
    assert data["amount"] in answer.text
    assert "No dispute goes on." in said(clerk.get("/receivables/disputes").text)


def test_an_ending_that_cannot_be(clerk: PageClient, insight: Insight) -> None:
    clerk.post(f"/receivables/{insight.overdue}/disputes", data={"amount": "100", "opened_on": insight.back(5), "reason": "scratches"})
    for data, words in (
        ({"found_owed": "100.01", "resolved_on": insight.back(0)}, "lies between nothing and"),
        ({"found_owed": "50", "resolved_on": insight.back(9)}, "it cannot have ended before"),
        ({"found_owed": "", "resolved_on": insight.back(0)}, "0 if nothing"),
    ):
        answer = clerk.post("/receivables/disputes/1/resolve", data={"outcome": "judgment", **data})
        assert answer.status_code == 422
        assert words in said(answer.text)


def test_who_may_dispute(client: PageClient, login: Callable[..., Any], insight: Insight, make_organisation: Callable[..., Any]) -> None:
    login(client, Role.AUDITOR)
    assert "record it" not in client.get(f"/receivables/{insight.overdue}").text
    data = {"amount": "10", "opened_on": insight.back(1), "reason": "x"}
    assert client.post(f"/receivables/{insight.overdue}/disputes", data=data).status_code == 403
    login(client, Role.ADMINISTRATOR, make_organisation("Southern Pipes"))
    assert client.get(f"/receivables/{insight.overdue}").status_code == 404
    assert client.post(f"/receivables/{insight.overdue}/disputes", data=data).status_code == 404


def test_views_are_kept_by_their_owner(client: PageClient, login: Callable[..., Any], insight: Insight) -> None:
    login(client, Role.RECEIVABLES_CLERK)
    saved = client.post(
        "/views", data={"list": "receivables.index", "query": "state=overdue&page=3&policy=9&sort=open", "name": "  my  late ones "}
    )
    assert (saved.status_code, saved.location) == (302, "/receivables/?state=overdue&sort=open")
    page = client.get("/receivables/").text
    assert "my late ones" in page
    client.post("/views", data={"list": "receivables.index", "query": "state=settled", "name": "my late ones"})
    page = client.get("/receivables/").text
    assert page.count(">my late ones<") == 1
    assert "/receivables/?state=settled" in page
    login(client, Role.CREDIT_MANAGER)
    assert "my late ones" not in client.get("/receivables/").text
    assert client.post("/views/1/delete").status_code == 404
    login(client, Role.RECEIVABLES_CLERK)
    assert client.post("/views/1/delete").status_code == 302
    assert client.post("/views/1/delete").status_code == 404
    assert client.post("/views", data={"list": "no.such.page", "query": "", "name": "x"}).status_code == 404
    assert "needs a name" in client.post("/views", data={"list": "receivables.index", "name": " "}, follow_redirects=True).text


def test_a_dispute_has_papers_an_outcome_and_may_hold_the_whole_invoice(clerk: PageClient, insight: Insight) -> None:
    pdf = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
    address = f"/receivables/{insight.overdue}"
    opening = {"amount": "100", "opened_on": insight.back(5), "reason": "scratches", "is_ring_fenced": "y"}
    wrong = clerk.post(f"{address}/disputes", data=opening | {"file": (io.BytesIO(b"MZ\x90"), "a.exe")}, content_type="multipart/form-data")
    assert wrong.status_code == 422
    sent = opening | {"file": (io.BytesIO(pdf), "complaint.pdf")}
    opened = clerk.post(f"{address}/disputes", data=sent, content_type="multipart/form-data", follow_redirects=True)
    assert "It is set apart" in said(opened.text)
    assert "complaint.pdf" in said(opened.text)
    found = re.search(r"(/receivables/disputes/\d+)/ring-fence", opened.text)
    assert found is not None
    dispute = found.group(1)
    waits = clerk.post(f"{dispute}/ring-fence", data={"ring_fenced": "no"}, follow_redirects=True)
    assert "The whole invoice waits for its end." in said(waits.text)
    answer = {"file": (io.BytesIO(pdf + b" "), "answer.pdf")}
    kept = clerk.post(f"{dispute}/papers", data=answer, content_type="multipart/form-data", follow_redirects=True)
    paper = re.search(r"/receivables/disputes/papers/\d+", kept.text)
    assert paper is not None
    assert clerk.get(paper.group()).headers["Content-Disposition"].startswith("attachment")
    judgment = {"found_owed": "40", "outcome": "judgment", "reference": "3 O 12/26", "resolved_on": insight.back(0)}
    ended = clerk.post(f"{dispute}/resolve", data=judgment, follow_redirects=True)
    assert "Judgment or award, 3 O 12/26." in said(ended.text)
    assert clerk.post(f"{dispute}/ring-fence", data={"ring_fenced": "yes"}).status_code == 409
    for missing in ("/receivables/disputes/999999/ring-fence", "/receivables/disputes/999999/papers"):
        assert clerk.post(missing).status_code == 404
