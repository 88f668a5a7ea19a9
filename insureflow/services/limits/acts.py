"""Acts on an account besides limits and money: stops of cover, consents, extensions, notifications, grades, the date of loss.

``AccountAct.data`` by kind: ``invoices`` (keys; absent: all) for a consent and a notification; ``new_due_on`` (ISO date) and
``consent`` for an extension, whose invoice is the act's own, and ``withdrawn_on`` once it does not hold any more; ``grade`` (whole number or word) for a grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import ABOUT_INVOICES, AccountActKind
from insureflow.models.buyers import Buyer
from insureflow.models.limits import AccountAct
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.services import cover, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limits.decisions import check_days, get_policy
from insureflow.services.transaction import transaction

#: Acts that an account can have once only.
_ONCE = frozenset({AccountActKind.DATE_OF_LOSS, AccountActKind.INSOLVENCY})


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act to be entered. ``invoice_ids``: the invoices it is about, none for all; which fields count depends on the kind."""

    buyer_id: int
    policy_id: int
    kind: AccountActKind
    happened_on: date
    invoice_ids: tuple[int, ...] = ()
    new_due_on: date | None = None
    has_consent: bool = False
    grade: str | None = None
    note: str = ""


def picture(act: AccountAct) -> dict[str, Any]:
    """An act as the journal keeps it."""
    whole = {
        "policy_id": act.policy_id,
        "buyer_id": act.buyer_id,
        "invoice_id": act.invoice_id,
        "kind": act.kind,
        "happened_on": act.happened_on,
        "data": act.data,
        "note": act.note,
    }
    return {name: value for name, value in whole.items() if value not in (None, "", {})}


def _invoices(session: Session, new: NewAct, problems: list[InvalidValue]) -> Sequence[Invoice]:
    """The invoices an act names: they must be the buyer's, and in the account on the day. *Source:* errors of the account's events."""
    found = session.scalars(select(Invoice).where(Invoice.id.in_(new.invoice_ids)).order_by(Invoice.id)).all()
    missing = set(new.invoice_ids) - {invoice.id for invoice in found if invoice.buyer_id == new.buyer_id}
    problems.extend(InvalidValue("invoice_not_of_buyer", "invoices", str(key)) for key in sorted(missing))
    for invoice in found:
        if invoice.buyer_id != new.buyer_id:
            continue
        if invoice.policy_id is not None and invoice.policy_id != new.policy_id:
            problems.append(InvalidValue("invoice_of_other_policy", "invoices", invoice.number))
        if invoice.shipment_on > new.happened_on:
            problems.append(
                InvalidValue("invoice_not_in_account", "invoices", invoice.number, shipped=invoice.shipment_on, on=new.happened_on)
            )
    return found


def _data(session: Session, new: NewAct, problems: list[InvalidValue]) -> tuple[dict[str, Any], int | None]:
    """What an act carries, by its kind, and the one invoice it belongs to, if any."""
    invoices = _invoices(session, new, problems) if new.invoice_ids else ()
    if new.kind in ABOUT_INVOICES:
        return ({"invoices": [invoice.id for invoice in invoices]} if invoices else {}), None
    if new.kind is AccountActKind.EXTENSION:
        if len(new.invoice_ids) != 1:
            problems.append(InvalidValue("one_invoice_needed", "invoices", str(len(new.invoice_ids))))
        if new.new_due_on is None:
            problems.append(InvalidValue("new_due_date_needed", "new_due_on"))
            return {}, None
        problems.extend(
            InvalidValue("not_an_extension", "new_due_on", new.new_due_on, due=invoice.original_due_on)
            for invoice in invoices
            if new.new_due_on <= invoice.original_due_on
        )
        return {"new_due_on": new.new_due_on.isoformat(), "consent": new.has_consent}, next((invoice.id for invoice in invoices), None)
    if new.kind is AccountActKind.BUYER_GRADE:
        grade = (new.grade or "").strip()
        if not grade:
            problems.append(InvalidValue("grade_needed", "grade"))
        return {"grade": int(grade) if grade.isdecimal() else grade}, None
    if new.invoice_ids:
        problems.append(InvalidValue("act_names_no_invoice", "invoices", new.kind.value))
    return {}, None


