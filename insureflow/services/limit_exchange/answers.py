"""Answers in: decisions of a file, entered as a whole or not at all, and the requests they close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from insureflow.connectors.insurers.file_exchange import (
    read_answers,
)
from insureflow.connectors.insurers.interface import InsurerCover
from insureflow.connectors.limit_files import LimitRow
from insureflow.domain.limits import CODE_OF_STATUS, LimitKind, LimitStatus
from insureflow.domain.limits.codes import CoverReasonCode, CoverResponseCode
from insureflow.domain.money import Money
from insureflow.domain.receivables import RowProblem
from insureflow.models.buyers import Buyer, InsurerIdentity
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.services import cover, journal, limit_cuts
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_exchange.sending import get_policy_of
from insureflow.services.limits.decisions import picture
from insureflow.services.limits.importing import FileWork
from insureflow.services.sync.answering import answer, open_requests
from insureflow.services.transaction import transaction

_PORTION = 500

#: What takes a limit away, or some of it.
_CUTS = frozenset({LimitStatus.REDUCED, LimitStatus.WITHDRAWN})


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
            policy = get_policy_of(session, policy_number)
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
        self.by_wish: dict[tuple[object, ...], list[LimitRequest]] = {}
        for request in self.open:
            wish = (request.buyer_id, request.layer, request.kind, request.requested_minor, request.currency)
            self.by_wish.setdefault(wish, []).append(request)
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
        if decision.status in _CUTS and self.added and self.added[-1] is decision:
            granted = self._granted_before(decision)
            if granted is not None:
                limit_cuts.note_cut(self.session, decision, granted, self.on)

    def _granted_before(self, decision: LimitDecision) -> Money | None:
        """The limit that a decision cuts, in the currency it was decided in; None where there was none."""
        previous = self.session.scalar(
            select(LimitDecision)
            .where(
                LimitDecision.policy_id == decision.policy_id,
                LimitDecision.buyer_id == decision.buyer_id,
                LimitDecision.layer == decision.layer,
                LimitDecision.id != decision.id,
                LimitDecision.status != LimitStatus.REQUESTED,
                LimitDecision.kind.not_in([LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT]),
                LimitDecision.decided_on <= decision.decided_on,
            )
            .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
            .limit(1)
        )
        return None if previous is None or not previous.decided_minor else Money(previous.decided_minor, previous.currency)

    def answer_requests(self) -> int:
        """Bring the requests to where the answers say they are; gives how many were closed."""
        self.new = {decision.id for decision in self.added}
        before = {request.own_reference: (request.state, request.decision_id) for request in self.open}
        by_own = {request.own_reference: request for request in self.open}
        by_theirs = {request.insurer_reference: request for request in self.open if request.insurer_reference}
        closed = 0
        for row, decision in self.answers:
            cover_shown = self._picture(row, decision)
            request = by_own.get(cover_shown.own_reference) or by_theirs.get(cover_shown.cover_id)
            if request is not None:
                closed += answer(self.session, [request], [cover_shown], {cover_shown.cover_id: decision.id if decision else None}, self.on)
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
        if decision is None or decision.id not in self.new or row.requested_minor is None:
            return ""
        asked = (decision.buyer_id, decision.layer, decision.kind, row.requested_minor, row.currency)
        fitting = [request.own_reference for request in self.by_wish.get(asked, ()) if request.asked_on <= decision.decided_on]
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
