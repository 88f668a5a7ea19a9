"""Limits over several buyers: the list, one of them with those that share, and the forms that add to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.errors import Refusal
from insureflow.i18n import formats
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import limit_groups as queries
from insureflow.queries.limit_groups import GroupView
from insureflow.services import limit_groups
from insureflow.services.limit_groups import GroupWord, NewGroup
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.limits.forms import read_minor, show_refusal
from insureflow.web.tables import Empty, TableView, build_table, wanted_export

blueprint = Blueprint("limit_groups", __name__, url_prefix="/limit-groups")

_ONE_A_LINE = _l("One buyer a line: a customer number, or the name as it stands in the list of buyers.")


class _Word(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What the insurer said about the whole."""

    amount = StringField(_l("Limit over all of them"), [InputRequired()], render_kw={"inputmode": "decimal"})
    currency = SelectField(_l("Currency"), [DataRequired()])
    decided_on = DateField(_l("Decided on"), [InputRequired()])
    effective_on = DateField(_l("Effective from"), [Optional()], description=_l("Empty: from the day it was decided."))
    valid_to = DateField(_l("Last day"), [Optional()])
    insurer_reference = StringField(_l("Insurer's reference"), [Optional(), Length(max=80)])
    reason = TextAreaField(_l("Reason or remark"), [Optional(), Length(max=1000)])

    def prepare(self, own: list[str]) -> None:
        """Fill the choices; the limit currencies of the policies come first."""
        first = dict.fromkeys(own)
        self.currency.choices = [(code, code) for code in (*first, *sorted(CURRENCIES - first.keys()))]

    def word(self) -> GroupWord:
        """What was typed. Errors: ``InvalidValue`` for an amount that cannot be read."""
        return GroupWord(
            read_minor(self.amount.data, self.currency.data, "amount"),
            self.currency.data,
            self.decided_on.data,
            self.effective_on.data,
            self.valid_to.data,
            self.insurer_reference.data,
            self.reason.data or "",
        )


class GroupForm(_Word):
    """A limit over several buyers with its first decision."""

    name = StringField(_l("Name of the group or pool"), [InputRequired(), Length(max=limit_groups.NAME_LENGTH)])
    policy_id = SelectField(_l("Policy"), [InputRequired()], coerce=int)
    buyers = TextAreaField(_l("Buyers that share"), [InputRequired()], description=_ONE_A_LINE, render_kw={"rows": 6})


class JoinForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """More buyers that share."""

    buyers = TextAreaField(_l("Buyers that share"), [InputRequired()], description=_ONE_A_LINE, render_kw={"rows": 4})
    joined_on = DateField(_l("Shares from"), [InputRequired()])


class LeaveForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """The end of a share."""

    left_on = DateField(_l("First day without a share"), [InputRequired()], description=_l("Not before the policy's notice has run."))
    reason = TextAreaField(_l("Reason or remark"), [Optional(), Length(max=1000)])


class EndForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """The insurer's notice that the whole limit ends."""

    received_on = DateField(_l("Notice received on"), [InputRequired()])
    effective_on = DateField(_l("Effective from"), [Optional()], description=_l("Empty: as soon as the policy's notice period allows."))
    reason = TextAreaField(_l("Reason or remark"), [Optional(), Length(max=1000)])


def _view_or_404(group_id: int) -> GroupView:
    view = queries.find_group(group_id, g.on)
    if view is None:
        abort(404)
    return view


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    row["name"] = {"value": row["name"], "url": url_for("limit_groups.show", group_id=int(row["number"]))}
    row["url"] = url_for("limit_groups.show", group_id=int(row["number"]))
    return row


def _empty() -> Empty:
    return Empty(
        _("No shared limit yet"),
        _(
            "Where the insurer grants one limit over a parent and its subsidiaries, or over a pool of buyers, enter it once for all of them."
        ),
        url_for("limit_groups.new") if may(Permission.EDIT_LIMITS) else None,
        _("Enter a shared limit"),
    )


