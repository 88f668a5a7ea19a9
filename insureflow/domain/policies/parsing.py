"""The terms of a policy from plain data, strictly: every field known, every value within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from insureflow.domain.periods import BusinessCalendar, Period, PeriodUnit, StartingDay
from insureflow.domain.policies.discretionary_clauses import read_discretionary_limit
from insureflow.domain.policies.loss_clauses import (
    read_aggregate_first_loss,
    read_claims_threshold,
    read_each_loss_deductible,
    read_maximum_liability,
    read_minimum_retention,
    read_premium,
    read_provisional_payment,
    read_recovery,
)
from insureflow.domain.policies.reading import ALL_UNITS, Reader, read_calendars, read_length
from insureflow.domain.policies.relief import Relief, ReliefClause
from insureflow.domain.policies.terms import (
    AdverseInformation,
    Allocation,
    ClaimFiling,
    CountryConditions,
    Grade,
    GradeRow,
    InsuredPercentage,
    Layers,
    LimitCancellationNotice,
    LimitConditions,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    OverdueNotification,
    PolicyPeriod,
    PolicyTerms,
    StopCover,
    TopUp,
    TurnoverDeclaration,
)
from insureflow.domain.policies.vocabulary import (
    AllocationOrder,
    Attachment,
    Cause,
    ClaimRate,
    CreditTermsStart,
    Cycle,
    ExtensionStart,
    InvoicesCounted,
    LimitKind,
    NoticeAppliesTo,
    NotificationFailure,
    PartialPaymentReduces,
    PartPaymentAppliesTo,
    StopBasis,
)

_NOTIFICATION_STARTS = (
    StartingDay.MAXIMUM_EXTENSION_PERIOD_END,
    StartingDay.MAXIMUM_EXTENSION_PERIOD_BREACH,
    StartingDay.DUE_DATE,
    StartingDay.INVOICE_DATE,
)


def parse_terms(
    data: Mapping[str, object], *, extensions: bool = True, currency_required: bool = True, path: str = "policy"
) -> PolicyTerms:
    """The terms of a policy from plain data. Errors: ``InvalidValues`` with all problems and their dotted paths.

    ``extensions``: whether the fields that only real policies have are allowed. ``currency_required``: whether an amount
    without a policy currency is a problem; otherwise it is held at two decimals.
    """
    reader = Reader(data, path, currency_required=currency_required)
    terms = read_terms(reader, extensions=extensions)
    reader.raise_problems()
    return terms


def parse_calendars(data: Mapping[str, object], *, path: str = "calendars") -> dict[str, BusinessCalendar]:
    """Business calendars by their names. Errors: ``InvalidValues``."""
    outer = Reader({path: data})
    calendars = read_calendars(outer, path)
    outer.raise_problems()
    return calendars


def parse_conditions(data: Mapping[str, object], *, path: str = "conditions") -> LimitConditions:
    """The conditions of a limit decision. Errors: ``InvalidValues``."""
    reader = Reader(data, path)
    conditions = read_conditions(reader)
    reader.raise_problems()
    return conditions


def read_conditions(reader: Reader) -> LimitConditions:
    """The conditions of a limit decision; problems stay with the reader."""
    conditions = LimitConditions(
        insured_percentage=reader.percentage("insured_percentage"),
        maximum_credit_terms=_maximum_credit_terms(reader),
        maximum_extension_period=_maximum_extension_period(reader),
    )
    reader.finish()
    return conditions


def read_terms(reader: Reader, *, extensions: bool) -> PolicyTerms:
    """The terms of a policy; problems stay with the reader, and the terms count only if there are none."""
    currency = reader.money_code("currency")
    limit_currency = reader.money_code("limit_currency") or currency
    reader.currency = currency
    more = _extensions(reader) if extensions else {}
    terms = PolicyTerms(
        currency=currency,
        limit_currency=limit_currency,
        period=_period(reader),
        attachment=reader.choice("attachment", Attachment) or Attachment.RISKS_ATTACHING,
        countries_covered=reader.countries("countries_covered"),
        insured_percentage=_insured_percentage(reader),
        grade_cover=_grade_cover(reader),
        maximum_credit_terms=_maximum_credit_terms(reader),
        maximum_invoicing_period_days=reader.only_whole("maximum_invoicing_period", "days"),
        maximum_extension_period=_maximum_extension_period(reader),
        overdue_notification=_overdue_notification(reader),
        adverse_information=_adverse_information(reader),
        waiting_period=reader.by_word("waiting_period", Cause, Reader.rule),
        claim_filing=_claim_filing(reader),
        examination=reader.rule("examination"),
        payment=reader.rule("payment"),
        business_day_calendar=reader.text("business_day_calendar"),
        country_schedule=reader.by_country("country_schedule", lambda inner, code: _country_conditions(inner, code, extensions=extensions)),
        vat_covered=reader.boolean("vat_covered", default=False),
        allocation=_allocation(reader),
        limit_cancellation_notice=_limit_cancellation_notice(reader),
        stop_cover=_stop_cover(reader, limit_currency),
        layers=_layers(reader),
        claims_threshold=read_claims_threshold(reader),
        each_loss_deductible=read_each_loss_deductible(reader),
        minimum_retention=read_minimum_retention(reader),
        aggregate_first_loss=read_aggregate_first_loss(reader),
        maximum_liability=read_maximum_liability(reader),
        maximum_indemnity_per_buyer=reader.only_amount("maximum_indemnity_per_buyer"),
        collection_costs_in_loss=reader.boolean("collection_costs_in_loss", default=False),
        provisional_payment_percentage=read_provisional_payment(reader),
        claim_rate=reader.choice("claim_rate", ClaimRate) or ClaimRate.DATE_OF_LOSS,
        recovery=read_recovery(reader),
        premium=read_premium(reader, extensions=extensions),
        discretionary_limit=read_discretionary_limit(reader),
        **more,  # type: ignore[arg-type]  # the names and types are those of _extensions
    )
    reader.finish()
    return terms


def _extensions(reader: Reader) -> dict[str, object]:
    return {
        "turnover_declaration": _turnover_declaration(reader),
        "overdue_notification_threshold": reader.only_amount("overdue_notification_threshold"),
        "insured_percentage_by_limit_kind": reader.by_word("insured_percentage_by_limit_kind", LimitKind, Reader.percentage),
        "notice_of_non_renewal_months": reader.only_whole("notice_of_non_renewal", "months"),
        "temporary_limit_renewal_days": reader.only_whole("temporary_limit_renewal", "days"),
        "reliefs": _reliefs(reader),
        "no_new_terms_after_shipment": reader.boolean("no_new_terms_after_shipment", default=False),
        "binding_order_report_days": reader.only_whole("binding_order_report", "days"),
        "limit_fees": reader.by_word("limit_fee", LimitKind, Reader.amount),
    }


def _reliefs(reader: Reader) -> tuple[Relief, ...]:
    reliefs = []
    for inner in reader.children("relief"):
        clause = inner.choice("clause", ReliefClause, required=True)
        first_day, last_day = inner.day("from", required=True), inner.day("to", required=True)
        length = read_length(inner, ALL_UNITS)
        note = inner.text("note") or ""
        inner.finish()
        if first_day is not None and last_day is not None and last_day < first_day:
            inner.problem("ends_before_it_begins", "to", last_day, start=first_day)
        elif clause is not None and first_day is not None and last_day is not None and length is not None:
            reliefs.append(Relief(clause, first_day, last_day, *length, note))
    return tuple(reliefs)


def _turnover_declaration(reader: Reader) -> TurnoverDeclaration | None:
    inner = reader.child("turnover_declaration")
    if inner is None:
        return None
    cycle = inner.choice("cycle", Cycle, required=True)
    days = inner.whole("days", required=True)
    inner.finish()
    return TurnoverDeclaration(cycle, days) if cycle is not None and days is not None else None


def _period(reader: Reader) -> PolicyPeriod | None:
    inner = reader.child("period")
    if inner is None:
        return None
    first_day = inner.day("from", required=True)
    last_day = inner.day("to", required=True)
    inner.finish()
    if first_day is None or last_day is None:
        return None
    if last_day < first_day:
        inner.problem("ends_before_it_begins", "to", last_day, start=first_day)
    return PolicyPeriod(first_day, last_day)


def _insured_percentage(reader: Reader) -> InsuredPercentage:
    value = reader.raw("insured_percentage")
    if value is None:
        return InsuredPercentage()
    if not isinstance(value, Mapping):
        return InsuredPercentage(reader.percentage("insured_percentage") or Decimal(0))
    inner = reader.child("insured_percentage")
    assert inner is not None  # it is a map
    default = inner.percentage("default")
    result = InsuredPercentage(
        default=Decimal(100) if default is None else default,
        by_cause=inner.by_word("by_cause", Cause, Reader.percentage),
        by_country=inner.by_country("by_country", Reader.percentage),
    )
    inner.finish()
    return result


def _grade_cover(reader: Reader) -> tuple[GradeRow, ...] | None:
    if not reader.has("grade_cover"):
        return None
    rows = []
    seen: set[Grade] = set()
    for inner in reader.children("grade_cover", minimum=1):
        grades: list[Grade] = []
        for position, entry in enumerate(inner.items("grades", required=True, minimum=1)):
            if isinstance(entry, bool) or not isinstance(entry, int | str) or entry == "":
                inner.problem("not_a_grade", f"grades[{position}]", entry)
            elif entry in seen:
                inner.problem("grade_in_two_rows", f"grades[{position}]", entry)
            else:
                seen.add(entry)
                grades.append(entry)
        percentage = inner.percentage("insured_percentage", required=True)
        maximum = inner.amount("maximum_indemnity_per_buyer")
        inner.finish()
        rows.append(GradeRow(tuple(grades), Decimal(0) if percentage is None else percentage, maximum))
    return tuple(rows)


def _maximum_credit_terms(reader: Reader) -> MaximumCreditTerms | None:
    inner = reader.child("maximum_credit_terms")
    if inner is None:
        return None
    days = inner.whole("days", required=True)
    start = inner.choice("from", CreditTermsStart) or CreditTermsStart.INVOICE_DATE
    inner.finish()
    return None if days is None else MaximumCreditTerms(days, start)


def _maximum_extension_period(reader: Reader) -> MaximumExtensionPeriod | None:
    inner = reader.child("maximum_extension_period")
    if inner is None:
        return None
    length = read_length(inner, (PeriodUnit.DAYS, PeriodUnit.MONTHS))
    start = inner.choice("from", ExtensionStart) or ExtensionStart.ORIGINAL_DUE_DATE
    inner.finish()
    if length is None:
        return None
    unit, count = length
    return MaximumExtensionPeriod(days=count, start=start) if unit is PeriodUnit.DAYS else MaximumExtensionPeriod(months=count, start=start)


def _overdue_notification(reader: Reader) -> OverdueNotification | None:
    inner = reader.child("overdue_notification")
    if inner is None:
        return None
    length = read_length(inner, ALL_UNITS)
    start = inner.choice("from", StartingDay, among=_NOTIFICATION_STARTS) or StartingDay.MAXIMUM_EXTENSION_PERIOD_END
    failure = inner.choice("failure", NotificationFailure) or NotificationFailure.NO_EFFECT
    inner.finish()
    return None if length is None else OverdueNotification(Period(*length, start), failure)


def _adverse_information(reader: Reader) -> AdverseInformation | None:
    inner = reader.child("adverse_information")
    if inner is None:
        return None
    length = read_length(inner, (PeriodUnit.DAYS, PeriodUnit.BUSINESS_DAYS))
    inner.finish()
    return None if length is None else AdverseInformation(Period(*length, StartingDay.ADVERSE_INFORMATION))


def _claim_filing(reader: Reader) -> ClaimFiling | None:
    inner = reader.child("claim_filing")
    if inner is None:
        return None
    length = read_length(inner, ALL_UNITS, required=inner.has("from"))
    start = inner.choice("from", StartingDay, required=length is not None)
    not_before = inner.rule("not_before")
    inner.finish()
    return ClaimFiling(Period(*length, start) if length and start else None, not_before)


def _country_conditions(schedule: Reader, code: str, *, extensions: bool) -> CountryConditions | None:
    inner = schedule.child(code)
    if inner is None:
        return None
    conditions = CountryConditions(
        maximum_credit_terms=_maximum_credit_terms(inner),
        maximum_extension_period=_maximum_extension_period(inner),
        overdue_notification=_overdue_notification(inner),
        waiting_period=inner.by_word("waiting_period", Cause, Reader.rule),
        vat_covered=inner.boolean("vat_covered", default=None) if extensions else None,
    )
    inner.finish()
    return conditions


def _allocation(reader: Reader) -> Allocation:
    inner = reader.child("allocation")
    if inner is None:
        return Allocation()
    allocation = Allocation(
        order=inner.choice("order", AllocationOrder) or AllocationOrder.DUE_DATE,
        respect_designation=inner.boolean("respect_designation", default=False),
        prepayments_reduce_old_debt=inner.boolean("prepayments_reduce_old_debt", default=True),
        partial_payment_reduces=inner.choice("partial_payment_reduces", PartialPaymentReduces) or PartialPaymentReduces.COVERED_FIRST,
        part_payment_applies_to=inner.choice("part_payment_applies_to", PartPaymentAppliesTo) or PartPaymentAppliesTo.NET_FIRST,
        roll_in_after_cancellation=inner.boolean("roll_in_after_cancellation", default=False),
        roll_in_under_reduced_limit=inner.boolean("roll_in_under_reduced_limit", default=True),
    )
    inner.finish()
    return allocation


def _limit_cancellation_notice(reader: Reader) -> LimitCancellationNotice:
    inner = reader.child("limit_cancellation_notice")
    if inner is None:
        return LimitCancellationNotice()
    notice = LimitCancellationNotice(
        days=inner.whole("days", required=True) or 0,
        applies_to=inner.choice("applies_to", NoticeAppliesTo) or NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION,
    )
    inner.finish()
    return notice


def _stop_cover(reader: Reader, limit_currency: str | None) -> StopCover:
    inner = reader.child("stop_cover")
    if inner is None:
        return StopCover()
    stop = StopCover(
        automatic=inner.boolean("automatic", default=True),
        minimum_overdue_amount=inner.amount("minimum_overdue_amount", limit_currency) or 0,
        basis=inner.choice("basis", StopBasis) or StopBasis.PER_INVOICE,
        invoices_counted=inner.choice("invoices_counted", InvoicesCounted) or InvoicesCounted.INSURED,
        disputed_amounts_count=inner.boolean("disputed_amounts_count", default=True),
        blocks_roll_in=inner.boolean("blocks_roll_in", default=True),
    )
    inner.finish()
    return stop


def _layers(reader: Reader) -> Layers:
    inner = reader.child("layers")
    if inner is None:
        return Layers()
    top_up = inner.child("top_up")
    layers = Layers()
    if top_up is not None:
        layers = Layers(TopUp(top_up.percentage("insured_percentage"), top_up.boolean("follows_primary", default=True)))
        top_up.finish()
    inner.finish()
    return layers
