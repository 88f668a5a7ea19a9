"""The list of requests stands as the rules say, whatever was decided since, and the database alone finds, sorts and pages it."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from support.accounts import TODAY, Account, make_account, within

from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus, RequestState, RequestType
from insureflow.models.database import db
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.queries.limit_requests import MustAct, find_request, request_listing
from insureflow.queries.listing import Narrowing, Order
from insureflow.services.clock import now
from insureflow.services.transaction import transaction

ON = date(2026, 6, 15)


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app)


@pytest.fixture(autouse=True)
def context(app: Flask, account: Account) -> Any:
    with app.app_context(), within(account.organisation_id):
        yield
        db.session.remove()


def _decision(account: Account, draw: random.Random) -> LimitDecision:
    status = draw.choice(list(LimitStatus))
    kind = draw.choice([LimitKind.NAMED, LimitKind.NAMED, LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT])
    decided_on = ON + timedelta(days=draw.randint(-12, 4))
    has_amount = status not in (LimitStatus.REQUESTED, LimitStatus.WITHDRAWN)
    return LimitDecision(
        policy_id=account.policy_id, buyer_id=account.buyer_id, layer=draw.choice([Layer.PRIMARY, Layer.PRIMARY, Layer.TOP_UP]), kind=kind, status=status,
        decided_minor=draw.choice([0, 500, 900]) if has_amount else None, currency="EUR", rate=1, decided_on=decided_on,
        effective_on=decided_on + timedelta(days=draw.choice([0, 0, 3, 9])),
        valid_to=decided_on + timedelta(days=draw.randint(9, 16)) if draw.random() < 0.4 else None, conditions={}, created_at=now(),
    )  # fmt: skip


def test_the_list_agrees_with_the_rules_and_narrows_in_the_database(account: Account) -> None:
    draw = random.Random(20260615)
    with transaction(account.organisation_id) as session:
        decisions = [_decision(account, draw) for _ in range(60)]
        session.add_all(decisions)
        session.flush()
        for number in range(80):
            decision = draw.choice(decisions)
            state = draw.choice(list(RequestState))
            is_answered = number % 4 != 0
            session.add(
                LimitRequest(
                    policy_id=account.policy_id, buyer_id=account.buyer_id, request_type=draw.choice(list(RequestType)), layer=decision.layer,
                    kind=LimitKind.NAMED, state=state, requested_minor=1000 + number, currency="EUR", asked_on=ON - timedelta(days=number % 7),
                    own_reference=f"R{number:03}", decision_id=decision.id if is_answered else None, created_at=now(),
                )
            )  # fmt: skip
    db.session.expire_all()
    listing = request_listing(ON)
    rows = list(listing.stream(Narrowing(), None))
    assert len(rows) == 80
    lives = {row["number"]: row["state"] for row in rows}
    views = {number: find_request(number, ON) for number in lives}
    assert lives == {number: view.life for number, view in views.items() if view is not None}
    assert {row["number"]: row["must_act"] for row in rows} == {number: view.must_act for number, view in views.items() if view is not None}
    pending = {row["number"]: row["pending"] for row in rows}
    assert pending == {number: view.pending[0] if view.pending else None for number, view in views.items() if view is not None}
    assert {row["must_act"] for row in rows} >= {MustAct.SENDER, MustAct.NOBODY, MustAct.APPROVER, MustAct.AUTHOR}
    assert len(set(lives.values())) >= 10
    for state in set(lives.values()):
        found = listing.page(Narrowing(choices={"state": [state.value]}), Order("amount", descending=True), 1, 5)
        assert found.total_rows == sum(1 for life in lives.values() if life is state)
        amounts = [row["amount"] for row in found.rows]
        assert amounts == sorted(amounts, reverse=True)[:5]
    assert [row["reference"] for row in listing.page(Narrowing(search="r007"), None, 1, 5).rows] == ["R007"]
    assert listing.page(Narrowing(dates={"asked_on": (ON, None)}), None, 1, 5).total_rows == 12
    assert request_listing(ON - timedelta(days=3)).page(Narrowing(), None, 1, 100).total_rows == 44
    assert request_listing(TODAY, states=[RequestState.DRAFT]).page(Narrowing(), None, 1, 1).total_rows > 0
