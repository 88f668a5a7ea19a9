"""Refusals of the trade: a code and its parameters, never a sentence.

The words for a code are found by ``insureflow.i18n`` in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class Refusal(Exception):
    """Something the rules do not allow.

    ``code`` is a stable snake_case word, ``parameters`` the values a sentence about it needs (amounts as ``Money``,
    dates as ``date``, everything else as str, int or Decimal).
    """

    def __init__(self, code: str, **parameters: object) -> None:
        self.code = code
        self.parameters: Mapping[str, object] = MappingProxyType(dict(parameters))
        super().__init__(code, dict(parameters))

    def __str__(self) -> str:
        if not self.parameters:
            return self.code
        inner = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.code} ({inner})"


class InvalidValue(Refusal):
    """A value that cannot be read; ``path`` says where it stands (``policy.maximum_credit_terms.days``)."""

    def __init__(self, code: str, path: str, value: object = None, **parameters: object) -> None:
        super().__init__(code, path=path, value=value, **parameters)
        self.path = path
        self.value = value


class InvalidValues(Refusal):
    """All problems of one input at once: nobody should have to repair it value by value."""

    def __init__(self, problems: tuple[InvalidValue, ...]) -> None:
        super().__init__("invalid_values", count=len(problems))
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)
