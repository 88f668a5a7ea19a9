"""Keys for other systems."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {}

SENTENCES: dict[str, str] = {
    "expires_in_past": _("%(path)s: %(value)s has passed. Choose a later day for the key to end."),
    "scope_beyond_role": _("%(path)s: the role %(role)s does not allow %(value)s. A key never allows more than its owner's role."),
    "token_unknown": _("There is no key %(token)s here. Perhaps it belongs to somebody else."),
    "token_owner_unknown": _("Nobody with the number %(member)s works in this organisation."),
}
