"""The addresses of dunning."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("dunning", __name__, url_prefix="/dunning")
