"""Blocks on shipments: where a block comes from, which invoices cause it, and which of them do not count.

A block is what the house does: nothing leaves for the buyer on credit. Cover is what the policy says. An invoice that is set aside
lifts the block it causes, never the stop of cover: what is shipped then is shipped without cover until the insurer agrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ExceptionReason(StrEnum):
    """Why an overdue invoice does not count for the block of its buyer."""

    DISPUTED = "disputed"
    ONE_OFF = "one_off"
    PAYMENT_ON_ITS_WAY = "payment_on_its_way"
    INSURER_AGREED = "insurer_agreed"


class BlockSource(StrEnum):
    """Where a block comes from."""

    POLICY = "policy"
    INSURER = "insurer"
    MANUAL = "manual"
    GROUP = "group"
    PLAN_BROKEN = "plan_broken"


@dataclass(frozen=True, slots=True)
class StoppingInvoice:
    """An overdue invoice beyond its maximum extension period; ``open_minor`` in ``currency``, that of the invoice.

    ``set_aside`` is why it does not count for the block, if it does not.
    """

    invoice_id: int
    number: str
    entity_id: int
    open_minor: int
    currency: str
    original_due_on: date
    extension_end: date
    set_aside: ExceptionReason | None = None


@dataclass(frozen=True, slots=True)
class PolicyStop:
    """That a policy covers no new shipment to a buyer, since when, and by which invoices; ``by_insurer``: the insurer said so itself."""

    policy_id: int
    since: date
    by_insurer: bool = False
    invoices: tuple[StoppingInvoice, ...] = ()


@dataclass(frozen=True, slots=True)
class HandBlock:
    """A block that somebody set; ``of_group``: it was set on the parent and holds for the group."""

    block_id: int
    since: date
    reason: str
    of_group: bool = False


@dataclass(frozen=True, slots=True)
class PlanBreak:
    """A payment plan that is broken, since when, and the policy of its invoices, if any."""

    plan_id: int
    since: date
    policy_id: int | None = None

    @property
    def reason(self) -> str:
        """Why nothing is shipped, as a code."""
        return BlockSource.PLAN_BROKEN


@dataclass(frozen=True, slots=True)
class BlockCause:
    """One reason for a block: where it comes from and since when; for a policy its invoices, for a block by hand what was written.

    ``plan_id``: the payment plan that is broken.
    """

    source: BlockSource
    since: date
    policy_id: int | None = None
    block_id: int | None = None
    reason: str = ""
    invoices: tuple[StoppingInvoice, ...] = ()
    plan_id: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Whether anything may be shipped to a buyer on credit, and why not.

    ``is_cover_stopped``: the policy covers no new shipment, blocked or not. ``set_aside`` are the overdue invoices that do not count.
    """

    causes: tuple[BlockCause, ...]
    set_aside: tuple[StoppingInvoice, ...]
    is_cover_stopped: bool

    @property
    def is_blocked(self) -> bool:
        """True if nothing may be shipped on credit."""
        return bool(self.causes)

    @property
    def since(self) -> date | None:
        """The first day of the oldest cause."""
        return min((cause.since for cause in self.causes), default=None)


def decide_block(stops: Sequence[PolicyStop], by_hand: Iterable[HandBlock] = (), breaks: Iterable[PlanBreak] = ()) -> Block:
    """Whether a buyer is blocked.

    *Formula:* the insurer's own stop blocks; a stop by the policy's rule blocks unless every invoice that causes it is set aside; a
    block by hand blocks, of the buyer's own or of its group; so does a payment plan that is broken, whatever cover says. *Source:* block rule of maximum extension periods; the insurer's written
    consent lifts it in cover itself, and so lifts it here.
    """
    causes: list[BlockCause] = []
    set_aside: list[StoppingInvoice] = []
    for stop in stops:
        counted = tuple(invoice for invoice in stop.invoices if invoice.set_aside is None)
        if stop.by_insurer:
            causes.append(BlockCause(BlockSource.INSURER, stop.since, stop.policy_id))
        elif counted or not stop.invoices:
            causes.append(BlockCause(BlockSource.POLICY, stop.since, stop.policy_id, invoices=counted))
        set_aside.extend(invoice for invoice in stop.invoices if invoice.set_aside is not None)
    causes.extend(
        BlockCause(BlockSource.GROUP if each.of_group else BlockSource.MANUAL, each.since, block_id=each.block_id, reason=each.reason)
        for each in by_hand
    )
    causes.extend(BlockCause(BlockSource.PLAN_BROKEN, each.since, each.policy_id, plan_id=each.plan_id) for each in breaks)
    return Block(tuple(causes), tuple(set_aside), bool(stops))
