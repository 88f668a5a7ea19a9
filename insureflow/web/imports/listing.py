"""The list of imports, and the saved mappings."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.receivables import ImportMode
from insureflow.domain.tasks import ImportState
from insureflow.queries import imports as queries
from insureflow.queries.organisations import list_entities
from insureflow.services import imports
from insureflow.web.access import may, requires
from insureflow.web.imports.routes import blueprint
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    tone = "covered" if row["state"] is ImportState.DONE else "stopped" if row["state"] is ImportState.REFUSED else "undecided"
    return row | {
        "url": url_for("imports.show", batch_id=row["key"]),
        "state": {"value": row["state"], "tone": tone},
        "mode": ImportMode(row["mode"]),
    }


def _empty() -> Empty:
    text = _("A ledger file brings invoices, credit notes and payments; it can be undone as long as nobody has worked on them.")
    if may(Permission.IMPORT_RECEIVABLES):
        return Empty(_("Nothing imported yet"), text, url_for("imports.new"), _("Import a ledger file"))
    return Empty(_("Nothing imported yet"), text)


@blueprint.get("/")
@requires(Permission.VIEW_RECEIVABLES)
def index() -> ResponseReturnValue:
    """All imports."""
    view = TableView(
        queries.imports_listing(g.scope.entity_id),
        _("Imports"),
        {
            "file": _("File"),
            "entity": _("Entity"),
            "state": _("State"),
            "mode": _("What it is"),
            "as_of": _("As of"),
            "new_invoices": _("New invoices"),
            "changed_invoices": _("Changed"),
            "bad_rows": _("Bad rows"),
            "created_at": _("When"),
            "created_by": _("By"),
        },
        options={
            "entity": lambda: [(entity.name, entity.name) for entity in list_entities()],
            "state": lambda: word_options(tuple(ImportState)),
            "mode": lambda: word_options(tuple(ImportMode)),
        },
        decorate=_decorate,
        empty=_empty,
    )
    return wanted_export(view, "imports") or render_template("imports/index.html", listing=build_table(view))


@blueprint.get("/profiles")
@requires(Permission.VIEW_RECEIVABLES)
def profiles() -> str:
    """The mappings of ledger files."""
    return render_template("imports/profiles.html", profiles=imports.profiles.list_profiles())


@blueprint.post("/profiles/<int:profile_id>/delete")
@requires(Permission.IMPORT_RECEIVABLES)
def delete_profile(profile_id: int) -> ResponseReturnValue:
    """Remove a saved mapping."""
    imports.profiles.delete_profile(g.actor, g.organisation.id, profile_id)
    flash(_("The mapping was deleted."), "success")
    return redirect(url_for("imports.profiles"))
