"""The public vocabulary of credit cover: what is asked for, what is answered and why, as numbers any insurer's words can be mapped to.

*Source:* UN/EDIFACT data elements 4505 (request), 4507 (response) and 4509 (reason) of the segment CCD in the message RECECO.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from insureflow.domain.limits.history import LimitStatus
from insureflow.domain.limits.life import RequestAction, RequestOutcome, RequestType


class CoverRequestCode(IntEnum):
    """What is asked of the insurer. *Source:* data element 4505."""

    MULTI_CURRENCY_COVER = 1
    NEW_LIMIT = 2
    INCREASE = 3
    PRELIMINARY_ASSESSMENT = 4
    NEW_ACCOUNT_ONLY = 5
    CANCELLATION = 6
    REDUCTION = 7
    PROLONGATION = 8


class CoverResponseCode(IntEnum):
    """What the insurer answers. *Source:* data element 4507."""

    PRELIMINARY = 1
    APPROVED = 2
    NOT_APPROVED = 3
    CONDITIONAL = 4
    PARTLY = 5
    STILL_INVESTIGATING = 6
    ACCOUNT_WITHOUT_LIMIT = 7
    CANCELLED = 8
    REDUCED = 9
    NAME_OR_ADDRESS_CHANGE = 10
    CLOSE_ACCOUNT = 11


class CoverReasonCode(IntEnum):
    """Why the insurer answers so. *Source:* data element 4509."""

    FINANCIALS_NOT_PROVIDED = 1
    NO_FINANCIALS_AVAILABLE = 2
    OUT_OF_BUSINESS = 3
    NEW_COMPANY = 4
    NOT_REGISTERED = 5
    NON_TRADING = 6
    NO_COMMENT = 7
    INSOLVENCY_RISK_ONLY = 8
    BILL_ACCEPTANCE = 9
    DOCUMENTS_AGAINST_ACCEPTANCE = 10
    DOCUMENTS_AGAINST_PAYMENT = 11
    ADVERSE_PUBLIC_INFORMATION = 12
    LIMIT_FULL = 13
    LACK_OF_TURNOVER = 14
    OTHER = 15


#: How a request is said in the public vocabulary.
CODE_OF_REQUEST: Mapping[RequestType, CoverRequestCode] = MappingProxyType(
    {
        RequestType.NEW: CoverRequestCode.NEW_LIMIT,
        RequestType.INCREASE: CoverRequestCode.INCREASE,
        RequestType.REDUCE: CoverRequestCode.REDUCTION,
        RequestType.CANCEL: CoverRequestCode.CANCELLATION,
    }
)

#: What a code asks for; those that ask for no limit, or for more time alone, are not there.
REQUEST_OF_CODE: Mapping[CoverRequestCode, RequestType] = MappingProxyType(
    {code: request for request, code in CODE_OF_REQUEST.items()} | {CoverRequestCode.PRELIMINARY_ASSESSMENT: RequestType.NEW}
)

#: How an outcome is said in the public vocabulary.
CODE_OF_OUTCOME: Mapping[RequestOutcome, CoverResponseCode] = MappingProxyType(
    {
        RequestOutcome.FULL: CoverResponseCode.APPROVED,
        RequestOutcome.PARTIAL: CoverResponseCode.PARTLY,
        RequestOutcome.REFUSED: CoverResponseCode.NOT_APPROVED,
        RequestOutcome.CONDITIONAL: CoverResponseCode.CONDITIONAL,
        RequestOutcome.PRELIMINARY: CoverResponseCode.PRELIMINARY,
    }
)

#: The outcome a response stands for; responses that decide nothing, or end a limit, are not there.
OUTCOME_OF_CODE: Mapping[CoverResponseCode, RequestOutcome] = MappingProxyType(
    {code: outcome for outcome, code in CODE_OF_OUTCOME.items()} | {CoverResponseCode.ACCOUNT_WITHOUT_LIMIT: RequestOutcome.REFUSED}
)

#: How the status of a decision is said in the public vocabulary.
CODE_OF_STATUS: Mapping[LimitStatus, CoverResponseCode] = MappingProxyType(
    {
        LimitStatus.REQUESTED: CoverResponseCode.STILL_INVESTIGATING,
        LimitStatus.APPROVED: CoverResponseCode.APPROVED,
        LimitStatus.PARTLY_APPROVED: CoverResponseCode.PARTLY,
        LimitStatus.REFUSED: CoverResponseCode.NOT_APPROVED,
        LimitStatus.REDUCED: CoverResponseCode.REDUCED,
        LimitStatus.WITHDRAWN: CoverResponseCode.CANCELLED,
    }
)

#: The status a response gives the decision. A preliminary answer has none of its own: what it is called depends on its amount.
STATUS_OF_CODE: Mapping[CoverResponseCode, LimitStatus] = MappingProxyType(
    {code: status for status, code in CODE_OF_STATUS.items()}
    | {
        CoverResponseCode.CONDITIONAL: LimitStatus.APPROVED,
        CoverResponseCode.ACCOUNT_WITHOUT_LIMIT: LimitStatus.REFUSED,
        CoverResponseCode.CLOSE_ACCOUNT: LimitStatus.WITHDRAWN,
    }
)

#: What a response does to a request in its life; a change of name or address does nothing.
ACTION_OF_CODE: Mapping[CoverResponseCode, RequestAction] = MappingProxyType(
    {
        CoverResponseCode.PRELIMINARY: RequestAction.DECIDE,
        CoverResponseCode.APPROVED: RequestAction.DECIDE,
        CoverResponseCode.NOT_APPROVED: RequestAction.DECIDE,
        CoverResponseCode.CONDITIONAL: RequestAction.DECIDE,
        CoverResponseCode.PARTLY: RequestAction.DECIDE,
        CoverResponseCode.ACCOUNT_WITHOUT_LIMIT: RequestAction.DECIDE,
        CoverResponseCode.STILL_INVESTIGATING: RequestAction.REFER,
        CoverResponseCode.CANCELLED: RequestAction.WITHDRAW,
        CoverResponseCode.CLOSE_ACCOUNT: RequestAction.WITHDRAW,
        CoverResponseCode.REDUCED: RequestAction.REDUCE,
    }
)
