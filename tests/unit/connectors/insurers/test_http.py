"""The way to an insurer: what is repeated and what never, what each failure means, and where credentials must not go."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import stamina

from insureflow.connectors.insurers.http import InsurerHttp, Reply
from insureflow.connectors.insurers.interface import AnswerLost, Connection, ConnectorError, Exchange, ItemFailed, StopSync, TryLater
from insureflow.connectors.insurers.tokens import TOKENS, Token, TokenCache

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADDRESS = "https://insurer.example/covers"
Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    TOKENS.clear()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


class Wire:
    """Answers in turn, the last one for good; what came in is kept."""

    def __init__(self, *answers: Answer | httpx2.Response | Exception, options: dict[str, str] | None = None, **given: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.exchanges: list[Exchange] = []
        connection = Connection(
            key=1,
            connector="test",
            addresses={"covers": ADDRESS},
            policy_key={},
            policy_currency="EUR",
            credentials={"key": 'top "secret" ü'},
            clock=lambda: NOW,
            options={"environment": "sandbox", **(options or {})},
            record=self.exchanges.append,
        )
        self.http = InsurerHttp(connection, transport=httpx2.MockTransport(self.answer), **given)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else answer(request)


def status(code: int, **given: Any) -> Answer:
    return lambda _request: httpx2.Response(code, **given)


OK = status(200, json={"amount": 1.10})
BEFORE_SENDING = (httpx2.ConnectError("no"), httpx2.ConnectTimeout("no"), httpx2.PoolTimeout("no"))
AFTER_SENDING = (httpx2.ReadTimeout("no"), httpx2.ReadError("no"), httpx2.RemoteProtocolError("no"), httpx2.WriteTimeout("no"))


@pytest.mark.parametrize("failure", [*BEFORE_SENDING, *AFTER_SENDING, status(500), status(502), status(503), status(504), status(408)])
def test_a_question_is_asked_again(failure: Any) -> None:
    wire = Wire(failure, failure, OK)
    assert wire.http.call("GET", ADDRESS, "list").status == 200
    assert len(wire.requests) == 3
    stubborn = Wire(failure)
    with pytest.raises(TryLater):
        stubborn.http.call("GET", ADDRESS, "list")
    assert len(stubborn.requests) == len(stubborn.exchanges) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("failure", [*AFTER_SENDING, status(500), status(503), status(408)])
def test_a_message_is_never_sent_twice(failure: Any, method: str) -> None:
    wire = Wire(failure)
    with pytest.raises(AnswerLost):
        wire.http.call(method, ADDRESS, "submit", json_body={})
    assert len(wire.requests) == 1


@pytest.mark.parametrize("failure", BEFORE_SENDING)
def test_a_message_that_did_not_leave_is_not_lost(failure: Exception) -> None:
    wire = Wire(failure)
    with pytest.raises(TryLater, match="insurer_unreachable"):
        wire.http.call("POST", ADDRESS, "submit", json_body={})


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        (400, ItemFailed, "insurer_refuses"),
        (404, ItemFailed, "insurer_refuses"),
        (422, ItemFailed, "insurer_refuses"),
        (401, StopSync, "credentials_refused"),
        (403, StopSync, "access_refused"),
        (302, StopSync, "address_moved"),
        (429, TryLater, "too_many_requests"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_status_says_what_to_do(method: str, code: int, kind: type[ConnectorError], expected: str) -> None:
    wire = Wire(status(code, headers={"Location": "https://elsewhere.example"}))
    with pytest.raises(kind, match=expected):
        wire.http.call(method, ADDRESS, "anything")
    assert len(wire.requests) == 1
    assert wire.exchanges[0].error == expected


def test_the_words_of_a_refusal_come_along_without_secrets() -> None:
    def explain(reply: Reply) -> str:
        return str(reply.json()["detail"])

    wire = Wire(status(422, json={"detail": 'Key top "secret" ü is bad'}), explain=explain)
    with pytest.raises(ItemFailed) as caught:
        wire.http.call("POST", ADDRESS, "submit")
    assert caught.value.parameters["detail"] == "Key *** is bad"
    unreadable = Wire(status(422, content=b"<html>"), explain=explain)
    with pytest.raises(ItemFailed) as caught:
        unreadable.http.call("POST", ADDRESS, "submit")
    assert caught.value.parameters["detail"] == ""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("9" * 30, 86400),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str, seconds: int | None) -> None:
    with pytest.raises(TryLater) as caught:
        Wire(status(429, headers={"Retry-After": header})).http.call("GET", ADDRESS, "list")
    assert caught.value.retry_after_seconds == seconds


def test_a_server_that_asks_for_rest_gets_it() -> None:
    wire = Wire(status(503, headers={"Retry-After": "60"}))
    with pytest.raises(TryLater) as caught:
        wire.http.call("GET", ADDRESS, "list")
    assert (len(wire.requests), caught.value.retry_after_seconds) == (1, 60)


def test_an_accepted_status_is_an_answer() -> None:
    assert Wire(status(404)).http.call("GET", ADDRESS, "find", accepts={404}).status == 404


def test_a_search_by_post_is_a_question() -> None:
    wire = Wire(status(500), OK)
    assert wire.http.call("POST", ADDRESS, "search", is_safe=True, json_body={"a": "ü"}).status == 200
    assert json.loads(wire.requests[1].content) == {"a": "ü"}


def test_numbers_are_never_floats() -> None:
    reply = Wire(OK).http.call("GET", ADDRESS, "list")
    assert str(reply.json()["amount"]) == "1.1"
    assert type(reply.json()["amount"]).__name__ == "Decimal"


def test_size_and_time_of_a_reply_are_limited() -> None:
    large = Wire(status(200, content=b" " * (2 * 1024 * 1024)), options={"reply_mebibytes": "1"})
    with pytest.raises(ItemFailed, match="reply_too_large"):
        large.http.call("GET", ADDRESS, "list")
    with pytest.raises(AnswerLost, match="reply_too_large"):
        large.http.call("POST", ADDRESS, "submit")
    pause = threading.Event()

    class Dripping(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                pause.wait(0.02)
                yield b" "

    dripping = Wire(status(200, stream=Dripping()), options={"deadline_seconds": "0.1"})
    with pytest.raises(AnswerLost, match="answer_lost"):
        dripping.http.call("POST", ADDRESS, "submit")
    bomb = Wire(status(200, content=b"\x1f\x8bnot gzip", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(TryLater, match="no_answer"):
        bomb.http.call("GET", ADDRESS, "list")


def test_an_unreadable_reply_is_a_question_for_later_and_a_message_lost() -> None:
    wire = Wire(status(200, content=b'{"a": '))
    with pytest.raises(TryLater, match="reply_unreadable"):
        wire.http.call("GET", ADDRESS, "list").json()
    with pytest.raises(AnswerLost, match="reply_unreadable"):
        wire.http.call("POST", ADDRESS, "submit").json()


def test_a_token_is_shared_and_renewed_once() -> None:
    given = iter(range(1, 100))

    def fetch(_http: InsurerHttp) -> Token:
        return Token(f"token-number-{next(given)}", 1800)

    def gate(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(401 if request.headers["Authorization"] == "Bearer token-number-1" else 200)

    wire = Wire(gate, fetch_token=fetch)
    assert wire.http.call("POST", ADDRESS, "submit").status == 200
    assert wire.http.call("GET", ADDRESS, "list").status == 200
    assert [request.headers["Authorization"][-1] for request in wire.requests] == ["1", "2", "2"]
    assert not any("token-number" in exchange.request for exchange in wire.exchanges)
    refused = Wire(status(401), fetch_token=fetch, options={"environment": "sandbox"})
    with pytest.raises(StopSync, match="credentials_refused"):
        refused.http.call("POST", ADDRESS, "submit")
    assert len(refused.requests) == 2


def test_many_threads_ask_for_one_token() -> None:
    cache, asked, start = TokenCache(), [], threading.Barrier(8)
    found: list[str] = []

    def fetch() -> Token:
        asked.append(1)
        return Token("shared", 1800)

    def work() -> None:
        start.wait()
        found.append(cache.get("key", fetch))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(asked), found) == (1, ["shared"] * 8)
    cache.drop("key", "another")
    assert cache.get("key", fetch) == "shared"
    assert len(asked) == 1


def test_a_token_is_renewed_before_it_expires() -> None:
    now = [0.0]
    cache = TokenCache(lambda: now[0])
    values = iter("abcdef")
    fetch = lambda: Token(next(values), 1800)  # noqa: E731 (shorter here)
    assert cache.get("key", fetch) == "a"
    now[0] = 1739
    assert cache.get("key", fetch) == "a"
    now[0] = 1740
    assert cache.get("key", fetch) == "b"
    assert cache.get("other", lambda: Token("brief", 0)) == "brief"
    assert TokenCache.key("ab", "c") != TokenCache.key("a", "bc")
    assert "abc" not in repr(Token("abc", 1))


@pytest.mark.parametrize(
    ("address", "options", "expected"),
    [
        ("http://insurer.example/", {}, "address_not_secure"),
        ("https://name:word@insurer.example/", {}, "address_not_secure"),
        ("https://127.0.0.1/", {}, "address_private"),
        ("https://10.1.2.3/", {}, "address_private"),
        ("https://169.254.169.254/latest/meta-data", {}, "address_private"),
        ("https://[::1]/", {}, "address_private"),
        ("https://[::ffff:127.0.0.1]/", {}, "address_private"),
        ("https://localhost/", {}, "address_private"),
        ("ftp://insurer.example/", {}, "address_not_secure"),
        ("https://insurer.example:abc/", {}, "address_wrong"),
        ("http://10.1.2.3/", {"private_addresses": "allowed"}, "address_not_secure"),
    ],
)
def test_credentials_go_to_no_address_within(address: str, options: dict[str, str], expected: str) -> None:
    wire = Wire(OK, options={"environment": "production", **options})
    with pytest.raises(StopSync, match=expected):
        wire.http.call("GET", address, "list")
    assert wire.requests == []


def test_a_private_address_may_be_allowed() -> None:
    wire = Wire(OK, options={"environment": "production", "private_addresses": "allowed"})
    assert wire.http.call("GET", "https://10.1.2.3/", "list").status == 200


def test_what_cannot_be_written_stops() -> None:
    with pytest.raises(StopSync, match="request_not_writable"):
        Wire(OK, headers={"X-Key": "ключ"}).http.call("GET", ADDRESS, "list")
    with pytest.raises(StopSync, match="request_not_writable"):
        Wire(OK).http.call("GET", "http://insurer.example:abc/", "list")


def test_the_log_holds_what_support_needs_and_no_secret() -> None:
    wire = Wire(
        status(200, json={"access_token": "abcdefgh", "note": 'top "secret" ü'}),
        headers={"X-App-Key": "visible?"},
        correlation_header="X-Id",
    )
    wire.http.call("POST", ADDRESS, "submit", params={"apikey": "1234567", "page": "2"}, form={"password": "letmein", "kind": "a"})
    (exchange,) = wire.exchanges
    assert (exchange.at, exchange.operation, exchange.method, exchange.status) == (NOW, "submit", "POST", 200)
    assert exchange.correlation == wire.requests[0].headers["X-Id"]
    assert exchange.address == f"{ADDRESS}?apikey=***&page=2"
    assert "password=***&kind=a" in exchange.request
    assert "X-App-Key: ***" in exchange.request
    assert exchange.reply == '{"access_token":"***","note":"***"}'


def test_nobodys_cookies_are_kept() -> None:
    wire = Wire(status(200, headers={"Set-Cookie": "session=abc; Path=/"}))
    wire.http.call("GET", ADDRESS, "list")
    wire.http.call("GET", ADDRESS, "list")
    assert "Cookie" not in wire.requests[1].headers
