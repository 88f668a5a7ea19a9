"""Amounts as bars: ageing in stacks, covered against uncovered in rows, and what became of one invoice in a strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from insureflow.web.charts.language import Language, share_of
from insureflow.web.charts.pictures import LegendEntry, Part, Picture, nothing_to_draw, number_cell, text_cell
from insureflow.web.charts.svg import Scale, Tone, bar, drawing, element, label, patterns, shortened, ticks

WIDTH = 640.0
#: The room on the screen of a phone.
NARROW = 358.0
#: About the room of a letter and of a line.
LETTER, LINE = 6.4, 14.0


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar made of parts, such as an ageing bucket."""

    label: str
    parts: tuple[Part, ...]
    url: str | None = None

    @property
    def total(self) -> int:
        """Sum of what is drawn; parts below zero (unallocated credits) are shown in the table and not drawn."""
        return sum(max(0, part.minor) for part in self.parts)


@dataclass(frozen=True, slots=True)
class CoverRow:
    """What is covered and what is not of one buyer, country, policy or entity."""

    label: str
    covered: int
    uncovered: int
    stopped: int = 0
    undecided: int = 0
    url: str | None = None


def stacked_bars(stacks: Sequence[Stack], *, language: Language, title: str, key: str, teaching: str, heading: str) -> Picture:
    """Upright bars side by side, each made of its parts from the bottom up, with a scale at the side.

    ``heading`` names what a bar stands for ("Age"). Parts with the same label make one column of the table and one line of the legend.
    """
    _ = language.gettext
    highest = max((stack.total for stack in stacks), default=0)
    if highest <= 0:
        return nothing_to_draw(key, title, teaching)
    names = _part_names(stacks)
    total = sum(stack.total for stack in stacks)
    largest = max(stacks, key=lambda stack: stack.total)
    description = _(
        "%(total)s in all; the largest part is “%(name)s” with %(amount)s.",
        total=language.amount(total),
        name=largest.label,
        amount=language.amount(largest.total),
    )
    rows = tuple(
        (
            text_cell(stack.label, stack.url),
            *(number_cell(language.amount(sum(part.minor for part in stack.parts if part.label == name))) for name in names),
            number_cell(language.amount(sum(part.minor for part in stack.parts))),
        )
        for stack in stacks
    )
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=_upright(key, title, description, stacks, highest, language, WIDTH),
        narrow=_upright(f"{key}-narrow", title, description, stacks, highest, language, NARROW),
        headings=(heading, *names, _("Total")),
        rows=rows,
        legend=tuple(LegendEntry(tone, name) for name, tone in names.items()),
    )


def _upright(key: str, title: str, description: str, stacks: Sequence[Stack], highest: int, language: Language, width: float) -> Markup:
    """The bars over their names, as wide as this; where a name or an amount has no room, it gives way."""
    marks = ticks(highest)
    is_narrow = width < WIDTH
    left, bottom, top = 44.0 if is_narrow else 64.0, 228.0, 20.0
    scale = Scale(0, marks[-1], bottom, top)
    shapes = [patterns(key)]
    for mark in marks:
        shapes.append(element("line", x1=left, x2=width, y1=scale.at(mark), y2=scale.at(mark), class_="grid"))
        shapes.append(label(language.short_amount(mark), x=left - 8, y=scale.at(mark) + 4, anchor="end"))
    step = (width - left) / len(stacks)
    thick = min(72.0, step * 0.64)
    said_to, said_at = 0.0, 0.0
    for index, stack in enumerate(stacks):
        middle = left + step * (index + 0.5)
        reached = 0
        for part in stack.parts:
            drawn = max(0, part.minor)
            if not drawn:
                continue
            low, high = scale.at(reached), scale.at(reached + drawn)
            text = f"{stack.label}, {part.label}: {language.amount(part.minor)}"
            shapes.append(bar(key, part.tone, text, x=middle - thick / 2, y=high, width=thick, height=low - high))
            reached += drawn
        if reached:
            amount, y = language.short_amount(reached), scale.at(reached) - 5
            half = len(amount) * LETTER / 2 + 1
            place = min(middle, width - half)
            if place - half >= said_to or abs(y - said_at) > LINE:
                shapes.append(label(amount, x=place, y=y, anchor="middle", class_="chart-text chart-strong"))
                said_to, said_at = place + half, y
        shapes.extend(_named(stack.label, middle, bottom + 18, step, is_narrow=is_narrow))
    shapes.append(element("line", x1=left, x2=width, y1=bottom, y2=bottom, class_="axis"))
    return drawing(key, title, description, width, bottom + 38, *shapes, class_="chart-bars")


