"""Differences between our limits and the insurers': each explained, and what a person does about it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.connections import DifferenceKind
from insureflow.domain.errors import Refusal
from insureflow.domain.money import to_minor
from insureflow.i18n import formats
from insureflow.i18n.differences import subject_in_words
from insureflow.i18n.words import sentence_for, word
from insureflow.queries import connections as queries
from insureflow.services import sync
from insureflow.services.clock import now
from insureflow.services.sync.settling import TAKEN
from insureflow.web.access import requires
from insureflow.web.connections.base import blueprint, locale, stored_sentence
from insureflow.web.keys import read_key
from insureflow.web.tables import Empty, TableView, build_table, wanted_export

#: What each side of a difference shows, in this order.
_SHOWN = ("decided", "status", "decided_on", "effective_on", "valid_to", "source", "cover_id", "company_id")
_DAYS = frozenset({"decided_on", "effective_on", "valid_to"})


@blueprint.get("/differences")
@requires(Permission.VIEW_CONNECTIONS)
def differences() -> ResponseReturnValue:
    """All differences that stand."""
    connection_id = read_key(request.args.get("connection"))
    view = TableView(
        queries.differences_listing(connection_id),
        _("Differences"),
        {
            "kind": _("What differs"),
            "policy": _("Policy"),
            "buyer": _("Buyer"),
            "subject": _("Reference"),
            "first_seen_at": _("Since"),
            "last_seen_at": _("Seen last"),
        },
        options={
            "kind": lambda: [(kind.value, word(kind, locale())) for kind in DifferenceKind],
            "policy": lambda: sorted({(each.policy_number, each.policy_number) for each in queries.list_health(now())}),
        },
        decorate=lambda row: (
            row
            | {
                "url": url_for("connections.difference", difference_id=row["key"]),
                "subject": subject_in_words(row["subject"], locale()),
            }
        ),
        empty=lambda: Empty(
            _("Ours and theirs are the same"), _("Every limit is held against the insurer's list after each synchronisation and at night.")
        ),
    )
    exported = wanted_export(view, "differences")
    return exported if exported is not None else render_template("connections/differences.html", table=build_table(view))


def _side(data: dict[str, Any]) -> list[tuple[str, str]]:
    """One side of a difference as pairs for a reader."""
    labels = {
        "decided": _("Amount"),
        "status": _("Decision"),
        "decided_on": _("Decided on"),
        "effective_on": _("In effect from"),
        "valid_to": _("Last day"),
        "source": _("Where it comes from"),
        "cover_id": _("Insurer's reference"),
        "company_id": _("Insurer's company number"),
    }
    pairs = []
    for name in _SHOWN:
        value = data.get(name)
        if value in (None, ""):
            continue
        if isinstance(value, dict):
            value = formats.money(to_minor(str(value["amount"]), str(value["currency"])), str(value["currency"]), locale())
        elif name in _DAYS:
            value = formats.day(date.fromisoformat(value), locale())
        elif name == "status":
            value = word(f"LimitStatus.{value}", locale())
        pairs.append((labels[name], str(value)))
    return pairs


def _page(difference_id: int, *, problem: str = "", note: str = "") -> str:
    found = queries.find_difference(difference_id)
    if found is None:
        abort(404)
    row, policy, buyer = found
    problem_there = ""
    if row.theirs.get("problem"):
        problem_there = stored_sentence({"code": row.theirs["problem"], "parameters": row.theirs.get("parameters", {})})
    return render_template(
        "connections/difference.html",
        difference=row,
        policy=policy,
        buyer=buyer,
        explanation=sentence_for(Refusal(f"difference.{row.kind.value}"), locale()),
        problem_there=problem_there,
        ours=_side(row.ours),
        theirs=_side(row.theirs),
        can_choose=row.kind in TAKEN and row.resolved_at is None,
        problem=problem,
        note=note,
    )


@blueprint.get("/differences/<int:difference_id>")
@requires(Permission.VIEW_CONNECTIONS)
def difference(difference_id: int) -> str:
    """One difference: both sides, why, and what to do."""
    return _page(difference_id)


@blueprint.post("/differences/<int:difference_id>/settle")
@requires(Permission.EDIT_LIMITS)
def settle(difference_id: int) -> ResponseReturnValue:
    """Take the insurer's word, or keep ours and say why."""
    note = request.form.get("note", "")
    try:
        if request.form.get("choice") == "theirs":
            sync.accept_theirs(g.actor, g.organisation.id, difference_id, g.today, note)
            flash(_("The insurer's word is taken."), "success")
        else:
            sync.keep_ours(g.actor, g.organisation.id, difference_id, note)
            flash(_("Ours is kept. The difference comes back when either side changes."), "success")
    except Refusal as refusal:
        if refusal.code == "difference_unknown":
            abort(404)
        return _page(difference_id, problem=sentence_for(refusal, locale()), note=note), 422
    return redirect(url_for("connections.differences"))
