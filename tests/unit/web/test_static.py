"""What the pages load: exactly what was vendored, nothing inline, and colours everybody can tell apart."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from pathlib import Path

import pytest

import insureflow

PACKAGE = Path(insureflow.__file__).parent
ROOT = PACKAGE.parent
STATIC = PACKAGE / "static"
MANIFEST = json.loads((STATIC / "vendor" / "manifest.json").read_text(encoding="utf-8"))
TONES = ("covered", "uncovered", "stopped", "undecided")

#: How the three kinds of colour blindness turn linear RGB (Machado, Oliveira and Fernandes, 2009, severity 1).
COLOUR_BLINDNESS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def _block(selector: str) -> dict[str, str]:
    """Custom properties of one rule of the style sheet."""
    style = (STATIC / "css" / "app.css").read_text(encoding="utf-8")
    start = style.index(selector)
    body = style[style.index("{", start) + 1 : style.index("}", start)]
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", body))


THEMES = {"light": _block('[data-bs-theme="light"]'), "dark": _block('[data-bs-theme="dark"]')}


def _linear(colour: str) -> tuple[float, float, float]:
    digits = colour.lstrip("#")
    digits = "".join(2 * each for each in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _lab(linear: tuple[float, ...]) -> tuple[float, float, float]:
    """CIE Lab of linear sRGB under daylight."""
    red, green, blue = (min(1.0, max(0.0, each)) for each in linear)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (math.cbrt(each) if each > 0.008856 else 7.787 * each + 16 / 116 for each in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_vendored_files_are_those_of_the_manifest(entry: dict[str, str]) -> None:
    content = (ROOT / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert entry["licence"]
    assert entry["package"] == f"{entry['name']}@{entry['version']}"


def test_every_vendored_package_keeps_its_licence() -> None:
    for folder in (STATIC / "vendor").iterdir():
        if folder.is_dir():
            assert (folder / "LICENSE").stat().st_size > 200


def test_style_sheets_ask_for_nothing_that_is_not_there() -> None:
    for sheet in STATIC.rglob("*.css"):
        style = sheet.read_text(encoding="utf-8")
        assert "data:" not in style
        assert "sourceMappingURL" not in style
        for target in re.findall(r'url\("?([^")]+)"?\)', style):
            assert (sheet.parent / target).is_file(), target


def test_scripts_evaluate_nothing_and_point_at_no_source_map() -> None:
    for script in (STATIC / "js").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", text)
    for script in STATIC.rglob("*.js"):
        assert "sourceMappingURL=" not in script.read_text(encoding="utf-8")[-200:]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", [*TONES, "ink", "ink-soft", "accent"])
def test_words_can_be_read_on_paper(theme: str, name: str) -> None:
    colours = THEMES[theme]
    for ground in ("--paper", "--paper-soft"):
        assert _contrast(colours[f"--{name}"], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("tone", TONES)
def test_words_can_be_read_on_the_colour_of_their_meaning(theme: str, tone: str) -> None:
    colours = THEMES[theme]
    assert _contrast(colours[f"--{tone}"], colours[f"--{tone}-soft"]) >= 4.5
    assert _contrast(colours["--ink"], colours[f"--{tone}-soft"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("tone", TONES)
def test_shapes_stand_out_from_paper(theme: str, tone: str) -> None:
    colours = THEMES[theme]
    assert _contrast(colours[f"--{tone}-fill"], colours["--paper"]) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", COLOUR_BLINDNESS)
def test_covered_and_uncovered_differ_for_the_colour_blind(theme: str, kind: str) -> None:
    """The pair that decides everything must differ clearly; every other pair enough beside its pattern."""
    seen = {}
    for tone in TONES:
        linear = _linear(THEMES[theme][f"--{tone}-fill"])
        seen[tone] = _lab(tuple(sum(weight * part for weight, part in zip(row, linear, strict=True)) for row in COLOUR_BLINDNESS[kind]))
    assert math.dist(seen["covered"], seen["uncovered"]) > 35
    for one, other in itertools.combinations(TONES, 2):
        assert math.dist(seen[one], seen[other]) > 10, (one, other)


def test_the_past_is_unmistakable_and_readable() -> None:
    for colours in THEMES.values():
        assert _contrast(colours["--past"], colours["--past-ink"]) >= 7


def test_dark_without_scripts_is_the_same_dark() -> None:
    fallback = _block(":root:not([data-bs-theme])")
    own = {name: value for name, value in THEMES["dark"].items() if not name.startswith("--past")}
    assert {name: value for name, value in fallback.items() if name in own} == own
