"""What the policies of the demo say beyond their presets."""

from __future__ import annotations

from datetime import date

from insureflow.services.demo.places import HOME, PLACES


def policy_terms(short: str, on: date) -> dict[str, object]:
    """What each of the demo's policies says beyond its preset, as overrides by dotted path."""
    start = date(on.year - 2, 1, 1).isoformat()
    common: dict[str, object] = {"maximum_invoicing_period.days": 30}
    europe = sorted(place.country for place in (*PLACES, HOME) if place.policy == "europe")
    world = sorted(place.country for place in PLACES if place.policy == "world")
    america = sorted(place.country for place in PLACES if place.policy == "america")
    end = date(on.year + 1, 12, 31).isoformat()
    period = {"from": start, "to": end}
    if short == "europe":
        return common | {
            "period": period,
            "countries_covered": europe,
            "insured_percentage": {"default": "90", "by_country": {"GR": "80", "RO": "85"}},
            "maximum_credit_terms": {"days": 90},
            "layers": {"top_up": {"insured_percentage": "80"}},
            "limit_cancellation_notice": {"days": 0},
            "claim_filing": {"months": 12, "from": "due_date"},
            "claims_threshold": {"amount": "1500"},
            "aggregate_first_loss": {"amount": "25000"},
            "maximum_liability": {"amount": "4000000"},
            "turnover_declaration": {"cycle": "quarterly", "days": 30},
            "premium": {
                "basis": "turnover",
                "rate": "0.18",
                "estimated_turnover": "60000000",
                "minimum": {"percentage_of_estimated": "80"},
                "advance_instalments": 4,
                "excluded_turnover": ["affiliates", "private_persons", "public_buyers", "uncovered_countries", "cash", "prepaid"],
            },
            "business_day_calendar": "SE",
            "discretionary_limit": {
                "maximum": "15000",
                "currency": "EUR",
                "countries": europe,
                "insurer_decision": "ends",
                "overdue_blocks": {"more_than_days": 60},
                "methods": [
                    {"method": "credit_report", "valid_for": {"months": 12}},
                    {"method": "payment_experience", "look_back": {"months": 12}, "factor": "1.25"},
                ],
            },
        }
    if short == "world":
        return common | {
            "period": period,
            "countries_covered": world,
            "insured_percentage": {"default": "85", "by_country": {"EG": "75"}},
            "maximum_credit_terms": {"days": 120},
            "maximum_extension_period": {"days": 60},
            "overdue_notification": {"days": 30},
            "waiting_period": {"protracted_default": {"months": 5, "from": "due_date"}, "insolvency": {"days": 0, "from": "event"}},
            "limit_cancellation_notice": {"days": 14},
            "maximum_liability": {"amount": "2500000"},
        }
    return common | {
        "period": period,
        "countries_covered": america,
        "maximum_credit_terms": {"days": 120},
        "overdue_notification": {"days": 90, "from": "due_date", "failure": "invoice_not_covered"},
        "maximum_liability": {"amount": "3000000"},
    }
