"""The declaration of turnover, balances or limits to the insurer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from insureflow.documents.composition import Block, Column, Composition, Grid, Heading, Text, Together, pairs
from insureflow.documents.items import check_totals
from insureflow.documents.mail_text import MailText, mail_of
from insureflow.documents.page_sizes import PageSize, page_size_for
from insureflow.documents.parties import Party
from insureflow.documents.parts import signing
from insureflow.documents.printing import draw_pages
from insureflow.documents.web_page import web_page_of
from insureflow.domain.declarations import SalesCategory
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.policies.vocabulary import PremiumBasis
from insureflow.i18n.documents import Wording, phrased, wording_of

TITLES = {
    PremiumBasis.TURNOVER: phrased("Declaration of turnover"),
    PremiumBasis.OUTSTANDING_BALANCE: phrased("Declaration of outstanding balances"),
    PremiumBasis.LIMIT: phrased("Declaration of credit limits"),
}
CATEGORIES = {
    SalesCategory.AFFILIATES: phrased("Affiliated companies"),
    SalesCategory.PRIVATE_PERSONS: phrased("Private persons"),
    SalesCategory.PUBLIC_BUYERS: phrased("Public buyers"),
    SalesCategory.NOT_INSURABLE: phrased("Buyers that cannot be insured"),
    SalesCategory.UNCOVERED_COUNTRIES: phrased("Countries without cover"),
    SalesCategory.PREPAID: phrased("Paid in advance"),
    SalesCategory.CASH: phrased("Cash sales"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSum:
    """One row: a kind of sale (None: ordinary sales on credit) or a day, how many items, all of them, and what of them is declared."""

    items: int
    full: Money
    declared: Money
    category: SalesCategory | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationPaper:
    """A declaration to the insurer: rows by kind of sale must add up to what is declared, and so must those by day, where there are any."""

    number: str
    issued_on: date
    sender: Party
    insurer: Party
    policy_number: str
    basis: PremiumBasis
    first_day: date
    last_day: date
    cut_off_on: date
    version: int
    declared: Money
    kinds: tuple[DeclaredSum, ...]
    days: tuple[DeclaredSum, ...] = ()
    late_items: int = 0

    def __post_init__(self) -> None:
        if self.basis not in TITLES:
            raise Refusal("document_without_items", number=self.number)
        zero = Money.zero(self.declared.currency)
        check_totals(self.number, [self.declared], [zero, *(row.declared for row in self.kinds)])
        if self.days:
            check_totals(self.number, [self.declared], [row.declared for row in self.days])


def _grid(heading: str, first: str, rows: tuple[DeclaredSum, ...], currency: str, wording: Wording) -> Grid:
    columns = (
        Column(first),
        Column(wording.phrase("Items"), is_figure=True),
        Column(wording.phrase("Total"), is_figure=True),
        Column(wording.phrase("Declared"), is_figure=True),
        Column(wording.phrase("Not declared"), is_figure=True),
    )
    zero = Money.zero(currency)

    def row(name: str, parts: tuple[DeclaredSum, ...]) -> tuple[str, ...]:
        full, declared = sum((part.full for part in parts), zero), sum((part.declared for part in parts), zero)
        count = sum(part.items for part in parts)
        return name, wording.spoken(count), wording.amount(full), wording.amount(declared), wording.amount(full - declared)

    shown = tuple(row(_name(each, wording), (each,)) for each in rows)
    return Grid(heading, columns, shown, (row(wording.phrase("Total %(currency)s", currency=currency), rows),))


def _name(row: DeclaredSum, wording: Wording) -> str:
    if row.on is not None:
        return wording.day(row.on)
    return wording.phrase(CATEGORIES[row.category]) if row.category is not None else wording.phrase("Sales on credit")


def compose_declaration(paper: DeclarationPaper, locale: str) -> Composition:
    """What a declaration says."""
    wording, currency = wording_of(locale), paper.declared.currency
    blocks: list[Block] = [
        Text(
            wording.phrase(
                "For the period from %(first)s to %(last)s we declare %(amount)s.",
                first=paper.first_day,
                last=paper.last_day,
                amount=paper.declared,
            ),
            is_strong=True,
        ),
        pairs(
            (wording.phrase("Insurer"), paper.insurer.name),
            (wording.phrase("Policy number"), paper.policy_number),
            (wording.phrase("Policyholder"), paper.sender.name),
            (wording.phrase("Ledger as of"), wording.day(paper.cut_off_on)),
        ),
    ]
    if paper.version > 1:
        blocks.append(Text(wording.phrase("This declaration takes the place of what we declared for this period before.")))
    heading = wording.phrase("By kind of sale")
    blocks += [Heading(heading), _grid(heading, wording.phrase("Kind"), paper.kinds, currency, wording)]
    if paper.days:
        heading = wording.phrase("By day")
        blocks += [Heading(heading), _grid(heading, wording.phrase("Date"), paper.days, currency, wording)]
    if paper.late_items:
        blocks.append(
            Text(
                wording.phrases(
                    "%(count)s item dated in an earlier period is included, because it was not known then.",
                    "%(count)s items dated in earlier periods are included, because they were not known then.",
                    paper.late_items,
                ),
                is_small=True,
            )
        )
    blocks.append(Together((signing(wording),)))
    return Composition(
        wording=wording,
        number=paper.number,
        issued_on=paper.issued_on,
        title=wording.phrase(TITLES[paper.basis]),
        sender=paper.sender,
        recipient=paper.insurer,
        blocks=tuple(blocks),
        reference_lines=((wording.phrase("Policy number"), paper.policy_number),),
    )


def build_declaration(paper: DeclarationPaper, locale: str, size: PageSize | None = None) -> bytes:
    """The declaration as PDF."""
    return draw_pages(compose_declaration(paper, locale), size or page_size_for(paper.insurer.address.country))


def text_declaration(paper: DeclarationPaper, locale: str) -> MailText:
    """The e-mail that carries the declaration."""
    return mail_of(compose_declaration(paper, locale))


def html_declaration(paper: DeclarationPaper, locale: str) -> str:
    """The declaration as an accessible web page."""
    return web_page_of(compose_declaration(paper, locale))
