"""Limits that were cut: what can be said about them."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Action.limit.cut_planned": _("work made of a limit cut"),
    "Change.actions": _("Actions"),
}

SENTENCES: dict[str, str] = {
    "decision_cuts_nothing": _("This decision for %(buyer)s reduced or ended no limit. Look at the list of limits cut."),
}
