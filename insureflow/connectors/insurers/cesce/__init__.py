"""CESCE: classifications, movements, collections and claims."""

from __future__ import annotations

from insureflow.connectors.insurers.cesce.connector import Cesce

__all__ = ["Cesce"]
