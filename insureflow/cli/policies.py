"""``insureflow policy`` and ``insureflow preset``: contracts with insurers, and the terms to begin with."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    Day,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    refusals_as_errors,
)
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.i18n import formats
from insureflow.i18n.policies import describe, describe_schedule, label_of
from insureflow.i18n.words import word
from insureflow.queries import policies as policy_queries
from insureflow.queries.organisations import find_entity, list_entities, list_policies
from insureflow.services import policies

group = AppGroup("policy", help="The policies of an organisation.")
terms_group = AppGroup("terms", help="The dated terms of a policy.")
group.add_command(terms_group)
presets = AppGroup("preset", help="Terms of insurers that are publicly known, to begin a policy with.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)
    app.cli.add_command(presets)


def _read_file(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidValue("terms_not_readable", str(path), line=1, problem=f"not UTF-8 at byte {error.start}") from None
    return policies.read_terms_text(text, path=path.name)


@group.command("add")
@organisation_option
@click.option("--number", required=True, help="The number the insurer gave the policy.")
@click.option("--name", help="What you call it (default: insurer and number).")
@click.option("--preset", metavar="KEY", help="Terms to begin with; see “insureflow preset list”.")
@click.option(
    "--terms",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file with the terms, instead of those of the preset.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="PATH=VALUE",
    help="One parameter, such as maximum_extension_period.days=60. May be given several times.",
)
@click.option("--insurer", help="The insurer (default: the preset's).")
@click.option("--product", help="The product (default: the preset's).")
@click.option("--currency", metavar="CODE", help="Policy currency (default: the preset's).")
@click.option("--limit-currency", metavar="CODE", help="Currency of its credit limits (default: the policy currency).")
@click.option(
    "--entity", "-e", "entities", multiple=True, metavar="CODE", help="An insured entity. May be given several times (default: all)."
)
@click.option("--from", "effective_on", type=Day(), help="The day from which the terms hold (default: today).")
@click.option("--priority", type=int, default=100, show_default=True, help="The lower comes first where two policies could insure a sale.")
@format_option
@refusals_as_errors
def add(
    organisation: str,
    number: str,
    name: str | None,
    preset: str | None,
    terms: Path | None,
    assignments: tuple[str, ...],
    insurer: str | None,
    product: str | None,
    currency: str | None,
    limit_currency: str | None,
    entities: tuple[str, ...],
    effective_on: date | None,
    priority: int,
    output: str,
) -> None:
    """Add a policy with terms from a preset, from a file, or from a preset with single parameters replaced."""
    chosen = policies.get_preset(preset) if preset else None
    own = _read_file(terms) if terms else None
    overrides = dict(policies.read_override(assignment) for assignment in assignments)
    unit = currency or str((own or {}).get("currency") or "") or (chosen.currency if chosen else None)
    with inside(organisation) as place:
        policy = policies.add_policy(
            COMMAND_LINE,
            place.organisation_id,
            number=number,
            name=name or " ".join(filter(None, [insurer or (chosen.insurer if chosen else ""), number])),
            insurer=insurer,
            product=product,
            preset=preset,
            terms=own,
            overrides=overrides,
            currency=unit or place.organisation.reporting_currency,
            limit_currency=limit_currency or (str(own["limit_currency"]) if own and "limit_currency" in own else None),
            entities=entities or [entity.code for entity in list_entities()],
            effective_on=effective_on or place.today,
            priority=priority,
            on=place.today,
        )
        facts = {
            "number": policy.number,
            "name": policy.name,
            "insurer": policy.insurer,
            "currency": policy.currency,
            "preset": policy.preset,
        }
    open_parameters = (
        [each.parameter for each in chosen.to_confirm if each.parameter not in _clauses(overrides)] if chosen and not own else []
    )
    if output == "json":
        print_json({**facts, "to_confirm": open_parameters})
        return
    click.echo(f"Added the policy {facts['number']} of {facts['insurer']} in {facts['currency']}.")
    if open_parameters:
        click.echo("Check these against the policy document, and set them with new terms:")
        for parameter in open_parameters:
            click.echo(f"  {parameter}: {label_of(parameter, LOCALE)}")


def _clauses(overrides: dict[str, object]) -> set[str]:
    """Every clause that an override speaks of."""
    names = set()
    for path in overrides:
        parts = path.split(".")
        names |= {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return names | {f"{name}.default" for name in names}


@group.command("list")
@organisation_option
@format_option
@refusals_as_errors
def list_all(organisation: str, output: str) -> None:
    """List the policies."""
    with inside(organisation):
        rows = [
            {
                "number": each.number,
                "name": each.name,
                "insurer": each.insurer,
                "product": each.product,
                "currency": each.currency,
                "limit_currency": each.limit_currency,
                "preset": each.preset,
                "priority": each.priority,
            }
            for each in list_policies()
        ]
    names = {
        "number": "Number",
        "name": "Name",
        "insurer": "Insurer",
        "product": "Product",
        "currency": "Currency",
        "limit_currency": "Limits in",
        "preset": "Preset",
        "priority": "Priority",
    }
    print_rows(output, names, rows, nothing="There is no policy yet. Add one with “insureflow policy add”.")


@group.command("show")
@click.argument("number")
@organisation_option
@on_option
@format_option
@refusals_as_errors
def show(number: str, organisation: str, on: date | None, output: str) -> None:
    """Show the policy NUMBER: its terms on a day in words, its insured entities and the history of its terms."""
    with inside(organisation) as place:
        policy = policy_queries.get_policy(number)
        day = place.day(on)
        versions = policy_queries.list_versions(policy.id)
        current = policy_queries.version_on(versions, day)
        data = current.data if current else {}
        facts: dict[str, Any] = {
            "number": policy.number,
            "name": policy.name,
            "insurer": policy.insurer,
            "product": policy.product,
            "preset": policy.preset,
            "on": day,
            "entities": [entity.code for entity in policy_queries.list_insured_entities(policy.id)],
            "versions": [{"effective_on": each.effective_on, "note": each.note} for each in versions],
            "terms": data,
        }
        usage = policy_queries.usage_of(policy.id, day)
        facts["invoices"], facts["limit_decisions"] = usage.invoices, usage.limit_decisions
    if output == "json":
        print_json(facts)
        return
    click.echo(f"{facts['number']} · {facts['name']} · {facts['insurer']} {facts['product']}".rstrip())
    click.echo(f"Insured entities: {', '.join(facts['entities'])}")
    click.echo("Terms from: " + ", ".join(formats.day(each["effective_on"], LOCALE) for each in facts["versions"]))
    click.echo(f"As of {formats.day(day, LOCALE)}:")
    _print_terms(data, facts["preset"])


def _print_terms(data: dict[str, Any], preset: str | None) -> None:
    for each in describe(data, LOCALE):
        click.echo(f"\n{each.label}")
        for entry in each.entries:
            origin = policies.origin_of(entry.path, data, preset)
            click.echo(f"  {entry.label}: {entry.value} [{word(f'Origin.{origin}', LOCALE)}]")
    for country, entries in describe_schedule(data, LOCALE):
        click.echo(f"\n{formats.country(country, LOCALE)}")
        for entry in entries:
            click.echo(f"  {entry.label}: {entry.value}")


policy_option = click.option("--policy", "-p", "number", required=True, metavar="NUMBER", help="The number of the policy.")


@terms_group.command("add")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@organisation_option
@policy_option
@click.option("--effective-on", required=True, type=Day(), help="The day from which the terms hold; earlier days keep theirs.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="PATH=VALUE",
    help="One parameter, such as maximum_extension_period.days=60. May be given several times.",
)
@click.option("--note", default="", help="Why the terms change, such as the number of the endorsement.")
@format_option
@refusals_as_errors
def add_terms(
    file: Path | None, organisation: str, number: str, effective_on: date, assignments: tuple[str, ...], note: str, output: str
) -> None:
    """Set new terms of a policy from a day on: those of the YAML FILE, or the terms of that day with single parameters replaced."""
    if file is None and not assignments:
        raise click.UsageError("Give a FILE with the terms, or single parameters with --set.")
    terms = _read_file(file) if file else None
    overrides = dict(policies.read_override(assignment) for assignment in assignments)
    with inside(organisation) as place:
        policy = policy_queries.get_policy(number)
        version = policies.add_terms_version(
            COMMAND_LINE,
            place.organisation_id,
            policy.id,
            effective_on=effective_on,
            on=place.today,
            terms=terms,
            overrides=overrides,
            note=note,
        )
        facts = {"number": policy.number, "effective_on": version.effective_on, "note": version.note}
    if output == "json":
        print_json(facts)
    else:
        click.echo(f"The policy {facts['number']} has new terms from {formats.day(effective_on, LOCALE)}.")


@terms_group.command("list")
@organisation_option
@policy_option
@format_option
@refusals_as_errors
def list_terms(organisation: str, number: str, output: str) -> None:
    """List the versions of a policy's terms, the oldest first."""
    with inside(organisation):
        policy = policy_queries.get_policy(number)
        rows = [{"effective_on": each.effective_on, "note": each.note} for each in policy_queries.list_versions(policy.id)]
    print_rows(output, {"effective_on": "From", "note": "Note"}, rows, nothing="The policy has no terms yet.")


