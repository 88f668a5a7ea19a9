"""Deadlines and duties: what the shared worked examples do not say, traces, monotonicity, the duties calendar."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import Refusal
from insureflow.domain.obligations import (
    DiscretionaryEvidence,
    Facts,
    LimitInForce,
    Obligation,
    ObligationKind,
    ObligationStatus,
    OpenItem,
    UnpaidInvoice,
    calculate_deadlines,
    calculate_invoice_deadlines,
    calculate_maximum_extension_end,
    calculate_obligations,
    calculate_policy_obligations,
    find_end,
    latest_due_on,
    status_on,
)
from insureflow.domain.periods import MONDAY_TO_FRIDAY, BusinessCalendar, Period, PeriodUnit, StartingDay
from insureflow.domain.policies import (
    Cause,
    LimitConditions,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    PolicyTerms,
    parse_terms,
)
from insureflow.domain.trace import Trace

TERMS = parse_terms(
    {
        "currency": "EUR",
        "period": {"from": "2026-01-01", "to": "2026-12-31"},
        "maximum_credit_terms": {"days": 60},
        "maximum_invoicing_period": {"days": 30},
        "maximum_extension_period": {"days": 60},
        "overdue_notification": {"days": 30},
        "adverse_information": {"business_days": 10},
        "waiting_period": {"protracted_default": {"months": 6, "from": "due_date"}, "insolvency": {"days": 0, "from": "event"}},
        "claim_filing": {"months": 12, "from": "due_date", "not_before": {"months": 3, "from": "due_date"}},
        "examination": {"business_days": 20, "from": "documents_complete"},
        "payment": {"earlier_of": [{"days": 5, "from": "decision"}, {"months": 3, "from": "date_of_loss"}]},
        "country_schedule": {
            "BR": {"maximum_extension_period": {"days": 30}, "waiting_period": {"protracted_default": {"months": 8, "from": "due_date"}}}
        },
    }
)


def invoice(name: str = "A", due_on: date = date(2026, 3, 1), **more: Any) -> UnpaidInvoice:
    return UnpaidInvoice(
        name, more.pop("invoice_on", due_on - timedelta(days=30)), more.pop("shipment_on", due_on - timedelta(days=30)), due_on, **more
    )


# --- deadlines ----------------------------------------------------------------------------------------------------------


def test_the_conditions_of_a_limit_come_before_country_and_policy():
    conditions = LimitConditions(maximum_credit_terms=MaximumCreditTerms(14), maximum_extension_period=MaximumExtensionPeriod(days=10))
    deadlines = calculate_invoice_deadlines(TERMS, invoice(conditions=conditions), country="BR")
    assert deadlines.maximum_extension_period_end == date(2026, 3, 11)
    assert deadlines.credit_terms_within_maximum is False
    bases = {step.name: step.basis for step in deadlines.trace}
    assert bases["maximum_extension_period_end"] == "limit.maximum_extension_period"
    assert bases["credit_terms_within_maximum"] == "limit.maximum_credit_terms"


def test_each_date_has_a_step_that_names_its_clause():
    facts = Facts(notified_on=date(2026, 5, 1), documents_complete_on=date(2026, 9, 1), adverse_information_on=date(2026, 4, 1))
    deadlines = calculate_deadlines(TERMS, [invoice()], country="BR", facts=facts)
    steps = {step.name: step for step in deadlines.trace}
    extension = steps["maximum_extension_period_end"]
    assert extension.basis == "country_schedule.BR.maximum_extension_period"
    assert extension.formula == "start_plus_days"
    assert extension.inputs == (("start", date(2026, 3, 1)), ("from", "due_date"), ("days", 30))
    assert extension.result == deadlines.last_shipment_before_stop == date(2026, 3, 31)
    assert steps["date_of_loss"].result == deadlines.date_of_loss == date(2026, 11, 1)
    assert steps["date_of_loss"].basis == "country_schedule.BR.waiting_period.protracted_default"
    assert steps["overdue_notification_deadline"].basis == "policy.overdue_notification"
    assert steps["notification_in_time"].result is deadlines.notification_in_time is False
    assert steps["claim_earliest"].basis == "policy.claim_filing.not_before"
    assert steps["decision_deadline"].result == date(2026, 9, 29)
    assert steps["payment_deadline.earlier_of"].basis == "policy.payment.earlier_of[1]"
    assert steps["payment_deadline"].inputs == (("earlier_of[0]", date(2026, 10, 4)), ("earlier_of[1]", date(2027, 2, 1)))
    assert steps["payment_deadline"].result == date(2026, 10, 4)
    assert steps["adverse_information_deadline"].result == date(2026, 4, 15)
    assert steps["claim_in_time"].result is None
    assert deadlines.trace.to_list()[0]["result"] == "A"


def test_the_oldest_invoice_decides_and_every_invoice_has_its_own_dates():
    young, old = invoice("young", date(2026, 4, 1)), invoice("old", date(2026, 2, 1))
    deadlines = calculate_deadlines(TERMS, [young, old])
    assert deadlines.oldest_invoice == "old"
    assert deadlines.stop_from == date(2026, 4, 3)
    assert [each.date_of_loss for each in deadlines.invoices] == [date(2026, 10, 1), date(2026, 8, 1)]
    assert deadlines.oldest is deadlines.invoices[1]
    assert deadlines.cause_of_loss is Cause.PROTRACTED_DEFAULT


def test_no_invoice_no_deadline():
    with pytest.raises(Refusal, match="no_invoices"):
        calculate_deadlines(TERMS, [])


def test_without_clauses_nothing_is_determined_but_the_due_date():
    deadlines = calculate_deadlines(PolicyTerms(), [invoice()], facts=Facts(notified_on=date(2026, 5, 1), claim_filed_on=date(2026, 6, 1)))
    oldest = deadlines.oldest
    assert oldest.due_on == date(2026, 3, 1)
    assert (oldest.maximum_extension_period_end, oldest.stop_from, oldest.overdue_notification_deadline) == (None, None, None)
    assert (deadlines.notification_in_time, deadlines.claim_in_time, deadlines.date_of_loss, deadlines.cause_of_loss) == (
        None,
        None,
        None,
        None,
    )
    assert latest_due_on(PolicyTerms(), None, invoice()) is None
    assert calculate_maximum_extension_end(PolicyTerms(), None, invoice()) is None


def test_a_waiting_period_may_run_from_the_decision_or_its_deadline():
    terms = parse_terms(
        {
            "waiting_period": {"protracted_default": {"months": 1, "from": "decision"}},
            "examination": {"days": 10, "from": "documents_complete"},
        }
    )
    complete = Facts(documents_complete_on=date(2026, 5, 1))
    assert calculate_deadlines(terms, [invoice()], facts=complete).date_of_loss == date(2026, 6, 11)
    decided = replace(complete, decided_on=date(2026, 5, 4))
    assert calculate_deadlines(terms, [invoice()], facts=decided).date_of_loss == date(2026, 6, 4)


def test_a_loss_cannot_wait_for_itself():
    terms = parse_terms({"waiting_period": {"insolvency": {"months": 1, "from": "date_of_loss"}}})
    facts = Facts(events={Cause.INSOLVENCY: date(2026, 5, 1)})
    assert calculate_deadlines(terms, [invoice()], facts=facts).date_of_loss is None


def test_the_event_of_the_cause_of_loss_counts_after_the_loss():
    terms = parse_terms({"waiting_period": {"political": {"months": 4, "from": "event"}}, "claim_filing": {"days": 30, "from": "event"}})
    facts = Facts(events={Cause.POLITICAL: date(2026, 1, 31), Cause.REPUDIATION: date(2026, 12, 1)})
    deadlines = calculate_deadlines(terms, [invoice()], facts=facts)
    assert deadlines.oldest.waiting_period_ends == {
        Cause.PROTRACTED_DEFAULT: None,
        Cause.POLITICAL: date(2026, 5, 31),
        Cause.REPUDIATION: date(2026, 12, 1),
    }
    assert deadlines.oldest.claim_latest.on == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("filed_on", "expected"),
    [(None, None), (date(2026, 5, 31), False), (date(2026, 6, 1), True), (date(2027, 3, 1), True), (date(2027, 3, 2), False)],
)
def test_a_claim_is_in_time_within_its_window(filed_on: date | None, expected: bool | None):
    assert calculate_deadlines(TERMS, [invoice()], facts=Facts(claim_filed_on=filed_on)).claim_in_time is expected


def test_the_later_of_two_days_is_unknown_until_both_are_known():
    rule = parse_terms(
        {"payment": {"later_of": [{"days": 5, "from": "decision"}, {"business_days": 5, "from": "documents_complete"}]}}
    ).payment
    first, second = date(2026, 6, 1), date(2026, 6, 5)
    known = find_end("x", rule, {StartingDay.DECISION: first, StartingDay.DOCUMENTS_COMPLETE: second}, MONDAY_TO_FRIDAY, "policy.payment")
    assert (known.on, known.unit) == (date(2026, 6, 12), PeriodUnit.BUSINESS_DAYS)
    half = find_end("x", rule, {StartingDay.DECISION: first}, MONDAY_TO_FRIDAY, "policy.payment")
    assert (half.on, half.unit) == (None, PeriodUnit.DAYS)


def test_an_end_without_rule_or_start():
    assert find_end("x", None, {}, MONDAY_TO_FRIDAY, "policy.x").trace == Trace()
    end = find_end("x", Period(PeriodUnit.DAYS, 5), {}, MONDAY_TO_FRIDAY, "policy.x")
    assert end.on is None
    assert [step.result for step in end.trace] == [None]


DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
CALENDARS = st.builds(BusinessCalendar, holidays=st.frozensets(DAYS, max_size=30))
LENGTH = st.integers(0, 300)
UNIT = st.sampled_from(["days", "months", "business_days"])


@given(DAYS, st.integers(0, 200), CALENDARS, UNIT, st.integers(0, 24), UNIT, st.integers(0, 24))
def test_a_later_due_date_never_brings_a_deadline_forward(
    due_on: date, later: int, calendar: BusinessCalendar, notice_unit: str, notice: int, waiting_unit: str, waiting: int
):
    terms = parse_terms(
        {
            "maximum_extension_period": {"months": 2},
            "overdue_notification": {notice_unit: notice, "from": "maximum_extension_period_breach"},
            "waiting_period": {"protracted_default": {waiting_unit: waiting, "from": "due_date"}},
            "claim_filing": {"days": 90, "from": "date_of_loss"},
            "payment": {"later_of": [{"business_days": 5, "from": "date_of_loss"}, {"days": 3, "from": "maximum_extension_period_end"}]},
        }
    )
    earlier = calculate_invoice_deadlines(terms, invoice(due_on=due_on), calendar=calendar)
    postponed = calculate_invoice_deadlines(terms, invoice(due_on=due_on + timedelta(days=later)), calendar=calendar)
    for name in ("maximum_extension_period_end", "stop_from", "overdue_notification_deadline", "date_of_loss"):
        assert getattr(earlier, name) <= getattr(postponed, name)
    assert earlier.claim_latest.on is not None
    assert postponed.claim_latest.on is not None
    assert earlier.claim_latest.on <= postponed.claim_latest.on
    assert earlier.payment.on is not None
    assert postponed.payment.on is not None
    assert earlier.payment.on <= postponed.payment.on


@given(st.lists(DAYS, min_size=1, max_size=8))
def test_the_account_has_the_dates_of_its_oldest_invoice_whatever_the_order(due: list[date]):
    invoices = [invoice(str(position), day) for position, day in enumerate(due)]
    deadlines = calculate_deadlines(TERMS, invoices)
    assert deadlines.oldest.due_on == min(due)
    backwards = calculate_deadlines(TERMS, invoices[::-1])
    assert (backwards.stop_from, backwards.date_of_loss) == (deadlines.stop_from, deadlines.date_of_loss)
    assert all(
        each.stop_from is not None and deadlines.stop_from is not None and each.stop_from >= deadlines.stop_from
        for each in deadlines.invoices
    )


# --- duties -------------------------------------------------------------------------------------------------------------


def duties(found: tuple[Obligation, ...]) -> list[tuple[str, str | None, date]]:
    return [(str(each.kind), each.subject, each.due_on) for each in found]


def test_the_duties_of_one_overdue_account():
    items = [
        OpenItem(invoice("A", date(2026, 3, 1)), 10_000),
        OpenItem(invoice("B", date(2026, 4, 1)), 5_000),
        OpenItem(invoice("paid"), 0),
    ]
    facts = Facts(adverse_information_on=date(2026, 4, 1), documents_complete_on=date(2026, 9, 1))
    assert duties(calculate_obligations(TERMS, items, facts=facts)) == [
        ("send_reminder", "A", date(2026, 3, 2)),
        ("report_adverse_information", None, date(2026, 4, 15)),
        ("stop_shipments", "A", date(2026, 4, 30)),
        ("notify_overdue", "A", date(2026, 5, 30)),
        ("notify_overdue", "B", date(2026, 6, 30)),
        ("expected_date_of_loss", "A", date(2026, 9, 1)),
        ("expected_decision", "A", date(2026, 9, 29)),
        ("expected_payment", "A", date(2026, 10, 4)),
        ("file_claim", "A", date(2027, 3, 1)),
    ]


def test_duties_of_one_day_come_in_the_order_of_their_kind_and_subject():
    items = [OpenItem(invoice(name, date(2026, 3, 1)), 1) for name in ("B", "A", "C")]
    found = calculate_obligations(parse_terms({"overdue_notification": {"days": 1, "from": "due_date"}}), items)
    assert [(str(each.kind), each.subject) for each in found] == [("send_reminder", "B"), *(("notify_overdue", name) for name in "ABC")]


def test_an_account_has_one_reminder_to_send_at_a_time():
    """One sent names everything that was due before its day; the next one is for what has fallen due since."""
    first, second, third = (
        OpenItem(invoice(name, due_on), 1) for name, due_on in (("A", date(2026, 3, 1)), ("B", date(2026, 4, 1)), ("C", date(2026, 4, 11)))
    )

    def reminders(*items: OpenItem) -> list[tuple[str | None, date, date | None]]:
        found = calculate_obligations(PolicyTerms(), items)
        return [(each.subject, each.due_on, each.done_on) for each in found if each.kind is ObligationKind.SEND_REMINDER]

    assert reminders(second, first, third) == [("A", date(2026, 3, 2), None)]
    sent = replace(first, reminded_on=date(2026, 4, 11))
    assert reminders(sent, second, third) == [("A", date(2026, 3, 2), date(2026, 4, 11)), ("C", date(2026, 4, 12), None)]
    assert reminders(sent, second) == [("A", date(2026, 3, 2), date(2026, 4, 11))]
    waived = replace(first, is_reminder_waived=True)
    assert reminders(waived, second, third) == [("A", date(2026, 3, 2), None), ("B", date(2026, 4, 2), None)]


def test_units_clauses_and_what_the_facts_say_is_done():
    facts = Facts(
        notified_on=date(2026, 5, 20),
        adverse_information_on=date(2026, 4, 1),
        documents_complete_on=date(2026, 9, 1),
        claim_filed_on=date(2026, 9, 2),
        decided_on=date(2026, 9, 9),
        events={Cause.INSOLVENCY: date(2026, 6, 15)},
    )
    late = OpenItem(invoice("B", date(2026, 6, 1)), 1, reminded_on=date(2026, 6, 3))
    noted = OpenItem(invoice("C", date(2026, 6, 2)), 1, notified_on=date(2026, 6, 20))
    found = calculate_obligations(TERMS, [OpenItem(invoice(), 10_000), late, noted], country="BR", facts=facts)
    by_kind = {(each.kind, each.subject): each for each in found}
    adverse = by_kind[ObligationKind.REPORT_ADVERSE_INFORMATION, None]
    assert (adverse.unit, adverse.basis) == ("business", "policy.adverse_information")
    stop = by_kind[ObligationKind.STOP_SHIPMENTS, "A"]
    assert (stop.unit, stop.basis, stop.due_on) == ("calendar", "country_schedule.BR.maximum_extension_period", date(2026, 3, 31))
    assert [step.name for step in stop.trace] == ["maximum_extension_period_end", "stop_shipments"]
    assert by_kind[ObligationKind.NOTIFY_OVERDUE, "A"].done_on == date(2026, 5, 20)
    assert by_kind[ObligationKind.NOTIFY_OVERDUE, "B"].done_on is None, "the account was notified before this invoice was due"
    assert by_kind[ObligationKind.NOTIFY_OVERDUE, "C"].done_on == date(2026, 6, 20)
    assert by_kind[ObligationKind.SEND_REMINDER, "B"].done_on == date(2026, 6, 3)
    proof = by_kind[ObligationKind.FILE_PROOF_OF_DEBT, None]
    assert (proof.due_on, proof.basis) == (date(2026, 6, 15), "duty.proof_of_debt")
    loss = by_kind[ObligationKind.EXPECTED_DATE_OF_LOSS, "A"]
    assert (loss.due_on, loss.basis) == (date(2026, 6, 15), "policy.waiting_period.insolvency")
    assert by_kind[ObligationKind.FILE_CLAIM, "A"].done_on == date(2026, 9, 2)
    assert by_kind[ObligationKind.EXPECTED_DECISION, "A"].done_on == date(2026, 9, 9)
    assert by_kind[ObligationKind.EXPECTED_DECISION, "A"].unit == "business"
    assert all(len(each.trace) > 0 for each in found)


def test_a_policy_without_clauses_leaves_the_reminder():
    assert duties(calculate_obligations(PolicyTerms(), [OpenItem(invoice(), 1)])) == [("send_reminder", "A", date(2026, 3, 2))]
    assert calculate_obligations(TERMS, []) == ()


def test_up_to_the_threshold_nothing_needs_to_be_notified():
    terms = replace(TERMS, overdue_notification_threshold=10_000)
    first, second = OpenItem(invoice("A"), 6_000), OpenItem(invoice("B", date(2026, 5, 29)), 999_999, open_policy_minor=4_001)
    after = OpenItem(invoice("C", date(2026, 5, 30)), 50_000)

    def notified(*items: OpenItem) -> list[str | None]:
        return [each.subject for each in calculate_obligations(terms, items) if each.kind is ObligationKind.NOTIFY_OVERDUE]

    assert notified(first) == []
    assert notified(first, replace(second, open_policy_minor=4_000)) == []
    assert notified(first, second) == ["A", "B"]
    assert notified(first, after) == ["C"], "what falls due on the deadline is not overdue on it"


@pytest.mark.parametrize(
    ("stop_cover", "expected"),
    [
        ({}, ("A", date(2026, 4, 30))),
        ({"automatic": False}, None),
        ({"minimum_overdue_amount": 100}, ("B", date(2026, 5, 31))),
        ({"minimum_overdue_amount": 100, "basis": "total"}, ("B", date(2026, 5, 31))),
        ({"minimum_overdue_amount": 200}, None),
        ({"minimum_overdue_amount": 200, "basis": "total"}, ("B", date(2026, 5, 31))),
        ({"minimum_overdue_amount": 299, "basis": "total", "invoices_counted": "all"}, ("B", date(2026, 5, 31))),
        ({"minimum_overdue_amount": 301, "basis": "total", "invoices_counted": "all"}, ("D", date(2026, 7, 31))),
        ({"minimum_overdue_amount": 140, "disputed_amounts_count": False}, ("B", date(2026, 5, 31))),
        ({"minimum_overdue_amount": 150, "disputed_amounts_count": False}, None),
        ({"minimum_overdue_amount": 250, "disputed_amounts_count": False, "basis": "total"}, None),
    ],
)
def test_the_last_day_of_shipments(stop_cover: dict[str, object], expected: tuple[str, date] | None):
    terms = parse_terms({"currency": "EUR", "maximum_extension_period": {"days": 60}, "stop_cover": stop_cover})
    items = [
        OpenItem(invoice("A", date(2026, 3, 1)), 10_000),
        OpenItem(invoice("B", date(2026, 4, 1)), 20_000, disputed_minor=5_000),
        OpenItem(invoice("released", date(2026, 2, 1)), 99_999, is_released=True),
        OpenItem(invoice("D", date(2026, 6, 1)), 30_000, is_insured=False),
    ]
    found = [each for each in calculate_obligations(terms, items) if each.kind is ObligationKind.STOP_SHIPMENTS]
    assert [(each.subject, each.due_on) for each in found] == ([expected] if expected else [])


def test_a_postponement_the_insurer_agreed_to_puts_the_stop_off():
    terms = parse_terms({"maximum_extension_period": {"days": 60}})
    later = OpenItem(invoice(), 1, stop_put_off_to=date(2026, 6, 1))
    earlier = OpenItem(invoice(), 1, stop_put_off_to=date(2026, 4, 1))
    assert calculate_obligations(terms, [later])[-1].due_on == date(2026, 6, 1)
    assert calculate_obligations(terms, [earlier])[-1].due_on == date(2026, 4, 30)


def test_limits_and_evidence_that_run_out():
    limits = [LimitInForce("L1", date(2026, 6, 30), renewed_on=date(2026, 5, 1)), LimitInForce("unlimited", None)]
    evidence = [
        DiscretionaryEvidence("report", date(2026, 4, 30), refreshed_on=date(2026, 4, 2)),
        DiscretionaryEvidence("experience", None),
    ]
    found = calculate_obligations(TERMS, [], limits=limits, evidence=evidence)
    assert [(each.kind, each.subject, each.due_on, each.done_on, each.basis) for each in found] == [
        (
            ObligationKind.REFRESH_DISCRETIONARY_EVIDENCE,
            "report",
            date(2026, 4, 30),
            date(2026, 4, 2),
            "policy.discretionary_limit.methods",
        ),
        (ObligationKind.RENEW_LIMIT, "L1", date(2026, 5, 31), date(2026, 5, 1), "duty.temporary_limit_renewal"),
    ]
    own = calculate_obligations(replace(TERMS, temporary_limit_renewal_days=45), [], limits=limits)
    assert [(each.due_on, each.basis) for each in own] == [(date(2026, 5, 16), "policy.temporary_limit_renewal")]


@pytest.mark.parametrize(
    ("cycle", "ends"),
    [
        ("quarterly", [date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30), date(2026, 12, 31)]),
        ("half_yearly", [date(2026, 6, 30), date(2026, 12, 31)]),
        ("yearly", [date(2026, 12, 31)]),
    ],
)
def test_declarations_of_a_policy_year(cycle: str, ends: list[date]):
    terms = parse_terms({"period": {"from": "2026-01-01", "to": "2026-12-31"}, "turnover_declaration": {"cycle": cycle, "days": 15}})
    found = calculate_policy_obligations(terms, {ends[0]: date(2026, 4, 20)})
    assert [each.subject for each in found] == [end.isoformat() for end in ends]
    assert [each.due_on for each in found] == [end + timedelta(days=15) for end in ends]
    assert [each.done_on for each in found] == [date(2026, 4, 20)] + [None] * (len(ends) - 1)
    assert {each.kind for each in found} == {ObligationKind.DECLARE_TURNOVER}


def test_a_policy_that_ends_within_a_month_declares_the_rest():
    terms = parse_terms({"period": {"from": "2026-01-10", "to": "2026-02-20"}, "turnover_declaration": {"cycle": "monthly", "days": 0}})
    assert [each.due_on for each in calculate_policy_obligations(terms)] == [date(2026, 2, 9), date(2026, 2, 20)]


def test_notice_of_non_renewal_two_months_before_the_end():
    found = calculate_policy_obligations(
        parse_terms({"period": {"from": "2025-07-01", "to": "2026-06-30"}, "notice_of_non_renewal": {"months": 2}})
    )
    assert duties(found) == [("give_notice_of_non_renewal", None, date(2026, 4, 30))]
    assert calculate_policy_obligations(replace(TERMS, notice_of_non_renewal_months=None)) == ()
    assert calculate_policy_obligations(PolicyTerms(notice_of_non_renewal_months=2)) == ()


# --- status -------------------------------------------------------------------------------------------------------------

DUTY = Obligation(ObligationKind.NOTIFY_OVERDUE, "A", date(2026, 5, 30), "calendar", "policy.overdue_notification", Trace())


@pytest.mark.parametrize(
    ("on", "done_on", "options", "expected"),
    [
        (date(2026, 5, 30), None, {}, ObligationStatus.OPEN),
        (date(2026, 5, 31), None, {}, ObligationStatus.LATE),
        (date(2026, 6, 30), date(2026, 5, 30), {}, ObligationStatus.DONE),
        (date(2026, 6, 30), date(2026, 5, 31), {}, ObligationStatus.DONE_LATE),
        (date(2026, 5, 20), date(2026, 5, 25), {}, ObligationStatus.OPEN),
        (date(2026, 6, 1), date(2026, 6, 2), {}, ObligationStatus.LATE),
        (date(2026, 6, 30), None, {"is_waived": True}, ObligationStatus.WAIVED),
        (date(2026, 6, 30), None, {"is_needed": False}, ObligationStatus.NOT_NEEDED),
        (date(2026, 6, 30), date(2026, 5, 1), {"is_waived": True, "is_needed": False}, ObligationStatus.DONE),
    ],
)
def test_how_a_duty_stands_on_a_day(on: date, done_on: date | None, options: dict[str, bool], expected: ObligationStatus):
    assert status_on(DUTY, on, done_on, **options) is expected


def test_a_duty_carries_what_the_facts_say():
    done = replace(DUTY, done_on=date(2026, 6, 1))
    assert status_on(done, date(2026, 6, 1)) is ObligationStatus.DONE_LATE
    assert status_on(done, date(2026, 6, 1), date(2026, 5, 1)) is ObligationStatus.DONE
