"""Reading the clause about the discretionary limit."""

from __future__ import annotations

from decimal import Decimal

from insureflow.domain.errors import InvalidValue
from insureflow.domain.policies.reading import Reader
from insureflow.domain.policies.terms import DiscretionaryLimit, DiscretionaryMethodTerms, OverdueBlocks
from insureflow.domain.policies.vocabulary import DiscretionaryMethod, InsurerDecisionEffect, NeedAboveMaximum


def read_discretionary_limit(reader: Reader) -> DiscretionaryLimit | None:
    """The limit the policyholder may set without asking."""
    inner = reader.child("discretionary_limit")
    if inner is None:
        return None
    # A discretionary limit is the one clause that may stand without any currency: it is then in euro.
    inner.currency = inner.money_code("currency") or inner.currency or "EUR"
    maximum = inner.amount("maximum", required=True)
    limit = DiscretionaryLimit(
        maximum=maximum or 0,
        currency=inner.currency,
        methods=tuple(_method(child) for child in inner.children("methods", required=True, minimum=1)),
        countries=inner.countries("countries"),
        insurer_decision=inner.choice("insurer_decision", InsurerDecisionEffect) or InsurerDecisionEffect.ENDS,
        rebuild_after_zero_decision_months=_rebuild(inner),
        adverse_information_blocks=inner.boolean("adverse_information_blocks", default=True),
        default_loss_blocks_months=inner.only_whole("default_loss_blocks", "months"),
        overdue_blocks=_overdue_blocks(inner),
        need_above_maximum=inner.choice("need_above_maximum", NeedAboveMaximum) or NeedAboveMaximum.PARTIAL,
    )
    inner.finish()
    return limit


def _rebuild(reader: Reader) -> int | None:
    name = "rebuild_after_zero_decision"
    if reader.data.get(name) == "never":
        reader.allow(name)
        return None
    return reader.only_whole(name, "months")


def _overdue_blocks(reader: Reader) -> OverdueBlocks | None:
    inner = reader.child("overdue_blocks")
    if inner is None:
        return None
    days = inner.whole("more_than_days", required=True)
    above = inner.amount("above_amount") or 0
    inner.finish()
    return None if days is None else OverdueBlocks(days, above)


def _method(reader: Reader) -> DiscretionaryMethodTerms:
    method = reader.choice("method", DiscretionaryMethod, required=True)
    if method is None:
        return DiscretionaryMethodTerms(DiscretionaryMethod.CREDIT_REPORT)
    if method is DiscretionaryMethod.CREDIT_REPORT:
        if reader.has("valid_for") == reader.has("maximum_age"):
            reader.problems.append(InvalidValue("exactly_one_of", reader.path, None, choices="valid_for, maximum_age"))
        percentage = reader.percentage("percentage_of_report_amount")
        terms = DiscretionaryMethodTerms(
            method,
            valid_for_months=reader.only_whole("valid_for", "months"),
            maximum_age_months=reader.only_whole("maximum_age", "months"),
            percentage_of_report_amount=Decimal(100) if percentage is None else percentage,
        )
    elif method is DiscretionaryMethod.PAYMENT_EXPERIENCE:
        look_back = reader.only_whole("look_back", "months", required=True)
        factor = reader.number("factor")
        terms = DiscretionaryMethodTerms(method, look_back_months=look_back, factor=Decimal(1) if factor is None else factor)
    else:
        look_back = reader.only_whole("look_back", "months", required=True)
        purchases = reader.whole("minimum_purchases", required=True)
        terms = DiscretionaryMethodTerms(method, look_back_months=look_back, minimum_purchases=purchases)
    reader.finish()
    return terms
