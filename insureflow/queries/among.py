"""Rows whose value is one of many: a list as long as a part of an insurer's list, on both databases without looking at every row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, String, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from insureflow.models.database import db


def among(column: SQLColumnExpression[Any], values: Collection[str] | Collection[int]) -> ColumnElement[bool]:
    """The condition that a column holds one of these values.

    PostgreSQL gets them as one array that it looks up one by one: given a thousand parameters, and a table it has no statistics of, it
    compares every row with each of them.
    """
    given = list(values)
    if db.engine.dialect.name == "sqlite":
        return column.in_(given)
    kind = String if any(isinstance(each, str) for each in given) else BigInteger
    return column.in_(select(func.unnest(literal(given, ARRAY(kind)))))
