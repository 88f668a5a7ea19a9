"""Whatever an insurer sends is read, or refused with a connector's error; nothing else ever happens."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.connectors.insurers import reading
from insureflow.connectors.insurers.allianz_trade.covers import Reading, read_legacy_cover
from insureflow.connectors.insurers.allianz_trade.covers import read_covers as read_allianz
from insureflow.connectors.insurers.atradius.covers import read_covers as read_atradius
from insureflow.connectors.insurers.interface import InsurerCover, ItemFailed
from insureflow.connectors.insurers.registry import CONNECTORS
from insureflow.domain.money import Money

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=12),
    st.sampled_from(["", "1000", "1e5", "NaN", "2026-02-30", "2026-03-31T00:00:00+01:00", "EUR", "DC01", "REFERRED", "Agreement", "CCLD", "F"]),
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6
)


def shaped(*names: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose known fields hold anything, as often as not what they should."""
    return st.fixed_dictionaries({}, optional={**dict.fromkeys(names, VALUES), **parts})


DECISION = VALUES | shaped("decisionAmtInPolicyCurrency", "decisionExpiryDate", "decisionConditions")
ATRADIUS = shaped(
    "coverId", "buyerId", "buyerName", "policyCurrencyCode", "decisionDate", "withdrawalDate", "notes",
    coverType=st.sampled_from(["credit-limit", "credit-check"]) | VALUES,
    coverStatus=st.sampled_from(["REFERRED", "DECISION"]) | VALUES,
    decisionCode=st.sampled_from(["", "DC01", "DC05", "DC09", "DC21", "DC99"]) | VALUES,
    historicCode=st.sampled_from(["", "CCLD", "RCLA", "ARCH", "XXXX"]) | VALUES,
    pendingProcessIndicator=st.sampled_from(["", "F", "C", "Q"]) | VALUES,
    totalDecision=DECISION, firstAmtDecision=DECISION, secondAmtDecision=DECISION,
)  # fmt: skip
LIMIT = VALUES | shaped("amount", "currencyCode", "startDate", "endDate", "technicalDecisionStatusCode")
ALLIANZ = shaped(
    "coverId", "companyId", "company", "lastUpdateDate", "requestTypeCode",
    coverStatus=st.sampled_from(["Agreement", "InProgress", "Else"]) | VALUES,
    coverStatusCode=st.sampled_from(["Agreement", "InProgress"]) | VALUES,
    creditLimitDetails=VALUES | shaped("requestedAmount", "currencyCode"),
    creditLimitsAggregation=VALUES | st.fixed_dictionaries({"creditLimits": st.lists(LIMIT, max_size=3) | VALUES}),
    decision=VALUES | st.fixed_dictionaries({"permanent": VALUES | shaped("permanentAmount")}),
)  # fmt: skip
READING = Reading("EUR", "", {"Else": "conditional"})


def check(read: Callable[[], list[InsurerCover]]) -> None:
    try:
        covers = read()
    except ItemFailed:
        return
    for cover in covers:
        assert cover.cover_id
        assert cover.company_id
        assert cover.decided is None or cover.decided.minor >= 0
        assert all(isinstance(text, str) for text in cover.raw.values())


@given(ATRADIUS)
def test_any_row_of_atradius_is_read_or_refused(row: dict[str, Any]) -> None:
    check(lambda: read_atradius(row, "EUR"))


@given(ALLIANZ)
def test_any_row_of_allianz_trade_is_read_or_refused(row: dict[str, Any]) -> None:
    check(lambda: read_allianz(row, READING))
    check(lambda: [read_legacy_cover(row, READING)])


@given(st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value, default=str).encode())))
def test_any_body_is_json_or_refused(body: bytes) -> None:
    with contextlib.suppress(ItemFailed):
        reading.read_json(body)


@given(st.binary(max_size=80), st.sampled_from(sorted(CONNECTORS)))
def test_any_push_is_read_or_refused(body: bytes, key: str) -> None:
    connection: Any = None
    with pytest.raises(ItemFailed):
        CONNECTORS[key].read_push(connection, {}, body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 10_000, b"NaN", b"Infinity", b"\x00", b""])
def test_hostile_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(ItemFailed):
        reading.read_json(body)


def test_amounts_come_as_numbers_or_as_text_or_not_at_all() -> None:
    for value in (50_000, "50000", " 50000.00 ", Decimal("5E+4"), "5e4"):
        assert reading.read_money(value, "EUR", "amount") == Money.of(50_000, "EUR")
    for text, currency, minor in (("1.5", "EUR", 150), ("1.50000", "EUR", 150), ("7", "JPY", 7), ("7.00", "JPY", 7), ("0.125", "KWD", 125)):
        assert reading.read_money(text, currency, "amount") == Money(minor, currency) == Money.of(text, currency)
    assert reading.read_money("", "EUR", "amount") is None
    assert reading.read_money(None, "EUR", "amount") is None
    for value in ("-1", "1.001", "abc", "1e999999999", Decimal("1e-999999"), True, [], {}, "٣x", "NaN", "9" * 50):
        with pytest.raises(ItemFailed, match="field_unreadable"):
            reading.read_money(value, "EUR", "amount")


def test_days_are_read_as_they_stand() -> None:
    for text in ("2026-03-31", "2026-03-31T00:00:00+01:00", "2026-03-31T23:59:59Z", "2026-03-31 12:00"):
        assert reading.read_day(text, "day") == date(2026, 3, 31)
    assert reading.read_day("", "day") is None
    for value in ("31.03.2026", "2026-02-30", "2026-3-1", "2026-03-31x", 20260331, []):
        with pytest.raises(ItemFailed):
            reading.read_day(value, "day")


def test_the_rest_is_read_strictly() -> None:
    assert reading.read_list({"a": 1}, "rows") == [{"a": 1}]
    assert reading.read_list(None, "rows") == []
    assert reading.read_object("", "part") == {}
    assert (reading.read_country("SWE", "country"), reading.read_country("se", "country"), reading.read_country("X1Z", "country")) == (
        "SE",
        "SE",
        "",
    )
    assert reading.read_currency("", "currency", default="EUR") == "EUR"
    for read, value in (
        (reading.read_list, "x"), (reading.read_object, [1]), (reading.require_text, ""), (reading.read_text, 1.5), (reading.read_text, True),
    ):  # fmt: skip
        with pytest.raises(ItemFailed):
            read(value, "field")
    with pytest.raises(ItemFailed):
        reading.read_currency("EURO", "currency", default="EUR")
