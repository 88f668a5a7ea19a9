"""Words that belong to no single feature."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "yes": _("yes"),
    "no": _("no"),
    "queued": _("waiting"),
    "waiting": _("waiting"),
    "running": _("running"),
    "done": _("done"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "interrupted": _("interrupted"),
}

SENTENCES: dict[str, str] = {
    "invalid_values": _("%(count)s values need attention."),
    "currencies_differ": _("Amounts in %(left)s and %(right)s cannot be added."),
    "not_an_amount": _("%(path)s: “%(value)s” is not an amount."),
    "too_many_decimals": _("%(path)s: “%(value)s” has more decimals than %(currency)s allows (%(decimals)s)."),
    "weights_not_positive": _("An amount can only be split by positive parts."),
    "books_busy": _(
        "Somebody else is changing the books of your organisation just now, perhaps by an import. Nothing of yours was saved: try again in a minute."
    ),
    "task_unknown": _("There is no such piece of work, or it belongs to somebody else."),
    "unexpected": _("Something unexpected happened (%(error)s). The log has the details."),
    "action_not_possible": _("This is not possible now: the work is %(state)s."),
}
