"""Allianz Trade: company search, covers, jobs and pushes."""

from __future__ import annotations

from insureflow.connectors.insurers.allianz_trade.connector import AllianzTrade

__all__ = ["AllianzTrade"]
