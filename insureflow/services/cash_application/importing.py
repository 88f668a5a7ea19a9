"""Importing a file of the bank: each booking is kept once, whichever message tells of it and however often."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from insureflow.connectors.bank_statements import DEFAULT_BOUNDS, StatementBounds, read_statements
from insureflow.domain import bank_statements as domain
from insureflow.domain.bank_statements import BookingMarks, EntryStatus, check_balances, mark_bookings, mark_statement
from insureflow.domain.cash_application import EntryState, find_reversed, state_of
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import RowProblem
from insureflow.models.bank_statements import BankAccount, BankEntry, BankStatement
from insureflow.models.organisations import Entity
from insureflow.services import journal
from insureflow.services.cash_application.proposing import compare
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.organisations import get_entity
from insureflow.services.transaction import transaction

_PORTION = 5_000
#: Entries that were not decided may be replaced by a message that tells more of them.
_UNDECIDED = frozenset({EntryState.UNMATCHED, EntryState.PROPOSED, EntryState.NOT_A_RECEIPT})


@dataclass(slots=True)
class StatementOutcome:
    """What came of an import. ``statements`` are the keys of those that are new; ``entries`` counts the new entries by state.

    ``known`` counts bookings that another message, or the same, had told already; ``detailed`` those of which more is known now.
    """

    statements: list[int] = field(default_factory=list)
    known_statements: int = 0
    entries: dict[str, int] = field(default_factory=dict)
    known: int = 0
    detailed: int = 0
    problems: tuple[RowProblem, ...] = ()
    warnings: tuple[RowProblem, ...] = ()

    @property
    def is_new(self) -> bool:
        """True if anything was kept."""
        return bool(self.statements)


def import_statements(
    actor: Actor,
    organisation_id: int,
    *,
    entity: str,
    file_name: str,
    content: bytes,
    bounds: StatementBounds = DEFAULT_BOUNDS,
) -> StatementOutcome:
    """Keep the statements of a file, with every entry that can be read, and compare what came in with what is open.

    Importing a file again changes nothing. Errors: the refusals of ``read_statements``, ``entity_unknown``,
    ``bank_account_of_other_entity``.
    """
    found = read_statements(content, bounds)
    name = PurePath(file_name.replace("\\", "/")).name[:300] or "statement"
    outcome = StatementOutcome(problems=found.problems, warnings=found.warnings)
    with transaction(organisation_id) as session:
        owner = get_entity(session, entity)
        fresh: list[BankEntry] = []
        for statement in found.statements:
            account = _account(session, owner, statement)
            fresh += _keep(session, actor, account, statement, name, hashlib.sha256(content).hexdigest(), outcome)
        if outcome.is_new:
            compare(session, owner.id, [entry for entry in fresh if entry.state is EntryState.UNMATCHED])
            for entry in fresh:
                outcome.entries[entry.state.value] = outcome.entries.get(entry.state.value, 0) + 1
            journal.record(
                session,
                actor,
                "bank_statement.imported",
                Subject("bank_statement", outcome.statements[0], name),
                after={
                    "file": name,
                    "entity": owner.code,
                    "counts": {"statements": len(outcome.statements), **outcome.entries, "known": outcome.known},
                },
            )
    return outcome


def _account(session: Session, owner: Entity, statement: domain.BankStatement) -> BankAccount:
    """The account of a statement, locked; made where it is new."""
    wanted = select(BankAccount).where(BankAccount.number == statement.account, BankAccount.currency == statement.currency)
    account = session.scalar(wanted.with_for_update())
    if account is None:
        account = BankAccount(entity_id=owner.id, number=statement.account, currency=statement.currency, created_at=now())
        session.add(account)
        session.flush()
    elif account.entity_id != owner.id:
        other = session.get_one(Entity, account.entity_id)
        raise Refusal("bank_account_of_other_entity", account=account.number, entity=other.name)
    return account


def _keep(
    session: Session,
    actor: Actor,
    account: BankAccount,
    statement: domain.BankStatement,
    file_name: str,
    sha256: str,
    outcome: StatementOutcome,
) -> list[BankEntry]:
    """Store a statement and what is new in it; nothing of one that is known."""
    mark = mark_statement(statement)
    known = select(BankStatement.id).where(
        BankStatement.account_id == account.id, BankStatement.identification == statement.identification, BankStatement.mark == mark
    )
    if session.scalar(known) is not None:
        outcome.known_statements += 1
        return []
    row = _statement_row(statement, account.id, mark, file_name, sha256, actor.user_id)
    of_this = [problem for problem in outcome.problems if problem.parameters.get("statement") == statement.identification]
    row.problems = [_plain(problem) for problem in of_this]
    row.warnings = [_plain(each) for each in outcome.warnings if each.parameters.get("statement") == statement.identification]
    session.add(row)
    session.flush()
    marks = mark_bookings(statement.account, statement.bookings)
    held = _held(session, account.id, marks)
    fresh: list[BankEntry] = []
    counts = {"bookings": len(statement.bookings), "entries": len(statement.entries), "new": 0, "known": 0, "bad": len(of_this)}
    for booking, its in zip(statement.bookings, marks, strict=True):
        rows = _find(held, its)
        if rows and not _tells_more(session, rows, booking, outcome):
            outcome.known += 1
            counts["known"] += 1
            continue
        entries = [_entry_row(account.id, row.id, its, number, len(booking.parts), part) for number, part in enumerate(booking.parts, 1)]
        session.add_all(entries)
        fresh += entries
        held.setdefault(entries[0].content_mark, []).extend(entries)
        if its.reference is not None:
            held.setdefault(its.reference, []).extend(entries)
        counts["new"] += len(entries)
    session.flush()
    row.counts = counts
    _link_reversals(session, account.id, fresh)
    session.flush()
    outcome.statements.append(row.id)
    return fresh


def _plain(problem: RowProblem) -> dict[str, Any]:
    parameters = dict(problem.parameters)
    return {
        "row": problem.row,
        "column": problem.column,
        "value": problem.value,
        "code": problem.code,
        "parameters": journal.plain(parameters),
    }


def _statement_row(
    statement: domain.BankStatement, account_id: int, mark: str, file_name: str, sha256: str, actor_id: int | None
) -> BankStatement:
    result = check_balances(statement)
    balance = statement.opening or statement.closing
    return BankStatement(
        account_id=account_id,
        kind=statement.kind,
        source=statement.source,
        identification=statement.identification,
        sequence=statement.sequence,
        mark=mark,
        file_name=file_name,
        file_sha256=sha256,
        from_on=statement.from_on,
        to_on=statement.to_on,
        balance_currency=balance.amount.currency if balance else None,
        opening_minor=statement.opening.amount.minor if statement.opening else None,
        closing_minor=statement.closing.amount.minor if statement.closing else None,
        balance_check=result.check,
        difference_minor=result.difference.minor if result.difference else None,
        counts={},
        problems=[],
        warnings=[],
        imported_at=now(),
        imported_by_id=actor_id,
    )


def _held(session: Session, account_id: int, marks: Sequence[BookingMarks]) -> dict[str, list[BankEntry]]:
    """The entries of the account that these bookings may be, by each of their marks."""
    wanted = sorted({mark for each in marks for mark in (each.reference, each.content) if mark is not None})
    held: dict[str, list[BankEntry]] = {}
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        statement = (
            select(BankEntry)
            .where(BankEntry.account_id == account_id, or_(BankEntry.mark.in_(portion), BankEntry.content_mark.in_(portion)))
            .order_by(BankEntry.id)
        )
        for entry in session.scalars(statement):
            for mark in {entry.mark, entry.content_mark}:
                if entry not in held.setdefault(mark, []):
                    held[mark].append(entry)
    return held


def _find(held: dict[str, list[BankEntry]], marks: BookingMarks) -> list[BankEntry]:
    """The entries of the same booking: by the bank's reference, or by content where one of the two messages gave none."""
    if marks.reference is not None:
        found = [entry for entry in held.get(marks.reference, ()) if entry.mark == marks.reference]
        return found or [entry for entry in held.get(marks.content, ()) if entry.mark == entry.content_mark]
    return held.get(marks.content, [])


