"""Exposure: two ways to the same figures, sums that fit the ledger, age, attention, and one currency."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import BigInteger, literal, select, union_all
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation
from support.trading import TODAY, Trade, make_up

from insureflow.domain.money import convert_minor
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.models.scope import within
from insureflow.queries import exposure
from insureflow.queries.dashboard import attention
from insureflow.queries.exposure import Amounts, Division, Figures, Grouping, Portfolio, Reporting, Selection
from insureflow.queries.rates import RateBook
from insureflow.services.cover import rebuild
from insureflow.services.transaction import transaction

DAYS = [TODAY, TODAY + timedelta(days=9), TODAY + timedelta(days=40), TODAY + timedelta(days=300)]


@pytest.fixture
def trade(session: Session) -> Trade:
    made = make_up(session)
    rebuild(made.organisation_id, TODAY)
    return made


@pytest.mark.parametrize("grouping", [each for each in Grouping if each is not Grouping.ENTITY])
def test_summaries_and_positions_agree(trade: Trade, grouping: Grouping) -> None:
    with within(trade.organisation_id):
        for day in DAYS:
            for narrowed in ({}, {"policy_id": trade.policies[0].id}, {"buyer_id": trade.buyers[2].id}, {"country": "US"}):
                quick = exposure.exposure_by(grouping, Selection(day, TODAY, **narrowed))
                slow = exposure.exposure_by(grouping, Selection(day, day + timedelta(days=1), **narrowed))
                assert quick == slow, (day, narrowed)
                assert quick or narrowed


def test_entities_add_up_to_the_whole(trade: Trade) -> None:
    with within(trade.organisation_id):
        by_entity = exposure.exposure_by(Grouping.ENTITY, Selection(TODAY, TODAY))
        whole = exposure.exposure_by(Grouping.TOTAL, Selection(TODAY, TODAY))
        added = exposure.total_of(by_entity)
        assert {row.group for row in by_entity} == {entity.id for entity in trade.entities}
        for row in added:
            other = next(each for each in whole if (each.currency, each.limit_currency) == (row.currency, row.limit_currency))
            for name in exposure.AMOUNTS:
                if name != "liability":  # rounded in each entity
                    assert getattr(row, name) == getattr(other, name), name
        one = exposure.exposure_by(Grouping.TOTAL, Selection(TODAY, TODAY, entity_id=trade.entities[0].id))
        assert [replaced(row, None) for row in by_entity if row.group == trade.entities[0].id] == one


def replaced(row: Figures, group: object) -> Figures:
    return Figures(group, row.currency, row.limit_currency, *(getattr(row, name) for name in exposure.AMOUNTS))


@pytest.mark.parametrize("on", [TODAY, TODAY - timedelta(days=77), TODAY - timedelta(days=300)])
def test_receivables_and_loose_money_are_those_of_the_ledger(trade: Trade, on: date) -> None:
    """Counted document by document in Python, to the cent."""
    opened: dict[str, int] = defaultdict(int)
    loose: dict[str, int] = defaultdict(int)
    with within(trade.organisation_id):
        invoices = {row.id: row for row in db.session.scalars(select(Invoice))}
        documents = {("p", row.id): (row.currency, row.received_on, row.amount_minor) for row in db.session.scalars(select(Payment))}
        documents |= {
            ("c", row.id): (row.currency, row.issued_on, row.net_minor + row.vat_minor) for row in db.session.scalars(select(CreditNote))
        }
        for invoice in invoices.values():
            if invoice.invoice_on <= on:
                opened[invoice.currency] += invoice.net_minor + invoice.vat_minor
        for currency, received_on, amount in documents.values():
            if received_on <= on:
                loose[currency] += amount
        for part in db.session.scalars(select(Allocation)):
            invoice = invoices[part.invoice_id]
            if max(part.allocated_on, invoice.invoice_on) <= on:
                opened[invoice.currency] -= part.amount_minor
                loose[invoice.currency] -= part.amount_minor
        rows = exposure.exposure_by(Grouping.BUYER, Selection(on, TODAY))
    shown: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        shown[row.currency][0] += row.ledger_open
        shown[row.currency][1] += row.unapplied
    assert {currency: tuple(sums) for currency, sums in shown.items()} == {
        currency: (opened[currency], loose[currency]) for currency in {*opened, *loose} if opened[currency] or loose[currency]
    }


def test_parts_add_up_and_liability_is_bounded(trade: Trade) -> None:
    with within(trade.organisation_id):
        rows = exposure.exposure_by(Grouping.POLICY, Selection(TODAY, TODAY))
    assert any(row.covered for row in rows)
    assert any(row.over_limit for row in rows)
    for row in rows:
        assert row.covered + sum(row.reasons.values()) == row.open
        assert 0 <= row.liability <= row.covered
        if row.group is None:
            assert row.reasons.keys() <= {"no_policy"}
            assert row.ledger_open == row.no_policy


def test_ages_add_up_to_what_is_open(trade: Trade) -> None:
    with within(trade.organisation_id):
        ages = {part.key: part for part in exposure.divide(Portfolio(TODAY), Division.AGE, Reporting("EUR", TODAY))}
        whole = exposure.exposure_by(Grouping.TOTAL, Selection(TODAY, TODAY))
        due = {row.id: row.due_on for row in db.session.scalars(select(Invoice))}
        late = {
            row.invoice_id
            for row in db.session.scalars(
                select(InvoicePosition).where(InvoicePosition.valid_from <= TODAY, InvoicePosition.valid_to > TODAY)
            )
            if due[row.invoice_id] < TODAY - timedelta(days=90)
        }
    assert sum(sum(part.ledger.values()) for part in ages.values()) == sum(row.ledger_open for row in whole)
    assert sum(sum(part.covered.values()) for part in ages.values()) == sum(row.covered for row in whole)
    assert sum(part.invoices for key, part in ages.items() if key in {"late_91_180", "late_over_180"}) == len(late) > 0


def test_both_ways_to_a_figure_agree_currency_by_currency(trade: Trade) -> None:
    """What commands print and what pages show come from the same positions."""
    with within(trade.organisation_id):
        for day in (TODAY - timedelta(days=77), TODAY):
            (whole,) = exposure.divide(Portfolio(day), Division.WHOLE, Reporting("EUR", day))
            rows = exposure.exposure_by(Grouping.TOTAL, Selection(day, TODAY))
            for amounts, name in ((whole.open, "open"), (whole.covered, "covered"), (whole.liability, "liability")):
                sums: dict[str, int] = defaultdict(int)
                for row in rows:
                    sums[row.limit_currency] += getattr(row, name)
                shown = {currency: minor for currency, minor in amounts.items() if minor}
                assert shown == {currency: minor for currency, minor in sums.items() if minor}, (day, name)


def test_accounts_summed_beforehand_are_those_of_their_invoices(trade: Trade) -> None:
    with within(trade.organisation_id):
        for narrowed in ({}, {"policy_id": trade.policies[0].id}, {"buyer_id": trade.buyers[0].id}, {"country": "DE"}):
            slow, quick = (Portfolio(TODAY, today=today, **narrowed) for today in (None, TODAY))
            report = Reporting("USD", TODAY)
            assert exposure.headroom(slow, report) == exposure.headroom(quick, report)
            assert attention.over_limit(slow, report, 9) == attention.over_limit(quick, report, 9)
            assert attention.stopped_accounts(slow, 9) == attention.stopped_accounts(quick, 9)


@pytest.mark.parametrize(
    ("days_late", "bucket"),
    [
        (0, "not_due"),
        (1, "late_1_30"),
        (30, "late_1_30"),
        (31, "late_31_60"),
        (90, "late_61_90"),
        (91, "late_91_180"),
        (181, "late_over_180"),
    ],
)
def test_an_invoice_falls_into_its_class_of_age(session: Session, days_late: int, bucket: str) -> None:
    owner = organisation(session)
    with transaction(owner.id) as working:
        books = Books(working, owner.id)
        books.invoice(books.entity(), books.buyer(), 100, TODAY - timedelta(days=300), TODAY - timedelta(days=days_late))
    rebuild(owner.id, TODAY)
    with within(owner.id):
        (part,) = exposure.divide(Portfolio(TODAY), Division.AGE, Reporting("EUR", TODAY))
        assert (part.key, part.ledger, part.open, sum(part.covered.values())) == (bucket, {"EUR": 100}, {"EUR": 100}, 0)


def test_accounts_that_need_attention(session: Session) -> None:
    owner = organisation(session)
    with transaction(owner.id) as working:
        books = Books(working, owner.id)
        entity = books.entity()
        policy = books.policy([entity], {"currency": "EUR", "maximum_extension_period": {"days": 30}})
        over, cut, late = books.buyer("Over"), books.buyer("Cut"), books.buyer("Late")
        books.limit(policy, over, 1_000_00, date(2026, 1, 1))
        books.limit(policy, cut, 5_000_00, date(2026, 1, 1))
        books.limit(policy, cut, 2_000_00, TODAY - timedelta(days=10))
        books.limit(policy, late, 2_000_00, date(2026, 1, 1))
        books.limit(policy, late, 3_000_00, TODAY - timedelta(days=9))
        books.invoice(entity, over, 1_500_00, TODAY - timedelta(days=20), TODAY + timedelta(days=10))
        books.invoice(entity, cut, 500_00, TODAY - timedelta(days=5), TODAY + timedelta(days=10))
        books.invoice(entity, late, 100_00, TODAY - timedelta(days=100), TODAY - timedelta(days=40))
    rebuild(owner.id, TODAY)
    with within(owner.id):
        asked = Portfolio(TODAY)
        report = Reporting("EUR", TODAY)
        assert [(row.buyer, row.over_limit_minor) for row in attention.over_limit(asked, report, 5).accounts] == [("Over", 500_00)]
        assert [row.buyer for row in attention.stopped_accounts(asked, 5).accounts] == ["Late"]
        assert (attention.over_limit(asked, report, 0), attention.stopped_accounts(asked, 0)) == (attention.Worst([], 1),) * 2
        assert exposure.headroom(asked, report) == {"EUR": 1_500_00}
        assert [(row.buyer, row.before_minor, row.after_minor) for row in attention.limits_cut(asked)] == [("Cut", 5_000_00, 2_000_00)]
        assert attention.limits_cut(Portfolio(TODAY + timedelta(days=20))) == []


def test_one_currency_with_every_rate_and_nothing_dropped() -> None:
    on = date(2026, 6, 30)
    report = Reporting("EUR", on, RateBook([("AED", "EUR", date(2026, 1, 1), Decimal("0.25"))]))
    amounts = Amounts()
    for currency, minor in (("USD", 100_01), ("USD", 33), ("AED", 10_02), ("EUR", 5), ("NGN", 7_00)):
        amounts.add(currency, minor, report.converted(minor, currency))
    rate = RateBook([]).get("USD", "EUR", on).rate
    dollars = convert_minor(100_01, "USD", "EUR", rate) + convert_minor(33, "USD", "EUR", rate)
    assert amounts == {"USD": 100_34, "AED": 10_02, "EUR": 5, "NGN": 7_00}
    assert report.sum(amounts) == dollars + 2_51 + 5
    assert report.converted(-33, "USD") == -convert_minor(33, "USD", "EUR", rate)
    assert {(used.base, used.source, used.on) for used in report.rates} == {("USD", "ECB", on), ("AED", "manual", date(2026, 1, 1))}
    assert report.missing == {"NGN"}


def test_the_database_converts_as_the_rules_do(session: Session) -> None:
    """Whole numbers on both databases, to the last unit, for small and huge amounts and for short and long rates."""
    rates = {
        "AED": "0.25",
        "SEK": "0.0890115268147224",
        "IDR": "0.0000530512463",
        "KWD": "2.9876543210987654",
        "JPY": "0.00612345",
        "GBP": "12345",
        "TND": "0.0000000000123456789012345678",
    }
    on = date(2026, 6, 30)
    report = Reporting("EUR", on, RateBook([(code, "EUR", on, Decimal(rate)) for code, rate in rates.items()]))
    organisation(session)
    draw = random.Random(5)
    sizes = [0, 1, 2, 49, 50, 51, 99_999_999, 100_000_000, 10**13 + 7, *(draw.randrange(10 ** draw.randrange(1, 14)) for _ in range(40))]
    amounts = [sign * size for size in sizes for sign in (1, -1)]
    given = union_all(
        *(select(literal(place).label("place"), literal(minor, BigInteger).label("minor")) for place, minor in enumerate(amounts))
    )
    source = given.subquery("given")
    for currency in (*rates, "EUR", "NGN"):
        there = report.expression(source.c.minor, literal(currency), [currency])
        found = session.scalars(select(there).select_from(source).order_by(source.c.place)).all()
        assert list(found) == [report.converted(minor, currency) for minor in amounts], currency
        if currency in rates and len(rates[currency]) < 18:
            rate = Decimal(rates[currency])
            assert [report.converted(minor, currency) for minor in amounts] == [
                convert_minor(minor, currency, "EUR", rate) for minor in amounts
            ]
