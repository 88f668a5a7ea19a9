"""Requests out: those that wait to be sent by hand, written to a file and then counted as sent."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from insureflow.connectors.edifact import EdifactError
from insureflow.connectors.insurers.file_exchange import (
    MEDIA_TYPES,
    SUFFIXES,
    Envelope,
    ExchangeFormat,
    check_request,
    write_requests,
)
from insureflow.connectors.insurers.interface import ConnectorError, LimitMessage
from insureflow.connectors.insurers.outgoing import BuyerCard, OutgoingRequest
from insureflow.domain.buyers import IdentifierScheme
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import CODE_OF_REQUEST, LimitStatus, RequestState
from insureflow.domain.money import Money
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.buyers import Buyer
from insureflow.models.connections import OutboxMessage
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import Organisation
from insureflow.models.policies import Policy
from insureflow.models.work_items import WorkItem
from insureflow.services import journal, work_items
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_PORTION = 500


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A request that the chosen kind of file cannot carry, and why; it still waits to be sent."""

    own_reference: str
    buyer_name: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class ExportedRequests:
    """A file of requests. Without any ``references`` there is nothing in it."""

    file_name: str
    media_type: str
    data: bytes
    references: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def export_requests(
    actor: Actor,
    organisation_id: int,
    policy_number: str,
    form: ExchangeFormat,
    *,
    again: bool = False,
    sender: str = "",
    recipient: str = "",
) -> ExportedRequests:
    """A file with all requests under a policy that wait to be sent by hand; they then count as sent.

    ``again``: also those sent before that nobody has answered, where a file was lost; their references stay the same, so that an
    insurer sees that they are the same. ``sender`` and ``recipient`` name both sides in an EDIFACT file.
    Errors: ``policy_number_unknown``, ``nothing_to_send``.
    """
    with transaction(organisation_id) as session:
        policy = get_policy_of(session, policy_number)
        organisation = session.get_one(Organisation, organisation_id)
        waiting = _waiting(session, policy.id, again=again)
        if not waiting:
            raise Refusal("nothing_to_send", policy=policy.number)
        instant = now()
        envelope = Envelope(
            (sender or organisation.slug).upper()[:35], (recipient or policy.insurer).upper()[:35], secrets.token_hex(4).upper(), instant
        )
        carried: list[OutgoingRequest] = []
        left_out: list[LeftOut] = []
        for outgoing in _outgoing(session, waiting, policy, organisation):
            try:
                check_request(outgoing, form, envelope)
            except (ConnectorError, EdifactError) as error:
                reason = Refusal(error.code, **error.parameters)
                left_out.append(LeftOut(outgoing.message.own_reference, outgoing.buyer.name, reason))
            else:
                carried.append(outgoing)
        name = f"requests-{policy.number}-{instant:%Y%m%d}-{envelope.reference}.{SUFFIXES[form]}"
        if not carried:
            return ExportedRequests(name, MEDIA_TYPES[form], b"", (), tuple(left_out))
        data = write_requests(carried, form, envelope)
        references = tuple(each.message.own_reference for each in carried)
        for reference in references:
            work_items.close_items(session, WorkKind.SEND_REQUEST, _cause(reference), WorkOutcome.DONE, by=actor.user_id)
        journal.record(
            session,
            actor,
            "limit_requests.exported",
            Subject("policy", policy.id, f"{policy.number}: {name}"),
            after={
                "file": name,
                "format": form,
                "sha256": hashlib.sha256(data).hexdigest(),
                "requests": list(references),
                "left_out": [each.own_reference for each in left_out],
            },
        )
        return ExportedRequests(name, MEDIA_TYPES[form], data, references, tuple(left_out))


def _cause(own_reference: str) -> str:
    return f"request:{own_reference}:"


def get_policy_of(session: Session, number: str) -> Policy:
    """The policy of this number. Errors: ``policy_number_unknown``."""
    policy = session.scalar(select(Policy).where(Policy.number == number))
    if policy is None:
        raise Refusal("policy_number_unknown", policy=number)
    return policy


def _waiting(session: Session, policy_id: int, *, again: bool) -> list[LimitRequest]:
    """Submitted requests that no connection carries, locked; without ``again`` only those whose sending is still to be done."""
    carried = select(OutboxMessage.limit_request_id).where(OutboxMessage.limit_request_id == LimitRequest.id).exists()
    statement = (
        select(LimitRequest)
        .where(LimitRequest.policy_id == policy_id, LimitRequest.state == RequestState.SUBMITTED, ~carried)
        .order_by(LimitRequest.id)
        .with_for_update()
    )
    if not again:
        to_do = select(WorkItem.id).where(
            WorkItem.kind == WorkKind.SEND_REQUEST.value,
            WorkItem.cause == "request:" + LimitRequest.own_reference + ":",
            WorkItem.done_at.is_(None),
        )
        statement = statement.where(to_do.exists())
    return list(session.scalars(statement))


def _outgoing(session: Session, requests: Sequence[LimitRequest], policy: Policy, organisation: Organisation) -> Iterable[OutgoingRequest]:
    """The requests with everything that their reader needs, portion by portion."""
    for start in range(0, len(requests), _PORTION):
        portion = requests[start : start + _PORTION]
        keys = sorted({request.buyer_id for request in portion})
        found = session.scalars(
            select(Buyer)
            .where(Buyer.id.in_(keys))
            .options(
                selectinload(Buyer.identifiers),
                selectinload(Buyer.addresses),
                selectinload(Buyer.accounts),
                selectinload(Buyer.insurer_identities),
            )
        )
        buyers = {buyer.id: buyer for buyer in found}
        references = _cover_references(session, policy.id, keys)
        for request in portion:
            buyer = buyers[request.buyer_id]
            message = LimitMessage(
                own_reference=request.own_reference,
                code=CODE_OF_REQUEST[request.request_type],
                company_id=next((each.number for each in buyer.insurer_identities if each.insurer == policy.insurer), ""),
                kind=request.kind,
                layer=request.layer,
                amount=None if request.requested_minor is None else Money(request.requested_minor, request.currency),
                asked_on=request.asked_on,
                cover_id=references.get((request.buyer_id, request.layer.value)),
                is_urgent=request.is_urgent,
                comment=request.comment,
            )
            yield OutgoingRequest(message, _card(buyer), policy.number, organisation.name)


def _cover_references(session: Session, policy_id: int, buyer_ids: Collection[int]) -> dict[tuple[int, str], str]:
    """The insurer's reference of the last decision for each buyer and layer."""
    decisions = session.scalars(
        select(LimitDecision)
        .where(
            LimitDecision.policy_id == policy_id,
            LimitDecision.buyer_id.in_(buyer_ids),
            LimitDecision.insurer_reference.is_not(None),
            LimitDecision.status != LimitStatus.REQUESTED,
        )
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    return {(decision.buyer_id, decision.layer.value): decision.insurer_reference or "" for decision in decisions}


def _card(buyer: Buyer) -> BuyerCard:
    numbers = {identifier.scheme: identifier.value for identifier in reversed(buyer.identifiers)}
    address = next(iter(buyer.addresses), None)
    return BuyerCard(
        name=buyer.legal_name,
        country=buyer.country,
        street=address.street if address else "",
        postal_code=address.postal_code if address else "",
        city=address.city if address else "",
        vat_number=numbers.get(IdentifierScheme.VAT, ""),
        registration_number=numbers.get(IdentifierScheme.REGISTRATION, ""),
        lei=numbers.get(IdentifierScheme.LEI, ""),
        customer_number=next((each.number for each in buyer.accounts), ""),
    )
