"""Positions say their entity and due day themselves, and two wide indexes hold all that is added up over whole portfolios.

What a page of exposure or a list of buyers adds up is read from one index in its order, without looking up a row of a position or
of an invoice.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_INDEXES = {
    "ix_invoice_position_by_account": [
        "organisation_id",
        "buyer_id",
        "policy_id",
        "currency",
        "limit_currency",
        "entity_id",
        "valid_to",
        "valid_from",
        "due_on",
        "ledger_open_minor",
        "open_minor",
        "primary_minor",
        "top_up_minor",
        "over_limit_minor",
        "excluded_reason",
        "excluded_minor",
        "vat_minor",
        "disputed_minor",
        "insured_percentage",
        "invoice_id",
    ],
    "ix_invoice_position_by_due_day": [
        "organisation_id",
        "due_on",
        "invoice_id",
        "valid_to",
        "valid_from",
        "buyer_id",
        "policy_id",
        "entity_id",
        "currency",
        "limit_currency",
        "ledger_open_minor",
        "open_minor",
        "primary_minor",
        "top_up_minor",
        "excluded_reason",
        "excluded_minor",
    ],
}

#: What the wide indexes take the place of.
_NARROW = {
    "ix_invoice_position_organisation_id_buyer_id_policy_id_valid_to": ["organisation_id", "buyer_id", "policy_id", "valid_to"],
    "ix_invoice_position_organisation_id_valid_to_valid_from": ["organisation_id", "valid_to", "valid_from"],
}

#: What the totals of the list of invoices are added up from.
_OF_INVOICES = ["organisation_id", "currency", "policy_id", "entity_id", "invoice_on", "net_minor", "vat_minor"]


def upgrade() -> None:
    for name in _NARROW:
        op.drop_index(op.f(name), table_name="invoice_position")
    op.add_column("invoice_position", sa.Column("entity_id", _BIG, nullable=True))
    op.add_column("invoice_position", sa.Column("due_on", sa.Date(), nullable=True))
    op.execute(
        "UPDATE invoice_position SET"
        " entity_id = (SELECT invoice.entity_id FROM invoice WHERE invoice.id = invoice_position.invoice_id),"
        " due_on = (SELECT invoice.due_on FROM invoice WHERE invoice.id = invoice_position.invoice_id)"
    )
    with op.batch_alter_table("invoice_position") as batch_op:
        batch_op.alter_column("entity_id", existing_type=_BIG, nullable=False)
        batch_op.alter_column("due_on", existing_type=sa.Date(), nullable=False)
    for name, columns in _INDEXES.items():
        op.create_index(name, "invoice_position", columns)
    op.create_index("ix_invoice_by_currency", "invoice", _OF_INVOICES)


def downgrade() -> None:
    op.drop_index("ix_invoice_by_currency", table_name="invoice")
    for name in _INDEXES:
        op.drop_index(name, table_name="invoice_position")
    with op.batch_alter_table("invoice_position") as batch_op:
        batch_op.drop_column("due_on")
        batch_op.drop_column("entity_id")
    for name, columns in _NARROW.items():
        op.create_index(op.f(name), "invoice_position", columns)
