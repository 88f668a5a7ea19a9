"""What the ledger and the files know of buyers that bears on a discretionary limit, read for any number of buyers at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from insureflow.domain.buyers import search_name
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import (
    AccountActKind,
    AuditedShipment,
    CreditReport,
    DiscretionaryFacts,
    InsurerDecision,
    LimitKind,
    LimitStatus,
    MonthEndBalance,
    OverdueItem,
    Purchase,
)
from insureflow.domain.money import convert_minor
from insureflow.domain.periods import add_months
from insureflow.domain.policies.terms import DiscretionaryLimit
from insureflow.models import limit_requests as tables
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.limit_requests import DiscretionaryAssessment, EvidenceFile
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.receivables import Allocation, Invoice
from insureflow.queries.cover.policies import InsurancePolicy
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order
from insureflow.queries.rates import RateBook

#: So far back month-end balances and purchases are told; no clause in use looks back farther.
LOOK_BACK_MONTHS = 24

#: Kinds that the policyholder sets or nobody does: no word of the insurer.
OWN_KINDS = frozenset({LimitKind.DISCRETIONARY, LimitKind.BLIND})

#: Acts that are a loss by default.
_LOSSES = (AccountActKind.DATE_OF_LOSS, AccountActKind.INSOLVENCY)

_PORTION = 500


@dataclass(slots=True)
class _Bill:
    """An invoice with what was settled of it, in the currency of the clause."""

    id: int
    number: str
    shipment_on: date
    invoice_on: date
    due_on: date
    amount: int
    settled: list[tuple[date, int]] = field(default_factory=list)

    def open_on(self, day: date) -> int:
        """What is open of it at the end of a day; nothing before it was shipped."""
        if day < self.shipment_on:
            return 0
        return max(0, self.amount - sum(amount for on, amount in self.settled if on <= day))

    @property
    def settled_on(self) -> date | None:
        """The day on which the last of it was settled."""
        left = self.amount
        for on, amount in sorted(self.settled):
            left -= amount
            if left <= 0:
                return on
        return None

    def known_late_on(self, until: date) -> date | None:
        """The first day on which it was known to be late; None if it is not."""
        settled = self.settled_on
        if (settled is None and self.due_on < until) or (settled is not None and settled > self.due_on):
            return self.due_on + timedelta(days=1)
        return None


@dataclass(frozen=True, slots=True)
class BuyerEvidence:
    """All that bears on one buyer's discretionary limit: the facts, and its bills for what depends on the day."""

    buyer_id: int
    facts: DiscretionaryFacts
    bills: tuple[_Bill, ...]
    #: The insurer's own decisions in order, to tell which shipments fell under a limit of the insurer.
    decisions: tuple[LimitDecision, ...]

    def overdue_on(self, day: date) -> tuple[OverdueItem, ...]:
        """What was overdue at the end of a day, and for how long."""
        return tuple(
            OverdueItem(amount, (day - bill.due_on).days) for bill in self.bills if bill.due_on < day and (amount := bill.open_on(day)) > 0
        )

    def owed_on(self, day: date) -> int:
        """What was owed at the end of a day."""
        return sum(bill.open_on(day) for bill in self.bills)

    def is_under_insurer(self, day: date) -> bool:
        """True if a limit of the insurer was in force on a day."""
        known = [each for each in self.decisions if each.decided_on <= day and each.effective_on <= day]
        if not known:
            return False
        last = known[-1]
        return bool(last.decided_minor) and (last.valid_to is None or last.valid_to >= day)

    def shipments(self, until: date, *, since: date | None = None, only_open: bool = False) -> tuple[AuditedShipment, ...]:
        """The shipments that no limit of the insurer held, as an insurer would look at them on the day of each."""
        found = []
        for bill in self.bills:
            if bill.shipment_on > until or (since is not None and bill.shipment_on < since) or self.is_under_insurer(bill.shipment_on):
                continue
            if only_open and not bill.open_on(until):
                continue
            before = sum(
                other.open_on(bill.shipment_on) for other in self.bills if (other.shipment_on, other.id) < (bill.shipment_on, bill.id)
            )
            found.append(AuditedShipment(bill.number, bill.shipment_on, bill.amount, before, self.overdue_on(bill.shipment_on)))
        return tuple(found)


