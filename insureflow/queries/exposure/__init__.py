"""Exposure on a day: by ledger and limit currency, as a portfolio divided by anything, and in one currency."""

from __future__ import annotations

from insureflow.queries.exposure.figures import AMOUNTS, UNCOVERED, Figures, Grouping, Selection, exposure_by, total_of
from insureflow.queries.exposure.portfolio import (
    AGE_BANDS,
    AgeBand,
    Amounts,
    Atom,
    Division,
    Portfolio,
    PortfolioPart,
    by_currency,
    divide,
    headroom,
    narrowed,
)
from insureflow.queries.exposure.reporting import Reporting

__all__ = [
    "AGE_BANDS",
    "AMOUNTS",
    "UNCOVERED",
    "AgeBand",
    "Amounts",
    "Atom",
    "Division",
    "Figures",
    "Grouping",
    "Portfolio",
    "PortfolioPart",
    "Reporting",
    "Selection",
    "by_currency",
    "divide",
    "exposure_by",
    "headroom",
    "narrowed",
    "total_of",
]
