"""From a preset and what is typed beside it to the canonical terms of a policy."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.policies import parse_terms, terms_to_data
from insureflow.services.policies.presets import Preset, belongs_to


def with_overrides(data: Mapping[str, object], overrides: Mapping[str, object]) -> dict[str, object]:
    """Terms with single parameters replaced. A value of None takes the parameter out; missing clauses are made.

    ``overrides``: values by dotted path, such as ``{"maximum_extension_period.days": 60}``.
    """
    result: dict[str, Any] = copy.deepcopy(dict(data))
    for path, value in overrides.items():
        *clauses, name = path.split(".")
        inner = result
        for clause in clauses:
            if not isinstance(inner.get(clause), dict):
                if value is None:
                    break
                inner[clause] = {} if clause not in inner or clause != "insured_percentage" else {"default": inner[clause]}
            inner = inner[clause]
        else:
            if value is None:
                inner.pop(name, None)
            else:
                inner[name] = copy.deepcopy(value)
    return result


def prepare_terms(
    *,
    currency: str,
    limit_currency: str | None = None,
    preset: Preset | None = None,
    terms: Mapping[str, object] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The canonical terms of a policy, from its own terms or else from a preset, with single parameters replaced.

    Errors: ``InvalidValues`` with every problem and its path; ``Refusal`` ``policy_terms_missing``, ``policy_currency_fixed``,
    ``policy_limit_currency_fixed`` where the terms speak of another currency, ``preset_in_other_currency``.
    """
    if terms is None and preset is None:
        raise Refusal("policy_terms_missing")
    chosen = dict(overrides or {})
    if terms is None and preset is not None:
        _require_currency_of_amounts(preset, currency, chosen)
    base = with_overrides(terms if terms is not None else preset.terms if preset is not None else {}, chosen)
    said = base.setdefault("currency", currency)
    if said != currency:
        raise Refusal("policy_currency_fixed", currency=currency, chosen=str(said))
    if limit_currency is not None:
        said = base.setdefault("limit_currency", limit_currency)
        if said != limit_currency:
            raise Refusal("policy_limit_currency_fixed", currency=limit_currency, chosen=str(said))
    return terms_to_data(parse_terms(base))


def _require_currency_of_amounts(preset: Preset, currency: str, overrides: Mapping[str, object]) -> None:
    """Amounts of a preset mean its own currency; in another one somebody has to say what they are."""
    if preset.currency is None or preset.currency == currency:
        return
    try:
        parse_terms(preset.terms, path="")
    except InvalidValues as refusal:
        amounts = [problem.path for problem in refusal.problems if problem.code == "currency_required"]
    else:
        amounts = []
    open_ones = [path for path in amounts if not any(belongs_to(path, name) or belongs_to(name, path) for name in overrides)]
    if open_ones:
        raise InvalidValue(
            "preset_in_other_currency",
            "currency",
            currency,
            preset=preset.key,
            currency=preset.currency,
            chosen=currency,
            parameters=", ".join(open_ones),
        )
