"""The connector: every request is a job; the job leads to a cover, which is studied or decided.

*Source:* official pages for authentication, jobs and pushes; clients that work with it for company search and covers. Not documented,
and therefore not here: reduction, cancellation, overdues, claims, a reference of ours in a request, the name of the header of pushes
(option ``push_header``), codes of registers (option ``id_type.vat.SE``).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from insureflow.connectors.insurers.allianz_trade.companies import COMPANY_SCHEME, read_matches, read_rows
from insureflow.connectors.insurers.allianz_trade.covers import (
    GRADE_COVER,
    PRIMARY,
    Reading,
    company_of,
    read_covers,
    read_legacy_cover,
    words_of,
)
from insureflow.connectors.insurers.http import InsurerHttp, Reply, Token
from insureflow.connectors.insurers.interface import (
    AnswerLost,
    CompanyMatch,
    CompanyQuery,
    Connection,
    CoverPage,
    InsurerCover,
    ItemFailed,
    LimitMessage,
    NotSupported,
    Push,
    Receipt,
    RequestsFailed,
    StopSync,
)
from insureflow.connectors.insurers.reading import (
    read_day,
    read_json,
    read_money,
    read_number,
    read_object,
    read_text,
    require_text,
)
from insureflow.domain.connections import Confidence, Operation
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode

#: What may be asked for; both are the same message with the whole amount wanted.
OPERATIONS: Mapping[CoverRequestCode, Operation] = {
    CoverRequestCode.NEW_LIMIT: Operation.REQUEST_NEW,
    CoverRequestCode.INCREASE: Operation.REQUEST_INCREASE,
    CoverRequestCode.REDUCTION: Operation.REQUEST_REDUCTION,
    CoverRequestCode.CANCELLATION: Operation.REQUEST_CANCELLATION,
}
_OFFERED = frozenset({CoverRequestCode.NEW_LIMIT, CoverRequestCode.INCREASE})
#: jobStatusCode of a job that has led somewhere, and of one that has not yet.
PROCESSED = "processed"
PENDING_JOBS = frozenset({"pending", "inprogress", "processing", ""})

_JOB, _COVER = "job:", "cover:"
_CAPABILITIES = frozenset(
    {
        Operation.FIND_COMPANY,
        Operation.REQUEST_NEW,
        Operation.REQUEST_INCREASE,
        Operation.FIND_REQUEST,
        Operation.POLL_REQUESTS,
        Operation.LIST_COVERS,
    }
)
#: Our day may have begun while the insurer's has not.
TIME_ZONES = timedelta(days=1)
_PAGE_SIZE = {"v3": 5000, "v2": 100}


class AllianzTrade:
    """Covers and companies of Allianz Trade."""

    key = "allianz_trade"
    name = "Allianz Trade"
    confidence = Confidence.CLIENTS
    credential_names: tuple[str, ...] = ("api_key",)
    policy_key_names: tuple[str, ...] = ("business_unit_code", "policy_id")
    address_names: tuple[str, ...] = ("token", "search", "riskinfo")
    default_addresses: Mapping[str, Mapping[str, str]] = {
        "production": {
            "token": "https://api.allianz-trade.com/v1/idp/oauth2/authorize",
            "search": "https://api.allianz-trade.com/search/v2/companies",
            "riskinfo": "https://api.allianz-trade.com/riskinfo/v3",
            "riskinfo_v2": "https://api.allianz-trade.com/riskinfo/v2",
        },
        "test": {
            "token": "https://api-services.uat.1placedessaisons.com/uatm/v1/idp/oauth2/authorize",
            "search": "https://api-services.uat.1placedessaisons.com/search/uatm-v2/companies",
            "riskinfo": "https://api-services.uat.1placedessaisons.com/uatm/riskinfo/v3",
        },
    }
    company_scheme = COMPANY_SCHEME
    charges_look_ups = False
    amount_step = 1
    carries = frozenset({(Layer.PRIMARY, LimitKind.NAMED), (Layer.PRIMARY, LimitKind.CREDIT_CHECK), (Layer.TOP_UP, LimitKind.TOP_UP)})

    def capabilities(self, connection: Connection) -> frozenset[Operation]:
        """What is documented; nothing says how to ask. A token is fetched, so that wrong credentials show."""
        self._http(connection).renew_token()
        return _CAPABILITIES | ({Operation.RECEIVE_PUSH} if connection.options.get("push") == "on" else frozenset())

    def find_companies(self, connection: Connection, query: CompanyQuery) -> tuple[CompanyMatch, ...]:
        """Companies by numbers whose type code is known (exact), else by name and address (proposals)."""
        http = self._http(connection)
        numbers = [
            {"idTypeCode": code, "idValue": value}
            for scheme, value in query.identifiers
            if (code := connection.options.get(f"id_type.{scheme}.{query.country}", ""))
        ]
        if numbers:
            body = {"requestedSize": 10, "companyIdentifiers": numbers, "countryCode": query.country, "companyIdentifierTypeCode": "EH"}
            found = read_matches(
                http.call("POST", http.address("search", "/matching"), "find_company", is_safe=True, json_body=body), query, is_exact=True
            )
            if found:
                return found
        if not query.name:
            raise ItemFailed("identifier_needed", schemes="name")
        asked = {
            "companyName": query.name,
            "streetName": query.street,
            "town": query.city,
            "postalCode": query.postal_code,
            "countryCode": query.country,
        }
        body = {name: value for name, value in asked.items() if value}
        return read_matches(
            http.call("POST", http.address("search", "/advancedSearch"), "find_company", is_safe=True, json_body=body),
            query,
            is_exact=False,
        )

    def submit(self, connection: Connection, message: LimitMessage) -> Receipt:
        """Hand in a request. The receipt is that of a job; ``poll`` follows it."""
        http = self._http(connection)
        body = _body(connection, message)
        operation = OPERATIONS[message.code].value
        reply = http.call("POST", http.address("riskinfo", "/covers"), operation, json_body=body, headers=_push_header(connection))
        try:
            return Receipt(_JOB + require_text(reply.json(), "jobId"))
        except ItemFailed as error:  # it has arrived, and only the number of the job is missing
            raise AnswerLost("reply_unreadable", operation=operation) from error

    def find_request(self, connection: Connection, message: LimitMessage) -> Receipt | None:
        """A request in progress, or a cover, of the same company, type and amount, not older than the request.

        The interface carries no reference of ours. While one request of a company is in progress it takes no second one.
        """
        http = self._http(connection)
        policy = _policy(connection, _extension_of(connection, message))
        for row in self._requests_in_progress(http, policy):
            row_asked = read_object(row.get("creditLimitDetails"), "creditLimitDetails")
            amount = read_money(row_asked.get("requestedAmount"), connection.policy_currency, "requestedAmount")
            created_on = read_day(row.get("creationDate"), "creationDate")
            cover_id = read_text(row.get("coverId"), "coverId")
            if amount == message.amount and (created_on is None or created_on >= message.asked_on - TIME_ZONES) and cover_id:
                company = company_of(row) or company_of(self._cover_row(http, cover_id))
                if company == message.company_id:
                    return Receipt(_COVER + cover_id)
        is_whole = True
        for page in self.list_covers(connection):
            is_whole = is_whole and page.is_whole
            for cover in page.covers:
                if _looks_like_answer(cover, message):
                    studied = cover.response is CoverResponseCode.STILL_INVESTIGATING
                    return Receipt(_COVER + cover.cover_id, None if studied else cover)
        if not is_whole:
            raise ItemFailed("reply_unreadable", operation=Operation.FIND_REQUEST.value)
        return None

    def poll(self, connection: Connection, references: tuple[str, ...]) -> tuple[InsurerCover, ...]:
        """How requests stand, by job or cover. Jobs still at work are left out. Errors: ``RequestsFailed``, with what could be read."""
        http = self._http(connection)
        covers: list[InsurerCover] = []
        failures: dict[str, ItemFailed] = {}
        for reference in references:
            try:
                covers += self._polled(http, reference)
            except ItemFailed as error:
                failures[reference] = error
        if failures:
            raise RequestsFailed(failures, covers)
        return tuple(covers)

    def _polled(self, http: InsurerHttp, reference: str) -> list[InsurerCover]:
        cover_id = reference.removeprefix(_COVER).partition("/")[0]
        if reference.startswith(_JOB):
            reply = http.call("GET", http.address("riskinfo", f"/jobs/{quote(reference.removeprefix(_JOB), safe='')}"), "poll_job")
            job = read_object(reply.json(), "job")
            status = read_text(job.get("jobStatusCode"), "jobStatusCode").casefold()
            if status in PENDING_JOBS:
                return []
            if status != PROCESSED:
                raise ItemFailed("code_unknown", field="jobStatusCode", value=status[:40])
            cover_id = _last_part(require_text(job.get("resourceUrl"), "resourceUrl"))
        row = self._cover_row(http, cover_id)
        extension = read_text(read_object(row.get("policy"), "policy").get("extensionId"), "policy.extensionId")
        return [replace(cover, request_reference=reference) for cover in read_covers(row, _reading(http.connection, extension))]

    def _cover_row(self, http: InsurerHttp, cover_id: str) -> Mapping[str, Any]:
        """A cover by its number, always at our own address: an address in a reply or push is not followed."""
        return read_object(http.call("GET", http.address("riskinfo", f"/covers/{quote(cover_id, safe='')}"), "read_cover").json(), "cover")

    def _requests_in_progress(self, http: InsurerHttp, policy: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        size = _page_size(http.connection, "v3")
        page = _first_page(http.connection)
        while True:
            body = {
                "policies": [policy],
                "requestStatusCode": "InProgress",
                "pagination": {"page": page, "pageSize": size, "isTotalRequired": False},
            }
            address = http.address("riskinfo", "/coverRequests/search")
            rows, _total = read_rows(http.call("POST", address, "list_requests", is_safe=True, json_body=body))
            yield from rows
            if len(rows) < size:
                return
            page += 1

    def list_covers(self, connection: Connection, cursor: str | None = None) -> Iterator[CoverPage]:
        """Covers of the policy and its extensions, page by page. The cursor names extension and page."""
        version = "v2" if connection.options.get("listing") == "v2" else "v3"
        extensions = _extensions(connection)
        first_page = _first_page(connection)
        extension, page = extensions[0], first_page
        if cursor is not None:
            given, _, number = cursor.rpartition("|")
            if given not in extensions or not number.isascii() or not number.isdigit():
                raise ItemFailed("field_unreadable", field="cursor", value=cursor[:40])
            extension, page = given, int(number)
        http = self._http(connection)
        for each in extensions[extensions.index(extension) :]:
            following = extensions[extensions.index(each) + 1 :]
            while True:
                part, has_more = self._page(http, version, each, page)
                next_cursor = f"{each}|{page + 1}" if has_more else f"{following[0]}|{first_page}" if following else None
                yield replace(part, cursor=next_cursor)
                page += 1
                if not has_more:
                    page = first_page
                    break

    def _page(self, http: InsurerHttp, version: str, extension: str, page: int) -> tuple[CoverPage, bool]:
        """One page, and whether another one follows."""
        size = _page_size(http.connection, version)
        policy = _policy(http.connection, extension)
        if version == "v2":
            params = {**policy, "pageSize": str(size), "page": str(page)}
            reply = http.call("GET", http.address("riskinfo_v2", "/covers"), "list_covers", params=params)
        else:
            body = {"policies": [policy], "pagination": {"page": page, "pageSize": size, "isTotalRequired": True}}
            reply = http.call("POST", http.address("riskinfo", "/covers/search"), "list_covers", is_safe=True, json_body=body)
        rows, total = read_rows(reply)
        is_whole = not (reply.status == 206 and len(rows) < size)
        has_more = len(rows) >= size
        if total is not None:
            before = page - _first_page(http.connection)
            expected = min(size, max(total - before * size, 0))
            is_whole = is_whole and len(rows) == expected
            has_more = before + 1 < -(-total // size)
        covers: list[InsurerCover] = []
        problems: list[tuple[str, str]] = []
        reading = _reading(http.connection, extension)
        for row in rows:
            try:
                covers += [read_legacy_cover(row, reading)] if version == "v2" else read_covers(row, reading)
            except ItemFailed as error:
                problems.append((str(row.get("coverId"))[:80], str(error.parameters.get("field") or error.code)))
        return CoverPage(tuple(covers), None, total, is_whole and not problems, tuple(problems)), has_more

    def list_changes(self, connection: Connection, since: date) -> Iterator[CoverPage]:
        """Allianz Trade documents no list of changes. Errors: ``NotSupported``."""
        del connection, since
        raise NotSupported(self.name, Operation.LIST_CHANGES)

    def read_push(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> Push:
        """Which job or cover a push is about. Nobody signs it, so it only says where to look."""
        del connection, headers
        try:
            said = read_object(read_json(body), "push")
            job = read_text(said.get("jobId"), "jobId")
            cover = read_text(said.get("coverId"), "coverId") or _last_part(read_text(said.get("resourceUrl"), "resourceUrl"))
        except ItemFailed as error:
            raise ItemFailed("push_unreadable") from error
        look_at = (_JOB + job,) if job else (_COVER + cover,) if cover else ()
        if not look_at:
            raise ItemFailed("push_unreadable")
        return Push(hashlib.sha256(body).hexdigest(), look_at)

    def _http(self, connection: Connection) -> InsurerHttp:
        return InsurerHttp(connection, fetch_token=_fetch_token, headers={"Accept": "application/json"}, explain=_explain)


def _body(connection: Connection, message: LimitMessage) -> dict[str, Any]:
    """The body of a request. Errors: ``NotSupported``, ``ItemFailed``."""
    if message.code not in _OFFERED or message.kind not in {LimitKind.NAMED, LimitKind.TOP_UP, LimitKind.CREDIT_CHECK}:
        raise NotSupported(AllianzTrade.name, OPERATIONS.get(message.code, Operation.REQUEST_NEW))
    if not (message.company_id.isascii() and message.company_id.isdigit() and 6 <= len(message.company_id) <= 10):
        raise ItemFailed("company_number_wrong", value=message.company_id[:40])
    is_grade = message.kind is LimitKind.CREDIT_CHECK
    body: dict[str, Any] = {
        "requestTypeCode": GRADE_COVER if is_grade else PRIMARY,
        "policy": _policy(connection, _extension_of(connection, message)),
        "companyId": message.company_id,
        "isRequestUrgent": message.is_urgent,
    }
    if is_grade:
        return body
    if message.amount is None:
        raise ItemFailed("request_needs_amount")
    amount = message.amount.amount
    if amount <= 0 or amount % AllianzTrade.amount_step:
        raise ItemFailed("amount_step", step=AllianzTrade.amount_step, amount=message.amount)
    return body | {"creditLimitDetails": {"requestedAmount": int(amount), "currencyCode": message.amount.currency}}


def _looks_like_answer(cover: InsurerCover, message: LimitMessage) -> bool:
    if cover.company_id != message.company_id or cover.layer is not message.layer:
        return False
    if (cover.kind is LimitKind.CREDIT_CHECK) != (message.kind is LimitKind.CREDIT_CHECK):
        return False
    if cover.decided_on is not None and cover.decided_on < message.asked_on - TIME_ZONES:
        return False
    return cover.requested is None or cover.requested == message.amount


def _push_header(connection: Connection) -> dict[str, str]:
    """The header that asks for a push: base64 of JSON with address and hours, in a header whose name the insurer tells."""
    options = connection.options
    if options.get("push") != "on":
        return {}
    for name in ("push_header", "push_url"):
        if not options.get(name):
            raise StopSync("option_missing", connector=AllianzTrade.name, name=name)
    hours = options.get("push_hours", "24")
    wanted = {
        "callbackUrl": options["push_url"],
        "timeToLive": int(hours) if hours.isascii() and hours.isdigit() else 24,
        "extendedNotification": True,
    }
    return {options["push_header"]: base64.b64encode(json.dumps(wanted).encode()).decode()}


def _extensions(connection: Connection) -> list[str]:
    """The policy's own extension, then those that are listed beside it."""
    given = [connection.policy_key.get("extension_id", ""), *connection.options.get("extensions", "").split(",")]
    return list(dict.fromkeys([given[0], *(each.strip() for each in given[1:] if each.strip())]))


