"""Whether a day is a stopped day: by the insurer, or because the buyer is overdue for too long."""

from __future__ import annotations

from datetime import date

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.eligibility import NOT_INSURED
from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.policies.terms import StopCover
from insureflow.domain.policies.vocabulary import InvoicesCounted, StopBasis


def is_stopped_day(book: AccountBook) -> bool:
    """True if what is shipped today is not covered.

    *Formula:* per invoice: the highest overdue amount exceeds the minimum; total: their sum does.
    """
    if book.insurer_stopped:
        return True
    rule = book.version.stop_cover
    if not rule.automatic:
        return False
    is_per_invoice, minimum = rule.basis is not StopBasis.TOTAL, rule.minimum_overdue_amount
    total = 0
    for receivable in book.overdue:
        amount = _amount_causing_stop(rule, book.day, receivable)
        if is_per_invoice and amount > minimum:
            return True
        total += amount
    book.overdue = [receivable for receivable in book.overdue if receivable.is_extension_over]
    return not is_per_invoice and total > minimum


def _amount_causing_stop(rule: StopCover, day: date, receivable: Receivable) -> int:
    if not receivable.is_extension_over or receivable.is_released or receivable.extension_end is None or receivable.extension_end >= day:
        return 0
    if receivable.reason in NOT_INSURED and rule.invoices_counted is InvoicesCounted.INSURED:
        return 0
    return receivable.open_value - (0 if rule.disputed_amounts_count else receivable.disputed_value)
