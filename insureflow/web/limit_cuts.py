"""The limit-cut kit: what stays covered, how long goods run off, what to do, and words to the buyer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.limits.cuts import CutAction, CutKind
from insureflow.domain.money import Money
from insureflow.i18n import formats
from insureflow.i18n.words import sentence_for
from insureflow.queries import work_items as work_queries
from insureflow.queries.limit_cuts import CutView, find_cut
from insureflow.services import limit_cuts
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.work_items import said

blueprint = Blueprint("limit_cuts", __name__, url_prefix="/limit-cuts")


def _days() -> int | None:
    """Within how many days the policy wants binding orders reported, as typed."""
    text = request.values.get("report_days", "")
    return int(text) if text.isdecimal() and len(text) < 4 and int(text) <= 365 else None


def _view_or_404(decision_id: int) -> CutView:
    view = find_cut(decision_id, report_orders_days=_days())
    if view is None:
        abort(404)
    return view


def _money(amount: Money) -> str:
    return formats.money(amount.minor, amount.currency, choose_locale())


def _sentence(view: CutView) -> str:
    kit, locale = view.kit, choose_locale()
    first = {
        CutKind.REDUCTION: _("The limit goes from %(before)s to %(after)s on %(day)s.", before=_money(kit.limit_before), after=_money(kit.limit_after), day=formats.day(kit.effective_on, locale)),
        CutKind.WITHDRAWAL: _("The limit of %(before)s ends on %(day)s.", before=_money(kit.limit_before), day=formats.day(kit.effective_on, locale)),
        CutKind.CANCELLATION: _("The limit of %(before)s is given up on %(day)s.", before=_money(kit.limit_before), day=formats.day(kit.effective_on, locale)),
    }[kit.cut.kind]  # fmt: skip
    second = (
        _("%(amount)s of what is owed is not covered.", amount=_money(kit.uncovered))
        if kit.uncovered
        else _("All that is owed stays covered.")
    )
    return f"{first} {second}"


def letter(view: CutView) -> str:
    """Words to the buyer as a proposal. They name no insurer and no limit of one: the terms are the seller's own."""
    kit, locale = view.kit, choose_locale()
    paragraphs = [
        _("To %(name)s", name=view.buyer.legal_name),
        _("Dear Sir or Madam,"),
        _("We review the terms on which we deliver from time to time."),
    ]
    if kit.limit_after:
        paragraphs.append(
            _(
                "From %(day)s we can deliver to you on open account up to a balance of %(amount)s.",
                day=formats.day(kit.effective_on, locale),
                amount=_money(kit.limit_after),
            )
        )
        paragraphs.append(_("Deliveries above this balance need payment in advance or another security that we agree on."))
    else:
        paragraphs.append(
            _(
                "From %(day)s we deliver against payment in advance or another security that we agree on.",
                day=formats.day(kit.effective_on, locale),
            )
        )
    wanted = {proposed.action for proposed in kit.actions}
    if CutAction.PAYMENT_PLAN in wanted:
        paragraphs.append(_("Some invoices are past their due date. Please let us agree this week on the days on which you pay them."))
    paragraphs += [
        _("Orders that you have placed with us will be discussed with you one by one."),
        _("With kind regards"),
        g.organisation.name,
    ]
    return "\n\n".join(str(paragraph) for paragraph in paragraphs)


def _items(view: CutView) -> list[dict[str, Any]]:
    currency = view.kit.limit_before.currency
    return [
        {
            "id": item.id,
            "number": view.numbers.get(item.id, item.id),
            "due_on": item.due_on,
            "is_overdue": item.due_on is not None and item.due_on < view.kit.cut.told_on,
            "open": (item.open, currency),
            "covered": (item.covered, currency),
            "uncovered": (item.uncovered, currency),
        }
        for item in view.kit.items
    ]


def _no_cut(decision_id: int, refusal: Refusal) -> ResponseReturnValue:
    """Say why there is no kit, on the page of the decision."""
    flash(sentence_for(refusal, choose_locale()), "error")
    return redirect(url_for("limits.show", decision_id=decision_id))


@blueprint.get("/<int:decision_id>")
@requires(Permission.VIEW_LIMITS)
def show(decision_id: int) -> ResponseReturnValue:
    """What a cut means and asks for; a decision that cut nothing leads to its own page."""
    try:
        view = _view_or_404(decision_id)
    except Refusal as refusal:
        return _no_cut(decision_id, refusal)
    causes = [limit_cuts.cause_of(decision_id), *(f"{limit_cuts.cause_of(decision_id)}/{action.value}" for action in CutAction)]
    work = [{"item": item, "sentence": said(item.kind, item.facts)} for item in work_queries.items_of_causes(causes)]
    return render_template(
        "limit_cuts/show.html",
        view=view,
        kit=view.kit,
        sentence=_sentence(view),
        items=_items(view),
        letter=letter(view),
        work=work,
        report_days=view.report_orders_days,
    )


@blueprint.post("/<int:decision_id>/plan")
@requires(Permission.EDIT_LIMITS)
def plan(decision_id: int) -> ResponseReturnValue:
    """Make work of what the cut asks for."""
    try:
        made = limit_cuts.plan_work(g.actor, g.organisation.id, decision_id, g.today, report_orders_days=_days())
    except Refusal as refusal:
        if refusal.code == "limit_unknown":
            abort(404)
        return _no_cut(decision_id, refusal)
    flash(
        ngettext("%(count)s piece of work was made.", "%(count)s pieces of work were made.", made, count=made)
        if made
        else _("The work was there already."),
        "success",
    )
    return redirect(url_for("limit_cuts.show", decision_id=decision_id, report_days=_days()))
