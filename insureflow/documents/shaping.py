"""Lines of text in any script: the direction of each part, the font of each character, forms of letters, and where a line may break.

Text in Latin, Greek and Cyrillic takes a short way with cached widths of words. Everything else is laid out by the Unicode bidirectional
algorithm, shaped by HarfBuzz run by run, broken by the rules of its script and put into the order in which it is seen, line by line.
Widths are per 1000 of the size of the font, so that one layout serves any size.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from bidi import algorithm
from bidi.mirror import MIRRORED
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import ShapeData, ShapedStr

from insureflow.documents.fonts import (
    ARABIC,
    DEVANAGARI,
    HEBREW,
    LATIN,
    THAI,
    Family,
    PaperFont,
    east_asian_families,
    family_of,
    font_of,
    is_ideograph,
)

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]")
#: Numbers of papers, amounts, telephone numbers, accounts: their parts keep the order in which they are written, spaces between groups
#: of digits and a code of a currency included.
_GROUP = "(?=[A-Za-z.,:/_+#&()%-]*[0-9])[A-Za-z0-9+(][A-Za-z0-9.,:/_+#&()%\u00a0\u202f\u2011\u2212-]*"
_IDENTIFIER = re.compile(f"{_GROUP}(?<![.,:(\u00a0\u202f])(?: {_GROUP}(?<![.,:(\u00a0\u202f]))*(?:[ \u00a0][A-Z]{{3}}\\b)?")
_EMBED, _EMBED_LEFTWARDS, _END = "\u202a", "\u202b", "\u202c"
#: Characters that steer and are never drawn.
_CONTROLS = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2060\ufeff\u00ad")
#: What stands in the place of characters that cannot be drawn at all: a space for a tab, a mark for half a character.
_INSTEAD = {"Cc": " ", "Cs": "\ufffd", "Zl": " ", "Zp": " "}
_NO_START = frozenset("、。，．・：；？！）」』】〕〉》’”％ヽヾーァィゥェォッャュョヮヵヶぁぃぅぇぉっゃゅょゎ々)]},.!?:;%")
_NO_END = frozenset("（「『【〔〈《‘“([{")
_THAI_AFTER = frozenset(
    "\u0e30\u0e31\u0e32\u0e33\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e3a\u0e45\u0e46\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e4d\u0e4e"
)
_THAI_BEFORE = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44")
#: Scripts whose glyphs do not follow the order of their characters: the source text goes along for readers.
_TEXT_GOES_ALONG = (DEVANAGARI, THAI)


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a line in one font and direction, as it is drawn; ``source`` is the text where glyphs alone do not tell it."""

    font: str
    glyphs: str
    width: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line, its runs from left to right."""

    runs: tuple[Run, ...]
    width: float


@cache
def _simple_characters() -> frozenset[str]:
    """What the western font draws character by character: marks that combine with letters are placed by the long way."""
    return frozenset(
        character
        for character in map(chr, font_of(LATIN).face.charToGlyph)
        if not unicodedata.combining(character) and character not in _CONTROLS
    )


def is_simple(text: str) -> bool:
    """Whether a text takes the short way: it needs neither shaping nor another font than the western one."""
    return text.isascii() or _simple_characters().issuperset(text)


def is_right_to_left(text: str) -> bool:
    """Whether a text begins in a script that runs from right to left."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in {"R", "AL"}:
            return True
        if direction == "L":
            return False
    return False


def lay_out(text: str, width: float, *, bold: bool = False, right_to_left: bool | None = None, region: str = "") -> tuple[Line, ...]:
    """The lines of a text that is at most ``width`` wide (per 1000 of the size); a line feed begins a new line.

    ``right_to_left`` is the direction of the paper, None that of the text. A text that holds nothing from right to left keeps its own
    direction in any paper: names, addresses, amounts. ``region`` is the country whose forms of ideographs are wanted.
    """
    clean = unicodedata.normalize("NFC", text)
    if not clean.isprintable():
        clean = "".join(each if each == "\n" else _INSTEAD.get(unicodedata.category(each), each) for each in clean)
    lines: list[Line] = []
    if not clean:
        return ()
    for part in clean.split("\n"):
        if is_simple(part):
            lines += _simple_lines(part, width, bold)
        else:
            lines += _lines(part, width, bold, _runs_to_the_left(part, right_to_left), region)
    return tuple(lines)


def _runs_to_the_left(text: str, right_to_left: bool | None) -> bool:
    if _RIGHT_TO_LEFT.search(text) is None:
        return False
    return is_right_to_left(text) if right_to_left is None else right_to_left


def embedded(text: str) -> str:
    """A text that keeps its own direction within a line of another: a name or an address in a list of such."""
    return f"{_EMBED_LEFTWARDS if is_right_to_left(text) else _EMBED}{text}{_END}"


def width_of(text: str, *, bold: bool = False, region: str = "") -> float:
    """The width of a text on one line, per 1000 of the size."""
    if is_simple(text) and "\n" not in text:
        return _word_width(text, bold)
    return max((line.width for line in lay_out(text, float("inf"), bold=bold, region=region)), default=0.0)


