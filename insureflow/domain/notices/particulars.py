"""What a paper for the insurer says besides its invoices, by kind, and how that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from insureflow.domain.money import Money


class AdverseKind(StrEnum):
    """Information that makes a loss more likely and must be reported."""

    EXTENSION_ASKED = "extension_asked"
    DOCUMENTS_NOT_TAKEN_UP = "documents_not_taken_up"
    PAYMENT_RETURNED = "payment_returned"
    LEGAL_ACTION = "legal_action"
    CANNOT_PERFORM = "cannot_perform"
    CASH_FLOW_PROBLEMS = "cash_flow_problems"
    REPUTATION = "reputation"
    INSOLVENCY_EXPECTED = "insolvency_expected"
    PLAN_BROKEN = "plan_broken"
    OTHER = "other"


class ProceedingKind(StrEnum):
    """Kinds of insolvency proceedings."""

    BANKRUPTCY = "bankruptcy"
    REORGANISATION = "reorganisation"
    SUSPENSION_OF_PAYMENTS = "suspension_of_payments"
    COMPOSITION = "composition"
    LIQUIDATION = "liquidation"
    NO_ASSETS = "no_assets"


class Intervention(StrEnum):
    """What the insurer is asked to do about a debt that is not paid."""

    MONITOR_ONLY = "monitor_only"
    COLLECTION = "collection"


class ConsentNeed(StrEnum):
    """Whether a new due date may be granted freely."""

    INFORMATION_ONLY = "information_only"
    CONSENT_NEEDED = "consent_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """An instalment asked for: by when, and how much."""

    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Who administers an insolvent estate, and where."""

    name: str
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a paper says besides its invoices; which fields count depends on its kind.

    Of every paper: ``oldest_due_on`` and ``extension_end_on`` of the oldest overdue invoice, ``last_demand_on``. Of a notification:
    ``intervention``, ``dispute`` and its day. Of an extension and a rescheduling: ``requested_on`` and the instalments; ``plan_id``
    where a plan asked. Of adverse information: ``adverse``, ``known_on``, ``happened_on``, ``source``. Of an insolvency:
    ``proceeding``, ``opened_on``, ``known_on``, ``court``, ``case_number``, the administrator, ``lodge_by``.
    """

    oldest_due_on: date | None = None
    extension_end_on: date | None = None
    last_demand_on: date | None = None
    intervention: Intervention = Intervention.MONITOR_ONLY
    dispute: str = ""
    dispute_raised_on: date | None = None
    requested_on: date | None = None
    plan: tuple[PlanLine, ...] = ()
    plan_invoices: tuple[str, ...] = ()
    plan_id: int | None = None
    adverse: tuple[AdverseKind, ...] = ()
    known_on: date | None = None
    happened_on: date | None = None
    source: str = ""
    proceeding: ProceedingKind | None = None
    opened_on: date | None = None
    court: str = ""
    case_number: str = ""
    administrator: Administrator | None = None
    lodge_by: date | None = None


_DAYS = ("oldest_due_on", "extension_end_on", "last_demand_on", "dispute_raised_on", "requested_on", "known_on", "happened_on", "opened_on", "lodge_by")  # fmt: skip
_TEXTS = ("dispute", "source", "court", "case_number")


def particulars_to_mapping(particulars: Particulars) -> dict[str, Any]:
    """Particulars as plain data, without what says nothing."""
    data: dict[str, Any] = {name: getattr(particulars, name).isoformat() for name in _DAYS if getattr(particulars, name) is not None}
    data |= {name: getattr(particulars, name) for name in _TEXTS if getattr(particulars, name)}
    if particulars.intervention is not Intervention.MONITOR_ONLY:
        data["intervention"] = particulars.intervention.value
    if particulars.plan:
        data["plan"] = [
            {"due_on": line.due_on.isoformat(), "minor": line.amount.minor, "currency": line.amount.currency} for line in particulars.plan
        ]
    if particulars.plan_invoices:
        data["plan_invoices"] = list(particulars.plan_invoices)
    if particulars.plan_id is not None:
        data["plan_id"] = particulars.plan_id
    if particulars.adverse:
        data["adverse"] = [kind.value for kind in particulars.adverse]
    if particulars.proceeding is not None:
        data["proceeding"] = particulars.proceeding.value
    if particulars.administrator is not None:
        administrator = particulars.administrator
        data["administrator"] = {name: getattr(administrator, name) for name in Administrator.__slots__ if getattr(administrator, name)}
    return data


def parse_particulars(data: Mapping[str, Any]) -> Particulars:
    """Particulars from what was kept of them."""
    days: dict[str, Any] = {name: date.fromisoformat(data[name]) for name in _DAYS if data.get(name)}
    texts: dict[str, Any] = {name: str(data[name]) for name in _TEXTS if data.get(name)}
    proceeding, administrator = data.get("proceeding"), data.get("administrator")
    return Particulars(
        **days,
        **texts,
        intervention=Intervention(data.get("intervention", Intervention.MONITOR_ONLY.value)),
        plan=tuple(
            PlanLine(due_on=date.fromisoformat(line["due_on"]), amount=Money(int(line["minor"]), line["currency"]))
            for line in data.get("plan", ())
        ),
        plan_invoices=tuple(data.get("plan_invoices", ())),
        plan_id=data.get("plan_id"),
        adverse=tuple(AdverseKind(kind) for kind in data.get("adverse", ())),
        proceeding=None if proceeding is None else ProceedingKind(proceeding),
        administrator=None if administrator is None else Administrator(**administrator),
    )


def judge_new_due_date(extension_end_on: date | None, new_due_on: date, *, new_terms_forbidden: bool = False) -> ConsentNeed:
    """Whether a later due date needs the insurer's consent: one after the end of the maximum extension period does.

    Without such a period in the policy every later date is asked for, and so it is where the policy forbids new terms once the goods
    have left. *Source:* an instalment within the period may be agreed freely; no rescheduling after shipment without consent.
    """
    if not new_terms_forbidden and extension_end_on is not None and new_due_on <= extension_end_on:
        return ConsentNeed.INFORMATION_ONLY
    return ConsentNeed.CONSENT_NEEDED


def judge_plan(extension_end_on: date | None, plan: tuple[PlanLine, ...]) -> ConsentNeed:
    """Whether a plan needs consent: it does as soon as one instalment does."""
    needs = {judge_new_due_date(extension_end_on, line.due_on) for line in plan}
    return ConsentNeed.CONSENT_NEEDED if ConsentNeed.CONSENT_NEEDED in needs else ConsentNeed.INFORMATION_ONLY
