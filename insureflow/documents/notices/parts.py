"""Parts that notices share: contract, limits, exposure, steps taken, annexes, signature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from insureflow.documents.composition import Block, Column, Composition, Grid, Heading, Pairs, Text, Together, pairs
from insureflow.documents.items import by_currency, totals_of
from insureflow.documents.notices.facts import ActionTaken, Annex, ExposureItem, LimitFacts, Notice
from insureflow.documents.notices.terms import ACTIONS, LIMIT_KINDS, REASONS
from insureflow.documents.parts import captioned, item_name, party_pairs, signing
from insureflow.domain.cover import Reason
from insureflow.domain.money import Money
from insureflow.i18n.documents import Wording, phrased


def notice_composition(notice: Notice, wording: Wording, title: str, blocks: Sequence[Block]) -> Composition:
    """The composition of a notice: from the insured to the insurer, under the policy's number."""
    return Composition(
        wording=wording,
        number=notice.number,
        issued_on=notice.issued_on,
        title=title,
        sender=notice.policy.insured,
        recipient=notice.policy.insurer,
        blocks=tuple(blocks),
        reference_lines=((wording.phrase("Policy number"), notice.policy.number),),
    )


def day_or_nothing(on: date | None, wording: Wording) -> str:
    """A date, or nothing where there is none: facts without value are left out."""
    return wording.day(on) if on is not None else ""


def past_due(notice: Notice) -> tuple[Money, ...]:
    """What is open after its original due date on the cut-off date; nothing is a zero of each currency."""
    zeros = [Money.zero(total.currency) for total in notice.open_totals]
    return totals_of([*zeros, *(item.open for item in notice.items if item.due_on < notice.cut_off_on)])


def contract_parts(notice: Notice, wording: Wording) -> Iterator[Block]:
    """Contract, buyer and limits."""
    policy = notice.policy
    yield Heading(wording.phrase("Policy"))
    yield pairs(
        (wording.phrase("Insurer"), policy.insurer.name),
        (wording.phrase("Policy number"), policy.number),
        (wording.phrase("Policyholder"), policy.insured.name),
        (wording.phrase("Joint insured"), policy.joint_insured),
        (wording.phrase("Broker"), policy.broker.name if policy.broker is not None else ""),
    )
    yield Heading(wording.phrase("Buyer"))
    yield party_pairs(notice.buyer, wording, names_insurer_reference=True)
    yield from _limits(notice.limits, wording)


def _limits(limits: Sequence[LimitFacts], wording: Wording) -> Iterator[Block]:
    if not limits:
        return
    has_conditions = any(limit.conditions for limit in limits)
    columns = [
        Column(wording.phrase("Kind")),
        Column(wording.phrase("Amount"), is_figure=True),
        Column(wording.phrase("Insured percentage"), is_figure=True),
        Column(wording.phrase("Valid from")),
        Column(wording.phrase("Valid until")),
        Column(wording.phrase("Reference")),
    ]
    if has_conditions:
        columns.append(Column(wording.phrase("Conditions")))
    rows = []
    for limit in limits:
        row = [
            wording.phrase(LIMIT_KINDS[limit.kind]),
            wording.money(limit.amount),
            wording.percent(limit.insured_percentage),
            wording.day(limit.valid_from),
            wording.day(limit.valid_until),
            limit.reference,
        ]
        rows.append(tuple([*row, limit.conditions] if has_conditions else row))
    yield Heading(wording.phrase("Limits"))
    yield Grid(wording.phrase("Limits"), tuple(columns), tuple(rows))


def narrative(text: str, wording: Wording) -> Iterator[Block]:
    """What happened, in the policyholder's own words."""
    if text:
        yield Heading(wording.phrase("Circumstances"))
        yield Text(text)


def exposure(notice: Notice, wording: Wording) -> Iterator[Block]:
    """The whole exposure, a grid for each currency: due or not, insured or not and why not."""
    yield Heading(wording.phrase("Exposure as of %(day)s", day=notice.cut_off_on))
    if not notice.items:
        yield Text(wording.phrase("There are no open items."))
        return
    reasons = _reasons(notice)
    yield from captioned(_exposure_grids(notice, wording))
    if reasons:
        yield Text(wording.phrase("Why amounts are not insured:"), is_small=True, leads=True)
        yield Pairs(tuple((str(number), wording.phrase(REASONS[reason])) for reason, number in reasons.items()))


def _reasons(notice: Notice) -> dict[Reason, int]:
    """Why parts of this exposure are not insured, numbered for the notes of its rows."""
    given = {item.reason for item in notice.items}
    return {reason: number for number, reason in enumerate((each for each in REASONS if each in given), start=1)}


