"""The daily look at payment plans. Whether an instalment is missing follows from the money alone, whether or not this ran."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import payment_plans
from insureflow.services.jobs import Served


def watch(served: Served) -> Mapping[str, int]:
    """Plans that broke and plans that were paid in full until today; a day that was missed is caught up, and none is told twice."""
    return payment_plans.watch(served.organisation_id, served.today)
