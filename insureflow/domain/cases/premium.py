"""Worked examples of the kind ``premium``: what a policy year costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from insureflow.domain.cases.shapes import AMOUNT, ANYTHING, Fields, Maybe, One
from insureflow.domain.money import Money
from insureflow.domain.policies.parsing import read_terms
from insureflow.domain.policies.reading import Reader
from insureflow.domain.premium import (
    DeclaredBalance,
    DeclaredTurnover,
    LimitFrom,
    PremiumFacts,
    calculate_premium,
    limits_of_months,
)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")

#: Everything given is read, and checked, by ``calculate``.
GIVEN = Fields(
    {
        "policy": ANYTHING,
        "estimated_turnover": ANYTHING,
        "estimated_premium": ANYTHING,
        "declarations": ANYTHING,
        "balances": ANYTHING,
        "limits": ANYTHING,
        "months": ANYTHING,
        "indemnities": ANYTHING,
    },
    ("policy",),
)


def is_number(value: object) -> bool:
    """A number of either sign: a bonus is below 0, and so is a balance in the policyholder's favour."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and bool(_NUMBER.fullmatch(value)))


_SIGNED = Maybe(One("not_a_number", is_number))

EXPECT = Fields(
    {
        "estimated_premium": Maybe(AMOUNT),
        "minimum_premium": Maybe(AMOUNT),
        "advance_per_instalment": Maybe(AMOUNT),
        "advances_total": Maybe(AMOUNT),
        "insurable_turnover": Maybe(AMOUNT),
        "earned_premium": Maybe(AMOUNT),
        "loss_ratio": Maybe(AMOUNT),
        "bonus_malus_adjustment": _SIGNED,
        "final_premium": Maybe(AMOUNT),
        "balance_due": _SIGNED,
        "maximum_liability": Maybe(AMOUNT),
    }
)


def calculate(given: Mapping[str, object], expect: Mapping[str, object]) -> Mapping[str, object]:  # noqa: ARG001  every kind is called alike
    """The premium of the year. Errors: ``InvalidValues`` with every problem of what is given."""
    reader = Reader(given, "given")
    policy = reader.child("policy", required=True)
    terms = None if policy is None else read_terms(policy, extensions=False)
    if policy is not None:
        for name in ("currency", "premium"):
            if not policy.has(name):
                policy.problem("required", name)
    clause = None if terms is None else terms.premium
    reader.currency = None if terms is None else terms.currency
    reader.currency_required = False  # a policy without currency is a problem already
    limits, months = _limits(reader), _months(reader)
    if reader.has("limits") and not reader.has("months"):
        reader.problem("required", "months")
    facts = PremiumFacts(
        estimated_turnover=reader.amount("estimated_turnover"),
        estimated_premium=reader.amount("estimated_premium"),
        declarations=_declarations(reader),
        balances=_balances(reader),
        limits=limits_of_months(limits, months, clause.limit_measure) if clause is not None and limits else (),
        indemnities=reader.amount("indemnities"),
    )
    reader.finish()
    reader.raise_problems()
    assert terms is not None  # without a policy, or
    assert clause is not None  # without a clause, or
    assert terms.currency is not None  # without a currency, there was a problem
    account = calculate_premium(clause, facts, terms.currency, maximum_liability=terms.maximum_liability)
    return {name: _plain(getattr(account, name)) for name in EXPECT.fields}


def _plain(value: Money | Decimal | None) -> Decimal | None:
    return value.amount if isinstance(value, Money) else value


def _declarations(reader: Reader) -> tuple[DeclaredTurnover, ...]:
    found = []
    for row in reader.children("declarations"):
        period, amount = row.text("period", required=True), row.amount("amount", required=True)
        category = row.text("category")
        row.finish()
        if period is not None and amount is not None:
            found.append(DeclaredTurnover(period, amount, category))
    return tuple(found)


def _balances(reader: Reader) -> tuple[DeclaredBalance, ...]:
    found = []
    for row in reader.children("balances"):
        on, balance = row.day("month_end", required=True), row.amount("balance", required=True)
        limit = row.amount("limit")
        row.finish()
        if on is not None and balance is not None:
            found.append(DeclaredBalance(on, balance, limit))
    return tuple(found)


def _limits(reader: Reader) -> tuple[LimitFrom, ...]:
    found = []
    for row in reader.children("limits"):
        on, amount = row.day("date", required=True), row.amount("amount", required=True)
        row.finish()
        if on is not None and amount is not None:
            found.append(LimitFrom(on, amount))
    return tuple(found)


def _months(reader: Reader) -> tuple[date, ...]:
    found = []
    for position, entry in enumerate(reader.items("months")):
        if isinstance(entry, str) and _MONTH.fullmatch(entry) and entry[:4] != "0000":
            found.append(date.fromisoformat(f"{entry}-01"))
        else:
            reader.problem("not_a_month", f"months[{position}]", entry)
    return tuple(found)
