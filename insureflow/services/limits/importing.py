"""Files of limits: every row finds its buyer, all bad rows are told at once, and a file read twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.identifiers import check_number
from insureflow.connectors.limit_files import LimitFile, LimitRow, read_limits
from insureflow.domain.buyers import BuyerStatus, IdentifierScheme, search_name
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import LimitStatus
from insureflow.domain.receivables import RowProblem
from insureflow.models.buyers import Buyer, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import Entity
from insureflow.models.policies import InsuredEntity, Policy
from insureflow.services import cover, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_cuts import announce_cuts
from insureflow.services.limits.decisions import (
    NewDecision,
    NewRequest,
    NewWithdrawal,
    PolicyBook,
    build_decision,
    build_request,
    build_withdrawal,
    find_same,
    picture,
)
from insureflow.services.transaction import transaction


@dataclass(frozen=True, slots=True)
class ImportedLimits:
    """What an import came to. With ``problems`` nothing was stored; with ``dry_run`` nothing is stored either way."""

    file_name: str
    rows: int
    added: int
    unchanged: int
    buyers_created: int
    problems: tuple[RowProblem, ...]
    dry_run: bool

    @property
    def is_stored(self) -> bool:
        """True if the database now holds what the file says."""
        return not self.dry_run and not self.problems


class _Undone(Exception):
    """Ends a unit of work whose changes must not stay."""


def import_limits(
    actor: Actor,
    organisation_id: int,
    source: str | Path | IO[bytes],
    *,
    policy_number: str,
    on: date,
    name: str | None = None,
    dry_run: bool = False,
    create_buyers: bool = False,
) -> ImportedLimits:
    """Enter all limits of a file, or none of them where any row is bad. Decisions that were entered already are left alone.

    ``create_buyers``: buyers that nobody knows are made for review, where the row has name and country.
    Errors: ``Refusal`` ``policy_number_unknown`` and those of reading a file.
    """
    result: ImportedLimits | None = None
    try:
        with transaction(organisation_id) as session:
            policy = session.scalar(select(Policy).where(Policy.number == policy_number))
            if policy is None:
                raise Refusal("policy_number_unknown", policy=policy_number)
            file = read_limits(source, currency=policy.limit_currency, name=name)
            work = FileWork(session, actor, policy, file, on, create_buyers=create_buyers)
            work.enter_all()
            result = work.result(dry_run=dry_run)
            work.finish(result)
    except _Undone:
        assert result is not None
    return result


class FileWork:
    """One file on its way into the database. Others may find buyers in more ways, or do more with each decision, by inheriting."""

    def __init__(self, session: Session, actor: Actor, policy: Policy, file: LimitFile, on: date, *, create_buyers: bool) -> None:
        self.session = session
        self.actor = actor
        self.policy = policy
        self.file = file
        self.on = on
        self.create_buyers = create_buyers
        self.book = PolicyBook.load(session, policy.id)
        self.problems: list[RowProblem] = list(file.problems)
        self.added: list[LimitDecision] = []
        self.created: list[Buyer] = []
        self.unchanged = 0

    def problem(self, row: LimitRow, column: str, value: object, code: str, **parameters: object) -> None:
        """Note what is wrong with a row."""
        text = None if value is None else str(value)
        self.problems.append(RowProblem(row.row, self.file.headings.get(column, column), text, code, parameters))

    def enter_all(self) -> None:
        """Every row in the order of its day, so that each decision finds the one before it."""
        for row in sorted(self.file.rows, key=lambda row: (row.decided_on, row.row)):
            buyer = self.find_buyer(row)
            if buyer is None:
                continue
            try:
                decision = self._decision(row, buyer)
                known = find_same(self.session, decision)
            except InvalidValues as refusal:
                for problem in refusal.problems:
                    parameters = {name: value for name, value in problem.parameters.items() if name not in ("path", "value")}
                    self.problem(row, problem.path, problem.value, problem.code, **parameters)
                continue
            except Refusal as refusal:
                self.problem(row, "insurer_reference", row.insurer_reference, refusal.code, **dict(refusal.parameters))
                continue
            if known is not None:
                self.unchanged += 1
                self.was_entered(row, known)
                continue
            decision.created_by_id = self.actor.user_id
            self.session.add(decision)
            self.session.flush()
            self.added.append(decision)
            self.was_entered(row, decision)

    def was_entered(self, row: LimitRow, decision: LimitDecision) -> None:
        """Called with every decision of the file, entered now or known before."""

    def _decision(self, row: LimitRow, buyer: Buyer) -> LimitDecision:
        source = "file"
        if row.status is LimitStatus.WITHDRAWN:
            notice = NewWithdrawal(
                buyer.id, self.policy.id, row.decided_on, row.effective_on, row.layer, row.insurer_reference, row.reason, source
            )
            return build_withdrawal(self.session, notice, self.policy, buyer, self.on)
        if row.status is LimitStatus.REQUESTED:
            request = NewRequest(
                buyer.id,
                self.policy.id,
                row.requested_minor or 0,
                row.currency,
                row.decided_on,
                row.kind,
                row.layer,
                row.insurer_reference,
                row.reason,
                source,
            )
            return build_request(request, self.policy, self.book, self.on)
        decision = NewDecision(
            buyer_id=buyer.id,
            policy_id=self.policy.id,
            decided_minor=row.decided_minor or 0,
            currency=row.currency,
            decided_on=row.decided_on,
            kind=row.kind,
            layer=row.layer,
            requested_minor=row.requested_minor,
            effective_on=row.effective_on,
            valid_to=row.valid_to,
            conditions=row.conditions,
            insurer_reference=row.insurer_reference,
            status=row.status,
            reason=row.reason,
            source=source,
        )
        return build_decision(self.session, decision, self.policy, self.book, self.on)

    def find_buyer(self, row: LimitRow) -> Buyer | None:
        """The buyer a row is about, by the first number it gives; None where that is a problem of the row."""
        found: list[Buyer] = []
        if row.insurer_id:
            found = self._by(InsurerIdentity, InsurerIdentity.insurer == self.policy.insurer, InsurerIdentity.number == row.insurer_id)
        for scheme, text in ((IdentifierScheme.VAT, row.vat_number), (IdentifierScheme.REGISTRATION, row.registration_number)):
            if found or not text:
                continue
            country = row.country or text[:2].upper()
            number = check_number(scheme, country, text)
            found = self._by(BuyerIdentifier, BuyerIdentifier.scheme == scheme, BuyerIdentifier.value == number.value)
        if not found and row.customer_number:
            found = self._by_customer_number(row)
        if not found and row.buyer_name:
            found = self._by_name(row)
        if len(found) == 1:
            return found[0]
        column, value = self._named_by(row)
        if found:
            self.problem(row, column, value, "buyer_ambiguous", buyers=", ".join(sorted(buyer.legal_name for buyer in found)))
            return None
        if not self.create_buyers:
            self.problem(row, column, value, "buyer_not_found")
            return None
        if not row.buyer_name or not row.country:
            self.problem(row, column, value, "buyer_needs_name_and_country")
            return None
        return self._create(row)

    def _named_by(self, row: LimitRow) -> tuple[str, str | None]:
        for column in ("insurer_id", "vat_number", "registration_number", "customer_number", "buyer_name"):
            if getattr(row, column):
                return column, getattr(row, column)
        return "buyer_name", None

    def _by(self, model: type[BuyerIdentifier | InsurerIdentity | CustomerNumber], *conditions: object) -> list[Buyer]:
        statement = select(Buyer).join(model, model.buyer_id == Buyer.id).where(*conditions)  # type: ignore[arg-type]  # column expressions
        return list(self.session.scalars(statement).unique())

    def _by_customer_number(self, row: LimitRow) -> list[Buyer]:
        conditions: list[object] = [CustomerNumber.number == row.customer_number]
        if row.entity:
            entity_id = self.session.scalar(select(Entity.id).where(Entity.code == row.entity))
            conditions.append(CustomerNumber.entity_id == (entity_id or 0))
        return self._by(CustomerNumber, *conditions)

    def _by_name(self, row: LimitRow) -> list[Buyer]:
        """Buyers of exactly this name, legal form and punctuation aside, in the country; a name without country must be the only one."""
        wanted = search_name(row.buyer_name or "")
        statement = select(Buyer).where(Buyer.status != BuyerStatus.ARCHIVED)
        if row.country:
            statement = statement.where(Buyer.country == row.country)
        found = list(self.session.scalars(statement.where(Buyer.search_name == wanted)))
        if not found:
            found = list(
                self.session.scalars(
                    statement.join(BuyerName, BuyerName.buyer_id == Buyer.id).where(BuyerName.search_name == wanted)
                ).unique()
            )
        exact = [buyer for buyer in found if buyer.legal_name.casefold() == (row.buyer_name or "").casefold()]
        return exact if len(exact) == 1 else found

    def _create(self, row: LimitRow) -> Buyer:
        buyer = Buyer(
            legal_name=(row.buyer_name or "")[:300],
            search_name=search_name(row.buyer_name or ""),
            country=row.country or "",
            status=BuyerStatus.TO_REVIEW,
            natural_person=False,
            created_at=now(),
        )
        if row.insurer_id:
            buyer.insurer_identities = [InsurerIdentity(insurer=self.policy.insurer, number=row.insurer_id)]
        if row.customer_number:
            entity_id = self._entity_of(row)
            if entity_id is not None:
                buyer.accounts = [CustomerNumber(entity_id=entity_id, number=row.customer_number[:60])]
        for scheme, text in ((IdentifierScheme.VAT, row.vat_number), (IdentifierScheme.REGISTRATION, row.registration_number)):
            if text:
                number = check_number(scheme, buyer.country, text)
                buyer.identifiers.append(
                    BuyerIdentifier(scheme=scheme, country=buyer.country, value=number.value[:60], checked=number.checked)
                )
        self.session.add(buyer)
        self.session.flush()
        self.created.append(buyer)
        return buyer

    def _entity_of(self, row: LimitRow) -> int | None:
        """The entity whose customer number a row names: the one it says, else the only one that the policy insures."""
        statement = select(InsuredEntity.entity_id).where(InsuredEntity.policy_id == self.policy.id)
        if row.entity:
            statement = select(Entity.id).where(Entity.code == row.entity)
        found = self.session.scalars(statement).all()
        if len(found) == 1:
            return found[0]
        self.problem(row, "entity", row.entity, "customer_number_needs_entity")
        return None

    def result(self, *, dry_run: bool) -> ImportedLimits:
        """What the import came to."""
        problems = tuple(sorted(self.problems, key=lambda problem: (problem.row, problem.column or "")))
        return ImportedLimits(
            self.file.name, self.file.rows_read, len(self.added), self.unchanged, len(self.created), problems, dry_run=dry_run
        )

    def finish(self, result: ImportedLimits) -> None:
        """One entry of the journal for the file, and cover worked out for the buyers it was about; undoes all where nothing may stay."""
        if not result.is_stored:
            raise _Undone
        if not self.added and not self.created:
            return
        journal.record(
            self.session,
            self.actor,
            "limits.imported",
            Subject("policy", self.policy.id, f"{self.policy.number}: {self.file.name}"),
            after={
                "file": self.file.name,
                "sha256": self.file.sha256,
                "rows": self.file.rows_read,
                "unchanged": self.unchanged,
                "buyers_created": [{"id": buyer.id, "name": buyer.legal_name} for buyer in self.created],
                "limits": [{"id": decision.id, **picture(decision)} for decision in self.added],
            },
        )
        announce_cuts(self.session, self.added)
        affected = sorted({decision.buyer_id for decision in self.added if decision.status is not LimitStatus.REQUESTED})
        if affected:
            cover.refresh_buyers(self.session, affected, self.on)
