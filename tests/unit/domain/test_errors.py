"""Refusals: codes with parameters, all problems at once."""

import pytest

from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal


def test_a_refusal_is_its_code_and_parameters():
    refusal = Refusal("limit_expired", limit="L1", days=3)
    assert refusal.code == "limit_expired"
    assert dict(refusal.parameters) == {"limit": "L1", "days": 3}
    assert str(refusal) == "limit_expired (limit=L1, days=3)"
    assert str(Refusal("no_terms")) == "no_terms"


def test_parameters_cannot_be_changed_afterwards():
    with pytest.raises(TypeError):
        Refusal("x", a=1).parameters["a"] = 2  # type: ignore[index]


def test_an_invalid_value_says_where_it_stands():
    problem = InvalidValue("out_of_range", "policy.days", -1, minimum=0)
    assert (problem.path, problem.value) == ("policy.days", -1)
    assert dict(problem.parameters) == {"path": "policy.days", "value": -1, "minimum": 0}


def test_all_problems_stand_together():
    problems = InvalidValues((InvalidValue("required", "a"), InvalidValue("required", "b")))
    assert problems.parameters["count"] == 2
    assert str(problems) == "required (path=a, value=None); required (path=b, value=None)"
