"""Sectors of business: the sections and divisions of the European classification of economic activities, revision 2."""

from __future__ import annotations

#: First and last division of each section.
_SECTIONS: dict[str, tuple[int, int]] = {
    "A": (1, 3),
    "B": (5, 9),
    "C": (10, 33),
    "D": (35, 35),
    "E": (36, 39),
    "F": (41, 43),
    "G": (45, 47),
    "H": (49, 53),
    "I": (55, 56),
    "J": (58, 63),
    "K": (64, 66),
    "L": (68, 68),
    "M": (69, 75),
    "N": (77, 82),
    "O": (84, 84),
    "P": (85, 85),
    "Q": (86, 88),
    "R": (90, 93),
    "S": (94, 96),
    "T": (97, 98),
    "U": (99, 99),
}

#: Numbers within a section that the classification leaves free.
_FREE = frozenset({"04", "34", "40", "44", "48", "54", "57", "67", "76", "83", "89"})

#: Two-digit divisions to the letter of their section.
SECTION_OF: dict[str, str] = {
    f"{number:02}": section
    for section, (first, last) in _SECTIONS.items()
    for number in range(first, last + 1)
    if f"{number:02}" not in _FREE
}

SECTIONS: tuple[str, ...] = tuple(_SECTIONS)
DIVISIONS: tuple[str, ...] = tuple(SECTION_OF)


def find_sector(text: str) -> str | None:
    """The section or two-digit division that a code belongs to, or None: ``46.69``, ``4669`` and ``G46`` give ``46``, ``g`` gives ``G``."""
    plain = text.strip().upper().removeprefix("NACE").strip(" :-")
    if plain in _SECTIONS:
        return plain
    digits = plain[1:] if plain[:1] in _SECTIONS else plain
    division = digits.split(".")[0][:2]
    return division if division in SECTION_OF and digits.replace(".", "").isdecimal() else None


def sector_code(sector: str) -> str:
    """The code under which the words for a sector are found."""
    return f"sector_{sector}"
