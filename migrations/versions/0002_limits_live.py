"""Limits live: requests and approvals, evidence, connections to insurers, answers to "may I ship?", work for people, keys.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from insureflow.models.base import ExactDecimal, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_api_token_organisation_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_api_token_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_token_sha256")),
    )
    op.create_table(
        "approval_threshold",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "credit_manager",
                "credit_analyst",
                "receivables_clerk",
                "claims_handler",
                "management",
                "sales",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_approval_threshold_amount_not_negative")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_approval_threshold_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_threshold")),
        sa.UniqueConstraint("organisation_id", "role", name=op.f("uq_approval_threshold_organisation_id_role")),
    )
    op.create_table(
        "schedule_setting",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("every_minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_schedule_setting_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_setting")),
        sa.UniqueConstraint("organisation_id", "job", name=op.f("uq_schedule_setting_organisation_id_job")),
    )
    op.create_table(
        "evidence_file",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_evidence_file_size_not_negative")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_evidence_file_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_evidence_file_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["limit_decision.id"], name=op.f("fk_evidence_file_decision_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_evidence_file_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_file")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_evidence_file_organisation_id_id")),
    )
    op.create_index(op.f("ix_evidence_file_organisation_id_buyer_id"), "evidence_file", ["organisation_id", "buyer_id"])
    op.create_index(op.f("ix_evidence_file_organisation_id_decision_id"), "evidence_file", ["organisation_id", "decision_id"])

    op.create_table(
        "insurer_connection",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("addresses", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("policy_key", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("credentials", sa.String(length=4000), nullable=False),
        sa.Column("options", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("capabilities", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("sync_every_minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stale_after_minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("look_up_budget", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("push_key", sa.String(length=64), nullable=True),
        sa.Column("sync_cursor", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("last_good_sync_at", UTCDateTime(), nullable=True),
        sa.Column("stopped_because", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_insurer_connection_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_insurer_connection_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurer_connection")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_insurer_connection_organisation_id_id")),
        sa.UniqueConstraint("organisation_id", "policy_id", name=op.f("uq_insurer_connection_organisation_id_policy_id")),
        sa.UniqueConstraint("organisation_id", "push_key", name=op.f("uq_insurer_connection_organisation_id_push_key")),
    )
    op.create_table(
        "limit_fee",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("fee_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_limit_fee_organisation_id_policy_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_limit_fee_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_fee")),
        sa.UniqueConstraint("organisation_id", "policy_id", "kind", name=op.f("uq_limit_fee_organisation_id_policy_id_kind")),
    )
    op.create_table(
        "work_item",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("done_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(["done_by_id"], ["app_user.id"], name=op.f("fk_work_item_done_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_work_item_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_work_item_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_work_item_organisation_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_work_item_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_item")),
        sa.UniqueConstraint("organisation_id", "kind", "cause", name=op.f("uq_work_item_organisation_id_kind_cause")),
    )
    op.create_index(op.f("ix_work_item_organisation_id_buyer_id"), "work_item", ["organisation_id", "buyer_id"])
    op.create_index(op.f("ix_work_item_organisation_id_done_at_due_on"), "work_item", ["organisation_id", "done_at", "due_on"])

    op.create_table(
        "credit_report",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agency", sa.String(length=120), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("is_approved_agency", sa.Boolean(), nullable=False),
        sa.Column("is_unfavourable", sa.Boolean(), nullable=False),
        sa.Column("evidence_file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_credit_report_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_credit_report_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "evidence_file_id"],
            ["evidence_file.organisation_id", "evidence_file.id"],
            name=op.f("fk_credit_report_organisation_id_evidence_file_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_credit_report_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_report")),
    )
    op.create_index(
        op.f("ix_credit_report_organisation_id_buyer_id_reported_on"), "credit_report", ["organisation_id", "buyer_id", "reported_on"]
    )

    op.create_table(
        "discretionary_assessment",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("is_usable", sa.Boolean(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("facts_sha256", sa.String(length=64), nullable=False),
        sa.Column("trace", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_discretionary_assessment_created_by_id")),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["limit_decision.id"], name=op.f("fk_discretionary_assessment_decision_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_discretionary_assessment_organisation_id_buyer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_discretionary_assessment_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_discretionary_assessment_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discretionary_assessment")),
    )
    op.create_index(
        "ix_discretionary_assessment_account", "discretionary_assessment", ["organisation_id", "policy_id", "buyer_id", "assessed_on"]
    )
    op.create_index(
        op.f("ix_discretionary_assessment_organisation_id_valid_to"), "discretionary_assessment", ["organisation_id", "valid_to"]
    )

    op.create_table(
        "inbox_message",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery", sa.String(length=80), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("headers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("received", "applied", "duplicate", "rejected", name="state", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("repeated", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("error", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("applied_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "connection_id"],
            ["insurer_connection.organisation_id", "insurer_connection.id"],
            name=op.f("fk_inbox_message_organisation_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_inbox_message_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_message")),
        sa.UniqueConstraint(
            "organisation_id", "connection_id", "delivery", name=op.f("uq_inbox_message_organisation_id_connection_id_delivery")
        ),
    )
    op.create_index(op.f("ix_inbox_message_organisation_id_state_id"), "inbox_message", ["organisation_id", "state", "id"])

    op.create_table(
        "insurer_cover_version",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cover_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=80), nullable=False),
        sa.Column("company_name", sa.String(length=300), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("picture", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("missing_since", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["limit_decision.id"], name=op.f("fk_insurer_cover_version_decision_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "connection_id"],
            ["insurer_connection.organisation_id", "insurer_connection.id"],
            name=op.f("fk_insurer_cover_version_organisation_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_insurer_cover_version_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurer_cover_version")),
        sa.UniqueConstraint("organisation_id", "connection_id", "cover_id", name="uq_insurer_cover_version_cover"),
    )
    op.create_index(op.f("ix_insurer_cover_version_organisation_id_buyer_id"), "insurer_cover_version", ["organisation_id", "buyer_id"])
    op.create_index("ix_insurer_cover_version_company", "insurer_cover_version", ["organisation_id", "connection_id", "company_id"])

    op.create_table(
        "insurer_exchange",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("status", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("milliseconds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("correlation", sa.String(length=80), nullable=False),
        sa.Column("request", sa.String(length=4000), nullable=False),
        sa.Column("reply", sa.String(length=4000), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "connection_id"],
            ["insurer_connection.organisation_id", "insurer_connection.id"],
            name=op.f("fk_insurer_exchange_organisation_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_insurer_exchange_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurer_exchange")),
    )
    op.create_index(
        op.f("ix_insurer_exchange_organisation_id_connection_id_at"), "insurer_exchange", ["organisation_id", "connection_id", "at"]
    )

    op.create_table(
        "limit_request",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "request_type",
            sa.Enum("new", "increase", "reduce", "cancel", name="request_type", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "layer", sa.Enum("primary", "top_up", name="layer", native_enum=False, create_constraint=True, length=40), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "named",
                "credit_check",
                "start_cover",
                "discretionary",
                "blind",
                "temporary",
                "top_up",
                "pre_shipment",
                "non_cancellable",
                "group",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "awaiting_approval",
                "rejected",
                "submitted",
                "referred",
                "decided",
                "in_force",
                "reduced",
                "withdrawn",
                "expired",
                "cancelled",
                "superseded",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "full",
                "partial",
                "refused",
                "conditional",
                "preliminary",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "pending_action",
            sa.Enum(
                "waiting_to_be_sent",
                "sending_failed",
                "insurer_asks_information",
                "cancellation_pending",
                "withdrawal_announced",
                "reduction_announced",
                "expiry_near",
                name="pending_action",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("pending_on", sa.Date(), nullable=True),
        sa.Column("requested_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.String(length=1000), nullable=False),
        sa.Column("own_reference", sa.String(length=40), nullable=False),
        sa.Column("insurer_reference", sa.String(length=80), nullable=True),
        sa.Column("request_decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("bulk", sa.String(length=40), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("submitted_at", UTCDateTime(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("requested_minor IS NULL OR requested_minor >= 0", name=op.f("ck_limit_request_requested_not_negative")),
        sa.ForeignKeyConstraint(["approved_by_id"], ["app_user.id"], name=op.f("fk_limit_request_approved_by_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_limit_request_created_by_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["limit_decision.id"], name=op.f("fk_limit_request_decision_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_limit_request_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_limit_request_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_limit_request_organisation_id")),
        sa.ForeignKeyConstraint(
            ["request_decision_id"], ["limit_decision.id"], name=op.f("fk_limit_request_request_decision_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_request")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_limit_request_organisation_id_id")),
        sa.UniqueConstraint("organisation_id", "own_reference", name=op.f("uq_limit_request_organisation_id_own_reference")),
    )
    op.create_index(
        op.f("ix_limit_request_organisation_id_buyer_id_policy_id"), "limit_request", ["organisation_id", "buyer_id", "policy_id"]
    )
    op.create_index(
        op.f("ix_limit_request_organisation_id_policy_id_insurer_reference"),
        "limit_request",
        ["organisation_id", "policy_id", "insurer_reference"],
    )
    op.create_index(op.f("ix_limit_request_organisation_id_state_id"), "limit_request", ["organisation_id", "state", "id"])

    op.create_table(
        "look_up",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("confirmed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("found", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("cost_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["app_user.id"], name=op.f("fk_look_up_confirmed_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "connection_id"],
            ["insurer_connection.organisation_id", "insurer_connection.id"],
            name=op.f("fk_look_up_organisation_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_look_up_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look_up")),
    )
    op.create_index(op.f("ix_look_up_organisation_id_connection_id_made_on"), "look_up", ["organisation_id", "connection_id", "made_on"])

    op.create_table(
        "sync_difference",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing_here",
                "missing_there",
                "amount",
                "currency",
                "dates",
                "status",
                "manual_kept",
                "buyer_unknown",
                "unreadable",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("company_name", sa.String(length=300), nullable=False),
        sa.Column("ours", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("theirs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("first_seen_at", UTCDateTime(), nullable=False),
        sa.Column("last_seen_at", UTCDateTime(), nullable=False),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "connection_id"],
            ["insurer_connection.organisation_id", "insurer_connection.id"],
            name=op.f("fk_sync_difference_organisation_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_sync_difference_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_difference")),
        sa.UniqueConstraint(
            "organisation_id",
            "connection_id",
            "kind",
            "subject",
            name=op.f("uq_sync_difference_organisation_id_connection_id_kind_subject"),
        ),
    )
    op.create_index(op.f("ix_sync_difference_organisation_id_resolved_at"), "sync_difference", ["organisation_id", "resolved_at"])

    op.create_table(
        "sync_run",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running", "done", "partly", "failed", "interrupted", name="state", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("network_milliseconds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("error", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "connection_id"],
            ["insurer_connection.organisation_id", "insurer_connection.id"],
            name=op.f("fk_sync_run_organisation_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_sync_run_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_run")),
    )
    op.create_index(
        op.f("ix_sync_run_organisation_id_connection_id_started_at"), "sync_run", ["organisation_id", "connection_id", "started_at"]
    )

    op.create_table(
        "outbox_message",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("limit_request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("own_reference", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "uncertain",
                "sent",
                "failed",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=False),
        sa.Column("last_error", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("insurer_reference", sa.String(length=80), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "connection_id"],
            ["insurer_connection.organisation_id", "insurer_connection.id"],
            name=op.f("fk_outbox_message_organisation_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "limit_request_id"],
            ["limit_request.organisation_id", "limit_request.id"],
            name=op.f("fk_outbox_message_organisation_id_limit_request_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_outbox_message_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("organisation_id", "own_reference", name=op.f("uq_outbox_message_organisation_id_own_reference")),
    )
    op.create_index(
        op.f("ix_outbox_message_organisation_id_state_next_attempt_at"), "outbox_message", ["organisation_id", "state", "next_attempt_at"]
    )

    op.create_table(
        "shipment_check",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_reference", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("rate", ExactDecimal(), nullable=False),
        sa.Column("credit_terms_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ship_on", sa.Date(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("covered_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("limit_currency", sa.String(length=3), nullable=False),
        sa.Column("answer", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("trace", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reserved_until", sa.Date(), nullable=True),
        sa.Column("released_at", UTCDateTime(), nullable=True),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_shipment_check_amount_positive")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_shipment_check_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_shipment_check_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_shipment_check_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_shipment_check_invoice_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_shipment_check_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_shipment_check_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_check")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_shipment_check_organisation_id_id")),
    )
    op.create_index(
        op.f("ix_shipment_check_organisation_id_buyer_id_asked_on"), "shipment_check", ["organisation_id", "buyer_id", "asked_on"]
    )
    op.create_index(op.f("ix_shipment_check_organisation_id_order_reference"), "shipment_check", ["organisation_id", "order_reference"])
    op.create_index(op.f("ix_shipment_check_invoice_id"), "shipment_check", ["invoice_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_shipment_check_invoice_id"), table_name="shipment_check")
    op.drop_index(op.f("ix_shipment_check_organisation_id_order_reference"), table_name="shipment_check")
    op.drop_index(op.f("ix_shipment_check_organisation_id_buyer_id_asked_on"), table_name="shipment_check")

    op.drop_table("shipment_check")
    op.drop_index(op.f("ix_outbox_message_organisation_id_state_next_attempt_at"), table_name="outbox_message")

    op.drop_table("outbox_message")
    op.drop_index(op.f("ix_sync_run_organisation_id_connection_id_started_at"), table_name="sync_run")

    op.drop_table("sync_run")
    op.drop_index(op.f("ix_sync_difference_organisation_id_resolved_at"), table_name="sync_difference")

    op.drop_table("sync_difference")
    op.drop_index(op.f("ix_look_up_organisation_id_connection_id_made_on"), table_name="look_up")

    op.drop_table("look_up")
    op.drop_index(op.f("ix_limit_request_organisation_id_state_id"), table_name="limit_request")
    op.drop_index(op.f("ix_limit_request_organisation_id_policy_id_insurer_reference"), table_name="limit_request")
    op.drop_index(op.f("ix_limit_request_organisation_id_buyer_id_policy_id"), table_name="limit_request")

    op.drop_table("limit_request")
    op.drop_index(op.f("ix_insurer_exchange_organisation_id_connection_id_at"), table_name="insurer_exchange")

    op.drop_table("insurer_exchange")
    op.drop_index("ix_insurer_cover_version_company", table_name="insurer_cover_version")
    op.drop_index(op.f("ix_insurer_cover_version_organisation_id_buyer_id"), table_name="insurer_cover_version")

    op.drop_table("insurer_cover_version")
    op.drop_index(op.f("ix_inbox_message_organisation_id_state_id"), table_name="inbox_message")

    op.drop_table("inbox_message")
    op.drop_index(op.f("ix_discretionary_assessment_organisation_id_valid_to"), table_name="discretionary_assessment")
    op.drop_index("ix_discretionary_assessment_account", table_name="discretionary_assessment")

    op.drop_table("discretionary_assessment")
    op.drop_index(op.f("ix_credit_report_organisation_id_buyer_id_reported_on"), table_name="credit_report")

    op.drop_table("credit_report")
    op.drop_index(op.f("ix_work_item_organisation_id_done_at_due_on"), table_name="work_item")
    op.drop_index(op.f("ix_work_item_organisation_id_buyer_id"), table_name="work_item")

    op.drop_table("work_item")
    op.drop_table("limit_fee")
    op.drop_table("insurer_connection")
    op.drop_index(op.f("ix_evidence_file_organisation_id_decision_id"), table_name="evidence_file")
    op.drop_index(op.f("ix_evidence_file_organisation_id_buyer_id"), table_name="evidence_file")

    op.drop_table("evidence_file")
    op.drop_table("schedule_setting")
    op.drop_table("approval_threshold")
    op.drop_table("api_token")
