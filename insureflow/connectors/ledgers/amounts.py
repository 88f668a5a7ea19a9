"""Amounts as ledgers write them: decimal point or comma, thousands set apart in many ways, signs before, after or around."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from insureflow.connectors.ledgers.cells import CellProblem, NoValue
from insureflow.connectors.ledgers.detection import Certainty
from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import minor_digits, to_minor

#: Spaces (plain, no-break, narrow no-break, thin, figure) and apostrophes that set thousands apart.
_APART = " \u00a0\u202f\u2009\u2007'\u2019"
_UNIFY_APART = str.maketrans(dict.fromkeys(_APART, "_") | {"_": "?"})
_MINUSES = str.maketrans({"\u2212": "-", "\u2013": "-", "\ufe63": "-", "\uff0d": "-"})
_SYMBOLS = re.compile(r"^(?:€|\$|£|¥|₹|kr\.?|Rp\.?|US\$|CA\$|A\$)\s*|\s*(?:€|\$|£|¥|₹|kr\.?|Rp\.?|:-)$", re.IGNORECASE)
_SIMPLE = re.compile(r"(-?)(\d{1,18})(?:\.(\d{1,3}))?\Z", re.ASCII)
_DIGITS = re.compile(r"\d+\Z", re.ASCII)
_WESTERN = re.compile(r"\d{1,3}(?:([.,_])\d{3})(?:\1\d{3})*\Z", re.ASCII)
_INDIAN = re.compile(r"\d{1,2}(?:([,_])\d{2})+\1\d{3}\Z", re.ASCII)
_SHAPE = re.compile(r"[\d.,_]+\Z", re.ASCII)
_TELLING = re.compile(r"-?\d+([.,])(?:\d{1,2}|\d{4,})\Z", re.ASCII)
MAXIMUM_DIGITS = 15
_LONGEST = 60
_TOO_LARGE = Decimal(10) ** MAXIMUM_DIGITS

#: So many distinct cells settle how a column writes amounts, if any of them tells; a cell that differs later is a bad cell.
_ENOUGH_CELLS = 10_000


@dataclass(frozen=True, slots=True)
class AmountConvention:
    """How a column writes amounts: its decimal separator, and how sure that is. ``None`` means it never shows one."""

    decimal: str | None
    certainty: Certainty
    reason: str
    example: str | None = None
    contradicting: int = 0


def _strip_sign(text: str, currency: str | None) -> tuple[bool, str]:
    """Whether the amount is negative, and what is left without sign, currency and brackets."""
    text = text.translate(_MINUSES).strip()
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1].strip()
    for _ in range(2):
        if currency:
            if text[:3].upper() == currency:
                text = text[3:].strip()
            elif text[-3:].upper() == currency:
                text = text[:-3].strip()
        text = _SYMBOLS.sub("", text, count=1).strip() if text else text
        if text.startswith("-") or text.endswith("-"):
            if negative:
                return negative, ""
            negative, text = True, (text[1:] if text.startswith("-") else text[:-1]).strip()
        elif text.startswith("+"):
            text = text[1:].strip()
    return negative, text


def parse_amount(text: str, decimal: str = ".", *, currency: str | None = None) -> Decimal:
    """The number that a text writes, with ``decimal`` as its decimal separator.

    Thousands may be set apart by the other one of point and comma, by spaces or by apostrophes, in threes or the Indian way
    (12,34,567). A minus may stand before or after; brackets mean minus. Problem: ``not_an_amount``.
    """
    negative, body = _strip_sign(text, currency)
    body = body.translate(_UNIFY_APART)
    whole, _, fraction = body.partition(decimal)
    if not _SHAPE.match(body) or (fraction and not _DIGITS.match(fraction)) or decimal in fraction:
        raise CellProblem("not_an_amount")
    if whole and not _DIGITS.match(whole):
        if not (_WESTERN.match(whole) or _INDIAN.match(whole)):
            raise CellProblem("not_an_amount")
        whole = re.sub(r"[.,_]", "", whole)
    if not whole and not fraction:
        raise CellProblem("not_an_amount")
    number = Decimal(f"{whole or '0'}.{fraction or '0'}")
    return -number if negative else number


def convert_amount(currency: str, cell: Any, decimal: str) -> int | None:
    """Minor units of an amount in its currency; None for an empty cell.

    Problems: ``not_an_amount``, ``too_many_decimals``, ``amount_too_large``, ``formula_without_value``.
    """
    if isinstance(cell, str):
        digits = minor_digits(currency)
        if decimal == ".":
            match = _SIMPLE.match(cell)
            if match:
                sign, whole, fraction = match.groups("")
                if len(fraction) <= digits and len(whole) <= MAXIMUM_DIGITS:
                    minor = int(whole + fraction + "0" * (digits - len(fraction)))
                    return -minor if sign else minor
        stripped = cell.strip()
        if not stripped:
            return None
        if len(stripped) > _LONGEST:
            raise CellProblem("not_an_amount")
        number = parse_amount(stripped, decimal, currency=currency)
    elif isinstance(cell, Decimal):
        number = cell
    elif cell is NoValue.FORMULA:
        raise CellProblem("formula_without_value")
    else:
        raise CellProblem("not_an_amount")
    if abs(number) >= _TOO_LARGE:
        raise CellProblem("amount_too_large", digits=MAXIMUM_DIGITS)
    digits = minor_digits(currency)
    scaled = number.scaleb(digits)
    whole_number = int(scaled)
    if whole_number == scaled and scaled.scaleb(-digits) == number:
        return whole_number
    try:
        return to_minor(number, currency)
    except InvalidValue as problem:
        if problem.code == "too_many_decimals":
            raise CellProblem("too_many_decimals", currency=currency, decimals=minor_digits(currency)) from None
        raise CellProblem("not_an_amount") from None


def convert_clean_amounts(digits: int, cells: Sequence[Any], decimal: str) -> list[int] | None:
    """Minor units of a whole column at once, when every cell has just the decimals of the currency; None otherwise."""
    pattern = rf"-?\d{{1,{MAXIMUM_DIGITS}}}" + (rf"{re.escape(decimal)}\d{{{digits}}}" if digits else "")
    try:
        joined = "\n".join(cells)
    except TypeError:
        return None
    if not re.fullmatch(rf"{pattern}(?:\n{pattern})*+", joined, re.ASCII):
        return None
    minor = list(map(int, joined.replace(decimal, "").split("\n")))
    return minor if len(minor) == len(cells) else None


def _evidence(text: str) -> str | None:
    """The decimal separator that one text proves ('.' or ','), '?' when it could be either, None when it says nothing."""
    _, body = _strip_sign(text, None)
    body = re.sub(r"^[A-Za-z]{3}\s*|\s*[A-Za-z]{3}$", "", body).translate(_UNIFY_APART)
    if not _SHAPE.match(body):
        return None
    points, commas = body.count("."), body.count(",")
    if not points and not commas:
        return None
    if points and commas:
        if body.rindex(".") > body.rindex(","):
            return "." if points == 1 else None
        return "," if commas == 1 else None
    mark, other, times = (".", ",", points) if points else (",", ".", commas)
    if times > 1:
        return other
    whole, fraction = body.split(mark)
    if "_" in fraction:
        return None
    if len(fraction) == 3 and whole and not whole.startswith("0") and "_" not in whole and len(whole) <= 3:
        return "?"
    return mark


def detect_amounts(cells: Iterable[Any], digits: int) -> AmountConvention:
    """How the distinct cells of a column write amounts. ``digits``: the most decimals a currency of the column has.

    A separator before exactly three digits could be either; such cells alone settle it only when reading them as decimals
    would give more decimals than any currency of the file has.
    """
    votes: dict[str, int] = {".": 0, ",": 0}
    examples: dict[str, str] = {}
    unsure: list[str] = []
    looked_at = 0
    for cell in cells:
        if not isinstance(cell, str):
            continue
        looked_at += 1
        if looked_at > _ENOUGH_CELLS and (votes["."] or votes[","]):
            break
        quick = _TELLING.match(cell)
        vote = quick[1] if quick else _evidence(cell)
        if vote == "?":
            unsure.append(cell.strip())
        elif vote is not None:
            votes[vote] += 1
            examples.setdefault(vote, cell.strip())
    if votes["."] or votes[","]:
        decimal = "." if votes["."] >= votes[","] else ","
        against = min(votes.values())
        certainty = Certainty.CERTAIN if not against else Certainty.UNSURE
        return AmountConvention(decimal, certainty, "separators_seen" if not against else "separators_mixed", examples[decimal], against)
    if not unsure:
        return AmountConvention(None, Certainty.CERTAIN, "no_separator_seen")
    if digits < 3 and any(not text.rstrip(" -)").endswith("0" * (3 - digits)) for text in unsure):
        marks = {"." if "." in text else "," for text in unsure}
        if len(marks) == 1:
            return AmountConvention("," if marks == {"."} else ".", Certainty.LIKELY, "too_many_decimals_otherwise", unsure[0])
    return AmountConvention(None, Certainty.AMBIGUOUS, "thousands_or_decimals", unsure[0])
