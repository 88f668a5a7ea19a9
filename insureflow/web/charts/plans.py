"""A payment plan as a picture: its instalments along a time line, and where the maximum extension period of its invoices ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from insureflow.web.charts.bars import NARROW, WIDTH
from insureflow.web.charts.language import Language
from insureflow.web.charts.pictures import LegendEntry, Picture, TableCell, nothing_to_draw, number_cell, text_cell
from insureflow.web.charts.svg import Scale, Tone, bar, drawing, element, label, patterns, ticks, tooltip

#: A line with more ends than this would be a hedge; the table has them all.
_MOST_ENDS = 4
_THICK = 16.0


@dataclass(frozen=True, slots=True)
class PlanMark:
    """An instalment: its day and amount, whether all of it is ``inside`` what may be agreed freely, and how it stands, in a word."""

    number: int
    due_on: date
    minor: int
    tone: Tone
    is_inside: bool
    word: str
    paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class PeriodEnd:
    """The last day to which an invoice may be put off freely."""

    invoice: str
    on: date


def plan_timeline(
    marks: Sequence[PlanMark], ends: Sequence[PeriodEnd], *, on: date, language: Language, title: str, key: str = "plan-timeline"
) -> Picture:
    """One bar for each instalment at its day, as high as its amount; a line after each last free day, the day looked at as a tick."""
    _ = language.gettext
    if not marks:
        return nothing_to_draw(key, title, _("Once there are instalments, this shows which of them end in time."))
    outside = sum(not mark.is_inside for mark in marks)
    description = (
        _("%(outside)s of %(count)s instalments end after the last free day of an invoice.", outside=outside, count=len(marks))
        if outside
        else _("All %(count)s instalments are within what may be agreed freely.", count=len(marks))
    )
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=_along(key, title, description, marks, ends, on, language, WIDTH),
        narrow=_along(f"{key}-narrow", title, description, marks, ends, on, language, NARROW),
        headings=(_("Day"), _("What"), _("Amount"), _("How it stands"), _("Paid on")),
        rows=_rows(marks, ends, language),
        legend=_legend(marks, ends, _("Line: last free day"), language),
    )


def _along(
    key: str,
    title: str,
    description: str,
    marks: Sequence[PlanMark],
    ends: Sequence[PeriodEnd],
    on: date,
    language: Language,
    width: float,
) -> Markup:
    """The instalments along their days, as wide as this."""
    days = [*(mark.due_on for mark in marks), *(end.on for end in ends), on]
    first, last = min(days).toordinal(), max(days).toordinal()
    height, left, right, bottom, top = 240.0, 64.0 if width == WIDTH else 44.0, width - 8, 184.0, 34.0
    day = Scale(first - 1, last + 2, left + _THICK, right - _THICK)
    steps = ticks(max(mark.minor for mark in marks))
    value = Scale(0, steps[-1], bottom, top)
    shapes = [patterns(key)]
    for step in steps:
        shapes.append(element("line", x1=left, x2=right, y1=value.at(step), y2=value.at(step), class_="grid"))
        shapes.append(label(language.short_amount(step), x=left - 8, y=value.at(step) + 4, anchor="end"))
    for mark in marks:
        text = language.gettext("%(number)s: %(amount)s on %(day)s, %(word)s", number=mark.number, amount=language.amount(mark.minor), day=language.day(mark.due_on), word=mark.word)  # fmt: skip
        x = day.at(mark.due_on.toordinal())
        shapes.append(
            bar(key, mark.tone, text, x=x - _THICK / 2, y=value.at(mark.minor), width=_THICK, height=bottom - value.at(mark.minor))
        )
        if len(marks) <= 20:
            shapes.append(label(str(mark.number), x=x, y=value.at(mark.minor) - 5, anchor="middle", class_="chart-text chart-strong"))
    shapes += _end_lines(ends, day, top, bottom, language, width)
    here = day.at(on.toordinal())
    shapes.append(element("g", tooltip(language.day(on)), element("line", x1=here, x2=here, y1=bottom, y2=bottom + 12, class_="shipment")))
    shapes.append(element("line", x1=left, x2=right, y1=bottom, y2=bottom, class_="axis"))
    shapes.append(label(language.day(min(days)), x=left, y=height - 26))
    shapes.append(label(language.day(max(days)), x=right, y=height - 26, anchor="end"))
    return drawing(key, title, description, width, height, *shapes, class_="chart-timeline")


def _end_lines(ends: Sequence[PeriodEnd], day: Scale, top: float, bottom: float, language: Language, width: float) -> list[Markup]:
    """A line for each last free day; those of the same day are one, and of many only the first and the last are drawn."""
    by_day: dict[date, list[str]] = {}
    for end in sorted(ends, key=lambda end: (end.on, end.invoice)):
        by_day.setdefault(end.on, []).append(end.invoice)
    shown = list(by_day.items())
    if len(shown) > _MOST_ENDS:
        shown = [shown[0], shown[-1]]
    shapes = []
    for place, (on, invoices) in enumerate(shown):
        x = day.at(on.toordinal()) + _THICK / 2 + 1
        text = language.gettext("Last free day of %(invoices)s: %(day)s", invoices=", ".join(invoices), day=language.day(on))
        line = element("line", x1=x, x2=x, y1=top - 8, y2=bottom, class_="limit-line")
        shapes.append(element("g", tooltip(text), line))
        anchor = "end" if x > width / 2 else "start"
        shapes.append(label(language.day(on), x=x - 4 if anchor == "end" else x + 4, y=top - 12 - 11 * (place % 2), anchor=anchor))
    return shapes


def _rows(marks: Sequence[PlanMark], ends: Sequence[PeriodEnd], language: Language) -> tuple[tuple[TableCell, ...], ...]:
    """The same in order of the days: instalments and last free days."""
    _ = language.gettext
    rows: list[tuple[date, int, tuple[TableCell, ...]]] = [
        (
            mark.due_on,
            0,
            (
                text_cell(language.day(mark.due_on)),
                text_cell(_("Instalment %(number)s", number=mark.number)),
                number_cell(language.amount(mark.minor)),
                text_cell(mark.word),
                text_cell("–" if mark.paid_on is None else language.day(mark.paid_on)),
            ),
        )
        for mark in marks
    ]
    rows += [
        (
            end.on,
            1,
            (
                text_cell(language.day(end.on)),
                text_cell(_("Last free day of %(invoices)s", invoices=end.invoice)),
                number_cell("–"),
                text_cell("–"),
                text_cell("–"),
            ),
        )
        for end in ends
    ]
    return tuple(cells for _day, _kind, cells in sorted(rows, key=lambda row: row[:2]))


def _legend(marks: Sequence[PlanMark], ends: Sequence[PeriodEnd], end_word: str, language: Language) -> tuple[LegendEntry, ...]:
    """What each colour stands for in this plan, the line, and the day looked at."""
    words: dict[Tone, dict[str, None]] = {}
    for mark in marks:
        words.setdefault(mark.tone, {})[mark.word] = None
    tones = tuple(LegendEntry(tone, ", ".join(words[tone])) for tone in Tone if tone in words)
    line = (LegendEntry("limit", end_word),) if ends else ()
    return (*tones, *line, LegendEntry("shipment", language.gettext("Tick: the day you look at")))
