"""Overdues: messages, issued documents, papers for the insurer, blocks, dunning, payment plans, owners of duties, ends of disputes.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from insureflow.models.base import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OLD_UNIQUE = "uq_obligation_mark_organisation_id_policy_id_buyer_id_invoice_id_kind_due_on"
_DUTY = (
    ("of_invoice", ["organisation_id", "policy_id", "invoice_id", "kind", "due_on", "buyer_id"], "invoice_id IS NOT NULL"),
    ("of_buyer", ["organisation_id", "policy_id", "buyer_id", "kind", "due_on"], "invoice_id IS NULL AND buyer_id IS NOT NULL"),
    ("of_policy", ["organisation_id", "policy_id", "kind", "due_on"], "invoice_id IS NULL AND buyer_id IS NULL"),
)


def _one_per_duty(table: str) -> None:
    for name, columns, where in _DUTY:
        op.create_index(f"uq_{table}_{name}", table, columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("only_own", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_read_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_calendar_feed_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_calendar_feed_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("organisation_id", "token_sha256", name=op.f("uq_calendar_feed_organisation_id_token_sha256")),
    )
    with op.batch_alter_table("calendar_feed") as batch_op:
        batch_op.create_index(batch_op.f("ix_calendar_feed_organisation_id_user_id"), ["organisation_id", "user_id"], unique=False)

    op.create_table(
        "telling_setting",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "digest", sa.Enum("off", "daily", "weekly", name="digest", native_enum=False, create_constraint=True, length=40), nullable=False
        ),
        sa.Column("days_before", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("only_own", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_telling_setting_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_telling_setting_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telling_setting")),
        sa.UniqueConstraint("organisation_id", "user_id", name=op.f("uq_telling_setting_organisation_id_user_id")),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("secret", sa.String(length=1000), nullable=False),
        sa.Column("events", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stopped_because", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_webhook_endpoint_created_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_webhook_endpoint_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_webhook_endpoint_organisation_id_id")),
    )
    op.create_table(
        "block_exception",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_number", sa.String(length=80), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "disputed",
                "one_off",
                "payment_on_its_way",
                "insurer_agreed",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("until_on IS NULL OR until_on >= from_on", name=op.f("ck_block_exception_until_after_from")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_block_exception_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_block_exception_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_block_exception_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_block_exception_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_exception")),
    )
    with op.batch_alter_table("block_exception") as batch_op:
        batch_op.create_index(batch_op.f("ix_block_exception_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_block_exception_organisation_id_entity_id_invoice_number"),
            ["organisation_id", "entity_id", "invoice_number"],
            unique=False,
        )

    op.create_table(
        "buyer_contact",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("gets_letters", sa.Boolean(), nullable=False),
        sa.Column("bounced_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_buyer_contact_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_buyer_contact_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buyer_contact")),
    )
    with op.batch_alter_table("buyer_contact") as batch_op:
        batch_op.create_index(batch_op.f("ix_buyer_contact_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "contact_note",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("call", "visit", "email", "note", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("with_whom", sa.String(length=200), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
        sa.Column("followed_up_on", sa.Date(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_contact_note_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_contact_note_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_contact_note_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_note")),
    )
    with op.batch_alter_table("contact_note") as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_note_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "dunning_hold",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_code", sa.String(length=40), nullable=False),
        sa.Column("invoice_number", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("until_on IS NULL OR until_on >= from_on", name=op.f("ck_dunning_hold_until_after_from")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_dunning_hold_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_dunning_hold_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_dunning_hold_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_hold")),
    )
    with op.batch_alter_table("dunning_hold") as batch_op:
        batch_op.create_index(batch_op.f("ix_dunning_hold_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "dunning_rule",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("country IS NULL OR buyer_id IS NULL", name=op.f("ck_dunning_rule_one_scope")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_dunning_rule_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_dunning_rule_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_dunning_rule_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_rule")),
    )
    with op.batch_alter_table("dunning_rule") as batch_op:
        batch_op.create_index(batch_op.f("ix_dunning_rule_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dunning_rule_organisation_id_effective_on"), ["organisation_id", "effective_on"], unique=False)

    op.create_table(
        "issued_document",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("replaces_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_issued_document_size_not_negative")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_issued_document_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_issued_document_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_issued_document_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_issued_document_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_issued_document_organisation_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["issued_document.id"], name=op.f("fk_issued_document_replaces_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_document")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_issued_document_organisation_id_id")),
        sa.UniqueConstraint("organisation_id", "number", name=op.f("uq_issued_document_organisation_id_number")),
    )
    with op.batch_alter_table("issued_document") as batch_op:
        batch_op.create_index(batch_op.f("ix_issued_document_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "letterhead",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("registration", sa.String(length=120), nullable=False),
        sa.Column("bank_name", sa.String(length=200), nullable=False),
        sa.Column("bank_account", sa.String(length=64), nullable=False),
        sa.Column("bank_code", sa.String(length=20), nullable=False),
        sa.Column("footer", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"], name=op.f("fk_letterhead_organisation_id_entity_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_letterhead_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letterhead")),
        sa.UniqueConstraint("organisation_id", "entity_id", name=op.f("uq_letterhead_organisation_id_entity_id")),
    )
    op.create_table(
        "manual_block",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("with_group", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("lifted_on", sa.Date(), nullable=True),
        sa.Column("lifted_note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lifted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("lifted_on IS NULL OR lifted_on >= from_on", name=op.f("ck_manual_block_lifted_after_from")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_manual_block_created_by_id")),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["app_user.id"], name=op.f("fk_manual_block_lifted_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_manual_block_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_manual_block_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_manual_block_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_block")),
    )
    with op.batch_alter_table("manual_block") as batch_op:
        batch_op.create_index(batch_op.f("ix_manual_block_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "message",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recipients", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("copies", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reply_to", sa.String(length=320), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("body", sa.String(length=20000), nullable=False),
        sa.Column("documents", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "uncertain",
                "failed",
                "bounced",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("last_error", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("bounce", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("bounced_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_message_attempts_not_negative")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_message_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_message_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_message_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("organisation_id", "cause", name=op.f("uq_message_organisation_id_cause")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_message_organisation_id_id")),
    )
    with op.batch_alter_table("message") as batch_op:
        batch_op.create_index(batch_op.f("ix_message_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_organisation_id_created_at"), ["organisation_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_state_next_attempt_at"), ["state", "next_attempt_at"], unique=False)

    op.create_table(
        "obligation_owner",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_obligation_owner_organisation_id_buyer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_obligation_owner_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_obligation_owner_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_obligation_owner_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation_owner")),
    )
    _one_per_duty("obligation_owner")
    with op.batch_alter_table("obligation_owner") as batch_op:
        batch_op.create_index(batch_op.f("ix_obligation_owner_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_obligation_owner_organisation_id_user_id"), ["organisation_id", "user_id"], unique=False)

    op.create_table(
        "policy_contact",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("portal", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_policy_contact_organisation_id_policy_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_policy_contact_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_contact")),
        sa.UniqueConstraint("organisation_id", "policy_id", "purpose", name=op.f("uq_policy_contact_organisation_id_policy_id_purpose")),
    )
    op.create_table(
        "promise_to_pay",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("promised_for", sa.Date(), nullable=False),
        sa.Column("by_whom", sa.String(length=200), nullable=False),
        sa.Column("invoices", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("cancelled_on", sa.Date(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_promise_to_pay_amount_positive")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_promise_to_pay_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_promise_to_pay_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_promise_to_pay_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_to_pay")),
    )
    with op.batch_alter_table("promise_to_pay") as batch_op:
        batch_op.create_index(batch_op.f("ix_promise_to_pay_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_promise_to_pay_organisation_id_promised_for"), ["organisation_id", "promised_for"], unique=False
        )

    op.create_table(
        "told",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "duty_comes",
                "duty_today",
                "duty_late",
                "notification_to_approve",
                "notification_answered",
                "letters_to_approve",
                "message_failed",
                "promise_broken",
                "instalment_broken",
                "buyer_blocked",
                "webhook_stopped",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("cause", sa.String(length=160), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_told_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_told_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_told_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told")),
        sa.UniqueConstraint("organisation_id", "user_id", "cause", name=op.f("uq_told_organisation_id_user_id_cause")),
    )
    with op.batch_alter_table("told") as batch_op:
        batch_op.create_index(batch_op.f("ix_told_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_told_organisation_id_user_id_read_at"), ["organisation_id", "user_id", "read_at"], unique=False
        )

    op.create_table(
        "webhook_delivery",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("event_id", sa.String(length=120), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "state",
            sa.Enum("queued", "delivered", "failed", name="state", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=False),
        sa.Column("status", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "endpoint_id"],
            ["webhook_endpoint.organisation_id", "webhook_endpoint.id"],
            name=op.f("fk_webhook_delivery_organisation_id_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_webhook_delivery_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "organisation_id", "endpoint_id", "event_id", name=op.f("uq_webhook_delivery_organisation_id_endpoint_id_event_id")
        ),
    )
    with op.batch_alter_table("webhook_delivery") as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_delivery_state_next_attempt_at"), ["state", "next_attempt_at"], unique=False)

    op.create_table(
        "dunning_letter",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.String(length=160), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "before_due",
                "reminder_1",
                "reminder_2",
                "reminder_3",
                "final_demand",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "proposed", "approved", "sent", "skipped", "failed", name="state", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("interest_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column(
            "channel", sa.Enum("email", "post", name="channel", native_enum=False, create_constraint=True, length=40), nullable=False
        ),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("printed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["app_user.id"], name=op.f("fk_dunning_letter_decided_by_id")),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], name=op.f("fk_dunning_letter_document_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_dunning_letter_message_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_dunning_letter_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_dunning_letter_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_dunning_letter_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_letter")),
        sa.UniqueConstraint("organisation_id", "cause", name=op.f("uq_dunning_letter_organisation_id_cause")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_dunning_letter_organisation_id_id")),
    )
    with op.batch_alter_table("dunning_letter") as batch_op:
        batch_op.create_index(batch_op.f("ix_dunning_letter_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_dunning_letter_organisation_id_state_as_of"), ["organisation_id", "state", "as_of"], unique=False
        )

    op.create_table(
        "notice",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "non_payment",
                "extension",
                "rescheduling",
                "adverse_information",
                "insolvency",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "approved",
                "sending",
                "sent",
                "failed",
                "answered",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("deadline_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
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
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("comment", sa.String(length=4000), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("connection", "email", "portal", "post", name="channel", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column(
            "reply_outcome",
            sa.Enum(
                "received",
                "consented",
                "refused",
                "more_wanted",
                name="reply_outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("replied_on", sa.Date(), nullable=True),
        sa.Column("reply", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.ForeignKeyConstraint(["approved_by_id"], ["app_user.id"], name=op.f("fk_notice_approved_by_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_notice_created_by_id")),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], name=op.f("fk_notice_document_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_notice_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_notice_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_notice_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("organisation_id", "cause", name=op.f("uq_notice_organisation_id_cause")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_notice_organisation_id_id")),
    )
    with op.batch_alter_table("notice") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notice_organisation_id_buyer_id_policy_id"), ["organisation_id", "buyer_id", "policy_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_notice_organisation_id_state_deadline_on"), ["organisation_id", "state", "deadline_on"], unique=False
        )

    op.create_table(
        "dunning_letter_invoice",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("open_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("interest_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_dunning_letter_invoice_invoice_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "letter_id"],
            ["dunning_letter.organisation_id", "dunning_letter.id"],
            name=op.f("fk_dunning_letter_invoice_organisation_id_letter_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_dunning_letter_invoice_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_letter_invoice")),
        sa.UniqueConstraint(
            "organisation_id", "letter_id", "number", name=op.f("uq_dunning_letter_invoice_organisation_id_letter_id_number")
        ),
    )
    with op.batch_alter_table("dunning_letter_invoice") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dunning_letter_invoice_organisation_id_invoice_id"), ["organisation_id", "invoice_id"], unique=False
        )

    op.create_table(
        "evidence_link",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("evidence_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_evidence_link_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "evidence_id"],
            ["evidence_file.organisation_id", "evidence_file.id"],
            name=op.f("fk_evidence_link_organisation_id_evidence_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_evidence_link_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_link")),
        sa.UniqueConstraint(
            "organisation_id",
            "subject_kind",
            "subject_id",
            "evidence_id",
            name=op.f("uq_evidence_link_organisation_id_subject_kind_subject_id_evidence_id"),
        ),
    )
    with op.batch_alter_table("evidence_link") as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_link_organisation_id_evidence_id"), ["organisation_id", "evidence_id"], unique=False)

    op.create_table(
        "notice_dispatch",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("connection", "email", "portal", "post", name="channel", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("recipient", sa.String(length=500), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("protocol_number", sa.String(length=120), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_delivered", sa.Boolean(), nullable=False),
        sa.Column("details", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_notice_dispatch_by_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_notice_dispatch_message_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "notice_id"],
            ["notice.organisation_id", "notice.id"],
            name=op.f("fk_notice_dispatch_organisation_id_notice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_notice_dispatch_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_dispatch")),
    )
    with op.batch_alter_table("notice_dispatch") as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_dispatch_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_dispatch_organisation_id_notice_id"), ["organisation_id", "notice_id"], unique=False)

    op.create_table(
        "notice_invoice",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_code", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("invoice_on", sa.Date(), nullable=False),
        sa.Column("shipment_on", sa.Date(), nullable=False),
        sa.Column("original_due_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("new_due_on", sa.Date(), nullable=True),
        sa.Column("gross_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("open_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("insured_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uninsured_reason", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_notice_invoice_invoice_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "notice_id"],
            ["notice.organisation_id", "notice.id"],
            name=op.f("fk_notice_invoice_organisation_id_notice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_notice_invoice_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_invoice")),
        sa.UniqueConstraint(
            "organisation_id",
            "notice_id",
            "entity_code",
            "number",
            name=op.f("uq_notice_invoice_organisation_id_notice_id_entity_code_number"),
        ),
    )
    with op.batch_alter_table("notice_invoice") as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_invoice_organisation_id_invoice_id"), ["organisation_id", "invoice_id"], unique=False)

    op.create_table(
        "payment_plan",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "awaiting_consent",
                "active",
                "kept",
                "broken",
                "refused",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("broken_on", sa.Date(), nullable=True),
        sa.Column("grace_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("interest", sa.String(length=500), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_payment_plan_created_by_id")),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], name=op.f("fk_payment_plan_document_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_payment_plan_notice_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_payment_plan_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_payment_plan_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_payment_plan_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_payment_plan_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_plan")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_payment_plan_organisation_id_id")),
    )
    with op.batch_alter_table("payment_plan") as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_plan_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_plan_organisation_id_state"), ["organisation_id", "state"], unique=False)

    op.create_table(
        "plan_instalment",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_plan_instalment_amount_positive")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "plan_id"],
            ["payment_plan.organisation_id", "payment_plan.id"],
            name=op.f("fk_plan_instalment_organisation_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_plan_instalment_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_instalment")),
        sa.UniqueConstraint("organisation_id", "plan_id", "number", name=op.f("uq_plan_instalment_organisation_id_plan_id_number")),
    )
    with op.batch_alter_table("plan_instalment") as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_instalment_organisation_id_due_on"), ["organisation_id", "due_on"], unique=False)

    op.create_table(
        "plan_invoice",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("original_due_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_plan_invoice_amount_positive")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_plan_invoice_invoice_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "plan_id"],
            ["payment_plan.organisation_id", "payment_plan.id"],
            name=op.f("fk_plan_invoice_organisation_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_plan_invoice_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_invoice")),
        sa.UniqueConstraint("organisation_id", "plan_id", "number", name=op.f("uq_plan_invoice_organisation_id_plan_id_number")),
    )
    with op.batch_alter_table("plan_invoice") as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_invoice_organisation_id_invoice_id"), ["organisation_id", "invoice_id"], unique=False)

    with op.batch_alter_table("dispute") as batch_op:
        batch_op.add_column(
            sa.Column(
                "outcome",
                sa.Enum(
                    "settlement", "judgment", "withdrawn", "credited", name="outcome", native_enum=False, create_constraint=True, length=40
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("reference", sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("is_ring_fenced", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("dispute") as batch_op:
        batch_op.alter_column("reference", existing_type=sa.String(length=200), server_default=None)
        batch_op.alter_column("is_ring_fenced", existing_type=sa.Boolean(), server_default=None)

    # Two empty columns are never equal to a unique constraint, so a duty could be marked twice: the latest mark is the one that counts.
    op.execute(
        "DELETE FROM obligation_mark WHERE id NOT IN (SELECT max(id) FROM obligation_mark"
        " GROUP BY organisation_id, policy_id, coalesce(buyer_id, 0), coalesce(invoice_id, 0), kind, due_on)"
    )
    with op.batch_alter_table("obligation_mark") as batch_op:
        batch_op.drop_constraint(batch_op.f(_OLD_UNIQUE), type_="unique")
        batch_op.create_index(batch_op.f("ix_obligation_mark_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
    _one_per_duty("obligation_mark")


def downgrade() -> None:
    for name, _, _ in _DUTY:
        op.drop_index(f"uq_obligation_mark_{name}", table_name="obligation_mark")
    with op.batch_alter_table("obligation_mark") as batch_op:
        batch_op.drop_index(batch_op.f("ix_obligation_mark_organisation_id_buyer_id"))
        batch_op.create_unique_constraint(
            batch_op.f(_OLD_UNIQUE), ["organisation_id", "policy_id", "buyer_id", "invoice_id", "kind", "due_on"]
        )
    with op.batch_alter_table("dispute") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_dispute_outcome"), type_="check")
        batch_op.drop_column("is_ring_fenced")
        batch_op.drop_column("reference")
        batch_op.drop_column("outcome")
    with op.batch_alter_table("plan_invoice") as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_invoice_organisation_id_invoice_id"))

    op.drop_table("plan_invoice")
    with op.batch_alter_table("plan_instalment") as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_instalment_organisation_id_due_on"))

    op.drop_table("plan_instalment")
    with op.batch_alter_table("payment_plan") as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_plan_organisation_id_state"))
        batch_op.drop_index(batch_op.f("ix_payment_plan_organisation_id_buyer_id"))

    op.drop_table("payment_plan")
    with op.batch_alter_table("notice_invoice") as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_invoice_organisation_id_invoice_id"))

    op.drop_table("notice_invoice")
    with op.batch_alter_table("notice_dispatch") as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_dispatch_organisation_id_notice_id"))
        batch_op.drop_index(batch_op.f("ix_notice_dispatch_message_id"))

    op.drop_table("notice_dispatch")
    with op.batch_alter_table("evidence_link") as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_link_organisation_id_evidence_id"))

    op.drop_table("evidence_link")
    with op.batch_alter_table("dunning_letter_invoice") as batch_op:
        batch_op.drop_index(batch_op.f("ix_dunning_letter_invoice_organisation_id_invoice_id"))

    op.drop_table("dunning_letter_invoice")
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_organisation_id_state_deadline_on"))
        batch_op.drop_index(batch_op.f("ix_notice_organisation_id_buyer_id_policy_id"))

    op.drop_table("notice")
    with op.batch_alter_table("dunning_letter") as batch_op:
        batch_op.drop_index(batch_op.f("ix_dunning_letter_organisation_id_state_as_of"))
        batch_op.drop_index(batch_op.f("ix_dunning_letter_organisation_id_buyer_id"))

    op.drop_table("dunning_letter")
    with op.batch_alter_table("webhook_delivery") as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_delivery_state_next_attempt_at"))

    op.drop_table("webhook_delivery")
    with op.batch_alter_table("told") as batch_op:
        batch_op.drop_index(batch_op.f("ix_told_organisation_id_user_id_read_at"))
        batch_op.drop_index(batch_op.f("ix_told_organisation_id_buyer_id"))

    op.drop_table("told")
    with op.batch_alter_table("promise_to_pay") as batch_op:
        batch_op.drop_index(batch_op.f("ix_promise_to_pay_organisation_id_promised_for"))
        batch_op.drop_index(batch_op.f("ix_promise_to_pay_organisation_id_buyer_id"))

    op.drop_table("promise_to_pay")
    op.drop_table("policy_contact")
    with op.batch_alter_table("obligation_owner") as batch_op:
        batch_op.drop_index(batch_op.f("ix_obligation_owner_organisation_id_user_id"))
        batch_op.drop_index(batch_op.f("ix_obligation_owner_organisation_id_buyer_id"))

    op.drop_table("obligation_owner")
    with op.batch_alter_table("message") as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_state_next_attempt_at"))
        batch_op.drop_index(batch_op.f("ix_message_organisation_id_created_at"))
        batch_op.drop_index(batch_op.f("ix_message_organisation_id_buyer_id"))
        batch_op.drop_index(batch_op.f("ix_message_message_id"))

    op.drop_table("message")
    with op.batch_alter_table("manual_block") as batch_op:
        batch_op.drop_index(batch_op.f("ix_manual_block_organisation_id_buyer_id"))

    op.drop_table("manual_block")
    op.drop_table("letterhead")
    with op.batch_alter_table("issued_document") as batch_op:
        batch_op.drop_index(batch_op.f("ix_issued_document_organisation_id_buyer_id"))

    op.drop_table("issued_document")
    with op.batch_alter_table("dunning_rule") as batch_op:
        batch_op.drop_index(batch_op.f("ix_dunning_rule_organisation_id_effective_on"))
        batch_op.drop_index(batch_op.f("ix_dunning_rule_organisation_id_buyer_id"))

    op.drop_table("dunning_rule")
    with op.batch_alter_table("dunning_hold") as batch_op:
        batch_op.drop_index(batch_op.f("ix_dunning_hold_organisation_id_buyer_id"))

    op.drop_table("dunning_hold")
    with op.batch_alter_table("contact_note") as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_note_organisation_id_buyer_id"))

    op.drop_table("contact_note")
    with op.batch_alter_table("buyer_contact") as batch_op:
        batch_op.drop_index(batch_op.f("ix_buyer_contact_organisation_id_buyer_id"))

    op.drop_table("buyer_contact")
    with op.batch_alter_table("block_exception") as batch_op:
        batch_op.drop_index(batch_op.f("ix_block_exception_organisation_id_entity_id_invoice_number"))
        batch_op.drop_index(batch_op.f("ix_block_exception_organisation_id_buyer_id"))

    op.drop_table("block_exception")
    op.drop_table("webhook_endpoint")
    op.drop_table("telling_setting")
    with op.batch_alter_table("calendar_feed") as batch_op:
        batch_op.drop_index(batch_op.f("ix_calendar_feed_organisation_id_user_id"))

    op.drop_table("calendar_feed")