def groups_view() -> TableView:
    """The list as the page shows it."""
    return TableView(
        queries.group_listing(g.on, policy_id=g.scope.policy_id),
        _("Shared limits"),
        {
            "name": _("Group or pool"),
            "head": _("Parent"),
            "policy": _("Policy"),
            "buyers": _("Buyers"),
            "limit": _("Limit"),
            "used": _("Used"),
            "headroom": _("Headroom"),
        },
        {"policy": lambda: [(policy.number, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies]},
        decorate=_shown,
        empty=_empty,
    )


@blueprint.get("/")
@requires(Permission.VIEW_LIMITS)
def index() -> ResponseReturnValue:
    """The limits that several buyers share."""
    view = groups_view()
    export = wanted_export(view, "shared-limits") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    table = build_table(view)
    sentence = ngettext(
        "%(count)s limit is shared by several buyers; what each of them owes counts against the whole.",
        "%(count)s limits are shared by several buyers; what each of them owes counts against the whole.",
        table.total_rows,
        count=table.total_rows,
    )
    return render_template("limit_groups/index.html", listing=table, sentence=sentence if table.total_rows else "")


@blueprint.get("/<int:group_id>")
@requires(Permission.VIEW_LIMITS)
def show(group_id: int) -> ResponseReturnValue:
    """One shared limit: what is left of it, who shares, and every decision on the whole."""
    view = _view_or_404(group_id)
    locale = choose_locale()
    used, whole, left = (formats.money(amount.minor, amount.currency, locale) for amount in (view.used, view.limit, view.headroom))
    sharing = sum(1 for sharer in view.sharers if sharer.is_sharing)
    sentence = ngettext(
        "%(count)s buyer shares %(whole)s and uses %(used)s of it; %(left)s is left for the next shipment.",
        "%(count)s buyers share %(whole)s and use %(used)s of it together; %(left)s is left for the next shipment of any of them.",
        sharing,
        count=sharing,
        whole=whole,
        used=used,
        left=left,
    )
    return render_template("limit_groups/show.html", view=view, sentence=sentence)


def _filled(form: FlaskForm, heading: str, back: str, enter: Callable[[], str], *, explained: str = "") -> ResponseReturnValue:
    """Show a form, take what was sent, go where ``enter`` says, or show it again with what is wrong."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                return redirect(enter())
            except Refusal as refusal:
                show_refusal(form, refusal)
    return render_template("limit_groups/form.html", form=form, heading=heading, back=back, explained=explained), status


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def new() -> ResponseReturnValue:
    """Enter a limit over several buyers; the address may name the parent whose subsidiaries share."""
    text = request.args.get("head_id", "")
    head = buyer_queries.find_buyer(read_key(text) or 0) if text else None
    if text and head is None:
        abort(404)
    start: dict[str, Any] = {"decided_on": g.today}
    if g.scope.policy_id is not None:
        start["policy_id"] = g.scope.policy_id
    if head is not None:
        start |= {"name": head.legal_name, "buyers": "\n".join(buyer.legal_name for buyer in queries.subsidiaries_of(head.id))}
    form = GroupForm(data=start)
    form.policy_id.choices = [(policy.id, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies]
    form.prepare([policy.limit_currency for policy in g.scope.policies])

    def enter() -> str:
        wanted = NewGroup(
            form.policy_id.data,
            form.name.data or "",
            queries.buyers_named((form.buyers.data or "").splitlines()),
            form.word(),
            None if head is None else head.id,
        )
        made = limit_groups.create(g.actor, g.organisation.id, wanted, g.today)
        flash(_("The shared limit “%(name)s” is entered.", name=made.name), "success")
        return url_for("limit_groups.show", group_id=made.id)

    explained = _("The shared limit takes the place of the limits of these buyers. A limit decided for one of them alone later is the most that this one may use of the whole.")  # fmt: skip
    return _filled(form, _("Enter a shared limit"), url_for("limit_groups.index"), enter, explained=explained)


@blueprint.route("/<int:group_id>/decide", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def decide(group_id: int) -> ResponseReturnValue:
    """Enter what the insurer decided on the whole."""
    view = _view_or_404(group_id)
    form = _Word(data={"decided_on": g.today})
    form.prepare([view.policy.limit_currency])

    def enter() -> str:
        limit_groups.decide(g.actor, g.organisation.id, group_id, form.word(), g.today)
        flash(_("The decision on “%(name)s” is entered.", name=view.group.name), "success")
        return url_for("limit_groups.show", group_id=group_id)

    return _filled(form, _("Decision on “%(name)s”", name=view.group.name), url_for("limit_groups.show", group_id=group_id), enter)


@blueprint.route("/<int:group_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def withdraw(group_id: int) -> ResponseReturnValue:
    """Enter the insurer's notice that the whole limit ends."""
    view = _view_or_404(group_id)
    form = EndForm(data={"received_on": g.today})

    def enter() -> str:
        word = GroupWord(None, view.policy.limit_currency, form.received_on.data, form.effective_on.data, reason=form.reason.data or "")
        limit_groups.decide(g.actor, g.organisation.id, group_id, word, g.today)
        flash(_("The end of “%(name)s” is entered.", name=view.group.name), "success")
        return url_for("limit_groups.show", group_id=group_id)

    return _filled(form, _("End of “%(name)s”", name=view.group.name), url_for("limit_groups.show", group_id=group_id), enter)


@blueprint.route("/<int:group_id>/join", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def join(group_id: int) -> ResponseReturnValue:
    """Let more buyers share."""
    view = _view_or_404(group_id)
    form = JoinForm(data={"joined_on": g.today})

    def enter() -> str:
        buyer_ids = queries.buyers_named((form.buyers.data or "").splitlines())
        limit_groups.join(g.actor, g.organisation.id, group_id, buyer_ids, form.joined_on.data, g.today)
        flash(_("These buyers share in “%(name)s”.", name=view.group.name), "success")
        return url_for("limit_groups.show", group_id=group_id)

    return _filled(form, _("Add buyers to “%(name)s”", name=view.group.name), url_for("limit_groups.show", group_id=group_id), enter)


@blueprint.route("/<int:group_id>/leave/<int:buyer_id>", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def leave(group_id: int, buyer_id: int) -> ResponseReturnValue:
    """End the share of a buyer."""
    view = _view_or_404(group_id)
    sharer = next((sharer for sharer in view.sharers if sharer.buyer.id == buyer_id), None)
    if sharer is None:
        abort(404)
    form = LeaveForm(data={"left_on": g.today})

    def enter() -> str:
        end = limit_groups.leave(g.actor, g.organisation.id, group_id, buyer_id, form.left_on.data, g.today, reason=form.reason.data or "")
        day = formats.day(end, choose_locale())
        flash(_("%(name)s shares no longer from %(day)s on.", name=sharer.buyer.legal_name, day=day), "success")
        return url_for("limit_groups.show", group_id=group_id)

    explained = _("What the buyer has used of the limit by then stays covered and keeps its place until it is paid, or the buyer has a limit of its own.")  # fmt: skip
    heading = _("End the share of %(name)s", name=sharer.buyer.legal_name)
    return _filled(form, heading, url_for("limit_groups.show", group_id=group_id), enter, explained=explained)
