"""Four eyes: up to which amount a role may send a request alone, and the second person's yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission, Role, is_allowed
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import ApprovalNeed, RequestAction, assess_approval, check_approval, next_state
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.trace import Trace
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.database import db
from insureflow.models.limit_requests import ApprovalThreshold, LimitRequest
from insureflow.models.organisations import Organisation
from insureflow.models.scope import current_organisation_id
from insureflow.services import journal, work_items
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_requests.accounts import AccountBook
from insureflow.services.limit_requests.drafting import get_request, picture, subject_of
from insureflow.services.limit_requests.submitting import hand_over
from insureflow.services.limits.decisions import PolicyBook
from insureflow.services.rates import RateBook
from insureflow.services.transaction import transaction

#: Roles that may ask for limits at all.
ASKING_ROLES = tuple(role for role in Role if is_allowed(role, Permission.REQUEST_LIMITS))


def thresholds_of(session: Session | None = None) -> dict[Role, Money]:
    """What was set, by role; a role that may ask and is not named decides any amount alone."""
    rows = (session or db.session()).scalars(select(ApprovalThreshold).order_by(ApprovalThreshold.id))
    return {row.role: Money(row.amount_minor, row.currency) for row in rows}


def set_thresholds(actor: Actor, organisation_id: int, thresholds: Mapping[Role, int | None]) -> None:
    """Set up to which amount each role may send a request alone, in minor units of the currency of reports; None for any amount.

    Errors: ``InvalidValues`` ``amount_negative``, ``role_never_asks``.
    """
    problems = [InvalidValue("role_never_asks", role.value, None, role=role) for role in thresholds if role not in ASKING_ROLES]
    problems += [
        InvalidValue("amount_negative", role.value, str(amount)) for role, amount in thresholds.items() if amount is not None and amount < 0
    ]
    if problems:
        raise InvalidValues(tuple(problems))
    with transaction(organisation_id) as session:
        organisation = session.get_one(Organisation, organisation_id)
        before = {role.value: amount for role, amount in thresholds_of(session).items()}
        known = {row.role: row for row in session.scalars(select(ApprovalThreshold))}
        for role, amount in thresholds.items():
            row = known.get(role)
            if amount is None:
                if row is not None:
                    session.delete(row)
                continue
            if row is None:
                row = ApprovalThreshold(role=role)
                session.add(row)
            row.currency, row.amount_minor = organisation.reporting_currency, amount
        session.flush()
        after = {role.value: amount for role, amount in thresholds_of(session).items()}
        if before != after:
            subject = Subject("organisation", organisation_id, organisation.name)
            journal.record(session, actor, "organisation.approval_changed", subject, before=before, after=after)


def amount_at_stake(session: Session, request: LimitRequest, on: date) -> Money:
    """What a request is about: the larger of the limit asked for and the one granted now, in the currency of the thresholds.

    *Source:* giving a limit up is as weighty as asking for it. Errors: ``rate_missing``.
    """
    currency = session.get_one(Organisation, current_organisation_id()).reporting_currency
    book = AccountBook.load(session, request.policy_id, [request.buyer_id], on, lock=False)
    granted = book.granted.get((request.buyer_id, request.layer))
    amounts = [] if granted is None else [granted]
    if request.requested_minor is not None:
        amounts.append(Money(request.requested_minor, request.currency))
    rates = RateBook.load()
    converted = [
        convert_minor(amount.minor, amount.currency, currency, rates.get(amount.currency, currency, on).rate)
        if amount.currency != currency
        else amount.minor
        for amount in amounts
    ]
    return Money(max(converted, default=0), currency)


def _rules(session: Session) -> dict[Role, Money | None]:
    own = thresholds_of(session)
    return {role: own.get(role) for role in ASKING_ROLES}


def need_of(session: Session, request: LimitRequest, role: Role | None, on: date) -> ApprovalNeed:
    """Whether somebody in a role may send a request alone. Nobody's role decides nothing alone once an amount was set."""
    if not thresholds_of(session):
        return ApprovalNeed(is_needed=False, alone_up_to=None, approving_roles=ASKING_ROLES, trace=Trace())
    amount, rules = amount_at_stake(session, request, on), _rules(session)
    if role is None:
        need = assess_approval(Role.SALES, amount, rules)
        return ApprovalNeed(is_needed=True, alone_up_to=None, approving_roles=need.approving_roles, trace=need.trace)
    return assess_approval(role, amount, rules)


def find_need(request: LimitRequest, role: Role | None, on: date) -> ApprovalNeed:
    """``need_of`` for a page that only looks. Errors: ``rate_missing``."""
    return need_of(db.session(), request, role, on)


def hand_in(actor: Actor, organisation_id: int, request_id: int, role: Role | None, on: date) -> LimitRequest:
    """Send a draft, or put it before a second person where its amount needs one. ``role`` is that of who acts.

    Errors: ``limit_request_unknown``, ``request_not_possible``, those of ``submit``.
    """
    with transaction(organisation_id) as session:
        request = get_request(session, request_id)
        action = step(session, actor, request, role, on)
        journal.record(session, actor, action, subject_of(session, request), after=picture(request))
        return request


