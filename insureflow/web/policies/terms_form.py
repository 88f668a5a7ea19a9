"""The form for the main parameters of a policy: what it asks, how it is filled from terms, and what it changes in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from insureflow.domain.periods import PeriodUnit, StartingDay
from insureflow.domain.policies import (
    AllocationOrder,
    Attachment,
    Cause,
    CreditTermsStart,
    DeductibleOrder,
    Erosion,
    ExtensionStart,
    NotificationFailure,
    PartialPaymentReduces,
    PremiumMeasure,
    RecoverySplit,
)
from insureflow.i18n.policies import label_of
from insureflow.i18n.words import word
from insureflow.services.policies import with_overrides

ALL_UNITS = tuple(PeriodUnit)
CALENDAR_UNITS = (PeriodUnit.DAYS, PeriodUnit.MONTHS)
OVERDUE_STARTS = (
    StartingDay.MAXIMUM_EXTENSION_PERIOD_END,
    StartingDay.MAXIMUM_EXTENSION_PERIOD_BREACH,
    StartingDay.DUE_DATE,
    StartingDay.INVOICE_DATE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One control of a clause. ``key`` is its name inside the clause, empty where the clause is a single value.

    ``kind`` is ``length`` (a number and its unit), ``choice``, ``flag``, ``whole``, ``decimal``, ``day`` or ``countries``.
    """

    key: str
    kind: str
    choices: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that the form can edit; without a value in its first part it is not in the policy."""

    path: str
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """Its name in the form."""
        return self.path.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Row:
    """A clause as the template draws it: the names of its controls, or in words where only the text can say it."""

    clause: Clause
    label: str
    fields: tuple[Field, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Clauses under one heading."""

    label: str
    rows: tuple[Row, ...] = field(default=())


def _single(path: str, kind: str, choices: Sequence[Any] = ()) -> Clause:
    return Clause(path, (Part("", kind, choices),))


def _length(path: str, units: Sequence[Any], starts: Sequence[Any] = (), *more: Part) -> Clause:
    start = (Part("from", "choice", starts),) if starts else ()
    return Clause(path, (Part("", "length", units), *start, *more))


_SECTIONS: tuple[tuple[str, tuple[Clause, ...]], ...] = (
    (
        "scope",
        (
            Clause("period", (Part("from", "day"), Part("to", "day"))),
            _single("attachment", "choice", tuple(Attachment)),
            _single("countries_covered", "countries"),
        ),
    ),
    ("percentage", (_single("insured_percentage.default", "decimal"),)),
    (
        "sales",
        (
            _length("maximum_credit_terms", (PeriodUnit.DAYS,), tuple(CreditTermsStart)),
            _length("maximum_invoicing_period", (PeriodUnit.DAYS,)),
        ),
    ),
    (
        "overdue",
        (
            _length("maximum_extension_period", CALENDAR_UNITS, tuple(ExtensionStart)),
            _single("no_new_terms_after_shipment", "flag"),
            _single("stop_cover.automatic", "flag"),
            _single("stop_cover.minimum_overdue_amount", "decimal"),
            _length("overdue_notification", ALL_UNITS, OVERDUE_STARTS, Part("failure", "choice", tuple(NotificationFailure))),
            Clause("overdue_notification_threshold", (Part("amount", "decimal"),)),
            _length("adverse_information", (PeriodUnit.DAYS, PeriodUnit.BUSINESS_DAYS)),
        ),
    ),
    ("limits", (_length("limit_cancellation_notice", (PeriodUnit.DAYS,)),)),
    (
        "allocation",
        (
            _single("allocation.order", "choice", tuple(AllocationOrder)),
            _single("allocation.partial_payment_reduces", "choice", tuple(PartialPaymentReduces)),
            _single("allocation.respect_designation", "flag"),
            _single("allocation.prepayments_reduce_old_debt", "flag"),
            _single("allocation.roll_in_after_cancellation", "flag"),
            _single("allocation.roll_in_under_reduced_limit", "flag"),
        ),
    ),
    (
        "loss",
        (
            *(_length(f"waiting_period.{cause}", ALL_UNITS, tuple(StartingDay)) for cause in Cause),
            _length("claim_filing", ALL_UNITS, tuple(StartingDay)),
            _length("claim_filing.not_before", ALL_UNITS, tuple(StartingDay)),
            _length("examination", ALL_UNITS, tuple(StartingDay)),
            _length("payment", ALL_UNITS, tuple(StartingDay)),
        ),
    ),
    (
        "indemnity",
        (
            _single("vat_covered", "flag"),
            _single("collection_costs_in_loss", "flag"),
            Clause("claims_threshold", (Part("amount", "decimal"), Part("inclusive", "flag"), Part("erodes_aggregate_first_loss", "flag"))),
            Clause("each_loss_deductible", (Part("amount", "decimal"), Part("order", "choice", tuple(DeductibleOrder)))),
            Clause("minimum_retention", (Part("amount", "decimal"),)),
            Clause("aggregate_first_loss", (Part("amount", "decimal"), Part("erosion", "choice", tuple(Erosion)))),
            Clause("maximum_indemnity_per_buyer", (Part("amount", "decimal"),)),
            Clause("maximum_liability", (Part("amount", "decimal"),)),
            Clause("maximum_liability.premium", (Part("premium_multiple", "decimal"), Part("of", "choice", tuple(PremiumMeasure)))),
        ),
    ),
    ("recovery", (_single("recovery.split", "choice", tuple(RecoverySplit)), _single("recovery.costs_first", "flag"))),
)

