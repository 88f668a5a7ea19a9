"""The controls of the sandbox: seed, rules, decide now, cut, withdraw, faults, clock. For this machine alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, request

from insureflow.domain.money import minor_digits
from insureflow.sandbox import book, faults, pushes
from insureflow.sandbox.state import Company, Cover, State, seed


def make_blueprint(state: State) -> Blueprint:
    """The controls under ``/control``."""
    blueprint = Blueprint("control", __name__, url_prefix="/control")
    blueprint.before_request(_require_loopback)
    blueprint.register_error_handler(ValueError, lambda error: (jsonify({"message": str(error)}), 422))
    blueprint.register_error_handler(KeyError, lambda error: (jsonify({"message": f"{error} is missing"}), 422))
    blueprint.register_error_handler(TypeError, lambda error: (jsonify({"message": str(error)}), 422))

    @blueprint.get("/state")
    def show() -> Response:
        return jsonify(_picture(state))

    @blueprint.post("/seed")
    def seed_covers() -> Response:
        return jsonify(_seed(state, _body()))

    @blueprint.post("/rules")
    def rules() -> Response:
        given = _body().get("rules", [])
        for rule in given:
            if unknown := set(rule) - book.RULE_FIELDS:
                raise ValueError(f"A rule knows no {', '.join(sorted(unknown))}")
            if rule.get("answer", "full") not in book.ANSWERS:
                raise ValueError(f"An answer is one of {', '.join(sorted(book.ANSWERS))}")
        state.set_setting("rules", given)
        return jsonify({"rules": len(given)})

    @blueprint.post("/settings")
    def settings() -> Response:
        for name, value in _body().items():
            if name == "ratings" and not _are_ratings(value):
                raise ValueError("Ratings are numbers from 1 to 100 by company number")
            if name not in {"cancel_after_seconds", "job_seconds", "hides_references", "ratings"} and not name.startswith("currency."):
                raise ValueError(f"There is no setting {name}")
            state.set_setting(name, value)
        return jsonify({})

    @blueprint.post("/decide")
    def decide() -> Response:
        found = _chosen(state, _body(), "cover.stage = 'applied'")
        for cover in found:
            book.decide(state, cover)
        return jsonify({"decided": len(found)})

    @blueprint.post("/cut")
    def cut() -> Response:
        body = _body()
        found = _chosen(state, body, "cover.stage = 'in_force'")
        for cover in found:
            amount = (
                (cover.decided or 0) * int(body["percent"]) // 100
                if "percent" in body
                else int(body["amount"]) * 10 ** minor_digits(cover.currency)
            )
            book.reduce(state, cover, amount, body.get("effective_on"), by_insurer=True)
        return jsonify({"cut": len(found)})

    @blueprint.post("/withdraw")
    def withdraw() -> Response:
        body = _body()
        found = _chosen(state, body, "cover.stage = 'in_force'")
        effective_on = date.fromisoformat(body["effective_on"]) if body.get("effective_on") else None
        for cover in found:
            book.withdraw(state, cover, effective_on)
        return jsonify({"withdrawn": len(found)})

    @blueprint.post("/faults")
    def switch_on() -> Response:
        given = {name: faults.check(name, value) for name, value in _body().items()}
        state.set_setting("faults", {**state.setting("faults", {}), **given})
        return jsonify(state.setting("faults", {}))

    @blueprint.delete("/faults")
    def switch_off() -> Response:
        state.set_setting("faults", {})
        return jsonify({})

    @blueprint.post("/clock")
    def clock() -> Response:
        body = _body()
        by = timedelta(seconds=float(body.get("seconds", 0)), days=float(body.get("days", 0)))
        state.move_clock(by)
        settled = book.settle_due(state)
        return jsonify({"now": datetime.fromtimestamp(state.now(), UTC).isoformat(), "settled": settled})

    @blueprint.post("/reset")
    def reset() -> Response:
        state.reset()
        return jsonify({})

    return blueprint


def _are_ratings(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, int) and 1 <= each <= 100 for each in value.values())


def _require_loopback() -> None:
    """This machine only, and no page of a browser: a foreign page can neither send JSON here nor name another host."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if not pushes.is_loopback(request.remote_addr or "") or not pushes.is_loopback(host) or "X-Forwarded-For" in request.headers:
        abort(403)
    if request.method == "POST" and request.mimetype != "application/json":
        abort(415)


