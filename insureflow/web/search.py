"""One search for everything: buyers, invoices, limits, policies, pages and commands, as far as the person may see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from insureflow.domain.access import Permission
from insureflow.domain.buyers import search_name
from insureflow.queries import search
from insureflow.web.access import for_every_member, may
from insureflow.web.links import buyer_url, link_to, policy_url
from insureflow.web.navigation import SECTIONS

blueprint = Blueprint("search", __name__, url_prefix="/search")

#: Shorter texts would find everything.
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do, found by its words."""

    endpoint: str
    label: LazyString
    permission: Permission


@dataclass(frozen=True, slots=True)
class Place:
    """A page or a command that was found."""

    label: str
    url: str


COMMANDS: tuple[Command, ...] = (
    Command("policies.choose_preset", _l("Add a policy"), Permission.EDIT_POLICIES),
    Command("settings.add_entity", _l("Add an entity"), Permission.MANAGE_ORGANISATION),
    Command("settings.add_member", _l("Add a person"), Permission.MANAGE_ORGANISATION),
    Command("rates.add", _l("Enter an exchange rate"), Permission.MANAGE_ORGANISATION),
    Command("journal.verify", _l("Check the journal"), Permission.VIEW_JOURNAL),
    Command("imports.new", _l("Import a ledger"), Permission.IMPORT_RECEIVABLES),
    Command("buyers.add", _l("Add a buyer"), Permission.EDIT_BUYERS),
    Command("limits.record", _l("Enter a limit decision"), Permission.EDIT_LIMITS),
)


def _reachable(endpoint: str) -> str | None:
    """The address of an endpoint that a link can lead to without knowing more."""
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint == endpoint and "GET" in (rule.methods or ()) and not rule.arguments:
            return url_for(endpoint)
    return None


def _places(text: str) -> Iterator[Place]:
    words = search_name(text).split()
    known = [(page.endpoint, page.label, page.permission) for section in SECTIONS for page in section.pages]
    known += [(command.endpoint, command.label, command.permission) for command in COMMANDS]
    for endpoint, label, permission in known:
        name = search_name(str(label))
        if may(permission) and words and all(word in name for word in words):
            url = _reachable(endpoint)
            if url is not None:
                yield Place(str(label), url)


@blueprint.get("")
@for_every_member
def results() -> str:
    """What fits the text that was typed."""
    text = " ".join(request.args.get("q", "").split())[:100]
    wide_enough = len(text) >= SHORTEST
    buyers = search.find_buyers(text) if wide_enough and may(Permission.VIEW_BUYERS) else []
    invoices = search.find_invoices(text) if wide_enough and may(Permission.VIEW_RECEIVABLES) else []
    limits = search.find_limits(text) if wide_enough and may(Permission.VIEW_LIMITS) else []
    policies = search.find_policies(text) if wide_enough and may(Permission.VIEW_POLICIES) else []
    places = list(_places(text)) if wide_enough else []
    count = sum(map(len, (buyers, invoices, limits, policies, places)))
    if not text:
        sentence = _("Type a name, a number or what you want to do.")
    elif not wide_enough:
        sentence = _("Type at least two characters.")
    elif count:
        sentence = _("%(count)s found for “%(text)s”.", count=count, text=text)
    else:
        sentence = _("Nothing found for “%(text)s”. Try a part of the name, or the number of an invoice.", text=text)
    return render_template(
        "search/results.html",
        text=text,
        sentence=sentence,
        buyers=[(hit, buyer_url(hit.id)) for hit in buyers],
        invoices=[(hit, link_to("receivables.show", invoice_id=hit.id), buyer_url(hit.buyer_id)) for hit in invoices],
        limits=[(hit, buyer_url(hit.buyer_id)) for hit in limits],
        policies=[(hit, policy_url(hit.id)) for hit in policies],
        places=places,
        most=search.MOST,
    )
