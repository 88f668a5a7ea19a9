"""Several buyers under one limit: their accounts worked through side by side, so that no part of the limit is used twice.

Money, disputes, stops and terms stay with each buyer. What is shared is the capacity of the primary layer: new receivables of a
day and those that roll in take their turn in the order of allocation, whichever of the buyers owes them. A buyer's own limit
stands as the most that this buyer may use; a buyer without limit in force uses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.entry import enter, receivables_of
from insureflow.domain.cover.events import Event, LimitDecision, LimitWithdrawal, SharedUse
from insureflow.domain.cover.history import AccountSegment, History, HistoryWriter
from insureflow.domain.cover.limits import LimitBook
from insureflow.domain.cover.receivable import Receivable, convert
from insureflow.domain.cover.replay import (
    Entry,
    change_version,
    collect_due,
    ends_with_loss,
    freeze,
    in_order,
    publish,
    work_through_day_after_loss,
    work_through_morning,
)
from insureflow.domain.cover.roll_in import limit_for_roll_in, may_roll_in, oldest_interval, roll_in, roll_into_top_up
from insureflow.domain.cover.versions import Account, versions_of
from insureflow.domain.errors import Refusal


@dataclass(frozen=True, slots=True)
class Sharer:
    """One buyer's account with its events; its own limit decisions are among them."""

    account: Account
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class SharingPeriod:
    """From when on, and up to which first day without, a buyer (its place among the sharers) shares in a limit; None: for good."""

    sharer: int
    first_day: date
    end: date | None = None

    def holds(self, day: date) -> bool:
        """True on the days of the period."""
        return self.first_day <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """One limit over several buyers: what the insurer said about the whole of it, and who shares in it when."""

    events: tuple[LimitDecision | LimitWithdrawal, ...]
    periods: tuple[SharingPeriod, ...]


def replay_together(sharers: Sequence[Sharer], limits: Sequence[SharedLimit]) -> list[History]:
    """What was covered on which day for each of the buyers, in their order.

    *Formula:* what all sharers use of the primary layer together never exceeds the shared limit by new cover; free for a buyer =
    min(own limit − own use, shared limit − use of all). What a buyer has used when it leaves keeps its place until it is paid or
    the buyer has a limit of its own again.

    Errors: those of ``replay``; ``shared_twice`` for a buyer that would share in two limits on one day; ``limit_currencies_differ``.
    """
    if len({sharer.account.limit_currency for sharer in sharers}) > 1:
        raise Refusal("limit_currencies_differ", currencies=", ".join(sorted({sharer.account.limit_currency for sharer in sharers})))
    _check_periods(limits)
    walks = [_Walk(sharer) for sharer in sharers]
    pools = [_Pool(limit, walks) for limit in limits]
    while days := [day for day in (*(walk.next_day for walk in walks), *(pool.next_day for pool in pools)) if day is not None]:
        _work_through_day(min(days), walks, pools)
    return [walk.history() for walk in walks]


def shared_use_of(segments: Sequence[AccountSegment]) -> list[SharedUse]:
    """What others left unusable of a shared limit, as events with which an account can be replayed by itself."""
    events: list[SharedUse] = []
    taken = 0
    for segment in segments:
        if segment.taken_elsewhere != taken:
            taken = segment.taken_elsewhere
            events.append(SharedUse(segment.valid_from, taken))
    return events


def _check_periods(limits: Sequence[SharedLimit]) -> None:
    periods = sorted((period.sharer, period.first_day, period.end or date.max) for limit in limits for period in limit.periods)
    for (sharer, _, end), (other, first_day, _) in pairwise(periods):
        if sharer == other and first_day < end:
            raise Refusal("shared_twice", on=first_day)


class _Walk:
    """One account on its way from day to day."""

    __slots__ = ("_agenda", "_position", "account", "book", "has_begun", "writer")

    def __init__(self, sharer: Sharer) -> None:
        versions = versions_of(sharer.account)
        self._agenda, invoices = in_order(sharer.events)
        self._position = 0
        self.has_begun = False
        self.account = sharer.account
        self.writer = HistoryWriter()
        self.book = AccountBook(sharer.account, versions, invoices, self.writer, None)
        for version in versions[1:]:
            self.book.put_on_schedule(version.effective_on)

    @property
    def next_day(self) -> date | None:
        """The next day on which something happens, or may happen, by itself."""
        of_agenda = self._agenda[self._position][0] if self._position < len(self._agenda) else None
        return _earlier(of_agenda, self.book.schedule[0][0] if self.book.schedule else None)

    def take(self, day: date) -> tuple[list[Entry], bool]:
        """The entries of a day, and whether time alone changes its limits."""
        begin = self._position
        while self._position < len(self._agenda) and self._agenda[self._position][0] == day:
            self._position += 1
        entries = self._agenda[begin : self._position]
        matters, limits_due = collect_due(self.book, day)
        self.has_begun = self.has_begun or bool(entries) or matters
        return entries, limits_due

    def history(self) -> History:
        """The account over time."""
        spans, account_spans = self.writer.finish(self.book.receivables.values())
        return History(self.account.limit_currency, spans, account_spans)


def _earlier(left: date | None, right: date | None) -> date | None:
    return right if left is None else left if right is None else min(left, right)


