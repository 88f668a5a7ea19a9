"""Pages: a composition drawn as PDF.

Blocks become pieces (a line, a row), pieces are placed on pages, and only then anything is drawn: so every page knows how many there are,
tables repeat their headings, and a heading never stands alone at the end of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from threading import RLock

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from insureflow.documents.composition import Block, Bullets, Composition, Grid, Heading, Pairs, Signing, Text
from insureflow.documents.drawing import BODY, HEADING, QUIET, SMALL, TITLE, Drawing, Frame, Pen, Piece, divided
from insureflow.documents.finishing import finish
from insureflow.documents.fonts import LATIN, font_of
from insureflow.documents.page_sizes import PageSize
from insureflow.documents.shaping import Line, embedded, lay_out, width_of
from insureflow.documents.tables import set_grid
from insureflow.i18n.documents import Wording

#: Streams are kept as bytes: the detour over text would make papers larger and slower.
rl_config.useA85 = 0

#: Lines of the sender's own at the foot of a page, at the most, and how far apart they are.
MOST_FOOT_LINES = 6
_FOOT_LEADING = SMALL * 1.3

#: The library keeps places in a font while it writes a paper: one paper at a time in a process.
_WRITING = RLock()


def place(pieces: Sequence[Piece], first: float, others: float) -> list[list[tuple[Piece, float]]]:
    """Pieces on pages, each with its distance from the top, given the heights of the first and the other pages."""
    pages: list[list[tuple[Piece, float]]] = [[]]
    used, room = 0.0, first
    index = 0
    while index < len(pieces):
        stop = index
        while stop < len(pieces) - 1 and pieces[stop].stays_with_next:
            stop += 1
        group = pieces[index : stop + 1]
        height = sum(piece.height + piece.space for piece in group)
        if pages[-1] and used + height > room and height <= others + group[0].space:
            pages.append([])
            used, room = 0.0, others
        for piece in group:
            if pages[-1] and used + piece.space + piece.height > room:
                pages.append([])
                used, room = 0.0, others
            if not pages[-1] and piece.head is not None and len(pages) > 1:
                pages[-1].append((piece.head, 0.0))
                used = piece.head.height
            if pages[-1] and used:
                used += piece.space
            pages[-1].append((piece, used))
            used += piece.height
        index = stop + 1
    return pages


@dataclass(slots=True)
class _Setter:
    """Makes pieces of blocks for a width."""

    wording: Wording
    width: float
    pieces: list[Piece] = field(default_factory=list)

    def set(self, block: Block) -> list[Piece]:
        """The pieces of a block."""
        if isinstance(block, Heading):
            return self._paragraph(block.text, HEADING, bold=True, space=10, after=3, stays=True)
        if isinstance(block, Text):
            size = SMALL if block.is_small else BODY
            return self._paragraph(block.text, size, bold=block.is_strong, space=6, stays=block.leads, region=block.region)
        if isinstance(block, Bullets):
            return [piece for point in block.points for piece in self._paragraph(point, BODY, space=3, indent=12, mark=True)]
        if isinstance(block, Pairs):
            return self._pairs(block)
        if isinstance(block, Grid):
            return set_grid(block, self.wording, self.width)
        if isinstance(block, Signing):
            return self._signing(block)
        kept = [piece for inner in block.blocks for piece in self.set(inner)]
        for piece in kept[:-1]:
            piece.stays_with_next = True
        return kept

    def lines(self, text: str, width: float, size: float, *, bold: bool = False, region: str = "") -> tuple[Line, ...]:
        return lay_out(text, width * 1000 / size, bold=bold, right_to_left=self.wording.is_right_to_left or None, region=region)

    def _paragraph(
        self,
        text: str,
        size: float,
        *,
        bold: bool = False,
        space: float,
        after: float = 0,
        stays: bool = False,
        indent: float = 0,
        mark: bool = False,
        region: str = "",
    ) -> list[Piece]:
        leading = size * 1.38
        lines = self.lines(text, self.width - indent, size, bold=bold, region=region)
        mirrored = self.wording.is_right_to_left

        def drawing(line: Line, first: bool) -> Drawing:
            def draw(pen: Pen, x: float, y: float) -> None:
                start = x if mirrored else x + indent
                pen.lines((line,), start, y, self.width - indent, size, leading)
                if mark and first:
                    pen.lines(lay_out("–", 10_000), x, y, self.width, size, leading)

            return draw

        last = len(lines) - 1
        return [
            Piece(
                leading + (after if number == last else 0),
                drawing(line, number == 0),
                stays_with_next=stays or (last > 0 and number in {0, last - 1}),
                space=space if number == 0 else 0,
            )
            for number, line in enumerate(lines)
        ]

    def _pairs(self, block: Pairs) -> list[Piece]:
        size, leading = BODY - 0.5, (BODY - 0.5) * 1.36
        names = min(max((width_of(name) for name, _value in block.rows), default=0) * size / 1000 + 12, self.width * 0.42)
        rest = self.width - names
        mirrored = self.wording.is_right_to_left

        def drawing(left: Sequence[Line], right: Sequence[Line]) -> Drawing:
            def draw(pen: Pen, x: float, y: float) -> None:
                pen.lines(left, x + rest + 8 if mirrored else x, y, names - 8, size, leading, colour=QUIET)
                pen.lines(right, x if mirrored else x + names, y, rest, size, leading)

            return draw

        pieces: list[Piece] = []
        for number, (name, value) in enumerate(block.rows):
            whole = (self.lines(name, names - 8, size), self.lines(value, rest, size, region=block.region))
            parts = list(divided(whole))
            for part, (left, right) in enumerate(parts):
                pieces.append(
                    Piece(
                        max(len(left), len(right)) * leading + (1.5 if part == len(parts) - 1 else 0),
                        drawing(left, right),
                        stays_with_next=len(block.rows) > 1 and number in {0, len(block.rows) - 2},
                        space=5 if number == part == 0 else 0,
                    )
                )
        return pieces

    def _signing(self, block: Signing) -> list[Piece]:
        count = len(block.fields)
        gap = 18.0
        each = (self.width - gap * (count - 1)) / count
        labels = [self.lines(label, each, SMALL) for label in block.fields]
        mirrored = self.wording.is_right_to_left

        def draw(pen: Pen, x: float, y: float) -> None:
            for number, label in enumerate(labels):
                place_at = count - 1 - number if mirrored else number
                start = x + place_at * (each + gap)
                pen.rule(start, y - 34, each, colour=QUIET)
                pen.lines(label, start, y - 37, each, SMALL, SMALL * 1.3, colour=QUIET)

        return [Piece(40 + max(map(len, labels)) * SMALL * 1.3, draw, space=6)]


def _opening(composition: Composition, setter: _Setter) -> list[Piece]:
    """The head of the first page: sender, recipient, date and number, title."""
    wording, width = composition.wording, setter.width
    mirrored = wording.is_right_to_left
    sender, recipient = composition.sender, composition.recipient
    half = width * 0.56
    rest = width - half - 12
    size, leading = BODY, BODY * 1.36
    letterhead = setter.lines(sender.name, width, 12, bold=True, region=sender.address.country)
    below = " · ".join(embedded(part) if mirrored else part for part in sender.lines(wording)[1:])
    under = setter.lines(below, width, SMALL, region=sender.address.country)
    head_height = len(letterhead) * 16 + len(under) * SMALL * 1.35 + 8

    def draw_head(pen: Pen, x: float, y: float) -> None:
        pen.lines(letterhead, x, y, width, 12, 16)
        pen.lines(under, x, y - len(letterhead) * 16, width, SMALL, SMALL * 1.35, colour=QUIET)
        pen.rule(x, y - head_height + 4, width, weight=0.8)

    envelope = [
        line
        for text in recipient.lines(wording, sender.address.country)
        for line in setter.lines(text, half, size, region=recipient.address.country)
    ]
    facts = (
        (wording.phrase("Date"), wording.day(composition.issued_on)),
        (wording.phrase("Our reference"), composition.number),
        *composition.reference_lines,
    )
    told = [(setter.lines(name, rest, SMALL), setter.lines(value, rest, size)) for name, value in facts]
    told_height = sum(len(name) * SMALL * 1.3 + len(value) * leading + 3 for name, value in told)
    address_height = max(len(envelope) * leading, told_height) + 8

    def draw_address(pen: Pen, x: float, y: float) -> None:
        pen.lines(envelope, x + rest + 12 if mirrored else x, y, half, size, leading)
        at = y
        for name, value in told:
            start = x if mirrored else x + half + 12
            pen.lines(name, start, at, rest, SMALL, SMALL * 1.3, colour=QUIET)
            at -= len(name) * SMALL * 1.3
            pen.lines(value, start, at, rest, size, leading)
            at -= len(value) * leading + 3

    title = setter.lines(composition.title, width, TITLE, bold=True)

    def draw_title(pen: Pen, x: float, y: float) -> None:
        pen.lines(title, x, y, width, TITLE, TITLE * 1.3)

    return [
        Piece(head_height, draw_head, stays_with_next=True),
        Piece(address_height, draw_address, stays_with_next=True, space=14),
        Piece(len(title) * TITLE * 1.3 + 2, draw_title, stays_with_next=True, space=10),
    ]


def draw_pages(composition: Composition, size: PageSize = PageSize.A4) -> bytes:
    """The paper as an archived PDF file, the same bytes each time."""
    with _WRITING:
        return finish(_draw(composition, size), composition)


def _draw(composition: Composition, size: PageSize) -> bytes:
    wording = composition.wording
    width, height = size.value
    frame = Frame(width, height)
    setter = _Setter(wording, frame.text_width)
    pieces = _opening(composition, setter)
    for block in composition.blocks:
        pieces += setter.set(block)
    running = SMALL * 2.6
    foot = _foot_lines(composition, setter)
    room = height - frame.top - frame.bottom - len(foot) * _FOOT_LEADING
    pages = place(pieces, room, room - running)
    stream = BytesIO()
    canvas = Canvas(
        stream, pagesize=(width, height), initialFontName=font_of(LATIN).fontName, initialFontSize=BODY, invariant=1, pageCompression=1
    )
    canvas.setTitle(composition.title)
    pen = Pen(canvas, frame, wording)
    for number, page in enumerate(pages, start=1):
        top = height - frame.top
        if number > 1:
            told = setter.lines(f"{composition.title} · {composition.number}", frame.text_width, SMALL)[:1]
            pen.lines(told, frame.left, top, frame.text_width, SMALL, SMALL, colour=QUIET)
            pen.rule(frame.left, top - SMALL * 1.5, frame.text_width)
            top -= running
        for piece, distance in page:
            piece.draw(pen, frame.left, top - distance)
        _foot(pen, composition, foot, number, len(pages))
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _foot_lines(composition: Composition, setter: _Setter) -> tuple[Line, ...]:
    """What the sender has at the foot of each page, at most so many lines; the page number comes below."""
    country = composition.sender.address.country
    told = composition.sender.foot_lines(composition.wording)
    return tuple(line for text in told for line in setter.lines(text, setter.width, SMALL, region=country))[:MOST_FOOT_LINES]


def _foot(pen: Pen, composition: Composition, foot: Sequence[Line], number: int, count: int) -> None:
    frame, wording = pen.frame, composition.wording
    y = frame.bottom - 10
    pen.rule(frame.left, y + 4 + len(foot) * _FOOT_LEADING, frame.text_width)
    pen.lines(foot, frame.left, y + len(foot) * _FOOT_LEADING, frame.text_width, SMALL, _FOOT_LEADING, colour=QUIET)
    counted = wording.phrase("Page %(page)s of %(pages)s", page=number, pages=count)
    direction = wording.is_right_to_left or None
    pen.lines(lay_out(counted, 500_000, right_to_left=direction), frame.left, y, frame.text_width, SMALL, SMALL, at_end=True, colour=QUIET)
    name = lay_out(
        f"{composition.sender.name} · {composition.number}",
        frame.text_width * 700 / SMALL,
        right_to_left=direction,
        region=composition.sender.address.country,
    )
    pen.lines(name[:1], frame.left, y, frame.text_width, SMALL, SMALL, colour=QUIET)