@lru_cache(maxsize=50_000)
def _word_width(word: str, bold: bool) -> float:
    return font_of(LATIN, bold=bold).width(word)


def _simple_lines(text: str, width: float, bold: bool) -> Iterator[Line]:
    font = font_of(LATIN, bold=bold)
    whole = _word_width(text, bold) if len(text) < 40 else font.width(text)
    if whole <= width:
        yield Line((Run(font.fontName, text, whole),), whole)
        return
    space = _word_width(" ", bold)
    line, used = "", 0.0
    for word in text.split(" "):
        size = _word_width(word, bold)
        if line and used + space + size <= width:
            line, used = f"{line} {word}", used + space + size
            continue
        if line:
            yield Line((Run(font.fontName, line, used),), used)
        while size > width and len(word) > 1:
            cut = _fitting(word, width, bold)
            yield Line((Run(font.fontName, word[:cut], _word_width(word[:cut], bold)),), _word_width(word[:cut], bold))
            word = word[cut:]  # noqa: PLW2901  # the rest of the word is the next one
            size = _word_width(word, bold)
        line, used = word, size
    yield Line((Run(font.fontName, line, used),), used)


def _fitting(word: str, width: float, bold: bool) -> int:
    """How much of a word that is too long stands on a line; a hyphen or stroke near the end is preferred."""
    font = font_of(LATIN, bold=bold)
    used, count = 0.0, 0
    for character in word:
        used += font.widths.get(ord(character), font.default_width)
        if used > width:
            break
        count += 1
    count = max(1, count)
    at = max(word.rfind(mark, 0, count) for mark in "-/.@_")
    return at + 1 if at + 1 > count // 2 else count


@dataclass(slots=True)
class _Text:
    """A paragraph with the level and font of each of its characters."""

    characters: str
    levels: list[int]
    families: list[Family]
    bold: bool
    base: int


def _lines(text: str, width: float, bold: bool, right_to_left: bool, region: str) -> Iterator[Line]:
    if not text.strip():
        yield Line((), 0.0)
        return
    prepared = _prepare(text, bold, right_to_left, region)
    ends = [*_breaks(prepared.characters), len(prepared.characters)]
    start, used, last = 0, 0.0, 0
    for end in ends:
        size = _piece_width(prepared, last, end)
        drawn = size - _trailing_width(prepared, last, end)
        if used + drawn > width and last > start:
            yield _line(prepared, start, last)
            start, used = last, 0.0
        while used + drawn > width and end - start > 1:
            cut = _emergency(prepared, start, end, width)
            if cut >= end:
                break
            yield _line(prepared, start, cut)
            start, used = cut, 0.0
            size = _piece_width(prepared, cut, end)
            drawn = size - _trailing_width(prepared, cut, end)
        used += size
        last = end
    if start < len(prepared.characters):
        yield _line(prepared, start, len(prepared.characters))


def _prepare(text: str, bold: bool, right_to_left: bool, region: str) -> _Text:
    if right_to_left or _RIGHT_TO_LEFT.search(text):
        text = _IDENTIFIER.sub(rf"{_EMBED}\g<0>{_END}", text)
    levels = _levels(text, right_to_left)
    order = east_asian_families(text, region)
    families: list[Family] = []
    previous: Family | None = None
    for character in text:
        neutral = character in " \u00a0" or unicodedata.category(character)[0] in "MPZ" or character in _CONTROLS
        if previous is not None and neutral and (character in _CONTROLS or font_of(previous, bold=bold).has(character)):
            family = previous
        else:
            family = family_of(character, order) or LATIN
        families.append(family)
        previous = family
    return _Text(text, levels, families, bold, int(right_to_left))


def _levels(text: str, right_to_left: bool) -> list[int]:
    """The level of each character by the bidirectional algorithm: even ones run to the right, odd ones to the left."""
    base = int(right_to_left)
    if not right_to_left and not _RIGHT_TO_LEFT.search(text):
        return [0] * len(text)
    storage: dict[str, Any] = algorithm.get_empty_storage()
    storage["base_level"], storage["base_dir"] = base, "R" if right_to_left else "L"
    algorithm.get_embedding_levels(text, storage, False, False)
    for place, character in enumerate(storage["chars"]):
        character["place"] = place
    algorithm.explicit_embed_and_overrides(storage, False)
    algorithm.resolve_weak_types(storage, False)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    found = {character["place"]: character["level"] for character in storage["chars"]}
    levels, level = [], base
    for place in range(len(text)):
        level = found.get(place, level)  # marks of embedding are never drawn and must not divide what stands around them
        levels.append(level)
    return levels


def _breaks(text: str) -> Iterator[int]:
    """Where a line may begin: after spaces, between ideographs as far as their rules allow, after a hyphen before a letter."""
    for place in range(1, len(text)):
        before, after = text[place - 1], text[place]
        if after in " \u200b" or (after in _CONTROLS and after != _EMBED):
            continue
        if before in " \u200b" or (before == "-" and after.isalpha()) or _can_part(before, after):
            yield place


