"""Worked examples of the kind ``indemnity``: the losses of a policy year, from the debt to the payment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import cast

from insureflow.domain.cases.shapes import AMOUNT, ANYTHING, FLAG, Each, Fields, Maybe, One, is_amount, one_of
from insureflow.domain.cover.cases import parse_account
from insureflow.domain.cover.events import BuyerGrade, DateOfLoss, Event, Reason
from insureflow.domain.cover.replay import replay
from insureflow.domain.loss import (
    Circumstances,
    Claim,
    ClaimCreditNote,
    ClaimDispute,
    ClaimInvoice,
    DebtLine,
    FrozenRate,
    LossGiven,
    LossReason,
    PolicyYear,
    SettledLoss,
    YearUse,
    convert_debt,
    currency_of,
    debt_as_covered,
    debt_of_claim,
    debt_of_lines,
    debt_under_limit,
    largest_loss_fully_carried,
    rounded_percentage,
    settle_year,
)
from insureflow.domain.money import from_minor, round_half_up
from insureflow.domain.policies.parsing import read_terms
from insureflow.domain.policies.reading import Reader, read_calendars
from insureflow.domain.policies.terms import UNGRADED, Grade, PolicyTerms
from insureflow.domain.policies.vocabulary import Cause
from insureflow.domain.trace import Step

#: Everything given is read, and checked, by ``calculate``.
GIVEN = Fields({"policy": ANYTHING, "calendars": ANYTHING, "opening": ANYTHING, "losses": ANYTHING}, ("policy", "losses"))

_REASON = one_of(*(reason for reason in Reason if reason is not Reason.NO_POLICY), *LossReason)

_EXCLUDING = tuple(Reason)[: tuple(Reason).index(Reason.NOTIFIED_LATE) + 1]

_MAYBE_AMOUNT = Maybe(AMOUNT)

#: An amount that may be below 0.
SIGNED = One("not_an_amount", lambda value: is_amount(value[1:] if isinstance(value, str) and value[:1] == "-" else _positive(value)))

_LAYERS = Fields({"primary": AMOUNT, "top_up": AMOUNT})

EXPECT = Fields(
    {
        "losses": Each(
            Fields(
                {
                    "open_debt": AMOUNT,
                    "insured_debt": AMOUNT,
                    "covered_debt": AMOUNT,
                    "covered_by_layer": _LAYERS,
                    "uncovered": Each(AMOUNT, _REASON.is_right),
                    "collection_costs_counted": AMOUNT,
                    "loss": AMOUNT,
                    "insured_percentage": AMOUNT,
                    "below_threshold": FLAG,
                    "after_deductible": _MAYBE_AMOUNT,
                    "after_percentage": _MAYBE_AMOUNT,
                    "after_minimum_retention": _MAYBE_AMOUNT,
                    "aggregate_first_loss_used": AMOUNT,
                    "indemnity": AMOUNT,
                    "aggregate_first_loss_remaining": _MAYBE_AMOUNT,
                    "maximum_liability_remaining": _MAYBE_AMOUNT,
                    "policyholder_share": SIGNED,
                    "indemnity_by_layer": _LAYERS,
                    "provisional_payment": _MAYBE_AMOUNT,
                    "balance": _MAYBE_AMOUNT,
                    "vat_refund": _MAYBE_AMOUNT,
                    "total_cash": _MAYBE_AMOUNT,
                    "indemnity_after_disputes": _MAYBE_AMOUNT,
                    "supplement": Maybe(SIGNED),
                }
            )
        ),
        "totals": Fields(
            {
                "indemnity": AMOUNT,
                "aggregate_first_loss_remaining": _MAYBE_AMOUNT,
                "maximum_liability": _MAYBE_AMOUNT,
                "maximum_liability_remaining": _MAYBE_AMOUNT,
                "largest_loss_fully_carried": _MAYBE_AMOUNT,
            }
        ),
    }
)

_WAYS = ("covered_debt", "debt", "claim", "events")

#: Fields that belong to one way of giving the debt alone.
_BELONGS = {"limit": "debt", "limits": "debt", "vat_rate": "debt", "currency": "debt", "rates": "debt", "buyer": "events", "rate": "events"}

#: Stands in for terms that could not be read; the problem is with the reader and the value is never used.
_NO_TERMS = PolicyTerms(currency="EUR")


def _positive(value: object) -> object:
    return abs(value) if isinstance(value, int) and not isinstance(value, bool) else value


def calculate(given: Mapping[str, object], expect: Mapping[str, object]) -> Mapping[str, object]:  # noqa: ARG001  every kind is called alike
    """All losses of the year. Errors: ``InvalidValues`` with every problem of what is given; refusals of the account's events."""
    reader = Reader(given, "given")
    policy = reader.child("policy", required=True)
    terms = _NO_TERMS if policy is None else read_terms(policy, extensions=False)
    if policy is not None:
        _check_policy(policy, terms)
    terms = terms if terms.currency is not None else replace(terms, currency="EUR")  # only ever used when the problem is reported
    reader.currency = terms.currency
    read_calendars(reader)
    opening = reader.child("opening")
    use = YearUse() if opening is None else _use(opening)
    drafts = [_Draft(loss, terms, given) for loss in reader.children("losses", required=True, minimum=1)]
    names = [draft.name for draft in drafts]
    for position, name in enumerate(names):
        if name in names[:position]:
            drafts[position].reader.problem("duplicate", "id", name)
    reader.finish()
    reader.raise_problems()
    losses = [draft.loss() for draft in drafts]
    year = settle_year(terms, losses, use)
    return {
        "losses": {draft.name: _loss(settled, draft) for draft, settled in zip(drafts, year.losses, strict=True)},
        "totals": _totals(terms, year),
    }


