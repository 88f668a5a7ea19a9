"""Who is blocked on a day, and why: stops of cover, the overdue invoices behind them, and blocks that people set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from insureflow.domain.blocks import Block, ExceptionReason, HandBlock, PlanBreak, PolicyStop, StoppingInvoice, decide_block
from insureflow.domain.limits import AccountActKind
from insureflow.domain.obligations import find_stopping_invoices
from insureflow.models.blocks import BlockException, ManualBlock
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.queries.cover.duties import OpenInvoice, open_items
from insureflow.queries.cover.ledgers import Act, Decision, load_acts, load_decisions
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.payment_plans import broken_plans
from insureflow.queries.rates import RateBook

_PORTION = 500
_Account = tuple[int, int]


def stopped_accounts(on: date, buyer_ids: Collection[int] | None = None) -> list[tuple[int, int, date]]:
    """Buyer, policy and first day of every account whose new shipments are not covered on a day."""
    statement = select(AccountState.buyer_id, AccountState.policy_id, AccountState.valid_from).where(
        AccountState.valid_from <= on, AccountState.valid_to > on, AccountState.stopped.is_(True)
    )
    if buyer_ids is not None:
        statement = statement.where(AccountState.buyer_id.in_(sorted(buyer_ids)))
    return [(buyer_id, policy_id, since) for buyer_id, policy_id, since in db.session.execute(statement)]


def _since(accounts: Collection[_Account], on: date) -> dict[_Account, date]:
    """The first day of the stop that an account is in: states follow each other, and a stop may go on over several."""
    buyers = sorted({buyer_id for buyer_id, _ in accounts})
    found: dict[_Account, date] = {}
    for start in range(0, len(buyers), _PORTION):
        rows = db.session.execute(
            select(AccountState.buyer_id, AccountState.policy_id, AccountState.valid_from, AccountState.stopped)
            .where(AccountState.buyer_id.in_(buyers[start : start + _PORTION]), AccountState.valid_from <= on)
            .order_by(AccountState.buyer_id, AccountState.policy_id, AccountState.valid_from)
        )
        was_stopped: dict[_Account, bool] = {}
        for buyer_id, policy_id, valid_from, stopped in rows:
            account = (buyer_id, policy_id)
            if stopped and not was_stopped.get(account):
                found[account] = valid_from
            was_stopped[account] = stopped
    return {account: found[account] for account in accounts if account in found}


def _stops_of(accounts: Collection[_Account], on: date) -> dict[int, list[PolicyStop]]:
    """The stops of some accounts with the invoices behind them, by buyer."""
    book, rates = PolicyBook.load(), RateBook.load()
    since = _since(accounts, on)
    buyer_ids = sorted({buyer_id for buyer_id, _ in accounts})
    found: dict[int, list[PolicyStop]] = defaultdict(list)
    for start in range(0, len(buyer_ids), _PORTION):
        portion = buyer_ids[start : start + _PORTION]
        acts: dict[_Account, list[Act]] = defaultdict(list)
        decisions: dict[_Account, list[Decision]] = defaultdict(list)
        for act in load_acts(portion):
            acts[act.buyer_id, act.policy_id].append(act)
        for decision in load_decisions(portion):
            decisions[decision.buyer_id, decision.policy_id].append(decision)
        countries = dict(db.session.execute(select(Buyer.id, Buyer.country).where(Buyer.id.in_(portion))).all())
        invoices, papers = _open_invoices(portion, on)
        exceptions = _exceptions(portion, on)
        for account in sorted(set(accounts) & {(buyer_id, policy_id) for buyer_id in portion for policy_id in book.policies}):
            buyer_id, policy_id = account
            policy = book.policies[policy_id]
            items = open_items(policy, invoices.get(account, ()), decisions[account], acts[account], on, rates)
            stopping = find_stopping_invoices(policy.terms_on(on), countries.get(buyer_id), items, on)
            found[buyer_id].append(
                PolicyStop(
                    policy_id,
                    since.get(account, on),
                    by_insurer=_is_stopped_by_insurer(acts[account], on),
                    invoices=tuple(
                        replace(
                            papers[int(item.invoice.id)],
                            extension_end=end,
                            set_aside=exceptions.get(
                                (buyer_id, papers[int(item.invoice.id)].entity_id, papers[int(item.invoice.id)].number)
                            ),
                        )
                        for item, end in stopping
                    ),
                )
            )
    return found


def _open_invoices(buyer_ids: Sequence[int], on: date) -> tuple[dict[_Account, list[OpenInvoice]], dict[int, StoppingInvoice]]:
    position = InvoicePosition
    accounts: dict[_Account, list[OpenInvoice]] = defaultdict(list)
    papers: dict[int, StoppingInvoice] = {}
    rows = db.session.execute(
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
            Invoice.number,
            Invoice.entity_id,
            position.ledger_open_minor,
            position.currency,
        )
        .join(Invoice, Invoice.id == position.invoice_id)
        .where(
            position.buyer_id.in_(buyer_ids),
            position.policy_id.is_not(None),
            position.valid_from <= on,
            position.valid_to > on,
            position.open_minor > 0,
            Invoice.original_due_on < on,
        )
        .order_by(Invoice.original_due_on, Invoice.id)
    )
    for buyer_id, policy_id, *values, number, entity_id, ledger_open, currency in (tuple(row) for row in rows):
        invoice = OpenInvoice(*values)
        accounts[buyer_id, policy_id].append(invoice)
        papers[invoice.id] = StoppingInvoice(invoice.id, number, entity_id, ledger_open, currency, invoice.due_on, invoice.due_on)
    return accounts, papers


def _exceptions(buyer_ids: Sequence[int], on: date) -> dict[tuple[int, int, str], ExceptionReason]:
    entry = BlockException
    rows = db.session.execute(
        select(entry.buyer_id, entry.entity_id, entry.invoice_number, entry.reason)
        .where(entry.buyer_id.in_(buyer_ids), entry.from_on <= on, or_(entry.until_on.is_(None), entry.until_on > on))
        .order_by(entry.id)
    )
    return {(buyer_id, entity_id, number): reason for buyer_id, entity_id, number, reason in rows}


def _is_stopped_by_insurer(acts: Iterable[Act], on: date) -> bool:
    told = [act for act in acts if act.happened_on <= on and act.kind in {AccountActKind.STOP_COVER, AccountActKind.STOP_COVER_LIFTED}]
    return bool(told) and max(told, key=lambda act: (act.happened_on, act.id)).kind is AccountActKind.STOP_COVER


def _hand_blocks(on: date, buyer_ids: Collection[int] | None) -> dict[int, list[HandBlock]]:
    """The blocks set by hand, by the buyer they hold for: its own, and those of its parents that hold for the group."""
    block = ManualBlock
    rows = db.session.scalars(
        select(block).where(block.from_on <= on, or_(block.lifted_on.is_(None), block.lifted_on > on)).order_by(block.id)
    ).all()
    found: dict[int, list[HandBlock]] = defaultdict(list)
    for row in rows:
        if buyer_ids is None or row.buyer_id in buyer_ids:
            found[row.buyer_id].append(HandBlock(row.id, row.from_on, row.reason))
    level = {row.buyer_id: [row] for row in rows if row.with_group}
    seen: set[int] = set(level)
    while level:  # groups are a few levels deep
        below: dict[int, list[Any]] = {}
        children = db.session.execute(select(Buyer.id, Buyer.parent_id).where(Buyer.parent_id.in_(sorted(level))))
        for child_id, parent_id in children:
            if parent_id is None or child_id in seen:
                continue
            below[child_id] = level[parent_id]
            if buyer_ids is None or child_id in buyer_ids:
                found[child_id] += [HandBlock(row.id, row.from_on, row.reason, of_group=True) for row in level[parent_id]]
        seen |= set(below)
        level = below
    return found


def hand_blocks_on(buyer_id: int, on: date) -> list[HandBlock]:
    """The blocks that people set on a buyer, or on its group, as they hold on a day."""
    return _hand_blocks(on, {buyer_id}).get(buyer_id, [])


def house_blocks_on(buyer_id: int, on: date) -> list[HandBlock | PlanBreak]:
    """What keeps goods back from a buyer besides the rules of cover: blocks that people set, and payment plans that are broken."""
    return [*hand_blocks_on(buyer_id, on), *broken_plans(on, [buyer_id]).get(buyer_id, ())]


def house_blocks(on: date) -> dict[int, date]:
    """Since when the house itself keeps goods back, by buyer: blocks that people set, on it or its group, and broken payment plans."""
    found: dict[int, date] = {}
    kinds: tuple[Mapping[int, Sequence[HandBlock | PlanBreak]], ...] = (_hand_blocks(on, None), broken_plans(on))
    for causes in kinds:
        for buyer_id, each in causes.items():
            first = min(cause.since for cause in each)
            found[buyer_id] = min(first, found.get(buyer_id, first))
    return found


def find_block(buyer_id: int, on: date) -> Block:
    """Whether a buyer is blocked on a day, and why."""
    return blocks_of([buyer_id], on).get(buyer_id) or decide_block(())


def blocks_of(buyer_ids: Collection[int] | None, on: date) -> dict[int, Block]:
    """The blocks of some buyers, or of all: those that are blocked, and those whose cover is stopped though they are not."""
    accounts = [(buyer_id, policy_id) for buyer_id, policy_id, _ in stopped_accounts(on, buyer_ids)]
    stops, by_hand = _stops_of(accounts, on), _hand_blocks(on, None if buyer_ids is None else set(buyer_ids))
    breaks = broken_plans(on, buyer_ids)
    return {
        buyer_id: decide_block(stops.get(buyer_id, ()), by_hand.get(buyer_id, ()), breaks.get(buyer_id, ()))
        for buyer_id in sorted({*stops, *by_hand, *breaks})
    }


def newly_blocked(first: date, on: date) -> dict[int, Block]:
    """The buyers whose block began from the first day to the last, both included, with their blocks.

    Only accounts whose state changed in these days are looked into, however many were stopped long since.
    """
    state = AccountState
    changed = select(state.buyer_id).where(state.stopped.is_(True), state.valid_from >= first, state.valid_from <= on).distinct()
    by_hand = {buyer_id for buyer_id, found in _hand_blocks(on, None).items() if any(each.since >= first for each in found)}
    by_plan = {buyer_id for buyer_id, found in broken_plans(on, None).items() if any(each.since >= first for each in found)}
    wanted = sorted({*db.session.scalars(changed), *by_hand, *by_plan})
    blocks: dict[int, Block] = {}
    for start in range(0, len(wanted), _PORTION):
        blocks |= blocks_of(wanted[start : start + _PORTION], on)
    return {buyer_id: block for buyer_id, block in blocks.items() if block.since is not None and block.since >= first}


def exceptions_of(buyer_id: int) -> Sequence[BlockException]:
    """The invoices of a buyer that were ever set aside, newest first."""
    return db.session.scalars(select(BlockException).where(BlockException.buyer_id == buyer_id).order_by(BlockException.id.desc())).all()


def hand_blocks_of(buyer_id: int) -> Sequence[ManualBlock]:
    """The blocks that were ever set on a buyer by hand, newest first."""
    return db.session.scalars(select(ManualBlock).where(ManualBlock.buyer_id == buyer_id).order_by(ManualBlock.id.desc())).all()
