"""Who is asking: the organisation and person a key stands for, and what it may do."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from insureflow.domain.access import for_every_member

blueprint = Blueprint("api_organisations", __name__, description="Who is asking, and what the key allows.")


class CallerSchema(Schema):
    """The caller."""

    organisation = fields.String(metadata={"description": "Short name of the organisation."})
    email = fields.String()
    role = fields.String()
    permissions = fields.List(fields.String())


@blueprint.get("/me")
@for_every_member
@blueprint.response(200, CallerSchema)
def me() -> dict[str, Any]:
    """The organisation, person and permissions of this key."""
    permissions = sorted(permission.value for permission in g.permissions)
    return {"organisation": g.organisation.slug, "email": g.user.email, "role": g.role.value, "permissions": permissions}