def _check_policy(policy: Reader, terms: PolicyTerms) -> None:
    if not policy.has("currency"):
        policy.problem("required", "currency")
    clause = terms.maximum_liability
    if clause is not None and clause.premium_multiple is not None and clause.premium is None:
        policy.problem("required", "maximum_liability.premium")


def _use(reader: Reader) -> YearUse:
    use = YearUse(reader.amount("aggregate_first_loss_used") or 0, reader.amount("maximum_liability_used") or 0)
    reader.finish()
    return use


class _Draft:
    """One loss as it was given, ready to be worked out once everything has been read."""

    def __init__(self, reader: Reader, terms: PolicyTerms, given: Mapping[str, object]) -> None:
        self.reader = reader
        self.terms = terms
        self.name = reader.text("id", required=True) or ""
        self.costs = reader.amount("collection_costs") or 0
        self.circumstances = Circumstances(
            cause=reader.choice("cause", Cause) or Cause.PROTRACTED_DEFAULT,
            country=reader.country("country"),
            grade=_grade(reader),
            insured_percentage=reader.percentage("insured_percentage"),
            date_of_loss=reader.day("date_of_loss"),
        )
        ways = [way for way in _WAYS if reader.has(way)]
        if len(ways) != 1:
            reader.problem("exactly_one_of", "debt", None, choices=", ".join(_WAYS))
        for field, way in _BELONGS.items():
            if reader.has(field) and way not in ways:
                reader.problem("unknown_field", field)
        self.covered = reader.amount("covered_debt")
        self.currency = reader.money_code("currency") or currency_of(terms)
        self.debt = reader.amount("debt", self.currency)
        self.vat_rate = reader.number("vat_rate")
        self.rates = self._rates()
        self.limits = _limits(reader)
        inner = reader.child("claim")
        self.claim = None if inner is None else _claim(inner)
        self.rate = _rate(reader, "rate")
        self._given = given
        for field in ("events", "buyer"):
            reader.allow(field)
        if reader.has("events"):
            self._check_account()
        reader.finish()

    def loss(self) -> LossGiven:
        """The loss with its debt worked out."""
        terms, circumstances = self.terms, self.circumstances
        if self.claim is not None:
            after = debt_of_claim(terms, circumstances, self.claim, after_disputes=True) if self.claim.has_resolved_disputes else None
            return LossGiven(self.name, debt_of_claim(terms, circumstances, self.claim), circumstances, self.costs, after)
        if self.covered is not None:
            return LossGiven(self.name, debt_as_covered(terms, circumstances, self.covered), circumstances, self.costs)
        if self.debt is not None:
            debt, steps = self.converted()
            return LossGiven(self.name, debt_under_limit(terms, circumstances, debt, self.limits, steps=steps), circumstances, self.costs)
        return self._of_account()

    def converted(self) -> tuple[int, list[Step]]:
        """The debt in policy currency."""
        debt = self.debt or 0
        if self.currency == self.terms.currency:
            return debt, []
        converted, step = convert_debt(self.terms, debt, self.currency, self.rates.get("invoice_date"), self.rates.get("date_of_loss"))
        return converted, [step]

    def vat_refund(self) -> int | None:
        """The tax that the authorities give back."""
        if self.vat_rate is None:
            return None
        return round_half_up(self.converted()[0] * Fraction(self.vat_rate) / (100 + Fraction(self.vat_rate)))

    def _rates(self) -> dict[str, Decimal]:
        inner = self.reader.child("rates")
        if self.currency == self.terms.currency:
            if inner is not None:
                self.reader.problem("rate_in_policy_currency", "rates")
            return {}
        if inner is None:
            self.reader.problem("required", "rates")
            return {}
        rates = {name: rate for name in ("invoice_date", "date_of_loss") if (rate := _rate(inner, name)) is not None}
        inner.finish()
        return rates

    def _check_account(self) -> None:
        terms = self.terms
        if self.circumstances.date_of_loss is None:
            self.reader.problem("required", "date_of_loss")
        if terms.limit_currency not in (None, terms.currency) and self.rate is None:
            self.reader.problem("required", "rate")

    def _of_account(self) -> LossGiven:
        data = {name: self._given[name] for name in ("policy", "calendars") if name in self._given}
        data |= {name: self.reader.data[name] for name in ("buyer", "events") if self.reader.has(name)}
        account, events = parse_account(data, path=self.reader.path)
        on = cast(date, self.circumstances.date_of_loss)
        stated: tuple[Event, ...] = () if any(isinstance(event, DateOfLoss) for event in events) else (DateOfLoss(on),)
        state = replay(account, (*events, *stated)).on(on)
        lines = [
            DebtLine(name, each.covered_primary, each.covered_top_up, each.reasons, each.insured_percentage, each.percentage_source)
            for name, each in state.invoices.items()
        ]
        grades = sorted((event for event in events if isinstance(event, BuyerGrade) and event.on <= on), key=lambda event: event.on)
        grade = grades[-1].grade if grades else UNGRADED
        circumstances = replace(self.circumstances, country=account.country, grade=grade, insured_percentage=None)
        rate = FrozenRate(account.limit_currency, 1 if self.rate is None else self.rate, on)
        return LossGiven(self.name, debt_of_lines(self.terms, circumstances, lines, rate), circumstances, self.costs)


