"""The overdue accounts of a day: what is open and covered of each, read for all of them at once.

One statement finds the accounts with something overdue and adds up everything open on them; a second finds their oldest invoices; a
third and fourth what was decided and what has happened. Nothing is read account by account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, RowMapping, and_, case, cast, func, literal, select

from insureflow.domain.cover import Reason
from insureflow.domain.limits import AccountActKind
from insureflow.domain.loss import DebtLine
from insureflow.domain.obligations import Facts
from insureflow.domain.policies import Cause, PercentageSource, PolicyTerms
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.queries.among import among
from insureflow.queries.cover.duties import OpenInvoice
from insureflow.queries.cover.insurer_acts import named_invoices
from insureflow.queries.cover.ledgers import Act, Decision, load_acts, load_decisions
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook

#: So many buyers are named in one statement.
_PORTION = 2_000


@dataclass(frozen=True, slots=True)
class OverdueAccount:
    """A buyer's account under a policy on which something is overdue; amounts in minor units of the limit currency."""

    buyer_id: int
    buyer: str
    country: str
    policy: InsurancePolicy
    lines: tuple[DebtLine, ...]
    invoices: int
    open_minor: int
    overdue_minor: int
    oldest: OpenInvoice
    decisions: tuple[Decision, ...]
    acts: tuple[Act, ...]

    @property
    def key(self) -> int:
        """Tells the account from the others of its policy."""
        return self.buyer_id

    @property
    def facts(self) -> Facts:
        """What has happened on the account as a whole: of each kind the first."""
        first: dict[AccountActKind, date] = {}
        for act in self.acts:
            if named_invoices(act) is None:
                first[act.kind] = min(act.happened_on, first.get(act.kind, act.happened_on))
        insolvency = first.get(AccountActKind.INSOLVENCY)
        return Facts(
            notified_on=first.get(AccountActKind.OVERDUE_NOTIFICATION),
            claim_filed_on=first.get(AccountActKind.CLAIM_FILED),
            collection_started_on=first.get(AccountActKind.COLLECTION_STARTED),
            adverse_information_on=first.get(AccountActKind.ADVERSE_INFORMATION),
            events={} if insolvency is None else {Cause.INSOLVENCY: insolvency},
        )

    @property
    def loss_on(self) -> date | None:
        """The date of loss, where it has been recorded."""
        return min((act.happened_on for act in self.acts if act.kind is AccountActKind.DATE_OF_LOSS), default=None)

    @property
    def grade(self) -> int | str | None:
        """The insurer's last grade of the buyer."""
        graded = [act for act in self.acts if act.kind is AccountActKind.BUYER_GRADE]
        found = max(graded, key=lambda act: (act.happened_on, act.id)).data.get("grade") if graded else None
        return found if isinstance(found, int | str) else None


#: An account and nothing else.
ForecastAccount = tuple[int, int]


@dataclass(slots=True)
class _Sums:
    """What is open on one account, while it is added up."""

    lines: list[DebtLine] = field(default_factory=list)
    invoices: int = 0
    open_minor: int = 0
    overdue_minor: int = 0


def overdue_accounts(on: date, *, policy_id: int | None = None, buyer_id: int | None = None) -> list[OverdueAccount]:
    """All accounts under a policy on which an invoice is past its due date on a day, with everything open on them.

    ``buyer_id`` narrows the accounts only where nothing depends on the others: a forecast of one buyer needs those of its policies.
    """
    policies = {
        key: policy for key, policy in PolicyBook.load().policies.items() if policy.history and (policy_id is None or key == policy_id)
    }
    if not policies:
        return []
    sums: dict[ForecastAccount, _Sums] = {}
    for row in db.session.execute(_open_parts(on, policies, buyer_id)).mappings():
        _add(sums.setdefault((row["buyer_id"], row["policy_id"]), _Sums()), row, policies[row["policy_id"]], on)
    oldest = {
        (row.buyer_id, row.policy_id): OpenInvoice(
            row.id, row.invoice_on, row.shipment_on, row.due_on, row.open_minor, row.covered, row.disputed_minor, row.excluded_reason
        )
        for row in db.session.execute(_oldest(on, policies, buyer_id))
    }
    accounts = [account for account in sums if account in oldest]
    buyer_ids = sorted({buyer for buyer, _policy in accounts})
    buyers = {row.id: row for portion in _portions(buyer_ids) for row in db.session.execute(_buyers(portion))}
    decisions = _by_account(each for portion in _portions(buyer_ids) for each in load_decisions(portion) if each.decided_on <= on)
    acts = _by_account(each for portion in _portions(buyer_ids) for each in load_acts(portion) if each.happened_on <= on)
    return [
        OverdueAccount(
            buyer_id=buyer,
            buyer=buyers[buyer].legal_name,
            country=buyers[buyer].country,
            policy=policies[policy],
            lines=tuple(sums[buyer, policy].lines),
            invoices=sums[buyer, policy].invoices,
            open_minor=sums[buyer, policy].open_minor,
            overdue_minor=sums[buyer, policy].overdue_minor,
            oldest=oldest[buyer, policy],
            decisions=tuple(decisions.get((buyer, policy), ())),
            acts=tuple(acts.get((buyer, policy), ())),
        )
        for buyer, policy in sorted(accounts)
    ]


