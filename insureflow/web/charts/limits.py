"""Limits in pictures: what was allowed and owed over time, how today's layers stack up, and a trend in one word's space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from insureflow.web.charts.language import Language
from insureflow.web.charts.pictures import LegendEntry, Part, Picture, nothing_to_draw, number_cell, text_cell
from insureflow.web.charts.svg import Scale, Tone, bar, drawing, element, label, number, patterns, polyline, ticks, tooltip

WIDTH = 640.0


@dataclass(frozen=True, slots=True)
class LimitDecision:
    """A decision on the limit from its day on. ``minor`` is None while no limit has been decided, and 0 when it was refused or cancelled."""

    on: date
    minor: int | None
    word: str


@dataclass(frozen=True, slots=True)
class ExposureOn:
    """What the buyer owed from the end of a day on, until the next entry."""

    on: date
    minor: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A delivery on a day."""

    on: date
    minor: int


def limit_timeline(
    decisions: Sequence[LimitDecision],
    exposures: Sequence[ExposureOn],
    shipments: Sequence[Shipment],
    *,
    start: date,
    end: date,
    language: Language,
    title: str,
    key: str = "limit-timeline",
) -> Picture:
    """The limit as steps over the exposure as an area, from ``start`` until before ``end``; each shipment is a tick below.

    Where exposure stands above the limit, the excess is drawn in orange. A step to nothing is red.
    """
    _ = language.gettext
    decided = sorted((decision for decision in decisions if decision.on < end), key=lambda decision: decision.on)
    owed = sorted((entry for entry in exposures if entry.on < end), key=lambda entry: entry.on)
    highest = max([*(decision.minor or 0 for decision in decided), *(entry.minor for entry in owed)], default=0)
    if highest <= 0 or end <= start:
        return nothing_to_draw(
            key, title, _("Once a limit is decided or an invoice is open, this shows what was allowed and what was owed.")
        )
    marks = ticks(highest)
    height, left, right, bottom, top = 280.0, 64.0, WIDTH - 8, 228.0, 12.0
    value = Scale(0, marks[-1], bottom, top)
    day = Scale(start.toordinal(), end.toordinal(), left, right)
    shapes = [patterns(key)]
    for mark in marks:
        shapes.append(element("line", x1=left, x2=right, y1=value.at(mark), y2=value.at(mark), class_="grid"))
        shapes.append(label(language.short_amount(mark), x=left - 8, y=value.at(mark) + 4, anchor="end"))
    for index in range(4):
        on = start + timedelta(days=(end - start).days * index // 3)
        anchor = ("start", "middle", "middle", "end")[index]
        shapes.append(label(language.day(on), x=day.at(on.toordinal()), y=height - 8, anchor=anchor))
    shapes.extend(_areas(key, decided, owed, start, end, day, value, language))
    shapes.extend(_steps(decided, start, end, day, value, language))
    for shipment in shipments:
        if start <= shipment.on < end:
            x = day.at(shipment.on.toordinal())
            text = _("Shipment of %(amount)s on %(day)s", amount=language.amount(shipment.minor), day=language.day(shipment.on))
            shapes.append(element("g", tooltip(text), element("line", x1=x, x2=x, y1=bottom + 4, y2=bottom + 14, class_="shipment")))
    shapes.append(element("line", x1=left, x2=right, y1=bottom, y2=bottom, class_="axis"))
    limit, exposure = _limit_on(decided, end - timedelta(days=1)), _exposure_on(owed, end - timedelta(days=1))
    description = (
        _("At the end no limit has been decided and %(owed)s is owed.", owed=language.amount(exposure))
        if limit is None
        else _("At the end the limit is %(limit)s and %(owed)s is owed.", limit=language.amount(limit), owed=language.amount(exposure))
    )
    rows = tuple(
        (
            text_cell(language.day(decision.on)),
            text_cell(decision.word),
            number_cell("–" if decision.minor is None else language.amount(decision.minor)),
            number_cell(language.amount(_exposure_on(owed, decision.on))),
        )
        for decision in decided
    )
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=drawing(key, title, description, WIDTH, height, *shapes, class_="chart-timeline"),
        headings=(_("From"), _("Decision"), _("Limit"), _("Owed that day")),
        rows=rows,
        legend=(
            LegendEntry("limit", _("Line in steps: limit")),
            LegendEntry("exposure", _("Area: owed within the limit")),
            LegendEntry(Tone.UNCOVERED, _("Striped area: owed above the limit")),
            LegendEntry("shipment", _("Tick: shipment")),
        ),
    )


def _limit_on(decided: Sequence[LimitDecision], on: date) -> int | None:
    return next((decision.minor for decision in reversed(decided) if decision.on <= on), None)


def _exposure_on(owed: Sequence[ExposureOn], on: date) -> int:
    return next((entry.minor for entry in reversed(owed) if entry.on <= on), 0)


