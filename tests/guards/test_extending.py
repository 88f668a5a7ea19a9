"""The connector in ``docs/extending.md`` is whole: what a new one is copied from has every member that is asked of one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

from insureflow.connectors.insurers.interface import InsurerConnector
from insureflow.connectors.insurers.registry import CONNECTORS

ROOT = Path(__file__).resolve().parents[2]


def test_the_connector_of_the_documentation_is_whole() -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "extending.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    module = ModuleType("acme_credit")
    sys.modules[module.__name__] = module
    try:
        exec(compile(found[1], "docs/extending.md", "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    members = set(InsurerConnector.__annotations__) | {name for name, value in vars(InsurerConnector).items() if callable(value)}
    asked = {name for name in members if not name.startswith("_")}
    for connector in (module.AcmeCredit(), *CONNECTORS.values()):
        assert [name for name in sorted(asked) if not hasattr(connector, name)] == [], connector.key
