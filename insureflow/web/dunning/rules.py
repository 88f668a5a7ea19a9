"""The rules of dunning: for the organisation, a country or a buyer, with what would go out today."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.countries import COUNTRIES
from insureflow.domain.dunning import DEFAULT_DATA, ORDER, LetterChannel, ScopedRule, read_rules
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.money import Money, from_minor
from insureflow.i18n import formats
from insureflow.i18n.words import sentence_for, word
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import dunning as queries
from insureflow.queries.dunning import DueLetter
from insureflow.services import dunning
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.dunning.routes import blueprint
from insureflow.web.keys import read_key
from insureflow.web.tables import country_options, read_decimal, word_options

_NEW_KEY = 2**62


class RuleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A rule; a level without days is not used."""

    country = SelectField(_l("Buyers of"), [Optional()], validate_choice=False, id="rule-country")
    effective_on = DateField(_l("Holds from"), [InputRequired(_l("Say from when it holds."))])
    before_due = IntegerField(_l("Note before the due date, days before"), [Optional()])
    reminder_1 = IntegerField(_l("First reminder, days after"), [Optional()])
    reminder_2 = IntegerField(_l("Second reminder, days after"), [Optional()])
    reminder_3 = IntegerField(_l("Third reminder, days after"), [Optional()])
    final_demand = IntegerField(_l("Final demand, days after"), [Optional()])
    automatic = SelectField(
        _l("Letters that go without approval"),
        validate_choice=False,
        description=_l("This level and the milder ones; all others wait for a person."),
    )
    grace_days = IntegerField(_l("Days of grace"), [InputRequired()], default=0)
    days_between = IntegerField(_l("Least days between two letters"), [InputRequired()], default=7)
    pay_within_days = IntegerField(_l("Days to pay"), [InputRequired()], default=10, description=_l("Counted from the day of the letter."))
    minimum = StringField(
        _l("Least amounts"), [Optional(), Length(max=500)], description=_l("As in EUR 50, USD 60; below them nobody is reminded.")
    )
    channel = SelectField(_l("Letters go by"), validate_choice=False)
    may_skip_levels = BooleanField(
        _l("A letter may skip milder levels"),
        default=False,
        description=_l("Otherwise a firmer letter goes only after a milder one, the least days between two letters later."),
    )
    disputes = BooleanField(_l("Disputed invoices wait"), default=True)
    promises = BooleanField(_l("Promised invoices wait"), default=True)
    plans = BooleanField(_l("Invoices of a payment plan wait"), default=True)
    interest_rate = StringField(
        _l("Interest per year, per cent"),
        [Optional(), Length(max=20)],
        description=_l("Empty for none."),
        render_kw={"inputmode": "decimal"},
    )
    interest_basis = StringField(
        _l("It rests on"), [Optional(), Length(max=300)], description=_l("The law or clause, as the letter names it.")
    )
    interest_year = SelectField(_l("Days of a year of interest"), validate_choice=False)
    interest_from = SelectField(_l("Interest from"), validate_choice=False)
    compensation = StringField(
        _l("Fixed amount for the costs of recovery, per invoice"),
        [Optional(), Length(max=200)],
        description=_l("As in EUR 40; empty for none."),
    )
    compensation_from = SelectField(_l("Fixed amount from"), validate_choice=False)
    note = TextAreaField(_l("Remark"), [Optional(), Length(max=1000)])


def _form(data: dict[str, Any] | None = None) -> RuleForm:
    form = RuleForm(data=data)
    form.country.choices = [("", _("All countries")), *country_options(sorted(COUNTRIES))]
    levels = word_options(list(ORDER))
    form.automatic.choices = [("", _("None")), *levels]
    form.channel.choices = word_options(list(LetterChannel))
    form.interest_year.choices = [("365", "365"), ("360", "360")]
    form.interest_from.choices = form.compensation_from.choices = levels[1:]
    return form


def _typed_amounts(text: str, path: str) -> dict[str, str]:
    """Amounts typed as EUR 50, USD 60."""
    found: dict[str, str] = {}
    for part in (text or "").replace(";", ",").split(","):
        words = part.split()
        if not words:
            continue
        amount = read_decimal(words[1]) if len(words) == 2 else None
        if amount is None or len(words[0]) != 3:
            raise InvalidValues((InvalidValue("dunning_amount_wrong", path, part.strip()[:40]),))
        found[words[0].upper()] = format(amount, "f")
    return found


