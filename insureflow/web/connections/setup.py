"""Setting a connection up: secrets are typed in and never shown again."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from insureflow.connectors.insurers import registry
from insureflow.connectors.insurers.interface import InsurerConnector
from insureflow.connectors.insurers.known import find_known
from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.i18n.words import sentence_for, word
from insureflow.models.connections import InsurerConnection
from insureflow.queries import connections as queries
from insureflow.services import connections
from insureflow.services.clock import now
from insureflow.services.connections.setup import LARGEST_BUDGET, STALE_MINUTES, SYNC_MINUTES
from insureflow.web.access import requires
from insureflow.web.connections.base import blueprint, locale, part_name

_OWN_OPTION = "environment"


def _form(connector: InsurerConnector, row: InsurerConnection | None) -> FlaskForm:
    """The form of a connector: its credentials, the insurer's key of the policy, and addresses that are not the documented ones."""
    fields: dict[str, Any] = {
        "environment": SelectField(
            _("Environment"), choices=[SelectChoice(each, word(f"Environment.{each}", locale())) for each in connections.ENVIRONMENTS]
        )
    }
    for name in connector.policy_key_names:
        needed = [Length(max=100)]
        fields[f"policy_key__{name}"] = StringField(part_name(name), needed)
    for name in connector.credential_names:
        is_there = row is not None and bool(row.credentials)
        hint = _("Leave empty to keep the one that is stored.") if is_there else _("It is encrypted and never shown again.")
        fields[f"credentials__{name}"] = PasswordField(
            part_name(name), [Length(max=500)], description=hint, render_kw={"autocomplete": "off"}
        )
        if is_there:
            fields[f"forget__{name}"] = BooleanField(_("Forget: %(name)s", name=part_name(name)))
    for name in connector.address_names:
        fields[f"addresses__{name}"] = StringField(
            part_name(name), [Length(max=400)], description=_("Only where the insurer gave you another one than the documented.")
        )
    fields |= {
        "sync_every_minutes": IntegerField(
            _("Minutes between synchronisations"), [InputRequired(_("A number is needed.")), NumberRange(*SYNC_MINUTES)]
        ),
        "stale_after_minutes": IntegerField(
            _("Out of date after so many minutes without a good synchronisation"),
            [InputRequired(_("A number is needed.")), NumberRange(*STALE_MINUTES)],
        ),
        "look_up_budget": IntegerField(
            _("Company look-ups a month that may cost money"), [InputRequired(_("A number is needed.")), NumberRange(0, LARGEST_BUDGET)]
        ),
        "options": TextAreaField(
            _("Options"),
            [Length(max=2000)],
            description=_("One a line, as name = value; for instance deadline_seconds = 60."),
            render_kw={"rows": "3"},
        ),
    }
    data: dict[str, Any] = {"environment": "production", "sync_every_minutes": 60, "stale_after_minutes": 1440, "look_up_budget": 0}
    if row is not None:
        data = {
            "environment": row.options.get(_OWN_OPTION, "production"),
            "sync_every_minutes": row.sync_every_minutes,
            "stale_after_minutes": row.stale_after_minutes,
            "look_up_budget": row.look_up_budget,
            "options": "\n".join(f"{name} = {value}" for name, value in sorted(row.options.items()) if name != _OWN_OPTION),
            **{f"policy_key__{name}": value for name, value in row.policy_key.items()},
            **{f"addresses__{name}": value for name, value in row.addresses.items()},
        }
    form: FlaskForm = type("ConnectionForm", (FlaskForm,), fields)(data=data)
    return form


def _part(form: FlaskForm, prefix: str) -> dict[str, str]:
    return {field.name.removeprefix(prefix): field.data or "" for field in form if field.name.startswith(prefix) and field.data}


def _setup_of(form: FlaskForm, connector: InsurerConnector) -> connections.Setup:
    """What the form says. Errors: ``InvalidValue`` ``option_unreadable``."""
    options = {}
    for line in (form["options"].data or "").splitlines():
        if not line.strip():
            continue
        name, separator, value = line.partition("=")
        if not separator or not name.strip() or name.strip() == _OWN_OPTION:
            raise InvalidValue("option_unreadable", "options", line.strip()[:60])
        options[name.strip()] = value.strip()
    return connections.Setup(
        connector=connector.key,
        environment=form["environment"].data,
        addresses=_part(form, "addresses__"),
        policy_key=_part(form, "policy_key__"),
        credentials=_part(form, "credentials__"),
        forget=frozenset(_part(form, "forget__")),
        options=options,
        sync_every_minutes=form["sync_every_minutes"].data,
        stale_after_minutes=form["stale_after_minutes"].data,
        look_up_budget=form["look_up_budget"].data,
    )


def _show_problems(form: FlaskForm, refusal: Refusal) -> None:
    for problem in refusal.problems if isinstance(refusal, InvalidValues) else (refusal,):
        path = problem.path if isinstance(problem, InvalidValue) else ""
        name = path.replace(".", "__")
        is_part = isinstance(problem, InvalidValue) and "." in path
        words = sentence_for(
            InvalidValue(problem.code, part_name(path.partition(".")[2]), problem.value)
            if isinstance(problem, InvalidValue) and is_part
            else problem,
            locale(),
        )
        if name in form:
            form[name].errors = [*form[name].errors, words]
        else:
            form.form_errors.append(words)


@blueprint.get("/add")
@requires(Permission.MANAGE_CONNECTIONS)
def choose() -> str:
    """Which policy, and which connector; the one that fits the policy's insurer is marked."""
    policies = queries.policies_without_connection()
    known = {policy[0]: find_known(policy[3]) for policy in policies}
    return render_template("connections/choose.html", policies=policies, known=known, connectors=registry.CONNECTORS.values())


@blueprint.route("/add/<int:policy_id>/<connector_key>", methods=["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def add(policy_id: int, connector_key: str) -> ResponseReturnValue:
    """Connect a policy to its insurer."""
    policy = next((each for each in queries.policies_without_connection() if each[0] == policy_id), None)
    connector = registry.CONNECTORS.get(connector_key)
    if policy is None or connector is None:
        abort(404)
    form = _form(connector, None)
    if request.method == "POST" and form.validate():
        try:
            row = connections.add_connection(g.actor, g.organisation.id, policy_id, _setup_of(form, connector))
        except Refusal as refusal:
            _show_problems(form, refusal)
        else:
            flash(_("The policy is connected. Try the connection now: only then it is known what the insurer offers."), "success")
            return redirect(url_for("connections.show", connection_id=row.id))
    page = render_template("connections/form.html", form=form, connector=connector, policy_number=policy[1], row=None)
    return page if request.method == "GET" else (page, 422)


@blueprint.route("/<int:connection_id>/edit", methods=["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def edit(connection_id: int) -> ResponseReturnValue:
    """Change how a policy is reached."""
    row = queries.find_connection(connection_id)
    if row is None:
        abort(404)
    health = queries.list_health(now())
    number = next(each.policy_number for each in health if each.connection_id == connection_id)
    connector = registry.get_connector(row.connector)
    form = _form(connector, row)
    if request.method == "POST" and form.validate():
        try:
            connections.change_connection(g.actor, g.organisation.id, connection_id, _setup_of(form, connector))
        except Refusal as refusal:
            _show_problems(form, refusal)
        else:
            flash(_("The connection is changed."), "success")
            return redirect(url_for("connections.show", connection_id=connection_id))
    page = render_template("connections/form.html", form=form, connector=connector, policy_number=number, row=row)
    return page if request.method == "GET" else (page, 422)
