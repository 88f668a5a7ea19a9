"""What the claims of a policy have used of its aggregate first loss and its maximum liability."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from insureflow.domain.loss import NOTHING_USED, YearUse


def year_use(policy_ids: Collection[int], on: date) -> dict[int, YearUse]:
    """What each of these policies has used by a day, in minor units of its currency.

    No claim is kept in this product yet, so nothing has been used; a policy year is forecast from its overdue accounts alone.
    """
    del on
    return dict.fromkeys(policy_ids, NOTHING_USED)
