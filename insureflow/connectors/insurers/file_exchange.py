"""Requests out and decisions in by file: CSV, a workbook, or EDIFACT RECECO. Bytes in, bytes out; whoever calls carries the files.

The connector reaches no folder and no server: a folder that an administrator of one organisation could name would lie on a machine that
serves others too. Files go through the page and the command line, where a scheduled task of the operator can pick them up.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import xlsxwriter

from insureflow.connectors.edifact import looks_like_edifact
from insureflow.connectors.insurers import receco
from insureflow.connectors.insurers.by_hand import ByHand
from insureflow.connectors.insurers.manual import write_text
from insureflow.connectors.insurers.outgoing import OutgoingRequest
from insureflow.connectors.limit_files import COLUMNS, LimitFile, LimitProfile, read_limits
from insureflow.domain.errors import Refusal

#: What a spreadsheet could take for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

#: The insurer's answer goes into these columns, which stand empty in a file of requests; they are read again as they are.
ANSWER_COLUMNS = ("decided", "decided_on", "effective_on", "valid_to", "insurer_reference", "status", "reason")

#: Every column of a file of requests. Those of our layout for limits have its names, so that the file can come back filled in.
REQUEST_COLUMNS = (
    "own_reference",
    "request",
    "request_code",
    "policy",
    "policyholder",
    "insurer_id",
    "buyer_name",
    "country",
    "vat_number",
    "registration_number",
    "lei",
    "customer_number",
    "street",
    "postal_code",
    "city",
    "layer",
    "kind",
    "requested",
    "currency",
    "asked_on",
    "urgent",
    "cover_reference",
    "comment",
    *ANSWER_COLUMNS,
)


class ExchangeFormat(StrEnum):
    """How requests are written."""

    CSV = "csv"
    XLSX = "xlsx"
    RECECO_D96A = "receco_d96a"
    RECECO_D01B = "receco_d01b"
    TEXT = "text"


SUFFIXES: Mapping[ExchangeFormat, str] = MappingProxyType(
    {
        ExchangeFormat.CSV: "csv",
        ExchangeFormat.XLSX: "xlsx",
        ExchangeFormat.RECECO_D96A: "edi",
        ExchangeFormat.RECECO_D01B: "edi",
        ExchangeFormat.TEXT: "txt",
    }
)
MEDIA_TYPES: Mapping[ExchangeFormat, str] = MappingProxyType(
    {
        ExchangeFormat.CSV: "text/csv",
        ExchangeFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ExchangeFormat.RECECO_D96A: "application/EDIFACT",
        ExchangeFormat.RECECO_D01B: "application/EDIFACT",
        ExchangeFormat.TEXT: "text/plain",
    }
)
_RELEASES = {ExchangeFormat.RECECO_D96A: "96A", ExchangeFormat.RECECO_D01B: "01B"}

#: Our layout, and a file of requests that came back filled in: what it says besides the answer is known already.
LAYOUT = LimitProfile(ignores=tuple(column for column in REQUEST_COLUMNS if column not in COLUMNS))

#: How lists of insurers may be read, by name. ``generic`` knows usual headings; it guesses no dates, amounts or buyers.
PROFILES: Mapping[str, LimitProfile] = MappingProxyType(
    {
        "plain": LAYOUT,
        "generic": LimitProfile(
            columns={
                "insurer_id": ("buyer id", "buyer number", "company id", "company number", "debtor number", "insurer number"),
                "buyer_name": ("buyer", "company", "company name", "debtor", "debtor name", "name", "risk"),
                "vat_number": ("vat", "vat id", "vat no", "tax number"),
                "registration_number": ("registration", "company registration number", "registration no", "legal id", "national id"),
                "customer_number": ("customer", "customer no", "customer reference", "your reference", "client reference"),
                "requested": ("requested amount", "amount requested", "application amount"),
                "decided": (
                    "agreed amount",
                    "amount agreed",
                    "approved amount",
                    "credit limit",
                    "decision amount",
                    "limit",
                    "limit amount",
                ),
                "currency": ("currency code", "limit currency", "policy currency"),
                "decided_on": ("decision date", "date of decision", "agreed on", "date agreed"),
                "effective_on": ("effective date", "effective from", "start date", "valid from"),
                "valid_to": ("end date", "expiry", "expiry date", "valid until", "validity end"),
                "status": ("decision", "cover status", "limit status"),
                "insurer_reference": ("cover id", "cover number", "decision number", "limit id", "limit number", "permanent reference"),
                "own_reference": ("our reference", "request reference", "customer request reference"),
                "reason": ("comment", "comments", "decision comment", "reason text", "remark", "remarks"),
            },
            values={
                "status": {
                    "accepted": "approved",
                    "agreed": "approved",
                    "full approval": "approved",
                    "in force": "approved",
                    "partial": "partly_approved",
                    "partial approval": "partly_approved",
                    "partially approved": "partly_approved",
                    "declined": "refused",
                    "rejected": "refused",
                    "refusal": "refused",
                    "reduction": "reduced",
                    "cancelled": "withdrawn",
                    "cancellation": "withdrawn",
                    "withdrawal": "withdrawn",
                    "in study": "requested",
                    "pending": "requested",
                    "referred": "requested",
                    "under review": "requested",
                }
            },
            ignores=LAYOUT.ignores,
            ignores_others=True,
        ),
    }
)


class FileExchange(ByHand):
    """Exchange of files with an insurer, a broker or a portal."""

    key = "file_exchange"
    name = "File exchange"
    company_scheme = "insurer"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends and who gets a file of requests; ``reference`` is unique for good and at most 10 letters and digits."""

    sender: str
    recipient: str
    reference: str
    prepared_at: datetime
    is_test: bool = False


