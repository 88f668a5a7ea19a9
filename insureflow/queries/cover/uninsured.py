"""Receivables that fall under no policy, in sets: nothing but the ledger decides, so the database works them out alone.

The statements carry the organisation themselves, because they are also used to insert what they find.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Date, Select, String, case, cast, func, literal, null, select, union_all

from insureflow.domain.cover import Reason
from insureflow.models.base import FOREVER
from insureflow.models.cover import AccountState, Exposure, InvoicePosition
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.models.scope import current_organisation_id
from insureflow.queries.cover.ledgers import one_of

#: The columns of a position, in the order of ``uninsured_positions``.
POSITION_COLUMNS = (
    "organisation_id",
    "invoice_id",
    "buyer_id",
    "policy_id",
    "valid_from",
    "valid_to",
    "currency",
    "ledger_open_minor",
    "limit_currency",
    "open_minor",
    "primary_minor",
    "top_up_minor",
    "excluded_minor",
    "excluded_reason",
    "vat_minor",
    "disputed_minor",
    "over_limit_minor",
    "insured_percentage",
    "entity_id",
    "due_on",
)

#: The columns of an exposure, in the order of ``uninsured_exposures``.
EXPOSURE_COLUMNS = (
    "organisation_id",
    "buyer_id",
    "policy_id",
    "currency",
    "valid_from",
    "valid_to",
    "ledger_open_minor",
    "unapplied_minor",
    "limit_currency",
    "open_minor",
    "covered_minor",
    "no_policy_minor",
    "no_limit_minor",
    "over_limit_minor",
    "ineligible_minor",
    "stopped_minor",
    "lost_minor",
    "vat_minor",
    "disputed_minor",
    "liability_minor",
)


def of_buyers(column: Any, buyer_ids: Collection[int] | None) -> list[ColumnElement[bool]]:
    """The condition that narrows a column to these buyers; none for all."""
    return [] if buyer_ids is None else [one_of(column, list(buyer_ids))]


def _later(left: Any, right: Any) -> Any:
    """The later of two days."""
    return case((left > right, left), else_=right)


def uninsured_positions(buyer_ids: Collection[int] | None, insured_entities: Collection[int]) -> Select[Any]:
    """The positions of all invoices of entities without policy, in the order of ``POSITION_COLUMNS``.

    *Formula:* gross from the invoice's date − what is settled, from the day it is settled; spans with nothing open are left out.
    """
    organisation_id = current_organisation_id()
    which = [Invoice.organisation_id == organisation_id, *of_buyers(Invoice.buyer_id, buyer_ids)]
    if insured_entities:
        which.append(Invoice.entity_id.not_in(list(insured_entities)))
    begun = select(Invoice.id.label("invoice_id"), Invoice.invoice_on.label("day"), (Invoice.net_minor + Invoice.vat_minor).label("amount"))
    settled = (
        select(
            Allocation.invoice_id.label("invoice_id"),
            _later(Allocation.allocated_on, Invoice.invoice_on).label("day"),
            (-Allocation.amount_minor).label("amount"),
        )
        .join(Invoice, (Invoice.id == Allocation.invoice_id) & (Invoice.organisation_id == Allocation.organisation_id))
        .where(Allocation.organisation_id == organisation_id)
    )
    changes = union_all(begun.where(*which), settled.where(*which)).subquery("changes")
    by_day = (
        select(changes.c.invoice_id, changes.c.day, func.sum(changes.c.amount).label("amount"))
        .group_by(changes.c.invoice_id, changes.c.day)
        .subquery("by_day")
    )
    order: dict[str, Any] = {"partition_by": by_day.c.invoice_id, "order_by": by_day.c.day}
    spans = select(
        by_day.c.invoice_id,
        by_day.c.day.label("valid_from"),
        func.coalesce(func.lead(by_day.c.day).over(**order), _forever()).label("valid_to"),
        func.sum(by_day.c.amount).over(**order).label("open_minor"),
    ).subquery("spans")
    left = cast(spans.c.open_minor, InvoicePosition.open_minor.type)
    return (
        select(
            literal(organisation_id).label("organisation_id"),
            Invoice.id.label("invoice_id"),
            Invoice.buyer_id.label("buyer_id"),
            cast(null(), InvoicePosition.policy_id.type).label("policy_id"),
            spans.c.valid_from,
            spans.c.valid_to,
            Invoice.currency.label("currency"),
            left.label("ledger_open_minor"),
            Invoice.currency.label("limit_currency"),
            left.label("open_minor"),
            literal(0).label("primary_minor"),
            literal(0).label("top_up_minor"),
            left.label("excluded_minor"),
            literal(Reason.NO_POLICY.value).label("excluded_reason"),
            literal(0).label("vat_minor"),
            literal(0).label("disputed_minor"),
            literal(0).label("over_limit_minor"),
            cast(null(), String(40)).label("insured_percentage"),
            Invoice.entity_id.label("entity_id"),
            Invoice.due_on.label("due_on"),
        )
        .join(Invoice, Invoice.id == spans.c.invoice_id)
        .where(spans.c.open_minor > 0, Invoice.organisation_id == organisation_id)
    )


def _forever() -> ColumnElement[Any]:
    return literal(FOREVER, Date())


def buyers_with_account() -> Select[Any]:
    """Buyers that have an account under a policy: their unapplied money belongs there."""
    return select(AccountState.buyer_id).where(AccountState.organisation_id == current_organisation_id()).distinct()


def uninsured_exposures(buyer_ids: Collection[int] | None, on: date) -> Select[Any]:
    """Exposure to receivables without policy from a day on, in the order of ``EXPOSURE_COLUMNS``.

    What is received and not applied counts here for buyers that have no account under any policy.
    """
    organisation_id = current_organisation_id()
    start = literal(on, Date())
    position = InvoicePosition
    alive = [
        position.organisation_id == organisation_id,
        position.policy_id.is_(None),
        position.valid_to > on,
        *of_buyers(position.buyer_id, buyer_ids),
    ]
    none = literal(0)
    begun = select(
        position.buyer_id.label("buyer_id"),
        position.currency.label("currency"),
        _later(position.valid_from, start).label("day"),
        position.ledger_open_minor.label("ledger"),
        none.label("unapplied"),
    ).where(*alive)
    ended = select(position.buyer_id, position.currency, position.valid_to, -position.ledger_open_minor, none).where(
        *alive, position.valid_to < _forever()
    )
    changes = union_all(begun, ended, *unapplied_parts(buyer_ids, start)).subquery("changes")
    by_day = (
        select(
            changes.c.buyer_id,
            changes.c.currency,
            changes.c.day,
            func.sum(changes.c.ledger).label("ledger"),
            func.sum(changes.c.unapplied).label("unapplied"),
        )
        .group_by(changes.c.buyer_id, changes.c.currency, changes.c.day)
        .subquery("by_day")
    )
    moved = (
        select(by_day).where((by_day.c.ledger != 0) | (by_day.c.unapplied != 0)).subquery("moved")
    )  # days on which money came and was applied at once change nothing
    order: dict[str, Any] = {"partition_by": [moved.c.buyer_id, moved.c.currency], "order_by": moved.c.day}
    spans = select(
        moved.c.buyer_id,
        moved.c.currency,
        moved.c.day.label("valid_from"),
        func.coalesce(func.lead(moved.c.day).over(**order), _forever()).label("valid_to"),
        func.sum(moved.c.ledger).over(**order).label("ledger"),
        func.sum(moved.c.unapplied).over(**order).label("unapplied"),
    ).subquery("spans")
    minor = Exposure.open_minor.type
    ledger, unapplied = cast(spans.c.ledger, minor), cast(spans.c.unapplied, minor)
    figures: dict[str, ColumnElement[Any] | Column[Any]] = {
        "organisation_id": literal(organisation_id),
        "buyer_id": spans.c.buyer_id,
        "policy_id": cast(null(), Exposure.policy_id.type),
        "currency": spans.c.currency,
        "valid_from": spans.c.valid_from,
        "valid_to": spans.c.valid_to,
        "ledger_open_minor": ledger,
        "unapplied_minor": unapplied,
        "limit_currency": spans.c.currency,
        "open_minor": ledger,
        "no_policy_minor": ledger,
    }
    columns = [figures.get(name, literal(0)).label(name) for name in EXPOSURE_COLUMNS]
    return select(*columns).where((spans.c.ledger != 0) | (spans.c.unapplied != 0))


def unapplied_parts(buyer_ids: Collection[int] | None, start: ColumnElement[Any]) -> list[Select[Any]]:
    """What each day adds to or takes off what is received and not applied, for buyers without account.

    Columns: buyer, currency, day (not before ``start``), 0, amount. *Formula:* what is left of a document in the end, from its
    own day; what it settles of invoices in its currency counts as well until it settles it.
    """
    organisation_id = current_organisation_id()
    parts: list[Select[Any]] = []
    documents: tuple[tuple[Any, Any, Any], ...] = (
        (Payment, Allocation.payment_id, Payment.received_on),
        (CreditNote, Allocation.credit_note_id, CreditNote.issued_on),
    )
    for document, key, received_on in documents:
        which = [
            document.organisation_id == organisation_id,
            document.buyer_id.not_in(buyers_with_account()),
            *of_buyers(document.buyer_id, buyer_ids),
        ]
        parts.append(
            select(document.buyer_id, document.currency, _later(received_on, start), literal(0), document.unapplied_minor).where(
                *which, document.unapplied_minor != 0
            )
        )
        settled_on = _later(Allocation.allocated_on, Invoice.invoice_on)
        settling = [Allocation.organisation_id == organisation_id, settled_on > received_on, settled_on > start]
        for day, amount in ((_later(received_on, start), Allocation.amount_minor), (settled_on, -Allocation.amount_minor)):
            parts.append(
                select(document.buyer_id, document.currency, day, literal(0), amount)
                .select_from(Allocation)
                .join(Invoice, (Invoice.id == Allocation.invoice_id) & (Invoice.organisation_id == organisation_id))
                .join(document, (document.id == key) & (document.organisation_id == organisation_id))
                .where(*settling, *which, Invoice.currency == document.currency)
            )
    return parts
