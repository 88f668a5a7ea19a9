"""Many requests at once, from a selection of buyers or from a file: all problems are told, and all rows are taken or the good ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.connectors.request_files import RequestFile, RequestRow, read_requests
from insureflow.domain.access import Role
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, RequestState
from insureflow.domain.money import Money, minor_digits
from insureflow.domain.receivables import RowProblem
from insureflow.models.cover import InvoicePosition
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.organisations import Organisation
from insureflow.models.policies import Policy
from insureflow.queries.limit_needs import find_need
from insureflow.queries.limit_requests import find_carrier
from insureflow.services import journal
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_requests.accounts import AccountBook
from insureflow.services.limit_requests.approving import step
from insureflow.services.limit_requests.drafting import NewLimitRequest, build, picture, problems_of
from insureflow.services.limit_requests.matching import BuyerIndex
from insureflow.services.limits.decisions import PolicyBook, get_policy
from insureflow.services.transaction import transaction

#: More rows than this are worked in the background.
SMALL = 200

Told = Callable[[str, int, int | None], Any]


class AmountRule(StrEnum):
    """How much is asked for each buyer of a selection."""

    NEEDED = "needed"
    OWED = "owed"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Selection:
    """Buyers chosen from a list. With ``AmountRule.NEEDED`` each gets what it needs, with ``OWED`` what it owes now.

    Both are rounded up to a full thousand, or to the step of amounts that the insurer takes.
    """

    policy_id: int
    buyer_ids: tuple[int, ...]
    rule: AmountRule
    amount_minor: int | None = None
    layer: Layer = Layer.PRIMARY
    kind: LimitKind = LimitKind.NAMED
    is_urgent: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What came of many requests. With problems and without leave to take the good rows alone nothing was stored.

    ``off_step`` counts amounts that the insurer would round or refuse, because it takes steps only.
    """

    bulk: str
    rows: int
    drafted: int = 0
    submitted: int = 0
    awaiting_approval: int = 0
    problems: tuple[RowProblem, ...] = ()
    is_stored: bool = True
    off_step: int = 0


@dataclass(frozen=True, slots=True)
class _Wish:
    """One request to be, with the row it comes from."""

    row: int
    named: str
    new: NewLimitRequest


class _Undone(Exception):
    """Ends a unit of work whose changes must not stay."""


@dataclass(slots=True)
class _Work:
    """Many requests on their way into the database."""

    session: Session
    actor: Actor
    role: Role | None
    on: date
    told: Told
    bulk: str
    headings: Mapping[str, str] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    made: list[LimitRequest] = field(default_factory=list)

    def note(self, wish: _Wish, refusal: Refusal) -> None:
        """Keep what is wrong with a row."""
        for problem in refusal.problems if isinstance(refusal, InvalidValues) else (refusal,):
            path = problem.path if isinstance(problem, InvalidValue) else "buyer"
            value = wish.named if path == "buyer" or not isinstance(problem, InvalidValue) else problem.value
            parameters = {name: each for name, each in problem.parameters.items() if name not in ("path", "value")}
            text = None if value is None else str(value)
            self.problems.append(RowProblem(wish.row, self.headings.get(path, path), text, problem.code, parameters))

    def write(self, wishes: Sequence[_Wish], *, hand_in: bool) -> None:
        """Write the requests that are good, and send them where wished."""
        checked = list(self._checked(wishes))
        books = {key: PolicyBook.load(self.session, key) for key in {request.policy_id for _wish, request in checked} if hand_in}
        for number, (wish, request) in enumerate(checked, start=1):
            if hand_in:
                try:
                    with self.session.begin_nested():
                        self.session.add(request)
                        self.session.flush()
                        step(self.session, self.actor, request, self.role, self.on, books[request.policy_id])
                except Refusal as refusal:
                    self.note(wish, refusal)
                    continue
            else:
                self.session.add(request)
            self.made.append(request)
            self.told("limit_requests_written", number, len(checked))
        self.session.flush()

    def _checked(self, wishes: Sequence[_Wish]) -> Iterator[tuple[_Wish, LimitRequest]]:
        """The good ones; a second row for the same layer of the same buyer is bad, as the insurer would be asked twice."""
        by_policy: dict[int, list[_Wish]] = {}
        for wish in wishes:
            by_policy.setdefault(wish.new.policy_id, []).append(wish)
        for policy_id, of_policy in sorted(by_policy.items()):
            book = AccountBook.load(self.session, policy_id, {wish.new.buyer_id for wish in of_policy}, self.on)
            seen: dict[tuple[int, Layer], int] = {}
            for wish in of_policy:
                key = wish.new.buyer_id, wish.new.layer
                first = seen.setdefault(key, wish.row)
                if first != wish.row:
                    self.note(wish, InvalidValue("request_twice_in_file", "buyer", wish.named, first=first))
                    continue
                try:
                    problems = problems_of(wish.new, book, self.on)
                    if problems:
                        raise InvalidValues(tuple(problems))
                    yield wish, build(self.actor, wish.new, book, self.on, bulk=self.bulk)
                except Refusal as refusal:
                    self.note(wish, refusal)

    def keep_or_undo(self, *, is_kept: bool) -> None:
        """Undo everything where nothing may stay."""
        if not is_kept:
            raise _Undone

    def outcome(self, rows: int, *, is_stored: bool) -> BulkOutcome:
        """What came of it."""
        states = [request.state for request in self.made] if is_stored else []
        return BulkOutcome(
            self.bulk,
            rows,
            drafted=states.count(RequestState.DRAFT),
            submitted=states.count(RequestState.SUBMITTED),
            awaiting_approval=states.count(RequestState.AWAITING_APPROVAL),
            problems=tuple(sorted(self.problems, key=lambda problem: (problem.row, problem.column or ""))),
            is_stored=is_stored,
            off_step=self._off_step() if is_stored else 0,
        )

    def _off_step(self) -> int:
        """How many of the amounts are not in the step that the connection of their policy takes."""
        carriers = {policy_id: find_carrier(policy_id) for policy_id in {request.policy_id for request in self.made}}
        found = 0
        for request in self.made:
            carrier = carriers[request.policy_id]
            if carrier is not None and request.requested_minor is not None and carrier.can_carry(request):
                found += carrier.is_off_step(Money(request.requested_minor, request.currency))
        return found


