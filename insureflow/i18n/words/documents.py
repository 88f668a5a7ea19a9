"""The words of papers that cannot be made."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked

SENTENCES = {
    "document_totals_differ": marked(
        "%(what)s cannot be written: it states %(stated)s, but its parts add up to %(calculated)s. Bring the ledger and the paper into line first."
    ),
    "document_without_items": marked("%(number)s cannot be written: it has no items."),
    "document_history_without_start": marked(
        "%(number)s cannot be written: it has a history, but no day from which on. Choose the first day of the history."
    ),
}
