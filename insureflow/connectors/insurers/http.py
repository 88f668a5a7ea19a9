"""The way to an insurer over HTTP: time-outs, limits of size, safe repetition, tokens, and a log without secrets.

What goes wrong becomes one of four errors. The rule behind them: a message that may have arrived is never sent again blindly.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx2
import stamina

from insureflow.connectors.insurers.interface import (
    AnswerLost,
    Connection,
    ConnectorError,
    Exchange,
    ItemFailed,
    Stopped,
    StopSync,
    TryLater,
)
from insureflow.connectors.insurers.reading import read_json
from insureflow.connectors.insurers.redaction import Redaction
from insureflow.connectors.insurers.tokens import TOKENS, Token

__all__ = ["InsurerHttp", "Reply", "Token"]

NOT_KEPT = "(not kept)"
_MEBIBYTE = 1024 * 1024
_ATTEMPTS = 3
_LONGEST_WAIT_SECONDS = 24 * 3600

#: What an option may set, with its default: seconds to connect, between two parts of a reply, for a whole reply; MiB of a reply.
_DEFAULTS = {"connect_seconds": 5.0, "read_seconds": 30.0, "deadline_seconds": 120.0, "reply_mebibytes": 32.0}

#: Failures before a single byte of the request left: nothing was done, whatever the method.
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_WRONG_ADDRESS = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL)
_DOWN = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came, and how long it took from the first byte out to the last byte in."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: int
    operation: str
    is_safe: bool

    def json(self) -> Any:
        """The reply as JSON, numbers as ``Decimal`` or ``int``.

        Errors: a reply to a question ``TryLater``, one to a message that has arrived ``AnswerLost``, both ``reply_unreadable``.
        """
        try:
            return read_json(self.body)
        except ItemFailed as error:
            if self.is_safe:
                raise TryLater("reply_unreadable", operation=self.operation) from error
            raise AnswerLost("reply_unreadable", operation=self.operation) from error


class _Repeatable(Exception):
    """A failure after which the same call may be made again at once."""

    def __init__(self, error: ConnectorError) -> None:
        super().__init__(error.code)
        self.error = error


class InsurerHttp:
    """Calls to one insurer on behalf of one connection. Cheap to make: sockets and tokens are shared by the process.

    ``fetch_token`` gets this object and gives a new token; ``headers`` go with every call (secrets are hidden in the log by name and
    by value); ``correlation_header`` carries a fresh id per call where the insurer wants one. ``explain`` reads the insurer's own
    words from a refusal. ``carry_token`` says how the token travels.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        fetch_token: Callable[[InsurerHttp], Token] | None = None,
        carry_token: Callable[[str], Mapping[str, str]] = lambda value: {"Authorization": f"Bearer {value}"},
        headers: Mapping[str, str] | None = None,
        correlation_header: str = "",
        explain: Callable[[Reply], str] = lambda _reply: "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.connection = connection
        self._fetch_token = fetch_token
        self._carry_token = carry_token
        self._headers = dict(headers or {})
        self._correlation_header = correlation_header
        self._explain = explain
        self._client = _shared_client() if transport is None else _new_client(transport)
        self._token_key = TOKENS.key(
            connection.connector,
            *connection.addresses.values(),
            *(f"{name}={value}" for name, value in sorted(connection.credentials.items())),
        )

    def address(self, name: str, path: str = "") -> str:
        """The address of one of the insurer's products. Errors: ``StopSync`` ``address_missing``."""
        base = self.connection.addresses.get(name, "")
        if not base:
            raise StopSync("address_missing", connector=self.connection.connector, name=name)
        return base.rstrip("/") + path

    def credential(self, name: str) -> str:
        """A credential by its name. Errors: ``StopSync`` ``credential_missing``."""
        value = self.connection.credentials.get(name, "")
        if not value:
            raise StopSync("credential_missing", connector=self.connection.connector, name=name)
        return value

    def call(
        self,
        method: str,
        address: str,
        operation: str,
        *,
        is_safe: bool | None = None,
        params: Mapping[str, str] | None = None,
        json_body: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accepts: Collection[int] = (),
        with_token: bool = True,
        keeps_bodies: bool = True,
    ) -> Reply:
        """One logical call. A safe one (GET, or a search by POST with ``is_safe``) is repeated when that can help.

        ``accepts``: statuses outside 200–299 that are an answer too. ``keeps_bodies`` is False for calls about tokens.
        Errors: see ``Reply.json`` and the errors of the interface; only an unsafe call raises ``AnswerLost``.
        """
        safe = method in {"GET", "HEAD"} if is_safe is None else is_safe
        content, type_header = _encoded(json_body, form)
        given = {**self._headers, **type_header, **(headers or {})}
        call = _Call(method, address, operation, safe, dict(params or {}), content, given, frozenset(accepts), keeps_bodies)
        self._require_reachable(address)
        if not with_token or self._fetch_token is None:
            return self._repeat(call, {})
        token = self._token()
        reply = self._repeat(call, self._carry_token(token), token)
        if reply.status == HTTPStatus.UNAUTHORIZED and HTTPStatus.UNAUTHORIZED not in call.accepts:
            TOKENS.drop(self._token_key, token)
            token = self._token()
            reply = self._repeat(call, self._carry_token(token), token)
            if reply.status == HTTPStatus.UNAUTHORIZED:
                raise StopSync("credentials_refused", connector=self.connection.connector, detail=self._explained(reply))
        return reply

    def renew_token(self) -> None:
        """Asks for a new token, so that wrong credentials show at once. Errors: ``StopSync``, ``TryLater``."""
        TOKENS.drop(self._token_key)
        self._token()

    def _token(self) -> str:
        fetch = self._fetch_token
        if fetch is None:
            raise StopSync("credential_missing", connector=self.connection.connector, name="token")
        return TOKENS.get(self._token_key, lambda: fetch(self))

    def _repeat(self, call: _Call, token_headers: Mapping[str, str], token: str = "") -> Reply:
        options = self.connection.options
        pushes = [options.get("push_url", ""), call.headers.get(options.get("push_header", ""), "")]  # they hold a secret address
        redaction = Redaction([*self.connection.credentials.values(), token, *pushes])
        correlation = str(uuid.uuid4())
        extra = {**token_headers, **({self._correlation_header: correlation} if self._correlation_header else {})}
        try:
            for attempt in stamina.retry_context(
                on=_Repeatable,
                attempts=_ATTEMPTS,
                timeout=self._option("deadline_seconds"),
                wait_initial=0.2,
                wait_max=2.0,
                wait_jitter=0.3,
            ):
                with attempt:
                    return self._once(call, extra, correlation, redaction, carries_token=bool(token_headers))
        except _Repeatable as last:
            raise last.error from last
        raise AssertionError(call.operation)  # pragma: no cover -- a retry context ends by a return or an error

    def _once(self, call: _Call, extra: Mapping[str, str], correlation: str, redaction: Redaction, *, carries_token: bool) -> Reply:
        headers = {**call.headers, **extra}
        try:
            request = self._client.build_request(
                call.method, call.address, params=call.params or None, content=call.content, headers=headers, timeout=self._timeouts()
            )
        except (httpx2.InvalidURL, UnicodeError, ValueError, TypeError) as problem:
            raise StopSync("request_not_writable", connector=self.connection.connector, operation=call.operation) from problem
        started = time.monotonic()
        status: int | None = None
        shown_reply, error = "", ""
        try:
            reply = self._exchange(call, request, started)
            status = reply.status
            shown_reply = redaction.body(reply.body) if call.keeps_bodies else NOT_KEPT
            if status == HTTPStatus.UNAUTHORIZED and carries_token:
                return reply
            self._judge(call, reply)
        except ConnectorError as failure:
            error = failure.code
            asks_for_rest = failure.code == "too_many_requests" or getattr(failure, "retry_after_seconds", None) is not None
            if call.is_safe and isinstance(failure, TryLater) and not asks_for_rest:
                raise _Repeatable(failure) from failure
            raise
        except Stopped:
            error = "stopped"
            raise
        else:
            return reply
        finally:
            body = (redaction.body(call.content) if call.keeps_bodies else NOT_KEPT) if call.content else ""
            self.connection.record(
                Exchange(
                    at=self.connection.clock(),
                    operation=call.operation,
                    method=call.method,
                    address=redaction.address(str(request.url)),
                    status=status,
                    milliseconds=_milliseconds(started),
                    correlation=correlation,
                    request=f"{redaction.headers(headers)}\n\n{body}".strip()[:4000],
                    reply=shown_reply,
                    error=error,
                )
            )

    def _exchange(self, call: _Call, request: httpx2.Request, started: float) -> Reply:
        """Sends and reads, within the limits of size and time."""
        self._look_up(call)
        most = int(self._option("reply_mebibytes") * _MEBIBYTE)
        end = started + self._option("deadline_seconds")
        body = bytearray()
        try:
            response = self._client.send(request, stream=True)
            try:
                for part in response.iter_bytes():
                    body += part
                    self._look_up(call)
                    if len(body) > most:
                        raise _lost_or(call, ItemFailed, "reply_too_large", operation=call.operation, mebibytes=most // _MEBIBYTE)
                    if time.monotonic() > end:
                        raise _lost_or(call, TryLater, "no_answer", host=request.url.host)
            finally:
                response.close()
        except _WRONG_ADDRESS as error:
            raise StopSync("address_wrong", connector=self.connection.connector, address=request.url.host) from error
        except _NOT_SENT as error:
            raise TryLater("insurer_unreachable", host=request.url.host) from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise _lost_or(call, TryLater, "no_answer", host=request.url.host) from error
        return Reply(response.status_code, dict(response.headers), bytes(body), _milliseconds(started), call.operation, call.is_safe)

    def _look_up(self, call: _Call) -> None:
        """Breaks a question off when the process is asked to end. Errors: ``Stopped``."""
        if call.is_safe and self.connection.wants_to_stop():
            raise Stopped

    def _judge(self, call: _Call, reply: Reply) -> None:
        """Raises what a status means, unless it is an answer."""
        status = reply.status
        if 200 <= status < 300 or status in call.accepts:
            return
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise TryLater("too_many_requests", retry_after_seconds=self._retry_after(reply))
        if status in _DOWN or status == HTTPStatus.REQUEST_TIMEOUT:
            if not call.is_safe:  # nobody knows how far it came
                raise AnswerLost("answer_lost", operation=call.operation)
            raise TryLater("insurer_fails", retry_after_seconds=self._retry_after(reply), operation=call.operation, status=status)
        if status == HTTPStatus.UNAUTHORIZED:
            raise StopSync("credentials_refused", connector=self.connection.connector, detail=self._explained(reply))
        if status == HTTPStatus.FORBIDDEN:
            raise StopSync("access_refused", connector=self.connection.connector, operation=call.operation, detail=self._explained(reply))
        if 300 <= status < 400:
            raise StopSync("address_moved", connector=self.connection.connector, address=call.address.partition("?")[0])
        raise ItemFailed("insurer_refuses", operation=call.operation, status=status, detail=self._explained(reply))

    def _explained(self, reply: Reply) -> str:
        """The insurer's own words, without secrets."""
        try:
            said = self._explain(reply)
        except ConnectorError:
            said = ""
        return Redaction(self.connection.credentials.values()).text(said)[:300]

    def _retry_after(self, reply: Reply) -> int | None:
        given = reply.headers.get("retry-after", "").strip()
        if given.isascii() and given.isdigit():
            return min(int(given[:9]), _LONGEST_WAIT_SECONDS)
        try:
            seconds = (parsedate_to_datetime(given) - self.connection.clock()).total_seconds()
        except (ValueError, TypeError):
            return None
        return min(max(int(seconds), 0), _LONGEST_WAIT_SECONDS)

    def _option(self, name: str) -> float:
        try:
            value = float(self.connection.options.get(name, ""))
        except ValueError:
            return _DEFAULTS[name]
        return value if 0 < value < 1_000_000 else _DEFAULTS[name]

    def _timeouts(self) -> httpx2.Timeout:
        return httpx2.Timeout(self._option("read_seconds"), connect=self._option("connect_seconds"))

    def _require_reachable(self, address: str) -> None:
        """Refuses what credentials must not be sent to: plain HTTP, and addresses inside our own network.

        A sandbox is beside us; an option may allow a private address, for an insurer reached over a tunnel.
        """
        options = self.connection.options
        if options.get("environment") == "sandbox":
            return
        try:
            url = httpx2.URL(address)
            port = url.port or 443
        except httpx2.InvalidURL as error:
            raise StopSync("address_wrong", connector=self.connection.connector, address=address[:100]) from error
        if url.scheme != "https" or not url.host or url.userinfo:
            raise StopSync("address_not_secure", connector=self.connection.connector, address=url.host)
        if options.get("private_addresses") == "allowed":
            return
        if any(not ipaddress.ip_address(each).is_global for each in _resolved(url.host, port)):
            raise StopSync("address_private", connector=self.connection.connector, address=url.host)


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    address: str
    operation: str
    is_safe: bool
    params: dict[str, str]
    content: bytes | None
    headers: dict[str, str]
    accepts: frozenset[int]
    keeps_bodies: bool


def _lost_or(call: _Call, otherwise: Callable[..., ConnectorError], code: str, **parameters: object) -> ConnectorError:
    """A question fails; a message that went out and whose answer is not there is lost."""
    if call.is_safe:
        return otherwise(code, **parameters)
    return AnswerLost("answer_lost" if code == "no_answer" else code, **{"operation": call.operation, **parameters})


def _encoded(json_body: object, form: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    if form is not None:
        return str(httpx2.QueryParams(dict(form))).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if json_body is not None:
        return json.dumps(json_body).encode(), {"Content-Type": "application/json"}
    return None, {}


def _resolved(host: str, port: int) -> list[str]:
    """The addresses of a host. Errors: ``TryLater`` ``insurer_unreachable`` where nobody knows it now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TryLater("insurer_unreachable", host=host) from error
    return [str(place[0]).partition("%")[0] for *_kind, place in found]


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _new_client(transport: httpx2.BaseTransport | None = None) -> httpx2.Client:
    """A client that follows no redirect, keeps no cookie and takes nothing from the environment (a ``.netrc`` would add a password)."""
    client = httpx2.Client(transport=transport, trust_env=False, follow_redirects=False, headers={"User-Agent": "InsureFlow"})
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


@cache
def _client_of(_process: int) -> httpx2.Client:
    return _new_client()


def _shared_client() -> httpx2.Client:
    """The client of this process; a forked one makes its own, as two must not share a socket."""
    return _client_of(os.getpid())
