"""Organisations, their entities and the people who work in them."""

from __future__ import annotations

import re
import uuid
import zoneinfo

from flask_security.utils import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.access import Role
from insureflow.domain.countries import COUNTRIES
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.models.database import db
from insureflow.models.organisations import Entity, Membership, Organisation, User
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

MINIMUM_PASSWORD_LENGTH = 12


def slug_of(name: str) -> str:
    """A short name for addresses and commands: lower case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:80]


def get_organisation(reference: str | int) -> Organisation:
    """The organisation with this key or short name. Errors: ``Refusal`` ``organisation_unknown``."""
    statement = select(Organisation)
    statement = (
        statement.where(Organisation.id == reference) if isinstance(reference, int) else statement.where(Organisation.slug == reference)
    )
    organisation = db.session.scalar(statement)
    if organisation is None:
        raise Refusal("organisation_unknown", organisation=str(reference))
    return organisation


def get_entity(session: Session, code: str) -> Entity:
    """The entity with this code in the current scope. Errors: ``Refusal`` ``entity_unknown``."""
    entity = session.scalar(select(Entity).where(Entity.code == code))
    if entity is None:
        raise Refusal("entity_unknown", entity=code)
    return entity


def _require(problems: list[InvalidValue]) -> None:
    if problems:
        raise InvalidValues(tuple(problems))


def add_organisation(
    actor: Actor, name: str, *, reporting_currency: str, slug: str | None = None, locale: str = "en", time_zone: str = "UTC"
) -> Organisation:
    """Add a tenant. Errors: ``InvalidValues`` for unusable values, ``Refusal`` ``organisation_exists``."""
    problems: list[InvalidValue] = []
    chosen = slug_of(slug or name)
    if not chosen:
        problems.append(InvalidValue("name_empty", "organisation.name", name))
    if reporting_currency not in CURRENCIES:
        problems.append(InvalidValue("currency_unknown", "organisation.reporting_currency", reporting_currency))
    if time_zone not in zoneinfo.available_timezones():
        problems.append(InvalidValue("time_zone_unknown", "organisation.time_zone", time_zone))
    _require(problems)
    with transaction() as session:
        if session.scalar(select(Organisation.id).where(Organisation.slug == chosen)) is not None:
            raise Refusal("organisation_exists", organisation=chosen)
        organisation = Organisation(
            name=name.strip(), slug=chosen, reporting_currency=reporting_currency, locale=locale, time_zone=time_zone, created_at=now()
        )
        session.add(organisation)
        session.flush()
        with transaction(organisation.id):
            journal.record(
                session,
                actor,
                "organisation.added",
                Subject("organisation", organisation.id, organisation.name),
                after={"name": organisation.name, "reporting_currency": reporting_currency, "time_zone": time_zone},
            )
    return organisation


def add_entity(actor: Actor, organisation_id: int, *, code: str, name: str, country: str, currency: str) -> Entity:
    """Add a legal entity that sells. Errors: ``InvalidValues``, ``Refusal`` ``entity_exists``."""
    problems: list[InvalidValue] = []
    if not code.strip():
        problems.append(InvalidValue("code_empty", "entity.code", code))
    if not name.strip():
        problems.append(InvalidValue("name_empty", "entity.name", name))
    if country not in COUNTRIES:
        problems.append(InvalidValue("country_unknown", "entity.country", country))
    if currency not in CURRENCIES:
        problems.append(InvalidValue("currency_unknown", "entity.currency", currency))
    _require(problems)
    with transaction(organisation_id) as session:
        if session.scalar(select(Entity.id).where(Entity.code == code.strip())) is not None:
            raise Refusal("entity_exists", entity=code)
        entity = Entity(code=code.strip(), name=name.strip(), country=country, currency=currency, created_at=now())
        session.add(entity)
        session.flush()
        journal.record(
            session,
            actor,
            "entity.added",
            Subject("entity", entity.id, entity.name),
            after={"code": entity.code, "name": entity.name, "country": country, "currency": currency},
        )
    return entity


def add_user(
    actor: Actor, organisation_id: int, *, email: str, name: str, role: Role, password: str | None = None, locale: str | None = None
) -> User:
    """Give a person a role in an organisation, with a new log-in where there is none.

    An existing log-in keeps its password. Errors: ``InvalidValue`` ``email_unusable`` or ``password_too_short``,
    ``Refusal`` ``member_exists`` or ``password_needed``.
    """
    address = email.strip().casefold()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or len(address) > 255:
        raise InvalidValue("email_unusable", "user.email", email)
    with transaction(organisation_id) as session:
        user = session.scalar(select(User).where(User.email == address))
        if user is None:
            if password is None:
                raise Refusal("password_needed", email=address)
            if len(password) < MINIMUM_PASSWORD_LENGTH:
                raise InvalidValue("password_too_short", "user.password", minimum=MINIMUM_PASSWORD_LENGTH)
            user = User(
                email=address,
                name=name.strip(),
                locale=locale,
                active=True,
                password=hash_password(password),
                fs_uniquifier=uuid.uuid4().hex,
            )
            session.add(user)
            session.flush()
        membership = session.scalar(select(Membership).where(Membership.user_id == user.id, Membership.organisation_id == organisation_id))
        if membership is not None:
            raise Refusal("member_exists", email=address)
        session.add(Membership(organisation_id=organisation_id, user_id=user.id, role=role))
        journal.record(
            session, actor, "member.added", Subject("member", user.id, address), after={"email": address, "name": user.name, "role": role}
        )
    return user


def _get_membership(session: Session, organisation_id: int, email: str) -> tuple[User, Membership]:
    """A person's log-in and role in an organisation. Errors: ``Refusal`` ``member_unknown``."""
    found = session.execute(
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == organisation_id, User.email == email.strip().casefold())
    ).first()
    if found is None:
        raise Refusal("member_unknown", email=email)
    return found[0], found[1]


