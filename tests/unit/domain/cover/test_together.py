"""One limit over several buyers: what each of them is given of it, in which order, and what leaving and joining change."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.oracle.accounts import FIRST, LENGTH, accounts, days

from insureflow.domain.cover import (
    Account,
    DateOfLoss,
    Invoice,
    LimitDecision,
    LimitWithdrawal,
    Payment,
    Reason,
    SharedLimit,
    Sharer,
    SharingPeriod,
    StopCover,
    replay,
    replay_together,
    shared_use_of,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.policies import DatedTerms, InsuredPercentage, LimitCancellationNotice, PolicyPeriod, PolicyTerms

RELAXED = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
BEFORE = FIRST - timedelta(days=20)
PLAIN = Account((DatedTerms(date.min, PolicyTerms("EUR", "EUR", insured_percentage=InsuredPercentage(Decimal(90)))),), "EUR", "DE")
DAY = [date(2026, 1, 1) + timedelta(days=number) for number in range(40)]


def invoice(name: str, shipped: int, amount: int, due: int = 30) -> Invoice:
    return Invoice(name, DAY[shipped], DAY[shipped], DAY[shipped] + timedelta(days=due), "EUR", 1, amount)


def limit(amount: int, on: int = 0) -> LimitDecision:
    return LimitDecision(DAY[on], amount, "EUR")


def shared(amount: int, *periods: SharingPeriod, more: tuple[Any, ...] = ()) -> SharedLimit:
    return SharedLimit((limit(amount), *more), periods or (SharingPeriod(0, DAY[0]), SharingPeriod(1, DAY[0])))


def covered(histories: list[Any], on: int) -> list[int]:
    return [history.on(DAY[on]).account.covered for history in histories]


@RELAXED
@given(accounts())
def test_a_limit_shared_with_nobody_is_the_buyers_own(case: tuple[Account, list[Any]]) -> None:
    account, events = case
    whole = SharedLimit((LimitDecision(BEFORE, 10**9, "EUR"),), (SharingPeriod(0, BEFORE),))
    alone = replay(account, events)
    (together,) = replay_together([Sharer(account, tuple(events))], [whole])
    assert together == alone


@RELAXED
@given(accounts(), accounts(), st.integers(0, 9000), days(0, LENGTH), st.booleans())
def test_no_part_of_a_limit_is_used_twice_and_each_account_stands_by_itself(
    left: tuple[Account, list[Any]], right: tuple[Account, list[Any]], amount: int, day: date, is_alike: bool
) -> None:
    account = left[0] if is_alike else right[0]
    sharers = [Sharer(left[0], tuple(left[1])), Sharer(account, tuple(event for event in right[1] if _fits(event, account)))]
    both = SharedLimit((LimitDecision(BEFORE, amount, "EUR"),), (SharingPeriod(0, BEFORE), SharingPeriod(1, BEFORE)))
    histories = replay_together(sharers, [both])
    for on in (day, day + timedelta(days=3), FIRST + timedelta(days=LENGTH + 40)):
        assert sum(history.on(on).account.used_primary for history in histories) <= amount
    for sharer, history in zip(sharers, histories, strict=True):
        alone = replay(sharer.account, (*sharer.events, *shared_use_of(history.account_segments)))
        assert alone.invoice_segments == history.invoice_segments


def _fits(event: Any, account: Account) -> bool:
    """Events of a second layer belong to accounts that have one."""
    return getattr(event, "layer", "primary") == "primary" or all(dated.terms.layers.top_up is not None for dated in account.history)


def test_what_is_owed_by_all_is_held_against_one_limit_oldest_first() -> None:
    sharers = [
        Sharer(PLAIN, (limit(100), invoice("A1", 2, 60), invoice("A2", 6, 50))),
        Sharer(PLAIN, (limit(100), invoice("B1", 4, 70), Payment(DAY[10], 20, "EUR"), Payment(DAY[12], 50, "EUR"))),
    ]
    histories = replay_together(sharers, [shared(100)])
    assert covered(histories, 2) == [60, 0]
    assert covered(histories, 5) == [60, 40]
    assert covered(histories, 9) == [60, 40]
    # of what B pays, B's own older invoice takes the place that is freed, before A's younger one
    assert covered(histories, 10) == [60, 40]
    assert covered(histories, 12) == [100, 0]
    first = histories[0].on(DAY[9]).account
    assert (first.limit_primary, first.used_primary, first.taken_elsewhere, first.headroom_primary) == (100, 60, 40, 0)
    assert dict(histories[1].on(DAY[9]).account.reasons) == {Reason.OVER_LIMIT: 30}


def test_invoices_of_one_day_take_their_turn_whoever_owes_them() -> None:
    sharers = [
        Sharer(PLAIN, (limit(100), invoice("A1", 3, 80, due=40))),
        Sharer(PLAIN, (limit(100), invoice("B1", 3, 80, due=20))),
    ]
    assert covered(replay_together(sharers, [shared(100)]), 3) == [20, 80]


def test_an_own_limit_is_the_most_a_buyer_may_use_of_the_shared_one() -> None:
    sharers = [
        Sharer(PLAIN, (limit(100), LimitDecision(DAY[1], 30, "EUR"), invoice("A1", 3, 80))),
        Sharer(PLAIN, (limit(100), invoice("B1", 4, 80))),
    ]
    histories = replay_together(sharers, [shared(100)])
    assert covered(histories, 4) == [30, 70]
    assert [history.on(DAY[4]).account.taken_elsewhere for history in histories] == [0, 30]


def test_what_a_buyer_that_leaves_has_used_keeps_its_place_until_it_has_a_limit_of_its_own() -> None:
    leaving = (SharingPeriod(0, DAY[0], DAY[8]), SharingPeriod(1, DAY[0]))
    events = (limit(100), invoice("A1", 2, 60), LimitWithdrawal(DAY[8]))
    other = Sharer(PLAIN, (limit(100), invoice("B1", 9, 80)))
    run_off = replay_together([Sharer(PLAIN, events), other], [shared(100, *leaving)])
    assert covered(run_off, 10) == [60, 40]
    own = replay_together([Sharer(PLAIN, (*events, limit(70, 12))), other], [shared(100, *leaving)])
    assert covered(own, 11) == [60, 40]
    assert covered(own, 12) == [60, 80]
    paid = replay_together([Sharer(PLAIN, (*events, Payment(DAY[15], 60, "EUR"))), other], [shared(100, *leaving)])
    assert covered(paid, 15) == [0, 80]


def test_who_joins_brings_what_it_owes() -> None:
    joining = (SharingPeriod(0, DAY[0]), SharingPeriod(1, DAY[5]))
    sharers = [
        Sharer(PLAIN, (limit(100), invoice("A1", 6, 90))),
        Sharer(PLAIN, (LimitDecision(DAY[1], 50, "EUR"), invoice("B1", 2, 50), limit(100, 5))),
    ]
    histories = replay_together(sharers, [shared(100, *joining)])
    assert covered(histories, 4) == [0, 50]
    assert covered(histories, 6) == [50, 50]


def test_cuts_of_the_whole_take_nothing_back_and_keep_their_notice() -> None:
    terms = PolicyTerms(
        "EUR", "EUR", insured_percentage=InsuredPercentage(Decimal(90)), limit_cancellation_notice=LimitCancellationNotice(days=4)
    )
    account = Account((DatedTerms(date.min, terms), DatedTerms(DAY[20], terms)), "EUR", "DE")
    said = (LimitDecision(DAY[5], 40, "EUR"), LimitWithdrawal(DAY[10]))
    own = (limit(100), *said)
    sharers = [
        Sharer(account, (*own, invoice("A1", 2, 60))),
        Sharer(account, (*own, invoice("B1", 7, 30), invoice("B2", 13, 9), invoice("B3", 16, 9))),
    ]
    histories = replay_together(sharers, [shared(100, more=said)])
    assert covered(histories, 16) == [60, 30]  # the cut to 40 counts from the ninth day on
    assert [history.on(DAY[16]).account.limit_primary for history in histories] == [0, 0]


def test_a_stopped_or_lost_buyer_leaves_the_others_alone() -> None:
    sharers = [
        Sharer(PLAIN, (limit(100), invoice("A1", 2, 60), StopCover(DAY[3]), invoice("A2", 5, 30))),
        Sharer(PLAIN, (limit(100), invoice("B1", 6, 30), DateOfLoss(DAY[7]), invoice("B2", 8, 5))),
        Sharer(PLAIN, (limit(100), invoice("C1", 9, 30))),
        Sharer(PLAIN, (LimitDecision(DAY[1], 10, "EUR"), invoice("D1", 2, 30))),
    ]
    periods = tuple(SharingPeriod(place, DAY[0]) for place in range(3))
    histories = replay_together(sharers, [shared(100, *periods)])
    assert covered(histories, 10) == [60, 30, 10, 10]


def test_cover_goes_on_after_the_end_where_the_policy_says_so() -> None:
    terms = PolicyTerms("EUR", "EUR", insured_percentage=InsuredPercentage(Decimal(90)), period=PolicyPeriod(DAY[0], DAY[8]))
    account = Account((DatedTerms(date.min, terms),), "EUR", "DE")
    sharers = [
        Sharer(account, (limit(100), invoice("A1", 2, 60), invoice("A2", 4, 60), Payment(DAY[10], 60, "EUR"))),
        Sharer(account, (limit(100), invoice("B1", 5, 60))),
    ]
    assert covered(replay_together(sharers, [shared(100)]), 11) == [40, 0]


def test_refusals() -> None:
    dollars = Account(PLAIN.history, "USD", "DE")
    with pytest.raises(Refusal, match="limit_currencies_differ"):
        replay_together([Sharer(PLAIN, ()), Sharer(dollars, ())], [])
    twice = shared(100, SharingPeriod(0, DAY[0], DAY[9]), SharingPeriod(0, DAY[8]))
    with pytest.raises(Refusal, match="shared_twice"):
        replay_together([Sharer(PLAIN, ())], [twice])
