"""Disputes, postponements, and what the insurer says during the life of a receivable."""

from __future__ import annotations

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.events import (
    BuyerGrade,
    Consent,
    Dispute,
    DisputeResolved,
    Extension,
    ExtensionWithdrawn,
    OverdueNotification,
    StopCover,
    StopCoverLifted,
)
from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.cover.watching import end_of_extension_period, watch_extension_period


def dispute(book: AccountBook, event: Dispute) -> None:
    """The buyer disputes a receivable; for one that has not entered yet it waits."""
    receivable = book.receivables.get(event.invoice)
    if receivable is None:
        book.pending_disputes[event.invoice] = book.pending_disputes.get(event.invoice, 0) + event.amount
        return
    book.vacate(receivable)
    receivable.dispute(event.amount)
    book.occupy(receivable, "dispute")


def resolve_dispute(book: AccountBook, event: DisputeResolved) -> None:
    """Settlement or judgment on all that is disputed on a receivable."""
    receivable = book.get(event.invoice)
    was_open = bool(receivable.net or receivable.vat)
    book.vacate(receivable)
    receivable.resolve_dispute(event.found_owed)
    book.occupy(receivable, "dispute_resolved")
    if was_open and not (receivable.net or receivable.vat):
        book.close(receivable)


def extend(book: AccountBook, event: Extension) -> None:
    """A postponement beyond the maximum extension period needs consent; with it, it puts off the automatic stop.

    Under a policy that forbids new terms after shipment every postponement needs consent, within the period too.
    """
    receivable = book.get(event.invoice)
    end = end_of_extension_period(book, receivable)
    if book.version_of(receivable).terms.no_new_terms_after_shipment and not event.consent:
        end = receivable.invoice.due_on
    if end is None:
        return
    if event.consent:
        receivable.extension_consented_to = max(event.new_due_on, receivable.extension_consented_to or event.new_due_on)
        watch_extension_period(book, receivable)
    elif event.new_due_on > end:
        receivable.extended_without_consent = True
        book.review(receivable)


def withdraw_extension(book: AccountBook, event: ExtensionWithdrawn) -> None:
    """From today on the automatic stop follows what still holds; what was shipped or lost until now stays as it was."""
    receivable = book.get(event.invoice)
    receivable.extension_consented_to = event.consented_to
    watch_extension_period(book, receivable)


def consent(book: AccountBook, event: Consent) -> None:
    """These receivables no longer cause an automatic stop."""
    for receivable in _named(book, event.invoices):
        receivable.is_released = True


def notify(book: AccountBook, event: OverdueNotification) -> None:
    """The insurer knows that these receivables are overdue."""
    for receivable in _named(book, event.invoices):
        receivable.is_notified = True


def stop(book: AccountBook, _event: StopCover) -> None:
    """The insurer stops cover for new shipments."""
    book.insurer_stopped = True


def lift_stop(book: AccountBook, _event: StopCoverLifted) -> None:
    """The insurer lifts the stop."""
    book.insurer_stopped = False


def set_grade(book: AccountBook, event: BuyerGrade) -> None:
    """The insurer grades the buyer anew."""
    book.grade = event.grade


def _named(book: AccountBook, invoices: tuple[str, ...] | None) -> list[Receivable]:
    return book.open_receivables if invoices is None else [book.get(invoice) for invoice in invoices]
