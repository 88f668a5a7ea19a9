"""What a declaration is added up from, read from the ledger: turnover document by document, balances and limits buyer by buyer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from insureflow.domain.declarations import (
    DeclarationStatus,
    DeclaredItem,
    PeriodToDeclare,
    SalesCategory,
    category_of,
    declared_part,
)
from insureflow.domain.money import convert_minor
from insureflow.domain.periods import last_day_of_month
from insureflow.domain.policies.terms import PolicyTerms
from insureflow.domain.policies.vocabulary import LimitMeasure, PremiumBasis
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.declarations import Declaration, DeclarationLine
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.rates import RateBook


@dataclass(frozen=True, slots=True)
class FoundLine:
    """One document, balance or limit with what of it is declared, in policy currency."""

    buyer_id: int
    item: DeclaredItem
    dated_on: date
    currency: str
    amount_minor: int
    full_minor: int
    declared_minor: int
    category: SalesCategory | None
    number: str = ""
    invoice_id: int | None = None
    credit_note_id: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose declaration of which period is wanted; ``replaced_id`` is the version it takes the place of."""

    policy: InsurancePolicy
    terms: PolicyTerms
    period: PeriodToDeclare
    replaced_id: int | None = None

    @property
    def basis(self) -> PremiumBasis:
        """What premium is charged on; turnover where the terms have no premium clause."""
        return PremiumBasis.TURNOVER if self.terms.premium is None else self.terms.premium.basis

    @property
    def excluded(self) -> tuple[str, ...]:
        """The categories of sales that the policy leaves out."""
        return () if self.terms.premium is None else self.terms.premium.excluded_turnover


def collect(wanted: Wanted, book: PolicyBook, rates: RateBook) -> list[FoundLine]:
    """The lines of a declaration by the policy's basis; none for a fixed premium. Errors: ``rate_missing``."""
    if wanted.basis is PremiumBasis.TURNOVER:
        return [*_invoices(wanted, rates), *_credit_notes(wanted, book, rates)]
    if wanted.basis is PremiumBasis.OUTSTANDING_BALANCE:
        return list(_balances(wanted, rates))
    return list(_limits(wanted, rates)) if wanted.basis is PremiumBasis.LIMIT else []


def _in_policy_currency(wanted: Wanted, rates: RateBook, minor: int, currency: str, on: date, rate: Decimal | None = None) -> int:
    """An amount in policy currency: at its own frozen rate where that leads there, else at the rate of the day."""
    target = wanted.policy.currency
    if currency == target:
        return minor
    if rate is None or target != wanted.policy.limit_currency:
        rate = rates.get(currency, target, on).rate
    return convert_minor(minor, currency, target, rate)


# ---------------------------------------------------------------------- turnover


def _belongs(wanted: Wanted, dated_on: Any) -> ColumnElement[bool]:
    """Dated in the period, or in one that was declared before: what came too late for that one belongs here."""
    period, other = wanted.period, Declaration
    declared_before = exists(
        select(other.id).where(
            other.policy_id == wanted.policy.id,
            other.status == DeclarationStatus.DECLARED,
            other.period_to < period.first_day,
            other.period_from <= dated_on,
            other.period_to >= dated_on,
        )
    )
    return or_(dated_on.between(period.first_day, period.last_day), declared_before)


