"""What the pages of connections share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort
from flask_babel import get_locale

from insureflow.domain.connections import Health
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import find_word, sentence_for, word
from insureflow.queries import connections as queries
from insureflow.queries.connections import ConnectionHealth
from insureflow.services.clock import now

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


def stored_sentence(error: Mapping[str, Any] | None) -> str:
    """The sentence of an error as it was stored, or nothing."""
    if not error:
        return ""
    return sentence_for(Refusal(str(error["code"]), **dict(error.get("parameters", {}))), locale())


def part_name(name: str) -> str:
    """The words for a part of a connection, such as a credential."""
    return word(f"ConnectionPart.{name}", locale()) if find_word(f"ConnectionPart.{name}") else name.replace("_", " ")


def counts_in_words(counts: Mapping[str, Any] | None) -> str:
    """What a run counted, in words; what is nought is left out."""
    given = counts or {}
    parts = [f"{given[name]} {word(f'SyncCount.{name}', locale())}" for name in given if given[name] and find_word(f"SyncCount.{name}")]
    return ", ".join(parts)
