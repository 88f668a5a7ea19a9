"""What if the terms said otherwise: the duties of a policy beside those it would have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue, InvalidValues
from insureflow.domain.periods import PeriodUnit
from insureflow.domain.policies import PolicyTerms, parse_terms, terms_to_data
from insureflow.i18n.policies import label_of
from insureflow.i18n.words import sentence_for, word
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.obligations.calendar import DutySelection
from insureflow.queries.obligations.simulation import Simulation, simulate
from insureflow.services.policies import with_overrides
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.obligations.standing import blueprint

_EVERY = tuple(PeriodUnit)
_CALENDAR = (PeriodUnit.DAYS, PeriodUnit.MONTHS)

#: The clauses that can be asked about, and in what their length may be counted.
CLAUSES: Mapping[str, tuple[PeriodUnit, ...]] = {
    "maximum_extension_period": _CALENDAR,
    "overdue_notification": _EVERY,
    "adverse_information": (PeriodUnit.DAYS, PeriodUnit.BUSINESS_DAYS),
    "claim_filing": _EVERY,
}
#: How many of the duties that would move are listed.
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Question:
    """A clause as the form shows it: what was typed, or what the policy says."""

    name: str
    label: str
    length: str
    unit: str
    units: list[tuple[str, str]]
    error: str = ""


def _of_policy(data: Mapping[str, Any], clause: str) -> tuple[str, str]:
    said = data.get(clause)
    for unit in _EVERY:
        if isinstance(said, Mapping) and unit.value in said:
            return str(said[unit.value]), unit.value
    return "", CLAUSES[clause][0].value


def _questions(data: Mapping[str, Any], errors: Mapping[str, str]) -> list[Question]:
    found = []
    for clause, units in CLAUSES.items():
        length, unit = _of_policy(data, clause)
        found.append(
            Question(
                clause,
                label_of(clause, choose_locale()),
                request.args.get(clause, length).strip(),
                request.args.get(f"{clause}-unit", unit),
                [(each.value, word(each, choose_locale())) for each in units],
                errors.get(clause, ""),
            )
        )
    return found


def _asked(data: Mapping[str, Any]) -> dict[str, object]:
    """The parameters that were asked otherwise, by their paths. Errors: ``InvalidValues``."""
    overrides: dict[str, object] = {}
    problems = []
    for clause, units in CLAUSES.items():
        now = _of_policy(data, clause)
        length, unit = request.args.get(clause, now[0]).strip(), request.args.get(f"{clause}-unit", now[1])
        if (length, unit) == now or (not length and not now[0]):
            continue
        if not length.isdecimal() or len(length) > 4 or unit not in {each.value for each in units}:
            problems.append(InvalidValue("length_wrong", clause, length))
            continue
        overrides |= {f"{clause}.{each.value}": None for each in _EVERY}
        overrides[f"{clause}.{unit}"] = int(length)
        if clause == "claim_filing" and clause not in data:
            overrides[f"{clause}.from"] = "due_date"
    if problems:
        raise InvalidValues(tuple(problems))
    return overrides


def _policy_id() -> int | None:
    chosen = read_key(request.args.get("policy_id"))
    if chosen is not None:
        return chosen
    return g.scope.policy_id or (g.scope.policies[0].id if g.scope.policies else None)


@blueprint.get("/what-if")
@requires(Permission.VIEW_OBLIGATIONS)
def what_if() -> ResponseReturnValue:
    """Duties as they are and as they would be."""
    policy_id = _policy_id()
    policy = None if policy_id is None else PolicyBook.load().policies.get(policy_id)
    if policy is None or not policy.history:
        if request.args.get("policy_id"):
            abort(404)
        return render_template("obligations/what_if.html", policy=None, questions=[], result=None, error="")
    data = terms_to_data(policy.terms_on(g.on))
    errors: dict[str, str] = {}
    error, result, changed = "", None, False
    try:
        overrides = _asked(data)
        changed = bool(overrides)
        if changed:
            result = _result(policy.id, parse_terms(with_overrides(data, overrides)), g.on)
    except InvalidValues as refused:
        said = {problem.path.removeprefix("policy.").split(".")[0]: sentence_for(problem, choose_locale()) for problem in refused.problems}
        errors = {name: sentence for name, sentence in said.items() if name in CLAUSES}
        error = "; ".join(sentence for name, sentence in said.items() if name not in CLAUSES)
    status = 422 if errors or error else 200
    page = render_template(
        "obligations/what_if.html",
        policy=policy,
        questions=_questions(data, errors),
        result=result,
        changed=changed,
        error=error or (_("Look at the marked fields.") if errors else ""),
        shown=SHOWN,
    )
    return page, status


def _result(policy_id: int, terms: PolicyTerms, on: date) -> Simulation:
    return simulate(DutySelection(on, g.today, entity_id=g.scope.entity_id), policy_id, terms, rows=SHOWN)
