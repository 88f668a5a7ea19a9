"""What insurers decide on limits, entered once and never changed; a later decision supersedes an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.cover.events import Layer
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus, check_decision, status_of_decision
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.policies import DatedTerms, conditions_to_data, parse_conditions, parse_terms, terms_on
from insureflow.models.buyers import Buyer
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy, PolicyTermsVersion
from insureflow.services import cover, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_cuts import announce_cuts
from insureflow.services.rates import RateBook
from insureflow.services.transaction import transaction

#: What makes a decision the decision it is; the status follows from it. Two with the same content and reference are one.
_CONTENT = (
    "buyer_id",
    "layer",
    "kind",
    "requested_minor",
    "decided_minor",
    "currency",
    "decided_on",
    "effective_on",
    "valid_to",
    "conditions",
)


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision to be entered. ``effective_on`` defaults to ``decided_on``; ``status`` is worked out where it is not given.

    ``conditions`` are plain data as the terms of a policy write them.
    """

    buyer_id: int
    policy_id: int
    decided_minor: int
    currency: str
    decided_on: date
    kind: LimitKind = LimitKind.NAMED
    layer: Layer = Layer.PRIMARY
    requested_minor: int | None = None
    effective_on: date | None = None
    valid_to: date | None = None
    conditions: Mapping[str, object] = field(default_factory=dict)
    insurer_reference: str | None = None
    status: LimitStatus | None = None
    reason: str = ""
    source: str = "manual"


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A limit that was asked for and is not decided yet."""

    buyer_id: int
    policy_id: int
    requested_minor: int
    currency: str
    requested_on: date
    kind: LimitKind = LimitKind.NAMED
    layer: Layer = Layer.PRIMARY
    insurer_reference: str | None = None
    reason: str = ""
    source: str = "manual"


@dataclass(frozen=True, slots=True)
class NewWithdrawal:
    """Notice that a limit ends, received on a day; it takes effect after the policy's notice, or on a later day that it names."""

    buyer_id: int
    policy_id: int
    received_on: date
    effective_on: date | None = None
    layer: Layer = Layer.PRIMARY
    insurer_reference: str | None = None
    reason: str = ""
    source: str = "manual"


def get_policy(session: Session, policy_id: int) -> Policy:
    """The policy with this key in the current scope. Errors: ``Refusal`` ``policy_unknown``."""
    policy = session.scalar(select(Policy).where(Policy.id == policy_id))
    if policy is None:
        raise Refusal("policy_unknown", policy=str(policy_id))
    return policy


def history_of(session: Session, policy_id: int) -> tuple[DatedTerms, ...]:
    """All versions of the terms of a policy."""
    versions = session.scalars(select(PolicyTermsVersion).where(PolicyTermsVersion.policy_id == policy_id))
    return tuple(DatedTerms(version.effective_on, parse_terms(version.data)) for version in versions)


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """What decisions under a policy are read against, loaded once: the versions of its terms, and the rates of exchange."""

    history: tuple[DatedTerms, ...]
    rates: RateBook

    @classmethod
    def load(cls, session: Session, policy_id: int) -> PolicyBook:
        """The book of one policy."""
        return cls(history_of(session, policy_id), RateBook.load())


def _get_buyer(session: Session, buyer_id: int) -> Buyer:
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    return buyer


def picture(decision: LimitDecision) -> dict[str, Any]:
    """A decision as the journal keeps it."""
    whole: dict[str, Any] = {
        "policy_id": decision.policy_id,
        "buyer_id": decision.buyer_id,
        "layer": decision.layer,
        "kind": decision.kind,
        "status": decision.status,
        "requested": None if decision.requested_minor is None else Money(decision.requested_minor, decision.currency),
        "decided": None if decision.decided_minor is None else Money(decision.decided_minor, decision.currency),
        "rate": decision.rate,
        "rate_source": decision.rate_source,
        "decided_on": decision.decided_on,
        "effective_on": decision.effective_on,
        "valid_to": decision.valid_to,
        "conditions": decision.conditions,
        "insurer_reference": decision.insurer_reference,
        "reason": decision.reason,
        "source": decision.source,
    }
    return {name: value for name, value in whole.items() if value not in (None, "", {})}


