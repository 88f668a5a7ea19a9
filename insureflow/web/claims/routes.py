"""The addresses of claims."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("claims", __name__, url_prefix="/claims")
