"""Coface CofaServe: log-in and company search. Best effort: the shapes of orders, decisions and overdues are not public.

*Source:* the public functional page (services, security, locks after failed log-ins) and clients that work with it (headers, log-in,
search by identifier). Ordering products, following decisions and declaring overdues are services of CofaServe whose messages nobody
published; they go by file or portal.

===================================== =================================================================================
Option                                What it holds
===================================== =================================================================================
``identifier_type.<scheme>.<country>`` code of a public register, such as ``RUC_ECU`` for ``identifier_type.vat.EC``
``company.<field>``                   name of ``number`` (EasyNumber), ``name``, ``city`` in a company that was found
===================================== =================================================================================
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NoReturn

from insureflow.connectors.insurers.http import InsurerHttp, Reply, Token
from insureflow.connectors.insurers.interface import (
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
    StopSync,
)
from insureflow.connectors.insurers.reading import ALPHA_3_BY_ALPHA_2, read_list, read_number, read_object, read_text, require_text
from insureflow.connectors.insurers.tokens import TOKENS
from insureflow.domain.connections import Confidence, Operation
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode

#: The one code of a register that was seen.
SEEN_TYPES: Mapping[str, str] = {"identifier_type.vat.EC": "RUC_ECU"}
#: The names that the sandbox insurer of this product uses. They are its own: nobody's documentation gives them.
SANDBOX_OPTIONS: Mapping[str, str] = {
    "identifier_type.vat.DE": "VAT_DEU",
    "company.number": "easyNumber",
    "company.name": "companyName",
    "company.city": "city",
}

#: Five failed log-ins lock the account and every further one locks it longer: after one refusal nothing is tried for so long.
REFUSED_SECONDS = 15 * 60

_OPERATIONS = {
    CoverRequestCode.NEW_LIMIT: Operation.REQUEST_NEW,
    CoverRequestCode.INCREASE: Operation.REQUEST_INCREASE,
    CoverRequestCode.REDUCTION: Operation.REQUEST_REDUCTION,
    CoverRequestCode.CANCELLATION: Operation.REQUEST_CANCELLATION,
}


class _RefusedLogIns:
    """Credentials that were refused, by fingerprint, so that this process does not lock the account by trying again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def note(self, key: str) -> None:
        """These were refused now."""
        with self._lock:
            self._until[key] = time.monotonic() + REFUSED_SECONDS

    def holds(self, key: str) -> bool:
        """True if these were refused a short while ago."""
        with self._lock:
            return self._until.get(key, 0.0) > time.monotonic()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._until.clear()


REFUSED = _RefusedLogIns()


