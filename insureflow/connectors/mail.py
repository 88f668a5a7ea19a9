"""E-mail: a message written once as the bytes that travel, and handed to a mail server with every answer told apart.

What matters is what a lost connection means. Before the content has been sent nobody has the message; once it has, nobody knows
(``AnswerLost``), and it must not be sent again by itself.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from insureflow.domain.errors import Refusal

Security = Literal["smtp", "starttls", "smtps"]
CONNECT_SECONDS = 20
ANSWER_SECONDS = 60
_PORTS: dict[str, int] = {"smtp": 25, "starttls": 587, "smtps": 465}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how the way there is protected."""

    security: Security
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message before it is written: ``message_id`` with its brackets, ``sender`` as name and address, ``dated_at`` its date."""

    message_id: str
    sender: str
    recipients: Sequence[str]
    copies: Sequence[str] = ()
    reply_to: str = ""
    subject: str
    body: str
    language: str
    dated_at: datetime
    attachments: Sequence[Attachment] = ()


class MailError(Exception):
    """The server did not take a message. ``reply`` is what it said, shortened."""

    def __init__(self, code: str, reply: str = "") -> None:
        super().__init__(code, reply)
        self.code = code
        self.reply = _UNSAFE.sub(" ", reply)[:300]


class PutOff(MailError):
    """Not now: nobody has the message, and it may be tried again."""


class Refused(MailError):
    """Never: nobody has the message, and trying again would not help."""


class AnswerLost(MailError):
    """Nobody knows: the content was sent, and no answer came."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The server has the message. ``refused`` are recipients that it did not take, with its answer."""

    reply: str
    refused: dict[str, str]


def server_of(url: str) -> MailServer:
    """The server that an address of the settings names."""
    parts = urlsplit(url)
    security: Security = "smtps" if parts.scheme == "smtps" else "starttls" if parts.scheme == "starttls" else "smtp"
    ca = parse_qs(parts.query).get("ca", [None])[0]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(security, parts.hostname or "", parts.port or _PORTS[security], user, password, ca)


def ascii_address(address: str) -> str:
    """An address as it travels: its domain without letters beyond ASCII. Errors: ``Refusal`` ``mail_address_unsafe``."""
    local, _at, domain = address.strip().rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii')}" if domain and not domain.isascii() else f"{local}@{domain}"
    except UnicodeError as error:
        raise Refusal("mail_address_unsafe", address=address[:80]) from error
    if not local or not domain or not plain.isascii() or _UNSAFE.search(plain) or any(character in plain for character in " <>,;"):
        raise Refusal("mail_address_unsafe", address=_UNSAFE.sub(" ", address)[:80])
    return plain


def _checked(name: str, text: str) -> str:
    if _UNSAFE.search(text):
        raise Refusal("mail_header_unsafe", header=name)
    return text


def _address(text: str) -> Address:
    name, address = parseaddr(_checked("From", text))
    local, _at, domain = ascii_address(address).rpartition("@")
    return Address(display_name=name, username=local, domain=domain)


