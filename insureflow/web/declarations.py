"""Declarations to insurers: what is due, the list, one of them down to its documents, and each step to the insurer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.declarations import DeclarationStatus, DeclarationWay, DeclaredItem, SalesCategory
from insureflow.domain.errors import Refusal
from insureflow.i18n import formats
from insureflow.i18n.words import sentence_for, word
from insureflow.queries import declarations as queries
from insureflow.queries.declarations import DeclarationView
from insureflow.services import declarations
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.limits.forms import show_refusal
from insureflow.web.links import buyer_url
from insureflow.web.tables import Empty, TableView, build_table, country_options, read_date, wanted_export, word_options

blueprint = Blueprint("declarations", __name__, url_prefix="/declarations")

STATUS_TONES = {
    DeclarationStatus.DRAFT: "uncovered",
    DeclarationStatus.APPROVED: "uncovered",
    DeclarationStatus.DECLARED: "covered",
    DeclarationStatus.SUPERSEDED: "undecided",
}


class DeclareForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """How a declaration was made, and how that is proven."""

    way = SelectField(_l("Declared by"), [InputRequired()])
    declared_on = DateField(_l("Declared on"), [InputRequired()])
    protocol = StringField(
        _l("Protocol number"),
        [Optional(), Length(max=120)],
        description=_l("The number that the insurer's portal or desk gave. It proves that you declared in time."),
    )
    note = TextAreaField(_l("Remark"), [Optional(), Length(max=1000)])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("declarations.show", declaration_id=int(row["number"]))
    row["period"] = {"value": row["period"], "url": row["url"]}
    row["status"] = {"value": DeclarationStatus(row["status"]), "tone": STATUS_TONES[DeclarationStatus(row["status"])]}
    return row


def _empty() -> Empty:
    return Empty(
        _("No declaration yet"),
        _("What has to be declared follows from the terms of your policies. Each period is drafted from the ledger when it is over."),
    )


def _list_view() -> TableView:
    return TableView(
        queries.declaration_listing(policy_id=g.scope.policy_id),
        _("Declarations"),
        {
            "period": _("Period to"),
            "period_from": _("From"),
            "policy": _("Policy"),
            "insurer": _("Insurer"),
            "version": _("Version"),
            "status": _("Status"),
            "due_on": _("Due"),
            "declared_on": _("Declared on"),
            "declared": _("To declare"),
            "left_out": _("Left out"),
            "items": _("Items"),
            "protocol": _("Protocol number"),
        },
        {
            "policy": lambda: [(policy.number, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies],
            "status": lambda: word_options(tuple(DeclarationStatus)),
        },
        decorate=_shown,
        empty=_empty,
    )


@blueprint.get("/")
@requires(Permission.VIEW_OBLIGATIONS)
def index() -> ResponseReturnValue:
    """The periods that have to be declared, and every declaration made or drafted."""
    view = _list_view()
    export = wanted_export(view, "declarations") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    due = queries.open_periods(g.on, policy_id=g.scope.policy_id)
    late = sum(1 for each in due if each.is_late)
    sentence = ngettext(
        "%(count)s period is over and not declared; %(late)s of them are late.",
        "%(count)s periods are over and not declared; %(late)s of them are late.",
        len(due),
        count=len(due),
        late=late,
    )
    return render_template(
        "declarations/index.html",
        listing=build_table(view),
        due=due,
        sentence=sentence if due else _("Every period that is over has been declared."),
        tones=STATUS_TONES,
        can_draft=may(Permission.EDIT_OBLIGATIONS) and g.on == g.today,
    )


def _view_or_404(declaration_id: int) -> DeclarationView:
    view = queries.find_declaration(declaration_id)
    if view is None:
        abort(404)
    return view


def _line(row: dict[str, Any]) -> dict[str, Any]:
    row["buyer"] = {"value": row["buyer"], "url": buyer_url(int(row["buyer_id"]))}
    if row["invoice_id"] is not None:
        row["number"] = {"value": row["number"], "url": url_for("receivables.show", invoice_id=int(row["invoice_id"]))}
    row["item"] = {"value": DeclaredItem(row["item"]), "tone": "plain"}
    row["category"] = None if row["category"] is None else {"value": SalesCategory(row["category"]), "tone": "plain"}
    return row


def _lines_view(view: DeclarationView) -> TableView:
    return TableView(
        queries.line_listing(view.declaration.id),
        _("What it is added up from"),
        {
            "buyer": _("Buyer"),
            "country": _("Country"),
            "item": _("Item"),
            "number": _("Number"),
            "dated_on": _("Date"),
            "amount": _("Amount"),
            "full": _("In policy currency"),
            "declared": _("Declared"),
            "left_out": _("Left out"),
            "category": _("Kind of sale"),
        },
        {
            "country": lambda: country_options(queries.countries_of(view.declaration.id)),
            "item": lambda: word_options(tuple(DeclaredItem)),
            "category": lambda: word_options(tuple(SalesCategory)),
        },
        decorate=_line,
        empty=lambda: Empty(
            _("Nothing to declare"), _("The ledger holds nothing for this period. A declaration of nothing may still be due.")
        ),
    )


@blueprint.get("/<int:declaration_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def show(declaration_id: int) -> ResponseReturnValue:
    """One declaration: its sums, what was left out and why, down to the documents, and what comes next."""
    view = _view_or_404(declaration_id)
    lines = _lines_view(view)
    export = wanted_export(lines, f"declaration-{view.declaration.period_to.isoformat()}") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    own, locale = view.declaration, choose_locale()
    amounts = {
        "declared": formats.money(own.declared_minor, own.currency, locale),
        "full": formats.money(own.full_minor, own.currency, locale),
        "left_out": formats.money(view.left_out.minor, own.currency, locale),
    }
    if own.declared_on is not None:
        sentence = _("%(declared)s of %(full)s was declared; %(left_out)s was left out.", **amounts)
    else:
        sentence = _("%(declared)s of %(full)s is to be declared; %(left_out)s is left out.", **amounts)
    is_today, papers = g.on == g.today, queries.papers_of(own)
    return render_template(
        "declarations/show.html",
        view=view,
        own=own,
        lines=build_table(lines),
        sentence=sentence,
        tones=STATUS_TONES,
        can_approve=is_today and may(Permission.APPROVE_DECLARATIONS) and own.status is DeclarationStatus.DRAFT,
        is_own=own.created_by_id is not None and own.created_by_id == g.actor.user_id,
        papers=papers,
        can_issue=is_today
        and may(Permission.EDIT_OBLIGATIONS)
        and own.status in {DeclarationStatus.APPROVED, DeclarationStatus.DECLARED}
        and not papers,
        can_declare=is_today and may(Permission.EDIT_OBLIGATIONS) and own.status is DeclarationStatus.APPROVED,
        can_draft=is_today and may(Permission.EDIT_OBLIGATIONS) and own.status is not DeclarationStatus.SUPERSEDED,
    )


@blueprint.post("/draft")
@requires(Permission.EDIT_OBLIGATIONS)
def draft() -> ResponseReturnValue:
    """Add a period up from the ledger as it stands today."""
    policy_id, last_day = read_key(request.form.get("policy_id", "")), read_date(request.form.get("last_day", ""))
    if policy_id is None or last_day is None:
        abort(404)
    try:
        made = declarations.draft(g.actor, g.organisation.id, policy_id, last_day, g.today)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("declarations.index"))
    flash(_("The declaration is drafted from the ledger as it stands today."), "success")
    return redirect(url_for("declarations.show", declaration_id=made.id))


@blueprint.post("/<int:declaration_id>/approve")
@requires(Permission.APPROVE_DECLARATIONS)
def approve(declaration_id: int) -> ResponseReturnValue:
    """Agree to a draft as a second person."""
    _view_or_404(declaration_id)
    try:
        declarations.approve(g.actor, g.organisation.id, declaration_id)
        flash(_("The declaration is approved. Send it to the insurer and record how."), "success")
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
    return redirect(url_for("declarations.show", declaration_id=declaration_id))


@blueprint.post("/<int:declaration_id>/paper")
@requires(Permission.EDIT_OBLIGATIONS)
def paper(declaration_id: int) -> ResponseReturnValue:
    """Issue an approved declaration as a document for the insurer."""
    _view_or_404(declaration_id)
    try:
        document = declarations.issue_paper(g.actor, g.organisation.id, declaration_id, g.today)
        flash(_("The document %(number)s is issued.", number=document.number), "success")
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
    return redirect(url_for("declarations.show", declaration_id=declaration_id))


@blueprint.route("/<int:declaration_id>/declare", methods=["GET", "POST"])
@requires(Permission.EDIT_OBLIGATIONS)
def declare(declaration_id: int) -> ResponseReturnValue:
    """Record that an approved declaration was made, and how that is proven."""
    view = _view_or_404(declaration_id)
    form = DeclareForm(data={"declared_on": g.today, "way": DeclarationWay.PORTAL.value})
    form.way.choices = [(way.value, word(way, choose_locale())) for way in DeclarationWay]
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                declarations.declare(
                    g.actor,
                    g.organisation.id,
                    declaration_id,
                    DeclarationWay(form.way.data),
                    protocol=form.protocol.data or "",
                    declared_on=form.declared_on.data,
                    on=g.today,
                    note=form.note.data or "",
                )
                flash(_("The declaration is recorded, and the duty is done."), "success")
                return redirect(url_for("declarations.show", declaration_id=declaration_id))
            except Refusal as refusal:
                show_refusal(form, refusal)
    return render_template("declarations/declare.html", form=form, view=view, own=view.declaration), status
