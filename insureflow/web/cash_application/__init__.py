"""Pages of cash application: bank statements, their entries, one entry with its proposals, and what is tolerated."""

from __future__ import annotations

from insureflow.web.cash_application import entries, listing, tolerances, upload
from insureflow.web.cash_application.routes import blueprint

__all__ = ["blueprint", "entries", "listing", "tolerances", "upload"]
