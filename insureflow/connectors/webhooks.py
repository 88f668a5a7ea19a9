"""Events handed to another system: signed, to the very address that was looked up, without following anybody elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from insureflow.domain.errors import Refusal

SECONDS = 10.0
LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other system said: a status, or why there is none."""

    status: int | None
    error: str

    @property
    def is_taken(self) -> bool:
        """True if the other system has the event."""
        return self.status is not None and 200 <= self.status < 300


def body_of(event: str, event_id: str, payload: Mapping[str, Any]) -> bytes:
    """An event as it travels: the same on every attempt."""
    return json.dumps({"event": event, "id": event_id, "data": payload}, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What proves that an event comes from here. *Formula:* HMAC-SHA256(secret, timestamp + "." + body), in hexadecimal."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def check_address(url: str, *, allows_private: bool) -> None:
    """Whether events may be sent to an address at all. Errors: ``Refusal`` ``webhook_address_wrong``, ``webhook_address_private``."""
    target = _parsed(url)
    if target.scheme != "https" and not (allows_private and target.scheme == "http"):
        raise Refusal("webhook_address_wrong", url=url[:100])
    try:
        address = ipaddress.ip_address(target.host)
    except ValueError:
        if target.host == "localhost" and not allows_private:
            raise Refusal("webhook_address_private", url=url[:100]) from None
        return
    if not address.is_global and not allows_private:
        raise Refusal("webhook_address_private", url=url[:100])


def _parsed(url: str) -> httpx2.URL:
    try:
        target = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:
        raise Refusal("webhook_address_wrong", url=url[:100]) from error
    if target.scheme not in {"http", "https"} or not target.host or target.userinfo:
        raise Refusal("webhook_address_wrong", url=url[:100])
    return target


def _resolved(target: httpx2.URL, *, allows_private: bool) -> str:
    """The address that is spoken to: looked up once and used as it is, so that it cannot change in between."""
    found = socket.getaddrinfo(target.host, target.port or (443 if target.scheme == "https" else 80), type=socket.SOCK_STREAM)
    addresses = [str(place[0]).partition("%")[0] for *_kind, place in found]
    if not allows_private and any(not ipaddress.ip_address(each).is_global for each in addresses):
        raise Refusal("webhook_address_private", url=str(target)[:100])
    return addresses[0]


def post(url: str, secret: str, *, event: str, event_id: str, payload: Mapping[str, Any], timestamp: int, allows_private: bool) -> Answer:
    """Hand an event over once. Whatever goes wrong is said in the answer; the other system's words are not kept."""
    body = body_of(event, event_id, payload)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "InsureFlow",
        "InsureFlow-Event": event,
        "InsureFlow-Event-Id": event_id,
        "InsureFlow-Signature": f"t={timestamp},v1={signature(secret, timestamp, body)}",
    }
    try:
        check_address(url, allows_private=allows_private)
        target = _parsed(url)
        place = _resolved(target, allows_private=allows_private)
        headers["Host"] = target.netloc.decode("ascii")
        with (
            httpx2.Client(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
            client.stream(
                "POST", target.copy_with(host=place), content=body, headers=headers, extensions={"sni_hostname": target.host}
            ) as response,
        ):
            size = 0
            for part in response.iter_raw():
                size += len(part)
                if size > LONGEST_ANSWER:
                    break
            return Answer(response.status_code, "" if 200 <= response.status_code < 300 else f"status {response.status_code}")
    except Refusal as refusal:
        return Answer(None, refusal.code)
    except (httpx2.HTTPError, OSError, UnicodeError) as error:
        return Answer(None, f"{type(error).__name__}: {error}"[:300])
