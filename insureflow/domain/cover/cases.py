"""Worked examples of cover: an account from plain data, and its state on given days as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from insureflow.domain.cover.events import (
    BuyerGrade,
    Consent,
    CreditNote,
    DateOfLoss,
    Dispute,
    DisputeResolved,
    Event,
    Extension,
    Invoice,
    Layer,
    LimitDecision,
    LimitWithdrawal,
    OverdueNotification,
    Payment,
    Purpose,
    Rate,
    Reasons,
    StopCover,
    StopCoverLifted,
    TemporaryLimit,
)
from insureflow.domain.cover.history import AccountSegment, AccountState, InvoiceSegment
from insureflow.domain.cover.replay import replay
from insureflow.domain.cover.versions import Account
from insureflow.domain.currencies import is_currency
from insureflow.domain.money import from_minor
from insureflow.domain.periods import due_date
from insureflow.domain.policies.parsing import read_conditions, read_terms
from insureflow.domain.policies.precedence import DatedTerms
from insureflow.domain.policies.reading import Reader, read_calendars
from insureflow.domain.policies.terms import LimitConditions, PolicyTerms

#: Stands in for a day that could not be read; the problem is with the reader and the value is never used.
_NO_DAY = date.min


def run_cover_case(given: Mapping[str, object], dates: Sequence[date]) -> list[dict[str, object]]:
    """The state of the account of a worked example at the end of each of the days.

    Per day a map with ``date``, ``invoices`` (None for one that has not entered), ``totals``, ``limits``, ``headroom`` and
    ``stopped``; amounts are ``Decimal`` in major units of the limit currency. Errors: ``InvalidValues`` with every problem in
    ``given``; ``Refusal`` for events that cannot be worked through.
    """
    account, events = parse_account(given)
    history = replay(account, events)
    names = [event.id for event in events if isinstance(event, Invoice)]
    return [_state(history.on(day), names, account.limit_currency) for day in dates]


def parse_account(given: Mapping[str, object], *, path: str = "given") -> tuple[Account, tuple[Event, ...]]:
    """A buyer's account and its events from plain data. Errors: ``InvalidValues`` with all problems and their paths."""
    reader = Reader(given, path)
    policy = reader.child("policy", required=True)
    terms = read_terms(policy, extensions=False) if policy is not None else PolicyTerms()
    if policy is not None and not policy.has("currency"):
        policy.problem("required", "currency")
    limit_currency = terms.limit_currency or "EUR"  # only ever used when the problem above is reported
    calendars = read_calendars(reader)
    if terms.business_day_calendar is not None and terms.business_day_calendar not in calendars:
        reader.problem("calendar_unknown", "policy.business_day_calendar", terms.business_day_calendar)
    country, insurable = _buyer(reader)
    events = _events(reader, limit_currency)
    reader.finish()
    reader.raise_problems()
    return Account((DatedTerms(date.min, terms),), limit_currency, country, insurable, calendars), events


def _buyer(reader: Reader) -> tuple[str | None, bool]:
    buyer = reader.child("buyer")
    if buyer is None:
        return None, True
    country = buyer.country("country")
    insurable = buyer.boolean("insurable", default=True)
    buyer.finish()
    return country, insurable


def _events(reader: Reader, limit_currency: str) -> tuple[Event, ...]:
    readers = reader.children("events", required=True)
    context = EventContext(limit_currency, readers)
    events = []
    for entry in readers:
        kind = entry.raw("type", required=True)
        if not isinstance(kind, str) or kind not in _READ:
            if kind is not None:
                entry.problem("not_a_choice", "type", kind, choices=", ".join(_READ))
            continue
        events.append(_READ[kind](entry, context))
        entry.finish()
    return tuple(events)


