"""One sandbox for all contract tests, made new before each; and the connectors one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from support.insurers import Case
from support.sandbox import LISTING, RunningSandbox, running_sandbox

from insureflow.connectors.insurers.tokens import TOKENS


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    path: Path = tmp_path_factory.mktemp("sandbox") / "state.db"
    with running_sandbox(path, with_postman=True) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(running: RunningSandbox) -> Iterator[None]:
    """Insurers that know nothing yet, no token, and no pauses between repetitions."""
    running.control("reset")
    running.exchanges.clear()
    TOKENS.clear()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(params=LISTING)
def case(request: pytest.FixtureRequest, running: RunningSandbox) -> Case:
    """Each connector in turn."""
    return Case(request.param, running)
