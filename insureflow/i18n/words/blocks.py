"""Blocks on shipments."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "ExceptionReason.disputed": _("disputed"),
    "ExceptionReason.one_off": _("a single mishap, not bad will"),
    "ExceptionReason.payment_on_its_way": _("payment is on its way"),
    "ExceptionReason.insurer_agreed": _("the insurer agreed"),
    "BlockSource.policy": _("rule of the policy"),
    "BlockSource.insurer": _("stopped by the insurer"),
    "BlockSource.manual": _("set by hand"),
    "BlockSource.group": _("block of the group"),
}
