"""Credit notes, payments and credit balances: which receivables they reduce and by how much."""

from __future__ import annotations

from collections.abc import Sequence

from insureflow.domain.cover.allocation import Credit
from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.events import CreditNote, Payment, Purpose
from insureflow.domain.cover.receivable import Receivable


def take_credit_note(book: AccountBook, event: CreditNote) -> None:
    """A credit note reduces its invoice, waits for it, or without an invoice is allocated like a payment."""
    if event.invoice is None:
        currency = event.currency or book.account.limit_currency
        credit = Credit(event.net + event.vat, currency, book.factor(currency, event.rate))
        _allocate(book, credit, list(book.open_receivables), "credit_note")
    elif event.invoice in book.receivables:
        _credit_invoice(book, event, book.receivables[event.invoice])
    else:
        invoice = book.invoices[event.invoice]
        factor = book.factor(invoice.currency, invoice.rate)
        _keep(book, Credit(event.net + event.vat, invoice.currency, factor, (invoice.id,)))


def take_payment(book: AccountBook, event: Payment) -> None:
    """A payment walks through the open receivables, oldest first, or the designated ones where the policy says so."""
    allocation = book.version.allocation
    credit = Credit(event.amount, event.currency, book.factor(event.currency, event.rate))
    if event.purpose is Purpose.CASH_OR_PREPAID_SUPPLY and not allocation.prepayments_reduce_old_debt:
        credit.reserved_for = event.designated or None
        _allocate(book, credit, _designated(book, event), "payment")
    elif event.designated and allocation.respect_designation:
        _allocate(book, credit, _designated(book, event) + book.open_receivables, "payment")
    else:
        _allocate(book, credit, list(book.open_receivables), "payment")


def use_credits(book: AccountBook, receivable: Receivable) -> None:
    """A receivable that enters takes the credit items that may be used for it, oldest first."""
    for credit in book.credits:
        if (receivable.net or receivable.vat) and credit.is_usable_for(receivable.invoice.id):
            book.unallocated -= credit.value
            _use(book, credit, receivable, "credit_balance")
            book.unallocated += credit.value
    book.credits = [credit for credit in book.credits if credit.amount]


def _credit_invoice(book: AccountBook, event: CreditNote, receivable: Receivable) -> None:
    """*Formula:* net off net, tax off tax; what exceeds the one reduces the other; what exceeds both is a credit balance."""
    of_net, of_vat = min(event.net, receivable.net), min(event.vat, receivable.vat)
    more_net = min(event.vat - of_vat, receivable.net - of_net)
    more_vat = min(event.net - of_net, receivable.vat - of_vat)
    _reduce(book, receivable, of_net + more_net, of_vat + more_vat, "credit_note")
    left = event.net + event.vat - of_net - more_net - of_vat - more_vat
    if left:
        _keep(book, Credit(left, receivable.invoice.currency, receivable.factor))


def _designated(book: AccountBook, event: Payment) -> list[Receivable]:
    return [book.receivables[name] for name in event.designated if name in book.receivables]


def _allocate(book: AccountBook, credit: Credit, receivables: Sequence[Receivable], cause: str) -> None:
    for receivable in receivables:
        if not credit.amount:
            return
        if receivable.net or receivable.vat:
            _use(book, credit, receivable, cause)
    if credit.amount:
        _keep(book, credit)


def _use(book: AccountBook, credit: Credit, receivable: Receivable, cause: str) -> None:
    amount = credit.take_for(receivable)
    net, vat = receivable.split_reduction(amount, book.version.allocation.part_payment_applies_to)
    _reduce(book, receivable, net, vat, cause)


def _reduce(book: AccountBook, receivable: Receivable, net: int, vat: int, cause: str) -> None:
    if not (net or vat):
        return
    book.vacate(receivable)
    receivable.reduce(net, vat, book.version.allocation.partial_payment_reduces)
    book.occupy(receivable, cause)
    if not (receivable.net or receivable.vat):
        book.close(receivable)


def _keep(book: AccountBook, credit: Credit) -> None:
    book.credits.append(credit)
    book.unallocated += credit.value
