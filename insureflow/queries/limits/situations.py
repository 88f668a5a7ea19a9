"""How every buyer stands under every policy on a day, set by set: the rules of ``insureflow.domain.limits`` in SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Enum,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import AccountActKind, LimitKind, LimitSituation, LimitStatus
from insureflow.models.base import vocabulary
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import AccountAct, LimitDecision, SharedUse

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


#: Where a key takes part in a number made of several: more keys than any table will hold.
_KEYS = 10**11

# What the last ordinary decision of a layer came to; it is carried in the number that finds the decision.
_IN_FORCE, _WITHDRAWN, _REFUSED, _ZERO = range(4)
_OUTCOMES = 4


def _place_in_time(day: Any, key: Any) -> ColumnElement[int]:
    """A number that is the greater the later the day and, on one day, the key: its greatest finds the newest row of a group."""
    if db.engine.dialect.name == "sqlite":
        number: ColumnElement[int] = cast(func.julianday(day), BigInteger)
    else:
        number = cast(day - literal(date(1, 1, 1), Date()), BigInteger)
    place: ColumnElement[int] = number * _KEYS + key
    return place


def _arm(model: Any, layer: Any, **known: Any) -> Select[Any]:
    """What one table knows about layers; it says nothing about the other columns."""
    columns = [
        known[name].label(name) if name in known else (literal(0, BigInteger) if kind is None else cast(null(), kind)).label(name)
        for name, kind in _COLUMNS.items()
    ]
    return select(model.policy_id.label("policy_id"), model.buyer_id.label("buyer_id"), layer.label("layer"), *columns)


#: The columns of ``layers_on`` with their types; None: an amount, 0 where nobody knows it.
_COLUMNS: dict[str, Any] = {
    "said": None,
    "ordinary": BigInteger(),
    "newest": BigInteger(),
    "announced_for": Date(),
    "temporary_to": Date(),
    "temporary_id": BigInteger(),
    "open_minor": None,
    "used_minor": None,
    "limit_minor": None,
    "taken_minor": None,
    "stopped": None,
    "grade": BigInteger(),
}


def _decision_arm(on: date) -> Select[Any]:
    decision = LimitDecision
    is_word = decision.status != LimitStatus.REQUESTED
    is_general = decision.kind != LimitKind.PRE_SHIPMENT
    is_ordinary = and_(decision.effective_on <= on, is_word, or_(decision.kind.not_in(_APART), decision.status == LimitStatus.WITHDRAWN))
    outcome = case(
        (decision.status == LimitStatus.WITHDRAWN, _WITHDRAWN),
        (and_(decision.decided_minor == 0, decision.status == LimitStatus.REFUSED), _REFUSED),
        (decision.decided_minor == 0, _ZERO),
        else_=_IN_FORCE,
    )
    is_temporary = and_(
        decision.kind == LimitKind.TEMPORARY,
        is_word,
        decision.decided_minor > 0,
        decision.effective_on <= on,
        or_(decision.valid_to.is_(None), decision.valid_to >= on),
    )
    place = _place_in_time(decision.decided_on, decision.id)
    return _arm(
        decision,
        decision.layer,
        said=case((is_general, 1), else_=0),
        ordinary=case((is_ordinary, place * _OUTCOMES + outcome)),
        newest=case((is_general, place * 2 + case((decision.status == LimitStatus.REQUESTED, 1), else_=0))),
        announced_for=case((and_(is_word, is_general, decision.effective_on > on), decision.effective_on)),
        temporary_to=case((is_temporary, decision.valid_to)),
        temporary_id=case((is_temporary, decision.id)),
    ).where(decision.decided_on <= on)


def words_on(on: date) -> Subquery:
    """What was said about layers by a day, one row for each word, in the columns of ``layers_on``."""
    return _decision_arm(on).subquery("words")


def _owed(on: date, buyer_ids: Collection[int] | None) -> CTE:
    """What each account owes and uses of its layers, added up once, as the index of positions gives accounts one after the other."""
    position = InvoicePosition
    names = ("open_minor", "primary_minor", "top_up_minor")
    statement = select(
        position.buyer_id, position.policy_id, *(cast(func.sum(getattr(position, name)), BigInteger).label(name) for name in names)
    ).where(position.valid_from <= on, position.valid_to > on, position.policy_id.is_not(None), position.open_minor > 0)
    if buyer_ids is not None:
        statement = statement.where(position.buyer_id.in_(buyer_ids))
    return statement.group_by(position.buyer_id, position.policy_id).cte("owed")


def layers_on(on: date, *, buyer_ids: Collection[int] | None = None) -> Subquery:
    """Every layer that anything was said about, and every account that owes, with what is known of it on a day; one row each.

    ``ordinary`` finds the last ordinary decision in effect, or the withdrawal (``decision_key``), ``newest`` the last word,
    requests included; ``temporary_id`` is a temporary limit that is valid, ``grade`` finds the insurer's grade of the buyer.
    One reading of each table, added up: joining them costs far more than reading them. ``buyer_ids``: of these buyers only.
    """
    state, act = AccountState, AccountAct
    owed = _owed(on, buyer_ids).c
    standing = (state.valid_from <= on, state.valid_to > on)
    graded = (act.kind == AccountActKind.BUYER_GRADE, act.happened_on <= on)
    primary, top_up = (literal(layer, LimitDecision.layer.type) for layer in (Layer.PRIMARY, Layer.TOP_UP))
    stopped = case((state.stopped, 1), else_=0)
    grade = _place_in_time(act.happened_on, act.id)
    arms = [
        _decision_arm(on),
        _arm(owed, primary, open_minor=owed.open_minor, used_minor=owed.primary_minor),
        _arm(owed, top_up, used_minor=owed.top_up_minor).where(owed.top_up_minor > 0),
        _arm(state, primary, used_minor=state.reserved_primary_minor, limit_minor=state.limit_primary_minor, stopped=stopped).where(
            *standing
        ),
        _arm(state, top_up, used_minor=state.reserved_top_up_minor, limit_minor=state.limit_top_up_minor, stopped=stopped).where(
            *standing, or_(state.limit_top_up_minor > 0, state.reserved_top_up_minor > 0, state.stopped)
        ),
        _arm(SharedUse, primary, taken_minor=SharedUse.taken_minor).where(SharedUse.valid_from <= on, SharedUse.valid_to > on),
        _arm(act, primary, grade=grade).where(*graded),
        _arm(act, top_up, grade=grade).where(*graded),
    ]
    if buyer_ids is not None:
        arms = [arm.where(arm.selected_columns.buyer_id.in_(buyer_ids)) for arm in arms]  # what is owed is of these already
    parts = union_all(*arms).subquery("parts")
    part = parts.c
    amounts = [cast(func.sum(part[name]), BigInteger).label(name) for name in ("open_minor", "used_minor", "limit_minor", "taken_minor")]
    newest = [func.max(part[name]).label(name) for name in ("ordinary", "newest", "temporary_to", "temporary_id", "stopped", "grade")]
    return (
        select(part.policy_id, part.buyer_id, part.layer, *amounts, *newest, func.min(part.announced_for).label("announced_for"))
        .group_by(part.policy_id, part.buyer_id, part.layer)
        .having(or_(func.max(part.said) == 1, and_(part.layer == Layer.PRIMARY, func.sum(part.open_minor) > 0)))
        .subquery("layers")
    )


def ordinary_key(layers: Any) -> ColumnElement[int]:
    """The key of the last ordinary decision of a layer."""
    return cast((layers.ordinary // _OUTCOMES) % _KEYS, BigInteger)


def newest_key(layers: Any) -> ColumnElement[int]:
    """The key of the last word on a layer."""
    return cast((layers.newest // 2) % _KEYS, BigInteger)


def grade_key(layers: Any) -> ColumnElement[int]:
    """The key of the act that gave the buyer of a layer its grade."""
    return cast(layers.grade % _KEYS, BigInteger)


def situation_of(layers: Any) -> ColumnElement[Any]:
    """The situation of a layer. *Formula:* as ``situation_on`` of the rules, test by test."""
    outcome = layers.ordinary % _OUTCOMES
    words: list[tuple[ColumnElement[bool], LimitSituation]] = [
        (layers.newest.is_(None), LimitSituation.NEVER_ASKED),
        (and_(layers.limit_minor > 0, outcome != _IN_FORCE, layers.temporary_to.is_(None)), LimitSituation.RUNNING_OFF),
        (layers.limit_minor > 0, LimitSituation.IN_FORCE),
        (layers.newest % 2 == 1, LimitSituation.PENDING),
        (and_(layers.ordinary.is_(None), layers.announced_for.is_not(None)), LimitSituation.ANNOUNCED),
        (layers.ordinary.is_(None), LimitSituation.EXPIRED),
        (outcome == _WITHDRAWN, LimitSituation.WITHDRAWN),
        (outcome == _REFUSED, LimitSituation.REFUSED),
        (outcome == _ZERO, LimitSituation.ZERO),
    ]
    return type_coerce(case(*((test, word.value) for test, word in words), else_=LimitSituation.EXPIRED.value), SITUATION)
