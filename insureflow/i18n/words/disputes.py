"""Disputes and how they end."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "DisputeOutcome.settlement": _("settled amicably"),
    "DisputeOutcome.judgment": _("judgment or award"),
    "DisputeOutcome.withdrawn": _("withdrawn by the buyer"),
    "DisputeOutcome.credited": _("credited"),
    "Action.dispute.ring_fenced": _("disputed part set apart or not"),
    "Action.dispute.evidence_added": _("paper of a dispute added"),
    "Change.is_ring_fenced": _("Disputed part set apart"),
}
