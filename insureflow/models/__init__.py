"""SQLAlchemy tables: data and integrity, no rules of the trade."""

from __future__ import annotations

from insureflow.models import buyers, cover, jobs, journal, limits, organisations, policies, rates, receivables

__all__ = ["buyers", "cover", "jobs", "journal", "limits", "organisations", "policies", "rates", "receivables"]
