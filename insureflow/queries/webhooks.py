"""Other systems that are told of events, read."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from insureflow.models.database import db
from insureflow.models.messages import WebhookDelivery, WebhookEndpoint


def endpoints() -> Sequence[WebhookEndpoint]:
    """Every address for events, in the order in which they were added."""
    return db.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id)).all()


def find_endpoint(endpoint_id: int) -> WebhookEndpoint | None:
    """The address with this key, or None."""
    return db.session.scalar(select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))


def deliveries_of(endpoint_id: int, limit: int = 100) -> Sequence[WebhookDelivery]:
    """The last events for an address, the newest first."""
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    return db.session.scalars(statement.order_by(WebhookDelivery.id.desc()).limit(limit)).all()
