"""New receivables: what is fixed when they enter, their first cover, and what later limits fix for them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

from insureflow.domain.cover.book import ORDER_KEY, AccountBook
from insureflow.domain.cover.eligibility import (
    belongs_to_top_up,
    find_reason,
    is_outside_policy_period,
    latest_due_date,
    latest_invoice_date,
)
from insureflow.domain.cover.events import Invoice, Reason
from insureflow.domain.cover.receipts import use_credits
from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.cover.watching import watch


def enter_all(book: AccountBook, invoices: Sequence[tuple[int, Invoice]]) -> None:
    """Invoices shipped today enter the account, in the order of allocation; each comes with its place in the list of events."""
    entering = receivables_of(book, invoices)
    if len(entering) > 1:
        entering.sort(key=ORDER_KEY)
    for receivable in entering:
        enter(book, receivable)


def receivables_of(book: AccountBook, invoices: Sequence[tuple[int, Invoice]]) -> list[Receivable]:
    """Invoices shipped today as receivables that have not entered yet."""
    entering = []
    for position, invoice in invoices:
        receivable = Receivable(invoice, book.version_number, book.factor(invoice.currency, invoice.rate), book.grade)
        book.set_order_key(receivable, position)
        entering.append(receivable)
    return entering


def enter(book: AccountBook, receivable: Receivable) -> None:
    """One receivable enters the account and takes what cover is left for it."""
    invoice, version = receivable.invoice, book.version
    book.receivables[invoice.id] = receivable
    receivable.is_vat_covered = version.is_vat_covered
    receivable.follows_primary = version.follows_primary
    _test_facts_of_shipment(book, receivable)
    _find_intervals(book, receivable)
    receivable.revalue()
    if invoice.net or invoice.vat:
        _insert_in_order(book.open_receivables, receivable)
        if book.credits:
            use_credits(book, receivable)
    if book.pending_disputes:
        receivable.dispute(book.pending_disputes.pop(invoice.id, 0))
    if receivable.primary_interval >= 0:
        fix_conditions(book, receivable)
    else:
        _test_credit_terms(book, receivable)
        watch(book, receivable)
    receivable.reason = find_reason(receivable, book.primary, book.top_up)
    fix_provisional_percentage(book, receivable)
    if receivable.reason is None:
        _cover(book, receivable)
    book.occupy(receivable, "entry")


def _insert_in_order(receivables: list[Receivable], receivable: Receivable) -> None:
    """Most new receivables come last."""
    if not receivables or receivables[-1].order_key < receivable.order_key:
        receivables.append(receivable)
    else:
        insort(receivables, receivable, key=ORDER_KEY)


def _test_facts_of_shipment(book: AccountBook, receivable: Receivable) -> None:
    """The tests that rest on the day of shipment alone and never change."""
    invoice, version = receivable.invoice, book.version
    if is_outside_policy_period(version.terms, invoice.shipment_on):
        receivable.fixed_reason = Reason.OUTSIDE_POLICY_PERIOD
    elif not book.account.insurable:
        receivable.fixed_reason = Reason.BUYER_NOT_INSURABLE
    elif not version.is_country_covered:
        receivable.fixed_reason = Reason.COUNTRY_NOT_COVERED
    elif book.loss_on is not None:
        receivable.fixed_reason = Reason.SHIPPED_AFTER_DATE_OF_LOSS
    latest = latest_invoice_date(version.terms, invoice.shipment_on)
    receivable.invoiced_late = latest is not None and invoice.invoice_on > latest
    receivable.shipped_while_stopped = book.stopped
    receivable.grade_not_covered = not version.is_grade_covered(receivable.grade)


def _find_intervals(book: AccountBook, receivable: Receivable) -> None:
    primary, top_up = book.primary, book.top_up
    receivable.primary_interval = len(primary.intervals) - 1 if primary.is_running else -1
    receivable.top_up_interval = len(top_up.intervals) - 1 if top_up.is_running and book.version.has_top_up else -1
    receivable.limit_had_ended = primary.has_ended or top_up.has_ended


def _cover(book: AccountBook, receivable: Receivable) -> None:
    """*Formula:* the smaller of the coverable amount and the free capacity; the top-up layer takes what the primary leaves."""
    if receivable.primary_interval >= 0:
        receivable.primary = min(receivable.coverable, book.free_primary)
    if belongs_to_top_up(receivable):
        receivable.top_up = min(receivable.coverable - receivable.primary, book.top_up.headroom)


def fix_conditions(book: AccountBook, receivable: Receivable) -> None:
    """The conditions of the limit and the insured percentage, when a receivable first belongs to the primary layer."""
    if receivable.has_conditions:
        return
    receivable.has_conditions = True
    receivable.conditions = book.primary.conditions_for(receivable.invoice.shipment_on)
    _fix_percentage(book, receivable)
    _test_credit_terms(book, receivable)
    watch(book, receivable)


def fix_provisional_percentage(book: AccountBook, receivable: Receivable) -> None:
    """A receivable that belongs to the top-up layer alone has the percentage without conditions of a limit."""
    if receivable.insured_percentage is None and belongs_to_top_up(receivable):
        _fix_percentage(book, receivable)


def _fix_percentage(book: AccountBook, receivable: Receivable) -> None:
    percentage, source, weight, top_up_weight = book.percentage_for(receivable)
    receivable.insured_percentage, receivable.percentage_source = percentage, source
    receivable.weight, receivable.top_up_weight = weight, top_up_weight
    book.touched[receivable.invoice.id] = receivable


def _test_credit_terms(book: AccountBook, receivable: Receivable) -> None:
    maximum = book.version_of(receivable).maximum_credit_terms(receivable.conditions)
    receivable.terms_exceed_maximum = maximum is not None and receivable.invoice.due_on > latest_due_date(maximum, receivable.invoice)
