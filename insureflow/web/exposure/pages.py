"""Exposure by country, in one country, by age, and by policy, entity or currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.countries import COUNTRIES
from insureflow.queries.dashboard.calculated import CalculatedListing, calculated_field
from insureflow.queries.exposure import AGE_BANDS, Division, ExposedBuyers, Portfolio, PortfolioPart, Reporting, divide, share_of
from insureflow.queries.listing import Kind, Order
from insureflow.web.access import may, requires
from insureflow.web.exposure.pictures import ageing_picture, band_label, cover_bars, exposure_maps
from insureflow.web.exposure.routes import blueprint
from insureflow.web.filters import country as country_name
from insureflow.web.links import buyer_url, invoices_url, link_to, policy_url
from insureflow.web.tables import Empty, TableView, build_table, wanted_export


def portfolio(**narrowed: Any) -> Portfolio:
    """What the header of the page chooses, narrowed further."""
    chosen = {
        "entity_id": g.scope.entity_id,
        "policy_id": g.scope.policy_id,
        **{key: value for key, value in narrowed.items() if value is not None},
    }
    return Portfolio(g.on, today=g.today, **chosen)


def reporting() -> Reporting:
    """Sums in the organisation's currency, at the rates of the day."""
    return Reporting(g.organisation.reporting_currency, g.on)


def sums_of(figures: PortfolioPart, report: Reporting) -> dict[str, Any]:
    """The figures of a part in the reporting currency, as a row shows them."""
    exposure, covered = report.sum(figures.open), report.sum(figures.covered)
    currency = report.currency
    return {
        "invoices": figures.invoices,
        "exposure": (exposure, currency),
        "covered": (covered, currency),
        "uncovered": (exposure - covered, currency),
        "share": share_of(exposure - covered, exposure),
        "liability": (report.sum(figures.liability), currency),
    }


def _fields(first: Any, *, with_liability: bool) -> list[Any]:
    fields = [
        first,
        calculated_field("invoices", Kind.NUMBER),
        calculated_field("exposure", Kind.MONEY, total=True),
        calculated_field("covered", Kind.MONEY, total=True),
        calculated_field("uncovered", Kind.MONEY, total=True),
        calculated_field("share", Kind.PERCENT),
    ]
    # Liability is rounded by account, so it cannot be divided by age to the cent.
    return [*fields, calculated_field("liability", Kind.MONEY, total=True)] if with_liability else fields


def labels(first: str) -> dict[str, str]:
    """The headings of a list of exposure."""
    return {
        "name": first,
        "invoices": _("Open invoices"),
        "exposure": _("Exposure"),
        "covered": _("Covered"),
        "uncovered": _("Not covered"),
        "share": _("Share not covered"),
        "liability": _("Insurer's liability"),
    }


def nothing_open() -> Empty:
    """What a page of exposure says when nothing is open."""
    return Empty(
        _("Nothing is open on this day"),
        _("Exposure is what buyers owe. Import a ledger, and it stands here by country, age and policy, covered or not."),
        link_to("imports.index") if may(Permission.IMPORT_RECEIVABLES) else None,
        _("Import receivables"),
    )


def view_of(
    name: str,
    caption: str,
    heading: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    kind: Kind = Kind.TEXT,
    sort_by: Mapping[Any, str] | None = None,
    order: Order | None = None,
    with_liability: bool = True,
) -> TableView:
    """A list of exposure; each row has ``key``, ``name``, ``url``, ``invoices_url`` and ``why_url`` beside its sums."""

    def decorate(row: dict[str, Any]) -> dict[str, Any]:
        row["exposure"] = {"value": row["exposure"], "why_url": row["why_url"]}
        row["invoices"] = {"value": row["invoices"], "url": row["invoices_url"]}
        if row["uncovered"][0] > 0:
            row["uncovered"] = {"value": row["uncovered"], "tone": "uncovered"}
        return row

    listing = CalculatedListing(
        name,
        _fields(calculated_field("name", kind, searched=True), with_liability=with_liability),
        rows,
        order=order or Order("exposure", descending=True),
        sort_by={"name": sort_by} if sort_by else None,
    )
    return TableView(listing=listing, caption=caption, labels=labels(heading), decorate=decorate, empty=nothing_open)


def _total(figures: Sequence[PortfolioPart], report: Reporting) -> tuple[int, int]:
    return sum(report.sum(each.open) for each in figures), sum(report.sum(each.covered) for each in figures)


@blueprint.get("/")
@requires(Permission.VIEW_EXPOSURE)
def by_country() -> ResponseReturnValue:
    """Exposure by the country of the buyer."""
    report = reporting()
    figures = divide(portfolio(), Division.COUNTRY, report)
    rows = [
        {
            "key": each.key,
            "name": each.key,
            "url": url_for("exposure.country", code=each.key),
            "invoices_url": invoices_url(country=each.key),
            "why_url": url_for("exposure.why", country=each.key),
            **sums_of(each, report),
        }
        for each in figures
    ]
    view = view_of(
        "countries",
        _("Exposure by country"),
        _("Country"),
        rows,
        kind=Kind.COUNTRY,
        sort_by={each.key: country_name(each.key) for each in figures},
    )
    if (export := wanted_export(view, "exposure-by-country")) is not None:
        return export
    total, covered = _total(figures, report)
    return render_template(
        "exposure/by_country.html",
        listing=build_table(view),
        maps=exposure_maps(figures, report),
        report=report,
        total=total,
        covered=covered,
        countries=len(figures),
    )


