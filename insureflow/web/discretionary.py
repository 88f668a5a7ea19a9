"""Discretionary limits: what may be set without asking, on what evidence, and whether it would survive a claim."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, FileField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AuditVerdict, DiscretionaryReason
from insureflow.domain.policies.vocabulary import DiscretionaryMethod
from insureflow.i18n import formats, words
from insureflow.i18n.words import sentence_for
from insureflow.models.buyers import Buyer
from insureflow.models.limit_requests import DiscretionaryAssessment
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import discretionary as queries
from insureflow.services import discretionary, files
from insureflow.services.discretionary import Audit, NewCreditReport
from insureflow.services.files import NewEvidence
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.downloads import attachment
from insureflow.web.limits.forms import read_minor, show_refusal
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options

blueprint = Blueprint("discretionary", __name__, url_prefix="/discretionary")

_VERDICT_TONES = {AuditVerdict.PROVEN: "covered", AuditVerdict.PROOF_STORED_LATE: "uncovered", AuditVerdict.NOT_USABLE: "stopped"}


class ReportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A credit report."""

    agency = StringField(_l("Agency"), [DataRequired(_l("Say whose report it is.")), Length(max=120)])
    reported_on = DateField(_l("Day of the report"), [InputRequired(_l("Say of which day it is."))])
    amount = StringField(
        _l("Amount it recommends"), [Optional()], description=_l("Empty where it names none."), render_kw={"inputmode": "decimal"}
    )
    currency = SelectField(_l("Currency"), [DataRequired()])
    is_approved_agency = BooleanField(_l("The policy accepts this agency"), default=True)
    is_unfavourable = BooleanField(_l("The report speaks against the buyer"))
    file = FileField(_l("The report itself"), [Optional()], description=_l("Without the file the report proves nothing at a claim."))


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("discretionary.show", assessment_id=row["newest"])
    row["method"] = (
        None
        if row["method"] is None
        else {"value": DiscretionaryMethod(row["method"]), "tone": "covered" if row["applied"] else "undecided"}
    )
    row["reason"] = None if row["reason"] is None else {"value": DiscretionaryReason(row["reason"]), "tone": "stopped"}
    return row


def _view() -> TableView:
    return TableView(
        queries.assessment_listing(g.on, policy_id=g.scope.policy_id),
        _("Discretionary limits worked out"),
        {
            "buyer": _("Buyer"),
            "policy": _("Policy"),
            "assessed_on": _("Worked out for"),
            "amount": _("Limit"),
            "method": _("Rests on"),
            "reason": _("Why none"),
            "valid_to": _("Evidence ends"),
        },
        {
            "policy": lambda: [(policy.number, policy.number) for policy in g.scope.policies],
            "method": lambda: word_options(list(DiscretionaryMethod)),
            "reason": lambda: word_options(list(DiscretionaryReason)),
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("No discretionary limit was worked out yet"),
            _("Open a buyer and work one out: the policy says on what evidence you may set a limit without asking."),
            url_for("buyers.index"),
            _("Buyers"),
        ),
    )


@blueprint.get("/")
@requires(Permission.VIEW_LIMITS)
def index() -> ResponseReturnValue:
    """Every discretionary limit that was worked out, and whose evidence ends soon."""
    view = _view()
    export = wanted_export(view, "discretionary-limits") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    ending = discretionary.ending_soon(g.on)
    sentence = (
        ngettext(
            "The evidence for %(count)s discretionary limit ends within %(days)s days.",
            "The evidence for %(count)s discretionary limits ends within %(days)s days.",
            len(ending),
            count=len(ending),
            days=discretionary.RENEW_DAYS,
        )
        if ending
        else _("No evidence ends within %(days)s days.", days=discretionary.RENEW_DAYS)
    )
    names = {each.buyer_id: buyer.legal_name for each in ending if (buyer := buyer_queries.find_buyer(each.buyer_id)) is not None}
    return render_template("discretionary/index.html", listing=build_table(view), sentence=sentence, ending=ending, names=names)


def _buyer_or_404(buyer_id: int) -> Buyer:
    buyer = buyer_queries.find_buyer(buyer_id)
    if buyer is None:
        abort(404)
    return buyer


def _policies() -> list[Any]:
    """The policies whose terms of the day have a clause on discretionary limits."""
    keys = discretionary.policies_with_clause(g.on)
    return [policy for policy in g.scope.policies if policy.id in keys and g.scope.policy_id in (None, policy.id)]


@blueprint.get("/buyers/<int:buyer_id>")
@requires(Permission.VIEW_LIMITS)
def buyer(buyer_id: int) -> ResponseReturnValue:
    """A buyer's evidence: reports with their files, and what was worked out."""
    found = _buyer_or_404(buyer_id)
    return render_template(
        "discretionary/buyer.html",
        buyer=found,
        policies=_policies(),
        reports=queries.reports_of(buyer_id),
        assessments=queries.assessments_of(buyer_id),
        numbers={policy.id: policy.number for policy in g.scope.policies},
        evidence=files.evidence_of(buyer_id=buyer_id),
    )


