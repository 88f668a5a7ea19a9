"""Declarations read: what they are added up from, and how they stand."""

from __future__ import annotations

from insureflow.queries.declarations.collecting import FoundLine, Wanted, collect
from insureflow.queries.declarations.showing import (
    CategoryTotal,
    DeclarationView,
    OpenPeriod,
    countries_of,
    declaration_listing,
    find_declaration,
    is_declarable,
    line_listing,
    open_periods,
    papers_of,
    policies_with_declarations,
    sums_by_day,
)

__all__ = [
    "CategoryTotal",
    "DeclarationView",
    "FoundLine",
    "OpenPeriod",
    "Wanted",
    "collect",
    "countries_of",
    "declaration_listing",
    "find_declaration",
    "is_declarable",
    "line_listing",
    "open_periods",
    "papers_of",
    "policies_with_declarations",
    "sums_by_day",
]
