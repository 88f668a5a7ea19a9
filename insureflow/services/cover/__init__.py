"""Cover kept up to date, checked and explained."""

from __future__ import annotations

from insureflow.services.cover.checking import Difference, check
from insureflow.services.cover.explaining import explain_account, explain_invoice
from insureflow.services.cover.followers import ON_REFRESHED
from insureflow.services.cover.newcomers import Newcomers, find_newcomers
from insureflow.services.cover.refreshing import rebuild, refresh_buyers
from insureflow.services.cover.storing import RowWriter, renew_statistics

__all__ = [
    "ON_REFRESHED",
    "Difference",
    "Newcomers",
    "RowWriter",
    "check",
    "explain_account",
    "explain_invoice",
    "find_newcomers",
    "rebuild",
    "refresh_buyers",
    "renew_statistics",
]
