"""Payment plans: what can be put off, how plans stand on a day, and what is to be said about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from insureflow.domain.blocks import PlanBreak
from insureflow.domain.limits import AccountActKind
from insureflow.domain.notices import NoticeLine
from insureflow.domain.payment_plans import (
    PlanDesign,
    PlannedInstalment,
    PlannedInvoice,
    PlanStanding,
    PlanState,
    Received,
    design_plan,
    find_break,
    judge_keeping,
    money_beyond,
)
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.documents import IssuedDocument
from insureflow.models.notices import Notice
from insureflow.models.organisations import Entity
from insureflow.models.payment_plans import PaymentPlan, PlanInstalment, PlanInvoice
from insureflow.models.policies import Policy
from insureflow.models.receivables import Allocation, Invoice
from insureflow.queries.cover.extension_ends import ExtensionEnds
from insureflow.queries.cover.insurer_acts import named_invoices
from insureflow.queries.cover.ledgers import Act, load_acts

#: The states in which invoices belong to a plan and to no other.
LIVE = frozenset({PlanState.DRAFT, PlanState.AWAITING_CONSENT, PlanState.ACTIVE})
#: The states from which on money is looked for.
AGREED = frozenset({PlanState.ACTIVE, PlanState.KEPT, PlanState.BROKEN})
_PORTION = 500


@dataclass(frozen=True, slots=True)
class OpenChoice:
    """An open invoice of a buyer that can be put into a plan. ``plan_id``: the plan it is in already."""

    buyer_id: int
    invoice_id: int
    number: str
    entity_id: int
    entity: str
    currency: str
    policy_id: int | None
    original_due_on: date
    open_minor: int
    last_free_on: date | None
    plan_id: int | None
    new_terms_forbidden: bool = False

    @property
    def group(self) -> tuple[int, str, int | None]:
        """What all invoices of one plan have in common."""
        return self.entity_id, self.currency, self.policy_id

    def planned(self) -> PlannedInvoice:
        """The invoice as a plan puts it off."""
        return PlannedInvoice(
            self.number, self.original_due_on, self.open_minor, self.policy_id is not None, self.last_free_on, self.new_terms_forbidden
        )


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with everything its page shows."""

    plan: PaymentPlan
    buyer: str
    entity: str
    policy: str | None
    invoices: tuple[PlanInvoice, ...]
    design: PlanDesign
    standing: PlanStanding | None
    notice: Notice | None
    document: IssuedDocument | None


