"""The closed lists of words that the terms of a policy use."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Causes of loss, in the order that decides when two of them fall on one day."""

    INSOLVENCY = "insolvency"
    PROTRACTED_DEFAULT = "protracted_default"
    POLITICAL = "political"
    REPUDIATION = "repudiation"
    PRE_SHIPMENT = "pre_shipment"
    BROKEN_PAYMENT_PLAN = "broken_payment_plan"


class Attachment(StrEnum):
    """What a policy period takes in: sales made in it, or losses that occur in it."""

    RISKS_ATTACHING = "risks_attaching"
    LOSSES_OCCURRING = "losses_occurring"


class CreditTermsStart(StrEnum):
    """The day from which the maximum credit terms run."""

    INVOICE_DATE = "invoice_date"
    SHIPMENT_DATE = "shipment_date"
    END_OF_INVOICE_MONTH = "end_of_invoice_month"


class ExtensionStart(StrEnum):
    """The day from which the maximum extension period runs."""

    ORIGINAL_DUE_DATE = "original_due_date"
    INVOICE_DATE = "invoice_date"


class NotificationFailure(StrEnum):
    """What happens to an invoice that was not notified in time."""

    NO_EFFECT = "no_effect"
    INVOICE_NOT_COVERED = "invoice_not_covered"


class AllocationOrder(StrEnum):
    """The date by which an invoice is the older one."""

    DUE_DATE = "due_date"
    INVOICE_DATE = "invoice_date"
    SHIPMENT_DATE = "shipment_date"


class PartialPaymentReduces(StrEnum):
    """Which part of a partly covered invoice a payment reduces."""

    COVERED_FIRST = "covered_first"
    UNCOVERED_FIRST = "uncovered_first"
    PRO_RATA = "pro_rata"


class PartPaymentAppliesTo(StrEnum):
    """Whether a part payment counts towards the net amount or the tax first."""

    NET_FIRST = "net_first"
    VAT_FIRST = "vat_first"
    PRO_RATA = "pro_rata"


class NoticeAppliesTo(StrEnum):
    """Which acts of the insurer the notice for the end of a limit holds for."""

    WITHDRAWAL_AND_REDUCTION = "withdrawal_and_reduction"
    WITHDRAWAL = "withdrawal"


class StopBasis(StrEnum):
    """Whether one overdue invoice or their sum must exceed the amount that stops cover."""

    PER_INVOICE = "per_invoice"
    TOTAL = "total"


class InvoicesCounted(StrEnum):
    """Which overdue invoices can stop cover."""

    INSURED = "insured"
    ALL = "all"


class DeductibleOrder(StrEnum):
    """Whether the deductible of each loss comes before or after the insured percentage."""

    BEFORE_PERCENTAGE = "before_percentage"
    AFTER_PERCENTAGE = "after_percentage"


class Erosion(StrEnum):
    """What uses up the aggregate first loss."""

    AFTER_PERCENTAGE = "after_percentage"
    BEFORE_PERCENTAGE = "before_percentage"
    LOSS_WITHOUT_PERCENTAGE = "loss_without_percentage"


class PremiumMeasure(StrEnum):
    """The premium that the maximum liability is a multiple of."""

    FINAL_PREMIUM = "final_premium"
    ESTIMATED_PREMIUM = "estimated_premium"
    MINIMUM_PREMIUM = "minimum_premium"


class ClaimRate(StrEnum):
    """The day whose exchange rate turns a debt into policy currency."""

    DATE_OF_LOSS = "date_of_loss"
    INVOICE_DATE = "invoice_date"
    LOWER = "lower"


class RecoverySplit(StrEnum):
    """How a recovery is shared between insurer and policyholder."""

    INDEMNITY_RATIO = "indemnity_ratio"
    INSURED_PART_THEN_PERCENTAGE = "insured_part_then_percentage"
    INSURED_PART_TO_INSURER_FIRST = "insured_part_to_insurer_first"
    FIRST_IN_FIRST_OUT = "first_in_first_out"


class PremiumBasis(StrEnum):
    """What the premium is charged on."""

    TURNOVER = "turnover"
    OUTSTANDING_BALANCE = "outstanding_balance"
    LIMIT = "limit"
    FIXED = "fixed"


class LimitMeasure(StrEnum):
    """Which limit of a month the premium is charged on."""

    HIGHEST_IN_MONTH = "highest_in_month"
    MONTH_END = "month_end"


class DiscretionaryMethod(StrEnum):
    """The evidence a discretionary limit may rest on."""

    CREDIT_REPORT = "credit_report"
    PAYMENT_EXPERIENCE = "payment_experience"
    PAID_PURCHASES = "paid_purchases"


class InsurerDecisionEffect(StrEnum):
    """Whether a decision of the insurer on a buyer rules the discretionary limit out."""

    ENDS = "ends"
    ZERO_ENDS = "zero_ends"
    NO_EFFECT = "no_effect"


class NeedAboveMaximum(StrEnum):
    """What holds when more is needed than the discretionary limit can give."""

    PARTIAL = "partial"
    NAMED_LIMIT_REQUIRED = "named_limit_required"


class LimitKind(StrEnum):
    """Kinds of credit limit, by who sets them and how."""

    NAMED = "named"
    SIMPLE_CHECK = "simple_check"
    START_COVER = "start_cover"
    DISCRETIONARY = "discretionary"
    BLIND_COVER = "blind_cover"
    TEMPORARY = "temporary"
    TOP_UP = "top_up"
    PRE_SHIPMENT = "pre_shipment"
    NON_CANCELLABLE = "non_cancellable"
    GROUP = "group"


class Cycle(StrEnum):
    """How often something is due."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"

    @property
    def months(self) -> int:
        """Months from one to the next."""
        return {Cycle.MONTHLY: 1, Cycle.QUARTERLY: 3, Cycle.HALF_YEARLY: 6, Cycle.YEARLY: 12}[self]
