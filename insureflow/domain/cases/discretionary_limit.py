"""Worked examples of the kind ``discretionary_limit``: what the policyholder may set without asking the insurer."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.domain.cases.shapes import AMOUNT, ANYTHING, DATE, FLAG, Fields, Maybe, one_of
from insureflow.domain.limits.discretionary import (
    CreditReport,
    DiscretionaryFacts,
    DiscretionaryReason,
    InsurerDecision,
    MonthEndBalance,
    OverdueItem,
    Purchase,
    calculate_discretionary_limit,
)
from insureflow.domain.money import from_minor
from insureflow.domain.policies.parsing import read_terms
from insureflow.domain.policies.reading import Reader
from insureflow.domain.policies.vocabulary import DiscretionaryMethod

#: Everything given is read, and checked, by ``calculate``.
GIVEN = Fields(
    {
        "policy": ANYTHING,
        "as_of": ANYTHING,
        "country": ANYTHING,
        "need": ANYTHING,
        "credit_reports": ANYTHING,
        "month_end_balances": ANYTHING,
        "purchases": ANYTHING,
        "insurer_decisions": ANYTHING,
        "adverse_information": ANYTHING,
        "default_losses": ANYTHING,
        "overdue_items": ANYTHING,
    },
    ("policy", "as_of"),
)

EXPECT = Fields(
    {
        "amount": AMOUNT,
        "method": Maybe(one_of(*DiscretionaryMethod)),
        "valid_to": Maybe(DATE),
        "usable": FLAG,
        "reason": Maybe(one_of(*DiscretionaryReason)),
    }
)


def calculate(given: Mapping[str, object], expect: Mapping[str, object]) -> Mapping[str, object]:  # noqa: ARG001  every kind is called alike
    """The discretionary limit on the day given. Errors: ``InvalidValues`` with every problem of what is given."""
    reader = Reader(given, "given", currency_required=False)
    policy = reader.child("policy", required=True)
    terms = None if policy is None else read_terms(policy, extensions=False)
    clause = None if terms is None else terms.discretionary_limit
    if policy is not None and not policy.has("discretionary_limit"):
        policy.problem("required", "discretionary_limit")
    reader.currency = clause.currency if clause is not None else None
    on = reader.day("as_of", required=True)
    facts = DiscretionaryFacts(
        country=reader.country("country"),
        need=reader.amount("need"),
        credit_reports=_credit_reports(reader),
        month_end_balances=_month_end_balances(reader),
        purchases=_purchases(reader),
        insurer_decisions=_insurer_decisions(reader),
        adverse_information_on=reader.day("adverse_information"),
        default_losses=tuple(
            day
            for position, entry in enumerate(reader.items("default_losses"))
            if (day := reader.entry_day(f"default_losses[{position}]", entry)) is not None
        ),
        overdue_items=_overdue_items(reader),
    )
    reader.finish()
    reader.raise_problems()
    assert clause is not None  # without a clause, or
    assert on is not None  # without a day, there was a problem
    result = calculate_discretionary_limit(clause, facts, on)
    return {
        "amount": from_minor(result.amount, result.currency),
        "method": result.method,
        "valid_to": result.valid_to,
        "usable": result.usable,
        "reason": result.reason,
    }


def _credit_reports(reader: Reader) -> tuple[CreditReport, ...]:
    found = []
    for row in reader.children("credit_reports"):
        on, amount = row.day("date", required=True), row.amount("amount")
        approved, unfavourable = row.boolean("approved", default=True), row.boolean("unfavourable", default=False)
        row.finish()
        if on is not None:
            found.append(CreditReport(on, amount, approved, unfavourable))
    return tuple(found)


def _month_end_balances(reader: Reader) -> tuple[MonthEndBalance, ...]:
    found = []
    for row in reader.children("month_end_balances"):
        on, balance = row.day("month_end", required=True), row.amount("balance", required=True)
        is_paid = row.boolean("paid_within_terms", default=True)
        row.finish()
        if on is not None and balance is not None:
            found.append(MonthEndBalance(on, balance, is_paid))
    return tuple(found)


def _purchases(reader: Reader) -> tuple[Purchase, ...]:
    found = []
    for row in reader.children("purchases"):
        on = row.day("date", required=True)
        if row.has("paid_on_time") and row.data["paid_on_time"] is None:
            row.allow("paid_on_time")
            is_paid = None
        else:
            is_paid = row.boolean("paid_on_time", default=None)
        row.finish()
        if on is not None:
            found.append(Purchase(on, is_paid))
    return tuple(found)


def _insurer_decisions(reader: Reader) -> tuple[InsurerDecision, ...]:
    found = []
    for row in reader.children("insurer_decisions"):
        on, amount = row.day("date", required=True), row.amount("amount", required=True)
        row.finish()
        if on is not None and amount is not None:
            found.append(InsurerDecision(on, amount))
    return tuple(found)


def _overdue_items(reader: Reader) -> tuple[OverdueItem, ...]:
    found = []
    for row in reader.children("overdue_items"):
        amount, days = row.amount("amount", required=True), row.whole("days_overdue", required=True)
        row.finish()
        if amount is not None and days is not None:
            found.append(OverdueItem(amount, days))
    return tuple(found)
