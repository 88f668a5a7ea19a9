"""Why an invoice is covered as it is: every step from the tests of its shipment to the insurer's liability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.eligibility import (
    belongs_to_top_up,
    find_limit_reason,
    latest_due_date,
    latest_invoice_date,
)
from insureflow.domain.cover.events import Event, Layer, Reason
from insureflow.domain.cover.history import History
from insureflow.domain.cover.limits import LimitBook
from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.cover.recording import Recorder
from insureflow.domain.cover.replay import work_through
from insureflow.domain.cover.versions import Account, TermsVersion
from insureflow.domain.cover.watching import end_of_extension_period
from insureflow.domain.money import Money, round_half_up
from insureflow.domain.policies.precedence import basis_of
from insureflow.domain.trace import Step, Trace, TraceValue

_Inputs = tuple[tuple[str, TraceValue], ...]


def explain(account: Account, events: Sequence[Event], invoice_id: str, on: date) -> Trace:
    """The steps that lead to what is covered of an invoice at the end of a day.

    First the tests in their order, up to the first that fails (``result`` True: passed), with what was compared and the
    parameter it rests on; the limit interval it belongs to; then every change of its cover with its day; at the end the
    split by reason, the insured percentage with its source and the insurer's liability. Errors: as ``replay``, and
    ``invoice_not_in_account`` if it has not entered by that day.
    """
    recorder = Recorder(invoice_id, account.limit_currency)
    book, history = work_through(account, events, until=on, stop_on=on, recorder=recorder)
    receivable = book.get(invoice_id)
    steps = [*_test_steps(book, receivable), *_interval_steps(book, receivable), *recorder.steps]
    return Trace((*steps, *_result_steps(account, history, receivable, book.version_of(receivable), on)))


def _test_steps(book: AccountBook, receivable: Receivable) -> Iterator[Step]:
    """The eleven tests up to the first that fails."""
    invoice = receivable.invoice
    for reason, inputs, basis, has_failed in _tests(book, receivable):
        yield Step(
            name=reason.value,
            formula=f"cover.test.{reason.value}",
            inputs=inputs,
            result=not has_failed,
            basis=basis,
            on=invoice.shipment_on,
        )
        if has_failed:
            return


def _tests(book: AccountBook, receivable: Receivable) -> Iterator[tuple[Reason, _Inputs, str, bool]]:
    invoice, version, reason = receivable.invoice, book.version_of(receivable), receivable.reason
    terms, country, conditions = version.terms, book.account.country, receivable.conditions
    shipped: _Inputs = (("shipment_on", invoice.shipment_on),)
    period = terms.period
    first_day, last_day = (period.first_day, period.last_day) if period is not None else (None, None)
    period_inputs = (*shipped, ("first_day", first_day), ("last_day", last_day), ("attachment", terms.attachment.value))
    yield Reason.OUTSIDE_POLICY_PERIOD, period_inputs, "policy.period", reason is Reason.OUTSIDE_POLICY_PERIOD
    insurable: _Inputs = (("insurable", book.account.insurable),)
    yield Reason.BUYER_NOT_INSURABLE, insurable, "buyer.insurable", reason is Reason.BUYER_NOT_INSURABLE
    yield Reason.COUNTRY_NOT_COVERED, (("country", country),), "policy.countries_covered", reason is Reason.COUNTRY_NOT_COVERED
    loss_inputs = (*shipped, ("date_of_loss", book.loss_on))
    yield Reason.SHIPPED_AFTER_DATE_OF_LOSS, loss_inputs, "account.date_of_loss", reason is Reason.SHIPPED_AFTER_DATE_OF_LOSS
    maximum = version.maximum_credit_terms(conditions)
    due_inputs = (("due_on", invoice.due_on), ("latest_due_on", latest_due_date(maximum, invoice) if maximum is not None else None))
    basis = basis_of(terms, country, "maximum_credit_terms", conditions)
    yield Reason.TERMS_EXCEED_MAXIMUM, due_inputs, basis, receivable.terms_exceed_maximum
    late_inputs = (("invoice_on", invoice.invoice_on), ("latest_invoice_on", latest_invoice_date(terms, invoice.shipment_on)))
    yield Reason.INVOICED_LATE, late_inputs, "policy.maximum_invoicing_period", receivable.invoiced_late
    of_limit = find_limit_reason(receivable, book.primary, book.top_up)
    yield of_limit or Reason.NO_LIMIT, shipped, "limit.interval", of_limit is not None
    yield Reason.SHIPPED_WHILE_STOPPED, shipped, "policy.stop_cover", receivable.shipped_while_stopped
    graded: _Inputs = (("grade", receivable.grade),)
    yield Reason.GRADE_NOT_COVERED, graded, "policy.grade_cover", receivable.grade_not_covered
    extension_inputs = (("maximum_extension_period_end", end_of_extension_period(book, receivable)),)
    basis = basis_of(terms, country, "maximum_extension_period", conditions)
    if terms.no_new_terms_after_shipment:
        extension_inputs, basis = (("original_due_on", invoice.due_on),), "policy.no_new_terms_after_shipment"
    yield Reason.EXTENDED_WITHOUT_CONSENT, extension_inputs, basis, receivable.extended_without_consent
    notified = (("notification_deadline", receivable.notification_deadline), ("notified", receivable.is_notified))
    basis = basis_of(terms, country, "overdue_notification")
    yield Reason.NOTIFIED_LATE, notified, basis, receivable.notified_late


def _interval_steps(book: AccountBook, receivable: Receivable) -> Iterator[Step]:
    """The limit interval of each layer that the receivable belongs to."""
    if receivable.primary_interval >= 0:
        yield _interval_step(Layer.PRIMARY, book.primary, receivable.primary_interval, receivable)
    if belongs_to_top_up(receivable):
        yield _interval_step(Layer.TOP_UP, book.top_up, receivable.top_up_interval, receivable)


def _interval_step(layer: Layer, limits: LimitBook, number: int, receivable: Receivable) -> Step:
    interval, shipment_on = limits.intervals[number], receivable.invoice.shipment_on
    inputs: _Inputs = (("layer", layer.value), ("shipment_on", shipment_on), ("start", interval.start), ("end", interval.end))
    return Step(name="limit_interval", formula="cover.limit_interval", inputs=inputs, result=True, basis="limit.interval", on=shipment_on)


def _result_steps(account: Account, history: History, receivable: Receivable, version: TermsVersion, on: date) -> Iterator[Step]:
    segment = history.on(on).invoices[receivable.invoice.id]
    currency = account.limit_currency
    split = tuple((reason.value, Money(amount, currency)) for reason, amount in segment.reasons)
    parts = (("open", Money(segment.open, currency)), *split)
    yield Step(name="split", formula="cover.split", inputs=parts, result=Money(segment.covered, currency), basis="cover.reason", on=on)
    own = segment.insured_percentage
    if own is None or segment.percentage_source is None:
        return
    source: _Inputs = (("source", segment.percentage_source), ("country", account.country), ("grade", receivable.grade))
    basis = _BASIS_OF_PERCENTAGE[segment.percentage_source]
    yield Step(name="insured_percentage", formula="cover.insured_percentage", inputs=source, result=own, basis=basis, on=on)
    of_top_up = version.top_up_percentage if version.top_up_percentage is not None else own
    exact = Fraction(own) * segment.covered_primary + Fraction(of_top_up) * segment.covered_top_up
    liability_inputs: _Inputs = (
        ("covered_primary", Money(segment.covered_primary, currency)),
        ("insured_percentage", own),
        ("covered_top_up", Money(segment.covered_top_up, currency)),
        ("top_up_percentage", of_top_up),
    )
    liability = Money(round_half_up(exact / 100), currency)
    yield Step(
        name="insurer_liability", formula="cover.insurer_liability", inputs=liability_inputs, result=liability, basis="policy.layers", on=on
    )


_BASIS_OF_PERCENTAGE = {
    "limit": "limit.insured_percentage",
    "grade": "policy.grade_cover",
    "country": "policy.insured_percentage.by_country",
    "cause": "policy.insured_percentage.by_cause",
    "policy": "policy.insured_percentage",
}
