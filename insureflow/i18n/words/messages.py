"""The words of e-mail: how messages stand, what servers said, what can be done."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "MessageState.queued": _("waits"),
    "MessageState.sending": _("on its way"),
    "MessageState.sent": _("sent"),
    "MessageState.uncertain": _("nobody knows whether it arrived"),
    "MessageState.failed": _("not delivered"),
    "MessageState.bounced": _("came back"),
    "MessageState.cancelled": _("cancelled"),
    "MessageAction.start": _("send"),
    "MessageAction.accept": _("record as sent"),
    "MessageAction.put_off": _("try later"),
    "MessageAction.refuse": _("record as refused"),
    "MessageAction.lose": _("record as uncertain"),
    "MessageAction.bounce": _("record as come back"),
    "MessageAction.repeat": _("send again"),
    "MessageAction.cancel": _("cancel"),
    "ReportedAction.failed": _("not delivered"),
    "ReportedAction.delayed": _("delayed"),
    "ReportedAction.delivered": _("delivered"),
    "ReportedAction.relayed": _("handed on"),
    "ReportedAction.expanded": _("handed to a list"),
    "Subject.mail": _("e-mail"),
    "Action.mail.sent": _("e-mail sent"),
    "Action.mail.failed": _("e-mail not delivered"),
    "Action.mail.uncertain": _("e-mail uncertain"),
    "Action.mail.bounced": _("e-mail came back"),
    "Action.mail.repeated": _("e-mail sent again"),
    "Action.mail.cancelled": _("e-mail cancelled"),
    "Action.mail.confirmed": _("e-mail confirmed as arrived"),
    "Action.mail.tested": _("test message queued"),
    "Change.recipients": _("Recipients"),
    "Change.message_id": _("Identification"),
    "Change.reply": _("Answer of the server"),
    "Change.diagnostic": _("Reason"),
    "Change.server": _("Server"),
    "Job.messages.deliver": _("Send e-mail"),
    "JobHint.messages.deliver": _("E-mail that waits is handed to the mail server; what it cannot take now is tried again later."),
    "RunCount.mail_sent": _("e-mails sent"),
    "RunCount.mail_put_off": _("e-mails put off"),
    "RunCount.mail_failed": _("e-mails not delivered"),
    "RunCount.mail_uncertain": _("e-mails uncertain"),
    "RunCount.mail_waiting": _("e-mails waiting for a mail server"),
}

SENTENCES: dict[str, str] = {
    "message_cannot": _("This message is “%(state)s”, so it cannot be made to “%(action)s”. Look at the list of messages."),
    "mail_unknown": _("There is no message %(message)s here. Look at the list of messages."),
    "message_without_recipient": _(
        "Nobody is named to whom “%(subject)s” goes. Add a contact with an e-mail address, or print the letter."
    ),
    "message_too_many_recipients": _("A message can go to %(most)s people at most."),
    "message_text_unusable": _("A message needs a subject of at most %(subject)s and a text of at most %(body)s characters."),
    "mail_address_unsafe": _("“%(address)s” cannot be used as an e-mail address. Correct it at the contact."),
    "mail_header_unsafe": _(
        "The line %(header)s of the message has characters that no message may have there. Correct the name or subject."
    ),
    "mail_not_configured": _("This installation has no mail server. Set INSUREFLOW_SMTP_URL and INSUREFLOW_MAIL_FROM."),
    "mail_not_working": _("The mail server does not let us in: %(reason)s. Check INSUREFLOW_SMTP_URL."),
    "mail_server_unreachable": _("The mail server cannot be reached: %(reply)s"),
    "mail_server_not_trusted": _("The mail server's certificate is not trusted: %(reply)s"),
    "mail_server_lacks": _("The mail server lacks what the settings ask for: %(reply)s"),
    "mail_login_refused": _("The mail server refuses user or password: %(reply)s"),
    "mail_refused": _("The mail server refused it: %(reply)s"),
    "mail_recipient_put_off": _("A recipient cannot be reached now: %(reply)s"),
    "mail_recipients_refused": _("Every recipient was refused: %(reply)s"),
    "mail_some_refused": _("It was sent, but not to all: %(reply)s"),
    "mail_answer_lost": _("The message went out and no answer came: %(reply)s"),
    "mail_sender_died": _("The sending was interrupted after it had begun."),
    "report_too_large": _("The report is larger than %(mebibytes)s MiB."),
    "report_unreadable": _(
        "This is not a report about mail that was not delivered. Save the whole message as a file, with its attachments."
    ),
    "report_unmatched": _("No message of ours to %(recipient)s is known that this report could be about."),
}
