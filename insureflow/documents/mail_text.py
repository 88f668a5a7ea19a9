"""The e-mail that goes with a paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailText:
    """Subject and body of an e-mail, as plain text."""

    subject: str
    body: str
