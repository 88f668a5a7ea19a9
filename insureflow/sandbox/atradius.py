"""A sandbox insurer that speaks like Atradius: envelope, numbers as text, empty text for nothing, 201 or 202, 403 for a wrong path."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, request, stream_with_context

from insureflow.domain.countries import ALPHA_2_BY_ALPHA_3
from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import from_minor, to_minor
from insureflow.sandbox import book
from insureflow.sandbox.faults import halved
from insureflow.sandbox.state import Company, Cover, State

INSURER = "atradius"
TOKEN_SECONDS = 1800
UID_TYPES = frozenset({"VAT", "NRN", "CR", "DB", "FC", "SN", "TK"})
_STEP = 1000

_DECISIONS = {
    "full": ("DC01", "Full approval"),
    "conditional": ("DC02", "Approved with conditions"),
    "refused": ("DC03", "Refused"),
    "partial": ("DC04", "Partial approval"),
    "unchanged": ("DC05", "Increase refused"),
    "preliminary": ("DC06", "Partial approval, preliminary"),
    "withdrawn": ("DC08", "Withdrawn"),
    "reduced": ("DC09", "Reduction"),
    "notice": ("DC21", "Advance notice of withdrawal"),
}
_ENDINGS = {"cancelled": "CCLD", "withdrawn": "WCLD", "superseded": "SCLD", "expired": "ECLD", "rejected": "RCLA"}
_LISTS = {
    "covers": "cover.stage = 'in_force'",
    "decisions": "cover.decided_on IS NOT NULL AND cover.stage <> 'applied'",
    "applications": "cover.stage = 'applied'",
    "historic": "cover.stage = 'ended'",
}
_COVER_PARAMETERS = frozenset({"customerId", "policyId", "buyerId", "coverType", "fromDate"})


class _Refused(Exception):
    """An answer in the envelope of errors."""

    def __init__(self, status: int, detail: str, parameter: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"errors": [{"detail": detail, "source": {"parameter": parameter}}]}


def make_blueprint(state: State) -> Blueprint:
    """The interface under ``/atradius``."""
    blueprint = Blueprint("atradius", __name__, url_prefix="/atradius")
    blueprint.register_error_handler(_Refused, lambda error: (jsonify(error.body), error.status))
    covers = "/credit-insurance/cover-management/v1/covers"
    buyers = "/credit-insurance/organisation-management/v1/buyers"

    @blueprint.before_request
    def check() -> None:
        if request.headers.get("Atradius-App-Key", "") == "" or request.headers.get("Atradius-Correlation-Id", "") == "":
            raise _Refused(400, "Header missing", "Atradius-App-Key")
        if not request.path.startswith("/atradius/authenticate/"):
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not state.is_live(INSURER, token):
                raise _Refused(401, "Token missing or expired")

    @blueprint.post("/authenticate/v2/tokens")
    def token() -> Response:
        if request.get_data():
            raise _Refused(400, "The body must be empty")
        try:
            scheme, _, given = request.headers.get("Authorization", "").partition(" ")
            client, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            scheme, client, secret = "", "", ""
        if scheme != "Basic" or not client or not secret or secret.startswith("wrong"):
            raise _Refused(401, "Invalid client")
        return jsonify(
            {"data": {"access_token": state.issue_token(INSURER, TOKEN_SECONDS), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}}
        )

    @blueprint.get("/credit-insurance/policy-management/v1/policies/details")
    def policy() -> Response:
        _only({"policyId"})
        policy_id = _required(request.args, "policyId")
        return jsonify(
            {
                "data": {
                    "policyId": policy_id,
                    "policyStatus": "live",
                    "policyStartDate": f"{state.today().year}-01-01T00:00:00+01:00",
                    "policyExpiryDate": f"{state.today().year}-12-31T00:00:00+01:00",
                    "policyCurrency": state.setting(f"currency.{policy_id}", "EUR"),
                }
            }
        )

    @blueprint.get(buyers)
    def find_buyers() -> Response:
        _only({"country", "uid", "uidType"})
        country = ALPHA_2_BY_ALPHA_3.get(_required(request.args, "country"), "")
        uid_type = _required(request.args, "uidType")
        if not country or uid_type not in UID_TYPES:
            raise _Refused(422, "Invalid value", "uidType" if country else "country")
        found = state.company_of(INSURER, country, uid_type, _required(request.args, "uid"))
        return jsonify({"data": [] if found is None else [_buyer(found)]})

    @blueprint.get(f"{buyers}/<int:buyer_id>")
    def show_buyer(buyer_id: int) -> Response:
        return jsonify({"data": [_buyer(_known(state, str(buyer_id)))]})

    @blueprint.post(covers)
    def apply_for() -> tuple[Response, int]:
        body = _posted()
        company = _known(state, _required(body, "buyerId"))
        kind = {"credit-limit": "limit", "credit-check": "check"}.get(_required(body, "coverType"), "")
        if not kind:
            raise _Refused(422, "Invalid cover type", "coverType")
        if _standing(state, _policy(body), company.company_id, kind) is not None:
            raise _Refused(422, "A limit or check already exists for the buyer", "buyerId")
        cover = book.apply_for(state, _application(state, body, company, kind))
        return _receipt(cover)

    @blueprint.put(covers)
    def change() -> tuple[Response, int]:
        body = _posted()
        company = _known(state, _required(body, "buyerId"))
        action = _required(body, "action")
        cover = _standing(state, _policy(body), company.company_id, "limit" if body.get("coverType") != "credit-check" else "check")
        if cover is None:
            raise _Refused(422, "There is no cover for the buyer", "buyerId")
        if action == "cancel":
            return _receipt(book.cancel(state, _with_reference(cover, body)))
        if cover.stage != "in_force":
            raise _Refused(422, "New application cannot supersede existing cover", "buyerId")
        if action == "reduce":
            amount = _amount(body, cover.currency)
            if amount >= (cover.decided or 0):
                raise _Refused(422, "The amount must be lower than the cover", "creditLimitAmount")
            return _receipt(book.reduce(state, _with_reference(cover, body), amount))
        if action == "supersede":
            made = _application(state, body, company, cover.kind)
            made.replaces = cover.cover_id
            return _receipt(book.apply_for(state, made))
        raise _Refused(422, "Invalid action", "action")

    def listed(name: str) -> Response:
        _only(_COVER_PARAMETERS if name == "decisions" else _COVER_PARAMETERS - {"fromDate"})
        _required(request.args, "customerId")
        return _list(state, name)

    blueprint.add_url_rule(covers, "covers", lambda: listed("covers"))
    for name in ("decisions", "applications", "historic"):
        blueprint.add_url_rule(f"{covers}/{name}", name, lambda name=name: listed(name))
    return blueprint


def _only(allowed: Iterable[str]) -> None:
    """Unknown parameters are refused, as the real one does."""
    if unknown := sorted(set(request.args) - set(allowed)):
        raise _Refused(400, "Unknown parameter", unknown[0])


def _required(values: Any, name: str) -> str:
    value = values.get(name)
    if value in (None, ""):
        raise _Refused(422, "Required", name)
    return str(value)


def _posted() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _Refused(400, "Invalid body")
    _required(body, "customerId")
    return body


def _policy(body: dict[str, Any]) -> str:
    return _required(body, "policyId")


def _known(state: State, buyer_id: str) -> Company:
    company = state.company(INSURER, buyer_id)
    if company is None:
        raise _Refused(404 if request.method == "GET" else 422, "No buyer match", "buyerId")
    return company


def _standing(state: State, policy: str, company_id: str, kind: str) -> Cover | None:
    """The application or cover of a buyer that stands; an application comes first."""
    found = list(
        state.covers(
            INSURER,
            policy,
            where="cover.company_id = ? AND cover.kind = ? AND cover.stage IN ('applied', 'in_force')",
            values=(company_id, kind),
        )
    )
    return max(found, key=lambda cover: (cover.stage == "applied", cover.cover_id), default=None)


def _amount(body: dict[str, Any], currency: str) -> int:
    try:
        amount = to_minor(str(_required(body, "creditLimitAmount")), currency)
    except InvalidValue as error:
        raise _Refused(422, "Invalid amount", "creditLimitAmount") from error
    if amount <= 0 or amount % to_minor(_STEP, currency):
        raise _Refused(422, "The amount must be positive and a multiple of 1,000", "creditLimitAmount")
    return amount


def _application(state: State, body: dict[str, Any], company: Company, kind: str) -> Cover:
    currency = str(state.setting(f"currency.{_policy(body)}", "EUR"))
    if kind == "limit" and _required(body, "currencyCode") != currency:
        raise _Refused(422, "Invalid currency", "currencyCode")
    if kind == "check" and body.get("creditLimitAmount") is not None:
        raise _Refused(422, "A credit check takes no amount", "creditLimitAmount")
    return Cover(
        INSURER,
        0,
        _policy(body),
        company.company_id,
        currency,
        _amount(body, currency) if kind == "limit" else None,
        "",
        kind=kind,
        effective_on=str(body["effectFromDate"])[:10] if body.get("effectFromDate") else None,
        reference=str(body.get("customerRefNumber", "")),
    )


def _with_reference(cover: Cover, body: dict[str, Any]) -> Cover:
    cover.reference = str(body.get("customerRefNumber", "")) or cover.reference
    return cover


def _receipt(cover: Cover) -> tuple[Response, int]:
    if cover.stage == "applied":
        return jsonify({"data": [{"coverId": cover.cover_id, "response": "Referred"}]}), 202
    return jsonify({"data": [{"coverId": cover.cover_id, "response": "Decided"}]}), 201


def _list(state: State, name: str) -> Response:
    """A list without pages: a long one is written as it is read."""
    conditions, values = [_LISTS[name]], []
    for parameter, column in (("buyerId", "company_id"), ("coverType", "kind"), ("fromDate", "decided_on")):
        if value := request.args.get(parameter):
            conditions.append(f"cover.{column} {'>=' if parameter == 'fromDate' else '='} ?")
            values.append({"credit-limit": "limit", "credit-check": "check"}.get(value, value))
    where = " AND ".join(conditions)
    policy = request.args.get("policyId")
    hides = bool(state.setting("hides_references", False))
    ratings: dict[str, object] = state.setting("ratings", {})
    if "half_page" in state.setting("faults", {}):
        rows, is_cut = halved(state, list(state.covers(INSURER, policy, where=where, values=values)))
        return Response(_written(rows, ratings, hides=hides), 206 if is_cut else 200, mimetype="application/json")
    covers = state.covers(INSURER, policy, where=where, values=values)
    return Response(stream_with_context(_written(covers, ratings, hides=hides)), mimetype="application/json")


def _written(covers: Iterable[Cover], ratings: dict[str, object], *, hides: bool) -> Iterator[str]:
    yield '{"data": ['
    pieces: list[str] = []
    separator = ""
    for cover in covers:
        pieces.append(separator + json.dumps(_shown(cover, ratings, hides=hides)))
        separator = ", "
        if len(pieces) == 500:
            yield "".join(pieces)
            pieces = []
    yield "".join(pieces) + "]}"


def _buyer(company: Company) -> dict[str, Any]:
    return {
        "buyerId": int(company.company_id),
        "buyerName": company.name,
        "uniqueIdentifiers": [{"uid": value, "uidType": scheme, "uidTypeDescription": scheme} for scheme, value in company.numbers],
        "registeredAddress": {"city": company.city, "country": company.country},
    }


def _number(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(from_minor(minor, currency))


def _instant(day: str | None) -> str:
    return f"{day}T00:00:00+01:00" if day else ""


def _decision(amount: int | None, expiry: str | None, conditions: tuple[str, ...], currency: str) -> dict[str, Any]:
    return {
        "decisionAmtInPolicyCurrency": _number(amount, currency),
        "decisionExpiryDate": _instant(expiry),
        "decisionConditions": [
            {
                "conditionCode": f"C{number:03}",
                "conditionType": "STANDARD",
                "conditionDescription": text,
                "conditionCategoryDescription": "",
            }
            for number, text in enumerate(conditions, 1)
        ],
    }


def _rating(cover: Cover, ratings: dict[str, object]) -> str:
    """A number from 1 to 100 as text, empty for one company in ten: what the controls say, else what the company's number gives."""
    if cover.company_id in ratings:
        return str(ratings[cover.company_id])
    number = int(cover.company_id)
    return "" if number % 10 == 9 else str(number * 37 % 100 + 1)


