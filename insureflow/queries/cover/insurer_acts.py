"""What the insurer decided on a buyer, as events for the rules of cover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from insureflow.domain import cover
from insureflow.domain.cover import Event
from insureflow.domain.limits import AccountActKind, LimitKind, LimitStatus
from insureflow.domain.policies import LimitConditions, conditions_for_limit_kind, parse_conditions
from insureflow.domain.policies import LimitKind as TermsLimitKind
from insureflow.queries.cover.ledgers import Act, Decision, LedgerDispute, LedgerInvoice
from insureflow.queries.cover.policies import InsurancePolicy

_ONE_DAY = timedelta(days=1)

#: Kinds of limit whose words differ between the history of limits and the terms of a policy.
_IN_TERMS = {LimitKind.CREDIT_CHECK: TermsLimitKind.SIMPLE_CHECK, LimitKind.BLIND: TermsLimitKind.BLIND_COVER}

#: The conditions of a decision that the rules of cover know; a decision may carry others for people to read.
_CONDITIONS = ("insured_percentage", "maximum_credit_terms", "maximum_extension_period")


def conditions_of(policy: InsurancePolicy, decision: Decision) -> LimitConditions | None:
    """The conditions of a decision, completed by what the policy says about limits of its kind; None without any."""
    own = {name: decision.conditions[name] for name in _CONDITIONS if decision.conditions.get(name) is not None}
    parsed = parse_conditions(own) if own else None
    terms = policy.terms_on(decision.decided_on)
    if not terms.insured_percentage_by_limit_kind:
        return parsed
    kind = _IN_TERMS.get(decision.kind) or TermsLimitKind(decision.kind.value)
    completed = conditions_for_limit_kind(terms, kind, parsed)
    return None if completed == LimitConditions() else completed


def limit_events(policy: InsurancePolicy, decisions: Iterable[Decision]) -> list[Event]:
    """The decisions that shape cover. A request changes nothing, nor does a limit for goods not yet shipped."""
    events: list[Event] = []
    for decision in decisions:
        if decision.status is LimitStatus.REQUESTED or decision.kind is LimitKind.PRE_SHIPMENT:
            continue
        effective = decision.effective_on if decision.effective_on != decision.decided_on else None
        if decision.decided_minor is None:
            events.append(cover.LimitWithdrawal(decision.decided_on, decision.layer, effective))
        elif decision.kind is LimitKind.TEMPORARY and decision.valid_to is not None:
            events.append(
                cover.TemporaryLimit(
                    on=decision.decided_on,
                    amount=decision.decided_minor,
                    currency=decision.currency,
                    valid_to=decision.valid_to,
                    rate=decision.rate,
                    layer=decision.layer,
                    effective_from=effective,
                )
            )
        else:
            events.append(
                cover.LimitDecision(
                    on=decision.decided_on,
                    amount=decision.decided_minor,
                    currency=decision.currency,
                    rate=decision.rate,
                    layer=decision.layer,
                    effective_from=effective,
                    valid_to=decision.valid_to,
                    conditions=conditions_of(policy, decision) if decision.layer is cover.Layer.PRIMARY else None,
                )
            )
    return events


def named_invoices(act: Act) -> list[int] | None:
    """Keys of the invoices an act names: its own one, or ``data["invoices"]``; None for the whole account."""
    if act.invoice_id is not None:
        return [act.invoice_id]
    listed = act.data.get("invoices")
    return None if listed is None else [int(key) for key in listed]


def withdrawn_on(act: Act) -> date | None:
    """The day from which a postponement does not hold any more; that of the postponement itself where it never held."""
    text = act.data.get("withdrawn_on")
    return None if text is None else date.fromisoformat(text)


def act_events(acts: Iterable[Act], invoices: Mapping[int, LedgerInvoice]) -> list[Event]:
    """The other acts that shape cover.

    One that names an invoice before its shipment works from the day after the shipment: only then is there anything to
    work on. Invoices of other accounts are left out.
    """
    events: list[Event] = []
    acts = list(acts)
    for act in acts:
        on = act.happened_on
        if act.kind is AccountActKind.STOP_COVER:
            events.append(cover.StopCover(on))
        elif act.kind is AccountActKind.STOP_COVER_LIFTED:
            events.append(cover.StopCoverLifted(on))
        elif act.kind is AccountActKind.DATE_OF_LOSS:
            events.append(cover.DateOfLoss(on))
        elif act.kind is AccountActKind.BUYER_GRADE:
            events.append(cover.BuyerGrade(on, act.data["grade"]))
        elif act.kind in _NAMING:
            named = named_invoices(act)
            if named is None and act.kind is not AccountActKind.EXTENSION:
                events.append(cover.Consent(on) if act.kind is AccountActKind.CONSENT else cover.OverdueNotification(on))
            for key in named or ():
                if key in invoices:
                    events.extend(_on_invoice(act, acts, key, invoices[key]))
    return events


_NAMING = frozenset({AccountActKind.CONSENT, AccountActKind.EXTENSION, AccountActKind.OVERDUE_NOTIFICATION})


def _once_shipped(on: date, invoice: LedgerInvoice) -> date:
    return on if on > invoice.shipment_on else invoice.shipment_on + _ONE_DAY


def _on_invoice(act: Act, acts: Iterable[Act], key: int, invoice: LedgerInvoice) -> list[Event]:
    name, on = str(key), _once_shipped(act.happened_on, invoice)
    if act.kind is AccountActKind.CONSENT:
        return [cover.Consent(on, (name,))]
    if act.kind is AccountActKind.OVERDUE_NOTIFICATION:
        return [cover.OverdueNotification(on, (name,))]
    ended, has_consent = withdrawn_on(act), bool(act.data.get("consent", False))
    if ended is not None and ended <= act.happened_on:
        return []
    extension = cover.Extension(on, name, _new_due_on(act), has_consent)
    if ended is None or not has_consent:  # what was granted without consent cannot be made good by taking it back
        return [extension]
    ended = _once_shipped(ended, invoice)
    return [extension, cover.ExtensionWithdrawn(ended, name, consented_to(acts, key, ended))]


def _new_due_on(act: Act) -> date:
    return date.fromisoformat(act.data["new_due_on"])


def consented_to(acts: Iterable[Act], invoice_id: int, on: date) -> date | None:
    """The latest new due date of an invoice that the insurer agreed to and that still holds at the end of a day."""
    held = [
        _new_due_on(act)
        for act in acts
        if act.kind is AccountActKind.EXTENSION
        and act.data.get("consent")
        and act.happened_on <= on
        and invoice_id in (named_invoices(act) or ())
        and ((ended := withdrawn_on(act)) is None or ended > on)
    ]
    return max(held, default=None)


def dispute_events(disputes: Iterable[LedgerDispute], invoices: Mapping[int, LedgerInvoice]) -> list[Event]:
    """Disputes and how they ended.

    The rules settle all that is disputed on an invoice at once. Where another dispute on it goes on, its amount counts as
    owed in the settlement and is disputed again at once, so that each keeps its own outcome.
    """
    by_invoice: dict[int, list[LedgerDispute]] = {}
    for dispute in disputes:
        if dispute.invoice_id in invoices:
            by_invoice.setdefault(dispute.invoice_id, []).append(dispute)
    events: list[Event] = []
    for invoice_id, found in by_invoice.items():
        name, first = str(invoice_id), invoices[invoice_id].shipment_on + _ONE_DAY
        changes: list[tuple[date, int, int, LedgerDispute]] = []
        for dispute in found:
            changes.append((dispute.opened_on, 0, dispute.id, dispute))
            if dispute.resolved_on is not None:
                changes.append((max(dispute.resolved_on, first), 1, dispute.id, dispute))
        changes.sort(key=lambda change: change[:3])
        going_on: dict[int, int] = {}
        for on, is_end, key, dispute in changes:
            if not is_end:
                going_on[key] = dispute.amount_minor
                events.append(cover.Dispute(on, name, dispute.amount_minor))
                continue
            going_on.pop(key)
            others = sum(going_on.values())
            events.append(cover.DisputeResolved(on, name, (dispute.found_owed_minor or 0) + others))
            if others:
                events.append(cover.Dispute(on, name, others))
    return events
