"""Due dates, overdue points, deadlines, waiting periods and the date of loss of a buyer's unpaid invoices.

The oldest unpaid invoice decides for the account; every date can also be had for each invoice on its own. An unknown
starting day gives no date, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from insureflow.domain.errors import Refusal
from insureflow.domain.obligations.ends import End, Starts, find_end
from insureflow.domain.periods import (
    MONDAY_TO_FRIDAY,
    BusinessCalendar,
    Period,
    PeriodRule,
    PeriodUnit,
    StartingDay,
    add_days,
    add_months,
    last_day_of_month,
)
from insureflow.domain.policies.precedence import (
    basis_of,
    maximum_credit_terms_for,
    maximum_extension_period_for,
    overdue_notification_for,
    waiting_period_for,
)
from insureflow.domain.policies.relief import ReliefClause, find_relief
from insureflow.domain.policies.terms import NO_CONDITIONS, ClaimFiling, LimitConditions, MaximumExtensionPeriod, PolicyTerms
from insureflow.domain.policies.vocabulary import Cause, CreditTermsStart, ExtensionStart
from insureflow.domain.trace import Step, Trace


@dataclass(frozen=True, slots=True)
class UnpaidInvoice:
    """An invoice that is not paid: its dates and the conditions of the limit it was sold under.

    ``due_on`` is the original due date: a postponement never moves it.
    """

    id: str
    invoice_on: date
    shipment_on: date
    due_on: date
    conditions: LimitConditions = NO_CONDITIONS


@dataclass(frozen=True, slots=True)
class Facts:
    """What has happened on an account so far; None is not known or not yet."""

    notified_on: date | None = None
    claim_filed_on: date | None = None
    collection_started_on: date | None = None
    debt_admitted_on: date | None = None
    adverse_information_on: date | None = None
    documents_complete_on: date | None = None
    decided_on: date | None = None
    events: Mapping[Cause, date] = field(default_factory=lambda: MappingProxyType({}))


#: Nothing has happened yet.
NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class InvoiceDeadlines:
    """All dates that follow from one unpaid invoice, as if it were the oldest of its account."""

    invoice: UnpaidInvoice
    due_on: date
    credit_terms_within_maximum: bool | None
    invoiced_in_time: bool | None
    maximum_extension_period_first_day: date | None
    maximum_extension_period_end: date | None
    stop_from: date | None
    overdue_notification: End
    waiting_period_ends: Mapping[Cause, date | None]
    date_of_loss: date | None
    cause_of_loss: Cause | None
    claim_earliest: End
    claim_latest: End
    decision: End
    payment: End
    trace: Trace

    @property
    def overdue_notification_deadline(self) -> date | None:
        """Last day on which the overdue invoice can be notified in time."""
        return self.overdue_notification.on


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The deadlines of an account: those of its oldest invoice, and those of every invoice."""

    invoices: tuple[InvoiceDeadlines, ...]
    oldest: InvoiceDeadlines
    notification_in_time: bool | None
    adverse_information: End
    claim_in_time: bool | None
    trace: Trace

    @property
    def oldest_invoice(self) -> str:
        """The invoice that decides for the account."""
        return self.oldest.invoice.id

    @property
    def last_shipment_before_stop(self) -> date | None:
        """The last day on which goods may be shipped while the oldest invoice is unpaid."""
        return self.oldest.maximum_extension_period_end

    @property
    def stop_from(self) -> date | None:
        """The first day on which shipments are no longer covered."""
        return self.oldest.stop_from

    @property
    def date_of_loss(self) -> date | None:
        """The earliest end of a waiting period."""
        return self.oldest.date_of_loss

    @property
    def cause_of_loss(self) -> Cause | None:
        """The cause whose waiting period ends first."""
        return self.oldest.cause_of_loss


def find_oldest(invoices: Sequence[UnpaidInvoice]) -> UnpaidInvoice:
    """The invoice with the earliest original due date, then invoice date, then position. Errors: ``no_invoices``."""
    if not invoices:
        raise Refusal("no_invoices")
    return min(invoices, key=lambda invoice: (invoice.due_on, invoice.invoice_on))


