"""What the pages of connections share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext

from insureflow.domain.connections import Health, Operation
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import find_word, sentence_for, word
from insureflow.queries import connections as queries
from insureflow.queries.connections import ConnectionHealth
from insureflow.services.clock import now
from insureflow.web.tables import TableView, build_table, wanted_export

blueprint = Blueprint("connections", __name__, url_prefix="/connections")

#: Colour of each health.
TONES = {
    Health.GOOD: "covered",
    Health.LATE: "uncovered",
    Health.STALE: "stopped",
    Health.FAILING: "stopped",
    Health.NEVER: "undecided",
    Health.OFF: "undecided",
}


def locale() -> str:
    """The reader's language."""
    return str(get_locale() or "en")


def get_health(connection_id: int) -> ConnectionHealth:
    """How a connection is doing, or a page that says that there is none."""
    found = queries.find_health(connection_id, now())
    if found is None:
        abort(404)
    return found


def list_page(health: ConnectionHealth, view: TableView, what: str) -> ResponseReturnValue:
    """A list of one connection as a page, or as the file that the address asks for."""
    exported = wanted_export(view, what.replace("_", "-"))
    if exported is not None:
        return exported
    return render_template("connections/list.html", health=health, table=build_table(view), what=what)


def stored_sentence(error: Mapping[str, Any] | None) -> str:
    """The sentence of an error as it was stored, or nothing."""
    if not error:
        return ""
    parameters = dict(error.get("parameters", {}))
    if parameters.get("operation") in set(Operation):  # stored as its code
        parameters["operation"] = Operation(parameters["operation"])
    return sentence_for(Refusal(str(error["code"]), **parameters), locale())


def part_name(name: str) -> str:
    """The words for a part of a connection, such as a credential."""
    return word(f"ConnectionPart.{name}", locale()) if find_word(f"ConnectionPart.{name}") else name.replace("_", " ")


def counts_in_words(counts: Mapping[str, Any] | None) -> str:
    """What a run counted, in words; what is nought is left out."""
    given = counts or {}
    return ", ".join(_count_in_words(name, given[name]) for name in given if given[name] and find_word(f"SyncCount.{name}"))


def _count_in_words(name: str, number: int) -> str:
    """One count with the form that its number asks for; those that say the same for one and many are words alone."""
    said: str
    match name:
        case "pages":
            said = ngettext("%(num)s part read", "%(num)s parts read", number)
        case "seen":
            said = ngettext("%(num)s cover read", "%(num)s covers read", number)
        case "recorded":
            said = ngettext("%(num)s decision recorded", "%(num)s decisions recorded", number)
        case "cuts":
            said = ngettext("%(num)s limit cut", "%(num)s limits cut", number)
        case "differences":
            said = ngettext("%(num)s new difference", "%(num)s new differences", number)
        case "answers":
            said = ngettext("%(num)s request answered", "%(num)s requests answered", number)
        case "missing":
            said = ngettext("%(num)s limit not shown", "%(num)s limits not shown", number)
        case "unreadable":
            said = ngettext("%(num)s row unreadable", "%(num)s rows unreadable", number)
        case _:
            said = f"{number} {word(f'SyncCount.{name}', locale())}"
    return said
