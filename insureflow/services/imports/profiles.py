"""Named mappings of ledger files: those that ship with the product, and those an organisation saves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from insureflow.connectors.ledgers import (
    Profile,
    load_profile,
    profile_from_mapping,
    profile_to_mapping,
    shipped_profiles,
)
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.models.database import db
from insureflow.models.receivables import ImportProfile
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_LONGEST_NAME = 80
_LARGEST_FILE = 1024 * 1024


def list_profiles() -> list[tuple[int | None, Profile]]:
    """Every profile the organisation in scope can use, with its key where it is its own; own ones first."""
    own = [(row.id, profile_from_mapping(row.data)) for row in db.session.scalars(select(ImportProfile).order_by(ImportProfile.name))]
    return [*own, *((None, profile) for profile in shipped_profiles().values())]


def get_profile(name: str) -> Profile:
    """The profile of this name, of the organisation in scope or of the product. Errors: ``unknown_profile``."""
    row = db.session.scalar(select(ImportProfile).where(ImportProfile.name == name))
    if row is not None:
        return profile_from_mapping(row.data)
    shipped = shipped_profiles().get(name)
    if shipped is None:
        raise Refusal("unknown_profile", name=name, known=", ".join(profile.name for _key, profile in list_profiles()))
    return shipped


def read_profile(name_or_path: str) -> Profile:
    """The profile of this name, or the one in a YAML file. Errors: ``unknown_profile`` and those of ``load_profile``."""
    path = Path(name_or_path)
    if path.suffix.lower() in {".yaml", ".yml"} and path.is_file():
        if path.stat().st_size > _LARGEST_FILE:
            raise Refusal("file_too_large", size=path.stat().st_size, limit=_LARGEST_FILE)
        return load_profile(path.read_bytes(), file=path.name)
    return get_profile(name_or_path)


def fitting_profile(headings: Mapping[str, object] | tuple[str, ...]) -> str | None:
    """Name of the profile whose columns all stand among these headings; of several the one with most columns."""
    there = {" ".join(heading.split()).casefold() for heading in headings}
    best: tuple[int, str] | None = None
    for _key, profile in list_profiles():
        rules = [rule for rule in profile.columns.values() if rule.columns or rule.combine]
        if profile.layout != "table" or not rules:
            continue
        found = sum(
            any(" ".join(name.split()).casefold() in there for name in rule.columns)
            if rule.columns
            else all(" ".join(name.split()).casefold() in there for name in rule.combine)
            for rule in rules
        )
        if found == len(rules) and (best is None or found > best[0]):
            best = (found, profile.name)
    return None if best is None else best[1]


def save_profile(actor: Actor, organisation_id: int, name: str, profile: Profile) -> int:
    """Keep a mapping under a name, in the place of an own one of that name; gives its key.

    Errors: ``InvalidValue`` ``profile_name_missing``, ``profile_name_reserved`` (a profile of the product has it).
    """
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise InvalidValue("profile_name_missing", "profile.name", name, maximum=_LONGEST_NAME)
    if name in shipped_profiles():
        raise InvalidValue("profile_name_reserved", "profile.name", name)
    data = profile_to_mapping(replace(profile, name=name, title=name))
    with transaction(organisation_id) as session:
        row = session.scalar(select(ImportProfile).where(ImportProfile.name == name))
        if row is not None and row.data == data:
            return row.id
        before = None if row is None else row.data
        row = row or ImportProfile(name=name, data=data, created_at=now())
        row.data = data
        session.add(row)
        session.flush()
        journal.record(session, actor, "import_profile.saved", Subject("import_profile", row.id, name), before=before, after=data)
        return row.id


def delete_profile(actor: Actor, organisation_id: int, profile_id: int) -> None:
    """Remove a saved mapping; imports made with it keep their copy. Errors: ``import_profile_unknown``."""
    with transaction(organisation_id) as session:
        row = session.scalar(select(ImportProfile).where(ImportProfile.id == profile_id))
        if row is None:
            raise Refusal("import_profile_unknown", profile=profile_id)
        subject, data = Subject("import_profile", row.id, row.name), row.data
        session.delete(row)
        session.flush()
        journal.record(session, actor, "import_profile.deleted", subject, before=data)
