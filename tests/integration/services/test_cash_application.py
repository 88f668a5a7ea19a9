"""Cash application on both databases: statements kept once, payments proposed, matched, taken back, and cover that follows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from support.bank_messages import MT940, PAYER, Line, camt, entry
from support.insight import Insight, make_insight

from insureflow.domain.bank_statements import BalanceCheck, EntryStatus
from insureflow.domain.cash_application import Confidence, EntryState
from insureflow.domain.cover import Purpose
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.models.bank_statements import BankEntry, BankMatch, BankStatement, PayerAccount
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.models.scope import within
from insureflow.services import cash_application as cash
from insureflow.services import cover
from insureflow.services.cash_application import Choice, StatementOutcome
from insureflow.services.journal import count_entries
from insureflow.services.organisations import add_entity


class Ledger:
    """The portfolio of ``support.insight`` with a bank account."""

    def __init__(self, app: Flask, tenant: Any) -> None:
        self.tenant, self.id, self.actor = tenant, tenant.id, tenant.actor()
        self.insight: Insight = make_insight(app, tenant)
        self.day = self.insight.back(0)
        self.entity = next(iter(tenant.entities))

    def take(self, content: bytes, **more: Any) -> StatementOutcome:
        return cash.import_statements(
            self.actor, self.id, **{"entity": self.entity, "file_name": "statement.xml", "content": content, **more}
        )

    def pay(self, amount: str, text: str = "", **more: Any) -> int:
        """One payment that came in; gives the key of its entry."""
        count = db.session.scalar(select(func.count(BankEntry.id)))
        line = Line(amount, text, day=self.day, bank_reference=f"R{count}", **more)
        self.take(camt([entry([line], "EUR", 8)], identification=f"S{count}"))
        return int(db.session.scalar(select(func.max(BankEntry.id))) or 0)

    def entry(self, key: int) -> BankEntry:
        db.session.expire_all()
        return db.session.get_one(BankEntry, key)

    def open(self, key: int) -> int:
        db.session.expire_all()
        return db.session.get_one(Invoice, key).open_minor

    def covered(self, key: int) -> int | None:
        """What is covered of an invoice today."""
        position = db.session.scalar(
            select(InvoicePosition).where(
                InvoicePosition.invoice_id == key,
                InvoicePosition.valid_from <= self.insight.today,
                InvoicePosition.valid_to > self.insight.today,
            )
        )
        return None if position is None else position.primary_minor

    def count(self, model: Any) -> int:
        return int(db.session.scalar(select(func.count(model.id))) or 0)


@pytest.fixture
def ledger(app: Flask, organisation: Any) -> Iterator[Ledger]:
    made = Ledger(app, organisation)
    with app.app_context(), within(organisation.id):
        yield made
        assert cover.check(organisation.id, made.insight.today) == []
        db.session.remove()


def refused(code: str) -> Any:
    return pytest.raises(Refusal, match=code)


def test_a_statement_is_kept_once_whoever_tells_of_it(ledger: Ledger) -> None:
    batch = [Line("100", "INV 1", "A", bank_reference="B1", day=ledger.day), Line("50", "INV 2", "B", day=ledger.day)]
    one = [Line("7", "hello", bank_reference="B2", day=ledger.day)]
    twin = [Line("9", "same", day=ledger.day)]
    pending = [Line("11", "soon", bank_reference="B4", status="PDNG", day=ledger.day)]
    whole = entry(batch, "EUR", 8, total="150", tell=False)
    rest = [entry(each, "EUR", 8) for each in (one, twin, twin, pending)]
    first = ledger.take(camt([whole, *rest], opening="0", closing="175"))
    assert (len(first.statements), first.known, first.warnings) == (1, 0, ())
    assert (ledger.count(BankEntry), ledger.count(BankStatement)) == (5, 1)
    written = count_entries(ledger.id)
    again = ledger.take(camt([whole, *rest], opening="0", closing="175"))
    assert (again.is_new, again.known_statements, count_entries(ledger.id)) == (False, 1, written)
    booked = [Line("11", "soon", bank_reference="B4", day=ledger.day)]
    notice = camt(
        [entry(batch, "EUR", 4, total="150"), *(entry(each, "EUR", 4) for each in (one, twin, booked))],
        version=4,
        kind="054",
        identification="N",
    )
    told = ledger.take(notice)
    assert (told.known, told.detailed, ledger.count(BankEntry)) == (3, 2, 6)
    assert sorted(db.session.scalars(select(BankEntry.amount_minor))) == [700, 900, 900, 1_100, 5_000, 10_000]
    assert set(db.session.scalars(select(BankEntry.status))) == {EntryStatus.BOOKED}
    later = ledger.take(camt([whole, *rest], opening="0", closing="175", identification="S-2"))
    assert (later.known, later.detailed, ledger.count(BankEntry)) == (5, 0, 6)
    statement = db.session.scalars(select(BankStatement).order_by(BankStatement.id)).first()
    assert statement is not None
    assert (statement.balance_check, statement.opening_minor, statement.closing_minor) == (BalanceCheck.ADDS_UP, 0, 17_500)


def test_mt940_and_bad_entries(ledger: Ledger) -> None:
    outcome = ledger.take(MT940.replace("2611181118D2,50", "26XX1118D2,50").encode(), file_name="c:\\in\\x.sta")
    assert [problem.code for problem in outcome.problems] == ["entry_unreadable"]
    statement = db.session.get_one(BankStatement, outcome.statements[0])
    assert (statement.file_name, statement.source, statement.balance_check) == ("x.sta", "mt940", BalanceCheck.DIFFERS)
    assert [each["code"] for each in (*statement.problems, *statement.warnings)] == ["entry_unreadable", "balance_differs"]
    assert outcome.entries == {"proposed": 1, "unmatched": 1, "not_a_receipt": 1}
    add_entity(ledger.actor, ledger.id, code="ZZ", name="Other", country="DE", currency="EUR")
    with refused("bank_account_of_other_entity"):
        ledger.take(MT940.replace("STARTUMSE", "OTHER").encode(), entity="ZZ")


def test_a_certain_match_settles_the_invoice_and_cover_follows(ledger: Ledger) -> None:
    made = ledger.insight
    assert (ledger.covered(made.overdue), ledger.covered(made.over_limit)) == (600_000, 400_000)
    key = ledger.pay("6000", "Invoice A-1 thank you", name="Alpha Werke", account=PAYER)
    found = ledger.entry(key)
    assert (found.state, found.confidence, found.buyer_id, found.designated) == (
        EntryState.PROPOSED,
        Confidence.CERTAIN,
        made.alpha,
        ["A-1"],
    )
    written = count_entries(ledger.id)
    assert cash.confirm_certain(ledger.actor, ledger.id, on=made.today) == {"matched": 1, "changed": 0}
    assert count_entries(ledger.id) == written + 1
    assert (ledger.open(made.overdue), ledger.covered(made.overdue), ledger.covered(made.over_limit)) == (0, None, 800_000)
    payment = db.session.scalars(select(Payment).where(Payment.number == f"BANK/{key}")).one()
    assert (payment.amount_minor, payment.unapplied_minor, payment.buyer_id) == (600_000, 0, made.alpha)
    assert db.session.scalars(select(PayerAccount.number)).all() == [PAYER]
    assert cash.confirm_certain(ledger.actor, ledger.id, on=made.today) == {"matched": 0, "changed": 0}
    assert count_entries(ledger.id) == written + 1
    with refused("bank_entry_decided"):
        cash.confirm(ledger.actor, ledger.id, key, proposal=0, on=made.today)
    again = cash.undo(ledger.actor, ledger.id, key, on=made.today)
    assert (again.state, ledger.open(made.overdue), ledger.covered(made.over_limit)) == (EntryState.PROPOSED, 600_000, 400_000)
    assert (ledger.count(PayerAccount), ledger.count(BankMatch)) == (0, 1)
    assert db.session.scalar(select(func.count(Payment.id)).where(Payment.number.like("BANK%"))) == 0
    with refused("bank_entry_not_decided"):
        cash.undo(ledger.actor, ledger.id, key, on=made.today)


def test_the_ledger_follows_the_payer_and_cover_follows_the_policy(ledger: Ledger) -> None:
    """The buyer pays the newer invoice; the policy takes the money for the oldest debt."""
    made = ledger.insight
    key = ledger.pay("8000", "only A-2 please", name="Alpha Werke GmbH")
    cash.confirm(ledger.actor, ledger.id, key, proposal=0, on=made.today)
    assert (ledger.open(made.overdue), ledger.open(made.over_limit)) == (600_000, 0)
    positions = db.session.scalars(
        select(InvoicePosition).where(
            InvoicePosition.buyer_id == made.alpha, InvoicePosition.valid_from <= made.today, InvoicePosition.valid_to > made.today
        )
    ).all()
    by_ledger = {position.invoice_id: (position.ledger_open_minor, position.open_minor) for position in positions}
    assert by_ledger == {made.overdue: (600_000, 0), made.over_limit: (0, 600_000)}


def test_deductions_are_credited_if_wanted(ledger: Ledger) -> None:
    made = ledger.insight
    cash.set_tolerance(ledger.actor, ledger.id, currency="EUR", charges_minor=2_000, discount_percent=Decimal(2), discount_days=None)
    written = count_entries(ledger.id)
    cash.set_tolerance(ledger.actor, ledger.id, currency="EUR", charges_minor=2_000, discount_percent=Decimal(2), discount_days=None)
    assert count_entries(ledger.id) == written
    for wrong in ({"currency": "XQX"}, {"charges_minor": -1}, {"discount_percent": Decimal(200)}):
        with pytest.raises(InvalidValue):
            cash.set_tolerance(
                ledger.actor,
                ledger.id,
                **{"currency": "EUR", "charges_minor": 0, "discount_percent": Decimal(0), "discount_days": None, **wrong},
            )  # type: ignore[arg-type]  # values of each argument's own kind
    key = ledger.pay("5985", "A-1", name="Alpha Werke GmbH")
    assert ledger.entry(key).proposals[0]["deduction"] == "bank_charges"
    cash.confirm(ledger.actor, ledger.id, key, proposal=0, deduct=False, on=made.today)
    assert (ledger.open(made.overdue), ledger.count(CreditNote)) == (1_500, 0)
    cash.undo(ledger.actor, ledger.id, key, on=made.today)
    cash.confirm(ledger.actor, ledger.id, key, proposal=0, on=made.today)
    note = db.session.scalars(select(CreditNote)).one()
    assert (ledger.open(made.overdue), note.net_minor, note.vat_minor, note.unapplied_minor) == (0, 1_500, 0, 0)
    cash.undo(ledger.actor, ledger.id, key, on=made.today)
    assert (ledger.open(made.overdue), ledger.count(CreditNote)) == (600_000, 0)


def test_what_has_changed_is_not_booked(ledger: Ledger) -> None:
    made = ledger.insight
    first, second = ledger.pay("6000", "A-1", name="Alpha Werke GmbH"), ledger.pay("6000", "Nr. A-1", name="Alpha Werke GmbH")
    cash.confirm(ledger.actor, ledger.id, first, proposal=0, on=made.today)
    with refused("proposal_outdated"):
        cash.confirm(ledger.actor, ledger.id, second, proposal=0, on=made.today)
    assert cash.confirm_certain(ledger.actor, ledger.id, on=made.today) == {"matched": 0, "changed": 1}
    after = ledger.entry(second)
    assert (after.confidence, after.designated) == (Confidence.POSSIBLE, ["A-1"])
    assert after.proposals[0]["reasons"][-1] == "names_settled_invoice"
    with refused("proposal_unknown"):
        cash.confirm(ledger.actor, ledger.id, second, proposal=5, on=made.today)
    with refused("bank_entry_unknown"):
        cash.confirm(ledger.actor, ledger.id, 999_999, proposal=0, on=made.today)


def test_chosen_by_hand(ledger: Ledger) -> None:
    made = ledger.insight
    key = ledger.pay("7000", "thanks")
    for choice, code in (
        (Choice(), "choice_empty"),
        (Choice({made.overdue: 600_001}), "choice_not_open"),
        (Choice({made.overdue: 0}), "choice_not_positive"),
        (Choice({made.without_limit: 1}), "choice_other_currency"),
        (Choice({999_999: 1}), "receivable_unknown"),
        (Choice({made.overdue: 600_000, made.over_limit: 200_000}), "choice_above_payment"),
        (Choice({made.overdue: 1}, made.beta), "choice_several_buyers"),
    ):
        with pytest.raises(InvalidValues) as problems:
            cash.choose(ledger.actor, ledger.id, key, choice, on=made.today)
        assert [each.code for each in problems.value.problems][-1] == code
    cash.choose(ledger.actor, ledger.id, key, Choice({made.overdue: 600_000}, made.alpha, Purpose.CASH_OR_PREPAID_SUPPLY), on=made.today)
    payment = db.session.scalars(select(Payment).where(Payment.number == f"BANK/{key}")).one()
    assert (payment.amount_minor, payment.unapplied_minor, payment.purpose) == (700_000, 100_000, "cash_or_prepaid_supply")
    assert db.session.scalars(select(Allocation.amount_minor).where(Allocation.payment_id == payment.id)).all() == [600_000]
    on_account = ledger.pay("5", "a deposit")
    cash.choose(ledger.actor, ledger.id, on_account, Choice(buyer_id=made.beta), on=made.today)
    assert ledger.entry(on_account).buyer_id == made.beta


def test_set_aside_and_taken_up_again(ledger: Ledger) -> None:
    made = ledger.insight
    key = ledger.pay("12", "tax refund")
    assert ledger.entry(key).state is EntryState.UNMATCHED
    cash.set_aside(ledger.actor, ledger.id, key, note=" refund ")
    assert ledger.entry(key).state is EntryState.SET_ASIDE
    assert cash.propose(ledger.actor, ledger.id)["none"] == 0
    cash.undo(ledger.actor, ledger.id, key, on=made.today)
    assert ledger.entry(key).state is EntryState.UNMATCHED
    assert cash.propose(ledger.actor, ledger.id, entity_id=ledger.tenant.entity_id)["none"] == 1
    assert cash.explain(key).confidence is Confidence.NONE
    with refused("bank_entry_unknown"):
        cash.explain(999_999)


def test_the_bank_takes_a_payment_back(ledger: Ledger) -> None:
    made = ledger.insight
    key = ledger.pay("6000", "A-1", name="Alpha Werke GmbH", end_to_end="E-77")
    cash.confirm(ledger.actor, ledger.id, key, proposal=0, on=made.today)
    back = ledger.pay("6000", "returned", end_to_end="E-77", direction="DBIT", is_reversal=True)
    reversal = ledger.entry(back)
    assert (reversal.state, reversal.reverses_id) == (EntryState.NOT_A_RECEIPT, key)
    with refused("bank_entry_no_receipt"):
        cash.set_aside(ledger.actor, ledger.id, back, note="")
    cash.take_back(ledger.actor, ledger.id, back, on=made.today)
    assert (ledger.open(made.overdue), ledger.covered(made.over_limit)) == (600_000, 400_000)
    assert (ledger.entry(key).state, ledger.entry(back).state) == (EntryState.SET_ASIDE, EntryState.MATCHED)
    for again, code in ((back, "bank_entry_decided"), (key, "bank_entry_no_receipt")):
        with refused(code):
            cash.take_back(ledger.actor, ledger.id, again, on=made.today)
    with refused("bank_entry_no_receipt"):
        cash.undo(ledger.actor, ledger.id, key, on=made.today)
    unknown = ledger.pay("1", "returned", direction="DBIT", is_reversal=True)
    with refused("reversed_entry_unknown"):
        cash.take_back(ledger.actor, ledger.id, unknown, on=made.today)


def test_an_amount_ordered_in_another_currency_settles_in_that_of_the_invoice(ledger: Ledger) -> None:
    made = ledger.insight
    key = ledger.pay("2500", "B-1", name="Beta Inc.", instructed=("5000", "USD"))
    assert ledger.entry(key).confidence is Confidence.CERTAIN
    cash.confirm_certain(ledger.actor, ledger.id, on=made.today)
    payment = db.session.scalars(select(Payment).where(Payment.number == f"BANK/{key}")).one()
    assert (ledger.open(made.without_limit), payment.amount_minor, payment.unapplied_minor) == (0, 250_000, 0)


def test_the_account_of_a_payer_is_learned(ledger: Ledger) -> None:
    made = ledger.insight
    first = ledger.pay("1000", "A-1 first part", account=PAYER)
    cash.confirm(ledger.actor, ledger.id, first, proposal=0, on=made.today)
    second = ledger.pay("8000", "no number", account=PAYER)
    found = ledger.entry(second)
    assert (found.confidence, found.buyer_id, found.proposals[0]["reasons"]) == (
        Confidence.LIKELY,
        made.alpha,
        ["payer_account_known", "exact_amount"],
    )