def load_evidence(policy: InsurancePolicy, clause: DiscretionaryLimit, buyer_ids: Collection[int], until: date) -> dict[int, BuyerEvidence]:
    """The evidence about buyers up to a day, in the currency of the clause. Errors: ``rate_missing``."""
    found: dict[int, BuyerEvidence] = {}
    keys = sorted(set(buyer_ids))
    rates = RateBook.load()
    for start in range(0, len(keys), _PORTION):
        portion = keys[start : start + _PORTION]
        bills = _bills(policy, clause, portion, until, rates)
        reports = _reports(clause, portion, until, rates)
        decisions = _decisions(policy.id, portion, until)
        acts = _acts(policy.id, portion, until)
        countries = {row.id: row.country for row in db.session.execute(select(Buyer.id, Buyer.country).where(Buyer.id.in_(portion)))}
        for buyer_id, country in countries.items():
            own = tuple(bills[buyer_id])
            losses = tuple(sorted(act.happened_on for act in acts[buyer_id] if act.kind in _LOSSES))
            adverse = [act.happened_on for act in acts[buyer_id] if act.kind is AccountActKind.ADVERSE_INFORMATION]
            evidence = BuyerEvidence(buyer_id, DiscretionaryFacts(), own, tuple(decisions[buyer_id]))
            facts = DiscretionaryFacts(
                country=country,
                need=evidence.owed_on(until),
                credit_reports=tuple(reports[buyer_id]),
                month_end_balances=_balances(own, until),
                purchases=_purchases(own, until),
                insurer_decisions=tuple(_insurer_decision(each, policy, clause, rates) for each in decisions[buyer_id]),
                adverse_information_on=min(adverse, default=None),
                default_losses=losses,
                overdue_items=evidence.overdue_on(until),
            )
            found[buyer_id] = BuyerEvidence(buyer_id, facts, own, evidence.decisions)
    return found


def _bills(
    policy: InsurancePolicy, clause: DiscretionaryLimit, buyer_ids: Sequence[int], until: date, rates: RateBook
) -> dict[int, list[_Bill]]:
    """The invoices under the policy, each at its frozen rate, with what was settled of them by the day."""
    since = add_months(until, -LOOK_BACK_MONTHS)
    by_key: dict[int, tuple[_Bill, Invoice]] = {}
    found: dict[int, list[_Bill]] = defaultdict(list)
    statement = (
        select(Invoice)
        .where(Invoice.buyer_id.in_(buyer_ids), Invoice.policy_id == policy.id, Invoice.shipment_on <= until)
        .where((Invoice.shipment_on >= since) | (Invoice.open_minor > 0))
        .order_by(Invoice.shipment_on, Invoice.id)
    )
    for invoice in db.session.scalars(statement):
        gross = _converted(invoice, invoice.net_minor + invoice.vat_minor, policy, clause, rates)
        bill = _Bill(invoice.id, invoice.number, invoice.shipment_on, invoice.invoice_on, invoice.original_due_on, gross)
        by_key[invoice.id] = bill, invoice
        found[invoice.buyer_id].append(bill)
    for key, on, amount in _allocations(sorted(by_key), until):
        bill, invoice = by_key[key]
        bill.settled.append((max(on, bill.shipment_on), _converted(invoice, amount, policy, clause, rates)))
    return found


def _allocations(keys: Sequence[int], until: date) -> Iterable[tuple[int, date, int]]:
    for start in range(0, len(keys), _PORTION):
        statement = select(Allocation.invoice_id, Allocation.allocated_on, Allocation.amount_minor).where(
            Allocation.invoice_id.in_(keys[start : start + _PORTION]), Allocation.allocated_on <= until
        )
        for row in db.session.execute(statement):
            yield row.invoice_id, row.allocated_on, int(row.amount_minor)


def _converted(invoice: Invoice, minor: int, policy: InsurancePolicy, clause: DiscretionaryLimit, rates: RateBook) -> int:
    """An amount of an invoice in the currency of the clause: at the invoice's own rate where that leads there."""
    if invoice.currency == clause.currency:
        return minor
    if invoice.rate is not None and policy.limit_currency == clause.currency:
        return convert_minor(minor, invoice.currency, clause.currency, invoice.rate)
    rate = rates.get(invoice.currency, clause.currency, invoice.invoice_on).rate
    return convert_minor(minor, invoice.currency, clause.currency, rate)


