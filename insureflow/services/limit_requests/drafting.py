"""Requests as they are written: what is asked for whom, checked against what is granted and what is under way."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.cover.events import Layer
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import (
    LimitKind,
    RequestAction,
    RequestState,
    RequestType,
    check_decision,
    next_state,
    request_type_for,
)
from insureflow.domain.money import Money
from insureflow.domain.policies import is_country_covered, terms_on
from insureflow.models.buyers import Buyer
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.policies import Policy
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_requests.accounts import NEVER_ASKED_FOR, AccountBook
from insureflow.services.transaction import transaction

#: Longest comment that is kept.
COMMENT_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class NewLimitRequest:
    """A request as somebody writes it. ``amount_minor`` is the whole limit wanted, not the difference; None to cancel.

    Without ``request_type`` it follows from the amount and what is granted now. ``currency`` defaults to the limit currency.
    """

    buyer_id: int
    policy_id: int
    amount_minor: int | None = None
    request_type: RequestType | None = None
    currency: str | None = None
    layer: Layer = Layer.PRIMARY
    kind: LimitKind = LimitKind.NAMED
    is_urgent: bool = False
    comment: str = ""


def picture(request: LimitRequest) -> dict[str, Any]:
    """A request as the journal keeps it."""
    whole: dict[str, Any] = {
        "policy_id": request.policy_id,
        "buyer_id": request.buyer_id,
        "request_type": request.request_type,
        "layer": request.layer,
        "kind": request.kind,
        "state": request.state,
        "requested": None if request.requested_minor is None else Money(request.requested_minor, request.currency),
        "is_urgent": request.is_urgent or None,
        "comment": request.comment,
        "own_reference": request.own_reference,
        "insurer_reference": request.insurer_reference,
        "bulk": request.bulk,
    }
    return {name: value for name, value in whole.items() if value not in (None, "")}


def subject_of(session: Session, request: LimitRequest) -> Subject:
    """A request as the journal names it."""
    buyer, policy = session.get_one(Buyer, request.buyer_id), session.get_one(Policy, request.policy_id)
    return Subject("limit_request", request.id, f"{buyer.legal_name} / {policy.number}")


def get_request(session: Session, request_id: int) -> LimitRequest:
    """The request with this key, locked. Errors: ``limit_request_unknown``.

    The buyer is locked first, then the request, and the journal comes last: whoever keeps to this order waits for nobody that waits
    for him.
    """
    of_request = select(LimitRequest.buyer_id).where(LimitRequest.id == request_id).scalar_subquery()
    session.execute(select(Buyer.id).where(Buyer.id == of_request).with_for_update(key_share=True))
    request = session.scalar(
        select(LimitRequest).where(LimitRequest.id == request_id).with_for_update().execution_options(populate_existing=True)
    )
    if request is None:
        raise Refusal("limit_request_unknown", request=str(request_id))
    return request


def problems_of(new: NewLimitRequest, book: AccountBook, on: date, *, request_id: int | None = None) -> list[InvalidValue]:
    """All that speaks against a request; ``request_id`` is the one that is being written anew. Errors: ``no_terms``, ``rate_missing``."""
    policy, currency = book.policy, new.currency or book.policy.limit_currency
    problems: list[InvalidValue] = []
    if not is_currency(currency):
        return [InvalidValue("currency_unknown", "currency", currency)]
    if new.kind in NEVER_ASKED_FOR:
        problems.append(InvalidValue("kind_not_asked_for", "kind", new.kind.value, kind=new.kind))
    problems.extend(
        problem
        for problem in check_decision(
            new.kind,
            is_top_up_layer=new.layer is Layer.TOP_UP,
            has_top_up=terms_on(book.history, on).layers.top_up is not None,
            has_conditions=False,
            decided_on=on,
            effective_on=on,
            valid_to=None,
        )
        if problem.code != "temporary_needs_end"
    )
    granted = book.granted_to(new.buyer_id, new.layer, currency, on)
    problems.extend(_buyer_problems(new, book, granted, on))
    problems.extend(_amount_problems(new, granted, currency))
    other = book.under_way.get((new.buyer_id, new.layer))
    if other is not None and other.id != request_id:
        problems.append(
            InvalidValue(
                "request_under_way",
                "buyer",
                book.names[new.buyer_id],
                buyer=book.names[new.buyer_id],
                policy=policy.number,
                asked_on=other.asked_on,
                state=other.state,
                reference=other.own_reference,
            )
        )
    return problems


def _buyer_problems(new: NewLimitRequest, book: AccountBook, granted: Money | None, on: date) -> list[InvalidValue]:
    """Why no limit can be granted to the buyer at all; what is granted may still be reduced or given up."""
    is_less = granted is not None and new.amount_minor is not None and new.amount_minor < granted.minor
    if new.request_type in (RequestType.CANCEL, RequestType.REDUCE) or is_less:
        return []
    name, country = book.names[new.buyer_id], book.countries[new.buyer_id]
    problems: list[InvalidValue] = []
    if not is_country_covered(terms_on(book.history, on), country):
        problems.append(InvalidValue("request_country_not_covered", "buyer", name, buyer=name, policy=book.policy.number, country=country))
    if (why := book.not_insurable.get(new.buyer_id)) is not None:
        problems.append(InvalidValue("request_buyer_not_insurable", "buyer", name, buyer=name, why=why))
    return problems


def _amount_problems(new: NewLimitRequest, granted: Money | None, currency: str) -> list[InvalidValue]:
    """What is wrong with the amount for what is asked. *Formula:* the type as ``request_type_for`` of the rules gives it."""
    wanted = new.amount_minor
    if new.request_type is RequestType.CANCEL:
        wanted = 0
    elif wanted is None or wanted < 0 or (wanted == 0 and new.request_type is not None):
        return [InvalidValue("request_amount_needed", "amount", None if wanted is None else str(wanted))]
    if not granted and not wanted:
        return [InvalidValue("nothing_to_cancel", "amount")]
    if granted is not None and wanted == granted.minor and new.kind not in (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT):
        return [InvalidValue("request_changes_nothing", "amount")]
    if new.kind in (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT):
        return []
    fitting = request_type_for(None if granted is None else granted.minor, wanted)
    if new.request_type is not None and new.request_type is not fitting:
        shown = granted or Money(0, currency)
        return [InvalidValue("request_type_does_not_fit", "request_type", new.request_type.value, granted=shown, fits=fitting)]
    return []


def type_of(new: NewLimitRequest, book: AccountBook, currency: str, on: date) -> RequestType:
    """What a request that was found good asks for."""
    if new.request_type is not None:
        return new.request_type
    if new.kind in (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT):
        return RequestType.NEW
    granted = book.granted_to(new.buyer_id, new.layer, currency, on)
    return request_type_for(None if granted is None else granted.minor, new.amount_minor or 0)


def build(actor: Actor, new: NewLimitRequest, book: AccountBook, on: date, *, bulk: str = "") -> LimitRequest:
    """The row of a request that was found good, not stored yet."""
    currency = new.currency or book.policy.limit_currency
    request = LimitRequest(
        policy_id=book.policy.id,
        buyer_id=new.buyer_id,
        state=RequestState.DRAFT,
        asked_on=on,
        # A random reference stays unique for good, even where a database is built anew: insurers remember the old ones.
        own_reference=f"IF{secrets.token_hex(6).upper()}",
        bulk=bulk,
        created_at=now(),
    )
    _fill(request, actor, new, type_of(new, book, currency, on), currency)
    return request


def _fill(request: LimitRequest, actor: Actor, new: NewLimitRequest, request_type: RequestType, currency: str) -> None:
    request.request_type = request_type
    request.layer, request.kind, request.currency = new.layer, new.kind, currency
    request.requested_minor = None if request_type is RequestType.CANCEL else new.amount_minor
    request.is_urgent, request.comment = new.is_urgent, new.comment.strip()[:COMMENT_LENGTH]
    request.created_by_id = actor.user_id


def draft(actor: Actor, organisation_id: int, new: NewLimitRequest, on: date) -> LimitRequest:
    """Write a request; nothing is asked of anybody yet.

    Errors: ``InvalidValues``, ``Refusal`` ``buyer_unknown``, ``policy_unknown``, ``no_terms``, ``rate_missing``.
    """
    with transaction(organisation_id) as session:
        book = AccountBook.load(session, new.policy_id, [new.buyer_id], on)
        problems = problems_of(new, book, on)
        if problems:
            raise InvalidValues(tuple(problems))
        request = build(actor, new, book, on)
        session.add(request)
        session.flush()
        journal.record(session, actor, "limit_request.drafted", subject_of(session, request), after=picture(request))
        return request


def revise(actor: Actor, organisation_id: int, request_id: int, new: NewLimitRequest, on: date) -> LimitRequest:
    """Write a request anew that nobody has sent: it is a draft again, and whoever wrote it last cannot approve it.

    Errors: as for ``draft``, ``limit_request_unknown``, ``request_not_possible``.
    """
    with transaction(organisation_id) as session:
        request = get_request(session, request_id)
        state = request.state if request.state is RequestState.DRAFT else next_state(request.state, RequestAction.REVISE)
        book = AccountBook.load(session, request.policy_id, [request.buyer_id], on)
        if (new.buyer_id, new.policy_id) != (request.buyer_id, request.policy_id):
            raise Refusal("request_of_other_buyer")
        problems = problems_of(new, book, on, request_id=request.id)
        if problems:
            raise InvalidValues(tuple(problems))
        before = picture(request)
        currency = new.currency or book.policy.limit_currency
        _fill(request, actor, new, type_of(new, book, currency, on), currency)
        request.state, request.asked_on = state, on
        session.flush()
        old, changed = journal.changes(before, picture(request))
        journal.record(session, actor, "limit_request.revised", subject_of(session, request), before=old, after=changed)
        return request
