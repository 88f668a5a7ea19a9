"""Draw the world once: country shapes in the Equal Earth projection, small enough to send inside a page.

Maintainers run ``python scripts/vendor.py --map`` and then ``python scripts/build_map.py``. The result,
``insureflow/web/data/world.json``, is committed; the product never projects anything at run time.

Shapes come from the world-atlas package (ISC), made from Natural Earth (public domain), scale 1:50 m. Per ISO 3166-1 alpha-2 code the
result holds ``path`` (SVG path data, may be missing where a country is smaller than a pixel or drawn within another) and ``at``, the
point where its circle sits. Every one of the 249 codes, and XK, has a point: for most the middle of the largest landmass, for the rest
a place from ``PLACES``. Land that no ISO code names is kept under ``land`` so that the map has no holes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from babel.core import get_global

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "build" / "world-atlas" / "countries-50m.json"
TARGET = ROOT / "insureflow" / "web" / "data" / "world.json"

#: Size of the drawing and how degrees become its units; Antarctica is left out, nobody sells there on open account.
WIDTH, HEIGHT = 1000, 452
SCALE = 180.0
LEFT, EQUATOR = 500.0, 236.0
#: Simplification: a corner nearer than this to the line between its neighbours is dropped (drawing units).
TOLERANCE = 0.45

_ALPHA2 = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI "
    "CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ "
    "GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS "
    "LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG "
    "PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK "
    "TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
#: ISO 3166-1 alpha-2: all 249 codes.
CODES = tuple(_ALPHA2.split())

#: Longitude and latitude where the shapes give no good place: drawn within another country, too small for the scale, or (Indonesia,
#: Malaysia, New Zealand) with most companies on another island than the largest.
PLACES: dict[str, tuple[float, float]] = {
    "AQ": (0.0, -60.0),
    "BQ": (-68.27, 12.18),
    "BV": (3.35, -54.42),
    "CC": (96.83, -12.17),
    "CX": (105.67, -10.45),
    "GF": (-53.1, 3.9),
    "GI": (-5.35, 36.14),
    "ID": (109.5, -7.2),
    "MY": (102.2, 4.0),
    "NZ": (175.6, -39.0),
    "GP": (-61.55, 16.25),
    "MQ": (-61.02, 14.64),
    "RE": (55.54, -21.12),
    "SJ": (16.0, 78.2),
    "TK": (-171.85, -9.2),
    "TV": (179.2, -8.52),
    "UM": (166.65, 19.28),
    "YT": (45.15, -12.83),
}

Point = tuple[float, float]
Ring = list[Point]


def project(longitude: float, latitude: float) -> Point:
    """Drawing units of a place in the Equal Earth projection (Šavrič, Patterson and Jenny, 2018)."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    m = math.sqrt(3) / 2
    theta = math.asin(m * math.sin(math.radians(latitude)))
    t2 = theta * theta
    t6 = t2**3
    x = math.radians(longitude) * math.cos(theta) / (m * (a1 + 3 * a2 * t2 + t6 * (7 * a3 + 9 * a4 * t2)))
    y = theta * (a1 + a2 * t2 + t6 * (a3 + a4 * t2))
    return LEFT + x * SCALE, EQUATOR - y * SCALE


def simplify(line: Ring, tolerance: float) -> Ring:
    """The line without corners that nobody would see (Ramer–Douglas–Peucker); its ends stay."""
    if len(line) < 3:
        return line
    (x1, y1), (x2, y2) = line[0], line[-1]
    length = math.hypot(x2 - x1, y2 - y1)
    farthest, index = 0.0, 0
    for i in range(1, len(line) - 1):
        x, y = line[i]
        distance = abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length if length else math.hypot(x - x1, y - y1)
        if distance > farthest:
            farthest, index = distance, i
    if farthest > tolerance:
        return simplify(line[: index + 1], tolerance)[:-1] + simplify(line[index:], tolerance)
    return [line[0], line[-1]]


def clip(ring: Ring, west: float, east: float) -> Ring:
    """The part of a ring between two meridians (Sutherland–Hodgman, one edge at a time)."""

    def edge(points: Ring, is_inside: Callable[[Point], bool], meridian: float) -> Ring:
        kept: Ring = []
        for a, b in zip(points, points[1:] + points[:1], strict=True):
            crossing = (meridian, a[1] + (b[1] - a[1]) * (meridian - a[0]) / (b[0] - a[0])) if b[0] != a[0] else a
            if is_inside(a):
                kept.append(a)
                if not is_inside(b):
                    kept.append(crossing)
            elif is_inside(b):
                kept.append(crossing)
        return kept

    ring = edge(ring, lambda point: point[0] >= west, west)
    return edge(ring, lambda point: point[0] <= east, east) if ring else ring


def unrolled(ring: Ring) -> Ring:
    """The ring with longitudes that run on past ±180° instead of jumping, so that Russia and Fiji stay in one piece."""
    points = [ring[0]]
    for longitude, latitude in ring[1:]:
        turned = longitude
        while turned - points[-1][0] > 180:
            turned -= 360
        while turned - points[-1][0] < -180:
            turned += 360
        points.append((turned, latitude))
    return points


