"""ISO 20022 camt.053 (statement) and camt.054 (debit and credit notification), versions 001.02 to 001.13.

Elements are found by their local names. What moved between versions is looked for in all its places: the status as a text or as a
choice, names of parties with or without ``Pty``, charges as single amounts or as records, amounts of parts in ``Amt`` or in
``AmtDtls``. The file is read as a stream, booking by booking, so that its size in memory stays that of one booking.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from insureflow.connectors.bank_statements.bounds import MOST_REFERENCE, BadEntry, Meter, StatementBounds, clean_text, read_amount, read_day
from insureflow.connectors.bank_statements.camt_entries import read_booking, text_at
from insureflow.domain.bank_statements import Balance, BankStatement, Booking, StatementFile, StatementKind, plain_account
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.receivables import RowProblem

_NAMESPACE = re.compile(r"camt\.05([34])\.001\.(\d{2})$")
_OLDEST, _NEWEST = 2, 13
_MESSAGES = {"BkToCstmrStmt": "3", "BkToCstmrDbtCdtNtfctn": "4"}
_STATEMENTS = {"Stmt": StatementKind.STATEMENT, "Ntfctn": StatementKind.NOTIFICATION}

#: The balances that bookings lead from and to, the best first: of the day, of the page, of the day before.
_OPENING = ("OPBD", "PRCD", "ITBD")
_CLOSING = ("CLBD", "ITBD")


@dataclass(slots=True)
class _Open:
    """A statement that is being read."""

    bookings: list[Booking] = field(default_factory=list)
    problems: list[tuple[int, BadEntry]] = field(default_factory=list)
    warnings: list[tuple[int, BadEntry]] = field(default_factory=list)


def read_camt(content: bytes, bounds: StatementBounds) -> StatementFile:
    """The statements or notifications of a message. Errors: see ``read_statements``."""
    return _Reader(bounds).read(content)


def _events(content: bytes) -> Iterator[tuple[str, Any]]:
    """The elements of a file as they begin and end. Errors: ``xml_with_entities``, ``statement_damaged``."""
    try:
        yield from iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True)
    except DefusedXmlException:
        raise Refusal("xml_with_entities") from None
    except (ParseError, ExpatError, ValueError, LookupError) as problem:
        line, column = getattr(problem, "position", (0, 0))
        raise Refusal("statement_damaged", line=line, column=column) from None


def _local_name(element: Any) -> str:
    """The name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class _Reader:
    """Reads one message."""

    def __init__(self, bounds: StatementBounds) -> None:
        self.bounds = bounds
        self.meter = Meter(bounds)
        self.source = ""
        self.statements: list[BankStatement] = []
        self.problems: list[RowProblem] = []
        self.warnings: list[RowProblem] = []

    def read(self, content: bytes) -> StatementFile:
        depth = 0
        current: _Open | None = None
        seen_root = ""
        for event, element in _events(content):
            name = _local_name(element)
            if event == "start":
                depth += 1
                seen_root = seen_root or name
                if depth > self.bounds.depth:
                    raise Refusal("statement_damaged", line=0, column=0)
                if name in _MESSAGES and not self.source:
                    self.source = self._source(element, name)
                elif name in _STATEMENTS and self.source and current is None:
                    self.meter.count_statement()
                    current = _Open()
                continue
            depth -= 1
            element.tag = name
            if current is None:
                continue
            if name == "Ntry":
                self._take(element, current)
                element.clear()
            elif name in _STATEMENTS:
                self._close(element, current, _STATEMENTS[name])
                current = None
                element.clear()
        if not self.source:
            raise Refusal("statement_kind_unknown")
        return StatementFile(tuple(self.statements), tuple(self.problems), tuple(self.warnings))

    def _source(self, element: Any, name: str) -> str:
        namespace = element.tag[1:].partition("}")[0] if isinstance(element.tag, str) and element.tag.startswith("{") else ""
        found = _NAMESPACE.search(namespace)
        if found is None or found[1] != _MESSAGES[name] or not _OLDEST <= int(found[2]) <= _NEWEST:
            raise Refusal("statement_version_unknown", found=clean_text(namespace, 100) or "-")
        return found[0]

    def _take(self, element: Any, current: _Open) -> None:
        row = self.meter.count_entry()
        try:
            booking, notes = read_booking(element, row)
        except BadEntry as problem:
            current.problems.append((row, problem))
            return
        for _part in booking.parts[1:]:
            self.meter.count_entry()
        current.bookings.append(booking)
        current.warnings.extend((row, note) for note in notes)

    def _close(self, element: Any, current: _Open, kind: StatementKind) -> None:
        identification = clean_text(text_at(element, "Id"), MOST_REFERENCE)
        self.warnings.extend(note.problem(row, identification) for row, note in current.warnings)
        self.problems.extend(bad.problem(row, identification) for row, bad in current.problems)
        try:
            self.statements.append(self._statement(element, current, kind, identification))
        except BadEntry as problem:
            self.problems.append(problem.problem(0, identification))

    def _statement(self, element: Any, current: _Open, kind: StatementKind, identification: str) -> BankStatement:
        account = plain_account(clean_text(text_at(element, "Acct/Id/IBAN") or text_at(element, "Acct/Id/Othr/Id"), 64))
        if not account:
            raise BadEntry("account_missing", "Acct/Id")
        opening, closing = self._balances(element, identification)
        named = clean_text(text_at(element, "Acct/Ccy"), 3)
        balance = opening or closing
        entries = [part for booking in current.bookings for part in booking.parts]
        currency = named or (balance.amount.currency if balance else "") or (entries[0].currency if entries else "")
        try:
            from_on = read_day(text_at(element, "FrToDt/FrDtTm") or text_at(element, "FrToDt/FrDt"), "FrToDt")
            to_on = read_day(text_at(element, "FrToDt/ToDtTm") or text_at(element, "FrToDt/ToDt"), "FrToDt")
        except BadEntry as problem:
            self.warnings.append(problem.problem(0, identification))
            from_on = to_on = None
        return BankStatement(
            kind=kind,
            source=self.source,
            identification=identification,
            sequence=clean_text(text_at(element, "ElctrncSeqNb") or text_at(element, "LglSeqNb"), 40),
            account=account,
            currency=currency,
            from_on=from_on or (opening.on if opening else None),
            to_on=to_on or (closing.on if closing else None),
            opening=opening,
            closing=closing,
            bookings=tuple(current.bookings),
        )

    def _balances(self, element: Any, identification: str) -> tuple[Balance | None, Balance | None]:
        found: dict[str, list[Balance]] = {}
        for each in element.findall("Bal"):
            code = text_at(each, "Tp/CdOrPrtry/Cd") or ""
            if code not in {*_OPENING, *_CLOSING}:
                continue
            try:
                balance = _balance(each)
            except BadEntry as problem:
                self.warnings.append(problem.problem(0, identification))
            else:
                found.setdefault(code, []).append(balance)
        opening = next((found[code][0] for code in _OPENING if code in found), None)
        closing = next((found[code][-1] for code in _CLOSING if code in found), None)
        if "OPBD" not in found and "PRCD" not in found and "CLBD" not in found and len(found.get("ITBD", ())) == 1:
            return None, closing  # one balance of a page cannot be both
        return opening, closing


def _balance(element: Any) -> Balance:
    amount = element.find("Amt")
    currency = amount.get("Ccy") if amount is not None else None
    minor = read_amount(amount.text if amount is not None else None, currency, "Bal/Amt")
    on = read_day(text_at(element, "Dt/Dt") or text_at(element, "Dt/DtTm"), "Bal/Dt")
    is_credit = (text_at(element, "CdtDbtInd") or "CRDT") == "CRDT"
    return Balance(Money(minor if is_credit else -minor, currency or ""), on)
