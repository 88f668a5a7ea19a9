"""Lines of text: where they break, in which order they are seen, and how they compare with HarfBuzz's own measure."""

from __future__ import annotations

import pytest
import uharfbuzz
from hypothesis import given
from hypothesis import strategies as st
from support.papers import NAMES

from insureflow.documents.fonts import ARABIC, CHINESE, DEVANAGARI, HEBREW, JAPANESE, KOREAN, LATIN, THAI, family_of, find_missing, font_of
from insureflow.documents.shaping import Line, embedded, is_right_to_left, is_simple, lay_out, width_of

FAMILIES = {
    "ar": ARABIC,
    "he": HEBREW,
    "th": THAI,
    "hi": DEVANAGARI,
    "ja": JAPANESE,
    "zh": CHINESE,
    "ko": KOREAN,
    "el": LATIN,
    "ru": LATIN,
    "vi": LATIN,
}


def plain(line: Line) -> str:
    """The drawn characters of a line without shaped glyphs, from left to right."""
    return "".join(run.glyphs for run in line.runs)


@pytest.mark.parametrize("script", NAMES)
def test_a_name_is_drawn_by_the_font_of_its_script(script: str) -> None:
    assert find_missing(NAMES[script]) == frozenset()
    (line,) = lay_out(NAMES[script], 1e9)
    assert font_of(FAMILIES[script]).fontName in {run.font for run in line.runs}
    assert line.width == pytest.approx(sum(run.width for run in line.runs))
    assert width_of(NAMES[script]) == pytest.approx(line.width)


@pytest.mark.parametrize("script", ["ar", "he", "th", "hi"])
def test_a_shaped_line_is_as_wide_as_harfbuzz_says(script: str) -> None:
    name = NAMES[script].replace("(ذ.م.م)", "").strip()
    font = font_of(FAMILIES[script])
    buffer = uharfbuzz.Buffer()
    buffer.add_str(name)
    buffer.guess_segment_properties()
    uharfbuzz.shape(uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob(font.face._ttf_data))), buffer, {"kern": True, "liga": True})
    (line,) = lay_out(name, 1e9)
    assert line.width == pytest.approx(sum(place.x_advance for place in buffer.glyph_positions))
    drawn = [font.face.charToGlyph[ord(character)] for run in line.runs for character in run.glyphs]
    assert drawn == [info.codepoint for info in buffer.glyph_infos], "the same glyphs in the same order"


def test_japanese_and_chinese_forms_are_told_apart() -> None:
    japanese, chinese = font_of(JAPANESE).fontName, font_of(CHINESE).fontName
    assert lay_out("東京", 1e9, region="JP")[0].runs[0].font == japanese
    assert lay_out("とうきょう東京", 1e9)[0].runs[0].font == japanese
    assert lay_out("上海", 1e9)[0].runs[0].font == chinese
    assert lay_out("한빛 서울", 1e9)[0].runs[0].font == font_of(KOREAN).fontName
    assert lay_out("서울", 1e9, region="KR")[0].runs[0].font == font_of(KOREAN).fontName


def test_lines_break_by_the_rules_of_their_script() -> None:
    for line in lay_out("上海光明贸易有限公司，中国上海市浦东新区世纪大道（邮编）。" * 3, 7_300):
        assert plain(line)[0] not in "，。）"
        assert not plain(line).endswith("（")
        assert line.width <= 7_300
    words = [plain(line) for line in lay_out("one two-three four", 5_000)]
    assert " ".join(words).replace("- ", "-") == "one two-three four"
    assert [plain(line) for line in lay_out("a\nb", 1e9)] == ["a", "b"]
    assert lay_out("", 1e9) == ()
    assert plain(lay_out("a\tb\x00c", 1e9)[0]) == "a b c"
    syllables = lay_out("주식회사 한빛무역 서울특별시", 5_000)
    assert [plain(line) for line in syllables] == ["주식회사", "한빛무역", "서울특별시"]


@given(st.text(alphabet=st.sampled_from("abc-ÅЖλ 12./שלאبم上海กา"), max_size=60), st.sampled_from([3_000, 6_000, 20_000]), st.booleans())
def test_nothing_is_lost_and_nothing_stands_out(text: str, width: int, right_to_left: bool) -> None:
    lines = lay_out(text, width, right_to_left=right_to_left or None)
    drawn = sum(len(run.glyphs) for line in lines for run in line.runs)
    assert drawn >= sum(1 for character in text if character.isalnum() and character not in "ลาก") * 0.5
    for line in lines:
        assert line.width <= width or len(line.runs) <= 2, "only what cannot be divided may be wider"


@given(st.text(alphabet=st.sampled_from("abcdefgh ÅÄÖ-ñç12,."), max_size=120), st.sampled_from([4_000, 9_000]))
def test_simple_lines_hold_every_word(text: str, width: int) -> None:
    assert is_simple(text)
    lines = [plain(line) for line in lay_out(text, width)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(line.width <= width for line in lay_out(text, width))


def test_identifiers_keep_their_order_between_arabic_words() -> None:
    for text in ("فاتورة INV/2026-0417 بمبلغ", "هاتف +46 31 123 45 67 شكرا", "مبلغ 1,234.50 EUR فقط"):
        (line,) = lay_out(text, 1e9, right_to_left=True)
        held = next(part for part in ("INV/2026-0417", "+46 31 123 45 67", "1,234.50 EUR") if part in text)
        assert held in plain(line)
    (line,) = lay_out("قبل 3 يوليو", 1e9, right_to_left=True)
    assert [run.glyphs for run in line.runs if run.glyphs.strip() == "3"], "a day stands alone, its spaces with the words"
    assert is_right_to_left("12 שלום")
    assert not is_right_to_left("12 a שלום")
    assert not is_right_to_left("12")
    (line,) = lay_out(f"{embedded('Göteborg 12')} · {embedded(NAMES['ar'])}", 1e9, right_to_left=True)
    assert plain(line).endswith("Göteborg 12")


def test_brackets_face_the_right_way_from_right_to_left() -> None:
    (line,) = lay_out("שלום (a)", 1e9, right_to_left=True)
    assert plain(line).startswith("(a)")


def test_what_no_font_has_is_named() -> None:
    assert find_missing("Տուն ქართული") == frozenset("Տունქართული")
    assert find_missing("−12 № ½ Ünïcödé\u200f\n") == frozenset()
    assert family_of("\u1000") is None
    (line,) = lay_out("ქ", 1e9)
    assert line.runs[0].font == font_of(LATIN).fontName


def test_thai_words_without_spaces_are_broken_between_syllables_only() -> None:
    for line in lay_out("บริษัทแสงทองการค้าจำกัดมหาชน", 4_000):
        assert line.width <= 4_000
        assert all(run.source for run in line.runs)
        assert line.runs[0].source[0] not in "ะัาำิีึืุู็่้๊๋์"
