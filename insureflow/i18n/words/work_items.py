"""Work for people: its kinds, how it stands, and what each piece asks for."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "WorkKind.limit_cut": _("a limit was cut"),
    "WorkKind.cut_action": _("act on a limit cut"),
    "WorkKind.report_binding_orders": _("report binding orders"),
    "WorkKind.approve_request": _("approve a limit request"),
    "WorkKind.send_request": _("send a limit request"),
    "WorkKind.renew_evidence": _("renew evidence"),
    "WorkKind.settle_difference": _("settle a difference"),
    "WorkKind.connection_stopped": _("connection stopped"),
    "WorkKind.connection_stale": _("connection without news"),
    "WorkKind.match_company": _("find the buyer at the insurer"),
    "WorkKind.plan_broken": _("payment plan broken"),
    "WorkState.open": _("open"),
    "WorkState.late": _("late"),
    "WorkState.done": _("done"),
    "WorkOutcome.done": _("it was done"),
    "WorkOutcome.not_needed": _("it is not needed"),
    "Action.work.done": _("work done"),
    "Action.work.reopened": _("work opened again"),
    "Action.work.assigned": _("work handed over"),
    "Subject.work_item": _("work"),
    "Change.outcome": _("Outcome"),
    "Change.owner_id": _("Whose work"),
}

SENTENCES: dict[str, str] = {
    "work.limit_cut": _(
        "The limit went from %(before)s to %(after)s with effect from %(effective_on)s. Look at what is open and on order."
    ),
    "work.cut_action": _("After the cut to %(after)s: %(action)s, up to %(amount)s."),
    "work.report_binding_orders": _(
        "Report binding orders to the insurer within %(days)s days after the notice, else they are not covered."
    ),
    "work.approve_request": _("%(amount)s is asked for by %(asked_by)s and needs a second person."),
    "work.send_request": _("%(amount)s was approved. Send it to the insurer, because no connection does; then enter the answer."),
    "work.renew_evidence": _(
        "The evidence for the discretionary limit of %(amount)s ends on %(valid_to)s. Put new evidence on file before."
    ),
    "work.settle_difference": _("Our picture and the insurer's differ. Look at the difference and settle it."),
    "work.connection_stopped": _("The connection cannot work until somebody acts. Look at its health page."),
    "work.connection_stale": _("Nothing has come from the insurer for too long. Look at the health page of the connection."),
    "work.match_company": _("The insurer's company is not known here. Say which buyer it is."),
    "work.plan_broken": _(
        "%(amount)s of the instalment of %(due_on)s is missing, so payment plan %(plan)s is broken and nothing is shipped. Call the buyer, agree "
        "anew or collect; tell the insurer where a policy asks for it."
    ),
    "work_unknown": _("There is no work %(work)s here. It may have been taken back; look at the list."),
    "work_done_already": _("This was done on %(day)s already. Open it again before you change it."),
    "work_open_already": _("This is open already. Nothing was changed."),
    "work_reason_needed": _("Say in the remark why this need not be done."),
    "work_owner_unknown": _("Work can be given to people of this organisation only. Choose one of the list."),
}
