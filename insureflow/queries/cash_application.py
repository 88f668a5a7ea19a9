"""Bank statements and their entries read: lists, one of each with what was decided, and what can be chosen for an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, case, func, or_, select

from insureflow.domain.buyers import search_name
from insureflow.domain.cash_application import EntryState
from insureflow.domain.policies import parse_terms
from insureflow.models.bank_statements import BankAccount, BankEntry, BankMatch, BankStatement, CashTolerance
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.organisations import Entity, User
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order
from insureflow.queries.policies import list_versions, version_on

#: So many invoices are offered to choose from.
MOST_OFFERED = 50


def entries_listing(entity_id: int | None = None) -> Listing:
    """All entries of bank statements, what waits for a match first; of one entity if asked for."""
    waiting_first = case((BankEntry.state == EntryState.PROPOSED, "1"), (BankEntry.state == EntryState.UNMATCHED, "2"), else_="3")
    signed = case((BankEntry.is_credit.is_(True), BankEntry.amount_minor), else_=-BankEntry.amount_minor)

    def source(statement: Select[Any]) -> Select[Any]:
        joined = (
            statement.select_from(BankEntry)
            .join(BankAccount, BankAccount.id == BankEntry.account_id)
            .join(Entity, Entity.id == BankAccount.entity_id)
            .outerjoin(Buyer, Buyer.id == BankEntry.buyer_id)
        )
        return joined if entity_id is None else joined.where(BankAccount.entity_id == entity_id)

    return Listing(
        "bank_entries",
        (
            Field("booked_on", func.coalesce(BankEntry.booked_on, BankEntry.value_on), Kind.DATE, filter=FilterKind.DATE_RANGE),
            Field("payer", BankEntry.payer_name.expression, search=BankEntry.payer_name.expression, filter=FilterKind.TEXT),
            Field("text", BankEntry.text.expression, search=BankEntry.text.expression, sortable=False),
            Field("amount", signed, Kind.MONEY, currency=BankEntry.currency.expression, filter=FilterKind.AMOUNT_RANGE, total=True),
            Field("state", BankEntry.state.expression, Kind.BADGE, sort=waiting_first, filter=FilterKind.SELECT),
            Field("confidence", BankEntry.confidence.expression, Kind.BADGE, filter=FilterKind.SELECT),
            Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name.expression),
            Field("account", BankAccount.number.expression, filter=FilterKind.TEXT),
            Field("entity", Entity.code.expression),
            Field("status", BankEntry.status.expression, Kind.BADGE, filter=FilterKind.SELECT),
            Field("payer_account", BankEntry.payer_account.expression, search=BankEntry.payer_account.expression),
            Field("bank_reference", BankEntry.bank_reference.expression, search=BankEntry.bank_reference.expression),
            Field("bank_statement_id", BankEntry.statement_id.expression, hidden=True, filter=FilterKind.SELECT),
            Field("buyer_id", BankEntry.buyer_id.expression, hidden=True, filter=FilterKind.SELECT),
        ),
        source,
        key=BankEntry.id.expression,
        order=Order("state"),
        normalise=search_name,
    )


def statements_listing(entity_id: int | None = None) -> Listing:
    """All statements, the newest first; of one entity if asked for."""

    def source(statement: Select[Any]) -> Select[Any]:
        joined = (
            statement.select_from(BankStatement)
            .join(BankAccount, BankAccount.id == BankStatement.account_id)
            .join(Entity, Entity.id == BankAccount.entity_id)
            .outerjoin(User, User.id == BankStatement.imported_by_id)
        )
        return joined if entity_id is None else joined.where(BankAccount.entity_id == entity_id)

    currency = func.coalesce(BankStatement.balance_currency, BankAccount.currency)
    return Listing(
        "bank_statements",
        (
            Field("identification", BankStatement.identification.expression, search=BankStatement.identification.expression),
            Field("account", BankAccount.number.expression, search=BankAccount.number.expression, filter=FilterKind.TEXT),
            Field("entity", Entity.code.expression),
            Field("kind", BankStatement.kind.expression, Kind.BADGE, filter=FilterKind.SELECT),
            Field("to_on", BankStatement.to_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
            Field("opening", BankStatement.opening_minor.expression, Kind.MONEY, currency=currency),
            Field("closing", BankStatement.closing_minor.expression, Kind.MONEY, currency=currency),
            Field("balance_check", BankStatement.balance_check.expression, Kind.BADGE, filter=FilterKind.SELECT),
            Field("new_entries", BankStatement.counts["new"].as_integer(), Kind.NUMBER),
            Field("bad_entries", BankStatement.counts["bad"].as_integer(), Kind.NUMBER),
            Field("file", BankStatement.file_name.expression, search=BankStatement.file_name.expression),
            Field("source", BankStatement.source.expression),
            Field("imported_at", BankStatement.imported_at.expression, Kind.INSTANT),
            Field("imported_by", User.name),
        ),
        source,
        key=BankStatement.id.expression,
        order=Order("imported_at", descending=True),
    )


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with everything a page says about it; ``matches`` are all decisions, the newest first."""

    entry: BankEntry
    account: BankAccount
    statement: BankStatement
    entity: Entity
    matches: Sequence[BankMatch]
    buyers: dict[int, str]
    reversed_by: int | None


