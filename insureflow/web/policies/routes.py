"""The blueprint that the pages of policies hang on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("policies", __name__, url_prefix="/policies")
