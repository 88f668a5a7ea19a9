"""Letters that ask a buyer for money: reminders of every level, and the notice of interest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from insureflow.documents.composition import Block, Column, Composition, Grid, Pairs, Text, Together, pairs
from insureflow.documents.items import OpenItem, by_currency, check_totals, totals_of
from insureflow.documents.mail_text import MailText, mail_of
from insureflow.documents.page_sizes import PageSize, page_size_for
from insureflow.documents.parties import BankAccount, Party
from insureflow.documents.parts import captioned, closing, item_grids, payment_details
from insureflow.documents.printing import draw_pages
from insureflow.documents.web_page import web_page_of
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n.documents import Wording, phrased, wording_of


class ReminderLevel(StrEnum):
    """How firmly a letter asks."""

    BEFORE_DUE = "before_due"
    FRIENDLY = "friendly"
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestTerms:
    """The rate of interest on late payment, per year and hundred, and what it rests on (a law, a contract)."""

    annual_rate: Decimal
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderLetter:
    """A reminder or demand to a buyer.

    ``pay_by`` is the day by which payment is asked for; before the due date the due dates themselves count. ``fees`` are charges for
    reminding, ``earlier_on`` the days of earlier letters, ``stated_totals`` what the ledger says is open: where given, the items must
    add up to it.
    """

    number: str
    issued_on: date
    level: ReminderLevel
    sender: Party
    buyer: Party
    items: tuple[OpenItem, ...]
    pay_by: date
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    interest: InterestTerms | None = None
    fees: tuple[Money, ...] = ()
    earlier_on: tuple[date, ...] = ()
    suspends_deliveries: bool = False
    note: str = ""
    stated_totals: tuple[Money, ...] = ()

    def __post_init__(self) -> None:
        if not self.items:
            raise Refusal("document_without_items", number=self.number)
        if self.stated_totals:
            check_totals(self.number, self.stated_totals, [item.open for item in self.items])


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestLine:
    """Interest on one invoice from the day after ``from_on`` to ``until_on``."""

    number: str
    due_on: date
    principal: Money
    from_on: date
    until_on: date
    annual_rate: Decimal
    interest: Money

    @property
    def days(self) -> int:
        """Days for which interest runs."""
        return (self.until_on - self.from_on).days


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestNotice:
    """A notice of interest on late payment, with how each amount was worked out; ``totals`` must be the sum of the lines."""

    number: str
    issued_on: date
    sender: Party
    buyer: Party
    lines: tuple[InterestLine, ...]
    totals: tuple[Money, ...]
    pay_by: date
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    basis: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.lines:
            raise Refusal("document_without_items", number=self.number)
        check_totals(self.number, self.totals, [line.interest for line in self.lines])


TITLES = {
    ReminderLevel.BEFORE_DUE: phrased("Upcoming payment"),
    ReminderLevel.FRIENDLY: phrased("Payment reminder"),
    ReminderLevel.FIRST: phrased("First reminder"),
    ReminderLevel.SECOND: phrased("Second reminder"),
    ReminderLevel.THIRD: phrased("Third reminder"),
    ReminderLevel.FINAL: phrased("Final demand for payment"),
}
_REQUESTS = {
    ReminderLevel.BEFORE_DUE: phrased(
        "The items below fall due soon. We would be grateful if your payment reached us on the due dates given there."
    ),
    ReminderLevel.FRIENDLY: phrased(
        "Perhaps it has escaped your attention: according to our books the items below have not been paid yet. Please pay the total by %(day)s."
    ),
    ReminderLevel.FIRST: phrased(
        "According to our books the items below are past their due date and have not been paid. Please pay the total by %(day)s."
    ),
    ReminderLevel.SECOND: phrased(
        "We have already reminded you of the items below, but we have not received your payment. "
        "Please pay the total by %(day)s, or tell us at once what prevents the payment."
    ),
    ReminderLevel.THIRD: phrased(
        "In spite of our reminders the items below are still unpaid. We expect the total on our account by %(day)s. "
        "Please contact us today if you cannot pay by then."
    ),
    ReminderLevel.FINAL: phrased(
        "In spite of several reminders the items below are still unpaid. We demand that the total reach our account by %(day)s at the latest. "
        "After that day we will take the steps that are needed to collect the debt, without writing to you again and, "
        "as far as the law allows, at your expense."
    ),
}


def compose_reminder(letter: ReminderLetter, locale: str) -> Composition:
    """What a reminder says."""
    wording = wording_of(locale)
    blocks: list[Block] = [Text(wording.phrase("Dear Sir or Madam,")), Text(wording.phrase(_REQUESTS[letter.level], day=letter.pay_by))]
    if letter.earlier_on:
        blocks.append(Text(wording.phrase("We wrote to you about this on %(days)s.", days=wording.days(letter.earlier_on))))
    if letter.note:
        blocks.append(Text(letter.note))
    blocks += captioned(item_grids(letter.items, letter.issued_on, wording))
    blocks.append(Together((_amounts_due(letter, wording),)))
    if letter.interest is not None:
        blocks.append(Text(_interest_sentence(letter.interest, wording)))
    if letter.suspends_deliveries:
        blocks.append(Text(wording.phrase("Until we have received your payment, we will deliver against payment in advance only.")))
    if any(item.is_disputed for item in letter.items) or letter.level is not ReminderLevel.BEFORE_DUE:
        blocks.append(
            Text(wording.phrase("If you contest an item, please tell us in writing by %(day)s which one and why.", day=letter.pay_by))
        )
    blocks += payment_details(letter.accounts, letter.payment_reference, wording)
    if letter.level is not ReminderLevel.BEFORE_DUE:
        blocks.append(Text(wording.phrase("If you have paid in the meantime, please accept our thanks and disregard this letter.")))
    blocks += closing(letter.sender, wording)
    return Composition(
        wording=wording,
        number=letter.number,
        issued_on=letter.issued_on,
        title=wording.phrase(TITLES[letter.level]),
        sender=letter.sender,
        recipient=letter.buyer,
        blocks=tuple(blocks),
    )


def _amounts_due(letter: ReminderLetter, wording: Wording) -> Pairs:
    opens = totals_of(item.open for item in letter.items)
    interest = totals_of(item.interest for item in letter.items)
    if not interest and not letter.fees:
        return Pairs(((wording.phrase("Total to pay"), wording.moneys(opens)),))
    due = totals_of([*opens, *interest, *letter.fees])
    return pairs(
        (wording.phrase("Open items"), wording.moneys(opens)),
        (wording.phrase("Interest on late payment"), wording.moneys(interest) if interest else ""),
        (wording.phrase("Reminder fees"), wording.moneys(letter.fees) if letter.fees else ""),
        (wording.phrase("Total to pay"), wording.moneys(due)),
    )


def _interest_sentence(terms: InterestTerms, wording: Wording) -> str:
    rate = wording.percent(terms.annual_rate)
    if terms.basis:
        return wording.phrase("We charge interest on late payment at %(rate)s a year (%(basis)s).", rate=rate, basis=terms.basis)
    return wording.phrase("We charge interest on late payment at %(rate)s a year.", rate=rate)


def build_reminder(letter: ReminderLetter, locale: str, size: PageSize | None = None) -> bytes:
    """The reminder as PDF, on the paper of the buyer's country."""
    return draw_pages(compose_reminder(letter, locale), size or page_size_for(letter.buyer.address.country))


