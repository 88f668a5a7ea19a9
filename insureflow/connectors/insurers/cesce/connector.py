"""CESCE (Spain): classifications (credit limits), movements of the last two days, collections, and reading of sales and claims.

*Source:* the public developer portal: addresses below ``/contracts/{contractNo}``, the password grant for tokens, which lists have pages,
statusCode 1 for "in study", and the keys endorsementNo (one for each debtor of a policy), customerReference, saleCesceReferenceNo,
client, sale and collectionDate.

The names of most other fields are shown to subscribers only, so they are not guessed: the connection's options hold them as the
subscriber's own documentation gives them. What lacks its names is not offered and goes by file or portal.

========================== ============================================================================================
Option                     What it holds
========================== ============================================================================================
``classification.<field>`` name of one of ``FIELDS`` in a classification; ``classification.list``: the key its list stands under
``movement.<field>``       the same in a movement, where it differs
``movement.page``          name of the parameter that asks for a page (counted from ``movement.first_page``, default 1)
``movement.page_size``     how many movements a page has
``status.<code>``          what a statusCode means: one of ``WORDS``
``request.amount``         name of the amount in a new classification (``request.currency``: that of its currency)
``cancel.supplement``      name of the supplement number in an annulment
``collection.amount``      name of the amount in a collection
``sale.<field>``           name of one of ``SALE_NEEDS`` in a sale; ``sale.currency`` and ``sale.reference`` where it has them
========================== ============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from insureflow.connectors.insurers.cesce.covers import NEEDED, listed_in, options_of, read_cover, read_rows
from insureflow.connectors.insurers.http import InsurerHttp, Reply, Token
from insureflow.connectors.insurers.interface import (
    AnswerLost,
    CollectionMessage,
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
    SaleMessage,
    StopSync,
)
from insureflow.connectors.insurers.reading import (
    read_number,
    read_object,
    read_text,
    require_text,
)
from insureflow.domain.connections import Confidence, Operation
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode
from insureflow.domain.money import Money

#: What can be read as it is, by name: the product and its address; keys fill the places in turn.
PAPERS: Mapping[str, tuple[str, str]] = {
    "sales": ("sales", "/sales"),
    "sale": ("sales", "/sale"),
    "subsidiaries": ("sales", "/subsidiaries"),
    "dossiers": ("claims", "/dossiers"),
    "dossier": ("claims", "/dossiers/{}"),
    "non_payments": ("claims", "/dossiers/{}/non-payments"),
    "non_payment": ("claims", "/dossiers/{}/non-payments/{}"),
    "recoveries": ("claims", "/dossiers/{}/recoveries"),
    "processing_steps": ("claims", "/dossiers/{}/processing-steps"),
    "recovery_procedures": ("claims", "/dossiers/{}/recovery-procedures"),
    "dates_pending_settlements": ("claims", "/dossiers/{}/dates-pending-settlements"),
    "documents": ("claims", "/documents"),
    "settlements": ("claims", "/settlements"),
    "settlement": ("claims", "/settlements/{}"),
    "unpaid_settlements": ("claims", "/settlements/{}/unpaid-settlements"),
}

#: What a sale must say; the names of these fields are not public.
SALE_NEEDS = ("sale.client", "sale.invoice", "sale.invoiced_on", "sale.due_on", "sale.amount")

#: Movements reach back so far.
MOVEMENTS_REACH = timedelta(days=2)
_TIME_ZONES = timedelta(days=1)
_MOST_PAGES = 10_000
_REQUESTS = {CoverRequestCode.NEW_LIMIT: Operation.REQUEST_NEW, CoverRequestCode.CANCELLATION: Operation.REQUEST_CANCELLATION}
_OTHERS = {CoverRequestCode.INCREASE: Operation.REQUEST_INCREASE, CoverRequestCode.REDUCTION: Operation.REQUEST_REDUCTION}


class Cesce:
    """Classifications, movements, collections and claims of CESCE."""

    key = "cesce"
    name = "CESCE"
    confidence = Confidence.BEST_EFFORT
    credential_names: tuple[str, ...] = ("client_id", "client_secret", "username", "password")
    policy_key_names: tuple[str, ...] = ("contract_no",)
    address_names: tuple[str, ...] = ("token", "classifications", "movements", "sales", "collections", "claims")
    #: A subscription names the addresses. Those here are paths at the sandbox insurer of this product; the host is put in its place.
    default_addresses: Mapping[str, Mapping[str, str]] = {
        "sandbox": {
            "token": "https://sandbox.invalid/oauth2/v1/token",
            "classifications": "https://sandbox.invalid/classifications/v1",
            "movements": "https://sandbox.invalid/portfolio-movements/v1",
            "sales": "https://sandbox.invalid/sales/v1",
            "collections": "https://sandbox.invalid/collections/v1",
            "claims": "https://sandbox.invalid/claims/v1",
        }
    }
    company_scheme = "cesce_endorsement"
    charges_look_ups = False
    amount_step = 1
    carries = frozenset({(Layer.PRIMARY, LimitKind.NAMED)})
    papers: Mapping[str, int] = MappingProxyType({name: path.count("{}") for name, (_product, path) in PAPERS.items()})

    def capabilities(self, connection: Connection) -> frozenset[Operation]:
        """What the options name the fields of. A token is fetched, so that wrong credentials show."""
        self._http(connection).renew_token()
        return _offered(connection)

    def find_companies(self, connection: Connection, query: CompanyQuery) -> tuple[CompanyMatch, ...]:
        """No search is documented. Errors: ``NotSupported``."""
        del connection, query
        raise NotSupported(self.name, Operation.FIND_COMPANY)

    def submit(self, connection: Connection, message: LimitMessage) -> Receipt:
        """A new classification, or the annulment of one. Errors: see the interface."""
        operation = _operation(connection, message)
        http = self._http(connection)
        if operation is Operation.REQUEST_CANCELLATION:
            endorsement, supplement = _parts(message.cover_id)
            body: dict[str, object] = {"endorsementNo": endorsement, options_of(connection)["cancel.supplement"]: supplement}
            http.call("POST", _address(http, "classifications", "/classifications/cancel"), operation.value, json_body=body)
            return Receipt(f"{endorsement}-{supplement}")
        if not (message.company_id.isascii() and message.company_id.isdigit()):
            raise ItemFailed("company_number_wrong", value=message.company_id[:40])
        if message.amount is None:
            raise ItemFailed("request_needs_amount")
        body = {"endorsementNo": message.company_id, options_of(connection)["request.amount"]: _written(message.amount)}
        if name := options_of(connection).get("request.currency"):
            body[name] = message.amount.currency
        reply = http.call("POST", _address(http, "classifications", "/classifications"), operation.value, json_body=body)
        try:
            rows = listed_in(connection, reply, "classification", may_be_one=True)
            cover = read_cover(rows[0], connection, "classification")
        except (ItemFailed, IndexError) as error:  # it has arrived, and only its number is missing
            raise AnswerLost("reply_unreadable", operation=operation.value) from error
        studied = cover.response is CoverResponseCode.STILL_INVESTIGATING
        return Receipt(cover.cover_id, None if studied else replace(cover, request_reference=cover.cover_id))

    def find_request(self, connection: Connection, message: LimitMessage) -> Receipt | None:
        """A classification of the same debtor and amount, not older than the request; the interface carries no reference of ours."""
        _require(connection, Operation.FIND_REQUEST)
        is_end = message.code is CoverRequestCode.CANCELLATION
        covers, is_whole = self._all(connection)
        for cover in covers:
            if is_end:
                if cover.cover_id == message.cover_id and cover.response is CoverResponseCode.CANCELLED:
                    return Receipt(cover.cover_id, cover)
            elif (
                cover.company_id == message.company_id
                and cover.requested == message.amount
                and cover.response is not CoverResponseCode.CANCELLED
                and (cover.decided_on is None or cover.decided_on >= message.asked_on - _TIME_ZONES)
            ):
                return Receipt(cover.cover_id, None if cover.response is CoverResponseCode.STILL_INVESTIGATING else cover)
        if not is_whole:
            raise ItemFailed("reply_unreadable", operation=Operation.FIND_REQUEST.value)
        return None

    def poll(self, connection: Connection, references: tuple[str, ...]) -> tuple[InsurerCover, ...]:
        """How requests stand, picked from the whole list: single ones cannot be asked for."""
        _require(connection, Operation.POLL_REQUESTS)
        covers, _is_whole = self._all(connection)
        return tuple(replace(cover, request_reference=cover.cover_id) for cover in covers if cover.cover_id in references)

    def list_covers(self, connection: Connection, cursor: str | None = None) -> Iterator[CoverPage]:
        """All classifications. The insurer gives them at once; they are handed on in parts, the cursor names the last one of a part."""
        _require(connection, Operation.LIST_COVERS)
        rows, is_whole = self._rows(connection)
        covers, problems = read_rows(rows, connection, "classification")
        covers = [cover for cover in sorted(covers, key=lambda cover: cover.cover_id) if cursor is None or cover.cover_id > cursor]
        size = _size(options_of(connection).get("page_size", ""), 5000)
        parts = [covers[start : start + size] for start in range(0, len(covers), size)] or [[]]
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            yield CoverPage(
                tuple(part),
                None if is_last else part[-1].cover_id,
                len(rows),
                is_whole and not problems,
                tuple(problems) if is_last else (),
            )

    def list_changes(self, connection: Connection, since: date) -> Iterator[CoverPage]:
        """Movements of the last two days, page by page. Where ``since`` lies before, no page is whole: list all instead."""
        _require(connection, Operation.LIST_CHANGES)
        http = self._http(connection)
        reaches = since >= connection.clock().date() - MOVEMENTS_REACH
        size = _size(options_of(connection).get("movement.page_size", ""), 0)
        page = _size(options_of(connection).get("movement.first_page", ""), 1)
        for _ in range(_MOST_PAGES):
            params = {options_of(connection)["movement.page"]: str(page)}
            reply = http.call("GET", _address(http, "movements", "/movements"), "list_changes", params=params)
            rows = listed_in(connection, reply, "movement")
            covers, problems = read_rows(rows, connection, "movement")
            has_more = len(rows) >= size
            yield CoverPage(
                tuple(covers), str(page + 1) if has_more else None, None, reaches and reply.status != 206 and not problems, tuple(problems)
            )
            if not has_more:
                return
            page += 1
        raise ItemFailed("reply_unreadable", operation=Operation.LIST_CHANGES.value)

    def read_push(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> Push:
        """CESCE sends no messages. Errors: ``NotSupported``."""
        del connection, headers, body
        raise NotSupported(self.name, Operation.RECEIVE_PUSH)

    def read_paper(self, connection: Connection, name: str, *keys: str, params: Mapping[str, str] | None = None) -> Any:
        """Sales, claims and what belongs to them as the insurer shows them; ``name`` is one of ``PAPERS``.

        Errors: ``KeyError`` for another name, ``ItemFailed`` where a key is missing.
        """
        product, path = PAPERS[name]
        if path.count("{}") != len(keys) or not all(keys):
            raise ItemFailed("field_unreadable", field=name, value=", ".join(keys)[:80])
        http = self._http(connection)
        filled = path.format(*(quote(key, safe="") for key in keys))
        return http.call("GET", _address(http, product, filled), f"read_{name}", params=params).json()

    def declare_collection(self, connection: Connection, message: CollectionMessage) -> Receipt:
        """Tell that a sale was paid. What comes back has no number of its own, so the receipt is ours."""
        _require(connection, Operation.DECLARE_COLLECTION)
        http = self._http(connection)
        body = {
            "client": message.client,
            "sale": message.sale,
            "collectionDate": message.collected_on.isoformat(),
            options_of(connection)["collection.amount"]: _written(message.amount),
        }
        http.call("POST", _address(http, "collections", "/collections"), Operation.DECLARE_COLLECTION.value, json_body=body)
        return Receipt(message.own_reference)

    def declare_sale(self, connection: Connection, message: SaleMessage) -> Receipt:
        """Tell of a sale; the names of its fields are options. An extended due date is a sale of its own, a credit note a negative one."""
        _require(connection, Operation.DECLARE_TURNOVER)
        http, options = self._http(connection), options_of(connection)
        values: dict[str, object] = {
            "sale.client": message.client,
            "sale.invoice": message.invoice_number,
            "sale.invoiced_on": message.invoiced_on.isoformat(),
            "sale.due_on": message.due_on.isoformat(),
            "sale.amount": _written(message.amount),
            "sale.currency": message.amount.currency,
            "sale.reference": message.own_reference,
        }
        body = {options[name]: value for name, value in values.items() if options.get(name)}
        operation = Operation.DECLARE_TURNOVER.value
        reply = http.call("POST", _address(http, "sales", "/sales"), operation, json_body=body)
        try:
            return Receipt(require_text(read_object(reply.json(), "sale").get("saleCesceReferenceNo"), "saleCesceReferenceNo"))
        except ItemFailed as error:  # it has arrived, and only its number is missing
            raise AnswerLost("reply_unreadable", operation=operation) from error

    def _rows(self, connection: Connection) -> tuple[list[Mapping[str, Any]], bool]:
        http = self._http(connection)
        reply = http.call("GET", _address(http, "classifications", "/classifications"), "list_covers")
        return listed_in(connection, reply, "classification"), reply.status != 206

    def _all(self, connection: Connection) -> tuple[list[InsurerCover], bool]:
        rows, is_whole = self._rows(connection)
        covers, problems = read_rows(rows, connection, "classification")
        return covers, is_whole and not problems

    def _http(self, connection: Connection) -> InsurerHttp:
        return InsurerHttp(connection, fetch_token=_fetch_token, headers={"Accept": "application/json"}, explain=_explain)


def _offered(connection: Connection) -> frozenset[Operation]:
    """What the options hold the names for."""
    options = options_of(connection)
    offered: set[Operation] = set()
    if all(options.get(f"classification.{name}") for name in NEEDED) and any(name.startswith("status.") for name in options):
        offered |= {Operation.LIST_COVERS, Operation.POLL_REQUESTS, Operation.FIND_REQUEST}
        if options.get("request.amount"):
            offered.add(Operation.REQUEST_NEW)
        if options.get("cancel.supplement"):
            offered.add(Operation.REQUEST_CANCELLATION)
        if options.get("movement.page") and _size(options.get("movement.page_size", ""), 0):
            offered.add(Operation.LIST_CHANGES)
    if options.get("collection.amount"):
        offered.add(Operation.DECLARE_COLLECTION)
    if all(options.get(name) for name in SALE_NEEDS):
        offered.add(Operation.DECLARE_TURNOVER)
    return frozenset(offered)


def _require(connection: Connection, operation: Operation) -> None:
    if operation not in _offered(connection):
        raise NotSupported(Cesce.name, operation)


def _operation(connection: Connection, message: LimitMessage) -> Operation:
    """Which operation a message needs. Errors: ``NotSupported`` before anything is sent."""
    operation = _REQUESTS.get(message.code)
    if operation is None or (message.layer, message.kind) not in Cesce.carries:
        raise NotSupported(Cesce.name, operation or _OTHERS.get(message.code, Operation.REQUEST_NEW))
    _require(connection, operation)
    return operation


def _parts(cover_id: str | None) -> tuple[str, str]:
    endorsement, _, supplement = (cover_id or "").partition("-")
    if not endorsement or not supplement:
        raise ItemFailed("cover_needed")
    return endorsement, supplement


def _written(amount: Money) -> int | str:
    """An amount for JSON: a whole number where it is one, else its digits as a text, never a binary fraction."""
    return int(amount.amount) if amount.amount == int(amount.amount) else str(amount.amount)


def _size(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default


def _address(http: InsurerHttp, product: str, path: str) -> str:
    contract = http.connection.policy_key.get("contract_no", "")
    if not contract:
        raise StopSync("policy_key_missing", connector=Cesce.name, name="contract_no")
    return http.address(product, f"/contracts/{quote(contract, safe='')}{path}")


def _fetch_token(http: InsurerHttp) -> Token:
    form = {
        "grant_type": "password",
        "scope": "create read update",
        **{name: http.credential(name) for name in ("client_id", "client_secret", "username", "password")},
    }
    reply = http.call("POST", http.address("token"), "token", is_safe=True, with_token=False, keeps_bodies=False, form=form, accepts={400})
    said = read_object(reply.json(), "token")
    if reply.status == 400:  # how OAuth says that a grant is refused
        raise StopSync("credentials_refused", connector=Cesce.name, detail=read_text(said.get("error"), "error"))
    seconds = read_number(said.get("expires_in"), "expires_in")
    return Token(require_text(said.get("access_token"), "access_token"), int(seconds or 300))


def _explain(reply: Reply) -> str:
    """The shape of errors is not public: the usual names are tried."""
    said = read_object(reply.json(), "error")
    return next(
        (text for name in ("message", "moreInformation", "error_description", "error") if (text := read_text(said.get(name), name))), ""
    )
