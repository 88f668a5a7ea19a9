"""Limits as the services keep them: decisions once and for good, requests, withdrawals, acts, corrections."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import TODAY, Account, add_buyer, add_invoice, make_account, within

from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import AccountActKind, LimitKind, LimitSituation, LimitState, LimitStatus
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.queries.limits import find_decision, limits_of_buyer, register_listing
from insureflow.queries.listing import Narrowing
from insureflow.services import journal, limits
from insureflow.services.limits import NewAct, NewDecision, NewRequest, NewWithdrawal


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app)


@pytest.fixture(autouse=True)
def context(app: Flask, account: Account) -> Any:
    with app.app_context(), within(account.organisation_id):
        yield
        db.session.remove()


def decision(account: Account, amount: int = 100_000_00, **changes: Any) -> NewDecision:
    new = NewDecision(account.buyer_id, account.policy_id, amount, "EUR", date(2026, 1, 15))
    return replace(new, **changes)


def record(account: Account, amount: int = 100_000_00, **changes: Any) -> LimitDecision:
    return limits.record_decision(account.tenant.actor(), account.organisation_id, decision(account, amount, **changes), TODAY)


def entries() -> list[str]:
    return list(db.session.scalars(select(JournalEntry.action).order_by(JournalEntry.sequence)))


def row_of(account: Account, on: date = TODAY, layer: Layer = Layer.PRIMARY) -> dict[str, Any]:
    rows = register_listing(on).page(Narrowing(), None, 1, 50).rows
    return next(row for row in rows if row["buyer_id"] == account.buyer_id and row["layer"] is layer)


def test_a_decision_is_kept_and_covers_what_is_owed(account: Account) -> None:
    add_invoice(account, "A1", 120_000_00)
    made = record(account, requested_minor=150_000_00, insurer_reference="CL-1", conditions={"insured_percentage": 85})
    assert made.status is LimitStatus.PARTLY_APPROVED
    assert (made.rate, made.rate_source, made.effective_on) == (Decimal(1), "same currency", date(2026, 1, 15))
    assert made.conditions == {"insured_percentage": "85"}
    assert entries()[-1] == "limit.decided"
    position = db.session.scalars(select(InvoicePosition)).all()[-1]
    assert (position.primary_minor, position.over_limit_minor, position.insured_percentage) == (100_000_00, 20_000_00, Decimal(85))
    row = row_of(account)
    assert row["situation"] is LimitSituation.IN_FORCE
    assert (row["limit"], row["used"], row["headroom"]) == ((100_000_00, "EUR"), (100_000_00, "EUR"), (0, "EUR"))
    assert row["insured_percentage"] == Decimal(85)
    assert row["use"] == "above_limit"


def test_the_same_decision_is_entered_once(account: Account) -> None:
    first = record(account, insurer_reference="CL-1")
    count = len(entries())
    assert record(account, insurer_reference="CL-1").id == first.id
    unnamed = record(account, 50_000_00, decided_on=date(2026, 2, 1))
    assert unnamed.status is LimitStatus.REDUCED
    assert record(account, 50_000_00, decided_on=date(2026, 2, 1)).id == unnamed.id
    assert len(entries()) == count + 1


def test_a_reference_with_other_content_is_refused_with_what_differs(account: Account) -> None:
    record(account, insurer_reference="CL-1")
    with pytest.raises(Refusal) as refusal:
        record(account, 90_000_00, insurer_reference="CL-1")
    assert refusal.value.code == "reference_taken"
    assert "100000.00 EUR ≠ 90000.00 EUR" in str(refusal.value.parameters["differs"])


def test_the_rate_is_frozen_with_the_decision(account: Account) -> None:
    made = record(account, 110_000_00, currency="USD", decided_on=date(2025, 6, 2))
    assert made.rate != 1
    assert made.rate_source.startswith("ECB 2025-0")
    view = find_decision(made.id, TODAY)
    assert view is not None
    assert view.amount is not None
    assert view.amount.currency == "EUR"
    assert (view.state, view.insured_percentage) == (LimitState.IN_FORCE, Decimal(90))
    assert [step.name for step in view.trace] == ["limit_amount", "limit_effect", "limit_percentage", "limit_state"]
    assert row_of(account)["limit"] == (view.amount.minor, "EUR")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"decided_on": date(2026, 7, 1)}, "in_the_future"),
        ({"currency": "XXQ"}, "currency_unknown"),
        ({"decided_minor": -1}, "amount_negative"),
        ({"requested_minor": -1}, "amount_negative"),
        ({"kind": LimitKind.TEMPORARY}, "temporary_needs_end"),
        ({"kind": LimitKind.TOP_UP}, "kind_of_other_layer"),
        ({"layer": Layer.TOP_UP, "kind": LimitKind.TOP_UP, "conditions": {"insured_percentage": 80}}, "conditions_on_top_up"),
        ({"valid_to": date(2026, 1, 1)}, "ends_before_start"),
        ({"conditions": {"insured_percentage": 180}}, "out_of_range"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(account: Account, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidValues) as refusal:
        record(account, **changes)
    assert code in {problem.code for problem in refusal.value.problems}
    assert db.session.scalars(select(LimitDecision)).all() == []


@pytest.mark.parametrize(("name", "code"), [("buyer_id", "buyer_unknown"), ("policy_id", "policy_unknown")])
def test_a_decision_on_nobody_is_refused(account: Account, name: str, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        record(account, **{name: 999_999})


def test_never_asked_refused_and_zero_are_three_things(account: Account) -> None:
    never = add_buyer(account.tenant, "Nobody Asked SARL", "FR")
    add_invoice(account, "N1", 10_000_00, buyer_id=never)
    asked = add_buyer(account.tenant, "Waiting Oy", "FI")
    limits.record_request(
        account.tenant.actor(), account.organisation_id, NewRequest(asked, account.policy_id, 20_000_00, "EUR", date(2026, 6, 1)), TODAY
    )
    refused = add_buyer(account.tenant, "Refused SpA", "IT")
    record(account, 0, buyer_id=refused, requested_minor=50_000_00)
    record(account)
    record(account, 0, decided_on=date(2026, 4, 1))
    found = {row["buyer"]: row for row in register_listing(TODAY).page(Narrowing(), None, 1, 50).rows}
    assert {name: row["situation"] for name, row in found.items()} == {
        "Nobody Asked SARL": LimitSituation.NEVER_ASKED,
        "Waiting Oy": LimitSituation.PENDING,
        "Refused SpA": LimitSituation.REFUSED,
        "Müller GmbH": LimitSituation.ZERO,
    }
    assert found["Nobody Asked SARL"]["limit"] is None
    assert found["Nobody Asked SARL"]["open"] == (10_000_00, "EUR")
    assert found["Refused SpA"]["limit"] == (0, "EUR")


def test_a_reduction_to_zero_runs_off_while_the_notice_lasts(account: Account) -> None:
    record(account)
    record(account, 0, decided_on=date(2026, 6, 10))
    assert row_of(account, date(2026, 6, 20))["situation"] is LimitSituation.RUNNING_OFF
    assert row_of(account, date(2026, 6, 20))["limit"] == (100_000_00, "EUR")
    assert row_of(account, date(2026, 7, 11))["situation"] is LimitSituation.ZERO


def test_a_withdrawal_ends_a_limit_and_needs_one(account: Account) -> None:
    notice = NewWithdrawal(account.buyer_id, account.policy_id, date(2026, 3, 1), reason="poor accounts")
    with pytest.raises(Refusal, match="nothing_to_withdraw"):
        limits.withdraw(account.tenant.actor(), account.organisation_id, notice, TODAY)
    record(account)
    made = limits.withdraw(account.tenant.actor(), account.organisation_id, notice, TODAY)
    assert made.status is LimitStatus.WITHDRAWN
    assert row_of(account)["situation"] is LimitSituation.WITHDRAWN
    view = find_decision(made.id, TODAY)
    assert view is not None
    assert view.takes_effect_on == date(2026, 3, 31)
    with pytest.raises(InvalidValues, match="effective_before_notice"):
        limits.withdraw(account.tenant.actor(), account.organisation_id, replace(notice, effective_on=date(2026, 2, 1)), TODAY)


def test_a_request_must_ask_for_something(account: Account) -> None:
    request = NewRequest(account.buyer_id, account.policy_id, 0, "XXQ", date(2026, 7, 1))
    with pytest.raises(InvalidValues) as refusal:
        limits.record_request(account.tenant.actor(), account.organisation_id, request, TODAY)
    assert {problem.code for problem in refusal.value.problems} == {"amount_not_positive", "currency_unknown", "in_the_future"}


def test_layers_stand_beside_each_other(account: Account) -> None:
    add_invoice(account, "A1", 150_000_00)
    record(account)
    record(account, 80_000_00, layer=Layer.TOP_UP, kind=LimitKind.TOP_UP)
    top_up = row_of(account, layer=Layer.TOP_UP)
    assert (top_up["limit"], top_up["used"], top_up["insured_percentage"]) == ((80_000_00, "EUR"), (50_000_00, "EUR"), Decimal(70))
    assert row_of(account)["used"] == (100_000_00, "EUR")
    [found] = limits_of_buyer(account.buyer_id, TODAY)
    assert (found.limit.minor, found.top_up.minor) == (100_000_00, 80_000_00)
    assert [state for _decision, state in found.decisions] == [LimitState.IN_FORCE, LimitState.IN_FORCE]


def test_only_a_mistake_is_removed_and_the_journal_keeps_it(account: Account) -> None:
    add_invoice(account, "A1", 50_000_00)
    made = record(account)
    with pytest.raises(InvalidValue, match="reason_needed"):
        limits.remove_decision(account.tenant.actor(), account.organisation_id, made.id, " ", TODAY)
    buyer_id = limits.remove_decision(account.tenant.actor(), account.organisation_id, made.id, "typed twice", TODAY)
    assert buyer_id == account.buyer_id
    assert db.session.scalars(select(LimitDecision)).all() == []
    entry = db.session.scalars(select(JournalEntry).order_by(JournalEntry.sequence.desc())).first()
    assert entry is not None
    assert entry.action == "limit.removed"
    assert entry.before is not None
    assert entry.before["decided"] == {"amount": "100000.00", "currency": "EUR"}
    assert row_of(account)["situation"] is LimitSituation.NEVER_ASKED
    with pytest.raises(Refusal, match="limit_unknown"):
        limits.remove_decision(account.tenant.actor(), account.organisation_id, made.id, "again", TODAY)
    assert journal.verify(account.organisation_id).is_sound


def act(account: Account, kind: AccountActKind, **changes: Any) -> AccountAct:
    new = replace(NewAct(account.buyer_id, account.policy_id, kind, date(2026, 6, 1)), **changes)
    return limits.record_act(account.tenant.actor(), account.organisation_id, new, TODAY)


def test_a_stop_by_the_insurer_stops_and_its_lifting_lifts(account: Account) -> None:
    record(account)
    act(account, AccountActKind.STOP_COVER)
    state = db.session.scalars(select(AccountState).where(AccountState.valid_from <= TODAY, AccountState.valid_to > TODAY)).one()
    assert state.stopped
    act(account, AccountActKind.STOP_COVER_LIFTED, happened_on=date(2026, 6, 10))
    state = db.session.scalars(select(AccountState).where(AccountState.valid_from <= TODAY, AccountState.valid_to > TODAY)).one()
    assert not state.stopped


def test_the_same_act_is_entered_once_and_a_loss_happens_once(account: Account) -> None:
    first = act(account, AccountActKind.DATE_OF_LOSS)
    assert act(account, AccountActKind.DATE_OF_LOSS).id == first.id
    with pytest.raises(Refusal, match="act_happened_already"):
        act(account, AccountActKind.DATE_OF_LOSS, happened_on=date(2026, 6, 2))


def test_acts_carry_what_cover_reads(account: Account) -> None:
    record(account)
    invoice = add_invoice(account, "A1", 10_000_00)
    assert act(account, AccountActKind.CONSENT, invoice_ids=(invoice,)).data == {"invoices": [invoice]}
    assert act(account, AccountActKind.OVERDUE_NOTIFICATION).data == {}
    extension = act(account, AccountActKind.EXTENSION, invoice_ids=(invoice,), new_due_on=date(2026, 9, 1), has_consent=True)
    assert (extension.invoice_id, extension.data) == (invoice, {"new_due_on": "2026-09-01", "consent": True})
    assert act(account, AccountActKind.BUYER_GRADE, grade=" 7 ").data == {"grade": 7}
    assert act(account, AccountActKind.BUYER_GRADE, grade="AA").data == {"grade": "AA"}


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        (AccountActKind.EXTENSION, {}, "one_invoice_needed"),
        (AccountActKind.EXTENSION, {"new_due_on": date(2026, 5, 2), "invoice_ids": "own"}, "not_an_extension"),
        (AccountActKind.EXTENSION, {"invoice_ids": "own"}, "new_due_date_needed"),
        (AccountActKind.CONSENT, {"invoice_ids": (999_999,)}, "invoice_not_of_buyer"),
        (AccountActKind.CONSENT, {"invoice_ids": "own", "happened_on": date(2026, 4, 1)}, "invoice_not_in_account"),
        (AccountActKind.BUYER_GRADE, {}, "grade_needed"),
        (AccountActKind.STOP_COVER, {"invoice_ids": "own"}, "act_names_no_invoice"),
        (AccountActKind.STOP_COVER, {"happened_on": date(2026, 7, 2)}, "in_the_future"),
    ],
)
def test_an_act_that_cannot_be_is_refused(account: Account, kind: AccountActKind, changes: dict[str, Any], code: str) -> None:
    own = add_invoice(account, "A1", 10_000_00)
    if changes.get("invoice_ids") == "own":
        changes = {**changes, "invoice_ids": (own,)}
    with pytest.raises(InvalidValues) as refusal:
        act(account, kind, **changes)
    assert code in {problem.code for problem in refusal.value.problems}
    assert db.session.scalars(select(AccountAct)).all() == []


def test_an_act_that_was_a_mistake_is_removed(account: Account) -> None:
    made = act(account, AccountActKind.STOP_COVER)
    assert limits.remove_act(account.tenant.actor(), account.organisation_id, made.id, "wrong buyer", TODAY) == account.buyer_id
    assert entries()[-1] == "act.removed"
    with pytest.raises(Refusal, match="act_unknown"):
        limits.remove_act(account.tenant.actor(), account.organisation_id, made.id, "again", TODAY)
    with pytest.raises(InvalidValue, match="reason_needed"):
        limits.remove_act(account.tenant.actor(), account.organisation_id, made.id, "", TODAY)


def test_the_register_of_one_organisation_shows_nothing_of_another(app: Flask, account: Account) -> None:
    record(account)
    other = make_account(app, "Baltic Valves")
    with within(other.organisation_id):
        assert register_listing(TODAY).page(Narrowing(), None, 1, 50).total_rows == 0
        assert find_decision(db.session.scalar(select(LimitDecision.id)) or 1, TODAY) is None
    assert register_listing(TODAY).page(Narrowing(), None, 1, 50).total_rows == 1
