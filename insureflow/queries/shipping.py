"""What a planned shipment is held against: the account it would fall into, what is reserved, and the answers given so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.cover import Account, Event
from insureflow.domain.cover import Invoice as PlannedInvoice
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AccountActKind, Reservation, ShipVerdict
from insureflow.domain.periods import PaymentTerms
from insureflow.models.base import FOREVER, vocabulary
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import LimitGroup, LimitGroupMember
from insureflow.models.organisations import Entity, User
from insureflow.models.receivables import Allocation, CreditNote, Dispute, Invoice, Payment
from insureflow.models.shipments import ShipmentCheck
from insureflow.queries.cover.accounts import Frozen, PolicyAccount, accounts_of
from insureflow.queries.cover.insurer_acts import act_events, limit_events
from insureflow.queries.cover.ledgers import load_acts, load_decisions, load_ledgers
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.cover.sharing import shared_events
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order
from insureflow.queries.organisations import person
from insureflow.queries.rates import RateBook, missing_rate

_ONE_DAY = timedelta(days=1)

#: Acts that name no invoice and so can be read without the invoices.
_OF_ACCOUNT = frozenset({AccountActKind.STOP_COVER, AccountActKind.STOP_COVER_LIFTED, AccountActKind.BUYER_GRADE})


@dataclass(frozen=True, slots=True)
class Ground:
    """An account of the rules with everything known of it."""

    account: Account
    events: tuple[Event, ...]


def get_entity(entity_id: int | None, buyer_id: int) -> Entity:
    """The entity that ships: the one named, else the only one, else the only one that has a customer number for the buyer.

    Errors: ``entity_unknown``, ``shipping_entity_needed``.
    """
    entities = {entity.id: entity for entity in db.session.scalars(select(Entity).order_by(Entity.id))}
    if entity_id is not None:
        if entity_id not in entities:
            raise Refusal("entity_unknown", entity=str(entity_id))
        return entities[entity_id]
    if len(entities) == 1:
        return next(iter(entities.values()))
    known = set(db.session.scalars(select(CustomerNumber.entity_id).where(CustomerNumber.buyer_id == buyer_id).distinct()))
    if len(known) != 1:
        raise Refusal("shipping_entity_needed", entities=", ".join(entity.code for entity in entities.values()))
    return entities[known.pop()]


def get_buyer(buyer_id: int) -> Buyer:
    """The buyer with this key. Errors: ``buyer_unknown``."""
    buyer = db.session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    return buyer


def load_ground(buyer_id: int, policy: InsurancePolicy, book: PolicyBook, rates: RateBook, on: date) -> Ground:
    """The account of a buyer under a policy, with all that is known on a day. Errors: ``rate_missing``.

    Invoices in the ledger keep their place even where they are dated later; money dated later has not come in.
    """
    frozen = Frozen()
    ledger = load_ledgers([buyer_id])[0]
    accounts = accounts_of(ledger, book, rates, frozen)
    if frozen.missing:
        raise missing_rate(*min(frozen.missing))
    found = next((each for each in accounts if each.policy.id == policy.id), None) or PolicyAccount(policy, ledger)
    found.events += shared_events(buyer_id, policy.id, on, _reserved_elsewhere(buyer_id, policy.id, on))
    known = tuple(event for event in found.events if event.on <= on or isinstance(event, PlannedInvoice))
    return Ground(found.rules_account(), known)


def find_short_ground(buyer: Buyer, policy: InsurancePolicy, on: date, ship_on: date) -> tuple[Ground, bool] | None:
    """The same account with one invoice in place of all that use the limit on the day of shipment; None where that is not the same.

    It answers without going through the account's past: the new invoice gets what the limit leaves, whatever became of the
    older ones before. That holds where the account is not stopped, has one layer, no credit balance and no date of loss, and
    nothing in it is dated after today. The second value says whether it holds only for a shipment that is covered whole,
    because others are shipped on that very day.
    """
    acts = [act for act in load_acts([buyer.id]) if act.policy_id == policy.id]
    if any(act.kind is AccountActKind.DATE_OF_LOSS or act.happened_on > on for act in acts):
        return None
    used = _used_capacity(buyer.id, policy.id, on, ship_on)
    if used is None or not _is_plain_ledger(buyer.id, policy, on, ship_on):
        return None
    decisions = [decision for decision in load_decisions([buyer.id]) if decision.policy_id == policy.id and decision.decided_on <= on]
    shared = shared_events(buyer.id, policy.id, on, _reserved_elsewhere(buyer.id, policy.id, on))
    events = [*limit_events(policy, decisions), *act_events([act for act in acts if act.kind in _OF_ACCOUNT], {}), *shared]
    if used:
        events.append(PlannedInvoice("used", ship_on, ship_on, ship_on, policy.limit_currency, Decimal(1), used))
    is_insurable = buyer.not_insurable is None and not buyer.natural_person
    latest = db.session.scalar(select(func.max(Invoice.shipment_on)).where(Invoice.buyer_id == buyer.id))
    return Ground(policy.account(buyer.country, insurable=is_insurable), tuple(events)), latest is not None and latest >= ship_on


def _used_capacity(buyer_id: int, policy_id: int, on: date, ship_on: date) -> int | None:
    """What uses the limit on the day of shipment; None where the account is stopped on the way, or has two layers."""
    state = AccountState
    spans = db.session.execute(
        select(
            state.valid_from,
            state.valid_to,
            state.limit_top_up_minor,
            state.reserved_primary_minor,
            state.reserved_top_up_minor,
            state.stopped,
        ).where(state.buyer_id == buyer_id, state.policy_id == policy_id, state.valid_to > on, state.valid_from <= ship_on)
    ).all()
    if any(span.stopped or span.limit_top_up_minor or span.reserved_top_up_minor for span in spans):
        return None
    position = InvoicePosition
    primary, top_up, taxed = db.session.execute(
        select(
            func.coalesce(func.sum(position.primary_minor), 0),
            func.coalesce(func.sum(position.top_up_minor), 0),
            func.count(),
        ).where(position.buyer_id == buyer_id, position.policy_id == policy_id, position.valid_from <= ship_on, position.valid_to > ship_on)
    ).one()
    if top_up or (not spans and taxed):
        return None
    reserved = sum(int(span.reserved_primary_minor) for span in spans if span.valid_from <= ship_on < span.valid_to)
    return int(primary) + reserved


def _is_plain_ledger(buyer_id: int, policy: InsurancePolicy, on: date, ship_on: date) -> bool:
    """Whether the account has no credit balance and knows of nothing that is dated after a day.

    *Formula:* invoices − payments − credit notes = open, all in limit currency; in several currencies: something is open, and
    there are neither credit notes nor money for prepaid supplies.
    """
    session, currency = db.session, policy.limit_currency
    gross = Invoice.net_minor + Invoice.vat_minor
    foreign = func.count(case((or_(Invoice.currency != currency, Invoice.policy_id.is_(None), Invoice.policy_id != policy.id), 1)))
    billed, odd, last_on = session.execute(
        select(
            func.coalesce(func.sum(gross), 0),
            foreign,
            func.max(case((Invoice.shipment_on > Invoice.invoice_on, Invoice.shipment_on), else_=Invoice.invoice_on)),
        ).where(Invoice.buyer_id == buyer_id)
    ).one()
    paid, odd_payments, prepaid, last_paid = session.execute(
        select(
            func.coalesce(func.sum(Payment.amount_minor), 0),
            func.count(case((Payment.currency != currency, 1))),
            func.count(case((Payment.purpose != "ordinary", 1))),
            func.max(Payment.received_on),
        ).where(Payment.buyer_id == buyer_id)
    ).one()
    credited, notes, odd_notes, last_note = session.execute(
        select(
            func.coalesce(func.sum(CreditNote.net_minor + CreditNote.vat_minor), 0),
            func.count(),
            func.count(case((CreditNote.currency != currency, 1))),
            func.max(CreditNote.issued_on),
        ).where(CreditNote.buyer_id == buyer_id)
    ).one()
    if any(day is not None and day > on for day in (last_on, last_paid, last_note)):
        return False
    later = or_(Dispute.opened_on > on, Dispute.resolved_on > on)
    disputed_later = select(Dispute.id).join(Invoice, Invoice.id == Dispute.invoice_id).where(Invoice.buyer_id == buyer_id, later)
    settled_later = (
        select(Allocation.id)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(Invoice.buyer_id == buyer_id, Allocation.allocated_on > on)
    )
    if session.scalar(disputed_later.limit(1)) is not None or session.scalar(settled_later.limit(1)) is not None:
        return False
    position = InvoicePosition
    owed = int(
        session.scalar(
            select(func.coalesce(func.sum(position.open_minor), 0)).where(
                position.buyer_id == buyer_id, position.policy_id == policy.id, position.valid_from <= ship_on, position.valid_to > ship_on
            )
        )
        or 0
    )
    if not (odd or odd_payments or odd_notes):
        return int(billed) - int(paid) - int(credited) == owed
    return bool(owed) and not notes and not prepaid


# ---------------------------------------------------------------------- what is reserved


def _is_invoiced() -> ColumnElement[bool]:
    """Whether an answer's order has become an invoice: named by somebody, or one that carries the order's reference.

    Only invoices from the day of the question on count, so that an earlier part delivery does not free what is kept for a later.
    """
    carries = (
        select(Invoice.id)
        .where(
            Invoice.buyer_id == ShipmentCheck.buyer_id,
            Invoice.invoice_on >= ShipmentCheck.asked_on,
            ShipmentCheck.order_reference != "",
            or_(Invoice.number == ShipmentCheck.order_reference, Invoice.reference == ShipmentCheck.order_reference),
        )
        .exists()
    )
    return or_(ShipmentCheck.invoice_id.is_not(None), carries)


def _is_kept(on: date) -> ColumnElement[bool]:
    return and_(ShipmentCheck.reserved_until >= on, ShipmentCheck.released_at.is_(None), ~_is_invoiced())


def reservations_of(buyer_id: int, policy_id: int, on: date, *, except_order: str = "") -> list[Reservation]:
    """What is reserved of a buyer's limit under a policy on a day: the covered part of each answer, until it lapses.

    An order asked about again does not stand in its own way: what is kept for ``except_order`` is left out.
    """
    statement = select(ShipmentCheck).where(ShipmentCheck.buyer_id == buyer_id, ShipmentCheck.policy_id == policy_id, _is_kept(on))
    if except_order:
        statement = statement.where(ShipmentCheck.order_reference != except_order)
    return [
        Reservation(
            id=str(check.id),
            amount=check.covered_minor,
            currency=check.limit_currency,
            rate=Decimal(1),
            made_on=check.asked_on,
            lapses_on=_day_after(check.reserved_until),
            terms=PaymentTerms(check.credit_terms_days),
        )
        for check in db.session.scalars(statement.order_by(ShipmentCheck.id))
        if check.covered_minor > 0
    ]


def _day_after(day: date | None) -> date:
    return FOREVER if day is None or day >= FOREVER else day + _ONE_DAY


def _reserved_elsewhere(buyer_id: int, policy_id: int, on: date) -> int:
    """What is kept for orders of the other buyers that share a limit with a buyer on a day, in limit currency."""
    own, other = aliased(LimitGroupMember), aliased(LimitGroupMember)

    def shares(member: Any) -> ColumnElement[bool]:
        return and_(member.joined_on <= on, or_(member.left_on.is_(None), member.left_on > on))

    mates = (
        select(other.buyer_id)
        .join(own, own.group_id == other.group_id)
        .join(LimitGroup, LimitGroup.id == own.group_id)
        .where(own.buyer_id == buyer_id, other.buyer_id != buyer_id, LimitGroup.policy_id == policy_id, shares(own), shares(other))
    )
    kept = select(func.coalesce(func.sum(ShipmentCheck.covered_minor), 0)).where(
        ShipmentCheck.buyer_id.in_(mates), ShipmentCheck.policy_id == policy_id, _is_kept(on)
    )
    return int(db.session.scalar(kept) or 0)


def kept_for_order(buyer_id: int, order_reference: str, on: date) -> Sequence[ShipmentCheck]:
    """The answers that keep something for an order of a buyer on a day."""
    statement = select(ShipmentCheck).where(
        ShipmentCheck.buyer_id == buyer_id, ShipmentCheck.order_reference == order_reference, _is_kept(on)
    )
    return db.session.scalars(statement.order_by(ShipmentCheck.id)).all()


# ---------------------------------------------------------------------- answers given


def find_check(check_id: int) -> ShipmentCheck | None:
    """The answer with this key, or None."""
    return db.session.scalar(select(ShipmentCheck).where(ShipmentCheck.id == check_id))


def is_kept(check_id: int, on: date) -> bool:
    """Whether an answer keeps something of the limit on a day."""
    return db.session.scalar(select(ShipmentCheck.id).where(ShipmentCheck.id == check_id, _is_kept(on))) is not None


def is_invoiced(check_id: int) -> bool:
    """Whether the order of an answer has become an invoice."""
    return db.session.scalar(select(ShipmentCheck.id).where(ShipmentCheck.id == check_id, _is_invoiced())) is not None


def find_invoice(buyer_id: int, number: str) -> Invoice | None:
    """The invoice of a buyer with this number; the newest where several entities have one."""
    statement = (
        select(Invoice).where(Invoice.buyer_id == buyer_id, Invoice.number == number).order_by(Invoice.invoice_on.desc(), Invoice.id.desc())
    )
    return db.session.scalar(statement.limit(1))


def checks_listing(on: date, *, asked_by_id: int | None = None) -> Listing:
    """The answers stored so far, the newest first; with ``asked_by_id`` those of one person."""
    asker = aliased(User, name="asker")
    kept = case((_is_kept(on), ShipmentCheck.reserved_until))
    fields = (
        Field("asked_on", ShipmentCheck.asked_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("order_reference", ShipmentCheck.order_reference.expression, search=ShipmentCheck.order_reference.expression),
        Field("ship_on", ShipmentCheck.ship_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("amount", ShipmentCheck.amount_minor.expression, Kind.MONEY, currency=ShipmentCheck.currency.expression),
        Field(
            "verdict",
            type_coerce(ShipmentCheck.verdict.expression, vocabulary(ShipVerdict, "verdict")),
            Kind.BADGE,
            filter=FilterKind.SELECT,
        ),
        Field("covered", ShipmentCheck.covered_minor.expression, Kind.MONEY, currency=ShipmentCheck.limit_currency.expression),
        Field("kept_until", kept, Kind.DATE),
        Field("asked_by", person(asker), search=func.coalesce(person(asker), "")),
        Field("number", ShipmentCheck.id.expression, Kind.NUMBER, hidden=True),
        Field("buyer_id", ShipmentCheck.buyer_id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(ShipmentCheck)
            .join(Buyer, Buyer.id == ShipmentCheck.buyer_id)
            .outerjoin(asker, asker.id == ShipmentCheck.created_by_id)
        )
        return statement if asked_by_id is None else statement.where(ShipmentCheck.created_by_id == asked_by_id)

    shown = tuple(field for field in fields if asked_by_id is None or field.key != "asked_by")
    return Listing(
        "ship_checks", shown, source, key=ShipmentCheck.id.expression, order=Order("number", descending=True), normalise=search_name
    )


def buyer_of_number(number: str, entity_id: int | None) -> int:
    """The buyer with a customer number, at one entity or at any. Errors: ``buyer_unknown``, ``buyer_ambiguous``."""
    statement = (
        select(Buyer.id, Buyer.legal_name).join(CustomerNumber, CustomerNumber.buyer_id == Buyer.id).where(CustomerNumber.number == number)
    )
    if entity_id is not None:
        statement = statement.where(CustomerNumber.entity_id == entity_id)
    found = db.session.execute(statement.distinct().order_by(Buyer.id)).all()
    if not found:
        raise Refusal("buyer_unknown", buyer=number)
    if len(found) > 1:
        raise Refusal("buyer_ambiguous", buyers=", ".join(row.legal_name for row in found))
    return int(found[0].id)


def entity_of_code(code: str) -> int:
    """The entity with a code. Errors: ``entity_unknown``."""
    found = db.session.scalar(select(Entity.id).where(Entity.code == code))
    if found is None:
        raise Refusal("entity_unknown", entity=code)
    return found
