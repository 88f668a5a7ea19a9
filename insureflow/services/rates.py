"""Exchange rates entered by hand, and rates for documents: the rate of a document's own day belongs to it for good."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import select

from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.models.rates import ManualRate
from insureflow.queries.rates import DatedRate, RateBook, missing_rate
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

__all__ = ["DatedRate", "MissingRates", "RateBook", "add_manual_rate", "find_missing", "remove_manual_rate"]


class MissingRates(Refusal):
    """Several rates are missing; ``missing`` names every pair and day, so that all can be entered at once."""

    def __init__(self, missing: Iterable[tuple[str, str, date]]) -> None:
        self.missing = tuple(sorted(set(missing), key=lambda entry: (entry[0], entry[1], entry[2])))
        pairs: dict[tuple[str, str], date] = {}
        for base, quote, on in self.missing:
            pairs.setdefault((base, quote), on)
        listed = "; ".join(f"{base}/{quote} {on.isoformat()}" for (base, quote), on in pairs.items())
        super().__init__("rates_missing", count=len(self.missing), pairs=listed)


def refuse_missing(missing: Iterable[tuple[str, str, date]]) -> None:
    """Refuse if any rate is missing. Errors: ``rate_missing`` for one, ``MissingRates`` (``rates_missing``) for several."""
    found = sorted(set(missing))
    if len(found) == 1:
        raise missing_rate(*found[0])
    if found:
        raise MissingRates(found)


def find_missing(book: RateBook, needed: Iterable[tuple[str, str, date]]) -> list[tuple[str, str, date]]:
    """Which of the pairs and days (base, quote, day) have no rate: what an import reports before it writes anything."""
    return sorted({entry for entry in needed if book.find(*entry) is None})


def _read_rate(text: str | Decimal) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise InvalidValue("not_a_rate", "rate.rate", str(text)) from None
    if not rate.is_finite() or rate <= 0 or len(format(rate, "f")) > 40:
        raise InvalidValue("not_a_rate", "rate.rate", str(text))
    return rate


def add_manual_rate(
    actor: Actor, organisation_id: int, *, base: str, quote: str, valid_on: date, rate: str | Decimal, source: str
) -> ManualRate:
    """Enter a rate: ``rate`` units of ``quote`` for one ``base`` from a day on. An entry of the same pair and day is replaced.

    Documents keep the rate they have. Errors: ``InvalidValues`` (``currency_unknown``, ``same_currency``, ``not_a_rate``,
    ``source_needed``).
    """
    problems = [
        InvalidValue("currency_unknown", f"rate.{name}", code) for name, code in (("base", base), ("quote", quote)) if not is_currency(code)
    ]
    if base == quote:
        problems.append(InvalidValue("same_currency", "rate.quote", quote))
    if not source.strip():
        problems.append(InvalidValue("source_needed", "rate.source", source))
    exact = Decimal(0)
    try:
        exact = _read_rate(rate)
    except InvalidValue as problem:
        problems.append(problem)
    if problems:
        raise InvalidValues(tuple(problems))
    with transaction(organisation_id) as session:
        found = session.scalar(
            select(ManualRate).where(ManualRate.base == base, ManualRate.quote == quote, ManualRate.valid_on == valid_on)
        )
        before = None if found is None else {"rate": found.rate, "source": found.source}
        entry = found or ManualRate(organisation_id=organisation_id, base=base, quote=quote, valid_on=valid_on)
        entry.rate, entry.source, entry.created_at, entry.created_by_id = exact, source.strip()[:200], now(), actor.user_id
        session.add(entry)
        session.flush()
        after = {"rate": exact, "source": entry.source, "valid_on": valid_on}
        journal.record(session, actor, "rate.entered", Subject("rate", entry.id, f"{base}/{quote}"), before=before, after=after)
    return entry


def remove_manual_rate(actor: Actor, organisation_id: int, rate_id: int) -> None:
    """Take an entered rate out again; documents keep the rate they have. Errors: ``rate_unknown``."""
    with transaction(organisation_id) as session:
        entry = session.scalar(select(ManualRate).where(ManualRate.id == rate_id))
        if entry is None:
            raise Refusal("rate_unknown", rate=str(rate_id))
        before = {"rate": entry.rate, "source": entry.source, "valid_on": entry.valid_on}
        subject = Subject("rate", entry.id, f"{entry.base}/{entry.quote}")
        session.delete(entry)
        session.flush()
        journal.record(session, actor, "rate.removed", subject, before=before)
