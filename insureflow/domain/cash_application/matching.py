"""Matching one incoming payment: what the payer named comes first, then amounts of whoever paid, then amounts alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from insureflow.domain.cash_application.book import Named, OpenBook, Payer
from insureflow.domain.cash_application.references import mentions_prepayment
from insureflow.domain.cash_application.values import (
    Confidence,
    Deduction,
    IncomingPayment,
    MatchReason,
    MatchResult,
    OpenItem,
    Proposal,
    Share,
)
from insureflow.domain.money import Money, split_minor
from insureflow.domain.trace import Step, Trace

#: So many proposals are given, and so many named items are tried in every combination.
MOST_PROPOSALS = 5
_MOST_COMBINED = 12
#: If more items than this have the same amount, the amount says nothing.
_MOST_ALIKE = 3


def match_payment(payment: IncomingPayment, book: OpenBook) -> MatchResult:
    """What a payment may be for, the surest first.

    Certain is only what the payer named and paid to the cent, or short of it by what the bank says it kept and the tolerance for
    charges allows; and only if nothing speaks against it.
    """
    named = book.named(payment)
    payer = book.payer(payment)
    still_open = [each for each in named if each.item.open_minor > 0]
    found = _by_name(payment, book, still_open, payer)
    if not any(proposal.confidence is Confidence.CERTAIN for proposal in found):
        found += _by_payer(payment, book, payer)
        if not payer.buyer_ids:
            found += _by_amount(payment, book)
    if not found and payer.is_known:
        reasons = (*_reasons_of(payer), MatchReason.ON_ACCOUNT)
        found.append(Proposal(Confidence.POSSIBLE, reasons, payer.buyer_ids[0], (), payment.amount_minor))
    cautious: list[MatchReason] = []
    if len(still_open) < len(named):
        cautious.append(MatchReason.NAMES_SETTLED_INVOICE)
    if mentions_prepayment(payment.text):
        cautious.append(MatchReason.MENTIONS_PREPAYMENT)
    proposals = _ordered(found, cautious)
    return MatchResult(
        tuple(replace(proposal, trace=_trace(payment, named, payer, proposal)) for proposal in proposals),
        tuple(each.item.number for each in named),
    )


def _ordered(found: Iterable[Proposal], cautious: Sequence[MatchReason]) -> list[Proposal]:
    """Each way to settle once, the surest first. Two that are certain contradict each other, so neither is."""
    best: dict[tuple[object, ...], Proposal] = {}
    for proposal in found:
        key = (proposal.buyer_id, tuple(sorted((share.item.id, share.paid_minor, share.deducted_minor) for share in proposal.shares)))
        if key not in best or proposal.confidence.rank < best[key].confidence.rank:
            best[key] = proposal
    proposals = sorted(
        best.values(), key=lambda each: (each.confidence.rank, len(each.shares), [share.item.due_on for share in each.shares])
    )
    certain = sum(each.confidence is Confidence.CERTAIN for each in proposals)
    more = (*cautious, *((MatchReason.SEVERAL_FIT,) if certain > 1 else ()))
    if more:
        proposals = [
            replace(each, confidence=each.confidence.at_most(Confidence.LIKELY), reasons=_once((*each.reasons, *more)))
            for each in proposals
        ]
    return proposals[:MOST_PROPOSALS]


def _once(reasons: Iterable[MatchReason]) -> tuple[MatchReason, ...]:
    return tuple(dict.fromkeys(reasons))


def _reasons_of(payer: Payer) -> tuple[MatchReason, ...]:
    return () if payer.how is None else (payer.how,)


# ------------------------------------------------------------------ what the payer named


def _by_name(payment: IncomingPayment, book: OpenBook, named: list[Named], payer: Payer) -> list[Proposal]:
    found: list[Proposal] = []
    own = [each for each in named if each.item.currency == payment.currency]
    if own:
        found += _settling(payment, book, own, payer)
    instructed = payment.instructed
    if instructed is not None and instructed.currency != payment.currency:
        other = [each for each in named if each.item.currency == instructed.currency]
        if other and sum(each.item.open_minor for each in other) == instructed.minor:
            shares = tuple(Share(each.item, each.item.open_minor) for each in other)
            amount = MatchReason.SUM_OF_NAMED if len(other) > 1 else MatchReason.EXACT_AMOUNT
            found.append(_proposal(other, payer, Confidence.CERTAIN, (amount, MatchReason.ORIGINAL_CURRENCY), shares))
    return found


def _proposal(
    named: Sequence[Named],
    payer: Payer,
    confidence: Confidence,
    reasons: tuple[MatchReason, ...],
    shares: tuple[Share, ...],
    unapplied_minor: int = 0,
    deduction: Deduction | None = None,
) -> Proposal:
    """A proposal for named items, made less sure by what speaks against it."""
    buyers = {share.item.buyer_id for share in shares}
    is_from_buyer = payer.is_known and buyers == set(payer.buyer_ids)
    against: list[MatchReason] = []
    if payer.is_known and not is_from_buyer and buyers.isdisjoint(payer.buyer_ids):
        against.append(MatchReason.OTHER_PAYER)
    if len(buyers) > 1:
        against.append(MatchReason.SEVERAL_BUYERS)
    if against:
        confidence = confidence.at_most(Confidence.LIKELY)
    if not all(each.is_distinctive for each in named) and not is_from_buyer:
        confidence = confidence.at_most(Confidence.POSSIBLE if payer.is_known else Confidence.LIKELY)
    said = _once((*(each.how for each in named), *reasons, *(_reasons_of(payer) if is_from_buyer else ()), *against))
    return Proposal(confidence, said, shares[0].item.buyer_id, shares, unapplied_minor, deduction)


def _settling(payment: IncomingPayment, book: OpenBook, named: list[Named], payer: Payer) -> list[Proposal]:
    """The ways in which a payment can settle what was named, in the payment's own currency."""
    items = [each.item for each in named]
    short = sum(item.open_minor for item in items) - payment.amount_minor
    whole = tuple(Share(item, item.open_minor) for item in items)
    amount = MatchReason.SUM_OF_NAMED if len(items) > 1 else MatchReason.EXACT_AMOUNT
    if short == 0:
        return [_proposal(named, payer, Confidence.CERTAIN, (amount,), whole)]
    if short < 0:
        if len({item.buyer_id for item in items}) > 1:
            return []
        return [_proposal(named, payer, Confidence.LIKELY, (MatchReason.OVERPAYMENT,), whole, -short)]
    found: list[Proposal] = []
    deducted = _deduction(payment, book, items, short)
    if deducted is not None:
        deduction, reason = deducted
        is_sure = reason is MatchReason.CHARGES_STATED and short <= book.tolerance(payment.currency).charges_minor
        confidence = Confidence.CERTAIN if is_sure else Confidence.LIKELY
        found.append(_proposal(named, payer, confidence, (amount, reason), _deduct(items, short), 0, deduction))
    some = _exact_combination(named, payment.amount_minor)
    if some is not None:
        shares = tuple(Share(each.item, each.item.open_minor) for each in some)
        found.append(_proposal(some, payer, Confidence.LIKELY, (MatchReason.SOME_OF_NAMED,), shares))
    confidence = Confidence.LIKELY if len(items) == 1 else Confidence.POSSIBLE
    found.append(_proposal(named, payer, confidence, (MatchReason.PART_PAYMENT,), _fill(items, payment.amount_minor)))
    return found


