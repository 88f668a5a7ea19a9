"""The first page: what must be done, what is at stake, and where the risk is."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.queries import connections
from insureflow.queries.dashboard.attention import limits_cut, over_limit, stopped_accounts
from insureflow.queries.dashboard.duties import PressingDuties, pressing_duties
from insureflow.queries.exposure import Division, Portfolio, PortfolioPart, Reporting, divide_many, headroom
from insureflow.services.clock import now
from insureflow.web.access import for_every_member, may
from insureflow.web.exposure.pictures import ageing_picture, cover_bars, exposure_maps
from insureflow.web.links import buyer_url, duty_url, invoices_url, link_to, policy_url

blueprint = Blueprint("dashboard", __name__)

#: Rows of each short list; the rest stands on the page that the list leads to.
SHOWN = 10


@blueprint.get("/welcome")
@for_every_member
def welcome() -> ResponseReturnValue:
    """What somebody can do here who may not see exposure."""
    return render_template("dashboard/welcome.html", can_see_dashboard=may(Permission.VIEW_EXPOSURE))


@blueprint.get("/")
@for_every_member
def index() -> ResponseReturnValue:
    """Today, for those who may see exposure; everybody else is welcomed."""
    if not may(Permission.VIEW_EXPOSURE):
        return redirect(url_for("dashboard.welcome"))
    portfolio = Portfolio(g.on, g.scope.entity_id, g.scope.policy_id, today=g.today)
    report = Reporting(g.organisation.reporting_currency, g.on)
    divided = divide_many(portfolio, (Division.WHOLE, Division.COUNTRY, Division.POLICY, Division.AGE), report)
    whole = next(iter(divided[Division.WHOLE]), PortfolioPart(None))
    total, covered = report.sum(whole.open), report.sum(whole.covered)
    liability = report.sum(whole.liability)
    over, stopped, cuts = over_limit(portfolio, report, SHOWN), stopped_accounts(portfolio, SHOWN), limits_cut(portfolio)
    names: dict[Any, str] = {None: _("No policy"), **{policy.id: policy.name for policy in g.scope.policies}}
    policy_urls: dict[object, str | None] = {policy.id: invoices_url(policy_id=policy.id) for policy in g.scope.policies}
    policy_urls[None] = invoices_url(reason="no_policy")
    return render_template(
        "dashboard/index.html",
        worrying=connections.list_worrying(now()) if g.on == g.today else (),
        **_duties(portfolio, report),
        report=report,
        total=total,
        covered=covered,
        ledger=report.sum(whole.ledger),
        invoices=whole.invoices,
        liability=liability,
        headroom=report.sum(headroom(portfolio, report)),
        maps=exposure_maps(divided[Division.COUNTRY], report),
        ageing=ageing_picture(divided[Division.AGE], report, g.on),
        policies=cover_bars(
            divided[Division.POLICY],
            report,
            names=names,
            urls=policy_urls,
            title=_("Covered and not covered, by policy"),
            heading=_("Policy"),
        ),
        over_limit=over.accounts,
        over_limit_count=over.buyers,
        stopped=stopped.accounts,
        stopped_count=stopped.buyers,
        cuts=cuts[:SHOWN],
        cuts_count=len(cuts),
        buyer_url=buyer_url,
        policy_url=policy_url,
        limits_url=link_to("limits.index"),
        cuts_url=link_to("limits.cut"),
        invoices_url=invoices_url(),
        uncovered_url=invoices_url(not_fully_covered=True),
        imports_url=link_to("imports.index") if may(Permission.IMPORT_RECEIVABLES) else None,
    )


def _duties(portfolio: Portfolio, report: Reporting) -> dict[str, Any]:
    """The duties of the next 30 days, and how much depends on those of this week."""
    pressing = (
        pressing_duties(portfolio, report, g.today, shown=SHOWN) if may(Permission.VIEW_OBLIGATIONS) else PressingDuties([], 0, 0, 0, 0)
    )
    return {
        "duties": pressing.worst,
        "duties_count": pressing.coming,
        "late": pressing.late,
        "week": pressing.this_week,
        "at_stake": pressing.at_stake,
        "duty_url": duty_url,
        "late_url": link_to("obligations.duties", status="late"),
        "duties_url": link_to("obligations.index"),
        "policy_names": {policy.id: policy.name for policy in g.scope.policies},
    }
