"""SVG markup that cannot be broken out of: every text and attribute value is escaped, and nothing is styled inline.

Colours come from classes (``fill-covered``, ``line-stopped`` …) in ``static/css/charts.css``, so one picture serves light, dark and paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup, escape

Attribute = str | int | float | None


class Tone(StrEnum):
    """What a colour means, the same everywhere."""

    COVERED = "covered"
    UNCOVERED = "uncovered"
    STOPPED = "stopped"
    UNDECIDED = "undecided"


def number(value: float) -> str:
    """A length or place with at most two decimals and no needless zeros; a thousandth below zero is zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def element(name: str, *children: Markup | str, **attributes: Attribute) -> Markup:
    """One element with its children. Underscores in attribute names become hyphens (``text_anchor``); ``class_`` is ``class``.

    Attributes that are None are left out; plain strings among the children are escaped.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), number(value) if isinstance(value, int | float) else value)
        for key, value in attributes.items()
        if value is not None
    )
    if not children:
        return Markup("<{}{}/>").format(name, written)
    inner = Markup("").join(escape(child) for child in children)
    return Markup("<{}{}>{}</{}>").format(name, written, inner, name)


def identifier(key: str) -> str:
    """A key that is safe as an id and within ``url(#…)``."""
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-") or "picture"


def tooltip(text: str) -> Markup:
    """What a pointer resting on a shape is told."""
    return element("title", text)


def patterns(key: str) -> Markup:
    """Shapes laid over colours, so that no meaning hangs on colour alone: stripes, cross-stripes and dots."""

    def pattern(name: str, *marks: Markup) -> Markup:
        return element(
            "pattern", *marks, id=f"{identifier(key)}-{name}", width=6, height=6, patternUnits="userSpaceOnUse", class_="chart-pattern"
        )

    stripe = element("path", d="M-1,1L1,-1M0,6L6,0M5,7L7,5")
    back = element("path", d="M-1,5L1,7M0,0L6,6M5,-1L7,1")
    return element(
        "defs",
        pattern(Tone.UNCOVERED, stripe),
        pattern(Tone.STOPPED, stripe, back),
        pattern(Tone.UNDECIDED, element("circle", cx=3, cy=3, r=1)),
    )


def bar(key: str, tone: Tone, text: str, *, x: float, y: float, width: float, height: float) -> Markup:
    """A rectangle in the colour and shape of its meaning, with a tooltip. A width or height below zero is drawn as none."""
    width, height = max(0.0, width), max(0.0, height)
    shapes = [element("rect", x=x, y=y, width=width, height=height, class_=f"fill-{tone}")]
    if tone is not Tone.COVERED:
        shapes.append(element("rect", x=x, y=y, width=width, height=height, fill=f"url(#{identifier(key)}-{tone})"))
    return element("g", tooltip(text), *shapes)


def label(text: str, *, x: float, y: float, anchor: str = "start", class_: str = "chart-text") -> Markup:
    """A short text of the picture; ``anchor`` is start, middle or end."""
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=class_)


def shortened(text: str, length: int) -> str:
    """The text, cut with an ellipsis when longer than this many characters; the table beside the picture has it whole."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def drawing(key: str, title: str, description: str, width: float, height: float, *shapes: Markup, class_: str = "") -> Markup:
    """A whole picture that says what it shows: title and description are tied to it for screen readers."""
    name = identifier(key)
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *shapes,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
        class_=f"chart-drawing {class_}".strip(),
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """Places of values along a line: from ``low`` … ``high`` of the data to ``start`` … ``end`` of the drawing."""

    low: int
    high: int
    start: float
    end: float

    def at(self, value: int) -> float:
        """Where a value lies; values outside lie at the nearer end, so nothing leaves the picture."""
        if self.high <= self.low:
            return self.start
        kept = min(max(value, self.low), self.high)
        return self.start + (self.end - self.start) * ((kept - self.low) / (self.high - self.low))


def ticks(highest: int, count: int = 4) -> list[int]:
    """Round values from 0 to at least the highest, in steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0]
    rough = max(1, -(-highest // count))
    power = 10 ** (len(str(rough)) - 1)
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return list(range(0, highest + step, step)) if highest % step else list(range(0, highest + 1, step))


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """Path data through these points."""
    return "M" + "L".join(f"{number(x)},{number(y)}" for x, y in points)
