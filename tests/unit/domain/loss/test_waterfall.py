"""The clauses one after the other: what each takes away, and what must hold whatever the terms are."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.cover import Reason
from insureflow.domain.loss import (
    Circumstances,
    Effect,
    Loss,
    LossGiven,
    YearUse,
    calculate_loss,
    debt_as_covered,
    debt_under_limit,
    largest_loss_fully_carried,
    maximum_liability_of,
    settle_year,
)
from insureflow.domain.policies import (
    AggregateFirstLoss,
    Attachment,
    ClaimsThreshold,
    DeductibleOrder,
    EachLossDeductible,
    Erosion,
    GradeRow,
    InsuredPercentage,
    Layers,
    MaximumLiability,
    MinimumRetention,
    PolicyPeriod,
    PolicyTerms,
    TopUp,
)

Made = TypeVar("Made")

CIRCUMSTANCES = Circumstances(date_of_loss=date(2025, 6, 30))

amounts = st.integers(0, 100_000_00)
some = st.integers(0, 20_000_00)
percentages = st.sampled_from([Decimal(0), Decimal(50), Decimal("66.67"), Decimal(85), Decimal(90), Decimal(100)])


@st.composite
def terms_of_policies(draw: st.DrawFn) -> PolicyTerms:
    """Terms with any of the clauses a loss goes through."""

    def maybe(make: Callable[[], Made]) -> Made | None:
        return make() if draw(st.booleans()) else None

    return PolicyTerms(
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        period=maybe(lambda: PolicyPeriod(date(2025, 1, 1), date(2025, draw(st.sampled_from([3, 12])), 31))),
        attachment=draw(st.sampled_from(Attachment)),
        insured_percentage=InsuredPercentage(draw(percentages)),
        layers=Layers(maybe(lambda: TopUp(draw(st.none() | percentages)))),
        claims_threshold=maybe(lambda: ClaimsThreshold(draw(some), draw(st.booleans()), draw(st.booleans()))),
        each_loss_deductible=maybe(lambda: EachLossDeductible(draw(some), draw(st.sampled_from(DeductibleOrder)))),
        minimum_retention=maybe(lambda: MinimumRetention(draw(some))),
        aggregate_first_loss=maybe(lambda: AggregateFirstLoss(draw(some), draw(st.sampled_from(Erosion)))),
        maximum_liability=maybe(lambda: MaximumLiability(amount=draw(amounts))),
        maximum_indemnity_per_buyer=maybe(lambda: draw(amounts)),
        collection_costs_in_loss=draw(st.booleans()),
        provisional_payment_percentage=maybe(lambda: draw(percentages)),
    )


uses = st.builds(YearUse, some, some)


def loss_of(terms: PolicyTerms, debt: int, limits: tuple[int, int], use: YearUse, costs: int = 0) -> Loss:
    return calculate_loss(terms, debt_under_limit(terms, CIRCUMSTANCES, debt, limits), CIRCUMSTANCES, use, collection_costs=costs)


@given(terms_of_policies(), amounts, st.tuples(amounts, amounts), uses, some)
def test_what_holds_of_every_loss(terms: PolicyTerms, debt: int, limits: tuple[int, int], use: YearUse, costs: int):
    loss = loss_of(terms, debt, limits, use, costs)
    maximum = maximum_liability_of(terms)
    assert 0 <= loss.indemnity <= loss.loss
    if terms.aggregate_first_loss is None or terms.aggregate_first_loss.erosion is not Erosion.LOSS_WITHOUT_PERCENTAGE:
        assert loss.indemnity <= (loss.debt.covered + loss.collection_costs_counted) * loss.debt.percentage / 100 + 1
    if maximum is not None:
        left = max(0, maximum - use.maximum_liability_used)
        assert loss.indemnity <= left
        assert loss.maximum_liability_remaining == left - loss.indemnity
    if terms.minimum_retention is not None:
        assert loss.policyholder_share >= min(loss.loss, terms.minimum_retention.amount)
    # the parts of what is owed: the loss and what is no part of it; the parts of the loss: the indemnity and each clause's effect
    assert loss.open_debt == loss.loss + sum(amount for _, amount in loss.uncovered)
    assert loss.loss == loss.indemnity + sum(amount for _, amount in loss.effects)
    assert all(amount > 0 for _, amount in loss.effects)
    assert loss.indemnity_primary + loss.indemnity_top_up == loss.indemnity
    if loss.provisional_payment is not None:
        assert loss.provisional_payment + loss.balance == loss.indemnity
    # a rounded figure can be a cent over what was exactly left of the debt, never over what was booked as left
    if loss.aggregate_first_loss_remaining is not None:
        assert loss.aggregate_first_loss_remaining >= 0
    assert loss.trace.steps[-1].name in {"indemnity", "provisional_payment"}


@given(terms_of_policies(), st.lists(amounts, min_size=2, max_size=6), uses)
def test_more_covered_debt_never_brings_less(terms: PolicyTerms, debts: list[int], use: YearUse):
    losses = [calculate_loss(terms, debt_as_covered(terms, CIRCUMSTANCES, debt), CIRCUMSTANCES, use) for debt in sorted(debts)]
    assert all(lower.indemnity <= higher.indemnity for lower, higher in pairwise(losses))


@given(terms_of_policies(), st.lists(amounts, min_size=1, max_size=6), uses)
def test_a_year_never_pays_more_or_keeps_more_back_than_its_clauses_say(terms: PolicyTerms, debts: list[int], use: YearUse):
    given_losses = [LossGiven(str(place), debt_as_covered(terms, CIRCUMSTANCES, debt), CIRCUMSTANCES) for place, debt in enumerate(debts)]
    year = settle_year(terms, given_losses, use)
    maximum, first_loss = maximum_liability_of(terms), terms.aggregate_first_loss
    if maximum is not None:
        assert year.indemnity <= max(0, maximum - use.maximum_liability_used)
        assert year.maximum_liability_remaining == year.losses[-1].counting.maximum_liability_remaining
    if first_loss is not None:
        taken = sum(settled.counting.aggregate_first_loss_used for settled in year.losses)
        assert taken <= max(0, first_loss.amount - use.aggregate_first_loss_used)
        assert year.aggregate_first_loss_remaining == year.losses[-1].counting.aggregate_first_loss_remaining
    assert year.use.maximum_liability_used == use.maximum_liability_used + year.indemnity


@given(percentages, amounts, amounts)
def test_a_bare_policy_pays_the_percentage_of_what_the_limit_covers(percentage: Decimal, debt: int, limit: int):
    terms = PolicyTerms(currency="EUR", insured_percentage=InsuredPercentage(percentage))
    loss = loss_of(terms, debt, (limit, 0), YearUse())
    assert abs(loss.indemnity - min(debt, limit) * Fraction(percentage) / 100) <= Fraction(1, 2)
    assert dict(loss.uncovered).get(Reason.OVER_LIMIT, 0) == max(0, debt - limit)


def test_each_clause_leaves_its_step_its_effect_and_its_basis():
    terms = PolicyTerms(
        currency="EUR",
        insured_percentage=InsuredPercentage(Decimal(90)),
        period=PolicyPeriod(date(2025, 1, 1), date(2025, 12, 31)),
        attachment=Attachment.LOSSES_OCCURRING,
        claims_threshold=ClaimsThreshold(1_000_00),
        each_loss_deductible=EachLossDeductible(2_000_00),
        minimum_retention=MinimumRetention(13_000_00),
        aggregate_first_loss=AggregateFirstLoss(5_000_00),
        maximum_indemnity_per_buyer=80_000_00,
        maximum_liability=MaximumLiability(amount=70_000_00),
        collection_costs_in_loss=True,
        provisional_payment_percentage=Decimal(50),
    )
    loss = loss_of(terms, 101_000_00, (99_000_00, 0), YearUse(), 1_010_00)
    # 99 000 + 990; less 2 000; 90 % of 97 990 = 88 191; kept 11 799, must be 13 000; less 5 000; 80 000; 70 000
    assert loss.effects == (
        (Effect.EACH_LOSS_DEDUCTIBLE, 2_000_00),
        (Effect.INSURED_PERCENTAGE, 9_799_00),
        (Effect.MINIMUM_RETENTION, 1_201_00),
        (Effect.AGGREGATE_FIRST_LOSS, 5_000_00),
        (Effect.MAXIMUM_INDEMNITY_PER_BUYER, 1_990_00),
        (Effect.MAXIMUM_LIABILITY, 10_000_00),
    )
    assert [(step.name, step.basis) for step in loss.trace] == [
        ("covered_debt", "loss.limit"),
        ("insured_percentage", "policy.insured_percentage"),
        ("collection_costs_counted", "policy.collection_costs_in_loss"),
        ("loss", "loss.order"),
        ("below_threshold", "policy.claims_threshold"),
        ("outside_period", "policy.attachment"),
        ("after_deductible", "policy.each_loss_deductible"),
        ("share_of_insurer", "policy.insured_percentage"),
        ("after_minimum_retention", "policy.minimum_retention"),
        ("after_aggregate_first_loss", "policy.aggregate_first_loss"),
        ("after_maximum_per_buyer", "policy.maximum_indemnity_per_buyer"),
        ("after_maximum_liability", "policy.maximum_liability"),
        ("indemnity", "loss.order"),
        ("provisional_payment", "policy.provisional_payment"),
    ]
    assert (loss.indemnity, loss.provisional_payment, loss.balance) == (70_000_00, 35_000_00, 35_000_00)


def test_a_loss_under_the_threshold_or_outside_the_period_is_taken_away_whole():
    threshold = PolicyTerms(currency="EUR", claims_threshold=ClaimsThreshold(500_00))
    assert loss_of(threshold, 500_00, (500_00, 0), YearUse()).effects == ((Effect.CLAIMS_THRESHOLD, 500_00),)
    period = PolicyPeriod(date(2026, 1, 1), date(2026, 12, 31))
    outside = PolicyTerms(currency="EUR", period=period, attachment=Attachment.LOSSES_OCCURRING)
    loss = loss_of(outside, 500_00, (500_00, 0), YearUse())
    assert (loss.outside_period, loss.effects) == (True, ((Effect.ATTACHMENT, 500_00),))


def test_the_ceiling_of_a_grade_names_the_grade_cover():
    terms = PolicyTerms(currency="EUR", grade_cover=(GradeRow((4,), Decimal(85), 100_00),), maximum_indemnity_per_buyer=200_00)
    circumstances = Circumstances(grade=4)
    loss = calculate_loss(terms, debt_as_covered(terms, circumstances, 1_000_00), circumstances)
    assert loss.indemnity == 100_00
    assert next(step for step in loss.trace if step.name == "after_maximum_per_buyer").basis == "policy.grade_cover"


def test_a_maximum_that_depends_on_an_unknown_premium_is_not_known():
    terms = PolicyTerms(currency="EUR", maximum_liability=MaximumLiability(premium_multiple=Decimal(20)))
    assert maximum_liability_of(terms) is None
    assert largest_loss_fully_carried(terms) is None
    nothing = PolicyTerms(currency="EUR", insured_percentage=InsuredPercentage(Decimal(0)), maximum_liability=MaximumLiability(amount=1))
    assert largest_loss_fully_carried(nothing) is None