def _subject(decision: LimitDecision, buyer: Buyer, policy: Policy) -> Subject:
    return Subject("limit", decision.id, f"{buyer.legal_name} / {policy.number}")


def find_same(session: Session, decision: LimitDecision) -> LimitDecision | None:
    """The decision that was entered already: by the insurer's reference, without one by its whole content.

    Errors: ``Refusal`` ``reference_taken`` where a decision with this reference says something else.
    """
    if decision.insurer_reference is not None:
        known = session.scalar(
            select(LimitDecision).where(
                LimitDecision.policy_id == decision.policy_id, LimitDecision.insurer_reference == decision.insurer_reference
            )
        )
        if known is None:
            return None
        differing = [name for name in _CONTENT if getattr(known, name) != getattr(decision, name)]
        if differing:
            raise Refusal(
                "reference_taken",
                reference=decision.insurer_reference,
                differs="; ".join(
                    f"{name.removesuffix('_minor').removesuffix('_id').replace('_', ' ')}: {_shown(known, name)} ≠ {_shown(decision, name)}"
                    for name in differing
                ),
            )
        return known
    candidates = session.scalars(
        select(LimitDecision).where(
            LimitDecision.policy_id == decision.policy_id,
            LimitDecision.buyer_id == decision.buyer_id,
            LimitDecision.decided_on == decision.decided_on,
            LimitDecision.insurer_reference.is_(None),
        )
    )
    return next((known for known in candidates if all(getattr(known, name) == getattr(decision, name) for name in _CONTENT)), None)


def _shown(decision: LimitDecision, name: str) -> str:
    value = getattr(decision, name)
    if value is None:
        return "–"
    if name.endswith("_minor"):
        return str(Money(value, decision.currency))
    return str(getattr(value, "value", value))


def _status(session: Session, new: NewDecision, policy: Policy, rate: Decimal) -> LimitStatus:
    """The word for a decision, from what was asked and from the ordinary limit that was decided last before it.

    *Formula:* compared in limit currency, each amount at the rate of its own decision.
    """

    def in_limit_currency(minor: int, currency: str, at: Decimal) -> int:
        return convert_minor(minor, currency, policy.limit_currency, at)

    decided = in_limit_currency(new.decided_minor, new.currency, rate)
    requested = None if new.requested_minor is None else in_limit_currency(new.requested_minor, new.currency, rate)
    if new.kind in (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT):
        return status_of_decision(requested, decided, None)
    previous = session.scalar(
        select(LimitDecision)
        .where(
            LimitDecision.policy_id == new.policy_id,
            LimitDecision.buyer_id == new.buyer_id,
            LimitDecision.layer == new.layer,
            LimitDecision.status != LimitStatus.REQUESTED,
            LimitDecision.kind.not_in([LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT]),
            LimitDecision.decided_on <= new.decided_on,
        )
        .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
        .limit(1)
    )
    if previous is None or previous.decided_minor is None or (previous.valid_to is not None and previous.valid_to < new.decided_on):
        return status_of_decision(requested, decided, None)
    return status_of_decision(requested, decided, in_limit_currency(previous.decided_minor, previous.currency, previous.rate))


def check_days(problems: list[InvalidValue], name: str, day: date, on: date) -> None:
    """Nothing can have happened after the day on which it is entered."""
    if day > on:
        problems.append(InvalidValue("in_the_future", name, day, today=on))


