"""The addresses of cash application."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("cash_application", __name__, url_prefix="/receivables/bank")
