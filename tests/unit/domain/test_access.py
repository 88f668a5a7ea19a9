"""Who may do what."""

from __future__ import annotations

from insureflow.domain.access import CHANGING, MEMBER, PERMISSIONS, Permission, Role, for_every_member, is_allowed, requires


def test_every_role_has_a_line_and_nobody_without_a_role_may_do_anything() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert not any(is_allowed(None, permission) for permission in Permission)


def test_who_only_looks_changes_nothing() -> None:
    for role in (Role.MANAGEMENT, Role.AUDITOR, Role.SALES):
        assert not PERMISSIONS[role] & CHANGING
    assert PERMISSIONS[Role.SALES] == {Permission.ASK_SHIPMENT}


def test_a_face_carries_what_it_declares() -> None:
    def view() -> str:
        return "seen"

    assert requires(Permission.VIEW_LIMITS)(view) is view
    assert view.permission == Permission.VIEW_LIMITS  # type: ignore[attr-defined]  # the declaration is the attribute
    for_every_member(view)
    assert view.permission == MEMBER  # type: ignore[attr-defined]  # the declaration is the attribute