def write_requests(requests: Sequence[OutgoingRequest], form: ExchangeFormat, envelope: Envelope) -> bytes:
    """A file with all requests. Errors: ``ItemFailed`` and ``EdifactError`` where EDIFACT cannot carry one."""
    if form in _RELEASES:
        return receco.write_requests(
            requests,
            sender=envelope.sender,
            recipient=envelope.recipient,
            reference=envelope.reference,
            prepared_at=envelope.prepared_at,
            release=_RELEASES[form],
            is_test=envelope.is_test,
        )
    if form is ExchangeFormat.TEXT:
        return write_text(requests).encode("utf-8-sig")
    rows = (_request_row(request) for request in requests)
    return _workbook(rows) if form is ExchangeFormat.XLSX else _delimited(rows)


def check_request(request: OutgoingRequest, form: ExchangeFormat, envelope: Envelope) -> None:
    """Says whether a kind of file can carry a request. Errors: as for ``write_requests``."""
    if form in _RELEASES:
        write_requests([request], form, envelope)


def _request_row(request: OutgoingRequest) -> dict[str, Any]:
    message, buyer = request.message, request.buyer
    return {
        "own_reference": message.own_reference,
        "request": message.code.name.lower(),
        "request_code": message.code.value,
        "policy": request.policy_number,
        "policyholder": request.policyholder,
        "insurer_id": message.company_id,
        "buyer_name": buyer.name,
        "country": buyer.country,
        "vat_number": buyer.vat_number,
        "registration_number": buyer.registration_number,
        "lei": buyer.lei,
        "customer_number": buyer.customer_number,
        "street": buyer.street,
        "postal_code": buyer.postal_code,
        "city": buyer.city,
        "layer": message.layer.value,
        "kind": message.kind.value,
        "requested": None if message.amount is None else message.amount.amount,
        "currency": "" if message.amount is None else message.amount.currency,
        "asked_on": message.asked_on,
        "urgent": "yes" if message.is_urgent else "",
        "cover_reference": message.cover_id or "",
        "comment": " ".join(message.comment.split()),
    }


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _delimited(rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(REQUEST_COLUMNS)
    for row in rows:
        writer.writerow([_plain(row.get(column)) for column in REQUEST_COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def _workbook(rows: Iterable[Mapping[str, Any]]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("requests")
    bold = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for place, column in enumerate(REQUEST_COLUMNS):
        sheet.write_string(0, place, column, bold)
        sheet.set_column(place, place, max(12, len(column) + 2))
    for line, row in enumerate(rows, 1):
        for place, column in enumerate(REQUEST_COLUMNS):
            value = row.get(column)
            if isinstance(value, Decimal | int):
                sheet.write_number(line, place, value)
            elif isinstance(value, date):
                sheet.write_datetime(line, place, datetime(value.year, value.month, value.day), day)
            elif value:
                sheet.write_string(line, place, value)
    sheet.freeze_panes(1, 1)
    book.close()
    return file.getvalue()


def read_answers(data: bytes, name: str, *, currency: str, policy_number: str, profile: str = "plain") -> LimitFile:
    """The decisions of a file, whatever its form; EDIFACT is known by its first bytes, ``profile`` names how a list is read.

    Rows of an EDIFACT file are numbers of segments. Errors: those of ``read_limits``, ``EdifactError``, ``exchange_profile_unknown``.
    """
    if looks_like_edifact(data[:32]):
        read = receco.read_decisions(data, currency=currency, policy_number=policy_number)
        return LimitFile(name, hashlib.sha256(data).hexdigest(), read.covers, read.rows, read.problems)
    if profile not in PROFILES:
        raise Refusal("exchange_profile_unknown", profile=profile, profiles=", ".join(PROFILES))
    return read_limits(io.BytesIO(data), currency=currency, name=name, profile=PROFILES[profile])
