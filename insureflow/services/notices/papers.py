"""The papers themselves: what is kept of a notice, with everybody's names and addresses, as the documents floor takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.documents import notices as papers
from insureflow.documents.mail_text import MailText
from insureflow.documents.notices import (
    AdverseInformationReport,
    DisputeFacts,
    ExposureItem,
    ExtensionRequest,
    InsolvencyNotice,
    LimitFacts,
    NonPaymentNotification,
    PolicyFacts,
    ReschedulingRequest,
)
from insureflow.documents.parties import Address, Contact, Party, Signatory
from insureflow.documents.plans import Instalment
from insureflow.documents.proof_of_debt import DebtItem, ProofOfDebt, build_proof_of_debt
from insureflow.documents.proof_of_timeliness import ProofOfTimeliness, SentBy, build_proof_of_timeliness
from insureflow.domain.buyers import AddressKind, IdentifierScheme, NameKind
from insureflow.domain.cover.events import Reason
from insureflow.domain.limits import LimitState
from insureflow.domain.money import Money
from insureflow.domain.notices import NoticeKind, NoticeLine, Particulars, ProceedingKind, calculate_totals, planned_lines
from insureflow.i18n.languages import letter_language
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.notices import Notice
from insureflow.models.organisations import Entity, Organisation, User
from insureflow.models.policies import InsuredEntity, Policy
from insureflow.models.scope import current_organisation_id
from insureflow.queries.limits.decisions import find_decision, limits_of_buyer
from insureflow.queries.notices.showing import DispatchView, NoticeView, journal_of_notice
from insureflow.services.notices.keeping import account_of, contact_of, lines_of, particulars_of
from insureflow.services.stationery import stationery_of

#: A notice as the documents floor knows it.
Paper = NonPaymentNotification | ExtensionRequest | ReschedulingRequest | AdverseInformationReport | InsolvencyNotice


@dataclass(frozen=True, slots=True)
class Written:
    """A paper as bytes, and the mail that goes with it."""

    content: bytes
    mail: MailText


def paper_of(session: Session, notice: Notice, *, number: str, issued_on: date, signed_by: int | None = None) -> Paper:
    """A notice as a paper. Errors: ``document_totals_differ``, ``document_without_items``."""
    buyer, policy = account_of(session, notice)
    lines, particulars = lines_of(session, notice.id), particulars_of(notice)
    whole: dict[str, Any] = {
        "number": number,
        "issued_on": issued_on,
        "cut_off_on": notice.as_of,
        "policy": PolicyFacts(
            insurer=_insurer(session, policy),
            insured=stationery_of(session, _seller(session, policy, lines).id).party(),
            number=policy.number,
        ),
        "buyer": _party_of_buyer(buyer, policy.insurer),
        "items": tuple(_item(line) for line in lines),
        "limits": _limits(buyer.id, policy, notice.as_of),
        "narrative": notice.comment,
        "signatory": _signatory(session, signed_by),
    }
    return _of_kind(notice, whole, lines, particulars)


def _of_kind(notice: Notice, whole: dict[str, Any], lines: Sequence[NoticeLine], facts: Particulars) -> Paper:
    match notice.kind:
        case NoticeKind.EXTENSION:
            return ExtensionRequest(
                **whole | {"narrative": ""},
                requested_on=facts.requested_on or notice.as_of,
                reason=notice.comment,
                extension_end_on=facts.extension_end_on,
            )
        case NoticeKind.RESCHEDULING:
            return ReschedulingRequest(
                **whole | {"narrative": ""},
                requested_on=facts.requested_on or notice.as_of,
                reason=notice.comment,
                plan_items=tuple(line.number for line in planned_lines(lines, facts)),
                instalments=tuple(Instalment(due_on=line.due_on, amount=line.amount) for line in facts.plan),
                extension_end_on=facts.extension_end_on,
            )
        case NoticeKind.ADVERSE_INFORMATION:
            return AdverseInformationReport(
                **whole,
                kinds=facts.adverse,
                known_on=facts.known_on or notice.as_of,
                happened_on=facts.happened_on,
                source=facts.source,
            )
        case NoticeKind.INSOLVENCY:
            return InsolvencyNotice(
                **whole,
                proceeding=facts.proceeding or ProceedingKind.BANKRUPTCY,
                opened_on=facts.opened_on or notice.as_of,
                known_on=facts.known_on or notice.as_of,
                court=facts.court,
                case_number=facts.case_number,
                administrator=_administrator(facts),
                lodge_by=facts.lodge_by,
                lodged_on=_lodged_on(notice),
            )
        case _:
            oldest = facts.oldest_due_on or min((line.original_due_on for line in lines), default=notice.as_of)
            return NonPaymentNotification(
                **whole,
                cause=notice.reason,
                oldest_due_on=oldest,
                extension_end_on=facts.extension_end_on,
                notify_by=notice.deadline_on,
                last_demand_on=facts.last_demand_on,
                dispute=_dispute(lines, facts),
                intervention=facts.intervention,
            )


def write(paper: Paper, language: str) -> Written:
    """A paper in a language."""
    if isinstance(paper, NonPaymentNotification):
        return Written(papers.build_non_payment(paper, language), papers.text_non_payment(paper, language))
    if isinstance(paper, ExtensionRequest):
        return Written(papers.build_extension_request(paper, language), papers.text_extension_request(paper, language))
    if isinstance(paper, ReschedulingRequest):
        return Written(papers.build_rescheduling_request(paper, language), papers.text_rescheduling_request(paper, language))
    if isinstance(paper, AdverseInformationReport):
        return Written(papers.build_adverse_information(paper, language), papers.text_adverse_information(paper, language))
    return Written(papers.build_insolvency_notice(paper, language), papers.text_insolvency_notice(paper, language))


def mail_of(paper: Paper, language: str) -> MailText:
    """The mail that goes with a paper."""
    if isinstance(paper, NonPaymentNotification):
        return papers.text_non_payment(paper, language)
    if isinstance(paper, ExtensionRequest):
        return papers.text_extension_request(paper, language)
    if isinstance(paper, ReschedulingRequest):
        return papers.text_rescheduling_request(paper, language)
    if isinstance(paper, AdverseInformationReport):
        return papers.text_adverse_information(paper, language)
    return papers.text_insolvency_notice(paper, language)


def proof_of_debt(
    session: Session, notice: Notice, *, number: str, issued_on: date, signed_by: int | None = None
) -> tuple[bytes, str] | None:
    """The proof of debt for the administrator, in the language of the place, and that language.

    None where nothing is owed or nobody administers the estate. It says nothing of a policy.
    """
    facts, lines = particulars_of(notice), lines_of(session, notice.id)
    if facts.administrator is None or not lines or facts.opened_on is None:
        return None
    buyer, policy = account_of(session, notice)
    items = tuple(
        DebtItem(
            number=line.number,
            issued_on=line.invoice_on,
            due_on=line.original_due_on,
            amount=Money(line.gross, line.currency),
            principal=Money(line.open, line.currency),
            delivered_on=line.shipment_on,
        )
        for line in lines
    )
    proof = ProofOfDebt(
        number=number,
        issued_on=issued_on,
        creditor=stationery_of(session, _seller(session, policy, lines).id).party(),
        debtor=_party_of_buyer(buyer, None),
        addressee=_administrator(facts) or Party(name=facts.administrator.name),
        proceeding=facts.proceeding or ProceedingKind.BANKRUPTCY,
        opened_on=facts.opened_on,
        items=items,
        totals=tuple(Money(total.open, total.currency) for total in calculate_totals(lines, notice.as_of)),
        court=facts.court,
        case_number=facts.case_number,
        signatory=_signatory(session, signed_by),
    )
    language = letter_language(country=facts.administrator.country or buyer.country)
    return build_proof_of_debt(proof, language), language


def _lodged_on(notice: Notice) -> date | None:
    lodged = notice.facts.get("lodged")
    return None if lodged is None else date.fromisoformat(lodged["on"])


def _item(line: NoticeLine) -> ExposureItem:
    known = {reason.value for reason in Reason}
    return ExposureItem(
        number=line.number,
        issued_on=line.invoice_on,
        due_on=line.original_due_on,
        amount=Money(line.gross, line.currency),
        open=Money(line.open, line.currency),
        insured=Money(line.insured, line.currency),
        uninsured=Money(line.uninsured, line.currency),
        reason=Reason(line.uninsured_reason) if line.uninsured_reason in known else None,
        shipped_on=line.shipment_on,
        new_due_on=line.new_due_on,
        is_disputed=line.disputed > 0,
    )


def _dispute(lines: Sequence[NoticeLine], facts: Particulars) -> DisputeFacts | None:
    """What is contested: in the currency in which most is."""
    disputed = Counter[str]()
    for line in lines:
        if line.disputed:
            disputed[line.currency] += line.disputed
    if not disputed and not facts.dispute:
        return None
    currency, minor = disputed.most_common(1)[0] if disputed else (lines[0].currency if lines else "EUR", 0)
    return DisputeFacts(amount=Money(minor, currency), description=facts.dispute, raised_on=facts.dispute_raised_on)


def _limits(buyer_id: int, policy: Policy, on: date) -> tuple[LimitFacts, ...]:
    found = next((each for each in limits_of_buyer(buyer_id, on, policy.id) if each.policy.id == policy.id), None)
    if found is None:
        return ()
    return tuple(
        LimitFacts(
            kind=decision.kind,
            amount=Money(decision.decided_minor, decision.currency),
            valid_from=decision.effective_on,
            valid_until=decision.valid_to,
            insured_percentage=None if view is None else view.insured_percentage,
            reference=decision.insurer_reference or "",
        )
        for decision, state in reversed(found.decisions)
        if state is LimitState.IN_FORCE and decision.decided_minor
        for view in [find_decision(decision.id, on)]
    )


def _administrator(facts: Particulars) -> Party | None:
    known = facts.administrator
    if known is None:
        return None
    address = Address(street=tuple(known.street.splitlines()), postal_code=known.postal_code, city=known.city, country=known.country)
    return Party(name=known.name, address=address, contact=Contact(name=known.name, email=known.email) if known.email else None)


def _signatory(session: Session, user_id: int | None) -> Signatory | None:
    user = None if user_id is None else session.scalar(select(User).where(User.id == user_id))
    return None if user is None else Signatory(name=user.name or user.email)


def _insurer(session: Session, policy: Policy) -> Party:
    contact = contact_of(session, policy.id)
    if contact is None:
        return Party(name=policy.insurer)
    person = Contact(name=contact.name, email=contact.email) if contact.name or contact.email else None
    return Party(name=policy.insurer, address=Address(street=tuple(contact.address.splitlines())), contact=person)


def _seller(session: Session, policy: Policy, lines: Sequence[NoticeLine]) -> Entity:
    """The entity that most invoices of a paper are from, or the first one that the policy insures."""
    codes = Counter(line.entity_code for line in lines)
    if codes:
        code = max(sorted(codes), key=lambda each: codes[each])
        known = session.scalar(select(Entity).where(Entity.code == code))
        if known is not None:  # a paper keeps the code of its day, whatever the entity is called now
            return known
    statement = select(Entity).join(InsuredEntity, InsuredEntity.entity_id == Entity.id).where(InsuredEntity.policy_id == policy.id)
    found = session.scalar(statement.order_by(Entity.id).limit(1))
    return found or session.scalars(select(Entity).order_by(Entity.id).limit(1)).one()


def seller_of(session: Session, notice: Notice) -> Entity:
    """The entity in whose name a paper is written."""
    _buyer, policy = account_of(session, notice)
    return _seller(session, policy, lines_of(session, notice.id))


def _party_of_buyer(buyer: Buyer, insurer: str | None) -> Party:
    """The buyer with its first address; with the insurer's number where the paper is for the insurer."""
    order = (AddressKind.REGISTERED, AddressKind.INVOICE, AddressKind.DELIVERY)
    address = min(buyer.addresses, key=lambda each: (order.index(each.kind), each.id), default=None)
    numbers = {each.scheme: each.value for each in buyer.identifiers}
    trading = next((name.name for name in buyer.names if name.kind is NameKind.TRADING), "")
    known = next((each.number for each in buyer.insurer_identities if each.insurer == insurer), "") if insurer else ""
    return Party(
        name=buyer.legal_name,
        address=Address(country=buyer.country)
        if address is None
        else Address(
            street=tuple(address.street.splitlines()),
            postal_code=address.postal_code,
            city=address.city,
            region=address.region,
            country=address.country,
        ),
        trading_name=trading,
        registration_number=numbers.get(IdentifierScheme.REGISTRATION, ""),
        tax_number=numbers.get(IdentifierScheme.VAT, ""),
        insurer_reference=known,
    )


