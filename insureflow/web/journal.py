"""The journal: who changed what and when, what was before and after, and the proof that nobody changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.i18n import formats, values
from insureflow.i18n.words import find_word, word
from insureflow.queries import journal as queries
from insureflow.services import journal
from insureflow.web.access import requires
from insureflow.web.tables import Empty, TableView, build_table, wanted_export

blueprint = Blueprint("journal", __name__, url_prefix="/journal")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that an entry tells of; None where it was not there."""

    name: str
    before: str | None
    after: str | None
    is_changed: bool


def _locale() -> str:
    return str(get_locale() or "en")


def action_words(action: str) -> str:
    """What was done, in words."""
    key = f"Action.{action}"
    return word(key, _locale()) if find_word(key) else action.replace(".", ": ").replace("_", " ")


def _subject_words(kind: str) -> str:
    key = f"Subject.{kind}"
    return word(key, _locale()) if find_word(key) else kind.replace("_", " ")


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value in words with its dotted path; amounts and lists of plain values stay whole."""
    if isinstance(data, Mapping) and data and data.keys() != {"amount", "currency"}:
        for name in data:
            yield from _leaves(data[name], f"{path}.{name}" if path else str(name))
    elif isinstance(data, list) and any(isinstance(entry, Mapping | list) for entry in data):
        for position, entry in enumerate(data):
            yield from _leaves(entry, f"{path}[{position}]")
    elif isinstance(data, list):
        yield path, ", ".join(values.said(path, each, _locale()).text for each in data) or formats.NOTHING
    else:
        yield path, values.said(path, data or None if not isinstance(data, bool | int) else data, _locale()).text


def changes_of(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """What an entry tells, value by value: what was before and what is after."""
    old, new = dict(_leaves(before or {})), dict(_leaves(after or {}))
    old.pop("", None)
    new.pop("", None)
    names = [*new, *(name for name in old if name not in new)]
    return [Change(values.name_of(name, _locale()), old.get(name), new.get(name), old.get(name) != new.get(name)) for name in names]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "action": action_words(row["action"]),
        "subject_type": _subject_words(row["subject_type"]),
        "url": url_for("journal.entry", sequence=row["sequence"]),
    }


@blueprint.get("/")
@requires(Permission.VIEW_JOURNAL)
def index() -> ResponseReturnValue:
    """Every change, the newest first."""
    view = TableView(
        queries.ENTRIES,
        _("Journal"),
        {
            "sequence": _("Number"),
            "at": _("When"),
            "actor": _("Who"),
            "action": _("What"),
            "subject_type": _("Kind"),
            "subject": _("Of what"),
        },
        options={
            "action": lambda: [(action, action_words(action)) for action in queries.list_actions()],
            "subject_type": lambda: [(kind, _subject_words(kind)) for kind in queries.list_subject_types()],
        },
        decorate=_row,
        empty=lambda: Empty(_("Nothing has happened yet"), _("Every change is written down here, with who made it and what was before.")),
    )
    return wanted_export(view, "journal") or render_template(
        "journal/index.html", table=build_table(view), last=queries.find_last_sequence()
    )


@blueprint.get("/<int:sequence>")
@requires(Permission.VIEW_JOURNAL)
def entry(sequence: int) -> str:
    """One entry: what was before and after, and its place in the chain."""
    found = queries.find_entry(sequence)
    if found is None:
        abort(404)
    return render_template(
        "journal/entry.html",
        entry=found,
        action=action_words(found.action),
        kind=_subject_words(found.subject_type),
        changes=changes_of(found.before, found.after),
        has_before=found.before is not None,
        has_after=found.after is not None,
        last=queries.find_last_sequence(),
    )


@blueprint.get("/verification")
@requires(Permission.VIEW_JOURNAL)
def verify() -> str:
    """Check the whole chain of hashes and tell what was found."""
    return render_template("journal/verification.html", result=journal.verify(g.organisation.id))
