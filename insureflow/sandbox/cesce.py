"""A sandbox insurer that speaks like CESCE: OAuth with the password grant, one list of classifications, movements of two days in pages.

Addresses, the password grant and the keys are the documented ones; the other names of fields are this sandbox's own.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import from_minor, to_minor
from insureflow.sandbox import book
from insureflow.sandbox.faults import halved
from insureflow.sandbox.state import Cover, State

INSURER = "cesce"
TOKEN_SECONDS = 3600
MOVEMENTS_PER_PAGE = 100

_IN_STUDY, _CANCELLED = 1, 5
_STATUS = {
    "full": 2,
    "partial": 3,
    "refused": 4,
    "unchanged": 4,
    "withdrawn": 5,
    "reduced": 6,
    "conditional": 7,
    "preliminary": 8,
    "notice": 2,
}
_ADDRESSES = {
    "classifications": "/classifications/v1/contracts/<contract>/classifications",
    "movements": "/portfolio-movements/v1/contracts/<contract>/movements",
    "sales": "/sales/v1/contracts/<contract>",
    "collections": "/collections/v1/contracts/<contract>/collections",
    "claims": "/claims/v1/contracts/<contract>",
}


class _Refused(Exception):
    """An answer that says what is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def make_blueprint(state: State) -> Blueprint:
    """The interface under ``/cesce``."""
    blueprint = Blueprint("cesce", __name__, url_prefix="/cesce")
    blueprint.register_error_handler(_Refused, lambda error: (jsonify({"message": error.message}), error.status))

    @blueprint.before_request
    def check() -> None:
        if request.path == "/cesce/oauth2/v1/token":
            return
        if not state.is_live(INSURER, request.headers.get("Authorization", "").removeprefix("Bearer ")):
            raise _Refused(401, "Invalid or expired token")

    @blueprint.post("/oauth2/v1/token")
    def token() -> tuple[Response, int]:
        form = request.form
        names = ("client_id", "client_secret", "username", "password")
        if form.get("grant_type") != "password" or not form.get("scope"):
            return jsonify({"error": "unsupported_grant_type"}), 400
        if any(not form.get(name) or form[name].startswith("wrong") for name in names):
            return jsonify({"error": "invalid_grant"}), 400
        value = state.issue_token(INSURER, TOKEN_SECONDS)
        return jsonify({"access_token": value, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": form["scope"]}), 200

    @blueprint.get(_ADDRESSES["classifications"])
    def list_classifications(contract: str) -> tuple[Response, int]:
        rows, is_cut = halved(state, list(state.covers(INSURER, contract, where="cover.ending <> 'superseded'")))
        return jsonify({"classifications": [_shown(cover) for cover in rows]}), 206 if is_cut else 200

    @blueprint.post(_ADDRESSES["classifications"])
    def classify(contract: str) -> tuple[Response, int]:
        body = _posted()
        company = state.company(INSURER, str(_needed(body, "endorsementNo")))
        if company is None:
            raise _Refused(422, "Unknown endorsement")
        standing = state.covers(
            INSURER, contract, where="cover.company_id = ? AND cover.stage IN ('applied', 'in_force')", values=(company.company_id,)
        )
        if next(standing, None) is not None:
            raise _Refused(422, "The debtor is classified already")
        currency = str(body.get("currencyCode", "EUR"))
        cover = Cover(INSURER, 0, contract, company.company_id, currency, _amount(body, "requestedAmount", currency), "")
        return jsonify(_shown(book.apply_for(state, cover))), 201

    @blueprint.post(f"{_ADDRESSES['classifications']}/cancel")
    def annul(contract: str) -> tuple[Response, int]:
        body = _posted()
        number = str(_needed(body, "supplementNo"))
        cover = state.cover(INSURER, int(number)) if number.isdecimal() else None
        if cover is None or cover.policy != contract or cover.company_id != str(_needed(body, "endorsementNo")):
            raise _Refused(404, "Unknown classification")
        if cover.stage not in {"applied", "in_force"}:
            raise _Refused(422, "The classification has ended")
        return jsonify(_shown(book.cancel(state, cover))), 200

    @blueprint.get(_ADDRESSES["movements"])
    def movements(contract: str) -> tuple[Response, int]:
        page = request.args.get("page", "1")
        if not page.isdecimal() or int(page) < 1:
            raise _Refused(400, "Invalid page")
        since = (state.today() - timedelta(days=2)).isoformat()
        covers = state.covers(
            INSURER,
            contract,
            where="coalesce(cover.decided_on, cover.applied_on) >= ? AND cover.ending <> 'superseded'",
            values=(since,),
            limit=MOVEMENTS_PER_PAGE,
            offset=(int(page) - 1) * MOVEMENTS_PER_PAGE,
        )
        rows, is_cut = halved(state, list(covers))
        return jsonify({"movements": [_shown(cover) for cover in rows]}), 206 if is_cut else 200

    @blueprint.post(f"{_ADDRESSES['sales']}/sales")
    def declare_sale(contract: str) -> tuple[Response, int]:
        body = _posted()
        number = f"V{secrets.token_hex(6)}"
        _keep(state, contract, "sales", number, {**body, "saleCesceReferenceNo": number})
        return jsonify({"saleCesceReferenceNo": number}), 201

    @blueprint.get(f"{_ADDRESSES['sales']}/sales")
    def sales(contract: str) -> Response:
        return jsonify({"sales": _kept(state, contract, "sales")})

    @blueprint.post(_ADDRESSES["collections"])
    def collect(contract: str) -> tuple[Response, int]:
        body = _posted()
        for name in ("client", "sale", "collectionDate"):
            _needed(body, name)
        if not any(sale["saleCesceReferenceNo"] == body["sale"] for sale in _kept(state, contract, "sales")):
            raise _Refused(422, "Unknown sale")
        number = f"C{secrets.token_hex(6)}"
        _keep(state, contract, "collections", number, body)
        return jsonify({"client": body["client"], "sale": body["sale"], "collectionDate": body["collectionDate"]}), 201

    @blueprint.get(f"{_ADDRESSES['claims']}/dossiers")
    def dossiers(contract: str) -> Response:
        return jsonify({"dossiers": _kept(state, contract, "dossiers")})

    @blueprint.get(f"{_ADDRESSES['claims']}/dossiers/<dossier>/<kind>")
    def papers_of_dossier(contract: str, dossier: str, kind: str) -> Response:
        if kind not in {"non-payments", "recoveries", "processing-steps", "recovery-procedures", "dates-pending-settlements"}:
            raise _Refused(404, "Not found")
        return jsonify({kind: _kept(state, contract, f"{dossier}/{kind}")})

    return blueprint


def _posted() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _Refused(400, "Invalid body")
    return body


def _needed(body: dict[str, Any], name: str) -> Any:
    value = body.get(name)
    if value in (None, ""):
        raise _Refused(422, f"{name} is missing")
    return value


def _amount(body: dict[str, Any], name: str, currency: str) -> int:
    try:
        amount = to_minor(str(_needed(body, name)), currency)
    except InvalidValue as error:
        raise _Refused(422, f"{name} is not an amount") from error
    if amount <= 0:
        raise _Refused(422, f"{name} must be positive")
    return amount


def _keep(state: State, contract: str, kind: str, number: str, content: dict[str, Any]) -> None:
    with state.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO paper VALUES (?, ?, ?, ?, ?, ?)", (INSURER, contract, kind, number, json.dumps(content), state.now())
        )


def _kept(state: State, contract: str, kind: str) -> list[dict[str, Any]]:
    with state.read() as connection:
        rows = connection.execute(
            "SELECT content FROM paper WHERE insurer = ? AND policy = ? AND kind = ? ORDER BY changed_at, paper_id",
            (INSURER, contract, kind),
        ).fetchall()
    return [json.loads(row[0]) for row in rows]


def _shown(cover: Cover) -> dict[str, Any]:
    """A classification: amounts as text, an empty text for nothing."""

    def number(minor: int | None) -> str:
        return "" if minor is None else str(from_minor(minor, cover.currency))

    status = _IN_STUDY if cover.stage == "applied" else _CANCELLED if cover.stage == "ended" else _STATUS.get(cover.answer, 2)
    return {
        "endorsementNo": cover.company_id,
        "customerReference": cover.reference,
        "supplementNo": str(cover.cover_id),
        "statusCode": status,
        "debtorName": cover.company_name,
        "debtorCountry": cover.country,
        "requestedAmount": number(cover.requested),
        "grantedAmount": number(cover.decided),
        "currencyCode": cover.currency,
        "decisionDate": cover.decided_on or "",
        "effectiveDate": (cover.valid_to if cover.stage == "ended" else cover.effective_on) or "",
        "expiryDate": "" if cover.stage == "ended" else cover.valid_to or "",
        "conditions": " ".join(cover.conditions) if cover.answer == "conditional" else "",
    }
