"""The map of the product: sections and their pages, each with the permission it takes to see it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from insureflow.domain.access import Permission


@dataclass(frozen=True, slots=True)
class Page:
    """A page that the navigation leads to."""

    endpoint: str
    label: LazyString
    permission: Permission


@dataclass(frozen=True, slots=True)
class Section:
    """A group of pages; ``blueprints`` are those whose pages light the section up."""

    label: LazyString
    blueprints: tuple[str, ...]
    pages: tuple[Page, ...]


SECTIONS: tuple[Section, ...] = (
    Section(
        _l("Today"),
        ("dashboard", "telling", "work_items"),
        (
            Page("dashboard.index", _l("Dashboard"), Permission.VIEW_EXPOSURE),
            Page("telling.index", _l("Inbox"), Permission.VIEW_OBLIGATIONS),
            Page("work_items.index", _l("Work"), Permission.VIEW_OBLIGATIONS),
        ),
    ),
    Section(_l("Buyers"), ("buyers", "contacts"), (Page("buyers.index", _l("All buyers"), Permission.VIEW_BUYERS),)),
    Section(
        _l("Limits"),
        ("limits", "limit_groups", "limit_requests", "limit_cuts", "discretionary", "limit_exchange", "limit_needs", "connections"),
        (
            Page("limits.index", _l("Limits register"), Permission.VIEW_LIMITS),
            Page("limit_groups.index", _l("Shared limits"), Permission.VIEW_LIMITS),
            Page("limit_requests.index", _l("Requests"), Permission.VIEW_LIMITS),
            Page("limit_requests.approvals", _l("Approvals"), Permission.APPROVE_LIMITS),
            Page("limit_needs.index", _l("Limits needed"), Permission.VIEW_LIMITS),
            Page("discretionary.index", _l("Discretionary limits"), Permission.VIEW_LIMITS),
            Page("limits.cut", _l("Limits cut"), Permission.VIEW_LIMITS),
            Page("limits.history", _l("History of limits"), Permission.VIEW_LIMITS),
            Page("connections.index", _l("Connections to insurers"), Permission.VIEW_CONNECTIONS),
            Page("connections.differences", _l("Differences from insurers"), Permission.VIEW_CONNECTIONS),
            Page("limit_exchange.index", _l("Limits by file"), Permission.REQUEST_LIMITS),
        ),
    ),
    Section(
        _l("May I ship?"),
        ("shipping",),
        (
            Page("shipping.index", _l("May I ship?"), Permission.ASK_SHIPMENT),
            Page("shipping.answers", _l("Answers kept"), Permission.ASK_SHIPMENT),
        ),
    ),
    Section(
        _l("Receivables"),
        ("receivables", "imports", "cash_application"),
        (
            Page("receivables.index", _l("Invoices"), Permission.VIEW_RECEIVABLES),
            Page("receivables.payments", _l("Payments"), Permission.VIEW_RECEIVABLES),
            Page("receivables.disputes", _l("Disputes"), Permission.VIEW_RECEIVABLES),
            Page("cash_application.index", _l("Bank entries"), Permission.VIEW_RECEIVABLES),
            Page("cash_application.statements", _l("Bank statements"), Permission.VIEW_RECEIVABLES),
            Page("imports.index", _l("Imports"), Permission.VIEW_RECEIVABLES),
        ),
    ),
    Section(
        _l("Overdues"),
        ("obligations", "blocks", "notices", "dunning", "promises", "payment_plans", "messages", "issued_documents"),
        (
            Page("obligations.index", _l("Obligations calendar"), Permission.VIEW_OBLIGATIONS),
            Page("blocks.index", _l("Blocked buyers"), Permission.VIEW_OBLIGATIONS),
            Page("notices.index", _l("Notices to insurers"), Permission.VIEW_OBLIGATIONS),
            Page("dunning.index", _l("Letters to buyers"), Permission.VIEW_RECEIVABLES),
            Page("promises.index", _l("Promises to pay"), Permission.VIEW_RECEIVABLES),
            Page("payment_plans.index", _l("Payment plans"), Permission.VIEW_OBLIGATIONS),
            Page("messages.index", _l("E-mail"), Permission.VIEW_RECEIVABLES),
            Page("issued_documents.index", _l("Documents"), Permission.VIEW_RECEIVABLES),
        ),
    ),
    Section(
        _l("Claims"),
        ("claims",),
        (Page("claims.forecast", _l("Forecast of claims"), Permission.VIEW_CLAIMS),),
    ),
    Section(
        _l("Insight"),
        ("exposure",),
        (
            Page("exposure.by_country", _l("Exposure by country"), Permission.VIEW_EXPOSURE),
            Page("exposure.ageing", _l("Ageing"), Permission.VIEW_EXPOSURE),
        ),
    ),
    Section(
        _l("Policies"),
        ("policies", "declarations", "premium"),
        (
            Page("policies.index", _l("Policies"), Permission.VIEW_POLICIES),
            Page("declarations.index", _l("Declarations"), Permission.VIEW_OBLIGATIONS),
            Page("policies.presets", _l("Presets"), Permission.VIEW_POLICIES),
        ),
    ),
    Section(
        _l("Settings"),
        ("settings", "tokens", "journal", "rates", "schedules", "webhooks"),
        (
            Page("settings.index", _l("Organisation"), Permission.VIEW_SETTINGS),
            Page("schedules.index", _l("Jobs"), Permission.VIEW_SETTINGS),
            Page("contacts.letterheads", _l("Letterheads"), Permission.VIEW_SETTINGS),
            Page("webhooks.index", _l("Events"), Permission.VIEW_SETTINGS),
            Page("tokens.index", _l("Keys"), Permission.VIEW_SETTINGS),
            Page("rates.index", _l("Exchange rates"), Permission.VIEW_SETTINGS),
            Page("journal.index", _l("Journal"), Permission.VIEW_JOURNAL),
        ),
    ),
)

#: Features with a page among those of a buyer.
_ABOUT_BUYERS = frozenset({"blocks", "contacts", "dunning", "issued_documents", "notices", "payment_plans"})

#: Pages that stand in another section than the rest of their blueprint: the blueprint of that section.
_ELSEWHERE = {"contacts.letterhead": "settings", "contacts.of_policy": "policies", "contacts.desk": "policies"}


def section_of(endpoint: str, *, is_about_buyer: bool) -> Section | None:
    """The section that a page stands in: the one that leads to it, else that of the buyer it is about, else that of its blueprint."""
    leading = next((section for section in SECTIONS if any(page.endpoint == endpoint for page in section.pages)), None)
    if leading is not None:
        return leading
    blueprint = _ELSEWHERE.get(endpoint, endpoint.rpartition(".")[0])
    if is_about_buyer and blueprint in _ABOUT_BUYERS:
        blueprint = "buyers"
    return next((section for section in SECTIONS if blueprint in section.blueprints), None)
