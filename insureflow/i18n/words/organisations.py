"""Organisations, people and what they may do."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "administrator": _("administrator"),
    "credit_manager": _("credit manager"),
    "credit_analyst": _("credit analyst"),
    "receivables_clerk": _("receivables clerk"),
    "claims_handler": _("claims handler"),
    "management": _("management (read only)"),
    "sales": _("sales"),
    "auditor": _("auditor"),
}

SENTENCES: dict[str, str] = {
    "organisation_unknown": _("There is no organisation “%(organisation)s”. List them with “insureflow organisation list”."),
    "organisation_exists": _("An organisation with the short name “%(organisation)s” exists already. Choose another short name."),
    "entity_unknown": _("There is no entity with the code “%(entity)s” in this organisation."),
    "entity_exists": _("An entity with the code “%(entity)s” exists already."),
    "member_exists": _("%(email)s works in this organisation already."),
    "member_unknown": _("%(email)s does not work in this organisation."),
    "last_administrator": _("%(email)s is the only administrator who can log in. Make somebody else an administrator first."),
    "role_unchanged": _("%(email)s has this role already."),
    "password_needed": _("%(email)s has no log-in yet: give a password for it."),
    "password_too_short": _("A password needs at least %(minimum)s characters."),
    "email_unusable": _("“%(value)s” is not an e-mail address."),
    "name_empty": _("%(path)s: a name is needed."),
    "code_empty": _("%(path)s: a code is needed."),
    "time_zone_unknown": _("“%(value)s” is not a time zone, such as Europe/Stockholm."),
}