def _can_part(before: str, after: str) -> bool:
    """Whether a line may end between two characters of which one is an ideograph; Korean breaks at its spaces."""
    if not (is_ideograph(before) or is_ideograph(after)) or after in _NO_START or before in _NO_END or before == _EMBED:
        return False
    return not unicodedata.combining(after) and not ("\uac00" <= before <= "\ud7af" and "\uac00" <= after <= "\ud7af")


def _runs(text: _Text, start: int, end: int) -> Iterator[tuple[str, Family, int]]:
    """The runs of a stretch in the order of its characters."""
    place = start
    while place < end:
        stop = place + 1
        while stop < end and text.families[stop] == text.families[place] and text.levels[stop] == text.levels[place]:
            stop += 1
        yield text.characters[place:stop], text.families[place], text.levels[place]
        place = stop


def _piece_width(text: _Text, start: int, end: int) -> float:
    return sum(_shaped(source, family, text.bold, level % 2).width for source, family, level in _runs(text, start, end))


def _trailing_width(text: _Text, start: int, end: int) -> float:
    stop = end
    while stop > start and text.characters[stop - 1] == " ":
        stop -= 1
    return _piece_width(text, stop, end) if stop < end else 0.0


def _emergency(text: _Text, start: int, end: int, width: float) -> int:
    """Where a stretch without a place to break is broken all the same: never between a letter and its marks."""
    place = start + 1
    best = start
    while place < end:
        after, before = text.characters[place], text.characters[place - 1]
        fits = unicodedata.category(after)[0] != "M" and after not in _THAI_AFTER and before not in _THAI_BEFORE and before != "\u094d"
        if fits:
            if _piece_width(text, start, place) > width and best > start:
                return best
            best = place
        place += 1
    return end if best == start or _piece_width(text, start, end) <= width else best


def _line(text: _Text, start: int, end: int) -> Line:
    """A line in the order in which it is seen."""
    while end > start and text.characters[end - 1] in " \u200b":
        end -= 1
    runs = list(_runs(text, start, end))
    levels = [level for _source, _family, level in runs]
    if any(levels):
        for level in range(max(levels), min((each for each in levels if each % 2), default=max(levels) + 1) - 1, -1):
            place = 0
            while place < len(runs):
                stop = place
                while stop < len(runs) and runs[stop][2] >= level:
                    stop += 1
                runs[place:stop] = runs[place:stop][::-1]
                place = max(stop, place + 1)
    drawn = tuple(run for run in (_shaped(source, family, text.bold, level % 2) for source, family, level in runs) if run.glyphs)
    return Line(drawn, sum(run.width for run in drawn))


@lru_cache(maxsize=50_000)
def _shaped(source: str, family: Family, bold: bool, right_to_left: int) -> Run:
    font = font_of(family, bold=bold)
    text = "".join(character for character in source if character not in _CONTROLS)
    if family.is_shaped and text:
        return _shaped_run(text, family, font, bool(right_to_left))
    if right_to_left:
        text = "".join(MIRRORED.get(character, character) for character in reversed(text))
    return Run(font.fontName, text, font.width(text))


def _shaped_run(text: str, family: Family, font: PaperFont, right_to_left: bool) -> Run:
    glyphs = font.shape(text, is_right_to_left=right_to_left)
    data = [
        ShapeData(place, advance, 0, right, up, font.widths.get(code, font.default_width))
        for place, (code, advance, right, up) in enumerate(glyphs)
    ]
    drawn = ShapedStr("".join(chr(code) for code, *_rest in glyphs), data)
    return Run(font.fontName, drawn, sum(advance for _code, advance, *_rest in glyphs), text if family in _TEXT_GOES_ALONG else "")


def draw_line(canvas: Any, line: Line, x: float, y: float, size: float) -> None:
    """Draws a line with its left end of the baseline given.

    Operators are written straight into the page: for the thousands of cells of a long table the library's text objects cost more than
    everything else together.
    """
    parts = [f"BT 1 0 0 1 {x:.2f} {y:.2f} Tm"]
    document = canvas._doc  # noqa: SLF001  # subsets of fonts belong to the document
    escape = canvas._escape  # noqa: SLF001  # the way in which this page writes bytes
    for run in line.runs:
        font = _named(run.font)
        if run.source:
            parts.append(f"/Span <</ActualText <FEFF{run.source.encode('utf-16-be').hex().upper()}>>> BDC")
        if isinstance(run.glyphs, ShapedStr):
            text = canvas.beginText()
            text.setFont(run.font, size)
            parts.append(text._formatText(run.glyphs))  # noqa: SLF001  # places each glyph as HarfBuzz said
        else:
            for subset, encoded in font.splitString(run.glyphs, document):
                parts.append(f"{font.getSubsetInternalName(subset, document)} {size:g} Tf ({escape(encoded)}) Tj")
        if run.source:
            parts.append("EMC")
    parts.append("ET")
    canvas._code.append(" ".join(parts))  # noqa: SLF001  # see above


@cache
def _named(name: str) -> PaperFont:
    font: PaperFont = pdfmetrics.getFont(name)
    return font


#: Families whose lines are shaped, for tests.
SHAPED = (ARABIC, HEBREW, THAI, DEVANAGARI)