@group.command("insure")
@click.argument("entity")
@organisation_option
@policy_option
@click.option("--remove", is_flag=True, help="Insure the entity no more, instead.")
@format_option
@refusals_as_errors
def insure(entity: str, organisation: str, number: str, remove: bool, output: str) -> None:
    """Insure the sales of the entity with the code ENTITY under a policy that exists; cover is worked out anew."""
    with inside(organisation) as place:
        policy = policy_queries.get_policy(number)
        if find_entity(entity) is None:
            raise Refusal("entity_unknown", entity=entity)
        codes = {each.code for each in policy_queries.list_insured_entities(policy.id)}
        wanted = codes - {entity} if remove else codes | {entity}
        policies.set_insured_entities(COMMAND_LINE, place.organisation_id, policy.id, entities=sorted(wanted), on=place.today)
        facts = {"number": policy.number, "entities": [each.code for each in policy_queries.list_insured_entities(policy.id)]}
    if output == "json":
        print_json(facts)
    else:
        click.echo(f"The policy {facts['number']} insures {', '.join(facts['entities'])}.")


@presets.command("list")
@format_option
@refusals_as_errors
def list_presets(output: str) -> None:
    """List the presets."""
    rows = [
        {"key": each.key, "insurer": each.insurer, "product": each.product, "title": each.title, "countries": list(each.countries)}
        for each in policies.list_presets()
    ]
    names = {"key": "Key", "insurer": "Insurer", "product": "Product", "title": "Title", "countries": "Used in"}
    print_rows(output, names, rows, nothing="There are no presets.")


