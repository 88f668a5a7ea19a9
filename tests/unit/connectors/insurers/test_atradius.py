"""What Atradius shows, in our words: every code of the tables, and the shapes that need care."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from insureflow.connectors.insurers.atradius.connector import ACTIONS, COVER_TYPES
from insureflow.connectors.insurers.atradius.covers import APPLICATION_ENDINGS, DECISIONS, ENDINGS, LIVES_ON, PENDING, read_covers
from insureflow.connectors.insurers.interface import ItemFailed
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode
from insureflow.domain.limits.life import PendingAction
from insureflow.domain.money import Money

EUR = "EUR"


def row(**changes: Any) -> dict[str, Any]:
    """A limit of 50,000 as the insurer shows it: numbers as text, much of it empty."""
    return {
        "coverId": 1234,
        "buyerId": 77,
        "buyerName": "Alpha",
        "coverType": "credit-limit",
        "coverStatus": "DECISION",
        "decisionCode": "DC01",
        "historicCode": "",
        "pendingProcessIndicator": "",
        "policyCurrencyCode": "EUR",
        "creditLimitApplicationAmountInPolicyCurrency": "50000.00",
        "decisionDate": "2026-03-31T00:00:00+01:00",
        "effectFromDate": "2026-04-01T00:00:00+02:00",
        "withdrawalDate": "",
        "totalDecision": {"decisionAmtInPolicyCurrency": "50000", "decisionExpiryDate": "", "decisionConditions": []},
        "firstAmtDecision": {"decisionAmtInPolicyCurrency": ""},
        **changes,
    }


def one(**changes: Any) -> Any:
    (cover,) = read_covers(row(**changes), "SEK")
    return cover


@pytest.mark.parametrize(("code", "response"), sorted(DECISIONS.items()))
def test_every_decision_has_a_response_and_an_amount(code: str, response: CoverResponseCode) -> None:
    cover = one(decisionCode=code)
    assert cover.response is response
    expected = {"DC03": Money.zero(EUR), "DC05": None, "DC07": Money.zero(EUR), "DC08": Money.zero(EUR)}
    assert cover.decided == expected.get(code, Money.of(50_000, EUR))
    assert cover.raw["decisionCode"] == code


@pytest.mark.parametrize("code", sorted({*ENDINGS, *APPLICATION_ENDINGS, *LIVES_ON}))
def test_every_end_is_an_end_of_the_right_thing(code: str) -> None:
    covers = read_covers(row(historicCode=code, effectiveToDate="2026-09-30"), EUR)
    if code in LIVES_ON:
        assert covers == []
    elif code in ENDINGS:
        assert (covers[0].response, covers[0].decided) == (CoverResponseCode.CANCELLED, Money.zero(EUR))
        assert covers[0].effective_on == date(2026, 9, 30)
        assert covers[0].valid_to is None
    else:
        assert covers[0].decided is None


@pytest.mark.parametrize(("indicator", "action"), sorted(PENDING.items()))
def test_what_is_pending_changes_nothing_yet(indicator: str, action: PendingAction | None) -> None:
    cover = one(pendingProcessIndicator=indicator, withdrawalDate="2026-12-31")
    assert (cover.pending, cover.decided) == (action, Money.of(50_000, EUR))
    assert cover.pending_on == (date(2026, 12, 31) if action is PendingAction.WITHDRAWAL_ANNOUNCED else None)


def test_a_notice_of_withdrawal_leaves_the_cover_in_force() -> None:
    cover = one(decisionCode="DC21", withdrawalDate="2026-12-31T00:00:00Z")
    assert (cover.response, cover.pending, cover.pending_on) == (
        CoverResponseCode.APPROVED, PendingAction.WITHDRAWAL_ANNOUNCED, date(2026, 12, 31),
    )  # fmt: skip
    assert cover.decided == Money.of(50_000, EUR)


def test_dates_keep_the_day_they_were_delivered_with() -> None:
    cover = one()
    assert (cover.decided_on, cover.effective_on) == (date(2026, 3, 31), date(2026, 4, 1))
    assert cover.version == "2026-03-31/DC01"


def test_an_application_has_no_decision() -> None:
    cover = one(coverStatus="REFERRED", decisionCode="", decisionDate="", totalDecision="")
    assert (cover.response, cover.decided, cover.requested) == (CoverResponseCode.STILL_INVESTIGATING, None, Money.of(50_000, EUR))


def test_a_second_amount_stands_apart_only_where_it_ends_earlier() -> None:
    amounts = {
        "totalDecision": {"decisionAmtInPolicyCurrency": "70000", "decisionConditions": {"conditionDescription": "A"}},
        "firstAmtDecision": {"decisionAmtInPolicyCurrency": "50000"},
    }
    second: dict[str, Any] = {
        "decisionAmtInPolicyCurrency": "20000",
        "decisionExpiryDate": "2026-12-31",
        "decisionConditions": [{"conditionCode": "B"}],
    }
    base, whole = read_covers(row(**amounts, secondAmtDecision=second), EUR)
    assert (base.decided, base.kind, base.conditions) == (Money.of(50_000, EUR), LimitKind.NAMED, ("A",))
    assert (whole.decided, whole.kind, whole.valid_to) == (Money.of(70_000, EUR), LimitKind.TEMPORARY, date(2026, 12, 31))
    assert (whole.cover_id, whole.conditions) == ("1234/2", ("A", "B"))
    (together,) = read_covers(row(**amounts, secondAmtDecision={**second, "decisionExpiryDate": ""}), EUR)
    assert together.decided == Money.of(70_000, EUR)


@pytest.mark.parametrize(
    "changes",
    [
        {"decisionCode": "DC99"},
        {"historicCode": "ZZZZ"},
        {"pendingProcessIndicator": "Q"},
        {"coverType": "else"},
        {"coverId": ""},
        {"buyerId": None},
        {"decisionCode": "", "coverStatus": "ODD"},
        {"totalDecision": {"decisionAmtInPolicyCurrency": ""}},
        {"totalDecision": {"decisionAmtInPolicyCurrency": "-5"}},
        {"totalDecision": {"decisionAmtInPolicyCurrency": "70000"}, "firstAmtDecision": {"decisionAmtInPolicyCurrency": "1000"}},
        {"decisionDate": "31/03/2026"},
        {"policyCurrencyCode": "eur"},
    ],
)
def test_what_is_not_known_is_not_guessed(changes: dict[str, Any]) -> None:
    with pytest.raises(ItemFailed):
        read_covers(row(**changes), EUR)


def test_only_documented_requests_have_words() -> None:
    assert set(ACTIONS) == {CoverRequestCode.INCREASE, CoverRequestCode.REDUCTION, CoverRequestCode.CANCELLATION}
    assert set(COVER_TYPES) == {LimitKind.NAMED, LimitKind.CREDIT_CHECK}


def test_the_grade_of_the_company_stands_in_its_cover() -> None:
    assert (one().grade, one().grade_class) == ("", "")
    graded = one(currentBuyerRating=45, currentBuyerRatingClass="5")
    assert (graded.grade, graded.grade_class) == ("45", "5")