def organisation_zone(session: Session) -> str:
    """The time zone of the organisation in scope."""
    return session.scalars(select(Organisation.time_zone).where(Organisation.id == current_organisation_id())).one()


def proof_paper(view: NoticeView, at: datetime) -> bytes:
    """The proof of timeliness as PDF, in the language of the notice; the words of people stay as they wrote them."""
    session, notice = db.session(), view.notice
    entries = journal_of_notice(notice.id)
    entity = _seller(session, view.policy, view.lines)
    proof = ProofOfTimeliness(
        number=f"{notice.as_of.year}-{notice.id}",
        made_on=at.date(),
        made_at=at,
        insured=stationery_of(session, entity.id).party(),
        insurer=_insurer(session, view.policy),
        buyer=view.buyer.legal_name,
        policy_number=view.policy.number,
        kind=notice.kind,
        cut_off_on=notice.as_of,
        deadline_on=notice.deadline_on,
        sent_on=notice.sent_on,
        document_number="" if view.document is None else view.document.number,
        document_sha256="" if view.document is None else view.document.sha256,
        approved_by=view.people.get(notice.approved_by_id or 0, ""),
        approved_at=notice.approved_at,
        attempts=tuple(_sent_by(each) for each in view.dispatches),
        reply=notice.reply_outcome,
        replied_on=notice.replied_on,
        reply_note=str((notice.reply or {}).get("note", "")),
        journal_hash=entries[0].hash if entries else "",
    )
    return build_proof_of_timeliness(proof, notice.language)


def _sent_by(view: DispatchView) -> SentBy:
    dispatch, message = view.dispatch, view.message
    return SentBy(
        at=dispatch.at,
        on=dispatch.on,
        by=view.by or "",
        channel=dispatch.channel,
        recipient=dispatch.recipient,
        sha256=dispatch.sha256,
        is_delivered=dispatch.is_delivered,
        protocol_number=dispatch.protocol_number,
        message_id="" if message is None else message.message_id,
        message_sha256="" if message is None else message.sha256,
        taken_at=None if message is None else message.sent_at,
    )
