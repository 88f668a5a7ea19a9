"""May I ship: never more than booking the invoice would give, and every remedy keeps its promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from support.ship_questions import ON, account, held, invoice, limit, shipment

from insureflow.domain.cover import (
    Account,
    Consent,
    Event,
    Layer,
    LimitWithdrawal,
    Payment,
    StopCover,
    StopCoverLifted,
    replay,
)
from insureflow.domain.limits import (
    ProposedShipment,
    RemedyKind,
    Reservation,
    ShipVerdict,
    ask_to_ship,
)
from insureflow.domain.periods import PaymentTerms

in_spring = st.dates(date(2025, 12, 1), date(2026, 4, 10))
amounts = st.integers(1, 900)
limits = st.one_of(
    st.builds(lambda on, amount, layer: limit(amount, on, layer), in_spring, st.integers(0, 1000), st.sampled_from(Layer)),
    st.builds(LimitWithdrawal, in_spring, st.sampled_from(Layer)),
)
money = st.builds(lambda on, amount: Payment(on, amount, "EUR"), in_spring, amounts)
stops = st.one_of(st.builds(StopCover, in_spring), st.builds(StopCoverLifted, in_spring))
booked = st.builds(lambda on, net, days, vat: (on, net, days, vat), in_spring, amounts, st.integers(0, 70), st.integers(0, 90))


@st.composite
def happenings(draw: st.DrawFn) -> list[Event]:
    rows = draw(st.lists(booked, max_size=5))
    invoices = [invoice(f"I{position}", net, on, days, vat) for position, (on, net, days, vat) in enumerate(rows)]
    return [*draw(st.lists(limits, max_size=4)), *invoices, *draw(st.lists(money, max_size=3)), *draw(st.lists(stops, max_size=1))]


terms_of_policies = st.sampled_from(
    [
        account(layers={"top_up": {}}),
        account(layers={"top_up": {"follows_primary": False}}, vat_covered=True, allocation={"order": "invoice_date"}),
        account(layers={"top_up": {}}, stop_cover={"basis": "total", "minimum_overdue_amount": "2.00", "blocks_roll_in": False}),
        account(layers={"top_up": {}}, allocation={"roll_in_under_reduced_limit": False, "partial_payment_reduces": "pro_rata"}),
    ]
)
shipments = st.builds(
    lambda later, amount, days, vat: shipment(amount, ON + timedelta(days=later), PaymentTerms(days), vat=vat),
    st.integers(0, 30),
    amounts,
    st.integers(0, 80),
    st.integers(0, 90),
)
reserved_lists = st.lists(
    st.builds(lambda name, amount, days: held(name, amount, days=days), st.sampled_from("PQRS"), amounts, st.integers(0, 70)),
    max_size=2,
    unique_by=lambda each: each.id,
)


def booked_on(account_: Account, events: Sequence[Event], asked: ProposedShipment) -> tuple[int, int]:
    """What is covered and not covered of the invoice once it is really booked."""
    segment = replay(account_, [*events, asked.invoice("NEW")]).on(asked.on).invoices["NEW"]
    return segment.covered, segment.uncovered


@settings(max_examples=250)
@given(account_=terms_of_policies, events=happenings(), asked=shipments, reserved=reserved_lists)
def test_the_answer_is_what_booking_the_invoice_gives(
    account_: Account, events: list[Event], asked: ProposedShipment, reserved: list[Reservation]
) -> None:
    answer = ask_to_ship(account_, events, asked, ON)
    assert (answer.covered.minor, answer.uncovered.minor) == booked_on(account_, events, asked)
    assert answer.covered + answer.uncovered == answer.amount
    assert sum(amount for _reason, amount in answer.reasons) == answer.uncovered.minor
    assert (answer.verdict is ShipVerdict.COVERED) is (not answer.remedies)
    with_reservations = ask_to_ship(account_, events, asked, ON, reservations=reserved)
    assert with_reservations.covered.minor + with_reservations.credit_used.minor <= answer.covered.minor + answer.credit_used.minor
    for remedy in answer.remedies:
        assert remedy.covered_after >= answer.covered or remedy.kind is RemedyKind.SHIP_LESS
        assert remedy.amount is None or remedy.amount.minor > 0


@settings(max_examples=150)
@given(account_=terms_of_policies, events=happenings(), asked=shipments)
def test_a_remedy_keeps_its_promise(account_: Account, events: list[Event], asked: ProposedShipment) -> None:
    for remedy in ask_to_ship(account_, events, asked, ON).remedies:
        if remedy.together_with is not None or remedy.kind is RemedyKind.PREPAYMENT:
            continue
        happened, shipped = list(events), asked
        if remedy.kind in {RemedyKind.PAY_DOWN, RemedyKind.PAY_OVERDUE}:
            assert remedy.amount is not None
            happened.append(Payment(asked.on, remedy.amount.minor, "EUR"))
        elif remedy.kind is RemedyKind.SHIP_LESS:
            assert remedy.amount is not None
            answer = ask_to_ship(account_, events, replace(asked, amount=remedy.amount.minor, vat=0), ON)
            assert answer.covered >= remedy.covered_after
            assert asked.vat or answer.covered + answer.credit_used == remedy.amount
            continue
        elif remedy.kind is RemedyKind.SHORTEN_TERMS:
            shipped = replace(asked, terms=PaymentTerms(remedy.days or 0))
        elif remedy.kind is RemedyKind.WAIT:
            shipped = replace(asked, on=remedy.on or ON)
            happened = [event for event in events if event.on <= asked.on]
        elif remedy.kind is RemedyKind.LIFT_STOP:
            happened.append(StopCoverLifted(asked.on))
        elif remedy.kind is RemedyKind.ASK_CONSENT:
            happened.append(Consent(asked.on))
        else:
            assert remedy.amount is not None
            layer = Layer.TOP_UP if remedy.kind is RemedyKind.REQUEST_TOP_UP else Layer.PRIMARY
            before = replay(account_, events, until=asked.on).on(asked.on).account.limit(layer)
            happened.append(limit(before + remedy.amount.minor, asked.on, layer))
        covered, uncovered = booked_on(account_, happened, shipped)
        assert (covered, uncovered == 0) == (remedy.covered_after.minor, remedy.is_sufficient)
