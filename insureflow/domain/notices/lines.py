"""What a paper for the insurer says of a buyer's invoices: the whole exposure, due or not, insured or not, as the ledger has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from insureflow.domain.cover.events import Reason
from insureflow.domain.money import Money, round_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceStanding:
    """How an invoice stands on the cut-off day.

    ``gross``, ``ledger_open`` and ``disputed`` are minor units of the invoice's ``currency``. The rest is cover as the rules found it,
    in minor units of the limit currency: ``open_minor`` is what is open by the policy's order of payments.
    """

    invoice_id: int | None
    entity_code: str
    number: str
    currency: str
    invoice_on: date
    shipment_on: date
    original_due_on: date
    due_on: date
    gross: int
    ledger_open: int
    disputed: int
    open_minor: int
    covered_minor: int
    excluded_minor: int = 0
    excluded_reason: str | None = None
    vat_minor: int = 0
    disputed_minor: int = 0
    over_limit_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """One invoice as a paper states it, in minor units of its own currency. ``due_on`` never stands instead of the original due date."""

    invoice_id: int | None
    entity_code: str
    number: str
    currency: str
    invoice_on: date
    shipment_on: date
    original_due_on: date
    due_on: date
    gross: int
    open: int
    insured: int
    disputed: int = 0
    uninsured_reason: str = ""
    new_due_on: date | None = None

    @property
    def uninsured(self) -> int:
        """What is open and not insured."""
        return self.open - self.insured

    def is_overdue(self, on: date) -> bool:
        """Whether the original due date is over at the end of a day."""
        return self.original_due_on < on


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyTotal:
    """The sums of a paper in one currency; ``overdue + not_due = insured + uninsured = open``."""

    currency: str
    open: int
    overdue: int
    not_due: int
    insured: int
    uninsured: int
    disputed: int
    invoices: int


def state_line(standing: InvoiceStanding) -> NoticeLine:
    """An invoice as a paper states it.

    *Formula:* insured = open × covered ÷ open by the policy, rounded half up; the parts are always the whole.
    """
    insured = 0
    if standing.open_minor > 0:
        share = Fraction(min(max(standing.covered_minor, 0), standing.open_minor), standing.open_minor)
        insured = min(round_half_up(share * standing.ledger_open), standing.ledger_open)
    return NoticeLine(
        invoice_id=standing.invoice_id,
        entity_code=standing.entity_code,
        number=standing.number,
        currency=standing.currency,
        invoice_on=standing.invoice_on,
        shipment_on=standing.shipment_on,
        original_due_on=standing.original_due_on,
        due_on=standing.due_on,
        gross=standing.gross,
        open=standing.ledger_open,
        insured=insured,
        disputed=min(standing.disputed, standing.ledger_open),
        uninsured_reason=_largest_reason(standing) if insured < standing.ledger_open else "",
    )


def _largest_reason(standing: InvoiceStanding) -> str:
    """Why most of what is not insured is not insured."""
    parts = [
        (standing.excluded_minor, standing.excluded_reason or ""),
        (standing.over_limit_minor, Reason.OVER_LIMIT.value),
        (standing.disputed_minor, Reason.DISPUTED.value),
        (standing.vat_minor, Reason.VAT_NOT_COVERED.value),
    ]
    amount, reason = max(parts, key=lambda part: part[0])
    return reason if amount > 0 else ""


def state_lines(standings: Iterable[InvoiceStanding]) -> tuple[NoticeLine, ...]:
    """The lines of a paper, oldest due date first; what the ledger has settled is left out."""
    lines = [state_line(standing) for standing in standings if standing.ledger_open > 0]
    return tuple(sorted(lines, key=lambda line: (line.original_due_on, line.entity_code, line.number)))


def calculate_totals(lines: Iterable[NoticeLine], on: date) -> tuple[CurrencyTotal, ...]:
    """The sums of a paper by currency; the currencies come in order of their codes."""
    by_currency: dict[str, list[NoticeLine]] = {}
    for line in lines:
        by_currency.setdefault(line.currency, []).append(line)
    totals = []
    for currency, found in sorted(by_currency.items()):
        overdue = sum(line.open for line in found if line.is_overdue(on))
        open_, insured = sum(line.open for line in found), sum(line.insured for line in found)
        totals.append(
            CurrencyTotal(
                currency=currency,
                open=open_,
                overdue=overdue,
                not_due=open_ - overdue,
                insured=insured,
                uninsured=open_ - insured,
                disputed=sum(line.disputed for line in found),
                invoices=len(found),
            )
        )
    return tuple(totals)


def find_oldest_overdue(lines: Sequence[NoticeLine], on: date) -> NoticeLine | None:
    """The line whose original due date has been over longest; None while nothing is overdue."""
    overdue = [line for line in lines if line.is_overdue(on)]
    return min(overdue, key=lambda line: (line.original_due_on, line.invoice_on, line.number), default=None)


def find_highest_overdue(lines: Sequence[NoticeLine], on: date) -> tuple[Money, ...]:
    """The largest overdue invoice of each currency; the currencies come in order of their codes."""
    highest: dict[str, int] = {}
    for line in lines:
        if line.is_overdue(on):
            highest[line.currency] = max(line.open, highest.get(line.currency, 0))
    return tuple(Money(amount, currency) for currency, amount in sorted(highest.items()))
