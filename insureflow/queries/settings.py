"""What an installation consists of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from insureflow.models.database import db
from insureflow.models.organisations import Organisation


def list_organisations() -> Sequence[Organisation]:
    """All organisations by short name. For the command line alone: whoever may run it may see them all."""
    return db.session.scalars(select(Organisation).order_by(Organisation.slug)).all()
