"""How every buyer stands under every policy on a day, set by set: the rules of ``insureflow.domain.limits`` in SQL."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Enum, Subquery, and_, case, func, literal, or_, select, type_coerce, union

from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitSituation, LimitStatus
from insureflow.models.base import vocabulary
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.limits import LimitDecision

#: The type of a situation worked out in SQL, so that rows carry the word itself.
SITUATION: Enum = vocabulary(LimitSituation, "situation")

_APART = (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT)


def _newest_first() -> ColumnElement[int]:
    return func.row_number().over(
        partition_by=(LimitDecision.policy_id, LimitDecision.buyer_id, LimitDecision.layer),
        order_by=(LimitDecision.decided_on.desc(), LimitDecision.id.desc()),
    )


def ordinary_decisions(on: date) -> Subquery:
    """The last ordinary decision in effect, or the withdrawal, of each layer: ``rank`` 1 is the newest."""
    return (
        select(
            LimitDecision.id,
            LimitDecision.policy_id,
            LimitDecision.buyer_id,
            LimitDecision.layer,
            LimitDecision.kind,
            LimitDecision.status,
            LimitDecision.decided_minor,
            LimitDecision.requested_minor,
            LimitDecision.currency,
            LimitDecision.decided_on,
            LimitDecision.effective_on,
            LimitDecision.valid_to,
            LimitDecision.conditions["insured_percentage"].as_string().label("own_percentage"),
            _newest_first().label("rank"),
        )
        .where(
            LimitDecision.decided_on <= on,
            LimitDecision.effective_on <= on,
            LimitDecision.status != LimitStatus.REQUESTED,
            or_(LimitDecision.kind.not_in(_APART), LimitDecision.status == LimitStatus.WITHDRAWN),
        )
        .subquery("ordinary")
    )


def newest_words(on: date) -> Subquery:
    """The last word on each layer, requests included: ``rank`` 1 is the newest."""
    return (
        select(
            LimitDecision.policy_id,
            LimitDecision.buyer_id,
            LimitDecision.layer,
            LimitDecision.status,
            LimitDecision.requested_minor,
            LimitDecision.currency,
            LimitDecision.decided_on,
            _newest_first().label("rank"),
        )
        .where(LimitDecision.decided_on <= on, LimitDecision.kind != LimitKind.PRE_SHIPMENT)
        .subquery("newest")
    )


def side_decisions(on: date) -> Subquery:
    """Of each layer: the first day of an announced change, and the last day of a temporary limit that is valid."""
    is_temporary = and_(
        LimitDecision.kind == LimitKind.TEMPORARY,
        LimitDecision.decided_minor > 0,
        LimitDecision.effective_on <= on,
        or_(LimitDecision.valid_to.is_(None), LimitDecision.valid_to >= on),
    )
    return (
        select(
            LimitDecision.policy_id,
            LimitDecision.buyer_id,
            LimitDecision.layer,
            func.min(case((LimitDecision.effective_on > on, LimitDecision.effective_on))).label("announced_for"),
            func.max(case((is_temporary, LimitDecision.valid_to))).label("temporary_to"),
            func.max(case((is_temporary, LimitDecision.id))).label("temporary_id"),
        )
        .where(LimitDecision.decided_on <= on, LimitDecision.status != LimitStatus.REQUESTED, LimitDecision.kind != LimitKind.PRE_SHIPMENT)
        .group_by(LimitDecision.policy_id, LimitDecision.buyer_id, LimitDecision.layer)
        .subquery("side")
    )


def used_amounts(on: date) -> Subquery:
    """What each account has open on a day, and what of it each layer covers, in limit currency."""
    return (
        select(
            InvoicePosition.policy_id,
            InvoicePosition.buyer_id,
            func.sum(InvoicePosition.open_minor).label("open_minor"),
            func.sum(InvoicePosition.primary_minor).label("primary_minor"),
            func.sum(InvoicePosition.top_up_minor).label("top_up_minor"),
        )
        .where(
            InvoicePosition.valid_from <= on,
            InvoicePosition.valid_to > on,
            InvoicePosition.policy_id.is_not(None),
            InvoicePosition.open_minor > 0,
        )
        .group_by(InvoicePosition.policy_id, InvoicePosition.buyer_id)
        .subquery("used")
    )


def states_on(on: date) -> Subquery:
    """The state of each account on a day."""
    return (
        select(
            AccountState.policy_id,
            AccountState.buyer_id,
            AccountState.limit_primary_minor,
            AccountState.limit_top_up_minor,
            AccountState.reserved_primary_minor,
            AccountState.reserved_top_up_minor,
            AccountState.stopped,
        )
        .where(AccountState.valid_from <= on, AccountState.valid_to > on)
        .subquery("states")
    )


def layers_known(on: date) -> Subquery:
    """Every policy, buyer and layer that anything was said about, and every account that owes: those nobody asked for as well."""
    said = select(LimitDecision.policy_id, LimitDecision.buyer_id, LimitDecision.layer).where(
        LimitDecision.decided_on <= on, LimitDecision.kind != LimitKind.PRE_SHIPMENT
    )
    owing = select(
        InvoicePosition.policy_id, InvoicePosition.buyer_id, literal(Layer.PRIMARY, LimitDecision.layer.type).label("layer")
    ).where(
        InvoicePosition.valid_from <= on,
        InvoicePosition.valid_to > on,
        InvoicePosition.policy_id.is_not(None),
        InvoicePosition.open_minor > 0,
    )
    return union(said, owing).subquery("known")


def situation_of(ordinary: Any, newest: Any, side: Any, limit: ColumnElement[int]) -> ColumnElement[Any]:
    """The situation of a layer. *Formula:* as ``situation_on`` of the rules, test by test."""
    has_ended = or_(ordinary.status == LimitStatus.WITHDRAWN, ordinary.decided_minor == 0)
    words: list[tuple[ColumnElement[bool], LimitSituation]] = [
        (newest.status.is_(None), LimitSituation.NEVER_ASKED),
        (and_(limit > 0, has_ended, side.temporary_to.is_(None)), LimitSituation.RUNNING_OFF),
        (limit > 0, LimitSituation.IN_FORCE),
        (newest.status == LimitStatus.REQUESTED, LimitSituation.PENDING),
        (and_(ordinary.status.is_(None), side.announced_for.is_not(None)), LimitSituation.ANNOUNCED),
        (ordinary.status.is_(None), LimitSituation.EXPIRED),
        (ordinary.status == LimitStatus.WITHDRAWN, LimitSituation.WITHDRAWN),
        (and_(ordinary.decided_minor == 0, ordinary.status == LimitStatus.REFUSED), LimitSituation.REFUSED),
        (ordinary.decided_minor == 0, LimitSituation.ZERO),
    ]
    return type_coerce(case(*((test, word.value) for test, word in words), else_=LimitSituation.EXPIRED.value), SITUATION)
