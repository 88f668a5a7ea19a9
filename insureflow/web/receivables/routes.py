"""The addresses of receivables."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("receivables", __name__, url_prefix="/receivables")