def _body() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        raise TypeError("Send a JSON object")
    return body


def _picture(state: State) -> dict[str, Any]:
    with state.read() as connection:
        counts = connection.execute("SELECT insurer, policy, stage, count(*) FROM cover GROUP BY 1, 2, 3 ORDER BY 1, 2, 3").fetchall()
    return {
        "now": datetime.fromtimestamp(state.now(), UTC).isoformat(),
        "covers": [{"insurer": insurer, "policy": policy, "stage": stage, "count": count} for insurer, policy, stage, count in counts],
        "rules": state.setting("rules", []),
        "faults": state.setting("faults", {}),
        "known_faults": faults.FAULTS,
        "pushes_waiting": pushes.waiting(state),
    }


def _chosen(state: State, body: dict[str, Any], stage: str) -> list[Cover]:
    """The covers a control is about: all of an insurer, or those of a policy, a company or a number."""
    conditions, values = [stage], []
    for name in ("policy", "company_id", "cover_id"):
        if name in body:
            conditions.append(f"cover.{name} = ?")
            values.append(int(body[name]) if name == "cover_id" else str(body[name]))
    insurers = [str(body["insurer"])] if "insurer" in body else _insurers(state)
    return [cover for insurer in insurers for cover in state.covers(insurer, where=" AND ".join(conditions), values=values)]


def _insurers(state: State) -> list[str]:
    with state.read() as connection:
        return [str(row[0]) for row in connection.execute("SELECT DISTINCT insurer FROM cover ORDER BY 1")]


def _seed(state: State, body: dict[str, Any]) -> dict[str, int]:
    """Companies with their numbers, and covers in force: amounts in major units of the currency of the policy."""
    insurer = str(body["insurer"])
    companies = [
        Company(
            str(each["company_id"]),
            str(each.get("country", "")),
            str(each["name"]),
            str(each.get("city", "")),
            tuple((str(scheme), str(value)) for scheme, value in dict(each.get("numbers", {})).items()),
        )
        for each in body.get("companies", [])
    ]
    state.save_companies(insurer, companies)
    if body.get("policy") and body.get("currency"):
        state.set_setting(f"currency.{body['policy']}", str(body["currency"]))
    today = state.today().isoformat()
    covers = [_seeded(insurer, body, each, today) for each in body.get("covers", [])]
    return {"companies": len(companies), "covers": seed(state.path, covers, clock=state.clock)}


def _seeded(insurer: str, body: dict[str, Any], each: dict[str, Any], today: str) -> Cover:
    currency = str(each.get("currency", body.get("currency", "EUR")))
    unit = 10 ** minor_digits(currency)
    decided = int(each["amount"]) * unit
    requested = int(each.get("requested", each["amount"])) * unit
    decided_on = str(each.get("decided_on", today))
    return Cover(
        insurer,
        int(each.get("cover_id", 0)),
        str(each.get("policy", body.get("policy", ""))),
        str(each["company_id"]),
        currency,
        requested,
        str(each.get("applied_on", decided_on)),
        decided=decided,
        kind=str(each.get("kind", "limit")),
        layer=str(each.get("layer", "primary")),
        stage="in_force" if decided else "refused",
        answer=str(each.get("answer", "refused" if not decided else "full" if decided >= requested else "partial")),
        decided_on=decided_on,
        effective_on=str(each.get("effective_on", decided_on)),
        valid_to=each.get("valid_to"),
        second=int(each.get("second", 0)) * unit,
        second_to=each.get("second_to"),
        reference=str(each.get("reference", "")),
        conditions=tuple(str(text) for text in each.get("conditions", ())),
        company_name=str(each.get("company_name", "")),
        country=str(each.get("country", "")),
    )
