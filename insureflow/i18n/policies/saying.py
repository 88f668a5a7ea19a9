"""How single values of a policy's terms are said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from insureflow.domain.money import to_minor
from insureflow.domain.periods import PeriodUnit, StartingDay
from insureflow.domain.policies import (
    CreditTermsStart,
    Cycle,
    DeductibleOrder,
    DiscretionaryMethod,
    Erosion,
    ExtensionStart,
    NoticeAppliesTo,
    NotificationFailure,
    PremiumMeasure,
    ReliefClause,
)
from insureflow.i18n import formats
from insureflow.i18n.catalogues import marked as _
from insureflow.i18n.catalogues import translate
from insureflow.i18n.words import word

Data = Mapping[str, Any]


class Speaker:
    """Says the values of terms in one language. Amounts are in the currency of the terms unless another is named."""

    def __init__(self, locale: str, currency: str | None, limit_currency: str | None = None) -> None:
        self.locale = locale
        self.currency = currency or "EUR"
        self.limit_currency = limit_currency or self.currency

    def say(self, message: str, **values: object) -> str:
        """A sentence with its places filled."""
        return translate(message, self.locale, **values)

    def yes_or_no(self, value: object) -> str:
        """Yes or no."""
        return word("yes" if value else "no", self.locale)

    def percent(self, value: object) -> str:
        """A percentage."""
        return formats.percent(Decimal(str(value)), self.locale, 4)

    def number(self, value: object) -> str:
        """A plain number."""
        return formats.number(Decimal(str(value)), self.locale)

    def money(self, value: object, currency: str | None = None) -> str:
        """An amount with its currency."""
        unit = currency or self.currency
        return formats.money(to_minor(str(value), unit), unit, self.locale)

    def countries(self, codes: Sequence[str]) -> str:
        """Countries by name."""
        return ", ".join(sorted(formats.country(code, self.locale) for code in codes))

    def length(self, clause: Data) -> str:
        """How long: so many days, months or business days."""
        for unit in PeriodUnit:
            if unit.value in clause:
                count = int(clause[unit.value])
                return self.say(_LENGTHS[unit][count != 1], count=formats.number(count, self.locale))
        return formats.NOTHING

    def rule(self, clause: Data) -> str:
        """A period with its starting day, or the earlier or later of several."""
        for name, joined in (("earlier_of", _("the earlier of: %(rules)s")), ("later_of", _("the later of: %(rules)s"))):
            if name in clause:
                return self.say(joined, rules="; ".join(self.rule(inner) for inner in clause[name]))
        start = word(StartingDay(clause["from"]), self.locale)
        if clause.get("days") == 0 or clause.get("months") == 0:
            return self.say(_("on the day of %(start)s"), start=start)
        return self.say(_("%(length)s after %(start)s"), length=self.length(clause), start=start)

    def months(self, clause: Data) -> str:
        """A number of months or days that stands alone."""
        return self.length(clause)


_LENGTHS = {
    PeriodUnit.DAYS: (_("%(count)s day"), _("%(count)s days")),
    PeriodUnit.MONTHS: (_("%(count)s month"), _("%(count)s months")),
    PeriodUnit.BUSINESS_DAYS: (_("%(count)s business day"), _("%(count)s business days")),
}

Say = Callable[[Speaker, Any], str]


def choice_words(words: Any) -> Say:
    """How a member of a closed list is said."""
    return lambda speaker, value: word(words(value), speaker.locale)


def period_words(speaker: Speaker, value: Data) -> str:
    """The policy period."""
    days = [formats.day(date.fromisoformat(str(value[name])), speaker.locale) for name in ("from", "to")]
    return speaker.say(_("%(first)s to %(last)s, both included"), first=days[0], last=days[1])


def credit_terms(speaker: Speaker, value: Data) -> str:
    """The maximum credit terms."""
    start = word(CreditTermsStart(value["from"]), speaker.locale)
    return speaker.say(_("%(length)s from %(start)s"), length=speaker.length(value), start=start)


def extension(speaker: Speaker, value: Data) -> str:
    """The maximum extension period."""
    start = word(ExtensionStart(value["from"]), speaker.locale)
    return speaker.say(_("%(length)s from %(start)s"), length=speaker.length(value), start=start)


def notification(speaker: Speaker, value: Data) -> str:
    """The time for notification and what a late one does."""
    failure = word(NotificationFailure(value["failure"]), speaker.locale)
    return speaker.say(_("%(rule)s; %(failure)s"), rule=speaker.rule(value), failure=failure)


def adverse(speaker: Speaker, value: Data) -> str:
    """The time for adverse information."""
    if value.get("days") == 0:
        return speaker.say(_("reported at once"))
    return speaker.say(_("reported within %(length)s"), length=speaker.length(value))


def filing(speaker: Speaker, value: Data) -> str:
    """The window for a claim."""
    parts = []
    if "from" in value:
        parts.append(speaker.say(_("at the latest %(rule)s"), rule=speaker.rule(value)))
    if "not_before" in value:
        parts.append(speaker.say(_("not before %(rule)s"), rule=speaker.rule(value["not_before"])))
    return "; ".join(parts) or formats.NOTHING


def threshold(speaker: Speaker, value: Data) -> str:
    """The claims threshold."""
    reach = (
        _("a loss up to and including %(amount)s is not indemnified")
        if value["inclusive"]
        else _("a loss below %(amount)s is not indemnified")
    )
    erodes = (
        _("it uses up the aggregate first loss")
        if value["erodes_aggregate_first_loss"]
        else _("it leaves the aggregate first loss as it is")
    )
    return speaker.say(
        _("%(reach)s; %(erodes)s"), reach=speaker.say(reach, amount=speaker.money(value["amount"])), erodes=speaker.say(erodes)
    )


def deductible(speaker: Speaker, value: Data) -> str:
    """The deductible of each loss."""
    return speaker.say(
        _("%(amount)s, taken off %(order)s"),
        amount=speaker.money(value["amount"]),
        order=word(DeductibleOrder(value["order"]), speaker.locale),
    )


def first_loss(speaker: Speaker, value: Data) -> str:
    """The aggregate first loss."""
    return speaker.say(
        _("%(amount)s a year, %(erosion)s"), amount=speaker.money(value["amount"]), erosion=word(Erosion(value["erosion"]), speaker.locale)
    )


def liability(speaker: Speaker, value: Data) -> str:
    """The maximum liability."""
    if "amount" in value:
        return speaker.say(_("%(amount)s a year"), amount=speaker.money(value["amount"]))
    return speaker.say(
        _("%(multiple)s times %(measure)s"),
        multiple=speaker.number(value["premium_multiple"]),
        measure=word(PremiumMeasure(value["of"]), speaker.locale),
    )


def notice(speaker: Speaker, value: Data) -> str:
    """The run-off after the end of a limit."""
    if not value["days"]:
        return speaker.say(_("none: the end of a limit takes effect at once"))
    applies = word(NoticeAppliesTo(value["applies_to"]), speaker.locale)
    return speaker.say(_("%(length)s after the notice, for %(applies)s"), length=speaker.length(value), applies=applies)


def top_up(speaker: Speaker, value: Data) -> str:
    """The top-up layer."""
    follows = (
        _("it counts only while a primary limit is in force") if value["follows_primary"] else _("it stands without a primary limit too")
    )
    if "insured_percentage" not in value:
        return speaker.say(follows)
    return speaker.say(
        _("%(percentage)s; %(follows)s"), percentage=speaker.percent(value["insured_percentage"]), follows=speaker.say(follows)
    )


def relief(speaker: Speaker, value: Data) -> str:
    """A longer time for a period."""
    days = [formats.day(date.fromisoformat(str(value[name])), speaker.locale) for name in ("from", "to")]
    return speaker.say(
        _("%(clause)s: %(length)s where the ordinary last day falls on %(first)s to %(last)s"),
        clause=word(ReliefClause(value["clause"]), speaker.locale),
        length=speaker.length(value),
        first=days[0],
        last=days[1],
    )


def declaration(speaker: Speaker, value: Data) -> str:
    """The declaration of turnover."""
    return speaker.say(
        _("%(cycle)s, within %(length)s after the end of what is declared"),
        cycle=word(Cycle(value["cycle"]), speaker.locale),
        length=speaker.length(value),
    )


def minimum_premium(speaker: Speaker, value: Data) -> str:
    """The minimum premium."""
    if "amount" in value:
        return speaker.money(value["amount"])
    return speaker.say(_("%(percentage)s of the estimated premium"), percentage=speaker.percent(value["percentage_of_estimated"]))


def bonus_malus(speaker: Speaker, rows: Sequence[Data]) -> str:
    """Bonus and surcharge by loss ratio."""
    said = []
    for row in rows:
        adjustment = speaker.percent(row["adjustment_percentage"])
        if row["loss_ratio_up_to"] is None:
            said.append(speaker.say(_("above that: %(adjustment)s"), adjustment=adjustment))
        else:
            bound = speaker.percent(row["loss_ratio_up_to"])
            said.append(speaker.say(_("up to a loss ratio of %(bound)s: %(adjustment)s"), bound=bound, adjustment=adjustment))
    return "; ".join(said)


def rebuild(speaker: Speaker, value: object) -> str:
    """When a discretionary limit may be set again after a refusal."""
    if not isinstance(value, Mapping):
        return speaker.say(_("never again"))
    return speaker.say(_("again after %(length)s"), length=speaker.length(value))


def method(speaker: Speaker, value: Data) -> str:
    """What the evidence of a discretionary limit must be."""
    if value["method"] == DiscretionaryMethod.CREDIT_REPORT:
        share = speaker.percent(value["percentage_of_report_amount"])
        if "valid_for" in value:
            return speaker.say(
                _("%(share)s of the amount in the report, valid for %(length)s"), share=share, length=speaker.length(value["valid_for"])
            )
        return speaker.say(
            _("%(share)s of the amount in the report, at most %(length)s old"), share=share, length=speaker.length(value["maximum_age"])
        )
    length = speaker.length(value["look_back"])
    if value["method"] == DiscretionaryMethod.PAYMENT_EXPERIENCE:
        return speaker.say(
            _("%(factor)s times the highest balance paid in time within %(length)s"), factor=speaker.number(value["factor"]), length=length
        )
    return speaker.say(
        _("at least %(count)s purchases paid in time within %(length)s"), count=speaker.number(value["minimum_purchases"]), length=length
    )


def flag_words(speaker: Speaker, value: object) -> str:
    """Yes or no."""
    return speaker.yes_or_no(value)


def text_words(speaker: Speaker, value: object) -> str:
    """A text or several."""
    del speaker
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def money_words(speaker: Speaker, value: object) -> str:
    """An amount in policy currency."""
    return speaker.money(value)


def amount_clause(speaker: Speaker, value: Data) -> str:
    """The amount of a clause that has nothing else."""
    return speaker.money(value["amount"])


def discretionary_money(speaker: Speaker, value: object) -> str:
    """An amount whose currency is said beside it."""
    return speaker.number(value)


def overdue_items(speaker: Speaker, value: Data) -> str:
    """The overdue items that rule a discretionary limit out."""
    return speaker.say(
        _("more than %(days)s days, above %(amount)s"),
        days=speaker.number(value["more_than_days"]),
        amount=speaker.number(value["above_amount"]),
    )


def after_shipment(speaker: Speaker, value: Data) -> str:
    """A length after shipment."""
    return speaker.say(_("%(length)s after shipment"), length=speaker.length(value))


def grade(speaker: Speaker, value: Data) -> str:
    """The cover of a row of grades."""
    percentage = speaker.percent(value["insured_percentage"])
    if "maximum_indemnity_per_buyer" not in value:
        return percentage
    most = speaker.money(value["maximum_indemnity_per_buyer"])
    return speaker.say(_("%(percentage)s, at most %(amount)s per buyer"), percentage=percentage, amount=most)
