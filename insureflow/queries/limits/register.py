"""The limits register: what is in force for every buyer under every policy on a day, and who was never asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import KIND_IN_TERMS, LimitKind, LimitSituation
from insureflow.domain.policies import UNGRADED, PolicyTerms
from insureflow.models.base import ExactDecimal, vocabulary
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.policies import InsuredEntity, Policy
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.cover.sharing import is_counted_elsewhere
from insureflow.queries.limits.situations import grade_key, layers_on, newest_key, ordinary_key, situation_of
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


class UseBand(StrEnum):
    """How far a limit is used, in classes to choose from."""

    ABOVE_LIMIT = "above_limit"
    FROM_90 = "from_90"
    FROM_50 = "from_50"
    BELOW_50 = "below_50"
    UNUSED = "unused"
    NO_LIMIT = "no_limit"


_BAND = vocabulary(UseBand, "use_band")

#: Where a layer stands among the worst, the worst first: see ``_severity``.
_OVER_LIMIT, _STOPPED, _REFUSED, _NEVER_ASKED, _NEARLY_USED = 5, 4, 3, 2, 1

#: Set beside the class of severity so that within a class the largest amount outside the limit comes first.
_AMOUNT_SPACE = 10**15


class _Parts:
    """The FROM clause of the register and what is worked out over it."""

    def __init__(self, on: date, buyer_ids: Collection[int] | None = None) -> None:
        self.known = layers_on(on, buyer_ids=buyer_ids).c
        self.ordinary = aliased(LimitDecision, name="ordinary")
        self.newest = aliased(LimitDecision, name="newest")
        self.graded = aliased(AccountAct, name="graded")
        self.own_percentage = self.ordinary.conditions["insured_percentage"].as_string()
        self.limit = self.known.limit_minor
        self.used_minor = self.known.used_minor
        self.open_minor = case((self.known.layer == Layer.TOP_UP, null()), else_=self.known.open_minor)
        self.situation = situation_of(self.known)

    def source(self, statement: Select[Any]) -> Select[Any]:
        """The FROM clause: one row per policy, buyer and layer."""
        return (
            statement.select_from(Buyer)
            .join(self.known.buyer_id.table, self.known.buyer_id == Buyer.id)
            .join(Policy, Policy.id == self.known.policy_id)
            .outerjoin(self.ordinary, self.ordinary.id == ordinary_key(self.known))
            .outerjoin(self.newest, self.newest.id == newest_key(self.known))
            .outerjoin(self.graded, self.graded.id == grade_key(self.known))
        )


def _percentages_by_grade(parts: _Parts, terms: PolicyTerms) -> list[tuple[ColumnElement[bool] | None, str]]:
    """The insured percentage for each grade in the terms, and 0 for any other. *Formula:* as ``grade_percentage_for`` of the rules."""
    grade = func.coalesce(cast(parts.graded.data["grade"].as_string(), String), str(UNGRADED))
    arms: list[tuple[ColumnElement[bool] | None, str]] = [
        (grade.in_([str(each) for each in row.grades]), format(row.insured_percentage, "f")) for row in terms.grade_cover or ()
    ]
    return [*arms, (None, "0")]


def _percentage(parts: _Parts, policies: Mapping[int, InsurancePolicy], on: date) -> ColumnElement[Any]:
    """The insured percentage of a layer for a sale on the day: of the limit or its kind, else of the grade, the country, the policy."""
    arms: list[tuple[ColumnElement[bool], str]] = []
    for policy in policies.values():
        if not policy.history:
            continue
        terms = policy.terms_on(on)
        is_policy = parts.known.policy_id == policy.id
        top_up = terms.layers.top_up
        if top_up is not None and top_up.insured_percentage is not None:
            arms.append((and_(is_policy, parts.known.layer == Layer.TOP_UP), format(top_up.insured_percentage, "f")))
        for kind, word in KIND_IN_TERMS.items():
            if word in terms.insured_percentage_by_limit_kind:
                arms.append((and_(is_policy, parts.ordinary.kind == kind), format(terms.insured_percentage_by_limit_kind[word], "f")))
        if terms.grade_cover is not None:
            of_grade = _percentages_by_grade(parts, terms)
            arms.extend((is_policy if test is None else and_(is_policy, test), text) for test, text in of_grade)
            continue
        for country, percentage in sorted(terms.insured_percentage.by_country.items()):
            arms.append((and_(is_policy, Buyer.country == country), format(percentage, "f")))
        arms.append((is_policy, format(terms.insured_percentage.default, "f")))
    own = case((parts.known.layer == Layer.PRIMARY, parts.own_percentage))
    general: ColumnElement[Any] = case(*((test, literal(text, String)) for test, text in arms)) if arms else null()
    return case((parts.limit > 0, func.coalesce(own, general)))


def _severity(parts: _Parts) -> ColumnElement[int]:
    """What makes a layer urgent: over its limit, then stopped, then owing without a limit, never asked for, nearly used up.

    Within a class the largest amount that the limit does not hold comes first, in minor units of the limit currency.
    """
    owed = func.coalesce(parts.open_minor, parts.used_minor)
    outside = case((owed > parts.limit, owed - parts.limit), else_=0)
    is_no = parts.situation.in_([LimitSituation.REFUSED, LimitSituation.ZERO, LimitSituation.WITHDRAWN, LimitSituation.EXPIRED])
    of_class = case(
        (and_(parts.limit > 0, owed > parts.limit), _OVER_LIMIT),
        (parts.known.stopped == 1, _STOPPED),
        (is_no, _REFUSED),
        (parts.situation == LimitSituation.NEVER_ASKED, _NEVER_ASKED),
        (and_(parts.limit > 0, parts.used_minor * 10 >= parts.limit * 9), _NEARLY_USED),
        else_=0,
    )
    return cast(of_class, BigInteger) * _AMOUNT_SPACE + outside


def register_listing(
    on: date,
    *,
    policy_id: int | None = None,
    entity_policies: frozenset[int] | None = None,
    buyer_ids: Collection[int] | None = None,
) -> Listing:
    """The register on a day, of one policy or of all; ``entity_policies`` narrows to the policies that insure an entity."""
    parts = _Parts(on, buyer_ids)
    book = PolicyBook.load()
    percentage = _percentage(parts, book.policies, on)
    utilisation = case((parts.limit > 0, parts.used_minor * 100 / parts.limit))
    band = type_coerce(
        case(
            (parts.limit == 0, UseBand.NO_LIMIT.value),
            (func.coalesce(parts.open_minor, parts.used_minor) > parts.limit, UseBand.ABOVE_LIMIT.value),
            (parts.used_minor * 10 >= parts.limit * 9, UseBand.FROM_90.value),
            (parts.used_minor * 2 >= parts.limit, UseBand.FROM_50.value),
            (parts.used_minor > 0, UseBand.BELOW_50.value),
            else_=UseBand.UNUSED.value,
        ),
        _BAND,
    )
    currency = Policy.limit_currency.expression
    is_elsewhere = and_(parts.known.layer == Layer.PRIMARY, is_counted_elsewhere(parts.known.buyer_id, parts.known.policy_id, on))

    left = _at_least_nothing(parts.limit - parts.used_minor - parts.known.taken_minor)

    def once(amount: ColumnElement[Any]) -> ColumnElement[Any]:
        """An amount of a shared limit counts in the total with the first of its buyers alone."""
        return case((is_elsewhere, 0), else_=amount)

    shown_minor = case((and_(parts.known.ordinary.is_(None), parts.limit == 0), null()), else_=parts.limit)
    kind = type_coerce(
        func.coalesce(parts.ordinary.kind, case((parts.known.temporary_id.is_not(None), LimitKind.TEMPORARY.value))),
        LimitDecision.kind.type,
    )
    fields = (
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("policy", Policy.number.expression, search=Policy.number.expression, filter=FilterKind.SELECT),
        Field("layer", parts.known.layer, Kind.BADGE, filter=FilterKind.SELECT),
        Field("situation", parts.situation, Kind.BADGE, filter=FilterKind.SELECT),
        Field("kind", kind, Kind.BADGE, filter=FilterKind.SELECT),
        Field("currency", currency, filter=FilterKind.SELECT),
        Field("limit", shown_minor, Kind.MONEY, currency=currency, total=True, added=once(shown_minor), filter=FilterKind.AMOUNT_RANGE),
        Field("used", parts.used_minor, Kind.MONEY, currency=currency, total=True),
        Field(
            "headroom",
            left,
            Kind.MONEY,
            currency=currency,
            total=True,
            added=once(left),
        ),
        Field("taken", case((parts.known.taken_minor > 0, parts.known.taken_minor)), Kind.MONEY, currency=currency, hidden=True),
        Field("open", parts.open_minor, Kind.MONEY, currency=currency, total=True),
        Field("utilisation", utilisation, Kind.PERCENT),
        Field("insured_percentage", type_coerce(percentage, ExactDecimal()), Kind.PERCENT, sort=cast(percentage, Float)),
        Field("decided_on", parts.ordinary.decided_on, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("valid_to", func.coalesce(parts.known.temporary_to, parts.ordinary.valid_to), Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("worst", literal(0), Kind.NUMBER, sort=_severity(parts), hidden=True),
        Field("use", band, Kind.BADGE, filter=FilterKind.SELECT, hidden=True),
        Field("buyer_id", Buyer.id.expression, Kind.NUMBER, hidden=True),
        Field("policy_id", parts.known.policy_id, Kind.NUMBER, hidden=True),
        Field("decision_id", func.coalesce(parts.ordinary.id, parts.known.temporary_id), Kind.NUMBER, hidden=True),
        Field("requested", parts.newest.requested_minor, Kind.MONEY, currency=parts.newest.currency, hidden=True),
        Field("announced_for", parts.known.announced_for, Kind.DATE, hidden=True),
        Field("stopped", parts.known.stopped == 1, Kind.TEXT, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = parts.source(statement)
        if policy_id is not None:
            statement = statement.where(parts.known.policy_id == policy_id)
        if entity_policies is not None:
            statement = statement.where(parts.known.policy_id.in_(sorted(entity_policies)))
        return statement

    row_key = cast(Buyer.id, String) + "-" + cast(parts.known.policy_id, String) + "-" + cast(parts.known.layer, String)

    def of_rows(keys: Sequence[Any]) -> Listing:
        return register_listing(on, buyer_ids=sorted({int(key.partition("-")[0]) for key in keys}))

    return Listing("limits", fields, source, key=row_key, order=Order("worst", descending=True), normalise=search_name, of_rows=of_rows)


def _at_least_nothing(expression: ColumnElement[int]) -> ColumnElement[int]:
    return case((expression > 0, expression), else_=0)


def count_by_situation(on: date, *, policy_id: int | None = None) -> dict[LimitSituation, int]:
    """How many primary layers stand in each situation on a day."""
    parts = _Parts(on)
    statement = parts.source(select(parts.situation.label("situation"), func.count().label("layers"))).where(
        parts.known.layer == Layer.PRIMARY
    )
    if policy_id is not None:
        statement = statement.where(parts.known.policy_id == policy_id)
    return {row.situation: int(row.layers) for row in db.session.execute(statement.group_by(parts.situation))}


def policies_of_entity(entity_id: int) -> frozenset[int]:
    """The policies that insure an entity."""
    return frozenset(db.session.scalars(select(InsuredEntity.policy_id).where(InsuredEntity.entity_id == entity_id)))
