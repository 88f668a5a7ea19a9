"""What Allianz Trade shows of a cover, in our words: its codes are mapped at the top.

Only three words of a status have been seen in public. Amounts say the rest: what is agreed below what was asked for is agreed in part,
and an agreed amount of 0 is a refusal, or the end of a limit where there was one. A word that is not here is not guessed; the option ``word.<Word>`` of a connection says what it
means (``not_approved``, ``conditional`` …), once the insurer has told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from insureflow.connectors.insurers.interface import InsurerCover, ItemFailed
from insureflow.connectors.insurers.reading import (
    read_currency,
    read_day,
    read_list,
    read_money,
    read_object,
    read_text,
    require_text,
    unreadable,
)
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverResponseCode
from insureflow.domain.money import Money

#: Status → response (4507); None: decided, and the amount says how.
STATUSES: Mapping[str, CoverResponseCode | None] = {
    "Agreement": None,
    "AlreadyAgreed": None,
    "InProgress": CoverResponseCode.STILL_INVESTIGATING,
}

#: Responses that leave nothing, whatever amount is still shown.
ENDINGS = frozenset({CoverResponseCode.CANCELLED, CoverResponseCode.CLOSE_ACCOUNT})

#: extensionId of a policy → the layer and kind of the covers kept there.
EXTENSIONS: Mapping[str, tuple[Layer, LimitKind]] = {
    "": (Layer.PRIMARY, LimitKind.NAMED),
    "CAP": (Layer.TOP_UP, LimitKind.TOP_UP),
    "DCL": (Layer.PRIMARY, LimitKind.DISCRETIONARY),
}

#: requestTypeCode of a cover by grade, which has no amount of its own, and of one with an amount.
GRADE_COVER = "GradeCover"
PRIMARY = "Primary"


@dataclass(frozen=True, slots=True)
class Reading:
    """What must be known to read a cover: the currency of the policy, its extension, words the insurer has explained."""

    currency: str
    extension: str
    words: Mapping[str, str]


def words_of(options: Mapping[str, str]) -> dict[str, str]:
    """The words explained in the options of a connection."""
    return {name.removeprefix("word."): value for name, value in options.items() if name.startswith("word.")}


def company_of(row: Mapping[str, Any]) -> str:
    """The company's number, beside the cover or inside its company; the empty text where there is none."""
    return read_text(row.get("companyId"), "companyId") or read_text(
        read_object(row.get("company"), "company").get("companyId"), "company.companyId"
    )


def read_covers(row: Mapping[str, Any], reading: Reading) -> list[InsurerCover]:
    """The covers of one row of version 3: one as a rule, another for each limit that has an end. Errors: ``ItemFailed``."""
    details = read_object(row.get("creditLimitDetails"), "creditLimitDetails")
    asked_currency = read_currency(details.get("currencyCode"), "creditLimitDetails.currencyCode", default=reading.currency)
    requested = read_money(details.get("requestedAmount"), asked_currency, "creditLimitDetails.requestedAmount")
    aggregation = read_object(row.get("creditLimitsAggregation"), "creditLimitsAggregation")
    limits = [read_object(each, "creditLimits") for each in read_list(aggregation.get("creditLimits"), "creditLimits")]
    status = read_text(row.get("coverStatus"), "coverStatus") or read_text(row.get("coverStatusCode"), "coverStatusCode")
    if not status and limits:
        status = read_text(limits[0].get("technicalDecisionStatusCode"), "technicalDecisionStatusCode")
    layer, kind = EXTENSIONS.get(reading.extension, EXTENSIONS[""])
    changed = read_text(row.get("lastUpdateDate"), "lastUpdateDate")
    type_code = read_text(row.get("requestTypeCode"), "requestTypeCode")
    shared = InsurerCover(
        cover_id=require_text(row.get("coverId"), "coverId"),
        version=changed or status,
        company_id=_require_company(row),
        company_name=_name(row),
        response=CoverResponseCode.STILL_INVESTIGATING,
        kind=LimitKind.CREDIT_CHECK if type_code == GRADE_COVER else kind,
        layer=layer,
        requested=requested,
        decided=None,
        decided_on=None,
        effective_on=None,
        raw={name: text for name, text in (("coverStatus", status), ("requestTypeCode", type_code), ("lastUpdateDate", changed)) if text},
    )
    if _response(status, reading.words, Money.zero(reading.currency), None) is CoverResponseCode.STILL_INVESTIGATING:
        return [shared]
    standing = [limit for limit in limits if not read_text(limit.get("endDate"), "endDate")]
    ending = [limit for limit in limits if limit not in standing]
    if len(standing) > 1 or not limits:
        raise unreadable("creditLimits", len(standing))
    covers = [_decided(shared, limit, status, reading, changed) for limit in (*standing, *ending)]
    return [covers[0], *(replace(cover, cover_id=f"{cover.cover_id}/{number}") for number, cover in enumerate(covers[1:], 2))]


