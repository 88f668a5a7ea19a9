"""Cover kept up to date, checked and explained."""

from __future__ import annotations

from insureflow.services.cover.checking import Difference, check
from insureflow.services.cover.explaining import explain_account, explain_invoice
from insureflow.services.cover.refreshing import rebuild, refresh_buyers

__all__ = ["Difference", "check", "explain_account", "explain_invoice", "rebuild", "refresh_buyers"]
