"""Buyers: who they are, how they are known, what can be wrong with what is entered."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "BuyerStatus.active": _("active"),
    "BuyerStatus.to_review": _("to review"),
    "BuyerStatus.archived": _("in the archive"),
    "NotInsurable.affiliate": _("affiliated company"),
    "NotInsurable.private_person": _("private person"),
    "NotInsurable.public_buyer": _("public buyer"),
    "NotInsurable.other": _("not insurable for another reason"),
    "NameKind.trading": _("trading name"),
    "NameKind.former": _("former name"),
    "AddressKind.registered": _("registered office"),
    "AddressKind.invoice": _("invoice address"),
    "AddressKind.delivery": _("delivery address"),
    "IdentifierScheme.registration": _("registration number"),
    "IdentifierScheme.vat": _("VAT number"),
    "IdentifierScheme.lei": _("LEI"),
    "YesNo.yes": _("yes"),
    "YesNo.no": _("no"),
    "HappeningKind.decision": _("decision"),
    "HappeningKind.act": _("act"),
    "HappeningKind.invoice": _("invoice"),
    "HappeningKind.credit_note": _("credit note"),
    "HappeningKind.payment": _("payment"),
    "HappeningKind.dispute": _("dispute"),
    "HappeningKind.dispute_resolved": _("dispute resolved"),
    "AccountMark.stopped": _("cover stopped"),
    "AccountMark.over_limit": _("over the limit"),
    "Number.checked": _("form verified"),
    "Number.not_checked": _("as entered"),
    "Action.buyer.added": _("buyer added"),
    "Action.buyer.changed": _("buyer changed"),
    "Action.buyer.merged": _("buyers merged"),
    "Action.buyer.archived": _("buyer put into the archive"),
    "Action.buyer.restored": _("buyer taken out of the archive"),
    "Action.buyer.confirmed": _("new buyers confirmed"),
    "Subject.buyer": _("buyer"),
    "Subject.buyers": _("buyers"),
    "Change.legal_name": _("Legal name"),
    "Change.country": _("Country"),
    "Change.names": _("Other names"),
    "Change.language": _("Language for letters"),
    "Change.sector": _("Sector"),
    "Change.parent_id": _("Group parent"),
    "Change.not_insurable": _("Why it cannot be insured"),
    "Change.natural_person": _("A natural person"),
    "Change.identifiers": _("Public numbers"),
    "Change.addresses": _("Addresses"),
    "Change.customer_numbers": _("Customer numbers"),
    "Change.insurer_numbers": _("Numbers with insurers"),
    "Change.status": _("Status"),
    "Change.name": _("Name"),
    "Change.kept": _("Buyer that stays"),
    "Change.moved": _("What moved to it"),
    "Change.policy_id": _("Policy"),
    "Change.buyer_id": _("Buyer"),
    "Change.invoice_id": _("Invoice"),
    "Change.layer": _("Layer"),
    "Change.kind": _("Kind"),
    "Change.requested": _("Requested"),
    "Change.decided": _("Amount"),
    "Change.rate": _("Rate of exchange"),
    "Change.rate_source": _("Source"),
    "Change.decided_on": _("Decided on"),
    "Change.effective_on": _("Effective from"),
    "Change.valid_to": _("Valid to"),
    "Change.conditions": _("Conditions"),
    "Change.insurer_reference": _("Insurer's reference"),
    "Change.reason": _("Reason or remark"),
    "Change.source": _("Where it comes from"),
    "Change.happened_on": _("Date"),
    "Change.data": _("Details"),
    "Change.note": _("Remark"),
}

SENTENCES: dict[str, str] = {
    "buyer_unknown": _("There is no such buyer (%(buyer)s) in this organisation."),
    "buyer_name_empty": _("A buyer needs a legal name."),
    "name_too_long": _("The name “%(value)s…” is longer than %(maximum)s characters. Shorten it."),
    "language_unknown": _("“%(value)s” is not a language. Write a tag such as de, sv or pt-BR."),
    "sector_unknown": _("“%(value)s” is no section or division of the classification of activities. Write a code such as 46 or G."),
    "number_empty": _("The number is empty. Enter it or remove the row."),
    "number_length": _("The number “%(value)s” has the wrong length for a register in %(country)s. Compare it with the buyer's papers."),
    "number_format": _(
        "The number “%(value)s” is not written like a number of a register in %(country)s. Compare it with the buyer's papers."
    ),
    "number_check_digit": _(
        "The check digit of “%(value)s” (%(country)s) is wrong: a digit was probably mistyped. Compare it with the buyer's papers."
    ),
    "number_component": _("A part of the number “%(value)s” (%(country)s) cannot be right. Compare it with the buyer's papers."),
    "number_taken": _("The number “%(value)s” belongs to %(buyer)s already. If the two are one buyer, merge them."),
    "number_in_use": _(
        "The customer number %(number)s of %(buyer)s cannot be removed: invoices came under it, and imports find the buyer by it."
    ),
    "entity_not_found": _("There is no entity with the key %(value)s in this organisation."),
    "parent_unknown": _("No buyer is called “%(value)s”. Write the name or customer number of the group parent as it stands in the list."),
    "parent_ambiguous": _("Several buyers fit “%(value)s”: %(buyers)s. Write the whole name."),
    "group_closes_circle": _("This buyer stands above the one you chose as its parent; a group cannot be a circle."),
    "buyer_owes": _("%(buyer)s still owes invoice %(invoice)s. A buyer can only be put into the archive when nothing is open."),
    "merge_with_itself": _("%(buyer)s cannot be merged with itself."),
    "countries_differ_in_merge": _(
        "%(kept)s and %(merged)s are in different countries, so they are two legal entities. Correct the country first if it is wrong."
    ),
    "insurer_numbers_differ": _(
        "%(insurer)s knows %(kept)s as %(kept_number)s and %(merged)s as %(merged_number)s, and both have limits under policy %(policy)s. "
        "To the insurer they are two debtors. Ask it which number holds, correct the other, and merge then."
    ),
}
