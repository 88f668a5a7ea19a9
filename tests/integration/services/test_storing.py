"""Rows written in bulk come back as they were, on both databases, and what the database refuses is not lost on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, make_account

from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.models.scope import within
from insureflow.services.cover.storing import RowWriter, insert_rows
from insureflow.services.imports.storing import INVOICE_COLUMNS, reserve_keys
from insureflow.services.transaction import transaction

DAY = date(2026, 6, 1)

#: Texts that would end a value or a row, or stand for nothing, if a stream took them as they are.
NUMBERS = ("plain", "tab\there", "line\nhere", "return\rhere", r"stroke\N", "\\", "åäö ✓", "1", "True", "'; --")


@pytest.fixture
def account(app: Flask) -> Iterator[Account]:
    account = make_account(app)
    with app.app_context():
        yield account
        db.session.remove()


def row_of(account: Account, key: int, number: str, rate: Decimal | None) -> tuple[Any, ...]:
    owner = (key, account.organisation_id, account.tenant.entity_id, account.buyer_id, None, None)
    return (*owner, number, number, "EUR", 100, 1, 101, rate, "", DAY, DAY, DAY, DAY, "", key % 2 == 0, "")


def test_rows_come_back_as_they_were(account: Account) -> None:
    with transaction(account.organisation_id) as session:
        keys = reserve_keys(session, Invoice, len(NUMBERS))
        rates = [Decimal(1), Decimal(0), Decimal("0.1000"), None, *[Decimal("11.25")] * (len(NUMBERS) - 4)]
        rows = [row_of(account, *each) for each in zip(keys, NUMBERS, rates, strict=True)]
        insert_rows(session, Invoice, INVOICE_COLUMNS, rows)
        insert_rows(session, Invoice, INVOICE_COLUMNS, [])
    with within(account.organisation_id):
        found = db.session.execute(select(*(getattr(Invoice, name) for name in INVOICE_COLUMNS)).order_by(Invoice.id)).all()
    assert [tuple(row) for row in found] == rows
    assert len(set(keys)) == len(NUMBERS)


def test_a_writer_keeps_the_order_and_what_was_given_before_an_error_of_the_caller(account: Account) -> None:
    with transaction(account.organisation_id) as session:
        first, second = reserve_keys(session, Invoice, 2)
        with RowWriter(session) as writer:
            writer.write([(Invoice, INVOICE_COLUMNS, [row_of(account, first, "A", None)])])
            writer.write([(Invoice, INVOICE_COLUMNS, [row_of(account, second, "B", None)]), (Invoice, INVOICE_COLUMNS, [])])
            assert session.scalars(select(Invoice.number).order_by(Invoice.id)).all() == ["A", "B"]
    with pytest.raises(ZeroDivisionError), transaction(account.organisation_id) as session, RowWriter(session) as writer:
        (third,) = reserve_keys(session, Invoice, 1)
        writer.write([(Invoice, INVOICE_COLUMNS, [row_of(account, third, "C", None)])])
        raise ZeroDivisionError
    with within(account.organisation_id):
        assert db.session.scalars(select(Invoice.number).order_by(Invoice.id)).all() == ["A", "B"]


def test_a_writer_tells_what_the_database_refused(account: Account) -> None:
    with (
        pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation)),
        transaction(account.organisation_id) as session,
        RowWriter(session) as writer,
    ):
        keys = reserve_keys(session, Invoice, 2)
        writer.write([(Invoice, INVOICE_COLUMNS, [row_of(account, key, "twice", None) for key in keys])])
    with within(account.organisation_id):
        assert db.session.scalars(select(Invoice.id)).all() == []
