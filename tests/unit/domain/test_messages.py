"""The life of an e-mail: what was handed to the server is never handed over again by itself."""

from __future__ import annotations

import pytest

from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageAction, MessageState, next_message_state
from insureflow.domain.webhooks import WAITS


def test_an_accepted_message_may_only_come_back() -> None:
    state = next_message_state(next_message_state(MessageState.QUEUED, MessageAction.START), MessageAction.ACCEPT)
    assert state is MessageState.SENT
    assert next_message_state(state, MessageAction.BOUNCE) is MessageState.BOUNCED
    for action in set(MessageAction) - {MessageAction.BOUNCE}:
        with pytest.raises(Refusal, match="message_cannot"):
            next_message_state(state, action)


def test_what_nobody_knows_is_never_sent_by_itself() -> None:
    """Only a person repeats what may have arrived: no step but theirs leads from uncertain back into the queue."""
    assert next_message_state(MessageState.SENDING, MessageAction.LOSE) is MessageState.UNCERTAIN
    back = set()
    for action in MessageAction:
        try:
            if next_message_state(MessageState.UNCERTAIN, action) is MessageState.QUEUED:
                back.add(action)
        except Refusal:
            continue
    assert back == {MessageAction.REPEAT}


def test_events_are_repeated_more_and_more_seldom() -> None:
    assert list(WAITS) == sorted(set(WAITS))