def _grade(reader: Reader) -> Grade:
    grade = reader.raw("buyer_grade")
    if grade is None:
        return UNGRADED
    if isinstance(grade, bool) or not isinstance(grade, int | str) or grade == "":
        reader.problem("not_a_grade", "buyer_grade", grade)
        return UNGRADED
    return grade


def _rate(reader: Reader, name: str) -> Decimal | None:
    rate = reader.number(name)
    if rate == 0:
        reader.problem("not_a_rate", name, rate)
    return rate


def _limits(reader: Reader) -> tuple[int, int] | None:
    """The limits of both layers; None if the debt is under no limit."""
    one, inner = reader.amount("limit"), reader.child("limits")
    if inner is None:
        return None if one is None else (one, 0)
    if one is not None:
        reader.problem("exactly_one_of", "limit", None, choices="limit, limits")
    limits = (inner.amount("primary") or 0, inner.amount("top_up") or 0)
    inner.finish()
    return limits


def _claim(reader: Reader) -> Claim:
    limits = _limits(reader)
    invoices: list[ClaimInvoice] = []
    for row in reader.children("invoices", required=True, minimum=1):
        invoice = ClaimInvoice(
            id=row.text("id", required=True) or "",
            net=row.amount("net", required=True) or 0,
            vat=row.amount("vat") or 0,
            due_on=row.day("due_date"),
            credit_terms_days=row.whole("credit_terms_days"),
            not_covered=row.choice("not_covered", Reason, among=_EXCLUDING),
        )
        row.finish()
        invoices.append(invoice)
    notes = []
    for row in reader.children("credit_notes"):
        note = ClaimCreditNote(row.text("invoice", required=True) or "", row.amount("net", required=True) or 0, row.amount("vat") or 0)
        row.finish()
        notes.append(note)
    payments = []
    for row in reader.children("payments"):
        payments.append(row.amount("amount", required=True) or 0)
        row.finish()
    disputes = []
    for row in reader.children("disputed"):
        dispute = ClaimDispute(row.text("invoice", required=True) or "", row.amount("amount", required=True) or 0, row.amount("found_owed"))
        row.finish()
        disputes.append(dispute)
    claim = Claim(tuple(invoices), tuple(notes), tuple(payments), tuple(disputes), limits, reader.amount("late_interest") or 0)
    reader.finish()
    return claim


