"""First step of the wizard: a file, the entity it belongs to, and how it is to be read."""

from __future__ import annotations

from flask import current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.i18n.words import sentence_for
from insureflow.queries.organisations import list_entities
from insureflow.services import imports
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.imports.mapping import keep_first_mapping
from insureflow.web.imports.routes import blueprint

_MEBIBYTE = 1024 * 1024


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.IMPORT_RECEIVABLES)
def new() -> ResponseReturnValue:
    """Take a file."""
    if request.method == "GET":
        return _page([])
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page([("file", _("Choose a file."))]), 422
    entity = request.form.get("entity", "")
    batch_id = None
    try:
        with file.stream:
            batch_id = imports.files.keep_upload(g.actor, g.organisation.id, entity, file.filename, file.stream, as_of=g.on)
        keep_first_mapping(batch_id, request.form.get("profile", ""))
    except Refusal as refusal:
        if batch_id is not None:
            imports.files.discard(g.organisation.id, batch_id)
        problems = refusal.problems if isinstance(refusal, InvalidValues) else (refusal,)
        name = "entity" if refusal.code == "entity_unknown" else "file"
        return _page([(name, sentence_for(problem, choose_locale())) for problem in problems]), 422
    return redirect(url_for("imports.mapping", batch_id=batch_id))


def _page(problems: list[tuple[str, str]]) -> str:
    chosen = request.form.get("entity") or next((entity.code for entity in list_entities() if entity.id == g.scope.entity_id), None)
    return render_template(
        "imports/new.html",
        problems=problems,
        entities=list_entities(),
        entity=chosen,
        profiles=imports.profiles.list_profiles(),
        profile=request.form.get("profile", ""),
        largest=int(current_app.config["MAX_CONTENT_LENGTH"]) // _MEBIBYTE,
    )
