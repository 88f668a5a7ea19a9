"""Three more causes of non-payment that insurers' forms know: diversion, the economy of the country, restrictions of trade.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BEFORE = (
    "unknown",
    "cash_flow",
    "dispute",
    "insolvency",
    "business_closed",
    "unwilling",
    "non_acceptance",
    "political_event",
    "transfer",
    "administrative",
)
_ADDED = ("diversion", "economy", "trade_restrictions")
_CHILDREN = ("notice_invoice", "notice_dispatch", "payment_plan")


def upgrade() -> None:
    _allow((*_BEFORE, *_ADDED))


def downgrade() -> None:
    reason = sa.table("notice", sa.column("reason", sa.String))
    op.execute(sa.update(reason).where(reason.c.reason.in_(_ADDED)).values(reason="unknown"))  # what is left to choose from says no more
    _allow(_BEFORE)


def _allow(reasons: tuple[str, ...]) -> None:
    """Let a notice give these reasons and no other."""
    with op.batch_alter_table("notice") as notice:
        notice.drop_constraint(op.f("ck_notice_reason"), type_="check")
        notice.create_check_constraint(op.f("ck_notice_reason"), sa.column("reason", sa.String).in_(reasons))
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        for child in _CHILDREN:
            if bind.exec_driver_sql(f"PRAGMA foreign_key_check({child})").first() is not None:
                message = f"rows of {child} lost their notice"
                raise RuntimeError(message)
