"""Limits over several buyers: the group or pool, who shares in it when, what was decided on it, what the others use of it.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from insureflow.models.base import ExactDecimal, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "limit_group",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("head_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_limit_group_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "head_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_limit_group_organisation_id_head_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_limit_group_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_limit_group_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_group")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_limit_group_organisation_id_id")),
        sa.UniqueConstraint("organisation_id", "policy_id", "name", name=op.f("uq_limit_group_organisation_id_policy_id_name")),
    )
    op.create_index(op.f("ix_limit_group_organisation_id_head_id"), "limit_group", ["organisation_id", "head_id"], unique=False)
    op.create_table(
        "limit_group_member",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.CheckConstraint("left_on IS NULL OR left_on > joined_on", name=op.f("ck_limit_group_member_interval")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_limit_group_member_organisation_id_buyer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "group_id"],
            ["limit_group.organisation_id", "limit_group.id"],
            name=op.f("fk_limit_group_member_organisation_id_group_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_limit_group_member_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_group_member")),
        sa.UniqueConstraint("organisation_id", "group_id", "buyer_id", "joined_on", name=op.f("uq_limit_group_member_joined")),
    )
    op.create_index(
        op.f("ix_limit_group_member_organisation_id_buyer_id"), "limit_group_member", ["organisation_id", "buyer_id"], unique=False
    )
    op.create_table(
        "limit_group_decision",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "requested",
                "approved",
                "partly_approved",
                "refused",
                "reduced",
                "withdrawn",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("decided_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("rate", ExactDecimal(), nullable=False),
        sa.Column("rate_source", sa.String(length=80), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("insurer_reference", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("decided_minor IS NULL OR decided_minor >= 0", name=op.f("ck_limit_group_decision_decided_not_negative")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= decided_on", name=op.f("ck_limit_group_decision_valid_after_decision")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_limit_group_decision_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "group_id"],
            ["limit_group.organisation_id", "limit_group.id"],
            name=op.f("fk_limit_group_decision_organisation_id_group_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_limit_group_decision_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_group_decision")),
        sa.UniqueConstraint("organisation_id", "group_id", "insurer_reference", name=op.f("uq_limit_group_decision_reference")),
    )
    op.create_index(
        op.f("ix_limit_group_decision_organisation_id_group_id_decided_on"),
        "limit_group_decision",
        ["organisation_id", "group_id", "decided_on"],
        unique=False,
    )
    op.create_table(
        "shared_use",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("taken_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("taken_minor > 0", name=op.f("ck_shared_use_taken_positive")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_shared_use_interval")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_shared_use_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_shared_use_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_shared_use_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_use")),
        sa.UniqueConstraint(
            "organisation_id",
            "policy_id",
            "buyer_id",
            "valid_from",
            name=op.f("uq_shared_use_organisation_id_policy_id_buyer_id_valid_from"),
        ),
    )
    op.create_index(op.f("ix_shared_use_organisation_id_buyer_id"), "shared_use", ["organisation_id", "buyer_id"], unique=False)


def downgrade() -> None:
    op.drop_table("shared_use")
    op.drop_table("limit_group_decision")
    op.drop_table("limit_group_member")
    op.drop_table("limit_group")
