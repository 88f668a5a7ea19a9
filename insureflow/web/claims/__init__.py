"""Claims on pages: the forecast of what overdue buyers would cost and bring."""

from __future__ import annotations

from insureflow.web.claims import forecast
from insureflow.web.claims.routes import blueprint

__all__ = ["blueprint", "forecast"]
