"""Every decision on limits that was ever entered, newest first, and among them those that cut a limit."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Select, String, and_, cast, func, or_, select, type_coerce

from insureflow.domain.buyers import search_name
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.models.buyers import Buyer
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order

_CUTS = (LimitStatus.REDUCED, LimitStatus.WITHDRAWN)


def history_listing(
    on: date, *, policy_id: int | None = None, entity_policies: frozenset[int] | None = None, cut_since: date | None = None
) -> Listing:
    """Decisions, requests and withdrawals made by a day; with ``cut_since`` only those that cut or ended a limit from that day on."""
    window: dict[str, Any] = {
        "partition_by": (LimitDecision.policy_id, LimitDecision.buyer_id, LimitDecision.layer),
        "order_by": (LimitDecision.decided_on, LimitDecision.id),
    }
    before = (
        select(
            LimitDecision.id,
            func.lag(LimitDecision.decided_minor).over(**window).label("previous_minor"),
            func.lag(LimitDecision.currency).over(**window).label("previous_currency"),
        )
        .where(
            LimitDecision.status != LimitStatus.REQUESTED,
            or_(LimitDecision.kind.not_in([LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT]), LimitDecision.status == LimitStatus.WITHDRAWN),
        )
        .subquery("before")
    )
    previous_currency = type_coerce(before.c.previous_currency, String(3))
    fields = (
        Field("decided_on", LimitDecision.decided_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("policy", Policy.number.expression, search=Policy.number.expression, filter=FilterKind.SELECT),
        Field("layer", LimitDecision.layer.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("kind", LimitDecision.kind.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("status", LimitDecision.status.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("previous", before.c.previous_minor, Kind.MONEY, currency=previous_currency),
        Field("requested", LimitDecision.requested_minor.expression, Kind.MONEY, currency=LimitDecision.currency.expression),
        Field(
            "decided",
            LimitDecision.decided_minor.expression,
            Kind.MONEY,
            currency=LimitDecision.currency.expression,
            filter=FilterKind.AMOUNT_RANGE,
        ),
        Field("effective_on", LimitDecision.effective_on.expression, Kind.DATE),
        Field("valid_to", LimitDecision.valid_to.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("insurer_reference", LimitDecision.insurer_reference.expression, search=func.coalesce(LimitDecision.insurer_reference, "")),
        Field("buyer_id", Buyer.id.expression, Kind.NUMBER, hidden=True),
        Field("policy_id", LimitDecision.policy_id.expression, Kind.NUMBER, hidden=True),
        Field("reason", LimitDecision.reason.expression, hidden=True),
        Field("number", cast(LimitDecision.id, String), hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(LimitDecision)
            .join(Buyer, Buyer.id == LimitDecision.buyer_id)
            .join(Policy, Policy.id == LimitDecision.policy_id)
            .outerjoin(before, before.c.id == LimitDecision.id)
            .where(LimitDecision.decided_on <= on)
        )
        if policy_id is not None:
            statement = statement.where(LimitDecision.policy_id == policy_id)
        if entity_policies is not None:
            statement = statement.where(LimitDecision.policy_id.in_(sorted(entity_policies)))
        if cut_since is not None:
            statement = statement.where(and_(LimitDecision.status.in_(_CUTS), LimitDecision.decided_on >= cut_since))
        return statement

    name = "limit-history" if cut_since is None else "limit-cuts"
    return Listing(name, fields, source, key=LimitDecision.id.expression, order=Order("decided_on", descending=True), normalise=search_name)
