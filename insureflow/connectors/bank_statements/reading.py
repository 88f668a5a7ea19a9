"""Reading a file of the bank: what kind it is, and its statements with everything that is wrong or noteworthy in it."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType

from insureflow.connectors.bank_statements import camt, mt940
from insureflow.connectors.bank_statements.bounds import DEFAULT_BOUNDS, StatementBounds
from insureflow.domain.bank_statements import BalanceCheck, BankStatement, StatementFile, check_balances
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import RowProblem

#: So many bytes show what a file is.
_HEAD = 4_096
_XML = re.compile(rb"^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<|\x00<|<\x00)")
_MT940 = re.compile(rb"(?:^|[\r\n])(?:\xef\xbb\xbf)?:20:|^\{1:")


def read_statements(content: bytes, bounds: StatementBounds = DEFAULT_BOUNDS) -> StatementFile:
    """The statements of a file, each compared with its balances; every entry that cannot be read is a problem.

    Errors: ``Refusal`` ``file_empty``, ``file_too_large``, ``statement_kind_unknown``, ``statement_version_unknown``,
    ``statement_damaged``, ``xml_with_entities``, ``no_statement``, ``too_many_statements``, ``too_many_bank_entries``.
    """
    if not content.strip():
        raise Refusal("file_empty")
    if len(content) > bounds.size:
        raise Refusal("file_too_large", size=len(content), limit=bounds.size)
    head = content[:_HEAD]
    if _XML.match(head):
        found = camt.read_camt(content, bounds)
    elif _MT940.search(head):
        found = mt940.read_mt940(content, bounds)
    else:
        raise Refusal("statement_kind_unknown")
    if not found.statements and not found.problems:
        raise Refusal("no_statement")
    differences = [warning for statement in found.statements if (warning := _difference(statement)) is not None]
    return replace(found, warnings=(*found.warnings, *differences)[: bounds.problems], problems=found.problems[: bounds.problems])


def _difference(statement: BankStatement) -> RowProblem | None:
    """A statement whose bookings do not lead from the one balance to the other; that is said, never mended."""
    result = check_balances(statement)
    opening, closing = statement.opening, statement.closing
    if opening is None or closing is None:
        return None
    parameters: dict[str, object] = {"statement": statement.identification, "opening": opening.amount, "closing": closing.amount}
    first = statement.entries[0].row if statement.entries else 0
    if result.check is BalanceCheck.DIFFERS:
        return RowProblem(first, None, None, "balance_differs", MappingProxyType({**parameters, "difference": result.difference}))
    if result.check is BalanceCheck.CURRENCIES_DIFFER:
        return RowProblem(first, None, None, "balance_currencies_differ", MappingProxyType(parameters))
    return None
