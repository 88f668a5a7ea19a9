"""Saved views: the filters of a list kept under a name, one click away from the list."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, current_app, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.routing import BuildError

from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for
from insureflow.services import saved_views
from insureflow.web.access import for_every_member
from insureflow.web.context import CHOICES, choose_locale

blueprint = Blueprint("saved_views", __name__)

#: What belongs to one visit and not to the view: the page number, a wanted file, and the choices of the header.
_NOT_KEPT = frozenset({"page", "format", *CHOICES})


@dataclass(frozen=True, slots=True)
class View:
    """A saved view as the list shows it."""

    id: int
    name: str
    url: str
    is_current: bool


def _query(pairs: list[tuple[str, str]]) -> str:
    return urlencode([(name, value) for name, value in pairs if name not in _NOT_KEPT and value])


def _address(endpoint: str, query: str) -> str:
    """Where a view leads. A page that has gone, or that needs more than its name, is not found."""
    if endpoint not in current_app.view_functions:
        abort(404)
    try:
        address = url_for(endpoint)
    except BuildError:
        abort(404)
    return f"{address}?{query}" if query else address


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    return {"saved_views_of": saved_views_of, "view_query": view_query}


def view_query() -> str:
    """The part of this page's address that a saved view keeps."""
    return _query(list(request.args.items(multi=True)))


def saved_views_of(page: str) -> list[View]:
    """What the person of this request keeps of a page (the endpoint of its list)."""
    if g.get("user") is None or page not in current_app.view_functions:
        return []
    here = view_query()
    return [
        View(view.id, view.name, _address(page, view.query), view.query == here) for view in saved_views.list_saved_views(g.user.id, page)
    ]


@blueprint.post("/views")
@for_every_member
def save() -> ResponseReturnValue:
    """Keep the filters of a list under a name."""
    page = request.form.get("list", "")
    query = _query(parse_qsl(request.form.get("query", "")))
    address = _address(page, query)
    name = request.form.get("name", "")
    try:
        view = saved_views.save_view(g.actor, g.organisation.id, page, name, query)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(address)
    flash(_("The view “%(name)s” is saved. You find it under “Saved views” of this list.", name=view.name), "success")
    return redirect(address)


@blueprint.post("/views/<int:view_id>/delete")
@for_every_member
def delete(view_id: int) -> ResponseReturnValue:
    """Forget a saved view."""
    view = saved_views.delete_view(g.actor, g.organisation.id, view_id)
    flash(_("The view “%(name)s” is gone.", name=view.name), "success")
    return redirect(_address(view.page, ""))
