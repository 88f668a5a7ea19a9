"""Business calendars of countries and of the European Central Bank, from the ``holidays`` library."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import lru_cache

import holidays

from insureflow.domain.errors import Refusal
from insureflow.domain.periods import BusinessCalendar

#: The calendar of the euro's payment system.
ECB = "ECB"

#: The years for which holidays are looked up unless somebody asks for others.
USUAL_YEARS = (2000, 2049)


def business_calendar(
    name: str, *, first_year: int = USUAL_YEARS[0], last_year: int = USUAL_YEARS[1], extra_days: Collection[date] = ()
) -> BusinessCalendar:
    """The business days of a country (``SE``), of a part of one (``DE-BY``) or of the ECB, for a span of years.

    ``extra_days`` are further days on which nobody works, such as 24 December. Errors: ``calendar_unknown``.
    """
    calendar = _calendar(name, first_year, last_year)
    if not extra_days:
        return calendar
    return BusinessCalendar(calendar.weekend, calendar.holidays | frozenset(extra_days))


@lru_cache(maxsize=64)
def _calendar(name: str, first_year: int, last_year: int) -> BusinessCalendar:
    years = range(first_year, last_year + 1)
    try:
        if name == ECB:
            found = holidays.financial_holidays(ECB, years=years)
        else:
            country, _, subdivision = name.partition("-")
            found = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    except NotImplementedError:
        raise Refusal("calendar_unknown", calendar=name) from None
    return BusinessCalendar(frozenset(found.weekend), frozenset(found.keys()))
