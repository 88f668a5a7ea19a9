"""The list of promises: the statement says of every promise what the rule says, on any day; its page, its files and its API."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Flask
from support.accounts import add_buyer, add_invoice, make_account, within
from support.insight import exported, said
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.dunning import PromiseState
from insureflow.domain.money import Money
from insureflow.models.receivables import Allocation, Payment
from insureflow.queries.dunning import promise_pictures
from insureflow.queries.listing import Narrowing, Order
from insureflow.queries.promise_listing import promise_listing
from insureflow.services import dunning
from insureflow.services.transaction import transaction

DAY = date(2026, 6, 1)


def test_promises_stand_as_the_rule_says(app: Flask, client: PageClient) -> None:
    account = make_account(app)
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context(), within(organisation_id):
        other = add_buyer(account.tenant, "Åkerlöf AB", "SE")
        number = "Ä 1%_\"'"
        first, second = add_invoice(account, number, 1_000_00), add_invoice(account, "B-2", 2_000_00)

        def promise(buyer: int, minor: int, days: int, *invoices: str, made: int = 0, currency: str = "EUR") -> int:
            amount, made_on = Money(minor, currency), DAY + timedelta(days=made)
            return dunning.add_promise(
                actor, organisation_id, buyer, amount, made_on=made_on, promised_for=DAY + timedelta(days=days), invoices=invoices
            ).id

        for minor, days, invoices in ((500_00, 3, (number,)), (3_000_00, 10, (number, "B-2")), (2_000_00, 1, ("B-2",)), (700_00, 5, ())):
            promise(account.buyer_id, minor, days, *invoices)
        promise(account.buyer_id, 700_00, 9, made=4)
        promise(other, 100_00, 2)
        promise(account.buyer_id, 100_00, 2, currency="SEK")
        dunning.cancel_promise(actor, organisation_id, promise(other, 50_00, 8), DAY + timedelta(days=6))
        with transaction(organisation_id) as session:
            for place, (buyer, minor, days, invoice) in enumerate(
                (
                    (account.buyer_id, 600_00, 2, first),
                    (account.buyer_id, 2_000_00, 4, second),
                    (other, 99_99, 1, None),
                    (other, 1, 7, None),
                )
            ):
                paid = Payment(
                    entity_id=account.tenant.entity_id,
                    buyer_id=buyer,
                    number=f"P{place}",
                    currency="EUR",
                    amount_minor=minor,
                    unapplied_minor=0,
                    received_on=DAY + timedelta(days=days),
                )
                session.add(paid)
                session.flush()
                if invoice is not None:
                    session.add(Allocation(payment_id=paid.id, invoice_id=invoice, amount_minor=minor, allocated_on=paid.received_on))
        seen = set()
        for days in range(14):
            on = DAY + timedelta(days=days)
            pictures = [each for buyer in (account.buyer_id, other) for each in promise_pictures(on, buyer_id=buyer)]
            expected = {each.promise.id: (each.state, each.received_minor) for each in pictures}
            listing = promise_listing(on, with_cancelled=True)
            rows = list(listing.stream(Narrowing(), Order("state")))
            assert {row["key"]: (row["state"], row["received"][0]) for row in rows} == expected, on
            for state in PromiseState:
                found = listing.page(Narrowing(choices={"state": [state.value]}), None, 1, 2)
                assert found.total_rows == sum(each.state is state for each in pictures)
            seen |= {state for state, _received in expected.values()}
        assert seen == set(PromiseState)

    log_in(client, account.tenant, Role.ADMINISTRATOR)
    page = client.get("/promises/?on=2026-06-10")
    assert "promises are broken" in said(page.text) or "promise is broken" in said(page.text)
    rows = exported(client, "/promises/?on=2026-06-10&format=csv&sort=promised&state=broken")
    assert rows
    assert {row["State"] for row in rows} == {"broken"}
    assert all(row["Promised, currency"] in {"EUR", "SEK"} for row in rows)
    assert "Ä 1%_" in str(exported(client, "/promises/?on=2026-06-10&format=csv&q=gmbh"))
    assert exported(client, "/promises/?on=2026-06-10&format=csv&country=FR") == []
    with client.get("/promises/?on=2026-06-10&format=xlsx") as answer:
        assert answer.mimetype.endswith("sheet")
