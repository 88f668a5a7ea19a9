"""The duties calendar: what the policyholder has to do, and by when, and what is expected from the insurer.

Duties follow from the terms, the open invoices, the facts and the limits. A duty whose day cannot be determined does not
appear. Nothing here reads a clock: whether a duty is late is worked out for a day that is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from insureflow.domain.obligations.deadlines import (
    NO_FACTS,
    Facts,
    InvoiceDeadlines,
    UnpaidInvoice,
    calculate_adverse_information,
    calculate_invoice_deadlines,
    calculate_maximum_extension_trace,
    calculate_overdue_notification,
    end_of_maximum_extension,
    find_oldest,
)
from insureflow.domain.obligations.ends import End
from insureflow.domain.periods import MONDAY_TO_FRIDAY, BusinessCalendar, PeriodUnit, add_days, add_months
from insureflow.domain.policies.precedence import basis_of, maximum_extension_period_for, overdue_notification_for
from insureflow.domain.policies.terms import NO_CONDITIONS, PolicyTerms
from insureflow.domain.policies.vocabulary import Cause, InvoicesCounted, StopBasis
from insureflow.domain.trace import Step, Trace

#: Days before the end of a temporary limit at which to ask for a new one, where the policy says nothing.
#: *Source:* general professional practice (duties calendar: limit expiry − 30).
TEMPORARY_LIMIT_RENEWAL_DAYS = 30


class ObligationKind(StrEnum):
    """Duties of the policyholder, and dates expected from the insurer."""

    SEND_REMINDER = "send_reminder"
    STOP_SHIPMENTS = "stop_shipments"
    NOTIFY_OVERDUE = "notify_overdue"
    REPORT_ADVERSE_INFORMATION = "report_adverse_information"
    FILE_PROOF_OF_DEBT = "file_proof_of_debt"
    FILE_CLAIM = "file_claim"
    EXPECTED_DATE_OF_LOSS = "expected_date_of_loss"
    EXPECTED_DECISION = "expected_decision"
    EXPECTED_PAYMENT = "expected_payment"
    RENEW_LIMIT = "renew_limit"
    REFRESH_DISCRETIONARY_EVIDENCE = "refresh_discretionary_evidence"
    DECLARE_TURNOVER = "declare_turnover"
    GIVE_NOTICE_OF_NON_RENEWAL = "give_notice_of_non_renewal"


class ObligationStatus(StrEnum):
    """How a duty stands on a day."""

    OPEN = "open"
    DONE = "done"
    LATE = "late"
    DONE_LATE = "done_late"
    WAIVED = "waived"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Obligation:
    """One duty: by when, counted in which days, and on which clause it rests.

    ``subject`` names the invoice, limit or declared period it is about. ``done_on`` is filled where the facts say so.
    """

    kind: ObligationKind
    subject: str | None
    due_on: date
    unit: Literal["calendar", "business"]
    basis: str
    trace: Trace
    done_on: date | None = None


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An open invoice of a buyer with what is open on it.

    ``open_minor`` and ``disputed_minor`` are minor units of the limit currency, ``open_policy_minor`` of the policy currency
    (None where the two are the same). ``is_insured``: not excluded from cover by facts of its shipment.
    ``stop_put_off_to``: new due date of a postponement the insurer agreed to. ``is_released``: the insurer agreed to further
    supplies in spite of this invoice. ``reminded_on``: day of a reminder that names this invoice as the oldest;
    ``is_reminder_waived``: none is wanted for it.
    """

    invoice: UnpaidInvoice
    open_minor: int
    disputed_minor: int = 0
    open_policy_minor: int | None = None
    is_insured: bool = True
    is_released: bool = False
    stop_put_off_to: date | None = None
    reminded_on: date | None = None
    is_reminder_waived: bool = False
    notified_on: date | None = None

    @property
    def policy_minor(self) -> int:
        """What is open in the policy currency."""
        return self.open_minor if self.open_policy_minor is None else self.open_policy_minor


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """A limit that ends on a day of its own; ``valid_to`` is the last day in force."""

    key: str
    valid_to: date | None
    renewed_on: date | None = None


@dataclass(frozen=True, slots=True)
class DiscretionaryEvidence:
    """The evidence under a discretionary limit and the last day of its validity."""

    key: str
    valid_to: date | None
    refreshed_on: date | None = None