def _is_declared(wanted: Wanted, document: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether another declaration of the policy that stands has a document already."""
    found = (
        select(DeclarationLine.id)
        .join(Declaration, Declaration.id == DeclarationLine.declaration_id)
        .where(document, Declaration.policy_id == wanted.policy.id, Declaration.status == DeclarationStatus.DECLARED)
    )
    return exists(found if wanted.replaced_id is None else found.where(Declaration.id != wanted.replaced_id))


def _is_prepaid() -> ColumnElement[bool]:
    """Whether money was taken for an invoice as for a cash or prepaid supply."""
    return exists(
        select(Allocation.id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Allocation.invoice_id == Invoice.id, Payment.purpose == "cash_or_prepaid_supply")
    )


def _is_cash() -> ColumnElement[bool]:
    """Whether an invoice was due when it was written."""
    return Invoice.due_on <= Invoice.invoice_on


_BUYER = (Buyer.not_insurable, Buyer.natural_person, Buyer.country)


def _line(wanted: Wanted, rates: RateBook, row: Any, item: DeclaredItem, sign: int) -> FoundLine:
    amount = sign * (row.net_minor + (row.vat_minor if wanted.terms.vat_covered else 0))
    category = _category(wanted, row, is_prepaid=bool(row.is_prepaid), is_cash=bool(row.is_cash))
    full = _in_policy_currency(wanted, rates, amount, row.currency, row.dated_on, row.rate)
    is_invoice = item is DeclaredItem.INVOICE
    return FoundLine(
        row.buyer_id,
        item,
        row.dated_on,
        row.currency,
        amount,
        full,
        declared_part(full, category, wanted.excluded),
        category,
        row.number,
        row.id if is_invoice else row.invoice_id,
        None if is_invoice else row.id,
    )


def _category(wanted: Wanted, row: Any, *, is_prepaid: bool = False, is_cash: bool = False) -> SalesCategory | None:
    return category_of(
        row.not_insurable,
        row.country,
        wanted.terms.countries_covered,
        is_natural_person=row.natural_person,
        is_prepaid=is_prepaid,
        is_cash=is_cash,
    )


def _invoices(wanted: Wanted, rates: RateBook) -> Iterator[FoundLine]:
    rows = db.session.execute(
        select(
            Invoice.id,
            Invoice.number,
            Invoice.buyer_id,
            Invoice.invoice_on.label("dated_on"),
            Invoice.currency,
            Invoice.net_minor,
            Invoice.vat_minor,
            Invoice.rate,
            *_BUYER,
            _is_prepaid().label("is_prepaid"),
            _is_cash().label("is_cash"),
        )
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .where(
            Invoice.policy_id == wanted.policy.id,
            _belongs(wanted, Invoice.invoice_on),
            ~_is_declared(wanted, and_(DeclarationLine.invoice_id == Invoice.id, DeclarationLine.item == DeclaredItem.INVOICE)),
        )
        .order_by(Invoice.invoice_on, Invoice.id)
    )
    for row in rows:
        yield _line(wanted, rates, row, DeclaredItem.INVOICE, 1)


def _credit_notes(wanted: Wanted, book: PolicyBook, rates: RateBook) -> Iterator[FoundLine]:
    """Credit notes of the policy's invoices, and loose ones whose sale would fall under the policy on their day."""
    entities = [entity for entity, policies in book.insured.items() if any(policy.id == wanted.policy.id for policy in policies)]
    rows = db.session.execute(
        select(
            CreditNote.id,
            CreditNote.number,
            CreditNote.buyer_id,
            CreditNote.entity_id,
            CreditNote.invoice_id,
            CreditNote.issued_on.label("dated_on"),
            CreditNote.currency,
            CreditNote.net_minor,
            CreditNote.vat_minor,
            func.coalesce(CreditNote.rate, Invoice.rate).label("rate"),
            *_BUYER,
            and_(CreditNote.invoice_id.is_not(None), _is_prepaid()).label("is_prepaid"),
            func.coalesce(_is_cash(), False).label("is_cash"),
        )
        .join(Buyer, Buyer.id == CreditNote.buyer_id)
        .outerjoin(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(
            or_(Invoice.policy_id == wanted.policy.id, and_(CreditNote.invoice_id.is_(None), CreditNote.entity_id.in_(entities))),
            _belongs(wanted, CreditNote.issued_on),
            ~_is_declared(wanted, DeclarationLine.credit_note_id == CreditNote.id),
        )
        .order_by(CreditNote.issued_on, CreditNote.id)
    )
    for row in rows:
        if row.invoice_id is None:
            chosen = book.choose(row.entity_id, row.country, row.dated_on)
            if chosen is None or chosen.id != wanted.policy.id:
                continue
        yield _line(wanted, rates, row, DeclaredItem.CREDIT_NOTE, -1)


# ---------------------------------------------------------------------- balances and limits


def _balances(wanted: Wanted, rates: RateBook) -> Iterator[FoundLine]:
    """What each buyer owes at the end of each month, by the policy's allocation, and at most its limit where the policy caps it."""
    position, state, policy = InvoicePosition, AccountState, wanted.policy
    is_capped = wanted.terms.premium is not None and wanted.terms.premium.balances_capped_at_limit
    for month in wanted.period.months:
        end = min(last_day_of_month(month), wanted.period.last_day)
        limit = (
            select(state.buyer_id, (state.limit_primary_minor + state.limit_top_up_minor).label("limit_minor"))
            .where(state.policy_id == policy.id, state.valid_from <= end, state.valid_to > end)
            .subquery()
        )
        rows = db.session.execute(
            select(
                position.buyer_id,
                position.limit_currency.label("currency"),
                func.sum(position.open_minor).label("open_minor"),
                func.max(func.coalesce(limit.c.limit_minor, 0)).label("limit_minor"),
                *_BUYER,
            )
            .join(Buyer, Buyer.id == position.buyer_id)
            .outerjoin(limit, limit.c.buyer_id == position.buyer_id)
            .where(position.policy_id == policy.id, position.valid_from <= end, position.valid_to > end)
            .group_by(position.buyer_id, position.limit_currency, *_BUYER)
            .order_by(position.buyer_id)
        )
        for row in rows:
            amount = int(row.open_minor)
            if amount:
                category = _category(wanted, row)
                full, cap = (_in_policy_currency(wanted, rates, minor, row.currency, end) for minor in (amount, int(row.limit_minor)))
                part = declared_part(full, category, wanted.excluded, cap if is_capped else None)
                yield FoundLine(row.buyer_id, DeclaredItem.BALANCE, end, row.currency, amount, full, part, category)


def _limits(wanted: Wanted, rates: RateBook) -> Iterator[FoundLine]:
    """The limit of each buyer in each month: the highest of its days, or that of its last day, as the policy says."""
    state, policy = AccountState, wanted.policy
    is_highest = wanted.terms.premium is None or wanted.terms.premium.limit_measure is LimitMeasure.HIGHEST_IN_MONTH
    for month in wanted.period.months:
        first, end = max(month, wanted.period.first_day), min(last_day_of_month(month), wanted.period.last_day)
        rows = db.session.execute(
            select(
                state.buyer_id,
                state.limit_currency.label("currency"),
                func.max(state.limit_primary_minor + state.limit_top_up_minor).label("limit_minor"),
                *_BUYER,
            )
            .join(Buyer, Buyer.id == state.buyer_id)
            .where(state.policy_id == policy.id, state.valid_from <= end, state.valid_to > (first if is_highest else end))
            .group_by(state.buyer_id, state.limit_currency, *_BUYER)
            .order_by(state.buyer_id)
        )
        for row in rows:
            amount = int(row.limit_minor)
            if amount:
                category = _category(wanted, row)
                full = _in_policy_currency(wanted, rates, amount, row.currency, end)
                part = declared_part(full, category, wanted.excluded)
                yield FoundLine(row.buyer_id, DeclaredItem.LIMIT, end, row.currency, amount, full, part, category)
