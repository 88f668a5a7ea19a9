"""What a paper says, before it is drawn: blocks that become pages, an accessible web page or plain text alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from insureflow.documents.parties import Party
from insureflow.i18n.documents import Wording


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a paper."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``region`` is the country whose forms of ideographs are wanted, ``leads`` keeps it with what follows."""

    text: str
    is_strong: bool = False
    is_small: bool = False
    leads: bool = False
    region: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Facts: what they are called, and what they are."""

    rows: tuple[tuple[str, str], ...]
    region: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a grid; figures stand at its far end and are never broken."""

    title: str
    is_figure: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: columns, rows, and rows of sums that are set apart. ``caption`` says what it shows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Signing:
    """A place to sign: lines above which somebody writes, and what stands below them."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Blocks that stay on one page where they fit on one."""

    blocks: tuple[Block, ...]


Block: TypeAlias = "Heading | Text | Bullets | Pairs | Grid | Signing | Together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A whole paper: who writes to whom, when, under which number and title, and its blocks."""

    wording: Wording
    number: str
    issued_on: date
    title: str
    sender: Party
    recipient: Party
    blocks: tuple[Block, ...]
    reference_lines: tuple[tuple[str, str], ...] = ()


def pairs(*rows: tuple[str, str | None], region: str = "") -> Pairs:
    """Facts without those that nobody gave."""
    return Pairs(tuple((name, value) for name, value in rows if value), region)