def _areas(
    key: str,
    decided: Sequence[LimitDecision],
    owed: Sequence[ExposureOn],
    start: date,
    end: date,
    day: Scale,
    value: Scale,
    language: Language,
) -> list[Markup]:
    """Rectangles from change to change: what is owed within the limit, and above it what exceeds it."""
    days = {*(decision.on for decision in decided), *(entry.on for entry in owed)}
    changes = sorted({start, *(on for on in days if start < on < end)})
    shapes = []
    for since, until in zip(changes, [*changes[1:], end], strict=True):
        exposure = _exposure_on(owed, since)
        if exposure <= 0:
            continue
        within = min(exposure, _limit_on(decided, since) or 0)
        x, width = day.at(since.toordinal()), day.at(until.toordinal()) - day.at(since.toordinal())
        text = f"{language.day(since)}: {language.amount(exposure)}"
        if within:
            area = element("rect", x=x, y=value.at(within), width=width, height=value.at(0) - value.at(within), class_="fill-exposure")
            shapes.append(element("g", tooltip(text), area))
        if exposure > within:
            height = value.at(within) - value.at(exposure)
            shapes.append(bar(key, Tone.UNCOVERED, text, x=x, y=value.at(exposure), width=width, height=height))
    return shapes


def _steps(decided: Sequence[LimitDecision], start: date, end: date, day: Scale, value: Scale, language: Language) -> list[Markup]:
    """The limit's line: flat while a decision holds, upright on the day of the next; broken while nothing is decided."""
    shapes = []
    previous: int | None = None
    for decision, following in zip(decided, [*decided[1:], None], strict=True):
        until = following.on if following else end
        if until <= start:
            previous = decision.minor
            continue
        if decision.minor is None:
            previous = None
            continue
        x, y = day.at(max(decision.on, start).toordinal()), value.at(decision.minor)
        points = [(x, y), (day.at(until.toordinal()), y)]
        if previous is not None and decision.on > start:
            points.insert(0, (x, value.at(previous)))
        text = f"{language.day(decision.on)}: {decision.word}, {language.amount(decision.minor)}"
        tone = "limit-line" if decision.minor else "limit-line limit-none"
        shapes.append(element("g", tooltip(text), element("path", d=polyline(points), class_=tone)))
        if decision.on >= start:
            shapes.append(element("circle", cx=x, cy=y, r=3, class_="limit-mark"))
        previous = decision.minor
    return shapes


def limit_stack(layers: Sequence[Part], *, exposure: int, language: Language, title: str, key: str = "limit-stack") -> Picture:
    """Today's limits in layers (primary, top-up, discretionary) as one bar, with a mark at what is owed and the gap above, if any."""
    _ = language.gettext
    drawn = [layer for layer in layers if layer.minor > 0]
    limit = sum(layer.minor for layer in drawn)
    gap = max(0, exposure - limit)
    if not limit and exposure <= 0:
        return nothing_to_draw(key, title, _("No limit is in force and nothing is owed. Ask the insurer for a limit before you ship."))
    parts = [*drawn, *([Part(Tone.UNCOVERED, _("Gap"), gap)] if gap else [])]
    scale = Scale(0, limit + gap, 0.0, WIDTH)
    shapes = [patterns(key)]
    reached = 0
    for index, part in enumerate(parts):
        x, width = scale.at(reached), scale.at(reached + part.minor) - scale.at(reached)
        text = f"{part.label}: {language.amount(part.minor)}"
        shapes.append(bar(key, part.tone, text, x=x, y=20, width=width, height=28))
        if index and part.tone is not Tone.UNCOVERED:
            shapes.append(element("line", x1=x, x2=x, y1=20, y2=48, class_="seam"))
        words = f"{part.label} {language.short_amount(part.minor)}"
        if width > len(words) * 6.5:
            shapes.append(label(words, x=x + 2, y=64))
        reached += part.minor
    if exposure > 0:
        x = scale.at(exposure)
        anchor = "end" if x > WIDTH - 120 else "start" if x < 120 else "middle"
        shapes.append(element("path", d=f"M{number(x)},18V52", class_="owed-mark"))
        shapes.append(
            label(_("Owed %(amount)s", amount=language.short_amount(exposure)), x=x, y=12, anchor=anchor, class_="chart-text chart-strong")
        )
    description = (
        _(
            "%(owed)s is owed against limits of %(limit)s: %(gap)s is above them.",
            owed=language.amount(exposure),
            limit=language.amount(limit),
            gap=language.amount(gap),
        )
        if gap
        else _("%(owed)s is owed against limits of %(limit)s.", owed=language.amount(max(0, exposure)), limit=language.amount(limit))
    )
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=drawing(key, title, description, WIDTH, 72, *shapes, class_="chart-strip"),
        headings=(_("Layer"), _("Amount")),
        rows=tuple(
            (text_cell(part.label), number_cell(language.amount(part.minor)))
            for part in [*parts, Part(Tone.UNDECIDED, _("Owed"), exposure)]
        ),
        legend=(*(LegendEntry(part.tone, part.label) for part in parts), LegendEntry("owed", _("Upright line: owed"))),
    )


def sparkline(values: Sequence[int], *, title: str, description: str, key: str) -> Markup:
    """A trend as small as a word, for a table cell; fewer than two values draw nothing. The last value carries a dot."""
    if len(values) < 2:
        return Markup("")
    width, height = 96.0, 20.0
    low, high = min(values), max(values)
    scale = Scale(low, high, height - 3, 3.0)
    flat = height / 2
    points = [(3 + index * (width - 6) / (len(values) - 1), scale.at(value) if high > low else flat) for index, value in enumerate(values)]
    last = points[-1]
    line = element("path", d=polyline(points), class_="spark-line")
    return drawing(
        key,
        title,
        description,
        width,
        height,
        line,
        element("circle", cx=last[0], cy=last[1], r=2.5, class_="spark-dot"),
        class_="sparkline",
    )
