"""The account worked through day by day, from one day on which something changes to the next.

Every day follows the same steps: limits, credit notes, payments, disputes, the insurer's acts, is the day stopped, roll-in,
new invoices, roll-in again, date of loss. Days on which nothing happens are never visited: what time alone will bring (a
limit lapses, an announced change takes effect, a maximum extension period or a time for notification ends, another
version of the terms begins) is put on a schedule when it becomes known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from heapq import heappop
from operator import attrgetter
from typing import Any, Final

from insureflow.domain.cover.acts import (
    consent,
    dispute,
    extend,
    lift_stop,
    notify,
    resolve_dispute,
    set_grade,
    stop,
    withdraw_extension,
)
from insureflow.domain.cover.book import EXTENSION_OVER, ORDER_KEY, AccountBook
from insureflow.domain.cover.entry import enter_all
from insureflow.domain.cover.events import (
    BuyerGrade,
    Consent,
    CreditNote,
    DateOfLoss,
    Dispute,
    DisputeResolved,
    Event,
    Extension,
    ExtensionWithdrawn,
    Invoice,
    LimitDecision,
    LimitWithdrawal,
    OverdueNotification,
    Payment,
    SharedUse,
    StopCover,
    StopCoverLifted,
    TemporaryLimit,
)
from insureflow.domain.cover.history import History, HistoryWriter
from insureflow.domain.cover.limit_events import (
    decide_limit,
    end_notification_times,
    finish_limits,
    grant_temporary_limit,
    share_limit,
    withdraw_limit,
)
from insureflow.domain.cover.limits import ONE_DAY
from insureflow.domain.cover.receipts import take_credit_note, take_payment
from insureflow.domain.cover.recording import Recorder
from insureflow.domain.cover.roll_in import roll_in
from insureflow.domain.cover.stops import is_stopped_day
from insureflow.domain.cover.versions import Account, versions_of
from insureflow.domain.cover.watching import note_overdue
from insureflow.domain.errors import Refusal

# The steps of a day in which events are worked through.
_LIMITS: Final = 1
_CREDIT_NOTES: Final = 2
_PAYMENTS: Final = 3
_DISPUTES: Final = 4
_ACTS: Final = 5
_INVOICES: Final = 8
_LOSS: Final = 10

_Handler = Callable[[AccountBook, Any], None]
_Names = Callable[[Any], tuple[str, ...]]


def _names_of_one(event: CreditNote | Extension | ExtensionWithdrawn | Dispute | DisputeResolved) -> tuple[str, ...]:
    return () if event.invoice is None else (event.invoice,)


def _names_of_several(event: Consent | OverdueNotification) -> tuple[str, ...]:
    return event.invoices or ()


#: The step of each event, what it does and which invoices it names; invoices and the date of loss are steps of their own.
_STEPS: dict[type[Event], tuple[int, _Handler | None, _Names | None]] = {
    LimitDecision: (_LIMITS, decide_limit, None),
    TemporaryLimit: (_LIMITS, grant_temporary_limit, None),
    LimitWithdrawal: (_LIMITS, withdraw_limit, None),
    SharedUse: (_LIMITS, share_limit, None),
    CreditNote: (_CREDIT_NOTES, take_credit_note, _names_of_one),
    Payment: (_PAYMENTS, take_payment, attrgetter("designated")),
    Dispute: (_DISPUTES, dispute, _names_of_one),
    DisputeResolved: (_DISPUTES, resolve_dispute, _names_of_one),
    Extension: (_ACTS, extend, _names_of_one),
    ExtensionWithdrawn: (_ACTS, withdraw_extension, _names_of_one),
    Consent: (_ACTS, consent, _names_of_several),
    OverdueNotification: (_ACTS, notify, _names_of_several),
    StopCover: (_ACTS, stop, None),
    StopCoverLifted: (_ACTS, lift_stop, None),
    BuyerGrade: (_ACTS, set_grade, None),
    Invoice: (_INVOICES, None, None),
    DateOfLoss: (_LOSS, None, None),
}

#: The steps that go on after the date of loss.
_STEPS_AFTER_LOSS = frozenset({_CREDIT_NOTES, _DISPUTES, _INVOICES})

#: An event with the day it belongs to, the step of that day, its place in the list, and what it does.
Entry = tuple[date, int, int, Any, _Handler | None]


def replay(account: Account, events: Sequence[Event], until: date | None = None) -> History:
    """What was covered on which day, from everything that happened on an account.

    With ``until`` events after that day are left out (an invoice belongs to its day of shipment); what time alone brings
    afterwards is not. Errors: ``Refusal`` with the codes ``unknown_invoice``, ``invoice_not_in_account``,
    ``duplicate_invoice``, ``several_dates_of_loss``, ``top_up_layer_unknown``, ``conditions_need_primary_layer``, ``no_terms``,
    ``calendar_unknown``.
    """
    return work_through(account, events, until=until)[1]


def work_through(
    account: Account,
    events: Sequence[Event],
    *,
    until: date | None = None,
    stop_on: date | None = None,
    recorder: Recorder | None = None,
) -> tuple[AccountBook, History]:
    """``replay`` that also gives the book as it stands after the last day; with ``stop_on`` no later day is worked through."""
    versions = versions_of(account)
    agenda, invoices = in_order(events)
    if until is not None:
        agenda = [entry for entry in agenda if entry[0] <= until]
    writer = HistoryWriter()
    book = AccountBook(account, versions, invoices, writer, recorder)
    for version in versions[1:]:
        book.put_on_schedule(version.effective_on)
    _work_through_days(book, agenda, stop_on)
    spans, account_spans = writer.finish(book.receivables.values())
    return book, History(account.limit_currency, spans, account_spans)


def _work_through_days(book: AccountBook, agenda: Sequence[Entry], stop_on: date | None) -> None:
    position, size, schedule = 0, len(agenda), book.schedule
    while position < size or schedule:
        day = agenda[position][0] if position < size else schedule[0][0]
        if schedule and schedule[0][0] < day:
            day = schedule[0][0]
        if stop_on is not None and day > stop_on:
            return
        begin = position
        while position < size and agenda[position][0] == day:
            position += 1
        limits_due = False
        if schedule and schedule[0][0] == day:
            matters, limits_due = collect_due(book, day)
            if begin == position and not matters:
                continue
        book.day = day
        was_stopped = book.stopped
        if len(book.versions) > 1:
            change_version(book)
        if book.loss_on is None:
            _work_through_day(book, agenda[begin:position], limits_due=limits_due)
        else:
            work_through_day_after_loss(book, agenda[begin:position])
        if book.touched or begin != position or limits_due or book.stopped is not was_stopped:
            publish(book)


def collect_due(book: AccountBook, day: date) -> tuple[bool, bool]:
    """Take what is due on a day off the schedule; gives whether any of it matters still, and whether limits are due."""
    schedule = book.schedule
    matters = limits_due = False
    while schedule and schedule[0][0] == day:
        _, _, kind, receivable = heappop(schedule)
        if receivable is None:
            limits_due = matters = True
        elif receivable.net or receivable.vat:
            matters = True
            if kind == EXTENSION_OVER:
                note_overdue(book, receivable)
            else:
                book.notifications_due.append(receivable)
    return matters, limits_due


def change_version(book: AccountBook) -> None:
    """The version of the terms in force today; the order of allocation may be another one."""
    versions, number = book.versions, book.version_number
    while number + 1 < len(versions) and versions[number + 1].effective_on <= book.day:
        number += 1
    if number != book.version_number:
        book.version_number, book.version = number, versions[number]
        book.is_rolled_in = False
        for receivable in book.receivables.values():
            book.set_order_key(receivable, receivable.order_key[2])
        book.open_receivables.sort(key=ORDER_KEY)


def _work_through_day(book: AccountBook, entries: Sequence[Entry], *, limits_due: bool) -> None:
    invoices = work_through_morning(book, entries, limits_due=limits_due)
    if not book.is_rolled_in:
        roll_in(book)
    if invoices:
        enter_all(book, invoices)
        roll_in(book)
    if ends_with_loss(entries):
        freeze(book)


def work_through_morning(book: AccountBook, entries: Sequence[Entry], *, limits_due: bool) -> list[tuple[int, Invoice]]:
    """The steps of a day up to the roll-in; gives the invoices that enter after it."""
    begin = 0
    if limits_due or (entries and entries[0][1] == _LIMITS):
        begin = _work_through_limits(book, entries)
    if book.notifications_due:
        end_notification_times(book)
    invoices = _handle(book, entries[begin:] if begin else entries)
    book.stopped = is_stopped_day(book) if book.overdue or book.insurer_stopped else False
    return invoices


def ends_with_loss(entries: Sequence[Entry]) -> bool:
    """Whether the date of loss is among the entries of a day."""
    return bool(entries) and entries[-1][1] == _LOSS


def _work_through_limits(book: AccountBook, entries: Sequence[Entry]) -> int:
    """The limits of a day; gives the position of the first entry of a later step."""
    book.primary.begin_day(book.day)
    book.top_up.begin_day(book.day)
    limit_entries = [entry for entry in entries if entry[1] == _LIMITS]
    _handle(book, limit_entries)
    finish_limits(book)
    return len(limit_entries)


def work_through_day_after_loss(book: AccountBook, entries: Sequence[Entry]) -> None:
    """A day after the date of loss: only credit notes, disputes and new invoices go on."""
    book.stopped = False
    enter_all(book, _handle(book, [entry for entry in entries if entry[1] in _STEPS_AFTER_LOSS]))


def _handle(book: AccountBook, entries: Iterable[Entry]) -> list[tuple[int, Invoice]]:
    """Work through events in order; gives the invoices among them, with their places in the list."""
    invoices = []
    for _, step, position, event, handler in entries:
        if handler is not None:
            handler(book, event)
        elif step == _INVOICES:
            invoices.append((position, event))
    return invoices


def freeze(book: AccountBook) -> None:
    """The date of loss: nothing more happens by time alone, except that no later day is a stopped day."""
    book.loss_on = book.day
    book.schedule.clear()
    if book.stopped:
        book.put_on_schedule(book.day + ONE_DAY)


def publish(book: AccountBook) -> None:
    """Write down what has changed today."""
    for receivable in book.touched.values():
        book.writer.publish(receivable, book.day)
    book.touched.clear()
    book.writer.publish_account(
        book.day, book.primary, book.top_up, book.unallocated, stopped=book.stopped, taken_elsewhere=book.taken_elsewhere
    )


def in_order(events: Sequence[Event]) -> tuple[list[Entry], dict[str, Invoice]]:
    """The events in the order in which they are worked through (day, step of the day, place in the list), and all invoices."""
    agenda: list[Entry] = []
    invoices: dict[str, Invoice] = {}
    named: list[tuple[str, date]] = []
    losses = 0
    for position, event in enumerate(events):
        step, handler, names = _STEPS[type(event)]
        agenda.append((event.on, step, position, event, handler))
        if type(event) is Invoice:
            if event.id in invoices:
                raise Refusal("duplicate_invoice", invoice=event.id)
            invoices[event.id] = event
        elif names is not None:
            for name in names(event):
                named.append((name, event.on))  # noqa: PERF401 - most events name no invoice
        elif step == _LOSS:
            losses += 1
    for name, on in named:
        if name not in invoices:
            raise Refusal("unknown_invoice", invoice=name, on=on)
    if losses > 1:
        raise Refusal("several_dates_of_loss", count=losses)
    agenda.sort()
    return agenda, invoices
