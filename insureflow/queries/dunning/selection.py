"""Who is due a letter on a day, found in one pass over all open invoices.

The level of each invoice is worked out by the database from its original due date and the rule that holds for its buyer. Nothing is
looped over but the letters that come out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, literal, or_, select, true
from sqlalchemy.orm import aliased

from insureflow.domain.dunning import ORDER, DunningLevel, DunningRules, LetterState, PromiseState, ScopedRule, next_level, rank_of
from insureflow.domain.payment_plans import PlanState
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.dunning import DunningHold, DunningLetter, DunningLetterInvoice
from insureflow.models.organisations import Entity
from insureflow.models.payment_plans import PaymentPlan, PlanInvoice
from insureflow.models.receivables import CreditNote, Dispute, Invoice, Payment
from insureflow.queries.dunning.promises import promise_pictures

#: Why a proposal was skipped that gave way to another one.
SUPERSEDED = "superseded"
_PLANNED = (PlanState.AWAITING_CONSENT, PlanState.ACTIVE)


@dataclass(frozen=True, slots=True)
class DueLetter:
    """A letter that is due: to whom, how firm, about how much, and the invoice that makes it due."""

    entity_id: int
    buyer_id: int
    currency: str
    level: DunningLevel
    anchor_id: int
    oldest_due_on: date
    open_minor: int
    invoices: int


@dataclass(frozen=True, slots=True)
class DueInvoice:
    """An invoice that a letter lists: what of it is asked for, its level now, and the firmest letter that listed it before."""

    invoice_id: int
    entity_id: int
    buyer_id: int
    currency: str
    number: str
    reference: str
    invoice_on: date
    due_on: date
    gross_minor: int
    open_minor: int
    level: DunningLevel
    reminded: DunningLevel | None


@dataclass(frozen=True, slots=True)
class _Group:
    """Buyers for whom the same rule holds; the last group is everybody else."""

    rules: DunningRules
    buyer_ids: tuple[int, ...] = ()
    countries: tuple[str, ...] = ()

    def condition(self) -> ColumnElement[bool]:
        parts: list[ColumnElement[bool]] = []
        if self.buyer_ids:
            parts.append(Buyer.id.in_(self.buyer_ids))
        if self.countries:
            parts.append(Buyer.country.in_(self.countries))
        return or_(*parts) if parts else true()


def _groups(stored: Sequence[ScopedRule], fallback: DunningRules, on: date) -> list[_Group]:
    """The rules in force on a day in the order in which they are asked: buyers, countries, the organisation."""

    def latest(candidates: Sequence[ScopedRule], scope: str) -> dict[Any, ScopedRule]:
        found: dict[Any, ScopedRule] = {}
        for each in sorted(candidates, key=lambda rule: (rule.effective_on, rule.key)):
            found[getattr(each, scope)] = each
        return found

    in_force = [each for each in stored if each.effective_on <= on]
    buyers = latest([each for each in in_force if each.buyer_id is not None], "buyer_id")
    countries = latest([each for each in in_force if each.buyer_id is None and each.country is not None], "country")
    own = latest([each for each in in_force if each.buyer_id is None and each.country is None], "country")
    groups = [_Group(rule.rules, buyer_ids=(int(rule.buyer_id or 0),)) for rule in buyers.values()]
    groups += [_Group(rule.rules, countries=(str(rule.country),)) for rule in countries.values()]
    groups.append(_Group(own[None].rules if own else fallback))
    return _merged(groups)


def _merged(groups: list[_Group]) -> list[_Group]:
    """Buyers (or countries) side by side that follow the same rule are asked about once."""
    merged: list[_Group] = []
    for group in groups:
        kind = bool(group.buyer_ids), bool(group.countries)
        same = next((each for each in merged if each.rules == group.rules and (bool(each.buyer_ids), bool(each.countries)) == kind), None)
        if same is None or kind == (False, False):
            merged.append(group)
        else:
            merged[merged.index(same)] = _Group(same.rules, same.buyer_ids + group.buyer_ids, same.countries + group.countries)
    return merged


def _by_group(groups: Sequence[_Group], value: Any) -> ColumnElement[Any]:
    """A value for each invoice by the rule of its buyer."""
    arms = [(group.condition(), value(group.rules)) for group in groups[:-1]]
    last = value(groups[-1].rules)
    return case(*arms, else_=last) if arms else last


def _rank(rules: DunningRules, on: date) -> ColumnElement[int]:
    """The rank of the level that an invoice has reached: 0 for the note before the due date, −1 for none."""
    arms = []
    for level in reversed(rules.levels):
        reached: ColumnElement[bool] = Invoice.original_due_on <= rules.last_due_on(level, on)
        if level.level is DunningLevel.BEFORE_DUE:
            reached = and_(reached, Invoice.original_due_on >= on)
        arms.append((reached, literal(rank_of(level.level))))
    return case(*arms, else_=literal(-1))


def _capped(rules: DunningRules, reached: ColumnElement[int], taken: ColumnElement[int]) -> ColumnElement[int]:
    """The rank of the level due: the one reached, but one step at most above the firmest letter that was sent."""
    if rules.may_skip_levels:
        return reached
    following = {rank: rank_of(next_level(rules, None if rank < 0 else ORDER[rank])) for rank in range(-1, len(ORDER))}
    most = case(*((taken == rank, literal(most)) for rank, most in following.items()), else_=literal(following[-1]))
    return case((reached > most, most), else_=reached)


def _flag(groups: Sequence[_Group], name: str) -> ColumnElement[bool]:
    """Whether the rule of a buyer says so."""
    if len({getattr(group.rules, name) for group in groups}) == 1:
        return true() if getattr(groups[-1].rules, name) else false()
    return _by_group(groups, lambda rules: literal(1 if getattr(rules, name) else 0)) == 1


def _held(groups: Sequence[_Group], on: date) -> list[ColumnElement[bool]]:
    """What keeps an invoice out of every letter: holds, disputes, promises that are open, plans."""
    entity = aliased(Entity)
    hold = (
        select(DunningHold.id)
        .where(
            DunningHold.buyer_id == Invoice.buyer_id,
            DunningHold.from_on <= on,
            or_(DunningHold.until_on.is_(None), DunningHold.until_on > on),
            or_(DunningHold.invoice_number == "", DunningHold.invoice_number == Invoice.number),
            or_(
                DunningHold.entity_code == "",
                exists(select(entity.id).where(entity.id == Invoice.entity_id, entity.code == DunningHold.entity_code)),
            ),
        )
        .exists()
    )
    dispute = (
        select(Dispute.id)
        .where(
            Dispute.invoice_id == Invoice.id,
            Dispute.opened_on <= on,
            or_(Dispute.resolved_on.is_(None), Dispute.resolved_on > on),
            Dispute.is_ring_fenced.is_(False),
        )
        .exists()
    )
    plan = (
        select(PlanInvoice.id)
        .join(PaymentPlan, PaymentPlan.id == PlanInvoice.plan_id)
        .where(PlanInvoice.invoice_id == Invoice.id, PaymentPlan.state.in_(_PLANNED))
        .exists()
    )
    return [
        ~hold,
        or_(~dispute, ~_flag(groups, "holds_for_disputes")),
        or_(~plan, ~_flag(groups, "holds_for_plans")),
        or_(~_promised(on), ~_flag(groups, "holds_for_promises")),
    ]


def _promised(on: date) -> ColumnElement[bool]:
    """Whether a promise that is neither kept nor broken speaks of an invoice."""
    arms: list[ColumnElement[bool]] = []
    for picture in promise_pictures(on, states={PromiseState.OPEN}):
        promise = picture.promise
        whole = and_(Invoice.buyer_id == promise.buyer_id, Invoice.currency == promise.currency)
        arms.append(and_(whole, Invoice.number.in_(promise.invoices)) if promise.invoices else whole)
    return or_(*arms) if arms else false()


def _history(groups: Sequence[_Group], on: date, buyer_ids: Collection[int] | None) -> Any:
    """The firmest letter that listed each invoice, whatever became of it: who skipped a letter does not want it again tomorrow.

    ``taken`` is the firmest that a milder one need not go before any more: sent, or skipped by somebody, the days between two letters
    ago or longer. A proposal that gave way to another was neither.
    """
    rank = case(*((DunningLetter.level == level, index) for index, level in enumerate(ORDER)), else_=-1)
    days = {group.rules.days_between for group in groups}
    latest = (
        literal(on - timedelta(days=days.pop()))
        if len(days) == 1
        else _by_group(groups, lambda rules: literal(on - timedelta(days=rules.days_between)))
    )
    is_taken = and_(
        DunningLetter.state.in_((LetterState.SENT, LetterState.SKIPPED)),
        func.coalesce(DunningLetter.sent_on, DunningLetter.as_of) <= latest,
    )
    statement = (
        select(
            DunningLetterInvoice.invoice_id.label("invoice_id"),
            func.max(rank).label("rank"),
            func.max(case((is_taken, rank), else_=-1)).label("taken"),
        )
        .join(DunningLetter, DunningLetter.id == DunningLetterInvoice.letter_id)
        .join(Buyer, Buyer.id == DunningLetter.buyer_id)
        .where(
            DunningLetterInvoice.invoice_id.is_not(None),
            or_(DunningLetter.state != LetterState.SKIPPED, DunningLetter.reason != SUPERSEDED),
        )
    )
    if buyer_ids is not None:  # without it the database would read the letters of everybody for each portion of buyers
        statement = statement.where(DunningLetter.buyer_id.in_(list(buyer_ids)))
    return statement.group_by(DunningLetterInvoice.invoice_id).subquery()


def _candidates(groups: Sequence[_Group], on: date, *, entity_id: int | None, buyer_ids: Collection[int] | None) -> Any:
    """Every open invoice that has reached a level and is not held, with its level and what was sent before."""
    history = _history(groups, on, buyer_ids)
    fenced = (
        select(Dispute.invoice_id.label("invoice_id"), func.sum(Dispute.amount_minor).label("amount"))
        .where(
            Dispute.opened_on <= on,
            or_(Dispute.resolved_on.is_(None), Dispute.resolved_on > on),
            Dispute.is_ring_fenced.is_(True),
        )
        .group_by(Dispute.invoice_id)
        .subquery()
    )
    horizon = max((group.rules.last_due_on(level, on) for group in groups for level in group.rules.levels), default=on)
    reached = _by_group(groups, lambda rules: _rank(rules, on))
    taken = func.coalesce(history.c.taken, -1)
    rank = _by_group(groups, lambda rules: _capped(rules, _rank(rules, on), taken))
    statement = (
        select(
            Invoice.id.label("invoice_id"),
            Invoice.entity_id.label("entity_id"),
            Invoice.buyer_id.label("buyer_id"),
            Invoice.currency.label("currency"),
            Invoice.number.label("number"),
            Invoice.reference.label("reference"),
            Invoice.invoice_on.label("invoice_on"),
            Invoice.original_due_on.label("due_on"),
            (Invoice.net_minor + Invoice.vat_minor).label("gross_minor"),
            (Invoice.open_minor - func.coalesce(fenced.c.amount, 0)).label("open_minor"),
            rank.label("rank"),
            func.coalesce(history.c.rank, -1).label("reminded"),
            _by_group(groups, lambda rules: literal(groups.index(next(each for each in groups if each.rules == rules)))).label("rule"),
        )
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .outerjoin(history, history.c.invoice_id == Invoice.id)
        .outerjoin(fenced, fenced.c.invoice_id == Invoice.id)
        .where(
            Invoice.open_minor > func.coalesce(fenced.c.amount, 0),
            Invoice.original_due_on <= horizon,
            reached >= 0,
            *_held(groups, on),
        )
    )
    if entity_id is not None:
        statement = statement.where(Invoice.entity_id == entity_id)
    if buyer_ids is not None:
        statement = statement.where(Invoice.buyer_id.in_(list(buyer_ids)))
    return statement


def _loose_money(model: type[Payment | CreditNote]) -> Any:
    """Money or credit of a buyer that settles no invoice yet: it is taken off what a letter asks for."""
    return (
        select(
            model.entity_id.label("entity_id"),
            model.buyer_id.label("buyer_id"),
            model.currency.label("currency"),
            func.sum(model.unapplied_minor).label("amount"),
        )
        .where(model.unapplied_minor > 0)
        .group_by(model.entity_id, model.buyer_id, model.currency)
        .subquery()
    )


def due_letters(
    stored: Sequence[ScopedRule],
    fallback: DunningRules,
    on: date,
    *,
    entity_id: int | None = None,
    buyer_ids: Collection[int] | None = None,
) -> Iterator[DueLetter]:
    """Every letter that is due on a day: one per entity, buyer and currency, with the firmest level newly reached.

    A letter is due where an invoice has reached a level firmer than every letter that listed it; unless the rule says otherwise, one
    step at most above the letter that was sent. It is held back by the least amount
    of the rule, by a letter of the same or a firmer level within the days between two letters, and by a firmer one that still waits
    for somebody's word: a milder one in its place would let the firmer level pass without a letter.
    """
    groups = _groups(stored, fallback, on)
    rows = _candidates(groups, on, entity_id=entity_id, buyer_ids=buyer_ids).subquery()
    is_new = rows.c.rank > rows.c.reminded
    new_rank = func.max(case((is_new, rows.c.rank), else_=-1))
    after_due = case((rows.c.rank > 0, rows.c.open_minor), else_=0)
    found = (
        select(
            rows.c.entity_id.label("entity_id"),
            rows.c.buyer_id.label("buyer_id"),
            rows.c.currency.label("currency"),
            func.max(rows.c.rule).label("rule"),
            new_rank.label("rank"),
            func.min(case((is_new, rows.c.invoice_id), else_=None)).label("anchor_id"),
            func.min(rows.c.due_on).label("oldest_due_on"),
            func.sum(rows.c.open_minor).label("open_minor"),
            func.sum(after_due).label("overdue_minor"),
            func.count(rows.c.invoice_id).label("invoices"),
        )
        .group_by(rows.c.entity_id, rows.c.buyer_id, rows.c.currency)
        .having(new_rank >= 0)
        .subquery()
    )
    payments, notes, last = _loose_money(Payment), _loose_money(CreditNote), _last_letters(groups, on)
    statement: Select[Any] = select(
        found, func.coalesce(payments.c.amount, 0) + func.coalesce(notes.c.amount, 0), last.c.rank, last.c.as_of, last.c.waiting
    ).order_by(found.c.buyer_id, found.c.entity_id, found.c.currency)
    for loose in (payments, notes, last):
        statement = statement.outerjoin(
            loose,
            and_(loose.c.entity_id == found.c.entity_id, loose.c.buyer_id == found.c.buyer_id, loose.c.currency == found.c.currency),
        )
    for row in db.session.execute(statement.execution_options(yield_per=2000)):
        entity, buyer, currency, rule, rank, anchor, oldest, open_minor, overdue, count, credit, last_rank, last_on, waiting = row
        rules = groups[int(rule)].rules
        asked = int(overdue if rank > 0 else open_minor) - int(credit)
        if asked <= 0 or asked < rules.minimums.get(currency, 0):
            continue
        is_soon = last_on is not None and (on - last_on).days < rules.days_between
        if (is_soon and int(last_rank) >= int(rank)) or (waiting is not None and int(waiting) > int(rank)):
            continue
        yield DueLetter(int(entity), int(buyer), currency, ORDER[int(rank)], int(anchor), oldest, asked, int(count))


def _last_letters(groups: Sequence[_Group], on: date) -> Any:
    """The letters of the last days and those that wait for approval, by entity, buyer and currency.

    ``rank`` is the firmest level of all, ``as_of`` the day of the last one, ``waiting`` the firmest that waits (−1 for none).
    """
    longest = max(group.rules.days_between for group in groups)
    rank = case(*((DunningLetter.level == level, index) for index, level in enumerate(ORDER)), else_=-1)
    return (
        select(
            DunningLetter.entity_id.label("entity_id"),
            DunningLetter.buyer_id.label("buyer_id"),
            DunningLetter.currency.label("currency"),
            func.max(rank).label("rank"),
            func.max(DunningLetter.as_of).label("as_of"),
            func.max(case((DunningLetter.state == LetterState.PROPOSED, rank), else_=-1)).label("waiting"),
        )
        .where(
            or_(DunningLetter.as_of > on - timedelta(days=longest), DunningLetter.state == LetterState.PROPOSED),
            DunningLetter.state != LetterState.SKIPPED,
        )
        .group_by(DunningLetter.entity_id, DunningLetter.buyer_id, DunningLetter.currency)
        .subquery()
    )


def due_invoices(
    stored: Sequence[ScopedRule], fallback: DunningRules, on: date, buyer_ids: Collection[int]
) -> Mapping[tuple[int, int, str], list[DueInvoice]]:
    """The invoices that letters to these buyers list, by entity, buyer and currency, the oldest first."""
    groups = _groups(stored, fallback, on)
    rows = _candidates(groups, on, entity_id=None, buyer_ids=buyer_ids).subquery()
    found: dict[tuple[int, int, str], list[DueInvoice]] = {}
    for row in db.session.execute(select(rows).order_by(rows.c.due_on, rows.c.number)).mappings():
        each = DueInvoice(
            int(row["invoice_id"]),
            int(row["entity_id"]),
            int(row["buyer_id"]),
            row["currency"],
            row["number"],
            row["reference"],
            row["invoice_on"],
            row["due_on"],
            int(row["gross_minor"]),
            int(row["open_minor"]),
            ORDER[int(row["rank"])],
            None if int(row["reminded"]) < 0 else ORDER[int(row["reminded"])],
        )
        found.setdefault((each.entity_id, each.buyer_id, each.currency), []).append(each)
    return found
