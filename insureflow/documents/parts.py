"""Parts that several papers share: lists of items, accounts to pay to, people to ask, places to sign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from insureflow.documents.composition import Block, Column, Grid, Heading, Pairs, Signing, Text, Together, pairs
from insureflow.documents.items import AGE_GROUPS, ItemKind, OpenItem, ageing, by_currency
from insureflow.documents.parties import BankAccount, Contact, Party, Signatory, grouped_iban
from insureflow.domain.money import Money
from insureflow.i18n.documents import Wording, phrased

KINDS = {
    ItemKind.INVOICE: phrased("Invoice"),
    ItemKind.CREDIT_NOTE: phrased("Credit note"),
    ItemKind.PAYMENT: phrased("Payment"),
    ItemKind.INTEREST: phrased("Interest"),
    ItemKind.FEE: phrased("Fee"),
}


def item_name(kind: ItemKind, number: str, wording: Wording) -> str:
    """The number of an item; anything but an invoice says what it is."""
    return number if kind is ItemKind.INVOICE else f"{wording.phrase(KINDS[kind])} {number}".strip()


def item_grids(items: Sequence[OpenItem], on: date | None, wording: Wording) -> Iterator[Grid]:
    """The open items, one grid for each currency, the oldest due date first.

    ``on``: the day on which it is told how late they are; None where that is not told, as in a plan that leaves it behind.
    """
    for currency, group in by_currency(items, lambda item: item.open).items():
        has_interest = any(item.interest is not None for item in group)
        columns = [
            Column(wording.phrase("Invoice")),
            Column(wording.phrase("Date")),
            Column(wording.phrase("Due date")),
            *([] if on is None else [Column(wording.phrase("Days late"), is_figure=True)]),
            Column(wording.phrase("Amount"), is_figure=True),
            Column(wording.phrase("Open"), is_figure=True),
        ]
        if has_interest:
            columns.append(Column(wording.phrase("Interest"), is_figure=True))
        rows = []
        for item in sorted(group, key=lambda item: (item.due_on, item.issued_on, item.number)):
            late = 0 if on is None else item.days_late(on)
            row = [
                item_name(item.kind, item.number, wording),
                wording.day(item.issued_on),
                wording.day(item.due_on),
                *([] if on is None else [wording.spoken(late) if late else ""]),
                wording.amount(item.amount),
                wording.amount(item.open),
            ]
            if has_interest:
                row.append(wording.amount(item.interest) if item.interest is not None else "")
            rows.append(tuple(row))
        total = [
            wording.phrase("Total %(currency)s", currency=currency),
            "",
            "",
            *([] if on is None else [""]),
            "",
            wording.amount(_sum([item.open for item in group], currency)),
        ]
        if has_interest:
            total.append(wording.amount(_sum([item.interest for item in group], currency)))
        yield Grid(wording.phrase("Amounts in %(currency)s", currency=currency), tuple(columns), tuple(rows), (tuple(total),))


def _sum(amounts: Sequence[Money | None], currency: str) -> Money:
    return sum((amount for amount in amounts if amount is not None), Money.zero(currency))


def captioned(grids: Iterator[Grid]) -> Iterator[Block]:
    """Grids below the words that say what they show."""
    for grid in grids:
        yield Text(grid.caption, is_small=True, leads=True)
        yield grid


def ageing_grid(items: Sequence[OpenItem], on: date, wording: Wording) -> Grid:
    """Open amounts by days after the original due date, a row for each currency."""
    titles = [wording.phrase("Currency"), wording.phrase("Not yet due")]
    titles += [wording.phrase("%(first)s–%(last)s days", first=first + 1, last=last) for first, last in pairwise(AGE_GROUPS)]
    titles += [wording.phrase("Over %(days)s days", days=AGE_GROUPS[-1]), wording.phrase("Total")]
    rows = [
        (currency, *(wording.amount(amount) for amount in sums), wording.amount(_sum(sums, currency)))
        for currency, sums in ageing(items, on).items()
    ]
    columns = tuple(Column(title, is_figure=number > 0) for number, title in enumerate(titles))
    return Grid(wording.phrase("Ageing of open items"), columns, tuple(rows))


def payment_details(accounts: Sequence[BankAccount], reference: str, wording: Wording) -> Iterator[Block]:
    """Where to pay, and what to say with the payment."""
    if not accounts and not reference:
        return
    blocks: list[Block] = [Heading(wording.phrase("Payment details"))]
    if reference:
        blocks.append(Pairs(((wording.phrase("Payment reference"), reference),)))
    blocks += [
        pairs(
            (wording.phrase("Account holder"), account.holder),
            (wording.phrase("IBAN"), grouped_iban(account.iban)),
            (wording.phrase("Account number"), account.number),
            (wording.phrase("BIC"), account.bic),
            (wording.phrase("Bank"), account.bank),
            (wording.phrase("Currency"), account.currency),
        )
        for account in accounts
    ]
    yield Together(tuple(blocks))


def contact_line(contact: Contact) -> str:
    """A person with every way to reach them, on one line."""
    name = f"{contact.name}, {contact.role}" if contact.role else contact.name
    return " · ".join(part for part in (name, contact.phone.replace(" ", "\u00a0"), contact.email) if part)


def closing(sender: Party, wording: Wording) -> Iterator[Block]:
    """The end of a letter: whom to ask, greeting, name."""
    if sender.contact is not None:
        yield Text(wording.phrase("If you have questions, please contact %(contact)s.", contact=contact_line(sender.contact)), leads=True)
    name = sender.contact.name if sender.contact is not None else ""
    yield Together(
        (Text(wording.phrase("Yours sincerely,")), Text("\n".join(filter(None, (name, sender.name))), region=sender.address.country))
    )


def signing(wording: Wording, signatory: Signatory | None = None) -> Signing:
    """A place to sign, with place and date; a known signatory is printed below."""
    name = ", ".join(filter(None, (signatory.name, signatory.role))) if signatory is not None else wording.phrase("Name and position")
    place = wording.phrase("Place and date")
    if signatory is not None and signatory.place:
        place = f"{place}: {signatory.place}"
    return Signing((place, wording.phrase("Signature"), name))


def party_pairs(party: Party, wording: Wording, *, names_insurer_reference: bool = False) -> Pairs:
    """A company with its numbers and people, as forms ask for it."""
    contact = party.contact
    reference = party.insurer_reference if names_insurer_reference else ""
    return pairs(
        (wording.phrase("Name"), party.name),
        (wording.phrase("Trading name"), party.trading_name),
        (wording.phrase("Address"), "\n".join(party.lines(wording)[1:])),
        (wording.phrase("Registration number"), party.registration_number),
        (wording.phrase("VAT number"), party.tax_number),
        (wording.phrase("Your reference for the buyer"), reference) if names_insurer_reference else ("", None),
        (wording.phrase("Contact"), contact_line(contact) if contact is not None else ""),
        region=party.address.country,
    )
