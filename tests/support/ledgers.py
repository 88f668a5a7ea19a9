"""Ledgers for tests: organisations, policies, limits, invoices and money put into the database through the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from insureflow.domain import cover
from insureflow.domain.buyers import BuyerStatus, NotInsurable
from insureflow.domain.limits import AccountActKind, LimitKind, LimitStatus
from insureflow.models.buyers import Buyer
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.organisations import Entity, Organisation
from insureflow.models.policies import InsuredEntity, Policy, PolicyTermsVersion
from insureflow.models.receivables import Allocation, CreditNote, Dispute, Invoice, Payment

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class NotHeld(Exception):
    """The tables cannot hold this event."""


def organisation(session: Session, slug: str = "acme", currency: str = "EUR") -> Organisation:
    """A tenant, committed."""
    made = Organisation(slug=slug, name=slug.title(), reporting_currency=currency, created_at=NOW)
    session.add(made)
    session.commit()
    return made


class Books:
    """Puts rows of one organisation in; used inside its transaction."""

    def __init__(self, session: Session, organisation_id: int) -> None:
        self.session = session
        self.organisation_id = organisation_id
        self._number = 0

    def _add(self, row: Any) -> Any:
        row.organisation_id = self.organisation_id
        self.session.add(row)
        self.session.flush()
        return row

    def _next(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}{self._number}"

    def entity(self, code: str = "SE01", currency: str = "EUR") -> Entity:
        return self._add(Entity(code=code, name=f"Entity {code}", country="SE", currency=currency, created_at=NOW))

    def buyer(self, name: str = "Buyer", country: str = "DE", *, insurable: bool = True) -> Buyer:
        return self._add(
            Buyer(
                legal_name=name,
                search_name=name.lower(),
                country=country,
                status=BuyerStatus.ACTIVE,
                not_insurable=None if insurable else NotInsurable.OTHER,
                created_at=NOW,
            )
        )

    def policy(
        self,
        entities: Sequence[Entity],
        terms: Mapping[str, Any],
        *,
        number: str = "P-1",
        priority: int = 100,
        limit_currency: str | None = None,
    ) -> Policy:
        currency = terms.get("currency", "EUR")
        made = self._add(
            Policy(
                number=number,
                name=f"Policy {number}",
                insurer="Insurer",
                currency=currency,
                limit_currency=limit_currency or terms.get("limit_currency") or currency,
                priority=priority,
                created_at=NOW,
            )
        )
        self._add(PolicyTermsVersion(policy_id=made.id, effective_on=date(1900, 1, 1), data=dict(terms), created_at=NOW))
        for entity in entities:
            self._add(InsuredEntity(policy_id=made.id, entity_id=entity.id))
        return made

    def limit(self, policy: Policy, buyer: Buyer, amount: int | None, on: date, **more: Any) -> LimitDecision:
        status = more.pop("status", None) or (
            LimitStatus.WITHDRAWN if amount is None else LimitStatus.REFUSED if amount == 0 else LimitStatus.APPROVED
        )
        values = {
            "layer": cover.Layer.PRIMARY,
            "kind": LimitKind.NAMED,
            "currency": policy.limit_currency,
            "rate": Decimal(1),
            "effective_on": on,
        }
        return self._add(
            LimitDecision(
                policy_id=policy.id,
                buyer_id=buyer.id,
                decided_minor=amount,
                status=status,
                decided_on=on,
                created_at=NOW,
                **{**values, **more},
            )
        )

    def act(
        self, policy: Policy, buyer: Buyer, kind: AccountActKind, on: date, *, invoice_id: int | None = None, **data: Any
    ) -> AccountAct:
        return self._add(
            AccountAct(policy_id=policy.id, buyer_id=buyer.id, invoice_id=invoice_id, kind=kind, happened_on=on, data=data, created_at=NOW)
        )

    def invoice(
        self,
        entity: Entity,
        buyer: Buyer,
        net: int,
        on: date,
        due_on: date,
        *,
        currency: str = "EUR",
        vat: int = 0,
        shipment_on: date | None = None,
        **more: Any,
    ) -> Invoice:
        return self._add(
            Invoice(
                entity_id=entity.id,
                buyer_id=buyer.id,
                number=more.pop("number", None) or self._next("I"),
                currency=currency,
                net_minor=net,
                vat_minor=vat,
                open_minor=net + vat,
                invoice_on=on,
                shipment_on=shipment_on or on,
                due_on=due_on,
                original_due_on=due_on,
                **more,
            )
        )

    def payment(
        self,
        entity: Entity,
        buyer: Buyer,
        amount: int,
        on: date,
        settles: Mapping[Any, int] | None = None,
        *,
        currency: str = "EUR",
        **more: Any,
    ) -> Payment:
        """A payment; ``settles`` maps invoices to what is settled of them, in their currency."""
        in_own = sum(part for invoice, part in (settles or {}).items() if invoice.currency == currency)
        in_other = any(invoice.currency != currency for invoice in settles or {})
        made = self._add(
            Payment(
                entity_id=entity.id,
                buyer_id=buyer.id,
                number=self._next("P"),
                currency=currency,
                amount_minor=amount,
                unapplied_minor=0 if in_other else amount - in_own,
                received_on=on,
                **more,
            )
        )
        for invoice, part in (settles or {}).items():
            invoice.open_minor -= part
            self._add(Allocation(invoice_id=invoice.id, payment_id=made.id, amount_minor=part, allocated_on=on))
        return made

    def credit_note(
        self,
        entity: Entity,
        buyer: Buyer,
        net: int,
        on: date,
        invoice: Invoice | None = None,
        *,
        vat: int = 0,
        currency: str = "EUR",
        rate: Decimal | None = None,
    ) -> CreditNote:
        settled = min(net + vat, invoice.open_minor) if invoice is not None else 0
        made = self._add(
            CreditNote(
                entity_id=entity.id,
                buyer_id=buyer.id,
                invoice_id=None if invoice is None else invoice.id,
                number=self._next("C"),
                currency=currency if invoice is None else invoice.currency,
                net_minor=net,
                vat_minor=vat,
                unapplied_minor=net + vat - settled,
                rate=rate,
                issued_on=on,
            )
        )
        if invoice is not None and settled:
            invoice.open_minor -= settled
            self._add(Allocation(invoice_id=invoice.id, credit_note_id=made.id, amount_minor=settled, allocated_on=on))
        return made


def load_case(books: Books, given: Mapping[str, Any]) -> tuple[Policy, Buyer, dict[str, int]]:
    """Puts a worked example of cover into the tables; gives policy, buyer and the keys of the invoices by their names.

    Errors: ``NotHeld`` for an event that no table can hold.
    """
    account, events = cover.parse_account(given)
    entity = books.entity()
    policy = books.policy([entity], given["policy"], limit_currency=account.limit_currency)
    buyer = books.buyer(country=account.country or "ZZ", insurable=account.insurable)
    invoices: dict[str, Invoice] = {}
    for event in events:
        if isinstance(event, cover.Invoice):
            invoices[event.id] = books.invoice(
                entity,
                buyer,
                event.net,
                event.invoice_on,
                event.due_on,
                currency=event.currency,
                vat=event.vat,
                shipment_on=event.shipment_on,
                number=event.id,
                policy_id=policy.id,
                rate=Decimal(event.rate),
            )
    disputes: dict[str, list[Dispute]] = {}
    for event in events:
        _load_event(books, event, entity, policy, buyer, invoices, disputes)
    return policy, buyer, {name: invoice.id for name, invoice in invoices.items()}


def _load_event(
    books: Books, event: Any, entity: Entity, policy: Policy, buyer: Buyer, invoices: dict[str, Invoice], disputes: dict[str, list[Dispute]]
) -> None:
    if isinstance(event, cover.LimitDecision | cover.TemporaryLimit):
        if event.valid_to is not None and event.valid_to < event.on:
            raise NotHeld("a limit that had ended when it was decided")
        kind = LimitKind.TEMPORARY if isinstance(event, cover.TemporaryLimit) else LimitKind.NAMED
        books.limit(
            policy,
            buyer,
            event.amount,
            event.on,
            kind=kind,
            layer=event.layer,
            currency=event.currency,
            rate=Decimal(event.rate),
            effective_on=event.effective_from or event.on,
            valid_to=event.valid_to,
            conditions=_conditions_data(getattr(event, "conditions", None)),
        )
    elif isinstance(event, cover.LimitWithdrawal):
        books.limit(policy, buyer, None, event.on, layer=event.layer, effective_on=event.effective_from or event.on)
    elif isinstance(event, cover.StopCover):
        books.act(policy, buyer, AccountActKind.STOP_COVER, event.on)
    elif isinstance(event, cover.StopCoverLifted):
        books.act(policy, buyer, AccountActKind.STOP_COVER_LIFTED, event.on)
    elif isinstance(event, cover.DateOfLoss):
        books.act(policy, buyer, AccountActKind.DATE_OF_LOSS, event.on)
    elif isinstance(event, cover.BuyerGrade):
        books.act(policy, buyer, AccountActKind.BUYER_GRADE, event.on, grade=event.grade)
    elif isinstance(event, cover.Consent | cover.OverdueNotification):
        kind = AccountActKind.CONSENT if isinstance(event, cover.Consent) else AccountActKind.OVERDUE_NOTIFICATION
        data = {} if event.invoices is None else {"invoices": [invoices[name].id for name in event.invoices]}
        books.act(policy, buyer, kind, event.on, **data)
    elif isinstance(event, cover.Extension):
        books.act(
            policy,
            buyer,
            AccountActKind.EXTENSION,
            event.on,
            invoice_id=invoices[event.invoice].id,
            new_due_on=event.new_due_on.isoformat(),
            consent=event.consent,
        )
    elif isinstance(event, cover.Payment):
        if not event.amount:
            raise NotHeld("a payment of nothing")
        made = books.payment(
            entity, buyer, event.amount, event.on, currency=event.currency, rate=Decimal(event.rate), purpose=event.purpose.value
        )
        for name in event.designated:
            row = Allocation(invoice_id=invoices[name].id, payment_id=made.id, amount_minor=1, allocated_on=event.on)
            books._add(row)
    elif isinstance(event, cover.CreditNote):
        row = CreditNote(
            entity_id=entity.id,
            buyer_id=buyer.id,
            invoice_id=invoices[event.invoice].id if event.invoice else None,
            number=books._next("C"),
            currency=event.currency,
            net_minor=event.net,
            vat_minor=event.vat,
            unapplied_minor=0,
            rate=Decimal(event.rate),
            issued_on=event.on,
        )
        books._add(row)
    elif isinstance(event, cover.Dispute):
        row = Dispute(invoice_id=invoices[event.invoice].id, amount_minor=event.amount, opened_on=event.on, created_at=NOW)
        disputes.setdefault(event.invoice, []).append(books._add(row))
    elif isinstance(event, cover.DisputeResolved):
        going_on = [row for row in disputes.get(event.invoice, []) if row.resolved_on is None]
        if not going_on:
            raise NotHeld("a settlement of nothing disputed")
        left = event.found_owed
        for row in going_on:
            row.found_owed_minor = min(left, row.amount_minor)
            row.resolved_on = event.on
            left -= row.found_owed_minor
        books.session.flush()


def _conditions_data(conditions: Any) -> dict[str, Any]:
    from insureflow.domain.policies import conditions_to_data

    return {} if conditions is None else dict(conditions_to_data(conditions))
