"""The calendar of duties: the same from the table and worked out, with marks, late duties and what is at stake."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation
from support.trading import TODAY, make_up

from insureflow.domain.blocks import ExceptionReason
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AccountActKind, LimitKind
from insureflow.domain.obligations import ObligationKind
from insureflow.models.scope import within
from insureflow.queries.dashboard.duties import DutyCalendar, duty_calendar, pressing_duties
from insureflow.queries.exposure import Portfolio, Reporting
from insureflow.queries.obligations.calendar import CalendarStatus, DutySelection, calendar, find_entry
from insureflow.queries.obligations.standing import Standing
from insureflow.services import blocks, obligations
from insureflow.services.cover import rebuild, refresh_buyers
from insureflow.services.journal import Actor, count_entries
from insureflow.services.obligations import Mark
from insureflow.services.transaction import transaction

ACTOR = Actor(None, "test")
TERMS = {
    "currency": "EUR",
    "maximum_extension_period": {"days": 60},
    "overdue_notification": {"days": 30, "failure": "invoice_not_covered"},
    "claim_filing": {"days": 90, "from": "maximum_extension_period_end"},
}


@pytest.mark.parametrize("day", [TODAY, TODAY - timedelta(days=100), TODAY + timedelta(days=45)])
def test_the_stored_calendar_is_the_one_worked_out(session: Session, day: date) -> None:
    trade = make_up(session)
    rebuild(trade.organisation_id, day)
    with within(trade.organisation_id):
        for narrowed in (
            {},
            {"policy_id": trade.policies[0].id},
            {"buyer_id": trade.buyers[1].id},
            {"entity_id": trade.entities[0].id},
            {"kinds": [ObligationKind.SEND_REMINDER]},
        ):
            stored = calendar(DutySelection(day, day, **narrowed), date.min, date.max)
            other = calendar(DutySelection(day, day + timedelta(days=1), **narrowed), date.min, date.max)
            assert [replace(entry, obligation_id=None) for entry in stored] == [replace(entry, trace=[]) for entry in other]
            assert all(entry.trace for entry in other)
            assert narrowed or {entry.key.kind for entry in stored} >= {
                "send_reminder",
                "notify_overdue",
                "stop_shipments",
                "declare_turnover",
            }


def agree_both_ways(day: date, **narrowed: int) -> DutyCalendar:
    """What the database counts of the stored duties is what is counted one by one of those worked out."""
    asked = Portfolio(day, **narrowed)
    span = day - timedelta(days=40), day + timedelta(days=60)
    stored, worked_out = (duty_calendar(asked, Reporting("USD", TODAY), day + timedelta(days=more), *span) for more in (0, 1))
    assert {on: {(each.kind, each.status, each.count) for each in found} for on, found in stored.days.items()} == {
        on: {(each.kind, each.status, each.count) for each in found} for on, found in worked_out.days.items()
    }
    assert replace(stored, days={}) == replace(worked_out, days={})
    pressing, other = (pressing_duties(asked, Reporting("USD", TODAY), day + timedelta(days=more), shown=7) for more in (0, 1))
    assert replace(pressing, worst=()) == replace(other, worst=())
    assert [(each.reporting_minor, each.kind, each.due_on) for each in pressing.worst] == [
        (each.reporting_minor, each.kind, each.due_on) for each in other.worst
    ]
    assert all(each.entry.obligation_id for each in pressing.worst)
    return stored


@pytest.mark.parametrize("day", [TODAY, TODAY + timedelta(days=45)])
def test_duties_counted_by_the_database_are_those_of_the_calendar(session: Session, day: date) -> None:
    trade = make_up(session)
    rebuild(trade.organisation_id, day)
    with within(trade.organisation_id):
        whole = agree_both_ways(day)
        assert whole.days
        assert whole.late > 0
        agree_both_ways(day, policy_id=trade.policies[0].id)
        agree_both_ways(day, entity_id=trade.entities[0].id)


def story(session: Session) -> tuple[int, int]:
    """One buyer, one invoice of 1,000 euros overdue since 11 April 2026, covered."""
    owner = organisation(session)
    with transaction(owner.id) as working:
        books = Books(working, owner.id)
        entity, buyer = books.entity(), books.buyer()
        policy = books.policy([entity], TERMS)
        books.limit(policy, buyer, 2_000_00, date(2026, 1, 1))
        books.limit(policy, buyer, 3_000_00, date(2026, 5, 1), kind=LimitKind.TEMPORARY, valid_to=date(2026, 7, 20))
        books.invoice(entity, buyer, 1_000_00, date(2026, 3, 11), date(2026, 4, 10))
        refresh_buyers(working, None, TODAY)
    return owner.id, buyer.id


def entry_of(kind: ObligationKind, on: date) -> tuple[date, CalendarStatus, int | None]:
    (entry,) = calendar(DutySelection(on, TODAY, kinds=[kind]), date.min, date.max)
    return entry.key.due_on, entry.status, entry.amount_minor


def test_days_and_status_follow_the_terms(session: Session) -> None:
    owner, _ = story(session)
    with within(owner):
        assert entry_of(ObligationKind.SEND_REMINDER, TODAY) == (date(2026, 4, 11), CalendarStatus.LATE, None)
        # The policy's rule blocks the buyer from the day after on, which is in time: it is never late.
        for on, status in (
            (date(2026, 6, 9), CalendarStatus.DUE_SOON),
            (date(2026, 6, 10), CalendarStatus.DONE),
            (TODAY, CalendarStatus.DONE),
        ):
            assert entry_of(ObligationKind.STOP_SHIPMENTS, on) == (date(2026, 6, 9), status, None), on
        # 10 April + 60 days = 9 June, + 30 days = 9 July
        assert entry_of(ObligationKind.NOTIFY_OVERDUE, TODAY) == (date(2026, 7, 9), CalendarStatus.OPEN, 1_000_00)
        assert entry_of(ObligationKind.NOTIFY_OVERDUE, date(2026, 7, 2)) == (date(2026, 7, 9), CalendarStatus.DUE_SOON, 1_000_00)
        assert entry_of(ObligationKind.NOTIFY_OVERDUE, date(2026, 7, 10)) == (date(2026, 7, 9), CalendarStatus.LATE, 0)
        assert entry_of(ObligationKind.FILE_CLAIM, TODAY) == (date(2026, 9, 7), CalendarStatus.OPEN, 1_000_00)
        assert entry_of(ObligationKind.RENEW_LIMIT, TODAY) == (date(2026, 6, 20), CalendarStatus.LATE, None)
        standing, report = Standing(DutySelection(TODAY, TODAY)), Reporting("EUR", TODAY)
        assert (standing.count_coming(31), standing.count_late()) == (1, 2)
        assert [standing.cover_at_stake(report, days) for days in (5, 31, 91)] == [0, 1_000_00, 1_000_00]


def test_what_the_account_says_was_done_is_done(session: Session) -> None:
    owner, buyer_id = story(session)
    with transaction(owner) as working:
        books = Books(working, owner)
        policy_id = calendar(DutySelection(TODAY, TODAY), date.min, date.max)[0].key.policy_id
        books._add(_notification(policy_id, buyer_id))
        refresh_buyers(working, [buyer_id], TODAY)
    with within(owner):
        (entry,) = calendar(DutySelection(TODAY, TODAY, kinds=[ObligationKind.NOTIFY_OVERDUE]), date.min, date.max)
        assert (entry.status, entry.done_on) == (CalendarStatus.DONE, date(2026, 6, 29))
        (notified,) = agree_both_ways(TODAY).days[entry.key.due_on]
        assert (notified.status, notified.count) == (CalendarStatus.DONE, 1)


def test_proceedings_need_no_reminder_and_a_block_set_aside_stops_nothing(session: Session) -> None:
    owner, buyer_id = story(session)
    with transaction(owner) as working:
        policy_id = calendar(DutySelection(TODAY, TODAY), date.min, date.max)[0].key.policy_id
        Books(working, owner)._add(_notification(policy_id, buyer_id, AccountActKind.INSOLVENCY))
        refresh_buyers(working, [buyer_id], TODAY)
    with within(owner):
        assert entry_of(ObligationKind.SEND_REMINDER, date(2026, 6, 28))[1] is CalendarStatus.LATE
        assert entry_of(ObligationKind.SEND_REMINDER, TODAY)[1] is CalendarStatus.NOT_NEEDED
        agree_both_ways(TODAY)
        (duty,) = calendar(DutySelection(TODAY, TODAY, kinds=[ObligationKind.SEND_REMINDER]), date.min, date.max)
    assert duty.key.invoice_id is not None
    blocks.set_aside(ACTOR, owner, duty.key.invoice_id, reason=ExceptionReason.ONE_OFF, note="agreed", on=TODAY)
    for blocked, status in ((False, CalendarStatus.LATE), (True, CalendarStatus.DONE_LATE)):
        if blocked:
            blocks.set_block(ACTOR, owner, buyer_id, reason="cash in advance", from_on=TODAY)
        with within(owner):
            assert entry_of(ObligationKind.STOP_SHIPMENTS, TODAY)[1] is status
            agree_both_ways(TODAY)


def _notification(policy_id: int, buyer_id: int, kind: AccountActKind = AccountActKind.OVERDUE_NOTIFICATION):
    from support.ledgers import NOW

    from insureflow.models.limits import AccountAct

    return AccountAct(
        policy_id=policy_id,
        buyer_id=buyer_id,
        kind=kind,
        happened_on=date(2026, 6, 29),
        data={},
        created_at=NOW,
    )


def test_marks_are_journalled_outlive_a_rebuild_and_can_be_undone(session: Session) -> None:
    owner, _ = story(session)
    with within(owner):
        (entry,) = calendar(DutySelection(TODAY, TODAY, kinds=[ObligationKind.SEND_REMINDER]), date.min, date.max)
    assert entry.obligation_id is not None
    obligations.mark_obligation(ACTOR, owner, entry.obligation_id, Mark.DONE, on=TODAY, note="letter of today", today=TODAY)
    rebuild(owner, TODAY)
    with within(owner):
        (after,) = calendar(DutySelection(TODAY, TODAY, kinds=[ObligationKind.SEND_REMINDER]), date.min, date.max)
        assert (after.status, after.done_on, after.note) == (CalendarStatus.DONE_LATE, TODAY, "letter of today")
        assert entry_of(ObligationKind.SEND_REMINDER, TODAY - timedelta(days=1))[1] is CalendarStatus.LATE
    assert after.obligation_id is not None
    obligations.mark_obligation(ACTOR, owner, after.obligation_id, Mark.WAIVED, on=TODAY, note="paid by card", today=TODAY)
    with within(owner):
        found = find_entry(after.obligation_id, TODAY)
        assert found is not None
        assert found.status is CalendarStatus.WAIVED
        assert agree_both_ways(TODAY).late == 1
        assert [step["name"] for step in found.trace] == ["send_reminder"], "the steps are worked out when they are asked for"
    obligations.undo_mark(ACTOR, owner, after.obligation_id, today=TODAY)
    with within(owner):
        assert entry_of(ObligationKind.SEND_REMINDER, TODAY)[1] is CalendarStatus.LATE
    assert count_entries(owner) == 3
    with pytest.raises(Refusal, match="obligation_not_marked"):
        obligations.undo_mark(ACTOR, owner, after.obligation_id, today=TODAY)
    with pytest.raises(Refusal, match="note_needed"):
        obligations.mark_obligation(ACTOR, owner, after.obligation_id, Mark.DONE, on=TODAY, note=" ", today=TODAY)
    with pytest.raises(Refusal, match="obligation_unknown"):
        obligations.mark_obligation(ACTOR, owner, 10**9, Mark.DONE, on=TODAY, note="x", today=TODAY)
