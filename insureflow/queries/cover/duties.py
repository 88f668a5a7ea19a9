"""The duties of an account on a day, from what stands open then and what has happened by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from insureflow.domain.cover import Layer
from insureflow.domain.cover.eligibility import NOT_INSURED
from insureflow.domain.limits import AccountActKind, LimitKind, LimitStatus
from insureflow.domain.money import convert_minor
from insureflow.domain.obligations import (
    DiscretionaryEvidence,
    Facts,
    InvoiceDeadlines,
    LimitInForce,
    Obligation,
    ObligationKind,
    OpenItem,
    UnpaidInvoice,
    calculate_invoice_deadlines,
    calculate_obligations,
    calculate_policy_obligations,
    find_oldest,
)
from insureflow.domain.policies import (
    NO_CONDITIONS,
    Cause,
    LimitConditions,
    NotificationFailure,
    PolicyTerms,
    overdue_notification_for,
)
from insureflow.domain.trace import Step
from insureflow.queries.cover.insurer_acts import conditions_of, consented_to, named_invoices
from insureflow.queries.cover.ledgers import Act, Decision, Reminder
from insureflow.queries.cover.policies import InsurancePolicy
from insureflow.queries.rates import RateBook

_NOT_INSURED = frozenset(reason.value for reason in NOT_INSURED)

#: The step under which a trace says when something was done, where the facts of the account say so.
DONE = "done_on"

#: The duties whose neglect costs the cover of everything on the account.
_COSTS_THE_ACCOUNT = frozenset({ObligationKind.FILE_CLAIM, ObligationKind.FILE_PROOF_OF_DEBT})


class OpenInvoice(NamedTuple):
    """An invoice that is open on a day; amounts in the limit currency."""

    id: int
    invoice_on: date
    shipment_on: date
    due_on: date
    open_minor: int
    covered_minor: int
    disputed_minor: int
    excluded_reason: str | None


class Duty(NamedTuple):
    """A row of ``obligation`` without its organisation. ``amount_minor`` is the cover that is lost if the duty is neglected.

    ``trace`` holds the steps to its day where they were asked for. Otherwise it holds only the step that says when the duty was
    done, if the facts of the account say so: all others can be worked out again whenever somebody wants to see them.
    """

    policy_id: int
    buyer_id: int | None
    invoice_id: int | None
    kind: str
    due_on: date
    unit: str
    basis: str
    amount_minor: int | None
    currency: str | None
    trace: list[Any]


def account_duties(
    policy: InsurancePolicy,
    buyer_id: int,
    country: str | None,
    invoices: Sequence[OpenInvoice],
    decisions: Iterable[Decision],
    acts: Iterable[Act],
    on: date,
    rates: RateBook,
    *,
    reminders: Iterable[Reminder] = (),
    has_steps: bool = False,
) -> list[Duty]:
    """The duties of a buyer's account under a policy as it stands at the end of a day; ``has_steps``: with all their steps."""
    if not policy.history:
        return []
    known = [decision for decision in decisions if decision.decided_on <= on]
    limits, evidence = _limits_with_an_end(known, on)
    if not invoices and not limits and not evidence:
        return []
    happened = [act for act in acts if act.happened_on <= on]
    terms = policy.terms_on(on)
    items = open_items(policy, invoices, known, happened, on, rates)
    sent = {entry.invoice_id: entry for entry in reminders if entry.marked_on <= on}
    if sent:
        items = [_with_reminder(item, sent.get(int(item.invoice.id))) for item in items]
    found = calculate_obligations(
        terms,
        items,
        country=country,
        facts=_facts(happened),
        limits=limits,
        evidence=evidence,
        calendar=policy.calendar_on(on),
        oldest=None if happened or not items else _deadlines_of_oldest(policy, terms, country, items, on),
    )
    covered = {str(invoice.id): invoice.covered_minor for invoice in invoices}
    notification = overdue_notification_for(terms, country)
    is_lost_late = notification is not None and notification.failure is NotificationFailure.INVOICE_NOT_COVERED
    whole = sum(covered.values())
    duties = []
    for obligation in found:
        amount: int | None = None
        if obligation.kind in _COSTS_THE_ACCOUNT:
            amount = whole
        elif obligation.kind is ObligationKind.NOTIFY_OVERDUE and is_lost_late:
            amount = covered.get(obligation.subject or "")
        is_of_invoice = obligation.subject is not None and obligation.subject in covered
        duties.append(
            Duty(
                policy.id,
                buyer_id,
                int(obligation.subject or 0) if is_of_invoice else None,
                obligation.kind.value,
                obligation.due_on,
                obligation.unit,
                obligation.basis,
                amount,
                None if amount is None else policy.limit_currency,
                _trace(obligation, has_steps=has_steps),
            )
        )
    return duties


