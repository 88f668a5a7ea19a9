"""A buyer's overdues: what is late and what was sent about it, promises, holds, calls, statements of account, notices of interest."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.dunning import ContactKind, PromiseState
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n import formats
from insureflow.i18n.words import sentence_for, word
from insureflow.models.documents import IssuedDocument
from insureflow.models.dunning import ContactNote, DunningHold, PromiseToPay
from insureflow.models.organisations import Entity
from insureflow.queries import dunning as queries
from insureflow.services import dunning
from insureflow.services.journal import Actor
from insureflow.web.access import requires
from insureflow.web.buyers.pages import frame_of
from insureflow.web.buyers.routes import get_buyer_or_404
from insureflow.web.context import choose_locale
from insureflow.web.downloads import readable
from insureflow.web.dunning.letters import TONES
from insureflow.web.dunning.routes import blueprint
from insureflow.web.limits.forms import read_minor, show_refusal
from insureflow.web.tables import word_options

PROMISE_TONES = {
    PromiseState.OPEN: "undecided",
    PromiseState.KEPT: "covered",
    PromiseState.KEPT_LATE: "uncovered",
    PromiseState.BROKEN: "stopped",
    PromiseState.CANCELLED: "undecided",
}


class PromiseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """What a buyer promised."""

    amount = StringField(_l("Amount"), [InputRequired(_l("Give the amount that was promised."))], render_kw={"inputmode": "decimal"})
    currency = SelectField(_l("Currency"), validate_choice=False)
    promised_for = DateField(_l("By when"), [InputRequired(_l("Say by when."))])
    by_whom = StringField(_l("By whom"), [Optional(), Length(max=200)])
    invoices = StringField(
        _l("Invoices"), [Optional(), Length(max=2000)], description=_l("Numbers with commas between them; empty for all.")
    )
    note = TextAreaField(_l("Remark"), [Optional(), Length(max=1000)])


class HoldForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """Why no letters are to go."""

    reason = StringField(_l("Why"), [InputRequired(_l("Say why no letters are to go.")), Length(max=1000)])
    until_on = DateField(
        _l("Until"), [Optional()], description=_l("The first day on which letters may go again; empty until somebody ends it.")
    )
    invoice_number = StringField(_l("Invoice"), [Optional(), Length(max=80)], description=_l("Empty for all invoices of the buyer."))


class NoteForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A call, a visit or a note."""

    kind = SelectField(_l("What"), validate_choice=False)
    happened_on = DateField(_l("When"), [InputRequired(_l("Say when."))])
    with_whom = StringField(_l("With whom"), [Optional(), Length(max=200)])
    text = TextAreaField(_l("What was said"), [InputRequired(_l("Write down what was said.")), Length(max=4000)])
    follow_up_on = DateField(_l("Come back to it on"), [Optional()])


def _timeline(buyer_id: int) -> list[dict[str, Any]]:
    """Letters, notes, promises and holds, the newest first."""
    locale = choose_locale()
    entries: list[tuple[date, int, dict[str, Any]]] = []
    for letter in queries.letters_of(buyer_id):
        amount = formats.money(letter.total_minor, letter.currency, locale)
        title = _("%(level)s about %(amount)s", level=word(letter.level, locale), amount=amount)
        on = letter.sent_on or letter.as_of
        entries.append(
            (on, letter.id, {"on": on, "title": title, "tone": TONES[letter.state], "badge": letter.state, "url": url_for("dunning.show", letter_id=letter.id)})
        )  # fmt: skip
    for note in queries.notes_of(buyer_id):
        title = (
            _("%(kind)s with %(person)s", kind=word(note.kind, locale), person=note.with_whom)
            if note.with_whom
            else word(note.kind, locale)
        )
        entries.append((note.happened_on, note.id, {"on": note.happened_on, "title": title, "text": note.text}))
    for promise in queries.promises_of(buyer_id):
        amount, day = formats.money(promise.amount_minor, promise.currency, locale), formats.day(promise.promised_for, locale)
        title = _("Promise of %(amount)s by %(day)s", amount=amount, day=day)
        entries.append((promise.made_on, promise.id, {"on": promise.made_on, "title": title, "text": promise.note}))
    entries += [
        (hold.from_on, hold.id, {"on": hold.from_on, "title": _("Letters held"), "text": hold.reason})
        for hold in queries.holds_of(buyer_id)
    ]
    return [entry for _on, _key, entry in sorted(entries, key=lambda each: each[:2], reverse=True)]


def _selling(buyer_id: int) -> list[Entity]:
    """The entities in scope whose ledgers know a buyer: the others have no account to state."""
    known = queries.entities_of(buyer_id)
    return [entity for entity in g.scope.entities if entity.id in known]


