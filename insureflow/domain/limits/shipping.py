"""May I ship? A planned shipment put to the same rules that will judge its invoice.

The answer is what the replay of the account gives when the invoice is booked on its day, after everything that is reserved. Amounts
are minor units of the limit currency unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.eligibility import latest_due_date
from insureflow.domain.cover.events import Event, Invoice, Rate, Reason, Reasons
from insureflow.domain.cover.explaining import explain
from insureflow.domain.cover.history import AccountSegment, History, InvoiceSegment
from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.cover.replay import replay, work_through
from insureflow.domain.cover.versions import Account
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.periods import PaymentTerms, due_date
from insureflow.domain.trace import Step, Trace


class ShipVerdict(StrEnum):
    """Whether a planned shipment would be covered."""

    COVERED = "covered"
    PARTLY = "partly"
    NOT_COVERED = "not_covered"


class RemedyKind(StrEnum):
    """What would make a shipment covered, the nearest to hand first."""

    PAY_OVERDUE = "pay_overdue"
    PAY_DOWN = "pay_down"
    SHORTEN_TERMS = "shorten_terms"
    INVOICE_SOONER = "invoice_sooner"
    SHIP_LESS = "ship_less"
    WAIT = "wait"
    ASK_CONSENT = "ask_consent"
    LIFT_STOP = "lift_stop"
    REQUEST_LIMIT = "request_limit"
    INCREASE_LIMIT = "increase_limit"
    REQUEST_TOP_UP = "request_top_up"
    PREPAYMENT = "prepayment"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Part of the limit kept for an order: ``amount`` and ``vat`` in minor units of ``currency``, ``rate`` frozen when it was made.

    ``lapses_on`` is the first day on which it no longer counts; one that was invoiced is left out by who asks.
    """

    id: str
    amount: int
    currency: str
    rate: Rate
    made_on: date
    lapses_on: date
    terms: PaymentTerms
    vat: int = 0

    def is_in_force(self, on: date) -> bool:
        """True from the day it was made up to the day before it lapses."""
        return self.made_on <= on < self.lapses_on


