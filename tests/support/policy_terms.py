"""Terms of a policy in which every clause is written, and what reading terms says is wrong with them."""

from datetime import date
from typing import Any

import pytest

from insureflow.domain.errors import InvalidValues
from insureflow.domain.policies import (
    parse_terms,
)

FULL: dict[str, Any] = {
    "currency": "EUR",
    "limit_currency": "JPY",
    "period": {"from": "2026-01-01", "to": date(2026, 12, 31)},
    "attachment": "losses_occurring",
    "countries_covered": ["SE", "DE", "NO", "XK"],
    "insured_percentage": {"default": "90", "by_cause": {"political": 95, "insolvency": "92.5"}, "by_country": {"BR": 80}},
    "grade_cover": [
        {"grades": [1, 2, "A"], "insured_percentage": 90, "maximum_indemnity_per_buyer": 250000},
        {"grades": ["ungraded"], "insured_percentage": 60},
    ],
    "maximum_credit_terms": {"days": 90, "from": "end_of_invoice_month"},
    "maximum_invoicing_period": {"days": 30},
    "maximum_extension_period": {"months": 2, "from": "invoice_date"},
    "overdue_notification": {"business_days": 5, "from": "maximum_extension_period_breach", "failure": "invoice_not_covered"},
    "adverse_information": {"business_days": 2},
    "waiting_period": {
        "insolvency": {"earlier_of": [{"months": 1, "from": "debt_admission"}, {"later_of": [{"days": 5, "from": "event"}]}]},
        "protracted_default": {"months": 6, "from": "due_date"},
    },
    "claim_filing": {"days": 240, "from": "due_date", "not_before": {"months": 3, "from": "due_date"}},
    "examination": {"days": 30, "from": "documents_complete"},
    "payment": {"business_days": 5, "from": "decision"},
    "business_day_calendar": "Sweden",
    "country_schedule": {
        "BR": {
            "maximum_credit_terms": {"days": 30},
            "maximum_extension_period": {"days": 30},
            "overdue_notification": {"days": 10},
            "waiting_period": {"political": {"months": 8, "from": "event"}},
            "vat_covered": True,
        }
    },
    "vat_covered": False,
    "allocation": {
        "order": "shipment_date",
        "respect_designation": True,
        "partial_payment_reduces": "pro_rata",
        "part_payment_applies_to": "vat_first",
    },
    "limit_cancellation_notice": {"days": 30, "applies_to": "withdrawal"},
    "stop_cover": {
        "minimum_overdue_amount": 50000,
        "basis": "total",
        "invoices_counted": "all",
        "disputed_amounts_count": False,
        "blocks_roll_in": False,
    },
    "layers": {"top_up": {"insured_percentage": "85", "follows_primary": False}},
    "claims_threshold": {"amount": "500.00", "inclusive": False, "erodes_aggregate_first_loss": True},
    "each_loss_deductible": {"amount": 1000, "order": "after_percentage"},
    "minimum_retention": {"amount": "2500.5"},
    "aggregate_first_loss": {"amount": 50000, "erosion": "loss_without_percentage"},
    "maximum_liability": {"premium_multiple": "30", "premium": 20000, "of": "estimated_premium"},
    "maximum_indemnity_per_buyer": {"amount": 750000},
    "collection_costs_in_loss": True,
    "provisional_payment": {"percentage": 50},
    "claim_rate": "lower",
    "recovery": {"split": "first_in_first_out", "costs_first": False},
    "premium": {
        "basis": "turnover",
        "rate": "0.22",
        "minimum": {"percentage_of_estimated": 80},
        "advance_instalments": 4,
        "excluded_turnover": ["cash", "affiliates"],
        "balances_capped_at_limit": True,
        "limit_measure": "month_end",
        "bonus_malus": [
            {"loss_ratio_up_to": 20, "adjustment_percentage": -10},
            {"loss_ratio_up_to": "50.5", "adjustment_percentage": 0},
            {"loss_ratio_up_to": None, "adjustment_percentage": "12.5"},
        ],
        "cycle": "quarterly",
        "estimated_turnover": 9000000,
        "estimated_premium": 18000,
    },
    "discretionary_limit": {
        "maximum": 10000,
        "currency": "GBP",
        "countries": ["GB", "FR"],
        "methods": [
            {"method": "credit_report", "valid_for": {"months": 12}, "percentage_of_report_amount": 80},
            {"method": "credit_report", "maximum_age": {"months": 6}},
            {"method": "payment_experience", "look_back": {"months": 12}, "factor": "1.25"},
            {"method": "payment_experience", "look_back": {"months": 12}},
            {"method": "paid_purchases", "look_back": {"months": 12}, "minimum_purchases": 2},
        ],
        "insurer_decision": "zero_ends",
        "rebuild_after_zero_decision": {"months": 12},
        "adverse_information_blocks": False,
        "default_loss_blocks": {"months": 24},
        "overdue_blocks": {"more_than_days": 90, "above_amount": 2000},
        "need_above_maximum": "named_limit_required",
    },
    "turnover_declaration": {"cycle": "monthly", "days": 15},
    "overdue_notification_threshold": {"amount": 250},
    "insured_percentage_by_limit_kind": {"discretionary": 80, "start_cover": "75"},
    "notice_of_non_renewal": {"months": 2},
    "temporary_limit_renewal": {"days": 45},
    "binding_order_report": {"days": 10},
    "no_new_terms_after_shipment": True,
    "limit_fee": {"named": 25, "simple_check": "12.50"},
    "relief": [{"clause": "overdue_notification", "from": "2026-04-01", "to": "2026-06-30", "days": 60, "note": "Circular 4"}],
}
EXTENSIONS = (
    "turnover_declaration",
    "overdue_notification_threshold",
    "insured_percentage_by_limit_kind",
    "notice_of_non_renewal",
    "temporary_limit_renewal",
    "binding_order_report",
    "no_new_terms_after_shipment",
    "limit_fee",
    "relief",
)


def problems_of(data: object, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidValues) as invalid:
        parse_terms(data, **options)  # type: ignore[arg-type]
    return [(problem.path, problem.code) for problem in invalid.value.problems]
