"""Bank statements: accounts, statements, entries, what was decided about them, accounts that buyers pay from, tolerances.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from insureflow.models.base import ExactDecimal, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cash_tolerance",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("charges_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("discount_percent", ExactDecimal(), nullable=False),
        sa.Column("discount_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("charges_minor >= 0", name=op.f("ck_cash_tolerance_charges_not_negative")),
        sa.CheckConstraint("discount_days >= 0", name=op.f("ck_cash_tolerance_days_not_negative")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_cash_tolerance_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_tolerance")),
        sa.UniqueConstraint("organisation_id", "currency", name=op.f("uq_cash_tolerance_organisation_id_currency")),
    )
    op.create_table(
        "bank_account",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_bank_account_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_bank_account_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_bank_account_organisation_id_id")),
        sa.UniqueConstraint("organisation_id", "number", "currency", name=op.f("uq_bank_account_organisation_id_number_currency")),
    )
    op.create_table(
        "payer_account",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("matches", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("learned_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_payer_account_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_payer_account_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payer_account")),
    )
    with op.batch_alter_table("payer_account") as batch_op:
        batch_op.create_index(batch_op.f("ix_payer_account_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payer_account_organisation_id_number"), ["organisation_id", "number"], unique=False)

    op.create_table(
        "bank_statement",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind", sa.Enum("statement", "notification", name="kind", native_enum=False, create_constraint=True, length=40), nullable=False
        ),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("identification", sa.String(length=140), nullable=False),
        sa.Column("sequence", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("balance_currency", sa.String(length=3), nullable=True),
        sa.Column("opening_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("closing_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "balance_check",
            sa.Enum(
                "adds_up",
                "differs",
                "not_stated",
                "currencies_differ",
                name="balance_check",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("difference_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("problems", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("warnings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("imported_at", UTCDateTime(), nullable=False),
        sa.Column("imported_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["imported_by_id"], ["app_user.id"], name=op.f("fk_bank_statement_imported_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "account_id"],
            ["bank_account.organisation_id", "bank_account.id"],
            name=op.f("fk_bank_statement_organisation_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_bank_statement_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint(
            "organisation_id",
            "account_id",
            "identification",
            "mark",
            name=op.f("uq_bank_statement_identification"),
        ),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_bank_statement_organisation_id_id")),
    )
    with op.batch_alter_table("bank_statement") as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_statement_organisation_id_imported_at"), ["organisation_id", "imported_at"], unique=False)

    op.create_table(
        "bank_entry",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("statement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("content_mark", sa.String(length=32), nullable=False),
        sa.Column("part", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("is_credit", sa.Boolean(), nullable=False),
        sa.Column("is_reversal", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("booked", "pending", "information", name="status", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("value_on", sa.Date(), nullable=True),
        sa.Column("bank_reference", sa.String(length=140), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=140), nullable=False),
        sa.Column("payment_references", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("payer_name", sa.String(length=300), nullable=False),
        sa.Column("payer_account", sa.String(length=64), nullable=False),
        sa.Column("instructed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("instructed_currency", sa.String(length=3), nullable=True),
        sa.Column("charges_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "unmatched",
                "proposed",
                "matched",
                "set_aside",
                "not_a_receipt",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "confidence",
            sa.Enum("certain", "likely", "possible", "none", name="confidence", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("designated", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("proposals", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_bank_entry_amount_not_negative")),
        sa.ForeignKeyConstraint(["buyer_id"], ["buyer.id"], name=op.f("fk_bank_entry_buyer_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "account_id"],
            ["bank_account.organisation_id", "bank_account.id"],
            name=op.f("fk_bank_entry_organisation_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "statement_id"],
            ["bank_statement.organisation_id", "bank_statement.id"],
            name=op.f("fk_bank_entry_organisation_id_statement_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_bank_entry_organisation_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["bank_entry.id"], name=op.f("fk_bank_entry_reverses_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_entry")),
        sa.UniqueConstraint(
            "organisation_id", "account_id", "mark", "part", name=op.f("uq_bank_entry_organisation_id_account_id_mark_part")
        ),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_bank_entry_organisation_id_id")),
    )
    with op.batch_alter_table("bank_entry") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bank_entry_organisation_id_account_id_content_mark"),
            ["organisation_id", "account_id", "content_mark"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_bank_entry_organisation_id_state_booked_on"), ["organisation_id", "state", "booked_on"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_bank_entry_organisation_id_statement_id"), ["organisation_id", "statement_id"], unique=False)

    op.create_table(
        "bank_match",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("confirmed", "chosen", "set_aside", "reversed", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("documents", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.Column("undone_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["app_user.id"], name=op.f("fk_bank_match_decided_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entry_id"],
            ["bank_entry.organisation_id", "bank_entry.id"],
            name=op.f("fk_bank_match_organisation_id_entry_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_bank_match_organisation_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["app_user.id"], name=op.f("fk_bank_match_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_match")),
    )
    with op.batch_alter_table("bank_match") as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_match_organisation_id_entry_id"), ["organisation_id", "entry_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("bank_match") as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_match_organisation_id_entry_id"))

    op.drop_table("bank_match")
    with op.batch_alter_table("bank_entry") as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_entry_organisation_id_statement_id"))
        batch_op.drop_index(batch_op.f("ix_bank_entry_organisation_id_state_booked_on"))
        batch_op.drop_index(batch_op.f("ix_bank_entry_organisation_id_account_id_content_mark"))

    op.drop_table("bank_entry")
    with op.batch_alter_table("bank_statement") as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_statement_organisation_id_imported_at"))

    op.drop_table("bank_statement")
    with op.batch_alter_table("payer_account") as batch_op:
        batch_op.drop_index(batch_op.f("ix_payer_account_organisation_id_number"))
        batch_op.drop_index(batch_op.f("ix_payer_account_organisation_id_buyer_id"))

    op.drop_table("payer_account")
    op.drop_table("bank_account")
    op.drop_table("cash_tolerance")
