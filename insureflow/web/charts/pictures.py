"""What every chart gives: the drawing, its legend, and the same figures as a table."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from insureflow.web.charts.svg import Tone


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One line of a legend: the mark (a tone, or a shape such as ``limit``, ``exposure``, ``shipment``, ``circle``) and its word."""

    mark: str
    word: str


@dataclass(frozen=True, slots=True)
class TableCell:
    """One figure of the table beside a picture, already in words."""

    text: str
    is_number: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as a page needs it. ``drawing`` is None when there is nothing to draw; ``teaching`` then says what belongs here.

    ``narrow`` is the same drawing for the screen of a phone; without it the wide one is moved sideways there.
    """

    key: str
    title: str
    description: str
    drawing: Markup | None
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[TableCell, ...], ...] = ()
    legend: tuple[LegendEntry, ...] = ()
    teaching: str = ""
    is_wide: bool = False
    narrow: Markup | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an amount: what it means, what it is called, minor units."""

    tone: Tone
    label: str
    minor: int


def nothing_to_draw(key: str, title: str, teaching: str) -> Picture:
    """The picture of no data: it teaches what would be seen here."""
    return Picture(key=key, title=title, description=teaching, drawing=None, teaching=teaching)


def text_cell(text: str, url: str | None = None) -> TableCell:
    """A cell of words."""
    return TableCell(text, url=url)


def number_cell(text: str) -> TableCell:
    """A cell of figures, set to the end of its column."""
    return TableCell(text, is_number=True)
