"""What the slow and simple second engine knows of an account on a day: items, limits, and why an item is not covered."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from insureflow.domain.cover import (
    Account,
    Layer,
    LimitWithdrawal,
    Reason,
    TemporaryLimit,
)
from insureflow.domain.periods import PeriodUnit, StartingDay
from insureflow.domain.policies import (
    AllocationOrder,
    Attachment,
    CountryConditions,
    CreditTermsStart,
    ExtensionStart,
    LimitConditions,
    NoticeAppliesTo,
    NotificationFailure,
    PolicyTerms,
)

ONE_DAY = timedelta(days=1)
DIGITS = {"EUR": 2, "USD": 2, "JPY": 0}


def half_up(value: Fraction) -> int:
    return (value + Fraction(1, 2)).__floor__()


class Book:
    """One account as it stands, with everything looked up anew each time it is asked for."""

    def __init__(self, account: Account, events: list[Any]) -> None:
        self.account = account
        self.events = events
        self.items: dict[str, dict[str, Any]] = {}
        self.layers = {
            layer: {"amount": 0, "valid_to": None, "announced": [], "temporary": [], "runs": [], "limits": {}, "reduced": False, "last": 0}
            for layer in Layer
        }
        self.taken_effect: list[tuple[date, LimitConditions | None]] = []
        self.credits: list[dict[str, Any]] = []
        self.pending: dict[str, int] = {}
        self.grade: Any = "ungraded"
        self.insurer_stop = False
        self.loss: date | None = None

    # -------------------------------------------------------------- small things

    def terms(self, day: date) -> PolicyTerms:
        found = self.account.history[0].terms
        for version in self.account.history:
            if version.effective_on <= day:
                found = version.terms
        return found

    def factor(self, currency: str, rate: Any) -> Fraction:
        return Fraction(rate) * Fraction(10) ** (DIGITS[self.account.limit_currency] - DIGITS[currency])

    def gross(self, item: dict[str, Any]) -> int:
        return half_up((item["net"] + item["vat"]) * item["factor"])

    def tax(self, item: dict[str, Any]) -> int:
        if self.terms(item["event"].shipment_on).vat_covered:
            return 0
        return self.gross(item) - half_up(item["net"] * item["factor"])

    def disputed(self, item: dict[str, Any]) -> int:
        return min(half_up(item["disputed"] * item["factor"]), self.gross(item) - self.tax(item))

    def coverable(self, item: dict[str, Any]) -> int:
        return self.gross(item) - self.tax(item) - self.disputed(item)

    def in_order(self, day: date, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        order = self.terms(day).allocation.order
        field = {
            AllocationOrder.DUE_DATE: "due_on",
            AllocationOrder.INVOICE_DATE: "invoice_on",
            AllocationOrder.SHIPMENT_DATE: "shipment_on",
        }
        return sorted(items, key=lambda item: (getattr(item["event"], field[order]), item["event"].invoice_on, item["position"]))

    def open_items(self, day: date) -> list[dict[str, Any]]:
        return self.in_order(day, [item for item in self.items.values() if item["net"] + item["vat"] > 0])

    def used(self, layer: Layer) -> int:
        return sum(item[layer] + item["reserved", layer] for item in self.items.values())

    # -------------------------------------------------------------- limits

    def follows(self, day: date) -> bool:
        top_up = self.terms(day).layers.top_up
        return top_up is None or top_up.follows_primary

    def own_limit(self, layer: Layer, day: date) -> int:
        book = self.layers[layer]
        ordinary = book["amount"] if book["valid_to"] is None or book["valid_to"] >= day else 0
        temporary = [amount for amount, first, last in book["temporary"] if first <= day <= last]
        return max([ordinary, *temporary])

    def limit(self, layer: Layer, day: date) -> int:
        return self.layers[layer]["limits"].get(day, 0)

    def step_one(self, day: date, events: list[Any]) -> None:
        terms = self.terms(day)
        backdated: dict[Layer, list[date]] = {layer: [] for layer in Layer}
        for layer in Layer:
            book = self.layers[layer]
            if book["valid_to"] is not None and book["valid_to"] < day:
                book["amount"], book["valid_to"] = 0, None
            coming = [change for change in book["announced"] if change["on"] == day]
            book["announced"] = [change for change in book["announced"] if change["on"] > day]
            for change in coming:
                self.take_effect(layer, change, day)
        for event in events:
            book = self.layers[event.layer]
            start = event.effective_from or event.on
            if isinstance(event, TemporaryLimit):
                amount = half_up(event.amount * self.factor(event.currency, event.rate))
                if event.valid_to >= max(day, start):
                    book["temporary"].append((amount, max(day, start), event.valid_to))
                    if amount > 0 and start < day:
                        backdated[event.layer].append(start)
                continue
            book["announced"] = []
            effect = max(day, start)
            if isinstance(event, LimitWithdrawal):
                change: dict[str, Any] = {"on": max(effect, day + timedelta(days=terms.limit_cancellation_notice.days)), "amount": None}
            else:
                amount = half_up(event.amount * self.factor(event.currency, event.rate))
                both = terms.limit_cancellation_notice.applies_to is NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION
                if amount < book["amount"] and both:
                    effect = max(effect, day + timedelta(days=terms.limit_cancellation_notice.days))
                applies = start if effect == day else effect
                change = {"on": effect, "amount": amount, "valid_to": event.valid_to, "applies": applies, "conditions": event.conditions}
                if effect == day and amount > 0 and start < day:
                    backdated[event.layer].append(start)
            if change["on"] == day:
                self.take_effect(event.layer, change, day)
            else:
                book["announced"].append(change)
        for layer in Layer:
            self.close_limits(layer, day, backdated[layer])

    def take_effect(self, layer: Layer, change: dict[str, Any], day: date) -> None:
        book = self.layers[layer]
        if change["amount"] is None:
            book["amount"], book["valid_to"], book["temporary"] = 0, None, []
            return
        alive = change["valid_to"] is None or change["valid_to"] >= day
        book["amount"], book["valid_to"] = (change["amount"], change["valid_to"]) if alive else (0, None)
        if change["amount"] > 0 and layer is Layer.PRIMARY:
            self.taken_effect.append((change["applies"], change["conditions"]))

    def close_limits(self, layer: Layer, day: date, backdated: list[date]) -> None:
        book = self.layers[layer]
        own = self.own_limit(layer, day)
        runs = book["runs"]
        if own > 0:
            if runs and runs[-1]["last"] == day - ONE_DAY:
                runs[-1]["last"] = day
            else:
                runs.append({"first": day, "last": day})
            runs[-1]["first"] = min([runs[-1]["first"], *backdated])
        in_force = own
        if layer is Layer.TOP_UP and self.follows(day) and self.limit(Layer.PRIMARY, day) == 0:
            in_force = 0
        before = self.limit(layer, day - ONE_DAY)
        book["limits"][day] = in_force
        if in_force > before:
            book["reduced"] = False
        elif 0 < in_force < before:
            book["reduced"] = True
        if in_force > 0:
            book["last"] = in_force

    def run_of(self, item: dict[str, Any], layer: Layer) -> int | None:
        shipped, found = item["event"].shipment_on, None
        for number, run in enumerate(self.layers[layer]["runs"]):
            if run["first"] <= shipped <= run["last"]:
                found = number
        return found

    def belongs(self, item: dict[str, Any], layer: Layer) -> bool:
        if layer is Layer.TOP_UP and self.follows(item["event"].shipment_on) and self.run_of(item, Layer.PRIMARY) is None:
            return False
        return self.run_of(item, layer) is not None

    def belongs_to_running(self, item: dict[str, Any], layer: Layer, day: date) -> bool:
        runs = self.layers[layer]["runs"]
        if not runs or runs[-1]["last"] != day or self.run_of(item, layer) != len(runs) - 1:
            return False
        follows = self.follows(item["event"].shipment_on)
        return layer is Layer.PRIMARY or not follows or self.belongs_to_running(item, Layer.PRIMARY, day)

    # -------------------------------------------------------------- reasons

    def condition(self, item: dict[str, Any], name: str) -> Any:
        terms, conditions = self.terms(item["event"].shipment_on), item["conditions"]
        if conditions is not None and getattr(conditions, name) is not None:
            return getattr(conditions, name)
        country = terms.country_schedule.get(self.account.country or "", CountryConditions())
        return getattr(country, name) or getattr(terms, name)

    def exceeds_terms(self, item: dict[str, Any]) -> bool:
        maximum, event = self.condition(item, "maximum_credit_terms"), item["event"]
        if maximum is None:
            return False
        start = event.invoice_on
        if maximum.start is CreditTermsStart.SHIPMENT_DATE:
            start = event.shipment_on
        if maximum.start is CreditTermsStart.END_OF_INVOICE_MONTH:
            start = start.replace(day=monthrange(start.year, start.month)[1])
        return event.due_on > start + timedelta(days=maximum.days)

    def extension_end(self, item: dict[str, Any]) -> date | None:
        period, event = self.condition(item, "maximum_extension_period"), item["event"]
        if period is None:
            return None
        start = event.due_on if period.start is ExtensionStart.ORIGINAL_DUE_DATE else event.invoice_on
        if period.days is not None:
            return start + timedelta(days=period.days)
        months = start.month - 1 + period.months
        year, month = start.year + months // 12, months % 12 + 1
        return date(year, month, min(start.day, monthrange(year, month)[1]))

    def deadline(self, item: dict[str, Any]) -> date | None:
        terms = self.terms(item["event"].shipment_on)
        country = terms.country_schedule.get(self.account.country or "", CountryConditions())
        rule = country.overdue_notification or terms.overdue_notification
        if rule is None or rule.failure is NotificationFailure.NO_EFFECT:
            return None
        end = self.extension_end(item)
        starts = {
            StartingDay.DUE_DATE: item["event"].due_on,
            StartingDay.INVOICE_DATE: item["event"].invoice_on,
            StartingDay.MAXIMUM_EXTENSION_PERIOD_END: end,
            StartingDay.MAXIMUM_EXTENSION_PERIOD_BREACH: None if end is None else end + ONE_DAY,
        }
        day = starts[rule.period.start]
        if day is None:
            return None
        left = rule.period.length
        while left:
            day += ONE_DAY
            if rule.period.unit is PeriodUnit.DAYS or day.weekday() < 5:
                left -= 1
        return day

    def grade_percentage(self, item: dict[str, Any]) -> Decimal | None:
        rows = self.terms(item["event"].shipment_on).grade_cover
        if rows is None:
            return None
        for row in rows:
            if item["grade"] in row.grades:
                return row.insured_percentage
        return Decimal(0)

    def percentage(self, item: dict[str, Any]) -> Decimal:
        if item["conditions"] is not None and item["conditions"].insured_percentage is not None:
            return item["conditions"].insured_percentage
        of_grade = self.grade_percentage(item)
        if of_grade is not None:
            return of_grade
        general = self.terms(item["event"].shipment_on).insured_percentage
        return general.by_country.get(self.account.country or "", general.default)

    def reason(self, item: dict[str, Any]) -> Reason | None:
        event, shipped = item["event"], item["event"].shipment_on
        terms = self.terms(shipped)
        if terms.period is not None:
            if shipped > terms.period.last_day:
                return Reason.OUTSIDE_POLICY_PERIOD
            if terms.attachment is Attachment.RISKS_ATTACHING and shipped < terms.period.first_day:
                return Reason.OUTSIDE_POLICY_PERIOD
        if not self.account.insurable:
            return Reason.BUYER_NOT_INSURABLE
        if terms.countries_covered is not None and self.account.country not in terms.countries_covered:
            return Reason.COUNTRY_NOT_COVERED
        if self.loss is not None and shipped > self.loss:
            return Reason.SHIPPED_AFTER_DATE_OF_LOSS
        if self.exceeds_terms(item):
            return Reason.TERMS_EXCEED_MAXIMUM
        late = terms.maximum_invoicing_period_days
        if late is not None and event.invoice_on > shipped + timedelta(days=late):
            return Reason.INVOICED_LATE
        if not any(self.belongs(item, layer) for layer in Layer):
            runs = [run for layer in Layer for run in self.layers[layer]["runs"]]
            if any(run["last"] < shipped for run in runs):
                return Reason.AFTER_LIMIT_END
            return Reason.BEFORE_LIMIT_EFFECTIVE if any(run["first"] > shipped for run in runs) else Reason.NO_LIMIT
        if item["shipped_while_stopped"]:
            return Reason.SHIPPED_WHILE_STOPPED
        if self.grade_percentage(item) == 0:
            return Reason.GRADE_NOT_COVERED
        if item["extended"]:
            return Reason.EXTENDED_WITHOUT_CONSENT
        return Reason.NOTIFIED_LATE if item["late"] else None

    def drop_excluded(self) -> None:
        for item in self.items.values():
            if self.reason(item) is not None:
                for layer in Layer:
                    item[layer] = item["reserved", layer] = 0
