"""What is wrong with a row of a ledger file, in a sentence: told beside its column and value, which need not be repeated."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.i18n.words import find_sentence, sentence


def reason_of(code: str, parameters: Mapping[str, object], locale: str, *, column: str | None = None, value: str | None = None) -> str:
    """The reason for a row's problem. A code that means something else elsewhere has its sentence under ``row.…``."""
    own = f"row.{code}"
    return sentence(own if find_sentence(own) else code, {"path": column, "value": value, **parameters}, locale)
