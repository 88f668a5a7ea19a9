"""Whether a receivable can be covered at all: the eleven tests, in their order, and the dates they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from insureflow.domain.cover.events import Invoice, Reason
from insureflow.domain.cover.limits import LimitBook
from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.errors import Refusal
from insureflow.domain.periods import (
    MONDAY_TO_FRIDAY,
    BusinessCalendar,
    StartingDay,
    add_days,
    add_months,
    end_of,
    last_day_of_month,
)
from insureflow.domain.policies.relief import Relief, ReliefClause, find_relief
from insureflow.domain.policies.terms import MaximumCreditTerms, MaximumExtensionPeriod, OverdueNotification, PolicyTerms
from insureflow.domain.policies.vocabulary import Attachment, CreditTermsStart, ExtensionStart

#: Reasons under which an overdue invoice is not an insured one and so does not stop cover.
NOT_INSURED = frozenset(
    {
        Reason.OUTSIDE_POLICY_PERIOD,
        Reason.BUYER_NOT_INSURABLE,
        Reason.COUNTRY_NOT_COVERED,
        Reason.SHIPPED_AFTER_DATE_OF_LOSS,
        Reason.TERMS_EXCEED_MAXIMUM,
        Reason.INVOICED_LATE,
        Reason.AFTER_LIMIT_END,
        Reason.BEFORE_LIMIT_EFFECTIVE,
        Reason.NO_LIMIT,
        Reason.SHIPPED_WHILE_STOPPED,
        Reason.GRADE_NOT_COVERED,
    }
)


def is_outside_policy_period(terms: PolicyTerms, shipment_on: date) -> bool:
    """True for a shipment after the policy period, and before it where the policy attaches to sales."""
    period = terms.period
    if period is None:
        return False
    return shipment_on > period.last_day or (terms.attachment is Attachment.RISKS_ATTACHING and shipment_on < period.first_day)


def latest_due_date(maximum: MaximumCreditTerms, invoice: Invoice) -> date:
    """The latest due date within the maximum credit terms."""
    if maximum.start is CreditTermsStart.SHIPMENT_DATE:
        start = invoice.shipment_on
    elif maximum.start is CreditTermsStart.END_OF_INVOICE_MONTH:
        start = last_day_of_month(invoice.invoice_on)
    else:
        start = invoice.invoice_on
    return add_days(start, maximum.days)


def latest_invoice_date(terms: PolicyTerms, shipment_on: date) -> date | None:
    """The latest invoice date within the maximum invoicing period; None without such a period."""
    days = terms.maximum_invoicing_period_days
    return None if days is None else add_days(shipment_on, days)


def extension_period_end(period: MaximumExtensionPeriod, invoice: Invoice) -> date:
    """The last day of the maximum extension period of an invoice."""
    start = invoice.invoice_on if period.start is ExtensionStart.INVOICE_DATE else invoice.due_on
    if period.months is not None:
        return add_months(start, period.months)
    return add_days(start, period.days or 0)


def notification_deadline(
    rule: OverdueNotification,
    invoice: Invoice,
    extension_end: date | None,
    calendar: BusinessCalendar,
    reliefs: Sequence[Relief] = (),
) -> date | None:
    """The last day for notification of an overdue invoice, longer under a dated relief; None if the day it counts from does not exist."""
    starts: dict[str, date | None] = {
        StartingDay.MAXIMUM_EXTENSION_PERIOD_END: extension_end,
        StartingDay.MAXIMUM_EXTENSION_PERIOD_BREACH: add_days(extension_end, 1) if extension_end is not None else None,
        StartingDay.DUE_DATE: invoice.due_on,
        StartingDay.INVOICE_DATE: invoice.invoice_on,
    }
    ordinary = end_of(rule.period, starts, calendar)
    if ordinary is None or not reliefs:
        return ordinary
    found = find_relief(reliefs, ReliefClause.OVERDUE_NOTIFICATION, rule.period, ordinary, starts, calendar)
    return ordinary if found is None else found[1]


def calendar_of(terms: PolicyTerms, calendars: Mapping[str, BusinessCalendar]) -> BusinessCalendar:
    """The business days of a policy. Errors: ``calendar_unknown`` for a name that is not among the calendars."""
    name = terms.business_day_calendar
    if name is None:
        return MONDAY_TO_FRIDAY
    if name not in calendars:
        raise Refusal("calendar_unknown", calendar=name)
    return calendars[name]


def belongs_to_top_up(receivable: Receivable) -> bool:
    """True if the receivable belongs to an interval of the top-up layer; one that follows needs the primary layer too."""
    return receivable.top_up_interval >= 0 and (receivable.primary_interval >= 0 or not receivable.follows_primary)


def find_limit_reason(receivable: Receivable, primary: LimitBook, top_up: LimitBook) -> Reason | None:
    """Why a receivable belongs to no limit; None if it belongs to one."""
    if receivable.primary_interval >= 0 or belongs_to_top_up(receivable):
        return None
    if receivable.limit_had_ended:
        return Reason.AFTER_LIMIT_END
    shipment_on = receivable.invoice.shipment_on
    if primary.has_begun_after(shipment_on) or top_up.has_begun_after(shipment_on):
        return Reason.BEFORE_LIMIT_EFFECTIVE
    return Reason.NO_LIMIT


def find_reason(receivable: Receivable, primary: LimitBook, top_up: LimitBook) -> Reason | None:
    """The first of the eleven tests that a receivable fails; None if it can be covered."""
    if receivable.fixed_reason is not None:
        return receivable.fixed_reason
    if receivable.terms_exceed_maximum:
        return Reason.TERMS_EXCEED_MAXIMUM
    if receivable.invoiced_late:
        return Reason.INVOICED_LATE
    of_limit = find_limit_reason(receivable, primary, top_up)
    if of_limit is not None:
        return of_limit
    if receivable.shipped_while_stopped:
        return Reason.SHIPPED_WHILE_STOPPED
    if receivable.grade_not_covered:
        return Reason.GRADE_NOT_COVERED
    if receivable.extended_without_consent:
        return Reason.EXTENDED_WITHOUT_CONSENT
    return Reason.NOTIFIED_LATE if receivable.notified_late else None
