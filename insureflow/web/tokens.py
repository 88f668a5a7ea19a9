"""Keys for other systems: made here, shown once, ended at any time. Everybody has their own; administrators see all."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, g, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import PERMISSIONS, Permission
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.i18n.words import sentence_for
from insureflow.services import tokens
from insureflow.services.clock import now
from insureflow.web.access import for_every_member, may
from insureflow.web.context import choose_locale
from insureflow.web.tables import word_options

blueprint = Blueprint("tokens", __name__, url_prefix="/settings/keys")

_FIELD_OF_PATH = {"token.name": "name", "token.expires_at": "until", "token.scopes": "scopes"}


class KeyForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """A new key."""

    name = StringField(
        _l("Name"), [InputRequired(), Length(max=120)], description=_l("What will use the key, such as the shop or the order system.")
    )
    scopes = SelectMultipleField(
        _l("Narrow it to"), [Optional()], description=_l("Nothing chosen: whatever your role allows. A key never allows more than that.")
    )
    until = DateField(_l("Last day"), [Optional()], description=_l("Empty: it does not end by itself."))


def _form() -> KeyForm:
    form = KeyForm()
    own = PERMISSIONS[g.role]
    form.scopes.choices = word_options([each for each in Permission if each in own])
    return form


def _page(form: KeyForm, secret: str | None = None, status: int = 200) -> ResponseReturnValue:
    sees_all = may(Permission.MANAGE_ORGANISATION)
    found = tokens.list_tokens(g.organisation.id, None if sees_all else g.user.id)
    at = now()
    keys = [
        {
            "token": token,
            "owner": user.email,
            "state": "ended"
            if token.revoked_at is not None
            else "expired"
            if token.expires_at is not None and token.expires_at <= at
            else "in_force",
        }
        for token, user in found
    ]
    response = make_response(render_template("tokens/index.html", form=form, keys=keys, sees_all=sees_all, secret=secret), status)
    if secret is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/")
@for_every_member
def index() -> ResponseReturnValue:
    """The own keys; of everybody for administrators."""
    return _page(_form())


@blueprint.post("/")
@for_every_member
def add() -> ResponseReturnValue:
    """Make a key. The answer itself shows the secret, once."""
    form = _form()
    if form.validate_on_submit():
        expires_at = None
        if form.until.data is not None:
            midnight = datetime.combine(form.until.data + timedelta(days=1), time.min, ZoneInfo(g.organisation.time_zone))
            expires_at = midnight.astimezone(UTC)
        scopes = [Permission(each) for each in form.scopes.data or []]
        try:
            _token, secret = tokens.add_token(g.actor, g.organisation.id, g.user.id, form.name.data, scopes=scopes, expires_at=expires_at)
        except InvalidValue as problem:
            field = form[_FIELD_OF_PATH[problem.path]]
            field.errors = [*field.errors, sentence_for(problem, choose_locale())]
        else:
            empty = KeyForm(formdata=None)
            empty.scopes.choices = form.scopes.choices
            return _page(empty, secret)
    return _page(form, status=422)


@blueprint.post("/<int:token_id>/end")
@for_every_member
def end(token_id: int) -> ResponseReturnValue:
    """End a key at once: an own one, or as an administrator anybody's."""
    owner_id = None if may(Permission.MANAGE_ORGANISATION) else g.user.id
    try:
        tokens.revoke_token(g.actor, g.organisation.id, token_id, user_id=owner_id)
    except Refusal:
        abort(404)
    flash(_("The key has ended. What used it is shut out from now on."), "success")
    return redirect(url_for("tokens.index"))
