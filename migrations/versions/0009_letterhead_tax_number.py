"""The VAT number of an insured entity, for the foot of its papers.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("letterhead") as letterhead:
        letterhead.add_column(sa.Column("tax_number", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("letterhead") as letterhead:
        letterhead.drop_column("tax_number")