def _show(buyer_id: int, forms: dict[str, FlaskForm] | None = None, status: int = 200) -> ResponseReturnValue:
    frame = frame_of(buyer_id)
    given = forms or {}
    rows = [
        (invoice, entity, level, count)
        for invoice, entity, level, count in queries.overdue_of(buyer_id, g.on)
        if g.scope.entity_id in (None, entity.id)
    ]
    rules, source = dunning.rules_for_buyer(frame["buyer"], g.on)
    promises = queries.promise_pictures(g.on, buyer_id=buyer_id)
    holds = [hold for hold in queries.holds_of(buyer_id) if hold.until_on is None or hold.until_on > g.on]
    said = (
        ngettext("%(count)s invoice is overdue.", "%(count)s invoices are overdue.", len(rows), count=len(rows))
        if rows
        else _("Nothing is overdue.")
    )
    return render_template(
        "dunning/of_buyer.html",
        **frame,
        rows=rows,
        said=said,
        rules=rules,
        source=source,
        promises=promises,
        promise_tones=PROMISE_TONES,
        holds=holds,
        follow_ups=[note for note in queries.notes_of(buyer_id) if note.follow_up_on and note.followed_up_on is None],
        timeline_entries=_timeline(buyer_id),
        promise_form=given.get("promise") or _promise_form(rows),
        hold_form=given.get("hold") or HoldForm(formdata=None),
        note_form=given.get("note") or _note_form(),
        statement_entities=_selling(buyer_id),
    ), status


def _promise_form(rows: list[Any]) -> PromiseForm:
    own = dict.fromkeys([*(invoice.currency for invoice, *_rest in rows), g.organisation.reporting_currency])
    form = PromiseForm(formdata=None, data={"currency": next(iter(own))})
    form.currency.choices = [(code, code) for code in (*own, *sorted(CURRENCIES - own.keys()))]
    return form


def _note_form() -> NoteForm:
    form = NoteForm(formdata=None, data={"happened_on": g.today})
    form.kind.choices = word_options(list(ContactKind))
    return form


@blueprint.get("/buyers/<int:buyer_id>")
@requires(Permission.VIEW_RECEIVABLES)
def of_buyer(buyer_id: int) -> ResponseReturnValue:
    """What is late at a buyer, and everything that was said about it."""
    return _show(buyer_id)


def _change(buyer_id: int, name: str, form: FlaskForm, done: str, action: Callable[[], object]) -> ResponseReturnValue:
    """Do what a form of the page asks for, or show the page again with what was typed."""
    if form.validate_on_submit():
        try:
            action()
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            flash(done, "success")
            return redirect(url_for("dunning.of_buyer", buyer_id=buyer_id))
    return _show(buyer_id, {name: form}, 422)


def _end(
    found: PromiseToPay | DunningHold | ContactNote | None, action: Callable[[Actor, int, int, date], object], done: str
) -> ResponseReturnValue:
    """Let a promise, a hold or a reminder to come back end, and show the buyer it was about."""
    if found is None:
        abort(404)
    key, buyer_id = found.id, found.buyer_id
    action(g.actor, g.organisation.id, key, g.today)
    flash(done, "success")
    return redirect(url_for("dunning.of_buyer", buyer_id=buyer_id))


@blueprint.post("/buyers/<int:buyer_id>/promises")
@requires(Permission.SEND_LETTERS)
def promise(buyer_id: int) -> ResponseReturnValue:
    """Write down a promise to pay."""
    get_buyer_or_404(buyer_id)
    form = PromiseForm()
    form.currency.choices = [(code, code) for code in sorted(CURRENCIES)]

    def action() -> None:
        minor = read_minor(form.amount.data, form.currency.data, "amount")
        dunning.add_promise(
            g.actor,
            g.organisation.id,
            buyer_id,
            Money(minor or 0, form.currency.data),
            made_on=g.today,
            promised_for=form.promised_for.data,
            by_whom=form.by_whom.data or "",
            invoices=re.split(r"[,;]", form.invoices.data or ""),
            note=form.note.data or "",
        )

    return _change(buyer_id, "promise", form, _("The promise is written down; letters wait until then."), action)


@blueprint.post("/promises/<int:promise_id>/cancel")
@requires(Permission.SEND_LETTERS)
def cancel_promise(promise_id: int) -> ResponseReturnValue:
    """A promise no longer counts."""
    return _end(queries.find_promise(promise_id), dunning.cancel_promise, _("The promise no longer counts."))


@blueprint.post("/buyers/<int:buyer_id>/holds")
@requires(Permission.SEND_LETTERS)
def hold(buyer_id: int) -> ResponseReturnValue:
    """Hold letters to a buyer or about an invoice."""
    get_buyer_or_404(buyer_id)
    form = HoldForm()
    return _change(
        buyer_id,
        "hold",
        form,
        _("Letters are held."),
        lambda: dunning.add_hold(
            g.actor,
            g.organisation.id,
            buyer_id,
            reason=form.reason.data,
            from_on=g.today,
            until_on=form.until_on.data,
            invoice_number=form.invoice_number.data or "",
        ),
    )


