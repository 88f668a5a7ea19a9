"""Pages of policies: the list, one policy with its terms in words, new policies and new terms, and the presets."""

from __future__ import annotations

from insureflow.web.policies import editing, showing
from insureflow.web.policies.routes import blueprint

__all__ = ["blueprint", "editing", "showing"]
