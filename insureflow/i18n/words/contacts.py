"""The words of contacts and letterheads."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "ContactPurpose.notices": _("notifications and requests"),
    "ContactPurpose.limits": _("limits"),
    "ContactPurpose.claims": _("claims"),
    "Mail.bounced": _("mail comes back"),
    "Permission.send_letters": _("send letters to buyers"),
    "Action.contact.added": _("contact added"),
    "Action.contact.changed": _("contact changed"),
    "Action.contact.removed": _("contact taken out"),
    "Action.contacts.imported": _("contacts imported"),
    "Action.policy.contact_set": _("address of the insurer set"),
    "Action.policy.contact_removed": _("address of the insurer taken out"),
    "Action.letterhead.set": _("letterhead set"),
    "Subject.contacts": _("contacts"),
    "Change.phone": _("Telephone"),
    "Change.gets_letters": _("Gets letters"),
    "Change.purpose": _("Purpose"),
    "Change.address": _("Address"),
    "Change.portal": _("Portal"),
    "Change.contact": _("Contact"),
    "Change.registration": _("Registration"),
    "Change.tax_number": _("VAT number"),
    "Change.bank_name": _("Bank"),
    "Change.bank_account": _("Account"),
    "Change.bank_code": _("Bank code"),
    "Change.footer": _("Foot of the page"),
    "Change.added": _("Added"),
    "Change.changed": _("Changed"),
}

SENTENCES: dict[str, str] = {
    "email_not_valid": _("“%(value)s” is not an e-mail address. Write it as name@company.example."),
    "contact_text_too_long": _("“%(value)s…” is too long or has characters that cannot be kept: %(maximum)s characters at most."),
    "contact_empty": _("Give a name, an e-mail address or a telephone number."),
    "letterhead_speaks_of_insurance": _("Buyers read the foot of the page, and “%(value)s” speaks of insurance. Leave it out."),
    "contact_unknown": _("There is no contact %(contact)s here. It may have been taken out; look at the buyer's contacts."),
    "portal_not_an_address": _("“%(value)s” is not an address of a web page. Write it as https://portal.example."),
    "contacts_too_large": _("The file is larger than %(mebibytes)s MiB. Divide it."),
    "contacts_not_text": _("This is not a file of text with columns. Save it as CSV and try again."),
    "contacts_too_many": _("The file has more than %(most)s rows. Divide it."),
    "contact_column_unknown": _(
        "“%(value)s” is not a column of contacts. The first row names the columns: entity, customer_number, buyer, name, role, email, phone, language, gets_letters."
    ),
    "contact_not_yes_or_no": _("Write yes or no."),
    "contact_buyer_unknown": _("No buyer, or more than one, has this number or name."),
    "row.email_not_valid": _("This is not an e-mail address."),
    "row.contact_text_too_long": _("This is too long, or has characters that cannot be kept."),
    "row.contact_empty": _("A name, an e-mail address or a telephone number is needed."),
}