@blueprint.post("/holds/<int:hold_id>/end")
@requires(Permission.SEND_LETTERS)
def end_hold(hold_id: int) -> ResponseReturnValue:
    """Letters may go again."""
    return _end(queries.find_hold(hold_id), dunning.end_hold, _("Letters may go again."))


@blueprint.post("/buyers/<int:buyer_id>/notes")
@requires(Permission.SEND_LETTERS)
def note(buyer_id: int) -> ResponseReturnValue:
    """Write down a call, a visit or a note."""
    get_buyer_or_404(buyer_id)
    form = NoteForm()
    form.kind.choices = word_options(list(ContactKind))

    def action() -> None:
        kind = ContactKind(form.kind.data) if form.kind.data in {each.value for each in ContactKind} else ContactKind.NOTE
        dunning.add_note(
            g.actor,
            g.organisation.id,
            buyer_id,
            kind,
            form.text.data,
            happened_on=form.happened_on.data,
            with_whom=form.with_whom.data or "",
            follow_up_on=form.follow_up_on.data,
        )

    return _change(buyer_id, "note", form, _("It is written down."), action)


@blueprint.post("/notes/<int:note_id>/done")
@requires(Permission.SEND_LETTERS)
def follow_up_done(note_id: int) -> ResponseReturnValue:
    """Somebody came back to it."""
    return _end(queries.find_note(note_id), dunning.follow_up_done, _("Done."))


def _require_account(buyer_id: int, entity_id: int) -> None:
    """404 where the buyer or the entity is not there to be seen."""
    get_buyer_or_404(buyer_id)
    if entity_id not in {entity.id for entity in g.scope.entities}:
        abort(404)


def _paper(buyer_id: int, write: Callable[[], str]) -> ResponseReturnValue:
    """A paper as it would be issued today, or why there is none."""
    try:
        return readable(write())
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("dunning.of_buyer", buyer_id=buyer_id))


def _issue(buyer_id: int, send: Callable[[bool], tuple[IssuedDocument, object]], says: Callable[[str, bool], str]) -> ResponseReturnValue:
    """Issue a paper, by mail where asked, and show the buyer's documents; ``says`` is what was done."""
    by_mail = request.form.get("by_mail") == "yes"
    try:
        document, _message = send(by_mail)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("dunning.of_buyer", buyer_id=buyer_id))
    flash(says(document.number, by_mail), "success")
    return redirect(url_for("issued_documents.of_buyer", buyer_id=buyer_id))


@blueprint.get("/buyers/<int:buyer_id>/statements/<int:entity_id>")
@requires(Permission.VIEW_RECEIVABLES)
def preview_statement(buyer_id: int, entity_id: int) -> ResponseReturnValue:
    """A statement of account as it would be issued today."""
    _require_account(buyer_id, entity_id)
    return _paper(buyer_id, lambda: dunning.preview_statement(g.organisation.id, buyer_id, entity_id, g.today))


@blueprint.post("/buyers/<int:buyer_id>/statements/<int:entity_id>")
@requires(Permission.SEND_LETTERS)
def statement(buyer_id: int, entity_id: int) -> ResponseReturnValue:
    """Issue a statement of account, by mail or as a document."""
    _require_account(buyer_id, entity_id)
    return _issue(
        buyer_id,
        lambda by_mail: dunning.send_statement(g.actor, g.organisation.id, buyer_id, entity_id, g.today, by_mail=by_mail),
        lambda number, by_mail: (
            _("The statement %(number)s waits to be sent.", number=number)
            if by_mail
            else _("The statement %(number)s is issued.", number=number)
        ),
    )


@blueprint.get("/buyers/<int:buyer_id>/interest/<int:entity_id>")
@requires(Permission.VIEW_RECEIVABLES)
def preview_interest(buyer_id: int, entity_id: int) -> ResponseReturnValue:
    """A notice of interest as it would be issued today."""
    _require_account(buyer_id, entity_id)
    return _paper(buyer_id, lambda: dunning.preview_interest(g.organisation.id, buyer_id, entity_id, g.today))


@blueprint.post("/buyers/<int:buyer_id>/interest/<int:entity_id>")
@requires(Permission.SEND_LETTERS)
def interest_notice(buyer_id: int, entity_id: int) -> ResponseReturnValue:
    """Issue a notice of interest, by mail or as a document."""
    _require_account(buyer_id, entity_id)
    return _issue(
        buyer_id,
        lambda by_mail: dunning.send_interest_notice(g.actor, g.organisation.id, buyer_id, entity_id, g.today, by_mail=by_mail),
        lambda number, by_mail: (
            _("The notice of interest %(number)s waits to be sent.", number=number)
            if by_mail
            else _("The notice of interest %(number)s is issued.", number=number)
        ),
    )