def _exposure_grids(notice: Notice, wording: Wording) -> Iterator[Grid]:
    reasons = _reasons(notice)
    for currency, group in by_currency(notice.items, lambda item: item.open).items():
        has_shipping = any(item.shipped_on is not None for item in group)
        has_new = any(item.new_due_on is not None for item in group)
        has_reason = any(item.reason is not None for item in group)
        columns = [Column(wording.phrase("Invoice")), Column(wording.phrase("Date"))]
        if has_shipping:
            columns.append(Column(wording.phrase("Shipped")))
        columns.append(Column(wording.phrase("Original due date")))
        if has_new:
            columns.append(Column(wording.phrase("New due date")))
        columns += [
            Column(wording.phrase(title), is_figure=True)
            for title in (phrased("Amount"), phrased("Open"), phrased("Insured"), phrased("Uninsured"))
        ]
        if has_reason:
            columns.append(Column(wording.phrase("Note")))
        rows = []
        for item in sorted(group, key=lambda item: (item.due_on, item.issued_on, item.number)):
            name = item_name(item.kind, item.number, wording)
            row = [f"{name}\u00a0*" if item.is_disputed else name, wording.day(item.issued_on)]
            if has_shipping:
                row.append(wording.day(item.shipped_on))
            row.append(wording.day(item.due_on))
            if has_new:
                row.append(wording.day(item.new_due_on))
            row += [wording.amount(item.amount), wording.amount(item.open), wording.amount(item.insured), wording.amount(item.uninsured)]
            if has_reason:
                row.append(str(reasons[item.reason]) if item.reason is not None else "")
            rows.append(tuple(row))
        caption = wording.phrase("Amounts in %(currency)s", currency=currency)
        if any(item.is_disputed for item in group):
            caption = wording.phrase("Amounts in %(currency)s; * disputed by the buyer", currency=currency)
        yield Grid(caption, tuple(columns), tuple(rows), tuple(_sums(notice, group, currency, columns, wording, has_reason=has_reason)))


def _sums(
    notice: Notice, group: Sequence[ExposureItem], currency: str, columns: Sequence[Column], wording: Wording, *, has_reason: bool
) -> Iterator[tuple[str, ...]]:
    """Sums of what is past due, of what is not, and of all."""
    due = [item for item in group if item.due_on < notice.cut_off_on]
    later = [item for item in group if item.due_on >= notice.cut_off_on]
    figures = 3
    for title, items in (
        (wording.phrase("Past due"), due),
        (wording.phrase("Not yet due"), later),
        (wording.phrase("Total %(currency)s", currency=currency), group),
    ):
        sums = [
            sum((amount for amount in amounts), Money.zero(currency))
            for amounts in ([item.open for item in items], [item.insured for item in items], [item.uninsured for item in items])
        ]
        blank = len(columns) - 1 - figures - int(has_reason)
        yield (title, *[""] * blank, *(wording.amount(amount) for amount in sums), *([""] if has_reason else []))


def actions_taken(actions: Sequence[ActionTaken], wording: Wording) -> Iterator[Block]:
    """What was done about the debt, the earliest step first."""
    if not actions:
        return
    columns = (Column(wording.phrase("Date")), Column(wording.phrase("Step")), Column(wording.phrase("Details")))
    rows = tuple(
        (wording.day(action.on), wording.phrase(ACTIONS[action.kind]), action.detail)
        for action in sorted(actions, key=lambda action: action.on)
    )
    yield Heading(wording.phrase("Steps taken"))
    yield Grid(wording.phrase("Steps taken"), columns, rows)


def securities(securities: Sequence[str], wording: Wording) -> Iterator[Block]:
    """Securities for the debt, one a line."""
    if securities:
        yield Heading(wording.phrase("Securities"))
        yield Text("\n".join(securities))


def decision(wording: Wording) -> Iterator[Block]:
    """What the insurer may fill in and send back."""
    yield Together(
        (
            Heading(wording.phrase("Your decision")),
            Text(wording.phrase("[ ] We consent.  [ ] We consent on the conditions below.  [ ] We do not consent.")),
            signing(wording),
        )
    )


def annex_list(annexes: Sequence[Annex], wording: Wording) -> Iterator[Block]:
    """The papers that go along, each with the checksum of its file."""
    if not annexes:
        return
    columns = (Column(wording.phrase("No.")), Column(wording.phrase("Annex")), Column(wording.phrase("Checksum (SHA-256)")))
    rows = tuple((wording.spoken(number), annex.title, annex.sha256) for number, annex in enumerate(annexes, start=1))
    yield Heading(wording.phrase("Annexes"))
    yield Grid(wording.phrase("Annexes"), columns, rows)


def ending(notice: Notice, wording: Wording) -> Iterator[Block]:
    """Annexes, the statement that the amounts agree with the ledger, and a place to sign."""
    yield from annex_list(notice.annexes, wording)
    yield Together(
        (
            Text(wording.phrase("The amounts agree with our ledger on %(day)s.", day=notice.cut_off_on)),
            signing(wording, notice.signatory),
        )
    )