def record_act(actor: Actor, organisation_id: int, new: NewAct, on: date) -> AccountAct:
    """Enter an act and work cover out anew. The same act of the same day is entered once.

    Errors: ``InvalidValues`` with every problem at once, ``Refusal`` ``buyer_unknown``, ``policy_unknown``, ``act_happened_already``.
    """
    with transaction(organisation_id) as session:
        buyer = session.scalar(select(Buyer).where(Buyer.id == new.buyer_id))
        if buyer is None:
            raise Refusal("buyer_unknown", buyer=str(new.buyer_id))
        policy = get_policy(session, new.policy_id)
        problems: list[InvalidValue] = []
        check_days(problems, "happened_on", new.happened_on, on)
        data, invoice_id = _data(session, new, problems)
        if problems:
            raise InvalidValues(tuple(problems))
        same_kind = session.scalars(
            select(AccountAct).where(AccountAct.policy_id == policy.id, AccountAct.buyer_id == buyer.id, AccountAct.kind == new.kind)
        ).all()
        for known in same_kind:
            if known.happened_on == new.happened_on and known.data == data and known.invoice_id == invoice_id:
                return known
            if new.kind in _ONCE:
                raise Refusal("act_happened_already", act=new.kind, buyer=buyer.legal_name, on=known.happened_on)
        act = AccountAct(
            policy_id=policy.id,
            buyer_id=buyer.id,
            invoice_id=invoice_id,
            kind=new.kind,
            happened_on=new.happened_on,
            data=data,
            note=new.note.strip()[:1000],
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(act)
        session.flush()
        journal.record(session, actor, f"act.{new.kind.value}", _subject(act, buyer, policy), after=picture(act))
        cover.refresh_buyers(session, [buyer.id], on)
        return act


def _subject(act: AccountAct, buyer: Buyer, policy: Policy) -> Subject:
    return Subject("act", act.id, f"{buyer.legal_name} / {policy.number}")


def withdraw_extension(actor: Actor, organisation_id: int, act_id: int, withdrawn_on: date, reason: str, on: date) -> AccountAct:
    """Record that a postponement does not hold from a day on; one that is withdrawn on its own day never held. The act itself stays.

    Errors: ``Refusal`` ``act_unknown``, ``not_withdrawable``.
    """
    with transaction(organisation_id) as session:
        act = session.scalar(select(AccountAct).where(AccountAct.id == act_id))
        if act is None:
            raise Refusal("act_unknown", act=str(act_id))
        if act.kind is not AccountActKind.EXTENSION or "withdrawn_on" in act.data or withdrawn_on < act.happened_on:
            raise Refusal("not_withdrawable", day=act.happened_on)
        buyer = session.get_one(Buyer, act.buyer_id)
        act.data = {**act.data, "withdrawn_on": withdrawn_on.isoformat()}
        session.flush()
        after = {**picture(act), "reason": reason.strip()[:1000]}
        journal.record(session, actor, "act.extension_withdrawn", _subject(act, buyer, get_policy(session, act.policy_id)), after=after)
        cover.refresh_buyers(session, [buyer.id], on)
        return act


def remove_act(actor: Actor, organisation_id: int, act_id: int, reason: str, on: date) -> int:
    """Take back an act that was entered by mistake; the journal keeps it. Gives the key of its buyer.

    Errors: ``Refusal`` ``act_unknown``, ``reason_needed``.
    """
    if not reason.strip():
        raise InvalidValue("reason_needed", "reason")
    with transaction(organisation_id) as session:
        act = session.scalar(select(AccountAct).where(AccountAct.id == act_id))
        if act is None:
            raise Refusal("act_unknown", act=str(act_id))
        buyer = session.get_one(Buyer, act.buyer_id)
        subject, before = _subject(act, buyer, get_policy(session, act.policy_id)), picture(act)
        session.delete(act)
        session.flush()
        journal.record(session, actor, "act.removed", subject, before=before, after={"reason": reason.strip()[:1000]})
        cover.refresh_buyers(session, [buyer.id], on)
        return buyer.id