def _data(form: RuleForm) -> dict[str, Any]:
    """The rule that a form describes."""
    automatic = ORDER.index(next(each for each in ORDER if each.value == form.automatic.data)) if form.automatic.data in set(ORDER) else -1
    levels = []
    for index, level in enumerate(ORDER):
        days = form[level.value].data
        if days is not None:
            levels.append({"level": level.value, "days": -abs(days) if index == 0 else days, "automatic": index <= automatic})
    compensation = _typed_amounts(form.compensation.data, "compensation")
    rate = (form.interest_rate.data or "").strip().replace(",", ".")
    return {
        "levels": levels,
        "minimum": _typed_amounts(form.minimum.data, "minimum"),
        "grace_days": form.grace_days.data,
        "days_between": form.days_between.data,
        "pay_within_days": form.pay_within_days.data,
        "channel": form.channel.data or LetterChannel.EMAIL.value,
        "holds": {"disputes": form.disputes.data, "promises": form.promises.data, "plans": form.plans.data},
        "may_skip_levels": form.may_skip_levels.data,
        "interest": {
            "annual_rate": rate,
            "basis": form.interest_basis.data or "",
            "day_count": int(form.interest_year.data or 365),
            "from_level": form.interest_from.data,
        }
        if rate
        else None,
        "compensation": {"amounts": compensation, "from_level": form.compensation_from.data} if compensation else None,
    }


