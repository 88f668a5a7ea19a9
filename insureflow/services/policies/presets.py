"""Presets: what is publicly known of insurers' terms, one file per insurer and product, with the source of every parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.policies import parse_terms, terms_to_data
from insureflow.services.policies.writing import read_terms_text

_FIELDS = frozenset({"key", "insurer", "product", "title", "countries", "currency", "terms", "sources", "to_confirm"})
_SOURCES_FILE = "sources.yaml"
_REFERENCE = re.compile(r"\bS[0-9]+[a-z]?\b")


class Confidence(StrEnum):
    """How sure a fact is."""

    PUBLISHED = "published"
    GENERAL_KNOWLEDGE = "general_knowledge"


class Origin(StrEnum):
    """Where a parameter of a policy comes from."""

    PRESET = "preset"
    OWN = "own"
    STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Source:
    """Why a preset has a parameter: the fact, and where it was published (name of the source and address)."""

    parameter: str
    fact: str
    confidence: Confidence
    published: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """A parameter that only the policy itself can tell, and what is known of it."""

    parameter: str
    known: str


@dataclass(frozen=True, slots=True)
class Preset:
    """Terms to begin with. ``terms`` are in the form that ``parse_terms`` reads, without the policy's currencies."""

    key: str
    insurer: str
    product: str
    title: str
    countries: tuple[str, ...]
    currency: str | None
    terms: Mapping[str, Any]
    sources: tuple[Source, ...]
    to_confirm: tuple[ToConfirm, ...]

    def source_of(self, parameter: str) -> Source | None:
        """The source that stands for a parameter: its own, or that of the clause it belongs to."""
        fitting = [source for source in self.sources if belongs_to(parameter, source.parameter)]
        return max(fitting, key=lambda source: len(source.parameter), default=None)

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        """Every source that the preset rests on or speaks of, with its address, in their order of numbering."""
        named = {name for source in self.sources for name, _address in source.published}
        named |= {name for each in self.to_confirm for name in _REFERENCE.findall(each.known)}
        return tuple((name, _addresses()[name]) for name in sorted(named, key=_numbering))

    def confirmation_of(self, parameter: str) -> ToConfirm | None:
        """What is to be confirmed about a parameter, if anything is."""
        return next((each for each in self.to_confirm if belongs_to(parameter, each.parameter)), None)


def _numbering(name: str) -> tuple[int, str]:
    return int(re.sub(r"\D", "", name)), name


def belongs_to(parameter: str, clause: str) -> bool:
    """True for a parameter that is the clause or stands inside it."""
    return parameter == clause or parameter.startswith((f"{clause}.", f"{clause}["))


