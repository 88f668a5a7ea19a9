"""The calendar of duties on a day: what is due when, what is late, what has been done or waived.

Today's calendar is read from the duties that are kept up to date with the ledger. That of any other day is worked out from the
positions of that day by the same rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select

from insureflow.domain.limits import AccountActKind
from insureflow.domain.obligations import Obligation as RuleObligation
from insureflow.domain.obligations import ObligationKind, ObligationStatus, status_on
from insureflow.domain.trace import Trace
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition, Obligation, ObligationMark
from insureflow.models.database import db
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.queries.blocks import blocked_since
from insureflow.queries.cover.duties import DONE, Duty, OpenInvoice, account_duties, policy_duties
from insureflow.queries.cover.ledgers import Act, Decision, Reminder, load_acts, load_decisions, load_reminders
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.rates import RateBook

#: A duty counts as due soon so many days before its day.
DUE_SOON_DAYS = 7

_PORTION = 5000


class CalendarStatus(StrEnum):
    """How a duty stands in the calendar."""

    OPEN = "open"
    DUE_SOON = "due_soon"
    LATE = "late"
    DONE = "done"
    DONE_LATE = "done_late"
    WAIVED = "waived"
    NOT_NEEDED = "not_needed"


#: Nothing is left to be done.
SETTLED = frozenset({CalendarStatus.DONE, CalendarStatus.DONE_LATE, CalendarStatus.WAIVED, CalendarStatus.NOT_NEEDED})


class DutyKey(NamedTuple):
    """What tells one duty from another, whenever it is worked out."""

    policy_id: int
    buyer_id: int | None
    invoice_id: int | None
    kind: str
    due_on: date


@dataclass(frozen=True, slots=True)
class DutySelection:
    """Which duties are asked for. ``today`` is the business date."""

    on: date
    today: date
    kinds: Collection[ObligationKind] = ()
    policy_id: int | None = None
    buyer_id: int | None = None
    entity_id: int | None = None


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """A duty with its names and how it stands. ``obligation_id`` is None where it was worked out for another day than today.

    ``trace`` holds the steps to its day where it was worked out, be it for another day or because it was asked for alone.
    ``blocked_since``: the first day of the block by which the duty to stop shipments is done.
    """

    key: DutyKey
    obligation_id: int | None
    policy: str
    buyer: str | None
    country: str | None
    invoice: str | None
    status: CalendarStatus
    unit: str
    basis: str
    amount_minor: int | None
    currency: str | None
    done_on: date | None
    note: str
    trace: list[Any]
    blocked_since: date | None = None


def calendar(selection: DutySelection, first_day: date, last_day: date, *, with_late: bool = False) -> list[CalendarEntry]:
    """The duties due from the first to the last day, both included; ``with_late``: and all that are late by then. By day."""
    duties: list[tuple[int | None, Duty]]
    if selection.on == selection.today:
        wanted = Obligation.due_on.between(first_day, last_day)
        duties = _stored(selection, or_(wanted, Obligation.due_on < selection.on) if with_late else wanted)
    else:
        duties = [(None, duty) for duty in duties_on(selection)]
    happened = Happened.to([duty for _, duty in duties], selection.on)
    names = _Names([duty for _, duty in duties])
    entries = []
    for key, duty in duties:
        entry = _entry(key, duty, happened, names, selection.on)
        if first_day <= duty.due_on <= last_day or (with_late and entry.status is CalendarStatus.LATE):
            entries.append(entry)
    order = {kind.value: place for place, kind in enumerate(ObligationKind)}
    return sorted(entries, key=lambda each: (each.key.due_on, order[each.key.kind], each.buyer or "", each.key.invoice_id or 0))


def find_entry(obligation_id: int, on: date) -> CalendarEntry | None:
    """One duty of today's calendar by its key, with its steps, which are worked out for its account alone."""
    row = db.session.scalar(select(Obligation).where(Obligation.id == obligation_id))
    if row is None:
        return None
    duty = _duty(row)
    worked_out = duties_on(DutySelection(on, on, [ObligationKind(row.kind)], row.policy_id, row.buyer_id))
    duty = next((found for found in worked_out if found[:5] == duty[:5]), duty)
    return _entry(row.id, duty, Happened.to([duty], on, [] if duty.buyer_id is None else [duty.buyer_id]), _Names([duty]), on)


def list_entries(obligation_ids: Collection[int], on: date) -> dict[int, CalendarEntry]:
    """Some duties of today's calendar by their keys, without their steps: as many as a page shows."""
    found = [(row.id, _duty(row)) for row in db.session.scalars(select(Obligation).where(Obligation.id.in_(obligation_ids)))]
    names = _Names([duty for _, duty in found])
    if not found:
        return {}
    happened = Happened.to([duty for _, duty in found], on, {duty.buyer_id for _, duty in found if duty.buyer_id is not None})
    return {key: _entry(key, duty, happened, names, on) for key, duty in found}


# ---------------------------------------------------------------------- where duties come from


def _duty(row: Obligation) -> Duty:
    return Duty(
        row.policy_id, row.buyer_id, row.invoice_id, row.kind, row.due_on, row.unit, row.basis, row.amount_minor, row.currency, row.trace
    )


