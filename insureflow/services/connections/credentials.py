"""Credentials of connections: encrypted where they are kept, opened only where they are used, never shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app

from insureflow.connectors.insurers.interface import StopSync


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in current_app.config["INSUREFLOW"].encryption_keys])


def seal(credentials: Mapping[str, str]) -> str:
    """Credentials as they are kept: encrypted with the newest key; nothing where there are none."""
    given = {name: value for name, value in credentials.items() if value}
    return _box().encrypt(json.dumps(given, sort_keys=True).encode()).decode("ascii") if given else ""


def unseal(sealed: str) -> dict[str, str]:
    """Credentials as the connector needs them. Errors: ``StopSync`` ``credentials_unreadable`` where no key opens them."""
    if not sealed:
        return {}
    try:
        opened = json.loads(_box().decrypt(sealed.encode("ascii")))
    except (InvalidToken, ValueError) as error:
        raise StopSync("credentials_unreadable") from error
    return {str(name): str(value) for name, value in opened.items()}
