"""The designer of payment plans: choose invoices, say how it is paid, see what is free and what needs consent, keep it as a draft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.money import Money, from_minor
from insureflow.domain.payment_plans import (
    PlanDesign,
    PlannedInstalment,
    Remainder,
    Rhythm,
    check_instalments,
    design_plan,
    equal_instalments,
)
from insureflow.i18n.words import sentence_for
from insureflow.queries.payment_plans import OpenChoice, PlanView, choices_of
from insureflow.services import payment_plans
from insureflow.services.payment_plans import NewPlan
from insureflow.web.access import requires
from insureflow.web.buyers.pages import frame_of
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.limits.forms import read_minor
from insureflow.web.payment_plans.pictures import picture_of_plan
from insureflow.web.payment_plans.routes import FREEDOM_TONES, VERDICT_TONES, blueprint, get_plan_or_404
from insureflow.web.tables import read_date, word_options

_FIRST_AFTER_DAYS = 14


@dataclass(slots=True)
class _Asked:
    """What was typed in the designer."""

    invoices: list[int]
    count: str
    first_on: str
    rhythm: str
    remainder: str
    amounts: str
    grace_days: str
    interest: str
    note: str


def _asked(plan: PlanView | None) -> _Asked:
    values = request.values
    if plan is not None and "count" not in values:
        lines = [f"{each.due_on.isoformat()} {from_minor(each.amount_minor, plan.plan.currency)}" for each in plan.design.instalments]
        return _Asked(
            [each.invoice_id for each in plan.invoices if each.invoice_id is not None],
            str(len(lines)),
            plan.design.instalments[0].due_on.isoformat(),
            Rhythm.MONTHLY.value,
            Remainder.LAST.value,
            "\n".join(lines),
            str(plan.plan.grace_days),
            plan.plan.interest,
            plan.plan.note,
        )
    return _Asked(
        [key for text in values.getlist("invoices") if (key := read_key(text))],
        values.get("count", "3"),
        values.get("first_on", (g.today + timedelta(days=_FIRST_AFTER_DAYS)).isoformat()),
        values.get("rhythm", Rhythm.MONTHLY.value),
        values.get("remainder", Remainder.LAST.value),
        values.get("amounts", ""),
        values.get("grace_days", "0"),
        values.get("interest", ""),
        values.get("note", ""),
    )


def _instalments(asked: _Asked, total_minor: int, currency: str) -> tuple[PlannedInstalment, ...]:
    """The instalments that were asked for: those written line by line, or equal ones. Errors: ``InvalidValue``."""
    lines = [line.strip() for line in asked.amounts.splitlines() if line.strip()]
    if lines:
        return tuple(_instalment(line, currency) for line in lines)
    first_on = read_date(asked.first_on)
    if first_on is None:
        raise InvalidValue("plan_line_unreadable", "first_on", asked.first_on)
    count = int(asked.count) if asked.count.isdecimal() and len(asked.count) < 6 else 0
    rhythm = Rhythm(asked.rhythm) if asked.rhythm in set(Rhythm) else Rhythm.MONTHLY
    remainder = Remainder(asked.remainder) if asked.remainder in set(Remainder) else Remainder.LAST
    return equal_instalments(total_minor, count, first_on, rhythm, remainder)


def _instalment(line: str, currency: str) -> PlannedInstalment:
    day, _space, amount = line.partition(" ")
    due_on = read_date(day)
    minor = read_minor(amount, currency, "amounts") if due_on is not None else None
    if due_on is None or minor is None:
        raise InvalidValue("plan_line_unreadable", "amounts", line[:80])
    return PlannedInstalment(due_on, minor)


def _design(asked: _Asked, choices: list[OpenChoice], own_id: int | None, on: date) -> PlanDesign | None:
    """The plan that was asked for, None before invoices are chosen. Errors: ``InvalidValue``."""
    chosen = [choice for choice in choices if choice.invoice_id in set(asked.invoices)]
    if not chosen:
        return None
    if len({choice.group for choice in chosen}) > 1:
        raise InvalidValue("plan_invoices_differ", "invoices")
    taken = next((choice for choice in chosen if choice.plan_id not in {None, own_id}), None)
    if taken is not None:
        raise InvalidValue("plan_invoice_planned", "invoices", taken.number)
    total, currency = sum(choice.open_minor for choice in chosen), chosen[0].currency
    instalments = _instalments(asked, total, currency)
    check_instalments(instalments, Money(total, currency), on)
    return design_plan([choice.planned() for choice in chosen], instalments, currency)


def design_sentence(design: PlanDesign) -> str:
    """Whether a plan may be agreed, in one sentence."""
    if design.forbidden:
        return str(
            _(
                "The policy forbids new terms once goods have left (clause “no new terms after shipment”), and these have: %(invoices)s. "
                "Ask the insurer first. Agreed without its consent, they lose their cover.",
                invoices=", ".join(design.forbidden),
            )
        )
    if design.needs_consent:
        return str(
            _(
                "Ask the insurer first: %(invoices)s would be paid after the last free day. Agreed without its consent, they lose their cover.",
                invoices=", ".join(design.beyond),
            )
        )
    if design.verdict == "not_insured":
        return str(_("No policy covers these invoices, so nobody has to be asked."))
    return str(_("You may agree this freely: everything is paid within the maximum extension period."))


def _page(buyer_id: int, plan: PlanView | None, *, said: str = "", status: int = 200) -> ResponseReturnValue:
    choices, asked = choices_of(buyer_id, g.on), _asked(plan)
    design, problem = None, said
    try:
        design = _design(asked, choices, None if plan is None else plan.plan.id, g.today)
    except Refusal as refusal:
        problem = problem or sentence_for(refusal, choose_locale())
    page = render_template(
        "payment_plans/design.html",
        **_frame(buyer_id),
        plan=plan,
        choices=choices,
        asked=asked,
        design=design,
        problem=problem,
        said=design_sentence(design) if design is not None else "",
        picture=None if design is None else picture_of_plan(design, g.on),
        current_tab="payment_plans.of_buyer",
        verdict_tones=VERDICT_TONES,
        freedom_tones=FREEDOM_TONES,
        rhythms=word_options(list(Rhythm)),
        remainders=word_options(list(Remainder)),
    )
    return page, status


def _frame(buyer_id: int) -> dict[str, Any]:
    return frame_of(buyer_id)


def _new_plan(buyer_id: int, plan: PlanView | None) -> NewPlan:
    """What is to be kept. Errors: ``InvalidValue``."""
    asked = _asked(plan)
    chosen = [choice for choice in choices_of(buyer_id, g.today) if choice.invoice_id in set(asked.invoices)]
    total = sum(choice.open_minor for choice in chosen)
    instalments = _instalments(asked, total, chosen[0].currency) if chosen else ()
    grace = int(asked.grace_days) if asked.grace_days.isdecimal() and len(asked.grace_days) < 6 else -1
    return NewPlan(
        buyer_id=buyer_id,
        invoice_ids=asked.invoices,
        instalments=instalments,
        grace_days=grace,
        interest=asked.interest,
        note=asked.note,
    )


@blueprint.get("/buyers/<int:buyer_id>/plans/new")
@requires(Permission.EDIT_OBLIGATIONS)
def new(buyer_id: int) -> ResponseReturnValue:
    """Design a plan; what is chosen stands in the address."""
    return _page(buyer_id, None)


@blueprint.post("/buyers/<int:buyer_id>/plans/new")
@requires(Permission.EDIT_OBLIGATIONS)
def propose(buyer_id: int) -> ResponseReturnValue:
    """Keep a plan as a draft."""
    try:
        plan = payment_plans.propose(g.actor, g.organisation.id, _new_plan(buyer_id, None), g.today)
    except Refusal as refusal:
        if refusal.code == "buyer_unknown":
            abort(404)
        return _page(buyer_id, None, said=sentence_for(refusal, choose_locale()), status=422)
    flash(_("The plan is kept as a draft. Nothing is agreed yet."), "success")
    return redirect(url_for("payment_plans.show", plan_id=plan.id))


@blueprint.get("/plans/<int:plan_id>/change")
@requires(Permission.EDIT_OBLIGATIONS)
def edit(plan_id: int) -> ResponseReturnValue:
    """Design a plan anew that is not agreed yet."""
    view = get_plan_or_404(plan_id)
    return _page(view.plan.buyer_id, view)


@blueprint.post("/plans/<int:plan_id>/change")
@requires(Permission.EDIT_OBLIGATIONS)
def change(plan_id: int) -> ResponseReturnValue:
    """Keep a plan as it was designed anew."""
    view = get_plan_or_404(plan_id)
    buyer_id = view.plan.buyer_id
    try:
        payment_plans.change(g.actor, g.organisation.id, plan_id, _new_plan(buyer_id, view), g.today)
    except Refusal as refusal:
        return _page(buyer_id, get_plan_or_404(plan_id), said=sentence_for(refusal, choose_locale()), status=422)
    flash(_("The plan is changed and a draft again."), "success")
    return redirect(url_for("payment_plans.show", plan_id=plan_id))
