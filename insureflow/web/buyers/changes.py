"""Forms and buttons that change buyers."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.buyers import IdentifierScheme
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.i18n.words import sentence_for
from insureflow.models.buyers import Buyer
from insureflow.queries import buyers as buyer_queries
from insureflow.services import buyers
from insureflow.services.buyers import BuyerDetails
from insureflow.web.access import requires
from insureflow.web.buyers.forms import BuyerForm, build_form, read_form, show_problems
from insureflow.web.buyers.routes import blueprint, get_buyer_or_404
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key


def _insurers() -> list[str]:
    return sorted({policy.insurer for policy in g.scope.policies})


def _form_page(form: BuyerForm, buyer: Buyer | None, status: int = 200) -> ResponseReturnValue:
    schemes = list(IdentifierScheme)
    return render_template("buyers/form.html", form=form, buyer=buyer, insurers=_insurers(), schemes=schemes), status


def _sent(form: BuyerForm, parent: Buyer | None, buyer_id: int | None) -> BuyerDetails | None:
    """What was sent, or None with the problems noted in the form."""
    if not form.validate_on_submit():
        return None
    try:
        return read_form(form, parent, buyer_id)
    except InvalidValue as problem:
        show_problems(form, InvalidValues((problem,)))
        return None


def _refused(form: BuyerForm, refusal: Refusal) -> None:
    if isinstance(refusal, InvalidValues):
        show_problems(form, refusal)
    else:
        form.form_errors.append(sentence_for(refusal, choose_locale()))


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.EDIT_BUYERS)
def add() -> ResponseReturnValue:
    """Add a buyer by hand."""
    form = build_form(None, None, g.scope.entities, _insurers())
    if request.method == "GET":
        return _form_page(form, None)
    details = _sent(form, None, None)
    if details is None:
        return _form_page(form, None, 422)
    try:
        buyer = buyers.add_buyer(g.actor, g.organisation.id, details)
    except Refusal as refusal:
        _refused(form, refusal)
        return _form_page(form, None, 422)
    flash(_("%(name)s was added.", name=buyer.legal_name), "success")
    return redirect(url_for("buyers.show", buyer_id=buyer.id))


@blueprint.route("/<int:buyer_id>/edit", methods=["GET", "POST"])
@requires(Permission.EDIT_BUYERS)
def edit(buyer_id: int) -> ResponseReturnValue:
    """Change what is known of a buyer."""
    buyer = get_buyer_or_404(buyer_id)
    parent = buyer_queries.find_buyer(buyer.parent_id) if buyer.parent_id else None
    form = build_form(buyers.details_of(buyer), parent, g.scope.entities, _insurers())
    if request.method == "GET":
        return _form_page(form, buyer)
    details = _sent(form, parent, buyer_id)
    if details is None:
        return _form_page(form, buyer, 422)
    try:
        changed = buyers.change_buyer(g.actor, g.organisation.id, buyer_id, details, g.today)
    except Refusal as refusal:
        _refused(form, refusal)
        return _form_page(form, buyer, 422)
    flash(_("%(name)s was changed.", name=changed.legal_name), "success")
    return redirect(url_for("buyers.details", buyer_id=buyer_id))


@blueprint.route("/<int:buyer_id>/merge", methods=["GET", "POST"])
@requires(Permission.EDIT_BUYERS)
def merge(buyer_id: int) -> ResponseReturnValue:
    """Make another buyer one with this: first search for it, then confirm."""
    buyer = get_buyer_or_404(buyer_id)
    text = request.values.get("search", "").strip()[:200]
    refused = None
    if request.method == "POST":
        chosen = request.form.get("merged", "")
        try:
            kept = buyers.merge_buyers(g.actor, g.organisation.id, buyer_id, read_key(chosen) or 0, g.today)
        except Refusal as refusal:
            refused = sentence_for(refusal, choose_locale())
        else:
            flash(_("The two buyers are one now: %(name)s.", name=kept.legal_name), "success")
            return redirect(url_for("buyers.show", buyer_id=kept.id))
    found = buyer_queries.search_buyers(text, without=buyer_id) if text else buyer_queries.find_similar(buyer)
    return render_template("buyers/merge.html", buyer=buyer, found=found, search=text, refused=refused), 422 if refused else 200


@blueprint.post("/<int:buyer_id>/archive")
@requires(Permission.EDIT_BUYERS)
def archive(buyer_id: int) -> ResponseReturnValue:
    """Put a buyer away."""
    get_buyer_or_404(buyer_id)
    try:
        buyer = buyers.archive_buyer(g.actor, g.organisation.id, buyer_id)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
    else:
        flash(_("%(name)s is in the archive.", name=buyer.legal_name), "success")
    return redirect(url_for("buyers.details", buyer_id=buyer_id))


@blueprint.post("/<int:buyer_id>/restore")
@requires(Permission.EDIT_BUYERS)
def restore(buyer_id: int) -> ResponseReturnValue:
    """Take a buyer out of the archive."""
    get_buyer_or_404(buyer_id)
    buyer = buyers.restore_buyer(g.actor, g.organisation.id, buyer_id)
    flash(_("%(name)s is out of the archive.", name=buyer.legal_name), "success")
    return redirect(url_for("buyers.details", buyer_id=buyer_id))


@blueprint.post("/confirm")
@requires(Permission.EDIT_BUYERS)
def confirm() -> ResponseReturnValue:
    """Mark buyers as looked at."""
    keys = [key for text in request.form.getlist("buyer") if (key := read_key(text))]
    count = buyers.confirm_buyers(g.actor, g.organisation.id, keys)
    flash(ngettext("%(count)s buyer was confirmed.", "%(count)s buyers were confirmed.", count, count=count), "success")
    return redirect(url_for("buyers.show", buyer_id=keys[0]) if len(keys) == 1 else url_for("buyers.index"))