def _nobody_listens(_stage: str, _done: int, _total: int | None) -> None:
    """For work that nobody watches."""


def _write(
    actor: Actor,
    organisation_id: int,
    role: Role | None,
    on: date,
    told: Told,
    label: str,
    wishes_of: Callable[[_Work], tuple[int, Sequence[_Wish]]],
    *,
    good_rows_only: bool,
    hand_in: bool,
) -> BulkOutcome:
    """One unit of work for all of them: everything that is good, or nothing where anything is bad and no leave was given."""
    outcome: BulkOutcome | None = None
    try:
        with transaction(organisation_id) as session:
            bulk = f"B{secrets.token_hex(5).upper()}"
            doing = _Work(session, actor, role, on, told, bulk)
            rows, wishes = wishes_of(doing)
            doing.write(wishes, hand_in=hand_in)
            is_stored = bool(doing.made) and (good_rows_only or not doing.problems)
            outcome = doing.outcome(rows, is_stored=is_stored)
            doing.keep_or_undo(is_kept=is_stored)
            after = {"bulk": bulk, "rows": rows, "requests": [{"id": made.id, **picture(made)} for made in doing.made]}
            journal.record(session, actor, "limit_requests.written", Subject("limit_request", None, label), after=after)
    except _Undone:
        assert outcome is not None
    return outcome


def request_selection(
    actor: Actor,
    organisation_id: int,
    selection: Selection,
    role: Role | None,
    on: date,
    *,
    good_rows_only: bool = False,
    hand_in: bool = False,
    told: Told = _nobody_listens,
) -> BulkOutcome:
    """A request for each buyer of a selection, all of them or the good ones; ``hand_in`` sends them at once.

    Errors: ``policy_unknown``, ``buyer_unknown``, ``InvalidValues`` ``selection_empty``, ``request_amount_needed``.
    """
    problems: list[InvalidValue] = []
    if not selection.buyer_ids:
        problems.append(InvalidValue("selection_empty", "buyers"))
    if selection.rule is AmountRule.AMOUNT and not selection.amount_minor:
        problems.append(InvalidValue("request_amount_needed", "amount"))
    if problems:
        raise InvalidValues(tuple(problems))

    def wishes_of(doing: _Work) -> tuple[int, Sequence[_Wish]]:
        policy = get_policy(doing.session, selection.policy_id)
        book = AccountBook.load(doing.session, policy.id, selection.buyer_ids, on)
        found: Mapping[int, int] = {}
        if selection.rule is not AmountRule.AMOUNT:
            worked_out = _needed if selection.rule is AmountRule.NEEDED else _owed
            found = worked_out(doing, policy, selection.buyer_ids)
        wishes = []
        for number, buyer_id in enumerate(dict.fromkeys(selection.buyer_ids), start=1):
            amount = selection.amount_minor if selection.rule is AmountRule.AMOUNT else found.get(buyer_id)
            new = NewLimitRequest(
                buyer_id,
                policy.id,
                amount,
                layer=selection.layer,
                kind=selection.kind,
                is_urgent=selection.is_urgent,
                comment=selection.comment,
            )
            wishes.append(_Wish(number, book.names[buyer_id], new))
        return len(wishes), wishes

    label = f"{len(selection.buyer_ids)}"
    return _write(actor, organisation_id, role, on, told, label, wishes_of, good_rows_only=good_rows_only, hand_in=hand_in)


