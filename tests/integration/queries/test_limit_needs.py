"""The need of every account by the database, the same as the rules give for one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation
from support.trading import TODAY, make_up

from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.limits import LimitKind, NeedSource
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer
from insureflow.models.policies import Policy
from insureflow.queries.limit_needs import NeedStanding, find_need, list_fees, needs_listing
from insureflow.queries.listing import Narrowing
from insureflow.services import cover
from insureflow.services.journal import Actor
from insureflow.services.limit_fees import set_fee
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

ACTOR = Actor(None, "test")
TERMS = {"currency": "EUR", "insured_percentage": 90, "maximum_extension_period": {"days": 60}}


def _book(session: Session) -> tuple[int, Policy, dict[str, Buyer]]:
    """Five buyers: even sales, a season, paid at once, never bought, and one without limit."""
    organisation_id = organisation(session).id
    with transaction(organisation_id) as working:
        books = Books(working, organisation_id)
        entity = books.entity()
        policy = books.policy([entity], TERMS)
        buyers = {name: books.buyer(name) for name in ("Even", "Season", "Prompt", "Quiet", "Bare")}
        for name, amount in (("Even", 3_200_000), ("Season", 2_000_000), ("Prompt", 100_000_000), ("Quiet", 700_000)):
            books.limit(policy, buyers[name], amount, date(2025, 1, 1))
        for month in range(12):
            on = TODAY - timedelta(days=month * 30)
            for name, net, paid_after in (
                ("Even", 1_000_000, 60),
                ("Season", 4_000_000 if month in {3, 4} else 0, 60),
                ("Prompt", 1_000_000, 1),
            ):
                if not net:
                    continue
                invoice = books.invoice(entity, buyers[name], net, on, on + timedelta(days=60))
                if on + timedelta(days=paid_after) <= TODAY:
                    books.payment(entity, buyers[name], net, on + timedelta(days=paid_after), {invoice: net})
        books.invoice(entity, buyers["Bare"], 500_000, TODAY, TODAY + timedelta(days=30))
        cover.refresh_buyers(working, None, TODAY)
    return organisation_id, policy, buyers


def test_the_list_says_what_is_needed_granted_used_and_how_it_fits(session: Session) -> None:
    organisation_id, policy, buyers = _book(session)
    set_fee(ACTOR, organisation_id, policy.id, LimitKind.NAMED, Money(25_000, "EUR"))
    with within(organisation_id):
        page = needs_listing(TODAY).page(Narrowing(), None, 1, 50)
        rows = {row["buyer"]: row for row in page.rows}
        assert rows.keys() == buyers.keys()
        standing = {name: row["standing"] for name, row in rows.items()}
        assert standing == {
            "Even": NeedStanding.FITTING,
            "Season": NeedStanding.UNDER_ASKED,
            "Prompt": NeedStanding.OVER_ASKED,
            "Quiet": NeedStanding.UNUSED,
            "Bare": NeedStanding.UNDER_ASKED,
        }
        even = rows["Even"]
        assert (even["turnover"], even["terms"], even["used"][0] > 0) == ((12_000_000, "EUR"), 60, True)
        assert rows["Season"]["need"][0] >= 7_890_411, "a season raises the need above the average"
        assert rows["Quiet"]["fee"] == (25_000, "EUR")
        assert rows["Bare"]["fee"] is None
        for name, buyer in buyers.items():
            one = find_need(policy.id, buyer.id, TODAY)
            assert rows[name]["turnover"] == (one.turnover.minor, "EUR")
            assert one.need.amount.minor >= rows[name]["need"][0], "day by day the balance may have been higher than at the ends of months"
            if one.need.source is NeedSource.TURNOVER:
                assert rows[name]["need"][0] == one.need.amount.minor
            parts = one.waterfall
            assert parts.primary + parts.top_up + parts.own_risk + parts.gap == one.need.amount
        quiet = find_need(policy.id, buyers["Quiet"].id, TODAY)
        assert quiet.unused is not None
        assert quiet.unused.fee == Money(25_000, "EUR")
        assert find_need(policy.id, buyers["Even"].id, TODAY).unused is None
        limited = find_need(policy.id, buyers["Season"].id, TODAY, own_limit=Money(3_000_000, "EUR"))
        assert (limited.waterfall.primary.minor, limited.waterfall.own_risk.minor) == (2_000_000, 1_000_000)
        assert needs_listing(TODAY, policy_id=policy.id + 1).page(Narrowing(), None, 1, 5).total_rows == 0
        only = Narrowing(choices={"standing": [NeedStanding.UNUSED.value]})
        assert [row["buyer"] for row in needs_listing(TODAY, entity_policies=frozenset({policy.id})).page(only, None, 1, 5).rows] == [
            "Quiet"
        ]
        with pytest.raises(Refusal, match="buyer_unknown"):
            find_need(policy.id, 10**6, TODAY)
        with pytest.raises(Refusal, match="policy_unknown"):
            find_need(10**6, buyers["Even"].id, TODAY)


def test_any_ledger_gives_the_same_turnover_by_list_and_by_account(session: Session) -> None:
    trade = make_up(session)
    with transaction(trade.organisation_id) as working:
        cover.refresh_buyers(working, None, TODAY)
    with within(trade.organisation_id):
        rows = list(needs_listing(TODAY).stream(Narrowing(), None))
        assert len(rows) > 10
        for row in rows:
            one = find_need(row["policy_id"], row["buyer_id"], TODAY)
            assert row["turnover"][0] == one.turnover.minor
            assert one.need.amount.minor >= row["need"][0]


def test_a_fee_is_set_changed_and_taken_away(session: Session) -> None:
    organisation_id, policy, _buyers = _book(session)
    for fee in (Money(100, "EUR"), Money(100, "EUR"), Money(200, "SEK"), None, None):
        set_fee(ACTOR, organisation_id, policy.id, LimitKind.NAMED, fee)
        with within(organisation_id):
            assert [Money(row.fee_minor, row.currency) for row, _policy in list_fees()] == ([] if fee is None else [fee])
    for wrong in (Money(-1, "EUR"), Money(1, "XYZ")):
        with pytest.raises(InvalidValue):
            set_fee(ACTOR, organisation_id, policy.id, LimitKind.NAMED, wrong)
    with pytest.raises(Refusal, match="policy_unknown"):
        set_fee(ACTOR, organisation_id, policy.id + 9, LimitKind.NAMED, None)