def _require_other_administrator(session: Session, organisation_id: int, user: User) -> None:
    """Refuse to leave an organisation without anybody who can manage it.

    The administrators' rows are locked first, so that two of them cannot take the role from each other at the same time.
    Errors: ``Refusal`` ``last_administrator``.
    """
    administrators = session.execute(
        select(Membership.user_id, User.active)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organisation_id == organisation_id, Membership.role == Role.ADMINISTRATOR)
        .order_by(Membership.id)
        .with_for_update(of=Membership)
    ).all()
    if not any(active and user_id != user.id for user_id, active in administrators):
        raise Refusal("last_administrator", email=user.email)


def change_role(actor: Actor, organisation_id: int, *, email: str, role: Role) -> User:
    """Give a person of the organisation another role.

    Errors: ``Refusal`` ``member_unknown``, ``role_unchanged``, ``last_administrator``.
    """
    with transaction(organisation_id) as session:
        user, membership = _get_membership(session, organisation_id, email)
        before = membership.role
        if before is role:
            raise Refusal("role_unchanged", email=user.email)
        if before is Role.ADMINISTRATOR:
            _require_other_administrator(session, organisation_id, user)
        membership.role = role
        journal.record(
            session, actor, "member.role_changed", Subject("member", user.id, user.email), before={"role": before}, after={"role": role}
        )
    return user


def remove_member(actor: Actor, organisation_id: int, *, email: str) -> User:
    """End a person's work in the organisation. The log-in stays, for other organisations and for what the journal says of it.

    Errors: ``Refusal`` ``member_unknown``, ``last_administrator``.
    """
    with transaction(organisation_id) as session:
        user, membership = _get_membership(session, organisation_id, email)
        if membership.role is Role.ADMINISTRATOR:
            _require_other_administrator(session, organisation_id, user)
        before = {"email": user.email, "name": user.name, "role": membership.role}
        session.delete(membership)
        journal.record(session, actor, "member.removed", Subject("member", user.id, user.email), before=before)
    return user


def memberships_of(user_id: int) -> list[Membership]:
    """The organisations a person works in, by name."""
    statement = select(Membership).where(Membership.user_id == user_id).join(Membership.organisation).order_by(Organisation.name)
    return list(db.session.scalars(statement))
