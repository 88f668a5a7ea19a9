"""A first mapping for a file that nobody has mapped yet: by its headings, and by what stands below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from insureflow.connectors.countries import find_country
from insureflow.connectors.ledgers.amounts import parse_amount
from insureflow.connectors.ledgers.batch import Suggestion
from insureflow.connectors.ledgers.cells import Cell, CellProblem, cell_text
from insureflow.connectors.ledgers.dates import DateOrder, parse_date
from insureflow.connectors.ledgers.detection import Certainty, Finding
from insureflow.connectors.ledgers.profile import AMOUNT, COUNTRY, CURRENCY, DATE, FIELDS, KIND, ColumnRule, Profile
from insureflow.connectors.ledgers.words import HEADINGS, KINDS, plain_words
from insureflow.domain.countries import ALPHA_2_BY_NUMERIC
from insureflow.domain.currencies import is_currency
from insureflow.domain.receivables import DocumentKind, ImportMode

#: Columns with somebody's guesses about the future are no ledger.
_GUESSES = frozenset(
    {
        "prediction",
        "expected",
        "predicted",
        "predict",
        "forecast",
        "estimated",
        "prevision",
        "prognos",
        "pronostico",
        "prognose",
        "prediksi",
    }
)

#: A column that merely contains a known heading must hold this share of fitting cells.
_ENOUGH = 0.6


def _is_amount(cell: Cell) -> bool:
    if isinstance(cell, Decimal):
        return True
    if not isinstance(cell, str):
        return False
    for decimal in (".", ","):
        try:
            parse_amount(cell, decimal)
        except CellProblem:
            continue
        return True
    return False


def _is_date(cell: Cell) -> bool:
    if isinstance(cell, date):
        return True
    if not isinstance(cell, str):
        return False
    for order in DateOrder:
        try:
            parse_date(cell, order, century=2000)
        except CellProblem:
            continue
        return True
    return False


def _fits(field_type: str, cell: Cell) -> bool:
    text = cell_text(cell).strip()
    if field_type == AMOUNT:
        return _is_amount(cell)
    if field_type == DATE:
        return _is_date(cell)
    if field_type == CURRENCY:
        return is_currency(text.upper())
    if field_type == COUNTRY:
        return text.isdecimal() or find_country(text) is not None
    if field_type == KIND:
        return len(text) <= 30 and not _is_date(cell)
    return True


def _share(field_type: str, cells: Sequence[Cell]) -> float:
    filled = [cell for cell in cells if not isinstance(cell, str) or cell.strip()]
    return sum(_fits(field_type, cell) for cell in filled) / len(filled) if filled else 1.0


def _score(name: str, heading: str) -> int:
    """How well a heading names a field: 1000 less its place among the synonyms, or less for a part of the heading."""
    words = HEADINGS[name]
    if heading in words:
        return 1000 - words.index(heading)
    squeezed = heading.replace(" ", "")
    for place, word in enumerate(words):
        if word.replace(" ", "") == squeezed:
            return 900 - place
    padded = f" {heading} "
    best = 0
    for word in words:
        if len(word) >= 4 and f" {word} " in padded:
            best = max(best, 100 + 10 * len(word.split()) + len(word))
    return best


def suggest_mapping(headers: Sequence[str], sample: Sequence[Sequence[Cell]], *, name: str = "suggested") -> Suggestion:
    """A profile for a file with these headings and first rows, with the reason for every field.

    Each heading feeds at most one field; better matches are given first. The profile may lack fields: reading says which.
    """
    columns = [[row[place] for row in sample if place < len(row)] for place in range(len(headers))]
    candidates: list[tuple[int, int, int, str, float]] = []
    for place, heading in enumerate(headers):
        words = plain_words(heading)
        if not words or _GUESSES & set(words.split()):
            continue
        for order, field_name in enumerate(HEADINGS):
            score = _score(field_name, words)
            if not score:
                continue
            share = _share(FIELDS[field_name], columns[place])
            if share >= _ENOUGH:
                candidates.append((score, -order, -place, field_name, share))
    rules: dict[str, ColumnRule] = {}
    reasons: list[Finding] = []
    taken: set[int] = set()
    for score, _, negative_place, field_name, share in sorted(candidates, reverse=True):
        place = -negative_place
        if field_name in rules or place in taken:
            continue
        taken.add(place)
        rules[field_name] = _rule(field_name, headers[place], columns[place])
        certainty = Certainty.CERTAIN if score >= 980 else Certainty.LIKELY if score >= 880 else Certainty.UNSURE
        reason = "heading_known" if score >= 880 else "heading_contains"
        parameters: dict[str, object] = {"percent_of_cells": round(100 * share)}
        reasons.append(Finding("column", field_name, certainty, reason, headers[place], parameters))
    mode = ImportMode.OPEN_ITEMS if "open" in rules and "kind" not in rules and "settled_on" not in rules else ImportMode.MOVEMENTS
    profile = Profile(
        name=name,
        mode=mode,
        columns=MappingProxyType({field_name: rules[field_name] for field_name in FIELDS if field_name in rules}),
        kinds=_kinds(rules, headers, columns),
        negative_invoice="credit_note" if mode is ImportMode.OPEN_ITEMS else "problem",
        reductions=_reductions(rules, headers, columns),
    )
    unmapped = tuple(heading for place, heading in enumerate(headers) if place not in taken and heading.strip())
    return Suggestion(profile, tuple(reasons), unmapped)


def _rule(field_name: str, heading: str, cells: Sequence[Cell]) -> ColumnRule:
    """A column's rule; text identifiers that end in ".0" lose it, numbers of countries are looked up."""
    transforms: tuple[str, ...] = ()
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
    if field_name in {"number", "customer_number", "applies_to"} and texts and all(text.endswith(".0") for text in texts):
        transforms = ("strip_decimal_zero",)
    if FIELDS[field_name] == COUNTRY and texts and all(text.isdecimal() for text in texts):
        known = all(text.zfill(3) in ALPHA_2_BY_NUMERIC for text in texts)
        return ColumnRule((heading,), transforms=("numeric_country",), unknown="problem" if known else "warning")
    return ColumnRule((heading,), transforms=transforms)


def _kinds(rules: Mapping[str, ColumnRule], headers: Sequence[str], columns: Sequence[Sequence[Cell]]) -> Mapping[str, DocumentKind]:
    """What the kinds of documents in the sample mean, as far as their words are known."""
    rule = rules.get("kind")
    if rule is None:
        return MappingProxyType({})
    cells = columns[list(headers).index(rule.columns[0])]
    texts = sorted({cell_text(cell).strip() for cell in cells} - {""})
    return MappingProxyType({text: KINDS[plain_words(text)] for text in texts if plain_words(text) in KINDS})


def _reductions(rules: Mapping[str, ColumnRule], headers: Sequence[str], columns: Sequence[Sequence[Cell]]) -> str:
    """Whether credit notes and payments of the sample are written with a minus."""
    kind_rule, amount_rule = rules.get("kind"), rules.get("gross") or rules.get("open")
    if kind_rule is None or amount_rule is None:
        return "positive"
    kinds = columns[list(headers).index(kind_rule.columns[0])]
    amounts = columns[list(headers).index(amount_rule.columns[0])]
    for kind, amount in zip(kinds, amounts, strict=False):
        meaning = KINDS.get(plain_words(cell_text(kind)))
        if meaning in {DocumentKind.CREDIT_NOTE, DocumentKind.PAYMENT}:
            text = cell_text(amount).strip()
            return "negative" if text.startswith(("-", "\u2212", "(")) or text.endswith("-") else "positive"
    return "positive"
