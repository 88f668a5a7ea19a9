"""What the demo's people did lately: requests for limits, reports and discretionary limits, cuts to look at, answers for sales."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from insureflow.domain.access import Role
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.limits.life import RequestOutcome, RequestState, RequestType
from insureflow.domain.money import Money, to_minor
from insureflow.domain.work import WorkKind
from insureflow.models.buyers import Buyer
from insureflow.models.limit_requests import CreditReport, EvidenceFile, LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.services import discretionary, limit_cuts, limit_fees, limit_groups, limit_requests, shipping, work_items
from insureflow.services.demo.places import PLACES
from insureflow.services.discretionary import NewCreditReport
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor
from insureflow.services.limit_groups import GroupWord, NewGroup
from insureflow.services.shipping import ShipQuestion

#: Up to which amount the analyst sends a request without a second person, in whole units of the currency of reports.
ALONE_UP_TO = 100_000

#: What a limit costs a year, in whole units.
_FEES = (("europe", 45, "EUR"), ("world", 60, "USD"))

#: How many days ago the credit reports were made: on buyers whose discretionary limit is in use, where the second ends soon, and
#: on buyers without any limit, where the second proves nothing any more.
_REPORT_AGES_IN_USE = (40, 352)
_REPORT_AGES_WITHOUT = (75, 420, 12)
#: What a report on a buyer without a limit recommends, in cents.
_RECOMMENDED = 12_000_00
_AGENCY = "Meridian Credit Information"

#: Since so many days some distributors share one limit.
_SHARED_SINCE_DAYS = 50

#: Cuts of so many days are still looked at.
_LOOKED_AT_DAYS = 45

#: So many days after the notice of a cut somebody has looked at it, so that the work of the demo is spread over the weeks.
_TO_LOOK_AT_DAYS = 30

#: Requests of so many days under the policy without a connection are still to be sent by hand.
_NOT_SENT_DAYS = 20


def work(session: Session, organisation_id: int, by_policy: dict[str, Policy], seed: int, on: date) -> None:
    """Put everything on record that people at work leave behind; cover and the ledger stay as they are."""
    people = _people(session)
    manager, analyst, sales = people["manager"], people["analyst"], people["sales"]
    limit_requests.set_thresholds(manager, organisation_id, {Role.CREDIT_ANALYST: to_minor(ALONE_UP_TO, "EUR")})
    for short, fee, currency in _FEES:
        limit_fees.set_fee(manager, organisation_id, by_policy[short].id, LimitKind.NAMED, Money(to_minor(fee, currency), currency))
    _Requests(session, analyst, manager, seed, on).write(by_policy)
    _pool(session, manager, organisation_id, by_policy["america"], on)
    _cuts(session, manager, organisation_id, on)
    _own_limits(session, analyst, organisation_id, by_policy["europe"], on)
    _shipments(session, sales, organisation_id, on)


def _people(session: Session) -> dict[str, Actor]:
    users = session.scalars(select(User).where(User.email.like("%@norrvik.example")))
    return {user.email.partition("@")[0]: Actor(user.id, user.name) for user in users}


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)


class _Requests:
    """The requests for limits, one of every state that a request can be in before its limit has a life of its own."""

    def __init__(self, session: Session, analyst: Actor, manager: Actor, seed: int, on: date) -> None:
        self._session, self._analyst, self._manager, self._seed, self._on = session, analyst, manager, seed, on
        self._count = 0

    def write(self, by_policy: dict[str, Policy]) -> None:
        """Add the requests. Those that an insurer answered or looks at belong to decisions that are among the limits already."""
        by_hand = by_policy["america"].id
        for decision in self._decisions(LimitStatus.REQUESTED):
            if decision.policy_id == by_hand and decision.decided_on > self._on - timedelta(days=_NOT_SENT_DAYS):
                self._to_be_sent(self._sent(decision, RequestState.SUBMITTED))
            else:
                self._sent(decision, RequestState.REFERRED)
        for status, outcome in ((LimitStatus.PARTLY_APPROVED, RequestOutcome.PARTIAL), (LimitStatus.REFUSED, RequestOutcome.REFUSED)):
            for decision in self._decisions(status)[-3:]:
                request = self._sent(decision, RequestState.DECIDED)
                request.outcome, request.decision_id = outcome, decision.id
                request.closed_at = _instant(decision.decided_on)
                request.asked_on = decision.decided_on - timedelta(days=4)
        wanted = [*self._granted(by_policy["europe"], 3), *self._granted(by_policy["america"], 1)]
        self._new(wanted[0], 140, RequestState.DRAFT, "For the spring season; waits for the buyer's accounts")
        waiting = self._new(wanted[1], 160, RequestState.AWAITING_APPROVAL, "Two large orders are announced", at_least=ALONE_UP_TO + 25_000)
        work_items.open_item(
            self._session,
            WorkKind.APPROVE_REQUEST,
            f"request:{waiting.own_reference}:{self._on.isoformat()}",
            buyer_id=waiting.buyer_id,
            policy_id=waiting.policy_id,
            due_on=self._on,
            facts={
                "amount": Money(waiting.requested_minor or 0, waiting.currency),
                "asked_by": self._analyst.name,
                "request_id": waiting.id,
            },
        )
        self._new(wanted[2], 300, RequestState.REJECTED, "Group purchasing moves to this company")
        self._new(wanted[3], 125, RequestState.DRAFT, "Asked for by sales")

    def _decisions(self, status: LimitStatus) -> Sequence[LimitDecision]:
        return self._session.scalars(
            select(LimitDecision)
            .where(LimitDecision.status == status, LimitDecision.layer == Layer.PRIMARY, LimitDecision.requested_minor.is_not(None))
            .order_by(LimitDecision.decided_on, LimitDecision.id)
        ).all()

    def _granted(self, policy: Policy, count: int) -> Sequence[LimitDecision]:
        """The newest limits of buyers about whom nothing else is under way."""
        later, busy = aliased(LimitDecision), aliased(LimitDecision)
        return self._session.scalars(
            select(LimitDecision)
            .where(
                LimitDecision.policy_id == policy.id,
                LimitDecision.status == LimitStatus.APPROVED,
                LimitDecision.kind == LimitKind.NAMED,
                LimitDecision.layer == Layer.PRIMARY,
                LimitDecision.decided_minor >= to_minor(40_000, policy.limit_currency),
                ~select(later.id).where(later.buyer_id == LimitDecision.buyer_id, later.id > LimitDecision.id).exists(),
                ~select(busy.id).where(busy.buyer_id == LimitDecision.buyer_id, busy.status == LimitStatus.REQUESTED).exists(),
            )
            .order_by(LimitDecision.decided_on.desc(), LimitDecision.id)
            .limit(count)
        ).all()

    def _reference(self) -> str:
        """A reference that follows from seed and day, so that two loads of a day are the same."""
        self._count += 1
        return f"IF{hashlib.sha256(f'{self._seed}-{self._on.isoformat()}-{self._count}'.encode()).hexdigest()[:12].upper()}"

    def _sent(self, decision: LimitDecision, state: RequestState) -> LimitRequest:
        earlier = self._session.scalar(
            select(LimitDecision.id).where(
                LimitDecision.buyer_id == decision.buyer_id,
                LimitDecision.layer == decision.layer,
                LimitDecision.decided_minor > 0,
                LimitDecision.decided_on < decision.decided_on,
            )
        )
        asked_at = _instant(decision.decided_on)
        request = LimitRequest(
            policy_id=decision.policy_id,
            buyer_id=decision.buyer_id,
            request_type=RequestType.NEW if earlier is None else RequestType.INCREASE,
            layer=decision.layer,
            kind=decision.kind,
            state=state,
            requested_minor=decision.requested_minor,
            currency=decision.currency,
            asked_on=decision.decided_on,
            own_reference=self._reference(),
            insurer_reference=decision.insurer_reference if state is RequestState.DECIDED else None,
            request_decision_id=None if state is RequestState.DECIDED else decision.id,
            created_at=asked_at,
            created_by_id=self._analyst.user_id,
            submitted_at=asked_at,
        )
        if (decision.requested_minor or 0) > to_minor(ALONE_UP_TO, decision.currency):
            request.approved_at, request.approved_by_id = asked_at, self._manager.user_id
        self._session.add(request)
        self._session.flush()
        return request

    def _to_be_sent(self, request: LimitRequest) -> None:
        """Work for a request that no connection carries: somebody sends it by the insurer's portal."""
        work_items.open_item(
            self._session,
            WorkKind.SEND_REQUEST,
            f"request:{request.own_reference}:",
            buyer_id=request.buyer_id,
            policy_id=request.policy_id,
            due_on=self._on,
            facts={"amount": Money(request.requested_minor or 0, request.currency), "request_id": request.id},
        )

    def _new(self, limit: LimitDecision, percent: int, state: RequestState, comment: str, *, at_least: int = 0) -> LimitRequest:
        step = to_minor(5_000, limit.currency)
        amount = max((limit.decided_minor or 0) * percent // 100 // step * step + step, to_minor(at_least, limit.currency))
        request = LimitRequest(
            policy_id=limit.policy_id,
            buyer_id=limit.buyer_id,
            request_type=RequestType.INCREASE,
            layer=limit.layer,
            kind=limit.kind,
            state=state,
            requested_minor=amount,
            currency=limit.currency,
            asked_on=self._on,
            comment=comment,
            own_reference=self._reference(),
            created_at=_instant(self._on - timedelta(days=1)),
            created_by_id=self._analyst.user_id,
        )
        self._session.add(request)
        self._session.flush()
        return request


def _pool(session: Session, manager: Actor, organisation_id: int, policy: Policy, on: date) -> None:
    """A limit that three distributors share since some weeks, as large as what each of them had before."""
    granted_on = on - timedelta(days=_SHARED_SINCE_DAYS)
    later = aliased(LimitDecision)
    decisions = session.scalars(
        select(LimitDecision)
        .where(
            LimitDecision.policy_id == policy.id,
            LimitDecision.layer == Layer.PRIMARY,
            LimitDecision.kind == LimitKind.NAMED,
            LimitDecision.status == LimitStatus.APPROVED,
            LimitDecision.currency == policy.limit_currency,
            LimitDecision.decided_on < granted_on,
            LimitDecision.valid_to.is_(None),
            ~select(later.id).where(later.buyer_id == LimitDecision.buyer_id, later.id != LimitDecision.id).exists(),
        )
        .order_by(LimitDecision.buyer_id.desc())
        .limit(3)
    ).all()
    whole = sum(decision.decided_minor or 0 for decision in decisions)
    word = GroupWord(whole, policy.limit_currency, granted_on, insurer_reference=f"POOL-{on.year}-1", reason="One limit for the region")
    buyers = [decision.buyer_id for decision in decisions]
    limit_groups.create(manager, organisation_id, NewGroup(policy.id, "Distributors in the Americas", buyers, word), on)


def _cuts(session: Session, manager: Actor, organisation_id: int, on: date) -> None:
    """Work of the limits that were cut lately; what the oldest of them asks for is planned already."""
    statement = (
        select(LimitDecision)
        .where(
            LimitDecision.status.in_([LimitStatus.REDUCED, LimitStatus.WITHDRAWN]),
            LimitDecision.layer == Layer.PRIMARY,
            LimitDecision.decided_on > on - timedelta(days=_LOOKED_AT_DAYS),
        )
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    cuts = session.scalars(statement).all()
    for decision in cuts:
        before = session.scalars(
            select(LimitDecision)
            .where(
                LimitDecision.buyer_id == decision.buyer_id,
                LimitDecision.policy_id == decision.policy_id,
                LimitDecision.layer == decision.layer,
                LimitDecision.decided_minor.is_not(None),
                LimitDecision.decided_on < decision.decided_on,
            )
            .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
        ).first()
        if before is not None:
            looked_at_by = decision.decided_on + timedelta(days=_TO_LOOK_AT_DAYS)
            limit_cuts.note_cut(session, decision, Money(before.decided_minor or 0, before.currency), looked_at_by)
    if cuts:
        limit_cuts.plan_work(manager, organisation_id, cuts[0].id, on)


def _own_limits(session: Session, analyst: Actor, organisation_id: int, policy: Policy, on: date) -> None:
    """Credit reports on file and the discretionary limits worked out from them: usable, ending soon, and none."""
    in_use = session.execute(
        select(LimitDecision, Buyer)
        .join(Buyer, Buyer.id == LimitDecision.buyer_id)
        .where(LimitDecision.policy_id == policy.id, LimitDecision.kind == LimitKind.DISCRETIONARY)
        .order_by(LimitDecision.id)
        .limit(len(_REPORT_AGES_IN_USE))
    )
    for (decision, buyer), age in zip(in_use.all(), _REPORT_AGES_IN_USE, strict=False):
        _report(session, analyst, organisation_id, buyer, on - timedelta(days=age), decision.decided_minor or 0, on)
        assessment = discretionary.assess(analyst, organisation_id, policy.id, buyer.id, on)
        if assessment.is_usable:
            assessment.decision_id = decision.id
    without = session.scalars(
        select(Buyer)
        .where(
            Buyer.country.in_([place.country for place in PLACES if place.policy == "europe"]),
            Buyer.not_insurable.is_(None),
            ~select(LimitDecision.id).where(LimitDecision.buyer_id == Buyer.id).exists(),
        )
        .order_by(Buyer.id)
        .limit(len(_REPORT_AGES_WITHOUT))
    )
    for buyer, age in zip(without.all(), _REPORT_AGES_WITHOUT, strict=False):
        _report(session, analyst, organisation_id, buyer, on - timedelta(days=age), _RECOMMENDED, on)
        discretionary.assess(analyst, organisation_id, policy.id, buyer.id, on)
    refused = session.scalars(
        select(LimitDecision)
        .where(LimitDecision.policy_id == policy.id, LimitDecision.status == LimitStatus.REFUSED)
        .order_by(LimitDecision.id)
        .limit(2)
    )
    for decision in refused:
        discretionary.assess(analyst, organisation_id, policy.id, decision.buyer_id, on)
    session.flush()
    discretionary.remind(organisation_id, on)


def _report(session: Session, analyst: Actor, organisation_id: int, buyer: Buyer, reported_on: date, minor: int, on: date) -> CreditReport:
    """A credit report with its file, put on file the day after it was made."""
    amount = Money(minor, "EUR")
    text = (
        f"{_AGENCY}\nCredit report of {reported_on.isoformat()}\n\nSubject: {buyer.legal_name}, {buyer.country}\n"
        f"Recommended credit: {amount}\nPayments: within terms\n\nA made-up report of the demo.\n"
    )
    evidence = NewEvidence(f"credit-report-{reported_on.isoformat()}.txt", io.BytesIO(text.encode()), reported_on)
    new = NewCreditReport(buyer.id, _AGENCY, reported_on, minor, "EUR")
    report = discretionary.add_report(analyst, organisation_id, new, on, evidence=evidence)
    report.created_at = _instant(reported_on + timedelta(days=1))
    session.get_one(EvidenceFile, report.evidence_file_id).created_at = report.created_at
    session.flush()
    return report


def _shipments(session: Session, sales: Actor, organisation_id: int, on: date) -> None:
    """Answers that sales kept with orders: two of them hold a part of the limit, one says no."""
    asked = (
        ("Terramart Polska S.A.", 38_000, "EUR", 60, 14),
        ("Sablegate Trading LLC", 18_500, "USD", 60, 10),
        ("Brio Costruzioni S.p.A.", 52_000, "EUR", 90, None),
        ("Prado Alimentos S.L.", 61_000, "EUR", 60, None),
    )
    buyers = {buyer.legal_name: buyer for buyer in session.scalars(select(Buyer).where(Buyer.legal_name.in_([name for name, *_ in asked])))}
    for count, (name, amount, currency, terms, kept_days) in enumerate(asked, start=1):
        question = ShipQuestion(
            buyer_id=buyers[name].id,
            amount_minor=to_minor(amount, currency),
            currency=currency,
            ship_on=on + timedelta(days=count),
            credit_terms_days=terms,
            order_reference=f"SO-{on.year}-{4100 + 7 * count}",
        )
        until = None if kept_days is None else on + timedelta(days=kept_days)
        shipping.decide(sales, organisation_id, question, on, reserve_until=until)
