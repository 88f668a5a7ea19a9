"""The versions of a policy's terms, made ready for one buyer's account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from insureflow.domain.errors import Refusal
from insureflow.domain.periods import BusinessCalendar
from insureflow.domain.policies.precedence import (
    DatedTerms,
    PercentageSource,
    grade_percentage_for,
    insured_percentage_for,
    is_country_covered,
    maximum_credit_terms_for,
    maximum_extension_period_for,
    overdue_notification_for,
    vat_covered_for,
)
from insureflow.domain.policies.terms import Grade, LimitConditions, MaximumCreditTerms, MaximumExtensionPeriod
from insureflow.domain.policies.vocabulary import NotificationFailure


@dataclass(frozen=True, slots=True)
class Account:
    """One buyer's account under one policy.

    ``history`` holds the versions of the policy's terms. A receivable is judged by the version in force on its shipment date;
    allocation, stop of cover, roll-in and notice follow the version in force on the current day. ``insurable`` is False for
    affiliates, private persons, public buyers. ``calendars`` are the business calendars the terms may name.
    """

    history: tuple[DatedTerms, ...]
    limit_currency: str
    country: str | None = None
    insurable: bool = True
    calendars: Mapping[str, BusinessCalendar] = field(default_factory=lambda: MappingProxyType({}))


class TermsVersion:
    """One version of the terms and what it says for this buyer, worked out once."""

    __slots__ = (
        "_country",
        "_credit_terms",
        "_extension_periods",
        "allocation",
        "effective_on",
        "follows_primary",
        "has_top_up",
        "is_country_covered",
        "is_vat_covered",
        "notice",
        "notification",
        "roll_in_until",
        "stop_cover",
        "terms",
        "top_up_percentage",
    )

    def __init__(self, dated: DatedTerms, country: str | None) -> None:
        terms = dated.terms
        top_up = terms.layers.top_up
        notification = overdue_notification_for(terms, country)
        self.effective_on = dated.effective_on
        self.terms = terms
        self.allocation = terms.allocation
        self.stop_cover = terms.stop_cover
        self.notice = terms.limit_cancellation_notice
        self.is_country_covered = is_country_covered(terms, country)
        self.is_vat_covered = vat_covered_for(terms, country)
        #: The time for notification, where missing it costs the cover of the invoice.
        self.notification = (
            notification if notification is not None and notification.failure is NotificationFailure.INVOICE_NOT_COVERED else None
        )
        self.has_top_up = top_up is not None
        self.follows_primary = top_up is None or top_up.follows_primary
        self.top_up_percentage = top_up.insured_percentage if top_up is not None else None
        #: The last day with roll-in as far as the policy period is concerned; None: no such day.
        self.roll_in_until = terms.period.last_day if terms.period is not None and not self.allocation.roll_in_after_cancellation else None
        self._country = country
        self._credit_terms: dict[int, MaximumCreditTerms | None] = {}
        self._extension_periods: dict[int, MaximumExtensionPeriod | None] = {}

    def maximum_credit_terms(self, conditions: LimitConditions | None) -> MaximumCreditTerms | None:
        """The maximum credit terms for shipments under a limit decision with these conditions."""
        key = id(conditions)
        if key not in self._credit_terms:
            self._credit_terms[key] = maximum_credit_terms_for(self.terms, self._country, conditions)
        return self._credit_terms[key]

    def maximum_extension_period(self, conditions: LimitConditions | None) -> MaximumExtensionPeriod | None:
        """The maximum extension period for shipments under a limit decision with these conditions."""
        key = id(conditions)
        if key not in self._extension_periods:
            self._extension_periods[key] = maximum_extension_period_for(self.terms, self._country, conditions)
        return self._extension_periods[key]

    def insured_percentage(self, grade: Grade | None, conditions: LimitConditions | None) -> tuple[Decimal, PercentageSource]:
        """The insured percentage of the primary layer and where it comes from."""
        return insured_percentage_for(self.terms, self._country, grade, conditions)

    def is_grade_covered(self, grade: Grade | None) -> bool:
        """False if the grade cover gives nothing for a grade."""
        return self.terms.grade_cover is None or grade_percentage_for(self.terms, grade) != 0


def versions_of(account: Account) -> tuple[TermsVersion, ...]:
    """The versions of an account's terms, oldest first. Errors: ``no_terms`` without any."""
    if not account.history:
        raise Refusal("no_terms")
    ordered = sorted(account.history, key=lambda dated: dated.effective_on)
    return tuple(TermsVersion(dated, account.country) for dated in ordered)