def _stored(selection: DutySelection, days: ColumnElement[bool]) -> list[tuple[int | None, Duty]]:
    statement = select(Obligation).where(*_narrowed(selection, Obligation), days)
    if selection.kinds:
        statement = statement.where(Obligation.kind.in_([kind.value for kind in selection.kinds]))
    if selection.entity_id is not None:
        statement = statement.outerjoin(Invoice, Invoice.id == Obligation.invoice_id).where(
            or_(Obligation.invoice_id.is_(None), Invoice.entity_id == selection.entity_id)
        )
    return [(row.id, _duty(row)) for row in db.session.scalars(statement)]


def _narrowed(selection: DutySelection, model: Any) -> list[Any]:
    conditions = []
    if selection.policy_id is not None:
        conditions.append(model.policy_id == selection.policy_id)
    if selection.buyer_id is not None:
        conditions.append(model.buyer_id == selection.buyer_id)
    return conditions


def duties_on(selection: DutySelection, book: PolicyBook | None = None) -> list[Duty]:
    """The duties on any day, worked out from the positions of that day; ``book``: under these policies instead of those in force."""
    rates, on = RateBook.load(), selection.on
    book = book or PolicyBook.load()
    accounts: dict[tuple[int, int], list[OpenInvoice]] = {}
    entities: dict[int, int] = {}
    position = InvoicePosition
    statement = (
        select(
            position.buyer_id,
            position.policy_id,
            Invoice.id,
            Invoice.invoice_on,
            Invoice.shipment_on,
            Invoice.original_due_on,
            position.open_minor,
            position.primary_minor + position.top_up_minor,
            position.disputed_minor,
            position.excluded_reason,
            Invoice.entity_id,
        )
        .join(Invoice, Invoice.id == position.invoice_id)
        .where(
            position.valid_from <= on,
            position.valid_to > on,
            position.policy_id.is_not(None),
            position.open_minor > 0,
            *_narrowed(selection, position),
        )
        .order_by(Invoice.id)
    )
    for buyer_id, policy_id, *values, entity_id in (tuple(row) for row in db.session.execute(statement)):
        accounts.setdefault((buyer_id, policy_id), []).append(OpenInvoice(*values))
        entities[values[0]] = entity_id
    models: tuple[Any, ...] = (LimitDecision, AccountAct)
    for model in models:
        found = select(model.buyer_id, model.policy_id).where(*_narrowed(selection, model)).distinct()
        for buyer_id, policy_id in db.session.execute(found):
            accounts.setdefault((buyer_id, policy_id), [])
    buyer_ids = sorted({buyer_id for buyer_id, _ in accounts})
    decisions: dict[tuple[int, int], list[Decision]] = {}
    acts: dict[tuple[int, int], list[Act]] = {}
    reminders: dict[tuple[int, int], list[Reminder]] = {}
    countries: dict[int, str] = {}
    for start in range(0, len(buyer_ids), _PORTION):
        portion = buyer_ids[start : start + _PORTION]
        for decision in load_decisions(portion):
            decisions.setdefault((decision.buyer_id, decision.policy_id), []).append(decision)
        for act in load_acts(portion):
            acts.setdefault((act.buyer_id, act.policy_id), []).append(act)
        for reminder in load_reminders(portion):
            reminders.setdefault((reminder.buyer_id, reminder.policy_id), []).append(reminder)
        countries |= {row[0]: row[1] for row in db.session.execute(select(Buyer.id, Buyer.country).where(Buyer.id.in_(portion)))}
    duties: list[Duty] = []
    for (buyer_id, policy_id), invoices in accounts.items():
        key = (buyer_id, policy_id)
        duties += account_duties(
            book.policies[policy_id],
            buyer_id,
            countries[buyer_id],
            invoices,
            decisions.get(key, ()),
            acts.get(key, ()),
            on,
            rates,
            reminders=reminders.get(key, ()),
            has_steps=True,
        )
    if selection.buyer_id is None:
        chosen = [policy for policy in book.policies.values() if selection.policy_id in (None, policy.id)]
        duties += [duty for policy in chosen for duty in policy_duties(policy, on, has_steps=True)]
    wanted = {kind.value for kind in selection.kinds}
    return [
        duty
        for duty in duties
        if (not wanted or duty.kind in wanted)
        and (selection.entity_id is None or duty.invoice_id is None or entities.get(duty.invoice_id) == selection.entity_id)
    ]


# ---------------------------------------------------------------------- how duties stand


def marks_by(on: date, buyer_ids: Collection[int] | None = None) -> dict[DutyKey, ObligationMark]:
    """What was done about duties by a day; of these buyers and of whole policies, or of all."""
    statement = select(ObligationMark).where(ObligationMark.marked_on <= on).order_by(ObligationMark.id)
    if buyer_ids is not None:
        statement = statement.where(or_(ObligationMark.buyer_id.is_(None), ObligationMark.buyer_id.in_(buyer_ids)))
    found = db.session.scalars(statement)
    return {DutyKey(mark.policy_id, mark.buyer_id, mark.invoice_id, mark.kind, mark.due_on): mark for mark in found}


