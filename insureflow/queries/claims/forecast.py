"""The forecast of claims on a day: every overdue account with what its policy would pay, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from insureflow.domain.claims import AccountAtRisk, CashMonth, ExpectedDates, Forecast, cash_calendar, expect_dates, forecast_year
from insureflow.domain.loss import Effect, FrozenRate, maximum_liability_of
from insureflow.domain.money import Money
from insureflow.domain.obligations import NO_FACTS
from insureflow.domain.policies import NO_CONDITIONS
from insureflow.queries.claims.accounts import OverdueAccount, accounts_of_entity, overdue_accounts
from insureflow.queries.claims.using import year_use
from insureflow.queries.cover.duties import open_items
from insureflow.queries.cover.policies import InsurancePolicy
from insureflow.queries.rates import RateBook


@dataclass(frozen=True, slots=True)
class ClaimsForecast:
    """What is expected of one overdue account. ``forecast`` is None where the rate to the policy's currency is not known."""

    account: OverdueAccount
    dates: ExpectedDates
    forecast: Forecast | None
    is_maximum_unknown: bool

    @property
    def currency(self) -> str:
        """The currency of the policy, in which it pays."""
        return self.account.policy.currency

    def money(self, minor: int) -> Money:
        """An amount of the policy's currency."""
        return Money(minor, self.currency)

    def taken_by(self, effect: Effect) -> int:
        """What a clause takes away."""
        return 0 if self.forecast is None else dict(self.forecast.loss.effects).get(effect, 0)


def forecast_claims(
    on: date, *, policy_id: int | None = None, buyer_id: int | None = None, entity_id: int | None = None
) -> list[ClaimsForecast]:
    """What policies would pay for every account overdue on a day, by policy and expected date of loss.

    The accounts of one policy use up its aggregate first loss and maximum liability together; a choice of buyer or entity leaves
    rows out and changes no figure.
    """
    accounts = overdue_accounts(on, policy_id=policy_id)
    if buyer_id is not None:
        wanted = {account.policy.id for account in accounts if account.buyer_id == buyer_id}
        accounts = [account for account in accounts if account.policy.id in wanted]
    rates = RateBook.load()
    by_policy: dict[int, list[OverdueAccount]] = {}
    for account in accounts:
        by_policy.setdefault(account.policy.id, []).append(account)
    used = year_use(by_policy.keys(), on)
    found: list[ClaimsForecast] = []
    for key, group in by_policy.items():
        found += _of_policy(group, on, rates, used[key])
    chosen = None if entity_id is None else accounts_of_entity(entity_id, on)
    return [
        each
        for each in found
        if (buyer_id is None or each.account.buyer_id == buyer_id)
        and (chosen is None or (each.account.buyer_id, each.account.policy.id) in chosen)
    ]


def cash_expected(forecasts: list[ClaimsForecast], on: date) -> list[CashMonth]:
    """The expected payments by currency and month."""
    return cash_calendar(
        ((each.dates.payment_on, each.currency, each.forecast.loss.indemnity) for each in forecasts if each.forecast is not None), on
    )


def _of_policy(accounts: list[OverdueAccount], on: date, rates: RateBook, use: Any) -> list[ClaimsForecast]:
    policy = accounts[0].policy
    terms = policy.terms_on(on)
    rate = _rate(policy, on, rates)
    kept: dict[tuple[Any, ...], ExpectedDates] = {}
    dates = {account.key: _dates(account, on, rates, kept) for account in accounts}
    is_unknown = terms.maximum_liability is not None and maximum_liability_of(terms) is None
    if rate is None:
        return [ClaimsForecast(account, dates[account.key], None, is_unknown) for account in accounts]
    at_risk = [AccountAtRisk(account.key, account.lines, rate, dates[account.key], account.country, account.grade) for account in accounts]
    by_key = {account.key: account for account in accounts}
    return [
        ClaimsForecast(by_key[forecast.account.key], forecast.dates, forecast, is_unknown)
        for forecast in forecast_year(terms, at_risk, use)
    ]


def _rate(policy: InsurancePolicy, on: date, rates: RateBook) -> FrozenRate | None:
    """The rate from the limits of a policy to its payments; that of the day asked for stands in for days to come."""
    if policy.limit_currency == policy.currency:
        return FrozenRate(policy.currency)
    found = rates.find(policy.limit_currency, policy.currency, on)
    return None if found is None else FrozenRate(policy.limit_currency, found.rate, found.on, found.source)


def _dates(account: OverdueAccount, on: date, rates: RateBook, kept: dict[tuple[Any, ...], ExpectedDates]) -> ExpectedDates:
    """What is expected when; found once for all accounts with the same dates on which nothing has happened."""
    policy, facts = account.policy, account.facts
    terms = policy.terms_on(on)
    [item] = open_items(policy, [account.oldest], account.decisions, account.acts, on, rates)
    invoice = item.invoice
    key = (account.country, invoice.invoice_on, invoice.shipment_on, invoice.due_on)
    is_plain = facts == NO_FACTS and account.loss_on is None and invoice.conditions == NO_CONDITIONS
    if is_plain and key in kept:
        return kept[key]
    found = expect_dates(terms, invoice, on, country=account.country, facts=facts, loss_on=account.loss_on, calendar=policy.calendar_on(on))
    if is_plain:
        kept[key] = found
    return found
