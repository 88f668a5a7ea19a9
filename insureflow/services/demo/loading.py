"""Putting the demo into a database: its organisation, people and policies through the services, its ledger in bulk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from insureflow.domain.access import Role
from insureflow.domain.buyers import AddressKind, BuyerStatus, NotInsurable, search_name
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import AccountActKind, LimitKind, LimitStatus
from insureflow.domain.money import to_minor
from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer, BuyerAddress, CustomerNumber, InsurerIdentity
from insureflow.models.cover import Obligation, ObligationMark
from insureflow.models.database import db
from insureflow.models.dunning import DunningLetter
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.notices import Notice
from insureflow.models.organisations import Entity, Organisation
from insureflow.models.payment_plans import PaymentPlan
from insureflow.models.policies import Policy
from insureflow.models.receivables import Allocation, CreditNote, Dispute, Invoice, Payment
from insureflow.services import cover, journal, organisations, policies
from insureflow.services.clock import now
from insureflow.services.demo.banking import receive
from insureflow.services.demo.book import DemoBuyer, DemoInvoice, generate
from insureflow.services.demo.connecting import connect
from insureflow.services.demo.declaring import declare_quarters
from insureflow.services.demo.notices import notify
from insureflow.services.demo.overdues import remind
from insureflow.services.demo.plans import put_off
from insureflow.services.demo.terms import policy_terms
from insureflow.services.demo.working import work
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

DEMO_SLUG = "norrvik"
#: The demo's password is printed on the log-in page of a demo; a real installation has no such user.
DEMO_PASSWORD = "norrvik exports steel"  # noqa: S105 (a demo's, shown to everybody)

DEMO_USERS: tuple[tuple[str, str, Role], ...] = (
    ("admin@norrvik.example", "Astrid Nordin", Role.ADMINISTRATOR),
    ("manager@norrvik.example", "Mats Lindgren", Role.CREDIT_MANAGER),
    ("analyst@norrvik.example", "Eva Holm", Role.CREDIT_ANALYST),
    ("clerk@norrvik.example", "Jonas Berg", Role.RECEIVABLES_CLERK),
    ("claims@norrvik.example", "Karin Falk", Role.CLAIMS_HANDLER),
    ("board@norrvik.example", "Sven Aronsson", Role.MANAGEMENT),
    ("sales@norrvik.example", "Lena Ek", Role.SALES),
    ("auditor@norrvik.example", "Peter Wall", Role.AUDITOR),
)

_ENTITIES = (
    ("SE", "Norrvik Industri AB", "SE", "SEK"),
    ("DE", "Norrvik Deutschland GmbH", "DE", "EUR"),
    ("US", "Norrvik Inc.", "US", "USD"),
)
_POLICIES = (
    ("europe", "AT-4471902", "Europe, Atradius", "atradius-nl", "EUR", ("SE", "DE")),
    ("world", "AZ-20-88317", "Overseas, Allianz Trade", "allianz-trade-ae", "USD", ("SE",)),
    ("america", "ESM-330128", "Americas, US EXIM", "us-exim-multi-buyer", "USD", ("US",)),
)

Progress = Callable[[str, int, int], None]


def is_database_empty() -> bool:
    """True if there is no organisation yet."""
    return not db.session.scalar(select(func.count(Organisation.id)))


def load_demo(on: date, *, seed: int = 7, progress: Progress | None = None) -> Organisation:
    """Load the demo as it stands on a day, in one unit of work. Errors: ``Refusal`` ``organisation_exists``."""
    actor = Actor(None, "demo")
    book = generate(seed, on)
    tell = progress or (lambda _stage, _done, _total: None)
    with transaction() as session:
        organisation = organisations.add_organisation(
            actor, "Norrvik Group", slug=DEMO_SLUG, reporting_currency="EUR", time_zone="Europe/Stockholm"
        )
        with transaction(organisation.id):
            _people(actor, organisation.id)
            tell("demo_policies", 0, len(_POLICIES))
            by_policy = _policies(actor, organisation.id, on)
            tell("demo_ledger", 0, len(book))
            entities = {entity.code: entity.id for entity in session.scalars(select(Entity))}
            _ledger(session, organisation.id, book, entities, by_policy)
            cover.refresh_buyers(session, None, on, progress=lambda done, total: tell("demo_cover", done, total))
            _write_off_reminders(session, on)
            cover.refresh_buyers(session, None, on)  # a reminder sent makes room for the next one
            connect(session, actor, organisation.id)
            work(session, organisation.id, by_policy, seed, on)
            declare_quarters(session, organisation.id, by_policy["europe"], on)
            remind(session, organisation.id, on)
            receive(session, organisation.id, on)
            notify(session, organisation.id, {name: policy.id for name, policy in by_policy.items()}, on)
            put_off(session, organisation.id, on)
            _bring_up_to_date(session, on)
            journal.record(
                session,
                actor,
                "demo.loaded",
                Subject("organisation", organisation.id, organisation.name),
                after={"seed": seed, "on": on, "buyers": len(book), "invoices": sum(len(buyer.invoices) for buyer in book)},
            )
    return organisation


def _bring_up_to_date(session: Session, on: date) -> None:
    """Work the accounts of all who were written to out as of the demo's day: what was done on earlier days left them as of those."""
    touched = {key for of in (DunningLetter, Notice, PaymentPlan) for key in session.scalars(select(of.buyer_id).distinct())}
    cover.refresh_buyers(session, sorted(touched), on)


