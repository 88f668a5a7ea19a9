"""Roll-in: receivables above the limit move into cover as older ones are paid, oldest first."""

from __future__ import annotations

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.limits import LimitBook
from insureflow.domain.cover.receivable import Receivable


def roll_in(book: AccountBook) -> None:
    """Let the primary, then the top-up layer take over what they may cover and do not cover yet.

    Once done (``is_rolled_in``) there is nothing more to take over until something changes.
    """
    if not may_roll_in(book):
        return
    free = limit_for_roll_in(book, book.primary) - book.primary.used - book.taken_elsewhere
    if free > 0:
        _roll_into_primary(book, free)
    roll_into_top_up(book)
    book.is_rolled_in = True


def may_roll_in(book: AccountBook) -> bool:
    """Whether anything rolls in today: not on a stopped day where the stop blocks it, not after the policy period."""
    version = book.version
    if book.stopped and version.stop_cover.blocks_roll_in:
        return False
    return version.roll_in_until is None or book.day <= version.roll_in_until


def limit_for_roll_in(book: AccountBook, limits: LimitBook) -> int:
    """The limit up to which a layer rolls in today; 0 if it does not."""
    allocation = book.version.allocation
    if limits.is_reduced and not allocation.roll_in_under_reduced_limit:
        return 0
    return limits.in_force or (limits.last_in_force if allocation.roll_in_after_cancellation else 0)


def _roll_into_primary(book: AccountBook, free: int) -> None:
    oldest = oldest_interval(book, book.primary)
    for receivable in book.open_receivables:
        wanted = receivable.coverable - receivable.primary
        if wanted and receivable.reason is None and receivable.primary_interval >= oldest:
            amount = min(wanted, free)
            book.vacate(receivable)
            receivable.take_into_primary(amount)
            book.occupy(receivable, "roll_in")
            free -= amount
            if not free:
                return


def roll_into_top_up(book: AccountBook) -> None:
    """Let the top-up layer take over what the primary does not cover."""
    free = limit_for_roll_in(book, book.top_up) - book.top_up.used if book.version.has_top_up else 0
    if free <= 0:
        return
    oldest = oldest_interval(book, book.top_up)
    oldest_primary = oldest_interval(book, book.primary)
    for receivable in book.open_receivables:
        wanted = receivable.coverable - receivable.primary - receivable.top_up
        if wanted and receivable.reason is None and _may_roll_into_top_up(receivable, oldest, oldest_primary):
            amount = min(wanted, free)
            book.vacate(receivable)
            receivable.top_up += amount
            book.occupy(receivable, "roll_in")
            free -= amount
            if not free:
                return


def _may_roll_into_top_up(receivable: Receivable, oldest: int, oldest_primary: int) -> bool:
    is_supported = receivable.primary_interval >= oldest_primary or not receivable.follows_primary
    return receivable.top_up_interval >= oldest and is_supported


def oldest_interval(book: AccountBook, limits: LimitBook) -> int:
    """The number of the oldest interval whose receivables may roll in: the running one, or any."""
    if book.version.allocation.roll_in_after_cancellation:
        return 0
    return len(limits.intervals) - 1 if limits.is_running else len(limits.intervals)
