"""What time alone will do to a receivable: its maximum extension period ends, the time for notification runs out."""

from __future__ import annotations

from datetime import date

from insureflow.domain.cover.book import EXTENSION_OVER, NOTIFICATION_OVER, AccountBook
from insureflow.domain.cover.eligibility import calendar_of, extension_period_end, notification_deadline
from insureflow.domain.cover.limits import ONE_DAY
from insureflow.domain.cover.receivable import Receivable


def end_of_extension_period(book: AccountBook, receivable: Receivable) -> date | None:
    """The last day of the maximum extension period; None where there is none."""
    period = book.version_of(receivable).maximum_extension_period(receivable.conditions)
    return extension_period_end(period, receivable.invoice) if period is not None else None


def watch(book: AccountBook, receivable: Receivable) -> None:
    """Put on the schedule what time alone will do to a receivable; after the date of loss it does nothing."""
    if book.loss_on is not None:
        return
    if book.watches_extensions:
        watch_extension_period(book, receivable)
    if book.watches_notifications:
        _watch_notification(book, receivable)


def watch_extension_period(book: AccountBook, receivable: Receivable) -> None:
    """Expect the day after the maximum extension period; a postponement with consent puts it off."""
    end = end_of_extension_period(book, receivable)
    if end is None:
        return
    if receivable.extension_consented_to is not None:
        end = max(end, receivable.extension_consented_to)
    receivable.extension_end = end
    book.put_on_schedule(max(end, book.day) + ONE_DAY, EXTENSION_OVER, receivable)
    if end < book.day:
        note_overdue(book, receivable)


def note_overdue(book: AccountBook, receivable: Receivable) -> None:
    """From today on the receivable may cause an automatic stop."""
    if not receivable.is_extension_over:
        receivable.is_extension_over = True
        book.overdue.append(receivable)


def _watch_notification(book: AccountBook, receivable: Receivable) -> None:
    version = book.version_of(receivable)
    if version.notification is None:
        return
    calendar = calendar_of(version.terms, book.account.calendars)
    deadline = notification_deadline(
        version.notification, receivable.invoice, end_of_extension_period(book, receivable), calendar, book.reliefs
    )
    receivable.notification_deadline = deadline
    if deadline is None:
        return
    if deadline >= book.day:
        book.put_on_schedule(deadline + ONE_DAY, NOTIFICATION_OVER, receivable)
    else:
        book.notifications_due.append(receivable)
