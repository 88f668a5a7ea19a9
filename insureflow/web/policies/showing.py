"""Looking at policies and presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.i18n.policies import Difference, Entry, Group, describe, describe_schedule, differences, label_of
from insureflow.queries import policies as queries
from insureflow.services import policies
from insureflow.services.policies import Preset, Source
from insureflow.web.access import may, requires
from insureflow.web.policies.routes import blueprint
from insureflow.web.tables import Empty, TableView, build_table, wanted_export


@dataclass(frozen=True, slots=True)
class Line:
    """A parameter as the page shows it: its words, where it comes from, and the source if a preset knows one."""

    entry: Entry
    origin: str
    source: Source | None
    confirm: str


@dataclass(frozen=True, slots=True)
class Part:
    """Parameters under one heading."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of terms in the timeline."""

    id: int
    effective_on: date
    note: str
    is_current: bool
    is_future: bool
    changes: tuple[Difference, ...]


def locale() -> str:
    """The reader's language."""
    return str(get_locale() or "en")


def _lines(group: Group, data: Mapping[str, Any], preset: Preset | None) -> tuple[Line, ...]:
    lines = []
    for entry in group.entries:
        origin = policies.origin_of(entry.path, data, preset.key if preset else None)
        source = preset.source_of(entry.path) or preset.source_of(f"{entry.path}.default") if preset else None
        confirm = preset.confirmation_of(entry.path) if preset and origin != "own" else None
        lines.append(Line(entry, origin.value, source if origin == "preset" else None, confirm.known if confirm else ""))
    return tuple(lines)


def parts_of(data: Mapping[str, Any], preset: Preset | None) -> list[Part]:
    """Terms in words, group by group, each parameter with its origin."""
    return [Part(group.label, _lines(group, data, preset)) for group in describe(data, locale())]


def missing_parameters(data: Mapping[str, Any], preset: Preset | None) -> list[tuple[str, str]]:
    """What a preset says must be confirmed and the terms do not have: label and what is known."""
    if preset is None:
        return []
    said = {entry.path for group in describe(data, locale()) for entry in group.entries}
    return [
        (label_of(each.parameter, locale()), each.known)
        for each in preset.to_confirm
        if not any(path == each.parameter or path.startswith((f"{each.parameter}.", f"{each.parameter}[")) for path in said)
    ]


def _empty() -> Empty:
    text = _("A policy holds the terms that decide what is covered and which deadlines run.")
    if may(Permission.EDIT_POLICIES):
        return Empty(_("No policy yet"), text, url_for("policies.choose_preset"), _("Add a policy"))
    return Empty(_("No policy yet"), text)


def _policy_row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"url": url_for("policies.show", policy_id=row["key"])}


@blueprint.get("/")
@requires(Permission.VIEW_POLICIES)
def index() -> ResponseReturnValue:
    """All policies."""
    view = TableView(
        queries.policies_listing(g.on),
        _("Policies"),
        {
            "number": _("Number"),
            "name": _("Name"),
            "insurer": _("Insurer"),
            "product": _("Product"),
            "since": _("Terms since"),
            "entities": _("Insured entities"),
            "open": _("Open"),
            "covered": _("Covered"),
            "priority": _("Priority"),
        },
        options={"insurer": lambda: [(name, name) for name in queries.list_insurers()]},
        decorate=_policy_row,
        empty=_empty,
    )
    return wanted_export(view, "policies") or render_template("policies/index.html", table=build_table(view))


@blueprint.get("/presets")
@requires(Permission.VIEW_POLICIES)
def presets() -> str:
    """What is publicly known of the terms of insurers."""
    return render_template("policies/presets.html", presets=policies.list_presets())


@blueprint.get("/presets/<key>")
@requires(Permission.VIEW_POLICIES)
def preset(key: str) -> str:
    """One preset with the source of each parameter and what the policy must confirm."""
    found = policies.find_preset(key)
    if found is None:
        abort(404)
    return render_template("policies/preset.html", preset=found, **preset_context(found))


def preset_context(found: Preset) -> dict[str, Any]:
    """The terms of a preset in words."""
    data = policies.prepare_terms(currency=found.currency or g.organisation.reporting_currency, preset=found)
    parts = [Part(part.label, tuple(line for line in part.lines if line.origin == "preset")) for part in parts_of(data, found)]
    return {
        "parts": [part for part in parts if part.lines],
        "schedule": describe_schedule(data, locale()),
        "confirm": [(label_of(each.parameter, locale()), each.known) for each in found.to_confirm],
    }


@blueprint.get("/<int:policy_id>")
@requires(Permission.VIEW_POLICIES)
def show(policy_id: int) -> str:
    """One policy: the terms in force, where they come from, their history, who is insured and what rests on it."""
    policy = queries.find_policy(policy_id)
    if policy is None:
        abort(404)
    versions = queries.list_versions(policy_id)
    current = queries.version_on(versions, g.on)
    data: dict[str, Any] = current.data if current else {}
    found = policies.find_preset(policy.preset)
    history = [
        Version(
            each.id,
            each.effective_on,
            each.note,
            current is not None and each.id == current.id,
            each.effective_on > g.on,
            differences(before.data, each.data, locale()) if before is not None else (),
        )
        for before, each in zip([None, *versions], versions, strict=False)
    ]
    return render_template(
        "policies/detail.html",
        policy=policy,
        current=current,
        preset=found,
        parts=parts_of(data, found),
        missing=missing_parameters(data, found),
        schedule=describe_schedule(data, locale()),
        versions=history[::-1],
        entities=queries.list_insured_entities(policy_id),
        usage=queries.usage_of(policy_id, g.on),
        starts_later=current is not None and current.effective_on > g.on,
    )


@blueprint.get("/<int:policy_id>/terms/<int:version_id>")
@requires(Permission.VIEW_POLICIES)
def version(policy_id: int, version_id: int) -> str:
    """One version of the terms, whole, in words and as text."""
    policy, found = queries.find_policy(policy_id), queries.find_version(version_id)
    if policy is None or found is None or found.policy_id != policy_id:
        abort(404)
    preset_found = policies.find_preset(policy.preset)
    return render_template(
        "policies/version.html",
        policy=policy,
        version=found,
        preset=preset_found,
        parts=parts_of(found.data, preset_found),
        schedule=describe_schedule(found.data, locale()),
        text=policies.write_terms_text(found.data),
        only=len(queries.list_versions(policy_id)) == 1,
    )