class _Pool:
    """One shared limit on its way from day to day."""

    __slots__ = ("_agenda", "_days", "_limit", "limits", "members", "walks")

    def __init__(self, limit: SharedLimit, walks: Sequence[_Walk]) -> None:
        self._limit = limit
        self._agenda = sorted(limit.events, key=lambda event: event.on)
        turning = {period.first_day for period in limit.periods} | {period.end for period in limit.periods if period.end is not None}
        self._days = sorted(turning | {event.on for event in limit.events})
        self.limits = LimitBook()
        self.walks = walks
        #: Those that share today, and those that have left and still use what they were given.
        self.members: list[AccountBook] = []

    @property
    def next_day(self) -> date | None:
        """The next day on which the limit or the circle of those who share changes."""
        return self._days[0] if self._days else None

    def begin_day(self, day: date) -> bool:
        """The limit and its sharers on a day; gives whether either may have changed by themselves."""
        is_due = bool(self._days) and self._days[0] == day
        if is_due:
            del self._days[0]
            self.limits.begin_day(day)
            while self._agenda and self._agenda[0].on == day:
                self._say(self._agenda.pop(0))
            self.limits.finish_day(day)
        sharing = {period.sharer for period in self._limit.periods if period.holds(day)}
        had = {period.sharer for period in self._limit.periods if period.first_day <= day} - sharing
        books = [walk.book for walk in self.walks]
        left = [books[place] for place in sorted(had) if not books[place].primary.is_running]
        self.members = [books[place] for place in sorted(sharing)] + left
        return is_due

    def sharing(self, day: date) -> list[AccountBook]:
        """The books of those who share on a day."""
        return [self.walks[period.sharer].book for period in self._limit.periods if period.holds(day)]

    def _say(self, event: LimitDecision | LimitWithdrawal) -> None:
        book = self.walks[self._limit.periods[0].sharer].book
        notice = book.version.notice
        if isinstance(event, LimitWithdrawal):
            days = self.limits.withdraw(event.on, notice, event.effective_from)
        else:
            amount = convert(event.amount, book.factor(event.currency, event.rate))
            days = self.limits.decide(event.on, amount, notice, event.effective_from, event.valid_to, None)
        self._days = sorted({*self._days, *days})

    @property
    def used(self) -> int:
        """What all of them use together."""
        return sum(book.primary.used for book in self.members)

    def tell(self, book: AccountBook) -> None:
        """Let a book know what the others leave unusable of its limit.

        *Formula:* own limit − (shared limit − use of the others), not below 0.
        """
        others = self.used - book.primary.used
        book.taken_elsewhere = max(0, _reach(book, book.primary) - max(0, _reach(book, self.limits) - others))

    def room(self, book: AccountBook) -> int:
        """What may roll into cover for a book today."""
        of_own = limit_for_roll_in(book, book.primary) - book.primary.used
        return min(of_own, limit_for_roll_in(book, self.limits) - self.used)


def _reach(book: AccountBook, limits: LimitBook) -> int:
    """How far a limit reaches, where roll-in goes on after its end as well."""
    return limits.in_force or (limits.last_in_force if book.version.allocation.roll_in_after_cancellation else 0)


def _work_through_day(day: date, walks: Sequence[_Walk], pools: Sequence[_Pool]) -> None:
    taken = [walk.take(day) for walk in walks]
    entering: list[tuple[AccountBook, Receivable]] = []
    for walk, (entries, limits_due) in zip(walks, taken, strict=True):
        book = walk.book
        book.day = day
        if len(book.versions) > 1:
            change_version(book)
        if book.loss_on is not None:
            work_through_day_after_loss(book, entries)
            continue
        invoices = work_through_morning(book, entries, limits_due=limits_due)
        entering += [(book, receivable) for receivable in receivables_of(book, invoices)]
    turned = [pool.begin_day(day) for pool in pools]
    if any(turned):
        for walk in walks:
            walk.book.is_rolled_in = False
    by_book = {id(book): pool for pool in pools for book in pool.sharing(day)}
    _roll_in(walks, pools, by_book)
    if entering:
        for book, receivable in sorted(entering, key=_order):
            _tell(book, by_book)
            enter(book, receivable)
        _roll_in(walks, pools, by_book)
    for walk, (entries, _) in zip(walks, taken, strict=True):
        book = walk.book
        if book.loss_on is None and ends_with_loss(entries):
            freeze(book)
        _tell(book, by_book)
        if walk.has_begun:
            publish(book)


def _tell(book: AccountBook, by_book: dict[int, _Pool]) -> None:
    pool = by_book.get(id(book))
    if pool is None:
        book.taken_elsewhere = 0
    else:
        pool.tell(book)


def _roll_in(walks: Sequence[_Walk], pools: Sequence[_Pool], by_book: dict[int, _Pool]) -> None:
    """Those that share roll in together, in the order of allocation; the others each for itself."""
    for pool in pools:
        _roll_into_shared(pool, [walk.book for walk in walks if by_book.get(id(walk.book)) is pool])
    for walk in walks:
        book = walk.book
        if book.loss_on is not None:
            continue
        if id(book) in by_book:
            if may_roll_in(book):
                roll_into_top_up(book)
        elif not book.is_rolled_in:
            book.taken_elsewhere = 0
            roll_in(book)


def _roll_into_shared(pool: _Pool, books: Sequence[AccountBook]) -> None:
    rolling = [book for book in books if book.loss_on is None and may_roll_in(book)]
    if all(limit_for_roll_in(book, pool.limits) <= pool.used for book in rolling):
        return
    waiting: list[tuple[AccountBook, Receivable]] = []
    for book in rolling:
        oldest = oldest_interval(book, book.primary)
        waiting += [
            (book, receivable)
            for receivable in book.open_receivables
            if receivable.coverable > receivable.primary and receivable.reason is None and receivable.primary_interval >= oldest
        ]
    for book, receivable in sorted(waiting, key=_order):
        amount = min(receivable.coverable - receivable.primary, pool.room(book))
        if amount > 0:
            pool.tell(book)
            book.vacate(receivable)
            receivable.take_into_primary(amount)
            book.occupy(receivable, "roll_in")


def _order(entry: tuple[AccountBook, Receivable]) -> tuple[date, date, int]:
    return entry[1].order_key
