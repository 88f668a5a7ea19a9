"""Several people at the same request at once: one of them does it, the others are told, and nothing is done twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from support.accounts import TODAY, Account, add_buyer, make_account, within

from insureflow.domain.access import Role
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import LimitStatus, RequestState
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision, LimitGroup
from insureflow.models.work_items import WorkItem
from insureflow.services import journal, limit_groups, limit_requests
from insureflow.services.limit_groups import GroupWord, NewGroup
from insureflow.services.limit_requests import NewLimitRequest
from insureflow.services.limits import NewDecision

ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST)
AT_ONCE = 6


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app, roles=ROLES)


def at_once(app: Flask, doing: Callable[[int], Any]) -> Counter[str]:
    """What becomes of several that begin at the same moment: ``done``, or the code of the refusal."""
    ready, outcomes = threading.Barrier(AT_ONCE), []

    def run(number: int) -> None:
        ready.wait(30)
        try:
            with app.app_context():
                doing(number)
        except InvalidValues as refused:
            outcomes.append(refused.problems[0].code)
        except Refusal as refused:
            outcomes.append(refused.code)
        except BaseException as failed:  # noqa: BLE001 (the test names what was not refused but failed)
            outcomes.append(repr(failed))
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return Counter(outcomes)


def test_a_request_is_written_approved_and_answered_once(app: Flask, account: Account) -> None:
    key, analyst, manager = account.organisation_id, account.tenant.actor(Role.CREDIT_ANALYST), account.tenant.actor(Role.CREDIT_MANAGER)
    administrator = account.tenant.actor(Role.ADMINISTRATOR)
    wish = NewLimitRequest(account.buyer_id, account.policy_id, 50_000_00)
    with app.app_context():
        limit_requests.set_thresholds(administrator, key, {Role.CREDIT_ANALYST: 10_000_00})
        other = add_buyer(account.tenant, "Neue GmbH")

    written = at_once(app, lambda _number: limit_requests.draft(analyst, key, wish, TODAY))
    assert written == {"done": 1, "request_under_way": AT_ONCE - 1}
    with app.app_context(), within(key):
        request_id = db.session.scalars(select(LimitRequest.id)).one()
    put = at_once(app, lambda _number: limit_requests.hand_in(analyst, key, request_id, Role.CREDIT_ANALYST, TODAY))
    assert put == {"done": 1, "request_not_possible": AT_ONCE - 1}

    def decide(number: int) -> None:
        if number % 2:
            limit_requests.approve(manager, key, request_id, Role.CREDIT_MANAGER, TODAY)
        else:
            limit_requests.reject(administrator, key, request_id, Role.ADMINISTRATOR, "too much", TODAY)

    assert at_once(app, decide) == {"done": 1, "request_not_possible": AT_ONCE - 1}
    with app.app_context(), within(key):
        state = db.session.scalars(select(LimitRequest.state)).one()
        asked = db.session.scalar(select(func.count(LimitDecision.id)).where(LimitDecision.status == LimitStatus.REQUESTED))
        assert (state, asked) in ((RequestState.SUBMITTED, 1), (RequestState.REJECTED, 0))
        if state is RequestState.REJECTED:
            limit_requests.revise(analyst, key, request_id, wish, TODAY)
            limit_requests.hand_in(administrator, key, request_id, Role.ADMINISTRATOR, TODAY)
        assert db.session.scalar(select(func.count(WorkItem.id)).where(WorkItem.kind == "approve_request", WorkItem.done_at.is_(None))) == 0

    answer = NewDecision(account.buyer_id, account.policy_id, 30_000_00, "EUR", TODAY, requested_minor=50_000_00, insurer_reference="CL-7")

    def close(number: int) -> None:
        if number % 2:
            limit_requests.record_answer(analyst, key, answer, TODAY)
        else:
            limit_requests.cancel(analyst, key, request_id, TODAY)

    closed = at_once(app, close)
    with app.app_context(), within(key):
        request = db.session.scalars(select(LimitRequest)).one()
        decided = db.session.scalar(select(func.count(LimitDecision.id)).where(LimitDecision.insurer_reference == "CL-7"))
        cancelled = db.session.scalar(select(func.count(JournalEntry.id)).where(JournalEntry.action == "limit_request.cancelled"))
        assert decided == 1
        assert (request.state is RequestState.CANCELLED, request.decision_id is None, cancelled) in ((True, True, 1), (False, False, 0))
        assert set(closed) <= {"done", "request_not_possible"}
        assert journal.verify(key).is_sound

    buyers, word = [account.buyer_id, other], GroupWord(90_000_00, "EUR", date(2026, 6, 1))
    shared = at_once(app, lambda _number: limit_groups.create(manager, key, NewGroup(account.policy_id, "Both", buyers, word), TODAY))
    assert shared["done"] == 1
    assert set(shared) <= {"done", "group_name_taken", "buyer_shares_already"}
    with app.app_context(), within(key):
        group_id = db.session.scalars(select(LimitGroup.id)).one()
    left = at_once(app, lambda _number: limit_groups.leave(manager, key, group_id, other, TODAY, TODAY))
    assert left == {"done": 1, "buyer_not_in_group": AT_ONCE - 1}
