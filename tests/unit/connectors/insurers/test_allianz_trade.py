"""What Allianz Trade shows, in our words; a word nobody has explained is never guessed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from insureflow.connectors.insurers.allianz_trade.connector import AllianzTrade, _push_header
from insureflow.connectors.insurers.allianz_trade.covers import Reading, read_covers, read_legacy_cover, words_of
from insureflow.connectors.insurers.interface import Connection, ItemFailed
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverResponseCode
from insureflow.domain.money import Money

EUR = Reading("EUR", "", {})


def row(*limits: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "coverId": "900",
        "company": {"companyId": "12345678", "companyName": "Alpha"},
        "coverStatus": "Agreement",
        "creditLimitDetails": {"requestedAmount": "50000", "currencyCode": "EUR"},
        "creditLimitsAggregation": {"creditLimits": list(limits)},
        "lastUpdateDate": "2026-03-31T22:30:00.000Z",
        **changes,
    }


@pytest.mark.parametrize(
    ("amount", "response"),
    [
        (50_000, CoverResponseCode.APPROVED),
        ("50000.00", CoverResponseCode.APPROVED),
        (20_000, CoverResponseCode.PARTLY),
        (0, CoverResponseCode.NOT_APPROVED),
    ],
)
def test_the_amount_says_how_it_was_decided(amount: object, response: CoverResponseCode) -> None:
    (cover,) = read_covers(row({"amount": amount, "startDate": "2026-04-01"}), EUR)
    assert cover.response is response
    assert (cover.decided_on, cover.effective_on) == (date(2026, 3, 31), date(2026, 4, 1))
    assert (cover.company_id, cover.company_name) == ("12345678", "Alpha")


def test_a_word_is_known_documented_or_explained() -> None:
    limit = {"amount": 50_000, "startDate": "2026-04-01"}
    with pytest.raises(ItemFailed, match="code_unknown"):
        read_covers(row(limit, coverStatus="Refusal"), EUR)
    told = Reading("EUR", "", words_of({"word.Refusal": "not_approved", "word.Odd": "nonsense", "other": "x"}))
    (cover,) = read_covers(row(limit, coverStatus="Refusal"), told)
    assert cover.response is CoverResponseCode.NOT_APPROVED
    with pytest.raises(ItemFailed, match="code_unknown"):
        read_covers(row(limit, coverStatus="Odd"), told)
    (by_limit,) = read_covers(row({**limit, "technicalDecisionStatusCode": "AlreadyAgreed"}, coverStatus=""), EUR)
    assert by_limit.response is CoverResponseCode.APPROVED


def test_a_word_for_an_end_leaves_nothing() -> None:
    told = Reading("EUR", "", {"Cancelled": "cancelled"})
    (cover,) = read_covers(row({"amount": 50_000, "startDate": "2026-04-01"}, coverStatus="Cancelled"), told)
    assert (cover.response, cover.decided) == (CoverResponseCode.CANCELLED, Money.zero("EUR"))


def test_what_is_studied_has_no_amount() -> None:
    (cover,) = read_covers(row({"amount": 10_000}, coverStatus="InProgress"), EUR)
    assert (cover.response, cover.decided, cover.requested) == (CoverResponseCode.STILL_INVESTIGATING, None, Money.of(50_000, "EUR"))


def test_extensions_are_layers_and_kinds() -> None:
    limit = {"amount": 50_000, "startDate": "2026-04-01"}
    shown = {extension: read_covers(row(limit), Reading("EUR", extension, {}))[0] for extension in ("", "CAP", "DCL")}
    assert {extension: (cover.layer, cover.kind) for extension, cover in shown.items()} == {
        "": (Layer.PRIMARY, LimitKind.NAMED),
        "CAP": (Layer.TOP_UP, LimitKind.TOP_UP),
        "DCL": (Layer.PRIMARY, LimitKind.DISCRETIONARY),
    }


@pytest.mark.parametrize(
    "changed",
    [
        row(),
        row({"amount": ""}),
        row({"amount": 1}, {"amount": 2}),
        row({"amount": 1}, company={}),
        row({"amount": 1}, coverId=None),
        row({"amount": 1}, lastUpdateDate="yesterday"),
        row({"amount": 1, "currencyCode": "Euro"}),
    ],
)
def test_what_is_not_known_is_not_guessed(changed: dict[str, Any]) -> None:
    with pytest.raises(ItemFailed):
        read_covers(changed, EUR)


def test_the_old_shape_is_read() -> None:
    old = {
        "coverId": 5,
        "coverStatusCode": "Agreement",
        "company": {"companyId": 12345678},
        "decision": {"permanent": {"permanentAmount": "70000"}},
    }
    cover = read_legacy_cover(old, EUR)
    assert (cover.cover_id, cover.decided, cover.version) == ("5", Money.of(70_000, "EUR"), "Agreement/7000000")
    assert read_legacy_cover({**old, "coverStatusCode": "InProgress", "decision": ""}, EUR).decided is None
    with pytest.raises(ItemFailed):
        read_legacy_cover({**old, "decision": {}}, EUR)


def connection(**options: str) -> Connection:
    return Connection(1, "allianz_trade", {}, {}, "EUR", {}, lambda: datetime(2026, 11, 22, tzinfo=UTC), options)


def test_a_push_is_asked_for_by_a_header() -> None:
    assert _push_header(connection()) == {}
    header = _push_header(connection(push="on", push_header="X-Hook", push_url="https://us.example/pushes/1", push_hours="48"))
    assert json.loads(base64.b64decode(header["X-Hook"])) == {
        "callbackUrl": "https://us.example/pushes/1", "timeToLive": 48, "extendedNotification": True,
    }  # fmt: skip


def test_a_push_only_says_where_to_look() -> None:
    connector = AllianzTrade()
    push = connector.read_push(connection(), {}, b'{"resourceUrl": "https://evil.example/riskinfo/v3/covers/900"}')
    assert push.look_at == ("cover:900",)
    assert connector.read_push(connection(), {}, b'{"jobId": "j1", "coverId": "900"}').look_at == ("job:j1",)