def _shown(cover: Cover, ratings: dict[str, object], *, hides: bool) -> dict[str, Any]:
    rating = _rating(cover, ratings)
    code, words = _DECISIONS.get(cover.answer, ("", ""))
    total = None if cover.decided is None else cover.decided + cover.second
    asked = _number(cover.requested, cover.currency)
    ending = "CCLA" if cover.ending == "cancelled" and not cover.answer else _ENDINGS.get(cover.ending, "")
    shown: dict[str, Any] = {
        "coverId": cover.cover_id,
        "policyId": cover.policy,
        "buyerId": int(cover.company_id),
        "buyerName": cover.company_name,
        "uniqueIdentifiers": [],
        "coverType": "credit-limit" if cover.kind == "limit" else "credit-check",
        "coverStatus": "REFERRED" if cover.stage == "applied" else "DECISION",
        "decisionCode": code,
        "decisionTypeDescription": words,
        "historicCode": ending if cover.stage == "ended" else "",
        "pendingProcessStatus": "PENDING" if cover.pending else "",
        "pendingProcessIndicator": cover.pending,
        "policyCurrencyCode": cover.currency,
        "creditLimitApplicationAmountInPolicyCurrency": asked,
        "creditLimitApplicationAmountInUserCurrency": asked,
        "applicationDate": _instant(cover.applied_on),
        "decisionDate": _instant(cover.decided_on),
        "effectFromDate": _instant(cover.effective_on),
        "withdrawalDate": _instant(cover.withdrawal_on),
        "effectiveToDate": _instant(cover.valid_to) if cover.stage == "ended" else "",
        "currentBuyerRating": rating,
        "currentBuyerRatingClass": str((int(rating) + 9) // 10) if rating else "",
        "notes": "",
        "totalDecision": _decision(total, cover.valid_to if cover.stage != "ended" else None, cover.conditions, cover.currency),
        "firstAmtDecision": _decision(cover.decided if cover.second else None, None, (), cover.currency),
        "secondAmtDecision": _decision(cover.second or None, cover.second_to, (), cover.currency),
    }
    if not hides:
        shown["customerRefNumber"] = cover.reference
    return shown