def write(mail: Mail) -> bytes:
    """A message as the bytes that travel. The same message gives the same bytes, whenever it is written.

    Errors: ``Refusal`` ``mail_header_unsafe``, ``mail_address_unsafe``.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(mail.sender)
    message["To"] = [_address(address) for address in mail.recipients]
    if mail.copies:
        message["Cc"] = [_address(address) for address in mail.copies]
    if mail.reply_to:
        message["Reply-To"] = _address(mail.reply_to)
    message["Subject"] = _checked("Subject", mail.subject)
    message["Date"] = format_datetime(mail.dated_at)
    message["Message-ID"] = _checked("Message-ID", mail.message_id)
    message.set_content(mail.body, charset="utf-8", cte="quoted-printable")
    for attachment in mail.attachments:
        main, _slash, sub = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=main, subtype=sub or "octet-stream", filename=_checked("Content-Disposition", attachment.name)
        )
    message["Content-Language"] = _checked("Content-Language", mail.language.replace("_", "-"))
    if message.is_multipart():
        message.set_boundary("=_" + hashlib.sha256(mail.message_id.encode()).hexdigest()[:40])
    return message.as_bytes()


def _context(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca)


def _said(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {text}"


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A connection on which mail may be handed over. Errors: ``PutOff``, ``Refused``."""
    try:
        if server.security == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=CONNECT_SECONDS, context=_context(server))
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=CONNECT_SECONDS)
    except ssl.SSLError as error:
        raise PutOff("mail_server_not_trusted", str(error.reason or error)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise PutOff("mail_server_unreachable", str(error)) from error
    try:
        try:
            smtp.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                smtp.starttls(context=_context(server))
                smtp.ehlo()
            if server.user:
                smtp.login(server.user, server.password)
        except ssl.SSLError as error:
            raise PutOff("mail_server_not_trusted", str(error.reason or error)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise PutOff("mail_server_lacks", str(error)) from error
        except smtplib.SMTPAuthenticationError as error:
            raise PutOff("mail_login_refused", _said(error.smtp_code, error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise PutOff("mail_server_unreachable", str(error)) from error
        if smtp.sock is not None:
            smtp.sock.settimeout(ANSWER_SECONDS)
        yield smtp
    finally:
        smtp.close()


def try_connection(server: MailServer) -> None:
    """Whether the server can be reached, is trusted and lets us in. Errors: ``PutOff``."""
    with _connected(server):
        pass


def send(server: MailServer, content: bytes, *, sender: str, recipients: Sequence[str], is_last_attempt: bool = False) -> Acceptance:
    """Hand a message over.

    As long as there are further attempts a recipient that cannot be reached for now puts off all of them, so that nobody gets it twice;
    on the last attempt it goes to those who can be reached.
    Errors: ``PutOff``, ``Refused``, ``AnswerLost``.
    """
    with _connected(server) as smtp:
        refused = _name_recipients(smtp, content, sender, recipients, is_last_attempt=is_last_attempt)
        try:
            code, reply = smtp.docmd("DATA")
        except (OSError, smtplib.SMTPException) as error:
            raise PutOff("mail_server_unreachable", str(error)) from error
        if code != 354:
            raise (Refused if 500 <= code < 600 else PutOff)("mail_refused", _said(code, reply))
        try:
            smtp.send(_dotted(content))
            code, reply = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise AnswerLost("mail_answer_lost", str(error)) from error
        if 200 <= code < 300:
            _say_goodbye(smtp)
            return Acceptance(_said(code, reply)[:300], refused)
        raise (Refused if 500 <= code < 600 else PutOff)("mail_refused", _said(code, reply))


def _name_recipients(
    smtp: smtplib.SMTP, content: bytes, sender: str, recipients: Sequence[str], *, is_last_attempt: bool
) -> dict[str, str]:
    """Say from whom and to whom; gives the recipients that are refused. Errors: ``PutOff``, ``Refused``."""
    refused: dict[str, str] = {}
    delayed: dict[str, str] = {}
    taken = 0
    try:
        options = [f"size={len(content)}"] if smtp.has_extn("size") else []
        code, reply = smtp.mail(ascii_address(parseaddr(sender)[1]), options)
        if code != 250:
            raise (Refused if 500 <= code < 600 else PutOff)("mail_refused", _said(code, reply))
        for recipient in recipients:
            code, reply = smtp.rcpt(ascii_address(recipient))
            if code in {250, 251}:
                taken += 1
            elif 500 <= code < 600:
                refused[recipient] = _said(code, reply)[:300]
            else:
                delayed[recipient] = _said(code, reply)[:300]
    except (OSError, smtplib.SMTPException) as error:
        raise PutOff("mail_server_unreachable", str(error)) from error
    if delayed and not (is_last_attempt and taken):
        raise PutOff("mail_recipient_put_off", "; ".join(f"{address}: {said}" for address, said in delayed.items()))
    if not taken:
        raise Refused("mail_recipients_refused", "; ".join(f"{address}: {said}" for address, said in refused.items()))
    return refused | delayed


def _dotted(content: bytes) -> bytes:
    """The content as it goes over the line: lines end in CRLF, a leading dot is doubled, a lone dot ends it."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    stuffed = re.sub(rb"(?m)^\.", b"..", lines)
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _say_goodbye(smtp: smtplib.SMTP) -> None:
    """The message is the server's; how the connection ends no longer matters."""
    try:
        if isinstance(smtp.sock, socket.socket):
            smtp.sock.settimeout(5)
        smtp.docmd("QUIT")
    except (OSError, smtplib.SMTPException):
        return
