"""House rules that a reader of the source would check by eye, checked by a program instead."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from support.tree import PACKAGE, ROOT, modules, names_of, place, product_files, syntax

MOST_LINES = 450
#: The settings are one flat table with its readers, in the one module that may read the environment.
TOO_LONG_ON_PURPOSE = frozenset({"config.py"})
#: Written before tests had a bound; it is divided with its next change.
LONG_TESTS = frozenset({"tests/unit/domain/limits/test_shipping.py"})
HOMELESS_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"})
CLOCK = PACKAGE / "services" / "clock.py"
CLOCK_READS = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "time.strftime",
    }
)
COMMITTERS = ("services",)


def uses(path: Path, forbidden: frozenset[str]) -> list[str]:
    """Where a module uses one of the forbidden names."""
    return [f"{place(path, node)} {name}" for node, name in names_of(path) if name in forbidden]


def test_the_guards_see_the_product() -> None:
    assert len(modules("domain")) > 3
    assert (ROOT / "config.py") in product_files()


def test_only_the_configuration_reads_the_environment() -> None:
    readers = frozenset({"os.environ", "os.getenv", "os.putenv", "os.environb", "os.getenvb"})
    assert uses(ROOT / "config.py", readers), "the guard no longer sees what it should"
    assert [found for path in product_files() if path != ROOT / "config.py" for found in uses(path, readers)] == []


def test_only_one_module_reads_the_clock() -> None:
    assert uses(CLOCK, CLOCK_READS), "the guard no longer sees what it should"
    assert [found for path in product_files() if path != CLOCK for found in uses(path, CLOCK_READS)] == []


def test_rules_and_queries_take_the_date_as_an_argument() -> None:
    clock = frozenset({"insureflow.services.clock", "insureflow.services.clock.now", "insureflow.services.clock.business_date"})
    floors = [floor for floor in ("domain", "i18n", "models", "connectors", "documents", "queries") if (PACKAGE / floor).exists()]
    assert [found for path in modules(*floors) for found in uses(path, clock)] == []


def test_no_float_comes_near_the_rules() -> None:
    found = []
    for path in modules("domain"):
        for node in ast.walk(syntax(path)):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
            named = isinstance(node, ast.Name) and node.id == "float" and not _only_checks_type(path, node)
            if literal or named:
                found.append(place(path, node))
    assert found == []


def test_no_float_is_calculated_with_where_amounts_are() -> None:
    """A share or a rate is a Decimal; a float literal may only stand for a pause in seconds."""
    floors = [floor for floor in ("services", "models", "queries") if (PACKAGE / floor).exists()]
    found = []
    for path in modules(*floors):
        for node in ast.walk(syntax(path)):
            operands = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value] if isinstance(node, ast.AugAssign) else []
            found += [
                place(path, operand) for operand in operands if isinstance(operand, ast.Constant) and isinstance(operand.value, float)
            ]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                found.append(place(path, node))
    assert found == []


def _only_checks_type(path: Path, name: ast.Name) -> bool:
    """Whether ``float`` stands inside ``isinstance(value, float)``: refusing floats needs their name."""
    return any(
        isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "isinstance" and name in list(ast.walk(call))
        for call in ast.walk(syntax(path))
    )


def test_every_module_name_is_a_noun_of_the_trade() -> None:
    assert [place(path) for path in product_files() if {path.stem, path.parent.name} & HOMELESS_NAMES] == []


def test_no_module_is_too_long() -> None:
    counted = _lines_of(product_files())
    assert {name: count for name, count in counted.items() if count > MOST_LINES and name not in TOO_LONG_ON_PURPOSE} == {}
    assert set(counted) >= TOO_LONG_ON_PURPOSE


def test_no_module_of_tests_is_too_long() -> None:
    counted = _lines_of(sorted((ROOT / "tests").rglob("*.py")))
    assert len(counted) > 200
    assert {name: count for name, count in counted.items() if count > MOST_LINES and name not in LONG_TESTS} == {}


def _lines_of(paths: list[Path]) -> dict[str, int]:
    return {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}


def test_the_package_itself_imports_nothing() -> None:
    assert [node for node in ast.walk(syntax(PACKAGE / "__init__.py")) if isinstance(node, ast.Import | ast.ImportFrom)] == []


@pytest.mark.parametrize("path", modules("domain"), ids=place)
def test_every_public_name_of_a_rule_is_explained(path: Path) -> None:
    tree = syntax(path)
    missing = [] if ast.get_docstring(tree) else [place(path)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                missing.append(f"{place(path, node)} {node.name}")
            if isinstance(node, ast.ClassDef):
                missing += [
                    f"{place(path, method)} {node.name}.{method.name}"
                    for method in node.body
                    if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and not ast.get_docstring(method)
                ]
    assert missing == []


def test_only_services_commit() -> None:
    """The end of a transaction belongs to the use case; a face or a query that ends one breaks somebody else's."""
    found = []
    for path in modules():
        if path.relative_to(PACKAGE).parts[0] in COMMITTERS:
            continue
        found += [
            place(path, node)
            for node in ast.walk(syntax(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"commit", "rollback"}
        ]
    assert found == []


def test_rows_that_others_refer_to_are_locked_so_that_others_may_refer_to_them() -> None:
    """Whoever adds a row looks at the organisation, buyer, policy or group it names; a full lock on these would make them wait."""
    full_lock = re.compile(r"select\((?:Organisation|Entity|Buyer|Policy|LimitGroup)\b[^\n]*with_for_update\(\)")
    assert full_lock.search("session.scalar(select(Buyer.id).where(Buyer.id == key).with_for_update())")
    found = [place(path) for path in product_files() if full_lock.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_queries_never_write() -> None:
    writers = {"add", "add_all", "delete", "flush", "merge", "bulk_save_objects", "bulk_insert_mappings", "insert", "update"}
    if not (PACKAGE / "queries").exists():
        pytest.fail("the read side is missing")
    found = []
    for path in modules("queries"):
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call):
                dotted = ast.unparse(node.func)
                if (
                    re.fullmatch(r"(db\.)?session\.\w+|(sqlalchemy\.|sa\.)?(insert|update|delete)", dotted)
                    and dotted.rpartition(".")[2] in writers
                ):
                    found.append(f"{place(path, node)} {dotted}")
    assert found == []


def test_no_exception_is_swallowed() -> None:
    found = [
        place(path, node)
        for path in product_files()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or all(isinstance(line, ast.Pass) for line in node.body))
    ]
    assert found == []


def test_nothing_is_left_to_be_done() -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "HA" + "CK"]) + r")\b")
    files = [*product_files(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")]
    assert [f"{place(path)}: {match.group()}" for path in files for match in marks.finditer(path.read_text(encoding="utf-8"))] == []


def test_every_exception_to_a_tool_gives_its_reason() -> None:
    """``# noqa`` and ``# type: ignore`` name a code, and say why."""
    bare = re.compile(r"#\s*noqa(?!:\s*[A-Z]+\d+)|#\s*type:\s*ignore(?!\[[\w, -]+\])")
    unexplained = re.compile(r"#\s*(?:noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w, -]+\])\s*$")
    found = []
    for path in product_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if bare.search(line) or unexplained.search(line):
                found.append(f"{place(path)}:{number}")
    assert found == []
