"""Dunning: rules set, letters proposed, approved and sent, promises, holds, calls, statements of account, notices of interest."""

from __future__ import annotations

from insureflow.services.dunning.accounts import preview_statement, send_statement, statement_of
from insureflow.services.dunning.composing import preview
from insureflow.services.dunning.interest import interest_of_account, preview_interest, send_interest_notice
from insureflow.services.dunning.letters import approve, issue_approved, mark_posted, print_letters, repeat, skip
from insureflow.services.dunning.people import (
    add_hold,
    add_note,
    add_promise,
    cancel_promise,
    end_hold,
    follow_up_done,
    note_broken_promises,
)
from insureflow.services.dunning.proposing import Proposed, propose, simulate
from insureflow.services.dunning.rules import fallback_rules, remove_rule, rules_for_buyer, set_rule

__all__ = [
    "Proposed",
    "add_hold",
    "add_note",
    "add_promise",
    "approve",
    "cancel_promise",
    "end_hold",
    "fallback_rules",
    "follow_up_done",
    "interest_of_account",
    "issue_approved",
    "mark_posted",
    "note_broken_promises",
    "preview",
    "preview_interest",
    "preview_statement",
    "print_letters",
    "propose",
    "remove_rule",
    "repeat",
    "rules_for_buyer",
    "send_interest_notice",
    "send_statement",
    "set_rule",
    "simulate",
    "skip",
    "statement_of",
]
