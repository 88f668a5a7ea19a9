"""One decision: what it says, how it stands, and how the amount that counts came to be."""

from __future__ import annotations

from flask import abort, g, render_template
from flask.typing import ResponseReturnValue

from insureflow.domain.access import Permission
from insureflow.queries import limits as limit_queries
from insureflow.queries.limits import DecisionView
from insureflow.services import files
from insureflow.web.access import requires
from insureflow.web.limits.routes import blueprint


def get_view_or_404(decision_id: int) -> DecisionView:
    """The decision of an address; one of another organisation is not found."""
    view = limit_queries.find_decision(decision_id, g.on)
    if view is None:
        abort(404)
    return view


@blueprint.get("/<int:decision_id>")
@requires(Permission.VIEW_LIMITS)
def show(decision_id: int) -> ResponseReturnValue:
    """A decision with its trace."""
    view = get_view_or_404(decision_id)
    return render_template("limits/show.html", view=view, evidence=files.evidence_of(decision_id=decision_id))


@blueprint.get("/<int:decision_id>/why")
@requires(Permission.VIEW_LIMITS)
def why(decision_id: int) -> ResponseReturnValue:
    """How the amount of a decision came to count, for the panel beside a page."""
    return render_template("limits/why.html", view=get_view_or_404(decision_id))
