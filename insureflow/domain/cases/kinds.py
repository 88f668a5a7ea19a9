"""The kinds of worked examples: which there are, and which of them can be worked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from insureflow.domain.cases import cover, deadlines, discretionary_limit, indemnity, limit_benefit, premium, recovery
from insureflow.domain.cases.shapes import Fields

#: All kinds of the format.
KINDS: tuple[str, ...] = (
    "cover",
    "indemnity",
    "deadlines",
    "discretionary_limit",
    "recovery",
    "premium",
    "payment_behaviour",
    "trend_break",
    "failure_score",
    "limit_recommendation",
    "limit_benefit",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that can be worked out: the shapes of its two halves and the calculation.

    ``calculate`` takes ``given`` and ``expect`` (which may say for which days) and gives results in the shape of ``expect``.
    """

    given: Fields
    expect: Fields
    calculate: Callable[[Mapping[str, object], Mapping[str, object]], Mapping[str, object]]


BUILT: Mapping[str, Kind] = {
    "cover": Kind(cover.GIVEN, cover.EXPECT, cover.calculate),
    "indemnity": Kind(indemnity.GIVEN, indemnity.EXPECT, indemnity.calculate),
    "deadlines": Kind(deadlines.GIVEN, deadlines.EXPECT, deadlines.calculate),
    "discretionary_limit": Kind(discretionary_limit.GIVEN, discretionary_limit.EXPECT, discretionary_limit.calculate),
    "recovery": Kind(recovery.GIVEN, recovery.EXPECT, recovery.calculate),
    "limit_benefit": Kind(limit_benefit.GIVEN, limit_benefit.EXPECT, limit_benefit.calculate),
    "premium": Kind(premium.GIVEN, premium.EXPECT, premium.calculate),
}
