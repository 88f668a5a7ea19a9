"""A sandbox insurer that speaks like Allianz Trade: jobs, covers, pages, pushes; 206 for a page of the old version.

Where the shape of a reply is not public (covers of version 3, lists with a total) the sandbox uses the names that have been seen.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import from_minor, to_minor
from insureflow.sandbox import book, pushes
from insureflow.sandbox.faults import halved
from insureflow.sandbox.state import Company, Cover, State

INSURER = "allianz_trade"
TOKEN_SECONDS = 3600
#: What the insurer shows: what is agreed, what was refused and what it withdrew; what was replaced or given up is gone.
_SHOWN = "(cover.stage IN ('applied', 'in_force', 'refused') OR cover.ending IN ('withdrawn', 'expired'))"

#: Endings that leave nothing; after a refused increase the old amount stays.
_GONE = frozenset({"cancelled", "withdrawn", "expired"})


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def make_blueprint(state: State) -> Blueprint:
    """The interface under ``/allianz-trade``."""
    blueprint = Blueprint("allianz_trade", __name__, url_prefix="/allianz-trade")
    blueprint.register_error_handler(_Refused, lambda error: (jsonify({"message": str(error)}), error.status))

    @blueprint.before_request
    def check() -> None:
        if not request.path.endswith("/oauth2/authorize"):
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not state.is_live(INSURER, token):
                raise _Refused(401, "Unauthorized")

    @blueprint.post("/v1/idp/oauth2/authorize")
    def token() -> Response:
        key = str(_posted().get("apiKey") or "")
        if not key or key.startswith("wrong"):
            raise _Refused(401, "Unknown API key")
        return jsonify({"access_token": state.issue_token(INSURER, TOKEN_SECONDS), "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    @blueprint.post("/search/v2/companies/matching")
    def match() -> Response:
        body = _posted()
        found = [
            company
            for each in _objects(body.get("companyIdentifiers"))
            if (
                company := state.company_of(
                    INSURER, str(body.get("countryCode", "")), str(each.get("idTypeCode")), str(each.get("idValue"))
                )
            )
        ]
        return jsonify({"results": [{"company": _company(company)} for company in found]})

    @blueprint.post("/search/v2/companies/advancedSearch")
    def search() -> Response:
        body = _posted()
        name = str(body.get("companyName") or "")
        if not name:
            raise _Refused(400, "companyName is required")
        found = state.companies_named(INSURER, str(body.get("countryCode", "")), name, 20)
        return jsonify({"results": [{"company": _company(company)} for company in found]})

    @blueprint.post("/riskinfo/v3/covers")
    def ask() -> Response:
        body = _posted()
        cover = _asked(state, body)
        job_id = secrets.token_hex(12)
        ready_at = state.now() + float(state.setting("job_seconds", 1))
        with state.write() as connection:
            connection.execute("INSERT INTO job VALUES (?, ?, ?, ?)", (INSURER, job_id, cover.cover_id, ready_at))
        _register_push(state, cover, job_id, ready_at)
        return jsonify(job_id)

    @blueprint.get("/riskinfo/v3/jobs/<job_id>")
    def job(job_id: str) -> Response:
        with state.read() as connection:
            row = connection.execute("SELECT cover_id, ready_at FROM job WHERE insurer = ? AND job_id = ?", (INSURER, job_id)).fetchone()
        if row is None:
            raise _Refused(404, "Unknown job")
        if row[1] > state.now():
            return jsonify({"jobId": job_id, "jobStatusCode": "PENDING"})
        return jsonify({"jobId": job_id, "jobStatusCode": "PROCESSED", "resourceUrl": _resource(row[0])})

    @blueprint.get("/riskinfo/v3/covers/<int:cover_id>")
    def show(cover_id: int) -> Response:
        cover = state.cover(INSURER, cover_id)
        if cover is None:
            raise _Refused(404, "Unknown cover")
        return jsonify(_shown(cover))

    @blueprint.post("/riskinfo/v3/covers/search")
    def search_covers() -> Response:
        return _page(state, _posted(), _SHOWN, _shown)

    @blueprint.post("/riskinfo/v3/coverRequests/search")
    def search_requests() -> Response:
        body = _posted()
        stage = "applied" if body.get("requestStatusCode") == "InProgress" else "in_force"
        return _page(state, body, f"cover.stage = '{stage}'", _request)

    @blueprint.get("/riskinfo/v2/covers")
    def legacy() -> tuple[Response, int]:
        policy = _policy(dict(request.args))
        size, page = _whole(request.args.get("pageSize", "100")), _whole(request.args.get("page", "1"))
        where, values = _SHOWN, []
        if company_id := request.args.get("companyId"):
            where, values = f"{_SHOWN} AND cover.company_id = ?", [company_id]
        total = state.count(INSURER, policy, where=where, values=values)
        rows = list(state.covers(INSURER, policy, where=where, values=values, limit=size, offset=(page - 1) * size))
        rows, is_cut = halved(state, rows)
        return jsonify([_legacy(cover) for cover in rows]), 206 if is_cut or page * size < total else 200

    return blueprint


def _posted() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _Refused(400, "Invalid body")
    return body


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _whole(value: object) -> int:
    text = str(value)
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= 10_000:
        raise _Refused(400, "Invalid pagination")
    return int(text[:9])


def _policy(policy: dict[str, Any]) -> str:
    """The key of a policy in one text: ``ACI/P-1`` or ``ACI/P-1/CAP``."""
    unit, number, extension = (str(policy.get(name) or "") for name in ("businessUnitCode", "policyId", "extensionId"))
    if not unit or not number:
        raise _Refused(400, "businessUnitCode and policyId are required")
    return "/".join(filter(None, (unit, number, extension)))


def _asked(state: State, body: dict[str, Any]) -> Cover:
    given = body.get("policy")
    policy = _policy(given if isinstance(given, dict) else {})
    company = state.company(INSURER, str(body.get("companyId") or ""))
    if company is None:
        raise _Refused(404, "Unknown company")
    is_grade = body.get("requestTypeCode") == "GradeCover"
    if not is_grade and body.get("requestTypeCode") != "Primary":
        raise _Refused(400, "Invalid requestTypeCode")
    kind = "check" if is_grade else "limit"
    standing = list(
        state.covers(
            INSURER,
            policy,
            where="cover.company_id = ? AND cover.kind = ? AND cover.stage IN ('applied', 'in_force')",
            values=(company.company_id, kind),
        )
    )
    if any(cover.stage == "applied" for cover in standing):
        raise _Refused(409, "A request is in progress for this company")
    currency, amount = str(state.setting(f"currency.{policy}", "EUR")), None
    if not is_grade:
        details = body.get("creditLimitDetails")
        details = details if isinstance(details, dict) else {}
        currency = str(details.get("currencyCode") or "")
        try:
            amount = to_minor(str(details.get("requestedAmount")), currency)
        except InvalidValue as error:
            raise _Refused(400, "Invalid requestedAmount") from error
        if len(currency) != 3 or amount <= 0:
            raise _Refused(400, "Invalid creditLimitDetails")
    cover = Cover(
        INSURER,
        0,
        policy,
        company.company_id,
        currency,
        amount,
        "",
        kind=kind,
        layer="top_up" if policy.endswith("/CAP") else "primary",
        replaces=standing[-1].cover_id if standing else None,
    )
    return book.apply_for(state, cover)


def _register_push(state: State, cover: Cover, job_id: str, ready_at: float) -> None:
    """A header with base64 of JSON that names a ``callbackUrl`` asks for a push, whatever the header is called."""
    for _name, value in request.headers:
        try:
            wanted = json.loads(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            continue
        if isinstance(wanted, dict) and isinstance(wanted.get("callbackUrl"), str):
            hours = wanted.get("timeToLive")
            url = wanted["callbackUrl"]
            extended = wanted.get("extendedNotification") is True
            pushes.register(state, cover, job_id, url, hours=hours if isinstance(hours, int) else 24, is_extended=extended)
            body = {"jobId": job_id, "jobStatusCode": "PROCESSED", "resourceUrl": _resource(cover.cover_id)}
            pushes.send(state, url, body, ready_at)
            return


def _resource(cover_id: int) -> str:
    return f"{request.host_url}allianz-trade/riskinfo/v3/covers/{cover_id}"


def _page(state: State, body: dict[str, Any], where: str, show: Callable[[Cover], dict[str, Any]]) -> Response:
    """A page of a search: a bare array, or with the total where it is asked for."""
    policies = [_policy(each) for each in _objects(body.get("policies"))]
    if not policies:
        raise _Refused(400, "policies are required")
    given = body.get("pagination")
    pagination = given if isinstance(given, dict) else {}
    size, page = _whole(pagination.get("pageSize", 100)), _whole(pagination.get("page", 1))
    condition = f"{where} AND cover.policy IN ({', '.join('?' for _ in policies)})"
    rows, _is_cut = halved(state, list(state.covers(INSURER, where=condition, values=policies, limit=size, offset=(page - 1) * size)))
    shown = [show(cover) for cover in rows]
    if pagination.get("isTotalRequired") is not True:
        return jsonify(shown)
    total = state.count(INSURER, where=condition, values=policies)
    return jsonify({"results": shown, "pagination": {"page": page, "pageSize": size, "total": total}})


def _company(company: Company) -> dict[str, Any]:
    return {
        "companyId": company.company_id,
        "legalData": {"companyName": company.name},
        "address": {"streetName": "", "town": company.city, "countryCode": company.country, "postCodes": []},
        "communicationChannels": [],
    }


def _amount(minor: int | None, currency: str) -> str | int:
    """Numbers as numbers where they are whole, and now and then as text."""
    if minor is None:
        return ""
    amount = from_minor(minor, currency)
    return int(amount) if amount == amount.to_integral_value() else str(amount)


def _changed(cover: Cover) -> str:
    return datetime.fromtimestamp(cover.changed_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parts(policy: str) -> dict[str, str]:
    return dict(zip(("businessUnitCode", "policyId", "extensionId"), policy.split("/"), strict=False))


def _limits(cover: Cover) -> Iterable[dict[str, Any]]:
    """The credit limits of a cover: one, and a second with an end where more was agreed for a while."""
    amount = 0 if cover.ending in _GONE else cover.decided
    shared = {"technicalDecisionStatusCode": "AlreadyAgreed", "currencyCode": cover.currency}
    yield {**shared, "amount": _amount(amount, cover.currency), "startDate": cover.effective_on or cover.decided_on, "endDate": ""}
    if cover.second and cover.stage == "in_force":
        total = (cover.decided or 0) + cover.second
        yield {**shared, "amount": _amount(total, cover.currency), "startDate": cover.effective_on, "endDate": cover.second_to}


def _shown(cover: Cover) -> dict[str, Any]:
    is_studied = cover.stage == "applied"
    return {
        "coverId": str(cover.cover_id),
        "requestTypeCode": "GradeCover" if cover.kind == "check" else "Primary",
        "policy": _parts(cover.policy),
        "companyId": cover.company_id,
        "company": {"companyId": cover.company_id, "companyName": cover.company_name},
        "coverStatus": "InProgress" if is_studied else "Agreement",
        "creditLimitDetails": {"requestedAmount": _amount(cover.requested, cover.currency), "currencyCode": cover.currency},
        "creditLimitsAggregation": {"creditLimits": [] if is_studied else list(_limits(cover))},
        "creationDate": cover.applied_on,
        "lastUpdateDate": _changed(cover),
    }


def _request(cover: Cover) -> dict[str, Any]:
    """A request, which names its cover and not its company."""
    return {
        "requestId": f"R{cover.cover_id}",
        "coverId": str(cover.cover_id),
        "creditLimitDetails": {"requestedAmount": _amount(cover.requested, cover.currency), "currencyCode": cover.currency},
        "creationDate": cover.applied_on,
        "lastUpdateDate": _changed(cover),
    }


def _legacy(cover: Cover) -> dict[str, Any]:
    amount = 0 if cover.ending in _GONE else cover.decided
    return {
        "coverId": str(cover.cover_id),
        "coverStatusCode": "InProgress" if cover.stage == "applied" else "Agreement",
        "company": {"companyId": cover.company_id, "companyName": cover.company_name},
        "decision": {"permanent": {"permanentAmount": _amount(amount, cover.currency)}},
    }
