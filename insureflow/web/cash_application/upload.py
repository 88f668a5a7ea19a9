"""Taking a file of the bank."""

from __future__ import annotations

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.connectors.bank_statements import StatementBounds
from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for
from insureflow.queries.organisations import list_entities
from insureflow.services import cash_application as cash
from insureflow.web.access import requires
from insureflow.web.cash_application.routes import blueprint
from insureflow.web.context import choose_locale

_MEBIBYTE = 1024 * 1024


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.IMPORT_RECEIVABLES)
def new() -> ResponseReturnValue:
    """Upload a statement."""
    if request.method == "GET":
        return _page([])
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page([("file", _("Choose a file."))]), 422
    bounds = StatementBounds(size=int(current_app.config["MAX_CONTENT_LENGTH"]))
    try:
        with file.stream:
            content = file.stream.read(bounds.size + 1)
        entity = request.form.get("entity", "")
        outcome = cash.import_statements(g.actor, g.organisation.id, entity=entity, file_name=file.filename, content=content, bounds=bounds)
    except Refusal as refusal:
        name = "entity" if refusal.code in {"entity_unknown", "bank_account_of_other_entity"} else "file"
        return _page([(name, sentence_for(refusal, choose_locale()))]), 422
    if not outcome.is_new:
        flash(_("All of this is known already; nothing was changed."), "info")
        return redirect(url_for("cash_application.statements"))
    entries = sum(outcome.entries.values())
    flash(ngettext("%(num)s new entry was taken from the file.", "%(num)s new entries were taken from the file.", entries), "success")
    if outcome.problems or outcome.warnings:
        flash(_("Not everything in the file is in order: see below."), "warning")
    if len(outcome.statements) == 1:
        return redirect(url_for("cash_application.statement", bank_statement_id=outcome.statements[0]))
    return redirect(url_for("cash_application.statements"))


def _page(problems: list[tuple[str, str]]) -> str:
    chosen = request.form.get("entity") or next((entity.code for entity in list_entities() if entity.id == g.scope.entity_id), None)
    return render_template(
        "cash_application/new.html",
        problems=problems,
        entities=list_entities(),
        entity=chosen,
        largest=int(current_app.config["MAX_CONTENT_LENGTH"]) // _MEBIBYTE,
    )
