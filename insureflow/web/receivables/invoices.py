"""The list of invoices, an invoice's own page, and why it is covered as it is."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from insureflow.domain.access import Permission
from insureflow.domain.cover import Reason
from insureflow.domain.disputes import DisputeOutcome
from insureflow.domain.errors import Refusal
from insureflow.domain.trace import Trace
from insureflow.i18n.words import sentence_for
from insureflow.queries import receivables
from insureflow.queries.receivables import InvoiceState, InvoiceView
from insureflow.services import cover, files
from insureflow.services import receivables as ledger
from insureflow.web.access import may, requires
from insureflow.web.charts import Part, Picture, Tone, cover_strip, request_language
from insureflow.web.context import choose_locale
from insureflow.web.filters import word
from insureflow.web.links import buyer_url, link_to, policy_url
from insureflow.web.receivables.forms import OpenDisputeForm, ResolveDisputeForm
from insureflow.web.receivables.routes import blueprint
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options

_NO_COVER = frozenset({Reason.SHIPPED_WHILE_STOPPED.value, Reason.EXTENDED_WITHOUT_CONSENT.value, Reason.NOTIFIED_LATE.value})

#: An address may choose so many buyers, by keys of fewer digits than this.
_MOST_CHOSEN, _DIGITS = 100, 19


def yes_or_no() -> list[tuple[str, str]]:
    """The choices of a filter that asks a question."""
    return [("yes", _("yes")), ("no", _("no"))]


def buyer_options() -> list[tuple[str, str]]:
    """The buyers chosen by the address, with their names; other buyers are found by a part of their name."""
    chosen = [int(text) for text in request.args.getlist("buyer_id")[:_MOST_CHOSEN] if text.isdecimal() and len(text) < _DIGITS]
    return [(str(key), name) for key, name in receivables.name_buyers(chosen)]


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    invoice_id = row["key"]
    state = InvoiceState(row["state"])
    row["url"] = url_for("receivables.show", invoice_id=invoice_id)
    row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    row["state"] = {"value": state, "tone": "covered" if state is InvoiceState.SETTLED else None}
    if state is InvoiceState.OVERDUE:
        days = (g.on - row["due_on"]).days
        row["due_on"] = {"value": row["due_on"], "hint": ngettext("%(num)s day late", "%(num)s days late", days), "tone": "stopped"}
    if row["still_open"] == "yes":
        row["covered"] = {"value": row["covered"], "why_url": url_for("receivables.why", invoice_id=invoice_id)}
    if row["reason"] is not None:
        row["reason"] = Reason(row["reason"])
    return row


def _view(buyer_id: int | None = None) -> TableView:
    listing = receivables.invoices_listing(g.on, entity_id=g.scope.entity_id, policy_id=g.scope.policy_id, buyer_id=buyer_id)
    return TableView(
        listing=listing,
        caption=_("Invoices"),
        labels={
            "number": _("Invoice"),
            "buyer": _("Buyer"),
            "country": _("Country"),
            "due_on": pgettext("day of payment", "Due"),
            "state": _("Ledger"),
            "gross": _("Gross"),
            "open": _("Open"),
            "covered": _("Covered"),
            "uncovered": _("Not covered"),
            "reason": _("Why not"),
            "policy": _("Policy"),
            "entity": _("Entity"),
            "invoice_on": _("Invoice date"),
            "policy_id": _("Policy"),
            "entity_id": _("Entity"),
            "currency": _("Currency"),
            "disputed": _("Disputed"),
            "still_open": _("Still open"),
            "not_fully_covered": _("Not fully covered"),
            "buyer_id": _("Buyer"),
            "batch_id": _("Import"),
        },
        options={
            "country": lambda: country_options(receivables.list_countries()),
            "state": lambda: word_options(tuple(InvoiceState)),
            "reason": lambda: word_options(tuple(Reason)),
            "policy_id": lambda: [(str(policy.id), policy.name) for policy in g.scope.policies],
            "entity_id": lambda: [(str(entity.id), entity.name) for entity in g.scope.entities],
            "currency": lambda: [(code, code) for code in receivables.list_currencies()],
            "disputed": yes_or_no,
            "still_open": yes_or_no,
            "not_fully_covered": yes_or_no,
            "buyer_id": buyer_options,
            "batch_id": lambda: [(str(key), name) for key, name in receivables.list_imports()],
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("No invoices yet"),
            _("Import a ledger file, and every invoice stands here with what of it is covered, and why."),
            link_to("imports.index") if may(Permission.IMPORT_RECEIVABLES) else None,
            _("Import receivables"),
        ),
    )


@blueprint.get("/")
@requires(Permission.VIEW_RECEIVABLES)
def index() -> ResponseReturnValue:
    """All invoices as of the day."""
    view = _view()
    if (export := wanted_export(view, "invoices")) is not None:
        return export
    return render_template(
        "receivables/index.html", listing=build_table(view), counts=receivables.count_invoices(g.on, g.scope.entity_id, g.scope.policy_id)
    )


def _found(invoice_id: int) -> InvoiceView:
    found = receivables.find_invoice(invoice_id, g.on)
    if found is None:
        abort(404)
    return found


def parts_of(view: InvoiceView) -> list[Part]:
    """What is open of an invoice, from covered to disputed, each part with its meaning."""
    position = view.position
    if position is None:
        return []
    lost = position.excluded_reason in _NO_COVER
    reason = word(Reason(position.excluded_reason)) if position.excluded_reason else ""
    return [
        Part(Tone.COVERED, _("Covered"), position.primary_minor),
        Part(Tone.COVERED, _("Covered by the top-up layer"), position.top_up_minor),
        Part(Tone.UNCOVERED, word(Reason.OVER_LIMIT), position.over_limit_minor),
        Part(Tone.STOPPED if lost else Tone.UNCOVERED, reason, position.excluded_minor),
        Part(Tone.UNCOVERED, word(Reason.VAT_NOT_COVERED), position.vat_minor),
        Part(Tone.UNDECIDED, word(Reason.DISPUTED), position.disputed_minor),
    ]


def _strip(view: InvoiceView) -> Picture | None:
    if view.position is None or not view.position.open_minor:
        return None
    language = request_language(view.position.limit_currency)
    return cover_strip(parts_of(view), language=language, title=_("What is open of this invoice"), key="cover")


def page_of(invoice_id: int, opening: OpenDisputeForm | None = None, resolving: ResolveDisputeForm | None = None) -> str:
    """An invoice's page, with the forms as they were sent if something was wrong with them."""
    view = _found(invoice_id)
    going_on = [dispute for dispute in view.disputes if dispute.resolved_on is None or dispute.resolved_on > g.on]
    can_edit = may(Permission.EDIT_RECEIVABLES) and g.on >= g.today
    ending = resolving or ResolveDisputeForm(formdata=None, resolved_on=g.today)
    ending.outcome.choices = word_options(tuple(DisputeOutcome))
    return render_template(
        "receivables/show.html",
        view=view,
        strip=_strip(view),
        going_on=going_on,
        disputed_minor=sum(dispute.amount_minor for dispute in going_on),
        opening=(opening or OpenDisputeForm(formdata=None, opened_on=g.today)) if can_edit else None,
        resolving=ending,
        papers={dispute.id: files.linked_to(ledger.EVIDENCE_OF_DISPUTE, dispute.id) for dispute in view.disputes},
        can_edit=can_edit,
        buyer_url=buyer_url(view.buyer.id),
        policy_url=policy_url(view.policy.id) if view.policy else None,
        days_late=_days_late(view, g.on),
    )


