"""Payment terms and periods: the days from which they run, and what is wrong with a term."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "TermsStart.shipment_date": _("shipment date"),
    "EndOfMonth.month_end_plus_months": _("end of the month after whole months"),
    "EndOfMonth.month_end_plus_days": _("days after the end of the month"),
    "earliest": _("first day"),
    "latest": _("last day"),
}

SENTENCES: dict[str, str] = {
    "negative_terms": _("%(path)s: terms of payment cannot be %(value)s; give nothing or more."),
    "not_a_multiple_of_30": _("%(path)s: terms counted in whole months must be a multiple of 30 days, not %(value)s."),
}
