"""The foundation: organisations, people, buyers, policies, limits, receivables, cover, journal and long work.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from insureflow.models.base import ExactDecimal, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = "the journal is append-only"


def _protect_journal() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER journal_entry_no_{verb} BEFORE {verb.upper()} ON journal_entry "
                f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION journal_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE ON journal_entry "
        "FOR EACH ROW EXECUTE FUNCTION journal_entry_is_append_only()"
    )
    op.execute(
        "CREATE TRIGGER journal_entry_no_truncate BEFORE TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_entry_is_append_only()"
    )


def _unprotect_journal() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER journal_entry_no_{verb}")
        return
    op.execute("DROP TRIGGER journal_entry_no_truncate ON journal_entry")
    op.execute("DROP TRIGGER journal_entry_append_only ON journal_entry")
    op.execute("DROP FUNCTION journal_entry_is_append_only()")


def upgrade() -> None:
    op.create_table(
        "app_role",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=True),
        sa.Column("permissions", sa.UnicodeText(), nullable=True),
        sa.Column("update_datetime", UTCDateTime(), server_default=sa.text("(CURRENT_TIMESTAMP)"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_role")),
        sa.UniqueConstraint("name", name=op.f("uq_app_role_name")),
    )
    op.create_table(
        "app_user",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=True),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", UTCDateTime(), nullable=True),
        sa.Column("last_login_at", UTCDateTime(), nullable=True),
        sa.Column("current_login_at", UTCDateTime(), nullable=True),
        sa.Column("last_login_ip", sa.String(length=64), nullable=True),
        sa.Column("current_login_ip", sa.String(length=64), nullable=True),
        sa.Column("login_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tf_primary_method", sa.String(length=64), nullable=True),
        sa.Column("tf_totp_secret", sa.String(length=255), nullable=True),
        sa.Column("tf_phone_number", sa.String(length=128), nullable=True),
        sa.Column("us_totp_secrets", sa.Text(), nullable=True),
        sa.Column("us_phone_number", sa.String(length=128), nullable=True),
        sa.Column("fs_webauthn_user_handle", sa.String(length=64), nullable=True),
        sa.Column("mf_recovery_codes", sa.UnicodeText(), nullable=True),
        sa.Column("create_datetime", UTCDateTime(), server_default=sa.text("(CURRENT_TIMESTAMP)"), nullable=False),
        sa.Column("update_datetime", UTCDateTime(), server_default=sa.text("(CURRENT_TIMESTAMP)"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("email", name=op.f("uq_app_user_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_app_user_fs_uniquifier")),
        sa.UniqueConstraint("fs_webauthn_user_handle", name=op.f("uq_app_user_fs_webauthn_user_handle")),
        sa.UniqueConstraint("us_phone_number", name=op.f("uq_app_user_us_phone_number")),
        sa.UniqueConstraint("username", name=op.f("uq_app_user_username")),
    )
    op.create_table(
        "job_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("error", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "period", name=op.f("uq_job_run_job_period")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reporting_currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("slug", name=op.f("uq_organisation_slug")),
    )
    op.create_table(
        "buyer",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("legal_name", sa.String(length=300), nullable=False),
        sa.Column("search_name", sa.String(length=300), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("sector", sa.String(length=10), nullable=True),
        sa.Column(
            "status",
            sa.Enum("active", "to_review", "archived", name="status", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "not_insurable",
            sa.Enum(
                "affiliate",
                "private_person",
                "public_buyer",
                "other",
                name="not_insurable",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("natural_person", sa.Boolean(), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_buyer_not_own_parent")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "parent_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_buyer_organisation_id_parent_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_buyer_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buyer")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_buyer_organisation_id_id")),
    )
    with op.batch_alter_table("buyer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_buyer_organisation_id_country"), ["organisation_id", "country"], unique=False)
        batch_op.create_index(batch_op.f("ix_buyer_organisation_id_parent_id"), ["organisation_id", "parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_buyer_organisation_id_search_name"), ["organisation_id", "search_name"], unique=False)

    op.create_table(
        "entity",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_entity_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity")),
        sa.UniqueConstraint("organisation_id", "code", name=op.f("uq_entity_organisation_id_code")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_entity_organisation_id_id")),
    )
    op.create_table(
        "import_profile",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_import_profile_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_profile")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_import_profile_organisation_id_name")),
    )
    op.create_table(
        "journal_entry",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject_type", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_journal_entry_sequence_positive")),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_journal_entry_actor_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_journal_entry_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entry")),
        sa.UniqueConstraint("organisation_id", "sequence", name=op.f("uq_journal_entry_organisation_id_sequence")),
    )
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_journal_entry_organisation_id_subject_type_subject_id"),
            ["organisation_id", "subject_type", "subject_id"],
            unique=False,
        )

    op.create_table(
        "manual_rate",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("base", sa.String(length=3), nullable=False),
        sa.Column("quote", sa.String(length=3), nullable=False),
        sa.Column("valid_on", sa.Date(), nullable=False),
        sa.Column("rate", ExactDecimal(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_manual_rate_created_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_manual_rate_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_rate")),
        sa.UniqueConstraint(
            "organisation_id", "base", "quote", "valid_on", name=op.f("uq_manual_rate_organisation_id_base_quote_valid_on")
        ),
    )
    with op.batch_alter_table("manual_rate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_manual_rate_organisation_id_quote"), ["organisation_id", "quote"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_membership_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_membership_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("organisation_id", "user_id", name=op.f("uq_membership_organisation_id_user_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "policy",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("insurer", sa.String(length=60), nullable=False),
        sa.Column("product", sa.String(length=120), nullable=False),
        sa.Column("preset", sa.String(length=80), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("limit_currency", sa.String(length=3), nullable=False),
        sa.Column("priority", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_policy_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_policy_organisation_id_id")),
        sa.UniqueConstraint("organisation_id", "number", name=op.f("uq_policy_organisation_id_number")),
    )
    op.create_table(
        "roles_users",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["app_role.id"], name=op.f("fk_roles_users_role_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_roles_users_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_roles_users")),
    )
    op.create_table(
        "saved_view",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("page", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("query", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_saved_view_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_saved_view_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("organisation_id", "user_id", "page", "name", name=op.f("uq_saved_view_organisation_id_user_id_page_name")),
    )
    op.create_table(
        "stored_file",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_stored_file_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_stored_file_organisation_id_id")),
    )
    op.create_table(
        "task",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("parameters", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "failed",
                "cancelled",
                "interrupted",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("progress_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("progress_total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("result", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("error", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("heartbeat_at", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_task_created_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_task_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_organisation_id_created_at"), ["organisation_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_state_id"), ["state", "id"], unique=False)

    op.create_table(
        "account_state",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("limit_currency", sa.String(length=3), nullable=False),
        sa.Column("limit_primary_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("limit_top_up_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reserved_primary_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reserved_top_up_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_account_state_interval")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_account_state_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_account_state_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_account_state_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_state")),
        sa.UniqueConstraint(
            "organisation_id",
            "policy_id",
            "buyer_id",
            "valid_from",
            name=op.f("uq_account_state_organisation_id_policy_id_buyer_id_valid_from"),
        ),
    )
    with op.batch_alter_table("account_state", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_state_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_state_organisation_id_valid_to"), ["organisation_id", "valid_to"], unique=False)

    op.create_table(
        "buyer_address",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("registered", "invoice", "delivery", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("street", sa.String(length=300), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("region", sa.String(length=120), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_buyer_address_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_buyer_address_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buyer_address")),
    )
    with op.batch_alter_table("buyer_address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_buyer_address_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "buyer_identifier",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "scheme",
            sa.Enum("registration", "vat", "lei", name="scheme", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("value", sa.String(length=60), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_buyer_identifier_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_buyer_identifier_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buyer_identifier")),
        sa.UniqueConstraint(
            "organisation_id", "scheme", "country", "value", name=op.f("uq_buyer_identifier_organisation_id_scheme_country_value")
        ),
    )
    with op.batch_alter_table("buyer_identifier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_buyer_identifier_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "buyer_name",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Enum("trading", "former", name="kind", native_enum=False, create_constraint=True, length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("search_name", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_buyer_name_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_buyer_name_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buyer_name")),
        sa.UniqueConstraint("organisation_id", "buyer_id", "kind", "name", name=op.f("uq_buyer_name_organisation_id_buyer_id_kind_name")),
    )
    op.create_table(
        "customer_number",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_customer_number_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_customer_number_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_customer_number_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_number")),
        sa.UniqueConstraint("organisation_id", "entity_id", "number", name=op.f("uq_customer_number_organisation_id_entity_id_number")),
    )
    with op.batch_alter_table("customer_number", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_number_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "exposure",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("ledger_open_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unapplied_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("limit_currency", sa.String(length=3), nullable=False),
        sa.Column("open_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("covered_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("no_policy_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("no_limit_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("over_limit_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ineligible_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stopped_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lost_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vat_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("liability_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_exposure_interval")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_exposure_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_exposure_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_exposure_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposure")),
    )
    with op.batch_alter_table("exposure", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_exposure_organisation_id_buyer_id_policy_id"), ["organisation_id", "buyer_id", "policy_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_exposure_organisation_id_valid_to_valid_from"), ["organisation_id", "valid_to", "valid_from"], unique=False
        )

    op.create_table(
        "import_batch",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("profile", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("options", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "uploaded",
                "checked",
                "running",
                "done",
                "refused",
                "interrupted",
                "cancelled",
                "undone",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("mode IN ('movements', 'open_items')", name=op.f("ck_import_batch_mode")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_import_batch_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_import_batch_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "file_id"],
            ["stored_file.organisation_id", "stored_file.id"],
            name=op.f("fk_import_batch_organisation_id_file_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_import_batch_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_import_batch_organisation_id_id")),
    )
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_import_batch_organisation_id_entity_id_file_sha256"),
            ["organisation_id", "entity_id", "file_sha256"],
            unique=False,
        )

    op.create_table(
        "insured_entity",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"],
            ["entity.organisation_id", "entity.id"],
            name=op.f("fk_insured_entity_organisation_id_entity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_insured_entity_organisation_id_policy_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_insured_entity_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insured_entity")),
        sa.UniqueConstraint(
            "organisation_id", "policy_id", "entity_id", name=op.f("uq_insured_entity_organisation_id_policy_id_entity_id")
        ),
    )
    op.create_table(
        "insurer_identity",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("insurer", sa.String(length=60), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_insurer_identity_organisation_id_buyer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_insurer_identity_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurer_identity")),
        sa.UniqueConstraint("organisation_id", "insurer", "number", name=op.f("uq_insurer_identity_organisation_id_insurer_number")),
    )
    with op.batch_alter_table("insurer_identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_insurer_identity_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "limit_decision",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        sa.Column("requested_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("rate", ExactDecimal(), nullable=False),
        sa.Column("rate_source", sa.String(length=80), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("conditions", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("insurer_reference", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "(status IN ('requested', 'withdrawn')) = (decided_minor IS NULL)", name=op.f("ck_limit_decision_decided_when_decided")
        ),
        sa.CheckConstraint("decided_minor IS NULL OR decided_minor >= 0", name=op.f("ck_limit_decision_decided_not_negative")),
        sa.CheckConstraint("requested_minor IS NULL OR requested_minor >= 0", name=op.f("ck_limit_decision_requested_not_negative")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= decided_on", name=op.f("ck_limit_decision_valid_after_decision")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_limit_decision_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_limit_decision_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_limit_decision_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_limit_decision_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_decision")),
        sa.UniqueConstraint(
            "organisation_id", "policy_id", "insurer_reference", name=op.f("uq_limit_decision_organisation_id_policy_id_insurer_reference")
        ),
    )
    with op.batch_alter_table("limit_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_limit_decision_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_limit_decision_organisation_id_policy_id_buyer_id_decided_on"),
            ["organisation_id", "policy_id", "buyer_id", "decided_on"],
            unique=False,
        )

    op.create_table(
        "obligation_mark",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("marked_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("mark IN ('done', 'waived')", name=op.f("ck_obligation_mark_mark")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_obligation_mark_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_obligation_mark_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_obligation_mark_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation_mark")),
        sa.UniqueConstraint(
            "organisation_id",
            "policy_id",
            "buyer_id",
            "invoice_id",
            "kind",
            "due_on",
            name=op.f("uq_obligation_mark_organisation_id_policy_id_buyer_id_invoice_id_kind_due_on"),
        ),
    )
    op.create_table(
        "policy_terms_version",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_policy_terms_version_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_policy_terms_version_organisation_id_policy_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_policy_terms_version_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_terms_version")),
        sa.UniqueConstraint(
            "organisation_id", "policy_id", "effective_on", name=op.f("uq_policy_terms_version_organisation_id_policy_id_effective_on")
        ),
    )
    with op.batch_alter_table("policy_terms_version", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policy_terms_version_organisation_id_policy_id"), ["organisation_id", "policy_id"], unique=False
        )

    op.create_table(
        "import_problem",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("parameters", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("warning", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "batch_id"],
            ["import_batch.organisation_id", "import_batch.id"],
            name=op.f("fk_import_problem_organisation_id_batch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_import_problem_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_problem")),
    )
    with op.batch_alter_table("import_problem", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_import_problem_organisation_id_batch_id_row"), ["organisation_id", "batch_id", "row"], unique=False
        )

    op.create_table(
        "invoice",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vat_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("open_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rate", ExactDecimal(), nullable=True),
        sa.Column("rate_source", sa.String(length=80), nullable=False),
        sa.Column("invoice_on", sa.Date(), nullable=False),
        sa.Column("shipment_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("original_due_on", sa.Date(), nullable=False),
        sa.Column("terms", sa.String(length=60), nullable=False),
        sa.Column("was_disputed", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.CheckConstraint("net_minor >= 0 AND vat_minor >= 0", name=op.f("ck_invoice_amounts_not_negative")),
        sa.CheckConstraint("open_minor >= 0 AND open_minor <= net_minor + vat_minor", name=op.f("ck_invoice_open_within_gross")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "batch_id"],
            ["import_batch.organisation_id", "import_batch.id"],
            name=op.f("fk_invoice_organisation_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_invoice_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"], name=op.f("fk_invoice_organisation_id_entity_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_invoice_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_invoice_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("organisation_id", "entity_id", "number", name=op.f("uq_invoice_organisation_id_entity_id_number")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_invoice_organisation_id_id")),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index("ix_invoice_open_due", ["organisation_id", "due_on", "open_minor"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_organisation_id_batch_id"), ["organisation_id", "batch_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_invoice_organisation_id_buyer_id_policy_id"), ["organisation_id", "buyer_id", "policy_id"], unique=False
        )

    op.create_table(
        "payment",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unapplied_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rate", ExactDecimal(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("inferred", sa.Boolean(), nullable=False),
        sa.CheckConstraint("purpose IN ('ordinary', 'cash_or_prepaid_supply')", name=op.f("ck_payment_purpose")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount_positive")),
        sa.CheckConstraint("unapplied_minor >= 0 AND unapplied_minor <= amount_minor", name=op.f("ck_payment_unapplied_within_amount")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "batch_id"],
            ["import_batch.organisation_id", "import_batch.id"],
            name=op.f("fk_payment_organisation_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_payment_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"], name=op.f("fk_payment_organisation_id_entity_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_payment_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("organisation_id", "entity_id", "number", name=op.f("uq_payment_organisation_id_entity_id_number")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_payment_organisation_id_id")),
    )
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_organisation_id_batch_id"), ["organisation_id", "batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)

    op.create_table(
        "account_act",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "stop_cover",
                "stop_cover_lifted",
                "consent",
                "extension",
                "overdue_notification",
                "buyer_grade",
                "date_of_loss",
                "insolvency",
                "claim_filed",
                "collection_started",
                "adverse_information",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_account_act_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_account_act_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "invoice_id"],
            ["invoice.organisation_id", "invoice.id"],
            name=op.f("fk_account_act_organisation_id_invoice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_account_act_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_account_act_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_act")),
    )
    with op.batch_alter_table("account_act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_act_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_act_organisation_id_invoice_id"), ["organisation_id", "invoice_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_account_act_organisation_id_policy_id_buyer_id_happened_on"),
            ["organisation_id", "policy_id", "buyer_id", "happened_on"],
            unique=False,
        )

    op.create_table(
        "credit_note",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vat_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unapplied_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rate", ExactDecimal(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.CheckConstraint("net_minor >= 0 AND vat_minor >= 0", name=op.f("ck_credit_note_amounts_not_negative")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "batch_id"],
            ["import_batch.organisation_id", "import_batch.id"],
            name=op.f("fk_credit_note_organisation_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_credit_note_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"], name=op.f("fk_credit_note_organisation_id_entity_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "invoice_id"],
            ["invoice.organisation_id", "invoice.id"],
            name=op.f("fk_credit_note_organisation_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_credit_note_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note")),
        sa.UniqueConstraint("organisation_id", "entity_id", "number", name=op.f("uq_credit_note_organisation_id_entity_id_number")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_credit_note_organisation_id_id")),
    )
    with op.batch_alter_table("credit_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_note_organisation_id_batch_id"), ["organisation_id", "batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_credit_note_organisation_id_buyer_id"), ["organisation_id", "buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_credit_note_organisation_id_invoice_id"), ["organisation_id", "invoice_id"], unique=False)

    op.create_table(
        "dispute",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.Column("found_owed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("(resolved_on IS NULL) = (found_owed_minor IS NULL)", name=op.f("ck_dispute_resolved_with_outcome")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dispute_amount_positive")),
        sa.CheckConstraint("resolved_on IS NULL OR resolved_on >= opened_on", name=op.f("ck_dispute_resolved_after_opened")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "invoice_id"],
            ["invoice.organisation_id", "invoice.id"],
            name=op.f("fk_dispute_organisation_id_invoice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_dispute_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dispute_organisation_id_invoice_id"), ["organisation_id", "invoice_id"], unique=False)

    op.create_table(
        "invoice_position",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("ledger_open_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("limit_currency", sa.String(length=3), nullable=False),
        sa.Column("open_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("primary_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("top_up_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("excluded_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("excluded_reason", sa.String(length=40), nullable=True),
        sa.Column("vat_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("over_limit_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("insured_percentage", ExactDecimal(), nullable=True),
        sa.CheckConstraint(
            "open_minor = primary_minor + top_up_minor + excluded_minor + vat_minor + disputed_minor + over_limit_minor",
            name=op.f("ck_invoice_position_parts_sum_to_open"),
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_invoice_position_interval")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"],
            ["buyer.organisation_id", "buyer.id"],
            name=op.f("fk_invoice_position_organisation_id_buyer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "invoice_id"],
            ["invoice.organisation_id", "invoice.id"],
            name=op.f("fk_invoice_position_organisation_id_invoice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"],
            ["policy.organisation_id", "policy.id"],
            name=op.f("fk_invoice_position_organisation_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_invoice_position_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_position")),
        sa.UniqueConstraint(
            "organisation_id", "invoice_id", "valid_from", name=op.f("uq_invoice_position_organisation_id_invoice_id_valid_from")
        ),
    )
    with op.batch_alter_table("invoice_position", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invoice_position_organisation_id_buyer_id_policy_id_valid_to"),
            ["organisation_id", "buyer_id", "policy_id", "valid_to"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_invoice_position_organisation_id_valid_to_valid_from"),
            ["organisation_id", "valid_to", "valid_from"],
            unique=False,
        )

    op.create_table(
        "obligation",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.String(length=120), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("trace", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], name=op.f("fk_obligation_organisation_id_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "invoice_id"],
            ["invoice.organisation_id", "invoice.id"],
            name=op.f("fk_obligation_organisation_id_invoice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], name=op.f("fk_obligation_organisation_id_policy_id")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_obligation_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
    )
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_obligation_organisation_id_buyer_id_policy_id"), ["organisation_id", "buyer_id", "policy_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_obligation_organisation_id_due_on"), ["organisation_id", "due_on"], unique=False)

    op.create_table(
        "allocation",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("allocated_on", sa.Date(), nullable=False),
        sa.CheckConstraint("(payment_id IS NULL) <> (credit_note_id IS NULL)", name=op.f("ck_allocation_one_source")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_allocation_amount_positive")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "credit_note_id"],
            ["credit_note.organisation_id", "credit_note.id"],
            name=op.f("fk_allocation_organisation_id_credit_note_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "invoice_id"],
            ["invoice.organisation_id", "invoice.id"],
            name=op.f("fk_allocation_organisation_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "payment_id"],
            ["payment.organisation_id", "payment.id"],
            name=op.f("fk_allocation_organisation_id_payment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_allocation_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
    )
    with op.batch_alter_table("allocation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_allocation_organisation_id_credit_note_id"), ["organisation_id", "credit_note_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_allocation_organisation_id_invoice_id"), ["organisation_id", "invoice_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_allocation_organisation_id_payment_id"), ["organisation_id", "payment_id"], unique=False)
    _protect_journal()


def downgrade() -> None:
    _unprotect_journal()
    with op.batch_alter_table("allocation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_allocation_organisation_id_payment_id"))
        batch_op.drop_index(batch_op.f("ix_allocation_organisation_id_invoice_id"))
        batch_op.drop_index(batch_op.f("ix_allocation_organisation_id_credit_note_id"))

    op.drop_table("allocation")
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_obligation_organisation_id_due_on"))
        batch_op.drop_index(batch_op.f("ix_obligation_organisation_id_buyer_id_policy_id"))

    op.drop_table("obligation")
    with op.batch_alter_table("invoice_position", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_position_organisation_id_valid_to_valid_from"))
        batch_op.drop_index(batch_op.f("ix_invoice_position_organisation_id_buyer_id_policy_id_valid_to"))

    op.drop_table("invoice_position")
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dispute_organisation_id_invoice_id"))

    op.drop_table("dispute")
    with op.batch_alter_table("credit_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_note_organisation_id_invoice_id"))
        batch_op.drop_index(batch_op.f("ix_credit_note_organisation_id_buyer_id"))
        batch_op.drop_index(batch_op.f("ix_credit_note_organisation_id_batch_id"))

    op.drop_table("credit_note")
    with op.batch_alter_table("account_act", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_act_organisation_id_policy_id_buyer_id_happened_on"))
        batch_op.drop_index(batch_op.f("ix_account_act_organisation_id_invoice_id"))
        batch_op.drop_index(batch_op.f("ix_account_act_organisation_id_buyer_id"))

    op.drop_table("account_act")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_organisation_id_buyer_id"))
        batch_op.drop_index(batch_op.f("ix_payment_organisation_id_batch_id"))

    op.drop_table("payment")
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_organisation_id_buyer_id_policy_id"))
        batch_op.drop_index(batch_op.f("ix_invoice_organisation_id_batch_id"))
        batch_op.drop_index("ix_invoice_open_due")

    op.drop_table("invoice")
    with op.batch_alter_table("import_problem", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_problem_organisation_id_batch_id_row"))

    op.drop_table("import_problem")
    with op.batch_alter_table("policy_terms_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_terms_version_organisation_id_policy_id"))

    op.drop_table("policy_terms_version")
    op.drop_table("obligation_mark")
    with op.batch_alter_table("limit_decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limit_decision_organisation_id_policy_id_buyer_id_decided_on"))
        batch_op.drop_index(batch_op.f("ix_limit_decision_organisation_id_buyer_id"))

    op.drop_table("limit_decision")
    with op.batch_alter_table("insurer_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_insurer_identity_organisation_id_buyer_id"))

    op.drop_table("insurer_identity")
    op.drop_table("insured_entity")
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_batch_organisation_id_entity_id_file_sha256"))

    op.drop_table("import_batch")
    with op.batch_alter_table("exposure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exposure_organisation_id_valid_to_valid_from"))
        batch_op.drop_index(batch_op.f("ix_exposure_organisation_id_buyer_id_policy_id"))

    op.drop_table("exposure")
    with op.batch_alter_table("customer_number", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_number_organisation_id_buyer_id"))

    op.drop_table("customer_number")
    op.drop_table("buyer_name")
    with op.batch_alter_table("buyer_identifier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_buyer_identifier_organisation_id_buyer_id"))

    op.drop_table("buyer_identifier")
    with op.batch_alter_table("buyer_address", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_buyer_address_organisation_id_buyer_id"))

    op.drop_table("buyer_address")
    with op.batch_alter_table("account_state", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_state_organisation_id_valid_to"))
        batch_op.drop_index(batch_op.f("ix_account_state_organisation_id_buyer_id"))

    op.drop_table("account_state")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_task_state_id"))
        batch_op.drop_index(batch_op.f("ix_task_organisation_id_created_at"))

    op.drop_table("task")
    op.drop_table("stored_file")
    op.drop_table("saved_view")
    op.drop_table("roles_users")
    op.drop_table("policy")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_user_id"))

    op.drop_table("membership")
    with op.batch_alter_table("manual_rate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manual_rate_organisation_id_quote"))

    op.drop_table("manual_rate")
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_entry_organisation_id_subject_type_subject_id"))

    op.drop_table("journal_entry")
    op.drop_table("import_profile")
    op.drop_table("entity")
    with op.batch_alter_table("buyer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_buyer_organisation_id_search_name"))
        batch_op.drop_index(batch_op.f("ix_buyer_organisation_id_parent_id"))
        batch_op.drop_index(batch_op.f("ix_buyer_organisation_id_country"))

    op.drop_table("buyer")
    op.drop_table("organisation")
    op.drop_table("job_run")
    op.drop_table("app_user")
    op.drop_table("app_role")