@dataclass(frozen=True, slots=True)
class ProposedShipment:
    """What sales would like to ship on a day: net ``amount`` and ``vat`` in minor units of ``currency``, at a frozen ``rate``.

    ``invoice_on`` is the day of shipment where nothing else is said.
    """

    amount: int
    currency: str
    rate: Rate
    on: date
    terms: PaymentTerms
    vat: int = 0
    invoice_on: date | None = None
    entity: str | None = None

    @property
    def due_on(self) -> date:
        """The original due date it would have."""
        return due_date(self.terms, self.invoice_on or self.on, self.on)

    def invoice(self, name: str) -> Invoice:
        """The invoice that would be booked."""
        return Invoice(name, self.invoice_on or self.on, self.on, self.due_on, self.currency, self.rate, self.amount, self.vat)


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that would bring the shipment, or more of it, into cover.

    ``covered_after`` is what the replay then covers, ``is_sufficient`` whether nothing is left uncovered. ``amount`` is in limit
    currency (of ``ship_less``: in that of the shipment). ``together_with``: it helps only with this other one.
    """

    kind: RemedyKind
    covered_after: Money
    is_sufficient: bool
    amount: Money | None = None
    days: int | None = None
    on: date | None = None
    together_with: RemedyKind | None = None


@dataclass(frozen=True, slots=True)
class ShipAnswer:
    """May I ship: how much is covered, why the rest is not, and what would help.

    ``amount`` is what will be owed for the shipment, ``credit_used`` what is paid from the buyer's credit balance;
    ``reservations`` those that were counted. ``days_too_long`` is by how many days the terms exceed the maximum.
    """

    on: date
    shipment: ProposedShipment
    verdict: ShipVerdict
    amount: Money
    covered: Money
    uncovered: Money
    reasons: Reasons
    is_stopped: bool
    days_too_long: int
    headroom_before: Money
    headroom_after: Money
    credit_used: Money
    insured_percentage: Decimal | None
    reservations: tuple[str, ...]
    remedies: tuple[Remedy, ...] = ()
    trace: Trace = field(default_factory=Trace, compare=False)

    @property
    def why(self) -> Reason | None:
        """The reason behind most of what is not covered; None if all is."""
        return max(self.reasons, key=lambda entry: entry[1])[0] if self.reasons else None


@dataclass(frozen=True, slots=True)
class Question:
    """A planned shipment with everything it is held against: the account, its events, and what is reserved before it."""

    account: Account
    events: tuple[Event, ...]
    shipment: ProposedShipment
    reservations: tuple[Reservation, ...]

    @property
    def planned(self) -> Invoice:
        """The planned invoice, under a name no other invoice of the account has."""
        return self.shipment.invoice(_free_name("planned", self._names))

    @property
    def held(self) -> tuple[Invoice, ...]:
        """What is reserved, as invoices that enter on the day of the shipment and before it.

        Cover goes by the order of allocation, so none of them may look younger than the planned invoice.
        """
        own = self.shipment
        first = min(own.on, own.invoice_on or own.on)
        return tuple(
            Invoice(
                _free_name(f"reservation {each.id}", self._names),
                first,
                own.on,
                min(due_date(each.terms, own.on, own.on), own.due_on),
                each.currency,
                each.rate,
                each.amount,
                each.vat,
            )
            for each in self.reservations
        )

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(event.id for event in self.events if isinstance(event, Invoice))

    def history_without(self) -> History:
        """The account with everything known and reserved, without the shipment, and with what time alone will bring later."""
        return replay(self.account, (*self.events, *self.held), until=self.shipment.on)

    def work_through(self, more: Sequence[Event] = ()) -> PlannedResult:
        """The account at the end of the day of the shipment, with the shipment and whatever else had happened."""
        planned, on = self.planned, self.shipment.on
        book, history = work_through(self.account, (*self.events, *more, *self.held, planned), until=on, stop_on=on)
        state = history.on(on)
        return PlannedResult(planned.id, book, state.account, state.invoices[planned.id])


@dataclass(frozen=True, slots=True)
class PlannedResult:
    """How the account and the planned invoice stand at the end of the day of the shipment."""

    planned_id: str
    book: AccountBook
    account: AccountSegment
    segment: InvoiceSegment

    @property
    def receivable(self) -> Receivable:
        """The planned invoice as the account knows it."""
        return self.book.receivables[self.planned_id]

    @property
    def covered(self) -> int:
        """What is covered of the planned invoice."""
        return self.segment.covered

    def uncovered_for(self, reason: Reason) -> int:
        """What is not covered of the planned invoice for one reason."""
        return dict(self.segment.reasons).get(reason, 0)


def put_question(
    account: Account, events: Iterable[Event], shipment: ProposedShipment, on: date, reservations: Iterable[Reservation] = ()
) -> Question:
    """A question checked and complete; the reservations in force on ``on`` count, oldest first.

    Errors: ``shipment_not_positive``, ``shipment_in_the_past``.
    """
    if shipment.amount <= 0 or shipment.vat < 0:
        raise Refusal("shipment_not_positive")
    if shipment.on < on:
        raise Refusal("shipment_in_the_past", shipment_on=shipment.on, today=on)
    in_force = sorted((each for each in reservations if each.is_in_force(on)), key=lambda each: (each.made_on, each.id))
    return Question(account, tuple(events), shipment, tuple(in_force))


def days_too_long(result: PlannedResult) -> int:
    """By how many days the due date of the planned invoice lies after the latest one; 0 if it does not."""
    receivable = result.receivable
    maximum = result.book.version_of(receivable).maximum_credit_terms(receivable.conditions)
    if maximum is None:
        return 0
    return max(0, (receivable.invoice.due_on - latest_due_date(maximum, receivable.invoice)).days)


def answer_of(question: Question, on: date, *, with_trace: bool) -> tuple[ShipAnswer, PlannedResult, History]:
    """The answer without remedies, with the replay it was read from and the account without the shipment."""
    without = question.history_without()
    result = question.work_through()
    shipment, currency, segment = question.shipment, question.account.limit_currency, result.segment
    before = without.on(shipment.on).account
    value = _value(shipment, currency)
    answer = ShipAnswer(
        on=on,
        shipment=shipment,
        verdict=_verdict(segment),
        amount=Money(segment.open, currency),
        covered=Money(segment.covered, currency),
        uncovered=Money(segment.uncovered, currency),
        reasons=segment.reasons,
        is_stopped=result.account.stopped,
        days_too_long=days_too_long(result),
        headroom_before=Money(_headroom(before), currency),
        headroom_after=Money(_headroom(result.account), currency),
        credit_used=Money(value - segment.open, currency),
        insured_percentage=segment.insured_percentage,
        reservations=tuple(each.id for each in question.reservations),
    )
    return replace(answer, trace=_trace(question, answer)) if with_trace else answer, result, without


def answer_without_policy(shipment: ProposedShipment, limit_currency: str, on: date) -> ShipAnswer:
    """The answer where no policy insures the buyer: nothing is covered. Prepayment is the one remedy."""
    amount, nothing = Money(_value(shipment, limit_currency), limit_currency), Money.zero(limit_currency)
    prepaid = Remedy(RemedyKind.PREPAYMENT, covered_after=nothing, is_sufficient=True, amount=amount)
    return ShipAnswer(
        on=on,
        shipment=shipment,
        verdict=ShipVerdict.NOT_COVERED,
        amount=amount,
        covered=nothing,
        uncovered=amount,
        reasons=((Reason.NO_POLICY, amount.minor),),
        is_stopped=False,
        days_too_long=0,
        headroom_before=nothing,
        headroom_after=nothing,
        credit_used=nothing,
        insured_percentage=None,
        reservations=(),
        remedies=(prepaid,),
    )


def _verdict(segment: InvoiceSegment) -> ShipVerdict:
    if not segment.uncovered:
        return ShipVerdict.COVERED
    return ShipVerdict.PARTLY if segment.covered else ShipVerdict.NOT_COVERED


def _value(shipment: ProposedShipment, currency: str) -> int:
    """The gross amount of a shipment in limit currency."""
    gross = shipment.amount + shipment.vat
    return gross if shipment.currency == currency else convert_minor(gross, shipment.currency, currency, Fraction(shipment.rate))


def _headroom(account: AccountSegment) -> int:
    return account.headroom_primary + account.headroom_top_up


def _free_name(wanted: str, taken: frozenset[str]) -> str:
    name = wanted
    while name in taken:
        name = f"{name}'"
    return name


def _trace(question: Question, answer: ShipAnswer) -> Trace:
    """What is reserved, the headroom, every test and step of the planned invoice, and the answer."""
    shipment, on = question.shipment, question.shipment.on
    planned = question.planned
    of_invoice = explain(question.account, (*question.events, *question.held, planned), planned.id, on)
    reserved = tuple(
        Step(
            name="reservation",
            formula="shipping.reservation",
            inputs=(("reservation_id", each.id), ("made_on", each.made_on), ("lapses_on", each.lapses_on)),
            result=Money(each.amount + each.vat, each.currency),
            basis="order.reservation",
            on=answer.on,
        )
        for each in question.reservations
    )
    headroom = Step(
        name="headroom_before_shipment",
        formula="shipping.headroom_before",
        inputs=(("reservations_counted", len(reserved)), ("cover_stopped", answer.is_stopped)),
        result=answer.headroom_before,
        basis="cover.new_invoice",
        on=on,
    )
    verdict = Step(
        name="ship_verdict",
        formula="shipping.verdict",
        inputs=(
            ("shipment_gross", Money(shipment.amount + shipment.vat, shipment.currency)),
            ("shipment_rate", shipment.rate),
            ("entity", shipment.entity),
            ("credit_used", answer.credit_used),
            ("shipment_owed", answer.amount),
            ("shipment_covered", answer.covered),
            ("headroom_after_shipment", answer.headroom_after),
        ),
        result=answer.verdict,
        basis="cover.new_invoice",
        on=on,
    )
    return Trace((*reserved, headroom, *of_invoice, verdict))
