"""The list of buyers."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.limits import AccountMark, LimitSituation
from insureflow.queries import buyers as buyer_queries
from insureflow.queries.buyers import YesNo
from insureflow.web.access import may, requires
from insureflow.web.buyers.routes import blueprint
from insureflow.web.limits.words import tone_of_situation
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("buyers.show", buyer_id=row["buyer_id"])
    row["situation"] = {"value": row["situation"], "tone": tone_of_situation(row["situation"])}
    if row["uncovered"] and row["uncovered"][0] > 0:
        row["uncovered"] = {"value": row["uncovered"], "tone": "uncovered"}
    if row["overdue"] and row["overdue"][0] > 0:
        row["overdue"] = {"value": row["overdue"], "tone": "stopped"}
    badges: list[AccountMark] = []
    if row["stopped"] == YesNo.YES:
        badges.append(AccountMark.STOPPED)
    if row["over_limit"] == YesNo.YES:
        badges.append(AccountMark.OVER_LIMIT)
    row["badges"] = badges
    row["stopped"] = {"value": row["stopped"], "tone": "stopped"} if row["stopped"] == YesNo.YES else None
    row["status"] = row["status"] if row["status"] is not BuyerStatus.ACTIVE else None
    return row


def _empty() -> Empty:
    return Empty(
        _("No buyers yet"),
        _("Import a ledger, and every customer in it becomes a buyer to be reviewed; or add one by hand."),
        url_for("buyers.add") if may(Permission.EDIT_BUYERS) else None,
        _("Add a buyer"),
    )


def buyer_view() -> TableView:
    """The list as the page shows it."""
    with_archived = BuyerStatus.ARCHIVED.value in request.args.getlist("status")
    return TableView(
        buyer_queries.buyer_listing(
            g.on, policy_id=g.scope.policy_id, entity_id=g.scope.entity_id, with_archived=with_archived, today=g.today
        ),
        _("Buyers"),
        {
            "name": _("Buyer"),
            "country": _("Country"),
            "group": _("Group"),
            "situation": _("Limit stands"),
            "open": _("Owed"),
            "limit": _("Limit"),
            "covered": _("Covered"),
            "uncovered": _("Not covered"),
            "overdue": _("Overdue"),
            "stopped": _("Stopped"),
            "status": _("Review"),
            "over_limit": _("Owes more than the limit"),
        },
        {
            "country": lambda: country_options(list(buyer_queries.countries_of_buyers())),
            "situation": lambda: word_options(list(LimitSituation)),
            "stopped": lambda: word_options(list(YesNo)),
            "over_limit": lambda: word_options(list(YesNo)),
            "status": lambda: word_options(list(BuyerStatus)),
        },
        decorate=_decorate,
        empty=_empty,
    )


@blueprint.get("/")
@requires(Permission.VIEW_BUYERS)
def index() -> ResponseReturnValue:
    """All buyers with what they owe and how they stand."""
    view = buyer_view()
    export = wanted_export(view, "buyers") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    waiting = buyer_queries.count_to_review()
    table = build_table(view)
    sentence = (
        ngettext(
            "%(count)s buyer came with a ledger and waits for your review.",
            "%(count)s buyers came with a ledger and wait for your review.",
            waiting,
            count=waiting,
        )
        if waiting
        else _("Who owes what, what of it is covered, and how each limit stands.")
    )
    shown = [row["buyer_id"] for row in table.rows if row["status"] is BuyerStatus.TO_REVIEW]
    return render_template("buyers/index.html", listing=table, sentence=sentence, waiting=waiting, to_confirm=shown)
