"""What a policy would pay for overdue accounts if nothing more came in, and when: the forecast of claims.

Nothing here is a promise of the insurer. Every day that has not come yet is assumed in the same way: the notification on its last
day, the claim as soon as it may be filed, complete on that day. Each assumption is a step of the trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from insureflow.domain.loss import (
    NOTHING_USED,
    Circumstances,
    DebtLine,
    FrozenRate,
    Loss,
    LossGiven,
    YearUse,
    debt_of_lines,
    settle_year,
)
from insureflow.domain.obligations import NO_FACTS, Facts, UnpaidInvoice, calculate_invoice_deadlines
from insureflow.domain.periods import MONDAY_TO_FRIDAY, BusinessCalendar, add_months
from insureflow.domain.policies import Cause, Grade, PolicyTerms
from insureflow.domain.trace import Step, Trace, TraceValue

#: So many months from the one asked for stand in the cash calendar one by one; what is expected later stands in one line.
MONTHS_SHOWN = 18


@dataclass(frozen=True, slots=True)
class ExpectedDates:
    """When what is expected of a claim. None is a day that the policy does not let anybody work out.

    ``is_late``: the last day for the claim has passed without one.
    """

    cause: Cause
    date_of_loss: date | None
    claim_earliest: date | None
    claim_latest: date | None
    filed_on: date
    decision_on: date | None
    payment_on: date | None
    is_late: bool
    trace: Trace


def expect_dates(
    terms: PolicyTerms,
    oldest: UnpaidInvoice,
    on: date,
    *,
    country: str | None = None,
    facts: Facts = NO_FACTS,
    loss_on: date | None = None,
    calendar: BusinessCalendar = MONDAY_TO_FRIDAY,
) -> ExpectedDates:
    """When a loss, a claim, a decision and the money are expected of an account whose oldest unpaid invoice is this one.

    The cause is protracted default, unless an insolvency has been recorded that comes first. ``loss_on`` is a date of loss that has
    been recorded already.

    *Formula:* notification and hand-over to collection: recorded, else the last day for the notification, not before today. Claim:
    recorded, else its earliest day, else the date of loss, not before today and, while there is time, not after its last day;
    documents complete on that day. Decision: its deadline, not before claim and loss. Payment: its deadline, not before the decision;
    without a time for payment the day of the decision.
    """
    first = calculate_invoice_deadlines(terms, oldest, country=country, facts=facts, calendar=calendar)
    notified_on = facts.notified_on or max(on, first.overdue_notification_deadline or on)
    collected_on = facts.collection_started_on or notified_on
    assumed = replace(facts, notified_on=notified_on, collection_started_on=collected_on)
    second = calculate_invoice_deadlines(terms, oldest, country=country, facts=assumed, calendar=calendar)
    earliest = second.claim_earliest.on
    filed_on = facts.claim_filed_on or max(on, earliest or loss_on or second.date_of_loss or on)
    latest = second.claim_latest.on
    if facts.claim_filed_on is None and latest is not None and on <= latest < filed_on:
        filed_on = latest
    complete_on = facts.documents_complete_on or filed_on
    assumed = replace(assumed, claim_filed_on=filed_on, documents_complete_on=complete_on)
    found = calculate_invoice_deadlines(terms, oldest, country=country, facts=assumed, calendar=calendar)
    lost_on = loss_on or found.date_of_loss
    latest = found.claim_latest.on
    decision_on = None if found.decision.on is None else max(day for day in (found.decision.on, filed_on, lost_on) if day is not None)
    paid_on = _after(found.payment.on, decision_on) if terms.payment is not None else decision_on
    steps = [
        _assumed("assumed_notification", facts.notified_on, notified_on, first.overdue_notification_deadline, on),
        _assumed("assumed_filing", facts.claim_filed_on, filed_on, earliest, on),
    ]
    expected: tuple[tuple[str, TraceValue], ...] = (
        ("decision_deadline", found.decision.on),
        ("filed_on", filed_on),
        ("date_of_loss", lost_on),
    )
    steps.append(Step("expected_decision", "forecast.decision", expected, decision_on, "policy.examination"))
    expected = (("payment_deadline", found.payment.on), ("expected_decision", decision_on))
    formula = "forecast.payment" if terms.payment is not None else "forecast.paid_with_decision"
    steps.append(Step("expected_payment", formula, expected, paid_on, "policy.payment"))
    return ExpectedDates(
        cause=found.cause_of_loss or Cause.PROTRACTED_DEFAULT,
        date_of_loss=lost_on,
        claim_earliest=found.claim_earliest.on,
        claim_latest=latest,
        filed_on=filed_on,
        decision_on=decision_on,
        payment_on=paid_on,
        is_late=latest is not None and filed_on > latest,
        trace=found.trace + Trace(tuple(steps)),
    )


def _after(day: date | None, earliest: date | None) -> date | None:
    """A deadline that cannot come before another day; unknown while it is unknown itself."""
    return None if day is None else max(day, earliest or day)


def _assumed(name: str, recorded: date | None, used: date, deadline: date | None, on: date) -> Step:
    inputs: tuple[tuple[str, TraceValue], ...] = (("recorded", recorded), ("deadline", deadline), ("day_asked_for", on))
    return Step(name, "forecast.recorded" if recorded is not None else f"forecast.{name}", inputs, used, "forecast.assumption")


@dataclass(frozen=True, slots=True)
class AccountAtRisk:
    """An overdue account: what is open and covered of it, and what is expected when. ``key`` tells it from all others."""

    key: int
    lines: tuple[DebtLine, ...]
    rate: FrozenRate
    dates: ExpectedDates
    country: str | None = None
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of one overdue account; ``place`` is its place among the losses of the policy year, from 1."""

    account: AccountAtRisk
    loss: Loss
    place: int

    @property
    def dates(self) -> ExpectedDates:
        """What is expected when."""
        return self.account.dates

    @property
    def own_retention(self) -> int:
        """What of all that is owed nobody pays: what is not covered, and what each clause takes away."""
        return self.loss.open_debt - self.loss.indemnity

    @property
    def trace(self) -> Trace:
        """The steps to the amount, then those to the days."""
        return self.loss.trace + self.dates.trace