def _reports(clause: DiscretionaryLimit, buyer_ids: Sequence[int], until: date, rates: RateBook) -> dict[int, list[CreditReport]]:
    """The credit reports; one is on file from the day its file was stored, and without a file it never is."""
    found: dict[int, list[CreditReport]] = defaultdict(list)
    report = tables.CreditReport
    statement = (
        select(report, EvidenceFile.created_at)
        .outerjoin(EvidenceFile, EvidenceFile.id == report.evidence_file_id)
        .where(report.buyer_id.in_(buyer_ids), report.reported_on <= until)
        .order_by(report.reported_on, report.id)
    )
    rows: Iterable[Any] = db.session.execute(statement)  # a report without a file has no instant
    for row, stored_at in rows:
        amount = row.amount_minor
        if amount is not None and row.currency not in (None, clause.currency):
            amount = convert_minor(amount, row.currency, clause.currency, rates.get(row.currency, clause.currency, row.reported_on).rate)
        stored_on = None if stored_at is None else stored_at.date()
        found[row.buyer_id].append(
            CreditReport(row.reported_on, amount, row.is_approved_agency, row.is_unfavourable, stored_on, f"report:{row.id}")
        )
    return found


def _decisions(policy_id: int, buyer_ids: Sequence[int], until: date) -> dict[int, list[LimitDecision]]:
    found: dict[int, list[LimitDecision]] = defaultdict(list)
    statement = (
        select(LimitDecision)
        .where(
            LimitDecision.policy_id == policy_id,
            LimitDecision.buyer_id.in_(buyer_ids),
            LimitDecision.layer == Layer.PRIMARY,
            LimitDecision.status != LimitStatus.REQUESTED,
            LimitDecision.kind.not_in([*OWN_KINDS, LimitKind.PRE_SHIPMENT]),
            LimitDecision.decided_on <= until,
        )
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    for decision in db.session.scalars(statement):
        found[decision.buyer_id].append(decision)
    return found


def _insurer_decision(decision: LimitDecision, policy: InsurancePolicy, clause: DiscretionaryLimit, rates: RateBook) -> InsurerDecision:
    """A decision as the clause sees it; a withdrawal leaves nothing."""
    if not decision.decided_minor:
        return InsurerDecision(decision.decided_on, 0)
    amount = convert_minor(decision.decided_minor, decision.currency, policy.limit_currency, decision.rate)
    if policy.limit_currency != clause.currency:
        amount = convert_minor(
            amount, policy.limit_currency, clause.currency, rates.get(policy.limit_currency, clause.currency, decision.decided_on).rate
        )
    return InsurerDecision(decision.decided_on, max(1, amount))


def _acts(policy_id: int, buyer_ids: Sequence[int], until: date) -> dict[int, list[AccountAct]]:
    found: dict[int, list[AccountAct]] = defaultdict(list)
    statement = select(AccountAct).where(
        AccountAct.policy_id == policy_id, AccountAct.buyer_id.in_(buyer_ids), AccountAct.happened_on <= until
    )
    for act in db.session.scalars(statement):
        found[act.buyer_id].append(act)
    return found


def _balances(bills: Sequence[_Bill], until: date) -> tuple[MonthEndBalance, ...]:
    """What was owed at each end of a month, whether every part of it was paid within terms, and when the last of it was.

    A balance that is not cleared by the day proves nothing yet.
    """
    found = []
    for month in range(1, LOOK_BACK_MONTHS + 1):
        month_end = add_months(date(until.year, until.month, 1), 1 - month) - timedelta(days=1)
        parts = [bill for bill in bills if bill.open_on(month_end)]
        balance = sum(bill.open_on(month_end) for bill in parts)
        if not balance:
            continue
        cleared = [bill.settled_on for bill in parts]
        is_cleared = all(each is not None and each <= until for each in cleared)
        within = is_cleared and all(bill.known_late_on(until) is None for bill in parts)
        cleared_on = max((each for each in cleared if each is not None), default=None) if is_cleared else None
        found.append(MonthEndBalance(month_end, balance, within, cleared_on, None, f"month:{month_end.isoformat()}"))
    return tuple(reversed(found))


def _purchases(bills: Sequence[_Bill], until: date) -> tuple[Purchase, ...]:
    """What was bought, and how it was paid; a purchase is late from the day after its due date."""
    found = []
    for bill in bills:
        late, settled = bill.known_late_on(until), bill.settled_on
        on_time = False if late is not None else (True if settled is not None else None)
        found.append(Purchase(bill.shipment_on, on_time, late or settled, None, f"invoice:{bill.id}"))
    return tuple(found)


def find_assessment(assessment_id: int) -> DiscretionaryAssessment | None:
    """The assessment with this key, or None."""
    return db.session.scalar(select(DiscretionaryAssessment).where(DiscretionaryAssessment.id == assessment_id))


def assessments_of(buyer_id: int, policy_id: int | None = None) -> Sequence[DiscretionaryAssessment]:
    """What was worked out for a buyer, newest first."""
    statement = select(DiscretionaryAssessment).where(DiscretionaryAssessment.buyer_id == buyer_id)
    if policy_id is not None:
        statement = statement.where(DiscretionaryAssessment.policy_id == policy_id)
    return db.session.scalars(statement.order_by(DiscretionaryAssessment.assessed_on.desc(), DiscretionaryAssessment.id.desc())).all()


def reports_of(buyer_id: int) -> Sequence[tuple[tables.CreditReport, EvidenceFile | None]]:
    """The credit reports on a buyer with their files, newest first."""
    report = tables.CreditReport
    statement = (
        select(report, EvidenceFile)
        .outerjoin(EvidenceFile, EvidenceFile.id == report.evidence_file_id)
        .where(report.buyer_id == buyer_id)
        .order_by(report.reported_on.desc(), report.id.desc())
    )
    return [(row, file) for row, file in db.session.execute(statement)]


def ending_assessments(first: date, last: date) -> Sequence[DiscretionaryAssessment]:
    """The assessments in use whose evidence ends within these days: the last that was applied to each account alone."""
    newest = (
        select(DiscretionaryAssessment.policy_id, DiscretionaryAssessment.buyer_id, func.max(DiscretionaryAssessment.id).label("id"))
        .where(DiscretionaryAssessment.decision_id.is_not(None), DiscretionaryAssessment.assessed_on <= last)
        .group_by(DiscretionaryAssessment.policy_id, DiscretionaryAssessment.buyer_id)
        .subquery("newest")
    )
    return db.session.scalars(
        select(DiscretionaryAssessment)
        .join(newest, newest.c.id == DiscretionaryAssessment.id)
        .where(DiscretionaryAssessment.valid_to >= first, DiscretionaryAssessment.valid_to <= last)
        .order_by(DiscretionaryAssessment.valid_to, DiscretionaryAssessment.id)
    ).all()


def assessment_listing(on: date, *, policy_id: int | None = None) -> Listing:
    """What was worked out by a day, newest first."""
    assessment = DiscretionaryAssessment
    fields = (
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("policy", Policy.number.expression, search=Policy.number.expression, filter=FilterKind.SELECT),
        Field("assessed_on", assessment.assessed_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("amount", assessment.amount_minor.expression, Kind.MONEY, currency=assessment.currency.expression),
        Field("method", assessment.method.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("reason", assessment.reason.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("valid_to", assessment.valid_to.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("applied", assessment.decision_id.expression, Kind.NUMBER, hidden=True),
        Field("newest", assessment.id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(assessment)
            .join(Buyer, Buyer.id == assessment.buyer_id)
            .join(Policy, Policy.id == assessment.policy_id)
            .where(assessment.assessed_on <= on)
        )
        return statement if policy_id is None else statement.where(assessment.policy_id == policy_id)

    order = Order("newest", descending=True)
    return Listing("discretionary", fields, source, key=assessment.id.expression, order=order, normalise=search_name)


__all__ = [
    "LOOK_BACK_MONTHS",
    "BuyerEvidence",
    "assessment_listing",
    "assessments_of",
    "ending_assessments",
    "find_assessment",
    "load_evidence",
    "reports_of",
]
