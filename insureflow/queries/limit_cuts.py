"""A limit that was cut, read with all that bears on it: the account's cover with the cut in it, what is due, what is on order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from insureflow.domain import cover
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitStatus, RequestType
from insureflow.domain.limits.cuts import BindingOrder, Cut, CutKind, CutKit, effective_day_of, prepare_cut_kit
from insureflow.domain.money import convert_minor
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.models.shipments import ShipmentCheck
from insureflow.queries.cover.accounts import Frozen, PolicyAccount, accounts_of
from insureflow.queries.cover.ledgers import BuyerLedger, Decision, load_ledgers
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.cover.sharing import shared_events
from insureflow.queries.rates import RateBook, missing_rate

#: Decisions that cut a limit.
CUTS = frozenset({LimitStatus.REDUCED, LimitStatus.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class CutView:
    """A cut with everything it asks for. ``numbers`` are those of the open invoices by the key of the item.

    ``report_orders_days``: within how many days of the notice binding orders are reported, by the terms or as typed.
    """

    decision: LimitDecision
    buyer: Buyer
    policy: Policy
    kit: CutKit
    numbers: Mapping[str, str]
    report_orders_days: int | None = None


def is_cut(decision: LimitDecision) -> bool:
    """True for a decision that reduced or ended a limit."""
    return decision.status in CUTS


def find_cut(decision_id: int, *, report_orders_days: int | None = None) -> CutView | None:
    """The cut of a decision; None where there is no such decision.

    ``report_orders_days``: within how many days the policy wants binding orders reported, where its terms do not say it. Errors: ``decision_cuts_nothing``,
    ``cut_not_known``, ``rate_missing``.
    """
    decision = db.session.scalar(select(LimitDecision).where(LimitDecision.id == decision_id))
    if decision is None:
        return None
    buyer, policy = db.session.get_one(Buyer, decision.buyer_id), db.session.get_one(Policy, decision.policy_id)
    if not is_cut(decision):
        raise Refusal("decision_cuts_nothing", buyer=buyer.legal_name)
    ledger = load_ledgers([decision.buyer_id])[0]
    place = (decision.decided_on, decision.id)
    account = _account(ledger, decision, lambda other: (other.decided_on, other.id) <= place)
    assert account is not None  # the decision itself is in it
    insured = account.policy
    history = cover.replay(account.rules_account(), account.events)
    before = _account(ledger, decision, lambda other: (other.decided_on, other.id) < place)
    invoices = {
        str(invoice.id): invoice
        for invoice in db.session.scalars(select(Invoice).where(Invoice.buyer_id == buyer.id, Invoice.policy_id == policy.id))
    }
    terms = insured.terms_on(decision.decided_on)
    days = report_orders_days if report_orders_days is not None else terms.binding_order_report_days
    named = decision.effective_on if decision.effective_on > decision.decided_on else None
    cut = Cut(_kind_of(decision), decision.decided_on, named)
    notice = terms.limit_cancellation_notice
    kit = prepare_cut_kit(
        history,
        cut,
        notice,
        due_on=[(key, invoice.due_on) for key, invoice in invoices.items()],
        orders=_orders(decision, policy),
        report_orders_days=days,
        limit_before=_limit_on(before, effective_day_of(cut, notice)) or None,
    )
    return CutView(decision, buyer, policy, kit, {key: invoice.number for key, invoice in invoices.items()}, days)


def _account(ledger: BuyerLedger, decision: LimitDecision, counts: Callable[[Decision], bool]) -> PolicyAccount | None:
    """The account of a decision with the limits that count; None where nothing makes one.

    Several decisions may bear one day, so a limit is read as it stood after one of them, not at the end of the day.
    """
    frozen = Frozen()
    told = replace(ledger, decisions=[other for other in ledger.decisions if counts(other)])
    accounts = accounts_of(told, PolicyBook.load(), RateBook.load(), frozen)
    if frozen.missing:
        raise missing_rate(*min(frozen.missing))
    account = next((account for account in accounts if account.policy.id == decision.policy_id), None)
    if account is not None:
        account.events += shared_events(*account.key)
    return account


def _limit_on(account: PolicyAccount | None, day: date) -> int:
    """The limit of an account at the end of a day, in minor units of its limit currency."""
    if account is None:
        return 0
    state = cover.replay(account.rules_account(), account.events).on(day).account
    return state.limit_primary + state.limit_top_up


def _kind_of(decision: LimitDecision) -> CutKind:
    """How the limit was cut: given up by an own request, withdrawn, or reduced."""
    own = select(LimitRequest.id).where(LimitRequest.decision_id == decision.id, LimitRequest.request_type == RequestType.CANCEL)
    if db.session.scalar(own) is not None:
        return CutKind.CANCELLATION
    return CutKind.WITHDRAWAL if decision.status is LimitStatus.WITHDRAWN else CutKind.REDUCTION


def _orders(decision: LimitDecision, policy: Policy) -> list[BindingOrder]:
    """Orders that cover was reserved for by the day of the notice and that are not delivered yet."""
    day: date = decision.decided_on
    checks = db.session.scalars(
        select(ShipmentCheck)
        .where(
            ShipmentCheck.buyer_id == decision.buyer_id,
            ShipmentCheck.policy_id == policy.id,
            ShipmentCheck.asked_on <= day,
            ShipmentCheck.reserved_until >= day,
            ShipmentCheck.released_at.is_(None),
            ShipmentCheck.invoice_id.is_(None),
        )
        .order_by(ShipmentCheck.id)
    )
    return [
        BindingOrder(
            check.order_reference or str(check.id),
            convert_minor(check.amount_minor, check.currency, check.limit_currency, check.rate),
            max(day, check.ship_on),
        )
        for check in checks
    ]
