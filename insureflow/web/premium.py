"""The premium account of a policy year: each figure with the steps it comes from."""

from __future__ import annotations

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue

from insureflow.domain.access import Permission
from insureflow.queries import premium as queries
from insureflow.web.access import requires
from insureflow.web.declarations import STATUS_TONES

blueprint = Blueprint("premium", __name__, url_prefix="/policies")


@blueprint.get("/<int:policy_id>/premium")
@requires(Permission.VIEW_POLICIES)
def show(policy_id: int) -> ResponseReturnValue:
    """The premium of a policy year as it stands: estimated, minimum, advances, declared, earned, and what is left to pay."""
    text = request.args.get("year", "")
    if text and not (text.isascii() and text.isdigit() and len(text) == 4):
        abort(404)
    view = queries.find_premium(policy_id, g.on, int(text) if text else None)
    if view is None and (text or not queries.has_policy(policy_id)):
        abort(404)
    return render_template("premium/show.html", view=view, policy_id=policy_id, tones=STATUS_TONES)
