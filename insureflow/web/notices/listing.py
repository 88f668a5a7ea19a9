"""The list of papers for insurers, with what is due this week on top."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.notices import Channel, NoticeKind, NoticeState, ReplyOutcome
from insureflow.i18n import formats
from insureflow.queries import buyers as buyer_queries
from insureflow.queries.exposure import Reporting
from insureflow.queries.notices import listing as queries
from insureflow.queries.notices.listing import WAITING, Week
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.notices.routes import blueprint
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options

_TONES = {
    NoticeState.DRAFT: "undecided",
    NoticeState.APPROVED: "uncovered",
    NoticeState.SENDING: "undecided",
    NoticeState.SENT: "covered",
    NoticeState.ANSWERED: "covered",
    NoticeState.FAILED: "stopped",
    NoticeState.CANCELLED: "undecided",
}


def tone_of_notice(state: NoticeState) -> str:
    """The colour of how a paper stands."""
    return _TONES[state]


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("notices.show", notice_id=row["number"])
    row["buyer"] = {"value": row["buyer"], "url": row["url"]}
    row["kind"] = {"value": row["kind"], "tone": "plain"}
    state = row["state"]
    row["state"] = {"value": state, "tone": tone_of_notice(state)}
    deadline, is_waiting = row["deadline_on"], state in WAITING
    if deadline is not None:
        is_late = is_waiting and deadline < g.on
        row["deadline_on"] = {"value": deadline, "tone": "stopped" if is_late else None, "hint": _("passed") if is_late else None}
    if row["sent_on"] is not None and deadline is not None:
        in_time = row["sent_on"] <= deadline
        row["sent_on"] = {
            "value": row["sent_on"],
            "hint": _("in time") if in_time else _("after the deadline"),
            "tone": "covered" if in_time else "stopped",
        }
    for name in ("channel", "reply_outcome"):
        row[name] = None if row[name] is None else {"value": row[name], "tone": "plain"}
    return row


def notice_view(*, buyer_id: int | None = None) -> TableView:
    """The list as a page shows it."""
    return TableView(
        queries.notices_listing(policy_id=g.scope.policy_id, entity_id=g.scope.entity_id, buyer_id=buyer_id),
        _("Notices to insurers"),
        {
            "buyer": _("Buyer"),
            "kind": _("What"),
            "state": _("Stands"),
            "deadline_on": _("Deadline"),
            "open": _("Owed"),
            "insured": _("Insured"),
            "policy": _("Policy"),
            "sent_on": _("Sent"),
            "channel": _("How"),
            "reply_outcome": _("Answer"),
            "country": _("Country"),
            "as_of": _("Figures of"),
            "buyer_id": _("Buyer"),
        },
        {
            "kind": lambda: word_options(list(NoticeKind)),
            "state": lambda: word_options(list(NoticeState)),
            "channel": lambda: word_options([Channel.EMAIL, Channel.PORTAL, Channel.POST]),
            "reply_outcome": lambda: word_options(list(ReplyOutcome)),
            "policy": lambda: [(policy.number, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies],
            "country": lambda: country_options(buyer_queries.countries_of_buyers()),
            "buyer_id": lambda: [(value, value) for value in request.args.getlist("buyer_id") if value],
        },
        decorate=_decorate,
        beside=frozenset({"as_of"}),
        empty=lambda: Empty(
            _("No notice yet"),
            _("Notifications are drafted by themselves some days before their deadline. You can also draft one on a buyer's page."),
            url_for("obligations.index"),
            _("See what is due"),
        ),
    )


def sentence_of_week(week: Week, report: Reporting) -> str:
    """What presses this week."""
    if not week.due:
        return str(_("No notification is due this week."))
    amount = formats.money(week.at_stake, report.currency, choose_locale())
    said = (
        ngettext(
            "%(count)s notification is due this week; %(amount)s would lose cover.",
            "%(count)s notifications are due this week; %(amount)s would lose cover.",
            week.due,
            count=week.due,
            amount=amount,
        )
        if week.at_stake
        else ngettext("%(count)s notification is due this week.", "%(count)s notifications are due this week.", week.due, count=week.due)
    )
    if week.late:
        late = ngettext("%(count)s of them is late.", "%(count)s of them are late.", week.late, count=week.late)
        return f"{said} {late}"
    return str(said)


@blueprint.get("/")
@requires(Permission.VIEW_OBLIGATIONS)
def index() -> ResponseReturnValue:
    """Every paper for an insurer, those with the nearest deadline first."""
    view = notice_view()
    export = wanted_export(view, "notices") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    report = Reporting(g.organisation.reporting_currency, g.on)
    scope = {"policy_id": g.scope.policy_id, "entity_id": g.scope.entity_id}
    week = queries.week_of(report, g.today, **scope)
    return render_template(
        "notices/index.html",
        listing=build_table(view),
        sentence=sentence_of_week(week, report),
        week=week,
        failed=queries.count_by_state([NoticeState.FAILED], **scope),
        drafts=queries.count_by_state([NoticeState.DRAFT], **scope),
        approved=queries.count_by_state([NoticeState.APPROVED], **scope),
    )
