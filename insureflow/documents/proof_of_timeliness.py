"""The proof that a notice reached an insurer in time: what was sent, when, how and to whom, with the fingerprint of the very bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from insureflow.documents.composition import Block, Composition, Heading, Pairs, Text, Together, pairs
from insureflow.documents.notices.terms import CHANNELS, REPLIES, TITLES
from insureflow.documents.page_sizes import page_size_for
from insureflow.documents.parties import Party
from insureflow.documents.printing import draw_pages
from insureflow.domain.notices import Channel, NoticeKind, ReplyOutcome
from insureflow.i18n.documents import Wording, wording_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBy:
    """One attempt to bring the notice to the insurer."""

    at: datetime
    on: date
    by: str
    channel: Channel
    recipient: str
    sha256: str
    is_delivered: bool
    protocol_number: str = ""
    message_id: str = ""
    message_sha256: str = ""
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOfTimeliness:
    """Everything that shows when an insurer was told of something."""

    number: str
    made_on: date
    made_at: datetime
    insured: Party
    insurer: Party
    buyer: str
    policy_number: str
    kind: NoticeKind
    cut_off_on: date
    deadline_on: date | None
    sent_on: date | None
    document_number: str = ""
    document_sha256: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    attempts: tuple[SentBy, ...] = ()
    reply: ReplyOutcome | None = None
    replied_on: date | None = None
    reply_note: str = ""
    journal_hash: str = ""


def _instant(at: datetime | None) -> str:
    """An instant in UTC, as records write it."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _verdict(proof: ProofOfTimeliness, wording: Wording) -> str:
    if proof.sent_on is None:
        return wording.phrase("The notice has not been sent yet.")
    if proof.deadline_on is None:
        return wording.phrase("The notice was sent on %(day)s.", day=proof.sent_on)
    if proof.sent_on <= proof.deadline_on:
        return wording.phrase("The notice was sent on %(day)s, in time: the deadline was %(deadline)s.", day=proof.sent_on, deadline=proof.deadline_on)  # fmt: skip
    return wording.phrase(
        "The notice was sent on %(day)s, after the deadline of %(deadline)s.", day=proof.sent_on, deadline=proof.deadline_on
    )


def _attempt(attempt: SentBy, wording: Wording) -> Pairs:
    return pairs(
        (wording.phrase("Channel"), wording.phrase(CHANNELS[attempt.channel])),
        (wording.phrase("Date"), wording.day(attempt.on)),
        (wording.phrase("Recorded at"), _instant(attempt.at)),
        (wording.phrase("Sent by"), attempt.by),
        (wording.phrase("To"), attempt.recipient),
        (wording.phrase("Number in the portal"), attempt.protocol_number),
        (wording.phrase("Fingerprint (SHA-256)"), attempt.sha256),
        (wording.phrase("E-mail"), attempt.message_id),
        (wording.phrase("Fingerprint of the e-mail (SHA-256)"), attempt.message_sha256),
        (wording.phrase("Taken by the mail server at"), _instant(attempt.taken_at)),
        (wording.phrase("Delivered"), wording.yes_or_no(attempt.is_delivered)),
    )


def compose_proof_of_timeliness(proof: ProofOfTimeliness, locale: str) -> Composition:
    """What a proof of timeliness says."""
    wording = wording_of(locale)
    blocks: list[Block] = [
        Text(_verdict(proof, wording), is_strong=True),
        Heading(wording.phrase("Notice")),
        pairs(
            (wording.phrase("Kind"), wording.phrase(TITLES[proof.kind])),
            (wording.phrase("Buyer"), proof.buyer),
            (wording.phrase("Figures of"), wording.day(proof.cut_off_on)),
            (wording.phrase("Deadline"), wording.day(proof.deadline_on) if proof.deadline_on else ""),
            (wording.phrase("Document"), proof.document_number),
            (wording.phrase("Fingerprint (SHA-256)"), proof.document_sha256),
            (wording.phrase("Approved by"), proof.approved_by),
            (wording.phrase("Approved at"), _instant(proof.approved_at)),
        ),
        Heading(wording.phrase("How it was sent")),
    ]
    blocks += [Together((_attempt(attempt, wording),)) for attempt in proof.attempts]
    if proof.replied_on is not None:
        blocks += [
            Heading(wording.phrase("Answer of the insurer")),
            pairs(
                (wording.phrase("Answer"), wording.phrase(REPLIES[proof.reply]) if proof.reply is not None else ""),
                (wording.phrase("Date"), wording.day(proof.replied_on)),
                (wording.phrase("Note"), proof.reply_note),
            ),
        ]
    blocks.append(Text(wording.phrase("Made at %(at)s.", at=_instant(proof.made_at)), is_small=True))
    if proof.journal_hash:
        blocks.append(Text(wording.phrase("Last entry of the journal: %(hash)s", hash=proof.journal_hash), is_small=True))
    return Composition(
        wording=wording,
        number=proof.number,
        issued_on=proof.made_on,
        title=wording.phrase("Proof of timeliness"),
        sender=proof.insured,
        recipient=proof.insurer,
        blocks=tuple(blocks),
        reference_lines=((wording.phrase("Policy number"), proof.policy_number),),
    )


def build_proof_of_timeliness(proof: ProofOfTimeliness, locale: str) -> bytes:
    """The proof of timeliness as PDF."""
    return draw_pages(compose_proof_of_timeliness(proof, locale), page_size_for(proof.insurer.address.country))