def _days_late(view: InvoiceView, on: date) -> int:
    is_open = view.position is not None and view.position.ledger_open_minor > 0
    return max(0, (on - view.invoice.due_on).days) if is_open else 0


@blueprint.get("/<int:invoice_id>")
@requires(Permission.VIEW_RECEIVABLES)
def show(invoice_id: int) -> ResponseReturnValue:
    """Everything about one invoice."""
    return page_of(invoice_id)


@blueprint.get("/<int:invoice_id>/why")
@requires(Permission.VIEW_RECEIVABLES)
def why(invoice_id: int) -> ResponseReturnValue:
    """The steps that lead to what is covered of an invoice: a panel beside a page, or a page of its own."""
    view = _found(invoice_id)
    refused = None
    try:
        trace = cover.explain_invoice(invoice_id, g.on)
    except Refusal as refusal:
        # An invoice that was written before its goods were shipped has not entered the account yet; or a rate is missing.
        # The rules know invoices by their keys; people know their numbers.
        said = refusal if refusal.code != "invoice_not_in_account" else Refusal(refusal.code, on=g.on, value=view.invoice.number)
        trace, refused = Trace(), sentence_for(said, choose_locale())
    is_panel = bool(request.headers.get("HX-Request"))
    return render_template(
        "receivables/why.html", view=view, trace=trace, refused=refused, strip=None if is_panel else _strip(view), is_panel=is_panel
    )
