"""Open invoices with their cover, the stack of limits, and limit against exposure over time."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation
from support.trading import TODAY, make_up

from insureflow.domain.cover import Layer
from insureflow.domain.limits import LimitKind, LimitSituation, LimitStatus
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.scope import within
from insureflow.queries.cover.invoices import invoice_listing
from insureflow.queries.cover.limits import limit_stacks, limit_timeline
from insureflow.queries.exposure import Grouping, Selection, exposure_by
from insureflow.queries.listing import Narrowing, Order
from insureflow.services.cover import rebuild, refresh_buyers
from insureflow.services.transaction import transaction


def story(session: Session) -> tuple[int, int, int]:
    """Limit 1,000 from January, 600 from March, top-up 200; an invoice of 900 (January, paid in April), one of 700 (February)."""
    owner = organisation(session)
    with transaction(owner.id) as working:
        books = Books(working, owner.id)
        entity, buyer = books.entity(), books.buyer("Nordwind GmbH")
        policy = books.policy([entity], {"currency": "EUR", "insured_percentage": 90, "layers": {"top_up": {}}})
        books.limit(policy, buyer, None, date(2025, 12, 1), status=LimitStatus.REQUESTED)
        books.limit(policy, buyer, 1_000_00, date(2026, 1, 1))
        books.limit(policy, buyer, 200_00, date(2026, 1, 1), layer=Layer.TOP_UP, kind=LimitKind.TOP_UP)
        books.limit(policy, buyer, 600_00, date(2026, 3, 1))
        first = books.invoice(entity, buyer, 900_00, date(2026, 1, 10), date(2026, 2, 10), number="A-1")
        books.invoice(entity, buyer, 700_00, date(2026, 2, 10), date(2026, 3, 12), number="A-2")
        books.payment(entity, buyer, 900_00, date(2026, 4, 1), {first: 900_00})
        refresh_buyers(working, None, date(2026, 4, 10))
    return owner.id, buyer.id, policy.id


def test_the_list_shows_cover_of_the_day(session: Session) -> None:
    owner, buyer_id, _ = story(session)
    with within(owner):
        page = invoice_listing(date(2026, 3, 20)).page(Narrowing(), None, 1, 10)
        rows = {row["number"]: row for row in page.rows}
        assert rows["A-1"]["covered"] == (900_00, "EUR")
        assert rows["A-1"]["days_overdue"] == 38
        assert rows["A-1"]["reason"] is None
        assert (rows["A-2"]["covered"], rows["A-2"]["uncovered"], rows["A-2"]["reason"]) == ((300_00, "EUR"), (400_00, "EUR"), "over_limit")
        assert rows["A-2"]["insured_percentage"] == Decimal(90)
        assert page.totals["open"] == [(1_600_00, "EUR")]
        later = invoice_listing(date(2026, 4, 2), buyer_id=buyer_id).page(Narrowing(search="nordwind"), Order("insured_percentage"), 1, 10)
        assert [(row["number"], row["covered"][0], row["uncovered"][0]) for row in later.rows] == [("A-2", 700_00, 0)]
        assert invoice_listing(date(2026, 4, 2)).page(Narrowing(choices={"reason": ["over_limit"]}), None, 1, 10).total_rows == 0
        assert invoice_listing(date(2025, 4, 2)).page(Narrowing(), None, 1, 10).total_rows == 0


def test_the_stack_shows_limits_use_and_situation(session: Session) -> None:
    owner, buyer_id, policy_id = story(session)
    with within(owner):
        (stack,) = limit_stacks(buyer_id, date(2026, 4, 2))
        assert [(layer.layer, layer.limit, layer.covered, layer.headroom, layer.situation) for layer in stack.layers] == [
            (Layer.PRIMARY, 600_00, 600_00, 0, LimitSituation.IN_FORCE),
            (Layer.TOP_UP, 200_00, 100_00, 100_00, LimitSituation.IN_FORCE),
        ]
        assert (stack.open, stack.covered, stack.stopped, len(stack.decisions)) == (700_00, 700_00, False, 4)
        (before,) = limit_stacks(buyer_id, date(2025, 12, 5))
        assert [(layer.limit, layer.situation) for layer in before.layers] == [(0, LimitSituation.PENDING)]
        (never,) = limit_stacks(buyer_id, date(2025, 11, 5), policy_id=policy_id)
        assert never.layers[0].situation is LimitSituation.NEVER_ASKED
        assert limit_stacks(buyer_id, date(2025, 11, 5)) == []


def test_the_timeline_follows_limit_and_exposure(session: Session) -> None:
    owner, buyer_id, policy_id = story(session)
    with within(owner):
        points = limit_timeline(buyer_id, policy_id, date(2026, 1, 5), date(2026, 6, 30))
    assert [(point.on, point.limit, point.open, point.covered) for point in points] == [
        (date(2026, 1, 5), 1_200_00, 0, 0),
        (date(2026, 1, 10), 1_200_00, 900_00, 900_00),
        (date(2026, 2, 10), 1_200_00, 1_600_00, 1_200_00),
        (date(2026, 3, 1), 800_00, 1_600_00, 1_200_00),
        (date(2026, 4, 1), 800_00, 700_00, 700_00),
    ]


@pytest.mark.parametrize("day", [TODAY, TODAY - timedelta(days=120)])
def test_list_stack_and_timeline_fit_the_positions(session: Session, day: date) -> None:
    trade = make_up(session)
    rebuild(trade.organisation_id, TODAY)
    with within(trade.organisation_id):
        page = invoice_listing(day).page(Narrowing(), Order("days_overdue", descending=True), 1, 1000)
        count = len(
            db.session.scalars(select(InvoicePosition.id).where(InvoicePosition.valid_from <= day, InvoicePosition.valid_to > day)).all()
        )
        assert page.total_rows == len(page.rows) == count > 10
        totals = exposure_by(Grouping.TOTAL, Selection(day, TODAY))
        assert sum(amount for amount, _ in page.totals["covered"]) == sum(row.covered for row in totals)
        assert sum(amount for amount, _ in page.totals["open"]) == sum(row.ledger_open for row in totals)
        for buyer in trade.buyers:
            for stack in limit_stacks(buyer.id, day):
                points = limit_timeline(buyer.id, stack.policy_id, day, day)
                assert [(point.limit, point.open, point.covered, point.stopped) for point in points] == [
                    (sum(layer.limit for layer in stack.layers), stack.open, stack.covered, stack.stopped)
                ]
