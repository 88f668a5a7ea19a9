"""Receivables, disputes and saved views: the words of their pages, and what is wrong with what was entered."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "InvoiceState.not_yet_due": _("not yet due"),
    "InvoiceState.overdue": _("overdue"),
    "InvoiceState.settled": _("settled"),
    "DisputeState.disputed": _("going on"),
    "DisputeState.settled": _("resolved"),
    "Purpose.ordinary": _("ordinary"),
    "Purpose.cash_or_prepaid_supply": _("for a cash or prepaid supply"),
    "Division.whole": _("everything"),
    "Division.country": _("country"),
    "Division.policy": _("policy"),
    "Division.entity": _("entity"),
    "Division.currency": _("currency"),
    "Division.buyer": _("buyer"),
    "Division.age": _("age"),
    "Action.dispute.opened": _("dispute opened"),
    "Action.dispute.resolved": _("dispute resolved"),
    "Action.saved_view.saved": _("view saved"),
    "Action.saved_view.deleted": _("saved view deleted"),
    "Subject.dispute": _("dispute"),
    "Subject.saved_view": _("saved view"),
}

SENTENCES: dict[str, str] = {
    "receivable_unknown": _("There is no such invoice in this organisation."),
    "dispute_unknown": _("There is no such dispute in this organisation."),
    "dispute_over_already": _("The dispute about the invoice %(invoice)s ended on %(on)s already. Nothing was changed."),
    "dispute_amount_not_positive": _("A disputed amount must be more than nothing."),
    "dispute_above_open": _("At most %(left)s can be disputed: that is what is open and not disputed yet."),
    "dispute_before_shipment": _("Nothing can be disputed before the goods were shipped and invoiced, on %(first)s."),
    "dispute_in_the_future": _("This day is still to come; today is %(today)s."),
    "dispute_reason_missing": _("Say in a few words what the buyer disputes."),
    "dispute_owed_out_of_range": _("What was found to be owed lies between nothing and the disputed %(disputed)s."),
    "dispute_ends_before_it_began": _("The dispute began on %(opened)s; it cannot have ended before."),
    "saved_view_name_missing": _("A saved view needs a name."),
    "saved_view_too_long": _("This name or these filters are too long to be kept; a name may have %(maximum)s letters."),
    "saved_view_unknown": _("There is no such saved view, or it belongs to somebody else."),
}
