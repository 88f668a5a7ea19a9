"""The inbox: what a person was told and has not read, how they want to be told, and their calendar feeds."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import InputRequired, Length

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.messages import Digest, NoticeToPerson
from insureflow.i18n import values, words
from insureflow.i18n.words import sentence_for
from insureflow.queries import telling as queries
from insureflow.services import calendar_feeds, telling
from insureflow.services.clock import business_date, now
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.links import buyer_url, link_to
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options

blueprint = Blueprint("telling", __name__)


class SettingForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """How a person wants to be told."""

    digest = RadioField(_l("Summary by e-mail"), [InputRequired()])
    days_before = StringField(
        _l("Remind me so many days before a duty"),
        [Length(max=60)],
        description=_l("Whole days, divided by commas; 0 is the day itself. Once it is late you are told in any case."),
    )
    only_own = BooleanField(_l("Only of duties that I look after"))


def said(kind: NoticeToPerson, facts: dict[str, Any]) -> str:
    """What a person is told, in a sentence filled with its facts."""
    locale = choose_locale()
    return words.sentence(f"told.{kind.value}", {name: values.said(name, value, locale).text for name, value in facts.items()}, locale)


def way_to(kind: NoticeToPerson, facts: dict[str, Any], buyer_id: int | None, address: str) -> str | None:
    """The page that shows more."""
    if kind in {NoticeToPerson.DUTY_COMES, NoticeToPerson.DUTY_TODAY, NoticeToPerson.DUTY_LATE}:
        day = facts.get("due_on")
        return link_to("obligations.duties", kind=facts.get("duty"), due_on_from=day, due_on_to=day, buyer_id=buyer_id)
    if address.startswith("/") and not address.startswith("//"):
        return address
    return None if buyer_id is None else buyer_url(buyer_id)


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    kind: NoticeToPerson = row["kind"]
    row["url"] = way_to(kind, row["facts"], row["buyer_id"], row["address"] or "")
    tone = "stopped" if kind in _PRESSING else "undecided"
    row["kind"] = {"value": kind, "tone": "covered" if row["read_at"] else tone, "hint": said(kind, row["facts"])}
    if row["buyer_id"] is not None:
        row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    return row


_PRESSING = frozenset(
    {
        NoticeToPerson.DUTY_TODAY,
        NoticeToPerson.DUTY_LATE,
        NoticeToPerson.MESSAGE_FAILED,
        NoticeToPerson.PROMISE_BROKEN,
        NoticeToPerson.INSTALMENT_BROKEN,
        NoticeToPerson.BUYER_BLOCKED,
        NoticeToPerson.WEBHOOK_STOPPED,
    }
)


@blueprint.get("/inbox/")
@requires(Permission.VIEW_OBLIGATIONS)
def index() -> ResponseReturnValue:
    """What this person was told."""
    with_read = request.args.get("read") == "yes"
    view = TableView(
        queries.told_listing(g.user.id, with_read=with_read),
        _("All that I was told") if with_read else _("Not read yet"),
        {"kind": _("What"), "buyer": _("Buyer"), "created_at": _("When")},
        {"kind": lambda: word_options(list(NoticeToPerson))},
        decorate=_decorate,
        empty=lambda: Empty(
            _("Nothing is unread"),
            _("You are told here when a duty comes near, a letter waits for you, a promise is broken, or an insurer answers."),
        ),
    )
    if (export := wanted_export(view, "inbox")) is not None:
        return export
    unread = queries.count_unread(g.user.id)
    sentence = (
        ngettext("%(count)s thing waits to be read.", "%(count)s things wait to be read.", unread, count=unread)
        if unread
        else _("You have read everything.")
    )
    return render_template("telling/index.html", listing=build_table(view), sentence=sentence, count=unread, with_read=with_read)


@blueprint.post("/inbox/read")
@requires(Permission.VIEW_OBLIGATIONS)
def mark_read() -> ResponseReturnValue:
    """Everything is read."""
    count = telling.mark_read(g.organisation.id, g.user.id)
    flash(ngettext("%(count)s thing is marked as read.", "%(count)s things are marked as read.", count, count=count), "success")
    return redirect(url_for("telling.index"))


def _form() -> SettingForm:
    setting = queries.find_setting(g.user.id)
    form = SettingForm(
        digest=(setting.digest if setting else Digest.OFF).value,
        days_before=", ".join(str(days) for days in (setting.days_before if setting else telling.DAYS_BEFORE)),
        only_own=bool(setting and setting.only_own),
    )
    form.digest.choices = word_options(list(Digest))
    return form


def _settings(form: SettingForm, *, secret: str | None = None, status: int = 200) -> ResponseReturnValue:
    address = None if secret is None else url_for("telling.feed", slug=g.organisation.slug, secret=secret, _external=True)
    page = render_template("telling/settings.html", form=form, feeds=calendar_feeds.feeds_of(g.user.id), address=address)
    response = make_response(page, status)
    if address is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/inbox/settings")
@requires(Permission.VIEW_OBLIGATIONS)
def settings() -> ResponseReturnValue:
    """How this person wants to be told."""
    return _settings(_form())


@blueprint.post("/inbox/settings")
@requires(Permission.VIEW_OBLIGATIONS)
def change_settings() -> ResponseReturnValue:
    """Keep how this person wants to be told."""
    form = _form()
    if not form.validate_on_submit():
        return _settings(form, status=422)
    written = [part.strip() for part in (form.days_before.data or "").split(",") if part.strip()]
    if any(not part.isdecimal() or len(part) > 3 for part in written):
        form.days_before.errors = [_("Write whole days divided by commas, such as 15, 5, 0.")]
        return _settings(form, status=422)
    try:
        telling.change_setting(
            g.actor,
            g.organisation.id,
            g.user.id,
            digest=Digest(form.digest.data),
            days_before=[int(part) for part in written],
            only_own=bool(form.only_own.data),
        )
    except InvalidValue as problem:
        form.days_before.errors = [sentence_for(problem, choose_locale())]
        return _settings(form, status=422)
    flash(_("You will be told in this way from now on."), "success")
    return redirect(url_for("telling.settings"))


@blueprint.post("/inbox/feeds")
@requires(Permission.VIEW_OBLIGATIONS)
def open_feed() -> ResponseReturnValue:
    """A new calendar feed; its address is shown this once."""
    _feed, secret = calendar_feeds.open_feed(g.actor, g.organisation.id, g.user.id, only_own=request.form.get("only_own") == "yes")
    return _settings(_form(), secret=secret)


@blueprint.post("/inbox/feeds/<int:feed_id>/end")
@requires(Permission.VIEW_OBLIGATIONS)
def end_feed(feed_id: int) -> ResponseReturnValue:
    """End a calendar feed at once."""
    try:
        calendar_feeds.end_feed(g.actor, g.organisation.id, g.user.id, feed_id)
    except Refusal as refusal:
        if refusal.code == "calendar_feed_unknown":
            abort(404)
        raise
    flash(_("The feed is ended. Calendar programs that read it get nothing any more."), "success")
    return redirect(url_for("telling.settings"))


@blueprint.get("/feeds/<slug>/<secret>.ics")
def feed(slug: str, secret: str) -> ResponseReturnValue:
    """The open duties for a calendar program, which cannot log in; a wrong address is answered like one that does not exist."""
    at = now()
    reader = calendar_feeds.find_reader(slug, secret, at)
    if reader is None:
        abort(404)
    on = business_date(reader.organisation.time_zone)
    locale = reader.user.locale or reader.organisation.locale
    content = calendar_feeds.read(reader, on, at, locale=locale, home=request.url_root.rstrip("/"))
    response = make_response(content)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Cache-Control"] = "private, max-age=900"
    return response
