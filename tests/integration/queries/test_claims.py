"""The forecast of claims of a policy whose limits are in another currency: converted invoice by invoice, or not at all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session
from support.ledgers import Books, organisation
from support.trading import TODAY

from insureflow.domain.cover import Reason
from insureflow.queries.claims import cash_expected, forecast_claims
from insureflow.queries.claims.accounts import accounts_of_entity
from insureflow.services import cover
from insureflow.services.journal import Actor
from insureflow.services.rates import add_manual_rate
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

#: A currency that the European Central Bank gives no rate of.
OWN = "XPF"
TERMS = {"currency": "EUR", "limit_currency": OWN, "insured_percentage": 90, "vat_covered": False}


def test_limits_in_another_currency_are_converted_invoice_by_invoice(session: Session) -> None:
    organisation_id = organisation(session).id
    with transaction(organisation_id) as working:
        books = Books(working, organisation_id)
        entity, other = books.entity(), books.entity("FI01")
        policy = books.policy([entity], TERMS)
        buyer = books.buyer("Pacific")
        books.limit(policy, buyer, 3_000, date(2025, 1, 1))
        for _ in range(3):
            books.invoice(entity, buyer, 1_333, date(2026, 1, 2), date(2026, 2, 1), currency=OWN)
        cover.refresh_buyers(working, None, TODAY)
    with within(organisation_id):
        [unknown] = forecast_claims(TODAY)
        assert (unknown.forecast, unknown.currency, unknown.account.open_minor) == (None, "EUR", 3_999)
        assert cash_expected([unknown], TODAY) == []
        assert accounts_of_entity(other.id, TODAY) == set()
        assert forecast_claims(TODAY, entity_id=other.id) == []
    add_manual_rate(
        Actor(None, "test"), organisation_id, base=OWN, quote="EUR", valid_on=date(2026, 1, 1), rate="0.00838", source="by hand"
    )
    with within(organisation_id):
        [found] = forecast_claims(TODAY)
    assert found.forecast is not None
    loss = found.forecast.loss
    # 1 333 x 0.00838 = 11.17 twice, 334 x 0.00838 = 2.80; over the limit 999 x 0.00838 = 8.37
    assert (loss.debt.covered, dict(loss.uncovered)[Reason.OVER_LIMIT], loss.indemnity) == (25_14, 8_37, 22_63)
    assert next(step for step in found.forecast.trace if step.name == "rate").result == Decimal("0.00838")
    assert (found.dates.date_of_loss, found.dates.payment_on) == (None, None)
