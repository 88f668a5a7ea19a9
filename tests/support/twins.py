"""Organisations that differ in their marks and amounts alone: every text of theirs carries the mark, in every table.

What one of them can be seen to know of the other is a leak. ``missing_marks`` says which table or text a twin does not fill yet,
so that a new table cannot stay outside the proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from support.accounts import TERMS
from support.tenants import Tenant, make_tenant
from support.twin_bank import CODES as BANK_CODES
from support.twin_bank import fill_bank
from support.twin_declarations import fill_declarations
from support.twin_limits import CODES as LIMIT_CODES
from support.twin_limits import fill_limits, share_use
from support.twin_overdues import CODES as OVERDUE_CODES
from support.twin_overdues import fill_blocks, fill_documents, fill_dunning, fill_messages, fill_notices, fill_plans, fill_telling

from insureflow.connectors.ledgers import get_shipped_profile, profile_to_mapping
from insureflow.domain.access import Role
from insureflow.domain.buyers import AddressKind, BuyerStatus, IdentifierScheme, NameKind, search_name
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import AccountActKind, LimitKind, LimitStatus
from insureflow.domain.tasks import ImportState, TaskState
from insureflow.models.base import Base, ExactDecimal, TenantOwned
from insureflow.models.buyers import Buyer, BuyerAddress, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.cover import Obligation, ObligationMark
from insureflow.models.database import db
from insureflow.models.jobs import Task
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.rates import ManualRate, SavedView
from insureflow.models.receivables import (
    Allocation,
    CreditNote,
    Dispute,
    ImportBatch,
    ImportProblem,
    ImportProfile,
    Invoice,
    Payment,
    StoredFile,
)
from insureflow.models.scope import within
from insureflow.services import cover, journal, policies, tokens
from insureflow.services.clock import now
from insureflow.services.journal import Subject
from insureflow.services.transaction import transaction

#: The day on which the twins stand.
TODAY = date(2026, 11, 20)

#: Texts that are codes, keys or sums of files: the mark has no place in them.
CODES = frozenset(
    {
        "invoice.rate_source", "buyer.sector", "buyer.language", "account_act.data", "policy.preset", "payment.purpose",
        "limit_decision.source", "invoice.terms", "invoice.fingerprint", "invoice_position.excluded_reason",
        "obligation.kind", "obligation.unit", "obligation.basis", "obligation_mark.kind", "obligation_mark.mark", "stored_file.sha256",
        "import_batch.file_sha256", "import_batch.mode", "import_problem.code", "journal_entry.action", "journal_entry.subject_type",
        "journal_entry.previous_hash", "journal_entry.hash", "task.kind", "task.stage", "saved_view.page",
    }
    | LIMIT_CODES
    | BANK_CODES
    | OVERDUE_CODES
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Twin:
    """A filled organisation: its mark, its keys per table, lowest first, and the secret of a key for the API."""

    tenant: Tenant
    mark: str
    keys: dict[str, list[int]]
    secret: str


def owned_tables() -> dict[str, type[Base]]:
    """Every table that belongs to an organisation."""
    return {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantOwned)}


def make_twin(app: Flask, mark: str, *, seed: int) -> Twin:
    """An organisation with something in every table; ``seed`` of seven digits is where its amounts begin."""
    tenant = make_tenant(app, f"{mark} Group", entities={f"{mark}1": ("SE", "SEK"), f"{mark}2": ("DE", "EUR")})
    with app.app_context():
        policy = policies.add_policy(
            tenant.actor(),
            tenant.id,
            number=f"{mark}-POL",
            name=f"{mark} main policy",
            insurer=f"{mark} Insurance",
            product=f"{mark} Product",
            currency="EUR",
            terms=TERMS,
            entities=[f"{mark}1"],
            effective_on=date(2025, 1, 1),
            on=TODAY,
            note=f"{mark} note of terms",
        )
        second = policies.add_policy(
            tenant.actor(),
            tenant.id,
            number=f"{mark}-SECOND",
            name=f"{mark} second policy",
            insurer=f"{mark} Insurance",
            product=f"{mark} Product",
            currency="EUR",
            terms=TERMS,
            entities=[f"{mark}2"],
            effective_on=date(2025, 1, 1),
            on=TODAY,
            note=f"{mark} note of terms",
        )
        with transaction(tenant.id) as session:
            buyer_id = _fill(session, tenant, mark, seed, policy.id)
            fill_limits(
                session,
                tenant.id,
                mark,
                seed,
                policy_id=policy.id,
                other_policy_id=second.id,
                buyer_id=buyer_id,
                entity_id=tenant.entity_id,
                actor=tenant.actor(),
                on=TODAY,
            )
            fill_bank(session, tenant.id, mark, seed, buyer_id=buyer_id, entity_id=tenant.entity_id, actor=tenant.actor(), on=TODAY)
            paper = fill_documents(
                session,
                tenant.id,
                mark,
                buyer_id=buyer_id,
                entity_id=tenant.entity_id,
                policy_id=policy.id,
                actor=tenant.actor(),
                on=TODAY,
            )
            message = fill_messages(session, mark, buyer_id=buyer_id, document=paper)
            fill_blocks(session, mark, buyer_id=buyer_id, entity_id=tenant.entity_id, on=TODAY)
            fill_telling(
                session,
                mark,
                buyer_id=buyer_id,
                policy_id=policy.id,
                user_id=tenant.logins[Role.ADMINISTRATOR].user_id,
                on=TODAY,
            )
            fill_dunning(
                session,
                mark,
                seed,
                buyer_id=buyer_id,
                entity_id=tenant.entity_id,
                document=paper,
                message=message,
                actor=tenant.actor(),
                on=TODAY,
            )
            fill_notices(
                session,
                mark,
                seed,
                buyer_id=buyer_id,
                policy_id=policy.id,
                document=paper,
                message=message,
                actor=tenant.actor(),
                on=TODAY,
            )
            fill_plans(
                session,
                mark,
                seed,
                buyer_id=buyer_id,
                entity_id=tenant.entity_id,
                policy_id=policy.id,
                actor=tenant.actor(),
                on=TODAY,
            )
            fill_declarations(session, mark, seed, policy_id=policy.id, actor=tenant.actor(), on=TODAY)
            share_use(session, seed, policy_id=second.id, buyer_id=buyer_id, on=TODAY)
            journal.record(
                session, tenant.actor(), "buyer.changed", Subject("buyer", 1, f"{mark} subject"), before={"name": mark}, after=None
            )
            token, secret = tokens.add_token(tenant.actor(), tenant.id, tenant.logins[Role.ADMINISTRATOR].user_id, f"{mark} key")
        keys = {name: _keys(tenant, model) for name, model in owned_tables().items()} | {"api_token": [token.id]}
        db.session.remove()
    return Twin(tenant, mark, keys, secret)


def _keys(tenant: Tenant, model: Any) -> list[int]:
    with within(tenant.id):
        return list(db.session.scalars(sa.select(model.id).order_by(model.id)))


def _fill(session: Session, tenant: Tenant, mark: str, seed: int, policy_id: int) -> int:
    """Fills the tables of the foundation and gives the key of the buyer that has most."""
    amounts = iter(range(seed, seed + 10_000_000, 111_317))
    person = tenant.actor().user_id
    parent = _buyer(session, tenant, mark, f"{mark} Holding AG", "1000")
    buyer = _buyer(session, tenant, mark, f"{mark} Werke GmbH", "1001")
    buyer.parent_id = parent.id
    stranger = _buyer(session, tenant, mark, f"{mark} Loja Ltda", "1002", country="BR")
    file = StoredFile(name=f"{mark}-ledger.csv", size=7, sha256="0" * 64, content=mark.encode(), created_at=now())
    profile = profile_to_mapping(get_shipped_profile("plain"))
    session.add_all([file, ImportProfile(name=f"{mark} layout", data=dict(profile), created_at=now())])
    session.flush()
    batch = ImportBatch(
        entity_id=tenant.entity_id,
        file_id=file.id,
        file_name=file.name,
        file_sha256=file.sha256,
        mode="movements",
        as_of=TODAY,
        profile=dict(profile),
        options={},
        state=ImportState.REFUSED,
        counts={"rows": 3, "problems": 1},
        created_at=now(),
        created_by_id=person,
        finished_at=now(),
    )
    session.add(batch)
    session.flush()
    session.add(
        ImportProblem(batch_id=batch.id, row=3, column=f"{mark} column", value=f"{mark} value", code="amount_unreadable", parameters={"value": mark})
    )  # fmt: skip
    for currency_buyer, days_ago, paid in ((buyer, 70, 0), (buyer, 150, 1), (buyer, 40, 0), (stranger, 60, 0), (parent, 95, 0)):
        shipped_on = TODAY - timedelta(days=days_ago)
        _sell(session, tenant, mark, currency_buyer.id, shipped_on, [next(amounts), next(amounts)], paid=bool(paid))
    for layer, kind, status in (
        (Layer.PRIMARY, LimitKind.NAMED, LimitStatus.APPROVED),
        (Layer.TOP_UP, LimitKind.TOP_UP, LimitStatus.APPROVED),
        (Layer.TOP_UP, LimitKind.TOP_UP, LimitStatus.REDUCED),
    ):
        amount = next(amounts) // (3 if status is LimitStatus.REDUCED else 1)
        session.add(
            LimitDecision(
                policy_id=policy_id,
                buyer_id=buyer.id,
                layer=layer,
                kind=kind,
                status=status,
                requested_minor=amount,
                decided_minor=amount,
                currency="EUR",
                rate=Decimal(1),
                rate_source=f"{mark} rate",
                decided_on=date(2026, 1, 5),
                effective_on=date(2026, 1, 5),
                conditions={},
                insurer_reference=f"{mark}-{layer.value}-{status.value}",
                reason=f"{mark} reason of the limit",
                created_at=now(),
                created_by_id=person,
            )
        )
    session.add(
        AccountAct(
            policy_id=policy_id,
            buyer_id=buyer.id,
            kind=AccountActKind.OVERDUE_NOTIFICATION,
            happened_on=TODAY - timedelta(days=2),
            data={},
            note=f"{mark} note of the act",
            created_at=now(),
            created_by_id=person,
        )
    )
    session.add(ManualRate(base="USD", quote="EUR", valid_on=date(2026, 3, 1), rate=Decimal(seed) / 10**7, source=f"{mark} bank", created_at=now()))  # fmt: skip
    for login in tenant.logins.values():
        session.add(SavedView(user_id=login.user_id, page="receivables.index", name=f"{mark} view", query=f"q={mark}"))
    for kind in ("import_ledger", "draft_notices", "request_limits"):
        session.add(
            Task(
                kind=kind,
                parameters={"file": f"{mark}.csv", "actor": mark},
                state=TaskState.FAILED,
                result={},
                error={"code": "file_empty", "parameters": {"name": mark}},
                created_at=now(),
                created_by_id=person,
            )
        )
        session.flush()
    session.flush()
    cover.refresh_buyers(session, None, TODAY)
    session.flush()
    duty = session.scalars(sa.select(Obligation).order_by(Obligation.id)).first()
    assert duty is not None, "the twin's overdue invoices give no duty"
    session.add(
        ObligationMark(
            policy_id=duty.policy_id,
            buyer_id=duty.buyer_id,
            invoice_id=duty.invoice_id,
            kind=duty.kind,
            due_on=duty.due_on,
            mark="done",
            marked_on=TODAY,
            note=f"{mark} evidence",
        )
    )
    return buyer.id


def _buyer(session: Session, tenant: Tenant, mark: str, name: str, number: str, country: str = "DE") -> Buyer:
    buyer = Buyer(
        legal_name=name,
        search_name=search_name(name),
        country=country,
        language="de",
        sector="46",
        status=BuyerStatus.ACTIVE,
        created_at=now(),
        names=[BuyerName(kind=NameKind.TRADING, name=f"{name} trading", search_name=search_name(f"{name} trading"))],
        identifiers=[BuyerIdentifier(scheme=IdentifierScheme.REGISTRATION, country=country, value=f"HRB {mark} {number}", checked=False)],
        addresses=[
            BuyerAddress(
                kind=AddressKind.REGISTERED,
                street=f"{mark} street",
                postal_code=f"{mark}-99",
                city=f"{mark} city",
                region=f"{mark} region",
                country=country,
            )
        ],
        accounts=[CustomerNumber(entity_id=tenant.entity_id, number=f"{mark}-{number}")],
        insurer_identities=[InsurerIdentity(insurer=f"{mark} Insurance", number=f"{mark}-I-{number}")],
    )
    session.add(buyer)
    session.flush()
    return buyer


def _sell(session: Session, tenant: Tenant, mark: str, buyer_id: int, shipped_on: date, amounts: list[int], *, paid: bool) -> None:
    """Two invoices of a day; the first with a dispute, or else settled by a payment and a credit note."""
    for count, amount in enumerate(amounts, 1):
        settled = paid and count == 1
        due_on = shipped_on + timedelta(days=30)
        invoice = Invoice(
            entity_id=tenant.entity_id,
            buyer_id=buyer_id,
            number=f"{mark}-{buyer_id}-{shipped_on:%m%d}-{count}",
            reference=f"{mark} order",
            currency="EUR",
            net_minor=amount,
            vat_minor=0,
            open_minor=0 if settled else amount,
            rate=Decimal(1),
            rate_source=f"{mark} rates",
            invoice_on=shipped_on,
            shipment_on=shipped_on,
            due_on=due_on,
            original_due_on=due_on,
            terms="30 days",
            was_disputed=not paid and count == 1,
        )
        session.add(invoice)
        session.flush()
        if settled:
            _settle(session, tenant, mark, invoice, amount)
        elif count == 1:
            session.add(
                Dispute(
                    invoice_id=invoice.id,
                    amount_minor=amount // 3,
                    opened_on=shipped_on,
                    reason=f"{mark} dispute",
                    reference=f"{mark} file",
                    created_at=now(),
                )
            )


def _settle(session: Session, tenant: Tenant, mark: str, invoice: Invoice, amount: int) -> None:
    common: dict[str, Any] = {"entity_id": tenant.entity_id, "buyer_id": invoice.buyer_id, "currency": "EUR", "unapplied_minor": 0}
    credit = amount // 7
    payment = Payment(**common, number=f"{mark}-P-{invoice.id}", amount_minor=amount - credit, rate=Decimal(1), received_on=invoice.due_on)
    note = CreditNote(
        **common, invoice_id=invoice.id, number=f"{mark}-C-{invoice.id}", net_minor=credit, vat_minor=0, rate=Decimal(1), issued_on=invoice.due_on
    )  # fmt: skip
    session.add_all([payment, note])
    session.flush()
    session.add_all(
        [
            Allocation(invoice_id=invoice.id, payment_id=payment.id, amount_minor=amount - credit, allocated_on=invoice.due_on),
            Allocation(invoice_id=invoice.id, credit_note_id=note.id, amount_minor=credit, allocated_on=invoice.due_on),
        ]
    )


def rows_of(app: Flask, organisation_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the database holds of an organisation, its people and its own row, read past the scope."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with app.app_context(), db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if "organisation_id" in table.c:
                wanted = table.c.organisation_id == organisation_id
            elif table.name == "organisation":
                wanted = table.c.id == organisation_id
            elif table.name == "app_user":
                members = Base.metadata.tables["membership"]
                wanted = table.c.id.in_(sa.select(members.c.user_id).where(members.c.organisation_id == organisation_id))
            else:
                continue
            key = next(iter(table.primary_key))
            found[table.name] = [tuple(row) for row in connection.execute(sa.select(table).where(wanted).order_by(key))]
    return found


def missing_marks(app: Flask, twin: Twin) -> list[str]:
    """Tables of an organisation that the twin leaves empty, and texts of theirs in which its mark does not stand."""
    rows = rows_of(app, twin.tenant.id)
    missing: list[str] = []
    for name, model in owned_tables().items():
        if not rows[name]:
            missing.append(f"{name}: no row")
            continue
        for index, column in enumerate(model.__table__.columns):
            free = isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum | ExactDecimal)
            if not free or (column.type.length or 99) <= 3 or f"{name}.{column.name}" in CODES:
                continue
            if not any(twin.mark.casefold() in str(row[index]).casefold() for row in rows[name]):
                missing.append(f"{name}.{column.name}: no {twin.mark}")
    return missing


def amounts_of(app: Flask, twin: Twin) -> set[str]:
    """The digits of every amount of the twin that has at least six of them."""
    rows = rows_of(app, twin.tenant.id)
    found: set[str] = set()
    for name, model in owned_tables().items():
        for index, column in enumerate(model.__table__.columns):
            if column.name.endswith("_minor"):
                found |= {str(row[index]) for row in rows[name] if row[index] is not None and row[index] >= 100_000}
    return found
