"""The receivables ledger: invoices, credit notes, payments and what they settle, disputes, and the files they came from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.disputes import DisputeOutcome
from insureflow.domain.tasks import ImportState
from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor, optional_minor, vocabulary

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_ENTITY = (["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"])
_INVOICE = (["organisation_id", "invoice_id"], ["invoice.organisation_id", "invoice.id"])
_BATCH = (["organisation_id", "batch_id"], ["import_batch.organisation_id", "import_batch.id"])


class StoredFile(TenantOwned, Base):
    """A file somebody uploaded, kept byte for byte."""

    __tablename__ = "stored_file"
    __table_args__ = (UniqueConstraint("organisation_id", "id"),)

    id: Mapped[key]
    name: Mapped[str] = mapped_column(String(300))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]


class ImportProfile(TenantOwned, Base):
    """A named mapping of a ledger file's columns."""

    __tablename__ = "import_profile"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[key]
    name: Mapped[str] = mapped_column(String(80))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]


class ImportBatch(TenantOwned, Base):
    """One import of one ledger file: what was asked, what came of it, and whether it still stands."""

    __tablename__ = "import_batch"
    __table_args__ = (
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(*_ENTITY),
        ForeignKeyConstraint(["organisation_id", "file_id"], ["stored_file.organisation_id", "stored_file.id"]),
        Index(None, "organisation_id", "entity_id", "file_sha256"),
        CheckConstraint("mode IN ('movements', 'open_items')", name="mode"),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    file_id: Mapped[int | None] = mapped_column(BigId)
    file_name: Mapped[str] = mapped_column(String(300))
    file_sha256: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(40))
    as_of: Mapped[date]
    profile: Mapped[dict[str, Any]] = mapped_column(Json)
    options: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[ImportState] = mapped_column(vocabulary(ImportState, "state"))
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    finished_at: Mapped[datetime | None]


class ImportProblem(TenantOwned, Base):
    """A row of a file that could not be taken, or that was taken with a warning."""

    __tablename__ = "import_problem"
    __table_args__ = (
        ForeignKeyConstraint(*_BATCH, ondelete="CASCADE"),
        Index(None, "organisation_id", "batch_id", "row"),
    )

    id: Mapped[key]
    batch_id: Mapped[int] = mapped_column(BigId)
    row: Mapped[int]
    column: Mapped[str] = mapped_column(String(200))
    value: Mapped[str] = mapped_column(String(500))
    code: Mapped[str] = mapped_column(String(60))
    parameters: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    warning: Mapped[bool] = mapped_column(default=False)


class Invoice(TenantOwned, Base):
    """A receivable. ``open_minor`` is what the ledger says is open now; ``rate`` is limit currency for one unit of ``currency``."""

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("organisation_id", "entity_id", "number"),
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(*_ENTITY),
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        ForeignKeyConstraint(*_BATCH),
        Index(None, "organisation_id", "buyer_id", "policy_id"),
        Index(None, "organisation_id", "batch_id"),
        Index("ix_invoice_open_due", "organisation_id", "due_on", "open_minor"),
        Index("ix_invoice_by_currency", "organisation_id", "currency", "policy_id", "entity_id", "invoice_on", "net_minor", "vat_minor"),
        CheckConstraint("net_minor >= 0 AND vat_minor >= 0", name="amounts_not_negative"),
        CheckConstraint("open_minor >= 0 AND open_minor <= net_minor + vat_minor", name="open_within_gross"),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    batch_id: Mapped[int | None] = mapped_column(BigId)
    number: Mapped[str] = mapped_column(String(80))
    reference: Mapped[str] = mapped_column(String(200), default="")
    currency: Mapped[currency_code]
    net_minor: Mapped[minor]
    vat_minor: Mapped[minor]
    open_minor: Mapped[minor]
    rate: Mapped[Decimal | None]
    rate_source: Mapped[str] = mapped_column(String(80), default="")
    invoice_on: Mapped[date]
    shipment_on: Mapped[date]
    due_on: Mapped[date]
    original_due_on: Mapped[date]
    terms: Mapped[str] = mapped_column(String(60), default="")
    was_disputed: Mapped[bool] = mapped_column(default=False)
    fingerprint: Mapped[str] = mapped_column(String(64), default="")


