"""The losses of one policy year, in the order in which they count: each finds what those before it have left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insureflow.domain.loss.debt import Circumstances, Debt, currency_of
from insureflow.domain.loss.waterfall import NOTHING_USED, Loss, YearUse, calculate_loss, maximum_liability_of
from insureflow.domain.policies.terms import PolicyTerms


@dataclass(frozen=True, slots=True)
class LossGiven:
    """One loss to be worked out. ``debt_after_disputes`` is the debt with what has been found owed since, if anything has."""

    id: str
    debt: Debt
    circumstances: Circumstances
    collection_costs: int = 0
    debt_after_disputes: Debt | None = None


@dataclass(frozen=True, slots=True)
class SettledLoss:
    """One loss of the year. After a dispute it is worked out twice on the same opening figures; the second result counts."""

    id: str
    loss: Loss
    after_disputes: Loss | None = None

    @property
    def counting(self) -> Loss:
        """The result that counts for the year."""
        return self.loss if self.after_disputes is None else self.after_disputes

    @property
    def supplement(self) -> int | None:
        """What is paid in addition after the disputes; less than 0 if something comes back."""
        return None if self.after_disputes is None else self.after_disputes.indemnity - self.loss.indemnity


@dataclass(frozen=True, slots=True)
class PolicyYear:
    """All losses of a policy year and what they have used together."""

    currency: str
    losses: tuple[SettledLoss, ...]
    use: YearUse
    aggregate_first_loss_remaining: int | None
    maximum_liability: int | None
    maximum_liability_remaining: int | None

    @property
    def indemnity(self) -> int:
        """Sum of the indemnities that count."""
        return sum(settled.counting.indemnity for settled in self.losses)


def settle_year(terms: PolicyTerms, losses: Sequence[LossGiven], opening: YearUse = NOTHING_USED) -> PolicyYear:
    """The losses of a policy year worked out one after the other.

    *Formula:* what is left for a loss = amount of the clause − what was used before, as booked.
    *Source:* aggregate first loss and maximum liability belong to the policy year.
    """
    use = opening
    settled = []
    for given in losses:
        first = calculate_loss(terms, given.debt, given.circumstances, use, collection_costs=given.collection_costs)
        second = None
        if given.debt_after_disputes is not None:
            second = calculate_loss(terms, given.debt_after_disputes, given.circumstances, use, collection_costs=given.collection_costs)
        one = SettledLoss(given.id, first, second)
        settled.append(one)
        counting = one.counting
        use = YearUse(use.aggregate_first_loss_used + counting.aggregate_first_loss_used, use.maximum_liability_used + counting.indemnity)
    first_loss, maximum = terms.aggregate_first_loss, maximum_liability_of(terms)
    return PolicyYear(
        currency=currency_of(terms),
        losses=tuple(settled),
        use=use,
        aggregate_first_loss_remaining=None if first_loss is None else max(0, first_loss.amount - use.aggregate_first_loss_used),
        maximum_liability=maximum,
        maximum_liability_remaining=None if maximum is None else max(0, maximum - use.maximum_liability_used),
    )
