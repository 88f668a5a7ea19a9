"""The calendar of duties: a month at a glance, the list, and each duty with its reasons and what was done about it."""

from __future__ import annotations

from insureflow.web.obligations import calendar, duty, listing, simulation
from insureflow.web.obligations.standing import blueprint

__all__ = ["blueprint", "calendar", "duty", "listing", "simulation"]