def accounts_of_entity(entity_id: int, on: date) -> set[ForecastAccount]:
    """The accounts on which an entity has something overdue on a day."""
    position = InvoicePosition
    statement = select(position.buyer_id, position.policy_id).where(*_overdue(on), position.entity_id == entity_id).distinct()
    return {(row.buyer_id, row.policy_id) for row in db.session.execute(statement) if row.policy_id is not None}


def _overdue(on: date) -> tuple[Any, ...]:
    position = InvoicePosition
    return (*_open(on), position.due_on < on)


def _open(on: date) -> tuple[Any, ...]:
    position = InvoicePosition
    return (position.valid_from <= on, position.valid_to > on, position.open_minor > 0, position.policy_id.is_not(None))


def _narrowed(statement: Any, policies: Mapping[int, InsurancePolicy], buyer_id: int | None) -> Any:
    narrowed = statement.where(InvoicePosition.policy_id.in_(sorted(policies)))
    return narrowed if buyer_id is None else narrowed.where(InvoicePosition.buyer_id == buyer_id)


def _open_parts(on: date, policies: Mapping[int, InsurancePolicy], buyer_id: int | None) -> Any:
    """What is open on the overdue accounts, added up by reason and percentage; by invoice where it has to be converted."""
    position = InvoicePosition
    overdue = (
        _narrowed(select(position.buyer_id, position.policy_id).where(*_overdue(on)), policies, buyer_id).distinct().subquery("overdue")
    )
    converted = sorted(key for key, policy in policies.items() if policy.currency != policy.limit_currency)
    own_line = (
        case((position.policy_id.in_(converted), position.invoice_id), else_=literal(0, BigInteger))
        if converted
        else literal(0, BigInteger)
    )
    overdue_part = case((position.due_on < on, position.open_minor), else_=0)
    amounts = {
        "primary": position.primary_minor,
        "top_up": position.top_up_minor,
        "excluded": position.excluded_minor,
        "vat": position.vat_minor,
        "disputed": position.disputed_minor,
        "over_limit": position.over_limit_minor,
        "open": position.open_minor,
        "overdue": overdue_part,
    }
    keys = (position.buyer_id, position.policy_id, position.insured_percentage, position.excluded_reason, own_line.label("own_line"))
    added = [cast(func.sum(amount), BigInteger).label(name) for name, amount in amounts.items()]
    statement = select(*keys, func.count().label("invoices"), *added).join(
        overdue, and_(overdue.c.buyer_id == position.buyer_id, overdue.c.policy_id == position.policy_id)
    )
    return statement.where(*_open(on)).group_by(*keys[:4], own_line)


def _oldest(on: date, policies: Mapping[int, InsurancePolicy], buyer_id: int | None) -> Any:
    """The oldest overdue invoice of each account: by due date, then invoice date."""
    position = InvoicePosition
    order = (position.due_on, Invoice.invoice_on, Invoice.id)
    place = func.row_number().over(partition_by=(position.buyer_id, position.policy_id), order_by=order).label("place")
    ranked = _narrowed(
        select(
            Invoice.id,
            Invoice.invoice_on,
            Invoice.shipment_on,
            position.due_on,
            position.buyer_id,
            position.policy_id,
            position.open_minor,
            (position.primary_minor + position.top_up_minor).label("covered"),
            position.disputed_minor,
            position.excluded_reason,
            place,
        )
        .join(Invoice, Invoice.id == position.invoice_id)
        .where(*_overdue(on)),
        policies,
        buyer_id,
    ).subquery("ranked")
    return select(ranked).where(ranked.c.place == 1)


def _buyers(keys: Sequence[int]) -> Any:
    return select(Buyer.id, Buyer.legal_name, Buyer.country).where(among(Buyer.id, keys))


def _portions(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), _PORTION):
        yield keys[start : start + _PORTION]


def _by_account(entries: Iterable[Any]) -> dict[ForecastAccount, list[Any]]:
    found: dict[ForecastAccount, list[Any]] = {}
    for entry in entries:
        found.setdefault((entry.buyer_id, entry.policy_id), []).append(entry)
    return found


def _add(sums: _Sums, row: RowMapping, policy: InsurancePolicy, on: date) -> None:
    reasons = [
        (reason, int(row[name]))
        for reason, name in ((Reason.VAT_NOT_COVERED, "vat"), (Reason.DISPUTED, "disputed"), (Reason.OVER_LIMIT, "over_limit"))
    ]
    if row["excluded_reason"] is not None:
        reasons.insert(0, (Reason(row["excluded_reason"]), int(row["excluded"])))
    percentage: Decimal | None = row["insured_percentage"]
    sums.lines.append(
        DebtLine(
            id=str(row["own_line"]),
            covered_primary=int(row["primary"]),
            covered_top_up=int(row["top_up"]),
            reasons=tuple((reason, amount) for reason, amount in reasons if amount),
            insured_percentage=percentage,
            percentage_source=_source_of(policy.terms_on(on), percentage),
        )
    )
    sums.invoices += int(row["invoices"])
    sums.open_minor += int(row["open"])
    sums.overdue_minor += int(row["overdue"])


def _source_of(terms: PolicyTerms, percentage: Decimal | None) -> PercentageSource | None:
    """Where a percentage comes from, as far as the percentage itself can tell: the general one may give way to that of the cause."""
    if percentage is None:
        return None
    return "policy" if percentage == terms.insured_percentage.default and terms.grade_cover is None else "limit"
