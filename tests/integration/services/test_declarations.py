"""Declarations from the ledger: what counts, late credit notes, four eyes, corrections, the duty done, and the premium they earn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import TERMS, Account, add_buyer, add_invoice, fresh_session, make_account, within

from insureflow.domain.access import Role
from insureflow.domain.buyers import NotInsurable
from insureflow.domain.declarations import DeclarationStatus, DeclarationWay, SalesCategory
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer
from insureflow.models.cover import ObligationMark
from insureflow.models.declarations import Declaration, DeclarationLine
from insureflow.models.receivables import CreditNote
from insureflow.queries import declarations as queries
from insureflow.queries.premium import find_premium
from insureflow.services import cover, declarations
from insureflow.services.journal import Actor
from insureflow.services.limits import NewDecision, record_decision
from insureflow.services.transaction import transaction

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
MONTHLY = {"cycle": "monthly", "days": 15}
EXCLUDED = ["affiliates", "private_persons", "uncovered_countries", "cash"]
TURNOVER = {
    "basis": "turnover",
    "rate": "0.5",
    "minimum": {"percentage_of_estimated": 80},
    "advance_instalments": 4,
    "estimated_turnover": 1_000_000,
    "excluded_turnover": EXCLUDED,
}
ON = date(2026, 6, 8)
MAY = date(2026, 5, 31)
SECOND = Role.CREDIT_MANAGER


def account_with(app: Flask, premium: Mapping[str, Any]) -> Account:
    terms = {**TERMS, "period": YEAR, "countries_covered": ["DE", "IT"], "turnover_declaration": MONTHLY, "premium": premium}
    return make_account(app, terms=terms, roles=(Role.ADMINISTRATOR, SECOND))


def credit(account: Account, number: str, minor: int, issued_on: date, invoice_id: int | None = None) -> None:
    with transaction(account.organisation_id) as session:
        session.add(
            CreditNote(
                entity_id=account.tenant.entity_id,
                buyer_id=account.buyer_id,
                invoice_id=invoice_id,
                number=number,
                currency="EUR",
                net_minor=minor,
                vat_minor=0,
                unapplied_minor=0,
                rate=Decimal(1),
                issued_on=issued_on,
            )
        )


def second(account: Account) -> Actor:
    return Actor(account.tenant.logins[SECOND].user_id, "second")


def declare(account: Account, declaration_id: int, protocol: str) -> Declaration:
    declarations.approve(second(account), account.organisation_id, declaration_id)
    return declarations.declare(
        account.tenant.actor(), account.organisation_id, declaration_id, DeclarationWay.PORTAL, protocol=protocol, declared_on=ON, on=ON
    )


def test_turnover_from_its_draft_to_its_correction_and_the_premium_it_earns(app: Flask) -> None:
    account = account_with(app, TURNOVER)
    me, key = account.tenant.actor(), account.organisation_id
    with app.app_context():
        ordinary = add_invoice(account, "A", 10_000_00, on=ON)
        add_invoice(account, "CASH", 500_00, terms_days=0, on=ON)
        sister, abroad = add_buyer(account.tenant, "Sister AG"), add_buyer(account.tenant, "Fora Ltda", "BR")
        with transaction(key) as session:
            session.get_one(Buyer, sister).not_insurable = NotInsurable.AFFILIATE
        add_invoice(account, "GROUP", 2_000_00, buyer_id=sister, on=ON)
        add_invoice(account, "ABROAD", 3_000_00, buyer_id=abroad, on=ON)
        add_invoice(account, "JUNE", 4_000_00, shipped_on=date(2026, 6, 2), on=ON)
        credit(account, "C1", 1_000_00, MAY, ordinary)
        credit(account, "LOOSE", 100_00, MAY)

        with within(key):
            assert [each.period.last_day for each in queries.open_periods(ON)][-1] == MAY
        made = declarations.draft(me, key, account.policy_id, MAY, ON)
        assert (made.version, made.status, made.items) == (1, DeclarationStatus.DRAFT, 6)
        assert (made.full_minor, made.declared_minor) == (14_400_00, 8_900_00)
        with within(key):
            view = queries.find_declaration(made.id)
            assert view is not None
            assert {each.category: each.declared.minor for each in view.totals} == {
                None: 8_900_00,
                SalesCategory.AFFILIATES: 0,
                SalesCategory.CASH: 0,
                SalesCategory.UNCOVERED_COUNTRIES: 0,
            }
        for refused, code in (
            (lambda: declarations.draft(me, key, account.policy_id, date(2026, 6, 30), ON), "declaration_period_runs"),
            (lambda: declarations.draft(me, key, account.policy_id, date(2026, 5, 30), ON), "declaration_period_unknown"),
            (lambda: declarations.draft(me, key, 10**6, MAY, ON), "policy_unknown"),
            (lambda: declarations.approve(me, key, made.id), "declaration_of_own"),
            (lambda: declarations.approve(Actor(None, "command line"), key, made.id), "declaration_needs_a_person"),
            (lambda: declarations.approve(me, key, 10**6), "declaration_unknown"),
            (
                lambda: declarations.declare(me, key, made.id, DeclarationWay.EMAIL, protocol="", declared_on=ON, on=ON),
                "declaration_not_so_far",
            ),
        ):
            with pytest.raises(Refusal, match=code):
                refused()
        declarations.approve(second(account), key, made.id)
        for way, day, code in (
            (DeclarationWay.PORTAL, ON, "protocol_needed"),
            (DeclarationWay.EMAIL, date(2026, 6, 9), "declared_in_future"),
            (DeclarationWay.EMAIL, MAY, "declared_before_end"),
        ):
            with pytest.raises(InvalidValue, match=code):
                declarations.declare(me, key, made.id, way, protocol=" ", declared_on=day, on=ON)
        declarations.declare(me, key, made.id, DeclarationWay.PORTAL, protocol="P-1", declared_on=ON, on=ON)

        # What came too late for May: a correction of May takes it up, and so does June while May stands as it was declared.
        credit(account, "LATE", 400_00, MAY)
        july = date(2026, 7, 3)
        june = declarations.draft(me, key, account.policy_id, date(2026, 6, 30), july)
        assert (june.items, june.declared_minor) == (2, 3_600_00)
        again = declarations.draft(me, key, account.policy_id, MAY, ON)
        assert (again.version, again.replaces_id, again.declared_minor) == (2, made.id, 8_500_00)
        with within(key):
            mark = fresh_session(account).scalars(select(ObligationMark)).one()
            assert (mark.kind, mark.due_on, mark.marked_on, mark.note) == ("declare_turnover", date(2026, 6, 15), ON, "P-1")
            before = find_premium(account.policy_id, ON)
        declare(account, again.id, "P-2")
        june = declarations.draft(me, key, account.policy_id, date(2026, 6, 30), july)
        assert (june.version, june.declared_minor) == (2, 4_000_00)
        with within(key):
            session = fresh_session(account)
            assert session.get_one(Declaration, made.id).status is DeclarationStatus.SUPERSEDED
            assert session.scalars(select(DeclarationLine.id).where(DeclarationLine.declaration_id == made.id)).all()
            assert len(session.scalars(select(ObligationMark)).all()) == 1
            view_of_year = find_premium(account.policy_id, july)
            assert before is not None
            assert before.account is not None
            assert before.account.earned_premium == Money(44_50, "EUR")
            assert view_of_year is not None
            assert view_of_year.account is not None
            assert view_of_year.account.insurable_turnover == Money(8_500_00, "EUR")
            assert view_of_year.account.earned_premium == Money(42_50, "EUR")
            assert view_of_year.account.final_premium == Money(4_000_00, "EUR")
            assert view_of_year.advances_due == Money(3_000_00, "EUR")
            assert find_premium(account.policy_id, july, 2025) is None


@pytest.mark.parametrize(
    ("premium", "declared"),
    [
        ({"basis": "outstanding_balance", "rate": "0.1", "balances_capped_at_limit": True}, 6_000_00),
        ({"basis": "limit", "rate": "0.1"}, 6_000_00),
    ],
)
def test_balances_and_limits_of_a_month_are_drafted_at_night(app: Flask, premium: dict[str, Any], declared: int) -> None:
    account = account_with(app, premium)
    key = account.organisation_id
    with app.app_context():
        new = NewDecision(account.buyer_id, account.policy_id, 6_000_00, "EUR", date(2026, 5, 1))
        record_decision(account.tenant.actor(), key, new, date(2026, 5, 20))
        add_invoice(account, "A", 10_000_00, shipped_on=date(2026, 5, 10), on=ON)
        with transaction(key) as session:
            cover.refresh_buyers(session, None, ON)
        assert declarations.draft_due(key, ON) > 0
        assert declarations.draft_due(key, ON) == 0
        with within(key):
            made = fresh_session(account).scalars(select(Declaration).where(Declaration.period_to == MAY)).one()
            assert made.created_by_id is None
            assert made.declared_minor == declared
        declare(account, made.id, "P")
        with within(key):
            view = find_premium(account.policy_id, ON)
            assert view is not None
            assert view.account is not None
            assert view.account.earned_premium == Money(made.declared_minor // 1000, "EUR")