def _typed(data: dict[str, Any], effective_on: date, country: str | None, note: str) -> dict[str, Any]:
    """A stored rule as the form shows it."""
    rules = read_rules(data)
    automatic = [each.level.value for each in rules.levels if each.is_automatic]

    def amounts(given: Any) -> str:
        return ", ".join(f"{currency} {from_minor(minor, currency)}" for currency, minor in given.items())

    return {
        "country": country or "",
        "effective_on": effective_on,
        **{each.level.value: abs(each.days) if each.days < 0 else each.days for each in rules.levels},
        "automatic": automatic[-1] if automatic else "",
        "grace_days": rules.grace_days,
        "days_between": rules.days_between,
        "pay_within_days": rules.pay_within_days,
        "minimum": amounts(rules.minimums),
        "channel": rules.channel.value,
        "may_skip_levels": rules.may_skip_levels,
        "disputes": rules.holds_for_disputes,
        "promises": rules.holds_for_promises,
        "plans": rules.holds_for_plans,
        "interest_rate": str(rules.interest.annual_rate) if rules.interest else "",
        "interest_basis": rules.interest.basis if rules.interest else "",
        "interest_year": str(rules.interest.day_count) if rules.interest else "365",
        "interest_from": rules.interest.from_level.value if rules.interest else ORDER[1].value,
        "compensation": amounts(rules.compensation.amounts) if rules.compensation else "",
        "compensation_from": rules.compensation.from_level.value if rules.compensation else ORDER[1].value,
        "note": note,
    }


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would go out today: letters by level, and the sums."""

    count: int
    by_level: list[tuple[str, int]]
    totals: str


def _simulation(letters: list[DueLetter]) -> Simulation:
    locale = choose_locale()
    levels = Counter(letter.level for letter in letters)
    sums: Counter[str] = Counter()
    for letter in letters:
        sums[letter.currency] += letter.open_minor
    totals = [Money(minor, currency) for currency, minor in sorted(sums.items())]
    return Simulation(
        len(letters),
        [(word(level, locale), levels[level]) for level in ORDER if levels[level]],
        " + ".join(formats.money(total.minor, total.currency, locale) for total in totals) or "–",
    )


def _sentence(said: Simulation) -> str:
    return str(
        ngettext(
            "By these rules %(count)s new letter would be proposed today, for %(totals)s.",
            "By these rules %(count)s new letters would be proposed today, for %(totals)s.",
            said.count,
            count=said.count,
            totals=said.totals,
        )
        if said.count
        else _("By these rules no new letter would be proposed today.")
    )


@blueprint.get("/rules")
@requires(Permission.VIEW_RECEIVABLES)
def rules() -> ResponseReturnValue:
    """Every rule, and what would go out today."""
    stored = queries.rules()
    found = {key: buyer_queries.find_buyer(key) for key in {rule.buyer_id for rule in stored if rule.buyer_id is not None}}
    said = _simulation(dunning.simulate(g.today))
    rows = [(rule, read_rules(rule.data), found.get(rule.buyer_id) if rule.buyer_id is not None else None) for rule in stored]
    return render_template("dunning/rules.html", rows=rows, default=dunning.fallback_rules(), sentence=_sentence(said), simulation=said)


def _edit(form: RuleForm, *, title: str, buyer: Any) -> ResponseReturnValue:
    simulation, status = None, 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            country, buyer_id = (form.country.data or None) if buyer is None else None, None if buyer is None else buyer.id
            try:
                data = _data(form)
                if request.form.get("action") == "simulate":
                    new = ScopedRule(_NEW_KEY, min(form.effective_on.data, g.today), country, buyer_id, read_rules(data))
                    kept = [rule for rule in queries.stored_rules() if (rule.country, rule.buyer_id) != (country, buyer_id)]
                    simulation, status = _simulation(dunning.simulate(g.today, [*kept, new])), 200
                else:
                    dunning.set_rule(
                        g.actor,
                        g.organisation.id,
                        data,
                        form.effective_on.data,
                        country=country,
                        buyer_id=buyer_id,
                        note=form.note.data or "",
                    )
                    flash(_("The rule is saved."), "success")
                    return redirect(url_for("dunning.rules"))
            except Refusal as refusal:
                _show(form, refusal)
    sentence = _sentence(simulation) if simulation else _("All days are counted from the original due date.")
    return render_template("dunning/rule.html", form=form, title=title, buyer=buyer, simulation=simulation, sentence=sentence), status


def _show(form: RuleForm, refusal: Refusal) -> None:
    """Put every problem at the field it is about."""
    names = {"interest.annual_rate": "interest_rate", "interest.day_count": "interest_year", "levels": "reminder_1"}
    for problem in refusal.problems if isinstance(refusal, InvalidValues) else (refusal,):
        path = problem.path if isinstance(problem, InvalidValue) else ""
        name = names.get(path, path.removeprefix("levels.").split(".")[0])
        said = sentence_for(problem, choose_locale())
        if name in form:
            form[name].errors = [*form[name].errors, said]
        else:
            form.form_errors.append(said)


@blueprint.route("/rules/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def new_rule() -> ResponseReturnValue:
    """A rule for the organisation, a country, or (with ``buyer_id`` in the address) one buyer."""
    text = request.args.get("buyer_id", "")
    buyer = buyer_queries.find_buyer(read_key(text) or 0) if text else None
    if text and buyer is None:
        abort(404)
    form = _form(_typed(dict(DEFAULT_DATA), g.today, None, ""))
    title = _("Rule for %(name)s", name=buyer.legal_name) if buyer else _("New rule of dunning")
    return _edit(form, title=title, buyer=buyer)


@blueprint.route("/rules/<int:dunning_rule_id>", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def rule(dunning_rule_id: int) -> ResponseReturnValue:
    """Change a rule: with another first day it becomes another rule, and this one holds until then."""
    found = queries.find_rule(dunning_rule_id)
    if found is None:
        abort(404)
    buyer = buyer_queries.find_buyer(found.buyer_id) if found.buyer_id is not None else None
    try:
        typed = _typed(found.data, found.effective_on, found.country, found.note)
    except Refusal:
        typed = _typed(dict(DEFAULT_DATA), found.effective_on, found.country, found.note)
    return _edit(_form(typed), title=_("Change a rule of dunning"), buyer=buyer)


@blueprint.post("/rules/<int:dunning_rule_id>/remove")
@requires(Permission.MANAGE_ORGANISATION)
def remove_rule(dunning_rule_id: int) -> ResponseReturnValue:
    """Take a rule out."""
    if queries.find_rule(dunning_rule_id) is None:
        abort(404)
    dunning.remove_rule(g.actor, g.organisation.id, dunning_rule_id)
    flash(_("The rule is taken out; the next wider one holds again."), "success")
    return redirect(url_for("dunning.rules"))
