"""Numbers of invoices as payers write them: in structured references with check digits, and somewhere in a text."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from itertools import pairwise

#: A number may be written in so many pieces ("INV 2026 0001"), and a key is never longer.
_MOST_PIECES = 6
_LONGEST = 40
_MOST_WORDS = 600
#: A shorter number stands in many texts by chance.
_DISTINCTIVE = 5

_WORD = re.compile(r"[^\W_]+")
_CREDITOR = re.compile(r"RF\d{2}[0-9A-Z]{1,21}")

#: How payers say that they pay in advance, in the languages of the trade.
_PREPAYMENT_WORDS = """
prepayment prepaid prepay proforma advancepayment vorkasse vorauskasse vorauszahlung anzahlung acompte anticipo anticipado acconto
forskott forskud forskudd ennakkomaksu vooruitbetaling aanbetaling przedplata zaliczka sinal adiantamento uangmuka
"""
_PREPAYMENT = frozenset(_PREPAYMENT_WORDS.split())


def _words(text: str) -> list[str]:
    if text.isascii():
        return _WORD.findall(text.upper())
    folded = unicodedata.normalize("NFKD", text.upper().replace("Ł", "L").replace("Ø", "O"))
    return _WORD.findall("".join(character for character in folded if not unicodedata.combining(character)))


def plain_key(text: str) -> str:
    """A number as it is compared: capitals and digits alone."""
    return "".join(_words(text))


def _without_zeros(key: str) -> str:
    """A number of digits alone without the zeros before it, which payers leave out or add."""
    return key.lstrip("0") or key if key.isdecimal() else key


def number_keys(number: str) -> frozenset[str]:
    """The ways in which an invoice's own number may be found: as it is, and without leading zeros."""
    key = plain_key(number)
    return frozenset({key, _without_zeros(key)} - {""})


def is_distinctive(key: str) -> bool:
    """True if a number would not stand in a text by chance: long enough, with a digit, and no date."""
    return len(key) >= _DISTINCTIVE and any(character.isdecimal() for character in key) and not _is_date(key)


def _is_date(key: str) -> bool:
    if not key.isdecimal():
        return False
    orders = {
        8: (((0, 4), (4, 6), (6, 8)), ((4, 8), (2, 4), (0, 2)), ((4, 8), (0, 2), (2, 4))),
        6: (((0, 2), (2, 4), (4, 6)), ((4, 6), (2, 4), (0, 2))),
    }
    for order in orders.get(len(key), ()):
        year, month, day = (int(key[start:end]) for start, end in order)
        try:
            date(year if year > 99 else 2000 + year, month, day)
        except ValueError:
            continue
        return 0 < year < 100 or 1990 <= year < 2100
    return False


def text_keys(text: str) -> list[str]:
    """Every number that can be read in a text: its words, and words next to each other put together; in order, each once."""
    words = _words(text)[:_MOST_WORDS]
    keys: dict[str, None] = {}
    for start in range(len(words)):
        joined = ""
        for word in words[start : start + _MOST_PIECES]:
            joined += word
            if len(joined) > _LONGEST:
                break
            if any(character.isdecimal() for character in joined):
                keys[joined] = None
                keys[_without_zeros(joined)] = None
    return list(keys)


def reference_keys(reference: str) -> list[str]:
    """The numbers that a structured reference may hold.

    *Formula:* the reference itself; behind ``RF`` and two check digits the creditor's own (ISO 11649); of a reference in digits
    with a valid check digit at its end (Luhn, 7-3-1, modulo 10 recursive, modulo 11) what stands before it.
    """
    whole = plain_key(reference)
    keys = [whole]
    if _CREDITOR.fullmatch(whole) and _is_creditor_reference(whole):
        keys += reference_keys(whole[4:])
    if whole.isdecimal() and len(whole) > 1 and _has_check_digit(whole):
        keys.append(whole[:-1])
    return list(dict.fromkeys(form for key in keys for form in (key, _without_zeros(key)) if form))


def _is_creditor_reference(key: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in key[4:] + key[:4])
    return int(digits) % 97 == 1


def _has_check_digit(key: str) -> bool:
    digits = [int(character) for character in key]
    return any(check(digits[:-1]) == digits[-1] for check in (_luhn, _seven_three_one, _recursive, _modulo_eleven))


def _luhn(digits: list[int]) -> int:
    """The check digit of Swedish OCR and Norwegian KID references."""
    total = sum(sum(divmod(digit * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def _seven_three_one(digits: list[int]) -> int:
    """The check digit of Finnish and Estonian references."""
    return -sum(digit * (7, 3, 1)[place % 3] for place, digit in enumerate(reversed(digits))) % 10


def _recursive(digits: list[int]) -> int:
    """The check digit of Swiss QR references."""
    carried = 0
    for digit in digits:
        carried = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)[(carried + digit) % 10]
    return -carried % 10


def _modulo_eleven(digits: list[int]) -> int:
    """The other check digit of Norwegian KID references; 10 is written as a hyphen, and so never in digits."""
    return -sum(digit * (2 + place % 6) for place, digit in enumerate(reversed(digits))) % 11


def mentions_prepayment(text: str) -> bool:
    """True if a payer says that the money is for goods still to come."""
    words = [word.lower() for word in _words(text)]
    return not _PREPAYMENT.isdisjoint((*words, *(first + second for first, second in pairwise(words))))
