"""Losses: from what is owed at the date of loss to what the insurer pays, clause by clause, and over a policy year.

A debt is given as covered (``debt_as_covered``), under a limit (``debt_under_limit``), invoice by invoice (``debt_of_lines``) or as a
claim (``debt_of_claim``). ``calculate_loss`` takes it through the clauses; ``settle_year`` does so for a sequence of losses.
"""

from __future__ import annotations

from insureflow.domain.loss.claim import Claim, ClaimCreditNote, ClaimDispute, ClaimInvoice, debt_of_claim
from insureflow.domain.loss.debt import (
    Circumstances,
    Debt,
    DebtLine,
    FrozenRate,
    choose_claim_rate,
    convert_debt,
    currency_of,
    debt_as_covered,
    debt_of_lines,
    debt_under_limit,
    rounded_percentage,
)
from insureflow.domain.loss.vocabulary import Effect, LossReason, UncoveredReason
from insureflow.domain.loss.waterfall import (
    NOTHING_USED,
    Loss,
    YearUse,
    calculate_loss,
    counted_costs,
    largest_loss_fully_carried,
    maximum_liability_of,
)
from insureflow.domain.loss.year import LossGiven, PolicyYear, SettledLoss, settle_year

__all__ = [
    "NOTHING_USED",
    "Circumstances",
    "Claim",
    "ClaimCreditNote",
    "ClaimDispute",
    "ClaimInvoice",
    "Debt",
    "DebtLine",
    "Effect",
    "FrozenRate",
    "Loss",
    "LossGiven",
    "LossReason",
    "PolicyYear",
    "SettledLoss",
    "UncoveredReason",
    "YearUse",
    "calculate_loss",
    "choose_claim_rate",
    "convert_debt",
    "counted_costs",
    "currency_of",
    "debt_as_covered",
    "debt_of_claim",
    "debt_of_lines",
    "debt_under_limit",
    "largest_loss_fully_carried",
    "maximum_liability_of",
    "rounded_percentage",
    "settle_year",
]
