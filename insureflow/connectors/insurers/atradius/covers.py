"""What Atradius shows of a cover, in our words: its codes are mapped at the top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
from insureflow.domain.limits.life import PendingAction
from insureflow.domain.money import Money

#: decisionCode → response (4507). DC05 leaves the cover as it is; DC21 announces a withdrawal of a cover that is still in force.
DECISIONS: Mapping[str, CoverResponseCode] = {
    "DC01": CoverResponseCode.APPROVED,
    "DC02": CoverResponseCode.CONDITIONAL,
    "DC03": CoverResponseCode.NOT_APPROVED,
    "DC04": CoverResponseCode.PARTLY,
    "DC05": CoverResponseCode.NOT_APPROVED,
    "DC06": CoverResponseCode.PARTLY,
    "DC07": CoverResponseCode.NOT_APPROVED,
    "DC08": CoverResponseCode.CANCELLED,
    "DC09": CoverResponseCode.REDUCED,
    "DC10": CoverResponseCode.CONDITIONAL,
    "DC11": CoverResponseCode.APPROVED,
    "DC21": CoverResponseCode.APPROVED,
    "DC22": CoverResponseCode.REDUCED,
}
UNCHANGED = "DC05"
REFUSALS = frozenset({"DC03", "DC07"})

#: historicCode: what ended a cover (its amount is 0 from then on) …
ENDINGS: Mapping[str, CoverResponseCode] = {
    "CCLD": CoverResponseCode.CANCELLED,
    "ECLD": CoverResponseCode.CANCELLED,
    "PCLD": CoverResponseCode.CANCELLED,
    "WCLD": CoverResponseCode.CANCELLED,
}
#: … what ended an application (no amount was decided) …
APPLICATION_ENDINGS: Mapping[str, CoverResponseCode] = {
    "CCLA": CoverResponseCode.CANCELLED,
    "CIND": CoverResponseCode.CANCELLED,
    "RCLA": CoverResponseCode.NOT_APPROVED,
}
#: … and what lives on under another number or in a newer version, which has a row of its own.
LIVES_ON = frozenset({"SCLA", "TCLA", "SCLD", "TCLD", "ACLD", "ICLD", "MCLD", "ARCH"})

#: pendingProcessIndicator: changes nothing yet. None: nothing the policyholder has to act on.
PENDING: Mapping[str, PendingAction | None] = {
    "": None,
    "B": None,
    "C": PendingAction.CANCELLATION_PENDING,
    "F": PendingAction.WITHDRAWAL_ANNOUNCED,
    "P": PendingAction.WITHDRAWAL_ANNOUNCED,
    "R": None,
    "T": None,
    "V": None,
    "W": PendingAction.WITHDRAWAL_ANNOUNCED,
}

COVER_TYPES: Mapping[LimitKind, str] = {LimitKind.NAMED: "credit-limit", LimitKind.CREDIT_CHECK: "credit-check"}
KINDS: Mapping[str, LimitKind] = {word: kind for kind, word in COVER_TYPES.items()}


def read_covers(row: Mapping[str, Any], policy_currency: str) -> list[InsurerCover]:
    """The covers of one row: one as a rule, a second where a second amount ends earlier than the first.

    Errors: ``ItemFailed`` where a field or code cannot be read.
    """
    cover_id = require_text(row.get("coverId"), "coverId")
    currency = read_currency(row.get("policyCurrencyCode"), "policyCurrencyCode", default=policy_currency)
    historic = read_text(row.get("historicCode"), "historicCode")
    if historic in LIVES_ON:
        return []
    decision = read_text(row.get("decisionCode"), "decisionCode")
    response = _response(read_text(row.get("coverStatus"), "coverStatus"), decision, historic)
    parts = {name: read_object(row.get(name), name) for name in ("totalDecision", "firstAmtDecision", "secondAmtDecision")}
    amounts = {name: read_money(part.get("decisionAmtInPolicyCurrency"), currency, name) for name, part in parts.items()}
    total, first, second = amounts["totalDecision"], amounts["firstAmtDecision"], amounts["secondAmtDecision"]
    if total is None and first is not None:
        total = first if second is None else first + second
    if total is not None and first is not None and total != (first if second is None else first + second):
        raise unreadable("totalDecision", str(total))
    decided_on = read_day(row.get("decisionDate"), "decisionDate")
    withdrawal_on = read_day(row.get("withdrawalDate"), "withdrawalDate")
    ended_on = read_day(row.get("effectiveToDate"), "effectiveToDate")
    indicator = read_text(row.get("pendingProcessIndicator"), "pendingProcessIndicator")
    if indicator not in PENDING:
        raise ItemFailed("code_unknown", field="pendingProcessIndicator", value=indicator[:20])
    pending = PendingAction.WITHDRAWAL_ANNOUNCED if decision == "DC21" and not historic else PENDING[indicator]
    has_ended = historic in ENDINGS or (decision == "DC08" and not historic)
    cover_type = require_text(row.get("coverType"), "coverType")
    if cover_type not in KINDS:
        raise ItemFailed("code_unknown", field="coverType", value=cover_type[:40])
    effective_on = read_day(row.get("effectFromDate"), "effectFromDate")
    conditions = _conditions(parts["totalDecision"]) + _conditions(parts["firstAmtDecision"])
    base = InsurerCover(
        cover_id=cover_id,
        version="/".join(filter(None, (decided_on.isoformat() if decided_on else "applied", decision, historic))),
        company_id=require_text(row.get("buyerId"), "buyerId"),
        company_name=read_text(row.get("buyerName"), "buyerName"),
        response=response,
        kind=KINDS[cover_type],
        layer=Layer.PRIMARY,
        requested=read_money(
            row.get("creditLimitApplicationAmountInPolicyCurrency"), currency, "creditLimitApplicationAmountInPolicyCurrency"
        ),
        decided=_decided_amount(response, decision, historic, total, currency, has_ended=has_ended),
        decided_on=decided_on,
        effective_on=(withdrawal_on or ended_on or effective_on) if has_ended else effective_on,
        valid_to=None if has_ended else read_day(parts["totalDecision"].get("decisionExpiryDate"), "decisionExpiryDate"),
        pending=pending,
        pending_on=withdrawal_on if pending is PendingAction.WITHDRAWAL_ANNOUNCED else None,
        own_reference=read_text(row.get("customerRefNumber"), "customerRefNumber"),
        conditions=conditions,
        grade=read_text(row.get("currentBuyerRating"), "currentBuyerRating"),
        grade_class=read_text(row.get("currentBuyerRatingClass"), "currentBuyerRatingClass"),
        raw={
            name: text
            for name in ("coverStatus", "decisionCode", "decisionTypeDescription", "historicCode", "pendingProcessIndicator", "notes")
            if (text := read_text(row.get(name), name))
        },
    )
    if base.decided is None or has_ended or first is None or second is None or not second:
        return [base]
    first_to = read_day(parts["firstAmtDecision"].get("decisionExpiryDate"), "decisionExpiryDate")
    second_to = read_day(parts["secondAmtDecision"].get("decisionExpiryDate"), "decisionExpiryDate")
    if second_to is None or second_to == first_to:
        return [replace(base, valid_to=base.valid_to or first_to)]
    whole = replace(
        base,
        cover_id=f"{cover_id}/2",
        kind=LimitKind.TEMPORARY,
        valid_to=second_to,
        conditions=conditions + _conditions(parts["secondAmtDecision"]),
    )
    return [replace(base, decided=first, valid_to=first_to), whole]


def _decided_amount(
    response: CoverResponseCode, decision: str, historic: str, total: Money | None, currency: str, *, has_ended: bool
) -> Money | None:
    """What was decided about the amount; None where nothing was. An approval without an amount cannot be read."""
    if has_ended or (decision in REFUSALS and historic not in APPLICATION_ENDINGS):
        return Money.zero(currency)
    if historic in APPLICATION_ENDINGS or decision == UNCHANGED or response is CoverResponseCode.STILL_INVESTIGATING:
        return None
    if total is None:
        raise unreadable("totalDecision", None)
    return total


def _response(status: str, decision: str, historic: str) -> CoverResponseCode:
    if historic:
        known = ENDINGS.get(historic) or APPLICATION_ENDINGS.get(historic)
        if known is None:
            raise ItemFailed("code_unknown", field="historicCode", value=historic[:20])
        return DECISIONS[UNCHANGED] if historic == "RCLA" else known
    if decision:
        if decision not in DECISIONS:
            raise ItemFailed("code_unknown", field="decisionCode", value=decision[:20])
        return DECISIONS[decision]
    if status.upper() == "REFERRED":
        return CoverResponseCode.STILL_INVESTIGATING
    raise ItemFailed("code_unknown", field="coverStatus", value=status[:40])


def _conditions(part: Mapping[str, Any]) -> tuple[str, ...]:
    rows = (read_object(each, "decisionConditions") for each in read_list(part.get("decisionConditions"), "decisionConditions"))
    texts = (
        read_text(row.get("conditionDescription"), "conditionDescription") or read_text(row.get("conditionCode"), "conditionCode")
        for row in rows
    )
    return tuple(text for text in texts if text)
