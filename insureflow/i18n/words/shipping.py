"""May I ship, as it is asked and kept."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "amount_without_tax": _("amount without tax"),
}

SENTENCES: dict[str, str] = {
    "shipment_amount_needed": _("A shipment has an amount above 0. Write what will be invoiced, without tax."),
    "shipment_terms_out_of_range": _("Terms of payment are between 0 and %(longest)s days. Correct the days."),
    "order_reference_too_long": _("An order reference has at most %(longest)s signs. Shorten it."),
    "shipping_entity_needed": _("Several companies of yours could ship this. Say which one: %(entities)s."),
    "shipment_buyer_needed": _("Say which buyer: by its key (buyer_id) or by its customer number (customer_number)."),
    "reservation_in_the_past": _("%(value)s has passed. Reserve until today or a later day."),
    "reservation_too_long": _("A reservation lasts at most %(longest)s days. Choose an earlier day."),
    "reservation_needs_order": _("A reservation belongs to an order. Write the order's reference."),
    "shipment_check_unknown": _("There is no answer %(check)s here. Perhaps it belongs to somebody else."),
    "shipment_invoice_unknown": _("This buyer has no invoice %(invoice)s. Look at the number, or import the invoice first."),
    "nothing_reserved": _("Nothing is kept for answer %(check)s any more: it lapsed, was released or was invoiced."),
    "remedy_together": _("%(remedy)s Together with: %(other)s."),
}
