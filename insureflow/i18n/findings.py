"""What was found out about a ledger file, in the words people use for it."""

from __future__ import annotations

from insureflow.i18n.words import find_word, word

#: The vocabulary that the values of an aspect belong to, and signs that are called by a name.
_VOCABULARIES = {"date_order": "DateOrder", "file_type": "FileType"}
_NAMES = {".": "point", ",": "comma"}


def value_of_finding(aspect: str, value: str | None, locale: str) -> str:
    """The value of a finding about an aspect (encoding, delimiter, order of dates …) as people say it; empty for none."""
    name = _NAMES.get(value or "", value or "")
    if aspect == "column_missing":
        return word(f"field.{name}", locale)
    code = f"{_VOCABULARIES.get(aspect, aspect)}.{name}"
    return word(code, locale) if find_word(code) else value or ""
