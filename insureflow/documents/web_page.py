"""A paper as an accessible web page: language, direction, headings, tables with headed columns. For readers whom a PDF does not serve."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from insureflow.documents.composition import Block, Bullets, Composition, Grid, Heading, Pairs, Signing, Text, Together


def web_page_of(composition: Composition) -> str:
    """The whole page; it needs no other file and runs nothing."""
    wording = composition.wording
    direction = "rtl" if wording.is_right_to_left else "ltr"
    sender = "<br>".join(_isolated(line) for line in composition.sender.lines(wording))
    recipient = "<br>".join(_isolated(line) for line in composition.recipient.lines(wording, composition.sender.address.country))
    facts = (
        (wording.phrase("Date"), wording.day(composition.issued_on)),
        (wording.phrase("Our reference"), composition.number),
        *composition.reference_lines,
    )
    body = "\n".join(part for block in composition.blocks for part in _parts(block))
    told = composition.sender.foot_lines(wording)
    foot = f"<footer>\n<p>{'<br>'.join(_isolated(line) for line in told)}</p>\n</footer>\n" if told else ""
    return (
        f'<!doctype html>\n<html lang="{escape(wording.tag)}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(composition.title)} – {escape(composition.number)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n</head>\n<body>\n'
        f"<header>\n<address>{sender}</address>\n<address>{recipient}</address>\n{_definitions(facts)}\n</header>\n"
        f"<main>\n<h1>{escape(composition.title)}</h1>\n{body}\n</main>\n{foot}</body>\n</html>\n"
    )


def _isolated(text: str) -> str:
    """A name or address keeps its own direction within a line of another."""
    return f"<bdi>{escape(text)}</bdi>"


def _definitions(rows: tuple[tuple[str, str], ...]) -> str:
    inner = "".join(f"<dt>{escape(name)}</dt><dd>{_broken(value)}</dd>" for name, value in rows)
    return f"<dl>{inner}</dl>"


def _broken(text: str) -> str:
    return "<br>".join(_isolated(line) for line in text.split("\n"))


def _parts(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"<h2>{escape(block.text)}</h2>"
    elif isinstance(block, Text):
        text = "<br>".join(escape(line) for line in block.text.split("\n"))
        yield (
            f"<p><strong>{text}</strong></p>"
            if block.is_strong
            else f"<p><small>{text}</small></p>"
            if block.is_small
            else f"<p>{text}</p>"
        )
    elif isinstance(block, Bullets):
        yield "<ul>" + "".join(f"<li>{escape(point)}</li>" for point in block.points) + "</ul>"
    elif isinstance(block, Pairs):
        yield _definitions(block.rows)
    elif isinstance(block, Grid):
        yield _table(block)
    elif isinstance(block, Together):
        for inner in block.blocks:
            yield from _parts(inner)
    elif isinstance(block, Signing):
        yield "<ul>" + "".join(f"<li>{escape(label)}: ________________</li>" for label in block.fields) + "</ul>"


def _table(grid: Grid) -> str:
    head = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in grid.columns)
    rows = "\n".join(_row(row) for row in grid.rows)
    foot = f"<tfoot>{''.join(_row(row) for row in grid.totals)}</tfoot>" if grid.totals else ""
    table = f"<table>\n<caption>{escape(grid.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n{foot}</table>"
    return f'<div role="region" aria-label="{escape(grid.caption)}" tabindex="0">\n{table}\n</div>'


def _row(row: tuple[str, ...]) -> str:
    return f'<tr><th scope="row">{_isolated(row[0])}</th>' + "".join(f"<td>{_isolated(cell)}</td>" for cell in row[1:]) + "</tr>"
