"""Papers for insurers: the list, one paper with its editor and proof, sending and answers, many at once."""

from __future__ import annotations

from insureflow.web.notices import changes, listing, many, pages
from insureflow.web.notices.routes import blueprint

__all__ = ["blueprint", "changes", "listing", "many", "pages"]
