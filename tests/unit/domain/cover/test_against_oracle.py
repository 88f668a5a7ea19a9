"""The engine against a second one that is slow and simple: every day is worked through, everything is looked up anew.

The second one follows the written rules step by step, keeps no running totals and schedules nothing. Both must say the same
on every day, for any account.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, assume, given, note, settings
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
    History,
    Invoice,
    Layer,
    LimitDecision,
    LimitWithdrawal,
    OverdueNotification,
    Payment,
    Purpose,
    Reason,
    StopCover,
    StopCoverLifted,
    TemporaryLimit,
    explain,
    replay,
)
from insureflow.domain.money import Money
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

ONE_DAY = timedelta(days=1)
DIGITS = {"EUR": 2, "USD": 2, "JPY": 0}
STEPS: dict[type, int] = {
    LimitDecision: 1,
    TemporaryLimit: 1,
    LimitWithdrawal: 1,
    CreditNote: 2,
    Payment: 3,
    Dispute: 4,
    DisputeResolved: 4,
    Extension: 5,
    Consent: 5,
    OverdueNotification: 5,
    StopCover: 5,
    StopCoverLifted: 5,
    BuyerGrade: 5,
    Invoice: 8,
    DateOfLoss: 10,
}


def half_up(value: Fraction) -> int:
    return (value + Fraction(1, 2)).__floor__()


class Oracle:
    """One account, day by day."""

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

    # -------------------------------------------------------------- reductions

    def reduce(self, item: dict[str, Any], net: int, vat: int, day: date) -> None:
        before = self.coverable(item)
        item["net"] -= net
        item["vat"] -= vat
        item["disputed"] = min(item["disputed"], item["net"] + item["vat"])
        fall = before - self.coverable(item)
        primary, top_up = item[Layer.PRIMARY], item[Layer.TOP_UP]
        rest = before - primary - top_up
        rule = self.terms(day).allocation.partial_payment_reduces
        if fall > 0 and rule is PartialPaymentReduces.PRO_RATA:
            of_primary = half_up(Fraction(fall * primary, before))
            item[Layer.PRIMARY] -= of_primary
            item[Layer.TOP_UP] -= min(half_up(Fraction(fall * top_up, before)), fall - of_primary)
        elif fall > 0:
            order = [("primary", primary), ("top_up", top_up), ("rest", rest)]
            if rule is PartialPaymentReduces.UNCOVERED_FIRST:
                order.reverse()
            for name, part in order:
                taken = min(part, fall)
                fall -= taken
                if name != "rest":
                    item[Layer(name)] -= taken
        for layer in (Layer.TOP_UP, Layer.PRIMARY):
            other = Layer.PRIMARY if layer is Layer.TOP_UP else Layer.TOP_UP
            while item["reserved", layer] > 0 and item["reserved", layer] + item["reserved", other] > self.gross(item):
                item["reserved", layer] -= 1

    def use(self, credit: dict[str, Any], item: dict[str, Any], day: date) -> None:
        gross = item["net"] + item["vat"]
        if credit["amount"] == 0 or gross == 0:
            return
        if credit["currency"] == item["event"].currency:
            taken = min(gross, credit["amount"])
            credit["amount"] -= taken
        else:
            price = half_up(gross * item["factor"] / credit["factor"])
            if credit["amount"] >= price:
                taken = gross
                credit["amount"] -= price
            else:
                taken = min(gross, half_up(credit["amount"] * credit["factor"] / item["factor"]))
                credit["amount"] = 0
        rule = self.terms(day).allocation.part_payment_applies_to
        if rule is PartPaymentAppliesTo.NET_FIRST:
            vat = taken - min(taken, item["net"])
        elif rule is PartPaymentAppliesTo.VAT_FIRST:
            vat = min(taken, item["vat"])
        else:
            vat = min(half_up(Fraction(taken * item["vat"], gross)), item["vat"])
            vat = max(vat, taken - item["net"])
        self.reduce(item, taken - vat, vat, day)

    def spend(self, credit: dict[str, Any], items: list[dict[str, Any]], day: date) -> None:
        for item in items:
            self.use(credit, item, day)
        if credit["amount"]:
            self.credits.append(credit)

    # -------------------------------------------------------------- steps 2 to 5

    def handle(self, event: Any, day: date) -> None:
        allocation = self.terms(day).allocation
        if isinstance(event, CreditNote):
            if event.invoice is None:
                credit = {"amount": event.net + event.vat, "currency": event.currency, "for": None}
                credit["factor"] = self.factor(event.currency, event.rate)
                self.spend(credit, self.open_items(day), day)
            elif event.invoice in self.items:
                item = self.items[event.invoice]
                net, vat = min(event.net, item["net"]), min(event.vat, item["vat"])
                net += min(event.vat - vat, item["net"] - net)
                vat_more = min(event.net + event.vat - net - vat, item["vat"] - vat)
                left = event.net + event.vat - net - vat - vat_more
                self.reduce(item, net, vat + vat_more, day)
                if left:
                    self.credits.append({"amount": left, "currency": item["event"].currency, "factor": item["factor"], "for": None})
            else:
                invoice = next(other for other in self.events if isinstance(other, Invoice) and other.id == event.invoice)
                factor = self.factor(invoice.currency, invoice.rate)
                self.credits.append({"amount": event.net + event.vat, "currency": invoice.currency, "factor": factor, "for": [invoice.id]})
        elif isinstance(event, Payment):
            credit = {"amount": event.amount, "currency": event.currency, "factor": self.factor(event.currency, event.rate), "for": None}
            designated = [self.items[name] for name in event.designated if name in self.items]
            if event.purpose is Purpose.CASH_OR_PREPAID_SUPPLY and not allocation.prepayments_reduce_old_debt:
                credit["for"] = list(event.designated) or None
                self.spend(credit, designated, day)
            else:
                self.spend(credit, (designated if allocation.respect_designation else []) + self.open_items(day), day)
        elif isinstance(event, Dispute):
            if event.invoice in self.items:
                self.dispute(self.items[event.invoice], event.amount)
            else:
                self.pending[event.invoice] = self.pending.get(event.invoice, 0) + event.amount
        elif isinstance(event, DisputeResolved):
            self.resolve(self.items[event.invoice], event.found_owed)
        elif isinstance(event, Extension):
            item = self.items[event.invoice]
            end = self.extension_end(item)
            if event.consent:
                item["consented"].append(event.new_due_on)
            elif end is not None and event.new_due_on > end:
                item["extended"] = True
        elif isinstance(event, Consent):
            for item in self.open_items(day) if event.invoices is None else [self.items[name] for name in event.invoices]:
                item["released"] = True
        elif isinstance(event, OverdueNotification):
            for name in self.items if event.invoices is None else event.invoices:
                self.items[name]["notified"] = True
        elif isinstance(event, StopCover | StopCoverLifted):
            self.insurer_stop = isinstance(event, StopCover)
        elif isinstance(event, BuyerGrade):
            self.grade = event.grade

    def dispute(self, item: dict[str, Any], amount: int) -> None:
        item["disputed"] = min(item["disputed"] + amount, item["net"] + item["vat"])
        for layer in (Layer.TOP_UP, Layer.PRIMARY):
            while item[layer] > 0 and item[Layer.PRIMARY] + item[Layer.TOP_UP] > self.coverable(item):
                item[layer] -= 1
                item["reserved", layer] += 1

    def resolve(self, item: dict[str, Any], found_owed: int) -> None:
        owed = min(found_owed, item["disputed"])
        lost = item["disputed"] - owed
        of_net = min(lost, item["net"])
        item["net"] -= of_net
        if self.terms(item["event"].shipment_on).vat_covered:
            item["vat"] -= min(lost - of_net, item["vat"])
        item["disputed"] = 0
        restore = half_up(owed * item["factor"])
        for layer in Layer:
            back = min(restore, item["reserved", layer])
            item[layer] += back
            restore -= back
            item["reserved", layer] = 0
        for layer in (Layer.TOP_UP, Layer.PRIMARY):
            while item[layer] > 0 and item[Layer.PRIMARY] + item[Layer.TOP_UP] > self.coverable(item):
                item[layer] -= 1

    # -------------------------------------------------------------- steps 6 to 9

    def is_stopped(self, day: date) -> bool:
        if self.insurer_stop:
            return True
        rule = self.terms(day).stop_cover
        if not rule.automatic:
            return False
        amounts = []
        for item in self.items.values():
            end = self.extension_end(item)
            if end is None or max([end, *item["consented"]]) >= day or item["released"]:
                continue
            reason = self.reason(item)
            excluded = reason is not None and list(Reason).index(reason) <= list(Reason).index(Reason.GRADE_NOT_COVERED)
            if excluded and rule.invoices_counted is InvoicesCounted.INSURED:
                continue
            amounts.append(self.gross(item) - (0 if rule.disputed_amounts_count else self.disputed(item)))
        if rule.basis is StopBasis.TOTAL:
            return sum(amounts) > rule.minimum_overdue_amount
        return any(amount > rule.minimum_overdue_amount for amount in amounts)

    def roll_in(self, day: date, *, stopped: bool) -> None:
        terms = self.terms(day)
        if stopped and terms.stop_cover.blocks_roll_in:
            return
        after_cancellation = terms.allocation.roll_in_after_cancellation
        if terms.period is not None and day > terms.period.last_day and not after_cancellation:
            return
        for layer in Layer:
            book = self.layers[layer]
            limit = self.limit(layer, day)
            if limit == 0 and after_cancellation:
                limit = book["last"]
            if book["reduced"] and not terms.allocation.roll_in_under_reduced_limit:
                continue
            for item in self.in_order(day, list(self.items.values())):
                allowed = self.belongs_to_running(item, layer, day) or (after_cancellation and self.belongs(item, layer))
                if self.reason(item) is not None or not allowed:
                    continue
                free = max(0, limit - self.used(layer))
                wanted = self.coverable(item) - item[Layer.PRIMARY] - (item[Layer.TOP_UP] if layer is Layer.TOP_UP else 0)
                item[layer] += min(free, wanted)
                item[Layer.TOP_UP] = min(item[Layer.TOP_UP], self.coverable(item) - item[Layer.PRIMARY])

    def enter(self, event: Invoice, position: int, day: date, *, stopped: bool) -> None:
        item: dict[str, Any] = {
            "event": event,
            "position": position,
            "factor": self.factor(event.currency, event.rate),
            "net": event.net,
            "vat": event.vat,
            "disputed": 0,
            "grade": self.grade,
            "shipped_while_stopped": stopped,
            "fixed": False,
            "conditions": None,
            "percentage": None,
            "consented": [],
            "released": False,
            "notified": False,
            "extended": False,
            "late": False,
        }
        for layer in Layer:
            item[layer] = item["reserved", layer] = 0
        self.items[event.id] = item
        for credit in self.credits:
            if credit["for"] is None or event.id in credit["for"]:
                self.use(credit, item, day)
        item["disputed"] = min(self.pending.pop(event.id, 0), item["net"] + item["vat"])
        self.fix()
        if self.reason(item) is None:
            for layer in Layer:
                if self.belongs(item, layer):
                    free = max(0, self.limit(layer, day) - self.used(layer))
                    item[layer] = min(free, self.coverable(item) - item[Layer.PRIMARY] - item[Layer.TOP_UP])

    def fix(self) -> None:
        for item in self.items.values():
            if not item["fixed"] and self.belongs(item, Layer.PRIMARY):
                item["fixed"] = True
                for applies, conditions in self.taken_effect:
                    if applies <= item["event"].shipment_on:
                        item["conditions"] = conditions
                item["percentage"] = self.percentage(item)
            elif item["percentage"] is None and self.belongs(item, Layer.TOP_UP):
                item["percentage"] = self.percentage(item)

    # -------------------------------------------------------------- the days

    def run(self, first: date, last: date) -> dict[date, dict[str, Any]]:
        states = {}
        day = first
        while day <= last:
            today = [(position, event) for position, event in enumerate(self.events) if event.on == day]
            today.sort(key=lambda entry: STEPS[type(entry[1])])
            stopped = False
            if self.loss is None:
                self.step_one(day, [event for _, event in today if STEPS[type(event)] == 1])
                self.fix()
                for item in self.items.values():
                    is_due = self.deadline(item) == day - ONE_DAY and item["net"] + item["vat"] > 0
                    if is_due and not item["notified"]:
                        item["late"] = True
                self.drop_excluded()
            else:
                for layer in Layer:
                    self.freeze_limits(layer, day)
            for _, event in today:
                if 2 <= STEPS[type(event)] <= 5 and (self.loss is None or STEPS[type(event)] in (2, 4)):
                    self.handle(event, day)
                    self.drop_excluded()
            if self.loss is None:
                stopped = self.is_stopped(day)
                self.roll_in(day, stopped=stopped)
            entering = [{"event": event, "position": position} for position, event in today if isinstance(event, Invoice)]
            for entry in self.in_order(day, entering):
                self.enter(entry["event"], entry["position"], day, stopped=stopped)
            if self.loss is None:
                self.roll_in(day, stopped=stopped)
            if any(isinstance(event, DateOfLoss) for _, event in today):
                self.loss = day
            states[day] = self.state(day, stopped=stopped)
            day += ONE_DAY
        return states

    def freeze_limits(self, layer: Layer, day: date) -> None:
        book = self.layers[layer]
        book["limits"][day] = book["limits"][day - ONE_DAY]
        if book["runs"] and book["runs"][-1]["last"] == day - ONE_DAY:
            book["runs"][-1]["last"] = day

    def state(self, day: date, *, stopped: bool) -> dict[str, Any]:
        invoices = {}
        totals: dict[Reason, int] = {}
        liability = Fraction(0)
        for name, item in self.items.items():
            gross, primary, top_up = self.gross(item), item[Layer.PRIMARY], item[Layer.TOP_UP]
            reason = self.reason(item)
            if reason is not None:
                reasons = {reason: gross}
            else:
                rest = self.coverable(item) - primary - top_up
                reasons = {Reason.VAT_NOT_COVERED: self.tax(item), Reason.DISPUTED: self.disputed(item), Reason.OVER_LIMIT: rest}
            reasons = {code: amount for code, amount in reasons.items() if amount}
            for code, amount in reasons.items():
                totals[code] = totals.get(code, 0) + amount
            own = item["percentage"]
            terms = self.terms(item["event"].shipment_on)
            second = terms.layers.top_up.insured_percentage if terms.layers.top_up is not None else None
            if primary or top_up:
                liability += Fraction(own) * primary + Fraction(own if second is None else second) * top_up
            reserved = item["reserved", Layer.PRIMARY] + item["reserved", Layer.TOP_UP]
            invoices[name] = (item["net"], item["vat"], gross, primary, top_up, reserved, reasons, own)
        return {
            "invoices": invoices,
            "limits": tuple(self.limit(layer, day) for layer in Layer),
            "headroom": tuple(max(0, self.limit(layer, day) - self.used(layer)) for layer in Layer),
            "stopped": stopped,
            "open": sum(entry[2] for entry in invoices.values()),
            "covered": sum(entry[3] + entry[4] for entry in invoices.values()),
            "reasons": totals,
            "liability": half_up(liability / 100),
            "unallocated": sum(half_up(credit["amount"] * credit["factor"]) for credit in self.credits),
        }


def engine_state(history: History, day: date) -> dict[str, Any]:
    """What the engine says, in the shape of the oracle."""
    state = history.on(day)
    account = state.account
    return {
        "invoices": {
            name: (
                segment.open_net,
                segment.open_vat,
                segment.open,
                segment.covered_primary,
                segment.covered_top_up,
                segment.reserved,
                dict(segment.reasons),
                segment.insured_percentage,
            )
            for name, segment in state.invoices.items()
        },
        "limits": tuple(account.limit(layer) for layer in Layer),
        "headroom": tuple(account.headroom(layer) for layer in Layer),
        "stopped": account.stopped,
        "open": account.open,
        "covered": account.covered,
        "reasons": dict(account.reasons),
        "liability": account.insurer_liability,
        "unallocated": account.unallocated,
    }


# ------------------------------------------------------------------ random accounts

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


BEGIN = FIRST - timedelta(days=15)
END = FIRST + timedelta(days=LENGTH + 80)
RELAXED = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@RELAXED
@given(accounts())
def test_engine_and_oracle_agree_on_every_day(case: tuple[Account, list[Any]]) -> None:
    account, events = case
    history = replay(account, events)
    expected = Oracle(account, with_currency(events)).run(BEGIN, END)
    for day, state in expected.items():
        found = engine_state(history, day)
        if found != state:
            note(f"{account}\n" + "\n".join(map(str, events)))
        assert (day, found) == (day, state)


@RELAXED
@given(accounts(), days())
def test_replay_to_a_date_equals_the_history_cut_at_that_date(case: tuple[Account, list[Any]], cut: date) -> None:
    account, events = case
    whole = replay(account, events)
    up_to = replay(account, events, until=cut)
    known = [event for event in events if event.on <= cut or isinstance(event, Invoice)]
    of_known = replay(account, known, until=cut)
    for day in {BEGIN, cut - timedelta(days=7), cut - ONE_DAY, cut}:
        assert engine_state(up_to, day) == engine_state(whole, day)
    for day in {cut, cut + ONE_DAY, cut + timedelta(days=20), END}:
        assert engine_state(of_known, day) == engine_state(up_to, day)


@RELAXED
@given(accounts())
def test_layers_and_reasons_sum_to_what_is_open_and_cover_never_exceeds_what_is_coverable(case: tuple[Account, list[Any]]) -> None:
    account, events = case
    history = replay(account, events)
    for segments in history.invoice_segments.values():
        for segment in segments:
            amounts = dict(segment.reasons)
            assert segment.covered + sum(amounts.values()) == segment.open
            assert min(segment.covered_primary, segment.covered_top_up, segment.reserved, segment.open_net, segment.open_vat) >= 0
            assert all(amount > 0 for amount in amounts.values())
            assert segment.covered + segment.reserved <= segment.open
            if set(amounts) - {Reason.VAT_NOT_COVERED, Reason.DISPUTED, Reason.OVER_LIMIT}:
                assert segment.covered == 0
                assert len(amounts) == 1
    for account_segment in history.account_segments:
        assert account_segment.covered + sum(dict(account_segment.reasons).values()) == account_segment.open


@RELAXED
@given(accounts())
def test_segments_follow_each_other_without_gaps_and_each_differs_from_the_one_before(case: tuple[Account, list[Any]]) -> None:
    account, events = case
    history = replay(account, events)
    for segments in [*history.invoice_segments.values(), history.account_segments]:
        assert segments[-1].valid_to is None
        for before, after in pairwise(segments):
            assert before.valid_from < after.valid_from == before.valid_to
            assert before[2:] != after[2:]


@RELAXED
@given(accounts(), days(LENGTH, LENGTH + 40), st.sampled_from(NAMES))
def test_explanation_ends_in_the_figures_of_the_replay(case: tuple[Account, list[Any]], on: date, name: str) -> None:
    account, events = case
    state = replay(account, events).on(on)
    assume(name in state.invoices)
    segment = state.invoices[name]
    steps = explain(account, events, name, on).steps
    split = next(step for step in steps if step.name == "split")
    assert split.result == Money(segment.covered, "EUR")
    assert dict(split.inputs) == {"open": Money(segment.open, "EUR")} | {code.value: Money(part, "EUR") for code, part in segment.reasons}
    assert [step.result for step in steps if step.name == "insured_percentage"] == (
        [] if segment.insured_percentage is None else [segment.insured_percentage]
    )
    changes = [step for step in steps if step.formula in CHANGES]
    assert changes[-1].result == split.result
    days_of_changes = [step.on for step in changes]
    assert days_of_changes == sorted(days_of_changes)
    failed = [step for step in steps if step.result is False]
    excluded = [code for code, _ in segment.reasons if code not in {Reason.VAT_NOT_COVERED, Reason.DISPUTED, Reason.OVER_LIMIT}]
    assert [step.name for step in failed] == [code.value for code in excluded] or (not excluded and segment.open == 0)


CHANGES = {
    f"cover.{cause}"
    for cause in ("entry", "roll_in", "payment", "credit_balance", "credit_note", "dispute", "dispute_resolved", "cover_lost")
}