@presets.command("show")
@click.argument("key")
@format_option
@refusals_as_errors
def show_preset(key: str, output: str) -> None:
    """Show the preset KEY: its terms, where each comes from, and what the policy document must confirm."""
    preset = policies.get_preset(key)
    sources = [
        {
            "parameter": source.parameter,
            "fact": source.fact,
            "confidence": source.confidence,
            "published": [{"source": name, "address": address} for name, address in source.published],
        }
        for source in preset.sources
    ]
    confirm = [{"parameter": each.parameter, "known": each.known} for each in preset.to_confirm]
    if output == "json":
        facts = {"key": key, "insurer": preset.insurer, "product": preset.product, "title": preset.title, "countries": preset.countries}
        print_json({**facts, "currency": preset.currency, "terms": preset.terms, "sources": sources, "to_confirm": confirm})
        return
    click.echo(f"{preset.title} ({preset.insurer}, {preset.product})\n")
    click.echo(policies.write_terms_text(preset.terms))
    click.echo("Where this comes from:")
    for source in preset.sources:
        published = ", ".join(f"{name} {address}" for name, address in source.published) or word(f"Confidence.{source.confidence}", LOCALE)
        click.echo(f"  {source.parameter}: {source.fact} [{published}]")
    click.echo("\nThe policy document must confirm:")
    for each in preset.to_confirm:
        click.echo(f"  {each.parameter}: {each.known}")