class Cofaserve:
    """Company search of CofaServe."""

    key = "cofaserve"
    name = "Coface CofaServe"
    confidence = Confidence.BEST_EFFORT
    credential_names: tuple[str, ...] = ("api_key", "username", "password")
    policy_key_names: tuple[str, ...] = ("policy_number",)
    address_names: tuple[str, ...] = ("token", "companies")
    #: Only the address of the log-in is known, and in two spellings; the contract names all of them. Those here are paths at the
    #: sandbox insurer of this product; the host is put in its place.
    default_addresses: Mapping[str, Mapping[str, str]] = {
        "sandbox": {
            "token": "https://sandbox.invalid/authentication/v1/token",
            "companies": "https://sandbox.invalid/company/v1/companies",
        }
    }
    company_scheme = "coface_easy_number"
    charges_look_ups = True
    amount_step = 1
    carries: frozenset[tuple[Layer, LimitKind]] = frozenset()

    def capabilities(self, connection: Connection) -> frozenset[Operation]:
        """Company search where the options hold its names. A token is fetched, so that wrong credentials show."""
        self._http(connection).renew_token()
        return frozenset({Operation.FIND_COMPANY}) if _can_search(connection) else frozenset()

    def find_companies(self, connection: Connection, query: CompanyQuery) -> tuple[CompanyMatch, ...]:
        """Companies by a number of a public register. May be charged."""
        if not _can_search(connection):
            raise NotSupported(self.name, Operation.FIND_COMPANY)
        options = _options(connection)
        country = ALPHA_3_BY_ALPHA_2.get(query.country, "")
        asked = [
            (code, value) for scheme, value in query.identifiers if (code := options.get(f"identifier_type.{scheme}.{query.country}", ""))
        ]
        if not country or not asked:
            known = sorted(
                name.split(".")[1] for name in options if name.startswith("identifier_type.") and name.endswith(f".{query.country}")
            )
            raise ItemFailed("identifier_needed", schemes=", ".join(known) or "–")
        http = self._http(connection)
        for code, value in asked:
            params = {"countryCode": country, "identifierType": code, "identifierValue": value}
            reply = http.call("GET", http.address("companies", "/identifier"), Operation.FIND_COMPANY.value, params=params, accepts={404})
            found = () if reply.status == 404 else _matches(reply, options, query.country)
            if found:
                return found
        return ()

    def submit(self, connection: Connection, message: LimitMessage) -> Receipt:
        """The shape of an order is not public. Errors: ``NotSupported``."""
        del connection
        self._refuse(_OPERATIONS.get(message.code, Operation.REQUEST_NEW))

    def find_request(self, connection: Connection, message: LimitMessage) -> Receipt | None:
        """Not public. Errors: ``NotSupported``."""
        del connection, message
        self._refuse(Operation.FIND_REQUEST)

    def poll(self, connection: Connection, references: tuple[str, ...]) -> tuple[InsurerCover, ...]:
        """The shape of a product is not public. Errors: ``NotSupported``."""
        del connection, references
        self._refuse(Operation.POLL_REQUESTS)

    def list_covers(self, connection: Connection, cursor: str | None = None) -> Iterator[CoverPage]:
        """Not public. Errors: ``NotSupported``."""
        del connection, cursor
        self._refuse(Operation.LIST_COVERS)

    def list_changes(self, connection: Connection, since: date) -> Iterator[CoverPage]:
        """The shape of a notification is not public. Errors: ``NotSupported``."""
        del connection, since
        self._refuse(Operation.LIST_CHANGES)

    def read_push(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> Push:
        """CofaServe sends no messages. Errors: ``NotSupported``."""
        del connection, headers, body
        self._refuse(Operation.RECEIVE_PUSH)

    def _refuse(self, operation: Operation) -> NoReturn:
        raise NotSupported(self.name, operation)

    def _http(self, connection: Connection) -> InsurerHttp:
        policy = connection.policy_key.get("policy_number", "")
        if not policy:
            raise StopSync("policy_key_missing", connector=self.name, name="policy_number")
        api_key = connection.credentials.get("api_key", "")
        if not api_key:
            raise StopSync("credential_missing", connector=self.name, name="api_key")
        return InsurerHttp(
            connection,
            fetch_token=_fetch_token,
            carry_token=lambda value: {"Authorization": value},
            headers={"Accept": "application/json", "x-api-key": api_key, "X-COF-Policy-Number": policy},
            explain=_explain,
        )


def _options(connection: Connection) -> Mapping[str, str]:
    """The options; at the sandbox insurer its own names stand behind them."""
    if connection.options.get("environment") == "sandbox":
        return {**SEEN_TYPES, **SANDBOX_OPTIONS, **connection.options}
    return {**SEEN_TYPES, **connection.options}


def _can_search(connection: Connection) -> bool:
    options = _options(connection)
    return bool(options.get("company.number") and options.get("company.name"))


def _matches(reply: Reply, options: Mapping[str, str], country: str) -> tuple[CompanyMatch, ...]:
    said = read_object(reply.json(), "companies")
    found = []
    for row in read_list(said.get("companies"), "companies"):
        company = read_object(row, "companies")
        city = options.get("company.city", "")
        found.append(
            CompanyMatch(
                company_id=require_text(company.get(options["company.number"]), options["company.number"]),
                scheme=Cofaserve.company_scheme,
                name=read_text(company.get(options["company.name"]), options["company.name"]),
                country=country,
                city=read_text(company.get(city), city) if city else "",
                is_exact=True,
            )
        )
    return tuple(found)


def _fetch_token(http: InsurerHttp) -> Token:
    """Logs in. Errors: ``StopSync`` after the first refusal, and without a try where these credentials were refused a short while ago."""
    name, password = http.credential("username"), http.credential("password")
    fingerprint = TOKENS.key(Cofaserve.key, http.address("token"), name, password, http.credential("api_key"))
    if REFUSED.holds(fingerprint):
        raise StopSync("log_in_refused_before", connector=Cofaserve.name, minutes=REFUSED_SECONDS // 60)
    try:
        reply = _log_in(http, name, password)
    except StopSync as refusal:
        if refusal.code in {"credentials_refused", "access_refused"}:
            REFUSED.note(fingerprint)
        raise
    said = read_object(reply.json(), "token")
    seconds = read_number(said.get("expiresIn"), "expiresIn")
    return Token(require_text(said.get("idToken"), "idToken"), int(seconds or 300))


def _log_in(http: InsurerHttp, name: str, password: str) -> Reply:
    body = {"username": name, "password": password, "grantType": "password"}
    reply = http.call(
        "POST", http.address("token"), "token", is_safe=True, with_token=False, keeps_bodies=False, json_body=body, accepts={400, 423}
    )
    if reply.status in {400, 423}:
        raise StopSync("credentials_refused", connector=Cofaserve.name, detail=_explain(reply))
    return reply


def _explain(reply: Reply) -> str:
    """The shape of errors is not public: the usual names are tried."""
    said = read_object(reply.json(), "error")
    return next((text for name in ("message", "detail", "error") if (text := read_text(said.get(name), name))), "")