def _tells_more(session: Session, rows: list[BankEntry], booking: domain.Booking, outcome: StatementOutcome) -> bool:
    """Take over what a second message says beyond the first. True if the booking is to be stored anew, in its parts."""
    undecided = all(row.state in _UNDECIDED for row in rows)
    first, told = rows[0], booking.parts[0]
    if first.status is not EntryStatus.BOOKED and told.status is EntryStatus.BOOKED and undecided and len(rows) == len(booking.parts):
        for row, part in zip(rows, booking.parts, strict=True):
            _take_over(row, part)
        outcome.detailed += 1
        return False
    if len(rows) == 1 and len(booking.parts) > 1 and undecided:
        session.delete(first)
        session.flush()
        outcome.detailed += 1
        return True
    is_bare = not (first.text or first.references or first.payer_name or first.payer_account)
    if len(rows) == len(booking.parts) == 1 and undecided and is_bare and (told.text or told.references or told.counterparty_name):
        _take_over(first, told)
        outcome.detailed += 1
    return False


def _take_over(row: BankEntry, part: domain.BankEntry) -> None:
    for name, value in _values(part).items():
        setattr(row, name, value)


def _values(part: domain.BankEntry) -> dict[str, Any]:
    instructed = part.instructed
    return {
        "amount_minor": part.amount_minor,
        "currency": part.currency,
        "is_credit": part.is_credit,
        "is_reversal": part.is_reversal,
        "status": part.status,
        "booked_on": part.booked_on,
        "value_on": part.value_on,
        "bank_reference": part.bank_reference,
        "end_to_end_id": part.end_to_end_id,
        "references": list(part.references),
        "text": part.text,
        "payer_name": part.counterparty_name,
        "payer_account": part.counterparty_account,
        "instructed_minor": instructed.minor if instructed else None,
        "instructed_currency": instructed.currency if instructed else None,
        "charges_minor": part.charges_minor,
        "code": part.code,
        "state": state_of(part),
    }


