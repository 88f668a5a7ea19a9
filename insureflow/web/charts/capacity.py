"""What carries the need of a buyer, as a waterfall: the need, then what the insurer, the top-up and the own risk take off it."""

from __future__ import annotations

from insureflow.domain.limits import CapacityWaterfall
from insureflow.web.charts.language import Language
from insureflow.web.charts.pictures import LegendEntry, Picture, nothing_to_draw, number_cell, text_cell
from insureflow.web.charts.svg import Scale, Tone, bar, drawing, element, label, patterns, ticks

WIDTH = 640.0


def capacity_waterfall(waterfall: CapacityWaterfall, *, language: Language, title: str, key: str = "capacity") -> Picture:
    """One step for each part of the need, each beginning where the last ended; what nothing carries is the gap."""
    _ = language.gettext
    need = waterfall.need.minor
    if need <= 0:
        return nothing_to_draw(key, title, _("The buyer bought nothing in twelve months and owes nothing, so it needs no limit."))
    steps = [
        (Tone.COVERED, _("Insurer's limit"), waterfall.primary.minor),
        (Tone.COVERED, _("Top-up"), waterfall.top_up.minor),
        (Tone.UNDECIDED, _("Own risk"), waterfall.own_risk.minor),
        (Tone.UNCOVERED, _("Gap"), waterfall.gap.minor),
    ]
    marks = ticks(need)
    height, left, bottom, top = 260.0, 64.0, 228.0, 20.0
    scale = Scale(0, marks[-1], bottom, top)
    shapes = [patterns(key)]
    for mark in marks:
        shapes.append(element("line", x1=left, x2=WIDTH, y1=scale.at(mark), y2=scale.at(mark), class_="grid"))
        shapes.append(label(language.short_amount(mark), x=left - 8, y=scale.at(mark) + 4, anchor="end"))
    width = (WIDTH - left) / (len(steps) + 1)
    thick = width * 0.64
    reached = need
    columns = [(Tone.UNDECIDED, _("Need"), 0, need)]
    for tone, name, amount in steps:
        columns.append((tone, name, reached - amount, reached))
        reached -= amount
    for index, (tone, name, low, high) in enumerate(columns):
        middle = left + width * (index + 0.5)
        text = f"{name}: {language.amount(high - low)}"
        if high > low:
            shapes.append(bar(key, tone, text, x=middle - thick / 2, y=scale.at(high), width=thick, height=scale.at(low) - scale.at(high)))
        above = language.short_amount(high - low)
        shapes.append(label(above, x=middle, y=scale.at(high) - 5, anchor="middle", class_="chart-text chart-strong"))
        shapes.append(label(name, x=middle, y=height - 14, anchor="middle"))
    shapes.append(element("line", x1=left, x2=WIDTH, y1=bottom, y2=bottom, class_="axis"))
    description = (
        _("%(need)s is needed; nothing carries %(gap)s of it.", need=language.amount(need), gap=language.amount(waterfall.gap.minor))
        if waterfall.gap.minor
        else _("%(need)s is needed, and all of it is carried.", need=language.amount(need))
    )
    blocked = [(_("Insured, but above the own limit"), waterfall.blocked.minor)] if waterfall.blocked.minor else []
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=drawing(key, title, description, WIDTH, height, *shapes, class_="chart-stacks"),
        headings=(_("Part"), _("Amount")),
        rows=tuple(
            (text_cell(name), number_cell(language.amount(amount)))
            for name, amount in [(_("Need"), need), *((name, amount) for _tone, name, amount in steps), *blocked]
        ),
        legend=(
            LegendEntry(Tone.COVERED, _("Insured")),
            LegendEntry(Tone.UNDECIDED, _("Need, and own risk")),
            LegendEntry(Tone.UNCOVERED, _("Gap")),
        ),
    )
