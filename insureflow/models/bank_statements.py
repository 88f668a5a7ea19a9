"""What banks tell: accounts, statements, their entries, what was decided about each, and the accounts that buyers pay from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.bank_statements import BalanceCheck, EntryStatus, StatementKind
from insureflow.domain.cash_application import Confidence, DecisionKind, EntryState
from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor, optional_minor, vocabulary

_ACCOUNT = (["organisation_id", "account_id"], ["bank_account.organisation_id", "bank_account.id"])
_ENTRY = (["organisation_id", "entry_id"], ["bank_entry.organisation_id", "bank_entry.id"])


class BankAccount(TenantOwned, Base):
    """An account of an entity; a number with several currencies is one account for each."""

    __tablename__ = "bank_account"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number", "currency"),
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"]),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    number: Mapped[str] = mapped_column(String(64))
    currency: Mapped[currency_code]
    created_at: Mapped[datetime]


class BankStatement(TenantOwned, Base):
    """One statement or notice as it was sent; ``problems`` are entries that could not be read, ``warnings`` what is noteworthy."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        UniqueConstraint("organisation_id", "account_id", "identification", "mark", name="uq_bank_statement_identification"),
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(*_ACCOUNT),
        Index(None, "organisation_id", "imported_at"),
    )

    id: Mapped[key]
    account_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[StatementKind] = mapped_column(vocabulary(StatementKind, "kind"))
    source: Mapped[str] = mapped_column(String(40))
    identification: Mapped[str] = mapped_column(String(140))
    sequence: Mapped[str] = mapped_column(String(40), default="")
    mark: Mapped[str] = mapped_column(String(32))
    file_name: Mapped[str] = mapped_column(String(300))
    file_sha256: Mapped[str] = mapped_column(String(64))
    from_on: Mapped[date | None]
    to_on: Mapped[date | None]
    balance_currency: Mapped[str | None] = mapped_column(String(3))
    opening_minor: Mapped[optional_minor]
    closing_minor: Mapped[optional_minor]
    balance_check: Mapped[BalanceCheck] = mapped_column(vocabulary(BalanceCheck, "balance_check"))
    difference_minor: Mapped[optional_minor]
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    problems: Mapped[list[Any]] = mapped_column(Json, default=list)
    warnings: Mapped[list[Any]] = mapped_column(Json, default=list)
    imported_at: Mapped[datetime]
    imported_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class BankEntry(TenantOwned, Base):
    """One payment on an account. ``mark`` names its booking, whichever message told of it, and ``part`` the payment within.

    ``proposals`` are what it was last compared with; ``buyer_id`` is the buyer of the match or of the best proposal.
    """

    __tablename__ = "bank_entry"
    __table_args__ = (
        UniqueConstraint("organisation_id", "account_id", "mark", "part"),
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(*_ACCOUNT),
        ForeignKeyConstraint(["organisation_id", "statement_id"], ["bank_statement.organisation_id", "bank_statement.id"]),
        Index(None, "organisation_id", "account_id", "content_mark"),
        Index(None, "organisation_id", "statement_id"),
        Index(None, "organisation_id", "state", "booked_on"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )

    id: Mapped[key]
    account_id: Mapped[int] = mapped_column(BigId)
    statement_id: Mapped[int] = mapped_column(BigId)
    mark: Mapped[str] = mapped_column(String(32))
    content_mark: Mapped[str] = mapped_column(String(32))
    part: Mapped[int]
    parts: Mapped[int]
    amount_minor: Mapped[minor]
    currency: Mapped[currency_code]
    is_credit: Mapped[bool]
    is_reversal: Mapped[bool] = mapped_column(default=False)
    status: Mapped[EntryStatus] = mapped_column(vocabulary(EntryStatus, "status"))
    booked_on: Mapped[date | None]
    value_on: Mapped[date | None]
    bank_reference: Mapped[str] = mapped_column(String(140), default="")
    end_to_end_id: Mapped[str] = mapped_column(String(140), default="")
    references: Mapped[list[Any]] = mapped_column("payment_references", Json, default=list)
    text: Mapped[str] = mapped_column(String(4000), default="")
    payer_name: Mapped[str] = mapped_column(String(300), default="")
    payer_account: Mapped[str] = mapped_column(String(64), default="")
    instructed_minor: Mapped[optional_minor]
    instructed_currency: Mapped[str | None] = mapped_column(String(3))
    charges_minor: Mapped[minor] = mapped_column(default=0)
    code: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[EntryState] = mapped_column(vocabulary(EntryState, "state"))
    confidence: Mapped[Confidence] = mapped_column(vocabulary(Confidence, "confidence"), default=Confidence.NONE)
    designated: Mapped[list[Any]] = mapped_column(Json, default=list)
    proposals: Mapped[list[Any]] = mapped_column(Json, default=list)
    buyer_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("buyer.id", ondelete="SET NULL"))
    reverses_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("bank_entry.id", ondelete="SET NULL"))


class BankMatch(TenantOwned, Base):
    """What was decided about an entry. ``documents`` holds the keys of the payments and credit notes that were booked.

    ``details`` say what was known then: confidence, reasons, what the payer named, and what was settled.
    """

    __tablename__ = "bank_match"
    __table_args__ = (
        ForeignKeyConstraint(*_ENTRY, ondelete="CASCADE"),
        Index(None, "organisation_id", "entry_id"),
    )

    id: Mapped[key]
    entry_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[DecisionKind] = mapped_column(vocabulary(DecisionKind, "kind"))
    documents: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    note: Mapped[str] = mapped_column(String(1000), default="")
    decided_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class PayerAccount(TenantOwned, Base):
    """An account from which payments of a buyer have come, learned from a match."""

    __tablename__ = "payer_account"
    __table_args__ = (
        Index(None, "organisation_id", "number"),
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], ondelete="CASCADE"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    number: Mapped[str] = mapped_column(String(64))
    matches: Mapped[int] = mapped_column(default=1)
    learned_at: Mapped[datetime]


class CashTolerance(TenantOwned, Base):
    """How much less than is open may still settle an invoice of a currency."""

    __tablename__ = "cash_tolerance"
    __table_args__ = (
        UniqueConstraint("organisation_id", "currency"),
        CheckConstraint("charges_minor >= 0", name="charges_not_negative"),
        CheckConstraint("discount_days >= 0", name="days_not_negative"),
    )

    id: Mapped[key]
    currency: Mapped[currency_code]
    charges_minor: Mapped[minor]
    discount_percent: Mapped[Decimal]
    discount_days: Mapped[int | None]
