"""Ways from a figure to the page that explains it, with the filters that make up the figure."""

from __future__ import annotations

from datetime import date

from flask import current_app, url_for

from insureflow.queries.dashboard.duties import PressingDuty
from insureflow.queries.obligations.calendar import DutyKey
from insureflow.queries.receivables import InvoiceState


def link_to(endpoint: str, **arguments: object) -> str | None:
    """The address of a page, or None where the product has no such page; arguments of None are left out."""
    if endpoint not in current_app.view_functions:
        return None
    return url_for(endpoint, **{name: value for name, value in arguments.items() if value is not None})  # type: ignore[arg-type]  # url_for takes any value


def buyer_url(buyer_id: int) -> str | None:
    """A buyer's own page."""
    return link_to("buyers.show", buyer_id=buyer_id)


def policy_url(policy_id: int) -> str | None:
    """A policy's own page."""
    return link_to("policies.show", policy_id=policy_id)


def duty_url(duty: PressingDuty) -> str | None:
    """A duty's own page; one that was worked out for another day is named by what it is about."""
    return duty_key_url(duty.entry.key if duty.entry.obligation_id is None else duty.entry.obligation_id)


def duty_key_url(key: DutyKey | int) -> str | None:
    """The page of a duty that is known by its key or by what it is about."""
    if isinstance(key, int):
        return link_to("obligations.show", obligation_id=key)
    return link_to(
        "obligations.worked_out",
        policy_id=key.policy_id,
        buyer_id=key.buyer_id,
        invoice_id=key.invoice_id,
        kind=key.kind,
        due_on=key.due_on.isoformat(),
    )


def invoices_url(
    *,
    state: InvoiceState | None = None,
    country: str | None = None,
    policy_id: int | None = None,
    entity_id: int | None = None,
    buyer_id: int | None = None,
    currency: str | None = None,
    reason: str | None = None,
    due: tuple[date | None, date | None] = (None, None),
    not_fully_covered: bool = False,
) -> str | None:
    """The list of invoices narrowed to what makes up a figure; without a state: everything open."""
    first, last = due
    return link_to(
        "receivables.index",
        state=state.value if state else None,
        still_open=None if state else "yes",
        not_fully_covered="yes" if not_fully_covered else None,
        country=country,
        policy_id=policy_id,
        entity_id=entity_id,
        buyer_id=buyer_id,
        currency=currency,
        reason=reason,
        due_on_from=first.isoformat() if first else None,
        due_on_to=last.isoformat() if last else None,
    )