class EventContext:
    """What the events of one account share: the limit currency and the currencies of the invoices."""

    __slots__ = ("invoice_currencies", "limit_currency")

    def __init__(self, limit_currency: str, readers: Sequence[Reader]) -> None:
        self.limit_currency = limit_currency
        self.invoice_currencies: dict[object, str] = {}
        for reader in readers:
            currency = reader.data.get("currency")
            if reader.data.get("type") == "invoice" and isinstance(reader.data.get("id"), str):
                is_code = isinstance(currency, str) and is_currency(currency)
                self.invoice_currencies[reader.data["id"]] = str(currency) if is_code else limit_currency

    def currency_of(self, invoice: str) -> str:
        """The currency of an invoice; that of the limit for an unknown one, which is refused later."""
        return self.invoice_currencies.get(invoice, self.limit_currency)

    def currency_and_rate(self, reader: Reader) -> tuple[str, Rate]:
        """The currency of an event and its rate: needed in another currency than that of the limit, 1 in that one."""
        currency = reader.money_code("currency") or self.limit_currency
        rate = reader.number("rate")
        if rate is not None and rate == 0:
            reader.problem("not_a_rate", "rate", rate)
        if currency == self.limit_currency:
            if rate is not None and rate != 1:
                reader.problem("rate_in_limit_currency", "rate", rate)
            return currency, 1
        if not reader.has("rate"):
            reader.problem("required", "rate")
        return currency, rate or 1


def _day(reader: Reader, name: str = "date") -> date:
    return reader.day(name, required=True) or _NO_DAY


def _amount(reader: Reader, name: str, currency: str, *, required: bool = True) -> int:
    return reader.amount(name, currency, required=required) or 0


def _layer(reader: Reader) -> Layer:
    return reader.choice("layer", Layer) or Layer.PRIMARY


def _name(reader: Reader, name: str = "invoice") -> str:
    return reader.text(name, required=True) or ""


def _names(reader: Reader, name: str) -> tuple[str, ...] | None:
    """A list of invoices; None if it is absent."""
    if not reader.has(name):
        return None
    names = []
    for position, entry in enumerate(reader.items(name, minimum=1)):
        if isinstance(entry, str) and entry:
            names.append(entry)
        else:
            reader.problem("not_a_text", f"{name}[{position}]", entry)
    return tuple(names)


def _limit_decision(reader: Reader, context: EventContext) -> Event:
    currency, rate = context.currency_and_rate(reader)
    layer = _layer(reader)
    conditions: LimitConditions | None = None
    inner = reader.child("conditions")
    if inner is not None:
        conditions = read_conditions(inner)
        if layer is not Layer.PRIMARY:
            reader.problem("conditions_need_primary_layer", "conditions")
    return LimitDecision(
        on=_day(reader),
        amount=_amount(reader, "amount", currency),
        currency=currency,
        rate=rate,
        layer=layer,
        effective_from=reader.day("effective_from"),
        valid_to=reader.day("valid_to"),
        conditions=conditions,
    )


def _temporary_limit(reader: Reader, context: EventContext) -> Event:
    currency, rate = context.currency_and_rate(reader)
    return TemporaryLimit(
        on=_day(reader),
        amount=_amount(reader, "amount", currency),
        currency=currency,
        valid_to=_day(reader, "valid_to"),
        rate=rate,
        layer=_layer(reader),
        effective_from=reader.day("effective_from"),
    )


def _limit_withdrawal(reader: Reader, _context: EventContext) -> Event:
    return LimitWithdrawal(_day(reader), _layer(reader), reader.day("effective_from"))


def _consent(reader: Reader, _context: EventContext) -> Event:
    return Consent(_day(reader), _names(reader, "invoices"))


def _extension(reader: Reader, _context: EventContext) -> Event:
    return Extension(_day(reader), _name(reader), _day(reader, "new_due_date"), reader.boolean("consent", default=False))


def _overdue_notification(reader: Reader, _context: EventContext) -> Event:
    return OverdueNotification(_day(reader), _names(reader, "invoices"))


def _buyer_grade(reader: Reader, _context: EventContext) -> Event:
    grade = reader.raw("grade", required=True)
    if isinstance(grade, bool) or not isinstance(grade, int | str) or grade == "":
        if grade is not None:
            reader.problem("not_a_grade", "grade", grade)
        grade = ""
    return BuyerGrade(_day(reader), grade)


def _invoice(reader: Reader, context: EventContext) -> Event:
    currency, rate = context.currency_and_rate(reader)
    invoice_on = _day(reader)
    shipment_on = reader.day("shipment_date") or invoice_on
    return Invoice(
        id=_name(reader, "id"),
        invoice_on=invoice_on,
        shipment_on=shipment_on,
        due_on=_due_on(reader, invoice_on, shipment_on),
        currency=currency,
        rate=rate,
        net=_amount(reader, "net", currency),
        vat=_amount(reader, "vat", currency, required=False),
    )


