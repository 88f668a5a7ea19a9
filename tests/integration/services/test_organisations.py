"""People of an organisation: another role, out of it, and the administrator who must stay."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from support.tenants import Tenant, make_tenant

from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.organisations import User
from insureflow.queries.organisations import list_members
from insureflow.services import organisations
from insureflow.services.scoping import within

ADMINISTRATOR = "administrator@nordic-pumps.example"
CLERK = "receivables_clerk@nordic-pumps.example"


@pytest.fixture
def tenant(app: Flask) -> Tenant:
    return make_tenant(app, roles=(Role.ADMINISTRATOR, Role.RECEIVABLES_CLERK))


def roles(tenant: Tenant) -> dict[str, Role]:
    db.session.expire_all()
    with within(tenant.id):
        return {user.email: membership.role for user, membership in list_members()}


def refusal_of(call: object, *arguments: object, **options: object) -> str:
    with pytest.raises(Refusal) as refusal:
        call(*arguments, **options)  # type: ignore[operator]  # a service
    return refusal.value.code


def test_a_role_is_changed_with_one_entry_of_the_journal(app: Flask, tenant: Tenant) -> None:
    with app.app_context():
        organisations.change_role(tenant.actor(), tenant.id, email=f" {CLERK.upper()} ", role=Role.AUDITOR)
        assert roles(tenant)[CLERK] is Role.AUDITOR
        with within(tenant.id):
            entry = db.session.scalars(select(JournalEntry).order_by(JournalEntry.sequence.desc())).first()
            assert entry is not None
            assert (entry.action, entry.subject, entry.before, entry.after) == (
                "member.role_changed",
                CLERK,
                {"role": "receivables_clerk"},
                {"role": "auditor"},
            )
        same = refusal_of(organisations.change_role, tenant.actor(), tenant.id, email=CLERK, role=Role.AUDITOR)
        assert same == "role_unchanged"


def test_a_person_is_removed_and_keeps_the_log_in(app: Flask, tenant: Tenant) -> None:
    other = make_tenant(app, "Elsewhere", roles=(Role.ADMINISTRATOR,))
    with app.app_context():
        organisations.add_user(tenant.actor(), other.id, email=CLERK, name="", role=Role.SALES)
        organisations.remove_member(tenant.actor(), tenant.id, email=CLERK)
        assert roles(tenant) == {ADMINISTRATOR: Role.ADMINISTRATOR}
        assert roles(other)[CLERK] is Role.SALES
        assert db.session.scalar(select(User.active).where(User.email == CLERK)) is True
        with within(tenant.id):
            actions = db.session.scalars(select(JournalEntry.action)).all()
        assert actions.count("member.removed") == 1
        assert refusal_of(organisations.remove_member, tenant.actor(), tenant.id, email=CLERK) == "member_unknown"
        # somebody of another organisation is nobody here
        unknown = refusal_of(organisations.change_role, tenant.actor(), tenant.id, email="administrator@elsewhere.example", role=Role.SALES)
        assert unknown == "member_unknown"


def test_the_last_administrator_stays(app: Flask, tenant: Tenant) -> None:
    with app.app_context():
        for refused in (
            refusal_of(organisations.remove_member, tenant.actor(), tenant.id, email=ADMINISTRATOR),
            refusal_of(organisations.change_role, tenant.actor(), tenant.id, email=ADMINISTRATOR, role=Role.AUDITOR),
        ):
            assert refused == "last_administrator"
        assert roles(tenant)[ADMINISTRATOR] is Role.ADMINISTRATOR
        organisations.change_role(tenant.actor(), tenant.id, email=CLERK, role=Role.ADMINISTRATOR)
        # an administrator who cannot log in can manage nothing
        db.session.scalars(select(User).where(User.email == CLERK)).one().active = False
        db.session.commit()
        assert refusal_of(organisations.remove_member, tenant.actor(), tenant.id, email=ADMINISTRATOR) == "last_administrator"
        db.session.scalars(select(User).where(User.email == CLERK)).one().active = True
        db.session.commit()
        organisations.remove_member(tenant.actor(), tenant.id, email=ADMINISTRATOR)
        assert roles(tenant) == {CLERK: Role.ADMINISTRATOR}
