"""Sizes of paper, and which one a country's printers hold."""

from __future__ import annotations

from enum import Enum

#: Points in a millimetre.
MILLIMETRE = 72 / 25.4


class PageSize(Enum):
    """Sizes of paper, in points."""

    A4 = (210 * MILLIMETRE, 297 * MILLIMETRE)
    LETTER = (612.0, 792.0)


_LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CO", "CL", "VE", "PR", "GT", "CR", "PA", "DO", "SV", "HN", "NI"})


def page_size_for(country: str) -> PageSize:
    """The paper that printers of a country hold."""
    return PageSize.LETTER if country in _LETTER_COUNTRIES else PageSize.A4
