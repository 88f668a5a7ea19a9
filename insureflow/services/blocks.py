"""Blocks on shipments: set and lifted by people, invoices set aside with a reason, the insurer's consent, and word of new blocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.blocks import ExceptionReason
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import NoticeToPerson
from insureflow.models.blocks import BlockException, ManualBlock
from insureflow.models.buyers import Buyer
from insureflow.models.limits import AccountAct
from insureflow.models.receivables import Invoice
from insureflow.queries.blocks import blocks_of, newly_blocked
from insureflow.services import files, journal, limits, telling
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor, Subject
from insureflow.services.limits import NewAct
from insureflow.services.transaction import transaction

#: What a file of evidence is linked to that shows the insurer's consent.
EVIDENCE_OF_CONSENT = "account_act"

NOTE_LENGTH = 1000
#: A block that began no longer than so many days ago is news.
NEWS_DAYS = 7


def _buyer(session: Session, buyer_id: int) -> Buyer:
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    return buyer


def set_block(
    actor: Actor, organisation_id: int, buyer_id: int, *, reason: str, from_on: date, with_group: bool = False, policy_id: int | None = None
) -> ManualBlock:
    """Block a buyer by hand, with its subsidiaries if asked. Errors: ``buyer_unknown``, ``block_reason_needed``."""
    if not reason.strip():
        raise Refusal("block_reason_needed")
    with transaction(organisation_id) as session:
        buyer = _buyer(session, buyer_id)
        block = ManualBlock(
            buyer_id=buyer_id,
            policy_id=policy_id,
            with_group=with_group,
            reason=reason.strip()[:NOTE_LENGTH],
            from_on=from_on,
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(block)
        session.flush()
        after = {"reason": block.reason, "from_on": from_on, "with_group": with_group}
        journal.record(session, actor, "block.set", Subject("buyer", buyer_id, buyer.legal_name), after=after)
        return block


def lift_block(actor: Actor, organisation_id: int, block_id: int, *, note: str, on: date) -> ManualBlock:
    """Lift a block that was set by hand. Errors: ``block_unknown``, ``block_lifted_already``, ``block_reason_needed``, ``block_lifted_before``."""
    if not note.strip():
        raise Refusal("block_reason_needed")
    with transaction(organisation_id) as session:
        block = session.scalar(select(ManualBlock).where(ManualBlock.id == block_id).with_for_update())
        if block is None:
            raise Refusal("block_unknown", block=str(block_id))
        if block.lifted_on is not None:
            raise Refusal("block_lifted_already", day=block.lifted_on)
        if on < block.from_on:
            raise Refusal("block_lifted_before", day=block.from_on)
        buyer = _buyer(session, block.buyer_id)
        block.lifted_on, block.lifted_note, block.lifted_by_id = on, note.strip()[:NOTE_LENGTH], actor.user_id
        after = {"lifted_on": on, "note": block.lifted_note}
        journal.record(session, actor, "block.lifted", Subject("buyer", buyer.id, buyer.legal_name), after=after)
        return block


def _in_force(session: Session, invoice: Invoice, on: date) -> BlockException | None:
    return session.scalar(
        select(BlockException)
        .where(
            BlockException.buyer_id == invoice.buyer_id,
            BlockException.entity_id == invoice.entity_id,
            BlockException.invoice_number == invoice.number,
            or_(BlockException.until_on.is_(None), BlockException.until_on > on),
        )
        .with_for_update()
    )


def set_aside(
    actor: Actor, organisation_id: int, invoice_id: int, *, reason: ExceptionReason, note: str, on: date, until_on: date | None = None
) -> BlockException:
    """Let an overdue invoice not count for the block of its buyer; it is known by its number, so a new import of the ledger changes nothing.

    Errors: ``invoice_unknown``, ``block_reason_needed``, ``set_aside_already``, ``block_lifted_before``.
    """
    if not note.strip():
        raise Refusal("block_reason_needed")
    with transaction(organisation_id) as session:
        invoice = session.scalar(select(Invoice).where(Invoice.id == invoice_id))
        if invoice is None:
            raise Refusal("invoice_unknown", invoice=str(invoice_id))
        if until_on is not None and until_on <= on:
            raise Refusal("block_lifted_before", day=on)
        _buyer(session, invoice.buyer_id)
        if _in_force(session, invoice, on) is not None:
            raise Refusal("set_aside_already", number=invoice.number)
        entry = BlockException(
            entity_id=invoice.entity_id,
            buyer_id=invoice.buyer_id,
            invoice_number=invoice.number,
            reason=reason,
            note=note.strip()[:NOTE_LENGTH],
            from_on=on,
            until_on=until_on,
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(entry)
        session.flush()
        after = {"reason": reason, "note": entry.note, "until_on": until_on}
        journal.record(session, actor, "block.set_aside", Subject("invoice", invoice.id, invoice.number), after=after)
        return entry


def count_again(actor: Actor, organisation_id: int, exception_id: int, *, on: date) -> BlockException:
    """Let an invoice that was set aside count again from a day on. Errors: ``set_aside_unknown``, ``set_aside_ended``."""
    with transaction(organisation_id) as session:
        entry = session.scalar(select(BlockException).where(BlockException.id == exception_id).with_for_update())
        if entry is None:
            raise Refusal("set_aside_unknown")
        if entry.until_on is not None and entry.until_on <= on:
            raise Refusal("set_aside_ended", day=entry.until_on)
        before = {"until_on": entry.until_on}
        entry.until_on = max(on, entry.from_on)
        subject = Subject("invoice", None, entry.invoice_number)
        journal.record(session, actor, "block.counts_again", subject, before=before, after={"until_on": entry.until_on})
        return entry


def record_consent(
    actor: Actor,
    organisation_id: int,
    *,
    buyer_id: int,
    policy_id: int,
    on: date,
    today: date,
    note: str,
    invoice_ids: Sequence[int] = (),
    evidence: NewEvidence | None = None,
) -> AccountAct:
    """Enter that the insurer consented in writing to further supplies: the stop ends in cover, and with it the block.

    A stop that the insurer declared itself is lifted; otherwise its consent names the overdue invoices, or all of them.
    Errors: ``block_reason_needed``, ``consent_evidence_needed``, those of an act and of ``files.keep``.
    """
    if not note.strip():
        raise Refusal("block_reason_needed")
    if evidence is None:
        raise Refusal("consent_evidence_needed")
    with transaction(organisation_id) as session:
        stops = blocks_of([buyer_id], on).get(buyer_id)
        by_insurer = stops is not None and any(cause.source.value == "insurer" and cause.policy_id == policy_id for cause in stops.causes)
        kind = AccountActKind.STOP_COVER_LIFTED if by_insurer else AccountActKind.CONSENT
        new = NewAct(buyer_id, policy_id, kind, on, () if by_insurer else tuple(invoice_ids), note=note.strip()[:NOTE_LENGTH])
        act = limits.record_act(actor, organisation_id, new, today)
        kept = files.keep(session, actor, evidence, buyer_id=buyer_id)
        files.link(session, actor, kept, EVIDENCE_OF_CONSENT, act.id)
        return act


def tell_of_new(organisation_id: int, on: date) -> int:
    """Tell those who keep limits and duties of buyers that were blocked in the last days; how many were told. Each block is told once."""
    told = 0
    with transaction(organisation_id) as session:
        blocks = newly_blocked(on - timedelta(days=NEWS_DAYS), on)
        if not blocks:
            return 0
        people = telling.who_may(session, Permission.EDIT_OBLIGATIONS)
        names = dict(session.execute(select(Buyer.id, Buyer.legal_name).where(Buyer.id.in_(sorted(blocks)))).all())
        for buyer_id, block in blocks.items():
            cause = f"block:{buyer_id}:{block.since}"
            facts = {"buyer": names[buyer_id], "since": block.since}
            told += telling.tell(
                session, people, NoticeToPerson.BUYER_BLOCKED, cause, facts=facts, address=f"/buyers/{buyer_id}/block", buyer_id=buyer_id
            )
    return told