#: The clause of the form whose parts stand inside another clause of the terms.
_INSIDE = {"maximum_liability.premium": "maximum_liability"}


def clauses() -> Iterator[Clause]:
    """All clauses of the form."""
    for _code, own in _SECTIONS:
        yield from own


def _find(data: object, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(data, Mapping) or name not in data:
            return None
        data = data[name]
    return data


def _value_of(clause: Clause, data: Mapping[str, Any]) -> Any:
    return _find(data, _INSIDE.get(clause.path, clause.path))


def is_written_in_text(clause: Clause, data: Mapping[str, Any]) -> bool:
    """True where the terms say more than the form can show: the earlier or later of several periods."""
    value = _value_of(clause, data)
    return isinstance(value, Mapping) and bool({"earlier_of", "later_of"} & set(value))


def _part_label(clause: Clause, part: Part) -> str:
    labels = {
        "from": _("from"),
        "to": _("to"),
        "failure": _("if it is late"),
        "amount": _("amount"),
        "inclusive": _("the amount itself is below the threshold too"),
        "erodes_aggregate_first_loss": _("uses up the aggregate first loss"),
        "order": _("taken off"),
        "erosion": _("used up by"),
        "premium_multiple": _("times the premium"),
        "of": _("which premium"),
    }
    return labels.get(part.key) or _clause_label(clause)


def _clause_label(clause: Clause) -> str:
    locale = str(get_locale() or "en")
    if clause.path == "maximum_liability.premium":
        return str(_("Maximum liability as a multiple of the premium"))
    return label_of(clause.path, locale)


def _controls(clause: Clause) -> Iterator[tuple[str, Any, Part]]:
    """Name, unbound field and part for every control of a clause."""
    locale = str(get_locale() or "en")
    for part in clause.parts:
        name = f"{clause.name}-{part.key}" if part.key else clause.name
        label = _part_label(clause, part)
        if part.kind == "length":
            unit = word(part.choices[0], locale) if len(part.choices) == 1 else ""
            yield name, StringField(label, description=unit, render_kw={"inputmode": "numeric", "size": 6}), part
            if len(part.choices) > 1:
                options = [SelectChoice(str(unit), word(unit, locale)) for unit in part.choices]
                yield f"{name}-unit", SelectField(_("%(clause)s: counted in", clause=label), choices=options), part
        elif part.kind == "choice":
            shown = label if not part.key else _("%(clause)s: %(part)s", clause=_clause_label(clause), part=label)
            yield name, SelectField(shown, choices=[SelectChoice(str(each), word(each, locale)) for each in part.choices]), part
        elif part.kind == "flag":
            yield name, BooleanField(label), part
        else:
            keywords = {"type": "date"} if part.kind == "day" else {"inputmode": "decimal"} if part.kind == "decimal" else {}
            shown = label if not part.key else _("%(clause)s: %(part)s", clause=_clause_label(clause), part=label)
            yield name, StringField(shown, render_kw=keywords), part


def terms_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """The unbound fields of the clauses that the form can show for some terms, for a form class."""
    shown = [clause for clause in clauses() if not is_written_in_text(clause, data)]
    return {name: control for clause in shown for name, control, _part in _controls(clause)}


def initial_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields hold for some terms in their canonical form."""
    values: dict[str, Any] = {}
    for clause in clauses():
        value = _value_of(clause, data)
        for part in clause.parts:
            name = f"{clause.name}-{part.key}" if part.key else clause.name
            if part.kind == "length":
                unit = next((unit for unit in part.choices if isinstance(value, Mapping) and str(unit) in value), None)
                values[name] = "" if unit is None else str(value[str(unit)])
                values[f"{name}-unit"] = str(unit or part.choices[0])
            else:
                inner = value.get(part.key) if part.key and isinstance(value, Mapping) else None if part.key else value
                if part.kind == "countries":
                    values[name] = " ".join(inner or [])
                elif part.kind == "flag":
                    values[name] = bool(inner) if inner is not None else part.key == "inclusive"
                elif inner is not None:
                    values[name] = str(inner)
    return values


def _read(part: Part, form: FlaskForm, name: str) -> Any:
    given = form[name].data
    if part.kind == "flag":
        return bool(given)
    text = (given or "").strip()
    if not text:
        return None
    if part.kind in ("length", "whole"):
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
    if part.kind == "countries":
        return text.upper().replace(",", " ").replace(";", " ").split()
    if part.kind == "decimal":
        return text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    return text


def changed_terms(data: Mapping[str, Any], form: FlaskForm) -> dict[str, object]:
    """The terms with what the form says in place of what they said; what the form cannot show stays."""
    overrides: dict[str, object] = {}
    for clause in clauses():
        if is_written_in_text(clause, data):
            continue
        base = _INSIDE.get(clause.path, clause.path)
        first = clause.parts[0]
        main = _read(first, form, f"{clause.name}-{first.key}" if first.key else clause.name)
        for part in clause.parts:
            name = f"{clause.name}-{part.key}" if part.key else clause.name
            if part.kind == "length":
                chosen = form[f"{name}-unit"].data if len(part.choices) > 1 else str(part.choices[0])
                overrides |= {f"{base}.{unit}": main if str(unit) == chosen else None for unit in part.choices}
            else:
                value = None if main is None else _read(part, form, name)
                overrides[f"{base}.{part.key}" if part.key else base] = value
        if main is None and base == "limit_cancellation_notice":
            overrides[base] = None
    return _without_empty(with_overrides(data, overrides))


def _without_empty(data: Mapping[str, Any]) -> dict[str, object]:
    """Terms without clauses that nothing is left of."""
    inner = {name: _without_empty(value) if isinstance(value, Mapping) else value for name, value in data.items()}
    return {name: value for name, value in inner.items() if value != {}}


def sections(form: FlaskForm, data: Mapping[str, Any], hints: Mapping[str, str]) -> list[Section]:
    """The form as the template draws it. ``hints`` by path: what the policy document must confirm."""
    locale = str(get_locale() or "en")
    found = []
    for code, own in _SECTIONS:
        rows = []
        for clause in own:
            if is_written_in_text(clause, data):
                hint = _("The terms say more than fits here. Change it in the expert editor.")
                rows.append(Row(clause, _clause_label(clause), (), hint))
                continue
            names = [name for name, _control, _part in _controls(clause)]
            hint = hints.get(clause.path, "")
            if not hint and clause.parts[0].kind == "countries":
                hint = _("Codes of two letters, such as DE FR NL. Empty: all countries.")
            rows.append(Row(clause, _clause_label(clause), tuple(form[name] for name in names), hint))
        found.append(Section(word(f"TermsGroup.{code}", locale), tuple(rows)))
    return found


def field_for(path: str, form: FlaskForm) -> Field | None:
    """The control that a problem with a dotted path belongs to."""
    wanted = path.removeprefix("policy.")
    best: tuple[int, Field] | None = None
    for clause in clauses():
        base = _INSIDE.get(clause.path, clause.path)
        for part in clause.parts:
            name = f"{clause.name}-{part.key}" if part.key else clause.name
            inner = f"{base}.{part.key}" if part.key else base
            if name in form and (wanted == inner or wanted.startswith((f"{inner}.", f"{inner}[")) or inner == f"{wanted}.default"):
                score = len(inner)
                if best is None or score > best[0]:
                    best = (score, form[name])
    return None if best is None else best[1]