def view_of_buyers(name: str, caption: str, chosen: Portfolio, report: Reporting) -> TableView:
    """The buyers of a portfolio as a list of exposure."""

    def decorate(row: dict[str, Any]) -> dict[str, Any]:
        key, why_url = row["key"], url_for("exposure.why", buyer_id=row["key"])
        row["url"] = buyer_url(key) or why_url
        row["exposure"] = {"value": row["exposure"], "why_url": why_url}
        row["invoices"] = {"value": row["invoices"], "url": invoices_url(buyer_id=key)}
        if row["uncovered"][0] > 0:
            row["uncovered"] = {"value": row["uncovered"], "tone": "uncovered"}
        return row

    listing = ExposedBuyers(name, chosen, report)
    return TableView(listing=listing, caption=caption, labels=labels(_("Buyer")), decorate=decorate, empty=nothing_open)


@blueprint.get("/countries/<code>")
@requires(Permission.VIEW_EXPOSURE)
def country(code: str) -> ResponseReturnValue:
    """The buyers of one country."""
    if code not in COUNTRIES:
        abort(404)
    report, chosen = reporting(), portfolio(country=code)
    view = view_of_buyers("buyers-of-country", _("Buyers in %(country)s", country=country_name(code)), chosen, report)
    if (export := wanted_export(view, f"exposure-{code.lower()}")) is not None:
        return export
    ages = divide(chosen, Division.AGE, report, with_liability=False)
    total, covered = _total(ages, report)
    return render_template(
        "exposure/country.html",
        code=code,
        listing=build_table(view),
        ageing=ageing_picture(ages, report, g.on, country=code),
        report=report,
        total=total,
        covered=covered,
    )


@blueprint.get("/ageing")
@requires(Permission.VIEW_EXPOSURE)
def ageing() -> ResponseReturnValue:
    """Exposure by how late it is."""
    report = reporting()
    figures = divide(portfolio(), Division.AGE, report, with_liability=False)
    by_band = {each.key: each for each in figures}
    rows = [
        {
            "key": f"{place}",
            "name": band_label(band),
            "url": invoices_url(due=band.due_days(g.on)),
            "invoices_url": invoices_url(due=band.due_days(g.on)),
            "why_url": None,
            **sums_of(by_band.get(band.key) or PortfolioPart(band.key), report),
        }
        for place, band in enumerate(AGE_BANDS)
    ]
    places = {band_label(band): str(place) for place, band in enumerate(AGE_BANDS)}
    view = view_of(
        "ageing", _("Exposure by age"), _("Age"), rows if figures else [], order=Order("name"), sort_by=places, with_liability=False
    )
    if (export := wanted_export(view, "exposure-by-age")) is not None:
        return export
    total, covered = _total(figures, report)
    late = [each for each in figures if each.key != AGE_BANDS[0].key]
    late_total, late_covered = _total(late, report)
    return render_template(
        "exposure/ageing.html",
        listing=build_table(view),
        picture=ageing_picture(figures, report, g.on),
        report=report,
        total=total,
        covered=covered,
        late_total=late_total,
        late_covered=late_covered,
    )


def _parts(division: Division) -> tuple[str, str, dict[Any, str]]:
    """Title, heading, and the names of the parts."""
    match division:
        case Division.POLICY:
            names: dict[Any, str] = {policy.id: policy.name for policy in g.scope.policies}
            return _("Exposure by policy"), _("Policy"), {**names, None: _("No policy")}
        case Division.ENTITY:
            return _("Exposure by entity"), _("Entity"), {entity.id: entity.name for entity in g.scope.entities}
        case _:
            return _("Exposure by currency"), _("Currency of the invoices"), {}


@blueprint.get("/by-policy")
@requires(Permission.VIEW_EXPOSURE)
def by_policy() -> ResponseReturnValue:
    """Exposure by policy."""
    return _divided(Division.POLICY)


@blueprint.get("/by-entity")
@requires(Permission.VIEW_EXPOSURE)
def by_entity() -> ResponseReturnValue:
    """Exposure by entity."""
    return _divided(Division.ENTITY)


@blueprint.get("/by-currency")
@requires(Permission.VIEW_EXPOSURE)
def by_currency() -> ResponseReturnValue:
    """Exposure by currency of the invoices."""
    return _divided(Division.CURRENCY)


def _divided(division: Division) -> ResponseReturnValue:
    """The page of one division."""
    name = division.value
    report = reporting()
    figures = divide(portfolio(), division, report)
    title, heading, names = _parts(division)
    names = {each.key: names.get(each.key, str(each.key)) for each in figures}
    invoices: dict[Any, str | None] = {}
    reasons: dict[Any, str | None] = {}
    for each in figures:
        match division:
            case Division.POLICY if each.key is None:
                invoices[None], reasons[None] = invoices_url(reason="no_policy"), None
            case Division.POLICY:
                invoices[each.key], reasons[each.key] = invoices_url(policy_id=each.key), url_for("exposure.why", policy_id=each.key)
            case Division.ENTITY:
                invoices[each.key], reasons[each.key] = invoices_url(entity_id=each.key), url_for("exposure.why", entity_id=each.key)
            case _:
                invoices[each.key], reasons[each.key] = invoices_url(currency=each.key), None
    rows = [
        {
            "key": each.key or 0,
            "name": names[each.key],
            "url": (policy_url(each.key) if division is Division.POLICY and each.key else None) or invoices[each.key],
            "invoices_url": invoices[each.key],
            "why_url": reasons[each.key],
            **sums_of(each, report),
        }
        for each in figures
    ]
    view = view_of(f"by-{name}", title, heading, rows)
    if (export := wanted_export(view, f"exposure-by-{name}")) is not None:
        return export
    total, covered = _total(figures, report)
    return render_template(
        "exposure/divided.html",
        name=name,
        title=title,
        listing=build_table(view),
        picture=cover_bars(figures, report, names=names, urls=invoices, title=title, heading=heading),
        report=report,
        total=total,
        covered=covered,
    )
