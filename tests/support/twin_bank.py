"""What a twin has of bank statements: a statement with entries that wait, that were matched, and that were set aside."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session
from support.bank_messages import Line, camt, entry

from insureflow.models.bank_statements import BankEntry
from insureflow.models.organisations import Entity
from insureflow.services import cash_application as cash
from insureflow.services.cash_application import Choice
from insureflow.services.journal import Actor

#: Texts that are codes, keys or sums of files: the mark has no place in them.
CODES = frozenset(
    {
        "bank_statement.source", "bank_statement.sequence", "bank_statement.mark", "bank_statement.file_sha256", "bank_entry.mark",
        "bank_entry.content_mark", "bank_entry.code",
    }
)  # fmt: skip


def fill_bank(
    session: Session, organisation_id: int, mark: str, seed: int, *, buyer_id: int, entity_id: int, actor: Actor, on: date
) -> None:
    """A row in every table of bank statements."""

    def line(number: int, text: str) -> str:
        amount = f"{(seed + number) // 100}.{(seed + number) % 100:02}"
        told = Line(
            amount, f"{mark} {text}", f"{mark} payer {number}", f"{mark}IBAN{number}", f"{mark}REF{number}", f"{mark}BANK{number}", f"{mark}E2E{number}",
            day=on.isoformat(), charges="0.01", instructed=(amount, "USD"),
        )  # fmt: skip
        return entry([told], "EUR", 8)

    content = camt(
        [line(31, "on account"), line(32, "a refund"), line(33, "waits")],
        account=f"{mark}ACCOUNT",
        identification=f"{mark}-S1",
        opening="0",
        closing="1",
    )
    code = session.get_one(Entity, entity_id).code
    outcome = cash.import_statements(actor, organisation_id, entity=code, file_name=f"{mark}.xml", content=content)
    first, second, third = sorted(key for (key,) in session.query(BankEntry.id).filter(BankEntry.statement_id == outcome.statements[0]))
    cash.choose(actor, organisation_id, first, Choice(buyer_id=buyer_id), on=on)
    cash.set_aside(actor, organisation_id, second, note=f"{mark} note")
    session.get_one(BankEntry, third).buyer_id = buyer_id
    cash.set_tolerance(
        actor, organisation_id, currency="EUR", charges_minor=seed + 34, discount_percent=Decimal(2), discount_days=seed % 100
    )
    session.flush()
