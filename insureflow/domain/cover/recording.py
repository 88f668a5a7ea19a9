"""What a replay writes down about one receivable when it is asked to explain it."""

from __future__ import annotations

from datetime import date

from insureflow.domain.cover.receivable import Receivable
from insureflow.domain.money import Money
from insureflow.domain.trace import Step

#: The parameter that decides how a change falls on the parts of a receivable.
_BASIS = {
    "entry": "cover.new_invoice",
    "roll_in": "cover.roll_in",
    "payment": "policy.allocation",
    "credit_balance": "policy.allocation",
    "credit_note": "policy.allocation.partial_payment_reduces",
    "dispute": "cover.dispute",
    "dispute_resolved": "cover.dispute",
    "cover_lost": "cover.reason",
}


class Recorder:
    """Notes every change of what is covered of one invoice, day by day."""

    __slots__ = ("_currency", "_invoice", "_last", "steps")

    def __init__(self, invoice: str, currency: str) -> None:
        self._invoice = invoice
        self._currency = currency
        self._last = (0, 0, 0, 0)
        self.steps: list[Step] = []

    def note(self, day: date, receivable: Receivable, cause: str, free: tuple[int, int]) -> None:
        """Take down a change of the invoice followed; ``free`` is what each layer had left for it."""
        if receivable.invoice.id != self._invoice:
            return
        open_before, primary_before, top_up_before, reserved_before = self._last
        reserved = receivable.primary_reserved + receivable.top_up_reserved
        self._last = (receivable.open_value, receivable.primary, receivable.top_up, reserved)
        self.steps.append(
            Step(
                name=cause,
                formula=f"cover.{cause}",
                inputs=(
                    ("open_before", self._money(open_before)),
                    ("open_after", self._money(receivable.open_value)),
                    ("coverable", self._money(receivable.coverable)),
                    ("primary_before", self._money(primary_before)),
                    ("primary_after", self._money(receivable.primary)),
                    ("primary_free", self._money(free[0])),
                    ("top_up_before", self._money(top_up_before)),
                    ("top_up_after", self._money(receivable.top_up)),
                    ("top_up_free", self._money(free[1])),
                    ("reserved_before", self._money(reserved_before)),
                    ("reserved_after", self._money(reserved)),
                ),
                result=self._money(receivable.primary + receivable.top_up),
                basis=_BASIS[cause],
                on=day,
            )
        )

    def _money(self, minor: int) -> Money:
        return Money(minor, self._currency)
