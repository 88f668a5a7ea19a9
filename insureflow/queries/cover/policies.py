"""The policies of an organisation, ready to decide under which one a sale falls."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from insureflow.connectors.calendars import business_calendar
from insureflow.domain.cover import Account
from insureflow.domain.obligations import InvoiceDeadlines
from insureflow.domain.periods import MONDAY_TO_FRIDAY, BusinessCalendar
from insureflow.domain.policies import DatedTerms, PolicyCandidate, PolicyTerms, choose_policy, parse_terms, terms_on, with_all_reliefs
from insureflow.models.database import db
from insureflow.models.policies import InsuredEntity, Policy, PolicyTermsVersion


@dataclass(frozen=True, slots=True)
class InsurancePolicy:
    """A policy with all versions of its terms."""

    id: int
    number: str
    name: str
    insurer: str
    currency: str
    limit_currency: str
    priority: int
    history: tuple[DatedTerms, ...]
    calendars: Mapping[str, BusinessCalendar] = field(repr=False)
    #: Deadlines found already, by terms, country and the dates of an invoice: the ledgers of many buyers share them.
    deadlines: dict[tuple[Any, ...], InvoiceDeadlines] = field(default_factory=dict, repr=False, compare=False)

    @property
    def order(self) -> tuple[int, int]:
        """Policies come by priority, then by key."""
        return self.priority, self.id

    def account(self, country: str | None, *, insurable: bool) -> Account:
        """The account of a buyer under this policy."""
        return Account(self.history, self.limit_currency, country, insurable, self.calendars)

    def terms_on(self, on: date) -> PolicyTerms:
        """The terms in force on a day."""
        if len(self.history) == 1:
            return self.history[0].terms
        return terms_on(self.history, on)

    def calendar_on(self, on: date) -> BusinessCalendar:
        """The business days by the terms in force on a day."""
        name = self.terms_on(on).business_day_calendar
        return MONDAY_TO_FRIDAY if name is None else self.calendars[name]

    def top_up_percentage_on(self, on: date) -> Decimal | None:
        """The top-up layer's own insured percentage for a shipment of a day, if it has one."""
        top_up = self.terms_on(on).layers.top_up
        return None if top_up is None else top_up.insured_percentage

    @property
    def has_top_up_percentage(self) -> bool:
        """True if any version of the terms gives the top-up layer a percentage of its own."""
        return any(
            dated.terms.layers.top_up is not None and dated.terms.layers.top_up.insured_percentage is not None for dated in self.history
        )


class PolicyBook:
    """All policies of the organisation in scope and the entities they insure, read once."""

    def __init__(self, policies: Mapping[int, InsurancePolicy], insured: Mapping[int, tuple[int, ...]]) -> None:
        self.policies = policies
        #: Policies by the entity they insure, in order of priority.
        self.insured = {
            entity_id: tuple(sorted((policies[key] for key in keys if policies[key].history), key=lambda policy: policy.order))
            for entity_id, keys in insured.items()
        }
        self.insured = {entity_id: found for entity_id, found in self.insured.items() if found}
        self._candidates = {
            entity_id: tuple(PolicyCandidate(policy.id, policy.priority, policy.history) for policy in found)
            for entity_id, found in self.insured.items()
        }
        self._turns = {entity_id: self._turning_days(found) for entity_id, found in self.insured.items()}
        self._chosen: dict[tuple[int, str | None, int], InsurancePolicy | None] = {}

    @classmethod
    def load(cls) -> PolicyBook:
        """The policies of the organisation in scope. Errors: ``InvalidValues`` for terms that cannot be read, ``calendar_unknown``."""
        versions: dict[int, list[DatedTerms]] = {}
        rows = db.session.execute(
            select(PolicyTermsVersion.policy_id, PolicyTermsVersion.effective_on, PolicyTermsVersion.data).order_by(
                PolicyTermsVersion.policy_id, PolicyTermsVersion.effective_on
            )
        )
        for row in rows:
            versions.setdefault(row.policy_id, []).append(DatedTerms(row.effective_on, parse_terms(row.data)))
        policies = {}
        for policy in db.session.execute(
            select(Policy.id, Policy.number, Policy.name, Policy.insurer, Policy.currency, Policy.limit_currency, Policy.priority)
        ):
            history = with_all_reliefs(versions.get(policy.id, ()))
            names = {dated.terms.business_day_calendar for dated in history} - {None}
            calendars = {str(name): business_calendar(str(name)) for name in names}
            policies[policy.id] = InsurancePolicy(*policy, history, calendars)
        insured: dict[int, list[int]] = {}
        for entry in db.session.execute(select(InsuredEntity.entity_id, InsuredEntity.policy_id)):
            insured.setdefault(entry.entity_id, []).append(entry.policy_id)
        return cls(policies, {entity_id: tuple(keys) for entity_id, keys in insured.items()})

    @property
    def insured_entities(self) -> frozenset[int]:
        """The entities that have a policy at all."""
        return frozenset(self.insured)

    def choose(self, entity_id: int, country: str | None, shipment_on: date) -> InsurancePolicy | None:
        """The policy a shipment of an entity to a country falls under; None for an entity without policy."""
        turns = self._turns.get(entity_id)
        if turns is None:
            return None
        key = (entity_id, country, bisect_right(turns, shipment_on))
        if key not in self._chosen:
            candidate = choose_policy(self._candidates[entity_id], country, shipment_on)
            self._chosen[key] = None if candidate is None else self.policies[candidate.key]
        return self._chosen[key]

    @staticmethod
    def _turning_days(policies: tuple[InsurancePolicy, ...]) -> list[date]:
        """The days on which another policy may come up: terms take effect, periods begin or are over."""
        days = set()
        for policy in policies:
            for dated in policy.history:
                days.add(dated.effective_on)
                if dated.terms.period is not None:
                    days.add(dated.terms.period.first_day)
                    if dated.terms.period.last_day < date.max:
                        days.add(dated.terms.period.last_day + timedelta(days=1))
        return sorted(days)
