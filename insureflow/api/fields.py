"""Shapes shared by the resources: amounts and rates as texts with every digit, days as 2026-12-31."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_smorest import Api
from marshmallow import Schema, ValidationError, fields, validate

from insureflow.domain.currencies import is_currency
from insureflow.domain.money import from_minor, to_minor
from insureflow.queries.listing import Page

_LONGEST = 24

#: Most rows of a list in one answer.
MOST_ROWS = 500


class DecimalText(fields.Field[Decimal]):
    """A number written as a text, so that no digit is lost on the way; read without exponent, at most 24 characters long."""

    default_error_messages = {"invalid": 'Write a decimal number as a text, such as "1250.50".'}  # noqa: RUF012 (marshmallow merges it)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str | None:
        del attr, obj, options
        return None if value is None else format(Decimal(value), "f")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Decimal:
        del attr, data, options
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not text or len(text) > _LONGEST or not text.lstrip("-").replace(".", "", 1).isascii() or "e" in text.casefold():
            raise self.make_error("invalid")
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise self.make_error("invalid") from error
        if not number.is_finite():
            raise self.make_error("invalid")
        return number


def _known_currency(code: str) -> None:
    if not is_currency(code):
        raise ValidationError("This is no currency. Write three capital letters of ISO 4217, such as EUR.")


def currency(**options: Any) -> fields.String:
    """The three letters of a currency."""
    return fields.String(validate=[validate.Regexp(r"^[A-Z]{3}$"), _known_currency], **options)


def row_key(**options: Any) -> fields.Integer:
    """The key of a row, as large as a database can have it."""
    return fields.Integer(validate=validate.Range(1, 2**63 - 1), **options)


def minor_of(value: Mapping[str, Any], path: str = "amount") -> int:
    """Minor units of an amount that was read. Errors: ``InvalidValue`` for more decimals than the currency has."""
    return to_minor(value["amount"], value["currency"], path=path)


def money(minor: int | None, code: str | None) -> dict[str, Any] | None:
    """An amount as ``MoneySchema`` writes it."""
    return None if minor is None or code is None else {"amount": from_minor(minor, code), "currency": code}


class PageSchema(Schema):
    """Which page of a list, from 1, and how many rows on it."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 10**6))
    page_size = fields.Integer(load_default=100, validate=validate.Range(1, MOST_ROWS))


class ListSchema(Schema):
    """A page of a list; a list of its own names the shape of its ``items``."""

    page = fields.Integer()
    page_size = fields.Integer()
    total = fields.Integer(metadata={"description": "Rows on all pages."})


def listed(asked: Mapping[str, Any], found: Page, items: list[dict[str, Any]]) -> dict[str, Any]:
    """A page that was found as ``ListSchema`` writes it."""
    return {"page": asked["page"], "page_size": asked["page_size"], "total": found.total_rows, "items": items}


class MoneySchema(Schema):
    """An amount in major units, as a text, and its currency."""

    amount = DecimalText(required=True)
    currency = currency(required=True)


def describe(api: Api) -> None:
    """Say in the OpenAPI document how the own fields look."""
    api.register_field(DecimalText, "string", None)
