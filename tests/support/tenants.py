"""Organisations for the tests, with an entity and a log-in for every role, made through the services as in the product."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

from flask import Flask, has_app_context
from flask.testing import FlaskClient

from insureflow.domain.access import Role
from insureflow.services import organisations
from insureflow.services.journal import Actor

PASSWORD = "twelve grey herons"
TESTER = Actor(None, "test")


@dataclass(frozen=True, slots=True)
class Login:
    """A person who can log in."""

    user_id: int
    email: str
    name: str
    token: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation, its entities by code, and one log-in per role."""

    id: int
    slug: str
    entities: Mapping[str, int]
    logins: Mapping[Role, Login]

    @property
    def entity_id(self) -> int:
        """Key of the first entity."""
        return next(iter(self.entities.values()))

    def actor(self, role: Role = Role.ADMINISTRATOR) -> Actor:
        """The person of a role, as the services know who acts."""
        return Actor(self.logins[role].user_id, self.logins[role].email)


def make_tenant(
    app: Flask,
    name: str = "Nordic Pumps",
    *,
    currency: str = "EUR",
    entities: Mapping[str, tuple[str, str]] | None = None,
    roles: tuple[Role, ...] = tuple(Role),
) -> Tenant:
    """An organisation with entities (code: country and currency) and a log-in for each role."""
    with nullcontext() if has_app_context() else app.app_context():
        organisation = organisations.add_organisation(TESTER, name, reporting_currency=currency)
        made = {
            code: organisations.add_entity(
                TESTER, organisation.id, code=code, name=f"{name} {code}", country=country, currency=entity_currency
            ).id
            for code, (country, entity_currency) in (entities or {"SE01": ("SE", "SEK")}).items()
        }
        logins = {}
        for role in roles:
            user = organisations.add_user(
                TESTER,
                organisation.id,
                email=f"{role.value}@{organisation.slug}.example",
                name=role.value.replace("_", " ").title(),
                role=role,
                password=PASSWORD,
            )
            logins[role] = Login(user.id, user.email, user.name, user.fs_uniquifier)
        return Tenant(organisation.id, organisation.slug, made, logins)


def log_in(client: FlaskClient, tenant: Tenant, role: Role = Role.ADMINISTRATOR) -> Login:
    """Makes the client somebody, without the log-in page; its next request is that person's."""
    login = tenant.logins[role]
    with client.session_transaction() as cookie:
        cookie.clear()
        cookie["_user_id"] = login.token
        cookie["_fresh"] = True
        cookie["organisation_id"] = tenant.id
    return login


def demo_tenant(app: Flask) -> Tenant:
    """The demo organisation that is loaded in this application's database."""
    from sqlalchemy import select

    from insureflow.models.database import db
    from insureflow.models.organisations import Entity, User
    from insureflow.services.demo import DEMO_SLUG, DEMO_USERS
    from insureflow.services.scoping import within

    with app.app_context():
        organisation = organisations.get_organisation(DEMO_SLUG)
        with within(organisation.id):
            entities = {entity.code: entity.id for entity in db.session.scalars(select(Entity).order_by(Entity.id))}
        logins = {}
        for email, name, role in DEMO_USERS:
            user = db.session.scalars(select(User).where(User.email == email)).one()
            logins[role] = Login(user.id, email, name, user.fs_uniquifier)
        return Tenant(organisation.id, organisation.slug, entities, logins)
