"""One decision and how it stands: the amount that counts, since when, until when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import or_, select

from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import (
    KIND_IN_TERMS,
    AccountActKind,
    LimitKind,
    LimitRecord,
    LimitSituation,
    LimitState,
    LimitStatus,
    situation_on,
    state_of,
)
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.periods import add_days
from insureflow.domain.policies import UNGRADED, Grade, PolicyTerms, conditions_for_limit_kind, insured_percentage_for, parse_conditions
from insureflow.domain.policies.vocabulary import NoticeAppliesTo
from insureflow.domain.trace import Step, Trace, TraceValue
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState
from insureflow.models.database import db
from insureflow.models.limits import AccountAct, LimitDecision, LimitGroup, LimitGroupMember, SharedUse
from insureflow.models.policies import Policy
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision with all that a page shows of it."""

    decision: LimitDecision
    buyer: Buyer
    policy: Policy
    state: LimitState
    takes_effect_on: date
    amount: Money | None
    insured_percentage: Decimal | None
    trace: Trace


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """A buyer's limits under one policy on a day: how it stands, what is in force by layer, and the whole history, newest first.

    ``shared`` is the limit it shares with others, ``taken`` what they leave unusable of it.
    """

    policy: Policy
    situation: LimitSituation
    top_up_situation: LimitSituation
    limit: Money
    top_up: Money
    stopped: bool
    decisions: tuple[tuple[LimitDecision, LimitState], ...]
    acts: tuple[AccountAct, ...]
    shared: LimitGroup | None
    taken: Money


def record_of(decision: LimitDecision) -> LimitRecord:
    """A decision as the rules see it."""
    return LimitRecord(
        decision.id,
        decision.kind,
        decision.status,
        decision.decided_on,
        decision.effective_on,
        decision.valid_to,
        decision.decided_minor,
    )


def _decisions(buyer_id: int, policy_id: int | None = None) -> Sequence[LimitDecision]:
    statement = select(LimitDecision).where(LimitDecision.buyer_id == buyer_id)
    if policy_id is not None:
        statement = statement.where(LimitDecision.policy_id == policy_id)
    return db.session.scalars(statement.order_by(LimitDecision.decided_on, LimitDecision.id)).all()


def acts_of(buyer_id: int, on: date) -> Sequence[AccountAct]:
    """What happened on a buyer's accounts by a day besides limits and money, newest first."""
    return db.session.scalars(
        select(AccountAct)
        .where(AccountAct.buyer_id == buyer_id, AccountAct.happened_on <= on)
        .order_by(AccountAct.happened_on.desc(), AccountAct.id.desc())
    ).all()


def find_act(act_id: int) -> AccountAct | None:
    """The act with this key, or None."""
    return db.session.scalar(select(AccountAct).where(AccountAct.id == act_id))


def grade_on(buyer_id: int, policy_id: int, on: date) -> Grade | None:
    """The insurer's grade of a buyer under a policy on a day; None where none was given by then."""
    act = db.session.scalar(
        select(AccountAct)
        .where(
            AccountAct.buyer_id == buyer_id,
            AccountAct.policy_id == policy_id,
            AccountAct.kind == AccountActKind.BUYER_GRADE,
            AccountAct.happened_on <= on,
        )
        .order_by(AccountAct.happened_on.desc(), AccountAct.id.desc())
        .limit(1)
    )
    return None if act is None else act.data["grade"]


