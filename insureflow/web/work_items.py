"""My work: what somebody should do, by when, about whom, and who does it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import RadioField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.work import WorkKind, WorkOutcome, WorkState
from insureflow.i18n import values, words
from insureflow.i18n.words import sentence_for
from insureflow.models.work_items import WorkItem
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries import work_items as queries
from insureflow.services import work_items
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.links import buyer_url, link_to
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options

blueprint = Blueprint("work_items", __name__, url_prefix="/work-items")

_TONES = {WorkState.LATE: "stopped", WorkState.OPEN: "undecided", WorkState.DONE: "covered"}


class FinishForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """How a piece of work ended."""

    outcome = RadioField(_l("What became of it"), [InputRequired()], default=WorkOutcome.DONE.value)
    note = TextAreaField(_l("Remark"), [Optional(), Length(max=1000)], description=_l("Needed where it is not done: say why."))


def said(kind: str, facts: dict[str, Any]) -> str:
    """What is to be done, in a sentence filled with its facts."""
    locale = choose_locale()
    return words.sentence(f"work.{kind}", {name: values.said(name, value, locale).text for name, value in facts.items()}, locale)


def way_to(facts: dict[str, Any], buyer_id: int | None) -> str | None:
    """The page on which a piece of work is done."""
    if "request_id" in facts:
        return link_to("limit_requests.show", request_id=facts["request_id"])
    if "decision_id" in facts:
        return link_to("limit_cuts.show", decision_id=facts["decision_id"])
    if "assessment_id" in facts:
        return link_to("discretionary.show", assessment_id=facts["assessment_id"])
    if "connection_id" in facts:
        return link_to("connections.show", connection_id=facts["connection_id"])
    return None if buyer_id is None else buyer_url(buyer_id)


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("work_items.show", item_id=row["number"])
    row["kind"] = {"value": row["kind"], "tone": _TONES[row["state"]], "hint": said(row["kind"].value, row["facts"])}
    if row["buyer_id"] is not None:
        row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    if row["state"] is WorkState.LATE:
        row["due_on"] = {"value": row["due_on"], "tone": "stopped"}
    row["owner"] = row["owner"] or {"value": _("nobody yet")}
    return row


def _view(*, is_mine: bool) -> TableView:
    owner_id = g.user.id if is_mine else None
    with_done = WorkState.DONE.value in request.args.getlist("state")
    return TableView(
        queries.work_listing(g.today, policy_id=g.scope.policy_id, owner_id=owner_id, with_done=with_done),
        _("My work") if is_mine else _("All work"),
        {
            "kind": _("What"),
            "due_on": _("To be done by"),
            "buyer": _("Buyer"),
            "policy": _("Policy"),
            "owner": _("Whose"),
            "state": _("Stands"),
            "created_at": _("Since"),
        },
        {
            "kind": lambda: word_options(list(WorkKind)),
            "state": lambda: word_options(list(WorkState)),
            "owner": lambda: [
                (name, name)
                for name in sorted({organisation_queries.name_of(user) for user, _membership in organisation_queries.list_members()})
            ],
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("Nothing waits for you"),
            _("Work appears here when a limit is cut, a request needs a second person, or evidence for a discretionary limit runs out."),
        ),
    )


@blueprint.get("/")
@requires(Permission.VIEW_OBLIGATIONS)
def index() -> ResponseReturnValue:
    """What waits for this person, and what nobody has taken yet; or all of it."""
    is_mine = request.args.get("whose") != "all"
    view = _view(is_mine=is_mine)
    export = wanted_export(view, "work") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    count, late = queries.count_open(g.today, owner_id=g.user.id if is_mine else None)
    sentence = ngettext("%(count)s piece of work is open", "%(count)s pieces of work are open", count, count=count)
    sentence += ngettext(", %(count)s of it is late.", ", %(count)s of it are late.", late, count=late) if late else "."
    return render_template("work_items/index.html", listing=build_table(view), sentence=sentence, is_mine=is_mine)


def _item_or_404(item_id: int) -> WorkItem:
    item = queries.find_item(item_id)
    if item is None:
        abort(404)
    return item


def _show(item: WorkItem, form: FinishForm, status: int = 200) -> ResponseReturnValue:
    members = {user.id: organisation_queries.name_of(user) for user, _membership in organisation_queries.list_members()}
    return render_template(
        "work_items/show.html",
        item=item,
        kind=WorkKind(item.kind),
        sentence=said(item.kind, item.facts),
        buyer=buyer_queries.find_buyer(item.buyer_id) if item.buyer_id is not None else None,
        policy=next((policy for policy in g.scope.policies if policy.id == item.policy_id), None),
        members=members,
        way=way_to(item.facts, item.buyer_id),
        form=form,
    ), status


def _form() -> FinishForm:
    form = FinishForm()
    form.outcome.choices = word_options(list(WorkOutcome))
    return form


@blueprint.get("/<int:item_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def show(item_id: int) -> ResponseReturnValue:
    """One piece of work, and where it is done."""
    return _show(_item_or_404(item_id), _form())


@blueprint.post("/<int:item_id>/done")
@requires(Permission.EDIT_OBLIGATIONS)
def finish(item_id: int) -> ResponseReturnValue:
    """Record that it was done, or why it is not needed."""
    item, form = _item_or_404(item_id), _form()
    if form.validate_on_submit():
        try:
            work_items.finish_item(g.actor, g.organisation.id, item_id, outcome=WorkOutcome(form.outcome.data), note=form.note.data or "")
        except Refusal as refusal:
            form.form_errors.append(sentence_for(refusal, choose_locale()))
            return _show(item, form, 422)
        flash(_("Done. It can be opened again."), "success")
        return redirect(url_for("work_items.index"))
    return _show(item, form, 422)


@blueprint.post("/<int:item_id>/reopen")
@requires(Permission.EDIT_OBLIGATIONS)
def reopen(item_id: int) -> ResponseReturnValue:
    """Take back that it was done."""
    _item_or_404(item_id)
    work_items.reopen_item(g.actor, g.organisation.id, item_id)
    flash(_("The work is open again."), "success")
    return redirect(url_for("work_items.show", item_id=item_id))


@blueprint.post("/<int:item_id>/assign")
@requires(Permission.EDIT_OBLIGATIONS)
def assign(item_id: int) -> ResponseReturnValue:
    """Give the work to somebody, or take it."""
    _item_or_404(item_id)
    work_items.assign_item(g.actor, g.organisation.id, item_id, read_key(request.form.get("owner")))
    flash(_("The work has changed hands."), "success")
    return redirect(url_for("work_items.show", item_id=item_id))
