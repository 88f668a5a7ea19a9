"""Statements of banks: camt.053, camt.054 and MT940 files as values of the domain."""

from __future__ import annotations

from insureflow.connectors.bank_statements.bounds import DEFAULT_BOUNDS, StatementBounds
from insureflow.connectors.bank_statements.reading import read_statements

__all__ = ["DEFAULT_BOUNDS", "StatementBounds", "read_statements"]
