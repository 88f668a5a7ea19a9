"""The kinds of documents that the product issues."""

from __future__ import annotations

from enum import StrEnum


class DocumentKind(StrEnum):
    """What an issued document is."""

    REMINDER = "reminder"
    STATEMENT = "statement"
    INTEREST_NOTICE = "interest_notice"
    PAYMENT_PLAN = "payment_plan"
    NON_PAYMENT = "non_payment"
    EXTENSION = "extension"
    RESCHEDULING = "rescheduling"
    ADVERSE_INFORMATION = "adverse_information"
    INSOLVENCY = "insolvency"
    PROOF_OF_DEBT = "proof_of_debt"
    DECLARATION = "declaration"
