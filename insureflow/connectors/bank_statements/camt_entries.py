"""One booking of a camt message: its amounts, days, parties and references, and the payments it consists of.

Elements come with their local names as tags, whatever their namespace was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from insureflow.connectors.bank_statements.bounds import (
    MOST_NAME,
    MOST_REFERENCE,
    MOST_REFERENCES,
    MOST_TEXT,
    BadEntry,
    clean_text,
    read_amount,
    read_day,
)
from insureflow.domain.bank_statements import BankEntry, Booking, EntryStatus, plain_account
from insureflow.domain.money import Money

_STATUS = {"BOOK": EntryStatus.BOOKED, "PDNG": EntryStatus.PENDING, "FUTR": EntryStatus.PENDING, "INFO": EntryStatus.INFORMATION}
_DIRECTIONS = {"CRDT": True, "DBIT": False}
_TRUE = frozenset({"true", "1"})


def text_at(element: Any, path: str) -> str | None:
    """The text at a path of local names, without the space around it; None where there is none."""
    text = element.findtext(path)
    return text.strip() or None if text else None


def read_booking(entry: Any, row: int) -> tuple[Booking, list[BadEntry]]:
    """A booking with its parts, and what is noteworthy about it. Errors: ``BadEntry``."""
    whole = _whole(entry, row)
    details = entry.findall("NtryDtls/TxDtls")
    reference = clean_text(text_at(entry, "AcctSvcrRef"), MOST_REFERENCE)
    notes: list[BadEntry] = []
    if len(details) == 1:
        part = _described(whole, details[0], _charges(details[0], whole.currency) or whole.charges_minor, entry)
        return Booking(reference or part.bank_reference, (part,)), notes
    if details:
        parts = _parts(whole, details, entry)
        if parts is not None:
            return Booking(reference, parts), notes
        notes.append(
            BadEntry("parts_do_not_add_up", "NtryDtls/TxDtls", str(len(details)), amount=Money(whole.amount_minor, whole.currency))
        )
    return Booking(reference, (_told_as_one(whole, details, entry),)), notes


def _whole(entry: Any, row: int) -> BankEntry:
    """The booking itself, without what its details tell."""
    amount = entry.find("Amt")
    currency = clean_text(amount.get("Ccy") if amount is not None else None, 3)
    minor = read_amount(amount.text if amount is not None else None, currency or None, "Amt")
    direction = text_at(entry, "CdtDbtInd")
    if direction not in _DIRECTIONS:
        raise BadEntry("entry_direction_unknown", "CdtDbtInd", direction)
    written = text_at(entry, "Sts/Cd") or text_at(entry, "Sts/Prtry") or text_at(entry, "Sts")
    if written not in _STATUS:
        raise BadEntry("entry_status_unknown", "Sts", written)
    booked_on = read_day(text_at(entry, "BookgDt/Dt") or text_at(entry, "BookgDt/DtTm"), "BookgDt")
    value_on = read_day(text_at(entry, "ValDt/Dt") or text_at(entry, "ValDt/DtTm"), "ValDt")
    status = _STATUS[written]
    if status is EntryStatus.BOOKED and booked_on is None and value_on is None:
        raise BadEntry("entry_date_missing", "BookgDt")
    return BankEntry(
        row=row,
        amount_minor=minor,
        currency=currency,
        is_credit=_DIRECTIONS[direction],
        status=status,
        is_reversal=(text_at(entry, "RvslInd") or "").lower() in _TRUE,
        booked_on=booked_on,
        value_on=value_on,
        bank_reference=clean_text(text_at(entry, "AcctSvcrRef"), MOST_REFERENCE),
        charges_minor=_charges(entry, currency),
        code=_code(entry),
    )


def _code(entry: Any) -> str:
    domain = [text_at(entry, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    if any(domain):
        return clean_text("/".join(each or "" for each in domain), 40)
    return clean_text(text_at(entry, "BkTxCd/Prtry/Cd"), 40)


def _charges(element: Any, currency: str) -> int:
    """What the bank kept, where it says so in the currency of the booking. Newer versions give records or a total, older single amounts."""
    amounts = element.findall("Chrgs/Rcrd/Amt") or element.findall("Chrgs/TtlChrgsAndTaxAmt") or element.findall("Chrgs/Amt")
    try:
        return sum(read_amount(each.text, each.get("Ccy"), "Chrgs") for each in amounts if each.get("Ccy") == currency)
    except BadEntry:
        return 0  # what the bank kept is told beside the amount; the amount itself is read


def _amounts(details: Any) -> list[Money]:
    """The amounts of a part, the best first: its own, that of the transaction, its countervalue, what was instructed."""
    found: list[Money] = []
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        element = details.find(path)
        if element is not None:
            currency = clean_text(element.get("Ccy"), 3)
            found.append(Money(read_amount(element.text, currency or None, path), currency))
    return found


def _instructed(details: Any, booked: Money) -> Money | None:
    """What the payer ordered, where it is not what was booked."""
    for path in ("AmtDtls/InstdAmt/Amt", "AmtDtls/TxAmt/Amt", "Amt"):
        element = details.find(path)
        if element is None:
            continue
        currency = clean_text(element.get("Ccy"), 3)
        ordered = Money(read_amount(element.text, currency or None, path), currency)
        if ordered.minor and ordered != booked:
            return ordered
    return None


def _parts(whole: BankEntry, details: list[Any], entry: Any) -> tuple[BankEntry, ...] | None:
    """The payments of a booking, or None where they are not told in its currency or do not add up to it."""
    parts: list[BankEntry] = []
    for each in details:
        direction = text_at(each, "CdtDbtInd")
        amount = next((money for money in _amounts(each) if money.currency == whole.currency), None)
        if amount is None or (direction is not None and _DIRECTIONS.get(direction) is not whole.is_credit):
            return None
        part = replace(whole, amount_minor=amount.minor, bank_reference="", charges_minor=0)
        parts.append(_described(part, each, _charges(each, whole.currency), entry))
    return tuple(parts) if sum(part.amount_minor for part in parts) == whole.amount_minor else None


def _described(part: BankEntry, details: Any, charges_minor: int, entry: Any) -> BankEntry:
    """A payment with what its details tell about it."""
    name, account = _counterparty(part, details)
    references, text = _remittance(details)
    if not text and not references:
        text = clean_text(text_at(details, "AddtlTxInf") or text_at(entry, "AddtlNtryInf"), MOST_TEXT)
    return replace(
        part,
        bank_reference=clean_text(text_at(details, "Refs/AcctSvcrRef"), MOST_REFERENCE) or part.bank_reference,
        end_to_end_id=clean_text(text_at(details, "Refs/EndToEndId"), MOST_REFERENCE),
        references=references,
        text=text,
        counterparty_name=name,
        counterparty_account=account,
        instructed=_instructed(details, Money(part.amount_minor, part.currency)),
        charges_minor=charges_minor,
    )


def _told_as_one(whole: BankEntry, details: list[Any], entry: Any) -> BankEntry:
    """A booking whose parts cannot be told apart, with everything that was said about any of them."""
    references: list[str] = []
    texts: list[str] = []
    for each in details:
        given, text = _remittance(each)
        references.extend(reference for reference in given if reference not in references)
        texts.extend([text] if text and text not in texts else [])
    if not texts and not references:
        texts = [clean_text(text_at(entry, "AddtlNtryInf"), MOST_TEXT)]
    return replace(whole, references=tuple(references[:MOST_REFERENCES]), text=clean_text(" / ".join(texts), MOST_TEXT))


def _counterparty(part: BankEntry, details: Any) -> tuple[str, str]:
    """Name and account of the other side. A reversal keeps the sides of the payment it takes back."""
    side = "Dbtr" if part.is_credit is not part.is_reversal else "Cdtr"
    parties = details.find("RltdPties")
    if parties is None:
        return "", ""
    names = (f"{side}/Nm", f"{side}/Pty/Nm", f"Ultmt{side}/Nm", f"Ultmt{side}/Pty/Nm")
    name = next((found for path in names if (found := text_at(parties, path))), None)
    account = text_at(parties, f"{side}Acct/Id/IBAN") or text_at(parties, f"{side}Acct/Id/Othr/Id")
    return clean_text(name, MOST_NAME), plain_account(clean_text(account, 64))


def _remittance(details: Any) -> tuple[tuple[str, ...], str]:
    """Structured references, and everything else that was written about the payment."""
    references: list[str] = []
    texts = [each.text for each in details.findall("RmtInf/Ustrd")]
    for structured in details.findall("RmtInf/Strd"):
        found = [text_at(structured, "CdtrRefInf/Ref"), *(each.text for each in structured.findall("RfrdDocInf/Nb"))]
        references.extend(cleaned for each in found if (cleaned := clean_text(each, MOST_REFERENCE)) and cleaned not in references)
        texts.extend(each.text for each in structured.findall("AddtlRmtInf"))
    return tuple(references[:MOST_REFERENCES]), clean_text(" ".join(each for each in texts if each), MOST_TEXT)
