"""How much less than is open may still settle an invoice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from insureflow.domain.cash_application import Tolerance
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import Money
from insureflow.models.bank_statements import CashTolerance
from insureflow.services import journal
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction


def set_tolerance(
    actor: Actor, organisation_id: int, *, currency: str, charges_minor: int, discount_percent: Decimal, discount_days: int | None
) -> CashTolerance:
    """Say how much bank charges and which cash discount are accepted in a currency; nothing of either takes the tolerance away.

    Errors: ``InvalidValue`` ``unknown_currency``, ``tolerance_negative``, ``tolerance_not_a_percentage``.
    """
    if not is_currency(currency):
        raise InvalidValue("unknown_currency", "currency", currency)
    rule = Tolerance(charges_minor, discount_percent, discount_days)
    with transaction(organisation_id) as session:
        row = session.scalar(select(CashTolerance).where(CashTolerance.currency == currency).with_for_update())
        before = None if row is None else _picture(row)
        if row is None:
            row = CashTolerance(currency=currency)
            session.add(row)
        row.charges_minor, row.discount_percent, row.discount_days = rule.charges_minor, rule.discount_percent, rule.discount_days
        session.flush()
        after = _picture(row)
        if before != after:
            journal.record(
                session, actor, "cash_tolerance.changed", Subject("cash_tolerance", row.id, currency), before=before, after=after
            )
        return row


def _picture(row: CashTolerance) -> dict[str, Any]:
    return {
        "charges": Money(row.charges_minor, row.currency),
        "discount_percent": row.discount_percent,
        "discount_days": row.discount_days,
    }
