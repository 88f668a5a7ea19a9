"""Plans agreed with buyers, what cover makes of them, and the paper that confirms them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.documents.items import OpenItem
from insureflow.documents.plans import Instalment, PaymentPlanConfirmation, build_payment_plan, text_payment_plan
from insureflow.domain.errors import Refusal
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.limits import AccountActKind
from insureflow.domain.money import Money
from insureflow.domain.payment_plans import PlanAction, PlanDesign, PlanState
from insureflow.models.documents import BuyerContact, IssuedDocument
from insureflow.models.organisations import Organisation
from insureflow.models.payment_plans import PaymentPlan, PlanInvoice
from insureflow.models.receivables import Invoice
from insureflow.models.scope import current_organisation_id
from insureflow.queries import payment_plans as queries
from insureflow.services import issued_documents, journal, messages
from insureflow.services.dunning.composing import buyer_party, choose_language, customer_number, get_buyer, reachable
from insureflow.services.journal import Actor
from insureflow.services.limits.acts import NewAct, record_act
from insureflow.services.payment_plans.drafting import get_plan, message_cause, move, note_of_act, picture, subject_of
from insureflow.services.stationery import stationery_of
from insureflow.services.transaction import transaction

MESSAGE_KIND = "payment_plan"


def agree(actor: Actor, organisation_id: int, plan_id: int, on: date, *, without_consent: bool = False) -> PaymentPlan:
    """Agree a plan with the buyer, and write it the confirmation.

    What ends within the maximum extension period is free. What does not costs the cover of its invoices; that is done only when
    ``without_consent`` says so in so many words. Each new date is entered in the account, so that cover and duties follow; original
    due dates stay. Errors: ``plan_unknown``, ``plan_cannot``, ``plan_needs_consent``, ``plan_after_shipment``, ``plan_amounts_moved``, ``plan_day_over``.
    """
    with transaction(organisation_id) as session:
        plan = get_plan(session, plan_id)
        move(plan, PlanAction.AGREE)
        design = queries.design_of(plan, on)
        if design.needs_consent and not without_consent:
            if design.forbidden:
                raise Refusal("plan_after_shipment", invoices=", ".join(design.forbidden))
            raise Refusal("plan_needs_consent", invoices=", ".join(design.beyond))
        if design.instalments[0].due_on < on:
            raise Refusal("plan_day_over", value=design.instalments[0].due_on, first=on)
        invoices = _unmoved(session, plan)
        plan.agreed_on = on
        session.flush()
        journal.record(
            session,
            actor,
            "plan.agreed",
            subject_of(session, plan),
            after={**picture(plan), "verdict": design.verdict, "without_consent": list(design.beyond)},
        )
        _enter(actor, plan, design, invoices, on)
        _write(session, actor, plan, design, on)
        return plan


def _unmoved(session: Session, plan: PaymentPlan) -> dict[str, Invoice]:
    """The invoices of a plan, all with what was open of them when it was drawn up. Errors: ``plan_amounts_moved``."""
    found: dict[str, Invoice] = {}
    for planned, invoice in _with_invoices(session, plan):
        if invoice is None or invoice.open_minor != planned.amount_minor:
            raise Refusal("plan_amounts_moved", number=planned.number)
        found[planned.number] = invoice
    return found


def _with_invoices(session: Session, plan: PaymentPlan) -> list[tuple[PlanInvoice, Invoice | None]]:
    """What a plan puts off, with the invoices of the ledger as far as they are still there."""
    rows = session.execute(
        select(PlanInvoice, Invoice)
        .outerjoin(Invoice, Invoice.id == PlanInvoice.invoice_id)
        .where(PlanInvoice.plan_id == plan.id)
        .order_by(PlanInvoice.original_due_on, PlanInvoice.number)
    )
    return [(row[0], row[1]) for row in rows]


def _enter(actor: Actor, plan: PaymentPlan, design: PlanDesign, invoices: dict[str, Invoice], on: date) -> None:
    """Each invoice's new date as a fact of the account, agreed without the insurer."""
    if plan.policy_id is None:
        return
    for number, invoice in invoices.items():
        new_due_on = design.paid_by(number)
        if new_due_on > invoice.original_due_on:
            act = NewAct(
                plan.buyer_id, plan.policy_id, AccountActKind.EXTENSION, on,
                invoice_ids=(invoice.id,), new_due_on=new_due_on, has_consent=False, note=note_of_act(plan),
            )  # fmt: skip
            record_act(actor, current_organisation_id(), act, on)


