"""Letters to buyers who owe: proposed every day, written as soon as they are approved."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import dunning
from insureflow.services.dunning.proposing import ACTOR
from insureflow.services.jobs import Served


def propose(served: Served) -> Mapping[str, int]:
    """Tell of broken promises and write down every letter that is due; a day that was missed makes none twice."""
    broken = dunning.note_broken_promises(served.organisation_id, served.today)
    return {**dunning.propose(ACTOR, served.organisation_id, served.today).counts(), "promises_broken": broken}


def issue(served: Served) -> Mapping[str, int]:
    """Write what was approved."""
    return dunning.issue_approved(served.organisation_id, served.today, wants_to_stop=served.wants_to_stop)