def leaves_of(data: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of some terms with its dotted path."""
    if isinstance(data, Mapping):
        for name, inner in data.items():
            yield from leaves_of(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(data, list | tuple) and any(isinstance(entry, Mapping) for entry in data):
        for position, entry in enumerate(data):
            yield from leaves_of(entry, f"{path}[{position}]")
    else:
        yield path, data


def _folder() -> Any:
    return files("insureflow.services.policies") / "presets"


@cache
def _addresses() -> Mapping[str, str]:
    return MappingProxyType({str(name): str(address) for name, address in _read(_SOURCES_FILE).items()})


def _read(name: str) -> dict[str, Any]:
    return read_terms_text((_folder() / name).read_text(encoding="utf-8"), path=name)


def load_preset(name: str, data: Mapping[str, Any]) -> Preset:
    """A preset from the data of its file, checked: terms that can be used, a source for every parameter, nothing left over.

    Errors: ``InvalidValues``.
    """
    problems = [InvalidValue("unknown_field", f"{name}.{field}") for field in data if field not in _FIELDS]
    problems += [InvalidValue("required", f"{name}.{field}") for field in _FIELDS - {"currency"} if field not in data]
    if problems:
        raise InvalidValues(tuple(problems))
    preset = Preset(
        key=data["key"],
        insurer=data["insurer"],
        product=data["product"],
        title=data["title"],
        countries=tuple(data["countries"]),
        currency=data.get("currency"),
        terms=data["terms"],
        sources=tuple(
            Source(
                parameter,
                source["fact"],
                Confidence(source["confidence"]),
                tuple((identity, _addresses()[identity]) for identity in source["from"]),
            )
            for parameter, source in data["sources"].items()
        ),
        to_confirm=tuple(ToConfirm(each["parameter"], each["known"]) for each in data["to_confirm"]),
    )
    parse_terms({**preset.terms, "currency": preset.currency or "EUR"}, path=name)
    unknown = [each.parameter for each in preset.to_confirm if not set(_REFERENCE.findall(each.known)) <= set(_addresses())]
    missing = [parameter for parameter, _value in leaves_of(preset.terms) if preset.source_of(parameter) is None]
    unfounded = [each.parameter for each in preset.sources if each.confidence is Confidence.PUBLISHED and not each.published]
    if missing or unfounded or unknown:
        raise InvalidValues(tuple(InvalidValue("required", f"{name}.sources.{parameter}") for parameter in missing + unfounded + unknown))
    return preset


@cache
def _all() -> Mapping[str, Preset]:
    names = sorted(entry.name for entry in _folder().iterdir() if entry.name.endswith(".yaml") and entry.name != _SOURCES_FILE)
    presets = [load_preset(name, _read(name)) for name in names]
    return MappingProxyType({preset.key: preset for preset in sorted(presets, key=lambda each: (each.insurer.casefold(), each.title))})


def list_presets() -> tuple[Preset, ...]:
    """All presets, by insurer and title."""
    return tuple(_all().values())


def find_preset(key: str | None) -> Preset | None:
    """The preset with this key, or None."""
    return None if key is None else _all().get(key)


def get_preset(key: str) -> Preset:
    """The preset with this key. Errors: ``Refusal`` ``preset_unknown``."""
    preset = find_preset(key)
    if preset is None:
        raise Refusal("preset_unknown", preset=key)
    return preset


@cache
def _canonical_leaves(key: str | None, currency: str) -> Mapping[str, object]:
    """The values of a preset in the canonical form of terms; of empty terms without a key."""
    preset = find_preset(key)
    terms = {} if preset is None else preset.terms
    return MappingProxyType(dict(leaves_of(terms_to_data(parse_terms({**terms, "currency": currency})))))


#: Optional clauses with nothing but what they cannot be without: everything else in their canonical form is a default.
_BARE_CLAUSES: dict[str, Any] = {
    "currency": "EUR",
    "premium": {"basis": "fixed"},
    "discretionary_limit": {"maximum": "0", "methods": [{"method": "credit_report", "maximum_age": {"months": 0}}]},
    "layers": {"top_up": {}},
}


@cache
def _defaults_of_clauses() -> Mapping[str, object]:
    """The defaults inside clauses that a policy need not have."""
    written = {path for path, _value in leaves_of(_BARE_CLAUSES)}
    return MappingProxyType({path: value for path, value in leaves_of(terms_to_data(parse_terms(_BARE_CLAUSES))) if path not in written})


def origin_of(parameter: str, data: Mapping[str, object], preset_key: str | None) -> Origin:
    """Where the parameter of a policy comes from, seen from its canonical terms.

    It is the preset's where the values are those of the preset and the preset gives a source; the product's where they are
    what holds without any entry; otherwise it was entered for the policy.
    """
    currency = str(data.get("currency") or "EUR")
    leaves = {path: value for path, value in leaves_of(data) if belongs_to(path, parameter)}

    def agrees(key: str | None) -> bool:
        return leaves == {path: value for path, value in _canonical_leaves(key, currency).items() if belongs_to(path, parameter)}

    preset = find_preset(preset_key)
    if preset is not None and any(belongs_to(path, parameter) for path, _value in leaves_of(preset.terms)) and agrees(preset.key):
        return Origin.PRESET
    if agrees(None) or leaves == {path: value for path, value in _defaults_of_clauses().items() if belongs_to(path, parameter)}:
        return Origin.STANDARD
    return Origin.OWN
