"""The addresses of buyers, and what their pages share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort

from insureflow.queries import buyers as buyer_queries

blueprint = Blueprint("buyers", __name__, url_prefix="/buyers")


def get_buyer_or_404(buyer_id: int) -> Any:
    """The buyer of an address; one of another organisation is not found."""
    buyer = buyer_queries.find_buyer(buyer_id)
    if buyer is None:
        abort(404)
    return buyer