def _write_off_reminders(session: Session, on: date) -> None:
    """Mark reminders of more than five days ago as sent, as they would be in a company at work."""
    sent = session.scalars(
        select(Obligation).where(Obligation.kind == ObligationKind.SEND_REMINDER.value, Obligation.due_on < on - timedelta(days=5))
    )
    session.add_all(
        ObligationMark(
            policy_id=duty.policy_id,
            buyer_id=duty.buyer_id,
            invoice_id=duty.invoice_id,
            kind=duty.kind,
            due_on=duty.due_on,
            mark="done",
            marked_on=duty.due_on + timedelta(days=1),
            note="Reminder letter sent",
        )
        for duty in sent
    )
    session.flush()


def _people(actor: Actor, organisation_id: int) -> None:
    for code, name, country, currency in _ENTITIES:
        organisations.add_entity(actor, organisation_id, code=code, name=name, country=country, currency=currency)
    for email, name, role in DEMO_USERS:
        organisations.add_user(actor, organisation_id, email=email, name=name, role=role, password=DEMO_PASSWORD)


def _policies(actor: Actor, organisation_id: int, on: date) -> dict[str, Policy]:
    found: dict[str, Policy] = {}
    for priority, (short, number, name, preset, currency, entities) in enumerate(_POLICIES, start=1):
        found[short] = policies.add_policy(
            actor,
            organisation_id,
            number=number,
            name=name,
            preset=preset,
            currency=currency,
            entities=entities,
            effective_on=date(on.year - 2, 1, 1),
            on=on,
            overrides=policy_terms(short, on),
            priority=priority,
            note="Terms of the demo on top of the preset",
        )
    return found


