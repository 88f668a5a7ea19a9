"""SWIFT MT940 statements, read field by field with the library ``mt-940``.

The library reads a whole statement or nothing. Here a statement is first cut into its fields, and each booking (``:61:`` with
its ``:86:``) is read on its own, so that one bad booking is one problem and the others are read.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import mt940
from mt940.options import Options

from insureflow.connectors.bank_statements.bounds import (
    MOST_NAME,
    MOST_REFERENCE,
    MOST_TEXT,
    BadEntry,
    Meter,
    StatementBounds,
    clean_text,
    read_amount,
)
from insureflow.domain.bank_statements import (
    Balance,
    BankEntry,
    BankStatement,
    Booking,
    StatementFile,
    StatementKind,
    is_reference,
    plain_account,
)
from insureflow.domain.money import Money
from insureflow.domain.receivables import RowProblem

# The library logs what it cannot read, and that would put payments of people into the log.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)

_FIELD = re.compile(r"^:(\d{2}[A-Z]?|NS):", re.MULTILINE)
_BEGIN = re.compile(r"^(?=:20:)", re.MULTILINE)
#: A statement ends with a hyphen on its own line, or with the end of the SWIFT envelope.
_END = re.compile(r"^-\}?.*\Z", re.MULTILINE | re.DOTALL)
_OPTIONS = Options.all()
_MOST_FIELD = 20_000
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b")
#: Words that some banks put before the parts of a field 86, as /NAME/…/REMI/…
_SLASHED = re.compile(
    r"/(EREF|REMI|NAME|IBAN|BIC|ORDP|BENM|PREF|TRTP|CNTP|RTRN|ISDT|CSID|MARF|ID|ADDR|SVCL|PURP|ULTD|ULTC|OCMT|CHGS\d?|EXCH)/"
)


@dataclass(slots=True)
class _Block:
    """The fields of one statement: those of its head, and its bookings with what is told about them."""

    head: list[tuple[str, str]] = field(default_factory=list)
    bookings: list[tuple[str, list[str]]] = field(default_factory=list)


def read_mt940(content: bytes, bounds: StatementBounds) -> StatementFile:
    """The statements of a file. Errors: see ``read_statements``."""
    text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    meter = Meter(bounds)
    statements: list[BankStatement] = []
    problems: list[RowProblem] = []
    for block in _BEGIN.split(text):
        if not block.startswith(":20:"):
            continue
        meter.count_statement()
        statement = _read_block(_cut(block), meter, problems)
        if statement is not None:
            statements.append(statement)
    return StatementFile(tuple(statements), tuple(problems))


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("iso8859-1")


def _cut(block: str) -> _Block:
    found = _Block()
    marks = [*_FIELD.finditer(block)]
    ends = [*(mark.start() for mark in marks[1:]), len(block)]
    for mark, end in zip(marks, ends, strict=True):
        tag, value = mark[1], _END.sub("", block[mark.end() : end]).strip("\n")[:_MOST_FIELD]
        if tag == "61":
            found.bookings.append((value, []))
        elif tag == "86" and found.bookings and found.head[-1][0] not in {"62F", "62M", "64", "65"}:
            found.bookings[-1][1].append(value)
        else:
            found.head.append((tag, value))
    return found


def _parsed(fields: list[tuple[str, str]]) -> Any:
    """What the library makes of some fields. It is given a stream: a text could be taken for the name of a file."""
    return mt940.parse(io.StringIO("".join(f":{tag}:{value}\n" for tag, value in fields)), options=_OPTIONS)


def _read_block(block: _Block, meter: Meter, problems: list[RowProblem]) -> BankStatement | None:
    named = dict(reversed(block.head))
    identification = clean_text("/".join(filter(None, (named.get("20"), named.get("28C") or named.get("28")))), MOST_REFERENCE)
    account, _slash, behind = clean_text(named.get("25"), 64).partition("/")
    if _IBAN.fullmatch(plain_account(behind)):  # some banks put their own code first
        account, behind = behind, account
    elif behind and not re.fullmatch(r"[A-Z]{3}", behind):
        account = f"{account}/{behind}"
    account = re.sub(r"(?<=\d)(?:[A-Z]{3})$", "", plain_account(account))
    if not account:
        problems.append(BadEntry("account_missing", ":25:").problem(0, identification))
        return None
    try:
        opening, closing = _balance(block, ("60F", "60M"), last=False), _balance(block, ("62F", "62M"), last=True)
    except BadEntry as problem:
        problems.append(problem.problem(0, identification))
        return None
    if opening is None:
        problems.append(BadEntry("entry_currency_unknown", ":60F:").problem(0, identification))
        return None
    bookings: list[Booking] = []
    opened = next(pair for pair in block.head if pair[0] in {"60F", "60M"})
    for line, told in block.bookings:
        row = meter.count_entry()
        try:
            entry = _entry(row, opened, line, told, opening.amount.currency)
        except BadEntry as problem:
            problems.append(problem.problem(row, identification))
        else:
            bookings.append(Booking(entry.bank_reference, (entry,)))
    return BankStatement(
        kind=StatementKind.STATEMENT,
        source="mt940",
        identification=identification,
        sequence=clean_text(named.get("28C") or named.get("28"), 40),
        account=account,
        currency=opening.amount.currency,
        from_on=opening.on,
        to_on=closing.on if closing else None,
        opening=opening,
        closing=closing,
        bookings=tuple(bookings),
    )


def _balance(block: _Block, tags: tuple[str, ...], *, last: bool) -> Balance | None:
    given = [pair for pair in block.head if pair[0] in tags]
    if not given:
        return None
    tag, value = given[-1] if last else given[0]
    try:
        data = _parsed([("20", "X"), (tag, value)]).data
        found = next(each for name, each in data.items() if name.endswith(("opening_balance", "closing_balance")))
        currency = found.amount.currency
        minor = read_amount(_written(abs(found.amount.amount)), currency, f":{tag}:")
        return Balance(Money(-minor if found.amount.amount < 0 else minor, currency), _plain_day(found.date))
    except (RuntimeError, ArithmeticError, ValueError, StopIteration, AttributeError):
        raise BadEntry("balance_unreadable", f":{tag}:", value) from None


def _written(amount: Decimal) -> str:
    return format(amount, "f")


def _plain_day(on: date | None) -> date | None:
    return None if on is None else date(on.year, on.month, on.day)


def _entry(row: int, opened: tuple[str, str], line: str, told: list[str], currency: str) -> BankEntry:
    """One booking. Errors: ``BadEntry``."""
    try:
        found = list(_parsed([("20", "X"), opened, ("61", line), *(("86", each) for each in told)]))
    except (RuntimeError, ArithmeticError, ValueError, KeyError, TypeError, IndexError):
        raise BadEntry("entry_unreadable", ":61:", line) from None
    if len(found) != 1 or "amount" not in found[0].data:
        raise BadEntry("entry_unreadable", ":61:", line)
    data = found[0].data
    mark = str(data.get("status") or "").upper()
    text, name, account, end_to_end = _told(data, told)
    customer = clean_text(data.get("customer_reference"), MOST_REFERENCE)
    return BankEntry(
        row=row,
        amount_minor=read_amount(_written(abs(data["amount"].amount)), currency, ":61:"),
        currency=currency,
        is_credit=mark in {"C", "RD"},
        is_reversal=mark.startswith("R"),
        booked_on=_plain_day(data.get("entry_date") or data.get("date")),
        value_on=_plain_day(data.get("date")),
        bank_reference=clean_text(data.get("bank_reference"), MOST_REFERENCE),
        end_to_end_id=end_to_end or (customer if is_reference(customer) else ""),
        text=text,
        counterparty_name=name,
        counterparty_account=account,
        code=clean_text(data.get("id"), 40),
    )


def _told(data: dict[str, Any], told: list[str]) -> tuple[str, str, str, str]:
    """Text, name, account and end-to-end reference of field 86, in whichever of its customs it is written."""
    if data.get("applicant_name") or data.get("purpose"):
        account = plain_account(clean_text(data.get("applicant_iban") or data.get("gvc_applicant_iban"), 64))
        text = " ".join(filter(None, (data.get("purpose"), data.get("additional_purpose"))))
        return (
            clean_text(text, MOST_TEXT),
            clean_text(data.get("applicant_name"), MOST_NAME),
            account,
            clean_text(data.get("end_to_end_reference"), MOST_REFERENCE),
        )
    whole = " ".join(told)
    parts = dict(_slashed(whole.replace("\n", "")))
    if parts:
        text = re.sub(r"^/?(?:USTD|STRD)/{1,2}|/(?:CUR|ISO)/", " ", parts.get("REMI", ""))
        account = plain_account(clean_text(parts.get("IBAN") or parts.get("ORDP"), 64)) if parts.get("IBAN") else ""
        return clean_text(text, MOST_TEXT), clean_text(parts.get("NAME"), MOST_NAME), account, clean_text(parts.get("EREF"), MOST_REFERENCE)
    account_found = _IBAN.search(whole)
    return clean_text(whole, MOST_TEXT), "", account_found[0] if account_found else "", ""


def _slashed(text: str) -> Iterator[tuple[str, str]]:
    marks = [*_SLASHED.finditer(text)]
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    for mark, end in zip(marks, ends, strict=True):
        value = text[mark.end() : end].strip("/ ")
        if value:
            yield mark[1], value
