"""What reading a ledger file gives: its lines, everything wrong or noteworthy in it, and how it was understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from insureflow.connectors.ledgers.detection import Detection, Finding
from insureflow.connectors.ledgers.profile import Profile
from insureflow.domain.receivables import ImportMode, LedgerLines, RowProblem


@dataclass(frozen=True, slots=True)
class CustomerNames:
    """How a file spells one customer: the first spelling counts, the others are trading names."""

    name: str
    trading_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerBatch:
    """A ledger file, read and checked.

    ``lines`` holds the good rows only. ``rows_read`` counts every row with anything in it below the headings, ``rows_left_out``
    those that the profile's filter leaves aside. ``problems`` has at least one entry for every bad row, ``warnings`` may be
    about good rows. ``sha256`` marks the file's bytes, ``lines.fingerprint`` each line's content.
    """

    profile_name: str
    mode: ImportMode
    lines: LedgerLines
    problems: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...]
    detection: Detection
    customers: Mapping[str, CustomerNames]
    sha256: str
    size: int
    rows_read: int
    rows_left_out: int

    @property
    def bad_rows(self) -> int:
        """Number of rows with a problem."""
        return len({problem.row for problem in self.problems})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A profile put together from headings and sample cells, why each field was mapped, and the headings left over."""

    profile: Profile
    reasons: tuple[Finding, ...]
    unmapped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a file as it stands and as it would be understood; ``batch`` is None while questions are open.

    ``rows`` are the cells as text. ``questions`` are what a person must answer; ``suggestion`` stands when no profile was given.
    """

    detection: Detection
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    batch: LedgerBatch | None
    suggestion: Suggestion | None
    questions: tuple[Finding, ...] = field(default=())
    missing_fields: tuple[str, ...] = field(default=())


#: No customers.
NO_CUSTOMERS: Mapping[str, CustomerNames] = MappingProxyType({})