def _named(name: str, middle: float, y: float, step: float, *, is_narrow: bool) -> list[Markup]:
    """The name under a bar, in two lines where one has no room on a narrow drawing."""
    if not is_narrow or (len(name) + 1) * LETTER <= step or " " not in name:
        room = max(1, int(step // LETTER)) if is_narrow else max(8, int(step // 7))
        return [label(shortened(name, room), x=middle, y=y, anchor="middle")]
    lines = name.rsplit(" ", 1)
    room = max(1, int(step // LETTER))
    return [label(shortened(line, room), x=middle, y=y + LINE * place, anchor="middle") for place, line in enumerate(lines)]


def covered_bars(rows: Sequence[CoverRow], *, language: Language, title: str, key: str, teaching: str, heading: str) -> Picture:
    """Lying bars, one per row: covered first, then what is not, with the total at the end."""
    _ = language.gettext
    words = {
        Tone.COVERED: _("Covered"),
        Tone.UNCOVERED: _("Not covered"),
        Tone.STOPPED: _("Cover stopped"),
        Tone.UNDECIDED: _("Not decided"),
    }
    stacks = [
        Stack(
            row.label,
            (
                Part(Tone.COVERED, words[Tone.COVERED], row.covered),
                Part(Tone.UNCOVERED, words[Tone.UNCOVERED], row.uncovered),
                Part(Tone.STOPPED, words[Tone.STOPPED], row.stopped),
                Part(Tone.UNDECIDED, words[Tone.UNDECIDED], row.undecided),
            ),
            row.url,
        )
        for row in rows
    ]
    largest = max((stack.total for stack in stacks), default=0)
    if largest <= 0:
        return nothing_to_draw(key, title, teaching)
    # A column nobody has anything in is left out of legend and table.
    used = [
        tone
        for index, tone in enumerate(words)
        if tone in {Tone.COVERED, Tone.UNCOVERED} or any(stack.parts[index].minor for stack in stacks)
    ]
    left, right, line = 168.0, 72.0, 26.0
    scale = Scale(0, largest, left, WIDTH - right)
    shapes = [patterns(key)]
    for index, stack in enumerate(stacks):
        y = index * line + 4
        shapes.append(label(shortened(stack.label, 24), x=left - 8, y=y + 13, anchor="end"))
        shapes.append(_strip(key, stack, scale, language, y=y, height=line - 10))
        shapes.append(label(language.short_amount(stack.total), x=scale.at(stack.total) + 6, y=y + 13))
    covered = sum(max(0, stack.parts[0].minor) for stack in stacks)
    total = sum(stack.total for stack in stacks)
    description = _(
        "Of %(total)s, %(covered)s is covered. The longest bar is %(name)s with %(amount)s.",
        total=language.amount(total),
        covered=language.share(share_of(covered, total)),
        name=max(stacks, key=lambda stack: stack.total).label,
        amount=language.amount(largest),
    )
    table = tuple(
        (
            text_cell(stack.label, stack.url),
            *(number_cell(language.amount(part.minor)) for part in stack.parts if part.tone in used),
            number_cell(language.share(share_of(max(0, stack.parts[0].minor), stack.total))),
        )
        for stack in stacks
    )
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=drawing(key, title, description, WIDTH, len(stacks) * line + 4, *shapes, class_="chart-bars"),
        headings=(heading, *(words[tone] for tone in used), _("Share covered")),
        rows=table,
        legend=tuple(LegendEntry(tone, words[tone]) for tone in used),
    )


def cover_strip(parts: Sequence[Part], *, language: Language, title: str, key: str) -> Picture:
    """One invoice from end to end: covered, over the limit, tax, disputed, each as wide as its amount and named where there is room."""
    _ = language.gettext
    stack = Stack(title, tuple(part for part in parts if part.minor > 0))
    if not stack.total:
        return nothing_to_draw(key, title, _("Nothing is open, so there is nothing to cover."))
    scale = Scale(0, stack.total, 0.0, WIDTH)
    shapes = [patterns(key), _strip(key, stack, scale, language, y=0, height=24)]
    reached = 0
    for part in stack.parts:
        start, end = scale.at(reached), scale.at(reached + part.minor)
        words = f"{part.label} {language.short_amount(part.minor)}"
        if end - start > len(words) * 6.5:
            shapes.append(label(words, x=start + 2, y=40))
        reached += part.minor
    description = "; ".join(f"{part.label}: {language.amount(part.minor)}" for part in stack.parts)
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=drawing(key, title, description, WIDTH, 46, *shapes, class_="chart-strip"),
        headings=(_("Part"), _("Amount"), _("Share")),
        rows=tuple(
            (
                text_cell(part.label),
                number_cell(language.amount(part.minor)),
                number_cell(language.share(share_of(part.minor, stack.total))),
            )
            for part in stack.parts
        ),
        legend=tuple(LegendEntry(part.tone, part.label) for part in stack.parts),
    )


def _strip(key: str, stack: Stack, scale: Scale, language: Language, *, y: float, height: float) -> Markup:
    """The parts of a stack lying one after the other."""
    shapes = []
    reached = 0
    for part in stack.parts:
        if part.minor <= 0:
            continue
        start, end = scale.at(reached), scale.at(reached + part.minor)
        shapes.append(bar(key, part.tone, f"{part.label}: {language.amount(part.minor)}", x=start, y=y, width=end - start, height=height))
        if reached:
            shapes.append(element("line", x1=start, x2=start, y1=y, y2=y + height, class_="seam"))
        reached += part.minor
    return element("g", *shapes)


def _part_names(stacks: Sequence[Stack]) -> dict[str, Tone]:
    """Labels of all parts with their tone, in the order in which they are first met."""
    names: dict[str, Tone] = {}
    for stack in stacks:
        for part in stack.parts:
            names.setdefault(part.label, part.tone)
    return names
