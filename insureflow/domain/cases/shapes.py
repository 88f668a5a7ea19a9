"""The shape of a worked example: which fields a map may have and what their values look like.

A shape says only what is spelled right. What a value means is read by the calculation itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from insureflow.domain.errors import InvalidValue
from insureflow.domain.policies.reading import as_day
from insureflow.domain.policies.vocabulary import Cause

_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class One:
    """A single value; ``is_right`` says whether it is spelled right, ``code`` what to report if not."""

    code: str
    is_right: Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Fields:
    """A map with known fields."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """A map with free keys and values of one shape."""

    of: Shape
    is_key: Callable[[object], bool] = field(default=lambda key: isinstance(key, str) and key != "")


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of entries of one shape."""

    of: Shape
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class Maybe:
    """A shape or null."""

    of: Shape


Shape = One | Fields | Each | Rows | Maybe


def is_amount(value: object) -> bool:
    """An amount that is not negative: an integer or a decimal text."""
    return is_whole(value) or (isinstance(value, str) and bool(_AMOUNT.fullmatch(value)))


def is_whole(value: object) -> bool:
    """A whole number that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_text(value: object) -> bool:
    """A text that is not empty."""
    return isinstance(value, str) and value != ""


def is_cause(value: object) -> bool:
    """A cause of loss."""
    return any(value == cause for cause in Cause)


AMOUNT = One("not_an_amount", is_amount)
DATE = One("not_a_date", lambda value: isinstance(value, str) and as_day(value) is not None)
FLAG = One("not_true_or_false", lambda value: isinstance(value, bool))
TEXT = One("not_a_text", is_text)
CAUSE = One("not_a_choice", is_cause)
#: Read in full elsewhere, with problems of its own.
ANYTHING = One("empty", lambda value: value is not None)


def one_of(*words: str) -> One:
    """One of these words."""
    return One("not_a_choice", lambda value: value in words)


def find_problems(value: object, shape: Shape, path: str) -> list[InvalidValue]:
    """All places where a value does not have the shape, with their dotted paths."""
    if isinstance(shape, Maybe):
        return [] if value is None else find_problems(value, shape.of, path)
    if isinstance(shape, One):
        return [] if shape.is_right(value) else [InvalidValue(shape.code, path, value)]
    if isinstance(shape, Rows):
        return _problems_of_rows(value, shape, path)
    if not isinstance(value, Mapping):
        return [InvalidValue("not_a_map", path, value)]
    problems = []
    if isinstance(shape, Each):
        for key, entry in value.items():
            if shape.is_key(key):
                problems += find_problems(entry, shape.of, f"{path}.{key}")
            else:
                problems.append(InvalidValue("not_a_key", f"{path}.{key}", key))
        return problems
    problems += [InvalidValue("required", f"{path}.{name}") for name in shape.required if name not in value]
    for key, entry in value.items():
        if key in shape.fields:
            problems += find_problems(entry, shape.fields[key], f"{path}.{key}")
        else:
            problems.append(InvalidValue("unknown_field", f"{path}.{key}"))
    return problems


def _problems_of_rows(value: object, shape: Rows, path: str) -> list[InvalidValue]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return [InvalidValue("not_a_list", path, value)]
    if len(value) < shape.minimum:
        return [InvalidValue("too_few", path, None, minimum=shape.minimum)]
    return [problem for position, entry in enumerate(value) for problem in find_problems(entry, shape.of, f"{path}[{position}]")]
