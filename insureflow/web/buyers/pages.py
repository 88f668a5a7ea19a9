"""The pages about one buyer: overview, invoices, limits, details, journal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, pgettext
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.cover.events import Reason
from insureflow.domain.limits import WITH_LIMIT, LimitSituation, LimitStatus
from insureflow.domain.money import Money
from insureflow.domain.sectors import sector_code
from insureflow.i18n import formats, words
from insureflow.queries import blocks as block_queries
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import connections as connection_queries
from insureflow.queries import limits as limit_queries
from insureflow.queries.buyers import BuyerFigures, Happening, HappeningKind
from insureflow.queries.cover import invoices as cover_invoices
from insureflow.queries.cover import limits as cover_limits
from insureflow.queries.dashboard.duties import EXPECTED
from insureflow.queries.limits import AccountLimits
from insureflow.queries.obligations.calendar import SETTLED
from insureflow.web import charts
from insureflow.web.access import may, requires
from insureflow.web.buyers.routes import blueprint, get_buyer_or_404
from insureflow.web.journal import changes_of
from insureflow.web.limits.words import tone_of_situation
from insureflow.web.links import link_to
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options

#: How far back the picture of limit and exposure reaches, and how far ahead duties are shown.
_PICTURE_DAYS = 730
_DUTY_DAYS = 60


def _money(amount: Money) -> str:
    return formats.money(amount.minor, amount.currency, str(get_locale() or "en"))


def _word(code: object) -> str:
    return words.word(code, str(get_locale() or "en"))


def frame_of(buyer_id: int) -> dict[str, Any]:
    """What every page of a buyer shows above its own content."""
    buyer = get_buyer_or_404(buyer_id)
    figures = buyer_queries.figures_of(buyer_id, g.on, policy_id=g.scope.policy_id, entity_id=g.scope.entity_id)
    accounts = limit_queries.limits_of_buyer(buyer_id, g.on, g.scope.policy_id)
    duties = (
        buyer_queries.duties_of(buyer_id, g.on, g.today, until=g.on + timedelta(days=_DUTY_DAYS))
        if may(Permission.VIEW_OBLIGATIONS)
        else []
    )
    open_duties = [duty for duty in duties if duty.status not in SETTLED and duty.key.kind not in EXPECTED]
    return {
        "buyer": buyer,
        "figures": figures,
        "accounts": accounts,
        "duties": duties,
        "expected": EXPECTED,
        "worst_duty": open_duties[0] if open_duties else None,
        "sentence": _sentence(figures, accounts),
        "is_stopped": any(account.stopped for account in accounts),
        "hand_blocks": block_queries.house_blocks_on(buyer_id, g.on),
        "situation": _situation(accounts),
        "tone_of_situation": tone_of_situation,
        "tabs": _tabs(buyer_id),
    }


def _situation(accounts: list[AccountLimits]) -> LimitSituation:
    order = list(LimitSituation)
    known = [account.situation for account in accounts]
    with_limit = [situation for situation in known if situation in WITH_LIMIT]
    return (with_limit or sorted(known, key=order.index) or [LimitSituation.NEVER_ASKED])[0]


def _tabs(buyer_id: int) -> list[tuple[str, str, str]]:
    tabs = [
        ("buyers.show", _("Overview"), Permission.VIEW_BUYERS),
        ("buyers.invoices", _("Invoices"), Permission.VIEW_RECEIVABLES),
        ("buyers.limits", _("Limits"), Permission.VIEW_LIMITS),
        ("blocks.of_buyer", _("Block"), Permission.VIEW_OBLIGATIONS),
        ("dunning.of_buyer", _("Overdues and letters"), Permission.VIEW_RECEIVABLES),
        ("notices.of_buyer", _("Notices to insurers"), Permission.VIEW_OBLIGATIONS),
        ("payment_plans.of_buyer", _("Payment plans"), Permission.VIEW_OBLIGATIONS),
        ("contacts.of_buyer", _("Contacts"), Permission.VIEW_BUYERS),
        ("issued_documents.of_buyer", _("Documents"), Permission.VIEW_RECEIVABLES),
        ("buyers.details", _("Details"), Permission.VIEW_BUYERS),
        ("buyers.journal", _("Journal"), Permission.VIEW_JOURNAL),
    ]
    allowed = [(endpoint, label, link_to(endpoint, buyer_id=buyer_id)) for endpoint, label, permission in tabs if may(permission)]
    return [(endpoint, label, url) for endpoint, label, url in allowed if url is not None]


def _sentence(figures: list[BuyerFigures], accounts: list[AccountLimits]) -> str:
    """What matters about this buyer today."""
    if any(account.stopped for account in accounts):
        return str(_("Cover is stopped: goods shipped now will never be insured."))
    owing = [each for each in figures if each.open.minor]
    if not owing:
        return str(_("Nothing is owed on this day."))
    first = owing[0]
    if not accounts:
        return str(_("%(open)s is owed, and nobody ever asked for a limit.", open=_money(first.open)))
    if first.uncovered.minor > 0:
        return str(_("%(open)s is owed; %(uncovered)s of it is not covered.", open=_money(first.open), uncovered=_money(first.uncovered)))
    return str(_("%(open)s is owed and all of it is covered.", open=_money(first.open)))


def _stack(figures: BuyerFigures, accounts: list[AccountLimits]) -> charts.Picture:
    """The limits in force in one currency in layers, against what is owed."""
    currency = figures.open.currency
    parts = []
    for account in accounts:
        if account.policy.limit_currency != currency:
            continue
        for amount, label in (
            (account.limit, _("Primary, %(policy)s", policy=account.policy.number)),
            (account.top_up, _("Top-up, %(policy)s", policy=account.policy.number)),
        ):
            if amount.minor:
                parts.append(charts.Part(charts.Tone.COVERED, label, amount.minor))
    return charts.limit_stack(
        parts,
        exposure=figures.open.minor,
        language=charts.request_language(currency),
        title=_("Limits against what is owed, %(currency)s", currency=currency),
        key=f"limit-stack-{currency.lower()}",
    )


def _timeline_picture(buyer_id: int, account: AccountLimits) -> charts.Picture:
    """Limit and exposure under one policy over two years, and a month ahead."""
    start, end = g.on - timedelta(days=_PICTURE_DAYS), g.on + timedelta(days=31)
    points = cover_limits.limit_timeline(buyer_id, account.policy.id, start, end)
    said = {decision.decided_on: decision for decision, _state in reversed(account.decisions)}
    decisions: list[charts.LimitDecision] = []
    for point in points:
        decision = said.get(point.on)
        asked = any(day <= point.on for day in said)
        limit = point.limit if asked or point.limit else None
        if decisions and decisions[-1].minor == limit and decision is None:
            continue
        word = _word(decision.status) if decision is not None else (_("limit in force") if point.limit else _("no limit"))
        decisions.append(charts.LimitDecision(point.on, limit, word))
    shipments = [
        charts.Shipment(day, amount)
        for day, amount in buyer_queries.shipments_of(buyer_id, account.policy.id, start, g.on + timedelta(days=1))
    ]
    return charts.limit_timeline(
        decisions,
        [charts.ExposureOn(point.on, point.open) for point in points],
        shipments,
        start=start,
        end=end,
        language=charts.request_language(account.policy.limit_currency),
        title=_("Limit and amount owed under %(policy)s", policy=account.policy.number),
        key=f"timeline-{account.policy.id}",
    )


@blueprint.get("/<int:buyer_id>")
@requires(Permission.VIEW_BUYERS)
def show(buyer_id: int) -> ResponseReturnValue:
    """A buyer: how it stands, its limits against what it owes, what is due, and what happened."""
    frame = frame_of(buyer_id)
    stacks = [_stack(figures, frame["accounts"]) for figures in frame["figures"]]
    pictures = [_timeline_picture(buyer_id, account) for account in frame["accounts"]]
    happenings = [_entry(happening) for happening in buyer_queries.happenings_of(buyer_id, g.on)]
    grades = connection_queries.grades_of_buyer(buyer_id) if g.on == g.today else []
    return render_template("buyers/show.html", **frame, stacks=stacks, pictures=pictures, happenings=happenings, grades=grades)


def _entry(happening: Happening) -> dict[str, Any]:
    """One line of the timeline."""
    row, amount = happening.row, _money(happening.amount) if happening.amount is not None else ""
    entry: dict[str, Any] = {"on": happening.on, "text": None, "tone": "undecided", "url": None}
    if happening.kind is HappeningKind.DECISION:
        entry["title"] = _("Limit: %(what)s %(amount)s", what=_word(row.status), amount=amount).rstrip()
        entry["text"] = row.reason or None
        entry["tone"] = {
            LimitStatus.APPROVED: "covered",
            LimitStatus.PARTLY_APPROVED: "covered",
            LimitStatus.REDUCED: "uncovered",
            LimitStatus.REFUSED: "stopped",
            LimitStatus.WITHDRAWN: "stopped",
        }.get(row.status, "undecided")
        entry["url"] = url_for("limits.show", decision_id=row.id) if may(Permission.VIEW_LIMITS) else None
    elif happening.kind is HappeningKind.ACT:
        entry["title"] = _word(row.kind).capitalize()
        entry["text"] = row.note or None
        entry["tone"] = "stopped" if row.kind.value in ("stop_cover", "date_of_loss", "insolvency") else "undecided"
    else:
        entry["title"] = _title_of_document(happening, amount)
        entry["tone"] = {HappeningKind.PAYMENT: "covered", HappeningKind.DISPUTE: "uncovered"}.get(happening.kind, "undecided")
    return entry


def _title_of_document(happening: Happening, amount: str) -> str:
    number = happening.row.number
    if happening.kind is HappeningKind.INVOICE:
        return str(_("Invoice %(number)s of %(amount)s", number=number, amount=amount))
    if happening.kind is HappeningKind.PAYMENT:
        return str(_("Payment of %(amount)s", amount=amount))
    if happening.kind is HappeningKind.CREDIT_NOTE:
        return str(_("Credit note %(number)s of %(amount)s", number=number, amount=amount))
    if happening.kind is HappeningKind.DISPUTE:
        return str(_("Dispute on invoice %(number)s about %(amount)s", number=number, amount=amount))
    return str(_("Dispute on invoice %(number)s ended: %(amount)s is owed", number=number, amount=amount))


def _decorate_invoice(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = link_to("receivables.show", invoice_id=row["key"])
    if row["days_overdue"]:
        row["due_on"] = {"value": row["due_on"], "tone": "stopped"}
    row["covered"] = {"value": row["covered"], "why_url": link_to("receivables.why", invoice_id=row["key"])}
    if row["uncovered"] and row["uncovered"][0] > 0:
        row["uncovered"] = {"value": row["uncovered"], "tone": "uncovered"}
    row["days_overdue"] = row["days_overdue"] or None
    return row


def _invoice_view(buyer_id: int) -> TableView:
    """A buyer's open invoices as its page shows them."""
    return TableView(
        cover_invoices.invoice_listing(g.on, entity_id=g.scope.entity_id, policy_id=g.scope.policy_id, buyer_id=buyer_id),
        _("Open invoices"),
        {
            "number": _("Invoice"),
            "buyer": _("Buyer"),
            "country": _("Country"),
            "entity": _("Entity"),
            "policy": _("Policy"),
            "invoice_on": _("Invoice date"),
            "shipment_on": _("Shipped"),
            "due_on": pgettext("day of payment", "Due"),
            "days_overdue": _("Days overdue"),
            "open": _("Open"),
            "covered": _("Covered"),
            "uncovered": _("Not covered"),
            "reason": _("Main reason"),
            "insured_percentage": _("Insured"),
        },
        {
            "country": lambda: country_options([]),
            "policy": lambda: [(policy.number, policy.number) for policy in g.scope.policies],
            "reason": lambda: word_options(list(Reason)),
        },
        decorate=_decorate_invoice,
        empty=lambda: Empty(_("Nothing is open"), _("Invoices appear here as soon as a ledger with them is imported.")),
    )


