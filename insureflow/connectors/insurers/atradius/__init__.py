"""Atradius: buyers, covers and decisions."""

from __future__ import annotations

from insureflow.connectors.insurers.atradius.connector import Atradius

__all__ = ["Atradius"]
