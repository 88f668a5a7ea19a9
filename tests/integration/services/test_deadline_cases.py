"""Every worked example of deadlines, put into the database: the duties that are stored stand as the example says around its days.

On the day before and on the last day a duty is open, on the day after it is late; an act on the last day is in time, one on the day
after is late. The block of an account begins on the day after the last day for shipments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation

from insureflow.domain.cases import plain_dates
from insureflow.domain.cases.deadlines import calculate
from insureflow.domain.limits import AccountActKind
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.policies.reading import Reader, read_calendars
from insureflow.models.scope import within
from insureflow.queries.blocks import stopped_accounts
from insureflow.queries.obligations.calendar import CalendarStatus, DutySelection, calendar
from insureflow.services import cover
from insureflow.services.transaction import transaction

OWN_CASES = Path(__file__).parents[2] / "cases" / "deadlines.yaml"
DAY = timedelta(days=1)

#: What the duty of a kind is called in an example.
DUTIES = {
    "overdue_notification_deadline": ObligationKind.NOTIFY_OVERDUE,
    "last_shipment_before_stop": ObligationKind.STOP_SHIPMENTS,
    "adverse_information_deadline": ObligationKind.REPORT_ADVERSE_INFORMATION,
    "claim_latest": ObligationKind.FILE_CLAIM,
    "date_of_loss": ObligationKind.EXPECTED_DATE_OF_LOSS,
    "decision_deadline": ObligationKind.EXPECTED_DECISION,
    "payment_deadline": ObligationKind.EXPECTED_PAYMENT,
}
#: The facts of an account that are entered as acts; of an example with others no table can hold everything.
ACTS = {
    "notification": AccountActKind.OVERDUE_NOTIFICATION,
    "claim_filing": AccountActKind.CLAIM_FILED,
    "collection_start": AccountActKind.COLLECTION_STARTED,
    "adverse_information": AccountActKind.ADVERSE_INFORMATION,
}
#: What is done about a duty by a fact of the example.
DONE_BY = {"overdue_notification_deadline": "notification", "claim_latest": "claim_filing"}
_OPEN = {CalendarStatus.OPEN, CalendarStatus.DUE_SOON}


def is_held(given: Mapping[str, Any]) -> bool:
    """Whether the tables hold all facts of an example; causes that are asked about without a fact are no facts."""
    facts = given.get("facts") or {}
    return "causes" not in given and not set(facts) - {*ACTS, "events"} and not set(facts.get("events") or {}) - {"insolvency"}


def load(session: Session, number: int, case: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[int, Mapping[str, Any]]:
    """The account of an example in the tables of an organisation of its own, its duties stored; and what must come out of it."""
    given = case["given"]
    calendars = read_calendars(Reader(given, "given", currency_required=False))
    monkeypatch.setattr("insureflow.queries.cover.policies.business_calendar", calendars.__getitem__)
    result: Mapping[str, Any] = calculate(given, {})
    facts = given.get("facts") or {}
    acts = {ACTS[name]: date.fromisoformat(day) for name, day in facts.items() if name in ACTS}
    if "insolvency" in (facts.get("events") or {}):
        acts[AccountActKind.INSOLVENCY] = date.fromisoformat(facts["events"]["insolvency"])
    owner = organisation(session, f"case-{number}").id
    with transaction(owner) as working:
        books = Books(working, owner)
        entity, buyer = books.entity(), books.buyer(country=given.get("country") or "ZZ")
        policy = books.policy([entity], {"currency": "EUR", **given["policy"]})
        books.limit(policy, buyer, 1_000_000_00, date(2000, 1, 1))
        for row in given["invoices"]:
            due_on = result["invoices"][row["id"]]["due_date"]
            known = {name: date.fromisoformat(row[name]) for name in ("invoice_date", "shipment_date") if name in row}
            invoice_on = known.get("invoice_date") or known.get("shipment_date") or due_on
            books.invoice(entity, buyer, 1_000_00, invoice_on, due_on, shipment_on=known.get("shipment_date"), number=row["id"])
        for kind, day in acts.items():
            books.act(policy, buyer, kind, day)
        last = max([each["due_date"] for each in result["invoices"].values()] + list(acts.values()))
        cover.refresh_buyers(working, None, last)
    return owner, result


def status_after(due_on: date, done_on: date | None, on: date) -> set[CalendarStatus]:
    """How a duty may stand at the end of a day, by the rule of the format: an act on the last day is in time, on the next it is late."""
    if done_on is not None and done_on <= on:
        return {CalendarStatus.DONE} if done_on <= due_on else {CalendarStatus.DONE_LATE}
    return _OPEN if on <= due_on else {CalendarStatus.LATE}


def stop_day(result: Mapping[str, Any]) -> date | None:
    """The last day for shipments: any open invoice stops them, so that the first end decides; mostly it is that of the oldest."""
    ends = [each["maximum_extension_period_end"] for each in result["invoices"].values()]
    return min((end for end in ends if end is not None), default=None)


def run_all(session: Session, cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """How many boundary days were looked at, and the examples that no table can hold."""
    looked_at, left_out = 0, []
    for number, case in enumerate(cases):
        if not is_held(case["given"]):
            left_out.append(case["id"])
            continue
        owner, result = load(session, number, case, monkeypatch)
        facts = case["given"].get("facts") or {}
        with within(owner):
            for name, kind in DUTIES.items():
                due_on = stop_day(result) if kind is ObligationKind.STOP_SHIPMENTS else result[name]
                done_on = date.fromisoformat(facts[DONE_BY[name]]) if DONE_BY.get(name) in facts else None
                for on in [] if due_on is None else [due_on - DAY, due_on, due_on + DAY]:
                    entries = calendar(DutySelection(on, on, [kind]), date.min, date.max)
                    of_account = kind is ObligationKind.STOP_SHIPMENTS
                    found = [entry for entry in entries if of_account or entry.invoice in {result["oldest_invoice"], None}]
                    assert [entry.key.due_on for entry in found] == [due_on], (case["id"], name)
                    if of_account and on > due_on:
                        # The day after, the policy's rule blocks the buyer, and that is what stopping shipments means.
                        assert (found[0].status, found[0].blocked_since) == (CalendarStatus.DONE, due_on + DAY), (case["id"], name, on)
                    else:
                        assert found[0].status in status_after(due_on, done_on, on), (case["id"], name, on)
                    looked_at += 1
                if due_on is None:
                    assert not calendar(DutySelection(date.min, date.min, [kind]), date.min, date.max), (case["id"], name)
            last_shipment = stop_day(result)
            if last_shipment is not None:
                stop_from = last_shipment + DAY
                assert (stopped_accounts(stop_from - DAY), len(stopped_accounts(stop_from))) == ([], 1), case["id"]
                looked_at += 2
    return looked_at, left_out


def read_cases(path: Path) -> list[dict[str, Any]]:
    data = plain_dates(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    assert isinstance(data, dict)
    return list(data["cases"])


def test_own_examples_hold_at_their_boundary_days(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = read_cases(OWN_CASES)
    looked_at, left_out = run_all(session, cases, monkeypatch)
    assert looked_at > 100
    assert len(left_out) <= 0.4 * len(cases)


@pytest.mark.shared
def test_shared_examples_hold_at_their_boundary_days(session: Session, shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = read_cases(shared_folder / "cases" / "deadlines.yaml")
    looked_at, left_out = run_all(session, cases, monkeypatch)
    assert looked_at > 100
    assert len(left_out) <= 0.4 * len(cases)
