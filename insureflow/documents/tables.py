"""Grids as rows of a page: columns as wide as their contents want, headings that are repeated, rows that are never divided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from insureflow.documents.composition import Grid
from insureflow.documents.drawing import QUIET, TABLE, Drawing, Pen, Piece, divided
from insureflow.documents.shaping import Line, lay_out, width_of
from insureflow.i18n.documents import Wording

_SMALLEST = 6.0
_PADDING = 3.0
#: A table of up to so many rows is not divided between pages.
_KEPT_WHOLE = 12


def _insets(grid: Grid) -> list[float]:
    """The gap at the start of each column: a text after figures stands well apart from them."""
    before = (False, *(column.is_figure for column in grid.columns))
    return [
        _PADDING + 6 if after_figures and not column.is_figure else _PADDING
        for column, after_figures in zip(grid.columns, before, strict=False)
    ]


def _spanned(grid: Grid, row: Sequence[str]) -> int:
    """How many columns the name of a sum may fill: its own and the empty ones after it."""
    return next((number for number in range(1, len(row)) if row[number]), len(grid.columns))


def column_widths(grid: Grid, width: float, size: float) -> list[float] | None:
    """The width of each column; None where the figures do not fit at this size.

    Figures and single words are never broken where there is room; texts share what is left in proportion to what they want.
    """
    needed, wanted = [], []
    for number, (column, inset) in enumerate(zip(grid.columns, _insets(grid), strict=True)):
        cells = {row[number] for row in (*grid.rows, *grid.totals) if number or row in grid.rows}
        title_words = max((width_of(word, bold=True) for word in column.title.split(" ")), default=0.0)
        natural = max((width_of(cell) for cell in cells), default=0.0)
        total = max((width_of(row[number], bold=True) for row in grid.totals if number or _spanned(grid, row) == 1), default=0.0)
        if column.is_figure:
            least = max(title_words, natural, total)
            want = least
        else:
            words = max((width_of(word) for cell in cells for word in cell.split(" ")), default=0.0)
            least = max(title_words, min(words, 14_000))
            want = max(least, natural, min(total, 14_000))
        needed.append(least * size / 1000 + inset + _PADDING)
        wanted.append(want * size / 1000 + inset + _PADDING)
    if sum(needed) > width:
        return None
    if sum(wanted) <= width:
        spare = (width - sum(wanted)) / len(wanted)
        return [each + spare for each in wanted]
    over = sum(wanted) - sum(needed)
    share = (width - sum(needed)) / over if over else 0.0
    return [least + (want - least) * share for least, want in zip(needed, wanted, strict=True)]


def _fitted(grid: Grid, width: float) -> tuple[float, list[float]]:
    """The largest size at which the columns fit, and their widths."""
    size = TABLE
    while size > _SMALLEST:
        widths = column_widths(grid, width, size)
        if widths is not None:
            return size, widths
        size -= 0.5
    widths = column_widths(grid, width, _SMALLEST)
    return _SMALLEST, widths or [width / len(grid.columns)] * len(grid.columns)


def set_grid(grid: Grid, wording: Wording, width: float) -> list[Piece]:
    """The pieces of a grid: its heading, its rows, its sums."""
    size, widths = _fitted(grid, width)
    leading = size * 1.32
    mirrored = wording.is_right_to_left
    starts, at = [], 0.0
    for each in widths:
        starts.append(width - at - each if mirrored else at)
        at += each

    insets = _insets(grid)

    def cells_of(texts: Sequence[str], *, bold: bool, span: int = 1) -> list[tuple[Line, ...]]:
        rooms = [sum(widths[:span]), *widths[1:]]
        return [
            lay_out(text, (room - inset - _PADDING + 0.01) * 1000 / size, bold=bold, right_to_left=mirrored or None)
            for text, room, inset in zip(texts, rooms, insets, strict=True)
        ]

    def draw_cells(pen: Pen, cells: Sequence[Sequence[Line]], x: float, y: float, span: int = 1) -> None:
        for number, (lines, start, each, inset, column) in enumerate(zip(cells, starts, widths, insets, grid.columns, strict=True)):
            if not lines:
                continue
            left, room = (starts[span - 1] if mirrored else start, sum(widths[:span])) if number == 0 else (start, each)
            before = _PADDING if mirrored else inset
            pen.lines(lines, x + left + before, y, room - inset - _PADDING, size, leading, at_end=column.is_figure)

    titles = cells_of([column.title for column in grid.columns], bold=True)
    head_height = max(1, *map(len, titles)) * leading + 6

    def draw_head(pen: Pen, x: float, y: float) -> None:
        pen.band(x, y, width, head_height)
        draw_cells(pen, titles, x, y - 2.5)
        pen.rule(x, y - head_height, width, weight=0.7, colour=QUIET)

    head = Piece(head_height, draw_head, stays_with_next=True, space=5)
    pieces = [head]

    def row_pieces(texts: Sequence[str], *, is_sum: bool, keeps: bool) -> Iterator[Piece]:
        span = _spanned(grid, texts) if is_sum else 1
        parts = list(divided(cells_of(texts, bold=is_sum, span=span)))
        for number, cells in enumerate(parts):
            is_last = number == len(parts) - 1
            height = max(1, *map(len, cells)) * leading + (4 if is_last else 0)
            yield Piece(height, drawing(cells, height, span, is_sum=is_sum, is_last=is_last), stays_with_next=keeps and is_last, head=head)

    def drawing(cells: Sequence[Sequence[Line]], height: float, span: int, *, is_sum: bool, is_last: bool) -> Drawing:
        def draw(pen: Pen, x: float, y: float) -> None:
            if is_sum:
                pen.rule(x, y, width, weight=0.7, colour=QUIET)
            draw_cells(pen, cells, x, y - 1.5, span)
            if is_last:
                pen.rule(x, y - height, width, weight=0.3)

        return draw

    last = len(grid.rows) - 1
    is_short = last < _KEPT_WHOLE
    for number, row in enumerate(grid.rows):
        pieces += row_pieces(row, is_sum=False, keeps=bool(grid.totals) if number == last else is_short)
    for number, row in enumerate(grid.totals):
        pieces += row_pieces(row, is_sum=True, keeps=number < len(grid.totals) - 1)
    return pieces