def _loss(settled: SettledLoss, draft: _Draft) -> dict[str, object]:
    loss, counting, refund = settled.loss, settled.counting, draft.vat_refund()
    after = settled.after_disputes

    def major(minor: int | None) -> Decimal | None:
        return None if minor is None else from_minor(minor, loss.currency)

    return {
        "open_debt": major(loss.open_debt),
        "insured_debt": major(loss.debt.insured),
        "covered_debt": major(loss.debt.covered),
        "covered_by_layer": {"primary": major(loss.debt.primary), "top_up": major(loss.debt.top_up)},
        "uncovered": {reason.value: major(amount) for reason, amount in loss.uncovered},
        "collection_costs_counted": major(loss.collection_costs_counted),
        "loss": major(loss.loss),
        "insured_percentage": rounded_percentage(loss.debt.percentage),
        "below_threshold": loss.below_threshold,
        "after_deductible": major(loss.after_deductible),
        "after_percentage": major(loss.after_percentage),
        "after_minimum_retention": major(loss.after_minimum_retention),
        "aggregate_first_loss_used": major(loss.aggregate_first_loss_used),
        "indemnity": major(loss.indemnity),
        "aggregate_first_loss_remaining": major(counting.aggregate_first_loss_remaining),
        "maximum_liability_remaining": major(counting.maximum_liability_remaining),
        "policyholder_share": major(loss.policyholder_share),
        "indemnity_by_layer": {"primary": major(loss.indemnity_primary), "top_up": major(loss.indemnity_top_up)},
        "provisional_payment": major(loss.provisional_payment),
        "balance": major(loss.balance),
        "vat_refund": major(refund),
        "total_cash": None if refund is None else major(loss.indemnity + refund),
        "indemnity_after_disputes": None if after is None else major(after.indemnity),
        "supplement": major(settled.supplement),
    }


def _totals(terms: PolicyTerms, year: PolicyYear) -> dict[str, object]:
    totals = {
        "indemnity": year.indemnity,
        "aggregate_first_loss_remaining": year.aggregate_first_loss_remaining,
        "maximum_liability": year.maximum_liability,
        "maximum_liability_remaining": year.maximum_liability_remaining,
        "largest_loss_fully_carried": largest_loss_fully_carried(terms),
    }
    return {name: None if amount is None else from_minor(amount, year.currency) for name, amount in totals.items()}