def _portions(keys: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(set(keys))
    return (ordered[start : start + _PORTION] for start in range(0, len(ordered), _PORTION))


def _planned_in(invoice_ids: Collection[int]) -> dict[int, int]:
    """The live plan of each invoice that has one."""
    found: dict[int, int] = {}
    for portion in _portions(invoice_ids):
        statement = (
            select(PlanInvoice.invoice_id, PlanInvoice.plan_id)
            .join(PaymentPlan, PaymentPlan.id == PlanInvoice.plan_id)
            .where(PlanInvoice.invoice_id.in_(portion), PaymentPlan.state.in_(sorted(LIVE)))
        )
        found |= {row.invoice_id: row.plan_id for row in db.session.execute(statement)}
    return found


def choices_of(buyer_id: int, on: date) -> list[OpenChoice]:
    """The open invoices of a buyer, the oldest due date first, with the last day to which each may be put off freely."""
    statement = (
        select(Invoice, Entity.name, InvoicePosition.policy_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .outerjoin(
            InvoicePosition,
            (InvoicePosition.invoice_id == Invoice.id) & (InvoicePosition.valid_from <= on) & (InvoicePosition.valid_to > on),
        )
        .where(Invoice.buyer_id == buyer_id, Invoice.open_minor > 0)
        .order_by(Invoice.original_due_on, Invoice.number)
    )
    rows = db.session.execute(statement).all()
    ends, planned = ExtensionEnds.load([buyer_id], on), _planned_in([row[0].id for row in rows])
    return [
        OpenChoice(
            buyer_id,
            invoice.id,
            invoice.number,
            invoice.entity_id,
            entity,
            invoice.currency,
            policy_id,
            invoice.original_due_on,
            invoice.open_minor,
            _end(ends, buyer_id, policy_id, invoice),
            planned.get(invoice.id),
            policy_id is not None and ends.forbids_new_terms(policy_id, invoice.shipment_on),
        )
        for invoice, entity, policy_id in rows
    ]


def _end(ends: ExtensionEnds, buyer_id: int, policy_id: int | None, invoice: Invoice) -> date | None:
    if policy_id is None:
        return None
    line = NoticeLine(
        invoice_id=invoice.id,
        entity_code="",
        number=invoice.number,
        currency=invoice.currency,
        invoice_on=invoice.invoice_on,
        shipment_on=invoice.shipment_on,
        original_due_on=invoice.original_due_on,
        due_on=invoice.due_on,
        gross=invoice.net_minor + invoice.vat_minor,
        open=invoice.open_minor,
        insured=0,
    )
    return ends.end_of((buyer_id, policy_id), line)


def invoices_of(plan_id: int) -> tuple[PlanInvoice, ...]:
    """The invoices of a plan, the oldest original due date first."""
    statement = select(PlanInvoice).where(PlanInvoice.plan_id == plan_id)
    return tuple(db.session.scalars(statement.order_by(PlanInvoice.original_due_on, PlanInvoice.number)))


def instalments_of(plan_id: int) -> tuple[PlannedInstalment, ...]:
    """The instalments of a plan in order."""
    rows = db.session.scalars(select(PlanInstalment).where(PlanInstalment.plan_id == plan_id).order_by(PlanInstalment.number))
    return tuple(PlannedInstalment(row.due_on, row.amount_minor) for row in rows)


def design_of(plan: PaymentPlan, on: date) -> PlanDesign:
    """What a plan pays of which invoice by when, and what of it needs consent, by the terms of the day it was agreed, or of ``on``."""
    known = {
        invoice.id: invoice
        for invoice in db.session.scalars(
            select(Invoice).join(PlanInvoice, PlanInvoice.invoice_id == Invoice.id).where(PlanInvoice.plan_id == plan.id)
        )
    }
    ends = ExtensionEnds.load([plan.buyer_id], plan.agreed_on or on)
    planned = []
    for each in invoices_of(plan.id):
        invoice = known.get(each.invoice_id or 0)
        end = None if invoice is None else _end(ends, plan.buyer_id, plan.policy_id, invoice)
        is_forbidden = invoice is not None and plan.policy_id is not None and ends.forbids_new_terms(plan.policy_id, invoice.shipment_on)
        planned.append(PlannedInvoice(each.number, each.original_due_on, each.amount_minor, plan.policy_id is not None, end, is_forbidden))
    return design_plan(planned, instalments_of(plan.id), plan.currency)


def standings_of(plans: Sequence[PaymentPlan], on: date) -> dict[int, PlanStanding]:
    """How plans stand on a day, by the money that settled their invoices since they were drawn up."""
    found: dict[int, PlanStanding] = {}
    by_key = {plan.id: plan for plan in plans}
    for portion in _portions(by_key):
        instalments: dict[int, list[PlannedInstalment]] = defaultdict(list)
        for row in db.session.scalars(select(PlanInstalment).where(PlanInstalment.plan_id.in_(portion)).order_by(PlanInstalment.number)):
            instalments[row.plan_id].append(PlannedInstalment(row.due_on, row.amount_minor))
        received = _received([by_key[key] for key in portion])
        for key in portion:
            plan = by_key[key]
            found[key] = judge_keeping(instalments[key], received[key], plan.grace_days, on, plan.currency)
    return found


def broken_plans(on: date, buyer_ids: Collection[int] | None = None) -> dict[int, list[PlanBreak]]:
    """The plans that keep goods back on a day, by buyer: broken, not paid up, not agreed anew, and without the insurer's consent since.

    It follows from the money and the agreements alone, so that no job has to run first.
    """
    statement = (
        select(PaymentPlan)
        .where(PaymentPlan.state.in_(sorted(AGREED)), PaymentPlan.agreed_on <= on)
        .where(
            select(PlanInvoice.id)
            .join(InvoicePosition, InvoicePosition.invoice_id == PlanInvoice.invoice_id)
            .where(PlanInvoice.plan_id == PaymentPlan.id, *_is_open(on))
            .exists()
        )
        .order_by(PaymentPlan.id)
    )
    if buyer_ids is not None:
        statement = statement.where(PaymentPlan.buyer_id.in_(sorted(buyer_ids)))
    plans = db.session.scalars(statement).all()
    standings = standings_of(plans, on)
    broken = [plan for plan in plans if find_break(standings[plan.id]) is not None]
    if not broken:
        return {}
    consents, anew = _consents(broken, on), _agreed_anew(broken, on)
    found: dict[int, list[PlanBreak]] = defaultdict(list)
    for plan in broken:
        since = None if plan.id in anew else find_break(standings[plan.id], consents.get(plan.id))
        if since is not None:
            found[plan.buyer_id].append(PlanBreak(plan.id, since, plan.policy_id))
    return dict(found)


def _is_open(on: date) -> tuple[ColumnElement[bool], ...]:
    """That the ledger owes something of an invoice on a day."""
    position = InvoicePosition
    return position.valid_from <= on, position.valid_to > on, position.ledger_open_minor > 0


def _consents(plans: Sequence[PaymentPlan], on: date) -> dict[int, date]:
    """The day of the insurer's last consent to further supplies in spite of what a plan's invoices owe, by plan."""
    members: dict[int, set[int]] = defaultdict(set)
    for portion in _portions(plan.id for plan in plans):
        for row in db.session.execute(select(PlanInvoice.plan_id, PlanInvoice.invoice_id).where(PlanInvoice.plan_id.in_(portion))):
            if row.invoice_id is not None:
                members[row.plan_id].add(row.invoice_id)
    acts: dict[tuple[int, int], list[Act]] = defaultdict(list)
    for portion in _portions(plan.buyer_id for plan in plans):
        for act in load_acts(portion):
            if act.happened_on <= on and act.kind in {AccountActKind.CONSENT, AccountActKind.STOP_COVER_LIFTED}:
                acts[act.buyer_id, act.policy_id].append(act)
    found: dict[int, date] = {}
    for plan in plans:
        for act in acts.get((plan.buyer_id, plan.policy_id or 0), ()):
            named = named_invoices(act)
            if named is None or members[plan.id] & set(named):
                found[plan.id] = max(act.happened_on, found.get(plan.id, act.happened_on))
    return found


def _agreed_anew(plans: Sequence[PaymentPlan], on: date) -> set[int]:
    """The plans whose open invoices are all in plans that were agreed later."""
    later, own = aliased(PaymentPlan), aliased(PlanInvoice)
    theirs = aliased(PlanInvoice)
    found: set[int] = set()
    for portion in _portions(plan.id for plan in plans):
        taken_over = (
            select(theirs.id)
            .join(later, later.id == theirs.plan_id)
            .where(theirs.invoice_id == own.invoice_id, later.id > own.plan_id, later.state.in_(sorted(AGREED)), later.agreed_on <= on)
            .exists()
        )
        still_theirs = (
            select(own.plan_id)
            .join(InvoicePosition, InvoicePosition.invoice_id == own.invoice_id)
            .where(own.plan_id.in_(portion), *_is_open(on), ~taken_over)
        )
        found |= set(portion) - set(db.session.scalars(still_theirs))
    return found


def _received(plans: Sequence[PaymentPlan]) -> dict[int, list[Received]]:
    """The money of plans. What had settled an invoice before its plan was drawn up is left out, whatever the day it came on."""
    keys, proposed = [plan.id for plan in plans], {plan.id: plan.proposed_on for plan in plans}
    invoices = db.session.execute(
        select(PlanInvoice.plan_id, PlanInvoice.invoice_id, PlanInvoice.amount_minor, Invoice.net_minor + Invoice.vat_minor)
        .join(Invoice, Invoice.id == PlanInvoice.invoice_id)
        .where(PlanInvoice.plan_id.in_(keys))
    ).all()
    settled: dict[int, list[tuple[date, int]]] = defaultdict(list)
    rows = db.session.execute(
        select(Allocation.invoice_id, Allocation.allocated_on, Allocation.amount_minor)
        .where(
            Allocation.invoice_id.in_(
                select(PlanInvoice.invoice_id).where(PlanInvoice.plan_id.in_(keys), PlanInvoice.invoice_id.is_not(None))
            )
        )
        .order_by(Allocation.allocated_on, Allocation.id)
    )
    for row in rows:
        settled[row.invoice_id].append((row.allocated_on, row.amount_minor))
    found: dict[int, list[Received]] = defaultdict(list)
    for plan_id, invoice_id, amount_minor, gross in ((row[0], row[1] or 0, row[2], int(row[3])) for row in invoices):
        # A ledger that began with an invoice partly paid has no settlement for that part.
        known = sum(amount for day, amount in settled[invoice_id] if day <= proposed[plan_id])
        found[plan_id] += money_beyond(settled[invoice_id], min(gross - amount_minor, known))
    return found


def find_plan(plan_id: int, on: date) -> PlanView | None:
    """A plan as it stands on a day, or None."""
    row = db.session.execute(
        select(PaymentPlan, Buyer.legal_name, Entity.name, Policy.number, Notice, IssuedDocument)
        .join(Buyer, Buyer.id == PaymentPlan.buyer_id)
        .join(Entity, Entity.id == PaymentPlan.entity_id)
        .outerjoin(Policy, Policy.id == PaymentPlan.policy_id)
        .outerjoin(Notice, Notice.id == PaymentPlan.notice_id)
        .outerjoin(IssuedDocument, IssuedDocument.id == PaymentPlan.document_id)
        .where(PaymentPlan.id == plan_id)
    ).one_or_none()
    if row is None:
        return None
    plan = row[0]
    standing = standings_of([plan], on)[plan.id] if plan.state in AGREED else None
    return PlanView(plan, row[1], row[2], row[3], invoices_of(plan.id), design_of(plan, on), standing, row[4], row[5])