def build_decision(session: Session, new: NewDecision, policy: Policy, book: PolicyBook, on: date) -> LimitDecision:
    """The row of a decision, checked but not stored. Errors: ``InvalidValues``, ``Refusal`` ``rate_missing``."""
    effective_on = new.effective_on or new.decided_on
    problems: list[InvalidValue] = []
    check_days(problems, "decided_on", new.decided_on, on)
    if not is_currency(new.currency):
        problems.append(InvalidValue("currency_unknown", "currency", new.currency))
    for name, minor in (("decided", new.decided_minor), ("requested", new.requested_minor)):
        if minor is not None and minor < 0:
            problems.append(InvalidValue("amount_negative", name, str(minor)))
    terms = terms_on(book.history, new.decided_on)
    problems.extend(
        check_decision(
            new.kind,
            is_top_up_layer=new.layer is Layer.TOP_UP,
            has_top_up=terms.layers.top_up is not None,
            has_conditions=bool(new.conditions),
            decided_on=new.decided_on,
            effective_on=effective_on,
            valid_to=new.valid_to,
        )
    )
    conditions: dict[str, Any] = {}
    try:
        conditions = dict(conditions_to_data(parse_conditions(new.conditions)))
    except InvalidValues as unreadable:
        problems.extend(unreadable.problems)
    if problems:
        raise InvalidValues(tuple(problems))
    rate = book.rates.get(new.currency, policy.limit_currency, new.decided_on)
    return LimitDecision(
        policy_id=policy.id,
        buyer_id=new.buyer_id,
        layer=new.layer,
        kind=new.kind,
        status=new.status or _status(session, new, policy, rate.rate),
        requested_minor=new.requested_minor,
        decided_minor=new.decided_minor,
        currency=new.currency,
        rate=rate.rate,
        rate_source=rate.note,
        decided_on=new.decided_on,
        effective_on=effective_on,
        valid_to=new.valid_to,
        conditions=conditions,
        insurer_reference=(new.insurer_reference or "").strip() or None,
        reason=new.reason.strip()[:1000],
        source=new.source,
        created_at=now(),
    )


def record_decision(actor: Actor, organisation_id: int, new: NewDecision, on: date) -> LimitDecision:
    """Enter a decision and work cover out anew; one that was entered already is given back and nothing is changed.

    Errors: ``InvalidValues``, ``Refusal`` ``buyer_unknown``, ``policy_unknown``, ``no_terms``, ``rate_missing``, ``reference_taken``.
    """
    with transaction(organisation_id) as session:
        buyer, policy = _get_buyer(session, new.buyer_id), get_policy(session, new.policy_id)
        decision = build_decision(session, new, policy, PolicyBook.load(session, policy.id), on)
        return _store(session, actor, "limit.decided", decision, buyer, policy, on)


def record_request(actor: Actor, organisation_id: int, new: NewRequest, on: date) -> LimitDecision:
    """Note that a limit was asked for; it changes no cover.

    Errors: ``InvalidValues``, ``Refusal`` ``buyer_unknown``, ``policy_unknown``, ``rate_missing``, ``reference_taken``.
    """
    with transaction(organisation_id) as session:
        buyer, policy = _get_buyer(session, new.buyer_id), get_policy(session, new.policy_id)
        request = build_request(new, policy, PolicyBook.load(session, policy.id), on)
        return _store(session, actor, "limit.requested", request, buyer, policy, None)


def build_request(new: NewRequest, policy: Policy, book: PolicyBook, on: date) -> LimitDecision:
    """The row of a request, checked but not stored. Errors: ``InvalidValues``, ``Refusal`` ``rate_missing``."""
    problems: list[InvalidValue] = []
    check_days(problems, "requested_on", new.requested_on, on)
    if not is_currency(new.currency):
        problems.append(InvalidValue("currency_unknown", "currency", new.currency))
    if new.requested_minor <= 0:
        problems.append(InvalidValue("amount_not_positive", "requested", str(new.requested_minor)))
    terms = terms_on(book.history, new.requested_on)
    problems.extend(
        problem
        for problem in check_decision(
            new.kind,
            is_top_up_layer=new.layer is Layer.TOP_UP,
            has_top_up=terms.layers.top_up is not None,
            has_conditions=False,
            decided_on=new.requested_on,
            effective_on=new.requested_on,
            valid_to=None,
        )
        if problem.code != "temporary_needs_end"
    )
    if problems:
        raise InvalidValues(tuple(problems))
    rate = book.rates.get(new.currency, policy.limit_currency, new.requested_on)
    return LimitDecision(
        policy_id=policy.id,
        buyer_id=new.buyer_id,
        layer=new.layer,
        kind=new.kind,
        status=LimitStatus.REQUESTED,
        requested_minor=new.requested_minor,
        decided_minor=None,
        currency=new.currency,
        rate=rate.rate,
        rate_source=rate.note,
        decided_on=new.requested_on,
        effective_on=new.requested_on,
        valid_to=None,
        conditions={},
        insurer_reference=(new.insurer_reference or "").strip() or None,
        reason=new.reason.strip()[:1000],
        source=new.source,
        created_at=now(),
    )


