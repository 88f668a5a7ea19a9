"""Pictures of exposure for the dashboard and the pages of exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from flask import url_for
from flask_babel import gettext as _

from insureflow.queries.exposure import AGE_BANDS, AgeBand, PortfolioPart, Reporting
from insureflow.web.charts import (
    CountryExposure,
    CoverRow,
    Part,
    Picture,
    Stack,
    Tone,
    covered_bars,
    request_language,
    stacked_bars,
    world_map,
)
from insureflow.web.filters import country as country_name
from insureflow.web.links import invoices_url


def band_label(band: AgeBand) -> str:
    """The name of an age band, short enough for a chart."""
    if band.first is None:
        return str(_("Not yet due"))
    if band.last is None:
        return str(_("Over %(days)s days", days=band.first - 1))
    return str(_("%(first)s–%(last)s days", first=band.first, last=band.last))


def exposure_maps(figures: Sequence[PortfolioPart], reporting: Reporting) -> tuple[Picture, Picture]:
    """The world and, because it is crowded there, Europe."""
    language = request_language(reporting.currency)
    points = [
        CountryExposure(
            each.key,
            country_name(each.key),
            reporting.sum(each.open),
            reporting.sum(each.open) - reporting.sum(each.covered),
            url_for("exposure.country", code=each.key),
        )
        for each in figures
    ]
    world = world_map(points, language=language, title=_("Exposure across countries"), key="world")
    europe = world_map(points, language=language, title=_("Exposure in Europe"), key="europe", view="europe")
    return world, europe


def ageing_picture(figures: Sequence[PortfolioPart], reporting: Reporting, on: date, **narrowed: int | str | None) -> Picture:
    """Bars by age, covered below, not covered above; each leads to its invoices."""
    by_band = {each.key: each for each in figures}
    stacks = []
    for band in AGE_BANDS:
        found = by_band.get(band.key)
        covered = reporting.sum(found.covered) if found else 0
        total = reporting.sum(found.open) if found else 0
        stopped = reporting.sum(found.stopped) if found else 0
        stacks.append(
            Stack(
                band_label(band),
                (
                    Part(Tone.COVERED, _("Covered"), covered),
                    Part(Tone.UNCOVERED, _("Not covered"), total - covered - stopped),
                    Part(Tone.STOPPED, _("Cover lost"), stopped),
                ),
                invoices_url(due=band.due_days(on), **narrowed),  # type: ignore[arg-type]  # country is text, the rest are keys
            )
        )
    return stacked_bars(
        stacks,
        language=request_language(reporting.currency),
        title=_("Age of what is open"),
        key="ageing",
        teaching=_("Once receivables are open, they stand here by how late they are."),
        heading=_("Age"),
    )


def cover_bars(
    figures: Sequence[PortfolioPart],
    reporting: Reporting,
    *,
    names: Mapping[object, str],
    urls: Mapping[object, str | None],
    title: str,
    heading: str,
) -> Picture:
    """Covered against not covered, one bar for each part, the largest first."""
    rows = []
    for each in sorted(figures, key=lambda part: -reporting.sum(part.open)):
        covered, stopped = reporting.sum(each.covered), reporting.sum(each.stopped)
        rows.append(
            CoverRow(
                names[each.key],
                covered=covered,
                uncovered=reporting.sum(each.open) - covered - stopped,
                stopped=stopped,
                url=urls.get(each.key),
            )
        )
    return covered_bars(
        rows,
        language=request_language(reporting.currency),
        title=title,
        key="cover-by-part",
        teaching=_("Once receivables are open, what of them is covered stands here."),
        heading=heading,
    )
