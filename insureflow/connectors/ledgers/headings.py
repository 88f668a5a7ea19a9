"""Which columns of a file feed which field, by their headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insureflow.connectors.ledgers.detection import Certainty, Finding
from insureflow.connectors.ledgers.profile import FIELDS, ColumnRule, Profile
from insureflow.connectors.ledgers.tables import heading_key
from insureflow.domain.errors import InvalidValue, InvalidValues


@dataclass(frozen=True, slots=True)
class Mapped:
    """A field with the columns that feed it; none of them for a constant."""

    name: str
    rule: ColumnRule
    positions: tuple[int, ...]
    heading: str | None

    @property
    def type(self) -> str:
        """How the cells are understood."""
        return FIELDS[self.name]


def known_headings(profile: Profile) -> frozenset[str]:
    """The headings that a profile asks for, as they are compared."""
    names = [name for rule in profile.columns.values() for name in (*rule.columns, *rule.combine)]
    return frozenset(heading_key(name) for name in (*names, *profile.where))


def resolve(profile: Profile, headers: Sequence[str]) -> tuple[list[Mapped], dict[int, frozenset[str]], list[Finding]]:
    """The columns of a file that feed each field, the filter by column, and findings about optional columns that are missing.

    Errors: ``InvalidValues`` with ``column_missing`` for a needed field, ``heading_repeated`` for a heading that stands twice.
    """
    places: dict[str, list[int]] = {}
    for position, name in enumerate(headers):
        places.setdefault(heading_key(name), []).append(position)
    problems: list[InvalidValue] = []
    findings: list[Finding] = []
    mapped: list[Mapped] = []

    def place(name: str, path: str) -> int | None:
        found = places.get(heading_key(name), [])
        if len(found) > 1:
            problems.append(InvalidValue("heading_repeated", path, name, times=len(found)))
        return found[0] if found else None

    for name, rule in profile.columns.items():
        path = f"columns.{name}"
        if rule.constant is not None:
            mapped.append(Mapped(name, rule, (), None))
            continue
        if rule.combine:
            found = [place(each, path) for each in rule.combine]
            positions = tuple(each for each in found if each is not None)
            if len(positions) == len(rule.combine):
                mapped.append(Mapped(name, rule, positions, " + ".join(headers[each] for each in positions)))
                continue
        else:
            first = next((each for each in (place(heading, path) for heading in rule.columns) if each is not None), None)
            if first is not None:
                mapped.append(Mapped(name, rule, (first,), headers[first]))
                continue
        wanted = ", ".join(rule.columns or rule.combine)
        findings.append(Finding("column_missing", name, Certainty.CERTAIN, "heading_not_in_file", None, {"headings": wanted}))
    problems += _missing(profile, {each.name for each in mapped})
    where: dict[int, frozenset[str]] = {}
    for heading, values in profile.where.items():
        column = place(heading, f"where.{heading}")
        if column is None:
            problems.append(InvalidValue("column_missing", f"where.{heading}", heading))
        else:
            where[column] = frozenset(value.strip().casefold() for value in values)
    if problems:
        raise InvalidValues(tuple(problems))
    return mapped, where, findings


def _missing(profile: Profile, mapped: set[str]) -> list[InvalidValue]:
    """The needed fields for which the file has no column."""
    needed = [("number", {"number"}), ("customer_number", {"customer_number", "customer_name"}), ("document_on", {"document_on"})]
    if profile.currency is None:
        needed.append(("currency", {"currency"}))
    gross_known = mapped & {"gross", "open"} or {"net", "vat"} <= mapped
    problems = []
    for name, alternatives in needed:
        if not mapped & alternatives:
            headings = [heading for each in sorted(alternatives) if each in profile.columns for heading in profile.columns[each].columns]
            problems.append(InvalidValue("column_missing", f"columns.{name}", ", ".join(headings)))
    if not gross_known:
        headings = [
            heading for each in ("gross", "net", "vat", "open") if each in profile.columns for heading in profile.columns[each].columns
        ]
        problems.append(InvalidValue("column_missing", "columns.gross", ", ".join(headings)))
    return problems