def decode_arcs(topology: dict[str, Any]) -> list[Ring]:
    """Border lines of a TopoJSON file in degrees; they are stored as steps on a grid."""
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in steps:
            x += dx
            y += dy
            line.append((x * scale_x + move_x, y * scale_y + move_y))
        arcs.append(line)
    return arcs


def drawn_rings(geometry: dict[str, Any], arcs: list[Ring]) -> list[Ring]:
    """All outlines of a country in drawing units, cut at the edge of the map, not yet simplified."""
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
    rings = []
    for indices in (ring for polygon in polygons for ring in polygon):
        points: Ring = []
        for index in indices:
            arc = arcs[index] if index >= 0 else arcs[~index][::-1]
            points += arc[1:] if points else arc
        turned = unrolled(points)
        for shift in (-360, 0, 360):
            part = clip([(x + shift, y) for x, y in turned], -180, 180)
            if len(part) >= 3:
                rings.append([project(*place) for place in part])
    return rings


def path_of(ring: Ring) -> str:
    """SVG path data of one outline with one decimal, or nothing when it is smaller than can be seen."""
    far = max(range(len(ring)), key=lambda i: math.dist(ring[i], ring[0]))
    line = simplify(ring[: far + 1], TOLERANCE)[:-1] + simplify(ring[far:] + ring[:1], TOLERANCE)
    corners: Ring = []
    for x, y in line:
        corner = (round(x, 1), round(y, 1))
        if not corners or corners[-1] != corner:
            corners.append(corner)
    if len(corners) < 4:
        return ""
    x, y = corners[0]
    data = f"M{x:g},{y:g}"
    for next_x, next_y in corners[1:-1]:
        data += f"l{round(next_x - x, 1):g},{round(next_y - y, 1):g}"
        x, y = next_x, next_y
    return data + "z"


def area(ring: Ring) -> float:
    """Area of an outline, without its sign."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))) / 2


def contains(ring: Ring, point: Point) -> bool:
    """Whether a point lies within an outline (even–odd rule)."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def middle(ring: Ring) -> Point:
    """A point that a reader takes for the middle of a landmass.

    The centre of gravity where it lies on land; for bent countries (Norway, Croatia, Viet Nam) the point of a grid that is farthest from
    every border.
    """
    signed = total_x = total_y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x1 * y2 - x2 * y1
        signed += cross
        total_x += (x1 + x2) * cross
        total_y += (y1 + y2) * cross
    if not signed:
        return ring[0]
    centre = total_x / (3 * signed), total_y / (3 * signed)
    if contains(ring, centre):
        return centre
    left, right = min(x for x, _ in ring), max(x for x, _ in ring)
    top, bottom = min(y for _, y in ring), max(y for _, y in ring)
    grid = [(left + (right - left) * i / 40, top + (bottom - top) * j / 40) for i in range(1, 40) for j in range(1, 40)]
    inside = [point for point in grid if contains(ring, point)] or [ring[0]]
    return max(inside, key=lambda point: min(math.dist(point, corner) for corner in ring))


def alpha2_of(feature: dict[str, Any]) -> str | None:
    """ISO alpha-2 code of a feature; None for land that no ISO code names."""
    if feature["properties"]["name"] == "Kosovo":
        return "XK"
    numeric = feature.get("id")
    return str(get_global("territory_aliases")[numeric][0]) if numeric else None


def build_map(topology: dict[str, Any]) -> dict[str, Any]:
    """The drawing: size, ``countries`` by code with ``path`` and ``at``, and ``land`` without a code.

    Features that share a code are drawn together (Ashmore and Cartier Islands carry Australia's), and the circle sits on the largest.
    """
    arcs = decode_arcs(topology)
    rings: dict[str | None, list[Ring]] = {}
    for feature in topology["objects"]["countries"]["geometries"]:
        rings.setdefault(alpha2_of(feature), []).extend(drawn_rings(feature, arcs))
    countries: dict[str, dict[str, Any]] = {}
    for code in [*CODES, "XK"]:
        own = rings.pop(code, [])
        x, y = project(*PLACES[code]) if code in PLACES else middle(max(own, key=area))
        country: dict[str, Any] = {"at": [round(x, 1), round(y, 1)]}
        path = "" if code == "AQ" else "".join(path_of(ring) for ring in own)
        if path:
            country["path"] = path
        countries[code] = country
    land = "".join(path_of(ring) for ring in rings.pop(None, []))
    if rings:
        raise ValueError(f"codes outside the list: {sorted(code for code in rings if code)}")
    return {"width": WIDTH, "height": HEIGHT, "countries": countries, "land": land}


def main() -> int:
    """Read the shapes, write the drawing, say how large it became."""
    drawing = build_map(json.loads(SOURCE.read_text(encoding="utf-8")))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(drawing, separators=(",", ":"), ensure_ascii=True)
    # One country per line keeps a later difference readable.
    TARGET.write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")
    points_only = [code for code, country in drawing["countries"].items() if "path" not in country]
    print(f"{len(drawing['countries'])} countries, {len(text) // 1024} KiB, points only: {' '.join(points_only)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
