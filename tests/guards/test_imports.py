"""Who may import whom: the contracts of the house, and what each inner floor may take from outside."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.tree import PACKAGE, ROOT, modules, place, syntax

#: Beside the standard library and the product itself, an inner floor may use these and nothing else.
ALLOWED: dict[str, frozenset[str]] = {
    "domain": frozenset(),
    "i18n": frozenset({"babel", "yaml"}),  # the glossary is kept as data
}
#: The floors below a floor that lives on the standard library: what it may import of the product.
OWN: dict[str, tuple[str, ...]] = {"domain": ("insureflow.domain",), "i18n": ("insureflow.i18n", "insureflow.domain")}


def test_the_contracts_hold() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("floor", sorted(ALLOWED))
def test_an_inner_floor_takes_little_from_outside(floor: str) -> None:
    found = []
    for path in modules(floor):
        for node in ast.walk(syntax(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if not node.level else [f"relative import {node.module}"]
            for name in names:
                top = name.partition(".")[0]
                own = any(name == prefix or name.startswith(f"{prefix}.") for prefix in OWN[floor])
                if not (own or top in sys.stdlib_module_names or top in ALLOWED[floor]):
                    found.append(f"{place(path, node)} {name}")
    assert found == []


def test_rules_do_no_input_or_output() -> None:
    """The standard library also reads files, networks and clocks; rules use none of that."""
    outside = {
        "os",
        "io",
        "pathlib",
        "socket",
        "subprocess",
        "urllib",
        "http",
        "shutil",
        "tempfile",
        "sqlite3",
        "logging",
        "random",
        "time",
        "threading",
    }
    found = []
    for path in modules("domain"):
        for node in ast.walk(syntax(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{place(path, node)} {name}" for name in names if name.partition(".")[0] in outside]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"}:
                found.append(f"{place(path, node)} {node.func.id}()")
    assert found == []


def test_every_floor_is_a_package_with_a_docstring() -> None:
    missing = [
        place(path)
        for folder in sorted(PACKAGE.iterdir())
        if folder.is_dir() and any(folder.rglob("*.py"))
        for path in [folder / "__init__.py"]
        if not path.exists() or not ast.get_docstring(syntax(path))
    ]
    assert missing == []
