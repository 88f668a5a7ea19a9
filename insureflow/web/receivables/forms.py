"""The forms of disputes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, FileField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional


class OpenDisputeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """What a buyer disputes."""

    amount = StringField(_l("Amount disputed"), [InputRequired(_l("Say how much is disputed."))], render_kw={"inputmode": "decimal"})
    opened_on = DateField(_l("Disputed since"), [InputRequired(_l("Say since when."))])
    reason = TextAreaField(
        _l("What the buyer disputes"), [InputRequired(_l("Say in a few words what the buyer disputes.")), Length(max=1000)]
    )
    is_ring_fenced = BooleanField(_l("The rest of the invoice is not disputed: go on collecting it"), default=True)
    file = FileField(_l("The complaint"), [Optional()], description=_l("A letter or an e-mail of the buyer."))


class ResolveDisputeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """How a dispute ended."""

    found_owed = StringField(
        _l("Found to be owed"),
        [InputRequired(_l("Say how much of the disputed amount is owed; 0 if nothing."))],
        render_kw={"inputmode": "decimal"},
    )
    resolved_on = DateField(_l("Resolved on"), [InputRequired(_l("Say when."))])
    outcome = SelectField(_l("How it ended"), [InputRequired(_l("Say how it ended."))])
    reference = StringField(_l("File number"), [Optional(), Length(max=200)], description=_l("Of the court or of the settlement."))
    file = FileField(_l("The paper"), [Optional()], description=_l("The settlement, the judgment, the buyer's letter."))
