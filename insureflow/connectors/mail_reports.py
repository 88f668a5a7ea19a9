"""Reports of mail that was not delivered, as RFC 3464 defines them."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email.message import Message
from email.policy import default
from enum import StrEnum

from insureflow.domain.errors import Refusal

LARGEST = 10 * 1024 * 1024
_IDENTIFICATION = re.compile(r"<[^<>\s]{1,190}>")


class ReportedAction(StrEnum):
    """What a server reports about a recipient."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What became of a message at one recipient; ``status`` as in 5.1.1, ``diagnostic`` the server's words."""

    recipient: str
    original_recipient: str
    action: ReportedAction
    status: str
    diagnostic: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address the recipient is known by, the original one first."""
        return tuple(dict.fromkeys(address.casefold() for address in (self.original_recipient, self.recipient) if address))


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A report: the identifications that may be those of our message, best first, and each recipient."""

    message_ids: tuple[str, ...]
    reporting_server: str
    recipients: tuple[RecipientReport, ...]


def read_report(content: bytes) -> DeliveryReport:
    """A delivery status notification. Errors: ``Refusal`` ``report_too_large``, ``report_unreadable``."""
    if len(content) > LARGEST:
        raise Refusal("report_too_large", mebibytes=LARGEST // (1024 * 1024))
    message = email.message_from_bytes(content, policy=default)
    status = next(
        (part for part in message.walk() if part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}), None
    )
    groups = [part for part in status.get_payload() if isinstance(part, Message)] if status is not None and status.is_multipart() else []
    recipients = tuple(report for group in groups[1:] if (report := _recipient(group)) is not None)
    if not recipients:
        raise Refusal("report_unreadable")
    return DeliveryReport(_identifications(message), _plain(groups[0].get("Reporting-MTA", ""))[:200], recipients)


def _recipient(group: Message) -> RecipientReport | None:
    try:
        action = ReportedAction(str(group.get("Action", "")).strip().split(" ", 1)[0].casefold())
    except ValueError:
        return None
    final, original = _plain(group.get("Final-Recipient", "")), _plain(group.get("Original-Recipient", ""))
    if not final and not original:
        return None
    status = str(group.get("Status", "")).strip().split(" ", 1)[0][:20]
    return RecipientReport(final, original, action, status, _plain(group.get("Diagnostic-Code", ""))[:500])


def _plain(value: object) -> str:
    """A typed value such as ``rfc822; somebody@company.example`` without its type."""
    text = " ".join(str(value).split())
    kind, separator, rest = text.partition(";")
    return (rest if separator and re.fullmatch(r"[A-Za-z0-9-]+", kind.strip()) else text).strip().strip("<>")


def _identifications(message: Message) -> tuple[str, ...]:
    """Message-IDs of what came back: of the returned message or its headers, then of what the report answers."""
    found: list[str] = []
    for part in message.walk():
        if part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            payload = part.get_payload(decode=True)
            inner = email.message_from_bytes(payload if isinstance(payload, bytes) else b"", policy=default)
            found += _IDENTIFICATION.findall(str(inner.get("Message-ID", "")))
        elif part.get_content_type() == "message/rfc822" and part.is_multipart():
            inner_message = part.get_payload(0)
            if isinstance(inner_message, Message):
                found += _IDENTIFICATION.findall(str(inner_message.get("Message-ID", "")))
    for header in ("In-Reply-To", "References"):
        found += _IDENTIFICATION.findall(str(message.get(header, "")))
    return tuple(dict.fromkeys(found))
