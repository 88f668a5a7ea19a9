"""Exposure on a day: by ledger and limit currency, as a portfolio divided by anything, and in one currency."""

from __future__ import annotations

from insureflow.queries.exposure.buyers import ExposedBuyers, name_of_buyer, share_of
from insureflow.queries.exposure.dividing import divide, divide_many, uncovered_by_reason
from insureflow.queries.exposure.figures import AMOUNTS, UNCOVERED, Figures, Grouping, Selection, exposure_by, total_of
from insureflow.queries.exposure.portfolio import (
    AGE_BANDS,
    AgeBand,
    Division,
    Portfolio,
    PortfolioPart,
    account_sums,
    headroom,
    narrowed,
)
from insureflow.queries.exposure.reporting import Amounts, Reporting

__all__ = [
    "AGE_BANDS",
    "AMOUNTS",
    "UNCOVERED",
    "AgeBand",
    "Amounts",
    "Division",
    "ExposedBuyers",
    "Figures",
    "Grouping",
    "Portfolio",
    "PortfolioPart",
    "Reporting",
    "Selection",
    "account_sums",
    "divide",
    "divide_many",
    "exposure_by",
    "headroom",
    "name_of_buyer",
    "narrowed",
    "share_of",
    "total_of",
    "uncovered_by_reason",
]