def is_insolvency(on: date) -> ColumnElement[bool]:
    """That an act says that insolvency proceedings over a buyer are open on a day."""
    return and_(AccountAct.kind == AccountActKind.INSOLVENCY, AccountAct.happened_on <= on)


@dataclass(frozen=True, slots=True)
class Happened:
    """What has happened by a day that settles duties: marks of people, blocks on shipments, insolvency proceedings."""

    marks: Mapping[DutyKey, ObligationMark]
    blocked: Mapping[int, date]
    insolvent: frozenset[tuple[int, int]]

    @classmethod
    def to(cls, duties: Iterable[Duty], on: date, buyer_ids: Collection[int] | None = None) -> Happened:
        """What has happened to duties by a day; ``buyer_ids``: where they are of these buyers and of whole policies alone."""
        stopping, reminding = set[int](), set[int]()
        for duty in duties:
            if duty.buyer_id is not None and duty.kind == ObligationKind.STOP_SHIPMENTS:
                stopping.add(duty.buyer_id)
            elif duty.buyer_id is not None and duty.kind == ObligationKind.SEND_REMINDER:
                reminding.add(duty.buyer_id)
        insolvent = select(AccountAct.buyer_id, AccountAct.policy_id).where(is_insolvency(on))
        return cls(
            marks_by(on, buyer_ids),
            blocked_since(on, stopping) if stopping else {},
            frozenset((row.buyer_id, row.policy_id) for row in db.session.execute(insolvent)) if reminding else frozenset(),
        )

    def mark_of(self, duty: Duty) -> ObligationMark | None:
        """What somebody did about a duty."""
        return self.marks.get(DutyKey(*duty[:5]))

    def standing(self, duty: Duty, mark: ObligationMark | None, on: date) -> tuple[ObligationStatus, date | None, date | None]:
        """How a duty with this mark stands on a day, when it was done, and since when a block does it.

        A buyer is kept from goods by its block from the first day on, which is in time on the day after the last one on which goods
        could leave. Nobody is reminded once insolvency proceedings are open: the debt is lodged there.
        """
        by_facts = next((step["result"] for step in duty.trace if step["name"] == DONE), None)
        done_on, blocked_on, in_time = None if by_facts is None else date.fromisoformat(by_facts), None, duty.due_on
        if mark is not None and mark.mark == "done":
            done_on = mark.marked_on
        elif duty.kind == ObligationKind.STOP_SHIPMENTS and duty.buyer_id is not None and duty.buyer_id in self.blocked:
            done_on = blocked_on = self.blocked[duty.buyer_id]
            in_time += timedelta(days=1)
        status = status_on(
            RuleObligation(ObligationKind(duty.kind), None, in_time, "calendar", duty.basis, Trace()),
            on,
            done_on,
            is_waived=mark is not None and mark.mark == "waived",
            is_needed=duty.kind != ObligationKind.SEND_REMINDER or (duty.buyer_id, duty.policy_id) not in self.insolvent,
        )
        return status, done_on, blocked_on


class _Names:
    """Names of the policies, buyers and invoices that duties are about, read once."""

    def __init__(self, duties: Iterable[Duty]) -> None:
        known = list(duties)
        self.policies = {row[0]: row[1] for row in db.session.execute(select(Policy.id, Policy.number))}
        self.buyers = self._read(Buyer.id, Buyer.legal_name, {duty.buyer_id for duty in known})
        self.countries = self._read(Buyer.id, Buyer.country, {duty.buyer_id for duty in known})
        self.invoices = self._read(Invoice.id, Invoice.number, {duty.invoice_id for duty in known})

    @staticmethod
    def _read(key: Any, name: Any, wanted: Collection[int | None]) -> dict[int | None, str]:
        keys = sorted(each for each in wanted if each is not None)
        names: dict[int | None, str] = {}
        for start in range(0, len(keys), _PORTION):
            names |= {row[0]: row[1] for row in db.session.execute(select(key, name).where(key.in_(keys[start : start + _PORTION])))}
        return names


def _entry(key: int | None, duty: Duty, happened: Happened, names: _Names, on: date) -> CalendarEntry:
    mark = happened.mark_of(duty)
    found, done_on, blocked_on = happened.standing(duty, mark, on)
    if found is ObligationStatus.OPEN and duty.due_on - on <= timedelta(days=DUE_SOON_DAYS):
        status = CalendarStatus.DUE_SOON
    else:
        status = CalendarStatus(found.value)
    return CalendarEntry(
        key=DutyKey(*duty[:5]),
        obligation_id=key,
        policy=names.policies[duty.policy_id],
        buyer=names.buyers.get(duty.buyer_id),
        country=names.countries.get(duty.buyer_id),
        invoice=names.invoices.get(duty.invoice_id),
        status=status,
        unit=duty.unit,
        basis=duty.basis,
        amount_minor=duty.amount_minor,
        currency=duty.currency,
        done_on=done_on if done_on is not None and done_on <= on else None,
        note="" if mark is None else mark.note,
        trace=duty.trace,
        blocked_since=blocked_on,
    )