def _fill(items: Sequence[OpenItem], amount_minor: int) -> tuple[Share, ...]:
    """An amount that does not suffice, given to the items in the order in which they were named."""
    shares: list[Share] = []
    for item in items:
        part = min(item.open_minor, amount_minor)
        if part:
            shares.append(Share(item, part))
            amount_minor -= part
    return tuple(shares)


def _exact_combination(named: Sequence[Named], amount_minor: int) -> tuple[Named, ...] | None:
    """The one choice among the named items that makes up the amount; None if there is none or more than one."""
    if not 1 < len(named) <= _MOST_COMBINED:
        return None
    fitting = [
        chosen
        for size in range(1, len(named))
        for chosen in combinations(named, size)
        if sum(each.item.open_minor for each in chosen) == amount_minor
    ]
    return fitting[0] if len(fitting) == 1 else None


def _deduction(payment: IncomingPayment, book: OpenBook, items: Sequence[OpenItem], short: int) -> tuple[Deduction, MatchReason] | None:
    """Why a payment may be short by so much and still settle; None if nothing allows it."""
    tolerance = book.tolerance(payment.currency)
    if short == payment.stated_charges_minor:
        return Deduction.BANK_CHARGES, MatchReason.CHARGES_STATED
    if short <= tolerance.charges_minor:
        return Deduction.BANK_CHARGES, MatchReason.CHARGES_DEDUCTED
    if short <= sum(tolerance.discount_minor(item, payment.received_on) for item in items):
        return Deduction.CASH_DISCOUNT, MatchReason.DISCOUNT_TAKEN
    return None


