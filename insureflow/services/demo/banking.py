"""The bank in the demo: one statement of the day before, with payments that are matched, proposed, and from nobody known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from xml.etree import ElementTree as ET

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.cash_application import Confidence, EntryState
from insureflow.domain.money import Money
from insureflow.models.bank_statements import BankEntry
from insureflow.models.buyers import Buyer
from insureflow.models.documents import Letterhead
from insureflow.models.dunning import DunningLetter
from insureflow.models.organisations import Entity, User
from insureflow.models.receivables import Dispute, Invoice
from insureflow.services import cash_application
from insureflow.services.demo.book import STORIES
from insureflow.services.journal import Actor

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_ENTITY = "DE"
_OPENING = Money(182_440_17, "EUR")
#: So many of the payments that are certain were confirmed; the others wait for a word.
_CONFIRMED = 2


@dataclass(frozen=True, slots=True)
class _Line:
    """A booking: money in, or out where it is negative, from whom and for what."""

    minor: int
    name: str
    text: str


def receive(session: Session, organisation_id: int, on: date) -> None:
    """Import yesterday's statement of the account in Germany, and confirm what is certain of it in part."""
    user = session.scalars(select(User).where(User.email.startswith("clerk@"))).one()
    clerk = Actor(user.id, user.email)
    entity = session.scalars(select(Entity).where(Entity.code == _ENTITY)).one()
    head = session.scalars(select(Letterhead).where(Letterhead.entity_id == entity.id)).one()
    lines = _lines(_open_invoices(session, entity.id, on))
    content = statement(lines, account=head.bank_account.replace(" ", ""), day=on - timedelta(days=1))
    cash_application.import_statements(
        clerk, organisation_id, entity=_ENTITY, file_name=f"statement-{(on - timedelta(days=1)).isoformat()}.xml", content=content
    )
    certain = session.scalars(
        select(BankEntry.id)
        .where(BankEntry.state == EntryState.PROPOSED, BankEntry.confidence == Confidence.CERTAIN)
        .order_by(BankEntry.id)
        .limit(_CONFIRMED)
    ).all()
    for entry_id in certain:
        cash_application.confirm(clerk, organisation_id, entry_id, proposal=0, on=on)


def _open_invoices(session: Session, entity_id: int, on: date) -> list[tuple[Invoice, str]]:
    """Invoices that somebody may just have paid, one of each buyer: of nobody who is written to, and of none of the stories."""
    rows = session.execute(
        select(Invoice, Buyer.legal_name)
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .where(
            Invoice.entity_id == entity_id,
            Invoice.currency == _OPENING.currency,
            Invoice.open_minor == Invoice.net_minor + Invoice.vat_minor,
            Invoice.original_due_on <= on + timedelta(days=30),
            Buyer.legal_name.not_in([name for name, _country, _story in STORIES]),
            ~select(DunningLetter.id).where(DunningLetter.buyer_id == Buyer.id).exists(),
            ~select(Dispute.id).where(Dispute.invoice_id == Invoice.id).exists(),
        )
        .order_by(Invoice.original_due_on, Invoice.id)
    )
    found: dict[int, tuple[Invoice, str]] = {}
    for invoice, name in rows:
        found.setdefault(invoice.buyer_id, (invoice, name))
    return list(found.values())


def _lines(invoices: list[tuple[Invoice, str]]) -> list[_Line]:
    """What came in for them: in full with the number, short of a charge, half of it, without a word; and what nobody knows."""
    manners: tuple[Callable[[Invoice, str], _Line], ...] = (
        lambda invoice, name: _Line(invoice.open_minor, name, f"Rechnung {invoice.number}"),
        lambda invoice, name: _Line(invoice.open_minor, name, f"Invoice {invoice.number} of {invoice.invoice_on.isoformat()}"),
        lambda invoice, name: _Line(invoice.open_minor, name, f"RE {invoice.number}"),
        lambda invoice, name: _Line(invoice.open_minor - 12_50, name, f"Invoice {invoice.number} less charges"),
        lambda invoice, name: _Line(invoice.open_minor // 2, name, f"First half of {invoice.number}"),
        lambda invoice, name: _Line(invoice.open_minor, name, "Thank you"),
    )
    told = [manner(invoice, name) for manner, (invoice, name) in zip(manners, invoices, strict=False)]
    return [*told, _Line(1_340_00, "Kestrel Holdings", "Deposit for spring"), _Line(-18_90, "", "Account keeping")]


def statement(lines: list[_Line], *, account: str, day: date) -> bytes:
    """A statement of one day as camt.053 tells it; the closing balance is the opening one with its bookings."""
    root = ET.Element("Document", xmlns=_NAMESPACE)
    message = ET.SubElement(root, "BkToCstmrStmt")
    _add(message, "GrpHdr/MsgId", f"NORRVIK-{day.isoformat()}")
    told = ET.SubElement(message, "Stmt")
    _add(told, "Id", f"{account[-6:]}-{day.isoformat()}")
    _add(told, "ElctrncSeqNb", str(day.timetuple().tm_yday))
    own = ET.SubElement(told, "Acct")
    _add(own, "Id/IBAN", account)
    _add(own, "Ccy", _OPENING.currency)
    closing = _OPENING + Money(sum(line.minor for line in lines), _OPENING.currency)
    for code, amount, on in (("OPBD", _OPENING, day - timedelta(days=1)), ("CLBD", closing, day)):
        balance = ET.SubElement(told, "Bal")
        _add(balance, "Tp/CdOrPrtry/Cd", code)
        _amount(balance, amount.minor)
        _add(balance, "Dt/Dt", on.isoformat())
    for count, line in enumerate(lines, start=1):
        _entry(told, line, day, f"{day:%Y%m%d}{count:04}")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _entry(told: ET.Element, line: _Line, day: date, reference: str) -> None:
    entry = ET.SubElement(told, "Ntry")
    _amount(entry, line.minor)
    _add(entry, "Sts/Cd", "BOOK")
    _add(entry, "BookgDt/Dt", day.isoformat())
    _add(entry, "ValDt/Dt", day.isoformat())
    _add(entry, "AcctSvcrRef", reference)
    details = _add(entry, "NtryDtls/TxDtls", "")
    _add(details, "Refs/EndToEndId", "NOTPROVIDED")
    if line.name:
        _add(details, "RltdPties/Dbtr/Pty/Nm", line.name)
    _add(details, "RmtInf/Ustrd", line.text)


def _amount(parent: ET.Element, minor: int) -> None:
    """An amount with its direction."""
    ET.SubElement(parent, "Amt", Ccy=_OPENING.currency).text = f"{abs(minor) // 100}.{abs(minor) % 100:02}"
    _add(parent, "CdtDbtInd", "DBIT" if minor < 0 else "CRDT")


def _add(parent: ET.Element, path: str, text: str) -> ET.Element:
    """An element at the end of a path of new elements."""
    for name in path.split("/"):
        parent = ET.SubElement(parent, name)
    parent.text = text
    return parent
