"""Payment plans in the demo: one that is kept so far, one that waits for the insurer, one that broke."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.notices import Channel
from insureflow.domain.payment_plans import PlannedInstalment, Rhythm, design_plan, equal_instalments
from insureflow.models.buyers import Buyer
from insureflow.models.documents import BuyerContact
from insureflow.models.organisations import User
from insureflow.models.payment_plans import PaymentPlan
from insureflow.models.receivables import Invoice
from insureflow.queries.payment_plans import OpenChoice, choices_of
from insureflow.services import cover, notices, payment_plans
from insureflow.services.demo.book import STORIES
from insureflow.services.demo.overdues import deliver
from insureflow.services.journal import Actor
from insureflow.services.notices import Sending
from insureflow.services.payment_plans import NewPlan

_INTEREST = "8 % a year from the original due dates, with the last instalment."


def put_off(session: Session, organisation_id: int, on: date) -> None:
    """Agree plans as people at work would have done by a day, and let one of them break.

    The papers go by post where there is no address for mail; the confirmation of the plan that broke was mailed on its day.
    """
    clerk, handler = _person(session, "clerk@"), _person(session, "claims@")
    for agreed_on, first_on, oldest in (
        (on - timedelta(days=3), on + timedelta(days=12), 30),
        (on - timedelta(days=20), on - timedelta(days=10), 50),
    ):
        newest, grace, rhythm = 1 if first_on > on else 21, 5, Rhythm.WEEKLY
        for choices in _candidates(session, on, newest, oldest, with_mail=first_on < on):
            instalments = _halves(choices, first_on, rhythm)
            if _is_free(choices, instalments):
                new = _new(choices, instalments, grace, _INTEREST)
                plan = payment_plans.propose(clerk, organisation_id, new, agreed_on)
                payment_plans.agree(handler, organisation_id, plan.id, agreed_on)
                deliver(session, payment_plans.MESSAGE_KIND, agreed_on)
                cover.refresh_buyers(session, [plan.buyer_id], on)
                break
    payment_plans.watch(organisation_id, on)
    for choices in _candidates(session, on, 1, 120):
        first_on = on + timedelta(days=30)
        instalments = equal_instalments(sum(choice.open_minor for choice in choices), 4, first_on)
        if choices[0].policy_id is not None and not _is_free(choices, instalments):
            plan = payment_plans.propose(clerk, organisation_id, _new(choices, instalments, 5, ""), on)
            notice = payment_plans.ask_consent(handler, organisation_id, plan.id, on)
            notices.approve(handler, organisation_id, notice.id, on)
            sending = Sending(channel=Channel.PORTAL, on=on, protocol_number=f"RES-{on.year}-0117")
            notices.send(handler, organisation_id, notice.id, sending, on)
            break


def _person(session: Session, start: str) -> Actor:
    user = session.scalars(select(User).where(User.email.startswith(start))).one()
    return Actor(user.id, user.email)


def _candidates(session: Session, on: date, newest: int, oldest: int, *, with_mail: bool = False) -> Iterator[list[OpenChoice]]:
    """The overdue invoices of buyers with or without an address for mail, each buyer once: those of one currency under one policy."""
    youngest, eldest = on - timedelta(days=newest), on - timedelta(days=oldest)
    keys = session.scalars(
        select(Buyer.id)
        .where(
            Buyer.legal_name.not_in([story[0] for story in STORIES]),
            Buyer.id.in_(
                select(Invoice.buyer_id).where(
                    Invoice.open_minor > 0, Invoice.original_due_on >= eldest, Invoice.original_due_on <= youngest
                )
            ),
            Buyer.id.in_(select(BuyerContact.buyer_id)) if with_mail else Buyer.id.not_in(select(BuyerContact.buyer_id)),
            Buyer.id.not_in(select(PaymentPlan.buyer_id)),
        )
        .order_by(Buyer.id)
    ).all()
    for key in keys:
        overdue = [choice for choice in choices_of(key, on) if eldest <= choice.original_due_on <= youngest]
        same = [choice for choice in overdue if choice.group == overdue[0].group]
        if same:
            yield same


def _halves(choices: list[OpenChoice], first_on: date, rhythm: Rhythm) -> tuple[PlannedInstalment, ...]:
    return equal_instalments(sum(choice.open_minor for choice in choices), 2, first_on, rhythm)


def _is_free(choices: list[OpenChoice], instalments: tuple[PlannedInstalment, ...]) -> bool:
    design = design_plan([choice.planned() for choice in choices], instalments, choices[0].currency)
    return choices[0].policy_id is not None and not design.needs_consent


def _new(choices: list[OpenChoice], instalments: tuple[PlannedInstalment, ...], grace: int, interest: str) -> NewPlan:
    with_buyer = choices[0]
    return NewPlan(
        buyer_id=with_buyer.buyer_id,
        invoice_ids=[choice.invoice_id for choice in choices],
        instalments=instalments,
        grace_days=grace,
        interest=interest,
    )