def _extension_of(connection: Connection, message: LimitMessage) -> str:
    """The extension a request belongs to: a second layer has one of its own. Errors: ``NotSupported``."""
    extensions = _extensions(connection)
    if message.layer is Layer.PRIMARY:
        return extensions[0]
    if "CAP" not in extensions:
        raise NotSupported(AllianzTrade.name, OPERATIONS.get(message.code, Operation.REQUEST_NEW))
    return "CAP"


def _policy(connection: Connection, extension: str) -> dict[str, str]:
    policy = {"businessUnitCode": _policy_key(connection, "business_unit_code"), "policyId": _policy_key(connection, "policy_id")}
    return policy | ({"extensionId": extension} if extension else {})


def _policy_key(connection: Connection, name: str) -> str:
    value = connection.policy_key.get(name, "")
    if not value:
        raise StopSync("policy_key_missing", connector=AllianzTrade.name, name=name)
    return value


def _reading(connection: Connection, extension: str) -> Reading:
    return Reading(connection.policy_currency, extension, words_of(connection.options))


def _first_page(connection: Connection) -> int:
    """Whether pages are counted from 1, as clients do, or from 0, which the option ``first_page`` says."""
    return 0 if connection.options.get("first_page") == "0" else 1


def _page_size(connection: Connection, version: str) -> int:
    given = connection.options.get("page_size", "")
    return int(given) if given.isascii() and given.isdigit() and 0 < len(given) < 6 and int(given) else _PAGE_SIZE[version]


def _last_part(address: str) -> str:
    """The last part of the path of an address: the number of what it names."""
    try:
        return urlsplit(address).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def _fetch_token(http: InsurerHttp) -> Token:
    reply = http.call(
        "POST",
        http.address("token"),
        "token",
        is_safe=True,
        with_token=False,
        keeps_bodies=False,
        json_body={"apiKey": http.credential("api_key")},
    )
    said = read_object(reply.json(), "token")
    seconds = read_number(said.get("expires_in"), "expires_in")
    return Token(require_text(said.get("access_token"), "access_token"), int(seconds or 0))


def _explain(reply: Reply) -> str:
    """The shape of errors is not public: the usual names are tried."""
    said = read_object(reply.json(), "error")
    return next((text for name in ("message", "detail", "error_description", "error") if (text := read_text(said.get(name), name))), "")
