"""Blocks on shipments: who is blocked and why, and what may be done about it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, FileField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.blocks import Block, BlockSource, ExceptionReason
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for, word
from insureflow.queries import blocks as queries
from insureflow.queries import receivables
from insureflow.services import blocks
from insureflow.services.files import NewEvidence
from insureflow.web.access import may, requires
from insureflow.web.buyers.pages import frame_of
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.links import policy_url
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options

blueprint = Blueprint("blocks", __name__)


class BlockForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A block set by hand."""

    reason = StringField(_l("Why"), [InputRequired(), Length(max=1000)])
    with_group = BooleanField(_l("Its subsidiaries as well"))


class LiftForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """Why a block ends."""

    note = StringField(_l("Why it ends"), [InputRequired(), Length(max=1000)])


class AsideForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """An invoice that does not count."""

    reason = SelectField(_l("Why it does not count"), [InputRequired()])
    note = StringField(_l("What happened"), [InputRequired(), Length(max=1000)])
    until_on = DateField(_l("Counts again on"), [Optional()], description=_l("Empty: until somebody lets it count again."))


class ConsentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """The insurer's written consent to further supplies."""

    policy_id = SelectField(_l("Policy"), [InputRequired()])
    consented_on = DateField(_l("Date of the letter"), [InputRequired()])
    note = TextAreaField(_l("What it says"), [InputRequired(), Length(max=1000)])
    file = FileField(_l("The letter or e-mail"), [InputRequired(_l("Add the letter: a consent that cannot be shown is none."))])


def block_sentence(block: Block, name: str) -> str:
    """Whether anything may be shipped to a buyer on credit, in one sentence."""
    if block.is_blocked:
        sources = ", ".join(dict.fromkeys(word(cause.source, choose_locale()) for cause in block.causes))
        return str(_("Nothing may be shipped to %(name)s on credit (%(sources)s).", name=name, sources=sources))
    if block.is_cover_stopped:
        return str(_("Not blocked, because what causes the stop was set aside. But the policy covers nothing that is shipped now."))
    return str(_("Not blocked."))


_TONES = {"BlockState.blocked": "stopped", "BlockState.not_covered": "uncovered", "BlockState.group": "uncovered"}


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    why = "; ".join(cause.reason for cause in row["block"].causes if cause.reason)
    row["url"] = url_for("blocks.of_buyer", buyer_id=row["key"])
    row["state"] = {"value": row["state"], "tone": _TONES[row["state"]], "hint": why}
    return row


@blueprint.get("/blocks/")
@requires(Permission.VIEW_OBLIGATIONS)
def index() -> ResponseReturnValue:
    """Everybody who is blocked, and whose cover is stopped all the same."""
    locale = choose_locale()
    listing = queries.BlockListing(g.on, {source.value: word(source, locale) for source in BlockSource})
    view = TableView(
        listing,
        _("Blocked buyers"),
        {
            "buyer": _("Buyer"),
            "country": _("Country"),
            "state": _("State"),
            "sources": _("Because of"),
            "since": _("Since"),
            "oldest": _("Oldest due date"),
            "set_aside": _("Set aside"),
            "members": _("Blocked in its group"),
        },
        {"country": lambda: country_options(listing.countries()), "state": lambda: word_options(queries.STATES)},
        decorate=_decorate,
        empty=lambda: Empty(
            _("Nobody is blocked"),
            _("A buyer is blocked when an invoice is unpaid beyond its maximum extension period, or when somebody blocks it by hand."),
        ),
    )
    if (export := wanted_export(view, "blocks")) is not None:
        return export
    count = listing.count_blocked()
    sentence = (
        ngettext("%(count)s buyer gets nothing on credit.", "%(count)s buyers get nothing on credit.", count, count=count)
        if count
        else _("Nobody is blocked.")
    )
    return render_template("blocks/index.html", listing=build_table(view), sentence=sentence)


def _policies() -> dict[int, str]:
    return {policy.id: policy.name or policy.number for policy in g.scope.policies}


def _consent_form(block: Block, filled: bool = False) -> ConsentForm:
    form = ConsentForm() if filled else ConsentForm(formdata=None, consented_on=g.today)
    names = _policies()
    stopped = dict.fromkeys(cause.policy_id for cause in block.causes if cause.policy_id is not None) or names
    form.policy_id.choices = [(str(key), names[key]) for key in stopped if key in names]
    return form


def _page(
    buyer_id: int,
    *,
    status: int = 200,
    blocking: BlockForm | None = None,
    consent: ConsentForm | None = None,
    aside: AsideForm | None = None,
    aside_id: int | None = None,
) -> ResponseReturnValue:
    frame = frame_of(buyer_id)
    block = queries.find_block(buyer_id, g.on)
    asides = {}
    for cause in block.causes:
        for invoice in cause.invoices:
            form = aside if aside is not None and invoice.invoice_id == aside_id else AsideForm(formdata=None)
            form.reason.choices = word_options(list(ExceptionReason))
            asides[invoice.invoice_id] = form
    page = render_template(
        "blocks/of_buyer.html",
        **frame | {"sentence": block_sentence(block, frame["buyer"].legal_name)},
        block=block,
        policies=_policies(),
        policy_url=policy_url,
        asides=asides,
        exceptions=queries.exceptions_of(buyer_id),
        by_hand=queries.hand_blocks_of(buyer_id),
        blocking=blocking or BlockForm(formdata=None),
        lifting=LiftForm(formdata=None),
        consent=consent or _consent_form(block),
        can_change=may(Permission.LIFT_BLOCKS) and g.on == g.today,
        is_policy_stop=any(
            cause.source in {BlockSource.POLICY, BlockSource.INSURER} or (cause.plan_id and cause.policy_id) for cause in block.causes
        )
        or block.is_cover_stopped,
    )
    return page, status


