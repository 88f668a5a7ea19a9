"""Exposure on a day, in groups, by age, in one currency, and the accounts that need attention."""

from __future__ import annotations

from insureflow.queries.exposure.accounts import (
    AccountStanding,
    LimitCut,
    headroom,
    limits_cut,
    limits_of,
    over_limit,
    standings,
    stopped,
)
from insureflow.queries.exposure.ageing import BUCKETS, Age, ageing
from insureflow.queries.exposure.figures import AMOUNTS, UNCOVERED, Figures, Grouping, Selection, exposure_by, total_of
from insureflow.queries.exposure.reporting import Reported, Unconvertible, report

__all__ = [
    "AMOUNTS",
    "BUCKETS",
    "UNCOVERED",
    "AccountStanding",
    "Age",
    "Figures",
    "Grouping",
    "LimitCut",
    "Reported",
    "Selection",
    "Unconvertible",
    "ageing",
    "exposure_by",
    "headroom",
    "limits_cut",
    "limits_of",
    "over_limit",
    "report",
    "standings",
    "stopped",
    "total_of",
]