def _deduct(items: Sequence[OpenItem], short: int) -> tuple[Share, ...]:
    """The shortage shared in proportion to what is open, to the cent."""
    parts = split_minor(short, tuple(item.open_minor for item in items))
    return tuple(Share(item, item.open_minor - part, part) for item, part in zip(items, parts, strict=True))


# ------------------------------------------------------------------ who paid, and how much


def _by_payer(payment: IncomingPayment, book: OpenBook, payer: Payer) -> list[Proposal]:
    """Amounts of the buyers that the payment may come from."""
    base = Confidence.LIKELY if payer.is_known else Confidence.POSSIBLE
    found: list[Proposal] = []
    for buyer_id in payer.buyer_ids:
        items = book.open_of(buyer_id, payment.currency)
        said = _reasons_of(payer)
        exact = [item for item in items if item.open_minor == payment.amount_minor]
        alike = (MatchReason.SEVERAL_FIT,) if len(exact) > 1 else ()
        for item in exact[:_MOST_ALIKE]:
            confidence = base if len(exact) == 1 else Confidence.POSSIBLE
            found.append(Proposal(confidence, (*said, MatchReason.EXACT_AMOUNT, *alike), buyer_id, (Share(item, item.open_minor),)))
        due = [item for item in items if item.due_on <= payment.received_on]
        for group, reason in ((due, MatchReason.ALL_DUE), (items, MatchReason.ALL_OPEN)):
            if len(group) > 1 and sum(item.open_minor for item in group) == payment.amount_minor:
                shares = tuple(Share(item, item.open_minor) for item in group)
                found.append(Proposal(base, (*said, reason), buyer_id, shares))
                break
        if not exact:
            found += _short_of_one(payment, book, items, buyer_id, said)
    return found


def _short_of_one(
    payment: IncomingPayment, book: OpenBook, items: Sequence[OpenItem], buyer_id: int, said: tuple[MatchReason, ...]
) -> list[Proposal]:
    """Single items that the payment settles but for a small deduction."""
    found: list[Proposal] = []
    for item in items:
        short = item.open_minor - payment.amount_minor
        deducted = _deduction(payment, book, [item], short) if short > 0 else None
        if deducted is not None:
            deduction, reason = deducted
            share = Share(item, payment.amount_minor, short)
            found.append(Proposal(Confidence.POSSIBLE, (*said, reason), buyer_id, (share,), 0, deduction))
    return found[:_MOST_ALIKE]


def _by_amount(payment: IncomingPayment, book: OpenBook) -> list[Proposal]:
    """Nobody knows who paid: items of exactly this amount, if they are few."""
    items = book.of_amount(payment.currency, payment.amount_minor)
    if len(items) > _MOST_ALIKE:
        return []
    alike = (MatchReason.SEVERAL_FIT,) if len(items) > 1 else ()
    return [
        Proposal(Confidence.POSSIBLE, (MatchReason.EXACT_AMOUNT, *alike), item.buyer_id, (Share(item, item.open_minor),)) for item in items
    ]


# ------------------------------------------------------------------ why


def _trace(payment: IncomingPayment, named: Sequence[Named], payer: Payer, proposal: Proposal) -> Trace:
    """The steps from the payment to the proposal."""
    paid = Money(payment.amount_minor, payment.currency)
    on = payment.received_on
    steps = [
        Step(
            "money_received",
            "as_the_bank_says",
            (("paid", paid), ("payer", payment.payer_name or payment.payer_account)),
            paid,
            "bank_statement",
            on,
        ),
        Step(
            "invoices_named",
            "numbers_and_references",
            (),
            ", ".join(each.item.number for each in named) or None,
            "cash_application.named",
            on,
        ),
        Step("payer_recognised", "account_then_name", (), payer.how.value if payer.how else None, "cash_application.payer", on),
    ]
    if proposal.shares:
        currency = proposal.shares[0].item.currency
        settled = sum(share.paid_minor for share in proposal.shares)
        deducted = sum(share.deducted_minor for share in proposal.shares)
        still = sum(share.item.open_minor for share in proposal.shares)
        inputs = (("open", Money(still, currency)), ("paid", Money(settled, currency)), ("deducted", Money(deducted, currency)))
        steps.append(
            Step(
                "amount_compared",
                "open_less_paid_less_deducted",
                inputs,
                Money(still - settled - deducted, currency),
                "cash_application.amount",
                on,
            )
        )
    steps.append(
        Step(
            "confidence_given",
            "surest_that_reasons_allow",
            (("unapplied", Money(proposal.unapplied_minor, payment.currency)),),
            proposal.confidence.value,
            "cash_application.confidence",
            on,
        )
    )
    return Trace(tuple(steps))
