"""Whose paper it is: the entity that writes, its address and numbers, its accounts, and the foot of its pages."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.documents.parties import Address, BankAccount, Contact, Party
from insureflow.models.documents import Letterhead
from insureflow.models.organisations import Entity


@dataclass(frozen=True, slots=True)
class Stationery:
    """The writing entity and its letterhead."""

    entity: Entity
    head: Letterhead | None

    def party(self) -> Party:
        """The sender as a paper names it, with the foot of its pages."""
        head = self.head
        if head is None:
            return Party(name=self.entity.name, address=Address(country=self.entity.country))
        contact = Contact(name=head.contact, phone=head.phone, email=head.email) if head.contact or head.phone or head.email else None
        return Party(
            name=self.entity.name,
            address=Address(street=tuple(line for line in head.address.splitlines() if line.strip()), country=self.entity.country),
            registration_number=head.registration,
            tax_number=head.tax_number,
            contact=contact,
            foot=head.footer,
            accounts=self.accounts(),
        )

    def accounts(self, currency: str = "") -> tuple[BankAccount, ...]:
        """Where to pay to; none where nobody said."""
        head = self.head
        if head is None or not head.bank_account:
            return ()
        plain = "".join(head.bank_account.split())
        is_iban = plain[:2].isalpha() and plain[2:4].isdigit() and 15 <= len(plain) <= 34
        return (
            BankAccount(
                holder=self.entity.name,
                iban=plain if is_iban else "",
                number="" if is_iban else head.bank_account,
                bic=head.bank_code,
                bank=head.bank_name,
                currency=currency if self.entity.currency == currency else "",
            ),
        )


def stationery_of(session: Session, entity_id: int) -> Stationery:
    """The entity that writes, and its letterhead."""
    entity = session.scalars(select(Entity).where(Entity.id == entity_id)).one()
    return Stationery(entity, session.scalar(select(Letterhead).where(Letterhead.entity_id == entity_id)))