def find_entry(entry_id: int) -> EntryView | None:
    """An entry with its account, statement and decisions."""
    row = db.session.execute(
        select(BankEntry, BankAccount, BankStatement, Entity)
        .join(BankAccount, BankAccount.id == BankEntry.account_id)
        .join(BankStatement, BankStatement.id == BankEntry.statement_id)
        .join(Entity, Entity.id == BankAccount.entity_id)
        .where(BankEntry.id == entry_id)
    ).one_or_none()
    if row is None:
        return None
    entry, account, statement, entity = row
    matches = db.session.scalars(select(BankMatch).where(BankMatch.entry_id == entry_id).order_by(BankMatch.id.desc())).all()
    keys = {proposal["buyer_id"] for proposal in entry.proposals} | ({entry.buyer_id} if entry.buyer_id else set())
    names = dict(db.session.execute(select(Buyer.id, Buyer.legal_name).where(Buyer.id.in_(sorted(keys)))).all())
    reversed_by = db.session.scalar(select(BankEntry.id).where(BankEntry.reverses_id == entry_id).limit(1))
    return EntryView(entry, account, statement, entity, matches, names, reversed_by)


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement with its account and entity."""

    statement: BankStatement
    account: BankAccount
    entity: Entity


def find_statement(statement_id: int) -> StatementView | None:
    """A statement with its account."""
    row = db.session.execute(
        select(BankStatement, BankAccount, Entity)
        .join(BankAccount, BankAccount.id == BankStatement.account_id)
        .join(Entity, Entity.id == BankAccount.entity_id)
        .where(BankStatement.id == statement_id)
    ).one_or_none()
    return None if row is None else StatementView(*row)


@dataclass(frozen=True, slots=True)
class Offered:
    """An open invoice that can be chosen for an entry."""

    invoice: Invoice
    buyer: Buyer


def offer_invoices(entry: BankEntry, entity_id: int, text: str = "") -> list[Offered]:
    """Open invoices in the currency of an entry, the oldest due first: those whose number or buyer has the text in it.

    Without a text: those of the buyer that the entry was last thought to come from.
    """
    statement = (
        select(Invoice, Buyer)
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .where(Invoice.entity_id == entity_id, Invoice.currency == entry.currency, Invoice.open_minor > 0)
        .order_by(Invoice.due_on, Invoice.id)
        .limit(MOST_OFFERED)
    )
    if text.strip():
        plain = search_name(text) or text.strip()
        escaped = [each.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for each in (text.strip().lower(), plain)]
        statement = statement.where(
            or_(func.lower(Invoice.number).like(f"%{escaped[0]}%", escape="\\"), Buyer.search_name.like(f"%{escaped[1]}%", escape="\\"))
        )
    elif entry.buyer_id is not None:
        statement = statement.where(Invoice.buyer_id == entry.buyer_id)
    else:
        return []
    return [Offered(invoice, buyer) for invoice, buyer in db.session.execute(statement)]


def find_buyers(text: str) -> list[tuple[int, str]]:
    """Buyers whose name has the text in it, a few of them, by name."""
    plain = search_name(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if not plain:
        return []
    statement = select(Buyer.id, Buyer.legal_name).where(Buyer.search_name.like(f"%{plain}%", escape="\\")).order_by(Buyer.legal_name)
    return [(key, name) for key, name in db.session.execute(statement.limit(20))]


def count_entries(entity_id: int | None = None) -> dict[EntryState, int]:
    """How many entries stand in each state."""
    statement = (
        select(BankEntry.state, func.count(BankEntry.id))
        .join(BankAccount, BankAccount.id == BankEntry.account_id)
        .group_by(BankEntry.state)
    )
    if entity_id is not None:
        statement = statement.where(BankAccount.entity_id == entity_id)
    return {state: int(count) for state, count in db.session.execute(statement)}


def list_statements() -> list[tuple[int, str]]:
    """The statements as choices of a filter, the newest first."""
    statement = select(BankStatement.id, BankStatement.identification, BankStatement.to_on).order_by(BankStatement.id.desc()).limit(200)
    return [(key, " ".join(filter(None, (name, on.isoformat() if on else "")))) for key, name, on in db.session.execute(statement)]


def list_tolerances() -> Sequence[CashTolerance]:
    """What is accepted in each currency."""
    return db.session.scalars(select(CashTolerance).order_by(CashTolerance.currency)).all()


@dataclass(frozen=True, slots=True)
class PrepaymentRule:
    """What a policy does with money for supplies that are paid in advance."""

    policy: Policy
    reduces_old_debt: bool


def prepayment_rules(buyer_ids: Sequence[int], on: date) -> list[PrepaymentRule]:
    """What the policies under which these buyers have invoices do with prepayments, by their terms on a day."""
    used = select(Invoice.policy_id).where(Invoice.buyer_id.in_(buyer_ids), Invoice.policy_id.is_not(None)).distinct()
    found: list[PrepaymentRule] = []
    for policy in db.session.scalars(select(Policy).where(Policy.id.in_(used)).order_by(Policy.number)).all():
        version = version_on(list_versions(policy.id), on)
        if version is not None:
            found.append(PrepaymentRule(policy, parse_terms(version.data).allocation.prepayments_reduce_old_debt))
    return found
