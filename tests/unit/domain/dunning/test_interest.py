"""Interest that notices claim: the days, the amounts, and that no day is claimed twice."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.dunning import ChargedSpan, DunningLevel, InterestRule, LateInvoice, SetApart, calculate_spans

DUE = date(2026, 5, 31)
RULE = InterestRule(Decimal("8.15"), "contract", 365, DunningLevel.REMINDER_1)


def day(number: int) -> date:
    return DUE + timedelta(days=number)


def claimed(invoice: LateInvoice, until: int, after: int | None = None) -> list[tuple[int, int, int, int]]:
    """From, until and days counted from the due date, what bore interest, and the interest."""
    spans = calculate_spans(invoice, until_on=day(until), rule=RULE, claimed_until_on=None if after is None else day(after))
    assert all(span.days == (span.until_on - span.from_on).days > 0 for span in spans)
    return [((span.from_on - DUE).days, (span.until_on - DUE).days, span.principal_minor, span.interest_minor) for span in spans]


def test_interest_runs_from_the_day_after_the_due_date_on_what_was_open_each_day() -> None:
    open_still = LateInvoice("1", "EUR", DUE, 10_000_00)
    assert claimed(open_still, 21) == [(0, 21, 10_000_00, 46_89)]
    assert claimed(open_still, 0) == []
    assert claimed(open_still, -3) == []
    paid_late = LateInvoice("2", "EUR", DUE, 10_000_00, payments=((day(10), 4_000_00), (day(31), 6_000_00)))
    assert claimed(paid_late, 90) == [(0, 10, 10_000_00, 22_33), (10, 31, 6_000_00, 28_13)]
    paid_in_time = LateInvoice("3", "EUR", DUE, 10_000_00, payments=((day(-2), 4_000_00), (day(0), 6_000_00)))
    assert claimed(paid_in_time, 90) == []
    assert claimed(LateInvoice("4", "EUR", DUE, 1), 20) == [], "what comes to nothing is not asked for"


def test_what_was_claimed_before_is_not_claimed_again() -> None:
    invoice = LateInvoice("1", "EUR", DUE, 10_000_00, payments=((day(30), 10_000_00),))
    assert claimed(invoice, 21, after=10) == [(10, 21, 10_000_00, 24_56)]
    assert claimed(invoice, 21, after=21) == []
    assert claimed(invoice, 50, after=21) == [(21, 30, 10_000_00, 20_10)]
    assert claimed(invoice, 5, after=-8) == [(0, 5, 10_000_00, 11_16)], "interest never begins before the due date"


def test_what_is_disputed_bears_no_interest_meanwhile() -> None:
    disputed = LateInvoice("1", "EUR", DUE, 10_000_00, set_apart=(SetApart(4_000_00, day(5), day(15)),))
    assert [span[:3] for span in claimed(disputed, 20)] == [(0, 4, 10_000_00), (4, 14, 6_000_00), (14, 20, 10_000_00)]
    whole = LateInvoice("2", "EUR", DUE, 10_000_00, set_apart=(SetApart(11_000_00, day(5)),))
    assert claimed(whole, 20) == [(0, 4, 10_000_00, 8_93)]
    never = LateInvoice("3", "EUR", DUE, 10_000_00, set_apart=(SetApart(1_00, day(8), day(8)),))
    assert [span[:3] for span in claimed(never, 20)] == [(0, 20, 10_000_00)], "spans of the same amount are one"


def _parts(draw: st.DrawFn) -> LateInvoice:
    owed = draw(st.integers(0, 10_000_000))
    payments = tuple(
        (day(on), minor) for on, minor in draw(st.lists(st.tuples(st.integers(-20, 150), st.integers(1, 6_000_000)), max_size=4))
    )
    apart = [
        SetApart(minor, day(on), None if length is None else day(on + length))
        for on, minor, length in draw(
            st.lists(st.tuples(st.integers(-20, 150), st.integers(1, 6_000_000), st.none() | st.integers(0, 60)), max_size=3)
        )
    ]
    return LateInvoice("1", "EUR", DUE, owed, payments, tuple(apart))


invoices = st.composite(_parts)()
rules = st.builds(
    InterestRule,
    st.decimals("0.01", "100", places=2),
    st.just("contract"),
    st.sampled_from([360, 365]),
    st.just(DunningLevel.REMINDER_1),
)


@given(invoices, rules, st.lists(st.integers(-10, 160), max_size=5), st.integers(0, 170))
def test_notices_one_after_the_other_claim_what_one_at_the_end_claims(
    invoice: LateInvoice, rule: InterestRule, days: list[int], last: int
) -> None:
    one = calculate_spans(invoice, until_on=day(last), rule=rule)
    several: list[ChargedSpan] = []
    until: date | None = None
    for each in sorted({*(min(number, last) for number in days), last}):
        new = calculate_spans(invoice, until_on=day(each), rule=rule, claimed_until_on=until)
        assert until is None or all(span.from_on >= until for span in new), "no day is claimed twice"
        several += new
        until = new[-1].until_on if new else until
    charged = {span.from_on + timedelta(days=number + 1): span.principal_minor for span in several for number in range(span.days)}
    assert len(charged) == sum(span.days for span in several)
    at_once = {span.from_on + timedelta(days=number + 1): span.principal_minor for span in one for number in range(span.days)}
    assert charged.items() <= at_once.items() or not one
    left = sum(minor for on, minor in at_once.items() if on not in charged)
    rounding = Decimal(len(one) + len(several)) / 2
    exact = Decimal(left) * rule.annual_rate / 100 / rule.day_count
    assert exact <= rounding, "what is left to claim comes to nothing"
    assert abs(sum(span.interest_minor for span in one) - sum(span.interest_minor for span in several)) <= rounding + exact


@given(invoices, rules, st.integers(0, 170))
def test_each_day_bears_interest_on_what_was_open_that_day(invoice: LateInvoice, rule: InterestRule, last: int) -> None:
    spans = calculate_spans(invoice, until_on=day(last), rule=rule)
    charged = {span.from_on + timedelta(days=number + 1): span.principal_minor for span in spans for number in range(span.days)}
    if spans:
        assert charged == {
            day(number): invoice.principal_on(day(number)) for number in range(1, last + 1) if invoice.principal_on(day(number))
        }
        assert all(0 < minor <= invoice.owed_minor for minor in charged.values())
