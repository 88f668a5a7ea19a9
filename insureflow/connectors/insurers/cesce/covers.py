"""Classifications of CESCE as they are read: the names come from the connection's options, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insureflow.connectors.insurers.http import Reply
from insureflow.connectors.insurers.interface import Connection, InsurerCover, ItemFailed
from insureflow.connectors.insurers.reading import (
    read_country,
    read_currency,
    read_day,
    read_list,
    read_money,
    read_object,
    read_text,
    require_text,
    unreadable,
)
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverResponseCode
from insureflow.domain.money import Money

#: What a statusCode may mean, in the public vocabulary; only 1 is documented.
WORDS: Mapping[str, CoverResponseCode] = {
    "investigating": CoverResponseCode.STILL_INVESTIGATING,
    "preliminary": CoverResponseCode.PRELIMINARY,
    "approved": CoverResponseCode.APPROVED,
    "conditional": CoverResponseCode.CONDITIONAL,
    "partly": CoverResponseCode.PARTLY,
    "refused": CoverResponseCode.NOT_APPROVED,
    "reduced": CoverResponseCode.REDUCED,
    "cancelled": CoverResponseCode.CANCELLED,
}
IN_STUDY = "1"

#: Fields of a classification whose names a subscriber knows.
FIELDS = (
    "supplement",
    "requested",
    "granted",
    "currency",
    "decided_on",
    "effective_on",
    "valid_to",
    "company_name",
    "country",
    "conditions",
)
NEEDED = ("supplement", "requested", "granted", "decided_on")

#: The names that the sandbox insurer of this product uses. They are its own: nobody's documentation gives them.
SANDBOX_OPTIONS: Mapping[str, str] = {
    "classification.list": "classifications",
    "movement.list": "movements",
    "classification.supplement": "supplementNo",
    "classification.requested": "requestedAmount",
    "classification.granted": "grantedAmount",
    "classification.currency": "currencyCode",
    "classification.decided_on": "decisionDate",
    "classification.effective_on": "effectiveDate",
    "classification.valid_to": "expiryDate",
    "classification.company_name": "debtorName",
    "classification.country": "debtorCountry",
    "classification.conditions": "conditions",
    "status.2": "approved",
    "status.3": "partly",
    "status.4": "refused",
    "status.5": "cancelled",
    "status.6": "reduced",
    "status.7": "conditional",
    "status.8": "preliminary",
    "request.amount": "requestedAmount",
    "request.currency": "currencyCode",
    "cancel.supplement": "supplementNo",
    "movement.page": "page",
    "movement.page_size": "100",
    "collection.amount": "collectionAmount",
    "sale.client": "client",
    "sale.invoice": "invoiceNumber",
    "sale.invoiced_on": "invoiceDate",
    "sale.due_on": "maturityDate",
    "sale.amount": "maturityAmount",
}


def options_of(connection: Connection) -> Mapping[str, str]:
    """The options; at the sandbox insurer its own names stand behind them."""
    if connection.options.get("environment") == "sandbox":
        return {**SANDBOX_OPTIONS, **connection.options}
    return connection.options


def listed_in(connection: Connection, reply: Reply, what: str, *, may_be_one: bool = False) -> list[Mapping[str, Any]]:
    """The rows of a reply: a bare list, or the list under the key that the options name; with ``may_be_one`` also a row alone."""
    whole = reply.json()
    options = options_of(connection)
    name = options.get(f"{what}.list", "")
    if name and isinstance(whole, dict):
        if name in whole:
            whole = whole[name]
        elif not may_be_one:
            raise unreadable(name, "")
    return [read_object(row, what) for row in read_list(whole, what)]


def read_rows(rows: Sequence[Mapping[str, Any]], connection: Connection, what: str) -> tuple[list[InsurerCover], list[tuple[str, str]]]:
    """The classifications of a list, and those that could not be read, each with what is wrong."""
    covers: list[InsurerCover] = []
    problems: list[tuple[str, str]] = []
    for row in rows:
        try:
            covers.append(read_cover(row, connection, what))
        except ItemFailed as error:
            problems.append((str(row.get("endorsementNo"))[:80], str(error.parameters.get("field") or error.code)))
    return covers, problems


def read_cover(row: Mapping[str, Any], connection: Connection, what: str) -> InsurerCover:
    """One classification. Errors: ``ItemFailed`` for a field that cannot be read and for a statusCode nobody explained."""
    options = options_of(connection)
    names = {field: options.get(f"{what}.{field}") or options.get(f"classification.{field}", "") for field in FIELDS}
    value = {field: row.get(name) if name else None for field, name in names.items()}
    currency = read_currency(value["currency"], "currency", default=connection.policy_currency)
    if currency != connection.policy_currency:
        raise ItemFailed("policy_currency_differs", theirs=currency, ours=connection.policy_currency)
    code = require_text(row.get("statusCode"), "statusCode")
    word = "investigating" if code == IN_STUDY else options.get(f"status.{code}", "")
    response = WORDS.get(word)
    if response is None:
        raise ItemFailed("code_unknown", field="statusCode", value=code[:40])
    endorsement = require_text(row.get("endorsementNo"), "endorsementNo")
    supplement = require_text(value["supplement"], names["supplement"])
    granted = read_money(value["granted"], currency, names["granted"])
    decided_on = read_day(value["decided_on"], names["decided_on"])
    said = read_text(value["conditions"], names["conditions"]) if value["conditions"] else ""
    return InsurerCover(
        cover_id=f"{endorsement}-{supplement}",
        version=f"{code}.{granted.minor if granted else ''}.{decided_on or ''}",
        company_id=endorsement,
        company_name=read_text(value["company_name"], names["company_name"]),
        response=response,
        kind=LimitKind.NAMED,
        layer=Layer.PRIMARY,
        requested=read_money(value["requested"], currency, names["requested"]),
        decided=_decided(response, granted, currency, names["granted"]),
        decided_on=decided_on,
        effective_on=read_day(value["effective_on"], names["effective_on"]) or decided_on,
        valid_to=read_day(value["valid_to"], names["valid_to"]),
        customer_number=read_text(row.get("customerReference"), "customerReference"),
        country=read_country(value["country"], names["country"]),
        conditions=(said,) if said else (),
        raw={"statusCode": code},
    )


def _decided(response: CoverResponseCode, granted: Money | None, currency: str, field: str) -> Money | None:
    if response in {CoverResponseCode.STILL_INVESTIGATING, CoverResponseCode.PRELIMINARY}:
        return None
    if response is CoverResponseCode.NOT_APPROVED:
        return Money.zero(currency)
    if response is CoverResponseCode.CANCELLED:  # an application that was annulled had no amount, and no limit ends with it
        return None if granted is None else Money.zero(currency)
    if granted is None:
        raise unreadable(field, "")
    return granted
