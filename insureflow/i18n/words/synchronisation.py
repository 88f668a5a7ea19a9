"""Connections at work: setting them up, what differs and why, what a person does about it, and what is refused."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Permission.view_connections": _("see connections to insurers"),
    "Permission.manage_connections": _("manage connections to insurers"),
    "ConnectionPart.client_id": _("Client number"),
    "ConnectionPart.secret": _("Secret"),
    "ConnectionPart.app_key": _("Key of the application"),
    "ConnectionPart.api_key": _("Key of the interface"),
    "ConnectionPart.username": _("User name"),
    "ConnectionPart.password": _("Password"),
    "ConnectionPart.client_secret": _("Secret of the client"),
    "ConnectionPart.customer_id": _("Customer number"),
    "ConnectionPart.policy_id": _("Policy number at the insurer"),
    "ConnectionPart.business_unit_code": _("Code of the business unit"),
    "ConnectionPart.extension_id": _("Extension"),
    "ConnectionPart.contract_no": _("Contract number"),
    "ConnectionPart.modality": _("Modality"),
    "ConnectionPart.token": _("Address for tokens"),
    "ConnectionPart.policies": _("Address of policies"),
    "ConnectionPart.buyers": _("Address of buyers"),
    "ConnectionPart.covers": _("Address of covers"),
    "ConnectionPart.search": _("Address of company search"),
    "ConnectionPart.riskinfo": _("Address of covers"),
    "ConnectionPart.riskinfo_v2": _("Address of covers, old version"),
    "Environment.production": _("production"),
    "Environment.test": _("the insurer's test system"),
    "Environment.sandbox": _("sandbox of this installation"),
    "Action.connection.added": _("connection added"),
    "Action.connection.changed": _("connection changed"),
    "Action.connection.enabled": _("connection switched on"),
    "Action.connection.disabled": _("connection switched off"),
    "Action.connection.tried": _("connection tried"),
    "Action.connection.push_key_made": _("address for messages made"),
    "Action.connection.push_key_removed": _("address for messages taken away"),
    "Action.connection.looked_up": _("company looked up"),
    "Action.connections.sealed": _("credentials encrypted anew"),
    "Action.buyer.identified": _("buyer found at an insurer"),
    "Action.limits.synchronised": _("limits synchronised"),
    "Action.difference.kept": _("difference settled: ours kept"),
    "Action.difference.accepted": _("difference settled: theirs taken"),
    "Action.message.written": _("word of a payment written to an insurer"),
    "Action.message.sent": _("request sent"),
    "Action.message.failed": _("request could not be sent"),
    "Action.message.retried": _("request tried again"),
    "Action.message.withdrawn": _("request held back"),
    "Action.schedule.changed": _("schedule changed"),
    "Subject.connection": _("connection"),
    "Subject.difference": _("difference"),
    "Subject.message": _("message to an insurer"),
    "Subject.schedule": _("schedule"),
    "Change.connector": _("Connector"),
    "Change.options": _("Options"),
    "Change.policy_key": _("Policy at the insurer"),
    "Change.has_credentials": _("Credentials are there"),
    "Change.credentials": _("Credentials"),
    "Change.is_enabled": _("Switched on"),
    "Change.stopped": _("Stopped"),
    "Change.sync_every_minutes": _("Minutes between synchronisations"),
    "Change.stale_after_minutes": _("Minutes until out of date"),
    "Change.look_up_budget": _("Look-ups a month"),
    "Change.has_push_address": _("Takes messages"),
    "Change.capabilities": _("What the interface offers"),
    "Change.error": _("What went wrong"),
    "Change.ours": _("Ours"),
    "Change.theirs": _("Theirs"),
    "Change.look_up": _("Look-up"),
    "Change.buyer": _("Buyer"),
    "Change.attempts": _("Tries"),
    "Change.is_surely_absent": _("Surely not at the insurer"),
    "Change.every_minutes": _("Minutes between runs"),
    "Change.count": _("Count"),
    "SyncCount.pages": _("parts read"),
    "SyncCount.seen": _("covers read"),
    "SyncCount.unchanged": _("without news"),
    "SyncCount.recorded": _("decisions recorded"),
    "SyncCount.same": _("known already"),
    "SyncCount.cuts": _("limits cut"),
    "SyncCount.differences": _("new differences"),
    "SyncCount.answers": _("requests answered"),
    "SyncCount.missing": _("limits not shown"),
    "SyncCount.unreadable": _("rows unreadable"),
}

SENTENCES: dict[str, str] = {
    "limits_not_readable": _(
        "The interface of %(connector)s shows no limits, so there are no limits to read. Enter decisions by hand or by file."
    ),
    "pushes_not_offered": _("This insurer sends no messages of its own accord. The connection asks for news by itself."),
    "header_name_wrong": _("“%(value)s” is no name of a header. Write letters, digits and hyphens, as the insurer tells it."),
    "push_address_not_https": _(
        "The insurer sends messages to https addresses only, and this page was opened at %(value)s. Open InsureFlow at its https address, then ask again."
    ),
    "difference.missing_here": _("The insurer grants this limit and we hold none. An entry of ours may have been taken back by mistake."),
    "difference.missing_there": _(
        "We hold this limit and the insurer's list does not show it. It stays in force: not being listed is no decision. Ask the insurer."
    ),
    "difference.amount": _("Both know the limit, with different amounts. Somebody entered a decision after the insurer's."),
    "difference.currency": _("Both know the limit, in different currencies."),
    "difference.dates": _("Both know the amount, with different days. Sales before the later day may not be covered."),
    "difference.status": _("One side says the limit is in force, the other that it has ended."),
    "difference.manual_kept": _(
        "Somebody entered a decision that is younger than the insurer's. It stays until the insurer says something newer; its list may be behind."
    ),
    "difference.buyer_unknown": _(
        "The insurer shows a limit for a company whose number no buyer has. Enter the number at the right buyer; a name alone proves nothing."
    ),
    "difference.unreadable": _("The insurer's row could not be read or goes against the policy's terms, so nothing was recorded."),
    "connection_unknown": _("There is no connection %(connection)s here. It may have been removed; look at the list."),
    "connection_exists": _("This policy has a connection already. Change that one."),
    "connection_off": _("This connection is switched off. Switch it on first."),
    "connection_stopped": _("This connection has stopped and waits for somebody. Its page says why; correct that and try it."),
    "connector_fixed": _(
        "The connector of a connection cannot be changed from %(connector)s to another. Switch this one off and ask for a new policy."
    ),
    "connection_part_missing": _("“%(path)s” is needed."),
    "connection_part_unknown": _("This connector has no “%(path)s”. Remove it."),
    "environment_unknown": _("“%(value)s” is no environment. Choose one of the list."),
    "address_needed": _("“%(path)s” has no documented address for this environment. Enter the one the insurer gave you."),
    "address_not_https": _("“%(value)s” does not begin with https://. Credentials travel encrypted only."),
    "number_out_of_bounds": _("“%(value)s” is not between %(least)s and %(most)s."),
    "credentials_unreadable": _(
        "The credentials of this connection cannot be decrypted with any of the installation's keys. Enter them anew, or give the old key back."
    ),
    "cannot_look_before_retry": _(
        "Nobody knows whether the request arrived, and %(connector)s cannot be asked. Look in the insurer's portal, then send it again or hold it back."
    ),
    "look_up_unknown": _("There is no look-up %(look_up)s here."),
    "look_up_not_offered": _("%(connector)s cannot be asked for companies under this policy. Find the number in the insurer's portal."),
    "look_up_not_confirmed": _("A look-up at %(connector)s may cost money. Confirm that you want it."),
    "look_up_budget_spent": _(
        "%(spent)s of %(budget)s look-ups of this month are used. Raise the budget on the connection's page, or wait for next month."
    ),
    "match_unknown": _("“%(value)s” is not among the companies that were found."),
    "company_taken": _("The number %(number)s belongs to another buyer already. If both are one company, merge the buyers."),
    "difference_unknown": _("There is no difference %(difference)s here."),
    "difference_settled": _("This difference was settled on %(on)s already."),
    "difference_not_choosable": _("For this kind of difference (%(kind)s) no side can be taken. Its page says what to do."),
    "keeping_needs_reason": _("Say why ours is kept, so that others understand it later."),
    "message_unknown": _("There is no message %(message)s here."),
    "policy_not_connected": _("The policy %(policy)s is not connected to its insurer. Connect it first."),
    "option_unreadable": _("“%(value)s” is no option. Write one a line, as name = value."),
    "push_unknown": _("Nothing is received at this address."),
    "push_too_large": _("The message has %(bytes)s bytes; at most %(most)s are taken."),
}
