"""The list of payments."""

from __future__ import annotations

from typing import Any

from flask import g, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.cover import Purpose
from insureflow.queries import receivables
from insureflow.web.access import may, requires
from insureflow.web.links import buyer_url, invoices_url, link_to
from insureflow.web.receivables.invoices import buyer_options
from insureflow.web.receivables.routes import blueprint
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    row["purpose"] = Purpose(row["purpose"])
    row["number"] = {"value": row["number"], "url": invoices_url(buyer_id=row["buyer_id"])}
    if row["unapplied"][0] > 0:
        row["unapplied"] = {"value": row["unapplied"], "tone": "uncovered"}
    if row["inferred"] == "yes":
        row["inferred"] = {"value": "yes", "tone": "undecided"}
    return row


@blueprint.get("/payments")
@requires(Permission.VIEW_RECEIVABLES)
def payments() -> ResponseReturnValue:
    """All payments received by the day."""
    view = TableView(
        listing=receivables.payments_listing(g.on, entity_id=g.scope.entity_id, policy_id=g.scope.policy_id),
        caption=_("Payments"),
        labels={
            "number": _("Payment"),
            "buyer": _("Buyer"),
            "country": _("Country"),
            "received_on": _("Received"),
            "amount": _("Amount"),
            "unapplied": _("Not applied"),
            "invoices": _("Invoices settled"),
            "purpose": _("Purpose"),
            "inferred": _("Inferred"),
            "entity": _("Entity"),
            "buyer_id": _("Buyer"),
        },
        options={
            "country": lambda: country_options(receivables.list_countries()),
            "purpose": lambda: word_options(tuple(Purpose)),
            "inferred": lambda: [("yes", _("yes")), ("no", _("no"))],
            "buyer_id": buyer_options,
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("No payments yet"),
            _("Payments come with a ledger file; an open-items list says that an invoice was settled by leaving it out."),
            link_to("imports.index") if may(Permission.IMPORT_RECEIVABLES) else None,
            _("Import receivables"),
        ),
    )
    if (export := wanted_export(view, "payments")) is not None:
        return export
    return render_template("receivables/payments.html", listing=build_table(view))
