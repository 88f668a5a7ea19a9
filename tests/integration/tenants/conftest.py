"""Two organisations that differ in their marks and amounts alone, in one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from support.twins import Twin, make_twin, missing_marks

OWN, OTHER = "AAAMARK", "BBBMARK"


@pytest.fixture
def frozen() -> Iterator[None]:
    """The clock stands, so that a page fetched twice is the same unless what it shows has changed."""
    with time_machine.travel(datetime(2026, 11, 20, 9, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def make_own(app: Flask) -> Callable[[], Twin]:
    """Makes the organisation one works in."""

    def make() -> Twin:
        twin = make_twin(app, OWN, seed=3_131_317)
        assert missing_marks(app, twin) == []
        return twin

    return make


@pytest.fixture
def make_other(app: Flask) -> Callable[[Twin], Twin]:
    """Makes the organisation beside it, whose keys are nobody else's."""

    def make(own: Twin) -> Twin:
        other = make_twin(app, OTHER, seed=8_686_867)
        assert missing_marks(app, other) == []
        shared = {name for name, keys in other.keys.items() if set(keys) & set(own.keys[name])}
        assert shared == set(), "one table, one sequence of keys"
        return other

    return make


@pytest.fixture
def twins(frozen: None, keeping: Callable[..., Any], make_own: Callable[[], Twin], make_other: Callable[[Twin], Twin]) -> tuple[Twin, Twin]:
    """The organisation one works in and the other, in the state in which they were made."""

    def make() -> tuple[Twin, Twin]:
        own = make_own()
        return own, make_other(own)

    own, other = keeping("twins", make)
    return own, other


@pytest.fixture
def own(twins: tuple[Twin, Twin]) -> Twin:
    """The organisation one works in."""
    return twins[0]


@pytest.fixture
def other(twins: tuple[Twin, Twin]) -> Twin:
    """The organisation of which one may learn nothing."""
    return twins[1]
