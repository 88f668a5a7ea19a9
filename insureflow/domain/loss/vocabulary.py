"""The closed lists of words that the calculation of a loss uses."""

from __future__ import annotations

from enum import StrEnum

from insureflow.domain.cover.events import Reason


class LossReason(StrEnum):
    """Why a part of what is owed is not covered, for amounts that are never in a buyer's account."""

    INTEREST_NOT_COVERED = "interest_not_covered"
    COSTS_NOT_COVERED = "costs_not_covered"


#: Why a part of what is owed is not covered.
UncoveredReason = Reason | LossReason


class Effect(StrEnum):
    """What takes a part of the loss away from the indemnity, in the order in which it can."""

    CLAIMS_THRESHOLD = "claims_threshold"
    ATTACHMENT = "attachment"
    EACH_LOSS_DEDUCTIBLE = "each_loss_deductible"
    INSURED_PERCENTAGE = "insured_percentage"
    MINIMUM_RETENTION = "minimum_retention"
    AGGREGATE_FIRST_LOSS = "aggregate_first_loss"
    MAXIMUM_INDEMNITY_PER_BUYER = "maximum_indemnity_per_buyer"
    MAXIMUM_LIABILITY = "maximum_liability"
