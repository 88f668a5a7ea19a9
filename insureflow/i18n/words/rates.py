"""Exchange rates: what is wrong with one, and what is missing."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {}

SENTENCES: dict[str, str] = {
    "not_a_rate": _("%(path)s: “%(value)s” is not an exchange rate. Write a number above 0, such as 0.9215."),
    "same_currency": _("%(path)s: a rate needs two different currencies."),
    "source_needed": _("%(path)s: say where the rate comes from."),
    "rate_missing": _("There is no exchange rate of %(base)s in %(quote)s for %(on)s. Enter one on the page “Exchange rates”."),
    "rates_missing": _("%(count)s exchange rates are missing: %(pairs)s. Enter them on the page “Exchange rates”."),
    "rate_unknown": _("There is no such rate in this organisation."),
    "currency_unknown": _("%(path)s: “%(value)s” is not a currency code of three letters, such as EUR."),
    "country_unknown": _("%(path)s: “%(value)s” is not a country code of two letters, such as DE."),
}
