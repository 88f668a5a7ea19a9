"""The statement of account: what moved, what is open, and how old it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from insureflow.documents.composition import Block, Column, Composition, Grid, Heading, Text, Together
from insureflow.documents.items import ItemKind, OpenItem, by_currency, check_totals, totals_of
from insureflow.documents.mail_text import MailText, mail_of
from insureflow.documents.page_sizes import PageSize, page_size_for
from insureflow.documents.parties import BankAccount, Party
from insureflow.documents.parts import KINDS, ageing_grid, captioned, closing, item_grids, payment_details, signing
from insureflow.documents.printing import draw_pages
from insureflow.documents.web_page import web_page_of
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n.documents import Wording, wording_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """An entry of the account: positive amounts raise the debt, negative ones lower it."""

    on: date
    kind: ItemKind
    number: str
    amount: Money
    due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementOfAccount:
    """The account of a buyer on ``as_of``, with its history since ``since``.

    Opening balances and movements must add up to ``closing``, and so must the open items. ``confirm_by`` asks the buyer to confirm the
    balance by that day.
    """

    number: str
    issued_on: date
    as_of: date
    sender: Party
    buyer: Party
    items: tuple[OpenItem, ...]
    closing: tuple[Money, ...]
    since: date | None = None
    opening: tuple[Money, ...] = ()
    movements: tuple[Movement, ...] = ()
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    confirm_by: date | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_totals(self.number, self.closing, [item.open for item in self.items])
        if self.since is not None:
            check_totals(self.number, self.closing, [*self.opening, *(movement.amount for movement in self.movements)])
        elif self.movements or self.opening:
            raise Refusal("document_history_without_start", number=self.number)


def compose_statement(statement: StatementOfAccount, locale: str) -> Composition:
    """What a statement of account says."""
    wording = wording_of(locale)
    blocks: list[Block] = [
        Text(wording.phrase("Dear Sir or Madam,")),
        Text(wording.phrase("This statement shows your account with us as of %(day)s.", day=statement.as_of)),
    ]
    if statement.note:
        blocks.append(Text(statement.note))
    blocks.append(Heading(wording.phrase("Open items")))
    if statement.items:
        blocks += captioned(item_grids(statement.items, statement.as_of, wording))
        blocks += [Together((Heading(wording.phrase("Ageing of open items")), ageing_grid(statement.items, statement.as_of, wording)))]
    else:
        blocks.append(Text(wording.phrase("There are no open items.")))
    if statement.since is not None:
        heading = wording.phrase("Movements from %(first)s to %(last)s", first=statement.since, last=statement.as_of)
        blocks.append(Heading(heading))
        blocks += captioned(_movement_grids(statement, wording))
    blocks += payment_details(statement.accounts, statement.payment_reference, wording)
    blocks += closing(statement.sender, wording)
    if statement.confirm_by is not None:
        blocks += _confirmation(statement, wording)
    return Composition(
        wording=wording,
        number=statement.number,
        issued_on=statement.issued_on,
        title=wording.phrase("Statement of account"),
        sender=statement.sender,
        recipient=statement.buyer,
        blocks=tuple(blocks),
    )


def _movement_grids(statement: StatementOfAccount, wording: Wording) -> Iterator[Grid]:
    """The history of each currency with its running balance, from the opening to the closing balance."""
    columns = (
        Column(wording.phrase("Date")),
        Column(wording.phrase("Document")),
        Column(wording.phrase("Due date")),
        Column(wording.phrase("Debit"), is_figure=True),
        Column(wording.phrase("Credit"), is_figure=True),
        Column(wording.phrase("Balance"), is_figure=True),
    )
    opening = {amount.currency: amount for amount in totals_of(statement.opening)}
    groups = by_currency(statement.movements, lambda movement: movement.amount)
    for currency in dict.fromkeys((*opening, *groups)):
        balance = opening.get(currency, Money.zero(currency))
        rows = [(wording.day(statement.since), wording.phrase("Opening balance"), "", "", "", wording.amount(balance))]
        for movement in sorted(groups.get(currency, ()), key=lambda movement: movement.on):
            balance += movement.amount
            is_debit = movement.amount.minor >= 0
            rows.append(
                (
                    wording.day(movement.on),
                    f"{wording.phrase(KINDS[movement.kind])} {movement.number}".strip(),
                    wording.day(movement.due_on) if movement.due_on is not None else "",
                    wording.amount(movement.amount) if is_debit else "",
                    "" if is_debit else wording.amount(-movement.amount),
                    wording.amount(balance),
                )
            )
        last = (wording.day(statement.as_of), wording.phrase("Closing balance"), "", "", "", wording.amount(balance))
        yield Grid(wording.phrase("Amounts in %(currency)s", currency=currency), columns, tuple(rows), (last,))


def _confirmation(statement: StatementOfAccount, wording: Wording) -> Iterator[Block]:
    """What the buyer signs: an acknowledgement of the debt in the buyer's own hand is worth more than any letter."""
    closing_balance = wording.moneys(statement.closing)
    yield Together(
        (
            Heading(wording.phrase("Confirmation of balance")),
            Text(
                wording.phrase(
                    "Please compare this statement with your books and return it signed by %(day)s, or tell us where your books differ.",
                    day=statement.confirm_by,
                )
            ),
            Text(wording.phrase("We confirm that we owe %(amount)s as of %(day)s.", amount=closing_balance, day=statement.as_of)),
            signing(wording),
        )
    )


def build_statement(statement: StatementOfAccount, locale: str, size: PageSize | None = None) -> bytes:
    """The statement of account as PDF."""
    return draw_pages(compose_statement(statement, locale), size or page_size_for(statement.buyer.address.country))


def text_statement(statement: StatementOfAccount, locale: str) -> MailText:
    """The e-mail that carries a statement of account."""
    return mail_of(compose_statement(statement, locale))


def html_statement(statement: StatementOfAccount, locale: str) -> str:
    """The statement of account as an accessible web page."""
    return web_page_of(compose_statement(statement, locale))
