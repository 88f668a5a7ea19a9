"""Charts: well-formed, safe, true to their sums, and able to teach when there is nothing to draw."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import insureflow
from insureflow.web.charts import (
    CountryExposure,
    CoverRow,
    ExposureOn,
    Language,
    LimitDecision,
    Part,
    Picture,
    Shipment,
    Stack,
    Tone,
    cover_strip,
    covered_bars,
    limit_stack,
    limit_timeline,
    sparkline,
    stacked_bars,
    world_map,
)
from insureflow.web.charts.language import share_of
from insureflow.web.charts.plans import PeriodEnd, PlanMark, plan_timeline
from insureflow.web.charts.svg import Scale, bar, element, identifier, number, ticks

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "\"><script>alert(1)</script>&'</title>"


def _gettext(sentence: str, **values: object) -> str:
    return sentence % values if values else sentence


LANGUAGE = Language(
    gettext=_gettext,
    amount=lambda minor: f"{minor} minor",
    short_amount=lambda minor: f"~{minor}",
    share=lambda share: f"{share * 100:.1f}%",
    day=lambda on: on.isoformat(),
)

START, END = date(2026, 1, 1), date(2026, 7, 1)


def _ageing(word: str = "Not due") -> Picture:
    stacks = [
        Stack(word, (Part(Tone.COVERED, "Covered", 700), Part(Tone.UNCOVERED, "Not covered", 300)), url="/aged"),
        Stack(
            "1–30 days", (Part(Tone.COVERED, "Covered", 0), Part(Tone.UNCOVERED, "Not covered", 250), Part(Tone.STOPPED, "Stopped", -50))
        ),
    ]
    return stacked_bars(stacks, language=LANGUAGE, title=word, key=word, teaching="Import a ledger.", heading="Age")


def _covered(word: str = "Buyer") -> Picture:
    rows = [CoverRow(word, 900, 100), CoverRow("Second", 0, 400, stopped=100)]
    return covered_bars(rows, language=LANGUAGE, title=word, key="covered", teaching="Import a ledger.", heading="Buyer")


def _timeline(word: str = "Limit") -> Picture:
    return limit_timeline(
        [
            LimitDecision(date(2025, 12, 1), None, word),
            LimitDecision(date(2026, 2, 1), 500, word),
            LimitDecision(date(2026, 5, 1), 0, word),
        ],
        [ExposureOn(date(2026, 1, 10), 300), ExposureOn(date(2026, 3, 1), 700), ExposureOn(date(2026, 6, 1), 100)],
        [Shipment(date(2026, 1, 10), 300), Shipment(date(2027, 1, 1), 9)],
        start=START,
        end=END,
        language=LANGUAGE,
        title=word,
    )


def _strip(word: str = "Covered") -> Picture:
    parts = [Part(Tone.COVERED, word, 720), Part(Tone.UNCOVERED, "Over the limit", 180), Part(Tone.UNDECIDED, "Disputed", 100)]
    return cover_strip(parts, language=LANGUAGE, title=word, key="strip")


def _stack(word: str = "Primary") -> Picture:
    return limit_stack([Part(Tone.COVERED, word, 300), Part(Tone.COVERED, "Top-up", 100)], exposure=500, language=LANGUAGE, title=word)


def _world(word: str = "Germany") -> Picture:
    points = [
        CountryExposure("DE", word, 1000, 250, url="/de"),
        CountryExposure("SG", "Singapore", 400, 400),
        CountryExposure("ZZ", "Nowhere", 30, 0),
        CountryExposure("FR", "France", 0, 0),
    ]
    return world_map(points, language=LANGUAGE)


def _plan(word: str = "free") -> Picture:
    ends = [PeriodEnd(f"I-{number}", date(2026, 3, 1 + number)) for number in range(6)]
    marks = [
        PlanMark(1, date(2026, 2, 1), 300, Tone.COVERED, True, word, paid_on=date(2026, 2, 1)),
        PlanMark(2, date(2026, 4, 1), 200, Tone.STOPPED, False, "needs consent"),
    ]
    return plan_timeline(marks, ends, on=START, language=LANGUAGE, title=word)


CHARTS: dict[str, Callable[..., Picture]] = {
    "ageing": _ageing,
    "covered": _covered,
    "timeline": _timeline,
    "strip": _strip,
    "stack": _stack,
    "world": _world,
    "plan": _plan,
}


def _root(picture: Picture) -> ET.Element:
    assert picture.drawing is not None
    return ET.fromstring(str(picture.drawing))


def _amounts(picture: Picture, column: str) -> list[int]:
    index = picture.headings.index(column)
    return [int(row[index].text.removesuffix(" minor")) for row in picture.rows]


@pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)
def test_each_chart_is_a_well_formed_image_that_says_what_it_shows(make: Callable[..., Picture]) -> None:
    picture = make()
    root = _root(picture)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert title.text == picture.title
    assert title.get("id") == root.get("aria-labelledby")
    assert description is not None
    assert description.text == picture.description
    assert description.get("id") == root.get("aria-describedby")
    assert picture.rows
    assert all(len(row) == len(picture.headings) for row in picture.rows)
    assert picture.legend


@pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)
def test_hostile_words_stay_words(make: Callable[..., Picture]) -> None:
    picture = make(HOSTILE)
    root = _root(picture)
    assert "<script" not in str(picture.drawing)
    assert not root.findall(f".//{SVG}script")
    assert HOSTILE in {text for each in root.iter() if (text := each.text)} | {picture.title} | {row[0].text for row in picture.rows}


@pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)
def test_nothing_is_styled_inline_and_every_reference_has_its_target(make: Callable[..., Picture]) -> None:
    root = _root(make())
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    for each in root.iter():
        assert each.get("style") is None
        assert not any(name.startswith("on") for name in each.attrib)
        for target in re.findall(r"url\(#([^)]+)\)", each.get("fill") or ""):
            assert target in ids


@pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)
def test_no_shape_has_a_negative_size_or_leaves_the_picture_to_the_left(make: Callable[..., Picture]) -> None:
    for each in _root(make()).iter():
        for name in ("width", "height", "r"):
            assert float(each.get(name) or 0) >= 0
        assert float(each.get("x") or 0) >= 0


def test_colours_in_use_have_a_class_in_the_style_sheet() -> None:
    style = (Path(insureflow.__file__).parent / "static" / "css" / "charts.css").read_text(encoding="utf-8")
    for make in CHARTS.values():
        for each in _root(make()).iter():
            for name in (each.get("class") or "").split():
                assert f".{name}" in style or name in {"country", "chart-world", "chart-bars", "chart-strip", "chart-timeline"}, name


def test_ageing_table_adds_up_and_keeps_credits_that_are_not_drawn() -> None:
    picture = _ageing()
    assert picture.headings == ("Age", "Covered", "Not covered", "Stopped", "Total")
    assert _amounts(picture, "Total") == [1000, 200]
    assert _amounts(picture, "Covered") == [700, 0]
    assert _amounts(picture, "Stopped") == [0, -50]
    assert picture.rows[0][0].url == "/aged"


def test_bars_of_a_stack_lie_on_each_other_without_gap() -> None:
    rects = [each for each in _root(_ageing()).iter(f"{SVG}rect") if (each.get("class") or "").startswith("fill-")]
    covered, uncovered = rects[0], rects[1]
    assert float(uncovered.get("y") or 0) + float(uncovered.get("height") or 0) == pytest.approx(float(covered.get("y") or 0), abs=0.02)
    assert float(covered.get("height") or 0) / float(uncovered.get("height") or 0) == pytest.approx(7 / 3, rel=0.01)


def test_covered_bars_leave_out_columns_nobody_uses() -> None:
    picture = _covered()
    assert picture.headings == ("Buyer", "Covered", "Not covered", "Cover stopped", "Share covered")
    assert [row[-1].text for row in picture.rows] == ["90.0%", "0.0%"]
    assert "60.0%" in picture.description


def test_cover_strip_shares_are_those_of_the_amounts() -> None:
    picture = _strip()
    assert [row[2].text for row in picture.rows] == ["72.0%", "18.0%", "10.0%"]
    assert sum(_amounts(picture, "Amount")) == 1000


def test_limit_stack_shows_the_gap_above_the_limits() -> None:
    picture = _stack()
    assert [(row[0].text, row[1].text) for row in picture.rows] == [
        ("Primary", "300 minor"),
        ("Top-up", "100 minor"),
        ("Gap", "100 minor"),
        ("Owed", "500 minor"),
    ]
    within = limit_stack([Part(Tone.COVERED, "Primary", 300)], exposure=100, language=LANGUAGE, title="Limits")
    assert "Gap" not in {row[0].text for row in within.rows}


def test_timeline_tells_never_asked_from_nothing() -> None:
    picture = _timeline()
    assert [row[2].text for row in picture.rows] == ["–", "500 minor", "0 minor"]
    assert "0 minor" in picture.description
    lines = [each.get("class") for each in _root(picture).iter(f"{SVG}path") if "limit-line" in (each.get("class") or "")]
    assert lines == ["limit-line", "limit-line limit-none"]


def test_timeline_marks_only_what_exceeds_the_limit_and_only_shipments_within() -> None:
    root = _root(_timeline())
    excess = [each for each in root.iter(f"{SVG}rect") if each.get("class") == "fill-uncovered"]
    assert len(excess) == 4  # before any limit, above 500, after the end (700, then 100)
    assert len([each for each in root.iter(f"{SVG}line") if each.get("class") == "shipment"]) == 1


def test_world_map_scales_circles_by_area_and_lists_what_it_cannot_place() -> None:
    picture = _world()
    bubbles = [float(each.get("r") or 0) for each in _root(picture).iter(f"{SVG}circle") if each.get("class") == "bubble"]
    assert len(bubbles) == 2
    assert (bubbles[1] / bubbles[0]) ** 2 == pytest.approx(0.4, abs=0.01)
    assert [row[0].text for row in picture.rows] == ["Germany", "Singapore", "Nowhere", "France"]
    assert _amounts(picture, "Covered") == [750, 0, 30, 0]
    assert sum(_amounts(picture, "Exposure")) == 1430


def test_the_ring_of_a_country_that_is_wholly_uncovered_is_closed() -> None:
    rings = [each.tag.removeprefix(SVG) for each in _root(_world()).iter() if each.get("class") == "ring line-uncovered"]
    assert rings == ["path", "circle"]


def test_europe_leaves_out_the_rest_of_the_world_but_not_from_the_table() -> None:
    points = [CountryExposure("DE", "Germany", 10, 0), CountryExposure("JP", "Japan", 20, 0)]
    picture = world_map(points, language=LANGUAGE, view="europe")
    assert len([each for each in _root(picture).iter() if each.get("class") == "bubble"]) == 1
    assert len(picture.rows) == 2


@pytest.mark.parametrize(
    "picture",
    [
        world_map([], language=LANGUAGE),
        world_map([CountryExposure("DE", "Germany", 0, 0)], language=LANGUAGE),
        stacked_bars([], language=LANGUAGE, title="Ageing", key="a", teaching="Import a ledger.", heading="Age"),
        covered_bars([CoverRow("A", 0, 0)], language=LANGUAGE, title="Cover", key="a", teaching="Import a ledger.", heading="Buyer"),
        limit_timeline([], [], [], start=START, end=END, language=LANGUAGE, title="Limit"),
        cover_strip([Part(Tone.COVERED, "Covered", 0)], language=LANGUAGE, title="Invoice", key="a"),
        limit_stack([], exposure=0, language=LANGUAGE, title="Limits"),
    ],
)
def test_no_data_teaches_instead_of_drawing(picture: Picture) -> None:
    assert picture.drawing is None
    assert picture.teaching.endswith(".")
    assert picture.rows == ()


def test_sparkline_needs_two_values_and_stands_flat_when_nothing_changes() -> None:
    assert sparkline([5], title="Days late", description="Steady.", key="s") == ""
    root = ET.fromstring(str(sparkline([5, 5, 5], title="Days late", description="Steady.", key="s")))
    line = root.find(f"{SVG}path")
    assert line is not None
    assert line.get("d") == "M3,10L48,10L93,10"


@given(st.integers(min_value=1, max_value=10**15))
def test_ticks_are_round_reach_the_highest_value_and_are_few(highest: int) -> None:
    marks = ticks(highest)
    assert marks[0] == 0
    assert marks[-1] >= highest
    assert 2 <= len(marks) <= 6
    step = marks[1] - marks[0]
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert all(b - a == step for a, b in itertools.pairwise(marks))


@given(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=0, max_value=10**12))
def test_a_scale_never_leaves_its_ends(value: int, high: int) -> None:
    assert 10.0 <= Scale(0, high, 10.0, 90.0).at(value) <= 90.0


@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=6))
def test_widths_of_a_strip_add_up_to_the_whole(amounts: list[int]) -> None:
    picture = cover_strip(
        [Part(Tone.COVERED, f"Part {i}", minor) for i, minor in enumerate(amounts)], language=LANGUAGE, title="I", key="i"
    )
    if not sum(amounts):
        assert picture.drawing is None
        return
    widths = [float(each.get("width") or 0) for each in _root(picture).iter(f"{SVG}rect") if each.get("class")]
    assert sum(widths) == pytest.approx(640, abs=0.1)


def test_a_negative_width_is_drawn_as_none() -> None:
    root = ET.fromstring(f"<g>{bar('k', Tone.STOPPED, 'text', x=0, y=0, width=-5, height=-1)}</g>")
    assert {(each.get("width"), each.get("height")) for each in root.iter("rect")} == {("0", "0")}


def test_attributes_and_children_are_escaped() -> None:
    written = str(element("text", HOSTILE, aria_label=HOSTILE, class_="a", x=None))
    root = ET.fromstring(written)
    assert root.text == HOSTILE
    assert root.attrib == {"aria-label": HOSTILE, "class": "a"}


@pytest.mark.parametrize(("key", "expected"), [("Limit & cover", "limit-cover"), ('"><x', "x"), ("", "picture")])
def test_identifiers_are_plain(key: str, expected: str) -> None:
    assert identifier(key) == expected


@pytest.mark.parametrize(("value", "expected"), [(0.0, "0"), (-0.001, "0"), (1.5, "1.5"), (100.0, "100"), (2 / 3, "0.67")])
def test_numbers_are_short(value: float, expected: str) -> None:
    assert number(value) == expected


def test_a_share_of_nothing_is_nothing() -> None:
    assert share_of(5, 0) == Decimal(0)
    assert share_of(1, 3) == Decimal("0.3333")


def test_a_plan_shows_what_is_inside_and_outside_and_where_the_period_ends() -> None:
    picture = _plan()
    assert picture.description == "1 of 2 instalments end after the last free day of an invoice."
    # Instalments and last free days stand in one table, in order of their days; of many ends only the first and the last are drawn.
    assert [row[0].text for row in picture.rows][:2] == ["2026-02-01", "2026-03-01"]
    assert [(row[1].text, row[4].text) for row in picture.rows if row[2].text != "–"] == [
        ("Instalment 1", "2026-02-01"),
        ("Instalment 2", "–"),
    ]
    lines = [each for each in _root(picture).iter(f"{SVG}line") if each.get("class") == "limit-line"]
    bars = [each for each in _root(picture).iter(f"{SVG}rect") if each.get("class") in {"fill-covered", "fill-stopped"}]
    assert len(lines) == 2
    assert float(bars[0].get("x") or 0) < float(lines[0].get("x1") or 0) < float(lines[1].get("x1") or 0) < float(bars[1].get("x") or 0)
    assert [entry.word for entry in picture.legend] == ["free", "needs consent", "Line: last free day", "Tick: the day you look at"]
    inside = [PlanMark(1, START, 1, Tone.COVERED, True, "free")]
    assert plan_timeline(inside, [], on=START, language=LANGUAGE, title="T").description.startswith("All 1 instalments")
    many = [PlanMark(number, START, 5, Tone.COVERED, True, "free") for number in range(1, 30)]
    assert "chart-strong" not in str(plan_timeline(many, [], on=START, language=LANGUAGE, title="T").drawing)
    assert plan_timeline([], [], on=START, language=LANGUAGE, title="T").drawing is None
