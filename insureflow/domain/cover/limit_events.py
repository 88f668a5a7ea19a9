"""The first step of a day: limits lapse, take effect and are decided; times for notification run out."""

from __future__ import annotations

from datetime import date

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.entry import fix_conditions, fix_provisional_percentage
from insureflow.domain.cover.events import Layer, LimitDecision, LimitWithdrawal, SharedUse, TemporaryLimit
from insureflow.domain.cover.limits import ONE_DAY
from insureflow.domain.cover.receivable import convert
from insureflow.domain.errors import Refusal


def decide_limit(book: AccountBook, event: LimitDecision) -> None:
    """The insurer sets the limit of a layer. Errors: ``conditions_need_primary_layer``, ``top_up_layer_unknown``."""
    limits = book.limit_book(event.layer)
    if event.conditions is not None and event.layer is not Layer.PRIMARY:
        raise Refusal("conditions_need_primary_layer", on=event.on)
    amount = convert(event.amount, book.factor(event.currency, event.rate))
    days = limits.decide(event.on, amount, book.version.notice, event.effective_from, event.valid_to, event.conditions)
    _put_on_schedule(book, days)


def grant_temporary_limit(book: AccountBook, event: TemporaryLimit) -> None:
    """The insurer grants a higher limit for a time. Errors: ``top_up_layer_unknown``."""
    amount = convert(event.amount, book.factor(event.currency, event.rate))
    _put_on_schedule(book, book.limit_book(event.layer).grant_temporary(event.on, amount, event.effective_from, event.valid_to))


def withdraw_limit(book: AccountBook, event: LimitWithdrawal) -> None:
    """The insurer withdraws the limit of a layer. Errors: ``top_up_layer_unknown``."""
    _put_on_schedule(book, book.limit_book(event.layer).withdraw(event.on, book.version.notice, event.effective_from))


def share_limit(book: AccountBook, event: SharedUse) -> None:
    """Other buyers use more, or less, of the primary limit they share with this one."""
    book.taken_elsewhere = event.amount


def finish_limits(book: AccountBook) -> None:
    """The limits in force after all limit events of the day, and the receivables they bring into a limit interval."""
    primary_from = book.primary.finish_day(book.day)
    is_supported = not book.version.follows_primary or book.primary.in_force > 0
    top_up_from = book.top_up.finish_day(book.day, is_supported=is_supported)
    book.is_rolled_in = False
    if primary_from is not None or top_up_from is not None:
        _reach_back(book, primary_from, top_up_from)


def end_notification_times(book: AccountBook) -> None:
    """Receivables still open and not notified at the end of their deadline, yesterday, lose their cover."""
    yesterday = book.day - ONE_DAY
    for receivable in book.notifications_due:
        if receivable.notification_deadline == yesterday and not receivable.is_notified and (receivable.net or receivable.vat):
            receivable.notified_late = True
            book.review(receivable)
    book.notifications_due.clear()


def _reach_back(book: AccountBook, primary_from: date | None, top_up_from: date | None) -> None:
    """An interval has begun, or begins earlier than it did: receivables already shipped may belong to it."""
    for receivable in book.receivables.values():
        shipment_on = receivable.invoice.shipment_on
        if primary_from is not None and shipment_on >= primary_from:
            receivable.primary_interval = len(book.primary.intervals) - 1
            fix_conditions(book, receivable)
        if top_up_from is not None and shipment_on >= top_up_from and book.version_of(receivable).has_top_up:
            receivable.top_up_interval = len(book.top_up.intervals) - 1
        book.review(receivable)
        fix_provisional_percentage(book, receivable)


def _put_on_schedule(book: AccountBook, days: tuple[date, ...]) -> None:
    for day in days:
        book.put_on_schedule(day)