def calculate_deadlines(
    terms: PolicyTerms,
    invoices: Sequence[UnpaidInvoice],
    *,
    country: str | None = None,
    causes: Sequence[Cause] | None = None,
    facts: Facts = NO_FACTS,
    calendar: BusinessCalendar = MONDAY_TO_FRIDAY,
) -> Deadlines:
    """The deadlines of a buyer's account with these unpaid invoices.

    ``causes``: the causes of loss considered; by default protracted default and every cause with an event.
    Errors: ``no_invoices``; ``date_out_of_range``.
    """
    oldest_invoice = find_oldest(invoices)
    each = tuple(
        calculate_invoice_deadlines(terms, invoice, country=country, causes=causes, facts=facts, calendar=calendar) for invoice in invoices
    )
    oldest = next(deadlines for deadlines in each if deadlines.invoice is oldest_invoice)
    adverse, steps = _adverse_information(terms, facts, calendar)
    notified = _is_by(facts.notified_on, oldest.overdue_notification_deadline)
    filing = terms.claim_filing or ClaimFiling()
    in_time = _is_within_window(filing, facts.claim_filed_on, oldest.claim_earliest.on, oldest.claim_latest.on)
    oldest_step = Step(
        "oldest_invoice",
        "earliest_due_date_then_invoice_date",
        (("due_on", oldest_invoice.due_on), ("invoice_on", oldest_invoice.invoice_on)),
        oldest_invoice.id,
        "policy.oldest_invoice",
    )
    judgements = (
        Step(
            "notification_in_time",
            "not_after",
            (("day", facts.notified_on), ("deadline", oldest.overdue_notification_deadline)),
            notified,
            oldest.overdue_notification.basis,
        ),
        Step(
            "claim_in_time",
            "within_window",
            (("day", facts.claim_filed_on), ("earliest", oldest.claim_earliest.on), ("latest", oldest.claim_latest.on)),
            in_time,
            "policy.claim_filing",
        ),
    )
    return Deadlines(each, oldest, notified, adverse, in_time, Trace((oldest_step,)) + oldest.trace + steps + Trace(judgements))


def calculate_invoice_deadlines(
    terms: PolicyTerms,
    invoice: UnpaidInvoice,
    *,
    country: str | None = None,
    causes: Sequence[Cause] | None = None,
    facts: Facts = NO_FACTS,
    calendar: BusinessCalendar = MONDAY_TO_FRIDAY,
) -> InvoiceDeadlines:
    """All dates that follow from one unpaid invoice.

    The date of loss is the earliest end of a waiting period; on a tie the cause that comes first in the list of causes.
    """
    within, terms_steps = _credit_terms(terms, country, invoice)
    in_time, invoicing_steps = _invoicing(terms, invoice)
    first_day, extension_end, extension_steps = _maximum_extension(terms, country, invoice)
    stop_from = None if extension_end is None else add_days(extension_end, 1)
    starts = _starts(terms, invoice, facts, extension_end, stop_from)
    notification = calculate_overdue_notification(terms, country, invoice, facts, calendar)
    considered = _causes_considered(causes, facts)
    # A decision fixed by its own deadline may start a waiting period, but only one that no loss is needed for.
    early_decision = facts.decided_on or find_end("decision_deadline", terms.examination, starts, calendar, "policy.examination").on
    waiting = {
        cause: _waiting_period(terms, country, cause, {**starts, StartingDay.DECISION: early_decision}, facts, calendar)
        for cause in considered
    }
    loss_on, cause = _loss({cause: end.on for cause, end in waiting.items()})
    starts = {
        **starts,
        StartingDay.DATE_OF_LOSS: loss_on,
        StartingDay.EVENT: None if cause is None else facts.events.get(cause),
        StartingDay.DECISION: facts.decided_on,
    }
    decision = find_end("decision_deadline", terms.examination, starts, calendar, "policy.examination")
    starts[StartingDay.DECISION] = facts.decided_on or decision.on
    payment = find_end("payment_deadline", terms.payment, starts, calendar, "policy.payment")
    filing = terms.claim_filing or ClaimFiling()
    earliest = find_end("claim_earliest", filing.not_before, starts, calendar, "policy.claim_filing.not_before")
    latest = find_end("claim_latest", filing.period, starts, calendar, "policy.claim_filing")
    latest = _relieved(latest, terms, ReliefClause.CLAIM_FILING, filing.period, starts, calendar)
    loss_step = Step(
        "date_of_loss",
        "earliest_of",
        tuple((str(each), end.on) for each, end in waiting.items()),
        loss_on,
        "policy.waiting_period" if cause is None else waiting[cause].basis,
    )
    due_step = Step("due_date", "original_due_date", (("invoice_on", invoice.invoice_on),), invoice.due_on, "invoice.due_date")
    trace = Trace((due_step,)) + terms_steps + invoicing_steps + extension_steps + notification.trace
    for end in waiting.values():
        trace += end.trace
    trace += Trace((loss_step,)) + earliest.trace + latest.trace + decision.trace + payment.trace
    return InvoiceDeadlines(
        invoice=invoice,
        due_on=invoice.due_on,
        credit_terms_within_maximum=within,
        invoiced_in_time=in_time,
        maximum_extension_period_first_day=first_day,
        maximum_extension_period_end=extension_end,
        stop_from=stop_from,
        overdue_notification=notification,
        waiting_period_ends=MappingProxyType({cause: end.on for cause, end in waiting.items()}),
        date_of_loss=loss_on,
        cause_of_loss=cause,
        claim_earliest=earliest,
        claim_latest=latest,
        decision=decision,
        payment=payment,
        trace=trace,
    )


