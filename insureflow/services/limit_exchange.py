"""Requests to insurers out by file, and their decisions in: for insurers without an interface that programs may use.

A request that goes by hand is work for somebody (``send_request``); the file that carries it is that work done. Requests that a
connection carries never go into a file.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from insureflow.connectors.edifact import EdifactError
from insureflow.connectors.insurers.file_exchange import MEDIA_TYPES, SUFFIXES, Envelope, ExchangeFormat, read_answers, write_requests
from insureflow.connectors.insurers.interface import ConnectorError, InsurerCover, LimitMessage
from insureflow.connectors.insurers.outgoing import BuyerCard, OutgoingRequest
from insureflow.connectors.limit_files import LimitRow
from insureflow.domain.buyers import IdentifierScheme
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import CODE_OF_REQUEST, CODE_OF_STATUS, LimitStatus, RequestState
from insureflow.domain.limits.codes import CoverReasonCode, CoverResponseCode
from insureflow.domain.money import Money
from insureflow.domain.receivables import RowProblem
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.buyers import Buyer, InsurerIdentity
from insureflow.models.connections import OutboxMessage
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import Organisation
from insureflow.models.policies import Policy
from insureflow.models.work_items import WorkItem
from insureflow.services import cover, journal, work_items
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limits.decisions import picture
from insureflow.services.limits.importing import FileWork
from insureflow.services.sync.answering import answer, open_requests
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
        policy = _get_policy(session, policy_number)
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
                write_requests([outgoing], form, envelope)
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


def _get_policy(session: Session, number: str) -> Policy:
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


@dataclass(frozen=True, slots=True)
class Undecided:
    """An answer that decides nothing: it is shown, and every limit stays as it is."""

    row: int
    buyer_name: str
    response: CoverResponseCode
    reason_code: CoverReasonCode | None
    text: str


@dataclass(frozen=True, slots=True)
class ImportedAnswers:
    """What a file of answers came to. With ``problems`` nothing was stored; with ``dry_run`` nothing is stored either way."""

    file_name: str
    rows: int
    added: int
    unchanged: int
    requests_answered: int
    undecided: tuple[Undecided, ...]
    problems: tuple[RowProblem, ...]
    dry_run: bool

    @property
    def is_stored(self) -> bool:
        """True if the database now holds what the file says."""
        return not self.dry_run and not self.problems


class _Undone(Exception):
    """Ends a unit of work whose changes must not stay."""


def import_decisions(
    actor: Actor,
    organisation_id: int,
    data: bytes,
    *,
    policy_number: str,
    on: date,
    name: str,
    profile: str = "plain",
    dry_run: bool = False,
) -> ImportedAnswers:
    """Enter all decisions of an insurer's file, or none where any row is bad, and close the requests that they answer.

    A row finds its request by our reference, else its buyer by the insurer's number, a public number, the customer number or the
    name. What was entered before is left alone, so a file read twice changes nothing.
    Errors: ``policy_number_unknown``, those of reading a file.
    """
    result: ImportedAnswers | None = None
    try:
        with transaction(organisation_id) as session:
            policy = _get_policy(session, policy_number)
            file = read_answers(data, name, currency=policy.limit_currency, policy_number=policy.number, profile=profile)
            work = _AnswerWork(session, actor, policy, file, on, create_buyers=False)
            work.load_requests()
            work.enter_all()
            answered = work.answer_requests()
            imported = work.result(dry_run=dry_run)
            result = ImportedAnswers(
                name, imported.rows, imported.added, imported.unchanged, answered, tuple(work.undecided), imported.problems, dry_run
            )
            work.record(result)
    except _Undone:
        assert result is not None
    return result


class _AnswerWork(FileWork):
    """A file of answers on its way into the database: rows find their requests first, and close them."""

    def load_requests(self) -> None:
        """The requests that the file names, and those an answer may be for."""
        wanted = sorted({row.own_reference for row in self.file.rows if row.own_reference})
        self.named: dict[str, LimitRequest] = {}
        for start in range(0, len(wanted), _PORTION):
            found = self.session.scalars(
                select(LimitRequest).where(
                    LimitRequest.policy_id == self.policy.id, LimitRequest.own_reference.in_(wanted[start : start + _PORTION])
                )
            )
            self.named |= {request.own_reference: request for request in found}
        self.open = open_requests(self.session, self.policy.id)
        self.answers: list[tuple[LimitRow, LimitDecision | None]] = []
        self.undecided: list[Undecided] = []

    def find_buyer(self, row: LimitRow) -> Buyer | None:
        """The buyer of the request that the row answers, else the one it names; None too where the row decides nothing."""
        request = self.named.get(row.own_reference or "")
        buyer = super().find_buyer(row) if request is None else self._buyer_of(request, row)
        if buyer is None:
            return None
        if row.decides_nothing and row.response is not None:
            self.undecided.append(Undecided(row.row, buyer.legal_name, row.response, row.reason_code, row.reason))
            self.answers.append((row, None))
            return None
        if row.status is LimitStatus.REQUESTED and request is not None:
            self.answers.append((row, None))
            return None
        return buyer

    def _buyer_of(self, request: LimitRequest, row: LimitRow) -> Buyer | None:
        """The buyer of a request; a row that names a company the insurer knows as somebody else's is a bad row."""
        buyer = self.session.get_one(Buyer, request.buyer_id)
        if not row.insurer_id:
            return buyer
        owner = self.session.scalar(
            select(InsurerIdentity.buyer_id).where(InsurerIdentity.insurer == self.policy.insurer, InsurerIdentity.number == row.insurer_id)
        )
        if owner in (None, buyer.id):
            return buyer
        self.problem(row, "insurer_id", row.insurer_id, "answer_of_other_buyer", reference=request.own_reference, buyer=buyer.legal_name)
        return None

    def was_entered(self, row: LimitRow, decision: LimitDecision) -> None:
        """Remember what a decision answers."""
        self.answers.append((row, decision))

    def answer_requests(self) -> int:
        """Bring the requests to where the answers say they are; gives how many were closed."""
        before = {request.own_reference: (request.state, request.decision_id) for request in self.open}
        closed = 0
        for row, decision in self.answers:
            closed += answer(
                self.session, self.open, [self._picture(row, decision)], {_cover_id(row): decision.id if decision else None}, self.on
            )
        self.session.flush()
        self.moved = [
            request.own_reference for request in self.open if (request.state, request.decision_id) != before[request.own_reference]
        ]
        return closed

    def _picture(self, row: LimitRow, decision: LimitDecision | None) -> InsurerCover:
        """A row in the words of a connector."""
        if row.response is not None:
            response = row.response
        else:
            response = CoverResponseCode.STILL_INVESTIGATING if decision is None else CODE_OF_STATUS[decision.status]
        if response is CoverResponseCode.PRELIMINARY and decision is None:
            response = CoverResponseCode.STILL_INVESTIGATING  # the insurer has it; nothing was promised
        decided = None
        if decision is not None:
            decided = Money(decision.decided_minor or 0, decision.currency)
        return InsurerCover(
            cover_id=_cover_id(row),
            version="",
            company_id=row.insurer_id or "",
            company_name=row.buyer_name or "",
            response=response,
            kind=row.kind,
            layer=row.layer,
            requested=None if row.requested_minor is None else Money(row.requested_minor, row.currency),
            decided=decided,
            decided_on=row.decided_on,
            effective_on=row.effective_on,
            valid_to=row.valid_to,
            reason=row.reason_code,
            own_reference=row.own_reference or self._asked_for(row, decision),
        )

    def _asked_for(self, row: LimitRow, decision: LimitDecision | None) -> str:
        """Our reference of the request that an answer without one can only be for: same buyer, layer and amount, and not older."""
        if decision is None or decision not in self.added or row.requested_minor is None:
            return ""
        fitting = [
            request.own_reference
            for request in self.open
            if (request.buyer_id, request.layer, request.kind) == (decision.buyer_id, decision.layer, decision.kind)
            and (request.requested_minor, request.currency) == (row.requested_minor, row.currency)
            and request.asked_on <= decision.decided_on
        ]
        return fitting[0] if len(fitting) == 1 else ""

    def record(self, result: ImportedAnswers) -> None:
        """One entry of the journal for the file, and cover worked out for the buyers it was about; undoes all where nothing may stay."""
        if not result.is_stored:
            raise _Undone
        if not self.added and not self.moved:
            return
        after = {
            "file": self.file.name,
            "sha256": self.file.sha256,
            "rows": self.file.rows_read,
            "unchanged": self.unchanged,
            "requests": self.moved,
            "undecided": [{"row": each.row, "buyer": each.buyer_name, "response": each.response.name.lower()} for each in self.undecided],
            "limits": [{"id": decision.id, **picture(decision)} for decision in self.added],
        }
        subject = Subject("policy", self.policy.id, f"{self.policy.number}: {self.file.name}")
        journal.record(self.session, self.actor, "limits.answers_imported", subject, after=after)
        affected = sorted({decision.buyer_id for decision in self.added if decision.status is not LimitStatus.REQUESTED})
        if affected:
            cover.refresh_buyers(self.session, affected, self.on)


def _cover_id(row: LimitRow) -> str:
    return row.insurer_reference or ""
