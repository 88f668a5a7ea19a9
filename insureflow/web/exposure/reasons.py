"""What makes up a figure of exposure: sums by currency with their rates, reasons, buyers; and from there invoices and traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.countries import COUNTRIES
from insureflow.domain.cover import Reason
from insureflow.queries.exposure import Division, PortfolioPart, divide, name_of_buyer, uncovered_by_reason
from insureflow.queries.rates import DatedRate
from insureflow.web.access import requires
from insureflow.web.exposure.pages import portfolio, reporting, view_of_buyers
from insureflow.web.exposure.routes import blueprint
from insureflow.web.filters import country as country_name
from insureflow.web.filters import word
from insureflow.web.links import buyer_url, invoices_url
from insureflow.web.tables import build_table, wanted_export


@dataclass(frozen=True, slots=True)
class CurrencyLine:
    """The sums of one limit currency and the rate that turns them into the reporting currency (None: there is none)."""

    currency: str
    open_minor: int
    covered_minor: int
    rate: DatedRate | None
    open_reporting: int | None
    covered_reporting: int | None


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """What is not covered for one reason, in the reporting currency."""

    reason: Reason
    minor: int
    url: str | None


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 18 else None


def _title(narrowed: dict[str, Any], buyer: str | None) -> str:
    if narrowed["country"] is not None:
        return str(_("Exposure to buyers in %(country)s", country=country_name(narrowed["country"])))
    if narrowed["buyer_id"] is not None:
        return str(_("Exposure to %(buyer)s", buyer=buyer or _("this buyer")))
    if narrowed["policy_id"] is not None:
        name = next((policy.name for policy in g.scope.policies if policy.id == narrowed["policy_id"]), None)
        return str(_("Exposure under %(policy)s", policy=name or abort(404)))
    if narrowed["entity_id"] is not None:
        name = next((entity.name for entity in g.scope.entities if entity.id == narrowed["entity_id"]), None)
        return str(_("Exposure of %(entity)s", entity=name or abort(404)))
    return str(_("Exposure as a whole"))


@blueprint.get("/why")
@requires(Permission.VIEW_EXPOSURE)
def why() -> ResponseReturnValue:
    """The parts of a figure of exposure."""
    country = request.args.get("country") or None
    if country is not None and country not in COUNTRIES:
        abort(404)
    narrowed: dict[str, Any] = {"country": country, **{name: _number(name) for name in ("buyer_id", "policy_id", "entity_id")}}
    chosen = portfolio(**narrowed)
    report = reporting()
    view = view_of_buyers("buyers-of-figure", _("Buyers"), chosen, report)
    if (export := wanted_export(view, "exposure")) is not None:
        return export
    whole = next(iter(divide(chosen, Division.WHOLE, report)), PortfolioPart(None))
    total, covered = report.sum(whole.open), report.sum(whole.covered)
    lines = [
        CurrencyLine(
            currency,
            minor,
            whole.covered.get(currency, 0),
            report.used.get(currency),
            whole.open.converted.get(currency, 0) if currency not in report.missing else None,
            whole.covered.converted.get(currency, 0) if currency not in report.missing else None,
        )
        for currency, minor in sorted(whole.open.items())
    ]
    reasons = [
        ReasonLine(Reason(reason), report.sum(amounts), invoices_url(reason=reason, **narrowed))
        for reason, amounts in uncovered_by_reason(chosen, report).items()
    ]
    is_panel = bool(request.headers.get("HX-Request"))
    return render_template(
        "exposure/why.html",
        is_panel=is_panel,
        title=_title(narrowed, name_of_buyer(narrowed["buyer_id"]) if narrowed["buyer_id"] is not None else None),
        # A panel shows the sums alone.
        listing=None if is_panel else build_table(view),
        lines=lines,
        reasons=sorted(reasons, key=lambda line: -line.minor),
        report=report,
        total=total,
        covered=covered,
        liability=report.sum(whole.liability),
        ledger=report.sum(whole.ledger),
        invoices=whole.invoices,
        invoices_url=invoices_url(**narrowed),
        buyer_url=buyer_url(narrowed["buyer_id"]) if narrowed["buyer_id"] else None,
        word=word,
    )
