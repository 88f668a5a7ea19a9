"""A sandbox insurer that speaks like CofaServe: log-in with a lock after five failures, and company search by identifier.

Log-in, headers and search are the documented ones; the names inside a company and the code of the German register are this sandbox's own.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from insureflow.domain.countries import ALPHA_2_BY_ALPHA_3
from insureflow.sandbox.state import State

INSURER = "cofaserve"
TOKEN_SECONDS = 3600
FAILURES_ALLOWED = 5
LONGEST_LOCK_SECONDS = 900
_TYPES = {"VAT_DEU": "VAT", "RUC_ECU": "RUC"}


class _Refused(Exception):
    """An answer that says what is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def make_blueprint(state: State) -> Blueprint:
    """The interface under ``/cofaserve``."""
    blueprint = Blueprint("cofaserve", __name__, url_prefix="/cofaserve")
    blueprint.register_error_handler(_Refused, lambda error: (jsonify({"message": error.message}), error.status))

    @blueprint.before_request
    def check() -> None:
        if not request.headers.get("x-api-key") or not request.headers.get("X-COF-Policy-Number"):
            raise _Refused(403, "Forbidden")
        if request.path != "/cofaserve/authentication/v1/token" and not state.is_live(INSURER, request.headers.get("Authorization", "")):
            raise _Refused(401, "Unauthorized")

    @blueprint.post("/authentication/v1/token")
    def token() -> Response:
        body: Any = request.get_json(silent=True)
        if not isinstance(body, dict) or body.get("grantType", body.get("grant_type")) != "password":
            raise _Refused(400, "Invalid grant")
        lock = state.setting("cofaserve.lock", {"failures": 0, "until": 0})
        if lock["until"] > state.now():
            raise _Refused(423, "The account is locked")
        if any(not body.get(name) or str(body[name]).startswith("wrong") for name in ("username", "password")):
            failures = lock["failures"] + 1
            beyond = failures - FAILURES_ALLOWED
            pause = min(2**beyond, LONGEST_LOCK_SECONDS) if beyond >= 0 else 0
            state.set_setting("cofaserve.lock", {"failures": failures, "until": state.now() + pause})
            raise _Refused(401, "Invalid user name or password")
        state.set_setting("cofaserve.lock", {"failures": 0, "until": 0})
        value = state.issue_token(INSURER, TOKEN_SECONDS)
        return jsonify({"idToken": value, "accessToken": "", "refreshToken": "", "expiresIn": TOKEN_SECONDS, "tokenType": "Bearer"})

    @blueprint.get("/company/v1/companies/identifier")
    def identify() -> Response:
        country = ALPHA_2_BY_ALPHA_3.get(request.args.get("countryCode", ""), "")
        scheme = _TYPES.get(request.args.get("identifierType", ""), "")
        value = request.args.get("identifierValue", "")
        if not country or not scheme or not value:
            raise _Refused(400, "Invalid identifier")
        found = state.company_of(INSURER, country, scheme, value)
        companies = [] if found is None else [{"easyNumber": found.company_id, "companyName": found.name, "city": found.city}]
        return jsonify({"companies": companies, "count": len(companies)})

    return blueprint
