"""How a picture says words, amounts, shares and days: in the language and currency of its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import flask_babel
from babel.numbers import format_compact_decimal
from flask import current_app

from insureflow.domain.money import Money


@dataclass(frozen=True, slots=True)
class Language:
    """The reader's words and formats.

    ``gettext`` translates a sentence and fills in its named places; ``amount`` takes minor units of one currency and gives the full
    amount with its currency; ``short_amount`` the same for the tick of a scale ("1.2m"); ``share`` takes 0 … 1.
    """

    gettext: Callable[..., str]
    amount: Callable[[int], str]
    short_amount: Callable[[int], str]
    share: Callable[[Decimal], str]
    day: Callable[[date], str]


def request_language(currency: str) -> Language:
    """The language of the page being made, with amounts in one currency. Needs a request and the application's template filters."""
    filters = current_app.jinja_env.filters
    locale = flask_babel.get_locale()

    def amount(minor: int) -> str:
        return str(filters["money"](minor, currency))

    def short_amount(minor: int) -> str:
        return str(format_compact_decimal(Money(minor, currency).amount, format_type="short", locale=locale, fraction_digits=1))

    def share(value: Decimal) -> str:
        return str(filters["percent"](value * 100))

    def day(on: date) -> str:
        return str(filters["day"](on))

    return Language(gettext=flask_babel.gettext, amount=amount, short_amount=short_amount, share=share, day=day)


def share_of(part: int, whole: int) -> Decimal:
    """What part is of the whole, 0 … 1 with four decimals; nothing of nothing is 0."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001")) if whole else Decimal(0)
