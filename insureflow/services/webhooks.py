"""Other systems told of events: written in the unit of work that made them, sent after it, signed, repeated until they are taken."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors import webhooks as connector
from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import DeliveryState, NoticeToPerson
from insureflow.domain.webhooks import MOST_FAILURES, WAITS, WebhookEvent
from insureflow.models.messages import WebhookDelivery, WebhookEndpoint
from insureflow.services import journal, telling
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject, plain
from insureflow.services.transaction import transaction

ACTOR = Actor(None, "webhooks")
LEASE_SECONDS = 120
#: Why nothing was sent to an endpoint whose secret no key opens.
NO_KEY_OPENS = "webhook_secret_lost"
_ERROR_LENGTH = 500


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in current_app.config["INSUREFLOW"].encryption_keys])


def _allows_private() -> bool:
    return bool(current_app.config["INSUREFLOW"].private_webhooks)


def _subject(endpoint: WebhookEndpoint) -> Subject:
    return Subject("webhook", endpoint.id, endpoint.url)


def _checked_events(events: Collection[str]) -> list[str]:
    known = {event.value for event in WebhookEvent}
    for event in events:
        if event not in known:
            raise Refusal("webhook_event_unknown", event=event[:60])
    return sorted(set(events))


def add_endpoint(actor: Actor, organisation_id: int, url: str, events: Collection[str] = ()) -> tuple[WebhookEndpoint, str]:
    """Another system that is told of events, and the secret that proves them: it is shown this once.

    Errors: ``webhook_address_wrong``, ``webhook_address_private``, ``webhook_event_unknown``.
    """
    plain_url = url.strip()
    connector.check_address(plain_url, allows_private=_allows_private())
    if len(plain_url) > 1000:
        raise Refusal("webhook_address_wrong", url=plain_url[:100])
    secret = secrets.token_urlsafe(32)
    with transaction(organisation_id) as session:
        endpoint = WebhookEndpoint(
            url=plain_url,
            secret=_box().encrypt(secret.encode()).decode("ascii"),
            events=_checked_events(events),
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(endpoint)
        session.flush()
        journal.record(session, actor, "webhook.added", _subject(endpoint), after={"url": endpoint.url, "events": endpoint.events})
        return endpoint, secret


def _get(session: Session, endpoint_id: int) -> WebhookEndpoint:
    endpoint = session.scalar(select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).with_for_update())
    if endpoint is None:
        raise Refusal("webhook_unknown", endpoint=str(endpoint_id))
    return endpoint


def set_enabled(actor: Actor, organisation_id: int, endpoint_id: int, *, is_enabled: bool) -> None:
    """Switch an endpoint on, which takes a stop back, or off. Errors: ``webhook_unknown``."""
    with transaction(organisation_id) as session:
        endpoint = _get(session, endpoint_id)
        before = {"is_enabled": endpoint.is_enabled and endpoint.stopped_because is None}
        endpoint.is_enabled = is_enabled
        if is_enabled:
            endpoint.failures, endpoint.stopped_because = 0, None
        journal.record(session, actor, "webhook.changed", _subject(endpoint), before=before, after={"is_enabled": is_enabled})


def remove_endpoint(actor: Actor, organisation_id: int, endpoint_id: int) -> None:
    """Take an endpoint out with everything that waits for it. Errors: ``webhook_unknown``."""
    with transaction(organisation_id) as session:
        endpoint = _get(session, endpoint_id)
        subject = _subject(endpoint)
        session.delete(endpoint)
        session.flush()
        journal.record(session, actor, "webhook.removed", subject, before={"url": subject.label})


def _wanting(session: Session, events: Collection[str]) -> list[WebhookEndpoint]:
    endpoints = session.scalars(
        select(WebhookEndpoint).where(WebhookEndpoint.is_enabled.is_(True), WebhookEndpoint.stopped_because.is_(None))
    ).all()
    return [endpoint for endpoint in endpoints if not endpoint.events or set(events) & set(endpoint.events)]


def is_wanted(session: Session, *events: str) -> bool:
    """Whether any system wants to know of one of these events: what is costly to find out is not found out for nobody."""
    return bool(_wanting(session, events))


def announce(session: Session, event: str, event_id: str, payload: Mapping[str, Any]) -> int:
    """Tell every system that wants to know of an event, in the running unit of work; the same event once. How many are told."""
    wanting = _wanting(session, [event])
    if not wanting:
        return 0
    known = set(session.scalars(select(WebhookDelivery.endpoint_id).where(WebhookDelivery.event_id == event_id[:120])))
    new = [endpoint for endpoint in wanting if endpoint.id not in known]
    session.add_all(_delivery(endpoint, event, event_id, payload) for endpoint in new)
    session.flush()
    return len(new)


def _delivery(endpoint: WebhookEndpoint, event: str, event_id: str, payload: Mapping[str, Any]) -> WebhookDelivery:
    at = now()
    return WebhookDelivery(
        endpoint_id=endpoint.id,
        event=event,
        event_id=event_id[:120],
        payload=plain(dict(payload)),
        state=DeliveryState.QUEUED,
        next_attempt_at=at,
        created_at=at,
    )


def send_test(actor: Actor, organisation_id: int, endpoint_id: int) -> WebhookDelivery:
    """Queue an event that means nothing, to see that it arrives. Errors: ``webhook_unknown``."""
    with transaction(organisation_id) as session:
        endpoint = _get(session, endpoint_id)
        delivery = _delivery(endpoint, WebhookEvent.TEST.value, f"test:{secrets.token_hex(8)}", {"text": "InsureFlow"})
        session.add(delivery)
        session.flush()
        journal.record(session, actor, "webhook.tested", _subject(endpoint))
        return delivery


@dataclass
class Delivered:
    """What one round did."""

    delivered: int = 0
    put_off: int = 0
    failed: int = 0

    def counts(self) -> dict[str, int]:
        """The same by name, as the run of a job keeps it."""
        return {"events_delivered": self.delivered, "events_put_off": self.put_off, "events_failed": self.failed}


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    url: str
    event: str
    event_id: str
    payload: dict[str, Any]
    #: None where no key of this installation opens it: then nothing is sent, as an unsigned event proves nothing.
    secret: str | None = field(repr=False)


def deliver_due(organisation_id: int, at: datetime | None = None, *, wants_to_stop: Callable[[], bool] = lambda: False) -> Delivered:
    """Send what waits. An event may arrive twice when this process dies in between; its identification stays the same."""
    done = Delivered()
    moment = at or now()
    last = 0
    while not wants_to_stop():
        claimed = _claim(organisation_id, moment, last)
        if claimed is None:
            break
        last = claimed.id
        if claimed.secret is None:
            _record(organisation_id, claimed.id, connector.Answer(None, NO_KEY_OPENS), done)
            continue
        answer = connector.post(
            claimed.url,
            claimed.secret,
            event=claimed.event,
            event_id=claimed.event_id,
            payload=claimed.payload,
            timestamp=int(now().timestamp()),
            allows_private=_allows_private(),
        )
        _record(organisation_id, claimed.id, answer, done)
    return done


def _claim(organisation_id: int, at: datetime, after: int) -> _Claimed | None:
    with transaction(organisation_id) as session:
        statement = (
            select(WebhookDelivery, WebhookEndpoint)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .where(
                WebhookDelivery.state == DeliveryState.QUEUED,
                WebhookDelivery.next_attempt_at <= at,
                WebhookDelivery.id > after,
                WebhookEndpoint.is_enabled.is_(True),
                WebhookEndpoint.stopped_because.is_(None),
            )
            .order_by(WebhookDelivery.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=WebhookDelivery)
        )
        row = session.execute(statement).first()
        if row is None:
            return None
        delivery, endpoint = row
        delivery.attempts += 1
        delivery.next_attempt_at = now() + timedelta(seconds=LEASE_SECONDS)
        try:
            secret: str | None = _box().decrypt(endpoint.secret.encode("ascii")).decode()
        except InvalidToken:
            secret = None
        return _Claimed(delivery.id, endpoint.url, delivery.event, delivery.event_id, dict(delivery.payload), secret)


def _record(organisation_id: int, delivery_id: int, answer: connector.Answer, done: Delivered) -> None:
    with transaction(organisation_id) as session:
        delivery = session.scalar(
            select(WebhookDelivery).where(WebhookDelivery.id == delivery_id).with_for_update().execution_options(populate_existing=True)
        )
        if delivery is None:  # taken out with its endpoint meanwhile
            return
        endpoint = _get(session, delivery.endpoint_id)
        delivery.status, delivery.last_error = answer.status, answer.error[:_ERROR_LENGTH]
        if answer.is_taken:
            delivery.state, delivery.delivered_at, endpoint.failures = DeliveryState.DELIVERED, now(), 0
            done.delivered += 1
            return
        endpoint.failures += 1
        if delivery.attempts > len(WAITS):
            delivery.state = DeliveryState.FAILED
            done.failed += 1
        else:
            delivery.next_attempt_at = now() + timedelta(minutes=WAITS[delivery.attempts - 1])
            done.put_off += 1
        if endpoint.failures >= MOST_FAILURES and endpoint.stopped_because is None:
            _stop(session, endpoint, answer)


def _stop(session: Session, endpoint: WebhookEndpoint, answer: connector.Answer) -> None:
    """An endpoint that fails too often is left alone until somebody switches it on again."""
    at = now()
    endpoint.stopped_because = {"error": answer.error[:_ERROR_LENGTH], "at": at.isoformat()}
    telling.tell(
        session,
        telling.who_may(session, Permission.MANAGE_ORGANISATION),
        NoticeToPerson.WEBHOOK_STOPPED,
        f"webhook:{endpoint.id}:{at.isoformat()}",
        facts={"url": endpoint.url},
        address="/webhooks/",
    )
    journal.record(session, ACTOR, "webhook.stopped", _subject(endpoint), after={"reason": answer.error[:200]})
