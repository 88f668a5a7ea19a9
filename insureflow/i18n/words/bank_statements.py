"""Bank statements: what is read of a bank's file, what is wrong in it, and whether it adds up."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "StatementKind.statement": _("statement"),
    "StatementKind.notification": _("notice of single bookings"),
    "EntryStatus.booked": _("booked"),
    "EntryStatus.pending": _("announced, not yet booked"),
    "EntryStatus.information": _("for information"),
    "BalanceCheck.adds_up": _("adds up"),
    "BalanceCheck.differs": _("does not add up"),
    "BalanceCheck.not_stated": _("no balances stated"),
    "BalanceCheck.currencies_differ": _("balances in several currencies"),
}

SENTENCES: dict[str, str] = {
    "statement_kind_unknown": _("This is no bank statement: camt.053, camt.054 and MT940 files are read. Ask the bank for one of these."),
    "statement_version_unknown": _(
        "The message calls itself “%(found)s”. Read are camt.053.001 and camt.054.001 in the versions 02 to 13. Ask the bank for one of these."
    ),
    "statement_damaged": _("The file is damaged at line %(line)s, column %(column)s. Fetch it from the bank once more."),
    "no_statement": _("The file holds no statement. Fetch it from the bank once more."),
    "too_many_statements": _("The file holds more than %(limit)s statements. Import it in parts."),
    "too_many_bank_entries": _("The file holds more than %(limit)s entries. Import it in parts."),
    "account_missing": _("The statement %(statement)s names no account, so it was left out."),
    "balance_unreadable": _("A balance of the statement %(statement)s cannot be read, so the statement was left out."),
    "balance_differs": _(
        "The statement %(statement)s does not add up: its entries lead from %(opening)s to an amount that differs by %(difference)s "
        "from the closing balance of %(closing)s. Compare it with the bank before you rely on it."
    ),
    "balance_currencies_differ": _(
        "The statement %(statement)s opens with %(opening)s and closes with %(closing)s, and not all of its amounts have one currency. "
        "It cannot be checked."
    ),
    "entry_amount_missing": _("An entry of the statement %(statement)s has no amount."),
    "entry_amount_bad": _("This is not an amount of its currency."),
    "entry_currency_unknown": _("This is not the code of a currency."),
    "entry_direction_unknown": _("It is not said whether the account gained or lost."),
    "entry_status_unknown": _("It is not said whether the entry is booked."),
    "entry_date_missing": _("A booked entry has neither the day of its booking nor that of its value."),
    "entry_date_bad": _("This is not a date."),
    "entry_unreadable": _("This line of a booking cannot be read."),
    "parts_do_not_add_up": _(
        "The parts of a booking of %(amount)s are not told in its currency, or do not add up to it. It was taken as one payment."
    ),
}
