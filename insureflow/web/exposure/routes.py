"""The addresses of exposure."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("exposure", __name__, url_prefix="/exposure")
