"""Random accounts for the two engines: terms, limits, invoices and all that can happen to them within some weeks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from insureflow.domain.cover import (
    Account,
    BuyerGrade,
    Consent,
    CreditNote,
    DateOfLoss,
    Dispute,
    DisputeResolved,
    Extension,
    Invoice,
    Layer,
    LimitDecision,
    LimitWithdrawal,
    OverdueNotification,
    Payment,
    Purpose,
    StopCover,
    StopCoverLifted,
    TemporaryLimit,
)
from insureflow.domain.periods import Period, PeriodUnit, StartingDay
from insureflow.domain.policies import (
    Allocation,
    AllocationOrder,
    Attachment,
    CountryConditions,
    CreditTermsStart,
    DatedTerms,
    ExtensionStart,
    GradeRow,
    InsuredPercentage,
    InvoicesCounted,
    Layers,
    LimitCancellationNotice,
    LimitConditions,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    NoticeAppliesTo,
    NotificationFailure,
    PartialPaymentReduces,
    PartPaymentAppliesTo,
    PolicyPeriod,
    PolicyTerms,
    StopBasis,
    TopUp,
)
from insureflow.domain.policies import (
    OverdueNotification as NotificationRule,
)
from insureflow.domain.policies import (
    StopCover as StopRule,
)

FIRST = date(2025, 1, 20)
LENGTH = 36
NAMES = ("A", "B", "C", "D", "E", "F", "G")
RATES = {"EUR": (1,), "USD": (Decimal("0.9"), Decimal("1.3333"), Fraction(2, 3)), "JPY": (Decimal("0.0061"), Decimal("0.01"))}


def days(first: int = 0, last: int = LENGTH) -> st.SearchStrategy[date]:
    return st.integers(first, last).map(lambda number: FIRST + timedelta(days=number))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def percentages() -> st.SearchStrategy[Decimal]:
    return st.sampled_from([Decimal(90), Decimal(80), Decimal("72.5"), Decimal(0), Decimal(100), Decimal("33.333")])


extension_periods = st.builds(
    lambda length, months, start: MaximumExtensionPeriod(
        days=None if months else length, months=length % 2 if months else None, start=start
    ),
    st.integers(0, 12),
    st.booleans(),
    st.sampled_from(ExtensionStart),
)
credit_terms = st.builds(MaximumCreditTerms, st.integers(0, 25), st.sampled_from(CreditTermsStart))
notification_rules = st.builds(
    NotificationRule,
    st.builds(
        Period,
        st.sampled_from([PeriodUnit.DAYS, PeriodUnit.BUSINESS_DAYS]),
        st.integers(1, 8),
        st.sampled_from(
            [
                StartingDay.DUE_DATE,
                StartingDay.INVOICE_DATE,
                StartingDay.MAXIMUM_EXTENSION_PERIOD_END,
                StartingDay.MAXIMUM_EXTENSION_PERIOD_BREACH,
            ]
        ),
    ),
    st.sampled_from([NotificationFailure.INVOICE_NOT_COVERED, NotificationFailure.INVOICE_NOT_COVERED, NotificationFailure.NO_EFFECT]),
)
conditions = st.builds(LimitConditions, maybe(percentages()), maybe(credit_terms), maybe(extension_periods))


@st.composite
def policies(draw: st.DrawFn, *, top_up: bool) -> PolicyTerms:
    period = maybe(st.builds(lambda a, b: PolicyPeriod(min(a, b), max(a, b)), days(0, 6), days(8, LENGTH + 9)))
    rare = st.sampled_from([False] * 7 + [True])
    return PolicyTerms(
        currency="EUR",
        limit_currency="EUR",
        period=draw(period) if draw(rare) else None,
        attachment=draw(st.sampled_from(Attachment)),
        countries_covered=frozenset({"DE", "PL"}) if draw(rare) else None,
        insured_percentage=draw(st.builds(lambda a, b: InsuredPercentage(a, by_country={"PL": b}), percentages(), percentages())),
        grade_cover=(GradeRow((1, "ungraded"), Decimal(90)), GradeRow((2,), Decimal(60)), GradeRow((3,), Decimal(0)))
        if draw(rare)
        else None,
        maximum_credit_terms=draw(credit_terms) if draw(rare) else None,
        maximum_invoicing_period_days=draw(st.integers(0, 4)) if draw(rare) else None,
        maximum_extension_period=draw(maybe(extension_periods)),
        overdue_notification=draw(maybe(notification_rules)),
        country_schedule=draw(st.sampled_from([{}, {"PL": CountryConditions(maximum_extension_period=MaximumExtensionPeriod(days=2))}])),
        vat_covered=draw(st.booleans()),
        allocation=draw(
            st.builds(
                Allocation,
                st.sampled_from(AllocationOrder),
                st.booleans(),
                st.booleans(),
                st.sampled_from(PartialPaymentReduces),
                st.sampled_from(PartPaymentAppliesTo),
                rare,
                st.sampled_from([True, True, False]),
            )
        ),
        limit_cancellation_notice=draw(st.builds(LimitCancellationNotice, st.sampled_from([0, 0, 3]), st.sampled_from(NoticeAppliesTo))),
        stop_cover=draw(
            st.builds(
                StopRule,
                st.sampled_from([True, True, False]),
                st.sampled_from([0, 0, 900]),
                st.sampled_from(StopBasis),
                st.sampled_from(InvoicesCounted),
                st.booleans(),
                st.booleans(),
            )
        ),
        layers=Layers(draw(st.builds(TopUp, maybe(percentages()), st.booleans()))) if top_up else Layers(),
    )


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Account, list[Any]]:
    top_up = draw(st.booleans())
    versions = [DatedTerms(date.min, draw(policies(top_up=top_up)))]
    if draw(st.sampled_from([False, False, True])):
        versions.append(DatedTerms(draw(days(3, 25)), draw(policies(top_up=top_up))))
    account = Account(tuple(versions), "EUR", draw(st.sampled_from([None, "DE", "PL"])), draw(st.sampled_from([True] * 19 + [False])))
    invoices = [draw(invoice_events(name)) for name in NAMES[: draw(st.integers(2, len(NAMES)))]]
    others = draw(st.lists(other_events(invoices, top_up=top_up), min_size=3, max_size=16))
    events: list[Any] = [*invoices, *others]
    limited = [layer for layer in Layer if (top_up or layer is Layer.PRIMARY) and draw(st.sampled_from([True, True, True, False]))]
    events += [LimitDecision(FIRST, draw(st.integers(1, 9000)), "EUR", layer=layer) for layer in limited]
    if draw(st.sampled_from([False, False, True])):
        events.append(DateOfLoss(draw(days(10))))
    return account, draw(st.permutations(events))


@st.composite
def invoice_events(draw: st.DrawFn, name: str) -> Invoice:
    shipped = draw(days(0, LENGTH - 4))
    invoiced = shipped + timedelta(days=draw(st.sampled_from([0, 0, 0, 3, 6, -5])))
    currency = draw(st.sampled_from(["EUR", "EUR", "EUR", "USD", "JPY"]))
    return Invoice(
        id=name,
        invoice_on=invoiced,
        shipment_on=shipped,
        due_on=invoiced + timedelta(days=draw(st.integers(0, 20))),
        currency=currency,
        rate=draw(st.sampled_from(RATES[currency])),
        net=draw(st.integers(0, 5000)),
        vat=draw(st.sampled_from([0, 0, 1, 333, 1000])),
    )


@st.composite
def other_events(draw: st.DrawFn, invoices: list[Invoice], *, top_up: bool) -> Any:
    on = draw(days())
    names = [invoice.id for invoice in invoices]
    inside = [invoice.id for invoice in invoices if invoice.shipment_on < on]
    layer = draw(st.sampled_from([Layer.PRIMARY, Layer.PRIMARY, Layer.TOP_UP])) if top_up else Layer.PRIMARY
    currency = draw(st.sampled_from(["EUR", "EUR", "USD", "JPY"]))
    rate = draw(st.sampled_from(RATES[currency]))
    amount = draw(st.integers(0, 6000) | st.sampled_from([1000, 2000]))
    kinds = [
        "limit",
        "limit",
        "limit",
        "temporary",
        "withdrawal",
        "credit_note",
        "payment",
        "payment",
        "payment",
        "dispute",
        "stop",
        "lift",
    ]
    kinds += ["grade", "notify_all", "consent_all"]
    if inside:
        kinds += ["resolve", "resolve", "extension", "extension", "consent", "notify", "dispute_inside", "dispute_inside"]
    kind = draw(st.sampled_from(kinds))
    around = maybe(st.integers(-12, 8).map(lambda number: on + timedelta(days=number)))
    if kind == "limit":
        own = draw(maybe(conditions)) if layer is Layer.PRIMARY else None
        valid_to = draw(maybe(st.integers(-2, 15).map(lambda number: on + timedelta(days=number))))
        return LimitDecision(on, amount, currency, rate, layer, draw(around), valid_to, own)
    if kind == "temporary":
        return TemporaryLimit(on, amount, currency, on + timedelta(days=draw(st.integers(-1, 12))), rate, layer, draw(around))
    if kind == "withdrawal":
        return LimitWithdrawal(on, layer, draw(around))
    if kind == "credit_note":
        named = draw(maybe(st.sampled_from(names)))
        vat = draw(st.sampled_from([0, 50, 400]))
        return CreditNote(on, amount, vat) if named is None and currency == "EUR" else CreditNote(on, amount, vat, named, currency, rate)
    if kind == "payment":
        designated = tuple(draw(st.lists(st.sampled_from(names), max_size=2, unique=True)))
        return Payment(on, amount, currency, rate, designated, draw(st.sampled_from(Purpose)))
    if kind in {"dispute", "dispute_inside"}:
        return Dispute(on, draw(st.sampled_from(inside if kind == "dispute_inside" else names)), amount)
    if kind == "resolve":
        return DisputeResolved(on, draw(st.sampled_from(inside)), amount)
    if kind == "extension":
        return Extension(on, draw(st.sampled_from(inside)), on + timedelta(days=draw(st.integers(0, 20))), draw(st.booleans()))
    if kind in {"consent", "notify"}:
        chosen = tuple(draw(st.lists(st.sampled_from(inside), min_size=1, max_size=2)))
        return Consent(on, chosen) if kind == "consent" else OverdueNotification(on, chosen)
    if kind == "grade":
        return BuyerGrade(on, draw(st.sampled_from([1, 2, 3, 4])))
    return {"stop": StopCover(on), "lift": StopCoverLifted(on), "notify_all": OverdueNotification(on), "consent_all": Consent(on)}[kind]


def with_currency(events: list[Any]) -> list[Any]:
    """Credit notes on no invoice name the limit currency for the oracle."""
    return [replace(event, currency="EUR") if isinstance(event, CreditNote) and event.currency is None else event for event in events]