class CreditNote(TenantOwned, Base):
    """A credit note; without ``invoice_id`` it is allocated like a payment."""

    __tablename__ = "credit_note"
    __table_args__ = (
        UniqueConstraint("organisation_id", "entity_id", "number"),
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(*_ENTITY),
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_INVOICE),
        ForeignKeyConstraint(*_BATCH),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "invoice_id"),
        Index(None, "organisation_id", "batch_id"),
        CheckConstraint("net_minor >= 0 AND vat_minor >= 0", name="amounts_not_negative"),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId)
    batch_id: Mapped[int | None] = mapped_column(BigId)
    number: Mapped[str] = mapped_column(String(80))
    currency: Mapped[currency_code]
    net_minor: Mapped[minor]
    vat_minor: Mapped[minor]
    unapplied_minor: Mapped[minor]
    rate: Mapped[Decimal | None]
    issued_on: Mapped[date]


class Payment(TenantOwned, Base):
    """Money received from a buyer; ``inferred`` marks one that follows from an item missing in an open-items list."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("organisation_id", "entity_id", "number"),
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(*_ENTITY),
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_BATCH),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "batch_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("unapplied_minor >= 0 AND unapplied_minor <= amount_minor", name="unapplied_within_amount"),
        CheckConstraint("purpose IN ('ordinary', 'cash_or_prepaid_supply')", name="purpose"),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    batch_id: Mapped[int | None] = mapped_column(BigId)
    number: Mapped[str] = mapped_column(String(120))
    currency: Mapped[currency_code]
    amount_minor: Mapped[minor]
    unapplied_minor: Mapped[minor]
    rate: Mapped[Decimal | None]
    received_on: Mapped[date]
    purpose: Mapped[str] = mapped_column(String(40), default="ordinary")
    inferred: Mapped[bool] = mapped_column(default=False)


class Allocation(TenantOwned, Base):
    """What a payment or credit note settles of an invoice in the ledger, in the invoice's currency, on a day."""

    __tablename__ = "allocation"
    __table_args__ = (
        ForeignKeyConstraint(*_INVOICE),
        ForeignKeyConstraint(["organisation_id", "payment_id"], ["payment.organisation_id", "payment.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["organisation_id", "credit_note_id"], ["credit_note.organisation_id", "credit_note.id"], ondelete="CASCADE"),
        Index(None, "organisation_id", "invoice_id"),
        Index(None, "organisation_id", "payment_id"),
        Index(None, "organisation_id", "credit_note_id"),
        CheckConstraint("(payment_id IS NULL) <> (credit_note_id IS NULL)", name="one_source"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
    )

    id: Mapped[key]
    invoice_id: Mapped[int] = mapped_column(BigId)
    payment_id: Mapped[int | None] = mapped_column(BigId)
    credit_note_id: Mapped[int | None] = mapped_column(BigId)
    amount_minor: Mapped[minor]
    allocated_on: Mapped[date]


class Dispute(TenantOwned, Base):
    """What a buyer disputes of an invoice, in the invoice's currency, and how it ended."""

    __tablename__ = "dispute"
    __table_args__ = (
        ForeignKeyConstraint(*_INVOICE, ondelete="CASCADE"),
        Index(None, "organisation_id", "invoice_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("(resolved_on IS NULL) = (found_owed_minor IS NULL)", name="resolved_with_outcome"),
        CheckConstraint("resolved_on IS NULL OR resolved_on >= opened_on", name="resolved_after_opened"),
    )

    id: Mapped[key]
    invoice_id: Mapped[int] = mapped_column(BigId)
    amount_minor: Mapped[minor]
    opened_on: Mapped[date]
    resolved_on: Mapped[date | None]
    found_owed_minor: Mapped[optional_minor]
    reason: Mapped[str] = mapped_column(String(1000), default="")
    outcome: Mapped[DisputeOutcome | None] = mapped_column(vocabulary(DisputeOutcome, "outcome"))
    reference: Mapped[str] = mapped_column(String(200), default="")
    is_ring_fenced: Mapped[bool] = mapped_column(default=False)
    batch_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]
