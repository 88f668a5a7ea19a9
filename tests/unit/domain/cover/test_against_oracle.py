"""The engine against a second one that is slow and simple: every day is worked through, everything is looked up anew.

The second one follows the written rules step by step, keeps no running totals and schedules nothing. Both must say the same
on every day, for any account.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from support.oracle.accounts import FIRST, LENGTH, NAMES, accounts, days, with_currency
from support.oracle.book import ONE_DAY
from support.oracle.days import Oracle, engine_state

from insureflow.domain.cover import (
    Account,
    Invoice,
    Reason,
    explain,
    replay,
)
from insureflow.domain.money import Money

BEGIN = FIRST - timedelta(days=15)
END = FIRST + timedelta(days=LENGTH + 80)
RELAXED = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@RELAXED
@given(accounts())
def test_engine_and_oracle_agree_on_every_day(case: tuple[Account, list[Any]]) -> None:
    account, events = case
    history = replay(account, events)
    expected = Oracle(account, with_currency(events)).run(BEGIN, END)
    for day, state in expected.items():
        found = engine_state(history, day)
        if found != state:
            note(f"{account}\n" + "\n".join(map(str, events)))
        assert (day, found) == (day, state)


@RELAXED
@given(accounts(), days())
def test_replay_to_a_date_equals_the_history_cut_at_that_date(case: tuple[Account, list[Any]], cut: date) -> None:
    account, events = case
    whole = replay(account, events)
    up_to = replay(account, events, until=cut)
    known = [event for event in events if event.on <= cut or isinstance(event, Invoice)]
    of_known = replay(account, known, until=cut)
    for day in {BEGIN, cut - timedelta(days=7), cut - ONE_DAY, cut}:
        assert engine_state(up_to, day) == engine_state(whole, day)
    for day in {cut, cut + ONE_DAY, cut + timedelta(days=20), END}:
        assert engine_state(of_known, day) == engine_state(up_to, day)


@RELAXED
@given(accounts())
def test_what_holds_in_every_history(case: tuple[Account, list[Any]]) -> None:
    """Layers and reasons sum to what is open, cover never exceeds what is coverable, and segments follow each other without gaps."""
    account, events = case
    history = replay(account, events)
    for segments in history.invoice_segments.values():
        for segment in segments:
            amounts = dict(segment.reasons)
            assert segment.covered + sum(amounts.values()) == segment.open
            assert min(segment.covered_primary, segment.covered_top_up, segment.reserved, segment.open_net, segment.open_vat) >= 0
            assert all(amount > 0 for amount in amounts.values())
            assert segment.covered + segment.reserved <= segment.open
            if set(amounts) - {Reason.VAT_NOT_COVERED, Reason.DISPUTED, Reason.OVER_LIMIT}:
                assert segment.covered == 0
                assert len(amounts) == 1
    for account_segment in history.account_segments:
        assert account_segment.covered + sum(dict(account_segment.reasons).values()) == account_segment.open
    for followed in [*history.invoice_segments.values(), history.account_segments]:
        assert followed[-1].valid_to is None
        for before, after in pairwise(followed):
            assert before.valid_from < after.valid_from == before.valid_to, "each begins where the one before ends"
            assert before[2:] != after[2:], "each differs from the one before"


@RELAXED
@given(accounts(), days(LENGTH, LENGTH + 40), st.sampled_from(NAMES))
def test_explanation_ends_in_the_figures_of_the_replay(case: tuple[Account, list[Any]], on: date, name: str) -> None:
    account, events = case
    state = replay(account, events).on(on)
    assume(name in state.invoices)
    segment = state.invoices[name]
    steps = explain(account, events, name, on).steps
    split = next(step for step in steps if step.name == "split")
    assert split.result == Money(segment.covered, "EUR")
    assert dict(split.inputs) == {"open": Money(segment.open, "EUR")} | {code.value: Money(part, "EUR") for code, part in segment.reasons}
    assert [step.result for step in steps if step.name == "insured_percentage"] == (
        [] if segment.insured_percentage is None else [segment.insured_percentage]
    )
    changes = [step for step in steps if step.formula in CHANGES]
    assert changes[-1].result == split.result
    days_of_changes = [step.on for step in changes]
    assert days_of_changes == sorted(days_of_changes)
    failed = [step for step in steps if step.result is False]
    excluded = [code for code, _ in segment.reasons if code not in {Reason.VAT_NOT_COVERED, Reason.DISPUTED, Reason.OVER_LIMIT}]
    assert [step.name for step in failed] == [code.value for code in excluded] or (not excluded and segment.open == 0)


CHANGES = {
    f"cover.{cause}"
    for cause in ("entry", "roll_in", "payment", "credit_balance", "credit_note", "dispute", "dispute_resolved", "cover_lost")
}
