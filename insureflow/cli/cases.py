"""``insureflow cases run``: worked examples from files, worked out and compared."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import click
import yaml
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import LOCALE, format_option, print_json, progress_bar, refusals_as_errors
from insureflow.domain.cases import CaseResult, CaseStatus, run_document
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.i18n.words import sentence_for, word

group = AppGroup("cases", help="Worked examples of the rules.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


class _CaseLoader(yaml.SafeLoader):
    """Plain data only; a key that stands twice in one map is refused, where YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A map of which every key is known to stand once."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in seen:
                    raise Refusal("duplicate_key", key=str(key), line=key_node.start_mark.line + 1)
                seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_document(path: Path) -> object:
    """The content of a file of worked examples. Errors: ``not_readable``, ``not_yaml``, ``duplicate_key``."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal("not_readable", file=path.name, reason=str(error)) from None
    try:
        data: object = yaml.load(text, Loader=_CaseLoader)  # noqa: S506 (a safe loader, made stricter)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 0 if mark is None else mark.line + 1
        raise Refusal("not_yaml", file=path.name, line=line, reason=str(getattr(error, "problem", error))) from None
    return data


@group.command("run")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@format_option
@refusals_as_errors
def run(files: tuple[Path, ...], output: str) -> None:
    """Work out the examples in the FILES and compare them with what they expect."""
    results: list[CaseResult] = []
    problems: list[tuple[Path, Refusal]] = []
    seen: set[str] = set()
    with progress_bar("Working out examples") as report:
        for number, path in enumerate(files, start=1):
            try:
                results += run_document(read_document(path), seen)
            except Refusal as refusal:
                problems.append((path, refusal))
            report(number, len(files))
    if output == "json":
        print_json([_as_data(result) for result in results] + [_file_problem(path, refusal) for path, refusal in problems])
    else:
        _print(results, problems)
    if problems or not all(result.passed for result in results):
        sys.exit(1)


def _said(refusal: Refusal) -> str:
    if isinstance(refusal, InvalidValues):
        return "; ".join(sentence_for(problem, LOCALE) for problem in refusal.problems)
    return sentence_for(refusal, LOCALE)


def _as_data(result: CaseResult) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": result.id,
        "kind": result.kind,
        "passed": result.passed,
        "status": result.status.value,
        "expected": result.expected,
        "got": result.got,
    }
    if result.differences:
        data["differences"] = [{"path": each.path, "expected": each.expected, "got": each.calculated} for each in result.differences]
    if result.problem is not None:
        data["problem"] = _said(result.problem)
    return data


def _file_problem(path: Path, refusal: Refusal) -> dict[str, Any]:
    return {
        "id": None,
        "kind": None,
        "passed": False,
        "status": "error",
        "file": path.name,
        "expected": None,
        "got": None,
        "problem": _said(refusal),
    }


def _print(results: list[CaseResult], problems: list[tuple[Path, Refusal]]) -> None:
    for result in results:
        if result.passed:
            continue
        click.echo(f"{word(result.status, LOCALE)}  {result.id}  ({result.kind})")
        for each in result.differences:
            click.echo(f"    {each.path}: expected {each.expected}, got {each.calculated}")
        if result.problem is not None:
            click.echo(f"    {_said(result.problem)}")
    for path, refusal in problems:
        click.echo(f"{path.name}: {_said(refusal)}", err=True)
    counts = {status: sum(1 for result in results if result.status is status) for status in CaseStatus}
    click.echo(", ".join(f"{count} {word(status, LOCALE)}" for status, count in counts.items() if count or status is CaseStatus.PASS))
