"""Blocks on shipments: set and lifted by people, invoices set aside with a reason, the insurer's consent, and word of what changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.blocks import BlockSource, ExceptionReason
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import NoticeToPerson
from insureflow.domain.webhooks import WebhookEvent
from insureflow.models.blocks import BlockException, ManualBlock
from insureflow.models.buyers import Buyer
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import AccountAct
from insureflow.models.receivables import Invoice
from insureflow.models.scope import current_organisation_id
from insureflow.queries.blocks import blocked_since, blocks_of, newly_blocked
from insureflow.services import cover, files, journal, limits, telling, webhooks
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor, Subject
from insureflow.services.limits import NewAct
from insureflow.services.limits.decisions import get_policy
from insureflow.services.transaction import hold, transaction

#: What a file of evidence is linked to that shows the insurer's consent.
EVIDENCE_OF_CONSENT = "account_act"

NOTE_LENGTH = 1000
#: Of how many buyers blocks are looked up in the unit of work that changed them.
MOST_AT_ONCE = 5000
_PORTION = 500
#: Who is named where a block follows from the ledger, the terms or the calendar.
ACTOR = Actor(None, "blocks")
_BEGAN, _ENDED = "block.began", "block.ended"
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
    """Block a buyer by hand, with its subsidiaries if asked; because of one policy, or at all.

    Errors: ``buyer_unknown``, ``policy_unknown``, ``block_reason_needed``.
    """
    if not reason.strip():
        raise Refusal("block_reason_needed")
    with transaction(organisation_id) as session:
        buyer = _buyer(session, buyer_id)
        if policy_id is not None:
            get_policy(session, policy_id)
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
        after = {"reason": block.reason, "from_on": from_on, "with_group": with_group} | (
            {} if policy_id is None else {"policy_id": policy_id}
        )
        journal.record(session, actor, "block.set", Subject("buyer", buyer_id, buyer.legal_name), after=after)
        note_changes(session, from_on, None if with_group else [buyer_id])
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
        session.flush()
        note_changes(session, on, None if block.with_group else [buyer.id])
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
        note_changes(session, on, [invoice.buyer_id])
        return entry


def _invoice_id(session: Session, entry: BlockException) -> int | None:
    """The invoice that was set aside as the ledger holds it now; None where it is gone."""
    return session.scalar(
        select(Invoice.id).where(
            Invoice.buyer_id == entry.buyer_id, Invoice.entity_id == entry.entity_id, Invoice.number == entry.invoice_number
        )
    )


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
        subject = Subject("invoice", _invoice_id(session, entry), entry.invoice_number)
        journal.record(session, actor, "block.counts_again", subject, before=before, after={"until_on": entry.until_on})
        session.flush()
        note_changes(session, on, [entry.buyer_id])
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
        by_insurer = stops is not None and any(
            cause.source is BlockSource.INSURER and cause.policy_id == policy_id for cause in stops.causes
        )
        kind = AccountActKind.STOP_COVER_LIFTED if by_insurer else AccountActKind.CONSENT
        new = NewAct(buyer_id, policy_id, kind, on, () if by_insurer else tuple(invoice_ids), note=note.strip()[:NOTE_LENGTH])
        act = limits.record_act(actor, organisation_id, new, today)
        kept = files.keep(session, actor, evidence, buyer_id=buyer_id)
        files.link(session, actor, kept, EVIDENCE_OF_CONSENT, act.id)
        return act


def note_changes(session: Session, on: date, buyer_ids: Collection[int] | None = None) -> tuple[int, int]:
    """Tell other systems of buyers that are blocked now, and of those released, in the running unit of work; how many of each.

    The journal says what they were told last, so that each change is told once, by whoever comes upon it first: who caused it, or the
    job of the night, which finds what the calendar alone has brought. Where no system wants to know, nothing is looked up.
    """
    if not webhooks.is_wanted(session, WebhookEvent.BUYER_BLOCKED, WebhookEvent.BUYER_RELEASED):
        return 0, 0
    hold(session, current_organisation_id())
    blocked, told = blocked_since(on, buyer_ids), _told_last(session, buyer_ids)
    began = sorted(key for key in blocked if key not in told or told[key].action != _BEGAN)
    ended = sorted(key for key, entry in told.items() if entry.action == _BEGAN and key not in blocked)
    for start in range(0, len(began), _PORTION):
        portion = began[start : start + _PORTION]
        rows = session.execute(select(Buyer.id, Buyer.legal_name, Buyer.country).where(Buyer.id.in_(portion)).order_by(Buyer.id))
        blocks = blocks_of(portion, on)
        for row in rows.all():
            sources = list(dict.fromkeys(cause.source.value for cause in blocks[row.id].causes))
            said = {"since": blocked[row.id], "sources": sources}
            entry = journal.record(session, ACTOR, _BEGAN, Subject("buyer", row.id, row.legal_name), after=said)
            facts = {"buyer": row.id, "name": row.legal_name, "country": row.country, **said}
            webhooks.announce(session, WebhookEvent.BUYER_BLOCKED, f"buyer/{row.id}/blocked/{entry.sequence}", facts)
    for key in ended:
        known = told[key]
        before = {"since": (known.after or {}).get("since")}
        entry = journal.record(session, ACTOR, _ENDED, Subject("buyer", key, known.subject), before=before, after={"on": on})
        facts = {"buyer": key, "name": known.subject, "released_on": on, "blocked_since": before["since"]}
        webhooks.announce(session, WebhookEvent.BUYER_RELEASED, f"buyer/{key}/released/{entry.sequence}", facts)
    return len(began), len(ended)


def _told_last(session: Session, buyer_ids: Collection[int] | None) -> dict[int, JournalEntry]:
    """What was told last of each buyer of whom anything was told."""
    last = select(func.max(JournalEntry.id)).where(JournalEntry.subject_type == "buyer", JournalEntry.action.in_((_BEGAN, _ENDED)))
    portions = [None] if buyer_ids is None else [sorted(buyer_ids)[at : at + _PORTION] for at in range(0, len(buyer_ids), _PORTION)]
    found: dict[int, JournalEntry] = {}
    for portion in portions:
        keys = last if portion is None else last.where(JournalEntry.subject_id.in_(portion))
        entries = session.scalars(select(JournalEntry).where(JournalEntry.id.in_(keys.group_by(JournalEntry.subject_id))))
        found |= {entry.subject_id: entry for entry in entries if entry.subject_id is not None}
    return found


def _note_after_refresh(session: Session, buyer_ids: Collection[int] | None, on: date) -> None:
    """What a change of invoices, payments, limits or acts does to blocks; of a whole ledger the job of the night tells."""
    if buyer_ids is not None and len(buyer_ids) <= MOST_AT_ONCE:
        note_changes(session, on, buyer_ids)


cover.ON_REFRESHED.append(_note_after_refresh)


def note_all_changes(organisation_id: int, on: date) -> tuple[int, int]:
    """Tell other systems of every block that began or ended since they were told last; how many of each."""
    with transaction(organisation_id) as session:
        return note_changes(session, on)


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
