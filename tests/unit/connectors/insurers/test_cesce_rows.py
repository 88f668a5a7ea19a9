"""Rows of CESCE: whatever comes is read or refused with the field's name, and amounts mean what their status says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insureflow.connectors.insurers.cesce.covers import read_cover, read_rows
from insureflow.connectors.insurers.interface import Connection, ItemFailed
from insureflow.domain.limits.codes import CoverResponseCode
from insureflow.domain.money import Money

CONNECTION = Connection(1, "cesce", {}, {}, "EUR", {}, lambda: datetime.now(UTC), {"environment": "sandbox"})
ROW = {
    "endorsementNo": "4711",
    "supplementNo": "1",
    "statusCode": 2,
    "requestedAmount": "150000",
    "grantedAmount": "100000.50",
    "decisionDate": "2026-01-15",
}
anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=12), st.sampled_from(["1", "2", "5", "2026-13-40", "1e999", "NaN", "-1"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from([*ROW, "currencyCode", "effectiveDate", "expiryDate", "debtorName", "debtorCountry", "conditions"]), anything
    )
)
@settings(max_examples=150, deadline=None)
def test_any_row_is_read_or_refused(changes: dict[str, Any]) -> None:
    covers, problems = read_rows([{**ROW, **changes}], CONNECTION, "classification")
    assert len(covers) + len(problems) == 1


@pytest.mark.parametrize(
    ("status", "granted", "response", "decided"),
    [
        (1, "", CoverResponseCode.STILL_INVESTIGATING, None),
        (2, "100000.50", CoverResponseCode.APPROVED, 10_000_050),
        ("3", 40000, CoverResponseCode.PARTLY, 4_000_000),
        (4, "", CoverResponseCode.NOT_APPROVED, 0),
        (5, "", CoverResponseCode.CANCELLED, None),
        (5, "100", CoverResponseCode.CANCELLED, 0),
        (8, "100", CoverResponseCode.PRELIMINARY, None),
    ],
)
def test_an_amount_means_what_its_status_says(status: object, granted: object, response: CoverResponseCode, decided: int | None) -> None:
    cover = read_cover({**ROW, "statusCode": status, "grantedAmount": granted}, CONNECTION, "classification")
    assert (cover.response, cover.decided) == (response, None if decided is None else Money(decided, "EUR"))


def test_an_approval_without_an_amount_is_refused() -> None:
    with pytest.raises(ItemFailed):
        read_cover({**ROW, "grantedAmount": ""}, CONNECTION, "classification")
