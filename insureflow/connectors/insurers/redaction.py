"""What of an exchange may be kept: no secret, no token, no more than an excerpt."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

HIDDEN = "***"
EXCERPT = 2000

#: Read beyond the excerpt, so that a secret on its edge is seen whole before anything is cut.
_MARGIN = 8000
#: Shorter values would make holes in ordinary text and hide nothing.
_LEAST = 4

_HUSHED = (
    r"[\w.\-]*(?:authori[sz]ation|api[_\-]?key|app[_\-]?key|x-api-key|token|secret|passw(?:or)?d|passphrase|cookie|signature"
    r"|credential|client[_\-]?id|user[_\-]?name|session)[\w.\-]*"
)
_SECRET_NAME = re.compile(rf"^{_HUSHED}$", re.IGNORECASE)
_IN_JSON = re.compile(rf'("{_HUSHED}"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,"}}\]]+)', re.IGNORECASE)
_IN_FORM = re.compile(rf"((?:^|[?&\s;])({_HUSHED})=)[^&\s;]*", re.IGNORECASE)
_SCHEME_AND_SECRET = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=\-]{4,}", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a header or field of this name holds a secret."""
    return _SECRET_NAME.match(name) is not None


class Redaction:
    """Takes secrets out of text: by the name of their field, and by their value wherever it stands and however it is written."""

    def __init__(self, secrets: Iterable[str]) -> None:
        written: set[str] = set()
        for secret in secrets:
            if len(secret) >= _LEAST:
                in_json = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
                written |= {secret, *in_json, *(text.replace("/", r"\/") for text in in_json)}
                written |= {quote(secret, safe=""), quote(secret), quote_plus(secret), base64.b64encode(secret.encode()).decode()}
        self._values = (
            re.compile("|".join(re.escape(each) for each in sorted(written, key=len, reverse=True)), re.IGNORECASE) if written else None
        )

    def text(self, text: str) -> str:
        """The text without secrets, cut to an excerpt."""
        shown = text[:_MARGIN]
        if self._values is not None:
            shown = self._values.sub(HIDDEN, shown)
        shown = _SCHEME_AND_SECRET.sub(rf"\1 {HIDDEN}", shown)
        shown = _IN_JSON.sub(rf'\1"{HIDDEN}"', shown)
        shown = _IN_FORM.sub(rf"\1{HIDDEN}", shown)
        return shown if len(shown) <= EXCERPT else shown[: EXCERPT - 1] + "…"

    def body(self, body: bytes) -> str:
        """An excerpt of a body."""
        return self.text(body[:_MARGIN].decode("utf-8", "replace"))

    def headers(self, headers: Mapping[str, str]) -> str:
        """Headers, one on a line, the secret ones hidden."""
        return "\n".join(f"{name}: {HIDDEN if is_secret_name(name) else self.text(value)}" for name, value in headers.items())

    def address(self, address: str) -> str:
        """An address without a user's name, a password or a secret in its query."""
        try:
            parts = urlsplit(address)
            place = parts.netloc.rpartition("@")[2]
            return self.text(urlunsplit((parts.scheme, place, parts.path, parts.query, "")))[:500]
        except ValueError:
            return HIDDEN
