"""May I ship? Answers by the rules of cover, kept with the order, and parts of a limit kept free for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.blocks import HandBlock, PlanBreak
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import ProposedShipment, Reservation, ShipAnswer, answer_without_policy, ask_to_ship
from insureflow.domain.money import Money
from insureflow.domain.periods import PaymentTerms, add_days
from insureflow.models.buyers import Buyer
from insureflow.models.organisations import Entity
from insureflow.models.shipments import ShipmentCheck
from insureflow.queries import shipping as queries
from insureflow.queries.blocks import house_blocks_on
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.rates import RateBook
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject, plain
from insureflow.services.transaction import transaction

#: A reservation is made for at most so many days.
LONGEST_RESERVATION = 366

#: Longest order reference that is kept.
REFERENCE_LENGTH = 80

#: Longest terms that can be asked about, and how far ahead a shipment may lie.
LONGEST_TERMS, FARTHEST = 3650, 3650

#: So many seconds a question waits for whoever is changing the books.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class ShipQuestion:
    """What sales would like to ship: the amount without tax, in minor units; terms in days from the invoice.

    Without ``entity_id`` the entity is the only one that fits, see ``get_entity``.
    """

    buyer_id: int
    amount_minor: int
    currency: str
    ship_on: date
    credit_terms_days: int
    entity_id: int | None = None
    order_reference: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with the buyer, the entity and the policy it is about; without policy nothing is covered.

    ``blocks`` are blocks that people set on the buyer or its group, and payment plans it broke: nothing leaves for it on credit, covered
    or not.
    """

    answer: ShipAnswer
    buyer: Buyer
    entity: Entity
    policy: InsurancePolicy | None
    blocks: tuple[HandBlock | PlanBreak, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """The answer as plain values, as it is stored and handed out."""
        return answer_as_data(self.answer) | {"blocked_because": [block.reason for block in self.blocks]}


def answer_as_data(answer: ShipAnswer) -> dict[str, Any]:
    """An answer as plain values: amounts as ``{amount, currency}``, days in ISO form. The trace is not in it."""
    currency = answer.amount.currency
    whole: dict[str, Any] = {
        "verdict": answer.verdict,
        "amount": answer.amount,
        "covered": answer.covered,
        "uncovered": answer.uncovered,
        "why": answer.why,
        "reasons": [{"reason": reason, "amount": Money(amount, currency)} for reason, amount in answer.reasons],
        "is_stopped": answer.is_stopped,
        "days_too_long": answer.days_too_long,
        "headroom_before": answer.headroom_before,
        "headroom_after": answer.headroom_after,
        "credit_used": answer.credit_used,
        "insured_percentage": answer.insured_percentage,
        "reservations": [int(each) for each in answer.reservations],
        "due_on": answer.shipment.due_on,
        "remedies": [
            {
                "kind": remedy.kind,
                "amount": remedy.amount,
                "days": remedy.days,
                "on": remedy.on,
                "covered_after": remedy.covered_after,
                "is_sufficient": remedy.is_sufficient,
                "together_with": remedy.together_with,
            }
            for remedy in answer.remedies
        ],
    }
    data: dict[str, Any] = plain(whole)
    return data


def ask(question: ShipQuestion, on: date, *, with_remedies: bool = True, with_trace: bool = False, in_short: bool = True) -> Answered:
    """May I ship? Nothing is stored. ``on`` is the day of the question; what is reserved for other orders counts.

    With neither remedies nor trace it is answered from what is kept of the account, where that gives the same answer (``in_short``).
    Errors: ``InvalidValues``, ``buyer_unknown``, ``entity_unknown``, ``shipping_entity_needed``, ``rate_missing``,
    ``shipment_in_the_past``.
    """
    _check(question)
    buyer = queries.get_buyer(question.buyer_id)
    blocks = tuple(house_blocks_on(buyer.id, on))
    entity = queries.get_entity(question.entity_id, buyer.id)
    book, rates = PolicyBook.load(), RateBook.load()
    policy = book.choose(entity.id, buyer.country, question.ship_on)
    terms = PaymentTerms(question.credit_terms_days)
    if policy is None:
        if question.ship_on < on:
            raise Refusal("shipment_in_the_past", shipment_on=question.ship_on, today=on)
        uninsured = ProposedShipment(question.amount_minor, question.currency, 1, question.ship_on, terms, entity=entity.code)
        return Answered(answer_without_policy(uninsured, question.currency, on), buyer, entity, None, blocks)
    rate = rates.get(question.currency, policy.limit_currency, on)
    shipment = ProposedShipment(question.amount_minor, question.currency, rate.rate, question.ship_on, terms, entity=entity.code)
    reserved = queries.reservations_of(buyer.id, policy.id, on, except_order=question.order_reference.strip())
    if in_short and not (with_remedies or with_trace):
        short = _answer_in_short(buyer, policy, shipment, on, reserved)
        if short is not None:
            return Answered(short, buyer, entity, policy, blocks)
    ground = queries.load_ground(buyer.id, policy, book, rates, on)
    answer = ask_to_ship(
        ground.account, ground.events, shipment, on, reservations=reserved, with_remedies=with_remedies, with_trace=with_trace
    )
    return Answered(answer, buyer, entity, policy, blocks)


def _answer_in_short(
    buyer: Buyer, policy: InsurancePolicy, shipment: ProposedShipment, on: date, reserved: list[Reservation]
) -> ShipAnswer | None:
    """The answer without the account's past, None where only its past can tell."""
    if shipment.on < on:
        return None
    found = queries.find_short_ground(buyer, policy, on, shipment.on)
    if found is None:
        return None
    ground, only_if_whole = found
    answer = ask_to_ship(ground.account, ground.events, shipment, on, reservations=reserved, with_remedies=False, with_trace=False)
    if answer.is_stopped or (only_if_whole and (answer.uncovered or reserved)):
        return None
    return answer


def _check(question: ShipQuestion) -> None:
    problems = []
    if question.amount_minor <= 0:
        problems.append(InvalidValue("shipment_amount_needed", "amount", question.amount_minor))
    if not is_currency(question.currency):
        problems.append(InvalidValue("currency_unknown", "currency", question.currency))
    if not 0 <= question.credit_terms_days <= LONGEST_TERMS:
        problems.append(InvalidValue("shipment_terms_out_of_range", "terms", question.credit_terms_days, longest=LONGEST_TERMS))
    if len(question.order_reference.strip()) > REFERENCE_LENGTH:
        problems.append(InvalidValue("order_reference_too_long", "order_reference", question.order_reference, longest=REFERENCE_LENGTH))
    if problems:
        raise InvalidValues(tuple(problems))


# ---------------------------------------------------------------------- stored


def decide(
    actor: Actor,
    organisation_id: int,
    question: ShipQuestion,
    on: date,
    *,
    reserve_until: date | None = None,
    with_remedies: bool = True,
    with_trace: bool = True,
) -> ShipmentCheck:
    """Answer a question and keep the answer with the order; with ``reserve_until`` the covered part stays free for it.

    The books are held before they are read, so that two questions never get the same part of a limit. A reservation counts up to
    and with its day; one made before for the same order of the buyer is released. Where nothing is covered there is nothing to
    reserve. Errors: as for ``ask``, ``InvalidValues`` ``reservation_in_the_past``, ``reservation_too_long``,
    ``reservation_needs_order``; ``shipment_blocked``, ``books_busy``.
    """
    _check_reservation(question, on, reserve_until)
    reference = question.order_reference.strip()
    with transaction(organisation_id, patience=_PATIENCE) as session:
        answered = ask(question, on, with_remedies=with_remedies, with_trace=with_trace)
        if answered.blocks and reserve_until is not None:
            raise Refusal("shipment_blocked", buyer=answered.buyer.legal_name, reason=answered.blocks[0].reason)
        answer = answered.answer
        check = ShipmentCheck(
            organisation_id=organisation_id,
            buyer_id=answered.buyer.id,
            policy_id=None if answered.policy is None else answered.policy.id,
            entity_id=answered.entity.id,
            order_reference=reference,
            amount_minor=question.amount_minor,
            currency=question.currency,
            rate=answer.shipment.rate,
            credit_terms_days=question.credit_terms_days,
            ship_on=question.ship_on,
            asked_on=on,
            verdict=answer.verdict.value,
            covered_minor=answer.covered.minor,
            limit_currency=answer.covered.currency,
            answer=answered.data,
            trace=answer.trace.to_list(),
            reserved_until=reserve_until if answer.covered.minor else None,
            created_at=now(),
            created_by_id=actor.user_id,
        )
        if check.reserved_until is not None:
            for earlier in queries.kept_for_order(answered.buyer.id, reference, on):
                earlier.released_at = now()
        session.add(check)
        session.flush()
        journal.record(session, actor, "shipment.answered", _subject(check, answered.buyer), after=_kept(check))
        return check


def _kept(check: ShipmentCheck) -> dict[str, Any]:
    """An answer as the journal keeps it."""
    return {
        "amount": Money(check.amount_minor, check.currency),
        "ship_on": check.ship_on,
        "terms": check.credit_terms_days,
        "order_reference": check.order_reference,
        "verdict": check.verdict,
        "covered": Money(check.covered_minor, check.limit_currency),
        "reserved_until": check.reserved_until,
    }


def _check_reservation(question: ShipQuestion, on: date, reserve_until: date | None) -> None:
    if reserve_until is None:
        return
    problems = []
    if reserve_until < on:
        problems.append(InvalidValue("reservation_in_the_past", "reserve_until", reserve_until, today=on))
    if reserve_until > add_days(on, LONGEST_RESERVATION):
        problems.append(InvalidValue("reservation_too_long", "reserve_until", reserve_until, longest=LONGEST_RESERVATION))
    if not question.order_reference.strip():
        problems.append(InvalidValue("reservation_needs_order", "order_reference"))
    if problems:
        raise InvalidValues(tuple(problems))


def _subject(check: ShipmentCheck, buyer: Buyer) -> Subject:
    label = f"{buyer.legal_name} / {check.order_reference}" if check.order_reference else buyer.legal_name
    return Subject("shipment_check", check.id, label)


def _get(session: Session, check_id: int, owner_id: int | None) -> ShipmentCheck:
    check = session.scalar(
        select(ShipmentCheck).where(ShipmentCheck.id == check_id).with_for_update().execution_options(populate_existing=True)
    )
    if check is None or (owner_id is not None and check.created_by_id != owner_id):
        raise Refusal("shipment_check_unknown", check=str(check_id))
    return check


def release(actor: Actor, organisation_id: int, check_id: int, on: date, *, owner_id: int | None = None) -> ShipmentCheck:
    """Give back what is kept for an order; with ``owner_id`` only what that person asked for.

    Errors: ``shipment_check_unknown``, ``nothing_reserved`` where nothing is kept on that day.
    """
    with transaction(organisation_id) as session:
        check = _get(session, check_id, owner_id)
        if not queries.is_kept(check.id, on):
            raise Refusal("nothing_reserved", check=str(check.id))
        check.released_at = now()
        session.flush()
        journal.record(
            session,
            actor,
            "shipment.released",
            _subject(check, queries.get_buyer(check.buyer_id)),
            before={"reserved_until": check.reserved_until, "covered": Money(check.covered_minor, check.limit_currency)},
            after={"released_at": check.released_at},
        )
        return check


def mark_invoiced(actor: Actor, organisation_id: int, check_id: int, invoice_number: str, *, owner_id: int | None = None) -> ShipmentCheck:
    """Say which invoice an order became, where the invoice does not carry the order's reference: the invoice counts from then on.

    Errors: ``shipment_check_unknown``, ``shipment_invoice_unknown``.
    """
    with transaction(organisation_id) as session:
        check = _get(session, check_id, owner_id)
        invoice = queries.find_invoice(check.buyer_id, invoice_number.strip())
        if invoice is None:
            raise Refusal("shipment_invoice_unknown", invoice=invoice_number)
        before = {"invoice_id": check.invoice_id}
        check.invoice_id = invoice.id
        session.flush()
        journal.record(
            session,
            actor,
            "shipment.invoiced",
            _subject(check, queries.get_buyer(check.buyer_id)),
            before=before,
            after={"invoice_id": invoice.id, "invoice": invoice.number},
        )
        return check
