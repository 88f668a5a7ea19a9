"""World map of exposure: the size of a circle is the exposure, the orange part of its ring what is not covered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from insureflow.web.charts.language import Language, share_of
from insureflow.web.charts.pictures import LegendEntry, Picture, nothing_to_draw, number_cell, text_cell
from insureflow.web.charts.svg import Tone, drawing, element, label, number, tooltip
from insureflow.web.maps import World, load_world

#: Part of the map that is shown: west, north, east and south end in the map's units. Europe is crowded on a map of the world.
VIEWS: dict[str, tuple[float, float, float, float]] = {"world": (0.0, 0.0, 1000.0, 452.0), "europe": (440.0, 18.0, 630.0, 128.0)}
#: Radius of the largest and of the smallest circle, and how many circles carry their country code.
LARGEST, SMALLEST, NAMED = 26.0, 3.0, 14
#: Smallest circle that has room for a code.
NAMED_RADIUS = 9.0
RING = 4.0


@dataclass(frozen=True, slots=True)
class CountryExposure:
    """What buyers of one country owe, and how much of it is not covered, in minor units of one currency."""

    country: str
    name: str
    exposure: int
    uncovered: int
    url: str | None = None


def world_map(
    points: Sequence[CountryExposure], *, language: Language, title: str | None = None, key: str = "world", view: str = "world"
) -> Picture:
    """The map and its table, largest exposure first. Circles grow with the amount by area; small ones lie on top of large ones.

    ``view`` is ``world`` or ``europe``; circles outside it are not drawn. Countries without a place on the map, and those that owe
    nothing, stand in the table alone, which always lists all.
    """
    _ = language.gettext
    title = title or _("Exposure across countries")
    west, north, east, south = VIEWS[view]
    ordered = sorted(points, key=lambda point: (-point.exposure, point.country))
    largest = ordered[0].exposure if ordered else 0
    if largest <= 0:
        return nothing_to_draw(
            key, title, _("Import receivables, and a circle per country shows what its buyers owe and how much of it is not covered.")
        )
    world = load_world()
    zoom = world.width / (east - west)
    height = (south - north) * zoom
    total = sum(point.exposure for point in ordered)
    uncovered = sum(point.uncovered for point in ordered)
    description = _(
        "%(total)s is owed; %(uncovered)s of it is not covered. Buyers in %(name)s owe most: %(amount)s.",
        total=language.amount(total),
        uncovered=language.share(share_of(uncovered, total)),
        name=ordered[0].name,
        amount=language.amount(largest),
    )
    place_land = f"scale({number(zoom)}) translate({number(-west)} {number(-north)})"
    shapes = [element("g", _land(world, {point.country for point in ordered}), transform=place_land)]
    names: list[Markup] = []
    named: list[tuple[float, float]] = []
    for point in ordered:
        place = world.find_country(point.country)
        if place is None or point.exposure <= 0 or not (west <= place.x <= east and north <= place.y <= south):
            continue
        x, y = (place.x - west) * zoom, (place.y - north) * zoom
        radius = max(SMALLEST, LARGEST * math.sqrt(point.exposure / largest))
        text = _(
            "%(name)s: %(amount)s owed, %(share)s not covered",
            name=point.name,
            amount=language.amount(point.exposure),
            share=language.share(share_of(point.uncovered, point.exposure)),
        )
        shapes.append(_circle(x, y, radius, _part(point), text))
        # A code is written only where it does not run into one written before.
        if len(named) < NAMED and radius >= NAMED_RADIUS and all(abs(x - a) > 18 or abs(y - b) > 12 for a, b in named):
            named.append((x, y))
            names.append(label(point.country, x=x, y=y + 4, anchor="middle", class_="chart-text chart-place"))
    rows = tuple(
        (
            text_cell(point.name, point.url),
            number_cell(language.amount(point.exposure)),
            number_cell(language.amount(point.exposure - point.uncovered)),
            number_cell(language.amount(point.uncovered)),
            number_cell(language.share(share_of(point.uncovered, point.exposure))),
        )
        for point in ordered
    )
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=drawing(key, title, description, world.width, height, *shapes, *names, class_="chart-world"),
        headings=(_("Country"), _("Exposure"), _("Covered"), _("Not covered"), _("Share not covered")),
        rows=rows,
        legend=(
            LegendEntry("circle", _("Size of the circle: exposure")),
            LegendEntry(Tone.COVERED, _("Ring, teal: covered")),
            LegendEntry(Tone.UNCOVERED, _("Ring, orange and from the top: not covered")),
        ),
        is_wide=True,
    )


def _part(point: CountryExposure) -> float:
    return min(1.0, max(0.0, point.uncovered / point.exposure))


def _land(world: World, named: set[str]) -> Markup:
    """All land as two shapes: countries with exposure a little stronger than the rest."""
    quiet = world.land + "".join(shape.path for code, shape in world.countries.items() if shape.path and code not in named)
    strong = "".join(shape.path for code, shape in world.countries.items() if shape.path and code in named)
    return element(
        "g", element("path", d=quiet, class_="land"), element("path", d=strong, class_="land land-named") if strong else Markup("")
    )


def _circle(x: float, y: float, radius: float, part: float, text: str) -> Markup:
    """A circle with a ring that starts at the top and runs clockwise for the part not covered."""
    width = min(RING, radius / 2)
    middle = radius - width / 2
    shapes = [
        tooltip(text),
        element("circle", cx=x, cy=y, r=radius, class_="bubble"),
        element("circle", cx=x, cy=y, r=middle, class_="ring line-covered", stroke_width=width),
    ]
    if part >= 0.999:
        shapes.append(element("circle", cx=x, cy=y, r=middle, class_="ring line-uncovered", stroke_width=width))
    elif part > 0:
        angle = 2 * math.pi * part
        end_x, end_y = x + middle * math.sin(angle), y - middle * math.cos(angle)
        sweep = 1 if part > 0.5 else 0
        arc = f"M{number(x)},{number(y - middle)}A{number(middle)},{number(middle)} 0 {sweep} 1 {number(end_x)},{number(end_y)}"
        shapes.append(element("path", d=arc, class_="ring line-uncovered", stroke_width=width))
    return element("g", *shapes, class_="country")
