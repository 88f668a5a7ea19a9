"""The e-mail that goes with a paper: the same words as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from insureflow.documents.composition import Block, Bullets, Composition, Grid, Heading, Pairs, Signing, Text, Together

#: Spaces that keep words on one line of a page; in a mail they would only hinder searching.
_SPACES = re.compile("[\u00a0\u202f]")
#: A mail lists this many rows; the attached paper has them all.
_MOST_ROWS = 30


@dataclass(frozen=True, slots=True)
class MailText:
    """Subject and body of an e-mail, as plain text."""

    subject: str
    body: str


def mail_of(composition: Composition) -> MailText:
    """The e-mail of a paper: its words and figures without its layout."""
    subject = f"{composition.title} – {composition.sender.name} – {composition.number}"
    paragraphs = [paragraph for block in composition.blocks for paragraph in _paragraphs(block, composition)]
    return MailText(" ".join(subject.split()), _SPACES.sub(" ", "\n\n".join(paragraphs)) + "\n")


def _paragraphs(block: Block, composition: Composition) -> Iterator[str]:
    if isinstance(block, Text):
        yield block.text
    elif isinstance(block, Heading):
        yield block.text.upper()
    elif isinstance(block, Bullets):
        yield "\n".join(f"- {point}" for point in block.points)
    elif isinstance(block, Pairs):
        yield "\n".join(f"{name}: {', '.join(value.split(chr(10)))}" for name, value in block.rows)
    elif isinstance(block, Grid):
        yield "\n".join(_rows(block, composition))
    elif isinstance(block, Together):
        for inner in block.blocks:
            yield from _paragraphs(inner, composition)
    elif isinstance(block, Signing):
        return


def _rows(grid: Grid, composition: Composition) -> Iterator[str]:
    """A row of figures names each figure: columns do not line up in every reader of mail."""
    for row in grid.rows[:_MOST_ROWS]:
        facts = [f"{column.title}: {cell}" for column, cell in zip(grid.columns[1:], row[1:], strict=True) if cell]
        yield f"- {row[0]} ({'; '.join(facts)})" if facts else f"- {row[0]}"
    left = len(grid.rows) - _MOST_ROWS
    if left > 0:
        yield composition.wording.phrases(
            "… and %(count)s more item in the attached document", "… and %(count)s more items in the attached document", left
        )
    for row in grid.totals:
        yield "= " + " ".join(cell for cell in row if cell)
