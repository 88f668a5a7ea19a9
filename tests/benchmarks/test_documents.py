"""Pages of papers per second of processor time, beside bare ReportLab drawing the same letter with the same fonts.

Ours adds the layout of any script, the archived profile with its metadata, and the number of all pages on each page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

import pikepdf
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table
from support.papers import BUYER, NAMES, exposure, non_payment, reminder

from insureflow.documents import letters, notices
from insureflow.documents.composition import Block, Composition, Grid, Heading, Pairs, Text, Together
from insureflow.documents.fonts import LATIN, font_of

ROUNDS = 20


def bare(composition: Composition) -> bytes:
    """The words and figures of a paper by the library's own paragraphs and tables: nothing else of ours."""
    plain, strong = font_of(LATIN).fontName, font_of(LATIN, bold=True).fontName
    body = ParagraphStyle("body", fontName=plain, fontSize=9.5, leading=13, spaceBefore=6)
    title = ParagraphStyle("title", fontName=strong, fontSize=15, leading=20, spaceBefore=10)
    story: list[Any] = [Paragraph(escape(line), body) for line in composition.sender.lines(composition.wording)]
    story += [Paragraph(escape(line), body) for line in composition.recipient.lines(composition.wording)]
    story += [Spacer(1, 12), Paragraph(escape(composition.title), title)]

    def add(block: Block) -> None:
        if isinstance(block, Text):
            story.append(Paragraph(escape(block.text), body))
        elif isinstance(block, Heading):
            story.append(Paragraph(escape(block.text), title))
        elif isinstance(block, Pairs):
            story.append(Table([[Paragraph(escape(name), body), Paragraph(escape(value), body)] for name, value in block.rows]))
        elif isinstance(block, Grid):
            rows = [[column.title for column in block.columns], *map(list, block.rows), *map(list, block.totals)]
            style = [
                ("FONT", (0, 0), (-1, -1), plain, 8),
                ("FONT", (0, 0), (-1, 0), strong, 8),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, "grey"),
            ]
            story.append(Table(rows, repeatRows=1, style=style, colWidths=[490 / len(block.columns)] * len(block.columns)))
        elif isinstance(block, Together):
            for inner in block.blocks:
                add(inner)

    for block in composition.blocks:
        add(block)

    def foot(canvas: Any, document: Any) -> None:
        canvas.setFont(plain, 7.5)
        canvas.drawString(56, 40, f"{composition.sender.name} · {composition.number} · {document.page}")

    stream = BytesIO()
    SimpleDocTemplate(stream, pagesize=A4, initialFontName=plain).build(story, onFirstPage=foot, onLaterPages=foot)
    return stream.getvalue()


def pages_of(paper: bytes) -> int:
    with pikepdf.open(BytesIO(paper)) as file:
        return len(file.pages)


def speed(name: str, make: Callable[[], bytes], rounds: int = ROUNDS) -> float:
    """Pages per second of processor time, the best of three; fonts are read before."""
    count = pages_of(make())
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for _ in range(rounds):
            make()
        best = max(best, rounds * count / (time.process_time() - start))
    print(f"{name:<44} {count:>4} pages {best:>8.0f} pages per second")  # noqa: T201  # the result of a benchmark
    return best


@pytest.mark.parametrize("locale", ["en", "de"])
def test_a_letter_is_as_fast_as_the_bare_library(locale: str) -> None:
    letter = reminder(count=72)
    composition = letters.compose_reminder(letter, locale)
    ours = speed(f"letter of 72 items, {locale}", lambda: letters.build_reminder(letter, locale))
    theirs = speed(f"the same, bare ReportLab, {locale}", lambda: bare(composition))
    assert ours >= 0.8 * theirs


def test_other_papers() -> None:
    arabic = replace(BUYER, name=NAMES["ar"])
    speed("letter in Arabic layout", lambda: letters.build_reminder(reminder(count=72, buyer=arabic, note=NAMES["ar"] * 5), "ar"))
    speed(
        "notification of non-payment, 60 invoices",
        lambda: notices.build_non_payment(replace(non_payment(), items=exposure(60), stated=None), "fr"),
    )
    speed("letter of 5,000 items", lambda: letters.build_reminder(reminder(count=5000), "en"), rounds=1)
