"""The confirmation of a payment plan to the buyer who asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from insureflow.documents.composition import Block, Bullets, Column, Composition, Grid, Heading, Text, Together, pairs
from insureflow.documents.items import OpenItem, by_currency, check_totals, totals_of
from insureflow.documents.mail_text import MailText, mail_of
from insureflow.documents.page_sizes import PageSize, page_size_for
from insureflow.documents.parties import BankAccount, Party
from insureflow.documents.parts import captioned, closing, item_grids, payment_details, signing
from insureflow.documents.printing import draw_pages
from insureflow.documents.web_page import web_page_of
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n.documents import Wording, wording_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """A part of the debt and the day it is to be paid."""

    due_on: date
    amount: Money
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPlanConfirmation:
    """A plan agreed with a buyer: instalments must add up to the open items, the interest and the costs."""

    number: str
    issued_on: date
    agreed_on: date
    sender: Party
    buyer: Party
    items: tuple[OpenItem, ...]
    instalments: tuple[Instalment, ...]
    interest: tuple[Money, ...] = ()
    costs: tuple[Money, ...] = ()
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    acknowledges_debt: bool = True
    note: str = ""

    def __post_init__(self) -> None:
        if not self.items or not self.instalments:
            raise Refusal("document_without_items", number=self.number)
        owed = [*(item.open for item in self.items), *self.interest, *self.costs]
        check_totals(self.number, [instalment.amount for instalment in self.instalments], owed)


def instalment_grids(instalments: Sequence[Instalment], wording: Wording) -> Iterator[Grid]:
    """The instalments, one grid for each currency, by date."""
    has_notes = any(instalment.note for instalment in instalments)
    columns = [Column(wording.phrase("No.")), Column(wording.phrase("Pay by")), Column(wording.phrase("Amount"), is_figure=True)]
    if has_notes:
        columns.append(Column(wording.phrase("Remark")))
    for currency, group in by_currency(instalments, lambda instalment: instalment.amount).items():
        rows = []
        for number, instalment in enumerate(sorted(group, key=lambda instalment: instalment.due_on), start=1):
            row = [wording.spoken(number), wording.day(instalment.due_on), wording.amount(instalment.amount)]
            rows.append(tuple([*row, instalment.note] if has_notes else row))
        (total,) = totals_of(instalment.amount for instalment in group)
        sums = [wording.phrase("Total %(currency)s", currency=currency), "", wording.amount(total), *([""] if has_notes else [])]
        yield Grid(wording.phrase("Amounts in %(currency)s", currency=currency), tuple(columns), tuple(rows), (tuple(sums),))


def compose_payment_plan(plan: PaymentPlanConfirmation, locale: str) -> Composition:
    """What the confirmation of a payment plan says."""
    wording = wording_of(locale)
    debt = totals_of(instalment.amount for instalment in plan.instalments)
    blocks: list[Block] = [
        Text(wording.phrase("Dear Sir or Madam,")),
        Text(wording.phrase("We confirm the payment plan that we agreed on %(day)s for the items below.", day=plan.agreed_on)),
    ]
    if plan.note:
        blocks.append(Text(plan.note))
    blocks.append(Heading(wording.phrase("Items in the plan")))
    blocks += captioned(item_grids(plan.items, None, wording))
    blocks.append(Heading(wording.phrase("Instalments")))
    if plan.interest or plan.costs:
        blocks.append(
            pairs(
                (wording.phrase("Open items"), wording.moneys(totals_of(item.open for item in plan.items))),
                (wording.phrase("Interest on late payment"), wording.moneys(plan.interest) if plan.interest else ""),
                (wording.phrase("Costs"), wording.moneys(plan.costs) if plan.costs else ""),
                (wording.phrase("Total to pay"), wording.moneys(debt)),
            )
        )
    blocks += captioned(instalment_grids(plan.instalments, wording))
    blocks.append(
        Bullets(
            (
                wording.phrase("The plan does not change the original due dates of the invoices."),
                wording.phrase("Each instalment must have reached our account on its date."),
                wording.phrase(
                    "If an instalment is not paid on its date, the plan ends and the whole amount that is still open is payable at once."
                ),
                wording.phrase("New deliveries are to be paid on their own terms and are not part of this plan."),
            )
        )
    )
    blocks += payment_details(plan.accounts, plan.payment_reference, wording)
    blocks += closing(plan.sender, wording)
    if plan.acknowledges_debt:
        blocks.append(
            Together(
                (
                    Heading(wording.phrase("Acknowledgement of debt")),
                    Text(
                        wording.phrase(
                            "We acknowledge that we owe %(amount)s and will pay it as set out above.", amount=wording.moneys(debt)
                        )
                    ),
                    signing(wording),
                )
            )
        )
    return Composition(
        wording=wording,
        number=plan.number,
        issued_on=plan.issued_on,
        title=wording.phrase("Confirmation of payment plan"),
        sender=plan.sender,
        recipient=plan.buyer,
        blocks=tuple(blocks),
    )


def build_payment_plan(plan: PaymentPlanConfirmation, locale: str, size: PageSize | None = None) -> bytes:
    """The confirmation of a payment plan as PDF."""
    return draw_pages(compose_payment_plan(plan, locale), size or page_size_for(plan.buyer.address.country))


def text_payment_plan(plan: PaymentPlanConfirmation, locale: str) -> MailText:
    """The e-mail that carries the confirmation of a payment plan."""
    return mail_of(compose_payment_plan(plan, locale))


def html_payment_plan(plan: PaymentPlanConfirmation, locale: str) -> str:
    """The confirmation of a payment plan as an accessible web page."""
    return web_page_of(compose_payment_plan(plan, locale))
