"""Disputes: the list, and the forms that open and resolve one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.disputes import DisputeOutcome
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.money import minor_digits
from insureflow.i18n.words import sentence_for
from insureflow.queries import receivables
from insureflow.queries.receivables import DisputeState
from insureflow.services import files
from insureflow.services import receivables as ledger
from insureflow.services.files import NewEvidence
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.downloads import attachment
from insureflow.web.links import buyer_url
from insureflow.web.receivables.forms import OpenDisputeForm, ResolveDisputeForm
from insureflow.web.receivables.invoices import buyer_options, page_of
from insureflow.web.receivables.routes import blueprint
from insureflow.web.tables import Empty, TableView, build_table, country_options, read_decimal, wanted_export, word_options


def _read_minor(form: Any, name: str, currency: str) -> int | None:
    """A typed amount in minor units; what is wrong with it goes to its field."""
    amount = read_decimal(form[name].data or "")
    if amount is None:
        form[name].errors = [*form[name].errors, _("This is not an amount.")]
        return None
    scaled = amount * Decimal(10) ** minor_digits(currency)
    if scaled != scaled.to_integral_value():
        form[name].errors = [*form[name].errors, _("%(currency)s has no such small parts.", currency=currency)]
        return None
    return int(scaled)


def _evidence(form: Any) -> NewEvidence | None:
    """The file that was sent along, if one was."""
    sent = form.file.data
    return NewEvidence(sent.filename, sent.stream) if sent and sent.filename else None


def _show_file_problem(form: Any, refusal: Refusal) -> None:
    """What is wrong with a file goes to its field; any other refusal goes on."""
    if not refusal.code.startswith("evidence_"):
        raise refusal
    form.file.errors = [sentence_for(refusal, choose_locale())]


def _show_problems(form: Any, problems: InvalidValues) -> None:
    for problem in problems.problems:
        field = form[problem.path]
        field.errors = [*field.errors, sentence_for(problem, choose_locale())]


@blueprint.post("/<int:invoice_id>/disputes")
@requires(Permission.EDIT_RECEIVABLES)
def open_dispute(invoice_id: int) -> ResponseReturnValue:
    """Open a dispute about an invoice."""
    found = receivables.find_invoice(invoice_id, g.today)
    if found is None:
        abort(404)
    form = OpenDisputeForm()
    if form.validate_on_submit():
        amount = _read_minor(form, "amount", found.invoice.currency)
        if amount is not None:
            try:
                ledger.open_dispute(
                    g.actor,
                    g.organisation.id,
                    invoice_id,
                    amount_minor=amount,
                    opened_on=form.opened_on.data,
                    reason=form.reason.data,
                    on=g.today,
                    is_ring_fenced=bool(form.is_ring_fenced.data),
                    evidence=_evidence(form),
                )
            except InvalidValues as problems:
                _show_problems(form, problems)
            except Refusal as refusal:
                _show_file_problem(form, refusal)
            else:
                flash(_("The dispute is recorded, and cover was worked out anew."), "success")
                return redirect(url_for("receivables.show", invoice_id=invoice_id))
    return page_of(invoice_id, opening=form), 422


@blueprint.post("/disputes/<int:dispute_id>/resolve")
@requires(Permission.EDIT_RECEIVABLES)
def resolve_dispute(dispute_id: int) -> ResponseReturnValue:
    """Record how a dispute ended."""
    dispute = receivables.find_dispute(dispute_id)
    if dispute is None:
        abort(404)
    form = ResolveDisputeForm()
    form.outcome.choices = word_options(tuple(DisputeOutcome))
    if form.validate_on_submit():
        owed = _read_minor(form, "found_owed", dispute.invoice.currency)
        if owed is not None:
            try:
                ledger.resolve_dispute(
                    g.actor,
                    g.organisation.id,
                    dispute_id,
                    found_owed_minor=owed,
                    resolved_on=form.resolved_on.data,
                    on=g.today,
                    outcome=DisputeOutcome(form.outcome.data),
                    reference=form.reference.data or "",
                    evidence=_evidence(form),
                )
            except InvalidValues as problems:
                _show_problems(form, problems)
            except Refusal as refusal:
                _show_file_problem(form, refusal)
            else:
                flash(_("The dispute is closed, and cover was worked out anew."), "success")
                return redirect(url_for("receivables.show", invoice_id=dispute.invoice.id))
    return page_of(dispute.invoice.id, resolving=form), 422


@blueprint.post("/disputes/<int:dispute_id>/ring-fence")
@requires(Permission.EDIT_RECEIVABLES)
def ring_fence(dispute_id: int) -> ResponseReturnValue:
    """Go on collecting the rest of the invoice, or let the whole invoice wait."""
    dispute = receivables.find_dispute(dispute_id)
    if dispute is None:
        abort(404)
    is_ring_fenced = request.form.get("ring_fenced") == "yes"
    ledger.ring_fence(g.actor, g.organisation.id, dispute_id, is_ring_fenced=is_ring_fenced)
    said = _("The rest of the invoice is collected.") if is_ring_fenced else _("The whole invoice waits for the end of the dispute.")
    flash(said, "success")
    return redirect(url_for("receivables.show", invoice_id=dispute.invoice.id, _anchor="disputes"))


@blueprint.post("/disputes/<int:dispute_id>/papers")
@requires(Permission.EDIT_RECEIVABLES)
def add_paper(dispute_id: int) -> ResponseReturnValue:
    """Keep a paper of a dispute."""
    dispute = receivables.find_dispute(dispute_id)
    if dispute is None:
        abort(404)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        flash(_("Choose a file."), "error")
    else:
        try:
            ledger.add_evidence(g.actor, g.organisation.id, dispute_id, NewEvidence(sent.filename, sent.stream))
            flash(_("The file is kept with the dispute."), "success")
        except Refusal as refusal:
            flash(sentence_for(refusal, choose_locale()), "error")
    return redirect(url_for("receivables.show", invoice_id=dispute.invoice.id, _anchor="disputes"))


@blueprint.get("/disputes/papers/<int:evidence_file_id>")
@requires(Permission.VIEW_RECEIVABLES)
def paper(evidence_file_id: int) -> ResponseReturnValue:
    """A paper of a dispute: given out as a download, never shown by the browser."""
    try:
        file = files.open_download(g.organisation.id, evidence_file_id)
    except Refusal as refusal:
        if refusal.code == "evidence_unknown":
            abort(404)
        raise
    return attachment(file)


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("receivables.show", invoice_id=row["invoice_id"], _anchor="disputes")
    row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    row["state"] = DisputeState(row["state"])
    return row


def labels() -> Mapping[str, str]:
    """The headings of the list."""
    return {
        "number": _("Invoice"),
        "buyer": _("Buyer"),
        "country": _("Country"),
        "opened_on": _("Since"),
        "state": _("State"),
        "amount": _("Disputed"),
        "resolved_on": _("Resolved"),
        "found_owed": _("Found to be owed"),
        "reason": _("What is disputed"),
        "invoice_id": _("Invoice"),
        "buyer_id": _("Buyer"),
    }


@blueprint.get("/disputes")
@requires(Permission.VIEW_RECEIVABLES)
def disputes() -> ResponseReturnValue:
    """All disputes opened by the day."""
    view = TableView(
        listing=receivables.disputes_listing(g.on, entity_id=g.scope.entity_id, policy_id=g.scope.policy_id),
        caption=_("Disputes"),
        labels=labels(),
        options={
            "country": lambda: country_options(receivables.list_countries()),
            "state": lambda: word_options(tuple(DisputeState)),
            "buyer_id": buyer_options,
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("No disputes"),
            _("A dispute is opened on the page of an invoice. While it goes on, the disputed amount is not covered but keeps its place."),
            url_for("receivables.index"),
            _("Go to the invoices"),
        ),
    )
    if (export := wanted_export(view, "disputes")) is not None:
        return export
    return render_template("receivables/disputes.html", listing=build_table(view), going_on=receivables.count_disputes(g.on))
