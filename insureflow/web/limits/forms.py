"""Forms of limits: a decision, a request, a withdrawal, an act."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, FileField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from insureflow.domain.cover.events import Layer
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import AccountActKind, LimitKind
from insureflow.domain.money import to_minor
from insureflow.i18n.words import sentence_for
from insureflow.web.context import choose_locale
from insureflow.web.tables import read_decimal, word_options

_REFERENCE = _l("As the insurer writes it; the same reference is never entered twice.")


class _OnLimit(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What every form about a limit has."""

    policy_id = SelectField(_l("Policy"), [InputRequired()], coerce=int)
    layer = SelectField(_l("Layer"), [DataRequired()])
    insurer_reference = StringField(_l("Insurer's reference"), [Optional(), Length(max=80)], description=_REFERENCE)
    reason = TextAreaField(_l("Reason or remark"), [Optional(), Length(max=1000)])

    def prepare(self, policies: Any) -> None:
        """Fill the choices."""
        self.policy_id.choices = [(policy.id, f"{policy.number} ({policy.insurer})") for policy in policies]
        self.layer.choices = word_options(list(Layer))


class _WithAmounts(_OnLimit):
    """A form with amounts in a currency."""

    kind = SelectField(_l("Kind"), [DataRequired()])
    currency = SelectField(_l("Currency"), [DataRequired()])

    def prepare(self, policies: Any) -> None:
        """Fill the choices; the currency of the chosen policy comes first."""
        super().prepare(policies)
        self.kind.choices = word_options([kind for kind in LimitKind if kind is not LimitKind.GROUP])
        own = dict.fromkeys(policy.limit_currency for policy in policies)
        self.currency.choices = [(code, code) for code in (*own, *sorted(CURRENCIES - own.keys()))]


class DecisionForm(_WithAmounts):
    """The insurer's decision."""

    requested = StringField(_l("Requested"), [Optional()], render_kw={"inputmode": "decimal"})
    decided = StringField(
        _l("Decided"), [InputRequired()], description=_l("0 where the insurer said no."), render_kw={"inputmode": "decimal"}
    )
    decided_on = DateField(_l("Decided on"), [InputRequired()])
    effective_on = DateField(_l("Effective from"), [Optional()], description=_l("Empty: from the day it was decided."))
    valid_to = DateField(_l("Last day"), [Optional()], description=_l("A temporary limit needs one."))
    insured_percentage = StringField(
        _l("Insured percentage"),
        [Optional()],
        description=_l("Only where this decision sets one; else the policy's holds."),
        render_kw={"inputmode": "decimal"},
    )
    maximum_credit_terms_days = IntegerField(_l("Maximum credit terms, days"), [Optional(), NumberRange(0, 3650)])
    maximum_extension_period_days = IntegerField(_l("Maximum extension period, days"), [Optional(), NumberRange(0, 3650)])
    answers_request = BooleanField(_l("This answers the request that is under way, if there is one"), default=True)
    evidence = FileField(
        _l("Evidence"),
        [Optional()],
        description=_l("The insurer's letter, e-mail or a picture of its portal: PDF, picture, XLSX, CSV, e-mail or text."),
    )

    def conditions(self) -> dict[str, object]:
        """The conditions as the terms of a policy write them. Errors: ``InvalidValue`` ``not_a_percentage``."""
        conditions: dict[str, object] = {}
        text = (self.insured_percentage.data or "").strip().removesuffix("%")
        if text:
            percentage = read_decimal(text)
            if percentage is None:
                raise InvalidValue("limit_percentage_unreadable", "insured_percentage", text)
            conditions["insured_percentage"] = format(percentage, "f")
        for name in ("maximum_credit_terms", "maximum_extension_period"):
            days = getattr(self, f"{name}_days").data
            if days is not None:
                conditions[name] = {"days": days}
        return conditions


class WithdrawalForm(_OnLimit):
    """Notice that a limit ends."""

    received_on = DateField(_l("Notice received on"), [InputRequired()])
    effective_on = DateField(_l("Effective from"), [Optional()], description=_l("Empty: as soon as the policy's notice period allows."))
    answers_request = BooleanField(_l("This answers our request to give the limit up, if one is under way"), default=True)
    evidence = FileField(_l("Evidence"), [Optional()], description=_l("The insurer's notice: PDF, picture, XLSX, CSV, e-mail or text."))


class ActForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """Something else that shapes cover."""

    policy_id = SelectField(_l("Policy"), [InputRequired()], coerce=int)
    kind = SelectField(_l("What happened"), [DataRequired()])
    happened_on = DateField(lazy_pgettext("day of an act", "On"), [InputRequired()])
    invoices = SelectMultipleField(
        _l("Invoices"), [Optional()], coerce=int, description=_l("For a consent, a notification or an extension; none means all.")
    )
    new_due_on = DateField(_l("New due date"), [Optional()], description=_l("For an extension."))
    has_consent = BooleanField(_l("The insurer agreed to the extension in writing beforehand"))
    grade = StringField(_l("Grade"), [Optional(), Length(max=40)], description=_l("For a grade: a number or a word."))
    note = TextAreaField(_l("Remark"), [Optional(), Length(max=1000)])

    def prepare(self, policies: Any, invoices: Any) -> None:
        """Fill the choices."""
        self.policy_id.choices = [(policy.id, f"{policy.number} ({policy.insurer})") for policy in policies]
        self.kind.choices = word_options(list(AccountActKind))
        self.invoices.choices = [(invoice.id, invoice.number) for invoice in invoices]


class RemovalForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """Why an entry is taken back."""

    reason = TextAreaField(_l("Why was the entry wrong?"), [DataRequired(), Length(max=1000)])


def read_minor(text: str | None, currency: str, path: str) -> int | None:
    """Minor units of a typed amount, None for an empty one. Errors: ``InvalidValue``."""
    if not (text or "").strip():
        return None
    amount = read_decimal(text or "")
    if amount is None:
        raise InvalidValue("not_an_amount", path, text)
    return to_minor(amount, currency, path=path)


def show_refusal(form: FlaskForm, refusal: Refusal) -> None:
    """Put every problem at its field, or above the form where it has none."""
    problems = refusal.problems if isinstance(refusal, InvalidValues) else (refusal,)
    for problem in problems:
        message = sentence_for(problem, choose_locale())
        path = problem.path if isinstance(problem, InvalidValue) else ""
        field = next((each for each in form if each.name == path.removeprefix("conditions.")), None)
        if field is not None:
            field.errors = [*field.errors, message]
        else:
            form.form_errors.append(message)


def title_of(name: str, buyer_name: str) -> str:
    """The heading of a form."""
    titles: dict[str, str] = {
        "record": _("Enter a decision on %(name)s", name=buyer_name),
        "withdraw": _("Enter a withdrawal for %(name)s", name=buyer_name),
        "act": _("Enter an act for %(name)s", name=buyer_name),
    }
    return titles[name]