def _starts(terms: PolicyTerms, invoice: UnpaidInvoice, facts: Facts, extension_end: date | None, breach: date | None) -> Starts:
    """The starting days known before there is a loss."""
    return {
        StartingDay.DUE_DATE: invoice.due_on,
        StartingDay.INVOICE_DATE: invoice.invoice_on,
        StartingDay.SHIPMENT_DATE: invoice.shipment_on,
        StartingDay.MAXIMUM_EXTENSION_PERIOD_END: extension_end,
        StartingDay.MAXIMUM_EXTENSION_PERIOD_BREACH: breach,
        StartingDay.NOTIFICATION: facts.notified_on,
        StartingDay.CLAIM_FILING: facts.claim_filed_on,
        StartingDay.COLLECTION_START: facts.collection_started_on,
        StartingDay.DEBT_ADMISSION: facts.debt_admitted_on,
        StartingDay.ADVERSE_INFORMATION: facts.adverse_information_on,
        StartingDay.DOCUMENTS_COMPLETE: facts.documents_complete_on,
        StartingDay.POLICY_END: None if terms.period is None else terms.period.last_day,
    }


def latest_due_on(terms: PolicyTerms, country: str | None, invoice: UnpaidInvoice) -> date | None:
    """The latest due date at which a sale is still insured; None without maximum credit terms.

    *Formula:* invoice date, shipment date or last day of the invoice month + days.
    """
    maximum = maximum_credit_terms_for(terms, country, invoice.conditions)
    if maximum is None:
        return None
    start = {
        CreditTermsStart.INVOICE_DATE: invoice.invoice_on,
        CreditTermsStart.SHIPMENT_DATE: invoice.shipment_on,
        CreditTermsStart.END_OF_INVOICE_MONTH: last_day_of_month(invoice.invoice_on),
    }[maximum.start]
    return add_days(start, maximum.days)


def _credit_terms(terms: PolicyTerms, country: str | None, invoice: UnpaidInvoice) -> tuple[bool | None, Trace]:
    latest = latest_due_on(terms, country, invoice)
    if latest is None:
        return None, Trace()
    within = invoice.due_on <= latest
    basis = basis_of(terms, country, "maximum_credit_terms", invoice.conditions)
    step = Step("credit_terms_within_maximum", "not_after", (("day", invoice.due_on), ("deadline", latest)), within, basis)
    return within, Trace((step,))


def _invoicing(terms: PolicyTerms, invoice: UnpaidInvoice) -> tuple[bool | None, Trace]:
    if terms.maximum_invoicing_period_days is None:
        return None, Trace()
    latest = add_days(invoice.shipment_on, terms.maximum_invoicing_period_days)
    in_time = invoice.invoice_on <= latest
    inputs = (("day", invoice.invoice_on), ("deadline", latest))
    return in_time, Trace((Step("invoiced_in_time", "not_after", inputs, in_time, "policy.maximum_invoicing_period"),))


def calculate_maximum_extension_end(terms: PolicyTerms, country: str | None, invoice: UnpaidInvoice) -> date | None:
    """Last day of the maximum extension period of an invoice, without the steps; None where there is no such clause."""
    clause = maximum_extension_period_for(terms, country, invoice.conditions)
    return None if clause is None else end_of_maximum_extension(clause, invoice)


def end_of_maximum_extension(clause: MaximumExtensionPeriod, invoice: UnpaidInvoice) -> date:
    """Last day of a maximum extension period of an invoice."""
    start = invoice.due_on if clause.start is ExtensionStart.ORIGINAL_DUE_DATE else invoice.invoice_on
    return add_days(start, clause.days) if clause.days is not None else add_months(start, clause.months or 0)


def calculate_maximum_extension_trace(terms: PolicyTerms, country: str | None, invoice: UnpaidInvoice) -> Trace:
    """The steps to the end of the maximum extension period of an invoice."""
    return _maximum_extension(terms, country, invoice)[2]


def calculate_overdue_notification(
    terms: PolicyTerms, country: str | None, invoice: UnpaidInvoice, facts: Facts, calendar: BusinessCalendar
) -> End:
    """The last day on which an invoice can be notified in time, with its steps."""
    notice = overdue_notification_for(terms, country)
    extension_end = calculate_maximum_extension_end(terms, country, invoice)
    breach = None if extension_end is None else add_days(extension_end, 1)
    starts = _starts(terms, invoice, facts, extension_end, breach)
    basis = basis_of(terms, country, "overdue_notification")
    rule = None if notice is None else notice.period
    end = find_end("overdue_notification_deadline", rule, starts, calendar, basis)
    return _relieved(end, terms, ReliefClause.OVERDUE_NOTIFICATION, rule, starts, calendar)


