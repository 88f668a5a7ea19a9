"""Declarations to insurers: drafted from the ledger, approved by a second person, declared and proven, corrected by a later version."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from insureflow.documents.declarations import DeclarationPaper, DeclaredSum, build_declaration
from insureflow.documents.parties import Address, Contact, Party
from insureflow.domain.declarations import (
    DeclarationStatus,
    DeclarationWay,
    PeriodToDeclare,
    check_approval,
    check_period_over,
    check_status,
    periods_to_declare,
)
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.money import Money
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.policies.vocabulary import PremiumBasis
from insureflow.i18n.documents import choose_language
from insureflow.models.cover import ObligationMark
from insureflow.models.declarations import Declaration, DeclarationLine
from insureflow.models.documents import IssuedDocument, PolicyContact
from insureflow.models.organisations import Entity
from insureflow.models.policies import InsuredEntity, Policy
from insureflow.models.scope import within
from insureflow.queries import declarations as queries
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.declarations import FoundLine, Wanted
from insureflow.queries.rates import RateBook
from insureflow.services import issued_documents, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.notices.keeping import contact_of
from insureflow.services.stationery import stationery_of
from insureflow.services.transaction import transaction

#: Who drafts at night.
NIGHT = Actor(None, "declarations")

#: So many days after it was due a period is still drafted by itself; older ones are drafted by hand.
DRAFTED_AFTER_DUE = timedelta(days=31)

_OPEN = (DeclarationStatus.DRAFT, DeclarationStatus.APPROVED)
_PORTION = 5000
_NOTE_LENGTH, _PROTOCOL_LENGTH = 1000, 120


def draft(actor: Actor, organisation_id: int, policy_id: int, last_day: date, on: date) -> Declaration:
    """Add up a period from the ledger as it stands on a day, as the next version of its declaration.

    A draft that was not declared gives way to it; what was declared stands until this one is. Documents that came too late for a
    period that was declared are taken up here. Errors: ``policy_unknown``, ``declaration_not_wanted``, ``declaration_period_unknown``,
    ``declaration_period_runs``, ``rate_missing``.
    """
    with transaction(organisation_id) as session:
        book = PolicyBook.load()
        policy = book.policies.get(policy_id)
        if policy is None:
            raise Refusal("policy_unknown", policy=str(policy_id))
        return _draft(session, actor, organisation_id, policy, book, RateBook.load(), last_day, on)


def approve(actor: Actor, organisation_id: int, declaration_id: int) -> Declaration:
    """Agree to a draft as a second person. Errors: ``declaration_unknown``, ``declaration_not_so_far``, ``declaration_needs_a_person``, ``declaration_of_own``."""
    with transaction(organisation_id) as session:
        found = _get(session, declaration_id)
        check_status(found.status, DeclarationStatus.DRAFT)
        check_approval(found.created_by_id, actor.user_id)
        found.status, found.approved_at, found.approved_by_id = DeclarationStatus.APPROVED, now(), actor.user_id
        journal.record(session, actor, "declaration.approved", _subject(session, found), after=_picture(found))
        return found


def declare(
    actor: Actor,
    organisation_id: int,
    declaration_id: int,
    way: DeclarationWay,
    *,
    protocol: str,
    declared_on: date,
    on: date,
    note: str = "",
) -> Declaration:
    """Record that an approved declaration was made, and how that is proven; the duty is done, and what it corrects gives way.

    Errors: ``declaration_unknown``, ``declaration_not_so_far``, ``declared_in_future``, ``declared_before_end``, ``protocol_needed``.
    """
    with transaction(organisation_id) as session:
        found = _get(session, declaration_id)
        check_status(found.status, DeclarationStatus.APPROVED)
        if declared_on > on:
            raise InvalidValue("declared_in_future", "declared_on", declared_on, on=declared_on, today=on)
        if declared_on <= found.period_to:
            raise InvalidValue("declared_before_end", "declared_on", declared_on, on=declared_on, last=found.period_to)
        proof = protocol.strip()[:_PROTOCOL_LENGTH]
        if way is DeclarationWay.PORTAL and not proof:
            raise InvalidValue("protocol_needed", "protocol")
        for other in _versions(session, found):
            if other.id != found.id and other.status is DeclarationStatus.DECLARED:
                other.status = DeclarationStatus.SUPERSEDED
        found.status, found.way, found.protocol, found.declared_on = DeclarationStatus.DECLARED, way, proof, declared_on
        found.note, found.declared_by_id = note.strip()[:_NOTE_LENGTH], actor.user_id
        session.flush()
        _mark_duty(session, found)
        journal.record(session, actor, "declaration.declared", _subject(session, found), after=_picture(found))
        return found


def issue_paper(actor: Actor, organisation_id: int, declaration_id: int, on: date) -> IssuedDocument:
    """The declaration as a document for the insurer, in the language its desk reads; one that was issued already is given back.

    Errors: ``declaration_unknown``, ``declaration_not_so_far`` before it is approved.
    """
    with transaction(organisation_id) as session, within(organisation_id):
        found = _get(session, declaration_id)
        if found.status is not DeclarationStatus.DECLARED:
            check_status(found.status, DeclarationStatus.APPROVED)
        known = queries.papers_of(found)
        if known:
            return known[0]
        view = queries.find_declaration(found.id)
        assert view is not None  # it is held
        contact, entity = contact_of(session, found.policy_id), _seller(session, found.policy_id)
        language = choose_language([None if contact is None else contact.language])
        number = issued_documents.reserve_numbers(session, on.year)[0]
        paper = DeclarationPaper(
            number=number,
            issued_on=on,
            sender=stationery_of(session, entity.id).party(),
            insurer=_insurer(view.policy, contact),
            policy_number=view.policy.number,
            basis=found.basis,
            first_day=found.period_from,
            last_day=found.period_to,
            cut_off_on=found.cut_off_on,
            version=found.version if any(other.declared_on for other in view.versions if other.version < found.version) else 1,
            declared=view.declared,
            kinds=tuple(
                DeclaredSum(items=each.items, full=each.full, declared=each.declared, category=each.category) for each in view.totals
            ),
            days=_days(found),
            late_items=view.late_items,
        )
        document = issued_documents.issue(
            session,
            actor,
            kind=DocumentKind.DECLARATION,
            language=language,
            dated_on=on,
            facts={"declaration": found.id, **_picture(found)},
            name=f"{number}.pdf",
            content=build_declaration(paper, language),
            entity_id=entity.id,
            policy_id=found.policy_id,
            number=number,
        )
        journal.record(session, actor, "declaration.paper_issued", _subject(session, found), after={"number": number, "language": language})
        return document


def _days(found: Declaration) -> tuple[DeclaredSum, ...]:
    """The sums by day of balances and limits; turnover has too many days to be listed."""
    if found.basis is PremiumBasis.TURNOVER:
        return ()
    rows = queries.sums_by_day(found.id, found.currency)
    return tuple(DeclaredSum(items=items, full=full, declared=part, on=on) for on, items, full, part in rows)


def _seller(session: Session, policy_id: int) -> Entity:
    """The first entity that the policy insures."""
    statement = select(Entity).join(InsuredEntity, InsuredEntity.entity_id == Entity.id).where(InsuredEntity.policy_id == policy_id)
    return session.scalar(statement.order_by(Entity.id).limit(1)) or session.scalars(select(Entity).order_by(Entity.id).limit(1)).one()


def _insurer(policy: Policy, contact: PolicyContact | None) -> Party:
    if contact is None:
        return Party(name=policy.insurer)
    person = Contact(name=contact.name, email=contact.email) if contact.name or contact.email else None
    return Party(name=policy.insurer, address=Address(street=tuple(contact.address.splitlines())), contact=person)


def draft_due(organisation_id: int, on: date) -> int:
    """Draft every period that is over, falls due or was due lately, and has no draft yet; gives how many. Errors: ``rate_missing``."""
    with transaction(organisation_id) as session, within(organisation_id):
        book, rates = PolicyBook.load(), RateBook.load()
        wanted = [each for each in queries.open_periods(on) if each.declaration is None and on <= each.period.due_on + DRAFTED_AFTER_DUE]
        for each in wanted:
            _draft(session, NIGHT, organisation_id, each.policy, book, rates, each.period.last_day, on)
        return len(wanted)


def _draft(
    session: Session,
    actor: Actor,
    organisation_id: int,
    policy: InsurancePolicy,
    book: PolicyBook,
    rates: RateBook,
    last_day: date,
    on: date,
) -> Declaration:
    period = _period(policy, last_day, on)
    check_period_over(period, on)
    earlier = list(session.scalars(select(Declaration).where(Declaration.policy_id == policy.id, Declaration.period_to == last_day)))
    standing = next((each for each in earlier if each.status is DeclarationStatus.DECLARED), None)
    for each in earlier:
        if each.status in _OPEN:
            each.status = DeclarationStatus.SUPERSEDED
    wanted = Wanted(policy, policy.terms_on(last_day), period, None if standing is None else standing.id)
    lines = queries.collect(wanted, book, rates)
    newest = max(earlier, key=lambda each: each.version, default=None)
    made = Declaration(
        policy_id=policy.id,
        period_from=period.first_day,
        period_to=period.last_day,
        due_on=period.due_on,
        basis=wanted.basis,
        version=1 if newest is None else newest.version + 1,
        status=DeclarationStatus.DRAFT,
        currency=policy.currency,
        full_minor=sum(line.full_minor for line in lines),
        declared_minor=sum(line.declared_minor for line in lines),
        items=len(lines),
        cut_off_on=on,
        replaces_id=None if standing is None and newest is None else (standing or newest).id,  # type: ignore[union-attr]  # one of them is there
        created_at=now(),
        created_by_id=actor.user_id,
    )
    session.add(made)
    session.flush()
    rows = [_row(organisation_id, made.id, line) for line in lines]
    for start in range(0, len(rows), _PORTION):
        session.execute(insert(DeclarationLine), rows[start : start + _PORTION])
    journal.record(session, actor, "declaration.drafted", _subject(session, made), after=_picture(made))
    return made


def _period(policy: InsurancePolicy, last_day: date, on: date) -> PeriodToDeclare:
    """The period of a policy that ends on a day, by the terms in force when it ended. Errors: those of ``draft``."""
    if not policy.history or not queries.is_declarable(policy, min(last_day, on)):
        raise Refusal("declaration_not_wanted", policy=policy.number)
    for period in periods_to_declare(policy.terms_on(min(last_day, on))):
        if period.last_day == last_day:
            return period
    raise InvalidValue("declaration_period_unknown", "last_day", last_day, policy=policy.number, last=last_day)


def _row(organisation_id: int, declaration_id: int, line: FoundLine) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "declaration_id": declaration_id,
        "buyer_id": line.buyer_id,
        "item": line.item,
        "invoice_id": line.invoice_id,
        "credit_note_id": line.credit_note_id,
        "number": line.number,
        "dated_on": line.dated_on,
        "currency": line.currency,
        "amount_minor": line.amount_minor,
        "full_minor": line.full_minor,
        "declared_minor": line.declared_minor,
        "category": line.category,
    }


def _get(session: Session, declaration_id: int) -> Declaration:
    found = session.scalar(select(Declaration).where(Declaration.id == declaration_id).with_for_update())
    if found is None:
        raise Refusal("declaration_unknown", declaration=str(declaration_id))
    return found


def _versions(session: Session, found: Declaration) -> list[Declaration]:
    return list(
        session.scalars(select(Declaration).where(Declaration.policy_id == found.policy_id, Declaration.period_to == found.period_to))
    )


def _mark_duty(session: Session, found: Declaration) -> None:
    """The duty to declare is done on the day of the first declaration; a correction changes nothing about that."""
    kind = ObligationKind.DECLARE_TURNOVER
    mark = session.scalar(
        select(ObligationMark).where(
            ObligationMark.policy_id == found.policy_id,
            ObligationMark.buyer_id.is_(None),
            ObligationMark.invoice_id.is_(None),
            ObligationMark.kind == kind,
            ObligationMark.due_on == found.due_on,
        )
    )
    if mark is None:
        mark = ObligationMark(policy_id=found.policy_id, buyer_id=None, invoice_id=None, kind=kind.value, due_on=found.due_on)
        session.add(mark)
    elif mark.mark == "done":
        return
    assert found.declared_on is not None  # it has just been declared
    mark.mark, mark.marked_on = "done", found.declared_on
    mark.note = found.protocol or found.note or f"{found.period_from.isoformat()} – {found.period_to.isoformat()}"


def _subject(session: Session, found: Declaration) -> Subject:
    number = session.scalar(select(Policy.number).where(Policy.id == found.policy_id))
    return Subject("declaration", found.id, f"{number} / {found.period_to.isoformat()}")


def _picture(found: Declaration) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "period_from": found.period_from,
        "period_to": found.period_to,
        "version": found.version,
        "status": found.status,
        "basis": found.basis,
        "found": Money(found.full_minor, found.currency),
        "declared": Money(found.declared_minor, found.currency),
        "items": found.items,
        "cut_off_on": found.cut_off_on,
        "declared_on": found.declared_on,
        "way": found.way,
        "protocol": found.protocol,
        "note": found.note,
    }
    return {name: value for name, value in whole.items() if value not in (None, "")}
