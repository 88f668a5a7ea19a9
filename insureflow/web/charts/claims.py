"""Claims in pictures: what becomes of a debt on its way to the indemnity, and when the money is expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from insureflow.domain.claims import CashMonth, Forecast
from insureflow.web.charts.bars import NARROW, WIDTH, Stack, stacked_bars
from insureflow.web.charts.language import Language
from insureflow.web.charts.pictures import LegendEntry, Part, Picture, nothing_to_draw, number_cell, text_cell
from insureflow.web.charts.svg import Scale, Tone, bar, drawing, element, label, patterns, shortened

#: A bar: its meaning, its name, where it begins and ends.
_Step = tuple[Tone, str, int, int]


def claim_waterfall(forecast: Forecast, *, language: Language, word: Callable[[object], str], title: str, key: str) -> Picture:
    """One lying bar for each step, each beginning where the last ended: what is owed, what is not covered, each clause, the indemnity."""
    _ = language.gettext
    loss = forecast.loss
    owed = loss.open_debt
    if owed <= 0:
        return nothing_to_draw(key, title, _("Nothing is open on this account."))
    steps: list[_Step] = [(Tone.UNDECIDED, _("Open debt"), 0, owed)]
    reached = owed
    for reason, amount in loss.uncovered:
        steps.append((Tone.UNCOVERED, _begun(word(reason)), reached - amount, reached))
        reached -= amount
    for effect, amount in loss.effects:
        steps.append((Tone.STOPPED, _begun(word(effect)), reached - amount, reached))
        reached -= amount
    steps.append((Tone.COVERED, _("Expected indemnity"), 0, loss.indemnity))
    description = _(
        "Of %(owed)s that is owed, %(indemnity)s is expected from the insurer and %(own)s stays with you.",
        owed=language.amount(owed),
        indemnity=language.amount(loss.indemnity),
        own=language.amount(forecast.own_retention),
    )
    used = {tone for tone, _name, _low, _high in steps}
    words = {
        Tone.UNDECIDED: _("Owed"),
        Tone.UNCOVERED: _("Not covered"),
        Tone.STOPPED: _("Borne by you under a clause"),
        Tone.COVERED: _("Expected from the insurer"),
    }
    rows = []
    for index, (tone, name, low, high) in enumerate(steps):
        is_taken = tone in {Tone.UNCOVERED, Tone.STOPPED}
        left_over = language.amount(low if is_taken else high) if index < len(steps) - 1 else language.amount(loss.indemnity)
        rows.append((text_cell(name), number_cell(language.amount(low - high if is_taken else high - low)), number_cell(left_over)))
    return Picture(
        key=key,
        title=title,
        description=description,
        drawing=_lying(key, title, description, steps, language, WIDTH),
        narrow=_lying(f"{key}-narrow", title, description, steps, language, NARROW),
        headings=(_("Step"), _("Amount"), _("What is left")),
        rows=tuple(rows),
        legend=tuple(LegendEntry(tone, text) for tone, text in words.items() if tone in used),
    )


def _lying(key: str, title: str, description: str, steps: Sequence[_Step], language: Language, width: float) -> Markup:
    """The bars below each other; their names stand before them, on a narrow drawing over them."""
    is_narrow = width < WIDTH
    left, right, line, above = (1.0, 64.0, 44.0, 18.0) if is_narrow else (208.0, 72.0, 30.0, 6.0)
    scale = Scale(0, steps[0][3], left, width - right)
    thick = 18.0
    height = len(steps) * line + 8
    shapes = [patterns(key), element("line", x1=left, x2=left, y1=0, y2=height, class_="axis")]
    for index, (tone, name, low, high) in enumerate(steps):
        y = index * line + above
        start, end = scale.at(low), scale.at(high)
        if is_narrow:
            shapes.append(label(shortened(name, 48), x=left + 4, y=y - 5))
        else:
            shapes.append(label(shortened(name, 30), x=left - 8, y=y + 14, anchor="end"))
        shapes.append(bar(key, tone, f"{name}: {language.amount(high - low)}", x=start, y=y, width=end - start, height=thick))
        if index and not is_narrow:
            shapes.append(element("line", x1=end, x2=end, y1=y - 12, y2=y, class_="grid"))
        sign = "" if tone in {Tone.UNDECIDED, Tone.COVERED} else "−"
        shapes.append(label(f"{sign}{language.short_amount(high - low)}", x=end + 6, y=y + 14))
    return drawing(key, title, description, width, height, *shapes, class_="chart-bars")


def _begun(name: str) -> str:
    """A term as it begins a line."""
    return name[:1].upper() + name[1:]


def cash_bars(
    months: Sequence[CashMonth], *, language: Language, name: Callable[[CashMonth], str], title: str, key: str, teaching: str
) -> Picture:
    """What is expected in each month, in one currency."""
    _ = language.gettext
    stacks = [Stack(name(month), (Part(Tone.COVERED, _("Expected from insurers"), month.minor),)) for month in months]
    return stacked_bars(stacks, language=language, title=title, key=key, teaching=teaching, heading=_("Month"))