def text_reminder(letter: ReminderLetter, locale: str) -> MailText:
    """The e-mail that carries a reminder."""
    return mail_of(compose_reminder(letter, locale))


def html_reminder(letter: ReminderLetter, locale: str) -> str:
    """The reminder as an accessible web page."""
    return web_page_of(compose_reminder(letter, locale))


def compose_interest_notice(notice: InterestNotice, locale: str) -> Composition:
    """What a notice of interest says."""
    wording = wording_of(locale)
    blocks: list[Block] = [
        Text(wording.phrase("Dear Sir or Madam,")),
        Text(
            wording.phrase(
                "The invoices below were paid late or are still unpaid. We charge the interest on late payment that is worked out there. "
                "Please pay it by %(day)s.",
                day=notice.pay_by,
            )
        ),
    ]
    if notice.basis:
        blocks.append(Text(wording.phrase("Basis of the interest: %(basis)s.", basis=notice.basis)))
    if notice.note:
        blocks.append(Text(notice.note))
    blocks += captioned(_interest_grids(notice, wording))
    blocks.append(Pairs(((wording.phrase("Total to pay"), wording.moneys(notice.totals)),)))
    blocks += payment_details(notice.accounts, notice.payment_reference, wording)
    blocks += closing(notice.sender, wording)
    return Composition(
        wording=wording,
        number=notice.number,
        issued_on=notice.issued_on,
        title=wording.phrase("Notice of interest on late payment"),
        sender=notice.sender,
        recipient=notice.buyer,
        blocks=tuple(blocks),
    )


def _interest_grids(notice: InterestNotice, wording: Wording) -> Iterator[Grid]:
    columns = (
        Column(wording.phrase("Invoice")),
        Column(wording.phrase("Due date")),
        Column(wording.phrase("Principal"), is_figure=True),
        Column(wording.phrase("From")),
        Column(wording.phrase("Until")),
        Column(wording.phrase("Days"), is_figure=True),
        Column(wording.phrase("Rate a year"), is_figure=True),
        Column(wording.phrase("Interest"), is_figure=True),
    )
    for currency, lines in by_currency(notice.lines, lambda line: line.interest).items():
        rows = tuple(
            (
                line.number,
                wording.day(line.due_on),
                wording.amount(line.principal),
                wording.day(line.from_on + timedelta(days=1)),  # the first day for which interest runs
                wording.day(line.until_on),
                wording.spoken(line.days),
                wording.percent(line.annual_rate),
                wording.amount(line.interest),
            )
            for line in lines
        )
        (total,) = totals_of(line.interest for line in lines)
        sums = ((wording.phrase("Total %(currency)s", currency=currency), "", "", "", "", "", "", wording.amount(total)),)
        yield Grid(wording.phrase("Amounts in %(currency)s", currency=currency), columns, rows, sums)


def build_interest_notice(notice: InterestNotice, locale: str, size: PageSize | None = None) -> bytes:
    """The notice of interest as PDF."""
    return draw_pages(compose_interest_notice(notice, locale), size or page_size_for(notice.buyer.address.country))


def text_interest_notice(notice: InterestNotice, locale: str) -> MailText:
    """The e-mail that carries a notice of interest."""
    return mail_of(compose_interest_notice(notice, locale))


def html_interest_notice(notice: InterestNotice, locale: str) -> str:
    """The notice of interest as an accessible web page."""
    return web_page_of(compose_interest_notice(notice, locale))
