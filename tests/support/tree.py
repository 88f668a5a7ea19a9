"""The repository as the guards see it: its files, its modules and their syntax trees."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "insureflow"


def modules(*floors: str) -> list[Path]:
    """The Python modules of the product, or of some floors of it (``"domain"``, ``"web"``; ``""`` is the top level)."""
    folders = [PACKAGE / floor for floor in floors] if floors else [PACKAGE]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def product_files() -> list[Path]:
    """Every module that runs in an installation: the package and the three at the top."""
    return [*modules(), *(ROOT / name for name in ("config.py", "wsgi.py") if (ROOT / name).exists())]


@functools.cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, node: ast.AST | None = None) -> str:
    """Where something stands, for a message: ``insureflow/domain/cover.py:12``."""
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return f"{path.relative_to(ROOT)}{line}"


@functools.cache
def names_of(path: Path) -> tuple[tuple[ast.AST, str], ...]:
    """Every imported name and every dotted use in a module, as ``names_in`` finds them."""
    return tuple(names_in(syntax(path)))


def names_in(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every imported name and every dotted use in a tree, with imports resolved: ``datetime.datetime.now``, ``os.environ``."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node, f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = _dotted(node)
            if dotted is not None:
                head, separator, rest = dotted.partition(".")
                yield node, f"{known.get(head, head)}{separator}{rest}"


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return None if inner is None else f"{inner}.{node.attr}"
    return None
