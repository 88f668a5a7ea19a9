"""Buyers: added, changed, reviewed, merged and put away."""

from __future__ import annotations

from insureflow.services.buyers.details import Address, BuyerDetails, IdentifierEntry, details_of
from insureflow.services.buyers.merging import merge_buyers
from insureflow.services.buyers.records import add_buyer, archive_buyer, change_buyer, get_buyer, restore_buyer, subject_of
from insureflow.services.buyers.review import NewBuyer, confirm_buyers, create_for_review, create_many_for_review

__all__ = [
    "Address",
    "BuyerDetails",
    "IdentifierEntry",
    "NewBuyer",
    "add_buyer",
    "archive_buyer",
    "change_buyer",
    "confirm_buyers",
    "create_for_review",
    "create_many_for_review",
    "details_of",
    "get_buyer",
    "merge_buyers",
    "restore_buyer",
    "subject_of",
]
