"""Limits over several buyers: what was done with them, and what can be wrong with what is entered."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Action.limit_group.created": _("shared limit entered"),
    "Action.limit_group.decided": _("decision on a shared limit entered"),
    "Action.limit_group.joined": _("buyers added to a shared limit"),
    "Action.limit_group.left": _("share in a limit ended"),
    "Subject.limit_group": _("shared limit"),
    "Change.joined_on": _("Shares from"),
    "Change.left_on": _("Shares until before"),
}

SENTENCES: dict[str, str] = {
    "limit_group_unknown": _("There is no such shared limit (%(group)s) in this organisation."),
    "group_name_needed": _("Give the group or pool a name."),
    "group_name_taken": _("The policy has a shared limit named “%(value)s” already. Choose another name, or add a decision to that one."),
    "group_needs_buyers": _("A shared limit needs two buyers or more."),
    "group_reference_taken": _("A decision with the reference “%(value)s” is entered for this shared limit already."),
    "buyer_shares_already": _("%(buyer)s shares in “%(group)s” under this policy on that day. End that share first."),
    "buyer_not_in_group": _("This buyer does not share in “%(group)s” on that day."),
    "joins_before_limit": _("Nobody can share in the limit from %(value)s on: it is in effect from %(since)s."),
    "group_buyer_unknown": _("No buyer has the customer number or the name “%(value)s”."),
    "group_buyer_ambiguous": _("Several buyers have the customer number or the name “%(value)s”. Use a number that only one has."),
    "limit_currencies_differ": _("Buyers that share a limit need one limit currency; these have several: %(currencies)s."),
    "shared_twice": _("A buyer would share in two limits of one policy on %(on)s. End one share before the other begins."),
}
