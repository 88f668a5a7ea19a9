"""The lists: entries of bank statements, statements, and one statement with what is noteworthy in it."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.bank_statements import BalanceCheck, EntryStatus, StatementKind
from insureflow.domain.cash_application import Confidence, EntryState
from insureflow.domain.money import Money
from insureflow.i18n.words import sentence
from insureflow.queries import cash_application as queries
from insureflow.services import cash_application as cash
from insureflow.web.access import may, requires
from insureflow.web.cash_application.routes import blueprint
from insureflow.web.context import choose_locale
from insureflow.web.filters import word
from insureflow.web.links import buyer_url
from insureflow.web.receivables.invoices import buyer_options
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options

TONES = {
    EntryState.MATCHED: "covered",
    EntryState.PROPOSED: "undecided",
    EntryState.UNMATCHED: "uncovered",
    EntryState.SET_ASIDE: "undecided",
    EntryState.NOT_A_RECEIPT: "undecided",
}
_SURE = {Confidence.CERTAIN: "covered", Confidence.LIKELY: "undecided", Confidence.POSSIBLE: "undecided"}
_BALANCES = {BalanceCheck.ADDS_UP: "covered", BalanceCheck.DIFFERS: "stopped"}
_LONGEST = 90


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    confidence = row["confidence"] if row["state"] is EntryState.PROPOSED else None
    text = row["text"] or ""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    state: dict[str, Any] = {"value": row["state"], "tone": TONES[row["state"]]}
    if row["status"] is not EntryStatus.BOOKED:
        state["hint"] = word(row["status"])
    return row | {
        "url": url_for("cash_application.show", bank_entry_id=row["key"]),
        "state": state,
        "payer": {"value": row["payer"] or row["payer_account"], "hint": text},
        "confidence": None if confidence is None else {"value": confidence, "tone": _SURE.get(confidence, "undecided")},
        "buyer": {"value": row["buyer"], "url": buyer_url(row["buyer_id"])} if row["buyer_id"] else row["buyer"],
    }


def _empty() -> Empty:
    text = _("Import a statement of the bank, and every payment in it is compared with what is open.")
    if may(Permission.IMPORT_RECEIVABLES):
        return Empty(_("No bank statements yet"), text, url_for("cash_application.new"), _("Import a bank statement"))
    return Empty(_("No bank statements yet"), text)


def _entries_view() -> TableView:
    return TableView(
        queries.entries_listing(g.scope.entity_id),
        _("Entries of bank statements"),
        {
            "booked_on": _("Booked"),
            "payer": _("Other side"),
            "text": _("Text"),
            "amount": _("Amount"),
            "state": _("State"),
            "confidence": _("Proposal"),
            "buyer": _("Buyer"),
            "account": _("Account"),
            "entity": _("Entity"),
            "status": _("At the bank"),
            "payer_account": _("Account of the other side"),
            "bank_reference": _("Reference of the bank"),
            "bank_statement_id": _("Statement"),
            "buyer_id": _("Buyer"),
        },
        options={
            "state": lambda: word_options(tuple(EntryState)),
            "confidence": lambda: word_options(tuple(Confidence)),
            "status": lambda: word_options(tuple(EntryStatus)),
            "bank_statement_id": lambda: [(str(key), name) for key, name in queries.list_statements()],
            "buyer_id": buyer_options,
        },
        decorate=_decorate,
        empty=_empty,
        beside=frozenset({"text", "status", "payer_account", "bank_reference", "entity"}),
    )


@blueprint.get("/")
@requires(Permission.VIEW_RECEIVABLES)
def index() -> ResponseReturnValue:
    """All entries, those that wait first."""
    view = _entries_view()
    if (export := wanted_export(view, "bank-entries")) is not None:
        return export
    counts = queries.count_entries(g.scope.entity_id)
    return render_template(
        "cash_application/index.html",
        listing=build_table(view),
        waiting=counts.get(EntryState.UNMATCHED, 0) + counts.get(EntryState.PROPOSED, 0),
        proposed=counts.get(EntryState.PROPOSED, 0),
        unmatched=counts.get(EntryState.UNMATCHED, 0),
    )


@blueprint.post("/propose")
@requires(Permission.EDIT_RECEIVABLES)
def propose() -> ResponseReturnValue:
    """Compare what waits with what is open now."""
    found = cash.propose(g.actor, g.organisation.id, entity_id=g.scope.entity_id)
    without = found[Confidence.NONE.value]
    total = sum(found.values())
    flash(
        _("%(total)s payments were compared with what is open; nothing was found for %(without)s.", total=total, without=without), "success"
    )
    return redirect(url_for("cash_application.index"))


@blueprint.post("/confirm-certain")
@requires(Permission.EDIT_RECEIVABLES)
def confirm_certain() -> ResponseReturnValue:
    """Match everything of which it is certain."""
    counts = cash.confirm_certain(g.actor, g.organisation.id, on=g.today, entity_id=g.scope.entity_id)
    flash(ngettext("%(num)s payment was matched.", "%(num)s payments were matched.", counts["matched"]), "success")
    if counts["changed"]:
        text = ngettext("%(num)s proposal had changed and waits.", "%(num)s proposals had changed and wait.", counts["changed"])
        flash(text, "warning")
    return redirect(url_for("cash_application.index"))


def _decorate_statement(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "url": url_for("cash_application.statement", bank_statement_id=row["key"]),
        "balance_check": {"value": row["balance_check"], "tone": _BALANCES.get(row["balance_check"], "undecided")},
    }


@blueprint.get("/statements")
@requires(Permission.VIEW_RECEIVABLES)
def statements() -> ResponseReturnValue:
    """All statements."""
    view = TableView(
        queries.statements_listing(g.scope.entity_id),
        _("Bank statements"),
        {
            "identification": _("Statement"),
            "account": _("Account"),
            "entity": _("Entity"),
            "kind": _("What it is"),
            "to_on": _("Up to"),
            "opening": _("Opening balance"),
            "closing": _("Closing balance"),
            "balance_check": _("Check"),
            "new_entries": _("New entries"),
            "bad_entries": _("Bad entries"),
            "file": _("File"),
            "source": _("Format"),
            "imported_at": _("When"),
            "imported_by": _("By"),
        },
        options={"kind": lambda: word_options(tuple(StatementKind)), "balance_check": lambda: word_options(tuple(BalanceCheck))},
        decorate=_decorate_statement,
        empty=_empty,
    )
    return wanted_export(view, "bank-statements") or render_template("cash_application/statements.html", listing=build_table(view))


def said(problem: dict[str, Any]) -> str:
    """A kept problem in words."""
    parameters = {name: _spoken(value) for name, value in problem["parameters"].items()}
    parameters |= {"path": problem["column"], "value": problem["value"]}
    return sentence(problem["code"], parameters, choose_locale())


def _spoken(value: Any) -> object:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return Money.of(str(value["amount"]), str(value["currency"]))
    return value


@blueprint.get("/statements/<int:bank_statement_id>")
@requires(Permission.VIEW_RECEIVABLES)
def statement(bank_statement_id: int) -> ResponseReturnValue:
    """One statement: its balances, what is wrong in it, and the way to its entries."""
    view = queries.find_statement(bank_statement_id)
    if view is None:
        abort(404)
    return render_template(
        "cash_application/statement.html",
        view=view,
        tone=_BALANCES.get(view.statement.balance_check, "undecided"),
        problems=[(each, said(each)) for each in view.statement.problems],
        warnings=[said(each) for each in view.statement.warnings],
    )
