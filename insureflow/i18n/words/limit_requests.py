"""Limit requests: how they are written, approved and sent, what can be wrong with them, and evidence."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "AmountRule.amount": _("the same amount for each"),
    "AmountRule.needed": _("what each needs by its turnover, terms and highest balance, rounded up to a full thousand"),
    "AmountRule.owed": _("what each owes now, rounded up to a full thousand"),
    "OfferObstacle.country": _("does not cover the buyer's country"),
    "OfferObstacle.entity": _("insures nobody who sells to this buyer"),
    "MustAct.author": _("who wrote it"),
    "MustAct.approver": _("a second person"),
    "MustAct.sender": _("who sends it by hand"),
    "MustAct.insurer": _("the insurer"),
    "MustAct.nobody": _("nobody"),
    "EvidenceType.application/pdf": _("PDF"),
    "EvidenceType.image/png": _("picture (PNG)"),
    "EvidenceType.image/jpeg": _("picture (JPEG)"),
    "EvidenceType.image/tiff": _("picture (TIFF)"),
    "EvidenceType.application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _("workbook"),
    "EvidenceType.message/rfc822": _("e-mail"),
    "EvidenceType.text/csv": _("CSV"),
    "EvidenceType.text/plain": _("text"),
    "request_limits": _("limit requests"),
    "stage.limit_needs_worked_out": _("working out what is needed"),
    "stage.limit_requests_written": _("writing requests"),
    "Action.limit_request.drafted": _("limit request written"),
    "Action.limit_request.revised": _("limit request changed"),
    "Action.limit_request.approval_asked": _("approval asked"),
    "Action.limit_request.approved": _("limit request approved"),
    "Action.limit_request.rejected": _("limit request rejected"),
    "Action.limit_request.submitted": _("limit request sent"),
    "Action.limit_request.cancelled": _("limit request given up"),
    "Action.limit_requests.written": _("limit requests written"),
    "Action.organisation.approval_changed": _("approval amounts changed"),
    "Subject.limit_request": _("limit request"),
    "Change.request_type": _("What is asked"),
    "Change.own_reference": _("Our reference"),
    "Change.is_urgent": _("Urgent"),
    "Change.comment": _("Comment"),
    "Change.bulk": _("Written together as"),
    "Change.requests": _("Requests"),
}

SENTENCES: dict[str, str] = {
    "limit_request_unknown": _("There is no limit request %(request)s here. Look at the list of requests."),
    "kind_not_asked_for": _("A limit of the kind “%(kind)s” is not asked of an insurer: it follows from the policy. Choose another kind."),
    "request_amount_needed": _("Say how much the whole limit should be. To give a limit up, choose “cancel”."),
    "nothing_to_cancel": _("The insurer grants no limit here, so there is nothing to cancel."),
    "request_type_does_not_fit": _("The insurer grants %(granted)s now, so with this amount it would be “%(fits)s”. Correct one of them."),
    "request_under_way": _(
        "A request for %(buyer)s under policy %(policy)s of %(asked_on)s is under way (%(reference)s: %(state)s). "
        "Wait for its answer or give it up before you ask again."
    ),
    "request_country_not_covered": _(
        "Policy %(policy)s does not cover %(buyer)s: its country (%(country)s) is not insured. Choose another policy."
    ),
    "request_buyer_not_insurable": _(
        "%(buyer)s is marked as not insurable (%(why)s), so no limit can be asked for. Correct the buyer if that is wrong."
    ),
    "request_of_other_buyer": _("A request stays with its buyer and policy. Give it up and write another one."),
    "approval_needed": _("%(amount)s needs a second person. Ask for approval instead of sending it."),
    "company_not_matched": _(
        "%(insurer)s does not know %(buyer)s by a number yet. Look the buyer up at the insurer, or enter the number on the buyer's page."
    ),
    "request_has_left": _("Request %(reference)s has gone to the insurer and cannot be called back. Wait for the answer, then ask anew."),
    "role_never_asks": _("The role “%(role)s” never asks for limits. Set no amount for it."),
    "person_unknown": _("Nobody here has the e-mail address %(email)s. Look at the list of people in the settings."),
    "selection_empty": _("Choose at least one buyer."),
    "request_twice_in_file": _("This buyer stands in row %(first)s already. Ask once for each buyer."),
    "request_buyer_unknown": _("No buyer has this number or name. Correct it, or add the buyer first."),
    "request_buyer_ambiguous": _("%(count)s buyers fit. Name one by a number."),
    "request_policy_needed": _("Say which policy is meant, in the column “policy” or in the form."),
    "request_policy_unknown": _("There is no policy with this number."),
    "evidence_empty": _("The file %(name)s is empty. Choose another one."),
    "evidence_too_large": _("The file %(name)s is larger than %(limit)s MB. Send a smaller one."),
    "evidence_hostile": _("The file %(name)s could run a program, so it is not taken. Save it as PDF, picture or plain workbook."),
    "evidence_type_not_taken": _(
        "The file %(name)s is of a kind that is not taken. Use PDF, a picture, XLSX without macros, CSV, e-mail or text."
    ),
    "evidence_unknown": _("There is no file %(file)s here."),
    "stored_file_missing": _("The file is on record but not in the store. Ask whoever runs the installation to restore it."),
    "stored_file_altered": _("The file in the store is not the one that was kept: its content has changed. It is not given out."),
}