@blueprint.route("/buyers/<int:buyer_id>/reports/new", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def add_report(buyer_id: int) -> ResponseReturnValue:
    """Put a credit report on file."""
    found = _buyer_or_404(buyer_id)
    form = ReportForm()
    own = dict.fromkeys([*(policy.limit_currency for policy in g.scope.policies), g.organisation.reporting_currency])
    form.currency.choices = [(code, code) for code in (*own, *sorted(CURRENCIES - own.keys()))]
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                _add(form, buyer_id)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The report is on file."), "success")
                return redirect(url_for("discretionary.buyer", buyer_id=buyer_id))
    return render_template("discretionary/report.html", form=form, buyer=found), status


def _add(form: ReportForm, buyer_id: int) -> None:
    new = NewCreditReport(
        buyer_id,
        form.agency.data or "",
        form.reported_on.data,
        read_minor(form.amount.data, form.currency.data, "amount"),
        form.currency.data,
        bool(form.is_approved_agency.data),
        bool(form.is_unfavourable.data),
    )
    file = request.files.get("file")
    evidence = NewEvidence(file.filename, file.stream, new.reported_on) if file is not None and file.filename else None
    discretionary.add_report(g.actor, g.organisation.id, new, g.today, evidence=evidence)


@blueprint.post("/buyers/<int:buyer_id>/policies/<int:policy_id>/assess")
@requires(Permission.EDIT_LIMITS)
def assess(buyer_id: int, policy_id: int) -> ResponseReturnValue:
    """Work a discretionary limit out and freeze it."""
    _buyer_or_404(buyer_id)
    if policy_id not in {policy.id for policy in g.scope.policies}:
        abort(404)
    try:
        made = discretionary.assess(g.actor, g.organisation.id, policy_id, buyer_id, g.today)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("discretionary.buyer", buyer_id=buyer_id))
    return redirect(url_for("discretionary.show", assessment_id=made.id))


def _assessment_or_404(assessment_id: int) -> DiscretionaryAssessment:
    found = queries.find_assessment(assessment_id)
    if found is None:
        abort(404)
    return found


def _sentence(found: DiscretionaryAssessment) -> str:
    locale = choose_locale()
    if found.reason is not None:
        return str(_("No limit can be set without asking: %(reason)s.", reason=words.word(DiscretionaryReason(found.reason), locale)))
    amount = formats.money(found.amount_minor, found.currency, locale)
    method = words.word(DiscretionaryMethod(found.method or ""), locale)
    if found.valid_to is None:
        return str(_("%(amount)s may be set without asking; it rests on: %(method)s.", amount=amount, method=method))
    day = formats.day(found.valid_to, locale)
    return str(_("%(amount)s may be set without asking until %(day)s; it rests on: %(method)s.", amount=amount, method=method, day=day))


@blueprint.get("/<int:assessment_id>")
@requires(Permission.VIEW_LIMITS)
def show(assessment_id: int) -> ResponseReturnValue:
    """An assessment with the reasons for its amount, and the proof that its facts are those of its day."""
    found = _assessment_or_404(assessment_id)
    return render_template(
        "discretionary/show.html",
        assessment=found,
        buyer=_buyer_or_404(found.buyer_id),
        policy=next((policy for policy in g.scope.policies if policy.id == found.policy_id), None),
        sentence=_sentence(found),
        is_unaltered=discretionary.is_unaltered(found),
        can_apply=found.is_usable and found.decision_id is None and found.assessed_on == g.today,
    )


@blueprint.post("/<int:assessment_id>/apply")
@requires(Permission.EDIT_LIMITS)
def apply(assessment_id: int) -> ResponseReturnValue:
    """Set the limit that was worked out."""
    found = _assessment_or_404(assessment_id)
    try:
        discretionary.apply(g.actor, g.organisation.id, assessment_id, g.today)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("discretionary.show", assessment_id=assessment_id))
    flash(_("The discretionary limit is set."), "success")
    return redirect(url_for("buyers.limits", buyer_id=found.buyer_id))


@blueprint.get("/buyers/<int:buyer_id>/policies/<int:policy_id>/audit")
@requires(Permission.VIEW_LIMITS)
def audit(buyer_id: int, policy_id: int) -> ResponseReturnValue:
    """Would this limit survive a claim? Every shipment held against the evidence of its own day."""
    found = _buyer_or_404(buyer_id)
    if policy_id not in {policy.id for policy in g.scope.policies}:
        abort(404)
    is_whole = request.args.get("all") == "yes"
    try:
        held = discretionary.audit(policy_id, buyer_id, g.on, only_open=not is_whole)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("discretionary.buyer", buyer_id=buyer_id))
    return render_template(
        "discretionary/audit.html",
        audit=held,
        claim=held.claim,
        buyer=found,
        policy_id=policy_id,
        is_whole=is_whole,
        sentence=_audit_sentence(held),
        tones=_VERDICT_TONES,
    )


def _audit_sentence(held: Audit) -> str:
    if not held.claim.shipments:
        return str(_("There is no shipment that a discretionary limit would have to hold."))
    if held.claim.survives:
        return str(_("Yes: every shipment was within the limit of its day, and the proof was on file."))
    weak = sum(each.verdict is not AuditVerdict.PROVEN or each.uncovered > 0 for each in held.claim.shipments)
    return str(
        ngettext(
            "Not all of it: %(count)s shipment would be refused or cut.",
            "Not all of it: %(count)s shipments would be refused or cut.",
            weak,
            count=weak,
        )
    )


@blueprint.get("/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_LIMITS)
def download(evidence_file_id: int) -> ResponseReturnValue:
    """A file that proves something: given out as a download, never shown by the browser."""
    try:
        file = files.open_download(g.organisation.id, evidence_file_id)
    except Refusal as refusal:
        if refusal.code == "evidence_unknown":
            abort(404)
        raise
    return attachment(file)
