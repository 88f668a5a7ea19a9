"""The closed lists of the domain: plain words, each once."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib import import_module
from pkgutil import walk_packages

import insureflow.domain


def vocabularies() -> set[type[StrEnum]]:
    """Every closed list of words in the domain."""
    found: set[type[StrEnum]] = set()
    for info in walk_packages(insureflow.domain.__path__, "insureflow.domain."):
        module = import_module(info.name)
        found |= {each for each in vars(module).values() if isinstance(each, type) and issubclass(each, StrEnum) and each is not StrEnum}
    return found


def test_every_member_is_a_plain_word_and_stands_once() -> None:
    found = vocabularies()
    assert len(found) > 60
    wrong = [
        f"{each.__name__}.{member}"
        for each in found
        for member in each
        if each.__module__.startswith("insureflow.domain") and not re.fullmatch(r"[A-Za-z0-9_.+-]+", member.value)
    ]
    assert wrong == []
    assert [each.__name__ for each in found if len({member.value.casefold() for member in each}) != len(each.__members__)] == []
