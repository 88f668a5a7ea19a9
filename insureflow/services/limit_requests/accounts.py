"""What a request is held against, read at once for any number of buyers: what the insurer grants now, and what is under way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from insureflow.domain.buyers import NotInsurable
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import NOT_ASKED, WAITING_FOR_INSURER, LimitKind, LimitStatus, RequestState
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.policies import DatedTerms
from insureflow.models.buyers import Buyer
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.services.limits.decisions import get_policy, history_of
from insureflow.services.rates import RateBook

#: Requests that stand in the way of another one for the same layer.
UNDER_WAY = (NOT_ASKED - {RequestState.REJECTED}) | WAITING_FOR_INSURER

#: Kinds that no insurer is asked for: the policyholder sets them, or nobody does.
NEVER_ASKED_FOR = frozenset({LimitKind.DISCRETIONARY, LimitKind.BLIND})

#: Kinds that stand beside the ordinary limit and are not the limit that is increased or reduced.
_BESIDE = (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT, LimitKind.DISCRETIONARY, LimitKind.BLIND)

_PORTION = 500

AccountKey = tuple[int, Layer]


@dataclass(frozen=True, slots=True)
class AccountBook:
    """One policy and the accounts of some buyers under it. ``granted`` is in limit currency."""

    policy: Policy
    history: tuple[DatedTerms, ...]
    rates: RateBook
    names: Mapping[int, str]
    countries: Mapping[int, str]
    not_insurable: Mapping[int, NotInsurable]
    granted: Mapping[AccountKey, Money]
    under_way: Mapping[AccountKey, LimitRequest]

    @classmethod
    def load(cls, session: Session, policy_id: int, buyer_ids: Collection[int], on: date, *, lock: bool = True) -> AccountBook:
        """The book of these buyers on a day; their rows are locked, so that two people cannot ask for the same buyer at once.

        Who only looks does not ``lock``.

        Errors: ``policy_unknown``, ``buyer_unknown``.
        """
        policy = get_policy(session, policy_id)
        keys = sorted(set(buyer_ids))
        names: dict[int, str] = {}
        countries: dict[int, str] = {}
        not_insurable: dict[int, NotInsurable] = {}
        granted: dict[AccountKey, Money] = {}
        under_way: dict[AccountKey, LimitRequest] = {}
        for start in range(0, len(keys), _PORTION):
            portion = keys[start : start + _PORTION]
            buyers = select(Buyer).where(Buyer.id.in_(portion)).order_by(Buyer.id)
            for buyer in session.scalars(buyers.with_for_update(key_share=True) if lock else buyers):
                names[buyer.id], countries[buyer.id] = buyer.legal_name, buyer.country
                if buyer.not_insurable is not None:
                    not_insurable[buyer.id] = buyer.not_insurable
            granted |= _granted(session, policy, portion, on)
            open_requests = select(LimitRequest).where(
                LimitRequest.policy_id == policy.id, LimitRequest.buyer_id.in_(portion), LimitRequest.state.in_(UNDER_WAY)
            )
            under_way |= {(request.buyer_id, request.layer): request for request in session.scalars(open_requests)}
        if missing := set(keys) - names.keys():
            raise Refusal("buyer_unknown", buyer=str(min(missing)))
        return cls(policy, history_of(session, policy.id), RateBook.load(), names, countries, not_insurable, granted, under_way)

    def granted_to(self, buyer_id: int, layer: Layer, currency: str, on: date) -> Money | None:
        """What the insurer grants a buyer now, in a currency; None for nothing. Errors: ``rate_missing``."""
        limit = self.granted.get((buyer_id, layer))
        if limit is None or limit.currency == currency:
            return limit
        rate = self.rates.get(limit.currency, currency, on).rate
        return Money(convert_minor(limit.minor, limit.currency, currency, rate), currency)


def _granted(session: Session, policy: Policy, buyer_ids: Collection[int], on: date) -> dict[AccountKey, Money]:
    """The last word of the insurer for each layer, where it grants something: an announced end counts already."""
    decisions = session.scalars(
        select(LimitDecision)
        .where(
            LimitDecision.policy_id == policy.id,
            LimitDecision.buyer_id.in_(buyer_ids),
            LimitDecision.decided_on <= on,
            LimitDecision.status != LimitStatus.REQUESTED,
            or_(LimitDecision.kind.not_in(_BESIDE), LimitDecision.status == LimitStatus.WITHDRAWN),
        )
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    last = {(decision.buyer_id, decision.layer): decision for decision in decisions}
    return {
        key: Money(convert_minor(decision.decided_minor, decision.currency, policy.limit_currency, decision.rate), policy.limit_currency)
        for key, decision in last.items()
        if decision.decided_minor and (decision.valid_to is None or decision.valid_to >= on)
    }