def open_items(
    policy: InsurancePolicy, invoices: Sequence[OpenInvoice], decisions: Iterable[Decision], acts: Iterable[Act], on: date, rates: RateBook
) -> list[OpenItem]:
    """The open invoices of an account as the rules of duties see them, with what was decided and what happened by a day."""
    conditions = [
        (decision.effective_on, decision.id, conditions)
        for decision in decisions
        if decision.decided_on <= on
        and decision.decided_minor
        and decision.layer is Layer.PRIMARY
        and decision.kind is not LimitKind.TEMPORARY
        for conditions in [conditions_of(policy, decision)]
    ]
    if all(entry[2] is None for entry in conditions):
        conditions = []
    happened = [act for act in acts if act.happened_on <= on]
    return [_item(invoice, conditions, happened, policy, on, rates) for invoice in invoices]


def _deadlines_of_oldest(
    policy: InsurancePolicy, terms: PolicyTerms, country: str | None, items: Sequence[OpenItem], on: date
) -> InvoiceDeadlines | None:
    """The deadlines of the oldest invoice of an account on which nothing has happened, found once for all with the same dates."""
    invoice = find_oldest([item.invoice for item in items])
    if invoice.conditions is not NO_CONDITIONS:
        return None
    key = (id(terms), country, invoice.invoice_on, invoice.shipment_on, invoice.due_on)
    found = policy.deadlines.get(key)
    if found is None:
        found = calculate_invoice_deadlines(terms, invoice, country=country, calendar=policy.calendar_on(on))
        policy.deadlines[key] = found
    return replace(found, invoice=invoice)


def _with_reminder(item: OpenItem, reminder: Reminder | None) -> OpenItem:
    if reminder is None:
        return item
    return replace(item, is_reminder_waived=True) if reminder.is_waived else replace(item, reminded_on=reminder.marked_on)


def policy_duties(policy: InsurancePolicy, on: date, *, has_steps: bool = False) -> list[Duty]:
    """The duties of a policy as a whole, by the terms in force on a day; ``has_steps``: with all their steps."""
    if not policy.history:
        return []
    return [
        Duty(policy.id, None, None, found.kind.value, found.due_on, found.unit, found.basis, None, None, _trace(found, has_steps=has_steps))
        for found in calculate_policy_obligations(policy.terms_on(on))
    ]


def _trace(obligation: Obligation, *, has_steps: bool) -> list[Any]:
    """The steps; the last one says when the duty was done, where the facts of the account say so.

    That a reminder was sent is no fact of the account but a mark, which the calendar reads itself.
    """
    steps: list[Any] = obligation.trace.to_list() if has_steps else []
    if obligation.done_on is not None and obligation.kind is not ObligationKind.SEND_REMINDER:
        steps.append(Step(DONE, "recorded_fact", (), obligation.done_on, "account.act", obligation.done_on).to_dict())
    return steps


