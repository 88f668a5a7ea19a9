"""Settings of the organisation: what it is, its entities, and the people who work in it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from insureflow.domain.access import PERMISSIONS, Permission, Role
from insureflow.domain.countries import COUNTRIES
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.i18n import formats
from insureflow.i18n.words import sentence_for, word
from insureflow.queries import organisations as queries
from insureflow.services import organisations
from insureflow.web.access import requires
from insureflow.web.tables import word_options

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

_FIELD_OF_PATH = {
    "entity.code": "code",
    "entity.name": "entity_name",
    "entity.country": "country",
    "entity.currency": "currency",
    "user.email": "email",
    "user.password": "password",
}
_FIELD_OF_CODE = {
    "role_unchanged": "role",
    "last_administrator": "role",
    "entity_exists": "code",
    "member_exists": "email",
    "password_needed": "password",
}


def _locale() -> str:
    return str(get_locale() or "en")


def _show_problems(form: FlaskForm, refusal: Refusal) -> None:
    """Put every problem to the field it belongs to; the rest stands above the form."""
    for problem in refusal.problems if isinstance(refusal, InvalidValues) else (refusal,):
        path = problem.path if isinstance(problem, InvalidValue) else ""
        name = _FIELD_OF_CODE.get(problem.code) or _FIELD_OF_PATH.get(path)
        words = sentence_for(problem, _locale())
        if name is not None and name in form:
            form[name].errors = [*form[name].errors, words]
        else:
            form.form_errors.append(words)


@blueprint.get("/")
@requires(Permission.VIEW_SETTINGS)
def index() -> str:
    """The organisation, its entities and its people."""
    members = [
        {"id": user.id, "email": user.email, "name": user.name, "role": membership.role, "active": user.active}
        for user, membership in queries.list_members()
    ]
    return render_template("settings/index.html", entities=queries.list_entities(), members=members)


def _entity_form() -> FlaskForm:
    countries = sorted(((code, formats.country(code, _locale())) for code in COUNTRIES), key=lambda pair: pair[1])
    fields: dict[str, Any] = {
        "code": StringField(
            _("Code"),
            [InputRequired(_("A code is needed.")), Length(max=40)],
            description=_("Short, as its ledger is called, such as SE01."),
        ),
        "entity_name": StringField(_("Legal name"), [InputRequired(_("A name is needed.")), Length(max=200)]),
        "country": SelectField(
            _("Country"),
            [InputRequired(_("Choose a country."))],
            choices=[SelectChoice("", ""), *(SelectChoice(*pair) for pair in countries)],
        ),
        "currency": StringField(
            _("Currency of the ledger"),
            [InputRequired(_("A currency is needed.")), Length(min=3, max=3)],
            description=_("Three letters, such as SEK."),
        ),
    }
    form: FlaskForm = type("EntityForm", (FlaskForm,), fields)(data={"currency": g.organisation.reporting_currency})
    return form


@blueprint.route("/entities/add", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def add_entity() -> ResponseReturnValue:
    """A further legal entity with a ledger of its own."""
    form = _entity_form()
    if request.method == "GET":
        return render_template("settings/add_entity.html", form=form)
    if form.validate():
        try:
            entity = organisations.add_entity(
                g.actor,
                g.organisation.id,
                code=form["code"].data,
                name=form["entity_name"].data,
                country=form["country"].data,
                currency=form["currency"].data.upper(),
            )
        except Refusal as refusal:
            _show_problems(form, refusal)
        else:
            flash(_("The entity %(name)s is added.", name=entity.name), "success")
            return redirect(url_for("settings.index"))
    return render_template("settings/add_entity.html", form=form), 422


def _member_form() -> FlaskForm:
    fields: dict[str, Any] = {
        "email": EmailField(_("E-mail address"), [InputRequired(_("An address is needed.")), Length(max=255)]),
        "person": StringField(_("Name"), [Length(max=200)]),
        "role": SelectField(
            _("Role"), [InputRequired(_("Choose a role."))], choices=[SelectChoice(role.value, word(role, _locale())) for role in Role]
        ),
        "password": PasswordField(
            _("First password"),
            description=_(
                "At least %(minimum)s characters. Only for a person who has no log-in yet; an existing log-in keeps its password.",
                minimum=organisations.MINIMUM_PASSWORD_LENGTH,
            ),
        ),
    }
    form: FlaskForm = type("MemberForm", (FlaskForm,), fields)(data={"role": Role.AUDITOR.value})
    return form


def _what_roles_may() -> dict[Role, list[str]]:
    """Every role with its permissions in words."""
    return {
        role: [word(f"Permission.{permission}", _locale()) for permission in Permission if permission in PERMISSIONS[role]] for role in Role
    }


@blueprint.route("/members/add", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def add_member() -> ResponseReturnValue:
    """A further person with a role."""
    form = _member_form()
    roles = _what_roles_may()
    if request.method == "GET":
        return render_template("settings/add_member.html", form=form, roles=roles)
    if form.validate():
        try:
            user = organisations.add_user(
                g.actor,
                g.organisation.id,
                email=form["email"].data,
                name=form["person"].data or "",
                role=Role(form["role"].data),
                password=form["password"].data or None,
            )
        except Refusal as refusal:
            _show_problems(form, refusal)
        else:
            flash(_("%(email)s now works in this organisation.", email=user.email), "success")
            return redirect(url_for("settings.index"))
    return render_template("settings/add_member.html", form=form, roles=roles), 422


class RoleForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """Another role for a person."""

    role = SelectField(_l("Role"), [InputRequired(_l("Choose a role."))])


class RemovalForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """The question before somebody is taken out."""


def _get_member_or_404(user_id: int) -> tuple[Any, Any]:
    found = queries.find_member(user_id)
    if found is None:
        abort(404)
    return found


@blueprint.route("/members/<int:user_id>", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def member(user_id: int) -> ResponseReturnValue:
    """One person of the organisation: another role, or out."""
    user, membership = _get_member_or_404(user_id)
    form = RoleForm(data={"role": membership.role.value})
    form.role.choices = word_options(list(Role))
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                organisations.change_role(g.actor, g.organisation.id, email=user.email, role=Role(form.role.data))
            except Refusal as refusal:
                _show_problems(form, refusal)
            else:
                flash(_("%(email)s is now %(role)s.", email=user.email, role=word(Role(form.role.data), _locale())), "success")
                return _after_change(user_id)
    return render_template("settings/member.html", form=form, user=user, membership=membership, roles=_what_roles_may()), status


@blueprint.route("/members/<int:user_id>/remove", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def remove_member(user_id: int) -> ResponseReturnValue:
    """Ask once, and end a person's work in the organisation."""
    user, membership = _get_member_or_404(user_id)
    form = RemovalForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                organisations.remove_member(g.actor, g.organisation.id, email=user.email)
            except Refusal as refusal:
                _show_problems(form, refusal)
            else:
                flash(_("%(email)s no longer works in this organisation.", email=user.email), "success")
                return _after_change(user_id)
    return render_template("settings/remove_member.html", form=form, user=user, membership=membership), status


def _after_change(user_id: int) -> ResponseReturnValue:
    """Back to the people; who changed the own role may not see them any more and starts from the first page."""
    return redirect("/" if user_id == g.user.id else url_for("settings.index"))
