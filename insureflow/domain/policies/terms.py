"""The terms of a policy, as frozen values.

Percentages are ``Decimal`` per hundred. Amounts are integer minor units of the policy currency;
``stop_cover.minimum_overdue_amount`` alone is in the limit currency. A clause that is None is not in the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from insureflow.domain.periods import Period, PeriodRule
from insureflow.domain.policies.relief import Relief
from insureflow.domain.policies.vocabulary import (
    AllocationOrder,
    Attachment,
    Cause,
    ClaimRate,
    CreditTermsStart,
    Cycle,
    DeductibleOrder,
    DiscretionaryMethod,
    Erosion,
    ExtensionStart,
    InsurerDecisionEffect,
    InvoicesCounted,
    LimitKind,
    LimitMeasure,
    NeedAboveMaximum,
    NoticeAppliesTo,
    NotificationFailure,
    PartialPaymentReduces,
    PartPaymentAppliesTo,
    PremiumBasis,
    PremiumMeasure,
    RecoverySplit,
    StopBasis,
)

#: The insurer's grade of a buyer: a number or a word, ``ungraded`` for a buyer without one.
Grade = int | str

UNGRADED: Grade = "ungraded"


@dataclass(frozen=True, slots=True)
class PolicyPeriod:
    """The days for which a policy runs; the last day is the last one covered."""

    first_day: date
    last_day: date

    def holds(self, day: date) -> bool:
        """True for a day within the period."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class InsuredPercentage:
    """The share of a loss the insurer bears: in general, by cause of loss, by country of the buyer."""

    default: Decimal = Decimal(100)
    by_cause: Mapping[Cause, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    by_country: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class GradeRow:
    """Cover for buyers with these grades."""

    grades: tuple[Grade, ...]
    insured_percentage: Decimal
    maximum_indemnity_per_buyer: int | None = None


@dataclass(frozen=True, slots=True)
class MaximumCreditTerms:
    """The longest terms of payment on which a sale is insured."""

    days: int
    start: CreditTermsStart = CreditTermsStart.INVOICE_DATE


@dataclass(frozen=True, slots=True)
class MaximumExtensionPeriod:
    """The time a buyer may be overdue before supplies must stop; exactly one of days and months is set."""

    days: int | None = None
    months: int | None = None
    start: ExtensionStart = ExtensionStart.ORIGINAL_DUE_DATE


@dataclass(frozen=True, slots=True)
class OverdueNotification:
    """The time within which an overdue account must be notified to the insurer."""

    period: Period
    failure: NotificationFailure = NotificationFailure.NO_EFFECT


@dataclass(frozen=True, slots=True)
class AdverseInformation:
    """The time within which adverse information must be passed on."""

    period: Period


@dataclass(frozen=True, slots=True)
class ClaimFiling:
    """The window in which a claim may be filed; either bound may be missing."""

    period: Period | None = None
    not_before: PeriodRule | None = None


@dataclass(frozen=True, slots=True)
class CountryConditions:
    """What a country schedule sets for buyers in one country; None leaves the policy's own clause."""

    maximum_credit_terms: MaximumCreditTerms | None = None
    maximum_extension_period: MaximumExtensionPeriod | None = None
    overdue_notification: OverdueNotification | None = None
    waiting_period: Mapping[Cause, PeriodRule] = field(default_factory=lambda: MappingProxyType({}))
    vat_covered: bool | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """How payments are allocated to invoices and how cover moves on."""

    order: AllocationOrder = AllocationOrder.DUE_DATE
    respect_designation: bool = False
    prepayments_reduce_old_debt: bool = True
    partial_payment_reduces: PartialPaymentReduces = PartialPaymentReduces.COVERED_FIRST
    part_payment_applies_to: PartPaymentAppliesTo = PartPaymentAppliesTo.NET_FIRST
    roll_in_after_cancellation: bool = False
    roll_in_under_reduced_limit: bool = True


@dataclass(frozen=True, slots=True)
class LimitCancellationNotice:
    """Days between the notice that a limit ends and its effect (run-off)."""

    days: int = 0
    applies_to: NoticeAppliesTo = NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION


@dataclass(frozen=True, slots=True)
class StopCover:
    """When overdue invoices stop cover for new shipments. ``minimum_overdue_amount`` is in the limit currency."""

    automatic: bool = True
    minimum_overdue_amount: int = 0
    basis: StopBasis = StopBasis.PER_INVOICE
    invoices_counted: InvoicesCounted = InvoicesCounted.INSURED
    disputed_amounts_count: bool = True
    blocks_roll_in: bool = True


@dataclass(frozen=True, slots=True)
class TopUp:
    """A second layer of limits above the primary one."""

    insured_percentage: Decimal | None = None
    follows_primary: bool = True


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of cover beside the primary one."""

    top_up: TopUp | None = None


@dataclass(frozen=True, slots=True)
class ClaimsThreshold:
    """The loss up to which nothing is indemnified."""

    amount: int
    inclusive: bool = True
    erodes_aggregate_first_loss: bool = False


@dataclass(frozen=True, slots=True)
class EachLossDeductible:
    """What the policyholder bears of each loss."""

    amount: int
    order: DeductibleOrder = DeductibleOrder.BEFORE_PERCENTAGE


@dataclass(frozen=True, slots=True)
class MinimumRetention:
    """What the policyholder bears of each loss at least."""

    amount: int


@dataclass(frozen=True, slots=True)
class AggregateFirstLoss:
    """What the policyholder bears of all losses of a policy year together."""

    amount: int
    erosion: Erosion = Erosion.AFTER_PERCENTAGE


@dataclass(frozen=True, slots=True)
class MaximumLiability:
    """The most the insurer pays for a policy year: an amount, or a multiple of the premium."""

    amount: int | None = None
    premium_multiple: Decimal | None = None
    premium: int | None = None
    of: PremiumMeasure = PremiumMeasure.FINAL_PREMIUM


@dataclass(frozen=True, slots=True)
class Recovery:
    """How recoveries are shared."""

    split: RecoverySplit = RecoverySplit.INDEMNITY_RATIO
    costs_first: bool = True


@dataclass(frozen=True, slots=True)
class MinimumPremium:
    """The least premium of a year: an amount or a percentage of the estimated premium."""

    amount: int | None = None
    percentage_of_estimated: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BonusMalusRow:
    """What is added to or taken off the premium up to a loss ratio; None is the last, open row."""

    loss_ratio_up_to: Decimal | None
    adjustment_percentage: Decimal


@dataclass(frozen=True, slots=True)
class Premium:
    """How the premium is worked out. ``cycle`` is how often it is charged; what was estimated for the year is agreed with the insurer."""

    basis: PremiumBasis
    rate: Decimal | None = None
    amount: int | None = None
    minimum: MinimumPremium | None = None
    advance_instalments: int | None = None
    excluded_turnover: tuple[str, ...] = ()
    balances_capped_at_limit: bool = False
    limit_measure: LimitMeasure = LimitMeasure.HIGHEST_IN_MONTH
    bonus_malus: tuple[BonusMalusRow, ...] = ()
    cycle: Cycle | None = None
    estimated_turnover: int | None = None
    estimated_premium: int | None = None


@dataclass(frozen=True, slots=True)
class DiscretionaryMethodTerms:
    """One kind of evidence and what it supports. Which fields count depends on the method.

    Credit report: ``valid_for_months`` or ``maximum_age_months``, ``percentage_of_report_amount``. Payment experience:
    ``look_back_months``, ``factor``. Paid purchases: ``look_back_months``, ``minimum_purchases``.
    """

    method: DiscretionaryMethod
    valid_for_months: int | None = None
    maximum_age_months: int | None = None
    percentage_of_report_amount: Decimal = Decimal(100)
    look_back_months: int | None = None
    factor: Decimal = Decimal(1)
    minimum_purchases: int | None = None


@dataclass(frozen=True, slots=True)
class OverdueBlocks:
    """Overdue items that rule a discretionary limit out."""

    more_than_days: int
    above_amount: int = 0


@dataclass(frozen=True, slots=True)
class DiscretionaryLimit:
    """The limit the policyholder may set without asking the insurer. Amounts are in ``currency``.

    ``rebuild_after_zero_decision_months`` is None for never.
    """

    maximum: int
    currency: str
    methods: tuple[DiscretionaryMethodTerms, ...]
    countries: frozenset[str] | None = None
    insurer_decision: InsurerDecisionEffect = InsurerDecisionEffect.ENDS
    rebuild_after_zero_decision_months: int | None = None
    adverse_information_blocks: bool = True
    default_loss_blocks_months: int | None = None
    overdue_blocks: OverdueBlocks | None = None
    need_above_maximum: NeedAboveMaximum = NeedAboveMaximum.PARTIAL


@dataclass(frozen=True, slots=True)
class TurnoverDeclaration:
    """The duty to declare turnover: how often, and so many days after the end of what is declared."""

    cycle: Cycle
    days: int


@dataclass(frozen=True, slots=True)
class PolicyTerms:
    """All terms of a policy at one time.

    The fields up to ``discretionary_limit`` are those of the worked-example format. The ones after it are needed by the
    duties calendar and by limits, and are allowed in the terms of a real policy only: ``turnover_declaration``,
    ``overdue_notification_threshold`` (nothing needs to be notified up to this amount),
    ``insured_percentage_by_limit_kind``, ``notice_of_non_renewal_months``, ``temporary_limit_renewal_days``, ``reliefs`` (longer times for a
    period), ``binding_order_report_days`` (within how many days of the notice of a cut binding orders are reported), ``limit_fees`` (what
    one limit of a kind costs a year, in policy currency), ``no_new_terms_after_shipment`` (no later day may be granted for goods that have
    left, within the maximum extension period either, without the insurer's consent); further
    ``vat_covered`` of a country schedule; ``cycle``, ``estimated_turnover`` and ``estimated_premium`` of the premium.
    """

    currency: str | None = None
    limit_currency: str | None = None
    period: PolicyPeriod | None = None
    attachment: Attachment = Attachment.RISKS_ATTACHING
    countries_covered: frozenset[str] | None = None
    insured_percentage: InsuredPercentage = field(default_factory=InsuredPercentage)
    grade_cover: tuple[GradeRow, ...] | None = None
    maximum_credit_terms: MaximumCreditTerms | None = None
    maximum_invoicing_period_days: int | None = None
    maximum_extension_period: MaximumExtensionPeriod | None = None
    overdue_notification: OverdueNotification | None = None
    adverse_information: AdverseInformation | None = None
    waiting_period: Mapping[Cause, PeriodRule] = field(default_factory=lambda: MappingProxyType({}))
    claim_filing: ClaimFiling | None = None
    examination: PeriodRule | None = None
    payment: PeriodRule | None = None
    business_day_calendar: str | None = None
    country_schedule: Mapping[str, CountryConditions] = field(default_factory=lambda: MappingProxyType({}))
    vat_covered: bool = False
    allocation: Allocation = field(default_factory=Allocation)
    limit_cancellation_notice: LimitCancellationNotice = field(default_factory=LimitCancellationNotice)
    stop_cover: StopCover = field(default_factory=StopCover)
    layers: Layers = field(default_factory=Layers)
    claims_threshold: ClaimsThreshold | None = None
    each_loss_deductible: EachLossDeductible | None = None
    minimum_retention: MinimumRetention | None = None
    aggregate_first_loss: AggregateFirstLoss | None = None
    maximum_liability: MaximumLiability | None = None
    maximum_indemnity_per_buyer: int | None = None
    collection_costs_in_loss: bool = False
    provisional_payment_percentage: Decimal | None = None
    claim_rate: ClaimRate = ClaimRate.DATE_OF_LOSS
    recovery: Recovery = field(default_factory=Recovery)
    premium: Premium | None = None
    discretionary_limit: DiscretionaryLimit | None = None
    turnover_declaration: TurnoverDeclaration | None = None
    overdue_notification_threshold: int | None = None
    insured_percentage_by_limit_kind: Mapping[LimitKind, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    notice_of_non_renewal_months: int | None = None
    temporary_limit_renewal_days: int | None = None
    reliefs: tuple[Relief, ...] = ()
    binding_order_report_days: int | None = None
    no_new_terms_after_shipment: bool = False
    limit_fees: Mapping[LimitKind, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class LimitConditions:
    """Conditions in the insurer's decision on one buyer; None leaves what country and policy say."""

    insured_percentage: Decimal | None = None
    maximum_credit_terms: MaximumCreditTerms | None = None
    maximum_extension_period: MaximumExtensionPeriod | None = None


#: A limit decision without conditions of its own.
NO_CONDITIONS = LimitConditions()
