"""Declarations to insurers of what premium is charged on, version by version, with the documents they were added up from.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from insureflow.models.base import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "declaration",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "turnover", "outstanding_balance", "limit", "fixed", name="basis", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "status",
            sa.Enum("draft", "approved", "declared", "superseded", name="status", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("full_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("declared_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("items", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cut_off_on", sa.Date(), nullable=False),
        sa.Column("declared_on", sa.Date(), nullable=True),
        sa.Column(
            "way", sa.Enum("portal", "email", "letter", name="way", native_enum=False, create_constraint=True, length=40), nullable=True
        ),
        sa.Column("protocol", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("replaces_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("declared_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("status <> 'declared' OR declared_on IS NOT NULL", name=op.f("ck_declaration_declared_on_a_day")),
        sa.CheckConstraint("(declared_on IS NULL) = (way IS NULL)", name=op.f("ck_declaration_declared_in_a_way")),
        sa.CheckConstraint("period_to >= period_from", name=op.f("ck_declaration_period")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_declaration_version_counted")),
        sa.ForeignKeyConstraint(["approved_by_id"], ["app_user.id"], name=op.f("fk_declaration_approved_by_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_declaration_created_by_id")),
        sa.ForeignKeyConstraint(["declared_by_id"], ["app_user.id"], name=op.f("fk_declaration_declared_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_declaration_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_declaration_organisation_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["declaration.id"], name=op.f("fk_declaration_replaces_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declaration")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_declaration_organisation_id_id")),
        sa.UniqueConstraint(
            "organisation_id", "policy_id", "period_to", "version", name=op.f("uq_declaration_organisation_id_policy_id_period_to_version")
        ),
    )
    op.create_index(op.f("ix_declaration_organisation_id_status"), "declaration", ["organisation_id", "status"], unique=False)
    op.create_table(
        "declaration_line",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("declaration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "item",
            sa.Enum("invoice", "credit_note", "balance", "limit", name="item", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("full_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("declared_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "affiliates",
                "private_persons",
                "public_buyers",
                "not_insurable",
                "uncovered_countries",
                "prepaid",
                "cash",
                name="category",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["credit_note.id"], name=op.f("fk_declaration_line_credit_note_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_declaration_line_invoice_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_declaration_line_organisation_id_buyer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "declaration_id"],
            ["declaration.organisation_id", "declaration.id"],
            name=op.f("fk_declaration_line_organisation_id_declaration_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_declaration_line_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declaration_line")),
    )
    op.create_index(op.f("ix_declaration_line_credit_note_id"), "declaration_line", ["credit_note_id"], unique=False)
    op.create_index(op.f("ix_declaration_line_invoice_id"), "declaration_line", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_declaration_line_organisation_id_buyer_id"), "declaration_line", ["organisation_id", "buyer_id"], unique=False)
    op.create_index(
        op.f("ix_declaration_line_organisation_id_declaration_id"), "declaration_line", ["organisation_id", "declaration_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("declaration_line")
    op.drop_table("declaration")