def _unit(policy: Policy) -> int:
    """To what amounts are rounded up, in minor units of the limit currency: a thousand, or the larger step the insurer takes."""
    carrier = find_carrier(policy.id)
    step: int = 1 if carrier is None else carrier.step
    scale: int = 10 ** minor_digits(policy.limit_currency)
    return max(1000, step) * scale


def _needed(doing: _Work, policy: Policy, buyer_ids: Collection[int]) -> dict[int, int]:
    """What each buyer needs under a policy by the rules, rounded up."""
    unit, found = _unit(policy), {}
    keys = sorted(set(buyer_ids))
    for number, buyer_id in enumerate(keys, start=1):
        needed = find_need(policy.id, buyer_id, doing.on).need.amount.minor
        if needed > 0:
            found[buyer_id] = -(-needed // unit) * unit
        doing.told("limit_needs_worked_out", number, len(keys))
    return found


def _owed(doing: _Work, policy: Policy, buyer_ids: Collection[int]) -> dict[int, int]:
    """What each buyer owes under a policy, rounded up."""
    session, on, unit = doing.session, doing.on, _unit(policy)
    found: dict[int, int] = {}
    keys = sorted(set(buyer_ids))
    for start in range(0, len(keys), SMALL):
        rows = session.execute(
            select(InvoicePosition.buyer_id, func.sum(InvoicePosition.open_minor))
            .where(
                InvoicePosition.policy_id == policy.id,
                InvoicePosition.buyer_id.in_(keys[start : start + SMALL]),
                InvoicePosition.valid_from <= on,
                InvoicePosition.valid_to > on,
            )
            .group_by(InvoicePosition.buyer_id)
        )
        found |= {buyer_id: -(-int(amount) // unit) * unit for buyer_id, amount in rows if amount}
    return found


def request_file(
    actor: Actor,
    organisation_id: int,
    source: IO[bytes],
    name: str,
    role: Role | None,
    on: date,
    *,
    policy_id: int | None = None,
    good_rows_only: bool = False,
    hand_in: bool = False,
    told: Told = _nobody_listens,
) -> BulkOutcome:
    """A request for each row of a file, all of them or the good ones; ``policy_id`` is that of rows that name none.

    Errors: those of reading a file of requests.
    """

    def wishes_of(doing: _Work) -> tuple[int, Sequence[_Wish]]:
        policies = {policy.number: policy for policy in doing.session.scalars(select(Policy))}
        by_id = {policy.id: policy for policy in policies.values()}
        only = by_id.get(policy_id) if policy_id is not None else (next(iter(by_id.values())) if len(by_id) == 1 else None)
        currency = only.limit_currency if only is not None else _reporting_currency(doing.session, organisation_id)
        file = read_requests(source, currency=currency, name=name)
        doing.problems.extend(file.problems)
        doing.headings = file.headings
        return file.rows_read, _wishes_of_file(doing, file, policies, only)

    return _write(actor, organisation_id, role, on, told, name, wishes_of, good_rows_only=good_rows_only, hand_in=hand_in)


def _reporting_currency(session: Session, organisation_id: int) -> str:
    return session.get_one(Organisation, organisation_id).reporting_currency


def _wishes_of_file(doing: _Work, file: RequestFile, policies: Mapping[str, Policy], only: Policy | None) -> list[_Wish]:
    index = BuyerIndex.load(doing.session, file.rows, {policy.insurer for policy in policies.values()})
    wishes = []
    for row in file.rows:
        found = index.find(row)
        policy = only if row.policy is None else policies.get(row.policy)
        if isinstance(found, RowProblem):
            heading = file.headings.get(found.column or "", found.column)
            doing.problems.append(RowProblem(found.row, heading, found.value, found.code, found.parameters))
        if policy is None:
            code = "request_policy_needed" if row.policy is None else "request_policy_unknown"
            doing.problems.append(RowProblem(row.row, file.headings.get("policy", "policy"), row.policy, code, {}))
        if policy is not None and not isinstance(found, RowProblem):
            wishes.append(_Wish(row.row, _named(row), _new(row, found, policy)))
    return wishes


def _named(row: RequestRow) -> str:
    return next(iter(row.buyer.values()))


def _new(row: RequestRow, buyer_id: int, policy: Policy) -> NewLimitRequest:
    return NewLimitRequest(
        buyer_id, policy.id, row.amount_minor, row.request_type, row.currency, row.layer, row.kind, row.is_urgent, row.comment
    )
