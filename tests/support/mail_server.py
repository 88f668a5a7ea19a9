"""A mail server for the tests that speaks SMTP: what it takes, puts off, refuses and loses is decided by the test."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask


@dataclass
class Mailbox:
    """What the server has taken. ``recipient_answers`` and ``content_answers`` say what it answers instead, first one first."""

    taken: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    recipient_answers: dict[str, list[str]] = field(default_factory=dict)
    content_answers: list[str] = field(default_factory=list)
    loses_answers: int = 0
    on_data: Callable[[], None] | None = None
    port: int = 0

    def messages(self) -> list[EmailMessage]:
        """What was taken, read back."""
        read = [message_from_bytes(content, policy=default) for content in self.taken]
        return [message for message in read if isinstance(message, EmailMessage)]

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802 (named by the library)
        answers = self.recipient_answers.get(address)
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (named by the library)
        if self.content_answers:
            return self.content_answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        if self.on_data is not None:
            self.on_data()
        if self.loses_answers:
            self.loses_answers -= 1
            server.transport.abort()
        return "250 taken"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_server(**options: Any) -> Iterator[Mailbox]:
    """A running server, and what it takes."""
    mailbox = Mailbox(port=_free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, ready_timeout=20, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def use_mail(app: Flask, monkeypatch: Any, url: str, sender: str = '"Nordic Pumps" <ar@seller.example>') -> None:
    """Let the application send by this server until the test ends."""
    monkeypatch.setitem(app.config, "INSUREFLOW", replace(app.config["INSUREFLOW"], smtp_url=url, mail_from=sender))


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of our own for 127.0.0.1: the file to trust, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "mail.pem", folder / "mail.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def delivery_report(*, message_id: str, recipient: str, action: str = "failed", original: str = "") -> bytes:
    """A delivery status notification as mail servers write it (RFC 3464)."""
    named = f"Original-Recipient: rfc822; {original}\r\n" if original else ""
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: ar@seller.example\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\nArrival-Date: Tue, 30 Jun 2026 09:00:00 +0000\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\n{named}Action: {action}\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
        + (f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\n" if message_id else "")
        + "--B--\r\n"
    ).encode()
