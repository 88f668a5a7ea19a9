"""What may be kept of an exchange: no secret, however it is written."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from insureflow.connectors.insurers.redaction import EXCERPT, Redaction, is_secret_name


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=6, max_size=40), st.text(max_size=50), st.text(max_size=50))
def test_a_secret_is_hidden_in_every_writing(secret: str, before: str, after: str) -> None:
    redaction = Redaction([secret])
    for written in (
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(secret.encode()).decode(),
    ):
        assert written not in redaction.text(f"{before[:20]}\n<{written}>\n{after[:20]}").replace("***", "")


def test_fields_are_hidden_by_their_name() -> None:
    redaction = Redaction([])
    assert redaction.text('{"apiKey": "abc", "amount": 5}') == '{"apiKey": "***", "amount": 5}'
    assert redaction.text('{"idToken":"a\\"b","refresh_token":12}') == '{"idToken":"***","refresh_token":"***"}'
    assert redaction.text('{"password": "cut in the mid') == '{"password": "***"'
    assert redaction.text("Authorization is Bearer abc.def-ghi") == "Authorization is Bearer ***"
    assert redaction.text("grant_type=password&client_secret=x1&scope=read") == "grant_type=password&client_secret=***&scope=read"
    assert redaction.headers({"Atradius-App-Key": "k", "Accept": "json", "X-Api-Key": "k", "Cookie": "k"}).splitlines() == [
        "Atradius-App-Key: ***", "Accept: json", "X-Api-Key: ***", "Cookie: ***",
    ]  # fmt: skip
    assert redaction.address("https://me:pw@host.example/a?token=1&page=2#x") == "https://host.example/a?token=***&page=2"
    assert redaction.address("https://[") == "***"
    assert not any(is_secret_name(name) for name in ("buyerName", "creditLimitAmount", "policyId", "Content-Type"))


def test_only_an_excerpt_is_kept_and_no_secret_survives_on_its_edge() -> None:
    secret = "s3cr3t-value-of-some-length"
    for place in range(EXCERPT - 40, EXCERPT + 5):
        shown = Redaction([secret]).body((" " * place + secret + " " * 5000).encode())
        assert len(shown) <= EXCERPT
        assert secret[:6] not in shown
    assert Redaction([]).body(b"\xff\xfe") == "\ufffd\ufffd"
