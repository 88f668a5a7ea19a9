"""Pages of ledger imports: the list, the wizard (upload, mapping, check, import), the result, and saved mappings."""

from __future__ import annotations

from insureflow.web.imports import listing, mapping, running, upload
from insureflow.web.imports.routes import blueprint

__all__ = ["blueprint", "listing", "mapping", "running", "upload"]
