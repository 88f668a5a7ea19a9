"""Reading the clauses about losses, liability, recoveries and premium."""

from __future__ import annotations

from decimal import Decimal

from insureflow.domain.policies.reading import Reader
from insureflow.domain.policies.terms import (
    AggregateFirstLoss,
    BonusMalusRow,
    ClaimsThreshold,
    EachLossDeductible,
    MaximumLiability,
    MinimumPremium,
    MinimumRetention,
    Premium,
    Recovery,
)
from insureflow.domain.policies.vocabulary import Cycle, DeductibleOrder, Erosion, LimitMeasure, PremiumBasis, PremiumMeasure, RecoverySplit


def read_claims_threshold(reader: Reader) -> ClaimsThreshold | None:
    """The loss up to which nothing is indemnified."""
    inner = reader.child("claims_threshold")
    if inner is None:
        return None
    amount = inner.amount("amount", required=True)
    inclusive = inner.boolean("inclusive", default=True)
    erodes = inner.boolean("erodes_aggregate_first_loss", default=False)
    inner.finish()
    return None if amount is None else ClaimsThreshold(amount, inclusive, erodes)


def read_each_loss_deductible(reader: Reader) -> EachLossDeductible | None:
    """What the policyholder bears of each loss."""
    inner = reader.child("each_loss_deductible")
    if inner is None:
        return None
    amount = inner.amount("amount", required=True)
    order = inner.choice("order", DeductibleOrder) or DeductibleOrder.BEFORE_PERCENTAGE
    inner.finish()
    return None if amount is None else EachLossDeductible(amount, order)


def read_minimum_retention(reader: Reader) -> MinimumRetention | None:
    """What the policyholder bears of each loss at least."""
    amount = reader.only_amount("minimum_retention")
    return None if amount is None else MinimumRetention(amount)


def read_aggregate_first_loss(reader: Reader) -> AggregateFirstLoss | None:
    """What the policyholder bears of all losses of a year."""
    inner = reader.child("aggregate_first_loss")
    if inner is None:
        return None
    amount = inner.amount("amount", required=True)
    erosion = inner.choice("erosion", Erosion) or Erosion.AFTER_PERCENTAGE
    inner.finish()
    return None if amount is None else AggregateFirstLoss(amount, erosion)


def read_maximum_liability(reader: Reader) -> MaximumLiability | None:
    """The most the insurer pays for a year."""
    inner = reader.child("maximum_liability")
    if inner is None:
        return None
    if inner.has("amount"):
        liability = MaximumLiability(amount=inner.amount("amount"))
    else:
        liability = MaximumLiability(
            premium_multiple=inner.number("premium_multiple", required=True),
            premium=inner.amount("premium"),
            of=inner.choice("of", PremiumMeasure) or PremiumMeasure.FINAL_PREMIUM,
        )
    inner.finish()
    return liability


def read_provisional_payment(reader: Reader) -> Decimal | None:
    """The percentage of an indemnity that is paid in advance."""
    inner = reader.child("provisional_payment")
    if inner is None:
        return None
    percentage = inner.percentage("percentage", required=True)
    inner.finish()
    return percentage


def read_recovery(reader: Reader) -> Recovery:
    """How recoveries are shared."""
    inner = reader.child("recovery")
    if inner is None:
        return Recovery()
    recovery = Recovery(
        split=inner.choice("split", RecoverySplit) or RecoverySplit.INDEMNITY_RATIO,
        costs_first=inner.boolean("costs_first", default=True),
    )
    inner.finish()
    return recovery


def read_premium(reader: Reader, *, extensions: bool) -> Premium | None:
    """How the premium is worked out."""
    inner = reader.child("premium")
    if inner is None:
        return None
    basis = inner.choice("basis", PremiumBasis, required=True)
    premium = Premium(
        basis=basis or PremiumBasis.FIXED,
        rate=inner.number("rate"),
        amount=inner.amount("amount"),
        minimum=_minimum_premium(inner),
        advance_instalments=inner.whole("advance_instalments", minimum=1),
        excluded_turnover=_texts(inner, "excluded_turnover"),
        balances_capped_at_limit=inner.boolean("balances_capped_at_limit", default=False),
        limit_measure=inner.choice("limit_measure", LimitMeasure) or LimitMeasure.HIGHEST_IN_MONTH,
        bonus_malus=_bonus_malus(inner),
        cycle=inner.choice("cycle", Cycle) if extensions else None,
        estimated_turnover=inner.amount("estimated_turnover") if extensions else None,
        estimated_premium=inner.amount("estimated_premium") if extensions else None,
    )
    inner.finish()
    return premium


def _texts(reader: Reader, name: str) -> tuple[str, ...]:
    texts = []
    for position, entry in enumerate(reader.items(name)):
        if isinstance(entry, str):
            texts.append(entry)
        else:
            reader.problem("not_a_text", f"{name}[{position}]", entry)
    return tuple(texts)


def _minimum_premium(reader: Reader) -> MinimumPremium | None:
    inner = reader.child("minimum")
    if inner is None:
        return None
    if inner.has("amount"):
        minimum = MinimumPremium(amount=inner.amount("amount"))
    else:
        minimum = MinimumPremium(percentage_of_estimated=inner.percentage("percentage_of_estimated", required=True))
    inner.finish()
    return minimum


def _bonus_malus(reader: Reader) -> tuple[BonusMalusRow, ...]:
    rows: list[BonusMalusRow] = []
    readers = reader.children("bonus_malus", minimum=1)
    for position, inner in enumerate(readers):
        is_last = position == len(readers) - 1
        bound = None
        if inner.data.get("loss_ratio_up_to", 0) is None and is_last:
            inner.allow("loss_ratio_up_to")
        else:
            bound = inner.number("loss_ratio_up_to", required=True)
            if is_last and bound is not None:
                inner.problem("last_row_must_be_open", "loss_ratio_up_to", bound)
            elif rows and bound is not None and rows[-1].loss_ratio_up_to is not None and bound <= rows[-1].loss_ratio_up_to:
                inner.problem("not_ascending", "loss_ratio_up_to", bound)
        adjustment = inner.number("adjustment_percentage", minimum=None, required=True)
        inner.finish()
        rows.append(BonusMalusRow(bound, Decimal(0) if adjustment is None else adjustment))
    return tuple(rows)
