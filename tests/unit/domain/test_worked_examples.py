"""Every worked example that is there comes out as written: the product's own, and the shared set when it lies beside the repository."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from insureflow.domain.cases import BUILT, run_case, run_documents

ROOT = Path(__file__).resolve().parents[3]
OWN = sorted((ROOT / "tests" / "cases").glob("*.yaml"))
SHARED_FOLDER = Path(os.environ.get("INSUREFLOW_SHARED", ROOT.parent / "shared")) / "cases"
SHARED = sorted(SHARED_FOLDER.glob("*.yaml"))


def read(path: Path) -> dict[str, Any]:
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    assert isinstance(document, dict)
    return document


def cases_of(paths: list[Path]) -> list[Any]:
    """The cases of the kinds that are built, one test each."""
    return [pytest.param(case, id=case["id"]) for path in paths for case in read(path)["cases"] if case["kind"] in BUILT]


def check(case: dict[str, Any]) -> None:
    result = run_case(case)
    assert result.message == ""
    assert result.differences == ()
    assert result.passed


@pytest.mark.parametrize("case", cases_of(OWN))
def test_own_example(case: dict[str, Any]):
    check(case)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED, reason="the shared worked examples do not lie beside the repository")
@pytest.mark.parametrize("case", cases_of(SHARED))
def test_shared_example(case: dict[str, Any]):
    check(case)


def test_there_are_own_examples_of_every_kind_that_is_built():
    kinds = {case["kind"] for path in OWN for case in read(path)["cases"]}
    assert kinds == set(BUILT)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED, reason="the shared worked examples do not lie beside the repository")
def test_a_run_over_all_files_uses_every_id_once_and_leaves_no_case_out():
    documents = [read(path) for path in OWN + SHARED]
    results = run_documents(documents)
    assert len(results) == sum(len(document["cases"]) for document in documents)
    assert {result.status for result in results if result.kind in BUILT} == {"pass"}
    assert {result.status for result in results if result.kind not in BUILT} <= {"not_built"}