def _item(
    invoice: OpenInvoice,
    conditions: Sequence[tuple[date, int, LimitConditions | None]],
    acts: Sequence[Act],
    policy: InsurancePolicy,
    on: date,
    rates: RateBook,
) -> OpenItem:
    released = notified_on = None
    for act in acts:
        named = named_invoices(act)
        if named is not None and invoice.id not in named:
            continue
        if act.kind is AccountActKind.CONSENT and (named is not None or invoice.shipment_on <= act.happened_on):
            released = act.happened_on
        elif act.kind is AccountActKind.OVERDUE_NOTIFICATION and named is not None:
            notified_on = min(act.happened_on, notified_on or act.happened_on)
    in_policy_currency = None
    if policy.currency != policy.limit_currency:
        rate = rates.find(policy.limit_currency, policy.currency, on)
        if rate is not None:
            in_policy_currency = convert_minor(invoice.open_minor, policy.limit_currency, policy.currency, rate.rate)
    return OpenItem(
        UnpaidInvoice(str(invoice.id), invoice.invoice_on, invoice.shipment_on, invoice.due_on, _conditions_for(conditions, invoice)),
        open_minor=invoice.open_minor,
        disputed_minor=invoice.disputed_minor,
        open_policy_minor=in_policy_currency,
        is_insured=invoice.excluded_reason not in _NOT_INSURED,
        is_released=released is not None,
        stop_put_off_to=consented_to(acts, invoice.id, on),
        notified_on=notified_on,
    )


def _conditions_for(conditions: Sequence[tuple[date, int, LimitConditions | None]], invoice: OpenInvoice) -> LimitConditions:
    """The conditions of the last decision that was in effect when the goods were shipped."""
    applying = [entry for entry in conditions if entry[0] <= invoice.shipment_on]
    if not applying:
        return NO_CONDITIONS
    return max(applying, key=lambda entry: entry[:2])[2] or NO_CONDITIONS


def _facts(acts: Sequence[Act]) -> Facts:
    """What has happened on the account as a whole: of each kind the first."""
    first: dict[AccountActKind, date] = {}
    for act in acts:
        if named_invoices(act) is None:
            first[act.kind] = min(act.happened_on, first.get(act.kind, act.happened_on))
    insolvency = first.get(AccountActKind.INSOLVENCY)
    return Facts(
        notified_on=first.get(AccountActKind.OVERDUE_NOTIFICATION),
        claim_filed_on=first.get(AccountActKind.CLAIM_FILED),
        collection_started_on=first.get(AccountActKind.COLLECTION_STARTED),
        adverse_information_on=first.get(AccountActKind.ADVERSE_INFORMATION),
        events={} if insolvency is None else {Cause.INSOLVENCY: insolvency},
    )


def _limits_with_an_end(known: Sequence[Decision], on: date) -> tuple[list[LimitInForce], list[DiscretionaryEvidence]]:
    """The limits that end on a day of their own from this day on, unless a later decision has taken their place."""
    limits: list[LimitInForce] = []
    evidence: list[DiscretionaryEvidence] = []
    decided = sorted(
        (entry for entry in known if entry.status is not LimitStatus.REQUESTED), key=lambda entry: (entry.decided_on, entry.id)
    )
    for position, decision in enumerate(decided):
        if decision.valid_to is None or decision.valid_to < on or not decision.decided_minor:
            continue
        is_temporary = decision.kind is LimitKind.TEMPORARY
        later = [entry for entry in decided[position + 1 :] if entry.layer is decision.layer]
        ended = any(
            entry.effective_on <= on and (entry.decided_minor is None or (not is_temporary and entry.kind is not LimitKind.TEMPORARY))
            for entry in later
        )
        if ended:
            continue
        renewed = next(
            (entry.decided_on for entry in later if entry.decided_minor and (entry.valid_to is None or entry.valid_to > decision.valid_to)),
            None,
        )
        if decision.kind is LimitKind.DISCRETIONARY:
            evidence.append(DiscretionaryEvidence(f"limit:{decision.id}", decision.valid_to, renewed))
        else:
            limits.append(LimitInForce(f"limit:{decision.id}", decision.valid_to, renewed))
    return limits, evidence