def status_on(
    obligation: Obligation,
    on: date,
    done_on: date | None = None,
    *,
    is_waived: bool = False,
    is_needed: bool = True,
) -> ObligationStatus:
    """How a duty stands at the end of a day. An act on the due day is in time; what is done later has not happened yet.

    ``done_on`` wins over the day the obligation carries. What is done stays done even if it was waived or not needed.
    """
    done = obligation.done_on if done_on is None else done_on
    if done is not None and done <= on:
        return ObligationStatus.DONE if done <= obligation.due_on else ObligationStatus.DONE_LATE
    if is_waived:
        return ObligationStatus.WAIVED
    if not is_needed:
        return ObligationStatus.NOT_NEEDED
    return ObligationStatus.OPEN if on <= obligation.due_on else ObligationStatus.LATE


def calculate_obligations(
    terms: PolicyTerms,
    items: Sequence[OpenItem],
    *,
    country: str | None = None,
    causes: Sequence[Cause] | None = None,
    facts: Facts = NO_FACTS,
    limits: Sequence[LimitInForce] = (),
    evidence: Sequence[DiscretionaryEvidence] = (),
    calendar: BusinessCalendar = MONDAY_TO_FRIDAY,
    oldest: InvoiceDeadlines | None = None,
) -> tuple[Obligation, ...]:
    """The duties of one account (a buyer under a policy), by due day.

    ``oldest``: the deadlines of the oldest open invoice, where they are known already.
    Items with nothing open give none. Duties of the policy as a whole come from ``calculate_policy_obligations``.
    """
    unpaid = [item for item in items if item.open_minor > 0]
    obligations = [*_limit_duties(terms, limits), *_evidence_duties(evidence)]
    if unpaid:
        oldest = oldest or calculate_invoice_deadlines(
            terms, find_oldest([item.invoice for item in unpaid]), country=country, causes=causes, facts=facts, calendar=calendar
        )
        obligations += _account_duties(oldest, calculate_adverse_information(terms, facts, calendar), facts)
        obligations += _reminders(unpaid)
        obligations += _notifications(terms, country, unpaid, facts, calendar)
        obligations += _stop(terms, country, unpaid)
    return _by_day(obligations)


def calculate_policy_obligations(terms: PolicyTerms, declared: Mapping[date, date] | None = None) -> tuple[Obligation, ...]:
    """The duties of a policy as a whole over its period: declarations of turnover and notice of non-renewal.

    ``declared`` maps the last day of a declared period to the day it was declared.
    """
    if terms.period is None:
        return ()
    obligations: list[Obligation] = []
    last_day = terms.period.last_day
    done = MappingProxyType(dict(declared or {}))
    if terms.turnover_declaration is not None:
        clause = terms.turnover_declaration
        basis = "policy.turnover_declaration"
        for end in _declared_periods(terms.period.first_day, last_day, clause.cycle.months):
            due_on = add_days(end, clause.days)
            trace = _one_step(ObligationKind.DECLARE_TURNOVER, "start_plus_days", end, clause.days, due_on, basis)
            obligations.append(
                Obligation(ObligationKind.DECLARE_TURNOVER, end.isoformat(), due_on, "calendar", basis, trace, done.get(end))
            )
    if terms.notice_of_non_renewal_months is not None:
        months = terms.notice_of_non_renewal_months
        basis = "policy.notice_of_non_renewal"
        due_on = add_months(last_day, -months)
        step = Step(ObligationKind.GIVE_NOTICE_OF_NON_RENEWAL, "end_minus_months", (("end", last_day), ("months", months)), due_on, basis)
        obligations.append(Obligation(ObligationKind.GIVE_NOTICE_OF_NON_RENEWAL, None, due_on, "calendar", basis, Trace((step,))))
    return _by_day(obligations)


def _by_day(obligations: Sequence[Obligation]) -> tuple[Obligation, ...]:
    return tuple(sorted(obligations, key=lambda each: (each.due_on, _ORDER[each.kind], each.subject or "")))


_ORDER = {kind: position for position, kind in enumerate(ObligationKind)}


def _one_step(kind: ObligationKind, formula: str, start: date, days: int, due_on: date, basis: str) -> Trace:
    return Trace((Step(str(kind), formula, (("start", start), ("days", days)), due_on, basis),))


