"""The addresses of limit requests."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("limit_requests", __name__, url_prefix="/limit-requests")
