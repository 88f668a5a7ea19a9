"""The names of the groups that exposure is shown in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.queries.exposure.figures import Grouping

_PORTION = 5000


def group_names(grouping: Grouping, groups: Collection[Any]) -> dict[Any, str | None]:
    """Names by group: a buyer's legal name, a policy's number, an entity's code, else the group itself; None stays None."""
    columns: dict[Grouping, tuple[Any, Any]] = {
        Grouping.BUYER: (Buyer.id, Buyer.legal_name),
        Grouping.POLICY: (Policy.id, Policy.number),
        Grouping.ENTITY: (Entity.id, Entity.code),
    }
    names: dict[Any, str | None] = {None: None}
    wanted = sorted({group for group in groups if group is not None})
    if grouping not in columns:
        return names | {group: str(group) for group in wanted}
    key, name = columns[grouping]
    for start in range(0, len(wanted), _PORTION):
        found = db.session.execute(select(key, name).where(key.in_(wanted[start : start + _PORTION])))
        names |= {row[0]: row[1] for row in found}
    return names
