"""Declarations read: the list, one of them with its lines, and the periods that still have to be declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.declarations import DeclarationStatus, PeriodToDeclare, SalesCategory, periods_to_declare
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.money import Money
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.policies.vocabulary import PremiumBasis
from insureflow.models.buyers import Buyer
from insureflow.models.cover import ObligationMark
from insureflow.models.database import db
from insureflow.models.declarations import Declaration, DeclarationLine
from insureflow.models.documents import IssuedDocument
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    """What kind of sales a declaration holds: how many items, all of them, and what of them is declared."""

    category: SalesCategory | None
    items: int
    full: Money
    declared: Money


@dataclass(frozen=True, slots=True)
class DeclarationView:
    """A declaration with its policy, who did what, its sums by kind of sale, and all versions of its period, newest first."""

    declaration: Declaration
    policy: Policy
    people: dict[int, str]
    totals: tuple[CategoryTotal, ...]
    late_items: int
    versions: tuple[Declaration, ...]

    @property
    def full(self) -> Money:
        """Everything that was found."""
        return Money(self.declaration.full_minor, self.declaration.currency)

    @property
    def declared(self) -> Money:
        """What of it is declared."""
        return Money(self.declaration.declared_minor, self.declaration.currency)

    @property
    def left_out(self) -> Money:
        """What of it is left out."""
        return self.full - self.declared


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """A period that is over and was not declared yet; ``declaration`` is its draft, where there is one."""

    policy: InsurancePolicy
    period: PeriodToDeclare
    is_late: bool
    declaration: Declaration | None


def find_declaration(declaration_id: int) -> DeclarationView | None:
    """A declaration, or None."""
    found = db.session.scalar(select(Declaration).where(Declaration.id == declaration_id))
    if found is None:
        return None
    line = DeclarationLine
    rows = db.session.execute(
        select(
            line.category,
            func.count().label("items"),
            func.sum(line.full_minor).label("full_minor"),
            func.sum(line.declared_minor).label("declared_minor"),
        )
        .where(line.declaration_id == found.id)
        .group_by(line.category)
    )
    totals = [
        CategoryTotal(row.category, row.items, Money(int(row.full_minor), found.currency), Money(int(row.declared_minor), found.currency))
        for row in rows
    ]
    versions = db.session.scalars(
        select(Declaration)
        .where(Declaration.policy_id == found.policy_id, Declaration.period_to == found.period_to)
        .order_by(Declaration.version.desc())
    )
    keys = {key for key in (found.created_by_id, found.approved_by_id, found.declared_by_id) if key is not None}
    people = {row.id: row.name or row.email for row in db.session.execute(select(User.id, User.name, User.email).where(User.id.in_(keys)))}
    late = db.session.scalar(
        select(func.count()).select_from(line).where(line.declaration_id == found.id, line.dated_on < found.period_from)
    )
    return DeclarationView(
        found,
        db.session.get_one(Policy, found.policy_id),
        people,
        tuple(sorted(totals, key=lambda each: (each.category is not None, str(each.category)))),
        int(late or 0),
        tuple(versions),
    )


def papers_of(found: Declaration) -> list[IssuedDocument]:
    """The documents issued of a declaration, the newest first."""
    rows = db.session.scalars(
        select(IssuedDocument)
        .where(IssuedDocument.kind == DocumentKind.DECLARATION, IssuedDocument.policy_id == found.policy_id)
        .order_by(IssuedDocument.id.desc())
    )
    return [row for row in rows if row.facts.get("declaration") == found.id]


def sums_by_day(declaration_id: int, currency: str) -> list[tuple[date, int, Money, Money]]:
    """The lines of a declaration added up by day: how many, all of them, and what of them is declared."""
    line = DeclarationLine
    rows = db.session.execute(
        select(
            line.dated_on,
            func.count().label("items"),
            func.sum(line.full_minor).label("full_minor"),
            func.sum(line.declared_minor).label("declared_minor"),
        )
        .where(line.declaration_id == declaration_id)
        .group_by(line.dated_on)
        .order_by(line.dated_on)
    )
    return [(row.dated_on, row.items, Money(int(row.full_minor), currency), Money(int(row.declared_minor), currency)) for row in rows]


def declaration_listing(*, policy_id: int | None = None) -> Listing:
    """All versions of all declarations, the newest period first."""
    own, currency = Declaration, Declaration.currency.expression
    fields = (
        Field("period", own.period_to.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("period_from", own.period_from.expression, Kind.DATE),
        Field("policy", Policy.number.expression, search=Policy.number.expression, filter=FilterKind.SELECT),
        Field("insurer", Policy.insurer.expression, search=Policy.insurer.expression),
        Field("version", own.version.expression, Kind.NUMBER),
        Field("status", own.status.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("due_on", own.due_on.expression, Kind.DATE),
        Field("declared_on", own.declared_on.expression, Kind.DATE),
        Field("declared", own.declared_minor.expression, Kind.MONEY, currency=currency),
        Field("left_out", (own.full_minor - own.declared_minor), Kind.MONEY, currency=currency),
        Field("items", own.items.expression, Kind.NUMBER),
        Field("protocol", own.protocol.expression, search=own.protocol.expression),
        Field("number", own.id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = statement.select_from(own).join(Policy, Policy.id == own.policy_id)
        return statement if policy_id is None else statement.where(own.policy_id == policy_id)

    return Listing("declarations", fields, source, key=own.id.expression, order=Order("period", descending=True), normalise=search_name)


def line_listing(declaration_id: int) -> Listing:
    """The lines of a declaration: every document, balance or limit with what of it is declared, and why not all."""
    own, head = DeclarationLine, aliased(Declaration, name="head")
    fields = (
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name.expression),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("item", own.item.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("number", own.number.expression, search=own.number.expression),
        Field("dated_on", own.dated_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("amount", own.amount_minor.expression, Kind.MONEY, currency=own.currency.expression),
        Field("full", own.full_minor.expression, Kind.MONEY, currency=head.currency, total=True),
        Field("declared", own.declared_minor.expression, Kind.MONEY, currency=head.currency, total=True),
        Field("left_out", own.full_minor - own.declared_minor, Kind.MONEY, currency=head.currency, total=True),
        Field("category", own.category.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("buyer_id", own.buyer_id.expression, Kind.NUMBER, hidden=True),
        Field("invoice_id", own.invoice_id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        return (
            statement.select_from(own)
            .join(head, head.id == own.declaration_id)
            .join(Buyer, Buyer.id == own.buyer_id)
            .where(own.declaration_id == declaration_id)
        )

    return Listing("declaration_lines", fields, source, key=own.id.expression, order=Order("dated_on"), normalise=search_name)


def countries_of(declaration_id: int) -> list[str]:
    """The countries of the buyers in a declaration."""
    statement = select(Buyer.country).join(DeclarationLine, DeclarationLine.buyer_id == Buyer.id)
    return list(db.session.scalars(statement.where(DeclarationLine.declaration_id == declaration_id).distinct().order_by(Buyer.country)))


def is_declarable(policy: InsurancePolicy, on: date) -> bool:
    """Whether the terms of a policy on a day want anything declared that can be read from the ledger."""
    terms = policy.terms_on(on)
    return terms.turnover_declaration is not None and (terms.premium is None or terms.premium.basis is not PremiumBasis.FIXED)


def policies_with_declarations(on: date) -> list[InsurancePolicy]:
    """The policies that want declarations by their terms on a day, by priority."""
    found = [policy for policy in PolicyBook.load().policies.values() if policy.history and is_declarable(policy, on)]
    return sorted(found, key=lambda policy: policy.order)


def open_periods(on: date, *, policy_id: int | None = None) -> list[OpenPeriod]:
    """The periods that are over on a day and neither declared nor waived, by the day they are due."""
    standing: dict[tuple[int, date], Declaration] = {}
    for each in db.session.scalars(
        select(Declaration).where(Declaration.status != DeclarationStatus.SUPERSEDED).order_by(Declaration.version)
    ):
        known = standing.get((each.policy_id, each.period_to))
        if known is None or known.status is not DeclarationStatus.DECLARED:
            standing[each.policy_id, each.period_to] = each
    kind = ObligationKind.DECLARE_TURNOVER
    marks = db.session.execute(select(ObligationMark.policy_id, ObligationMark.due_on).where(ObligationMark.kind == kind))
    settled = {(row.policy_id, row.due_on) for row in marks}
    found = []
    for policy in policies_with_declarations(on):
        if policy_id is not None and policy.id != policy_id:
            continue
        for period in _over(periods_to_declare(policy.terms_on(on)), on):
            own = standing.get((policy.id, period.last_day))
            is_declared = own is not None and own.status is DeclarationStatus.DECLARED
            if not is_declared and (policy.id, period.due_on) not in settled:
                found.append(OpenPeriod(policy, period, on > period.due_on, own))
    return sorted(found, key=lambda each: (each.period.due_on, each.policy.order))


def _over(periods: Sequence[PeriodToDeclare], on: date) -> list[PeriodToDeclare]:
    return [period for period in periods if period.last_day < on]
