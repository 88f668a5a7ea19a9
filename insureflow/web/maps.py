"""The world as it is drawn: shapes and places of countries, made once by ``scripts/build_map.py``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WORLD_FILE = Path(__file__).parent / "data" / "world.json"


@dataclass(frozen=True, slots=True)
class CountryShape:
    """A country on the map: where its circle sits, and its outline where it is large enough to have one."""

    code: str
    x: float
    y: float
    path: str | None


@dataclass(frozen=True, slots=True)
class World:
    """The whole drawing: its size, all countries by ISO alpha-2 code, and land that no code names."""

    width: int
    height: int
    countries: dict[str, CountryShape]
    land: str

    def find_country(self, code: str) -> CountryShape | None:
        """The country with this ISO alpha-2 code, or None for a code that is not on the map."""
        return self.countries.get(code.upper())


@cache
def load_world() -> World:
    """The map, read once per process."""
    data = json.loads(WORLD_FILE.read_text(encoding="utf-8"))
    countries = {
        code: CountryShape(code=code, x=float(entry["at"][0]), y=float(entry["at"][1]), path=entry.get("path"))
        for code, entry in data["countries"].items()
    }
    return World(width=int(data["width"]), height=int(data["height"]), countries=countries, land=str(data["land"]))
