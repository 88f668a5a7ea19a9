"""Buyers read: the list with what they owe and what of it is covered, and everything about one of them."""

from __future__ import annotations

from insureflow.queries.buyers.listing import YesNo, buyer_listing, count_to_review, countries_of_buyers
from insureflow.queries.buyers.naming import NamedBuyer, buyers_called
from insureflow.queries.buyers.page import (
    BuyerFigures,
    Happening,
    HappeningKind,
    children_of,
    duties_of,
    figures_of,
    find_buyer,
    find_similar,
    happenings_of,
    journal_of,
    open_invoices_of,
    search_buyers,
    shipments_of,
)

__all__ = [
    "BuyerFigures",
    "Happening",
    "HappeningKind",
    "NamedBuyer",
    "YesNo",
    "buyer_listing",
    "buyers_called",
    "children_of",
    "count_to_review",
    "countries_of_buyers",
    "duties_of",
    "figures_of",
    "find_buyer",
    "find_similar",
    "happenings_of",
    "journal_of",
    "open_invoices_of",
    "search_buyers",
    "shipments_of",
]
