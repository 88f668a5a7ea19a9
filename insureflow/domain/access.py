"""Who may do what: one table of roles and permissions."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Role(StrEnum):
    """What a person is in one organisation."""

    ADMINISTRATOR = "administrator"
    CREDIT_MANAGER = "credit_manager"
    CREDIT_ANALYST = "credit_analyst"
    RECEIVABLES_CLERK = "receivables_clerk"
    CLAIMS_HANDLER = "claims_handler"
    MANAGEMENT = "management"
    SALES = "sales"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One kind of thing a person may be allowed to do."""

    VIEW_EXPOSURE = "view_exposure"
    VIEW_BUYERS = "view_buyers"
    EDIT_BUYERS = "edit_buyers"
    VIEW_POLICIES = "view_policies"
    EDIT_POLICIES = "edit_policies"
    VIEW_LIMITS = "view_limits"
    EDIT_LIMITS = "edit_limits"
    REMOVE_LIMITS = "remove_limits"
    REQUEST_LIMITS = "request_limits"
    APPROVE_LIMITS = "approve_limits"
    VIEW_CONNECTIONS = "view_connections"
    MANAGE_CONNECTIONS = "manage_connections"
    VIEW_RECEIVABLES = "view_receivables"
    EDIT_RECEIVABLES = "edit_receivables"
    IMPORT_RECEIVABLES = "import_receivables"
    VIEW_OBLIGATIONS = "view_obligations"
    EDIT_OBLIGATIONS = "edit_obligations"
    APPROVE_NOTICES = "approve_notices"
    APPROVE_DECLARATIONS = "approve_declarations"
    SEND_LETTERS = "send_letters"
    LIFT_BLOCKS = "lift_blocks"
    VIEW_CLAIMS = "view_claims"
    VIEW_JOURNAL = "view_journal"
    VIEW_SETTINGS = "view_settings"
    MANAGE_ORGANISATION = "manage_organisation"
    EXPORT = "export"
    ASK_SHIPMENT = "ask_shipment"


_VIEW = frozenset(
    {
        Permission.VIEW_EXPOSURE,
        Permission.VIEW_BUYERS,
        Permission.VIEW_POLICIES,
        Permission.VIEW_LIMITS,
        Permission.VIEW_RECEIVABLES,
        Permission.VIEW_OBLIGATIONS,
        Permission.VIEW_CLAIMS,
        Permission.EXPORT,
        Permission.ASK_SHIPMENT,
    }
)

#: Role × permission. A role that is not named for a permission does not have it.
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.CREDIT_MANAGER: _VIEW
    | {
        Permission.EDIT_BUYERS,
        Permission.EDIT_POLICIES,
        Permission.EDIT_LIMITS,
        Permission.REMOVE_LIMITS,
        Permission.REQUEST_LIMITS,
        Permission.APPROVE_LIMITS,
        Permission.VIEW_CONNECTIONS,
        Permission.MANAGE_CONNECTIONS,
        Permission.EDIT_RECEIVABLES,
        Permission.IMPORT_RECEIVABLES,
        Permission.EDIT_OBLIGATIONS,
        Permission.APPROVE_NOTICES,
        Permission.APPROVE_DECLARATIONS,
        Permission.SEND_LETTERS,
        Permission.LIFT_BLOCKS,
        Permission.VIEW_JOURNAL,
        Permission.VIEW_SETTINGS,
    },
    Role.CREDIT_ANALYST: _VIEW
    | {
        Permission.EDIT_BUYERS,
        Permission.EDIT_LIMITS,
        Permission.REQUEST_LIMITS,
        Permission.VIEW_CONNECTIONS,
        Permission.EDIT_OBLIGATIONS,
    },
    Role.RECEIVABLES_CLERK: _VIEW
    | {Permission.EDIT_RECEIVABLES, Permission.IMPORT_RECEIVABLES, Permission.EDIT_OBLIGATIONS, Permission.SEND_LETTERS},
    Role.CLAIMS_HANDLER: _VIEW | {Permission.EDIT_OBLIGATIONS, Permission.APPROVE_NOTICES},
    Role.MANAGEMENT: (_VIEW - {Permission.ASK_SHIPMENT}) | {Permission.VIEW_CONNECTIONS},
    Role.SALES: frozenset({Permission.ASK_SHIPMENT}),
    Role.AUDITOR: (_VIEW - {Permission.ASK_SHIPMENT}) | {Permission.VIEW_CONNECTIONS, Permission.VIEW_JOURNAL, Permission.VIEW_SETTINGS},
}

#: Permissions that change something; an auditor or a manager has none of them.
CHANGING = frozenset(
    {
        Permission.EDIT_BUYERS,
        Permission.EDIT_POLICIES,
        Permission.EDIT_LIMITS,
        Permission.REMOVE_LIMITS,
        Permission.REQUEST_LIMITS,
        Permission.APPROVE_LIMITS,
        Permission.MANAGE_CONNECTIONS,
        Permission.EDIT_RECEIVABLES,
        Permission.IMPORT_RECEIVABLES,
        Permission.EDIT_OBLIGATIONS,
        Permission.APPROVE_NOTICES,
        Permission.APPROVE_DECLARATIONS,
        Permission.SEND_LETTERS,
        Permission.LIFT_BLOCKS,
        Permission.MANAGE_ORGANISATION,
    }
)


def is_allowed(role: Role | None, permission: Permission) -> bool:
    """True if a person with this role may do this; nobody may do anything without a role."""
    return role is not None and permission in PERMISSIONS[role]


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare the permission that a face of the product needs; its entrance checks the mark before the face runs."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]  # the declaration is the attribute
        return view

    return mark


#: What a face declares that is for everybody who works in the organisation.
MEMBER = "member"


def for_every_member(view: View) -> View:
    """Declare a face open to everybody who works in the organisation: log-out, own settings, choice of scope."""
    view.permission = MEMBER  # type: ignore[attr-defined]  # the declaration is the attribute
    return view
