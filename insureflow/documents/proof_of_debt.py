"""The proof of debt, lodged with the administrator in an insolvency; it never mentions insurance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from insureflow.documents.composition import Block, Column, Composition, Grid, Heading, Text, Together, pairs
from insureflow.documents.items import by_currency, check_totals, totals_of
from insureflow.documents.mail_text import MailText, mail_of
from insureflow.documents.notices import Annex
from insureflow.documents.notices.parts import annex_list
from insureflow.documents.notices.terms import PROCEEDINGS
from insureflow.documents.page_sizes import PageSize, page_size_for
from insureflow.documents.parties import BankAccount, Party, Signatory
from insureflow.documents.parts import captioned, party_pairs, payment_details, signing
from insureflow.documents.printing import draw_pages
from insureflow.documents.web_page import web_page_of
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.notices import ProceedingKind
from insureflow.i18n.documents import Wording, wording_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtItem:
    """An invoice lodged: principal, and interest up to the opening of the proceedings."""

    number: str
    issued_on: date
    due_on: date
    amount: Money
    principal: Money
    interest: Money | None = None
    delivered_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOfDebt:
    """A claim lodged against an insolvent buyer; ``totals`` must be principal, interest and costs together."""

    number: str
    issued_on: date
    creditor: Party
    debtor: Party
    addressee: Party
    proceeding: ProceedingKind
    opened_on: date
    items: tuple[DebtItem, ...]
    totals: tuple[Money, ...]
    costs: tuple[Money, ...] = ()
    court: str = ""
    case_number: str = ""
    basis: str = ""
    retention_of_title: bool | None = None
    securities: tuple[str, ...] | None = None
    accounts: tuple[BankAccount, ...] = ()
    annexes: tuple[Annex, ...] = ()
    signatory: Signatory | None = None

    def __post_init__(self) -> None:
        if not self.items:
            raise Refusal("document_without_items", number=self.number)
        parts = [*(item.principal for item in self.items), *(item.interest for item in self.items), *self.costs]
        check_totals(self.number, self.totals, parts)


def compose_proof_of_debt(proof: ProofOfDebt, locale: str) -> Composition:
    """What a proof of debt says."""
    wording = wording_of(locale)
    basis = proof.basis or wording.phrase("Goods or services delivered on open terms, as invoiced")
    blocks: list[Block] = [
        Text(wording.phrase("We lodge the claim below in the proceedings against the debtor.")),
        Heading(wording.phrase("Proceedings")),
        pairs(
            (wording.phrase("Kind of proceedings"), wording.phrase(PROCEEDINGS[proof.proceeding])),
            (wording.phrase("Opened on"), wording.day(proof.opened_on)),
            (wording.phrase("Court"), proof.court),
            (wording.phrase("Case number"), proof.case_number),
        ),
        Heading(wording.phrase("Creditor")),
        party_pairs(proof.creditor, wording),
        Heading(wording.phrase("Debtor")),
        party_pairs(proof.debtor, wording),
        Heading(wording.phrase("Claim")),
        *captioned(_claim_grids(proof, wording)),
        pairs(
            (wording.phrase("Principal"), wording.moneys(totals_of(item.principal for item in proof.items))),
            (wording.phrase("Interest until the opening"), wording.moneys(totals_of(item.interest for item in proof.items))),
            (wording.phrase("Costs"), wording.moneys(proof.costs) if proof.costs else ""),
            (wording.phrase("Total claim"), wording.moneys(proof.totals)),
            (wording.phrase("Basis of the claim"), basis),
            # Said only where somebody knows of them: a "no" that nobody meant could give rights away.
            (wording.phrase("Retention of title"), "" if proof.retention_of_title is None else wording.yes_or_no(proof.retention_of_title)),
            (wording.phrase("Securities"), "" if proof.securities is None else "\n".join(proof.securities) or wording.phrase("None")),
        ),
    ]
    if proof.retention_of_title:
        blocks.append(
            Text(
                wording.phrase(
                    "We retained title to the goods delivered. We ask you to keep them apart and to tell us which of them are still there."
                )
            )
        )
    blocks += payment_details(proof.accounts, "", wording)
    blocks += annex_list(proof.annexes, wording)
    blocks.append(
        Together(
            (
                Text(
                    wording.phrase(
                        "We declare that the claim exists, is not settled, and is complete. Please confirm its receipt and its admission."
                    )
                ),
                signing(wording, proof.signatory),
            )
        )
    )
    return Composition(
        wording=wording,
        number=proof.number,
        issued_on=proof.issued_on,
        title=wording.phrase("Proof of debt"),
        sender=proof.creditor,
        recipient=proof.addressee,
        blocks=tuple(blocks),
        reference_lines=((wording.phrase("Case number"), proof.case_number),) if proof.case_number else (),
    )


def _claim_grids(proof: ProofOfDebt, wording: Wording) -> Iterator[Grid]:
    for currency, group in by_currency(proof.items, lambda item: item.principal).items():
        has_delivery = any(item.delivered_on is not None for item in group)
        columns = [Column(wording.phrase("Invoice")), Column(wording.phrase("Date"))]
        if has_delivery:
            columns.append(Column(wording.phrase("Delivered")))
        columns.append(Column(wording.phrase("Due date")))
        columns += [
            Column(title, is_figure=True) for title in (wording.phrase("Amount"), wording.phrase("Principal"), wording.phrase("Interest"))
        ]
        rows = []
        for item in sorted(group, key=lambda item: (item.due_on, item.number)):
            row = [item.number, wording.day(item.issued_on)]
            if has_delivery:
                row.append(wording.day(item.delivered_on))
            row += [wording.day(item.due_on), wording.amount(item.amount), wording.amount(item.principal)]
            row.append(wording.amount(item.interest) if item.interest is not None else "")
            rows.append(tuple(row))
        principal = sum((item.principal for item in group), Money.zero(currency))
        interest = sum((item.interest for item in group if item.interest is not None), Money.zero(currency))
        blank = [""] * (len(columns) - 3)
        total = (wording.phrase("Total %(currency)s", currency=currency), *blank, wording.amount(principal), wording.amount(interest))
        yield Grid(wording.phrase("Amounts in %(currency)s", currency=currency), tuple(columns), tuple(rows), (total,))


def build_proof_of_debt(proof: ProofOfDebt, locale: str, size: PageSize | None = None) -> bytes:
    """The proof of debt as PDF."""
    return draw_pages(compose_proof_of_debt(proof, locale), size or page_size_for(proof.addressee.address.country))


def text_proof_of_debt(proof: ProofOfDebt, locale: str) -> MailText:
    """The e-mail that carries a proof of debt."""
    return mail_of(compose_proof_of_debt(proof, locale))


def html_proof_of_debt(proof: ProofOfDebt, locale: str) -> str:
    """The proof of debt as an accessible web page."""
    return web_page_of(compose_proof_of_debt(proof, locale))
