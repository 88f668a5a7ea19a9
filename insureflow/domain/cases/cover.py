"""Worked examples of the kind ``cover``: what of an account is covered on which day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from insureflow.domain import cover
from insureflow.domain.cases.shapes import (
    AMOUNT,
    ANYTHING,
    COUNTRY,
    DATE,
    FLAG,
    GRADE,
    TEXT,
    ByType,
    Each,
    Fields,
    Maybe,
    Rows,
    Shape,
    one_of,
)

_LAYER = one_of("primary", "top_up")
_IN_CURRENCY: dict[str, Shape] = {"currency": ANYTHING, "rate": ANYTHING}
_NAMED = Rows(TEXT, minimum=1)


def _event(fields: Mapping[str, Shape], *required: str) -> Fields:
    return Fields({"type": TEXT, "date": DATE, **fields}, ("date", *required))


EVENT = ByType(
    {
        "limit_decision": _event(
            {
                "amount": AMOUNT,
                "layer": _LAYER,
                **_IN_CURRENCY,
                "effective_from": DATE,
                "valid_to": DATE,
                "conditions": Fields(
                    {"insured_percentage": ANYTHING, "maximum_credit_terms": ANYTHING, "maximum_extension_period": ANYTHING}
                ),
            },
            "amount",
        ),
        "temporary_limit": _event(
            {"amount": AMOUNT, "layer": _LAYER, **_IN_CURRENCY, "effective_from": DATE, "valid_to": DATE}, "amount", "valid_to"
        ),
        "limit_withdrawal": _event({"layer": _LAYER, "effective_from": DATE}),
        "stop_cover": _event({}),
        "stop_cover_lifted": _event({}),
        "consent": _event({"invoices": _NAMED}),
        "extension": _event({"invoice": TEXT, "new_due_date": DATE, "consent": FLAG}, "invoice", "new_due_date"),
        "overdue_notification": _event({"invoices": _NAMED}),
        "buyer_grade": _event({"grade": GRADE}, "grade"),
        "invoice": _event(
            {"id": TEXT, "net": AMOUNT, "vat": AMOUNT, "shipment_date": DATE, "due_date": DATE, "terms": ANYTHING, **_IN_CURRENCY},
            "id",
            "net",
        ),
        "credit_note": _event({"invoice": TEXT, "net": AMOUNT, "vat": AMOUNT, **_IN_CURRENCY}, "net"),
        "payment": _event(
            {"amount": AMOUNT, **_IN_CURRENCY, "designated": _NAMED, "purpose": one_of("ordinary", "cash_or_prepaid_supply")}, "amount"
        ),
        "dispute": _event({"invoice": TEXT, "amount": AMOUNT}, "invoice", "amount"),
        "dispute_resolved": _event({"invoice": TEXT, "found_owed": AMOUNT}, "invoice", "found_owed"),
        "date_of_loss": _event({}),
    }
)

GIVEN = Fields(
    {
        "policy": ANYTHING,
        "calendars": ANYTHING,
        "buyer": Fields({"country": COUNTRY, "insurable": FLAG}),
        "events": Rows(EVENT),
    },
    ("policy", "events"),
)

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
                                    "reasons": Each(AMOUNT),
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
                            "reasons": Each(AMOUNT),
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
    states = cover.run_cover_case(given, days)
    return {"at": [{**state, "date": day.isoformat()} for day, state in zip(days, states, strict=True)]}


def _entries(expect: Mapping[str, object]) -> list[Mapping[str, object]]:
    at = expect["at"]
    assert isinstance(at, list)  # the shape was checked before
    return at
