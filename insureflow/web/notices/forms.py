"""The forms of papers for insurers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import g, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, FileField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import Money, from_minor, to_minor
from insureflow.domain.notices import (
    Administrator,
    AdverseKind,
    Channel,
    Intervention,
    NoticeKind,
    Particulars,
    PlanLine,
    ProceedingKind,
    ReasonForNonPayment,
    ReplyOutcome,
)
from insureflow.i18n.documents import LANGUAGES
from insureflow.queries.notices.showing import NoticeView
from insureflow.services.notices import LODGING_CHANNELS
from insureflow.web.buyers.pages import language_name
from insureflow.web.tables import country_options, read_date, read_decimal, word_options

#: Empty lines for instalments below those that are there.
_EMPTY_LINES = 3


class NewNoticeForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What is to be told to the insurer."""

    kind = SelectField(_l("What"), [InputRequired()])
    policy_id = SelectField(_l("Policy"), [InputRequired()], coerce=int)

    def prepare(self) -> None:
        """Fill the choices."""
        self.kind.choices = word_options(list(NoticeKind))
        self.policy_id.choices = [(policy.id, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies]


class DraftForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What a draft says; which fields are shown depends on its kind."""

    reason = SelectField(_l("Why the buyer does not pay"), [InputRequired()])
    comment = TextAreaField(_l("In your words"), [Optional(), Length(max=4000)])
    paper_language = SelectField(_l("Language of the paper"), [InputRequired()])
    last_demand_on = DateField(_l("Last demand for payment"), [Optional()])
    intervention = SelectField(_l("What the insurer is asked to do"), [InputRequired()])
    dispute = TextAreaField(_l("What the buyer contests"), [Optional(), Length(max=1000)])
    dispute_raised_on = DateField(_l("Contested since"), [Optional()])
    requested_on = DateField(_l("Asked for on"), [Optional()])
    adverse = SelectMultipleField(
        _l("What has become known"),
        [Optional()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    known_on = DateField(_l("You learned it on"), [Optional()])
    happened_on = DateField(_l("It happened on"), [Optional()])
    source = StringField(_l("From whom you know it"), [Optional(), Length(max=200)])
    proceeding = SelectField(_l("Kind of proceedings"), [Optional()])
    opened_on = DateField(_l("Opened on"), [Optional()])
    court = StringField(_l("Court"), [Optional(), Length(max=200)])
    case_number = StringField(_l("File number"), [Optional(), Length(max=100)])
    lodge_by = DateField(_l("Claims to be lodged by"), [Optional()])
    administrator_name = StringField(_l("Administrator"), [Optional(), Length(max=200)])
    administrator_street = StringField(_l("Street of the administrator"), [Optional(), Length(max=200)])
    administrator_postal_code = StringField(_l("Postal code of the administrator"), [Optional(), Length(max=20)])
    administrator_city = StringField(_l("Town of the administrator"), [Optional(), Length(max=120)])
    administrator_country = SelectField(_l("Country of the administrator"), [Optional()])
    administrator_email = StringField(_l("E-mail of the administrator"), [Optional(), Length(max=320)])

    def prepare(self, countries: Sequence[str], kind: NoticeKind) -> None:
        """Fill the choices, and leave out what a paper of this kind does not ask: nobody could fill it in."""
        self.reason.choices = word_options(list(ReasonForNonPayment))
        self.paper_language.choices = [(tag, language_name(tag) or tag) for tag in LANGUAGES]
        self.intervention.choices = word_options(list(Intervention))
        self.adverse.choices = word_options(list(AdverseKind))
        self.proceeding.choices = [("", _("Choose")), *word_options(list(ProceedingKind))]
        self.administrator_country.choices = [("", _("Choose")), *country_options(countries)]
        for name in {field.name for field in self} - {*FIELDS[kind], "csrf_token"}:
            del self[name]


#: The fields of the editor by kind of paper, in order.
FIELDS: dict[NoticeKind, tuple[str, ...]] = {
    NoticeKind.NON_PAYMENT: ("reason", "comment", "intervention", "last_demand_on", "dispute", "dispute_raised_on", "paper_language"),
    NoticeKind.EXTENSION: ("comment", "requested_on", "paper_language"),
    NoticeKind.RESCHEDULING: ("comment", "requested_on", "paper_language"),
    NoticeKind.ADVERSE_INFORMATION: ("adverse", "known_on", "happened_on", "source", "comment", "paper_language"),
    NoticeKind.INSOLVENCY: (
        "proceeding", "opened_on", "known_on", "court", "case_number", "lodge_by", "administrator_name", "administrator_street",
        "administrator_postal_code", "administrator_city", "administrator_country", "administrator_email", "comment", "paper_language",
    ),
}  # fmt: skip


def form_data(view: NoticeView) -> dict[str, object]:
    """What the editor starts with."""
    facts, administrator = view.particulars, view.particulars.administrator or Administrator(name="")
    return {
        "reason": view.notice.reason.value,
        "comment": view.notice.comment,
        "paper_language": view.notice.language,
        "last_demand_on": facts.last_demand_on,
        "intervention": facts.intervention.value,
        "dispute": facts.dispute,
        "dispute_raised_on": facts.dispute_raised_on,
        "requested_on": facts.requested_on,
        "adverse": [kind.value for kind in facts.adverse],
        "known_on": facts.known_on,
        "happened_on": facts.happened_on,
        "source": facts.source,
        "proceeding": "" if facts.proceeding is None else facts.proceeding.value,
        "opened_on": facts.opened_on,
        "court": facts.court,
        "case_number": facts.case_number,
        "lodge_by": facts.lodge_by,
        **{f"administrator_{name}": getattr(administrator, name) for name in Administrator.__slots__},
    }


def particulars_from(form: DraftForm, view: NoticeView) -> Particulars:
    """What was typed, by kind of paper. Errors: ``InvalidValue`` for an instalment that cannot be read."""
    kind, facts = view.notice.kind, view.particulars
    said: dict[str, Any] = {
        name: getattr(form, name).data
        for name in ("last_demand_on", "dispute_raised_on", "requested_on", "known_on", "happened_on", "opened_on", "lodge_by")
        if name in FIELDS[kind]
    }
    said |= {
        name: (getattr(form, name).data or "").strip() for name in ("dispute", "source", "court", "case_number") if name in FIELDS[kind]
    }
    administrator = None
    if "administrator_name" in FIELDS[kind] and (form.administrator_name.data or "").strip():
        parts = {name: (form[f"administrator_{name}"].data or "").strip() for name in Administrator.__slots__}
        administrator = Administrator(**parts)
    return Particulars(
        **said,
        intervention=Intervention(form.intervention.data) if "intervention" in FIELDS[kind] else facts.intervention,
        plan=read_plan(view) if kind is NoticeKind.RESCHEDULING else facts.plan,
        plan_invoices=tuple(request.form.getlist("plan_invoice")) if kind is NoticeKind.RESCHEDULING else facts.plan_invoices,
        plan_id=facts.plan_id,
        adverse=tuple(AdverseKind(value) for value in form.adverse.data or ()) if "adverse" in FIELDS[kind] else facts.adverse,
        proceeding=ProceedingKind(form.proceeding.data) if "proceeding" in FIELDS[kind] and form.proceeding.data else None,
        administrator=administrator,
    )


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A line of the editor's table of instalments, as typed."""

    due_on: str
    amount: str


def currency_of(view: NoticeView) -> str:
    """The currency in which instalments are typed."""
    if view.particulars.plan:
        return view.particulars.plan[0].amount.currency
    return view.totals[0].currency if view.totals else view.policy.currency


def plan_rows(view: NoticeView) -> list[PlanRow]:
    """The instalments as the editor shows them, with a few empty lines."""
    if request.method == "POST":
        typed = zip(request.form.getlist("plan_due"), request.form.getlist("plan_amount"), strict=False)
        rows = [PlanRow(due, amount) for due, amount in typed if due.strip() or amount.strip()]
    else:
        rows = [
            PlanRow(line.due_on.isoformat(), str(from_minor(line.amount.minor, line.amount.currency))) for line in view.particulars.plan
        ]
    return [*rows, *[PlanRow("", "")] * _EMPTY_LINES]


def read_plan(view: NoticeView) -> tuple[PlanLine, ...]:
    """The instalments that were typed. Errors: ``InvalidValue`` ``plan_line_unreadable``."""
    currency, lines = currency_of(view), []
    for row in plan_rows(view):
        if not row.due_on.strip() and not row.amount.strip():
            continue
        due_on, amount = read_date(row.due_on), read_decimal(row.amount)
        if due_on is None or amount is None or amount <= 0:
            raise InvalidValue("plan_line_unreadable", "plan", f"{row.due_on} {row.amount}".strip())
        lines.append(PlanLine(due_on=due_on, amount=Money(to_minor(amount, currency), currency)))
    return tuple(sorted(lines, key=lambda line: line.due_on))


def read_new_due_dates(view: NoticeView) -> dict[str, date]:
    """The new due dates that were typed, by number of the invoice."""
    found = {}
    for place, line in enumerate(view.lines):
        day = read_date(request.form.get(f"new_due-{place}", ""))
        if day is not None:
            found[line.number] = day
    return found


class SendForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """How a paper goes to the insurer."""

    channel = SelectField(_l("How"), [InputRequired()])
    sent_on = DateField(_l("Sent on"), [Optional()], description=_l("For portal and post: the day on which you sent it."))
    protocol_number = StringField(
        _l("Number in the portal"), [Optional(), Length(max=120)], description=_l("The number under which the portal took it.")
    )
    recipient = StringField(_l("Posted to"), [Optional(), Length(max=500)])
    evidence = FileField(
        _l("Receipt"), [Optional()], description=_l("A file that shows it: confirmation of the portal, receipt of the post.")
    )
    note = StringField(_l("Note"), [Optional(), Length(max=1000)])
    with_old_figures = BooleanField(_l("Send it with its old figures"))

    def prepare(self) -> None:
        """Fill the choices; no insurer publishes how a notification is written for its interface, so none is offered."""
        self.channel.choices = word_options([Channel.EMAIL, Channel.PORTAL, Channel.POST])


class ReplyForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What the insurer answered."""

    outcome = SelectField(_l("The insurer"), [InputRequired()])
    replied_on = DateField(_l("Answered on"), [InputRequired(_l("Say when the insurer answered."))])
    note = TextAreaField(_l("What it says"), [Optional(), Length(max=1000)])
    evidence = FileField(_l("The answer"), [Optional()], description=_l("The letter or e-mail of the insurer as a file."))

    def prepare(self) -> None:
        """Fill the choices."""
        self.outcome.choices = word_options(list(ReplyOutcome))


class LodgingForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """That the proof of debt was lodged with the administrator."""

    lodged_on = DateField(_l("Lodged on"), [InputRequired(_l("Say when it was lodged."))])
    administrator = StringField(_l("With whom"), [InputRequired(_l("Say with which administrator.")), Length(max=200)])
    channel = SelectField(_l("How it was lodged"), [InputRequired()], id="lodging-channel")
    note = TextAreaField(_l("Remark"), [Optional(), Length(max=1000)], id="lodging-note")
    evidence = FileField(
        _l("What shows it"), [InputRequired(_l("Add what shows it: a receipt, the e-mail, the slip of the post."))], id="lodging-evidence"
    )

    def prepare(self) -> None:
        """Fill the choices."""
        self.channel.choices = word_options(list(LODGING_CHANNELS))


class CancelForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """Why a paper is given up."""

    reason = StringField(_l("Why it is not sent"), [InputRequired(_l("Say why it is not sent.")), Length(max=1000)])
