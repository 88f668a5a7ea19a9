"""Worked examples: reading, working out and comparing them.

Data comes in as plain maps and lists (a file's content, dates bare or as texts); results go out as values.
"""

from __future__ import annotations

from insureflow.domain.cases.comparing import Difference, find_differences, plain_dates
from insureflow.domain.cases.kinds import BUILT, KINDS, Kind
from insureflow.domain.cases.running import CaseResult, CaseStatus, run_case, run_document, run_documents

__all__ = [
    "BUILT",
    "KINDS",
    "CaseResult",
    "CaseStatus",
    "Difference",
    "Kind",
    "find_differences",
    "plain_dates",
    "run_case",
    "run_document",
    "run_documents",
]