def step(session: Session, actor: Actor, request: LimitRequest, role: Role | None, on: date, book: PolicyBook | None = None) -> str:
    """Move a draft on in the running unit of work, and give the action that the journal names."""
    if not need_of(session, request, role, on).is_needed:
        request.state = next_state(request.state, RequestAction.SUBMIT)
        hand_over(session, request, on, by=actor.user_id, book=book)
        return "limit_request.submitted"
    _put_before(session, actor, request, on)
    return "limit_request.approval_asked"


def ask_approval(actor: Actor, organisation_id: int, request_id: int, on: date) -> LimitRequest:
    """Put a draft before a second person, needed or not. Errors: ``limit_request_unknown``, ``request_not_possible``."""
    with transaction(organisation_id) as session:
        request = get_request(session, request_id)
        _put_before(session, actor, request, on)
        journal.record(session, actor, "limit_request.approval_asked", subject_of(session, request), after=picture(request))
        return request


def _put_before(session: Session, actor: Actor, request: LimitRequest, on: date) -> None:
    request.state = next_state(request.state, RequestAction.ASK_APPROVAL)
    work_items.open_item(
        session,
        WorkKind.APPROVE_REQUEST,
        f"{cause_of(request)}{now().isoformat()}",
        buyer_id=request.buyer_id,
        policy_id=request.policy_id,
        due_on=on,
        facts={"amount": amount_of(request), "asked_by": actor.name, "request_id": request.id},
    )


def amount_of(request: LimitRequest) -> Money:
    """The limit a request asks for; nothing for one that gives it up."""
    return Money(request.requested_minor or 0, request.currency)


def cause_of(request: LimitRequest) -> str:
    """How work about a request is named."""
    return f"request:{request.own_reference}:"


def submit(actor: Actor, organisation_id: int, request_id: int, role: Role | None, on: date) -> LimitRequest:
    """Send a draft whose amount needs no second person.

    Errors: ``limit_request_unknown``, ``request_not_possible``, ``approval_needed``, ``request_under_way``, ``company_not_matched``.
    """
    with transaction(organisation_id) as session:
        request = get_request(session, request_id)
        state = next_state(request.state, RequestAction.SUBMIT)
        if need_of(session, request, role, on).is_needed:
            raise Refusal("approval_needed", amount=amount_of(request))
        request.state = state
        hand_over(session, request, on, by=actor.user_id)
        journal.record(session, actor, "limit_request.submitted", subject_of(session, request), after=picture(request))
        return request


def approve(actor: Actor, organisation_id: int, request_id: int, role: Role, on: date) -> LimitRequest:
    """Agree to a request that somebody else wrote, and send it.

    Errors: ``limit_request_unknown``, ``request_not_possible``, ``approval_needs_a_person``, ``approval_of_own_request``,
    ``approval_above_authority``, those of ``submit``.
    """
    with transaction(organisation_id) as session:
        request = get_request(session, request_id)
        state = next_state(request.state, RequestAction.APPROVE)
        _check(session, actor, request, role, on)
        request.state, request.approved_at, request.approved_by_id = state, now(), actor.user_id
        work_items.close_items(session, WorkKind.APPROVE_REQUEST, cause_of(request), WorkOutcome.DONE, by=actor.user_id)
        hand_over(session, request, on, by=actor.user_id)
        journal.record(session, actor, "limit_request.approved", subject_of(session, request), after=picture(request))
        return request


def _check(session: Session, actor: Actor, request: LimitRequest, role: Role, on: date) -> None:
    if not is_allowed(role, Permission.APPROVE_LIMITS):
        raise Refusal("approval_above_authority", role=role, amount=amount_of(request))
    rules = _rules(session)
    amount = amount_at_stake(session, request, on) if any(rules.values()) else amount_of(request)
    check_approval(request.created_by_id, actor.user_id, role, amount, rules)


def reject(actor: Actor, organisation_id: int, request_id: int, role: Role, reason: str, on: date) -> LimitRequest:
    """Say no to a request that somebody else wrote, with a reason; it can be written anew.

    Errors: as for ``approve``, ``reason_needed``.
    """
    if not reason.strip():
        raise InvalidValue("reason_needed", "reason")
    with transaction(organisation_id) as session:
        request = get_request(session, request_id)
        state = next_state(request.state, RequestAction.REJECT)
        _check(session, actor, request, role, on)
        request.state = state
        work_items.close_items(session, WorkKind.APPROVE_REQUEST, cause_of(request), WorkOutcome.DONE, by=actor.user_id)
        after = {"state": request.state, "reason": reason.strip()[:1000]}
        journal.record(session, actor, "limit_request.rejected", subject_of(session, request), after=after)
        return request