def _from_end(kind: ObligationKind, subject: str | None, end: End, done_on: date | None = None) -> Iterator[Obligation]:
    """The duty whose day is the end of a period, if that is known."""
    if end.on is not None:
        unit: Literal["calendar", "business"] = "business" if end.unit is PeriodUnit.BUSINESS_DAYS else "calendar"
        yield Obligation(kind, subject, end.on, unit, end.basis, end.trace, done_on)


def _account_duties(oldest: InvoiceDeadlines, adverse_information: End, facts: Facts) -> Iterator[Obligation]:
    subject = oldest.invoice.id
    yield from _from_end(ObligationKind.REPORT_ADVERSE_INFORMATION, None, adverse_information)
    insolvency = facts.events.get(Cause.INSOLVENCY)
    if insolvency is not None:
        kind = ObligationKind.FILE_PROOF_OF_DEBT
        trace = _one_step(kind, "start_plus_days", insolvency, 0, insolvency, "duty.proof_of_debt")
        yield Obligation(kind, None, insolvency, "calendar", "duty.proof_of_debt", trace)
    yield from _from_end(ObligationKind.FILE_CLAIM, subject, oldest.claim_latest, facts.claim_filed_on)
    if oldest.date_of_loss is not None:
        steps = tuple(step for step in oldest.trace if step.name.startswith(("waiting_period_end", "date_of_loss")))
        kind = ObligationKind.EXPECTED_DATE_OF_LOSS
        yield Obligation(kind, subject, oldest.date_of_loss, "calendar", steps[-1].basis, Trace(steps))
    yield from _from_end(ObligationKind.EXPECTED_DECISION, subject, oldest.decision, facts.decided_on)
    yield from _from_end(ObligationKind.EXPECTED_PAYMENT, subject, oldest.payment)


def _reminders(items: Sequence[OpenItem]) -> Iterator[Obligation]:
    """The next reminder of an account, on the day after the oldest due date it is to name, and those sent or waived.

    A reminder is a letter about everything that is overdue, so an account has one of them to send at a time. One sent on a
    day names all invoices due before that day; the next is for the oldest of the others. A waiver is about its invoice alone.
    """
    known = [item for item in items if item.reminded_on is not None or item.is_reminder_waived]
    sent_on = max((item.reminded_on for item in known if item.reminded_on is not None), default=date.min)
    waiting = [
        item.invoice for item in items if item.invoice.due_on >= sent_on and item.reminded_on is None and not item.is_reminder_waived
    ]
    if waiting:
        yield _reminder(find_oldest(waiting), None)
    for item in known:
        yield _reminder(item.invoice, item.reminded_on)


def _reminder(invoice: UnpaidInvoice, sent_on: date | None) -> Obligation:
    kind = ObligationKind.SEND_REMINDER
    due_on = add_days(invoice.due_on, 1)
    trace = _one_step(kind, "start_plus_days", invoice.due_on, 1, due_on, "duty.reminder")
    return Obligation(kind, invoice.id, due_on, "calendar", "duty.reminder", trace, sent_on)


def _notifications(
    terms: PolicyTerms, country: str | None, items: Sequence[OpenItem], facts: Facts, calendar: BusinessCalendar
) -> Iterator[Obligation]:
    if overdue_notification_for(terms, country) is None:
        return
    for item in items:
        end = calculate_overdue_notification(terms, country, item.invoice, facts, calendar)
        if _is_worth_notifying(terms, items, end.on):
            done_on = item.notified_on or _notified_after(item.invoice.due_on, facts)
            yield from _from_end(ObligationKind.NOTIFY_OVERDUE, item.invoice.id, end, done_on)


def _is_worth_notifying(terms: PolicyTerms, items: Sequence[OpenItem], deadline: date | None) -> bool:
    """Whether what will be overdue on the deadline exceeds the amount up to which nothing needs to be notified."""
    threshold = terms.overdue_notification_threshold
    if threshold is None or deadline is None:
        return True
    return sum(item.policy_minor for item in items if item.invoice.due_on < deadline) > threshold


def _notified_after(due_on: date, facts: Facts) -> date | None:
    """The notification of the account, for an invoice that was due by then."""
    return facts.notified_on if facts.notified_on is not None and facts.notified_on > due_on else None


