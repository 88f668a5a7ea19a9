"""Forms of limit requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, FileField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from insureflow.domain.cover.events import Layer
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.limits import LimitKind, RequestType
from insureflow.services.limit_requests import AmountRule
from insureflow.web.tables import word_options

#: Kinds that an insurer is asked for, the usual one first.
ASKED_KINDS = tuple(kind for kind in LimitKind if kind not in (LimitKind.DISCRETIONARY, LimitKind.BLIND))


class _Asking(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What every form that asks for limits has."""

    policy_id = SelectField(_l("Policy"), [InputRequired()], coerce=int)
    layer = SelectField(_l("Layer"), [DataRequired()])
    kind = SelectField(_l("Kind"), [DataRequired()])
    is_urgent = BooleanField(_l("Urgent"))
    comment = TextAreaField(_l("Words to the insurer"), [Optional(), Length(max=1000)])

    def prepare(self, policies: Any) -> None:
        """Fill the choices."""
        self.policy_id.choices = [(policy.id, f"{policy.number} ({policy.insurer})") for policy in policies]
        self.layer.choices = word_options(list(Layer))
        self.kind.choices = word_options(list(ASKED_KINDS))


class LimitRequestForm(_Asking):
    """One request."""

    request_type = SelectField(_l("What is asked"), [Optional()])
    amount = StringField(
        _l("Limit wanted"),
        [Optional()],
        description=_l("The whole limit, not the difference; empty to give the limit up."),
        render_kw={"inputmode": "decimal"},
    )
    currency = SelectField(_l("Currency"), [DataRequired()])

    def prepare(self, policies: Any, obstacles: Mapping[int, str] | None = None) -> None:
        """Fill the choices; the currency of a policy comes first. ``obstacles`` are the words why a policy cannot be chosen."""
        super().prepare(policies)
        if obstacles:
            self.policy_id.choices = [
                (key, f"{label}: {obstacles[key]}", {"disabled": True}) if key in obstacles else (key, label)
                for key, label in self.policy_id.choices
            ]
        self.request_type.choices = [("", _("as the amount says: new, increase or reduce")), *word_options(list(RequestType))]
        own = dict.fromkeys(policy.limit_currency for policy in policies)
        self.currency.choices = [(code, code) for code in (*own, *sorted(CURRENCIES - own.keys()))]


class SelectionForm(_Asking):
    """Requests for many buyers."""

    rule = RadioField(_l("How much for each"), [InputRequired()], default=AmountRule.NEEDED.value)
    amount = StringField(
        _l("Amount for each"), [Optional()], description=_l("In limit currency of the policy."), render_kw={"inputmode": "decimal"}
    )
    hand_in = BooleanField(_l("Send them at once; those above your amount go to a second person"))
    good_rows_only = BooleanField(_l("Leave out buyers that cannot be asked for, and ask for the others"))

    def prepare(self, policies: Any) -> None:
        """Fill the choices."""
        super().prepare(policies)
        self.rule.choices = word_options(list(AmountRule))


class UploadForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """A file of requests."""

    file = FileField(
        _l("File"),
        [InputRequired(_l("Choose a file."))],
        description=_l(
            "CSV or XLSX with the columns customer_number (or another number or buyer_name) and amount; optional: policy, type, currency, layer, kind, urgent, comment."
        ),
    )
    policy_id = SelectField(_l("Policy of rows that name none"), [Optional()], coerce=int)
    hand_in = BooleanField(_l("Send them at once; those above your amount go to a second person"))
    good_rows_only = BooleanField(_l("Leave out bad rows, and ask for the others"))

    def prepare(self, policies: Any) -> None:
        """Fill the choices."""
        self.policy_id.choices = [(policy.id, f"{policy.number} ({policy.insurer})") for policy in policies]


class RejectForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """Why a request is not approved."""

    reason = TextAreaField(_l("Why not?"), [DataRequired(_l("Say why, so that it can be written anew.")), Length(max=1000)])
