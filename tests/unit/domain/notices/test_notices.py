"""Papers for the insurer: what they state adds up, what they lack is said, and they go one way through their life."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.notices import (
    BLOCKING,
    Administrator,
    AdverseKind,
    ConsentNeed,
    Intervention,
    InvoiceStanding,
    NoticeAction,
    NoticeCheck,
    NoticeKind,
    NoticeLine,
    NoticeState,
    PaperToCheck,
    Particulars,
    PlanLine,
    ProceedingKind,
    ReasonForNonPayment,
    calculate_totals,
    check_paper,
    find_highest_overdue,
    find_oldest_overdue,
    judge_new_due_date,
    judge_plan,
    next_notice_state,
    parse_particulars,
    particulars_to_mapping,
    planned_lines,
    possible_actions,
    state_line,
    state_lines,
)

ON = date(2026, 6, 30)
_AMOUNT = st.integers(0, 10**12)


def standing(number: str = "1", **changes: object) -> InvoiceStanding:
    known = InvoiceStanding(
        invoice_id=1,
        entity_code="SE01",
        number=number,
        currency="EUR",
        invoice_on=date(2026, 3, 1),
        shipment_on=date(2026, 3, 1),
        original_due_on=date(2026, 3, 31),
        due_on=date(2026, 3, 31),
        gross=10_000,
        ledger_open=10_000,
        disputed=0,
        open_minor=10_000,
        covered_minor=10_000,
    )
    return replace(known, **changes)


def line(number: str = "1", **changes: object) -> NoticeLine:
    return replace(state_line(standing(number)), **changes)


@st.composite
def standings(draw: st.DrawFn) -> InvoiceStanding:
    parts = [draw(_AMOUNT) for _ in range(5)]
    covered, excluded, vat, disputed, over = parts
    due = ON + timedelta(days=draw(st.integers(-400, 200)))
    ledger_open = draw(_AMOUNT)
    return standing(
        draw(st.text("0123456789", min_size=1, max_size=6)),
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD", "SEK"])),
        original_due_on=due,
        due_on=due,
        gross=ledger_open,
        ledger_open=ledger_open,
        disputed=draw(_AMOUNT),
        open_minor=sum(parts),
        covered_minor=covered,
        excluded_minor=excluded,
        excluded_reason="no_limit" if excluded else None,
        vat_minor=vat,
        disputed_minor=disputed,
        over_limit_minor=over,
    )


@given(st.lists(standings(), max_size=12))
def test_the_totals_are_the_sums_of_the_lines_and_the_parts_are_the_whole(found: list[InvoiceStanding]) -> None:
    lines = state_lines(found)
    totals = {total.currency: total for total in calculate_totals(lines, ON)}
    assert sum(total.invoices for total in totals.values()) == len(lines) == sum(each.ledger_open > 0 for each in found)
    for each in lines:
        assert 0 <= each.insured <= each.open
        assert each.insured + each.uninsured == each.open
        assert 0 <= each.disputed <= each.open
    for currency, total in totals.items():
        of_it = [each for each in found if each.currency == currency]
        assert total.open == sum(each.ledger_open for each in of_it) == total.insured + total.uninsured == total.overdue + total.not_due
        assert total.overdue == sum(each.ledger_open for each in of_it if each.original_due_on < ON)
        assert total.disputed == sum(each.disputed for each in lines if each.currency == currency)
    oldest = find_oldest_overdue(lines, ON)
    assert (oldest is None) == (not any(total.overdue for total in totals.values()))
    assert oldest is None or oldest.original_due_on == min(each.original_due_on for each in lines)
    for money in find_highest_overdue(lines, ON):
        assert money.minor == max(each.open for each in lines if each.currency == money.currency and each.is_overdue(ON))


def test_what_is_not_insured_says_the_largest_reason() -> None:
    assert state_line(standing()).uninsured_reason == ""
    over = standing(covered_minor=4_000, over_limit_minor=4_500, vat_minor=1_500)
    assert (state_line(over).insured, state_line(over).uninsured_reason) == (4_000, "over_limit")
    excluded = standing(covered_minor=0, excluded_minor=10_000, excluded_reason="shipped_while_stopped")
    assert (state_line(excluded).insured, state_line(excluded).uninsured_reason) == (0, "shipped_while_stopped")
    # The policy counts a payment on this invoice that the ledger puts elsewhere: nothing of it is insured, and nothing says why.
    settled = standing(open_minor=0, covered_minor=0)
    assert (state_line(settled).insured, state_line(settled).uninsured_reason) == (0, "")
    # Two thirds of 100 minor units, in a currency other than that of the limit.
    assert state_line(standing(ledger_open=100, open_minor=3_000, covered_minor=2_000, over_limit_minor=1_000)).insured == 67


def test_lines_come_oldest_first_and_due_means_that_the_day_is_over() -> None:
    late, today = standing("2"), standing("1", original_due_on=ON)
    lines = state_lines([today, late, standing("3", ledger_open=0)])
    assert [each.number for each in lines] == ["2", "1"]
    assert [each.is_overdue(ON) for each in lines] == [True, False]
    assert find_oldest_overdue(lines[1:], ON) is None
    assert find_highest_overdue(lines[1:], ON) == ()


def paper(kind: NoticeKind = NoticeKind.NON_PAYMENT, **changes: object) -> PaperToCheck:
    good = PaperToCheck(
        kind=kind,
        lines=(line(),),
        particulars=Particulars(),
        reason=ReasonForNonPayment.CASH_FLOW,
        comment="",
        deadline_on=ON,
        has_insurer_number=True,
        has_contact=True,
    )
    return replace(good, **changes)


@pytest.mark.parametrize(
    ("wrong", "checks"),
    [
        (paper(), ()),
        (paper(lines=()), (NoticeCheck.NO_INVOICES,)),
        (paper(deadline_on=ON - timedelta(days=1)), (NoticeCheck.DEADLINE_PASSED,)),
        (paper(deadline_on=None), ()),
        (paper(lines=(line(original_due_on=ON),)), (NoticeCheck.NOTHING_OVERDUE,)),
        (paper(reason=ReasonForNonPayment.UNKNOWN), (NoticeCheck.REASON_MISSING,)),
        (paper(reason=ReasonForNonPayment.UNKNOWN, comment="They do not answer."), ()),
        (paper(lines=(line(disputed=1),)), (NoticeCheck.DISPUTE_UNDECLARED,)),
        (paper(lines=(line(disputed=1),), reason=ReasonForNonPayment.DISPUTE), ()),
        (paper(lines=(line(disputed=1),), particulars=Particulars(dispute="Wrong colour")), ()),
        (paper(has_insurer_number=False), (NoticeCheck.INSURER_NUMBER_MISSING,)),
        (paper(has_contact=False), (NoticeCheck.CONTACT_MISSING,)),
        (paper(has_moved=True, has_unmatched_money=True), (NoticeCheck.LEDGER_MOVED, NoticeCheck.MONEY_UNMATCHED)),
        (paper(NoticeKind.EXTENSION), (NoticeCheck.NEW_DUE_DATE_MISSING,)),
        (paper(NoticeKind.EXTENSION, lines=(line(new_due_on=date(2026, 3, 31)),)), (NoticeCheck.NEW_DUE_DATE_NOT_LATER,)),
        (paper(NoticeKind.EXTENSION, lines=(line(new_due_on=date(2026, 4, 1)), line("2"))), ()),
        (
            paper(NoticeKind.EXTENSION, lines=(line(new_due_on=date(2026, 4, 1)),), new_terms_forbidden=True),
            (NoticeCheck.NEW_TERMS_FORBIDDEN,),
        ),
        (paper(NoticeKind.RESCHEDULING), (NoticeCheck.PLAN_MISSING,)),
        (paper(NoticeKind.RESCHEDULING, particulars=Particulars(plan=(PlanLine(due_on=ON, amount=Money(9_999, "EUR")),))), (NoticeCheck.PLAN_DIFFERS,)),
        (paper(NoticeKind.RESCHEDULING, particulars=Particulars(plan=(PlanLine(due_on=ON, amount=Money(10_000, "EUR")),))), ()),
        (paper(NoticeKind.ADVERSE_INFORMATION), (NoticeCheck.ADVERSE_KIND_MISSING, NoticeCheck.KNOWN_ON_MISSING)),
        (paper(NoticeKind.ADVERSE_INFORMATION, lines=(), particulars=Particulars(adverse=(AdverseKind.REPUTATION,), known_on=ON)), ()),
        (
            paper(NoticeKind.INSOLVENCY),
            (NoticeCheck.INSOLVENCY_DAY_MISSING, NoticeCheck.PROCEEDING_MISSING, NoticeCheck.ADMINISTRATOR_MISSING),
        ),
        (
            paper(
                NoticeKind.INSOLVENCY,
                particulars=Particulars(opened_on=ON, proceeding=ProceedingKind.BANKRUPTCY, administrator=Administrator(name="Dr. Lang")),
            ),
            (),
        ),
    ],
)  # fmt: skip
def test_what_a_paper_lacks_is_said_and_what_keeps_it_back_comes_first(wrong: PaperToCheck, checks: tuple[NoticeCheck, ...]) -> None:
    found = check_paper(wrong, ON)
    assert found == checks
    kept_back = [check in BLOCKING for check in found]
    assert kept_back == sorted(kept_back, reverse=True)


def test_a_plan_is_for_the_invoices_it_names() -> None:
    both = (line("1"), line("2"))
    assert planned_lines(both, Particulars()) == both
    assert [each.number for each in planned_lines(both, Particulars(plan_invoices=("2",)))] == ["2"]


def test_a_later_due_date_is_free_until_the_end_of_the_maximum_extension_period() -> None:
    end = date(2026, 5, 30)
    assert judge_new_due_date(end, end) is ConsentNeed.INFORMATION_ONLY
    assert judge_new_due_date(end, end + timedelta(days=1)) is ConsentNeed.CONSENT_NEEDED
    assert judge_new_due_date(None, end) is ConsentNeed.CONSENT_NEEDED
    assert judge_new_due_date(end, end, new_terms_forbidden=True) is ConsentNeed.CONSENT_NEEDED
    first, last = (PlanLine(due_on=day, amount=Money(1, "EUR")) for day in (end, end + timedelta(days=1)))
    assert judge_plan(end, (first,)) is ConsentNeed.INFORMATION_ONLY
    assert judge_plan(end, (first, last)) is ConsentNeed.CONSENT_NEEDED


def test_particulars_are_kept_whole() -> None:
    assert particulars_to_mapping(Particulars()) == {}
    assert parse_particulars({}) == Particulars()
    whole = Particulars(
        oldest_due_on=ON,
        extension_end_on=ON,
        last_demand_on=ON,
        intervention=Intervention.COLLECTION,
        dispute="Wrong colour",
        dispute_raised_on=ON,
        requested_on=ON,
        plan=(PlanLine(due_on=ON, amount=Money(5, "KWD")),),
        plan_invoices=("7", "8"),
        plan_id=3,
        adverse=(AdverseKind.LEGAL_ACTION, AdverseKind.OTHER),
        known_on=ON,
        happened_on=ON,
        source="Gazette",
        proceeding=ProceedingKind.COMPOSITION,
        opened_on=ON,
        court="Amtsgericht",
        case_number="12 IN 4/26",
        administrator=Administrator(name="Dr. Lang", city="Köln", country="DE"),
        lodge_by=ON,
    )
    assert parse_particulars(particulars_to_mapping(whole)) == whole


def test_the_life_of_a_paper_has_one_way() -> None:
    state = NoticeState.DRAFT
    for action in (NoticeAction.CHANGE, NoticeAction.APPROVE, NoticeAction.HAND_OVER, NoticeAction.DELIVER, NoticeAction.FAIL):
        state = next_notice_state(state, action)
    assert state is NoticeState.FAILED
    assert possible_actions(state) == {NoticeAction.HAND_OVER, NoticeAction.DELIVER, NoticeAction.REOPEN, NoticeAction.CANCEL}
    assert possible_actions(NoticeState.CANCELLED) == frozenset()
    with pytest.raises(Refusal) as refused:
        next_notice_state(NoticeState.SENT, NoticeAction.CHANGE)
    assert refused.value.code == "notice_cannot"
