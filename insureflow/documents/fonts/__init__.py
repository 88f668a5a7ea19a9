"""The fonts of papers: Noto in static TrueType outlines, one family for each script, all embedded.

A font is read when the first paper needs it. Glyphs that have no character of their own (forms of Arabic letters, Indic conjuncts) get a
code of the private area by their place in the font, always the same one, so that a paper has the same bytes whatever was written before.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import uharfbuzz
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.ttfonts import SUBSETN, TTFont

_DIRECTORY = Path(__file__).resolve().parent
_FIRST_PRIVATE = 0xE000
_LOCK = Lock()


class Family(NamedTuple):
    """The fonts of a script: files of the two weights, and whether lines of it must be shaped."""

    name: str
    regular: str
    bold: str
    is_shaped: bool = False


LATIN = Family("Latin", "NotoSans-Regular.ttf", "NotoSans-Bold.ttf")
ARABIC = Family("Arabic", "NotoSansArabic-Regular.ttf", "NotoSansArabic-Bold.ttf", True)
HEBREW = Family("Hebrew", "NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf", True)
THAI = Family("Thai", "NotoSansThai-Regular.ttf", "NotoSansThai-Bold.ttf", True)
DEVANAGARI = Family("Devanagari", "NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf", True)
#: East Asian scripts have one weight: a second would double the size of the product for headings alone.
JAPANESE = Family("Japanese", "NotoSansJP-Regular.ttf", "NotoSansJP-Regular.ttf")
CHINESE = Family("Chinese", "NotoSansSC-Regular.ttf", "NotoSansSC-Regular.ttf")
KOREAN = Family("Korean", "NotoSansKR-Regular.ttf", "NotoSansKR-Regular.ttf")

#: Where the scripts beside Latin, Greek and Cyrillic stand: first and last character.
_SCRIPTS: tuple[tuple[int, int, Family], ...] = (
    (0x0590, 0x05FF, HEBREW),
    (0x0600, 0x06FF, ARABIC),
    (0x0750, 0x077F, ARABIC),
    (0x08A0, 0x08FF, ARABIC),
    (0x0900, 0x097F, DEVANAGARI),
    (0x0E00, 0x0E7F, THAI),
    (0x1CD0, 0x1CFF, DEVANAGARI),
    (0xA8E0, 0xA8FF, DEVANAGARI),
    (0xFB1D, 0xFB4F, HEBREW),
    (0xFB50, 0xFDFF, ARABIC),
    (0xFE70, 0xFEFE, ARABIC),
)
_HANGUL = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))
_KANA = (0x3041, 0x30FF)
#: Words that only a Japanese name holds, where it is written without kana.
_JAPANESE_FORMS = ("株式会社", "有限会社", "合同会社", "合資会社", "合名会社")


class PaperFont(TTFont):  # type: ignore[misc]  # the library has no types
    """A font with codes for all its glyphs and with a table that tells readers which text they stand for."""

    def __init__(self, name: str, file: str, *, is_shaped: bool) -> None:
        super().__init__(name, str(_DIRECTORY / file), shapable=is_shaped)
        face = self.face
        self.widths: dict[int, float] = face.charWidths
        self.default_width: float = face.defaultWidth
        self._texts: dict[int, str] = {}
        self._codes: dict[int, int] = {}
        self._shaper: Any = None
        if is_shaped:
            self._assign_codes(_glyph_texts()[file])
            self._shaper = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob(face._ttf_data)))  # noqa: SLF001  # read once, not twice

    def _assign_codes(self, texts: dict[str, str]) -> None:
        face = self.face
        self._codes = {glyph: codes[0] for glyph, codes in face.glyphToChar.items()}
        code = _FIRST_PRIVATE
        for glyph in range(1, len(face.hmetrics)):
            if glyph in self._codes:
                continue
            while code in face.charToGlyph:
                code += 1
            face.charToGlyph[code] = glyph
            face.charWidths[code] = self.pdfScale(face.hmetrics[glyph][0])
            self._codes[glyph] = code
            self._texts[code] = unicodedata.normalize("NFKC", texts.get(str(glyph), ""))

    def has(self, character: str) -> bool:
        """Whether the font can draw a character."""
        return ord(character) in self.face.charToGlyph

    def shape(self, text: str, *, is_right_to_left: bool) -> list[tuple[int, float, float, float]]:
        """Glyphs of a run in the order in which they are drawn: code, advance, offset to the right and upwards, all per 1000 of the size."""
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.direction = "rtl" if is_right_to_left else "ltr"
        buffer.language = "und"
        buffer.guess_segment_properties()
        uharfbuzz.shape(self._shaper, buffer, {"kern": True, "liga": True, "dlig": False})
        scale = self.pdfScale
        return [
            (self._codes.get(info.codepoint, 0), scale(place.x_advance), scale(place.x_offset), scale(place.y_offset))
            for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        ]

    def width(self, text: str) -> float:
        """Width of a text that needs no shaping, per 1000 of the size."""
        widths, default = self.widths, self.default_width
        return sum([widths.get(ord(character), default) for character in text])

    def addObjects(self, doc: Any) -> None:  # noqa: N802  # the library's name
        """Writes the subsets that a paper used, each with the text of its codes."""
        state = self.state[doc]
        state.frozen = 1
        for number, subset in enumerate(state.subsets):
            internal = self.getSubsetInternalName(number, doc)[1:]
            name = b"".join((SUBSETN(number), b"+", self.face.name, self.face.subfontNameX)).decode("pdfdoc")
            font = pdfdoc.PDFTrueTypeFont()
            font.Name = internal
            font.BaseFont = name
            font.FirstChar = 0
            font.LastChar = len(subset) - 1
            font.Widths = pdfdoc.PDFArray([self.face.getCharWidth(code) for code in subset])
            table = pdfdoc.PDFStream()
            table.content = self._text_table(name, subset)
            table.filters = [pdfdoc.PDFZCompress]
            font.ToUnicode = doc.Reference(table, f"toUnicodeCMap:{name}")
            font.FontDescriptor = self.face.addSubsetObjects(doc, name, subset)
            doc.Reference(font, internal)
            doc.idToObject["BasicFonts"].dict[internal] = font
        del self.state[doc]

    def _text_table(self, name: str, subset: list[int]) -> str:
        lines = []
        for place, code in enumerate(subset):
            text = self._texts[code] if code in self._texts else unicodedata.normalize("NFKC", chr(code)) if self._codes else chr(code)
            if code and text:
                lines.append(f"<{place:02X}> <{text.encode('utf-16-be').hex().upper()}>")
        chunks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
        return "\n".join(
            (
                "/CIDInit /ProcSet findresource begin",
                "12 dict begin",
                "begincmap",
                f"/CIDSystemInfo << /Registry ({name}) /Ordering ({name}) /Supplement 0 >> def",
                f"/CMapName /{name} def",
                "/CMapType 2 def",
                "1 begincodespacerange",
                "<00> <FF>",
                "endcodespacerange",
                *(line for chunk in chunks for line in (f"{len(chunk)} beginbfchar", *chunk, "endbfchar")),
                "endcmap",
                "CMapName currentdict /CMap defineresource pop",
                "end",
                "end",
            )
        )


@cache
def _glyph_texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((_DIRECTORY / "glyph_texts.json").read_text(encoding="utf-8"))
    return found


_FONTS: dict[tuple[str, bool], PaperFont] = {}


def font_of(family: Family, *, bold: bool = False) -> PaperFont:
    """The font of a family in a weight; it is read and made known at its first use."""
    key = (family.name, bold and family.bold != family.regular)
    found = _FONTS.get(key)
    if found is None:
        with _LOCK:
            found = _FONTS.get(key)
            if found is None:
                found = PaperFont(
                    f"Paper{family.name}{'-Bold' if key[1] else ''}", family.bold if key[1] else family.regular, is_shaped=family.is_shaped
                )
                pdfmetrics.registerFont(found)
                _FONTS[key] = found
    return found


def is_ideograph(character: str) -> bool:
    """Whether a character is written without spaces around it, as Chinese and Japanese are."""
    code = ord(character)
    return (
        0x2E80 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFE30 <= code <= 0xFE4F
        or 0xFF00 <= code <= 0xFFEF
        or 0xAC00 <= code <= 0xD7AF
    )


def east_asian_families(text: str, region: str = "") -> tuple[Family, ...]:
    """Chinese, Japanese and Korean fonts in the order in which a text wants them.

    Kana, Japanese forms of companies and the country (``region``, an ISO code) decide, in this order; Chinese comes first otherwise.
    """
    if region == "JP" or any(_KANA[0] <= ord(each) <= _KANA[1] for each in text) or any(form in text for form in _JAPANESE_FORMS):
        return (JAPANESE, CHINESE, KOREAN)
    if region == "KR" or any(first <= ord(each) <= last for each in text for first, last in _HANGUL):
        return (KOREAN, JAPANESE, CHINESE)
    return (CHINESE, JAPANESE, KOREAN)


@lru_cache(maxsize=20_000)
def family_of(character: str, east_asian: tuple[Family, ...] = (CHINESE, JAPANESE, KOREAN)) -> Family | None:
    """The family that draws a character; None where no font has it."""
    code = ord(character)
    for first, last, family in _SCRIPTS:
        if first <= code <= last:
            return family if font_of(family).has(character) else None
    if font_of(LATIN).has(character):
        return LATIN
    if code < 0x1100:
        return None
    return next((family for family in east_asian if font_of(family).has(character)), None)


def find_missing(text: str) -> frozenset[str]:
    """The characters of a text that no font has: a paper would show boxes in their place."""
    return frozenset(
        each
        for each in unicodedata.normalize("NFC", text)
        if family_of(each) is None and unicodedata.category(each) not in {"Cc", "Cf", "Zs"}
    )
