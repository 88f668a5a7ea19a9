"""Worked examples of the kind ``cover``: what of an account is covered on which day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from insureflow.domain.cases.shapes import AMOUNT, ANYTHING, DATE, FLAG, Each, Fields, Maybe, Rows, one_of
from insureflow.domain.cover.cases import run_cover_case
from insureflow.domain.cover.events import Reason

#: Everything given is read, and checked, by the engine itself.
GIVEN = Fields({"policy": ANYTHING, "calendars": ANYTHING, "buyer": ANYTHING, "events": ANYTHING}, ("policy", "events"))

_REASON = one_of(*(reason for reason in Reason if reason is not Reason.NO_POLICY))

_REASONS = Each(AMOUNT, _REASON.is_right)

_LAYERS = Fields({"primary": AMOUNT, "top_up": AMOUNT})

EXPECT = Fields(
    {
        "at": Rows(
            Fields(
                {
                    "date": DATE,
                    "invoices": Each(
                        Maybe(
                            Fields(
                                {
                                    "open": AMOUNT,
                                    "covered": AMOUNT,
                                    "uncovered": AMOUNT,
                                    "reasons": _REASONS,
                                    "insured_percentage": Maybe(AMOUNT),
                                    "layers": _LAYERS,
                                }
                            )
                        )
                    ),
                    "totals": Fields(
                        {
                            "open": AMOUNT,
                            "covered": AMOUNT,
                            "uncovered": AMOUNT,
                            "reasons": _REASONS,
                            "insurer_liability": AMOUNT,
                            "unallocated": AMOUNT,
                        }
                    ),
                    "limits": _LAYERS,
                    "headroom": _LAYERS,
                    "stopped": FLAG,
                },
                ("date",),
            ),
            minimum=1,
        )
    },
    ("at",),
)


def calculate(given: Mapping[str, object], expect: Mapping[str, object]) -> Mapping[str, object]:
    """The account on the days that ``expect`` asks for."""
    days = [date.fromisoformat(str(entry["date"])) for entry in _entries(expect)]
    states = run_cover_case(given, days)
    return {"at": [{**state, "date": day.isoformat()} for day, state in zip(days, states, strict=True)]}


def _entries(expect: Mapping[str, object]) -> list[Mapping[str, object]]:
    at = expect["at"]
    assert isinstance(at, list)  # the shape was checked before
    return at
