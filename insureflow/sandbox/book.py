"""The rule book: who gets how much, when, and what happens to a cover afterwards. The same question gets the same answer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar, cast

from insureflow.domain.money import minor_digits
from insureflow.sandbox.pushes import announce
from insureflow.sandbox.state import Cover, State

#: Countries where the sandbox insurers take no risk.
REFUSED_COUNTRIES = frozenset({"BY", "KP", "RU", "SY"})
#: Without a rule: up to here at once, up to the second after a while, above it in part. Major units.
AT_ONCE_UP_TO = 100_000
IN_FULL_UP_TO = 500_000
AFTER_SECONDS = 60
PART_PERCENT = 60
STEP = 1000

#: What a rule may say, and what it means.
RULE_FIELDS = frozenset(
    {"insurer", "policy", "company_id", "country", "kind", "above", "answer", "percent", "amount", "after_seconds", "valid_days",
     "second_amount", "second_days", "conditions"}
)  # fmt: skip
ANSWERS = frozenset({"full", "partial", "preliminary", "conditional", "refused"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an insurer will say: ``amount`` in minor units, after so many seconds."""

    answer: str
    amount: int
    after_seconds: int = 0
    valid_days: int | None = None
    second: int = 0
    second_days: int | None = None
    conditions: tuple[str, ...] = ()


Act = TypeVar("Act", bound=Callable[..., Any])


def _alone(act: Act) -> Act:
    """One act at a time: what is due must not happen twice because a request and the postman saw it together."""

    @functools.wraps(act)
    def do(state: State, *given: Any, **named: Any) -> Any:
        with state.busy:
            return act(state, *given, **named)

    return cast("Act", do)


