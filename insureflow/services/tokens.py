"""Keys that let other systems in on behalf of a person: shown once, kept as a hash, narrowed by scopes, ended at any time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update

from insureflow.domain.access import PERMISSIONS, Permission, Role
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.models.database import db
from insureflow.models.organisations import Membership, Organisation, User
from insureflow.models.tokens import ApiToken
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

PREFIX = "ifk_"
_SECRET_BYTES = 32
_HINT_LENGTH = len(PREFIX) + 4
_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who comes in by a key: the person, the organisation, and what both the role and the key allow."""

    user: User
    organisation: Organisation
    role: Role
    permissions: frozenset[Permission]


def _digest(secret: str) -> str:
    """A key is long and random, so a fast hash keeps it as safe as a slow one."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _membership(organisation_id: int, user_id: int) -> Membership | None:
    return db.session.scalar(select(Membership).where(Membership.organisation_id == organisation_id, Membership.user_id == user_id))


def add_token(
    actor: Actor,
    organisation_id: int,
    user_id: int,
    name: str,
    *,
    scopes: Collection[Permission] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new key of a member and its secret, which nobody can read again. Without scopes it may do what its owner may.

    Errors: ``InvalidValue`` ``name_empty``, ``expires_in_past`` or ``scope_beyond_role``; ``Refusal`` ``token_owner_unknown``.
    """
    if not name.strip():
        raise InvalidValue("name_empty", "token.name", name)
    if expires_at is not None and expires_at <= now():
        raise InvalidValue("expires_in_past", "token.expires_at", expires_at.date())
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    with transaction(organisation_id) as session:
        membership = _membership(organisation_id, user_id)
        if membership is None:
            raise Refusal("token_owner_unknown", member=str(user_id))
        beyond = sorted(scope.value for scope in scopes if scope not in PERMISSIONS[membership.role])
        if beyond:
            raise InvalidValue("scope_beyond_role", "token.scopes", ", ".join(beyond), role=membership.role)
        token = ApiToken(
            organisation_id=organisation_id,
            user_id=user_id,
            name=name.strip()[:120],
            hint=secret[:_HINT_LENGTH],
            sha256=_digest(secret),
            scopes=sorted(scope.value for scope in scopes),
            created_at=now(),
            expires_at=expires_at,
        )
        session.add(token)
        session.flush()
        after = {"name": token.name, "scopes": token.scopes, "expires_at": expires_at}
        journal.record(session, actor, "token.added", Subject("token", token.id, f"{token.name} ({token.hint}…)"), after=after)
    return token, secret


def list_tokens(organisation_id: int, user_id: int | None = None) -> list[tuple[ApiToken, User]]:
    """The keys of an organisation, or of one of its members, newest first, with their owners."""
    statement = select(ApiToken, User).join(User, User.id == ApiToken.user_id).where(ApiToken.organisation_id == organisation_id)
    if user_id is not None:
        statement = statement.where(ApiToken.user_id == user_id)
    return [(token, user) for token, user in db.session.execute(statement.order_by(ApiToken.id.desc()))]


def revoke_token(actor: Actor, organisation_id: int, token_id: int, *, user_id: int | None = None) -> None:
    """End a key at once; with ``user_id`` only one of that person's. Errors: ``Refusal`` ``token_unknown``."""
    with transaction(organisation_id) as session:
        token = session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.organisation_id == organisation_id))
        if token is None or (user_id is not None and token.user_id != user_id):
            raise Refusal("token_unknown", token=str(token_id))
        if token.revoked_at is None:
            token.revoked_at = now()
            subject = Subject("token", token.id, f"{token.name} ({token.hint}…)")
            journal.record(session, actor, "token.revoked", subject, after={"revoked_at": token.revoked_at})


def find_bearer(secret: str, at: datetime) -> Bearer | None:
    """Who comes in by this key at an instant; None where it is none, has ended, or its owner may not come in any more."""
    if not secret.startswith(PREFIX):
        return None
    found = db.session.execute(
        select(ApiToken, User, Organisation)
        .join(User, User.id == ApiToken.user_id)
        .join(Organisation, Organisation.id == ApiToken.organisation_id)
        .where(ApiToken.sha256 == _digest(secret), ApiToken.revoked_at.is_(None))
        .where(or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > at))
    ).one_or_none()
    if found is None:
        return None
    token, user, organisation = found
    membership = _membership(organisation.id, user.id)
    if membership is None or not user.active:
        return None
    granted = PERMISSIONS[membership.role]
    if token.scopes:
        granted &= {Permission(scope) for scope in token.scopes}
    _note_use(token, at)
    return Bearer(user, organisation, membership.role, granted)


def _note_use(token: ApiToken, at: datetime) -> None:
    """Notes the use of a key, at most once a minute, so that reading stays reading."""
    if token.last_used_at is not None and at - token.last_used_at < _NOTE_USE_EVERY:
        return
    with transaction() as session:
        session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=at.astimezone(UTC)))
