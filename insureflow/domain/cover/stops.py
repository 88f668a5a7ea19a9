"""Whether a day is a stopped day: by the insurer, or because the buyer is overdue for too long."""

from __future__ import annotations

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.eligibility import NOT_INSURED
from insureflow.domain.cover.receivable import Receivable
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
    book.overdue = [receivable for receivable in book.overdue if receivable.is_extension_over]
    amounts = [_amount_causing_stop(book, receivable) for receivable in book.overdue]
    overdue = sum(amounts) if rule.basis is StopBasis.TOTAL else max(amounts, default=0)
    return overdue > rule.minimum_overdue_amount


def _amount_causing_stop(book: AccountBook, receivable: Receivable) -> int:
    rule = book.version.stop_cover
    if receivable.is_released or receivable.extension_end is None or receivable.extension_end >= book.day:
        return 0
    if receivable.reason in NOT_INSURED and rule.invoices_counted is InvoicesCounted.INSURED:
        return 0
    return receivable.open_value - (0 if rule.disputed_amounts_count else receivable.disputed_value)
