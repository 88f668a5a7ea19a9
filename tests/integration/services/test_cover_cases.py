"""Every worked example of cover, put into the database: what is stored gives the figures of the example on every day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.ledgers import Books, NotHeld, load_case, organisation

from insureflow.domain import cover
from insureflow.domain.cases import find_differences, plain_dates
from insureflow.domain.money import from_minor
from insureflow.models.cover import AccountState, Exposure, InvoicePosition
from insureflow.models.scope import within
from insureflow.services.cover import check, refresh_buyers
from insureflow.services.transaction import transaction

OWN_CASES = Path(__file__).parents[2] / "cases" / "cover.yaml"


def read_cases(path: Path) -> list[dict[str, Any]]:
    data = plain_dates(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    assert isinstance(data, dict)
    return [case for case in data["cases"] if case["kind"] == "cover"]


def state_from_tables(session: Session, invoices: dict[str, int], currency: str, on: date) -> dict[str, Any]:
    """What the tables say about the account at the end of a day, in the shape of an example's expectation."""
    position = InvoicePosition
    rows = {row.invoice_id: row for row in session.scalars(select(position).where(position.valid_from <= on, position.valid_to > on))}
    state = session.scalar(select(AccountState).where(AccountState.valid_from <= on, AccountState.valid_to > on))

    def amount(minor: int) -> Decimal:
        return from_minor(minor, currency)

    reasons: Counter[str] = Counter()
    found: dict[str, Any] = {}
    primary = top_up = opened = 0
    for name, key in invoices.items():
        row = rows.get(key)
        if row is None:
            found[name] = None
            continue
        own = Counter({"vat_not_covered": row.vat_minor, "disputed": row.disputed_minor, "over_limit": row.over_limit_minor})
        if row.excluded_reason is not None:
            own[row.excluded_reason] += row.excluded_minor
        reasons += own
        covered = row.primary_minor + row.top_up_minor
        primary, top_up, opened = primary + row.primary_minor, top_up + row.top_up_minor, opened + row.open_minor
        found[name] = {
            "open": amount(row.open_minor),
            "covered": amount(covered),
            "uncovered": amount(row.open_minor - covered),
            "reasons": {reason: amount(minor) for reason, minor in own.items() if minor},
            "insured_percentage": row.insured_percentage,
            "layers": {"primary": amount(row.primary_minor), "top_up": amount(row.top_up_minor)},
        }
    limits = (
        (0, 0, 0, 0)
        if state is None
        else (state.limit_primary_minor, state.limit_top_up_minor, state.reserved_primary_minor, state.reserved_top_up_minor)
    )
    exposures = session.scalars(select(Exposure).where(Exposure.valid_from <= on, Exposure.valid_to > on)).all()
    assert sum(row.open_minor for row in exposures) == opened
    assert sum(row.covered_minor for row in exposures) == primary + top_up
    totals = {
        "open": amount(opened),
        "covered": amount(primary + top_up),
        "uncovered": amount(opened - primary - top_up),
        "reasons": {reason: amount(minor) for reason, minor in reasons.items() if minor},
    }
    if len({row.currency for row in exposures}) <= 1:
        totals["insurer_liability"] = amount(sum(row.liability_minor for row in exposures))
    return {
        "invoices": found,
        "totals": totals,
        "limits": {"primary": amount(limits[0]), "top_up": amount(limits[1])},
        "headroom": {"primary": amount(max(0, limits[0] - primary - limits[2])), "top_up": amount(max(0, limits[1] - top_up - limits[3]))},
        "stopped": state is not None and state.stopped,
    }


def comparable(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The expectation without what no table holds: the figures of paid invoices beyond 0, and the credit balance of a past day."""
    kept = {name: value for name, value in expected.items() if name != "date"}
    if "totals" in kept:
        left_out = {"unallocated"} | ({"insurer_liability"} - found["totals"].keys())
        kept["totals"] = {name: value for name, value in kept["totals"].items() if name not in left_out}
    if "invoices" in kept:
        kept["invoices"] = {
            name: None if value is not None and found["invoices"][name] is None and is_nothing(value) else value
            for name, value in kept["invoices"].items()
        }
        for name, value in kept["invoices"].items():
            row = found["invoices"][name]
            if value is None and row is not None and not row["open"]:
                found["invoices"][name] = None  # in the ledger already, not shipped yet
            elif value is not None and row is not None and not row["open"]:
                kept["invoices"][name] = {key: each for key, each in value.items() if key != "insured_percentage"}
    return kept


def is_nothing(value: dict[str, Any]) -> bool:
    """True for an invoice with nothing open, of which no row is kept."""
    return not any(Decimal(str(value.get(name, 0))) for name in ("open", "covered", "uncovered")) and not value.get("reasons")


def run_all(session: Session, cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """How many examples were compared, and those that no table can hold."""
    compared, left_out = 0, []
    for number, case in enumerate(cases):
        given, at = case["given"], case["expect"]["at"]
        account, _ = cover.parse_account(given)
        monkeypatch.setattr("insureflow.queries.cover.policies.business_calendar", account.calendars.__getitem__)
        owner = organisation(session, f"case-{number}", account.limit_currency)
        days = [date.fromisoformat(entry["date"]) for entry in at]
        try:
            with transaction(owner.id) as working:
                _, _, invoices = load_case(Books(working, owner.id), given)
                refresh_buyers(working, None, min(days))
        except NotHeld as reason:
            left_out.append(f"{case['id']}: {reason}")
            continue
        with within(owner.id):
            for entry, day in zip(at, days, strict=True):
                found = state_from_tables(session, invoices, account.limit_currency, day)
                expected = comparable(entry, found)
                assert find_differences(expected, found) == (), (case["id"], day)
        assert check(owner.id, min(days)) == [], case["id"]
        compared += 1
    return compared, left_out


def test_own_examples_hold_in_the_database(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    if not OWN_CASES.exists():
        pytest.fail("the product's own examples of cover are missing")
    cases = read_cases(OWN_CASES)
    compared, left_out = run_all(session, cases, monkeypatch)
    assert len(left_out) + compared == len(cases)
    assert compared >= 0.9 * len(cases)


@pytest.mark.shared
def test_shared_examples_hold_in_the_database(session: Session, shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = read_cases(shared_folder / "cases" / "cover.yaml")
    compared, left_out = run_all(session, cases, monkeypatch)
    assert len(left_out) + compared == len(cases)
    assert compared >= 0.9 * len(cases)
