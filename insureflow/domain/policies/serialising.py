"""The terms of a policy as plain data: what ``parse_terms`` reads back to the same terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from insureflow.domain.money import from_minor
from insureflow.domain.periods import EarlierOf, Period, PeriodRule
from insureflow.domain.policies.terms import (
    CountryConditions,
    DiscretionaryLimit,
    DiscretionaryMethodTerms,
    InsuredPercentage,
    LimitConditions,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    MaximumLiability,
    OverdueNotification,
    PolicyTerms,
    Premium,
)
from insureflow.domain.policies.vocabulary import DiscretionaryMethod

Value = TypeVar("Value")
Key = TypeVar("Key", bound=str)

#: Amounts of terms without a currency are held at two decimals.
_NO_CURRENCY = "EUR"


def terms_to_data(terms: PolicyTerms) -> dict[str, object]:
    """The terms in their canonical form, ready for JSON.

    Numbers that must stay exact are texts, amounts have all decimals of their currency, defaults are written out, and a
    clause that is not in the policy is left out.
    """
    unit = terms.currency or _NO_CURRENCY
    return _without_none(
        {
            "currency": terms.currency,
            "limit_currency": terms.limit_currency,
            "period": terms.period and {"from": terms.period.first_day.isoformat(), "to": terms.period.last_day.isoformat()},
            "attachment": str(terms.attachment),
            "countries_covered": None if terms.countries_covered is None else sorted(terms.countries_covered),
            "insured_percentage": _insured_percentage(terms.insured_percentage),
            "grade_cover": None
            if terms.grade_cover is None
            else [
                _without_none(
                    {
                        "grades": list(row.grades),
                        "insured_percentage": _number(row.insured_percentage),
                        "maximum_indemnity_per_buyer": _amount(row.maximum_indemnity_per_buyer, unit),
                    }
                )
                for row in terms.grade_cover
            ],
            "maximum_credit_terms": _maximum_credit_terms(terms.maximum_credit_terms),
            "maximum_invoicing_period": _clause("days", terms.maximum_invoicing_period_days),
            "maximum_extension_period": _maximum_extension_period(terms.maximum_extension_period),
            "overdue_notification": _overdue_notification(terms.overdue_notification),
            "adverse_information": terms.adverse_information
            and {str(terms.adverse_information.period.unit): terms.adverse_information.period.length},
            "waiting_period": _mapping(terms.waiting_period, rule_to_data),
            "claim_filing": terms.claim_filing
            and {
                **({} if terms.claim_filing.period is None else rule_to_data(terms.claim_filing.period)),
                **({} if terms.claim_filing.not_before is None else {"not_before": rule_to_data(terms.claim_filing.not_before)}),
            },
            "examination": None if terms.examination is None else rule_to_data(terms.examination),
            "payment": None if terms.payment is None else rule_to_data(terms.payment),
            "business_day_calendar": terms.business_day_calendar,
            "country_schedule": _mapping(terms.country_schedule, _country_conditions),
            "vat_covered": terms.vat_covered,
            "allocation": {
                "order": str(terms.allocation.order),
                "respect_designation": terms.allocation.respect_designation,
                "prepayments_reduce_old_debt": terms.allocation.prepayments_reduce_old_debt,
                "partial_payment_reduces": str(terms.allocation.partial_payment_reduces),
                "part_payment_applies_to": str(terms.allocation.part_payment_applies_to),
                "roll_in_after_cancellation": terms.allocation.roll_in_after_cancellation,
                "roll_in_under_reduced_limit": terms.allocation.roll_in_under_reduced_limit,
            },
            "limit_cancellation_notice": {
                "days": terms.limit_cancellation_notice.days,
                "applies_to": str(terms.limit_cancellation_notice.applies_to),
            },
            "stop_cover": _stop_cover(terms),
            "layers": terms.layers.top_up
            and {
                "top_up": _without_none(
                    {
                        "insured_percentage": _number(terms.layers.top_up.insured_percentage),
                        "follows_primary": terms.layers.top_up.follows_primary,
                    }
                )
            },
            "claims_threshold": terms.claims_threshold
            and {
                "amount": _amount(terms.claims_threshold.amount, unit),
                "inclusive": terms.claims_threshold.inclusive,
                "erodes_aggregate_first_loss": terms.claims_threshold.erodes_aggregate_first_loss,
            },
            "each_loss_deductible": terms.each_loss_deductible
            and {"amount": _amount(terms.each_loss_deductible.amount, unit), "order": str(terms.each_loss_deductible.order)},
            "minimum_retention": terms.minimum_retention and {"amount": _amount(terms.minimum_retention.amount, unit)},
            "aggregate_first_loss": terms.aggregate_first_loss
            and {"amount": _amount(terms.aggregate_first_loss.amount, unit), "erosion": str(terms.aggregate_first_loss.erosion)},
            "maximum_liability": terms.maximum_liability and _maximum_liability(terms.maximum_liability, unit),
            "maximum_indemnity_per_buyer": _clause("amount", _amount(terms.maximum_indemnity_per_buyer, unit)),
            "collection_costs_in_loss": terms.collection_costs_in_loss,
            "provisional_payment": _clause("percentage", _number(terms.provisional_payment_percentage)),
            "claim_rate": str(terms.claim_rate),
            "recovery": {"split": str(terms.recovery.split), "costs_first": terms.recovery.costs_first},
            "premium": terms.premium and _premium(terms.premium, unit),
            "discretionary_limit": terms.discretionary_limit and _discretionary_limit(terms.discretionary_limit),
            "turnover_declaration": terms.turnover_declaration
            and {"cycle": str(terms.turnover_declaration.cycle), "days": terms.turnover_declaration.days},
            "overdue_notification_threshold": _clause("amount", _amount(terms.overdue_notification_threshold, unit)),
            "insured_percentage_by_limit_kind": _mapping(terms.insured_percentage_by_limit_kind, _number),
            "notice_of_non_renewal": _clause("months", terms.notice_of_non_renewal_months),
            "temporary_limit_renewal": _clause("days", terms.temporary_limit_renewal_days),
            "relief": [
                _without_none(
                    {
                        "clause": str(relief.clause),
                        "from": relief.first_day.isoformat(),
                        "to": relief.last_day.isoformat(),
                        str(relief.unit): relief.length,
                        "note": relief.note or None,
                    }
                )
                for relief in terms.reliefs
            ]
            or None,
            "no_new_terms_after_shipment": terms.no_new_terms_after_shipment or None,
            "binding_order_report": _clause("days", terms.binding_order_report_days),
            "limit_fee": _mapping(terms.limit_fees, lambda fee: _amount(fee, unit)),
        }
    )


def conditions_to_data(conditions: LimitConditions) -> dict[str, object]:
    """The conditions of a limit decision, ready for JSON; ``parse_conditions`` reads them back."""
    return _without_none(
        {
            "insured_percentage": _number(conditions.insured_percentage),
            "maximum_credit_terms": _maximum_credit_terms(conditions.maximum_credit_terms),
            "maximum_extension_period": _maximum_extension_period(conditions.maximum_extension_period),
        }
    )


def rule_to_data(rule: PeriodRule) -> dict[str, object]:
    """A period, or the earlier or later of several, ready for JSON."""
    if isinstance(rule, Period):
        return _without_none({str(rule.unit): rule.length, "from": None if rule.start is None else str(rule.start)})
    name = "earlier_of" if isinstance(rule, EarlierOf) else "later_of"
    return {name: [rule_to_data(alternative) for alternative in rule.alternatives]}


def _without_none(data: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in data.items() if value is not None}


def _number(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else format(from_minor(minor, currency), "f")


def _clause(name: str, value: object) -> dict[str, object] | None:
    return None if value is None else {name: value}


def _mapping(values: Mapping[Key, Value], convert: Callable[[Value], object]) -> dict[str, object] | None:
    return {str(key): convert(value) for key, value in values.items()} or None


def _insured_percentage(percentage: InsuredPercentage) -> dict[str, object]:
    return _without_none(
        {
            "default": _number(percentage.default),
            "by_cause": _mapping(percentage.by_cause, _number),
            "by_country": _mapping(percentage.by_country, _number),
        }
    )


def _maximum_credit_terms(terms: MaximumCreditTerms | None) -> dict[str, object] | None:
    return None if terms is None else {"days": terms.days, "from": str(terms.start)}


def _maximum_extension_period(period: MaximumExtensionPeriod | None) -> dict[str, object] | None:
    return None if period is None else _without_none({"days": period.days, "months": period.months, "from": str(period.start)})


def _overdue_notification(notification: OverdueNotification | None) -> dict[str, object] | None:
    return None if notification is None else {**rule_to_data(notification.period), "failure": str(notification.failure)}


def _country_conditions(conditions: CountryConditions) -> dict[str, object]:
    return _without_none(
        {
            "maximum_credit_terms": _maximum_credit_terms(conditions.maximum_credit_terms),
            "maximum_extension_period": _maximum_extension_period(conditions.maximum_extension_period),
            "overdue_notification": _overdue_notification(conditions.overdue_notification),
            "waiting_period": _mapping(conditions.waiting_period, rule_to_data),
            "vat_covered": conditions.vat_covered,
        }
    )


def _stop_cover(terms: PolicyTerms) -> dict[str, object]:
    stop = terms.stop_cover
    # An amount of nothing needs no currency, so that terms without one can be written and read back.
    least = _amount(stop.minimum_overdue_amount, terms.limit_currency or _NO_CURRENCY) if stop.minimum_overdue_amount else None
    return _without_none(
        {
            "automatic": stop.automatic,
            "minimum_overdue_amount": least,
            "basis": str(stop.basis),
            "invoices_counted": str(stop.invoices_counted),
            "disputed_amounts_count": stop.disputed_amounts_count,
            "blocks_roll_in": stop.blocks_roll_in,
        }
    )


def _maximum_liability(liability: MaximumLiability, unit: str) -> dict[str, object]:
    if liability.amount is not None:
        return {"amount": _amount(liability.amount, unit)}
    return _without_none(
        {
            "premium_multiple": _number(liability.premium_multiple),
            "premium": _amount(liability.premium, unit),
            "of": str(liability.of),
        }
    )


def _premium(premium: Premium, unit: str) -> dict[str, object]:
    return _without_none(
        {
            "basis": str(premium.basis),
            "rate": _number(premium.rate),
            "amount": _amount(premium.amount, unit),
            "minimum": premium.minimum
            and _without_none(
                {
                    "amount": _amount(premium.minimum.amount, unit),
                    "percentage_of_estimated": _number(premium.minimum.percentage_of_estimated),
                }
            ),
            "advance_instalments": premium.advance_instalments,
            "excluded_turnover": list(premium.excluded_turnover) or None,
            "balances_capped_at_limit": premium.balances_capped_at_limit,
            "limit_measure": str(premium.limit_measure),
            # The open row is the one place where null is a value.
            "bonus_malus": [
                {"loss_ratio_up_to": _number(row.loss_ratio_up_to), "adjustment_percentage": _number(row.adjustment_percentage)}
                for row in premium.bonus_malus
            ]
            or None,
            "cycle": None if premium.cycle is None else str(premium.cycle),
            "estimated_turnover": _amount(premium.estimated_turnover, unit),
            "estimated_premium": _amount(premium.estimated_premium, unit),
        }
    )


def _discretionary_limit(limit: DiscretionaryLimit) -> dict[str, object]:
    rebuild = limit.rebuild_after_zero_decision_months
    return _without_none(
        {
            "maximum": _amount(limit.maximum, limit.currency),
            "currency": limit.currency,
            "countries": None if limit.countries is None else sorted(limit.countries),
            "methods": [_method(method) for method in limit.methods],
            "insurer_decision": str(limit.insurer_decision),
            "rebuild_after_zero_decision": "never" if rebuild is None else {"months": rebuild},
            "adverse_information_blocks": limit.adverse_information_blocks,
            "default_loss_blocks": _clause("months", limit.default_loss_blocks_months),
            "overdue_blocks": limit.overdue_blocks
            and {
                "more_than_days": limit.overdue_blocks.more_than_days,
                "above_amount": _amount(limit.overdue_blocks.above_amount, limit.currency),
            },
            "need_above_maximum": str(limit.need_above_maximum),
        }
    )


def _method(method: DiscretionaryMethodTerms) -> dict[str, object]:
    if method.method is DiscretionaryMethod.CREDIT_REPORT:
        own: dict[str, object] = {
            "valid_for": _clause("months", method.valid_for_months),
            "maximum_age": _clause("months", method.maximum_age_months),
            "percentage_of_report_amount": _number(method.percentage_of_report_amount),
        }
    elif method.method is DiscretionaryMethod.PAYMENT_EXPERIENCE:
        own = {"look_back": _clause("months", method.look_back_months), "factor": _number(method.factor)}
    else:
        own = {"look_back": _clause("months", method.look_back_months), "minimum_purchases": method.minimum_purchases}
    return _without_none({"method": str(method.method), **own})
