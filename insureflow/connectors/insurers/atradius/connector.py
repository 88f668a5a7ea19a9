"""The connector: a request is decided at once (201) or referred (202).

There is no reading of one cover by its number, so lists are fetched and merged.

*Source:* two independent clients that work with it agree on hosts, authentication, paths and the main fields; the codes of decisions
come from one of them. Not documented, and therefore not here: paging, claims, a stable list of register types per country.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from insureflow.connectors.insurers.atradius.covers import COVER_TYPES, read_covers
from insureflow.connectors.insurers.http import InsurerHttp, Reply, Token
from insureflow.connectors.insurers.interface import (
    AnswerLost,
    CompanyMatch,
    CompanyQuery,
    Connection,
    ConnectorError,
    CoverPage,
    InsurerCover,
    ItemFailed,
    LimitMessage,
    NotSupported,
    Push,
    Receipt,
    StopSync,
)
from insureflow.connectors.insurers.reading import (
    ALPHA_3_BY_ALPHA_2,
    read_country,
    read_currency,
    read_list,
    read_number,
    read_object,
    read_text,
    require_text,
)
from insureflow.domain.connections import Confidence, Operation
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode

#: What is asked for → the action of a PUT; a new limit is a POST.
ACTIONS: Mapping[CoverRequestCode, str] = {
    CoverRequestCode.INCREASE: "supersede",
    CoverRequestCode.REDUCTION: "reduce",
    CoverRequestCode.CANCELLATION: "cancel",
}
OPERATIONS: Mapping[CoverRequestCode, Operation] = {
    CoverRequestCode.NEW_LIMIT: Operation.REQUEST_NEW,
    CoverRequestCode.INCREASE: Operation.REQUEST_INCREASE,
    CoverRequestCode.REDUCTION: Operation.REQUEST_REDUCTION,
    CoverRequestCode.CANCELLATION: Operation.REQUEST_CANCELLATION,
}

#: Our register of a number → their uidType. The meaning of the others differs by country and is not public: option ``uid_type.SE``.
UID_TYPES: Mapping[tuple[str, str], str] = {("registration", "FR"): "SN"}
UID_TYPES_ANYWHERE: Mapping[str, str] = {"vat": "VAT", "duns": "DB"}

_READING = frozenset(
    {
        Operation.FIND_COMPANY,
        Operation.FIND_REQUEST,
        Operation.POLL_REQUESTS,
        Operation.LIST_COVERS,
        Operation.LIST_CHANGES,
        Operation.READ_GRADE,  # it stands in every cover
    }
)
#: Our day may have begun while the insurer's has not.
TIME_ZONES = timedelta(days=1)
_PAGE_ROWS = 1000
#: All lists; a later one is nearer the truth: what is in force stands, whatever older versions of it are in the others.
_ALL_LISTS = ("applications", "decisions", "historic", "")


class Atradius:
    """Covers and buyers of Atradius."""

    key = "atradius"
    name = "Atradius"
    confidence = Confidence.CLIENTS
    credential_names: tuple[str, ...] = ("client_id", "secret", "app_key")
    policy_key_names: tuple[str, ...] = ("customer_id", "policy_id")
    address_names: tuple[str, ...] = ("token", "policies", "buyers", "covers")
    default_addresses: Mapping[str, Mapping[str, str]] = {
        environment: {
            "token": f"{host}/authenticate/v2/tokens",
            "policies": f"{host}/credit-insurance/policy-management/v1/policies",
            "buyers": f"{host}/credit-insurance/organisation-management/v1/buyers",
            "covers": f"{host}/credit-insurance/cover-management/v1/covers",
        }
        for environment, host in (("production", "https://api.atradius.com"), ("test", "https://api-uat.atradius.com"))
    }
    company_scheme = "atradius_buyer"
    charges_look_ups = True
    amount_step = 1000
    carries = frozenset((Layer.PRIMARY, kind) for kind in COVER_TYPES)

    def capabilities(self, connection: Connection) -> frozenset[Operation]:
        """Reading always; requests while the policy is live. The currency of the policy is compared with ours."""
        http = self._http(connection)
        reply = http.call("GET", http.address("policies", "/details"), "policy", params={"policyId": _policy_key(connection, "policy_id")})
        rows = _rows(reply)
        policy = rows[0] if rows else {}
        theirs = read_currency(policy.get("policyCurrency"), "policyCurrency", default=connection.policy_currency)
        if theirs != connection.policy_currency:
            raise StopSync("policy_currency_differs", theirs=theirs, ours=connection.policy_currency)
        is_live = read_text(policy.get("policyStatus"), "policyStatus").casefold() == "live"
        return _READING | frozenset(OPERATIONS.values()) if is_live else _READING

    def find_companies(self, connection: Connection, query: CompanyQuery) -> tuple[CompanyMatch, ...]:
        """Buyers by a number of a public register; names are not searched. May be charged."""
        country = ALPHA_3_BY_ALPHA_2.get(query.country, "")
        asked = [(uid_type, value) for scheme, value in query.identifiers if (uid_type := _uid_type(connection, scheme, query.country))]
        if not country or not asked:
            schemes = ["vat", *(["registration"] if _uid_type(connection, "registration", query.country) else [])]
            raise ItemFailed("identifier_needed", schemes=", ".join(schemes))
        http = self._http(connection)
        for uid_type, value in asked:
            params = {"country": country, "uid": value, "uidType": uid_type}
            reply = http.call("GET", http.address("buyers"), "find_company", params=params, accepts={404})
            if reply.status != 404 and (rows := _rows(reply)):
                return tuple(_match(row, query.country) for row in rows)
        return ()

    def submit(self, connection: Connection, message: LimitMessage) -> Receipt:
        """Hand in a request: 201 brings a decision, 202 says that somebody studies it."""
        http = self._http(connection)
        body = _body(connection, message)
        method = "POST" if message.code is CoverRequestCode.NEW_LIMIT else "PUT"
        reply = http.call(method, http.address("covers"), OPERATIONS[message.code].value, json_body=body)
        rows = _rows(reply)
        try:
            cover_id = require_text(rows[0].get("coverId") if rows else None, "coverId")
        except ItemFailed as error:  # it has arrived, and only the reference is missing
            raise AnswerLost("reply_unreadable", operation=OPERATIONS[message.code].value) from error
        if reply.status == 202:
            return Receipt(cover_id)
        return Receipt(cover_id, self._decided(connection, message.company_id, cover_id))

    def _decided(self, connection: Connection, company_id: str, cover_id: str) -> InsurerCover | None:
        """The decision behind a 201. When it cannot be read now, the receipt must not be lost for it."""
        try:
            merged = self._merged(connection, _ALL_LISTS, {"buyerId": company_id})[0]
        except ConnectorError:
            return None
        cover = merged.get(cover_id)
        return None if cover is None or cover.response is CoverResponseCode.STILL_INVESTIGATING else cover

    def find_request(self, connection: Connection, message: LimitMessage) -> Receipt | None:
        """The cover that carries our reference.

        Where the insurer shows no references at all, what was asked for must be there: the same kind and amount for the same buyer,
        not older than the request. Atradius keeps at most one of those per buyer.
        """
        merged, is_whole = self._merged(connection, _ALL_LISTS, {"buyerId": message.company_id})
        found = [cover for cover in merged.values() if _is_answer(cover, message)]
        if not found and not any(cover.own_reference for cover in merged.values()):
            found = [cover for cover in merged.values() if _looks_like_answer(cover, message)]
        if found:
            newest = max(found, key=lambda cover: (cover.decided_on or date.min, cover.cover_id))
            return Receipt(newest.cover_id, None if newest.response is CoverResponseCode.STILL_INVESTIGATING else newest)
        if not is_whole:
            raise ItemFailed("reply_unreadable", operation=Operation.FIND_REQUEST.value)
        return None

    def poll(self, connection: Connection, references: tuple[str, ...]) -> tuple[InsurerCover, ...]:
        """How requests stand. The lists are fetched whole, whatever the number of references."""
        if not references:
            return ()
        merged, _is_whole = self._merged(connection, _ALL_LISTS, {})
        return tuple(replace(merged[each], request_reference=each) for each in references if each in merged)

    def list_covers(self, connection: Connection, cursor: str | None = None) -> Iterator[CoverPage]:
        """Covers in force and applications, one row for each number, in the order of the numbers.

        The interface has no pages: the whole is fetched and given part by part. The cursor is the last number given.
        """
        unreadable_rows: list[tuple[str, str]] = []
        merged, is_whole = self._merged(connection, ("applications", ""), {}, unreadable_rows)
        standing = [cover for _key, cover in sorted(merged.items(), key=lambda item: _order(item[0]))]
        yield from _paged(standing, cursor, is_whole=is_whole, unreadable_rows=unreadable_rows)

    def list_changes(self, connection: Connection, since: date) -> Iterator[CoverPage]:
        """Decisions since a day, applications, and covers that have ended since."""
        unreadable_rows: list[tuple[str, str]] = []
        http = self._http(connection)
        merged: dict[str, InsurerCover] = {}
        is_whole = True
        for name in _offered(connection, ("applications", "decisions", "historic")):
            params = {"fromDate": since.isoformat()} if name == "decisions" else {}
            covers, whole = self._list(http, name, params, unreadable_rows)
            is_whole = is_whole and whole
            merged |= {cover.cover_id: cover for cover in covers if name != "historic" or _ended_since(cover, since)}
        covers_in_order = [cover for _key, cover in sorted(merged.items(), key=lambda item: _order(item[0]))]
        yield from _paged(covers_in_order, None, is_whole=is_whole, unreadable_rows=unreadable_rows)

    def read_push(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> Push:
        """Atradius sends nothing of its own accord. Errors: ``NotSupported``."""
        del connection, headers, body
        raise NotSupported(self.name, Operation.RECEIVE_PUSH)

    def _merged(
        self,
        connection: Connection,
        names: Iterable[str],
        params: Mapping[str, str],
        unreadable_rows: list[tuple[str, str]] | None = None,
    ) -> tuple[dict[str, InsurerCover], bool]:
        """Covers of several lists by their number; a later list is nearer the truth. And whether every list was whole."""
        http = self._http(connection)
        merged: dict[str, InsurerCover] = {}
        is_whole = True
        for name in _offered(connection, names):
            covers, whole = self._list(http, name, params, unreadable_rows)
            is_whole = is_whole and whole
            merged |= {cover.cover_id: cover for cover in covers}
        return merged, is_whole

    def _list(
        self, http: InsurerHttp, name: str, params: Mapping[str, str], unreadable_rows: list[tuple[str, str]] | None
    ) -> tuple[list[InsurerCover], bool]:
        connection = http.connection
        keys = {"customerId": _policy_key(connection, "customer_id"), "policyId": _policy_key(connection, "policy_id")}
        reply = http.call("GET", http.address("covers", f"/{name}" if name else ""), f"list_{name or 'covers'}", params={**keys, **params})
        covers: list[InsurerCover] = []
        is_whole = reply.status != 206
        for row in _rows(reply):
            try:
                covers += read_covers(row, connection.policy_currency)
            except ItemFailed as error:
                is_whole = False
                if unreadable_rows is not None:
                    unreadable_rows.append((str(row.get("coverId"))[:80], str(error.parameters.get("field") or error.code)))
        return covers, is_whole

    def _http(self, connection: Connection) -> InsurerHttp:
        http = InsurerHttp(
            connection,
            fetch_token=_fetch_token,
            headers={"Atradius-App-Key": connection.credentials.get("app_key", ""), "Accept": "application/json"},
            correlation_header="Atradius-Correlation-Id",
            explain=_explain,
        )
        http.credential("app_key")
        return http


def _body(connection: Connection, message: LimitMessage) -> dict[str, Any]:
    """The body of a request. Errors: ``NotSupported``, ``ItemFailed``."""
    operation = OPERATIONS.get(message.code)
    cover_type = COVER_TYPES.get(message.kind)
    if operation is None or cover_type is None or (message.layer, message.kind) not in Atradius.carries:
        raise NotSupported(Atradius.name, operation or Operation.REQUEST_NEW)
    body: dict[str, Any] = {
        "customerId": _number_of(_policy_key(connection, "customer_id")),
        "policyId": _policy_key(connection, "policy_id"),
        "buyerId": _number_of(message.company_id),
        "coverType": cover_type,
        "customerRefNumber": message.own_reference,
    }
    if message.code in ACTIONS:
        body["action"] = ACTIONS[message.code]
    if message.code is CoverRequestCode.CANCELLATION or message.kind is LimitKind.CREDIT_CHECK:
        return body
    if message.amount is None:
        raise ItemFailed("request_needs_amount")
    amount = message.amount.amount
    if amount <= 0 or amount % Atradius.amount_step:
        raise ItemFailed("amount_step", step=Atradius.amount_step, amount=message.amount)
    return body | {
        "currencyCode": message.amount.currency,
        "creditLimitAmount": int(amount),
        "effectFromDate": message.asked_on.isoformat(),
    }


def _offered(connection: Connection, names: Iterable[str]) -> list[str]:
    """The lists this policy has: that of ended covers is known from hearsay, and the option ``historic`` = ``off`` leaves it out."""
    return [name for name in names if name != "historic" or connection.options.get("historic") != "off"]


def _is_answer(cover: InsurerCover, message: LimitMessage) -> bool:
    return bool(cover.own_reference) and cover.own_reference == message.own_reference


def _looks_like_answer(cover: InsurerCover, message: LimitMessage) -> bool:
    """Whether a cover without a reference is what the request asked for; decided or applied for not before it was asked."""
    if cover.kind is not message.kind:
        return False
    if message.code is CoverRequestCode.CANCELLATION:
        is_cancelled = cover.raw.get("historicCode") in {"CCLD", "CCLA"} or cover.raw.get("pendingProcessIndicator") == "C"
        return is_cancelled and (message.cover_id is None or cover.cover_id == message.cover_id)
    if cover.decided_on is not None and cover.decided_on < message.asked_on - TIME_ZONES:
        return False
    if message.code is CoverRequestCode.REDUCTION:
        return cover.decided is not None and cover.decided == message.amount
    return cover.requested == message.amount and cover.cover_id != message.cover_id


def _ended_since(cover: InsurerCover, since: date) -> bool:
    """Whether a row of the historic list is news; one without a day may be."""
    day = cover.effective_on or cover.decided_on
    return day is None or day >= since


def _paged(
    covers: list[InsurerCover], cursor: str | None, *, is_whole: bool, unreadable_rows: list[tuple[str, str]]
) -> Iterator[CoverPage]:
    following = [cover for cover in covers if cursor is None or _order(cover.cover_id) > _order(cursor)]
    problems = tuple(unreadable_rows)
    for start in range(0, max(len(following), 1), _PAGE_ROWS):
        part = tuple(following[start : start + _PAGE_ROWS])
        has_more = start + _PAGE_ROWS < len(following)
        yield CoverPage(part, part[-1].cover_id if has_more else None, len(covers), is_whole, problems if start == 0 else ())


def _order(cover_id: str) -> tuple[int, str]:
    """Numbers in their order; a second amount after its cover."""
    number, _, rest = cover_id.partition("/")
    return (int(number), rest) if number.isascii() and number.isdigit() and len(number) <= 18 else (0, cover_id)


def _rows(reply: Reply) -> list[Mapping[str, Any]]:
    """What is in the envelope, whether it holds a list or a single object."""
    whole = reply.json()
    try:
        data = read_object(whole, "data").get("data")
        return [read_object(row, "data") for row in read_list(data, "data")]
    except ItemFailed as error:
        if reply.is_safe:
            raise
        raise AnswerLost("reply_unreadable", operation=reply.operation) from error


def _match(row: Mapping[str, Any], country: str) -> CompanyMatch:
    address = read_object(row.get("registeredAddress"), "registeredAddress")
    return CompanyMatch(
        company_id=require_text(row.get("buyerId"), "buyerId"),
        scheme=Atradius.company_scheme,
        name=read_text(row.get("buyerName"), "buyerName") or read_text(row.get("name"), "name"),
        country=read_country(address.get("country"), "country") or country,
        city=read_text(address.get("city"), "city"),
        is_exact=True,
    )


def _uid_type(connection: Connection, scheme: str, country: str) -> str:
    if scheme == "registration" and (told := connection.options.get(f"uid_type.{country}", "")):
        return told
    return UID_TYPES.get((scheme, country)) or UID_TYPES_ANYWHERE.get(scheme, "")


def _policy_key(connection: Connection, name: str) -> str:
    value = connection.policy_key.get(name, "")
    if not value:
        raise StopSync("policy_key_missing", connector=Atradius.name, name=name)
    return value


def _number_of(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ItemFailed("company_number_wrong", value=text[:40])
    return int(text)


def _fetch_token(http: InsurerHttp) -> Token:
    basic = base64.b64encode(f"{http.credential('client_id')}:{http.credential('secret')}".encode()).decode()
    reply = http.call(
        "POST",
        http.address("token"),
        "token",
        is_safe=True,
        with_token=False,
        keeps_bodies=False,
        headers={"Authorization": f"Basic {basic}"},
    )
    data = (_rows(reply) or [{}])[0]
    seconds = read_number(data.get("expires_in"), "expires_in")
    return Token(require_text(data.get("access_token"), "access_token"), int(seconds or 0))


def _explain(reply: Reply) -> str:
    errors = read_list(read_object(reply.json(), "errors").get("errors"), "errors")
    said = []
    for each in errors[:5]:
        error = read_object(each, "errors")
        parameter = read_text(read_object(error.get("source"), "source").get("parameter"), "parameter")
        detail = read_text(error.get("detail"), "detail")
        said.append(f"{detail} ({parameter})" if parameter else detail)
    return "; ".join(said)
