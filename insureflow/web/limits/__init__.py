"""Limits: the register, the history, one decision, and the forms that add to them."""

from __future__ import annotations

from insureflow.web.limits import changes, listing, pages
from insureflow.web.limits.routes import blueprint

__all__ = ["blueprint", "changes", "listing", "pages"]
