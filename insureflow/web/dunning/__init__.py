"""Dunning: the worklist of letters, each letter, a buyer's overdues, and the rules."""

from __future__ import annotations

from insureflow.web.dunning import buyer, letters, rules
from insureflow.web.dunning.routes import blueprint

__all__ = ["blueprint", "buyer", "letters", "rules"]