def judge(state: State, cover: Cover) -> Verdict:
    """The verdict on an application: the first rule that fits, else the built-in rules."""
    unit = 10 ** minor_digits(cover.currency)
    asked = cover.requested or 0
    for rule in state.setting("rules", []):
        if _fits(rule, cover, asked // unit):
            return _by_rule(rule, asked, unit)
    return _built_in(cover, asked, unit)


@_alone
def apply_for(state: State, cover: Cover) -> Cover:
    """An application comes in; it is decided at once where the rule book says so."""
    cover.applied_on = cover.applied_on or state.today().isoformat()
    cover.stage, cover.answer, cover.decided = "applied", "", None
    company = state.company(cover.insurer, cover.company_id)
    if company is not None:
        cover.company_name, cover.country = company.name, company.country
    verdict = judge(state, cover)
    cover.due_at = state.now() + verdict.after_seconds
    state.add(cover)
    if verdict.after_seconds <= 0:
        decide(state, cover)
    return cover


@_alone
def decide(state: State, cover: Cover) -> Cover:
    """Answers an application now, whatever delay was meant."""
    verdict = judge(state, cover)
    today = state.today().isoformat()
    old = state.cover(cover.insurer, cover.replaces) if cover.replaces is not None else None
    cover.due_at, cover.pending, cover.decided_on = None, "", today
    cover.version += 1
    if verdict.answer == "refused":
        if old is None:
            cover.stage, cover.answer, cover.decided = "refused", "refused", 0
        else:  # the amount shown is that of the cover which stays
            cover.stage, cover.answer, cover.ending, cover.decided = "ended", "unchanged", "rejected", old.decided
        state.save(cover)
    else:
        cover.stage, cover.answer, cover.decided = "in_force", verdict.answer, verdict.amount
        cover.effective_on = cover.effective_on or today
        cover.conditions = verdict.conditions
        cover.second, cover.second_to = verdict.second, _in_days(state, verdict.second_days)
        cover.valid_to = _in_days(state, verdict.valid_days)
        changed = [cover]
        if old is not None and old.stage == "in_force":
            _end(old, "superseded", today)
            changed.append(old)
        state.save(*changed)
    announce(state, cover)
    return cover


@_alone
def reduce(state: State, cover: Cover, amount: int, effective_on: str | None = None, *, by_insurer: bool = False) -> Cover:
    """A cover becomes smaller, at the policyholder's wish or the insurer's."""
    cover.decided, cover.answer = amount, "reduced"
    cover.second, cover.second_to = 0, None
    cover.decided_on = state.today().isoformat()
    cover.effective_on = effective_on or cover.decided_on
    cover.version += 1
    if not by_insurer:
        cover.requested = amount
    state.save(cover)
    announce(state, cover)
    return cover


@_alone
def cancel(state: State, cover: Cover) -> Cover:
    """The policyholder gives a cover or an application up: at once, or after the time the sandbox is told to take."""
    delay = int(state.setting("cancel_after_seconds", 0))
    cover.version += 1
    if delay > 0 and cover.stage == "in_force":
        cover.pending, cover.due_at = "C", state.now() + delay
    else:
        _end(cover, "cancelled", state.today().isoformat())
    state.save(cover)
    announce(state, cover)
    return cover


@_alone
def withdraw(state: State, cover: Cover, effective_on: date | None = None) -> Cover:
    """The insurer ends a cover, today or after a notice."""
    today = state.today()
    cover.version += 1
    cover.decided_on = today.isoformat()
    if effective_on is not None and effective_on > today:
        cover.answer, cover.pending, cover.withdrawal_on = "notice", "F", effective_on.isoformat()
        cover.due_at = datetime.combine(effective_on, time(), UTC).timestamp()
    else:
        cover.answer, cover.withdrawal_on = "withdrawn", today.isoformat()
        _end(cover, "withdrawn", today.isoformat())
    state.save(cover)
    announce(state, cover)
    return cover


@_alone
def settle_due(state: State) -> int:
    """Lets everything happen whose time has come; gives how much it was."""
    due = state.due()
    for cover in due:
        if cover.stage == "applied":
            decide(state, cover)
        elif cover.pending == "C":
            cover.version += 1
            _end(cover, "cancelled", state.today().isoformat())
            state.save(cover)
            announce(state, cover)
        else:
            withdraw(state, cover)
    return len(due)


def _end(cover: Cover, ending: str, on: str) -> None:
    cover.stage, cover.ending = "ended", ending
    cover.pending, cover.due_at = "", None
    cover.valid_to = on


def _in_days(state: State, days: int | None) -> str | None:
    return None if days is None else (state.today() + timedelta(days=days)).isoformat()


def _fits(rule: dict[str, Any], cover: Cover, asked: int) -> bool:
    for name in ("insurer", "policy", "company_id", "country", "kind"):
        if name in rule and str(rule[name]) != getattr(cover, name):
            return False
    return asked > int(rule["above"]) if "above" in rule else True


def _by_rule(rule: dict[str, Any], asked: int, unit: int) -> Verdict:
    answer = str(rule.get("answer", "full"))
    amount = asked
    if "amount" in rule:
        amount = min(asked, int(rule["amount"]) * unit) if asked else int(rule["amount"]) * unit
    elif "percent" in rule:
        amount = _in_steps(asked * int(rule["percent"]) // 100, unit)
    return Verdict(
        answer,
        0 if answer == "refused" else amount,
        int(rule.get("after_seconds", 0)),
        rule.get("valid_days"),
        int(rule.get("second_amount", 0)) * unit,
        rule.get("second_days"),
        tuple(str(each) for each in rule.get("conditions", ())),
    )


def _built_in(cover: Cover, asked: int, unit: int) -> Verdict:
    last = cover.company_id[-1:]
    if cover.country in REFUSED_COUNTRIES or last == "7":
        return Verdict("refused", 0)
    if cover.kind == "check":
        return Verdict("full", 15_000 * unit)
    if last == "8":
        return Verdict("conditional", asked, conditions=("Payment by bank transfer within 60 days of the invoice date.",))
    if asked <= AT_ONCE_UP_TO * unit:
        return Verdict("full", asked)
    if asked <= IN_FULL_UP_TO * unit:
        return Verdict("full", asked, AFTER_SECONDS)
    return Verdict("partial", _in_steps(asked * PART_PERCENT // 100, unit), AFTER_SECONDS)


def _in_steps(amount: int, unit: int) -> int:
    return amount // (STEP * unit) * STEP * unit
