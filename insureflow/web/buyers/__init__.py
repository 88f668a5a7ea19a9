"""Buyers: the list, each buyer's pages, and the forms that change them."""

from __future__ import annotations

from insureflow.web.buyers import changes, listing, pages
from insureflow.web.buyers.routes import blueprint

__all__ = ["blueprint", "changes", "listing", "pages"]
