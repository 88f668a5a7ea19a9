"""The addresses of limits."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("limits", __name__, url_prefix="/limits")
