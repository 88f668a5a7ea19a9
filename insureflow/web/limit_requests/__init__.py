"""Limit requests: the list, one request with its life, the forms, many at once, approvals and their amounts."""

from __future__ import annotations

from insureflow.web.limit_requests import amounts, changes, listing, many, pages
from insureflow.web.limit_requests.routes import blueprint

__all__ = ["amounts", "blueprint", "changes", "listing", "many", "pages"]
