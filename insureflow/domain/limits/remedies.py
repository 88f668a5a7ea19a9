"""What would make a planned shipment covered: every remedy is tried on the account before it is named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from insureflow.domain.cover.book import AccountBook
from insureflow.domain.cover.eligibility import NOT_INSURED, latest_due_date, latest_invoice_date
from insureflow.domain.cover.events import Consent, Event, Layer, LimitDecision, Payment, Reason, StopCoverLifted
from insureflow.domain.cover.history import History
from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.cover.versions import Account
from insureflow.domain.limits.shipping import (
    PlannedResult,
    ProposedShipment,
    Question,
    Remedy,
    RemedyKind,
    Reservation,
    ShipAnswer,
    answer_of,
    put_question,
)
from insureflow.domain.money import Money
from insureflow.domain.periods import EndOfMonth
from insureflow.domain.policies.vocabulary import InvoicesCounted, StopBasis


def ask_to_ship(
    account: Account,
    events: Iterable[Event],
    shipment: ProposedShipment,
    on: date,
    *,
    reservations: Iterable[Reservation] = (),
    with_remedies: bool = True,
    with_trace: bool = True,
) -> ShipAnswer:
    """May I ship? The answer of the rules of cover for a planned shipment, with what would help where it is not all covered.

    ``events`` is everything known on ``on``, the day of the question; the shipment lies on that day or later. Reservations in
    force on that day are counted first. *Formula:* cover of the invoice at the end of its day of shipment when it is booked.
    Remedies and trace go through the account several times more and can be left out. Errors: ``shipment_not_positive``,
    ``shipment_in_the_past``, and as ``replay``.
    """
    question = put_question(account, events, shipment, on, reservations)
    answer, result, without = answer_of(question, on, with_trace=with_trace)
    if not answer.uncovered or not with_remedies:
        return answer
    search = _Search(question, result, without)
    return replace(answer, remedies=tuple(sorted(search.remedies(), key=lambda remedy: _ORDER[remedy.kind])))


_ORDER = {kind: position for position, kind in enumerate(RemedyKind)}

_NO_LIMIT = frozenset({Reason.NO_LIMIT, Reason.AFTER_LIMIT_END, Reason.BEFORE_LIMIT_EFFECTIVE})


@dataclass(frozen=True, slots=True)
class _Search:
    """The question, its answer so far and the account without the shipment."""

    question: Question
    result: PlannedResult
    without: History
    is_second: bool = False

    def remedies(self) -> Iterator[Remedy]:
        """Everything that helps by itself or with another one, in no order."""
        covered, uncovered = self._money(self.result.covered), self._money(self.result.segment.uncovered)
        yield Remedy(RemedyKind.PREPAYMENT, covered_after=covered, is_sufficient=True, amount=uncovered)
        reasons = {reason for reason, _amount in self.result.segment.reasons}
        for reason, find in _FINDERS.items():
            if reason in reasons:
                yield from find(self)

    @property
    def on(self) -> date:
        """The day of the shipment."""
        return self.question.shipment.on

    def _money(self, minor: int) -> Money:
        return Money(minor, self.question.account.limit_currency)

    def _if_it_helps(
        self,
        kind: RemedyKind,
        after: PlannedResult,
        *,
        amount: Money | None = None,
        days: int | None = None,
        on: date | None = None,
        together_with: RemedyKind | None = None,
    ) -> Iterator[Remedy]:
        """The remedy, if more is covered with it."""
        if after.covered > self.result.covered:
            sufficient = not after.segment.uncovered
            yield Remedy(kind, self._money(after.covered), sufficient, amount, days, on, together_with)

    def _or_together(
        self,
        kind: RemedyKind,
        changed: Question,
        *,
        amount: Money | None = None,
        days: int | None = None,
        on: date | None = None,
    ) -> Iterator[Remedy]:
        """The remedy, if more is covered with it; if it only takes one obstacle of two away, each with what takes the other away."""
        after = changed.work_through()
        if after.covered or self.is_second:
            yield from self._if_it_helps(kind, after, amount=amount, days=days, on=on)
            return
        further = _Search(changed, after, changed.history_without(), is_second=True)
        others = [each for each in further.remedies() if each.kind is not RemedyKind.PREPAYMENT and each.together_with is None]
        for other in others:
            yield replace(other, together_with=kind)
        if others:
            best = max(others, key=lambda each: each.covered_after.minor)
            yield Remedy(kind, best.covered_after, best.is_sufficient, amount, days, on, best.kind)

    # --- terms and dates

    def for_terms(self) -> Iterator[Remedy]:
        """Terms of so many days would be within the maximum."""
        shipment, receivable = self.question.shipment, self.result.receivable
        maximum = self.result.book.version_of(receivable).maximum_credit_terms(receivable.conditions)
        assert maximum is not None  # otherwise no terms exceed it
        latest = latest_due_date(maximum, receivable.invoice)
        step = 30 if shipment.terms.end_of_month is EndOfMonth.MONTH_END_PLUS_MONTHS else 1
        for days in range(shipment.terms.days - step, -1, -step):
            shorter = replace(shipment, terms=replace(shipment.terms, days=days))
            if shorter.due_on <= latest:
                yield from self._or_together(RemedyKind.SHORTEN_TERMS, replace(self.question, shipment=shorter), days=days)
                return

    def for_invoicing(self) -> Iterator[Remedy]:
        """An invoice up to this day would be in time."""
        latest = latest_invoice_date(self.result.book.version_of(self.result.receivable).terms, self.on)
        sooner = replace(self.question.shipment, invoice_on=latest)
        yield from self._or_together(RemedyKind.INVOICE_SOONER, replace(self.question, shipment=sooner), on=latest)

    def for_later_day(self) -> Iterator[Remedy]:
        """From this day on more limit is in force, as already announced."""
        limit_now = self.result.account.limit_primary + self.result.account.limit_top_up
        for segment in self.without.account_segments:
            if segment.valid_from > self.on and segment.limit_primary + segment.limit_top_up > limit_now:
                day = segment.valid_from
                shipment = replace(self.question.shipment, on=day, invoice_on=None)
                after = replace(self.question, shipment=shipment).work_through()
                yield from self._if_it_helps(RemedyKind.WAIT, after, on=day)
                return

    # --- stops

    def for_stop(self) -> Iterator[Remedy]:
        """What is overdue is paid, the insurer consents, or lifts the stop it has set."""
        book = self.result.book
        lifted: tuple[Event, ...] = (StopCoverLifted(self.on),) if book.insurer_stopped else ()
        causes = _causes_of_stop(book, self._reserved)
        if not causes:
            after = self.question.work_through(lifted)
            yield from self._if_it_helps(RemedyKind.LIFT_STOP, after)
            return
        with_stop = RemedyKind.LIFT_STOP if lifted else None
        amount = _payment_that_ends_stop(book, causes)
        for paid, result in self._after_payment(amount, lambda result: not result.account.stopped, lifted):
            yield from self._if_it_helps(RemedyKind.PAY_OVERDUE, result, amount=self._money(paid), together_with=with_stop)
        consented = self.question.work_through((*lifted, Consent(self.on)))
        yield from self._if_it_helps(RemedyKind.ASK_CONSENT, consented, together_with=with_stop)
        if lifted:
            yield from self._if_it_helps(RemedyKind.LIFT_STOP, consented, together_with=RemedyKind.ASK_CONSENT)

    # --- limits

    def for_no_limit(self) -> Iterator[Remedy]:
        """A limit of this amount would do, or one that is announced will."""
        found = tuple(self._with_limit(RemedyKind.REQUEST_LIMIT, Layer.PRIMARY))
        yield from found or self._with_limit_together()
        yield from self.for_later_day()

    def _with_limit_together(self) -> Iterator[Remedy]:
        """A limit alone does not do: what it must hold is what it holds already and the shipment."""
        account = self.result.account
        limit = account.used_primary + self.result.receivable.coverable
        decision = self._decision(Layer.PRIMARY, limit)
        changed = replace(self.question, events=(*self.question.events, decision))
        yield from self._or_together(RemedyKind.REQUEST_LIMIT, changed, amount=self._money(limit - account.limit_primary))

    def for_over_limit(self) -> Iterator[Remedy]:
        """A higher limit, a top-up, less to ship, less owed, or an increase that is announced."""
        yield from self._with_limit(RemedyKind.INCREASE_LIMIT, Layer.PRIMARY)
        if self.result.book.version.has_top_up:
            yield from self._with_limit(RemedyKind.REQUEST_TOP_UP, Layer.TOP_UP)
        yield from self._with_less()
        yield from self._with_less_owed()
        yield from self.for_later_day()

    def _with_limit(self, kind: RemedyKind, layer: Layer) -> Iterator[Remedy]:
        """The limit is raised so far that it has room for the shipment; ``amount`` is what is missing.

        A limit that has room for everything leaves some unused; less that, it is the one needed.
        """
        account = self.result.account
        limit_now = account.limit(layer)
        ample = limit_now + account.open + account.used_primary + account.used_top_up
        with_ample = self._after_decision(layer, ample)
        unused = with_ample.account.headroom(layer)
        both_unused = with_ample.account.headroom_primary + with_ample.account.headroom_top_up
        for limit in (ample - both_unused, ample - unused):
            after = self._after_decision(layer, limit) if limit > limit_now else None
            if after is not None and after.covered == with_ample.covered:
                yield from self._if_it_helps(kind, after, amount=self._money(limit - limit_now))
                return

    def _decision(self, layer: Layer, limit: int) -> LimitDecision:
        """The insurer's decision asked for, with the conditions of the one before."""
        conditions = self.result.book.primary.conditions_for(self.on) if layer is Layer.PRIMARY else None
        return LimitDecision(self.on, limit, self.question.account.limit_currency, layer=layer, conditions=conditions)

    def _after_decision(self, layer: Layer, limit: int) -> PlannedResult:
        return self.question.work_through((self._decision(layer, limit),))

    def _with_less(self) -> Iterator[Remedy]:
        """Only what the limit has room for is shipped."""
        shipment = self.question.shipment
        numerator, denominator = self.result.book.factor(shipment.currency, shipment.rate)
        less = self.result.covered * denominator // numerator
        whole = shipment.amount + (shipment.vat if self.result.receivable.is_vat_covered else 0)
        smaller = replace(shipment, amount=shipment.amount * less // whole, vat=shipment.vat * less // whole)
        if smaller.amount > 0:
            after = replace(self.question, shipment=smaller).work_through()
            amount = Money(smaller.amount + smaller.vat, shipment.currency)
            yield Remedy(RemedyKind.SHIP_LESS, self._money(after.covered), not after.segment.uncovered, amount)

    def _with_less_owed(self) -> Iterator[Remedy]:
        """The buyer pays so much of what it owes, the oldest first, that there is room."""
        wanted = sum(_claim(receivable) for receivable in self.result.book.open_receivables)
        missing = wanted - self.result.account.limit_primary - self.result.account.limit_top_up
        amount = _payment_that_frees(self.result.book, missing, self._reserved)
        for paid, result in self._after_payment(amount, lambda result: not result.uncovered_for(Reason.OVER_LIMIT)):
            yield from self._if_it_helps(RemedyKind.PAY_DOWN, result, amount=self._money(paid))

    @property
    def _reserved(self) -> frozenset[str]:
        return frozenset({*(invoice.id for invoice in self.question.held), self.result.planned_id})

    def _after_payment(
        self, amount: int, helps: Callable[[PlannedResult], bool], more: tuple[Event, ...] = ()
    ) -> Iterator[tuple[int, PlannedResult]]:
        """The smallest payment tried that helps, if any does: the one worked out, with room for rounding, or all that is owed."""
        owed = [receivable for receivable in self.result.book.open_receivables if receivable.invoice.id not in self._reserved]
        everything = sum(receivable.open_value for receivable in owed)
        for paid in sorted({amount, amount + len(owed), everything, everything + len(owed)}) if owed else ():
            after = self.question.work_through((*more, Payment(self.on, paid, self.question.account.limit_currency)))
            if helps(after):
                yield paid, after
                return


_FINDERS: Mapping[Reason, Callable[[_Search], Iterator[Remedy]]] = MappingProxyType(
    {
        Reason.TERMS_EXCEED_MAXIMUM: _Search.for_terms,
        Reason.INVOICED_LATE: _Search.for_invoicing,
        **dict.fromkeys(_NO_LIMIT, _Search.for_no_limit),
        Reason.SHIPPED_WHILE_STOPPED: _Search.for_stop,
        Reason.OVER_LIMIT: _Search.for_over_limit,
    }
)


def _claim(receivable: Receivable) -> int:
    """What a receivable takes of the limits once there is room, and what is kept for its disputes."""
    return receivable.coverable + receivable.primary_reserved + receivable.top_up_reserved if receivable.reason is None else 0


def _causes_of_stop(book: AccountBook, planned: Collection[str]) -> dict[str, int]:
    """The overdue amounts that cause the automatic stop, by invoice; empty where there is none."""
    rule = book.version.stop_cover
    if not rule.automatic:
        return {}
    causes = {}
    for receivable in book.overdue:
        end = receivable.extension_end
        is_over = receivable.is_extension_over and not receivable.is_released and end is not None and end < book.day
        is_counted = rule.invoices_counted is InvoicesCounted.ALL or receivable.reason not in NOT_INSURED
        amount = receivable.open_value - (0 if rule.disputed_amounts_count else receivable.disputed_value)
        if is_over and is_counted and amount > 0 and receivable.invoice.id not in planned:
            causes[receivable.invoice.id] = amount
    over = sum(causes.values()) if rule.basis is StopBasis.TOTAL else max(causes.values(), default=0)
    return causes if over > rule.minimum_overdue_amount else {}


def _payment_that_ends_stop(book: AccountBook, causes: Mapping[str, int]) -> int:
    """The payment after which what is overdue no longer stops cover; it pays the oldest invoices first."""
    rule = book.version.stop_cover
    left, paid, needed = sum(causes.values()), 0, 0
    for receivable in book.open_receivables:
        cause = causes.get(receivable.invoice.id, 0)
        if rule.basis is StopBasis.TOTAL:
            if left - cause <= rule.minimum_overdue_amount:
                return paid + left - rule.minimum_overdue_amount
            left -= cause
        elif cause > rule.minimum_overdue_amount:
            needed = paid + cause - rule.minimum_overdue_amount
        paid += receivable.open_value
    return needed


def _payment_that_frees(book: AccountBook, missing: int, planned: Collection[str]) -> int:
    """The payment that frees so much of the limits; it pays the oldest invoices first, covered or not."""
    paid = 0
    for receivable in book.open_receivables:
        if receivable.invoice.id in planned:
            continue
        freed = _claim(receivable)
        if freed >= missing:
            return paid + missing
        missing -= freed
        paid += receivable.open_value
    return paid