def _stop(terms: PolicyTerms, country: str | None, items: Sequence[OpenItem]) -> Iterator[Obligation]:
    """The last day on which goods may be shipped while nothing is paid.

    *Formula:* walking through the ends of the maximum extension periods, the first at which an invoice, or all whose period
    has ended, exceed the amount that stops cover.
    """
    stop = terms.stop_cover
    if not stop.automatic:
        return
    total = 0
    for end, amount, item in sorted(_extension_ends(terms, country, items), key=lambda entry: entry[0]):
        total += max(amount, 0)
        reached = amount if stop.basis is StopBasis.PER_INVOICE else total
        if reached > stop.minimum_overdue_amount:
            basis = basis_of(terms, country, "maximum_extension_period", item.invoice.conditions)
            steps = calculate_maximum_extension_trace(terms, country, item.invoice)
            inputs = (("overdue_minor", reached), ("minimum_overdue_minor", stop.minimum_overdue_amount))
            last = Step(str(ObligationKind.STOP_SHIPMENTS), "last_day_before_stop", inputs, end, "policy.stop_cover")
            yield Obligation(ObligationKind.STOP_SHIPMENTS, item.invoice.id, end, "calendar", basis, steps + Trace((last,)))
            return


def _extension_ends(terms: PolicyTerms, country: str | None, items: Sequence[OpenItem]) -> Iterator[tuple[date, int, OpenItem]]:
    """The invoices that count for the automatic stop: the last day of each one's time, and the amount that counts."""
    stop = terms.stop_cover
    of_policy = maximum_extension_period_for(terms, country, NO_CONDITIONS)
    for item in items:
        if item.is_released or not (item.is_insured or stop.invoices_counted is InvoicesCounted.ALL):
            continue
        conditions = item.invoice.conditions
        clause = of_policy if conditions is NO_CONDITIONS else maximum_extension_period_for(terms, country, conditions)
        if clause is not None:
            end = end_of_maximum_extension(clause, item.invoice)
            amount = item.open_minor - (0 if stop.disputed_amounts_count else item.disputed_minor)
            yield max(end, item.stop_put_off_to or end), amount, item


def find_stopping_invoices(
    terms: PolicyTerms, country: str | None, items: Sequence[OpenItem], on: date
) -> tuple[tuple[OpenItem, date], ...]:
    """The open invoices that stop cover for new shipments on a day, each with the last day of its time; none where nothing does.

    *Formula:* those whose time has ended before the day, if one of them, or all of them together, exceed the amount that stops cover.
    """
    stop = terms.stop_cover
    if not stop.automatic:
        return ()
    over = sorted(
        ((item, end, amount) for end, amount, item in _extension_ends(terms, country, items) if end < on and amount > 0),
        key=lambda entry: (entry[1], entry[0].invoice.id),
    )
    if stop.basis is StopBasis.PER_INVOICE:
        over = [entry for entry in over if entry[2] > stop.minimum_overdue_amount]
    elif sum(amount for _, _, amount in over) <= stop.minimum_overdue_amount:
        over = []
    return tuple((item, end) for item, end, _ in over)


def _limit_duties(terms: PolicyTerms, limits: Sequence[LimitInForce]) -> Iterator[Obligation]:
    own = terms.temporary_limit_renewal_days
    days, basis = (TEMPORARY_LIMIT_RENEWAL_DAYS, "duty.temporary_limit_renewal") if own is None else (own, "policy.temporary_limit_renewal")
    for limit in limits:
        if limit.valid_to is not None:
            due_on = add_days(limit.valid_to, -days)
            kind = ObligationKind.RENEW_LIMIT
            step = Step(str(kind), "end_minus_days", (("end", limit.valid_to), ("days", days)), due_on, basis)
            yield Obligation(kind, limit.key, due_on, "calendar", basis, Trace((step,)), limit.renewed_on)


def _evidence_duties(evidence: Sequence[DiscretionaryEvidence]) -> Iterator[Obligation]:
    basis = "policy.discretionary_limit.methods"
    for item in evidence:
        if item.valid_to is not None:
            kind = ObligationKind.REFRESH_DISCRETIONARY_EVIDENCE
            trace = _one_step(kind, "last_day_of_validity", item.valid_to, 0, item.valid_to, basis)
            yield Obligation(kind, item.key, item.valid_to, "calendar", basis, trace, item.refreshed_on)


def _declared_periods(first_day: date, last_day: date, months: int) -> Iterator[date]:
    """The last days of the periods to be declared, counted from the first day of the policy."""
    count = 1
    while True:
        end = add_days(add_months(first_day, count * months), -1)
        yield min(end, last_day)
        if end >= last_day:
            return
        count += 1
