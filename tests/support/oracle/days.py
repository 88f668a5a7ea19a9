"""The slow and simple second engine: it follows the written rules step by step, one day after the other.

It keeps no running totals and schedules nothing, so it cannot be wrong in the way the engine of the product could be.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from support.oracle.book import ONE_DAY, Book, half_up

from insureflow.domain.cover import (
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
)
from insureflow.domain.policies import (
    InvoicesCounted,
    PartialPaymentReduces,
    PartPaymentAppliesTo,
    StopBasis,
)

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


class Oracle(Book):
    """One account, day by day."""

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
