"""What the cover engine found: positions of invoices and states of accounts over time, and exposure today.

Everything here is derived and can be rebuilt from the ledger, the limits and the policies. Intervals are half-open;
``valid_to`` is ``FOREVER`` while nothing known ends them. They reach into the future as far as time alone changes anything,
so no figure grows stale because a job did not run.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor, optional_minor

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_POLICY = (["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"])
_INVOICE = (["organisation_id", "invoice_id"], ["invoice.organisation_id", "invoice.id"])


def _one_per_duty(table: str) -> tuple[Index, ...]:
    """At most one row for a duty of an invoice, of a buyer, of a policy: a unique key would take two empty columns for different."""

    def unique(name: str, columns: tuple[str, ...], where: str) -> Index:
        return Index(f"uq_{table}_{name}", *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))

    return (
        unique("of_invoice", ("organisation_id", "policy_id", "invoice_id", "kind", "due_on", "buyer_id"), "invoice_id IS NOT NULL"),
        unique("of_buyer", ("organisation_id", "policy_id", "buyer_id", "kind", "due_on"), "invoice_id IS NULL AND buyer_id IS NOT NULL"),
        unique("of_policy", ("organisation_id", "policy_id", "kind", "due_on"), "invoice_id IS NULL AND buyer_id IS NULL"),
    )


_BY_ACCOUNT = (
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
)

_BY_DUE_DAY = (
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
)


class InvoicePosition(TenantOwned, Base):
    """How one invoice stands during an interval.

    ``ledger_open_minor`` is in the invoice's currency, by the ledger's own allocation. Everything else is in the limit
    currency of the policy (without a policy: the invoice's currency), by the policy's allocation.
    ``excluded_reason`` carries ``excluded_minor``; ``open = primary + top_up + excluded + vat + disputed + over_limit``.
    Organisation, buyer, policy, entity and due day are those of the invoice, which is what proves them: no other key is checked for
    every row. The wide indexes hold all that is added up over whole portfolios, so that no row has to be looked up for it.
    """

    __tablename__ = "invoice_position"
    __table_args__ = (
        ForeignKeyConstraint(*_INVOICE, ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "invoice_id", "valid_from"),
        Index("ix_invoice_position_by_account", *_BY_ACCOUNT),
        Index("ix_invoice_position_by_due_day", *_BY_DUE_DAY),
        CheckConstraint("valid_to > valid_from", name="interval"),
        CheckConstraint(
            "open_minor = primary_minor + top_up_minor + excluded_minor + vat_minor + disputed_minor + over_limit_minor",
            name="parts_sum_to_open",
        ),
    )

    organisation_id: Mapped[int] = mapped_column(BigId, sort_order=-9)
    id: Mapped[key]
    invoice_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    currency: Mapped[currency_code]
    ledger_open_minor: Mapped[minor]
    limit_currency: Mapped[currency_code]
    open_minor: Mapped[minor]
    primary_minor: Mapped[minor]
    top_up_minor: Mapped[minor]
    excluded_minor: Mapped[minor]
    excluded_reason: Mapped[str | None] = mapped_column(String(40))
    vat_minor: Mapped[minor]
    disputed_minor: Mapped[minor]
    over_limit_minor: Mapped[minor]
    insured_percentage: Mapped[Decimal | None]
    entity_id: Mapped[int] = mapped_column(BigId)
    due_on: Mapped[date]


class AccountState(TenantOwned, Base):
    """How the account of a buyer under a policy stands during an interval: limits in force and stop of cover.

    ``reserved_…_minor`` is limit used by amounts in dispute, which are not covered but keep their place.
    """

    __tablename__ = "account_state"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        UniqueConstraint("organisation_id", "policy_id", "buyer_id", "valid_from"),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "valid_to"),
        CheckConstraint("valid_to > valid_from", name="interval"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    limit_currency: Mapped[currency_code]
    limit_primary_minor: Mapped[minor]
    limit_top_up_minor: Mapped[minor]
    reserved_primary_minor: Mapped[minor]
    reserved_top_up_minor: Mapped[minor]
    stopped: Mapped[bool]


class Exposure(TenantOwned, Base):
    """Exposure to a buyer under a policy in one ledger currency, from the day of its calculation on.

    ``ledger_open_minor`` and ``unapplied_minor`` are in ``currency``; everything else is in ``limit_currency``.
    ``liability_minor`` is the insurer's: covered amounts × insured percentage, rounded once per row.
    """

    __tablename__ = "exposure"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        Index(None, "organisation_id", "valid_to", "valid_from"),
        Index(None, "organisation_id", "buyer_id", "policy_id"),
        CheckConstraint("valid_to > valid_from", name="interval"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    currency: Mapped[currency_code]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    ledger_open_minor: Mapped[minor]
    unapplied_minor: Mapped[minor]
    limit_currency: Mapped[currency_code]
    open_minor: Mapped[minor]
    covered_minor: Mapped[minor]
    no_policy_minor: Mapped[minor]
    no_limit_minor: Mapped[minor]
    over_limit_minor: Mapped[minor]
    ineligible_minor: Mapped[minor]
    stopped_minor: Mapped[minor]
    lost_minor: Mapped[minor]
    vat_minor: Mapped[minor]
    disputed_minor: Mapped[minor]
    liability_minor: Mapped[minor]


class Obligation(TenantOwned, Base):
    """A duty or expected date that follows from the account of a buyer under a policy as it stands now."""

    __tablename__ = "obligation"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        ForeignKeyConstraint(*_INVOICE, ondelete="CASCADE"),
        Index(None, "organisation_id", "due_on"),
        Index(None, "organisation_id", "buyer_id", "policy_id"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(40))
    due_on: Mapped[date]
    unit: Mapped[str] = mapped_column(String(20))
    basis: Mapped[str] = mapped_column(String(120))
    amount_minor: Mapped[optional_minor]
    currency: Mapped[str | None] = mapped_column(String(3))
    trace: Mapped[list[Any]] = mapped_column(Json)


class ObligationMark(TenantOwned, Base):
    """What somebody did about a duty: done with evidence, or waived with a reason. It outlives a rebuild of the duties."""

    __tablename__ = "obligation_mark"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        *_one_per_duty("obligation_mark"),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("mark IN ('done', 'waived')", name="mark"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(40))
    due_on: Mapped[date]
    mark: Mapped[str] = mapped_column(String(20))
    marked_on: Mapped[date]
    note: Mapped[str] = mapped_column(String(1000))


class ObligationOwner(TenantOwned, Base):
    """Who looks after a duty. It names the duty as its mark does, and so outlives a rebuild."""

    __tablename__ = "obligation_owner"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        *_one_per_duty("obligation_owner"),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "user_id"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(40))
    due_on: Mapped[date]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
