"""Payments that the bank took back: which earlier entry a reversal belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from insureflow.domain.bank_statements import BankEntry, is_reference, plain_account


def find_reversed(reversal: BankEntry, earlier: Sequence[BankEntry]) -> int | None:
    """Position of the one earlier receipt that a reversal takes back, or None.

    *Formula:* same amount and currency, not later than the reversal, and the same end-to-end reference, or the same bank
    reference, or the same account of the payer; the strongest of these that fits exactly one entry decides.
    """
    if reversal.is_credit or not reversal.is_reversal:
        return None
    candidates = [
        place
        for place, entry in enumerate(earlier)
        if entry.is_credit
        and not entry.is_reversal
        and (entry.amount_minor, entry.currency) == (reversal.amount_minor, reversal.currency)
        and (entry.on is None or reversal.on is None or entry.on <= reversal.on)
    ]
    for key in (_end_to_end, _bank_reference, _account):
        mine = key(reversal)
        fitting = [place for place in candidates if mine and key(earlier[place]) == mine]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _end_to_end(entry: BankEntry) -> str:
    return entry.end_to_end_id if is_reference(entry.end_to_end_id) else ""


def _bank_reference(entry: BankEntry) -> str:
    return entry.bank_reference if is_reference(entry.bank_reference) else ""


def _account(entry: BankEntry) -> str:
    return plain_account(entry.counterparty_account)
