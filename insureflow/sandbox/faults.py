"""What can be made to go wrong, by switch: an interface that only ever works teaches nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, TypeVar

from flask import Flask, Request, Response, g, jsonify, request

from insureflow.sandbox.state import State

#: The switches and what they do. Each takes ``times`` (else: until switched off), ``insurer``, ``path`` (a part of it) and ``method``.
FAULTS: dict[str, str] = {
    "time_out": "answers after `seconds` (default 40), when the message has been accepted; with `before`, nothing has been done",
    "error_500": "answers 500 instead of doing anything; with `after`, when everything has been done",
    "slow": "waits `seconds` (default 2), then works",
    "broken_json": "cuts the reply in half",
    "oversize": "adds `mebibytes` (default 40) of blanks to the reply",
    "too_many_requests": "answers 429 with `Retry-After: retry_after` (default 30)",
    "expired_token": "lets all tokens expire before the next call",
    "half_page": "leaves out the second half of a list or page, and shows it as the insurer would",
    "duplicate_push": "sends every push twice",
    "shuffled_push": "sends the latest push first",
}
#: What every fault takes, and what some take beside it.
_TAKEN = {"times": int, "insurer": str, "path": str, "method": str}
_TAKEN_BY: dict[str, dict[str, type]] = {
    "time_out": {"seconds": float, "before": bool},
    "error_500": {"after": bool},
    "slow": {"seconds": float},
    "oversize": {"mebibytes": int},
    "too_many_requests": {"retry_after": int},
    "duplicate_push": {},
    "shuffled_push": {},
}
_OF_PUSHES = ("duplicate_push", "shuffled_push")
#: Calls for tokens are spared, unless ``path`` names them.
_TOKEN_PATHS = ("token", "authorize")
Rows = TypeVar("Rows")


def check(name: str, given: object) -> dict[str, Any]:
    """The settings of a fault as they were given; nothing (``{}``) lets it strike every call. Errors: ``ValueError``."""
    if name not in FAULTS:
        raise ValueError(f"There is no fault {name}; there are {', '.join(FAULTS)}")
    if not isinstance(given, dict):
        raise ValueError(f'The settings of {name} are an object such as {{}} or {{"times": 1}}')  # noqa: TRY004 (a wrong request, not a wrong program)
    known = {**({} if name in _OF_PUSHES else _TAKEN), **_TAKEN_BY.get(name, {})}
    for setting, value in given.items():
        if setting not in known:
            raise ValueError(f"{name} takes no {setting}" + (f"; it takes {', '.join(known)}" if known else ""))
        wanted = known[setting]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = (
            (is_number and value >= 0 and (wanted is float or isinstance(value, int)))
            if wanted in (int, float)
            else isinstance(value, wanted)
        )
        if not fits or (setting == "times" and value < 1):
            kind = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[wanted]
            raise ValueError(f"{setting} of {name} is {kind}" + (" from 1 on" if setting == "times" else ""))
    return dict(given)


def take(state: State, name: str, call: Request) -> dict[str, Any] | None:
    """The settings of a fault that strikes this call; counts it down."""
    with state.busy:
        faults: dict[str, dict[str, Any]] = state.setting("faults", {})
        fault = faults.get(name)
        if fault is None or not _fits(fault, call):
            return None
        if fault.get("times") is not None:
            fault["times"] = int(fault["times"]) - 1
            if fault["times"] <= 0:
                del faults[name]
            state.set_setting("faults", faults)
        return fault


def _fits(fault: dict[str, Any], call: Request) -> bool:
    path = call.path
    if "path" in fault:
        if str(fault["path"]) not in path:
            return False
    elif any(word in path for word in _TOKEN_PATHS):
        return False
    if "insurer" in fault and path.split("/")[1] != str(fault["insurer"]).replace("_", "-"):
        return False
    return str(fault.get("method", call.method)).upper() == call.method


def halved(state: State, rows: list[Rows]) -> tuple[list[Rows], bool]:
    """The rows of a list or page, and whether half of them was left out."""
    if len(rows) < 2 or take(state, "half_page", request) is None:
        return rows, False
    return rows[: len(rows) // 2], True


def install(app: Flask, state: State) -> None:
    """Lets the faults strike every call but those to the controls."""
    app.before_request(lambda: _before(state))
    app.after_request(lambda response: _after(state, response))


def _before(state: State) -> Response | None:
    g.can_fail = not request.path.startswith("/control") and bool(state.setting("faults", {}))
    if not g.can_fail:
        return None
    if (fault := take(state, "slow", request)) is not None:
        time.sleep(float(fault.get("seconds", 2)))
    if take(state, "expired_token", request) is not None:
        state.expire_tokens()
    if (fault := take(state, "too_many_requests", request)) is not None:
        return _answer(429, {"Retry-After": str(fault.get("retry_after", 30))})
    if (fault := _strike(state, "time_out", flag="before", wanted=True)) is not None:
        time.sleep(float(fault.get("seconds", 40)))
        return _answer(504)
    if _strike(state, "error_500", flag="after", wanted=False) is not None:
        return _answer(500)
    return None


def _after(state: State, response: Response) -> Response:
    if not g.can_fail:
        return response
    if _strike(state, "error_500", flag="after", wanted=True) is not None:
        response = _answer(500)
    if take(state, "broken_json", request) is not None:
        body = response.get_data()
        response.set_data(body[: len(body) // 2] or b"{")
    if (fault := take(state, "oversize", request)) is not None:
        body = response.get_data()
        response = Response(_padded(body, int(fault.get("mebibytes", 40))), response.status_code, mimetype="application/json")
    if (fault := _strike(state, "time_out", flag="before", wanted=False)) is not None:
        time.sleep(float(fault.get("seconds", 40)))
    return response


def _strike(state: State, name: str, *, flag: str, wanted: bool) -> dict[str, Any] | None:
    """The settings of a fault that strikes now: before or after the call was worked, as its flag says."""
    fault: dict[str, Any] | None = state.setting("faults", {}).get(name)
    return take(state, name, request) if fault is not None and bool(fault.get(flag)) is wanted else None


def _padded(body: bytes, mebibytes: int) -> Iterator[bytes]:
    yield body
    for _ in range(mebibytes):
        yield b" " * (1024 * 1024)


def _answer(status: int, headers: dict[str, str] | None = None) -> Response:
    response = jsonify({"message": "The sandbox was told to fail."})
    response.status_code = status
    response.headers.update(headers or {})
    return response
