"""Requests out by file and answers in: sent once, closed by what comes back, and a file read twice changes nothing."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from support.accounts import TODAY, Account, add_buyer, make_account, within

from insureflow.connectors.edifact import read_interchange
from insureflow.connectors.insurers.file_exchange import ExchangeFormat
from insureflow.domain.access import Role
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus, RequestOutcome, RequestState
from insureflow.domain.limits.codes import CoverResponseCode
from insureflow.domain.work import WorkKind
from insureflow.models.buyers import InsurerIdentity
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.work_items import WorkItem
from insureflow.services import connections, limit_exchange, limit_requests, limits
from insureflow.services.connections import Setup
from insureflow.services.files import NewEvidence
from insureflow.services.limit_exchange import ExportedRequests, ImportedAnswers
from insureflow.services.limit_requests import NewLimitRequest
from insureflow.services.limits import NewDecision
from insureflow.services.transaction import transaction

POLICY = "POL-N1"


@pytest.fixture
def account(app: Flask) -> Any:
    account = make_account(app)
    with app.app_context(), within(account.organisation_id):
        yield account
        db.session.remove()


def ask(account: Account, amount: int | None = 150_000_00, *, buyer_id: int | None = None, **more: Any) -> LimitRequest:
    new = NewLimitRequest(buyer_id or account.buyer_id, account.policy_id, amount, **more)
    key = limit_requests.draft(account.tenant.actor(), account.organisation_id, new, TODAY).id
    return limit_requests.submit(account.tenant.actor(), account.organisation_id, key, Role.ADMINISTRATOR, TODAY)


def export(account: Account, form: ExchangeFormat = ExchangeFormat.CSV, **more: Any) -> ExportedRequests:
    return limit_exchange.export_requests(account.tenant.actor(), account.organisation_id, POLICY, form, **more)


def take_in(account: Account, data: bytes, **more: Any) -> ImportedAnswers:
    given = {"policy_number": POLICY, "on": TODAY, "name": "answers", **more}
    return limit_exchange.import_decisions(account.tenant.actor(), account.organisation_id, data, **given)


def fresh(request: LimitRequest) -> LimitRequest:
    db.session.expire_all()
    return db.session.get_one(LimitRequest, request.id)


def filled(data: bytes, **answers: dict[str, str]) -> bytes:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows({**row, **answers.get(row["own_reference"].replace("-", "_"), {})} for row in rows)
    return text.getvalue().encode()


def key_of(request: LimitRequest) -> str:
    return request.own_reference.replace("-", "_")


def receco(*covers: str, company: str = "") -> bytes:
    body = f"BGM+:::X+1+9'RFF+ICO:{POLICY}'DTM+137:20260630:102'NAD+BY+{company}++Müller GmbH++++20457+DE'{''.join(covers)}"
    return f"UNB+UNOC:3+I+US+260630:0800+1'UNH+1+RECECO:D:96A:UN'{body}UNT+{body.count(chr(39)) + 2}+1'UNZ+1+1'".encode("latin-1")


def count(model: type[Any]) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_requests_leave_once_in_a_file_and_come_back_decided(account: Account) -> None:
    other = add_buyer(account.tenant, "Rossi S.p.A.", "IT", number="1002")
    first, second = ask(account, comment="Spring season"), ask(account, 80_000_00, buyer_id=other)
    sent = export(account)
    assert sent.references == (first.own_reference, second.own_reference)
    assert db.session.scalar(select(func.count()).select_from(WorkItem).where(WorkItem.done_at.is_(None))) == 0
    with pytest.raises(Refusal) as caught:
        export(account)
    assert caught.value.code == "nothing_to_send"
    assert export(account, again=True).references == sent.references

    answer = {"decided": "100000", "decided_on": "2026-06-29", "insurer_reference": "CL-9"}
    back = filled(sent.data, **{key_of(first): answer})
    tried = take_in(account, back, dry_run=True)
    assert (tried.added, tried.requests_answered, tried.is_stored, count(LimitDecision)) == (1, 1, False, 2)
    done = take_in(account, back)
    assert (done.rows, done.added, done.requests_answered, done.problems) == (2, 1, 1, ())
    closed = fresh(first)
    assert (closed.state, closed.outcome, closed.insurer_reference) == (RequestState.DECIDED, RequestOutcome.PARTIAL, "CL-9")
    assert fresh(second).state is RequestState.SUBMITTED
    entries = count(JournalEntry)
    again = take_in(account, back)
    assert (again.added, again.unchanged, again.requests_answered, count(JournalEntry)) == (0, 1, 0, entries)


def test_edifact_carries_what_it_can_and_says_what_it_cannot(account: Account) -> None:
    other = add_buyer(account.tenant, "Rossi S.p.A.", "IT", number="1002")
    first, second = ask(account), ask(account, 80_000_00, buyer_id=other, kind=LimitKind.START_COVER)
    sent = export(account, ExchangeFormat.RECECO_D96A, recipient="ATRADIUS")
    assert (sent.references, [each.own_reference for each in sent.left_out]) == ((first.own_reference,), [second.own_reference])
    assert sent.left_out[0].reason.code == "receco_only_named"
    assert read_interchange(sent.data).recipient == "ATRADIUS"
    assert export(account, ExchangeFormat.RECECO_D96A).data == b""
    assert export(account, ExchangeFormat.XLSX).references == (second.own_reference,)

    studied = take_in(account, receco(f"DOC++{first.own_reference}'MOA+255:150000'CCD+2+6'RFF+ICE:C-1'"))
    assert (studied.added, fresh(first).state) == (0, RequestState.REFERRED)
    preliminary = take_in(account, receco(f"DOC++{first.own_reference}'MOA+255:150000'CCD+2+1'"))
    assert ([each.response for each in preliminary.undecided], fresh(first).state) == (
        [CoverResponseCode.PRELIMINARY],
        RequestState.REFERRED,
    )
    answered = take_in(account, receco(f"DOC++{first.own_reference}'MOA+255:150000'CUX+2:EUR'CCD+2+2'RFF+ICE:C-1'"))
    assert (answered.added, fresh(first).outcome) == (1, RequestOutcome.FULL)
    withdrawn = take_in(account, receco("DOC++X'CCD++8'RFF+ICE:C-2'"))
    assert withdrawn.added == 1
    last = db.session.scalars(select(LimitDecision).order_by(LimitDecision.id.desc())).first()
    assert last is not None
    assert (last.status, last.insurer_reference) == (LimitStatus.WITHDRAWN, "C-2")


def test_an_increase_that_is_refused_leaves_the_old_limit(account: Account) -> None:
    old = NewDecision(account.buyer_id, account.policy_id, 50_000_00, "EUR", date(2026, 1, 15), insurer_reference="C-0")
    limits.record_decision(account.tenant.actor(), account.organisation_id, old, TODAY)
    request = ask(account)
    data = receco(f"DOC++{request.own_reference}'MOA+254:50000'CCD+3+3+13'")
    before = count(LimitDecision)
    done = take_in(account, data)
    assert (done.added, done.requests_answered, count(LimitDecision)) == (0, 1, before)
    assert (fresh(request).state, fresh(request).outcome) == (RequestState.DECIDED, RequestOutcome.REFUSED)
    entries = count(JournalEntry)
    assert (take_in(account, data).requests_answered, count(JournalEntry)) == (0, entries)


def test_a_cut_becomes_work_and_is_made_once(account: Account) -> None:
    old = NewDecision(account.buyer_id, account.policy_id, 50_000_00, "EUR", date(2026, 1, 15), insurer_reference="C-0")
    limits.record_decision(account.tenant.actor(), account.organisation_id, old, TODAY)
    data = receco("DOC++X'MOA+255:20000'CCD++9'RFF+ICE:C-1'")
    for _ in range(2):
        take_in(account, data)
        work = db.session.scalars(select(WorkItem).where(WorkItem.kind == WorkKind.LIMIT_CUT.value)).all()
        assert [item.facts["before"] for item in work] == [{"amount": "50000.00", "currency": "EUR"}]


def test_an_answer_from_a_portal_needs_the_file_that_shows_it(account: Account) -> None:
    setup = Setup("manual", environment="production")
    connections.add_connection(account.tenant.actor(), account.organisation_id, account.policy_id, setup)
    request = ask(account)
    assert export(account, ExchangeFormat.TEXT).references == (request.own_reference,)
    answer = NewDecision(account.buyer_id, account.policy_id, 90_000_00, "EUR", date(2026, 6, 29), requested_minor=150_000_00)
    arguments = (account.tenant.actor(), account.organisation_id, answer, TODAY)
    with pytest.raises(InvalidValue) as caught:
        limit_requests.record_answer(*arguments)
    assert caught.value.code == "evidence_needed"
    shown = NewEvidence("answer.txt", io.BytesIO(b"Limit granted: 90,000 EUR"), date(2026, 6, 29))
    limit_requests.record_answer(*arguments, evidence=shown)
    assert fresh(request).outcome is RequestOutcome.PARTIAL


def test_a_list_without_our_reference_closes_only_what_it_can_only_mean(account: Account) -> None:
    request = ask(account)
    row = "insurer_id,customer_number,requested,decided,decided_on,insurer_reference\n,1001,{},{},2026-06-30,{}\n"
    assert take_in(account, row.format(120000, 90000, "C-1").encode()).requests_answered == 0
    assert take_in(account, row.format(150000, 100000, "C-2").encode()).requests_answered == 1
    assert fresh(request).outcome is RequestOutcome.PARTIAL


def test_an_answer_for_somebody_else_and_any_other_bad_row_keep_everything_out(account: Account) -> None:
    other = add_buyer(account.tenant, "Rossi S.p.A.", "IT", number="1002")
    with transaction(account.organisation_id) as session:
        session.add(InsurerIdentity(buyer_id=other, insurer="Atradius", number="4712"))
    request = ask(account, layer=Layer.PRIMARY)
    wrong = take_in(account, receco(f"DOC++{request.own_reference}'MOA+255:1'CCD+2+2'RFF+ICE:C-1'", company="4712::ZZZ"))
    assert [problem.code for problem in wrong.problems] == ["answer_of_other_buyer"]
    nobody = take_in(account, receco("DOC++L-0'MOA+255:1'CCD+2+2'", company="9999").replace("Müller".encode("latin-1"), b"Nobody"))
    assert [problem.code for problem in nobody.problems] == ["buyer_not_found"]
    assert (wrong.is_stored, fresh(request).state, count(LimitDecision)) == (False, RequestState.SUBMITTED, 1)
    with pytest.raises(Refusal) as caught:
        take_in(account, b"UNB+", policy_number="P-0")
    assert caught.value.code == "policy_number_unknown"