def _due_on(reader: Reader, invoice_on: date, shipment_on: date) -> date:
    due_on, terms = reader.day("due_date"), reader.terms("terms")
    if reader.has("due_date") == reader.has("terms"):
        reader.problem("exactly_one_of", "due_date", None, choices="due_date, terms")
    if due_on is not None or terms is None:
        return due_on or _NO_DAY
    return due_date(terms, invoice_on, shipment_on)


def _credit_note(reader: Reader, context: EventContext) -> Event:
    if reader.has("invoice"):
        invoice: str | None = _name(reader)
        currency: str = context.currency_of(invoice or "")
        rate: Rate = 1
    else:
        invoice = None
        currency, rate = context.currency_and_rate(reader)
    net, vat = _amount(reader, "net", currency), _amount(reader, "vat", currency, required=False)
    return CreditNote(_day(reader), net, vat, invoice, currency, rate)


def _payment(reader: Reader, context: EventContext) -> Event:
    currency, rate = context.currency_and_rate(reader)
    return Payment(
        on=_day(reader),
        amount=_amount(reader, "amount", currency),
        currency=currency,
        rate=rate,
        designated=_names(reader, "designated") or (),
        purpose=reader.choice("purpose", Purpose) or Purpose.ORDINARY,
    )


def _dispute(reader: Reader, context: EventContext) -> Event:
    invoice = _name(reader)
    return Dispute(_day(reader), invoice, _amount(reader, "amount", context.currency_of(invoice)))


def _dispute_resolved(reader: Reader, context: EventContext) -> Event:
    invoice = _name(reader)
    return DisputeResolved(_day(reader), invoice, _amount(reader, "found_owed", context.currency_of(invoice)))


_READ: dict[str, Callable[[Reader, EventContext], Event]] = {
    "limit_decision": _limit_decision,
    "temporary_limit": _temporary_limit,
    "limit_withdrawal": _limit_withdrawal,
    "stop_cover": lambda reader, _: StopCover(_day(reader)),
    "stop_cover_lifted": lambda reader, _: StopCoverLifted(_day(reader)),
    "consent": _consent,
    "extension": _extension,
    "overdue_notification": _overdue_notification,
    "buyer_grade": _buyer_grade,
    "invoice": _invoice,
    "credit_note": _credit_note,
    "payment": _payment,
    "dispute": _dispute,
    "dispute_resolved": _dispute_resolved,
    "date_of_loss": lambda reader, _: DateOfLoss(_day(reader)),
}


def _state(state: AccountState, names: Sequence[str], currency: str) -> dict[str, object]:
    account = state.account
    return {
        "date": state.on,
        "invoices": {name: _invoice_state(state.invoices.get(name), currency) for name in names},
        "totals": _totals(account, currency),
        "limits": {layer.value: from_minor(account.limit(layer), currency) for layer in Layer},
        "headroom": {layer.value: from_minor(account.headroom(layer), currency) for layer in Layer},
        "stopped": account.stopped,
    }


def _invoice_state(segment: InvoiceSegment | None, currency: str) -> dict[str, object] | None:
    if segment is None:
        return None
    return {
        "open": from_minor(segment.open, currency),
        "covered": from_minor(segment.covered, currency),
        "uncovered": from_minor(segment.uncovered, currency),
        "reasons": _reasons(segment.reasons, currency),
        "insured_percentage": segment.insured_percentage,
        "layers": {
            Layer.PRIMARY.value: from_minor(segment.covered_primary, currency),
            Layer.TOP_UP.value: from_minor(segment.covered_top_up, currency),
        },
    }


def _totals(account: AccountSegment, currency: str) -> dict[str, object]:
    return {
        "open": from_minor(account.open, currency),
        "covered": from_minor(account.covered, currency),
        "uncovered": from_minor(account.uncovered, currency),
        "reasons": _reasons(account.reasons, currency),
        "insurer_liability": from_minor(account.insurer_liability, currency),
        "unallocated": from_minor(account.unallocated, currency),
    }


def _reasons(reasons: Reasons, currency: str) -> dict[str, Decimal]:
    return {reason.value: from_minor(amount, currency) for reason, amount in reasons}