@blueprint.get("/buyers/<int:buyer_id>/block")
@requires(Permission.VIEW_OBLIGATIONS)
def of_buyer(buyer_id: int) -> ResponseReturnValue:
    """Whether a buyer is blocked, why, and what may be done."""
    return _page(buyer_id)


@blueprint.post("/buyers/<int:buyer_id>/block")
@requires(Permission.LIFT_BLOCKS)
def set_block(buyer_id: int) -> ResponseReturnValue:
    """Block a buyer by hand."""
    form = BlockForm()
    if not form.validate_on_submit():
        return _page(buyer_id, status=422, blocking=form)
    try:
        blocks.set_block(
            g.actor, g.organisation.id, buyer_id, reason=form.reason.data, from_on=g.today, with_group=bool(form.with_group.data)
        )
    except Refusal as refusal:
        if refusal.code == "buyer_unknown":
            abort(404)
        form.reason.errors = [sentence_for(refusal, choose_locale())]
        return _page(buyer_id, status=422, blocking=form)
    flash(_("The buyer is blocked from today on."), "success")
    return redirect(url_for("blocks.of_buyer", buyer_id=buyer_id))


@blueprint.post("/blocks/<int:block_id>/lift")
@requires(Permission.LIFT_BLOCKS)
def lift(block_id: int) -> ResponseReturnValue:
    """Lift a block that was set by hand."""
    try:
        block = blocks.lift_block(g.actor, g.organisation.id, block_id, note=request.form.get("note", ""), on=g.today)
    except Refusal as refusal:
        if refusal.code == "block_unknown":
            abort(404)
        raise
    flash(_("The block is lifted."), "success")
    return redirect(url_for("blocks.of_buyer", buyer_id=block.buyer_id))


@blueprint.post("/blocks/invoices/<int:invoice_id>/set-aside")
@requires(Permission.LIFT_BLOCKS)
def set_aside(invoice_id: int) -> ResponseReturnValue:
    """Let an overdue invoice not count for the block."""
    form = AsideForm()
    form.reason.choices = word_options(list(ExceptionReason))
    buyer_id = read_key(request.form.get("buyer"))
    if receivables.find_invoice(invoice_id, g.today) is None:
        abort(404)
    if not form.validate_on_submit():
        if buyer_id is None:
            abort(400)
        return _page(buyer_id, status=422, aside=form, aside_id=invoice_id)
    try:
        entry = blocks.set_aside(
            g.actor,
            g.organisation.id,
            invoice_id,
            reason=ExceptionReason(form.reason.data),
            note=form.note.data,
            on=g.today,
            until_on=form.until_on.data,
        )
    except Refusal as refusal:
        if refusal.code == "invoice_unknown" or buyer_id is None:
            abort(404)
        form.note.errors = [sentence_for(refusal, choose_locale())]
        return _page(buyer_id, status=422, aside=form, aside_id=invoice_id)
    flash(_("The invoice does not count for the block any more. What is shipped now is still not covered."), "success")
    return redirect(url_for("blocks.of_buyer", buyer_id=entry.buyer_id))


@blueprint.post("/blocks/exceptions/<int:exception_id>/end")
@requires(Permission.LIFT_BLOCKS)
def count_again(exception_id: int) -> ResponseReturnValue:
    """Let an invoice count again."""
    try:
        entry = blocks.count_again(g.actor, g.organisation.id, exception_id, on=g.today)
    except Refusal as refusal:
        if refusal.code == "set_aside_unknown":
            abort(404)
        raise
    flash(_("The invoice counts for the block again."), "success")
    return redirect(url_for("blocks.of_buyer", buyer_id=entry.buyer_id))


@blueprint.post("/buyers/<int:buyer_id>/block/consent")
@requires(Permission.LIFT_BLOCKS)
def record_consent(buyer_id: int) -> ResponseReturnValue:
    """Enter the insurer's written consent to further supplies."""
    form = _consent_form(queries.find_block(buyer_id, g.on), filled=True)
    if not form.validate_on_submit():
        return _page(buyer_id, status=422, consent=form)
    sent = request.files.get("file")
    evidence = NewEvidence(sent.filename, sent.stream, form.consented_on.data) if sent is not None and sent.filename else None
    try:
        blocks.record_consent(
            g.actor,
            g.organisation.id,
            buyer_id=buyer_id,
            policy_id=int(form.policy_id.data),
            on=form.consented_on.data,
            today=g.today,
            note=form.note.data,
            evidence=evidence,
        )
    except Refusal as refusal:
        form.file.errors = [sentence_for(refusal, choose_locale())]
        return _page(buyer_id, status=422, consent=form)
    flash(_("The consent is entered with its letter; cover and block follow it."), "success")
    return redirect(url_for("blocks.of_buyer", buyer_id=buyer_id))
