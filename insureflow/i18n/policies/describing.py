"""The terms of a policy in plain words, group by group, and what differs between two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from insureflow.domain.policies import (
    UNGRADED,
    AllocationOrder,
    Attachment,
    Cause,
    ClaimRate,
    Cycle,
    DiscretionaryMethod,
    InsurerDecisionEffect,
    InvoicesCounted,
    LimitKind,
    LimitMeasure,
    NeedAboveMaximum,
    PartialPaymentReduces,
    PartPaymentAppliesTo,
    PremiumBasis,
    RecoverySplit,
    StopBasis,
)
from insureflow.i18n import formats
from insureflow.i18n.catalogues import marked as _
from insureflow.i18n.catalogues import translate
from insureflow.i18n.policies import saying
from insureflow.i18n.policies.saying import Data, Say, Speaker
from insureflow.i18n.words import find_word, word


@dataclass(frozen=True, slots=True)
class Entry:
    """One parameter: its dotted path in the terms, what it is called, what it says, and the data it says it of."""

    path: str
    label: str
    value: str
    data: object


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that belong together."""

    code: str
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter that two versions of terms say differently; None where one of them says nothing."""

    path: str
    label: str
    before: str | None
    after: str | None


def label_of(path: str, locale: str, about: str = "") -> str:
    """What a parameter is called; a path inside a clause without a name of its own is called like the clause.

    ``about`` says of what a clause speaks that stands several times (a cause, a country, a grade); it is read from the path
    where the path tells it.
    """
    name = path
    while name:
        term = find_word(f"Parameter.{name}")
        if term is not None:
            if "%(about)s" not in term:
                return translate(term, locale)
            key = path[len(name) + 1 :].partition(".")[0]
            return translate(term, locale) % {"about": about or (_about(name, key, locale) if key else "…")}
        name = name.rpartition(".")[0]
    return path


#: Group by group, the clauses in the order in which people read a policy: path, how it is said.
_GROUPS: tuple[tuple[str, tuple[tuple[str, Say], ...]], ...] = (
    (
        "scope",
        (
            ("currency", saying.text_words),
            ("limit_currency", saying.text_words),
            ("period", saying.period_words),
            ("attachment", saying.choice_words(Attachment)),
            ("countries_covered", lambda speaker, value: speaker.countries(value)),
        ),
    ),
    (
        "percentage",
        (
            ("insured_percentage.default", lambda speaker, value: speaker.percent(value)),
            ("insured_percentage.by_cause.*", lambda speaker, value: speaker.percent(value)),
            ("insured_percentage.by_country.*", lambda speaker, value: speaker.percent(value)),
            ("insured_percentage_by_limit_kind.*", lambda speaker, value: speaker.percent(value)),
            ("grade_cover[]", saying.grade),
            ("layers.top_up", saying.top_up),
        ),
    ),
    (
        "sales",
        (("maximum_credit_terms", saying.credit_terms), ("maximum_invoicing_period", saying.after_shipment)),
    ),
    (
        "overdue",
        (
            ("maximum_extension_period", saying.extension),
            ("stop_cover.automatic", saying.flag_words),
            ("stop_cover.minimum_overdue_amount", lambda speaker, value: speaker.money(value, speaker.limit_currency)),
            ("stop_cover.basis", saying.choice_words(StopBasis)),
            ("stop_cover.invoices_counted", saying.choice_words(InvoicesCounted)),
            ("stop_cover.disputed_amounts_count", saying.flag_words),
            ("stop_cover.blocks_roll_in", saying.flag_words),
            ("overdue_notification", saying.notification),
            ("overdue_notification_threshold", saying.amount_clause),
            ("adverse_information", saying.adverse),
            ("no_new_terms_after_shipment", saying.flag_words),
            ("relief[]", saying.relief),
            ("business_day_calendar", saying.text_words),
        ),
    ),
    (
        "limits",
        (
            ("limit_cancellation_notice", saying.notice),
            ("temporary_limit_renewal", lambda speaker, value: speaker.say(_("%(length)s before they end"), length=speaker.length(value))),
            (
                "binding_order_report",
                lambda speaker, value: speaker.say(_("within %(length)s of the notice"), length=speaker.length(value)),
            ),
            ("limit_fee.*", saying.money_words),
            ("discretionary_limit.maximum", saying.discretionary_money),
            ("discretionary_limit.currency", saying.text_words),
            ("discretionary_limit.countries", lambda speaker, value: speaker.countries(value)),
            ("discretionary_limit.methods[]", saying.method),
            ("discretionary_limit.insurer_decision", saying.choice_words(InsurerDecisionEffect)),
            ("discretionary_limit.rebuild_after_zero_decision", saying.rebuild),
            ("discretionary_limit.adverse_information_blocks", saying.flag_words),
            ("discretionary_limit.default_loss_blocks", lambda speaker, value: speaker.length(value)),
            ("discretionary_limit.overdue_blocks", saying.overdue_items),
            ("discretionary_limit.need_above_maximum", saying.choice_words(NeedAboveMaximum)),
        ),
    ),
    (
        "allocation",
        (
            ("allocation.order", saying.choice_words(AllocationOrder)),
            ("allocation.respect_designation", saying.flag_words),
            ("allocation.prepayments_reduce_old_debt", saying.flag_words),
            ("allocation.partial_payment_reduces", saying.choice_words(PartialPaymentReduces)),
            ("allocation.part_payment_applies_to", saying.choice_words(PartPaymentAppliesTo)),
            ("allocation.roll_in_after_cancellation", saying.flag_words),
            ("allocation.roll_in_under_reduced_limit", saying.flag_words),
        ),
    ),
    (
        "loss",
        (
            ("waiting_period.*", lambda speaker, value: speaker.rule(value)),
            ("claim_filing", saying.filing),
            ("examination", lambda speaker, value: speaker.rule(value)),
            ("payment", lambda speaker, value: speaker.rule(value)),
            ("provisional_payment", lambda speaker, value: speaker.percent(value["percentage"])),
        ),
    ),
    (
        "indemnity",
        (
            ("vat_covered", saying.flag_words),
            ("collection_costs_in_loss", saying.flag_words),
            ("claims_threshold", saying.threshold),
            ("each_loss_deductible", saying.deductible),
            ("minimum_retention", saying.amount_clause),
            ("aggregate_first_loss", saying.first_loss),
            ("maximum_indemnity_per_buyer", saying.amount_clause),
            ("maximum_liability", saying.liability),
            ("claim_rate", saying.choice_words(ClaimRate)),
        ),
    ),
    ("recovery", (("recovery.split", saying.choice_words(RecoverySplit)), ("recovery.costs_first", saying.flag_words))),
    (
        "premium",
        (
            ("premium.basis", saying.choice_words(PremiumBasis)),
            ("premium.rate", lambda speaker, value: speaker.number(value)),
            ("premium.amount", saying.money_words),
            ("premium.minimum", saying.minimum_premium),
            ("premium.advance_instalments", lambda speaker, value: speaker.number(value)),
            ("premium.excluded_turnover", saying.text_words),
            ("premium.balances_capped_at_limit", saying.flag_words),
            ("premium.limit_measure", saying.choice_words(LimitMeasure)),
            ("premium.bonus_malus", saying.bonus_malus),
            ("premium.cycle", saying.choice_words(Cycle)),
            ("premium.estimated_turnover", saying.money_words),
            ("premium.estimated_premium", saying.money_words),
            ("turnover_declaration", saying.declaration),
            (
                "notice_of_non_renewal",
                lambda speaker, value: speaker.say(_("%(length)s before the policy ends"), length=speaker.length(value)),
            ),
        ),
    ),
)


#: What a country can have of its own.
_SCHEDULE: tuple[tuple[str, Say], ...] = (
    ("maximum_credit_terms", saying.credit_terms),
    ("maximum_extension_period", saying.extension),
    ("overdue_notification", saying.notification),
    ("waiting_period.*", lambda speaker, value: speaker.rule(value)),
    ("vat_covered", saying.flag_words),
)


def _find(data: object, path: str) -> object:
    for name in path.split("."):
        if not isinstance(data, Mapping) or name not in data:
            return None
        data = data[name]
    return data


def _about(clause: str, key: str, locale: str) -> str:
    """Of what a value of a map speaks: a cause, a country or a kind of limit."""
    if clause.endswith("by_country"):
        return formats.country(key, locale)
    return word(LimitKind(key) if clause.endswith(("limit_kind", "limit_fee")) else Cause(key), locale)


def _entries(data: Data, clauses: Sequence[tuple[str, Say]], speaker: Speaker, prefix: str = "") -> Iterator[Entry]:
    locale = speaker.locale
    for path, say in clauses:
        if path.endswith(".*"):
            clause = path[:-2]
            found = _find(data, clause)
            for key, value in found.items() if isinstance(found, Mapping) else ():
                yield Entry(f"{prefix}{clause}.{key}", label_of(clause, locale, _about(clause, key, locale)), say(speaker, value), value)
        elif path.endswith("[]"):
            clause = path[:-2]
            rows = _find(data, clause)
            for position, row in enumerate(rows if isinstance(rows, list) else ()):
                yield Entry(f"{prefix}{clause}[{position}]", label_of(clause, locale, _row(row, speaker)), say(speaker, row), row)
        else:
            value = _find(data, path)
            if value is not None:
                yield Entry(f"{prefix}{path}", label_of(path, locale), say(speaker, value), value)


def _row(row: Data, speaker: Speaker) -> str:
    if "method" in row:
        return word(DiscretionaryMethod(row["method"]), speaker.locale)
    return ", ".join(speaker.say(_("none")) if grade == UNGRADED else str(grade) for grade in row["grades"])


def _speaker(data: Data, locale: str) -> Speaker:
    return Speaker(locale, data.get("currency"), data.get("limit_currency"))


def describe(data: Data, locale: str) -> tuple[Group, ...]:
    """Terms in their canonical form, in words: the groups that say anything, without the country schedule."""
    speaker = _speaker(data, locale)
    groups = []
    for code, clauses in _GROUPS:
        entries = tuple(_entries(data, clauses, speaker))
        if entries:
            groups.append(Group(code, word(f"TermsGroup.{code}", locale), entries))
    return tuple(groups)


def describe_schedule(data: Data, locale: str) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
    """What single countries have of their own: code and entries, by code."""
    schedule = data.get("country_schedule") or {}
    speaker = _speaker(data, locale)
    return tuple((code, tuple(_entries(schedule[code], _SCHEDULE, speaker, f"country_schedule.{code}."))) for code in sorted(schedule))


def _all_entries(data: Data, locale: str) -> dict[str, Entry]:
    entries = {entry.path: entry for group in describe(data, locale) for entry in group.entries}
    for code, own in describe_schedule(data, locale):
        country = formats.country(code, locale)
        for entry in own:
            entries[entry.path] = Entry(
                entry.path, translate(_COUNTRY_LABEL, locale, country=country, parameter=entry.label), entry.value, entry.data
            )
    return entries


_COUNTRY_LABEL = _("%(country)s: %(parameter)s")


def differences(before: Data, after: Data, locale: str) -> tuple[Difference, ...]:
    """What the later terms say differently, parameter by parameter."""
    old, new = _all_entries(before, locale), _all_entries(after, locale)
    found = []
    for path in [*new, *(path for path in old if path not in new)]:
        was, now = old.get(path), new.get(path)
        if (was.data if was else None) != (now.data if now else None):
            label = now.label if now else was.label if was else path
            found.append(Difference(path, label, was.value if was else None, now.value if now else None))
    return tuple(found)
