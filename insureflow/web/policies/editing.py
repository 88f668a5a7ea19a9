"""Changing policies: a new one from a preset, new terms from a day on, corrections, names and entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.i18n.words import sentence_for
from insureflow.models.policies import Policy
from insureflow.queries import policies as queries
from insureflow.queries.organisations import list_entities
from insureflow.services import policies
from insureflow.services.policies import Preset
from insureflow.web.access import requires
from insureflow.web.policies import terms_form
from insureflow.web.policies.routes import blueprint
from insureflow.web.policies.showing import locale, preset_context
from insureflow.web.tables import read_date

TEXT_ROWS = 28


def _entity_choices() -> list[SelectChoice]:
    return [SelectChoice(entity.code, f"{entity.name} ({entity.code})") for entity in list_entities()]


def _day_field(label: str, description: str = "") -> StringField:
    return StringField(label, [InputRequired(_("A date is needed."))], description=description, render_kw={"type": "date"})


def _fact_fields() -> dict[str, Any]:
    """What a policy is called; asked when it is new."""
    return {
        "number": StringField(_("Number of the policy"), [InputRequired(_("The insurer's number is needed.")), Length(max=60)]),
        "policy_name": StringField(_("What you call it"), [InputRequired(_("A name is needed.")), Length(max=200)]),
        "insurer": StringField(_("Insurer"), [InputRequired(_("Who is the insurer?")), Length(max=60)]),
        "product": StringField(_("Product"), [Length(max=120)]),
        "currency": StringField(_("Policy currency"), [InputRequired(_("A currency is needed.")), Length(min=3, max=3)]),
        "limit_currency": StringField(_("Currency of the credit limits"), [Length(max=3)], description=_("Empty: the policy currency.")),
        "priority": IntegerField(
            _("Priority"),
            [InputRequired(_("A whole number is needed.")), NumberRange(0, 100_000)],
            description=_("Where two policies could insure the same sale, the lower number comes first."),
        ),
        "entities": SelectMultipleField(
            _("Insured entities"), choices=_entity_choices(), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
        ),
    }


def _version_fields() -> dict[str, Any]:
    return {
        "effective_on": _day_field(_("The terms hold from")),
        "note": StringField(
            _("Note"), [Length(max=1000)], description=_("Why the terms are new or corrected, such as the number of the endorsement.")
        ),
    }


def _text_field() -> dict[str, Any]:
    return {
        "text": TextAreaField(
            _("All terms as text"),
            description=_("One parameter a line, as “name: value”. Every problem is shown with the path of the parameter."),
            render_kw={"rows": TEXT_ROWS, "spellcheck": "false", "class": "font-monospace"},
        )
    }


def _make_form(base: Mapping[str, Any], *, with_facts: bool, as_text: bool, values: Mapping[str, Any]) -> FlaskForm:
    """The form of this request, filled with what was sent or else with these values."""
    fields: dict[str, Any] = {"way": HiddenField()}
    fields |= _fact_fields() if with_facts else {}
    fields |= _version_fields()
    fields |= _text_field() if as_text else terms_form.terms_fields(base)
    made: FlaskForm = type("TermsForm", (FlaskForm,), fields)(data=dict(values))
    return made


def _terms_of(form: FlaskForm, base: Mapping[str, Any], *, as_text: bool) -> dict[str, object]:
    if as_text:
        return policies.read_terms_text(form["text"].data or "", path="text")
    return terms_form.changed_terms(base, form)


_FACT_FIELDS = {
    "policy.number": "number",
    "policy.name": "policy_name",
    "policy.insurer": "insurer",
    "policy.currency": "currency",
    "policy.limit_currency": "limit_currency",
}
_FIELD_OF_REFUSAL = {
    "policy_exists": "number",
    "policy_entities_missing": "entities",
    "entity_unknown": "entities",
    "terms_exist_on_day": "effective_on",
    "preset_in_other_currency": "currency",
    "policy_currency_fixed": "currency",
    "policy_limit_currency_fixed": "limit_currency",
}


def _show_problems(form: FlaskForm, refusal: Refusal, *, as_text: bool) -> None:
    """Put every problem to the field it belongs to; the rest stands above the form."""
    for problem in refusal.problems if isinstance(refusal, InvalidValues) else (refusal,):
        name = _FIELD_OF_REFUSAL.get(problem.code)
        path = problem.path if isinstance(problem, InvalidValue) else ""
        name = name or _FACT_FIELDS.get(path)
        field = form[name] if name in form else form["text"] if as_text else terms_form.field_for(path, form)
        words = sentence_for(problem, locale())
        if field is None:
            form.form_errors.append(words)
        else:
            field.errors = [*field.errors, words]


def _wanted_text() -> bool:
    return request.values.get("way") == "text"


def _to_text(form: FlaskForm, base: Mapping[str, Any], *, with_facts: bool) -> FlaskForm:
    """The same form in the expert editor, with what was typed so far."""
    text = policies.write_terms_text(terms_form.changed_terms(base, form))
    kept = {name: form[name].data for name in [*(_fact_fields() if with_facts else ()), *_version_fields()]}
    fields = {"way": HiddenField()} | (_fact_fields() if with_facts else {}) | _version_fields() | _text_field()
    made: FlaskForm = type("TermsForm", (FlaskForm,), fields)(formdata=None, data={**kept, "way": "text", "text": text})
    return made


def _edit(
    *,
    base: Mapping[str, Any],
    values: Mapping[str, Any],
    with_facts: bool,
    save: Callable[[FlaskForm, dict[str, object]], str],
    page: Callable[[FlaskForm, bool], str],
) -> ResponseReturnValue:
    """Show the form, send it on to the expert editor, or save it; a refusal shows it again with what was typed."""
    as_text = _wanted_text()
    start = {**values, "way": "text" if as_text else "form"}
    start |= {"text": policies.write_terms_text(base)} if as_text else terms_form.initial_values(base)
    form = _make_form(base, with_facts=with_facts, as_text=as_text, values=start)
    if request.method == "GET":
        return page(form, as_text)
    if "to_text" in request.form and not as_text:
        return page(_to_text(form, base, with_facts=with_facts), True)
    if not form.validate():
        return page(form, as_text), 422
    try:
        return redirect(save(form, _terms_of(form, base, as_text=as_text)))
    except Refusal as refusal:
        _show_problems(form, refusal, as_text=as_text)
        return page(form, as_text), 422


def _effective_on(form: FlaskForm) -> date:
    day = read_date(form["effective_on"].data or "")
    if day is None:
        raise InvalidValue("not_a_date", "policy.effective_on", form["effective_on"].data)
    return day


def _hints(preset: Preset | None) -> dict[str, str]:
    return {each.parameter: _("To confirm: %(known)s", known=each.known) for each in preset.to_confirm} if preset else {}


@blueprint.get("/new")
@requires(Permission.EDIT_POLICIES)
def choose_preset() -> str:
    """First step of a new policy: what to begin with."""
    return render_template("policies/choose_preset.html", presets=policies.list_presets(), entities=list_entities())


@blueprint.route("/new/<key>", methods=["GET", "POST"])
@requires(Permission.EDIT_POLICIES)
def new(key: str) -> ResponseReturnValue:
    """Second step of a new policy: what it is called, and its terms."""
    preset = policies.find_preset(key)
    if preset is None:
        abort(404)
    currency = preset.currency or g.organisation.reporting_currency
    base = policies.prepare_terms(currency=currency, preset=preset)
    base = {name: value for name, value in base.items() if name not in ("currency", "limit_currency")}
    values = {
        "insurer": "" if preset.insurer == "any insurer" else preset.insurer,
        "product": preset.product,
        "currency": currency,
        "priority": 100,
        "entities": [entity.code for entity in list_entities()],
        "effective_on": g.today.isoformat(),
    }

    def save(form: FlaskForm, terms: dict[str, object]) -> str:
        unit = form["currency"].data.upper()
        policy = policies.add_policy(
            g.actor,
            g.organisation.id,
            number=form["number"].data,
            name=form["policy_name"].data,
            insurer=form["insurer"].data,
            product=form["product"].data,
            preset=preset.key,
            terms=terms,
            currency=unit,
            limit_currency=(form["limit_currency"].data or "").upper() or None,
            entities=form["entities"].data or [],
            effective_on=_effective_on(form),
            priority=form["priority"].data,
            note=form["note"].data or "",
            on=g.today,
        )
        flash(_("The policy %(number)s is added.", number=policy.number), "success")
        return url_for("policies.show", policy_id=policy.id)

    def page(form: FlaskForm, as_text: bool) -> str:
        return render_template(
            "policies/new.html",
            form=form,
            as_text=as_text,
            sections=[] if as_text else terms_form.sections(form, base, _hints(preset)),
            preset=preset,
            **preset_context(preset),
        )

    return _edit(base=base, values=values, with_facts=True, save=save, page=page)


def _get_policy(policy_id: int) -> Policy:
    policy = queries.find_policy(policy_id)
    if policy is None:
        abort(404)
    return policy


@blueprint.route("/<int:policy_id>/terms/new", methods=["GET", "POST"])
@requires(Permission.EDIT_POLICIES)
def new_terms(policy_id: int) -> ResponseReturnValue:
    """New terms of a policy from a day on."""
    policy = _get_policy(policy_id)
    current = queries.version_on(queries.list_versions(policy_id), g.on)
    base = current.data if current else {}

    def save(form: FlaskForm, terms: dict[str, object]) -> str:
        day = _effective_on(form)
        policies.add_terms_version(
            g.actor, g.organisation.id, policy_id, effective_on=day, terms=terms, note=form["note"].data or "", on=g.today
        )
        flash(_("The new terms hold from %(day)s.", day=day.isoformat()), "success")
        return url_for("policies.show", policy_id=policy_id)

    def page(form: FlaskForm, as_text: bool) -> str:
        return _terms_page("new_terms", policy, form, base, as_text=as_text)

    return _edit(base=base, values={"effective_on": g.today.isoformat()}, with_facts=False, save=save, page=page)


def _terms_page(kind: str, policy: Policy, form: FlaskForm, base: Mapping[str, Any], *, as_text: bool) -> str:
    preset = policies.find_preset(policy.preset)
    shown = [] if as_text else terms_form.sections(form, base, _hints(preset))
    return render_template("policies/terms.html", kind=kind, policy=policy, form=form, as_text=as_text, sections=shown)


@blueprint.route("/<int:policy_id>/terms/<int:version_id>/correct", methods=["GET", "POST"])
@requires(Permission.EDIT_POLICIES)
def correct_terms(policy_id: int, version_id: int) -> ResponseReturnValue:
    """Put right terms that were entered wrongly."""
    policy, found = _get_policy(policy_id), queries.find_version(version_id)
    if found is None or found.policy_id != policy_id:
        abort(404)
    base = dict(found.data)

    def save(form: FlaskForm, terms: dict[str, object]) -> str:
        policies.correct_terms_version(
            g.actor,
            g.organisation.id,
            version_id,
            terms=terms,
            effective_on=_effective_on(form),
            note=form["note"].data or "",
            on=g.today,
        )
        flash(_("The terms are corrected."), "success")
        return url_for("policies.show", policy_id=policy_id)

    def page(form: FlaskForm, as_text: bool) -> str:
        return _terms_page("correct_terms", policy, form, base, as_text=as_text)

    values = {"effective_on": found.effective_on.isoformat(), "note": found.note}
    return _edit(base=base, values=values, with_facts=False, save=save, page=page)


@blueprint.post("/<int:policy_id>/terms/<int:version_id>/delete")
@requires(Permission.EDIT_POLICIES)
def delete_terms(policy_id: int, version_id: int) -> ResponseReturnValue:
    """Take terms out that should never have been entered."""
    found = queries.find_version(version_id)
    if found is None or found.policy_id != policy_id:
        abort(404)
    policies.delete_terms_version(g.actor, g.organisation.id, version_id, on=g.today)
    flash(_("The terms are deleted."), "success")
    return redirect(url_for("policies.show", policy_id=policy_id))


@blueprint.route("/<int:policy_id>/edit", methods=["GET", "POST"])
@requires(Permission.EDIT_POLICIES)
def edit(policy_id: int) -> ResponseReturnValue:
    """What a policy is called, which comes first, and whose sales it insures."""
    policy = _get_policy(policy_id)
    names = ("policy_name", "insurer", "product", "priority", "entities")
    fields = {name: field for name, field in _fact_fields().items() if name in names}
    start = {
        "policy_name": policy.name,
        "insurer": policy.insurer,
        "product": policy.product,
        "priority": policy.priority,
        "entities": [entity.code for entity in queries.list_insured_entities(policy_id)],
    }
    form: FlaskForm = type("PolicyForm", (FlaskForm,), fields)(data=start)
    if request.method == "GET":
        return render_template("policies/edit.html", policy=policy, form=form)
    if form.validate():
        try:
            policies.set_insured_entities(g.actor, g.organisation.id, policy_id, entities=form["entities"].data or [], on=g.today)
            policies.change_policy(
                g.actor,
                g.organisation.id,
                policy_id,
                name=form["policy_name"].data,
                insurer=form["insurer"].data,
                product=form["product"].data or "",
                priority=form["priority"].data,
                on=g.today,
            )
        except Refusal as refusal:
            _show_problems(form, refusal, as_text=False)
        else:
            flash(_("The policy is changed."), "success")
            return redirect(url_for("policies.show", policy_id=policy_id))
    return render_template("policies/edit.html", policy=policy, form=form), 422


@blueprint.post("/<int:policy_id>/delete")
@requires(Permission.EDIT_POLICIES)
def delete(policy_id: int) -> ResponseReturnValue:
    """Take a policy out that nothing rests on."""
    policy = _get_policy(policy_id)
    number = policy.number
    try:
        policies.delete_policy(g.actor, g.organisation.id, policy_id, on=g.today)
    except Refusal as refusal:
        flash(sentence_for(refusal, locale()), "error")
        return redirect(url_for("policies.show", policy_id=policy_id))
    flash(_("The policy %(number)s is deleted.", number=number), "success")
    return redirect(url_for("policies.index"))