def limits_of_buyer(buyer_id: int, on: date, policy_id: int | None = None) -> list[AccountLimits]:
    """A buyer's limits under each policy that anything was said under, by the policies' priority."""
    decisions = [decision for decision in _decisions(buyer_id, policy_id) if decision.decided_on <= on]
    acts = [act for act in acts_of(buyer_id, on) if policy_id in (None, act.policy_id)]
    states = {
        state.policy_id: state
        for state in db.session.scalars(
            select(AccountState).where(AccountState.buyer_id == buyer_id, AccountState.valid_from <= on, AccountState.valid_to > on)
        )
    }
    keys = {each.policy_id for each in decisions} | {act.policy_id for act in acts} | {key for key in states if policy_id in (None, key)}
    policies = db.session.scalars(select(Policy).where(Policy.id.in_(sorted(keys))).order_by(Policy.priority, Policy.id)).all()
    book = PolicyBook.load()
    shared, taken = _shared(buyer_id, on)
    found: list[AccountLimits] = []
    for policy in policies:
        of_policy = [decision for decision in decisions if decision.policy_id == policy.id]
        state = states.get(policy.id)
        primary, top_up = (state.limit_primary_minor, state.limit_top_up_minor) if state else (0, 0)
        with_notice = {
            record.sequence: (record, records)
            for layer in Layer
            for records in [_records([each for each in of_policy if each.layer is layer], book.policies[policy.id], policy)]
            for record in records
        }
        by_layer = {layer: [record_of(each) for each in of_policy if each.layer is layer] for layer in Layer}
        found.append(
            AccountLimits(
                policy=policy,
                situation=situation_on(by_layer[Layer.PRIMARY], on, has_limit=primary > 0),
                top_up_situation=situation_on(by_layer[Layer.TOP_UP], on, has_limit=top_up > 0),
                limit=Money(primary, policy.limit_currency),
                top_up=Money(top_up, policy.limit_currency),
                stopped=bool(state and state.stopped),
                decisions=tuple((each, state_of(*with_notice[each.id], on)) for each in reversed(of_policy)),
                acts=tuple(act for act in acts if act.policy_id == policy.id),
                shared=shared.get(policy.id),
                taken=Money(taken.get(policy.id, 0), policy.limit_currency),
            )
        )
    return found


def _shared(buyer_id: int, on: date) -> tuple[dict[int, LimitGroup], dict[int, int]]:
    """By policy: the limit a buyer shares on a day, and what the others leave unusable of it."""
    member, use = LimitGroupMember, SharedUse
    groups = db.session.scalars(
        select(LimitGroup)
        .join(member, member.group_id == LimitGroup.id)
        .where(member.buyer_id == buyer_id, member.joined_on <= on, or_(member.left_on.is_(None), member.left_on > on))
    )
    uses = db.session.execute(
        select(use.policy_id, use.taken_minor).where(use.buyer_id == buyer_id, use.valid_from <= on, use.valid_to > on)
    )
    return {group.policy_id: group for group in groups}, {row.policy_id: int(row.taken_minor) for row in uses}


def find_decision(decision_id: int, on: date) -> DecisionView | None:
    """A decision and how it stands on a day, with the steps that lead to the amount that counts; None if there is none."""
    decision = db.session.scalar(select(LimitDecision).where(LimitDecision.id == decision_id))
    if decision is None:
        return None
    buyer, policy = db.session.get_one(Buyer, decision.buyer_id), db.session.get_one(Policy, decision.policy_id)
    siblings = [each for each in _decisions(decision.buyer_id, decision.policy_id) if each.layer is decision.layer]
    insured = PolicyBook.load().policies[policy.id]
    records = _records(siblings, insured, policy)
    state = state_of(next(record for record in records if record.sequence == decision.id), records, on)
    return _view(decision, buyer, policy, state, siblings, insured, on)


def _records(decisions: Sequence[LimitDecision], insured: InsurancePolicy, policy: Policy) -> list[LimitRecord]:
    """The decisions of one layer as the rules see them, each with the day on which it takes effect after any notice."""
    found: list[LimitRecord] = []
    for decision in decisions:
        terms = insured.terms_on(decision.decided_on)
        effective, _step = _effect(decision, _in_limit_currency(decision, policy), decisions, terms, policy)
        found.append(replace(record_of(decision), effective_on=effective))
    return found


def _in_limit_currency(decision: LimitDecision, policy: Policy) -> Money | None:
    if decision.decided_minor is None:
        return None
    minor = convert_minor(decision.decided_minor, decision.currency, policy.limit_currency, decision.rate)
    return Money(minor, policy.limit_currency)


