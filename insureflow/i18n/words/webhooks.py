"""The words of events for other systems."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "DeliveryState.queued": _("waits"),
    "DeliveryState.delivered": _("delivered"),
    "DeliveryState.failed": _("not delivered"),
    "WebhookEvent.test": _("test"),
    "WebhookEvent.letter.sent": _("a letter was sent"),
    "WebhookEvent.letter.failed": _("a letter was not delivered"),
    "WebhookEvent.message.failed": _("an e-mail was not delivered"),
    "WebhookEvent.message.bounced": _("an e-mail came back"),
    "WebhookEvent.message.uncertain": _("an e-mail is uncertain"),
    "WebhookEvent.promise.broken": _("a promise was broken"),
    "WebhookEvent.notice.sent": _("a notice was sent to the insurer"),
    "WebhookEvent.notice.answered": _("the insurer answered a notice"),
    "WebhookEvent.plan.broken": _("a payment plan was broken"),
    "WebhookEvent.buyer.blocked": _("a buyer was blocked"),
    "WebhookEvent.buyer.released": _("a buyer was released"),
    "WebhookEvent.limit.cut": _("a limit was cut"),
    "Webhook.on": _("on"),
    "Webhook.off": _("switched off"),
    "Subject.webhook": _("address for events"),
    "Action.webhook.added": _("address for events added"),
    "Action.webhook.changed": _("address for events switched on or off"),
    "Action.webhook.removed": _("address for events taken out"),
    "Action.webhook.tested": _("test event sent"),
    "Action.webhook.stopped": _("events stopped"),
    "Change.url": _("Address"),
    "Change.events": _("Events"),
    "Job.webhooks.deliver": _("Send events"),
    "JobHint.webhooks.deliver": _("Other systems are told of what happened; what they do not take is sent again later."),
    "RunCount.events_delivered": _("events delivered"),
    "RunCount.events_put_off": _("events put off"),
    "RunCount.events_failed": _("events not delivered"),
}

SENTENCES: dict[str, str] = {
    "webhook_address_wrong": _("“%(url)s” cannot be used. Events go to an address that begins with https:// and has no password in it."),
    "webhook_address_private": _(
        "“%(url)s” is inside our own network. Events may go there only if INSUREFLOW_PRIVATE_WEBHOOKS of this installation allows it."
    ),
    "webhook_event_unknown": _("“%(event)s” is not an event. Choose from the list."),
    "webhook_secret_lost": _(
        "Nothing was sent, as no key of this installation opens the secret of this address any more. Put the former key back into INSUREFLOW_ENCRYPTION_KEYS, or remove the address and add it anew."
    ),
    "webhook_unknown": _("There is no address %(endpoint)s for events here."),
}