def _insert(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows and give their keys in the same order."""
    if not rows:
        return []
    return list(session.scalars(insert(model).returning(model.id, sort_by_parameter_order=True), list(rows)))


def _ledger(session: Session, organisation_id: int, book: list[DemoBuyer], entities: dict[str, int], by_policy: dict[str, Policy]) -> None:
    own = {"organisation_id": organisation_id}
    instant = now()
    keys = _insert(
        session,
        Buyer,
        [
            own
            | {
                "legal_name": buyer.name,
                "search_name": search_name(buyer.name),
                "country": buyer.place.country,
                "sector": buyer.sector,
                "status": BuyerStatus.ACTIVE,
                "not_insurable": NotInsurable(buyer.not_insurable) if buyer.not_insurable else None,
                "natural_person": False,
                "created_at": instant,
            }
            for buyer in book
        ],
    )
    key_of = {buyer.number: key for buyer, key in zip(book, keys, strict=True)}
    for buyer in book:
        if buyer.parent:
            session.get_one(Buyer, key_of[buyer.number]).parent_id = key_of[buyer.parent]
    _insert(
        session,
        CustomerNumber,
        [own | {"entity_id": entities[buyer.entity], "buyer_id": key_of[buyer.number], "number": buyer.number} for buyer in book],
    )
    _insert(
        session,
        BuyerAddress,
        [
            own
            | {
                "buyer_id": key_of[buyer.number],
                "kind": AddressKind.REGISTERED,
                "street": "",
                "postal_code": "",
                "city": buyer.town,
                "region": "",
                "country": buyer.place.country,
            }
            for buyer in book
        ],
    )
    _insert(
        session,
        InsurerIdentity,
        [
            own
            | {
                "buyer_id": key_of[buyer.number],
                "insurer": by_policy[buyer.place.policy].insurer,
                "number": f"{7_300_000 + int(buyer.number) * 13}",
            }
            for buyer in book
            if buyer.place.policy and buyer.limits
        ],
    )
    _limits(session, organisation_id, book, key_of, by_policy, instant)
    invoice_of = _invoices(session, organisation_id, book, key_of, entities)
    _money(session, organisation_id, book, key_of, entities, invoice_of)
    _acts(session, organisation_id, book, key_of, by_policy, invoice_of, instant)


def _limits(
    session: Session, organisation_id: int, book: list[DemoBuyer], key_of: dict[str, int], by_policy: dict[str, Policy], instant: datetime
) -> None:
    rows: list[dict[str, Any]] = []
    for buyer in book:
        if not buyer.place.policy:
            continue
        policy = by_policy[buyer.place.policy]
        for count, limit in enumerate(sorted(buyer.limits, key=lambda each: each.on), start=1):
            currency = policy.limit_currency
            rows.append(
                {
                    "organisation_id": organisation_id,
                    "policy_id": policy.id,
                    "buyer_id": key_of[buyer.number],
                    "layer": Layer(limit.layer),
                    "kind": LimitKind(limit.kind),
                    "status": LimitStatus(limit.status),
                    "requested_minor": None if limit.requested is None else to_minor(limit.requested, currency),
                    "decided_minor": None if limit.amount is None else to_minor(limit.amount, currency),
                    "currency": currency,
                    "rate": Decimal(1),
                    "rate_source": "",
                    "decided_on": limit.on,
                    "effective_on": limit.on,
                    "valid_to": limit.valid_to,
                    "conditions": limit.conditions,
                    "insurer_reference": f"{policy.number}/{buyer.number}/{count}",
                    "reason": limit.reason,
                    "source": "demo",
                    "created_at": datetime.combine(limit.on, time(9), UTC) if limit.on < instant.date() else instant,
                }
            )
    _insert(session, LimitDecision, rows)


def _settled(invoice: DemoInvoice) -> int:
    return sum(amount for _day, amount in invoice.payments) + (invoice.credit[1] if invoice.credit else 0)


def _invoices(
    session: Session, organisation_id: int, book: list[DemoBuyer], key_of: dict[str, int], entities: dict[str, int]
) -> dict[str, int]:
    rows = [
        {
            "organisation_id": organisation_id,
            "entity_id": entities[buyer.entity],
            "buyer_id": key_of[buyer.number],
            "number": invoice.number,
            "reference": "",
            "currency": buyer.place.currency,
            "net_minor": invoice.net,
            "vat_minor": invoice.vat,
            "open_minor": invoice.net + invoice.vat - _settled(invoice),
            "rate_source": "",
            "invoice_on": invoice.invoice_on,
            "shipment_on": invoice.shipment_on,
            "due_on": invoice.due_on,
            "original_due_on": invoice.due_on,
            "terms": f"{(invoice.due_on - invoice.invoice_on).days} days",
            "was_disputed": invoice.dispute is not None,
            "fingerprint": "",
        }
        for buyer in book
        for invoice in buyer.invoices
    ]
    keys = _insert(session, Invoice, rows)
    return {str(row["number"]): key for row, key in zip(rows, keys, strict=True)}


def _money(
    session: Session,
    organisation_id: int,
    book: list[DemoBuyer],
    key_of: dict[str, int],
    entities: dict[str, int],
    invoice_of: dict[str, int],
) -> None:
    own = {"organisation_id": organisation_id}
    payments: list[dict[str, Any]] = []
    settles: list[dict[str, Any]] = []
    for buyer in book:
        for invoice in buyer.invoices:
            base = own | {"entity_id": entities[buyer.entity], "buyer_id": key_of[buyer.number], "currency": buyer.place.currency}
            for count, (day, amount) in enumerate(invoice.payments, start=1):
                payments.append(
                    base
                    | {
                        "number": f"P-{invoice.number}-{count}",
                        "amount_minor": amount,
                        "unapplied_minor": 0,
                        "received_on": day,
                        "purpose": "ordinary",
                        "inferred": False,
                    }
                )
                settles.append(own | {"invoice_id": invoice_of[invoice.number], "amount_minor": amount, "allocated_on": day})
    for row, key in zip(settles, _insert(session, Payment, payments), strict=True):
        row["payment_id"] = key
    _insert(session, Allocation, settles)
    credited = [(buyer, invoice, invoice.credit) for buyer in book for invoice in buyer.invoices if invoice.credit]
    notes = _insert(
        session,
        CreditNote,
        [
            own
            | {
                "entity_id": entities[buyer.entity],
                "buyer_id": key_of[buyer.number],
                "invoice_id": invoice_of[invoice.number],
                "number": f"C-{invoice.number}",
                "currency": buyer.place.currency,
                "net_minor": credit[1],
                "vat_minor": 0,
                "unapplied_minor": 0,
                "issued_on": credit[0],
            }
            for buyer, invoice, credit in credited
        ],
    )
    _insert(
        session,
        Allocation,
        [
            own | {"invoice_id": invoice_of[invoice.number], "credit_note_id": key, "amount_minor": credit[1], "allocated_on": credit[0]}
            for (_buyer, invoice, credit), key in zip(credited, notes, strict=True)
        ],
    )
    _insert(
        session,
        Dispute,
        [
            own
            | {
                "invoice_id": invoice_of[invoice.number],
                "amount_minor": invoice.dispute[1],
                "opened_on": invoice.dispute[0],
                "resolved_on": invoice.dispute[2],
                "found_owed_minor": invoice.dispute[3],
                "reason": invoice.dispute[4],
                "created_at": now(),
            }
            for buyer in book
            for invoice in buyer.invoices
            if invoice.dispute
        ],
    )


def _acts(
    session: Session,
    organisation_id: int,
    book: list[DemoBuyer],
    key_of: dict[str, int],
    by_policy: dict[str, Policy],
    invoice_of: dict[str, int],
    instant: datetime,
) -> None:
    rows = [
        {
            "organisation_id": organisation_id,
            "policy_id": by_policy[buyer.place.policy].id,
            "buyer_id": key_of[buyer.number],
            "invoice_id": invoice_of[act.invoice] if act.invoice else None,
            "kind": AccountActKind(act.kind),
            "happened_on": act.on,
            "data": act.data,
            "note": act.note,
            "created_at": instant,
        }
        for buyer in book
        for act in buyer.acts
    ]
    _insert(session, AccountAct, rows)
