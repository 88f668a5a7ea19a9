"""Running worked examples: each passes, fails with its differences, cannot be worked out, or is of a kind not built yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from insureflow.domain.cases.comparing import Difference, find_differences, plain_dates
from insureflow.domain.cases.kinds import BUILT, KINDS, Kind
from insureflow.domain.cases.shapes import ANYTHING, TEXT, Fields, One, Rows, find_problems
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SOURCE = re.compile(r"(published|constructed) \(.+\)", re.DOTALL)

_DOCUMENT = Fields(
    {
        "format": One("unknown_format", lambda value: value == 1 and not isinstance(value, bool)),
        "title": TEXT,
        "cases": Rows(ANYTHING, minimum=1),
    },
    ("format", "title", "cases"),
)

_CASE = Fields(
    {
        "id": One("not_an_identifier", lambda value: isinstance(value, str) and bool(_ID.fullmatch(value))),
        "title": TEXT,
        "kind": One("not_a_choice", lambda value: value in KINDS),
        "source": One("not_a_source", lambda value: isinstance(value, str) and bool(_SOURCE.fullmatch(value))),
        "note": One("not_a_text", lambda value: isinstance(value, str)),
        "given": One("not_a_map", lambda value: isinstance(value, Mapping)),
        "expect": One("not_a_map", lambda value: isinstance(value, Mapping)),
    },
    ("id", "title", "kind", "source", "given", "expect"),
)


class CaseStatus(StrEnum):
    """How a worked example came out."""

    PASS = "pass"  # noqa: S105  a result, not a password
    FAIL = "fail"
    ERROR = "error"
    NOT_BUILT = "not_built"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one worked example came out.

    ``got`` is everything calculated, in the shape of ``expected``; ``problem`` is why it could not be worked out, and
    ``message`` its code and parameters.
    """

    id: str
    kind: str
    status: CaseStatus
    expected: object
    got: object = None
    differences: tuple[Difference, ...] = ()
    message: str = ""
    problem: Refusal | None = None

    @property
    def passed(self) -> bool:
        """True if the case was worked out and nothing differs."""
        return self.status is CaseStatus.PASS


def run_case(case: Mapping[str, object]) -> CaseResult:
    """Works one case out and compares. Never raises for a case that is wrong: its result says so."""
    plain = plain_dates(case)
    problems = find_problems(plain, _CASE, "case")
    if not isinstance(plain, Mapping) or problems:
        return _error(plain, InvalidValues(tuple(problems)))
    name, given, expect = str(plain["kind"]), plain["given"], plain["expect"]
    kind = BUILT.get(name)
    if kind is None:
        return CaseResult(
            str(plain["id"]), name, CaseStatus.NOT_BUILT, expect, message="kind_not_built", problem=Refusal("kind_not_built", kind=name)
        )
    try:
        got = _calculate(kind, given, expect)
    except Refusal as problem:
        return _error(plain, problem)
    except Exception as failure:  # noqa: BLE001  one case that breaks the calculation must not hide the results of the others
        return _error(plain, Refusal("not_worked_out", failure=f"{type(failure).__name__}: {failure}"))
    differences = find_differences(expect, got)
    status = CaseStatus.FAIL if differences else CaseStatus.PASS
    return CaseResult(str(plain["id"]), name, status, expect, got, differences)


def run_document(data: object, seen: set[str] | None = None) -> list[CaseResult]:
    """Runs all cases of one file. Errors: ``InvalidValues`` for a file that is none of this format.

    ``seen`` holds the ids that have been used in this run; an id used again is an error of the later case.
    """
    problems = find_problems(data, _DOCUMENT, "file")
    if not isinstance(data, Mapping) or problems:
        raise InvalidValues(tuple(problems))
    used = set() if seen is None else seen
    results = []
    for case in data["cases"]:
        name = case.get("id") if isinstance(case, Mapping) else None
        if isinstance(name, str) and name in used:
            results.append(_error(case, InvalidValue("duplicate", "case.id", name)))
            continue
        if isinstance(name, str):
            used.add(name)
        results.append(run_case(case))
    return results


def run_documents(documents: Iterable[object]) -> list[CaseResult]:
    """Runs all cases of several files as one run: an id may occur only once in all of them."""
    seen: set[str] = set()
    return [result for document in documents for result in run_document(document, seen)]


def _calculate(kind: Kind, given: Mapping[str, object], expect: Mapping[str, object]) -> object:
    problems = find_problems(given, kind.given, "given") + find_problems(expect, kind.expect, "expect")
    if problems:
        raise InvalidValues(tuple(problems))
    return plain_dates(kind.calculate(given, expect))


def _error(case: object, problem: Refusal) -> CaseResult:
    fields = case if isinstance(case, Mapping) else {}
    name, kind = fields.get("id"), fields.get("kind")
    return CaseResult(
        name if isinstance(name, str) else "",
        kind if isinstance(kind, str) else "",
        CaseStatus.ERROR,
        fields.get("expect"),
        message=str(problem),
        problem=problem,
    )