def read_legacy_cover(row: Mapping[str, Any], reading: Reading) -> InsurerCover:
    """A cover of one row of version 2. Errors: ``ItemFailed``."""
    status = read_text(row.get("coverStatusCode"), "coverStatusCode")
    permanent = read_object(read_object(row.get("decision"), "decision").get("permanent"), "decision.permanent")
    amount = read_money(permanent.get("permanentAmount"), reading.currency, "decision.permanent.permanentAmount")
    response = _response(status, reading.words, amount, None)
    layer, kind = EXTENSIONS.get(reading.extension, EXTENSIONS[""])
    is_studied = response is CoverResponseCode.STILL_INVESTIGATING
    if amount is None and not is_studied:
        raise unreadable("decision.permanent.permanentAmount", None)
    return InsurerCover(
        cover_id=require_text(row.get("coverId"), "coverId"),
        version="/".join(filter(None, (status, "" if amount is None else str(amount.minor)))),
        company_id=_require_company(row),
        company_name=_name(row),
        response=response,
        kind=kind,
        layer=layer,
        requested=None,
        decided=None if is_studied else Money.zero(reading.currency) if response in ENDINGS else amount,
        decided_on=None,
        effective_on=None,
        raw={"coverStatusCode": status} if status else {},
    )


def _decided(shared: InsurerCover, limit: Mapping[str, Any], status: str, reading: Reading, changed: str) -> InsurerCover:
    currency = read_currency(limit.get("currencyCode"), "creditLimits.currencyCode", default=reading.currency)
    amount = read_money(limit.get("amount"), currency, "creditLimits.amount")
    if amount is None:
        raise unreadable("creditLimits.amount", None)
    start = read_day(limit.get("startDate"), "creditLimits.startDate")
    end = read_day(limit.get("endDate"), "creditLimits.endDate")
    changed_on = read_day(changed, "lastUpdateDate")
    response = _response(status, reading.words, amount, shared.requested)
    return replace(
        shared,
        version=f"{changed or start or ''}/{amount.minor}",
        response=response,
        kind=shared.kind if end is None else LimitKind.TEMPORARY,
        decided=Money.zero(currency) if response in ENDINGS else amount,
        decided_on=changed_on or start,
        effective_on=start or changed_on,
        valid_to=end,
    )


def _response(status: str, words: Mapping[str, str], amount: Money | None, requested: Money | None) -> CoverResponseCode:
    """What a status means, with the amount where the status alone does not say."""
    if status in words:
        name = words[status].strip().upper()
        if name not in CoverResponseCode.__members__:
            raise ItemFailed("code_unknown", field=f"word.{status}"[:60], value=words[status][:40])
        return CoverResponseCode[name]
    if status not in STATUSES:
        raise ItemFailed("code_unknown", field="coverStatus", value=status[:40])
    known = STATUSES[status]
    if known is not None:
        return known
    if not amount:
        return CoverResponseCode.NOT_APPROVED
    if requested is not None and requested.currency == amount.currency and amount < requested:
        return CoverResponseCode.PARTLY
    return CoverResponseCode.APPROVED


def _require_company(row: Mapping[str, Any]) -> str:
    company = company_of(row)
    if not company:
        raise unreadable("companyId", None)
    return company


def _name(row: Mapping[str, Any]) -> str:
    company = read_object(row.get("company"), "company")
    return read_text(company.get("companyName"), "company.companyName")
