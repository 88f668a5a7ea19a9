"""One limit over several buyers, from its entry to the day a buyer leaves: what each page and each answer knows of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import TODAY, Account, add_buyer, add_invoice, make_account, within

from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus, ShipVerdict
from insureflow.domain.work import WorkKind
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import LimitDecision, SharedUse
from insureflow.models.work_items import WorkItem
from insureflow.queries.cover.limits import limit_stacks
from insureflow.queries.exposure import Portfolio, Reporting, headroom
from insureflow.queries.limit_groups import find_group, group_listing, group_of_buyer
from insureflow.queries.limits import register_listing
from insureflow.queries.listing import Narrowing
from insureflow.services import cover, limit_groups, limits, shipping
from insureflow.services.limit_groups import GroupWord, NewGroup
from insureflow.services.limits import NewDecision
from insureflow.services.shipping import ShipQuestion

GRANTED_ON = date(2026, 4, 1)


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app)


@pytest.fixture(autouse=True)
def context(app: Flask, account: Account) -> Any:
    with app.app_context(), within(account.organisation_id):
        yield
        db.session.remove()


def word(amount: int | None, on: date = GRANTED_ON, **more: Any) -> GroupWord:
    return GroupWord(amount, "EUR", on, **more)


def register() -> dict[int, dict[str, Any]]:
    rows = register_listing(TODAY).page(Narrowing(), None, 1, 50).rows
    return {row["buyer_id"]: dict(row) for row in rows}


def covered(buyer_id: int) -> int:
    position = InvoicePosition
    rows = select(position.primary_minor).where(position.buyer_id == buyer_id, position.valid_from <= TODAY, position.valid_to > TODAY)
    return sum(db.session.scalars(rows))


def ask(account: Account, buyer_id: int, amount: int, *, in_short: bool = True, reference: str = "") -> Any:
    question = ShipQuestion(buyer_id, amount, "EUR", TODAY, 30, order_reference=reference)
    return shipping.ask(question, TODAY, with_remedies=not in_short, in_short=in_short).answer


def test_a_shared_limit_from_its_first_day_to_the_end_of_a_share(account: Account) -> None:
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    first, second, third = account.buyer_id, add_buyer(account.tenant, "Müller Polska"), add_buyer(account.tenant, "Müller Italia", "IT")
    for problem, changes in (
        ("group_needs_buyers", {"buyer_ids": [first]}),
        ("group_name_needed", {"name": " "}),
        ("request_amount_needed", {"word": word(None)}),
    ):
        wrong = {"policy_id": account.policy_id, "name": "Müller group", "buyer_ids": [first, second], "word": word(100_000_00), **changes}
        with pytest.raises(InvalidValues, match=problem):
            limit_groups.create(actor, organisation_id, NewGroup(**wrong), TODAY)
    add_invoice(account, "A1", 60_000_00, shipped_on=date(2026, 5, 1))
    add_invoice(account, "B1", 70_000_00, shipped_on=date(2026, 5, 10), buyer_id=second)
    new = NewGroup(account.policy_id, "Müller group", [first, second], word(100_000_00), head_id=first)
    group = limit_groups.create(actor, organisation_id, new, TODAY)
    assert (covered(first), covered(second)) == (60_000_00, 40_000_00)
    assert {row["headroom"] for row in register().values()} == {(0, "EUR")}
    totals = register_listing(TODAY).page(Narrowing(), None, 1, 50).totals
    assert (totals["limit"], totals["used"], totals["headroom"]) == ([(100_000_00, "EUR")], [(100_000_00, "EUR")], [(0, "EUR")])
    assert register()[second]["taken"] == (60_000_00, "EUR")
    assert register()[second]["kind"] is LimitKind.GROUP
    (stack,) = limit_stacks(first, TODAY)
    assert (stack.layers[0].limit, stack.layers[0].taken, stack.layers[0].headroom) == (100_000_00, 40_000_00, 0)
    assert cover.check(organisation_id, TODAY) == []

    # a third buyer joins, its own limit stays the most it may use
    limit_groups.join(actor, organisation_id, group.id, [third], date(2026, 5, 15), TODAY)
    own = NewDecision(third, account.policy_id, 5_000_00, "EUR", date(2026, 5, 20))
    limits.record_decision(actor, organisation_id, own, TODAY)
    with pytest.raises(InvalidValues, match="buyer_shares_already"):
        limit_groups.join(actor, organisation_id, group.id, [third], date(2026, 6, 1), TODAY)
    limit_groups.decide(actor, organisation_id, group.id, word(150_000_00, date(2026, 6, 1)), TODAY)
    assert (covered(first), covered(second)) == (60_000_00, 70_000_00)
    view = find_group(group.id, TODAY)
    assert view is not None
    assert [str(amount) for amount in (view.limit, view.used, view.headroom)] == ["150000.00 EUR", "130000.00 EUR", "20000.00 EUR"]
    assert {sharer.buyer.id for sharer in view.sharers if sharer.has_own_limit} == {third}
    (row,) = group_listing(TODAY).page(Narrowing(), None, 1, 50).rows
    assert (row["buyers"], row["limit"], row["headroom"]) == (3, (150_000_00, "EUR"), (20_000_00, "EUR"))

    # the portfolio counts what is left of the whole once
    assert headroom(Portfolio(TODAY), Reporting("EUR", TODAY)) == {"EUR": 20_000_00}

    # sales are told what is left of the whole, also what is kept for an order of another buyer
    for in_short in (True, False):
        answer = ask(account, first, 30_000_00, in_short=in_short)
        assert (answer.verdict, answer.covered.minor) == (ShipVerdict.PARTLY, 20_000_00)
        assert ask(account, third, 30_000_00, in_short=in_short).covered.minor == 5_000_00
    order = ShipQuestion(second, 12_000_00, "EUR", TODAY, 30, order_reference="SO-1")
    shipping.decide(actor, organisation_id, order, TODAY, reserve_until=date(2026, 7, 15))
    for in_short in (True, False):
        assert ask(account, first, 30_000_00, in_short=in_short).covered.minor == 8_000_00

    # a cut of the whole takes nothing back and makes work for each that follows it
    limit_groups.decide(actor, organisation_id, group.id, word(90_000_00, date(2026, 6, 10)), TODAY)
    assert (covered(first), covered(second)) == (60_000_00, 70_000_00)
    cuts = db.session.scalars(select(WorkItem).where(WorkItem.kind == WorkKind.LIMIT_CUT)).all()
    assert {item.buyer_id for item in cuts} == {first, second}
    with pytest.raises(Refusal, match="group_reference_taken"):
        for _ in range(2):
            limit_groups.decide(actor, organisation_id, group.id, word(95_000_00, date(2026, 6, 11), insurer_reference="G-1"), TODAY)

    # leaving waits for the notice; then the buyer has no limit, and what it used keeps its place
    end = limit_groups.leave(actor, organisation_id, group.id, second, date(2026, 6, 20), TODAY)
    assert end == date(2026, 7, 20)
    assert group_of_buyer(second, account.policy_id, end) is None
    assert (
        db.session.scalar(select(SharedUse.taken_minor).where(SharedUse.buyer_id == first, SharedUse.valid_to > end).limit(1)) == 70_000_00
    )
    with pytest.raises(Refusal, match="buyer_not_in_group"):
        limit_groups.leave(actor, organisation_id, group.id, second, date(2026, 6, 25), TODAY)
    last = db.session.scalars(select(LimitDecision).where(LimitDecision.buyer_id == second).order_by(LimitDecision.id.desc())).first()
    assert last is not None
    assert (last.status, last.kind) == (LimitStatus.WITHDRAWN, LimitKind.GROUP)
    limit_groups.decide(actor, organisation_id, group.id, word(None, date(2026, 6, 30)), TODAY)
    assert cover.check(organisation_id, TODAY) == []
    cover.rebuild(organisation_id, TODAY)
    assert (covered(first), covered(second)) == (60_000_00, 70_000_00)
    said = [action for action in db.session.scalars(select(JournalEntry.action)) if action.startswith("limit_group.")]
    assert sorted(set(said)) == ["limit_group.created", "limit_group.decided", "limit_group.joined", "limit_group.left"]
