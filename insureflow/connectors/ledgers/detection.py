"""What was found out about a ledger file, how sure that is, and why; made to be shown to the person who brings the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class FileType(StrEnum):
    """The kinds of ledger file that can be read."""

    DELIMITED = "delimited"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    UBL = "ubl"
    UBL_ARCHIVE = "ubl_archive"


class Certainty(StrEnum):
    """How sure a finding is. *ambiguous* must be answered by a person before anything is read."""

    STATED = "stated"
    CERTAIN = "certain"
    LIKELY = "likely"
    UNSURE = "unsure"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out: ``aspect`` (encoding, delimiter, date_order …) is ``value``, because of ``reason``.

    ``column`` is the heading it is about, where it is not about the whole file. ``parameters`` are the figures and examples
    that a sentence about the reason needs.
    """

    aspect: str
    value: str | None
    certainty: Certainty
    reason: str
    column: str | None = None
    parameters: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Detection:
    """Everything found out about one file."""

    file_type: FileType
    findings: tuple[Finding, ...]
    headers: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()

    def find(self, aspect: str, column: str | None = None) -> Finding | None:
        """The finding about an aspect (of a column), if there is one."""
        return next((entry for entry in self.findings if entry.aspect == aspect and entry.column == column), None)

    @property
    def questions(self) -> tuple[Finding, ...]:
        """What a person has to decide before the file can be read."""
        return tuple(entry for entry in self.findings if entry.certainty is Certainty.AMBIGUOUS)