def _view(
    decision: LimitDecision,
    buyer: Buyer,
    policy: Policy,
    state: LimitState,
    siblings: Sequence[LimitDecision],
    insured: InsurancePolicy,
    on: date,
) -> DecisionView:
    terms = insured.terms_on(decision.decided_on)
    steps: list[Step] = []
    amount = _in_limit_currency(decision, policy)
    if decision.decided_minor is not None:
        given = Money(decision.decided_minor, decision.currency)
        steps.append(
            Step(
                "limit_amount",
                "limit_amount_formula",
                (("limit_decided", given), ("limit_rate", decision.rate), ("limit_rate_source", decision.rate_source or "–")),
                amount,
                "limit_rate_frozen",
                decision.decided_on,
            )
        )
    effective, step = _effect(decision, amount, siblings, terms, policy)
    steps.append(step)
    if decision.valid_to is not None:
        steps.append(
            Step("limit_last_day", "limit_last_day_formula", (("limit_valid_to", decision.valid_to),), decision.valid_to, "limit_decision")
        )
    percentage: Decimal | None = None
    if amount and decision.status is not LimitStatus.REQUESTED:
        percentage, step = _insured(decision, buyer, terms, on)
        steps.append(step)
    steps.append(
        Step(
            "limit_state",
            "limit_state_formula",
            (("limit_status", f"LimitStatus.{decision.status.value}"),),
            f"LimitState.{state.value}",
            "limit_history",
        )
    )
    return DecisionView(decision, buyer, policy, state, effective, amount, percentage, Trace(tuple(steps)))


def _previous(decision: LimitDecision, siblings: Sequence[LimitDecision], policy: Policy) -> Money | None:
    """The ordinary amount decided before, in limit currency."""
    earlier = [
        each
        for each in siblings
        if (each.decided_on, each.id) < (decision.decided_on, decision.id)
        and each.status is not LimitStatus.REQUESTED
        and each.kind not in (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT)
    ]
    if not earlier or earlier[-1].decided_minor is None:
        return None
    last = earlier[-1]
    return Money(convert_minor(last.decided_minor or 0, last.currency, policy.limit_currency, last.rate), policy.limit_currency)


def _effect(
    decision: LimitDecision, amount: Money | None, siblings: Sequence[LimitDecision], terms: PolicyTerms, policy: Policy
) -> tuple[date, Step]:
    """The day on which a decision takes effect: after the policy's notice where it ends or reduces a limit.

    *Formula:* the later of the day decided and the day named; for a withdrawal or reduction not before the day decided + notice.
    """
    notice = terms.limit_cancellation_notice
    previous = _previous(decision, siblings, policy)
    is_reduction = amount is not None and previous is not None and amount < previous and decision.kind is not LimitKind.TEMPORARY
    needs_notice = decision.status is LimitStatus.WITHDRAWN or (
        is_reduction and notice.applies_to is NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION
    )
    effective = max(decision.decided_on, decision.effective_on)
    if needs_notice:
        effective = max(effective, add_days(decision.decided_on, notice.days))
    inputs: list[tuple[str, Money | date | int | str | None]] = [
        ("limit_decided_on", decision.decided_on),
        ("limit_effective_on", decision.effective_on),
    ]
    if previous is not None:
        inputs.append(("limit_previous", previous))
    if needs_notice:
        inputs.append(("limit_notice_days", notice.days))
    basis = "limit_notice_of_policy" if needs_notice else "limit_decision"
    return effective, Step("limit_effect", "limit_effect_notice" if needs_notice else "limit_effect_plain", tuple(inputs), effective, basis)


def _insured(decision: LimitDecision, buyer: Buyer, terms: PolicyTerms, on: date) -> tuple[Decimal, Step]:
    """The insured percentage under a decision for a sale on a day: a policy with cover by grade looks at the grade of that day."""
    if decision.layer is Layer.TOP_UP and terms.layers.top_up is not None and terms.layers.top_up.insured_percentage is not None:
        percentage = terms.layers.top_up.insured_percentage
        return percentage, Step("limit_percentage", "limit_percentage_formula", (), percentage, "limit_percentage_of_top_up")
    own = parse_conditions(decision.conditions) if decision.conditions else None
    conditions = conditions_for_limit_kind(terms, KIND_IN_TERMS[decision.kind], own)
    inputs: list[tuple[str, TraceValue]] = [("limit_country", buyer.country)]
    grade: Grade | None = None
    if terms.grade_cover is not None:
        grade = grade_on(buyer.id, decision.policy_id, on)
        inputs.append(("limit_grade", grade if grade is not None else UNGRADED))
    percentage, source = insured_percentage_for(terms, buyer.country, grade, conditions)
    return percentage, Step("limit_percentage", "limit_percentage_formula", tuple(inputs), percentage, f"percentage_from_{source}")
