"""Cover kept up to date, checked and explained."""

from __future__ import annotations

from insureflow.services.cover.refreshing import rebuild, refresh_buyers

__all__ = ["rebuild", "refresh_buyers"]