def calculate_adverse_information(terms: PolicyTerms, facts: Facts, calendar: BusinessCalendar) -> End:
    """The last day on which adverse information can be reported in time, with its steps."""
    return _adverse_information(terms, facts, calendar)[0]


def _maximum_extension(terms: PolicyTerms, country: str | None, invoice: UnpaidInvoice) -> tuple[date | None, date | None, Trace]:
    clause = maximum_extension_period_for(terms, country, invoice.conditions)
    if clause is None:
        return None, None, Trace()
    is_from_due = clause.start is ExtensionStart.ORIGINAL_DUE_DATE
    start_name = StartingDay.DUE_DATE if is_from_due else StartingDay.INVOICE_DATE
    start = invoice.due_on if is_from_due else invoice.invoice_on
    unit, length = (PeriodUnit.DAYS, clause.days) if clause.days is not None else (PeriodUnit.MONTHS, clause.months or 0)
    basis = basis_of(terms, country, "maximum_extension_period", invoice.conditions)
    end = find_end("maximum_extension_period_end", Period(unit, length, start_name), {start_name: start}, MONDAY_TO_FRIDAY, basis)
    return add_days(start, 1), end.on, end.trace


def _causes_considered(causes: Sequence[Cause] | None, facts: Facts) -> tuple[Cause, ...]:
    wanted = set(causes) if causes else {Cause.PROTRACTED_DEFAULT, *facts.events}
    return tuple(cause for cause in Cause if cause in wanted)


def _waiting_period(terms: PolicyTerms, country: str | None, cause: Cause, starts: Starts, facts: Facts, calendar: BusinessCalendar) -> End:
    rule = waiting_period_for(terms, country, cause)
    name = f"waiting_period_end.{cause}"
    basis = basis_of(terms, country, f"waiting_period.{cause}")
    event = facts.events.get(cause)
    if rule is not None:
        return find_end(name, rule, {**starts, StartingDay.EVENT: event}, calendar, basis)
    # Without a waiting period the event itself is the loss; a default has no event of its own.
    on = None if cause is Cause.PROTRACTED_DEFAULT else event
    return End(on, PeriodUnit.DAYS, basis, Trace((Step(name, "no_waiting_period", (("event", event),), on, basis),)))


def _loss(ends: Mapping[Cause, date | None]) -> tuple[date | None, Cause | None]:
    """The earliest end and its cause; the causes come in the order that decides a tie."""
    known = [(on, cause) for cause, on in ends.items() if on is not None]
    if not known:
        return None, None
    return min(known, key=lambda pair: pair[0])


def _adverse_information(terms: PolicyTerms, facts: Facts, calendar: BusinessCalendar) -> tuple[End, Trace]:
    clause = terms.adverse_information
    rule = None if clause is None else clause.period
    starts: Starts = {StartingDay.ADVERSE_INFORMATION: facts.adverse_information_on}
    end = find_end("adverse_information_deadline", rule, starts, calendar, "policy.adverse_information")
    end = _relieved(end, terms, ReliefClause.ADVERSE_INFORMATION, rule, starts, calendar)
    return end, end.trace


def _relieved(
    end: End, terms: PolicyTerms, clause: ReliefClause, rule: PeriodRule | None, starts: Starts, calendar: BusinessCalendar
) -> End:
    """The end of a duty's time under a dated relief, where one holds for its ordinary last day."""
    if end.on is None or not terms.reliefs:
        return end
    found = find_relief(terms.reliefs, clause, rule, end.on, starts, calendar)
    if found is None:
        return end
    relief, on = found
    basis = f"policy.relief.{clause}"
    inputs = (("ordinary_end", end.on), ("first_day", relief.first_day), ("last_day", relief.last_day), (str(relief.unit), relief.length))
    return End(on, relief.unit, basis, end.trace + Trace((Step("relief", "longer_time_instead", inputs, on, basis),)))


def _is_by(day: date | None, deadline: date | None) -> bool | None:
    return None if day is None or deadline is None else day <= deadline


def _is_within_window(filing: ClaimFiling, filed_on: date | None, earliest: date | None, latest: date | None) -> bool | None:
    """Whether a claim was filed in time; None while the filing, or a bound the policy has, is unknown."""
    if filed_on is None or (filing.not_before is None and filing.period is None):
        return None
    if (filing.not_before is not None and earliest is None) or (filing.period is not None and latest is None):
        return None
    return (earliest is None or earliest <= filed_on) and (latest is None or filed_on <= latest)
