"""The trace of a calculation: every step with its formula, inputs, result and the clause it rests on.

A trace is data, not text: names, formulas and bases are codes that ``insureflow.i18n`` puts into words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from insureflow.domain.money import Money

TraceValue = Money | Decimal | Fraction | int | str | bool | date | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``name`` and ``formula`` are codes, ``basis`` the policy parameter or clause (``policy.allocation.order``).

    ``on`` is the day the step belongs to, where a calculation runs over time.
    """

    name: str
    formula: str
    inputs: tuple[tuple[str, TraceValue], ...]
    result: TraceValue
    basis: str
    on: date | None = None

    def to_dict(self) -> dict[str, object]:
        """The step as plain JSON values: money as ``{"amount": "12.50", "currency": "EUR"}``, dates in ISO form."""
        return {
            "name": self.name,
            "formula": self.formula,
            "inputs": {name: plain(value) for name, value in self.inputs},
            "result": plain(self.result),
            "basis": self.basis,
            "on": self.on.isoformat() if self.on else None,
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps that led to a result, in the order in which they were taken."""

    steps: tuple[Step, ...] = ()

    def __add__(self, other: Trace) -> Trace:
        return Trace(self.steps + other.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def to_list(self) -> list[dict[str, object]]:
        """All steps as plain JSON values."""
        return [step.to_dict() for step in self.steps]


def plain(value: TraceValue) -> object:
    """A trace value as a JSON value; numbers that must stay exact become strings."""
    if isinstance(value, Money):
        return {"amount": str(value.amount), "currency": value.currency}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return value