def confirm(actor: Actor, organisation_id: int, plan_id: int, on: date) -> IssuedDocument:
    """Write the buyer the confirmation of a plan that is agreed; a second one takes the place of the first.

    Errors: ``plan_unknown``, ``plan_not_agreed``, and those of the paper.
    """
    with transaction(organisation_id) as session:
        plan = get_plan(session, plan_id)
        if plan.state is not PlanState.ACTIVE:
            raise Refusal("plan_not_agreed", state=plan.state)
        document = _write(session, actor, plan, queries.design_of(plan, on), on)
        journal.record(
            session, actor, "plan.confirmed", subject_of(session, plan), after={"document": document.number, "sha256": document.sha256}
        )  # fmt: skip
        return document


def _write(session: Session, actor: Actor, plan: PaymentPlan, design: PlanDesign, on: date) -> IssuedDocument:
    """Issue the confirmation and queue it for the buyer's people; where nobody can be reached by mail it waits for the post."""
    buyer = get_buyer(session, plan.buyer_id)
    people = session.scalars(
        select(BuyerContact).where(BuyerContact.buyer_id == buyer.id, BuyerContact.gets_letters.is_(True)).order_by(BuyerContact.id)
    ).all()
    locale = session.scalars(select(Organisation.locale).where(Organisation.id == current_organisation_id())).one()
    language = choose_language(buyer, people, locale)
    number = issued_documents.reserve_numbers(session, on.year)[0]
    paper = _paper(session, plan, design, number, on)
    document = issued_documents.issue(
        session,
        actor,
        kind=DocumentKind.PAYMENT_PLAN,
        language=language,
        dated_on=on,
        facts={"plan": plan.id, "agreed_on": plan.agreed_on, **picture(plan)},
        name=f"{number}.pdf",
        content=build_payment_plan(paper, language),
        entity_id=plan.entity_id,
        buyer_id=buyer.id,
        replaces_id=plan.document_id,
        number=number,
    )
    plan.document_id = document.id
    reached = reachable(people)
    if reached:
        text, head = text_payment_plan(paper, language), stationery_of(session, plan.entity_id).head
        messages.queue(
            session,
            actor,
            cause=message_cause(plan, document.number),
            kind=MESSAGE_KIND,
            recipients=[contact.email for contact in reached],
            language=language,
            subject=text.subject[: messages.LONGEST_SUBJECT],
            body=text.body[: messages.LONGEST_BODY],
            documents=[document.id],
            buyer_id=buyer.id,
            reply_to=head.email if head else "",
        )
    session.flush()
    return document


def _paper(session: Session, plan: PaymentPlan, design: PlanDesign, number: str, on: date) -> PaymentPlanConfirmation:
    """The confirmation: invoices with their original due dates, and the instalments. The note of the plan is not for the buyer."""
    buyer, writer = get_buyer(session, plan.buyer_id), stationery_of(session, plan.entity_id)
    items = tuple(
        OpenItem(
            number=planned.number,
            issued_on=invoice.invoice_on if invoice else planned.original_due_on,
            due_on=planned.original_due_on,
            amount=Money(invoice.net_minor + invoice.vat_minor if invoice else planned.amount_minor, plan.currency),
            open=Money(planned.amount_minor, plan.currency),
            buyer_reference=invoice.reference if invoice else "",
        )
        for planned, invoice in _with_invoices(session, plan)
    )
    return PaymentPlanConfirmation(
        number=number,
        issued_on=on,
        agreed_on=plan.agreed_on or on,
        sender=writer.party(),
        buyer=buyer_party(buyer),
        items=items,
        instalments=tuple(Instalment(due_on=each.due_on, amount=Money(each.amount_minor, plan.currency)) for each in design.instalments),
        accounts=writer.accounts(plan.currency),
        payment_reference=customer_number(buyer, plan.entity_id),
        note=plan.interest,
    )
