"""The map of the world: every country has its place, and the known traps of its source are avoided."""

from __future__ import annotations

import re

import pytest
from babel import Locale

from insureflow.web.maps import CountryShape, load_world

#: Territories of the CLDR that ISO 3166-1 has no officially assigned code for.
NOT_ISO = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
SMALL_STATES = ("SG", "HK", "MO", "MT", "BH", "MU", "LI", "MC", "SM", "VA", "AD", "GI", "JE", "KN")


def _points(shape: CountryShape) -> list[tuple[float, float]]:
    """Corners of an outline; the path is a move followed by steps."""
    points = []
    for ring in (shape.path or "").split("z"):
        steps = [(float(x), float(y)) for x, y in re.findall(r"[Ml](-?[\d.]+),(-?[\d.]+)", ring)]
        x = y = 0.0
        for index, (dx, dy) in enumerate(steps):
            x, y = (dx, dy) if index == 0 else (x + dx, y + dy)
            points.append((x, y))
    return points


def test_every_country_of_iso_3166_has_a_place_inside_the_drawing() -> None:
    world = load_world()
    codes = {code for code in Locale("en").territories if len(code) == 2 and code.isalpha()} - NOT_ISO
    assert len(codes - {"XK"}) == 249
    assert codes <= set(world.countries)
    for shape in world.countries.values():
        assert 0 <= shape.x <= world.width
        assert 0 <= shape.y <= world.height


@pytest.mark.parametrize("code", SMALL_STATES)
def test_states_too_small_to_be_drawn_still_have_a_place(code: str) -> None:
    assert load_world().find_country(code) is not None


def test_australia_is_the_continent_and_not_the_reef_that_shares_its_number() -> None:
    australia = load_world().countries["AU"]
    xs = [x for x, _ in _points(australia)]
    assert max(xs) - min(xs) > 80
    assert min(xs) < australia.x < max(xs)


@pytest.mark.parametrize("code", ["RU", "FJ", "US"])
def test_no_line_runs_across_the_map_from_one_edge_to_the_other(code: str) -> None:
    world = load_world()
    for ring in (world.countries[code].path or "").split("z"):
        steps = [(float(x), float(y)) for x, y in re.findall(r"l(-?[\d.]+),(-?[\d.]+)", ring)]
        assert all(abs(dx) < world.width / 4 for dx, _ in steps)


@pytest.mark.parametrize(("west", "east"), [("US", "GB"), ("PT", "ES"), ("DE", "PL"), ("IN", "JP"), ("MT", "CY"), ("MY", "ID")])
def test_countries_lie_where_they_belong(west: str, east: str) -> None:
    countries = load_world().countries
    assert countries[west].x < countries[east].x


@pytest.mark.parametrize(("north", "south"), [("NO", "DE"), ("SE", "MT"), ("CA", "MX"), ("JP", "SG"), ("KE", "ZA")])
def test_north_is_up(north: str, south: str) -> None:
    countries = load_world().countries
    assert countries[north].y < countries[south].y


def test_paths_are_plain_path_data() -> None:
    world = load_world()
    for path in [world.land, *(shape.path for shape in world.countries.values() if shape.path)]:
        assert re.fullmatch(r"(M-?[\d.]+,-?[\d.]+(l-?[\d.]+,-?[\d.]+)+z)+", path)


def test_an_unknown_code_has_no_place() -> None:
    assert load_world().find_country("ZZ") is None
    assert load_world().find_country("se") is not None
