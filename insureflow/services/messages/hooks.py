"""What other features do when a message of theirs changes its state, in the same unit of work. They register at import."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from insureflow.domain.messages import MessageAction, next_message_state
from insureflow.models.messages import Message

StateHook = Callable[[Session, Message], None]

#: A message that has been on its way for so long has lost its sender. Its next attempt is put so far after the one that is made.
LEASE_MINUTES = 15

#: The kind under which somebody hears of every message.
ANY_KIND = "*"
_HOOKS: dict[str, list[StateHook]] = {}


def on_state(kind: str, hook: StateHook) -> StateHook:
    """Call a function whenever a message of a kind (or of any kind) has changed its state; registering it again changes nothing."""
    known = _HOOKS.setdefault(kind, [])
    if hook not in known:
        known.append(hook)
    return hook


def move(message: Message, action: MessageAction) -> None:
    """Take a message into its next state. Errors: ``message_cannot``."""
    message.state = next_message_state(message.state, action)


def announce(session: Session, message: Message) -> None:
    """Tell whoever it concerns how a message stands now."""
    session.flush()
    for kind in (message.kind, ANY_KIND):
        for hook in _HOOKS.get(kind, ()):
            hook(session, message)
