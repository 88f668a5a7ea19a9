"""Exposure: by country, by age, by policy, entity and currency, and what makes a figure up."""

from __future__ import annotations

from insureflow.web.exposure import pages, reasons
from insureflow.web.exposure.routes import blueprint

__all__ = ["blueprint", "pages", "reasons"]
