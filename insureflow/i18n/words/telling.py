"""What people are told inside the product, and how they want to be told."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "NoticeToPerson.duty_comes": _("a duty comes"),
    "NoticeToPerson.duty_today": _("a duty is due today"),
    "NoticeToPerson.duty_late": _("a duty is late"),
    "NoticeToPerson.notification_to_approve": _("a notification waits for approval"),
    "NoticeToPerson.notification_answered": _("the insurer answered"),
    "NoticeToPerson.letters_to_approve": _("letters wait for approval"),
    "NoticeToPerson.message_failed": _("a message was not delivered"),
    "NoticeToPerson.promise_broken": _("a promise to pay was broken"),
    "NoticeToPerson.instalment_broken": _("an instalment was not paid"),
    "NoticeToPerson.buyer_blocked": _("a buyer is blocked"),
    "NoticeToPerson.webhook_stopped": _("events are no longer sent"),
    "Digest.off": _("never"),
    "Digest.daily": _("every working day"),
    "Digest.weekly": _("every Monday"),
    "Action.telling.changed": _("way of being told changed"),
    "Action.calendar_feed.opened": _("calendar feed opened"),
    "Action.calendar_feed.ended": _("calendar feed ended"),
    "Subject.calendar_feed": _("calendar feed"),
    "Change.digest": _("Summary by e-mail"),
    "Change.days_before": _("Days before a duty"),
    "Change.only_own": _("Only own duties"),
}

SENTENCES: dict[str, str] = {
    "told.duty_comes": _("%(buyer)s: %(duty)s by %(due_on)s, in %(days)s days."),
    "told.duty_today": _("%(buyer)s: %(duty)s today."),
    "told.duty_late": _("%(buyer)s: %(duty)s was due on %(due_on)s and is not done."),
    "told.notification_to_approve": _("The notification about %(buyer)s was drafted. Approve it by %(deadline_on)s."),
    "told.notification_answered": _("The insurer answered about %(buyer)s: %(outcome)s."),
    "told.letters_to_approve": _("%(count)s letters to buyers wait for approval."),
    "told.message_failed": _("The message “%(subject)s” to %(recipient)s was not delivered."),
    "told.promise_broken": _("%(buyer)s promised %(amount)s by %(promised_for)s and has not paid it."),
    "told.instalment_broken": _("%(buyer)s has not paid the instalment of %(amount)s due on %(due_on)s."),
    "told.buyer_blocked": _("%(buyer)s is blocked: nothing may be shipped to it on credit."),
    "told.webhook_stopped": _("Events are no longer sent to %(url)s, because it failed too often."),
    "days_before_out_of_bounds": _("%(value)s days before a duty is not possible. Use whole days from 0 to %(most)s."),
    "calendar_feed_unknown": _("There is no such calendar feed. It may have been ended; look at the list."),
}
