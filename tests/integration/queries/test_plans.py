"""The list of payment plans: the statement says of every plan what the rule says, on any day; its page and its files."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Flask
from sqlalchemy import select
from support.accounts import within
from support.insight import exported, said
from support.notices import make_overdue_account
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.payment_plans import PlannedInstalment, PlanState
from insureflow.models.database import db
from insureflow.models.payment_plans import PaymentPlan
from insureflow.models.receivables import Allocation, Invoice, Payment
from insureflow.queries.listing import Narrowing, Order
from insureflow.queries.payment_plans import AGREED, choices_of, standings_of
from insureflow.queries.plan_listing import plan_listing
from insureflow.services import payment_plans
from insureflow.services.payment_plans import NewPlan
from insureflow.services.transaction import transaction

DAY = date(2026, 6, 15)


def test_plans_stand_as_the_rule_says(app: Flask, client: PageClient) -> None:
    account = make_overdue_account(app, buyers=3)
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context(), within(organisation_id):
        invoices = {invoice.number: invoice for invoice in db.session.scalars(select(Invoice))}

        def settle(number: str, minor: int, on: date) -> None:
            with transaction(organisation_id) as session:
                invoice = session.get_one(Invoice, invoices[number].id)
                common = {"entity_id": invoice.entity_id, "buyer_id": invoice.buyer_id, "currency": "EUR", "received_on": on}
                paid = Payment(number=f"P-{number}-{on}-{minor}", amount_minor=minor, unapplied_minor=0, **common)
                session.add(paid)
                session.flush()
                session.add(Allocation(payment_id=paid.id, invoice_id=invoice.id, amount_minor=minor, allocated_on=on))
                invoice.open_minor -= minor

        settle("NEW-0", 30_000, DAY - timedelta(days=3))  # before the plan: no money of it
        for place, buyer in enumerate(sorted({invoice.buyer_id for invoice in invoices.values()})):
            open_now = {each.number: each for each in choices_of(buyer, DAY)}
            chosen = [open_now[f"NEW-{place}"]]
            total = sum(each.open_minor for each in chosen)
            parts = ((20, total // 3), (40, total // 3), (60, total - 2 * (total // 3)))
            instalments = [PlannedInstalment(DAY + timedelta(days=days), minor) for days, minor in parts]
            new = NewPlan(buyer_id=buyer, invoice_ids=[each.invoice_id for each in chosen], instalments=instalments, grace_days=2)
            made = payment_plans.propose(actor, organisation_id, new, DAY)
            if place < 2:
                payment_plans.agree(actor, organisation_id, made.id, DAY, without_consent=True)
        settle("NEW-0", 50_000, DAY + timedelta(days=5))
        settle("NEW-0", 20_000, DAY + timedelta(days=21))
        settle("NEW-1", 200_000, DAY + timedelta(days=41))
        for days in (0, 5, 19, 20, 21, 23, 41, 60, 80):
            on = DAY + timedelta(days=days)
            plans = db.session.scalars(select(PaymentPlan)).all()
            standings = standings_of(plans, on)
            rows = {row["key"]: row for row in plan_listing(on).stream(Narrowing(), Order("open"))}
            assert rows.keys() == standings.keys()
            for plan in plans:
                row, standing = rows[plan.id], standings[plan.id]
                following = standing.next if plan.state in AGREED else None
                assert row["next_on"] == (None if following is None else following.due_on), (on, plan.id)
                assert row["open"] == ((standing.open_minor, "EUR") if plan.state in AGREED else None)
                assert (row["instalments"], row["last_on"]) == (3, DAY + timedelta(days=60))
                assert row["total"][0] == sum(each.amount_minor for each in standing.instalments)
        first = plan_listing(DAY).page(Narrowing(choices={"state": [PlanState.ACTIVE.value]}), Order("next_on"), 1, 1)
        assert (first.total_rows, len(first.rows), sum(minor for minor, _currency in first.totals["total"])) == (2, 1, 370_000)
        assert plan_listing(DAY, buyer_id=account.buyer_id).page(Narrowing(), None, 1, 10).total_rows == 1

    log_in(client, account.tenant, Role.ADMINISTRATOR)
    assert "No plan is broken." in said(client.get("/plans/?on=2026-06-20").text)
    found = exported(client, "/plans/?format=csv&state=draft")
    assert [(row["State"], row["Still open"]) for row in found] == [("draft", "")]
    assert len(exported(client, f"/buyers/{account.buyer_id}/plans?format=csv&sort=last_on")) == 1
    with client.get("/plans/?format=xlsx&q=buyer") as answer:
        assert answer.mimetype.endswith("sheet")
