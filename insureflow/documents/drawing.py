"""How papers are drawn: colours, the frame of a page, the pen, and the pieces that are placed on pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insureflow.documents.page_sizes import MILLIMETRE
from insureflow.documents.shaping import Line, draw_line
from insureflow.i18n.documents import Wording

INK = (0.10, 0.12, 0.16)
QUIET = (0.36, 0.40, 0.46)
RULE = (0.74, 0.77, 0.81)
BAND = (0.93, 0.945, 0.96)

TITLE, HEADING, BODY, TABLE, SMALL = 15.0, 10.5, 9.5, 8.0, 7.5


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a page that text fills."""

    width: float
    height: float
    left: float = 20 * MILLIMETRE
    right: float = 18 * MILLIMETRE
    top: float = 18 * MILLIMETRE
    bottom: float = 20 * MILLIMETRE

    @property
    def text_width(self) -> float:
        """Width between the margins."""
        return self.width - self.left - self.right


class Pen:
    """Draws lines of text and rules; knows in which direction the paper runs."""

    def __init__(self, canvas: Any, frame: Frame, wording: Wording) -> None:
        self.canvas = canvas
        self.frame = frame
        self.wording = wording
        self.is_mirrored = wording.is_right_to_left

    def lines(
        self,
        lines: Sequence[Line],
        x: float,
        y: float,
        width: float,
        size: float,
        leading: float,
        *,
        at_end: bool = False,
        colour: tuple[float, float, float] = INK,
    ) -> None:
        """Draws lines from ``y`` (their top) downwards, at the start or the end of a width by the direction of the paper."""
        right = at_end != self.is_mirrored
        baseline = y - size * 0.98
        self.canvas._code.append("{:g} {:g} {:g} rg".format(*colour))  # noqa: SLF001  # as in draw_line
        for line in lines:
            draw_line(self.canvas, line, x + width - line.width * size / 1000 if right else x, baseline, size)
            baseline -= leading

    def rule(self, x: float, y: float, width: float, *, weight: float = 0.5, colour: tuple[float, float, float] = RULE) -> None:
        """Draws a horizontal rule."""
        self.canvas._code.append(  # noqa: SLF001  # as in draw_line
            "{:g} {:g} {:g} RG {:g} w {:.2f} {:.2f} m {:.2f} {:.2f} l S".format(*colour, weight, x, y, x + width, y)
        )

    def band(self, x: float, y: float, width: float, height: float) -> None:
        """Draws a pale band behind a heading."""
        self.canvas.setFillColorRGB(*BAND)
        self.canvas.rect(x, y - height, width, height, stroke=0, fill=1)


Drawing = Callable[[Pen, float, float], None]


@dataclass(slots=True)
class Piece:
    """Something that is never divided: its height, how it is drawn with its upper left corner given, and what it needs.

    ``stays_with_next`` keeps it on the page of the next piece; ``head`` is drawn again where a page begins with this piece; ``space`` is
    left out at the top of a page.
    """

    height: float
    draw: Drawing
    stays_with_next: bool = False
    head: Piece | None = None
    space: float = 0.0


#: More lines than this do not stand in one row: it might be higher than a page. It goes on in parts that fill pages well.
_MOST_LINES, _LINES_OF_A_PART = 40, 8


def divided(cells: Sequence[Sequence[Line]]) -> Iterator[tuple[Sequence[Line], ...]]:
    """A row as one part, or as several where it might be higher than a page."""
    most = max(map(len, cells), default=0)
    size = max(most, 1) if most <= _MOST_LINES else _LINES_OF_A_PART
    for start in range(0, max(most, 1), size):
        yield tuple(lines[start : start + size] for lines in cells)
