"""Worked examples of the kind ``deadlines``: due dates, overdue points, deadlines and the date of loss."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from insureflow.domain.cases.shapes import ANYTHING, CAUSE, DATE, FLAG, TEXT, Each, Fields, Maybe, is_cause
from insureflow.domain.obligations import Deadlines, Facts, InvoiceDeadlines, UnpaidInvoice, calculate_deadlines
from insureflow.domain.periods import MONDAY_TO_FRIDAY, BusinessCalendar, due_date
from insureflow.domain.policies.parsing import read_terms
from insureflow.domain.policies.reading import Reader, read_calendars
from insureflow.domain.policies.vocabulary import Cause

#: Everything given is read, and checked, by ``calculate``.
GIVEN = Fields(
    {"policy": ANYTHING, "calendars": ANYTHING, "country": ANYTHING, "invoices": ANYTHING, "causes": ANYTHING, "facts": ANYTHING},
    ("policy", "invoices"),
)

_MAYBE_DATE = Maybe(DATE)
_MAYBE_FLAG = Maybe(FLAG)

EXPECT = Fields(
    {
        "invoices": Each(
            Fields(
                {
                    "due_date": _MAYBE_DATE,
                    "credit_terms_within_maximum": _MAYBE_FLAG,
                    "invoiced_in_time": _MAYBE_FLAG,
                    "maximum_extension_period_first_day": _MAYBE_DATE,
                    "maximum_extension_period_end": _MAYBE_DATE,
                    "overdue_notification_deadline": _MAYBE_DATE,
                }
            )
        ),
        "oldest_invoice": TEXT,
        "maximum_extension_period_first_day": _MAYBE_DATE,
        "maximum_extension_period_end": _MAYBE_DATE,
        "overdue_notification_deadline": _MAYBE_DATE,
        "last_shipment_before_stop": _MAYBE_DATE,
        "stop_from": _MAYBE_DATE,
        "notification_in_time": _MAYBE_FLAG,
        "adverse_information_deadline": _MAYBE_DATE,
        "waiting_period_end": Each(_MAYBE_DATE, is_cause),
        "date_of_loss": _MAYBE_DATE,
        "cause_of_loss": Maybe(CAUSE),
        "claim_earliest": _MAYBE_DATE,
        "claim_latest": _MAYBE_DATE,
        "claim_in_time": _MAYBE_FLAG,
        "decision_deadline": _MAYBE_DATE,
        "payment_deadline": _MAYBE_DATE,
    }
)


def calculate(given: Mapping[str, object], expect: Mapping[str, object]) -> Mapping[str, object]:  # noqa: ARG001  every kind is called alike
    """All deadlines of the account given. Errors: ``InvalidValues`` with every problem of what is given."""
    reader = Reader(given, "given", currency_required=False)
    policy = reader.child("policy", required=True)
    terms = None if policy is None else read_terms(policy, extensions=False)
    calendars = read_calendars(reader)
    country = reader.country("country")
    invoices = _invoices(reader)
    causes = _causes(reader)
    facts = _facts(reader)
    calendar = MONDAY_TO_FRIDAY
    if terms is not None and policy is not None and terms.business_day_calendar is not None:
        calendar = _calendar(policy, terms.business_day_calendar, calendars)
    reader.finish()
    reader.raise_problems()
    assert terms is not None  # without a policy there was a problem
    return _as_data(calculate_deadlines(terms, invoices, country=country, causes=causes, facts=facts, calendar=calendar))


def _calendar(policy: Reader, name: str, calendars: Mapping[str, BusinessCalendar]) -> BusinessCalendar:
    if name not in calendars:
        policy.problem("unknown_calendar", "business_day_calendar", name)
    return calendars.get(name, MONDAY_TO_FRIDAY)


def _invoices(reader: Reader) -> list[UnpaidInvoice]:
    invoices: list[UnpaidInvoice] = []
    for row in reader.children("invoices", required=True, minimum=1):
        name = row.text("id", required=True)
        invoice_on, shipment_on, due_on = row.day("invoice_date"), row.day("shipment_date"), row.day("due_date")
        terms = row.terms("terms")
        row.finish()
        if row.has("due_date") == row.has("terms"):
            row.problem("exactly_one_of", "due_date", None, choices="due_date, terms")
            continue
        if terms is not None:
            start = invoice_on or shipment_on
            if start is None:
                row.problem("required", "invoice_date")
                continue
            due_on = due_date(terms, invoice_on or start, shipment_on or start)
        if name is None or due_on is None:
            continue
        if any(invoice.id == name for invoice in invoices):
            row.problem("duplicate", "id", name)
        invoices.append(UnpaidInvoice(name, invoice_on or shipment_on or due_on, shipment_on or invoice_on or due_on, due_on))
    return invoices


def _causes(reader: Reader) -> list[Cause] | None:
    if not reader.has("causes"):
        return None
    causes = []
    for position, entry in enumerate(reader.items("causes", minimum=1)):
        if isinstance(entry, str) and is_cause(entry):
            causes.append(Cause(entry))
        else:
            reader.problem("not_a_choice", f"causes[{position}]", entry, choices=", ".join(Cause))
    return causes


def _facts(reader: Reader) -> Facts:
    facts = reader.child("facts")
    if facts is None:
        return Facts()
    result = Facts(
        notified_on=facts.day("notification"),
        claim_filed_on=facts.day("claim_filing"),
        collection_started_on=facts.day("collection_start"),
        debt_admitted_on=facts.day("debt_admission"),
        adverse_information_on=facts.day("adverse_information"),
        documents_complete_on=facts.day("documents_complete"),
        decided_on=facts.day("decision"),
        events=MappingProxyType(dict(facts.by_word("events", Cause, Reader.day))),
    )
    facts.finish()
    return result


def _of_invoice(deadlines: InvoiceDeadlines) -> dict[str, object]:
    return {
        "due_date": deadlines.due_on,
        "credit_terms_within_maximum": deadlines.credit_terms_within_maximum,
        "invoiced_in_time": deadlines.invoiced_in_time,
        "maximum_extension_period_first_day": deadlines.maximum_extension_period_first_day,
        "maximum_extension_period_end": deadlines.maximum_extension_period_end,
        "overdue_notification_deadline": deadlines.overdue_notification_deadline,
    }


def _as_data(deadlines: Deadlines) -> dict[str, object]:
    oldest = deadlines.oldest
    return {
        "invoices": {each.invoice.id: _of_invoice(each) for each in deadlines.invoices},
        "oldest_invoice": deadlines.oldest_invoice,
        "maximum_extension_period_first_day": oldest.maximum_extension_period_first_day,
        "maximum_extension_period_end": oldest.maximum_extension_period_end,
        "overdue_notification_deadline": oldest.overdue_notification_deadline,
        "last_shipment_before_stop": deadlines.last_shipment_before_stop,
        "stop_from": deadlines.stop_from,
        "notification_in_time": deadlines.notification_in_time,
        "adverse_information_deadline": deadlines.adverse_information.on,
        "waiting_period_end": {str(cause): on for cause, on in oldest.waiting_period_ends.items()},
        "date_of_loss": deadlines.date_of_loss,
        "cause_of_loss": deadlines.cause_of_loss,
        "claim_earliest": oldest.claim_earliest.on,
        "claim_latest": oldest.claim_latest.on,
        "claim_in_time": deadlines.claim_in_time,
        "decision_deadline": oldest.decision.on,
        "payment_deadline": oldest.payment.on,
    }