@blueprint.get("/<int:buyer_id>/invoices")
@requires(Permission.VIEW_RECEIVABLES)
def invoices(buyer_id: int) -> ResponseReturnValue:
    """A buyer's open invoices, what of each is covered, and why."""
    frame = frame_of(buyer_id)
    view = _invoice_view(buyer_id)
    export = wanted_export(view, "invoices") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    return render_template(
        "buyers/invoices.html", **frame, listing=build_table(view), all_url=link_to("receivables.index", buyer_id=buyer_id)
    )


@blueprint.get("/<int:buyer_id>/limits")
@requires(Permission.VIEW_LIMITS)
def limits(buyer_id: int) -> ResponseReturnValue:
    """A buyer's limits under each policy: what is in force, every decision and every act."""
    return render_template("buyers/limits.html", **frame_of(buyer_id))


@blueprint.get("/<int:buyer_id>/details")
@requires(Permission.VIEW_BUYERS)
def details(buyer_id: int) -> ResponseReturnValue:
    """Who a buyer is: names, numbers, addresses, group."""
    frame = frame_of(buyer_id)
    buyer = frame["buyer"]
    parent = buyer_queries.find_buyer(buyer.parent_id) if buyer.parent_id else None
    entities = {entity.id: entity.name for entity in g.scope.entities}
    return render_template(
        "buyers/details.html",
        **frame,
        parent=parent,
        children=buyer_queries.children_of(buyer_id),
        entities=entities,
        similar=buyer_queries.find_similar(buyer) if buyer.status is BuyerStatus.TO_REVIEW else [],
        sector=_word(sector_code(buyer.sector)) if buyer.sector else None,
        language=language_name(buyer.language),
    )


def language_name(tag: str | None) -> str | None:
    """The name of a language in the reader's language."""
    locale = get_locale()
    if tag is None or locale is None:
        return tag
    return str(locale.languages.get(tag.split("-")[0].split("_")[0], tag))


@blueprint.get("/<int:buyer_id>/journal")
@requires(Permission.VIEW_JOURNAL)
def journal(buyer_id: int) -> ResponseReturnValue:
    """Who changed what about a buyer, and when."""
    frame = frame_of(buyer_id)
    entries = [(entry, changes_of(entry.before, entry.after)) for entry in buyer_queries.journal_of(buyer_id)]
    return render_template("buyers/journal.html", **frame, entries=entries)
