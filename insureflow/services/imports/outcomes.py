"""What came of an import, or would come of it: counts and totals, bad rows and warnings, the buyers it brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from insureflow.connectors.ledgers.batch import LedgerBatch
from insureflow.connectors.ledgers.detection import Detection
from insureflow.domain.receivables import DocumentKind, ImportMode, LedgerLines, RowProblem
from insureflow.services.imports.booking import Booking
from insureflow.services.imports.customers import Accounts, Customers
from insureflow.services.imports.identities import PublicRegister
from insureflow.services.imports.parts import Part

#: What is counted of an import, in the order in which it is told.
COUNTED = (
    "rows",
    "left_out",
    "bad_rows",
    "new_invoices",
    "changed_invoices",
    "unchanged",
    "payments",
    "inferred_payments",
    "taken_back",
    "credit_notes",
    "settled_credits",
    "disputes",
    "settled_disputes",
    "new_buyers",
    "joined_buyers",
    "warnings",
)


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What came of an import. ``state`` is ``done``, ``refused`` (bad rows), ``checked`` (dry run) or ``unchanged``.

    ``totals`` gives minor units by kind of document and currency, ``new_buyers`` names and numbers of buyers that are (or, of a
    dry run, would be) made for review, ``joined`` customer numbers with the buyers that a public number says they are.
    ``batches`` names the imports by entity: a file may hold rows of several, and each is undone by itself.
    """

    state: str
    batch_id: int | None
    mode: ImportMode
    counts: Mapping[str, int]
    totals: Mapping[str, Mapping[str, int]]
    problems: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...]
    new_buyers: tuple[tuple[str, str], ...]
    detection: Detection
    joined: tuple[tuple[str, str], ...] = ()
    batches: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Share:
    """What an import is going to do for one entity."""

    part: Part
    booking: Booking
    found: Customers
    accounts: Accounts


def counts_of(share: Share) -> dict[str, int]:
    """What is counted of an entity's part."""
    booking = share.booking
    return {
        "new_invoices": len(booking.new),
        "changed_invoices": booking.changed,
        "unchanged": booking.unchanged,
        "payments": sum(not money.inferred for money in booking.payments),
        "inferred_payments": sum(money.inferred for money in booking.payments),
        "taken_back": len(booking.taken_back) + sum(bool(credit.dropped) for credit in booking.changed_credits),
        "credit_notes": len(booking.credit_notes),
        "settled_credits": sum(credit.used_minor > 0 for credit in booking.changed_credits),
        "disputes": len(booking.disputes),
        "settled_disputes": len(booking.settled_disputes),
        "new_buyers": len(share.accounts.made),
        "joined_buyers": len(share.accounts.joined),
    }


def sum_up(
    batch: LedgerBatch, shares: Sequence[Share], mode: ImportMode, register: PublicRegister, strangers: Sequence[RowProblem]
) -> ImportOutcome:
    """What the import would come to."""
    problems = sorted([*batch.problems, *strangers, *(each for share in shares for each in share.booking.problems)], key=_by_row)
    warnings = sorted([*batch.warnings, *(each for share in shares for each in share.found.warnings)], key=_by_row)
    counts: dict[str, int] = {
        "rows": batch.rows_read,
        "left_out": batch.rows_left_out,
        "bad_rows": len({problem.row for problem in problems}),
        "warnings": len(warnings),
    }
    for share in shares:
        for name, number in counts_of(share).items():
            counts[name] = counts.get(name, 0) + number
    return ImportOutcome(
        "checked",
        None,
        mode,
        {name: counts[name] for name in COUNTED},
        totals_of(batch.lines),
        tuple(problems),
        tuple(warnings),
        tuple(pair for share in shares for pair in _new_buyers(share)),
        batch.detection,
        tuple(pair for share in shares for pair in _joined(share, register)),
    )


def outcome_for(whole: ImportOutcome, share: Share, *, is_first: bool) -> ImportOutcome:
    """What came of the rows of one entity among several; what is wrong with the file is told with the first."""
    outer = {name: whole.counts[name] if is_first else 0 for name in ("left_out", "bad_rows", "warnings")}
    counts = {"rows": len(share.part.lines), **outer, **counts_of(share)}
    return replace(
        whole,
        counts={name: counts[name] for name in COUNTED},
        totals=totals_of(share.part.lines),
        problems=whole.problems if is_first else (),
        warnings=whole.warnings if is_first else (),
        new_buyers=tuple(_new_buyers(share)),
    )


def totals_of(lines: LedgerLines) -> dict[str, dict[str, int]]:
    """Gross amounts by kind of document and currency, in minor units."""
    return {kind.value: totals for kind in DocumentKind if (totals := lines.total_minor(kind))}


def _by_row(problem: RowProblem) -> tuple[int, str]:
    return problem.row, problem.column or ""


def _new_buyers(share: Share) -> list[tuple[str, str]]:
    names = share.part.lines.customer_name
    return [(mark, names[share.found.unknown[mark]] or mark) for mark in share.accounts.made]


def _joined(share: Share, register: PublicRegister) -> list[tuple[str, str]]:
    return [(mark, register.names[share.found.key_of[mark]]) for mark in share.accounts.joined]