def forecast_year(terms: PolicyTerms, accounts: Sequence[AccountAtRisk], use: YearUse = NOTHING_USED) -> list[Forecast]:
    """What a policy would pay for its overdue accounts, in the order in which the losses are expected.

    *Formula:* the losses of one policy year, by expected date of loss: aggregate first loss and maximum liability are those that the
    earlier ones and the claims made so far (``use``) have left. Losses whose day cannot be worked out come last.
    """
    ordered = sorted(accounts, key=lambda account: (account.dates.date_of_loss or date.max, account.key))
    losses = []
    for account in ordered:
        circumstances = Circumstances(
            cause=account.dates.cause, country=account.country, grade=account.grade, date_of_loss=account.dates.date_of_loss
        )
        debt = debt_of_lines(terms, circumstances, account.lines, account.rate)
        losses.append(LossGiven(str(account.key), debt, circumstances))
    year = settle_year(terms, losses, use)
    return [
        Forecast(account, settled.loss, place) for place, (account, settled) in enumerate(zip(ordered, year.losses, strict=True), start=1)
    ]


@dataclass(frozen=True, slots=True)
class CashMonth:
    """What is expected in one month in one currency. ``month`` is its first day; None: no day can be worked out.

    ``is_later`` marks everything after the months that stand one by one.
    """

    month: date | None
    currency: str
    minor: int
    claims: int
    is_later: bool = False


def cash_calendar(payments: Iterable[tuple[date | None, str, int]], on: date) -> list[CashMonth]:
    """Expected payments by currency and month: from the month of the day asked for up to the last payment, without gaps.

    *Formula:* sum of the amounts whose day falls in the month; a day that has passed counts in the month asked for.
    """
    begin = on.replace(day=1)
    last_shown = add_months(begin, MONTHS_SHOWN - 1)
    beyond = add_months(begin, MONTHS_SHOWN)
    sums: dict[str, dict[date | None, tuple[int, int]]] = {}
    for day, currency, minor in payments:
        if not minor:
            continue
        month = None if day is None else min(beyond, max(begin, day.replace(day=1)))
        months = sums.setdefault(currency, {})
        amount, claims = months.get(month, (0, 0))
        months[month] = amount + minor, claims + 1
    rows = []
    for currency in sorted(sums):
        months = sums[currency]
        known = [month for month in months if month is not None]
        month, last = begin, min(last_shown, max(known, default=date.min))
        while month <= last:
            rows.append(CashMonth(month, currency, *months.get(month, (0, 0))))
            month = add_months(month, 1)
        if beyond in months:
            rows.append(CashMonth(beyond, currency, *months[beyond], is_later=True))
        if None in months:
            rows.append(CashMonth(None, currency, *months[None]))
    return rows
