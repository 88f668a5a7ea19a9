"""Connections to insurers: what an interface offers, how messages stand, and what went wrong on the way."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Operation.find_company": _("find a company"),
    "Operation.request_new": _("request a limit"),
    "Operation.request_increase": _("request an increase"),
    "Operation.request_reduction": _("request a reduction"),
    "Operation.request_cancellation": _("cancel a limit"),
    "Operation.find_request": _("find a request sent before"),
    "Operation.poll_requests": _("ask how requests stand"),
    "Operation.list_covers": _("list all limits"),
    "Operation.list_changes": _("list changes"),
    "Operation.receive_push": _("receive messages"),
    "Operation.read_grade": _("read a grade"),
    "Operation.declare_overdue": _("declare an overdue"),
    "Operation.declare_turnover": _("declare turnover"),
    "Operation.declare_collection": _("declare a payment received"),
    "Operation.file_claim": _("file a claim"),
    "Confidence.official": _("from official publications"),
    "Confidence.clients": _("from clients that work with it"),
    "Confidence.best_effort": _("best effort"),
    "Confidence.own": _("our own format"),
    "OutboxState.waiting": _("waiting to be sent"),
    "OutboxState.sending": _("being sent"),
    "OutboxState.uncertain": _("sent, answer unknown"),
    "OutboxState.sent": _("sent"),
    "OutboxState.failed": _("failed"),
    "OutboxState.withdrawn": _("taken back"),
    "OutboxAction.claim": _("begin to send"),
    "OutboxAction.deliver": _("note that it arrived"),
    "OutboxAction.lose_answer": _("note that the answer is missing"),
    "OutboxAction.postpone": _("postpone"),
    "OutboxAction.fail": _("note that it failed"),
    "OutboxAction.withdraw": _("take back"),
    "OutboxAction.retry": _("try again"),
    "InboxState.received": _("received"),
    "InboxState.applied": _("applied"),
    "InboxState.duplicate": _("received before"),
    "InboxState.rejected": _("rejected"),
    "SyncState.running": _("running"),
    "SyncState.done": _("done"),
    "SyncState.partly": _("done in part"),
    "SyncState.failed": _("failed"),
    "SyncState.interrupted": _("interrupted"),
    "DifferenceKind.missing_here": _("missing here"),
    "DifferenceKind.missing_there": _("missing at the insurer"),
    "DifferenceKind.amount": _("different amount"),
    "DifferenceKind.currency": _("different currency"),
    "DifferenceKind.dates": _("different dates"),
    "DifferenceKind.status": _("different decision"),
    "DifferenceKind.manual_kept": _("entry by hand kept"),
    "DifferenceKind.buyer_unknown": _("buyer unknown"),
    "DifferenceKind.unreadable": _("could not be read"),
    "Health.good": _("good"),
    "Health.late": _("late"),
    "Health.stale": _("out of date"),
    "Health.failing": _("failing"),
    "Health.never": _("never synchronised"),
    "Health.off": _("switched off"),
    "InsurerPaper.sales": _("sales told to the insurer"),
    "InsurerPaper.sale": _("one sale"),
    "InsurerPaper.subsidiaries": _("subsidiaries"),
    "InsurerPaper.dossiers": _("claim files"),
    "InsurerPaper.dossier": _("one claim file"),
    "InsurerPaper.non_payments": _("non-payments of a claim file"),
    "InsurerPaper.non_payment": _("one non-payment of a claim file"),
    "InsurerPaper.recoveries": _("recoveries of a claim file"),
    "InsurerPaper.processing_steps": _("steps of a claim file"),
    "InsurerPaper.recovery_procedures": _("recovery procedures of a claim file"),
    "InsurerPaper.dates_pending_settlements": _("dates of settlements to come of a claim file"),
    "InsurerPaper.documents": _("documents of claims"),
    "InsurerPaper.settlements": _("settlements"),
    "InsurerPaper.settlement": _("one settlement"),
    "InsurerPaper.unpaid_settlements": _("unpaid settlements of a settlement"),
}

SENTENCES: dict[str, str] = {
    "message_not_possible": _(
        "A message to an insurer that is “%(state)s” cannot take this step (%(action)s). Reload the page to see how it stands."
    ),
    "operation_not_offered": _(
        "The interface of %(connector)s does not offer this for the policy: %(operation)s. Do it in the insurer's portal or by file."
    ),
    "connector_unknown": _("There is no connector “%(connector)s”. Choose one of the list."),
    "address_missing": _("The connection to %(connector)s lacks the address “%(name)s”. Enter it on the connection's page."),
    "address_wrong": _("The address “%(address)s” of %(connector)s cannot be used. Correct it on the connection's page."),
    "address_not_secure": _(
        "The address “%(address)s” of %(connector)s does not begin with https:// or contains a user name. Correct it: credentials travel encrypted only."
    ),
    "address_private": _(
        "The address “%(address)s” of %(connector)s lies inside a private network. Correct it, or allow private addresses in the connection's options."
    ),
    "request_not_writable": _(
        "The message to %(connector)s cannot be written (%(operation)s): an address or a credential contains characters that cannot "
        "be sent. Correct it on the connection's page."
    ),
    "address_moved": _(
        "%(connector)s answers that “%(address)s” has moved. Ask the insurer for the new address and enter it on the connection's page."
    ),
    "credential_missing": _("The connection to %(connector)s lacks the credential “%(name)s”. Enter it on the connection's page."),
    "credentials_refused": _(
        "%(connector)s refuses our credentials. Enter new ones on the connection's page. The insurer says: %(detail)s"
    ),
    "access_refused": _(
        "%(connector)s refuses access (%(operation)s): the address is wrong, or the policy has no right to this. The insurer says: %(detail)s"
    ),
    "policy_key_missing": _(
        "The connection to %(connector)s lacks the part “%(name)s” of the policy's key. Enter it on the connection's page."
    ),
    "policy_currency_differs": _(
        "The insurer keeps the policy in %(theirs)s, our policy says %(ours)s. Correct the policy before limits are synchronised."
    ),
    "option_missing": _("The connection to %(connector)s lacks the option “%(name)s”. Enter it on the connection's page."),
    "insurer_unreachable": _("%(host)s could not be reached. Nothing was sent; we try again."),
    "no_answer": _("%(host)s did not answer in time. We try again."),
    "insurer_fails": _("The insurer's server failed with status %(status)s (%(operation)s). We try again."),
    "too_many_requests": _("The insurer asks us to slow down. We go on later."),
    "answer_lost": _("The message was sent and no answer came (%(operation)s). We look at the insurer before it is sent again."),
    "reply_unreadable": _("The insurer's reply could not be read (%(operation)s)."),
    "reply_too_large": _("The insurer's reply is larger than %(mebibytes)s MiB (%(operation)s). Allow more in the connection's options."),
    "field_unreadable": _("The insurer's field “%(field)s” could not be read: “%(value)s”."),
    "insurer_refuses": _("The insurer refuses this with status %(status)s (%(operation)s). The insurer says: %(detail)s"),
    "code_unknown": _("The insurer's code “%(value)s” in “%(field)s” is not known. Tell us what it means before it can be applied."),
    "identifier_needed": _("This insurer finds companies by a number of a public register only. Enter one for the buyer: %(schemes)s."),
    "request_needs_amount": _("A request for a limit needs an amount."),
    "amount_step": _("The insurer takes multiples of %(step)s only, not %(amount)s."),
    "cover_needed": _("To change a limit at the insurer we need the insurer's reference of it. Synchronise the policy first."),
    "company_number_wrong": _("“%(value)s” is not a company number of this insurer. Correct it on the buyer's page."),
    "papers_not_offered": _("The interface of %(connector)s does not show this. Look in the insurer's portal."),
    "paper_needs_numbers": _("To show this, the insurer must be given %(count)s number(s), with a space between. Enter them all."),
    "collections_not_offered": _(
        "The interface of %(connector)s takes no word of payments for this policy. Tell the insurer in its portal or by file."
    ),
    "collection_number_missing": _("Enter the insurer's number, as its list of sales shows it."),
    "collection_amount_not_positive": _("Enter the amount that was paid; it is more than nothing."),
    "push_unreadable": _("This message is not one of the insurer's, or could not be read."),
}
