"""Limits needed against limits granted."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "NeedStanding.under_asked": _("too low"),
    "NeedStanding.fitting": _("fits the need"),
    "NeedStanding.over_asked": _("too high"),
    "NeedStanding.unused": _("unused"),
}

SENTENCES: dict[str, str] = {}
