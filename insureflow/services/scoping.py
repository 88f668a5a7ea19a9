"""How the faces enter an organisation's scope."""

from __future__ import annotations

from insureflow.models.scope import current_organisation_id, within
from insureflow.models.scope import enter as enter_scope
from insureflow.models.scope import leave as leave_scope

__all__ = ["current_organisation_id", "enter_scope", "leave_scope", "within"]
