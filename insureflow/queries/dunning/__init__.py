"""Dunning, read: who is due a letter, which letters there are, and what is known beside them."""

from __future__ import annotations

from insureflow.queries.dunning.interest import claimed_until, late_invoices
from insureflow.queries.dunning.lists import (
    LetterCounts,
    count_letters,
    entities_of,
    find_hold,
    find_letter,
    find_note,
    find_promise,
    find_rule,
    follow_ups,
    holds_of,
    invoices_of,
    letter_listing,
    letters_of,
    notes_of,
    overdue_of,
    post_letters,
    promises_of,
    reminded_before,
    rules,
    stored_rules,
)
from insureflow.queries.dunning.promises import PromisePicture, broken_promises, open_promises, promise_pictures
from insureflow.queries.dunning.selection import SUPERSEDED, DueInvoice, DueLetter, due_invoices, due_letters

__all__ = [
    "SUPERSEDED",
    "DueInvoice",
    "DueLetter",
    "LetterCounts",
    "PromisePicture",
    "broken_promises",
    "claimed_until",
    "count_letters",
    "due_invoices",
    "due_letters",
    "entities_of",
    "find_hold",
    "find_letter",
    "find_note",
    "find_promise",
    "find_rule",
    "follow_ups",
    "holds_of",
    "invoices_of",
    "late_invoices",
    "letter_listing",
    "letters_of",
    "notes_of",
    "open_promises",
    "overdue_of",
    "post_letters",
    "promise_pictures",
    "promises_of",
    "reminded_before",
    "rules",
    "stored_rules",
]