def withdraw(actor: Actor, organisation_id: int, new: NewWithdrawal, on: date) -> LimitDecision:
    """Enter the insurer's notice that a limit ends, and work cover out anew.

    Errors: ``InvalidValues``, ``Refusal`` ``buyer_unknown``, ``policy_unknown``, ``nothing_to_withdraw``, ``reference_taken``.
    """
    with transaction(organisation_id) as session:
        buyer, policy = _get_buyer(session, new.buyer_id), get_policy(session, new.policy_id)
        withdrawal = build_withdrawal(session, new, policy, buyer, on)
        return _store(session, actor, "limit.withdrawn", withdrawal, buyer, policy, on)


def build_withdrawal(session: Session, new: NewWithdrawal, policy: Policy, buyer: Buyer, on: date) -> LimitDecision:
    """The row of a withdrawal, checked but not stored. Errors: ``InvalidValues``, ``Refusal`` ``nothing_to_withdraw``."""
    problems: list[InvalidValue] = []
    check_days(problems, "received_on", new.received_on, on)
    if new.effective_on is not None and new.effective_on < new.received_on:
        problems.append(InvalidValue("effective_before_notice", "effective_on", new.effective_on, received=new.received_on))
    if problems:
        raise InvalidValues(tuple(problems))
    known = session.scalar(
        select(LimitDecision.id)
        .where(
            LimitDecision.policy_id == policy.id,
            LimitDecision.buyer_id == buyer.id,
            LimitDecision.layer == new.layer,
            LimitDecision.decided_minor > 0,
            LimitDecision.decided_on <= new.received_on,
        )
        .limit(1)
    )
    if known is None:
        raise Refusal("nothing_to_withdraw", buyer=buyer.legal_name, policy=policy.number)
    return LimitDecision(
        policy_id=policy.id,
        buyer_id=buyer.id,
        layer=new.layer,
        kind=LimitKind.TOP_UP if new.layer is Layer.TOP_UP else LimitKind.NAMED,
        status=LimitStatus.WITHDRAWN,
        requested_minor=None,
        decided_minor=None,
        currency=policy.limit_currency,
        rate=Decimal(1),
        rate_source="",
        decided_on=new.received_on,
        effective_on=new.effective_on or new.received_on,
        valid_to=None,
        conditions={},
        insurer_reference=(new.insurer_reference or "").strip() or None,
        reason=new.reason.strip()[:1000],
        source=new.source,
        created_at=now(),
    )


def _store(
    session: Session, actor: Actor, action: str, decision: LimitDecision, buyer: Buyer, policy: Policy, refresh_on: date | None
) -> LimitDecision:
    known = find_same(session, decision)
    if known is not None:
        return known
    decision.created_by_id = actor.user_id
    session.add(decision)
    session.flush()
    journal.record(session, actor, action, _subject(decision, buyer, policy), after=picture(decision))
    announce_cuts(session, [decision])
    if refresh_on is not None:
        cover.refresh_buyers(session, [buyer.id], refresh_on)
    return decision


def remove_decision(actor: Actor, organisation_id: int, decision_id: int, reason: str, on: date) -> int:
    """Take back an entry that was made by mistake, as if it had never been; the journal keeps it. Gives the key of its buyer.

    A limit that ended is not removed but withdrawn. Errors: ``Refusal`` ``limit_unknown``, ``reason_needed``.
    """
    if not reason.strip():
        raise InvalidValue("reason_needed", "reason")
    with transaction(organisation_id) as session:
        decision = session.scalar(select(LimitDecision).where(LimitDecision.id == decision_id))
        if decision is None:
            raise Refusal("limit_unknown", limit=str(decision_id))
        buyer, policy = _get_buyer(session, decision.buyer_id), get_policy(session, decision.policy_id)
        before, subject = picture(decision), _subject(decision, buyer, policy)
        session.delete(decision)
        session.flush()
        journal.record(session, actor, "limit.removed", subject, before=before, after={"reason": reason.strip()[:1000]})
        cover.refresh_buyers(session, [buyer.id], on)
        return buyer.id