def _entry_row(account_id: int, statement_id: int, marks: BookingMarks, number: int, parts: int, part: domain.BankEntry) -> BankEntry:
    mark = marks.reference or marks.content
    return BankEntry(
        account_id=account_id, statement_id=statement_id, mark=mark, content_mark=marks.content, part=number, parts=parts, **_values(part)
    )


def _link_reversals(session: Session, account_id: int, fresh: Sequence[BankEntry]) -> None:
    """Say of each reversal which receipt it takes back."""
    for reversal in (entry for entry in fresh if entry.is_reversal and not entry.is_credit):
        statement = (
            select(BankEntry)
            .where(
                BankEntry.account_id == account_id,
                BankEntry.is_credit,
                BankEntry.amount_minor == reversal.amount_minor,
                BankEntry.id != reversal.id,
            )
            .order_by(BankEntry.id)
        )
        earlier = list(session.scalars(statement))
        place = find_reversed(as_value(reversal), [as_value(entry) for entry in earlier])
        if place is not None:
            reversal.reverses_id = earlier[place].id


def as_value(entry: BankEntry) -> domain.BankEntry:
    """A stored entry as the domain knows it."""
    return domain.BankEntry(
        row=0,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        is_credit=entry.is_credit,
        status=entry.status,
        is_reversal=entry.is_reversal,
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        bank_reference=entry.bank_reference,
        end_to_end_id=entry.end_to_end_id,
        counterparty_account=entry.payer_account,
    )
